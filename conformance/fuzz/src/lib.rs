//! Bodies of the fuzz targets: whatever reads bytes that somebody else wrote.
//!
//! A body takes any bytes and panics when something is wrong. It is called in two ways:
//!
//! - by `cargo fuzz`, one target each (`fuzz_targets/any.rs`), for as long as one likes;
//! - by the test `fuzz_smoke` of `aivm-conformance`, which is this file too: each body over its seeds, the files of
//!   `seeds/<target>`, and a number of changes to them that are the same in every run.
//!
//! An input that found a mistake stays among the seeds. See `docs/testing.md`.
#![allow(
    unexpected_cfgs,
    reason = "a module of the inference tests, used here, asks for features of its own crate"
)]

mod bytes;
mod codecs;
mod crypto;
mod gas;
mod machine;
mod nn;
mod sdk;
mod synq;

/// Lists the targets: name, body, and how many changed inputs the smoke test runs.
macro_rules! targets {
    ($($name:ident: $body:path, $rounds:literal;)*) => {
        /// Runs the body of a target.
        ///
        /// # Panics
        /// When the input shows a mistake, or there is no such target.
        pub fn run(target: &str, data: &[u8]) {
            match target {
                $(stringify!($name) => $body(data),)*
                _ => panic!("no target `{target}`"),
            }
        }

        #[cfg(test)]
        mod targets {
            $(#[test]
            fn $name() {
                crate::smoke::run(stringify!($name), $rounds);
            })*

            /// `cargo fuzz` knows the targets from its manifest.
            #[test]
            fn each_is_a_program() {
                let manifest = include_str!("../Cargo.toml");
                let mut programs: Vec<&str> = manifest
                    .lines()
                    .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
                    .skip(1)
                    .collect();
                programs.sort_unstable();
                let mut names = vec![$(stringify!($name)),*];
                names.sort_unstable();
                assert_eq!(programs, names);
            }
        }
    };
}

targets! {
    address: codecs::address, 3000;
    artifact: machine::artifact, 60;
    calldata: codecs::calldata, 3000;
    envelope: codecs::envelope, 3000;
    graph: nn::graph, 200;
    host_calls: machine::host_calls, 150;
    kem: crypto::kem, 300;
    key_file: crypto::key_file, 1000;
    language_server: synq::language_server, 150;
    lines: machine::lines, 500;
    manifest: nn::manifest, 2000;
    module: gas::module, 2000;
    onnx: nn::onnx, 2000;
    profile: synq::profile, 2000;
    program: synq::program, 100;
    receipt: codecs::receipt, 5000;
    schedule: gas::schedule, 300;
    sdk: sdk::sdk, 3000;
    signature: crypto::signature, 500;
    smith: gas::smith, 300;
    source: synq::source, 300;
    tensor: nn::tensor, 5000;
    trace: nn::trace, 300;
    transcript: codecs::transcript, 3000;
    upload: machine::upload, 300;
    vector: machine::vector, 1000;
}

#[cfg(test)]
mod smoke;
