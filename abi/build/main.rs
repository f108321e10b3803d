//! Makes the host bindings from the WIT files.

mod functions;
mod names;
mod tables;
mod types;
mod witx;
mod world;

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    // The fixture has every kind of type, most of which the real interface does not need (yet);
    // its bindings are compiled and run by a test.
    for (wit, world, paths, file) in [
        (
            "wit",
            "host",
            world::Paths {
                runtime: "crate",
                root: "crate",
                tables: true,
            },
            "contract.rs",
        ),
        (
            "tests/fixtures/every-type.wit",
            "every-type",
            world::Paths {
                runtime: "::aivm_abi",
                root: "crate::every_type",
                tables: false,
            },
            "every_type.rs",
        ),
    ] {
        let text = world::World::read(wit, world, paths).and_then(|world| world.generate());
        match text {
            Ok(text) => fs::write(Path::new(&out).join(file), text).expect("OUT_DIR is writable"),
            Err(error) => {
                println!("cargo::error={wit}: {error}");
                std::process::exit(1);
            }
        }
    }
}
