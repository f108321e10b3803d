//! Building for AArch64, and running what was built, on whatever machine this is.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
pub(crate) const EMULATOR: &str = "qemu-aarch64";
/// Where Debian's cross compiler has its C library.
pub(crate) const SYSROOT: &str = "/usr/aarch64-linux-gnu";

/// A compiler that can make programs for [`TARGET`].
struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    /// The standard library's source, if it has to be compiled too.
    library: Option<PathBuf>,
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|o| o.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn on_path(program: &str) -> Result<(), String> {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()));
    if found {
        return Ok(());
    }
    Err(format!(
        "`{program}` is missing: install it (Debian: apt-get install gcc-aarch64-linux-gnu qemu-user)"
    ))
}

/// The installed target; else the standard library's source beside the compiler, or Debian's own pair of both.
fn toolchain() -> Result<Toolchain, String> {
    let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let rustc = PathBuf::from("rustc");
    let ask = |what: &[&str]| output(Command::new(&rustc).args(what)).map(PathBuf::from);
    let libraries = ask(&["--print", "target-libdir", "--target", TARGET]);
    if libraries.is_some_and(|dir| dir.is_dir()) {
        return Ok(Toolchain {
            cargo,
            rustc,
            library: None,
        });
    }
    let source = ask(&["--print", "sysroot"]).map(|dir| dir.join("lib/rustlib/src/rust/library"));
    if let Some(source) = source.filter(|dir| dir.is_dir()) {
        return Ok(Toolchain {
            cargo,
            rustc,
            library: Some(source),
        });
    }
    let (cargo, rustc) = (Path::new("/usr/bin/cargo"), Path::new("/usr/bin/rustc"));
    let version = output(Command::new(rustc).arg("--version"))
        .and_then(|line| Some(line.split_whitespace().nth(1)?.to_owned()));
    if let Some(version) = version {
        let library = PathBuf::from(format!("/usr/src/rustc-{version}/library"));
        if library.is_dir() && cargo.is_file() {
            return Ok(Toolchain {
                cargo: cargo.into(),
                rustc: rustc.into(),
                library: Some(library),
            });
        }
    }
    Err(format!(
        "no standard library for {TARGET}: run `rustup target add {TARGET}` or `rustup component add rust-src` \
         (Debian: apt-get install rustc-web cargo-web rust-web-src)"
    ))
}

/// Cargo, set up to build for [`TARGET`] into `target_dir` and to run tests in the emulator. Arguments that follow the
/// subcommand's own come from [`Cross::add_library`].
pub(crate) struct Cross {
    /// The command.
    pub(crate) cargo: Command,
    library: bool,
}

impl Cross {
    /// A command in the folder `root`.
    pub(crate) fn new(root: &Path, target_dir: &Path) -> Result<Self, String> {
        on_path(LINKER)?;
        on_path(EMULATOR)?;
        let toolchain = toolchain()?;
        let mut cargo = Command::new(&toolchain.cargo);
        cargo
            .current_dir(root)
            .env("RUSTC", &toolchain.rustc)
            .env("CARGO_TARGET_DIR", target_dir)
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER)
            .env("CC_aarch64_unknown_linux_gnu", LINKER)
            .env(
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER",
                format!("{EMULATOR} -L {SYSROOT}"),
            );
        if let Some(library) = &toolchain.library {
            cargo
                .env("RUSTC_BOOTSTRAP", "1")
                .env("__CARGO_TESTS_ONLY_SRC_ROOT", library);
        }
        Ok(Self {
            cargo,
            library: toolchain.library.is_some(),
        })
    }

    /// Has the standard library compiled too, where there is none for the target.
    pub(crate) fn add_library(&mut self) {
        if self.library {
            eprintln!("compiling the standard library for {TARGET}");
            self.cargo.args(["-Z", "build-std=std,panic_unwind,test"]);
        }
    }
}
