//! Projects (`synq.toml`), and how files are found and named.
//!
//! A source's name is its path from the project's folder, or from its own folder where there
//! is no project: never an absolute path, so that builds are the same everywhere.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use synq_compiler::FolderLoader;
use tempfile::NamedTempFile;

use crate::error::Error;

/// Largest file that is read.
const MAX_FILE: u64 = 256 << 20;

/// A project's file.
const PROJECT_FILE: &str = "synq.toml";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectFile {
    #[serde(default)]
    project: Settings,
}

/// `[project]` of `synq.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The project's name.
    pub name: Option<String>,
    /// Folder of the sources.
    pub sources: PathBuf,
    /// Folder of the tests.
    pub tests: PathBuf,
    /// Folder for what `build` makes.
    pub out: PathBuf,
    /// The chain profile.
    pub chain: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: None,
            sources: "src".into(),
            tests: "tests".into(),
            out: "out".into(),
            chain: None,
        }
    }
}

/// A project, or the folder of a file that belongs to none.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its folder.
    pub root: PathBuf,
    /// What its file says.
    pub settings: Settings,
    /// There is a `synq.toml`.
    pub declared: bool,
}

impl Project {
    /// The project that `path` (a file or a folder) lies in.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(|e| Error::file(path, e))?;
        let folder = if path.is_dir() {
            path.clone()
        } else {
            path.parent().map_or_else(PathBuf::new, Path::to_path_buf)
        };
        for root in folder.ancestors() {
            let file = root.join(PROJECT_FILE);
            if file.is_file() {
                let text = read_text(&file)?;
                let parsed: ProjectFile =
                    toml::from_str(&text).map_err(|e| Error::file(&file, e.to_string().trim()))?;
                return Ok(Self {
                    root: root.to_path_buf(),
                    settings: parsed.project,
                    declared: true,
                });
            }
        }
        Ok(Self {
            root: folder,
            settings: Settings::default(),
            declared: false,
        })
    }

    /// The name under which the compiler sees a file.
    pub fn name_of(&self, file: &Path) -> Result<String, Error> {
        let file = std::path::absolute(file).map_err(|e| Error::file(file, e))?;
        let name = normal(&file);
        let root = normal(&self.root);
        let relative = name.strip_prefix(&root).map_err(|_| {
            Error::Usage(format!(
                "{} lies outside the project {}",
                file.display(),
                self.root.display()
            ))
        })?;
        let parts: Vec<_> = relative
            .components()
            .map(|c| c.as_os_str().to_string_lossy().into_owned())
            .collect();
        Ok(parts.join("/"))
    }

    /// Whether a file, by its name, is one of the tests: there are functions that only tests
    /// have.
    pub fn is_test(&self, name: &str) -> bool {
        let folder = self.settings.tests.to_string_lossy();
        let folder = folder.trim_start_matches("./").trim_end_matches('/');
        self.declared
            && name
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
    }

    /// Reads the project's files.
    pub fn loader(&self) -> FolderLoader {
        FolderLoader::new(self.root.clone())
    }

    /// All `.synq` files of a folder of the project, sorted.
    pub fn sources_in(&self, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let folder = self.root.join(folder);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        collect(&folder, &mut files)?;
        files.sort();
        Ok(files)
    }
}

/// The files that were named, of which there must be some, or all sources of the project around the current folder.
pub fn sources(named: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    if !named.is_empty() {
        let mut files = Vec::new();
        for path in named {
            if path.is_dir() {
                let mut found = Vec::new();
                collect(path, &mut found)?;
                found.sort();
                files.extend(found);
            } else if path.is_file() {
                files.push(path.clone());
            } else {
                return Err(Error::file(path, "no such file"));
            }
        }
        if files.is_empty() {
            let named: Vec<_> = named.iter().map(|p| p.display().to_string()).collect();
            return Err(no_sources(&named.join(", ")));
        }
        return Ok(files);
    }
    of_project(|settings| &settings.sources)
}

/// All files of a folder of the project around the current folder, of which there must be some.
pub fn of_project(folder: impl Fn(&Settings) -> &Path) -> Result<Vec<PathBuf>, Error> {
    let project = Project::of(Path::new("."))?;
    if !project.declared {
        return Err(Error::Usage(
            "name a file, or run this inside a project (`synqc new` makes one)".into(),
        ));
    }
    let folder = folder(&project.settings);
    let files = project.sources_in(folder)?;
    if files.is_empty() {
        let folder = project.root.join(folder);
        return Err(no_sources(&folder.display().to_string()));
    }
    Ok(files)
}

fn no_sources(places: &str) -> Error {
    Error::Usage(format!("there are no .synq files in {places}"))
}

/// Adds the `.synq` files of a folder and of those in it. Links to folders are not followed: they
/// may lead back here. Pipes and devices are not opened: reading them may never end.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::file(folder, e))?;
    for entry in entries {
        let entry = entry.map_err(|e| Error::file(folder, e))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|e| Error::file(&path, e))?;
        if kind.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "synq") && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// `a/./b/../c` as `a/c`, by name alone.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Reads a file's bytes, up to a bound.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let meta = std::fs::metadata(path).map_err(|e| Error::file(path, e))?;
    if meta.len() > MAX_FILE {
        return Err(Error::file(path, "larger than 256 MiB"));
    }
    std::fs::read(path).map_err(|e| Error::file(path, e))
}

/// Reads a file's text.
pub fn read_text(path: &Path) -> Result<String, Error> {
    String::from_utf8(read(path)?).map_err(|_| Error::file(path, "not UTF-8"))
}

/// Writes a file and the folders above it.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
    Staged::new(path, bytes.as_ref())?.commit()
}

/// Writes several files; when one of them cannot be written, none is changed.
pub fn write_all(files: &[(PathBuf, Vec<u8>)]) -> Result<(), Error> {
    let staged: Result<Vec<_>, _> = files.iter().map(|(p, b)| Staged::new(p, b)).collect();
    staged?.into_iter().try_for_each(Staged::commit)
}

/// A file's new contents, beside it: a disk that is full leaves the old ones alone.
struct Staged {
    target: PathBuf,
    file: NamedTempFile<File>,
}

impl Staged {
    fn new(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let failed = |e: std::io::Error| Error::file(path, e);
        let mut target = path.to_path_buf();
        let mut permissions = None;
        match std::fs::metadata(path) {
            Ok(meta) if !meta.is_file() => return Err(Error::file(path, "not a regular file")),
            Ok(meta) => {
                // Renaming would replace files that may not be written, too.
                File::options().write(true).open(path).map_err(failed)?;
                permissions = Some(meta.permissions());
                // A link stays one.
                target = path.canonicalize().map_err(failed)?;
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e)),
        }
        let folder = target.parent().unwrap_or(Path::new(""));
        std::fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
        let mut file = tempfile::Builder::new()
            .prefix(".synqc-")
            .make_in(folder, |path| File::create_new(path))
            .map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        if let Some(permissions) = permissions {
            file.as_file()
                .set_permissions(permissions)
                .map_err(failed)?;
        }
        // Some file systems tell only now that there is no place.
        file.as_file().sync_all().map_err(failed)?;
        Ok(Self { target, file })
    }

    fn commit(self) -> Result<(), Error> {
        let Self { target, file } = self;
        match file.persist(&target) {
            Ok(_) => Ok(()),
            Err(e) => Err(Error::file(target, e.error)),
        }
    }
}
