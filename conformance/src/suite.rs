//! Reading vectors from disk.

use std::path::{Path, PathBuf};

use crate::adapter::Case;
use crate::vector::{Action, Bytes, Hex, SCHEMA, Vector, VectorFile};

/// Why vectors could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// A file or folder could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not a file of vectors.
    #[error("{} is not a file of vectors: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A file has another format version.
    #[error("{} has format version {found}; this runner reads version {SCHEMA}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A module in text form is malformed.
    #[error("vector `{vector}`: {message}")]
    Wat {
        /// The vector.
        vector: String,
        /// Why, with the place.
        message: String,
    },
}

/// All vector files below `folder`, in the order of their names.
///
/// # Errors
/// When a file cannot be read or is malformed.
pub fn load(folder: &Path) -> Result<Vec<(PathBuf, VectorFile)>, SuiteError> {
    let mut files = Vec::new();
    find(folder, 4, &mut files)?;
    files.sort();
    files
        .into_iter()
        .map(|path| read(&path).map(|file| (path, file)))
        .collect()
}

fn read(path: &Path) -> Result<VectorFile, SuiteError> {
    let text = std::fs::read(path).map_err(|source| SuiteError::Read {
        path: path.into(),
        source,
    })?;
    let file: VectorFile = serde_json::from_slice(&text).map_err(|source| SuiteError::Format {
        path: path.into(),
        source,
    })?;
    if file.schema != SCHEMA {
        return Err(SuiteError::Schema {
            path: path.into(),
            found: file.schema,
        });
    }
    Ok(file)
}

fn find(folder: &Path, depth: u32, files: &mut Vec<PathBuf>) -> Result<(), SuiteError> {
    let failed = |source| SuiteError::Read {
        path: folder.into(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() && depth > 0 {
            find(&path, depth - 1, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// The case of a vector: without expectations, all bytes in hexadecimal.
///
/// # Errors
/// When a file that the vector names cannot be read, or a module's text is malformed.
pub fn case(vector: &Vector, folder: &Path) -> Result<Case, SuiteError> {
    let bytes = |bytes: &Bytes| -> Result<Bytes, SuiteError> {
        Ok(Bytes::Hex(Hex(match bytes {
            Bytes::Hex(hex) => hex.0.clone(),
            Bytes::Wat(text) => wat::parse_str(text).map_err(|error| SuiteError::Wat {
                vector: vector.name.clone(),
                message: error.to_string(),
            })?,
            Bytes::File(name) => {
                let path = folder.join(name);
                std::fs::read(&path).map_err(|source| SuiteError::Read { path, source })?
            }
        })))
    };
    let actions = vector.steps.iter().map(|step| {
        Ok(match &step.action {
            Action::Upload { name, code } => Action::Upload {
                name: name.clone(),
                code: bytes(code)?,
            },
            Action::RegisterModel { model } => Action::RegisterModel {
                model: bytes(model)?,
            },
            other => other.clone(),
        })
    });
    Ok(Case {
        chain: vector.chain.clone(),
        actions: actions.collect::<Result<_, SuiteError>>()?,
        storage: vector.storage.keys().cloned().collect(),
    })
}
