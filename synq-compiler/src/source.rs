//! Source files, places in them, and how the compiler gets hold of them.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Number of a file within one run of the compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId(pub u32);

/// A range of bytes in a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` to `end` in `file`.
    pub const fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Self) -> Self {
        Self {
            file: self.file,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The empty span just behind this one.
    pub fn after(self) -> Self {
        Self {
            start: self.end,
            ..self
        }
    }

    /// Tells whether byte `offset` lies in the span or just behind it.
    pub fn contains(self, offset: u32) -> bool {
        self.start <= offset && offset <= self.end
    }
}

/// Gives the compiler the files that a source names. Paths are `/`-separated.
pub trait SourceLoader {
    /// Text of the source file at `path`.
    ///
    /// # Errors
    /// A message for the author, such as "no such file".
    fn source(&self, path: &str) -> Result<String, String>;

    /// Bytes of the model file at `path`.
    ///
    /// # Errors
    /// A message for the author, such as "no such file".
    fn model(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// A loader that holds its files in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryLoader {
    sources: BTreeMap<String, String>,
    models: BTreeMap<String, Vec<u8>>,
}

impl MemoryLoader {
    /// A loader with no files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a source file.
    #[must_use]
    pub fn with_source(mut self, path: impl Into<String>, text: impl Into<String>) -> Self {
        self.sources.insert(path.into(), text.into());
        self
    }

    /// Adds a model file.
    #[must_use]
    pub fn with_model(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.models.insert(path.into(), bytes.into());
        self
    }
}

impl SourceLoader for MemoryLoader {
    fn source(&self, path: &str) -> Result<String, String> {
        self.sources
            .get(path)
            .cloned()
            .ok_or_else(|| "no such file".to_owned())
    }

    fn model(&self, path: &str) -> Result<Vec<u8>, String> {
        self.models
            .get(path)
            .cloned()
            .ok_or_else(|| "no such file".to_owned())
    }
}

/// A loader that reads from disk, relative to a folder.
#[derive(Debug, Clone)]
pub struct FolderLoader {
    root: PathBuf,
}

impl FolderLoader {
    /// Largest file that is read, in bytes.
    pub const MAX_FILE: u64 = 256 << 20;

    /// A loader for paths relative to `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let path = self.root.join(path);
        let describe = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("there is no file {}", path.display()),
            _ => error.to_string(),
        };
        let length = std::fs::metadata(&path).map_err(describe)?.len();
        if length > Self::MAX_FILE {
            return Err(format!(
                "it has {length} bytes, at most {} are read",
                Self::MAX_FILE
            ));
        }
        std::fs::read(&path).map_err(describe)
    }
}

impl SourceLoader for FolderLoader {
    fn source(&self, path: &str) -> Result<String, String> {
        String::from_utf8(self.read(path)?).map_err(|error| {
            format!(
                "it is not UTF-8 (byte {})",
                error.utf8_error().valid_up_to()
            )
        })
    }

    fn model(&self, path: &str) -> Result<Vec<u8>, String> {
        self.read(path)
    }
}

/// The files read in one run, in the order in which they were first named.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<(String, String)>,
}

impl Sources {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and numbers it.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        self.files.push((path.into(), text.into()));
        FileId(self.files.len() as u32 - 1)
    }

    /// Number of the file at `path`, if it was read.
    pub fn find(&self, path: &str) -> Option<FileId> {
        let index = self.files.iter().position(|(p, _)| p == path)?;
        Some(FileId(index as u32))
    }

    /// Path of a file; empty for an unknown number.
    pub fn path(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |f| &f.0)
    }

    /// Text of a file; empty for an unknown number.
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |f| &f.1)
    }

    /// All files as `(path, text)`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(p, t)| (p.as_str(), t.as_str()))
    }

    /// Line and column of a byte offset, both from 1; the column counts characters.
    pub fn line_column(&self, file: FileId, offset: u32) -> (u32, u32) {
        let text = self.text(file);
        let mut end = (offset as usize).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line = before.bytes().filter(|b| *b == b'\n').count() as u32 + 1;
        let start = before.rfind('\n').map_or(0, |p| p + 1);
        (line, before[start..].chars().count() as u32 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{FolderLoader, SourceLoader};

    #[test]
    fn the_folder_loader_says_why_it_cannot_read() {
        let loader = FolderLoader::new(env!("CARGO_MANIFEST_DIR"));
        assert!(
            loader
                .source("Cargo.toml")
                .unwrap()
                .contains("synq-compiler")
        );
        let missing = loader.source("nowhere/a.synq").unwrap_err();
        assert!(missing.starts_with("there is no file"), "{missing}");
        assert!(loader.source("src").is_err());
        let model = loader
            .source("../nn-backends/models/digits.onnx")
            .unwrap_err();
        assert!(model.starts_with("it is not UTF-8"), "{model}");
    }
}
