//! Where `cargo xtask models` puts what it fetches.

use std::path::PathBuf;

/// The folder of a fetched package. Where it is missing, says so and gives nothing; with
/// `AIVM_REQUIRE_MODELS` set, as in continuous integration, that is a failure.
pub fn models(package: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("AIVM_MODELS") {
        Some(path) => PathBuf::from(path),
        None => std::env::var_os("XDG_CACHE_HOME")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?
            .join("aivm/models"),
    };
    let path = root.join(package);
    if path.is_dir() {
        return Some(path);
    }
    let message = format!("{} is missing: run `cargo xtask models`", path.display());
    assert!(
        std::env::var_os("AIVM_REQUIRE_MODELS").is_none(),
        "{message}"
    );
    println!("SKIPPED: {message}");
    None
}
