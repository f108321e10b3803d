//! Open documents, positions in them, and their names in the compiler.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use synq_compiler::{ChainProfile, FolderLoader, Options, SourceLoader};

use crate::project::{self, Project};
use crate::world::cheats;

/// The documents that the client has open, by address.
#[derive(Debug, Default)]
pub struct Documents {
    texts: BTreeMap<String, String>,
}

/// A document as the compiler sees it.
pub struct File {
    /// Its name in the compiler.
    pub name: String,
    /// Open documents before files on disk.
    pub loader: Overlay,
    /// The project's options.
    pub options: Options,
    root: PathBuf,
}

impl Documents {
    /// Sets the text of a document.
    pub fn set(&mut self, uri: &str, text: &str) {
        self.texts.insert(uri.to_owned(), text.to_owned());
    }

    /// Forgets a document.
    pub fn remove(&mut self, uri: &str) {
        self.texts.remove(uri);
    }

    /// Text of an open document.
    pub fn text(&self, uri: &str) -> Option<&str> {
        self.texts.get(uri).map(String::as_str)
    }

    /// The document for the compiler.
    pub fn file(&self, uri: &str) -> Option<File> {
        let path = path_of(uri)?;
        let project = Project::of(&path).ok()?;
        let name = project.name_of(&path).ok()?;
        let mut open = BTreeMap::new();
        for (uri, text) in &self.texts {
            if let Some(name) = path_of(uri).and_then(|p| project.name_of(&p).ok()) {
                open.insert(name, text.clone());
            }
        }
        let mut profile = project
            .settings
            .chain
            .as_ref()
            .and_then(|p| project::read_text(&project.root.join(p)).ok())
            .and_then(|text| ChainProfile::from_toml(&text).ok())
            .unwrap_or_default();
        if project.is_test(&name) {
            profile = profile.with(&cheats::profile());
        }
        Some(File {
            name,
            loader: Overlay {
                open,
                files: project.loader(),
            },
            options: Options::new().with_profile(profile),
            root: project.root,
        })
    }
}

impl File {
    /// Address of the file that the compiler calls `name`.
    pub fn uri_of(&self, name: &str) -> String {
        let path = self.root.join(name);
        let mut uri = String::from("file://");
        for byte in path.to_string_lossy().bytes() {
            if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
                uri.push(char::from(byte));
            } else {
                uri.push_str(&format!("%{byte:02X}"));
            }
        }
        uri
    }
}

/// Open documents before files on disk.
pub struct Overlay {
    open: BTreeMap<String, String>,
    files: FolderLoader,
}

impl SourceLoader for Overlay {
    fn source(&self, path: &str) -> Result<String, String> {
        match self.open.get(path) {
            Some(text) => Ok(text.clone()),
            None => self.files.source(path),
        }
    }

    fn model(&self, path: &str) -> Result<Vec<u8>, String> {
        self.files.model(path)
    }
}

/// Path of a `file://` address.
fn path_of(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let mut bytes = Vec::new();
    let mut left = rest.bytes();
    while let Some(byte) = left.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |b: Option<u8>| char::from(b?).to_digit(16);
        let (high, low) = (digit(left.next())?, digit(left.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    let path = String::from_utf8(bytes).ok()?;
    Path::new(&path).is_absolute().then(|| PathBuf::from(path))
}

/// A text with its lines; positions count UTF-16 units, as the protocol does.
pub struct Text<'a> {
    text: &'a str,
    lines: Vec<usize>,
}

impl<'a> Text<'a> {
    /// Finds the lines of a text.
    pub fn new(text: &'a str) -> Self {
        let mut lines = vec![0];
        lines.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { text, lines }
    }

    fn position(&self, offset: u32) -> Value {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.lines.partition_point(|l| *l <= offset).max(1) - 1;
        let start = self.lines.get(line).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default();
        json!({ "line": line, "character": before.encode_utf16().count() })
    }

    /// Bytes as a range of positions.
    pub fn range(&self, start: u32, end: u32) -> Value {
        json!({ "start": self.position(start), "end": self.position(end) })
    }

    /// Byte offset of a position; the end of the line for one past it.
    pub fn offset(&self, position: &Value) -> Option<u32> {
        let line = usize::try_from(position["line"].as_u64()?).ok()?;
        let wanted = usize::try_from(position["character"].as_u64()?).ok()?;
        let start = *self.lines.get(line)?;
        let rest = self.text.get(start..)?;
        let rest = rest.split('\n').next().unwrap_or_default();
        let mut units = 0;
        let mut offset = start + rest.len();
        for (at, c) in rest.char_indices() {
            if units >= wanted {
                offset = start + at;
                break;
            }
            units += c.len_utf16();
        }
        u32::try_from(offset).ok()
    }
}

/// The word that an offset lies in or just behind.
pub fn word(text: &str, offset: u32) -> Option<(u32, u32)> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let (before, behind) = text.split_at_checked(offset as usize)?;
    let start = before.trim_end_matches(part).len();
    let end = text.len() - behind.trim_start_matches(part).len();
    if start == end
        || text
            .get(start..end)?
            .starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?))
}
