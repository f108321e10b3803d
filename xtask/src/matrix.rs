//! The determinism matrix: builds the program in several ways and has it compare itself.

use std::path::Path;
use std::process::Command;

use crate::cross::{Cross, EMULATOR, SYSROOT, TARGET};

/// What is to be done.
#[derive(clap::Args)]
pub(crate) struct Matrix {
    /// Builds with all debug assertions and overflow checks too, in our crates and in others.
    #[arg(long)]
    checked: bool,
    /// Builds for AArch64 too, and runs that in an emulator. Needs qemu-user and a cross compiler.
    #[arg(long)]
    aarch64: bool,
    /// Folder of the AArch64 build; `neon` in cargo's target folder when absent.
    #[arg(long)]
    aarch64_dir: Option<std::path::PathBuf>,
    /// Folder of the checked build; cargo's target folder when absent.
    #[arg(long)]
    checked_dir: Option<std::path::PathBuf>,
    /// Runs so many configurations, or parts of one, at a time. The seconds in the table are right for one.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Writes the matrix into docs/determinism.md.
    #[arg(long)]
    write: bool,
    /// Prints the matrix for programs.
    #[arg(long)]
    json: bool,
}

const PROGRAM: &str = "aivm-conformance";

/// Builds what is asked for and compares.
pub(crate) fn matrix(root: &Path, options: &Matrix) -> Result<(), String> {
    let own = crate::target_dir(root);
    let build = |folder: &Path, arguments: &[&str]| -> Result<(), String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        crate::run(
            Command::new(cargo)
                .current_dir(root)
                .env("CARGO_TARGET_DIR", folder)
                .args(arguments),
        )
    };
    // With the features that tests are built with: what they compiled is not compiled again.
    let test = ["test", "--release", "--workspace", "--no-run"];
    build(&own, &[&test[..], &["--test", "matrix"]].concat())?;
    let mut command = Command::new(own.join("release").join(PROGRAM));
    command.current_dir(root).arg("matrix");
    if options.checked {
        let folder = options.checked_dir.as_ref().unwrap_or(&own);
        build(
            folder,
            &["build", "--profile", "checked", "--package", PROGRAM],
        )?;
        let program = folder.join("checked").join(PROGRAM);
        let what = "debug assertions and overflow checks in all crates";
        command.arg("--also");
        command.arg(format!("checked:{what}={}", program.display()));
    }
    if options.aarch64 {
        let folder = match &options.aarch64_dir {
            Some(folder) => folder.clone(),
            None => own.join("neon"),
        };
        let mut cross = Cross::new(root, &folder)?;
        cross.cargo.args(["build", "--release", "--target", TARGET]);
        cross.add_library();
        cross
            .cargo
            .args(["--package", PROGRAM, "--no-default-features"]);
        crate::run(&mut cross.cargo)?;
        let program = folder.join(TARGET).join("release").join(PROGRAM);
        let what = "AArch64 in qemu-user: compiler, engine, kernels";
        command.arg("--also");
        command.arg(format!(
            "aarch64:{what}={EMULATOR} -L {SYSROOT} {}",
            program.display()
        ));
        // The emulator keeps tables of every address that was ever reserved, until it ends.
        command.args(["--also-parts", "120"]);
    }
    command.arg("--jobs").arg(options.jobs.to_string());
    if options.write {
        command.arg("--write").arg("docs/determinism.md");
    }
    if options.json {
        command.arg("--json");
    }
    crate::run(&mut command)
}
