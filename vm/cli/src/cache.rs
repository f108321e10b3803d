//! `aivm cache`.

use aivm::DiskCache;
use serde_json::json;

use crate::args::CacheArgs;
use crate::error::CliError;
use crate::output;

/// Shows or empties a cache folder.
pub fn cache(args: &CacheArgs, json: bool) -> Result<bool, CliError> {
    let file = |source| CliError::File {
        path: args.folder.clone(),
        source,
    };
    if !std::fs::metadata(&args.folder).map_err(file)?.is_dir() {
        return Err(file(std::io::ErrorKind::NotADirectory.into()));
    }
    // Counting and removing need no secret.
    let cache = DiskCache::open(&args.folder, b"").map_err(file)?;
    if args.clear {
        cache.clear().map_err(file)?;
    }
    let (files, bytes) = cache.usage().map_err(file)?;
    if json {
        output::print(&json!({ "files": files, "bytes": bytes }));
    } else {
        let modules = if files == 1 { "module" } else { "modules" };
        println!("{files} {modules}, {bytes} bytes");
    }
    Ok(true)
}
