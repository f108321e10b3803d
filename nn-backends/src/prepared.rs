//! A model ready to run on one backend.

use std::sync::Arc;

use crate::error::RunError;
use crate::model::Model;
use crate::placement::Placement;
use crate::run::{Executor, Observer, Reference, run};
#[cfg(feature = "wgpu")]
use crate::run::{canonical_output, check};
use crate::tensor::Tensor;

/// Where a model runs. Every backend gives the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// The scalar definition.
    Reference,
    /// The processor, with the best instruction set it has.
    #[cfg(feature = "cpu")]
    Cpu {
        /// Most threads for one operation; at least one is used.
        threads: usize,
    },
    /// The processor, with a given instruction set.
    #[cfg(feature = "cpu")]
    CpuWith {
        /// Instruction set.
        isa: crate::kernels::Isa,
        /// Most threads for one operation.
        threads: usize,
    },
}

impl Default for Backend {
    fn default() -> Self {
        #[cfg(feature = "cpu")]
        let backend = Backend::Cpu { threads: 1 };
        #[cfg(not(feature = "cpu"))]
        let backend = Backend::Reference;
        backend
    }
}

/// What runs the operations of a prepared model.
enum Engine {
    /// Operation by operation on the host.
    Nodes(Box<dyn Executor + Send + Sync>),
    /// The whole graph on a device.
    #[cfg(feature = "wgpu")]
    Gpu(Box<crate::gpu::Program>),
}

/// A model with its weights in the form that one backend reads. Cheap to share between threads.
pub struct Prepared {
    model: Arc<Model>,
    engine: Engine,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("hash", &hex::encode(self.model.hash()))
            .finish_non_exhaustive()
    }
}

/// Prepares `model` for `backend`: packs its weights once.
///
/// # Errors
/// When this machine lacks the instruction set that the backend names.
pub fn prepare(model: Arc<Model>, backend: Backend) -> Result<Prepared, RunError> {
    let executor: Box<dyn Executor + Send + Sync> = match backend {
        Backend::Reference => Box::new(Reference),
        #[cfg(feature = "cpu")]
        Backend::Cpu { threads } => Box::new(crate::cpu::Cpu::new(
            model.graph(),
            crate::kernels::Isa::best(),
            threads,
        )?),
        #[cfg(feature = "cpu")]
        Backend::CpuWith { isa, threads } => {
            Box::new(crate::cpu::Cpu::new(model.graph(), isa, threads)?)
        }
    };
    Ok(Prepared {
        model,
        engine: Engine::Nodes(executor),
    })
}

/// Prepares `model` for the GPU behind an interface: `vulkan`, `gl`, `metal` or `dx12`.
///
/// # Errors
/// [`RunError::Device`] when this build lacks the interface or the whole GPU backend (feature `wgpu`), or when no device
/// opens and passes its self-test.
pub fn prepare_on_gpu(model: Arc<Model>, interface: &str) -> Result<Prepared, RunError> {
    #[cfg(feature = "wgpu")]
    {
        use crate::gpu::{Gpu, GpuApi};
        let device = |error: crate::gpu::GpuError| RunError::Device(error.to_string());
        let api = GpuApi::from_name(interface)
            .ok_or_else(|| RunError::Device(format!("there is no interface `{interface}`")))?;
        Gpu::open(api)
            .and_then(|gpu| gpu.prepare(model))
            .map_err(device)
    }
    #[cfg(not(feature = "wgpu"))]
    {
        let _ = model;
        Err(RunError::Device(format!(
            "no `{interface}`: this program was built without GPUs (feature `wgpu`)"
        )))
    }
}

#[cfg(feature = "wgpu")]
impl crate::gpu::Gpu {
    /// Prepares `model` for this device: uploads its weights and compiles its kernels, once. Operations that the
    /// device cannot compute exactly, all floating-point ones among them, run on the processor:
    /// [`Prepared::placements`] tells which.
    ///
    /// # Errors
    /// When the model needs more memory than the device's options allow, or the device fails.
    pub fn prepare(&self, model: Arc<Model>) -> Result<Prepared, crate::gpu::GpuError> {
        let program = crate::gpu::Program::new(self, model.graph())?;
        Ok(Prepared {
            model,
            engine: Engine::Gpu(Box::new(program)),
        })
    }
}

impl Prepared {
    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Runs the model on `inputs`, in its order, and gives its outputs in order.
    ///
    /// # Errors
    /// As [`run`](crate::run()).
    pub fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        match &self.engine {
            Engine::Nodes(executor) => run(&self.model, &**executor, inputs, &mut ()),
            #[cfg(feature = "wgpu")]
            Engine::Gpu(_) => {
                let mut outputs = self.run_batch(&[inputs.to_vec()])?;
                outputs
                    .pop()
                    .ok_or(RunError::Internal("a run gave no outputs"))
            }
        }
    }

    /// As [`run`](Self::run), showing every operation's results to `observer`.
    ///
    /// # Errors
    /// As [`run`](crate::run()).
    pub fn run_observed(
        &self,
        inputs: &[Tensor],
        observer: &mut dyn Observer,
    ) -> Result<Vec<Tensor>, RunError> {
        match &self.engine {
            Engine::Nodes(executor) => run(&self.model, &**executor, inputs, observer),
            #[cfg(feature = "wgpu")]
            Engine::Gpu(program) => {
                let inputs = check(&self.model, inputs)?;
                let outputs = program.run_observed(self.model.graph(), inputs, observer)?;
                Ok(outputs
                    .iter()
                    .map(|array| canonical_output(array))
                    .collect())
            }
        }
    }

    /// Runs the model on several lists of inputs; gives the outputs of each, in order. A GPU gets all of them in one
    /// submission, as far as its memory allows.
    ///
    /// # Errors
    /// As [`run`](crate::run()), of the first list that has an error.
    pub fn run_batch(&self, batch: &[Vec<Tensor>]) -> Result<Vec<Vec<Tensor>>, RunError> {
        match &self.engine {
            Engine::Nodes(_) => batch.iter().map(|inputs| self.run(inputs)).collect(),
            #[cfg(feature = "wgpu")]
            Engine::Gpu(program) => {
                let mut whole = Vec::with_capacity(batch.len());
                let mut wrong = None;
                for inputs in batch {
                    match check(&self.model, inputs) {
                        Ok(inputs) => whole.push(inputs),
                        Err(error) => {
                            wrong = Some(error);
                            break;
                        }
                    }
                }
                let outputs = program.run(self.model.graph(), &whole)?;
                match wrong {
                    Some(error) => Err(error),
                    None => Ok(outputs
                        .iter()
                        .map(|list| list.iter().map(|array| canonical_output(array)).collect())
                        .collect()),
                }
            }
        }
    }

    /// Where each operation runs, in order.
    pub fn placements(&self) -> Vec<Placement> {
        match &self.engine {
            Engine::Nodes(_) => {
                let nodes = self.model.graph().nodes().iter();
                nodes.map(Placement::on_processor).collect()
            }
            #[cfg(feature = "wgpu")]
            Engine::Gpu(program) => program.placements().to_vec(),
        }
    }
}
