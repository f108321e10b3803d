//! `aivm bisect`.

use std::path::Path;

use aivm_abi::{Bisect, Entry, TranscriptFile};
use serde_json::{Value, json};

use crate::args::BisectArgs;
use crate::error::CliError;
use crate::output;
use crate::world::read;

fn parse<'a>(path: &Path, bytes: &'a [u8]) -> Result<TranscriptFile<'a>, CliError> {
    TranscriptFile::parse(bytes).map_err(|source| CliError::Transcript {
        path: path.to_owned(),
        source,
    })
}

/// Compares two transcripts; false when they differ.
pub fn bisect(args: &BisectArgs, json: bool) -> Result<bool, CliError> {
    let (a, b) = (read(&args.a)?, read(&args.b)?);
    let (a, b) = (parse(&args.a, &a)?, parse(&args.b, &b)?);
    let found = aivm_abi::bisect(&a, &b);
    let equal = matches!(found, Bisect::Equal);
    if json {
        output::print(&match found {
            Bisect::Equal => json!({ "equal": true }),
            Bisect::Packages { a, b } => json!({ "equal": false, "packages": [a, b] }),
            Bisect::Differs { index, a, b } => {
                json!({ "equal": false, "index": index, "a": entry(a), "b": entry(b) })
            }
            Bisect::BeyondKept { compared } => json!({ "equal": null, "compared": compared }),
            _ => json!({ "equal": false }),
        });
        return Ok(equal);
    }
    match found {
        Bisect::Equal => println!("equal: {} frames, hash {}", a.count, a.hash),
        Bisect::Packages { a, b } => println!("not comparable: {a} and {b}"),
        Bisect::Differs { index, a, b } => {
            println!("the first {index} frames are equal, then");
            println!("  a: {}", describe(a));
            println!("  b: {}", describe(b));
        }
        Bisect::BeyondKept { compared } => {
            println!("the {compared} frames that both files keep are equal");
        }
        _ => println!("different"),
    }
    Ok(equal)
}

fn entry(entry: Option<Entry<'_>>) -> Value {
    match entry {
        None => Value::Null,
        Some(entry) => json!({
            "kind": format!("{:?}", entry.kind).to_lowercase(),
            "function": entry.func.key(),
            "payload": format!("0x{}", hex::encode(entry.payload)),
        }),
    }
}

fn describe(entry: Option<Entry<'_>>) -> String {
    match entry {
        None => "the end".to_owned(),
        Some(entry) => format!(
            "{} {} 0x{}",
            format!("{:?}", entry.kind).to_lowercase(),
            entry.func.key(),
            hex::encode(entry.payload)
        ),
    }
}
