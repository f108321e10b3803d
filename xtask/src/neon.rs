//! Runs the inference crate's tests for AArch64, on whatever machine this is.

use std::path::Path;

use crate::cross::{Cross, TARGET};

/// Builds and runs the tests.
pub(crate) fn neon(root: &Path) -> Result<(), String> {
    // Apart from the other builds, which another compiler may have made.
    let mut cross = Cross::new(root, &crate::target_dir(root).join("neon"))?;
    cross
        .cargo
        .args(["test", "--release", "--package", "aivm-nn"])
        .args(["--target", TARGET]);
    cross.add_library();
    cross
        .cargo
        .args(["--lib", "--test", "digits", "--test", "digests"])
        .args(["--", "--nocapture"]);
    crate::run(&mut cross.cargo)
}
