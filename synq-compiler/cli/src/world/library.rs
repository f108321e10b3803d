//! Compiled code, ready to be deployed.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;

use aivm::inspect::SourceMap;
use aivm::{GasSchedule, Hash, MemoryHost, Vm};
use synq_compiler::{Artifact, Diagnostics, FolderLoader, SourceLoader};

use super::cheats;
use crate::args::Chain;
use crate::commands::options;
use crate::error::Error;
use crate::project::{self, Project};
use crate::ui::Ui;

/// A compiled contract that the VM accepted.
pub struct Code {
    /// What the compiler made.
    pub artifact: Artifact,
    /// Hash of the code.
    pub hash: Hash,
    /// The file it was compiled from, as the project names it.
    pub file: String,
    /// Gas that uploading it costs.
    pub upload_gas: u64,
    map: OnceCell<Option<SourceMap>>,
}

impl Code {
    /// Leads from code to source lines.
    pub fn map(&self) -> Option<&SourceMap> {
        let make = || SourceMap::new(&self.artifact.wasm, &GasSchedule::v1()).ok();
        self.map.get_or_init(make).as_ref()
    }
}

/// All code and models that a run may need.
pub struct Library {
    /// The machine, with the default gas schedule.
    pub vm: Vm,
    codes: Vec<Code>,
    models: BTreeMap<Hash, Vec<u8>>,
    done: Vec<String>,
}

impl Library {
    /// Nothing yet.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            vm: Vm::builder().build()?,
            codes: Vec::new(),
            models: BTreeMap::new(),
            done: Vec::new(),
        })
    }

    /// Compiles a file and what it imports, with the functions that tests have if `tests` is
    /// set. Files that are in the library already are left alone.
    pub fn add(&mut self, file: &Path, chain: &Chain, tests: bool, ui: &Ui) -> Result<(), Error> {
        let project = Project::of(file)?;
        project::read(file)?;
        let name = project.name_of(file)?;
        let imported = self.add_named(&project, &name, chain, tests, ui)?;
        for name in imported {
            self.add_named(&project, &name, chain, tests, ui)?;
        }
        Ok(())
    }

    /// Compiles one file; gives the files that it imports.
    fn add_named(
        &mut self,
        project: &Project,
        name: &str,
        chain: &Chain,
        tests: bool,
        ui: &Ui,
    ) -> Result<Vec<String>, Error> {
        if self.done.iter().any(|done| done == name) {
            return Ok(Vec::new());
        }
        let mut options = options(project, name, chain)?;
        if tests {
            options.profile = options.profile.with(&cheats::profile());
        }
        let loader = Recorder::new(project.loader());
        let output = ui.progress(&format!("compiling {name}"), || {
            synq_compiler::compile(name, &loader, &options)
        });
        let output = output.map_err(|errors| Error::Source(Box::new(errors)))?;
        ui.warnings(&own(&output.diagnostics));
        let mut host = MemoryHost::new();
        for bytes in loader.models.into_inner() {
            let registered = self.vm.register_model(&mut host, &bytes)?;
            self.models.insert(registered.model, bytes);
        }
        for artifact in output.contracts {
            let uploaded = self.vm.upload(&mut host, &artifact.wasm)?;
            self.codes.push(Code {
                hash: uploaded.code,
                upload_gas: uploaded.gas,
                artifact,
                file: name.to_owned(),
                map: OnceCell::new(),
            });
        }
        self.done.push(name.to_owned());
        let sources = output.diagnostics.sources.iter();
        Ok(sources.map(|(path, _)| path.to_owned()).collect())
    }

    /// All code, in the order in which it was added.
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// All models.
    pub fn models(&self) -> &BTreeMap<Hash, Vec<u8>> {
        &self.models
    }

    /// Code by its hash.
    pub fn hashed(&self, hash: &Hash) -> Option<&Code> {
        self.codes.iter().find(|code| code.hash == *hash)
    }

    /// The contract of a file that was asked for, or its only one.
    pub fn choose(&self, file: &Path, wanted: Option<&str>) -> Result<&Code, Error> {
        let name = Project::of(file)?.name_of(file)?;
        let own: Vec<&Code> = self.codes.iter().filter(|c| c.file == name).collect();
        crate::commands::choose(own, |c| &c.artifact.name, wanted, file)
    }
}

/// The warnings about the file itself: those about what it imports come with that file.
fn own(diagnostics: &Diagnostics) -> Diagnostics {
    let mut own = diagnostics.clone();
    own.list.retain(|d| d.span.file.0 == 0);
    own
}

/// Remembers the models that were read.
struct Recorder {
    files: FolderLoader,
    models: RefCell<Vec<Vec<u8>>>,
}

impl Recorder {
    fn new(files: FolderLoader) -> Self {
        Self {
            files,
            models: RefCell::new(Vec::new()),
        }
    }
}

impl SourceLoader for Recorder {
    fn source(&self, path: &str) -> Result<String, String> {
        self.files.source(path)
    }

    fn model(&self, path: &str) -> Result<Vec<u8>, String> {
        let bytes = self.files.model(path)?;
        self.models.borrow_mut().push(bytes.clone());
        Ok(bytes)
    }
}
