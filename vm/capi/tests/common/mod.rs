//! Compiling and running the examples in C.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn run(command: &mut Command) -> Output {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compiles an example into `work` and runs it there, also under valgrind: it must print what is expected, and leak
/// nothing.
pub fn prints(example: &str, work: &Path, arguments: &[&str], expected: &str) {
    // Cargo puts the library beside the test.
    let libraries = std::env::current_exe().unwrap();
    let libraries = libraries.parent().unwrap();
    let program = work.join(example);
    run(Command::new("cc")
        .args([
            "-std=c11",
            "-O1",
            "-g",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-pedantic",
        ])
        .arg("-I")
        .arg(folder().join("include"))
        .arg(folder().join(format!("examples/{example}.c")))
        .arg("-L")
        .arg(libraries)
        .arg("-laivm_capi")
        .arg(format!("-Wl,-rpath,{}", libraries.display()))
        .arg("-o")
        .arg(&program));
    let output = run(Command::new(&program).args(arguments).current_dir(work));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);

    if Command::new("valgrind").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "valgrind is missing");
        eprintln!("skipped: install valgrind to look for leaks");
        return;
    }
    // Optimised code reads bits that it then throws away, which memcheck takes for a mistake; leaks are what is looked for.
    let output = run(Command::new("valgrind")
        .args(["-q", "--error-exitcode=9", "--undef-value-errors=no"])
        // The engine's fault handler lets contracts go on where they wrote to a page for the first time.
        .arg("--vex-iropt-register-updates=allregs-at-mem-access")
        .args(["--leak-check=full", "--show-leak-kinds=definite"])
        .arg("--errors-for-leak-kinds=definite")
        .arg(&program)
        .args(arguments)
        .current_dir(work)
        .env("RAYON_NUM_THREADS", "1"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
