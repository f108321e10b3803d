//! Runs fuzz targets with cargo-fuzz.

use std::path::Path;
use std::process::Command;

use crate::run;

/// Runs each target for `seconds`; all of them when none is named.
///
/// No sanitizer: all unsafe code is behind bodies that compare with safe code, and the compiler may be a stable one.
pub fn fuzz(root: &Path, seconds: u64, targets: &[String]) -> Result<(), String> {
    let folder = root.join("conformance/fuzz");
    let mut all = Vec::new();
    let listed = std::fs::read_dir(folder.join("seeds")).map_err(|error| error.to_string())?;
    for entry in listed {
        let entry = entry.map_err(|error| error.to_string())?;
        all.push(entry.file_name().to_string_lossy().into_owned());
    }
    all.sort();
    if let Some(unknown) = targets.iter().find(|target| !all.contains(target)) {
        return Err(format!(
            "no target `{unknown}`; there are {}",
            all.join(", ")
        ));
    }
    // The versions that everything else is tested with.
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))
        .map_err(|error| error.to_string())?;
    let chosen = if targets.is_empty() {
        &all[..]
    } else {
        targets
    };
    let mut failed = Vec::new();
    for target in chosen {
        let corpus = folder.join("corpus").join(target);
        std::fs::create_dir_all(&corpus).map_err(|error| error.to_string())?;
        eprintln!("fuzzing {target} for {seconds} s");
        let outcome = run(Command::new("cargo")
            .current_dir(root.join("conformance"))
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["fuzz", "run", "--sanitizer", "none", target])
            .arg(&corpus)
            .arg(folder.join("seeds").join(target))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .args(["-timeout=60", "-rss_limit_mb=6144", "-print_final_stats=1"]));
        if let Err(message) = outcome {
            failed.push(format!("{target}: {message}"));
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    failed.push("the inputs are in conformance/fuzz/artifacts".to_owned());
    failed.push("without the command `cargo fuzz`: cargo install cargo-fuzz".to_owned());
    Err(failed.join("\n"))
}
