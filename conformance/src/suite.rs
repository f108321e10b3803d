//! Reading and writing files of vectors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::action::{Action, Bytes, Hex};
use crate::adapter::Case;
use crate::vector::{SCHEMA, Vector, VectorFile};

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
        found: u64,
    },
    /// A module in text form is malformed.
    #[error("vector `{vector}`: {message}")]
    Wat {
        /// The vector.
        vector: String,
        /// Why, with the place.
        message: String,
    },
    /// A name that `shared` does not have.
    #[error("vector `{vector}`: the file shares nothing under the name `{name}`")]
    Shared {
        /// The vector.
        vector: String,
        /// The name.
        name: String,
    },
    /// Two vectors of a suite have one name.
    #[error("two vectors of suite `{suite}` have the name `{name}`")]
    Name {
        /// The suite.
        suite: String,
        /// The name.
        name: String,
    },
    /// A vector gives no reason, and its file none for all.
    #[error("vector `{0}` gives no reason, and neither does its file")]
    Reason(String),
    /// No vectors of a suite that was asked for.
    #[error("there is no suite `{name}`; there are {}", known.join(", "))]
    Unknown {
        /// The name that was given.
        name: String,
        /// The suites that there are.
        known: Vec<String>,
    },
}

/// All vector files below `folder`, in the order of their names. Names starting with `schema` are
/// not of vectors.
///
/// # Errors
/// When a file cannot be read or is malformed, or two vectors of a suite have one name.
pub fn load(folder: &Path) -> Result<Vec<(PathBuf, VectorFile)>, SuiteError> {
    let mut files = Vec::new();
    find(folder, 4, &mut files)?;
    files.sort();
    let files: Vec<(PathBuf, VectorFile)> = files
        .into_iter()
        .map(|path| read(&path).map(|file| (path, file)))
        .collect::<Result<_, _>>()?;
    let mut names = std::collections::BTreeSet::new();
    for (_, file) in &files {
        for vector in &file.vectors {
            if vector.reason.is_none() && file.reason.is_none() {
                return Err(SuiteError::Reason(vector.name.clone()));
            }
            if !names.insert((&file.suite, &vector.name)) {
                return Err(SuiteError::Name {
                    suite: file.suite.clone(),
                    name: vector.name.clone(),
                });
            }
        }
    }
    Ok(files)
}

/// Leaves the files of some suites; of all when none is named.
///
/// # Errors
/// When one that is named has no file.
pub fn choose(
    files: Vec<(PathBuf, VectorFile)>,
    suites: &[String],
) -> Result<Vec<(PathBuf, VectorFile)>, SuiteError> {
    for name in suites {
        if !files.iter().any(|(_, file)| file.suite == *name) {
            let mut known: Vec<String> = files.iter().map(|(_, f)| f.suite.clone()).collect();
            known.sort();
            known.dedup();
            return Err(SuiteError::Unknown {
                name: name.clone(),
                known,
            });
        }
    }
    let chosen = |file: &VectorFile| suites.is_empty() || suites.contains(&file.suite);
    Ok(files.into_iter().filter(|(_, f)| chosen(f)).collect())
}

fn read(path: &Path) -> Result<VectorFile, SuiteError> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema: u64,
    }
    let text = std::fs::read(path).map_err(|source| SuiteError::Read {
        path: path.into(),
        source,
    })?;
    let format = |source| SuiteError::Format {
        path: path.into(),
        source,
    };
    // The rest of another version may be anything.
    let Version { schema } = serde_json::from_slice(&text).map_err(format)?;
    if schema != u64::from(SCHEMA) {
        return Err(SuiteError::Schema {
            path: path.into(),
            found: schema,
        });
    }
    serde_json::from_slice(&text).map_err(format)
}

fn find(folder: &Path, depth: u32, files: &mut Vec<PathBuf>) -> Result<(), SuiteError> {
    let failed = |source| SuiteError::Read {
        path: folder.into(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let ends = |end: &str| path.to_string_lossy().ends_with(end);
        if path.is_dir() {
            if depth > 0 {
                find(&path, depth - 1, files)?;
            }
        } else if ends(".json") && !ends(".schema.json") {
            files.push(path);
        }
    }
    Ok(())
}

/// The case of a vector: without expectations, all bytes in hexadecimal.
///
/// # Errors
/// When a file that the vector names cannot be read, or a module's text is malformed.
pub fn case(file: &VectorFile, vector: &Vector, folder: &Path) -> Result<Case, SuiteError> {
    let bytes = |bytes: &Bytes| {
        let found = match bytes {
            Bytes::Shared(name) => match file.shared.get(name) {
                Some(found @ (Bytes::Hex(_) | Bytes::Wat(_) | Bytes::File(_))) => found,
                _ => {
                    return Err(SuiteError::Shared {
                        vector: vector.name.clone(),
                        name: name.clone(),
                    });
                }
            },
            own => own,
        };
        plain(found, &vector.name, folder).map(|bytes| Bytes::Hex(Hex(bytes)))
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
        chain: vector.chain.as_ref().unwrap_or(&file.chain).clone(),
        actions: actions.collect::<Result<_, SuiteError>>()?,
        storage: vector.storage.keys().cloned().collect(),
        balances: vector.balances.keys().cloned().collect(),
    })
}

fn plain(bytes: &Bytes, vector: &str, folder: &Path) -> Result<Vec<u8>, SuiteError> {
    match bytes {
        Bytes::Hex(hex) => Ok(hex.0.clone()),
        Bytes::Wat(text) => wat::parse_str(text).map_err(|error| SuiteError::Wat {
            vector: vector.to_owned(),
            message: error.to_string(),
        }),
        Bytes::File(name) => {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|source| SuiteError::Read { path, source })
        }
        Bytes::Shared(name) => Err(SuiteError::Shared {
            vector: vector.to_owned(),
            name: name.clone(),
        }),
    }
}

/// The text of a file: a line for each step and for each piece of shared code, so that a
/// difference between two versions shows what changed.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn text(file: &VectorFile) -> Result<String, serde_json::Error> {
    let mut out = Lines::default();
    out.open("{");
    out.field("schema", &file.schema)?;
    out.field("suite", &file.suite)?;
    if let Some(generator) = &file.generator {
        out.field("generator", generator)?;
    }
    if let Some(reason) = &file.reason {
        out.field("reason", reason)?;
    }
    out.field("chain", &file.chain)?;
    if !file.shared.is_empty() {
        out.map("shared", &file.shared)?;
    }
    if !file.sources.is_empty() {
        out.map("sources", &file.sources)?;
    }
    out.open("\"vectors\": [");
    for vector in &file.vectors {
        out.open("{");
        out.field("name", &vector.name)?;
        out.field("rule", &vector.rule)?;
        if let Some(reason) = &vector.reason {
            out.field("reason", reason)?;
        }
        if let Some(chain) = &vector.chain {
            out.field("chain", chain)?;
        }
        out.open("\"steps\": [");
        for step in &vector.steps {
            out.item(&serde_json::to_string(step)?);
        }
        out.close("]");
        if !vector.storage.is_empty() {
            out.map("storage", &vector.storage)?;
        }
        if !vector.balances.is_empty() {
            out.map("balances", &vector.balances)?;
        }
        out.close("}");
    }
    out.close("]");
    out.close("}");
    out.text.push('\n');
    Ok(out.text)
}

/// JSON under construction, one item a line.
#[derive(Default)]
struct Lines {
    text: String,
    depth: usize,
    /// Whether an item precedes at this depth.
    follows: bool,
}

impl Lines {
    fn item(&mut self, text: &str) {
        if self.follows {
            self.text.push(',');
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.extend(std::iter::repeat_n(' ', self.depth));
        self.text.push_str(text);
        self.follows = true;
    }

    fn open(&mut self, text: &str) {
        self.item(text);
        self.depth += 1;
        self.follows = false;
    }

    fn close(&mut self, text: &str) {
        self.depth -= 1;
        self.follows = false;
        self.item(text);
    }

    fn field(&mut self, name: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
        self.item(&format!("\"{name}\": {}", serde_json::to_string(value)?));
        Ok(())
    }

    fn map<V: Serialize>(
        &mut self,
        name: &str,
        values: &BTreeMap<String, V>,
    ) -> Result<(), serde_json::Error> {
        self.open(&format!("\"{name}\": {{"));
        for (key, value) in values {
            let key = serde_json::to_string(key)?;
            self.item(&format!("{key}: {}", serde_json::to_string(value)?));
        }
        self.close("}");
        Ok(())
    }
}
