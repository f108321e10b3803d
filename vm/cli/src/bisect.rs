//! `aivm bisect`.

use std::path::Path;

use aivm_abi::{Bisect, Entry, Printable, TranscriptFile};
use serde_json::{Value, json};

use crate::args::BisectArgs;
use crate::error::CliError;
use crate::output;
use crate::world::read;

/// A transcript, and whether its frames are known to have the hash that it states.
struct Side<'a> {
    file: TranscriptFile<'a>,
    verified: bool,
}

impl<'a> Side<'a> {
    /// A file that contradicts itself settles nothing.
    fn parse(path: &Path, bytes: &'a [u8]) -> Result<Self, CliError> {
        let file = TranscriptFile::parse(bytes).map_err(|source| CliError::Transcript {
            path: path.to_owned(),
            source,
        })?;
        match file.verify() {
            Some(false) => Err(CliError::Frames(path.to_owned())),
            verified => Ok(Side {
                verified: verified.is_some(),
                file,
            }),
        }
    }

    fn as_json(&self) -> Value {
        json!({
            "verified": self.verified,
            "frames": self.file.count,
            "kept": self.file.entries().len(),
        })
    }

    fn describe(&self) -> String {
        let (kept, count) = (self.file.entries().len(), self.file.count);
        match (self.verified, self.file.is_complete()) {
            (true, _) => format!("all {count} frames are verified by the hash"),
            (false, true) => "of another interface than this program's: not verified".to_owned(),
            (false, false) => format!("{kept} of {count} frames are kept: not verified"),
        }
    }
}

/// Compares two transcripts; false when they differ.
pub fn bisect(args: &BisectArgs, json: bool) -> Result<bool, CliError> {
    let (a, b) = (read(&args.a)?, read(&args.b)?);
    let (side_a, side_b) = (Side::parse(&args.a, &a)?, Side::parse(&args.b, &b)?);
    let found = aivm_abi::bisect(&side_a.file, &side_b.file);
    let equal = matches!(found, Bisect::Equal);
    if json {
        let mut value = match found {
            Bisect::Equal => json!({ "equal": true }),
            Bisect::Packages { a, b } => json!({ "equal": false, "packages": [a, b] }),
            Bisect::Differs { index, a, b } => {
                json!({ "equal": false, "index": index, "a": entry(a), "b": entry(b) })
            }
            Bisect::BeyondKept { compared } => json!({ "equal": null, "compared": compared }),
            _ => json!({ "equal": false }),
        };
        value["files"] = json!({ "a": side_a.as_json(), "b": side_b.as_json() });
        output::print(&value);
        return Ok(equal);
    }
    match found {
        Bisect::Equal => println!(
            "equal: {} frames, hash {}",
            side_a.file.count, side_a.file.hash
        ),
        Bisect::Packages { a, b } => {
            println!("not comparable: {} and {}", Printable(a), Printable(b));
        }
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
    println!("a: {}", side_a.describe());
    println!("b: {}", side_b.describe());
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
