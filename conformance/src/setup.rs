//! The ways to run the VM that must not change a result.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aivm::{CodeTarget, DiskCache, ScheduleSet, Vm, VmBuilder};
use aivm_nn::kernels::Isa;
use aivm_nn::{Backend, Model, Prepared, RunError, prepare};
use clap::ValueEnum;

/// Where compiled code comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Code {
    /// Compiled anew for each case, and now and then in the middle of one.
    #[default]
    Cold,
    /// Compiled once and kept in memory; everything runs twice and the second time counts.
    Warm,
    /// Loaded from disk, where an earlier run left it.
    Disk,
}

/// Processors that code is compiled for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Processor {
    /// This one, with all it has.
    #[default]
    Host,
    /// Without AVX-512.
    Avx2,
    /// Any of the architecture.
    Baseline,
}

impl From<Processor> for CodeTarget {
    fn from(processor: Processor) -> Self {
        match processor {
            Processor::Host => Self::Host,
            Processor::Avx2 => Self::Avx2,
            Processor::Baseline => Self::Baseline,
        }
    }
}

/// A way to run the VM.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Threads: cases that run at once, and threads of one inference.
    pub threads: usize,
    /// Where compiled code comes from.
    pub code: Code,
    /// Folder of compiled code, for `Code::Disk`.
    pub folder: Option<PathBuf>,
    /// Processors that code is compiled for.
    pub processor: Processor,
    /// What networks run on: `best`, `reference`, the name of an instruction set, `vulkan` or `gl`.
    pub inference: String,
    /// Whether inspectors watch calls.
    pub observed: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            threads: 1,
            code: Code::default(),
            folder: None,
            processor: Processor::default(),
            inference: "best".into(),
            observed: false,
        }
    }
}

/// Why a setup cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// This machine or this program lacks something.
    #[error("not on this machine: {0}")]
    Unavailable(String),
    /// There is nothing of that name.
    #[error("`{0}` is nothing that networks run on: best, reference, {names}, vulkan, gl", names = names())]
    Unknown(String),
    /// `Code::Disk` without a folder.
    #[error("code on disk needs a folder for it")]
    NoFolder,
}

fn names() -> String {
    Isa::ALL.map(Isa::name).join(", ")
}

type Prepare = dyn Fn(Arc<Model>) -> Result<Prepared, RunError> + Send + Sync;

/// Gives out VMs that are set up in one way.
pub struct Vms {
    setup: Setup,
    prepare: Arc<Prepare>,
    /// VMs by the hash of their first schedule and the heights and hashes of the others.
    kept: Mutex<BTreeMap<Vec<u8>, Arc<Vm>>>,
}

impl Vms {
    /// Checks that the setup can be had, and opens the device that it needs.
    ///
    /// # Errors
    /// When this machine lacks what the setup asks for, or it asks for nothing that exists.
    pub fn new(setup: Setup) -> Result<Self, SetupError> {
        if setup.code == Code::Disk && setup.folder.is_none() {
            return Err(SetupError::NoFolder);
        }
        Ok(Self {
            prepare: backend(&setup.inference, setup.threads.max(1))?,
            setup,
            kept: Mutex::default(),
        })
    }

    /// The setup.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// A VM for the schedules of a chain: a new one, or with `Code::Warm` the one that had them before.
    ///
    /// # Errors
    /// When a schedule lacks a price, or the folder of compiled code cannot be made.
    pub fn vm(&self, schedules: &ScheduleSet) -> Result<Arc<Vm>, aivm::Error> {
        if self.setup.code != Code::Warm {
            return Ok(Arc::new(self.builder(schedules)?.build()?));
        }
        let key = schedules
            .iter()
            .flat_map(|(height, schedule)| [&height.to_le_bytes()[..], &schedule.hash()].concat())
            .collect();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(vm) = kept.get(&key) {
            return Ok(vm.clone());
        }
        let vm = Arc::new(self.builder(schedules)?.build()?);
        kept.insert(key, vm.clone());
        Ok(vm)
    }

    fn builder(&self, schedules: &ScheduleSet) -> Result<VmBuilder, aivm::Error> {
        let prepare = self.prepare.clone();
        let builder = Vm::builder()
            .schedules(schedules.clone())
            .code_target(self.setup.processor.into())
            .inference_backend(move |model| prepare(model));
        match &self.setup.folder {
            Some(folder) if self.setup.code == Code::Disk => {
                let cache = DiskCache::open(folder, b"a folder of this run alone");
                let cache = cache.map_err(|error| {
                    aivm::Error::Config(format!("the folder of compiled code: {error}"))
                })?;
                Ok(builder.disk_cache(cache))
            }
            _ => Ok(builder),
        }
    }
}

fn backend(name: &str, threads: usize) -> Result<Arc<Prepare>, SetupError> {
    let on = |backend| -> Arc<Prepare> { Arc::new(move |model| prepare(model, backend)) };
    match name {
        "best" => return Ok(on(Backend::Cpu { threads })),
        "reference" => return Ok(on(Backend::Reference)),
        "vulkan" | "gl" => return gpu(name),
        _ => {}
    }
    let isa = Isa::ALL.into_iter().find(|isa| isa.name() == name);
    let isa = isa.ok_or_else(|| SetupError::Unknown(name.into()))?;
    if !isa.is_available() {
        let lacks = format!("the processor has no {name}");
        return Err(SetupError::Unavailable(lacks));
    }
    Ok(on(Backend::CpuWith { isa, threads }))
}

#[cfg(feature = "gpu")]
fn gpu(name: &str) -> Result<Arc<Prepare>, SetupError> {
    use aivm_nn::gpu::{Gpu, GpuApi};
    let api = match name {
        "vulkan" => GpuApi::Vulkan,
        _ => GpuApi::Gl,
    };
    let gpu = Gpu::open(api).map_err(|error| SetupError::Unavailable(error.to_string()))?;
    Ok(Arc::new(move |model| Ok(gpu.prepare(model)?)))
}

#[cfg(not(feature = "gpu"))]
fn gpu(_: &str) -> Result<Arc<Prepare>, SetupError> {
    let lacks = "the program was built without the feature `gpu`";
    Err(SetupError::Unavailable(lacks.into()))
}
