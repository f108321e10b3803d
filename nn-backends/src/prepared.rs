//! A model ready to run on one backend.

use std::sync::Arc;

use crate::error::RunError;
use crate::model::Model;
use crate::run::{Executor, Observer, Reference, run};
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

/// A model with its weights in the form that one backend reads. Cheap to share between threads.
pub struct Prepared {
    model: Arc<Model>,
    executor: Box<dyn Executor + Send + Sync>,
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
    Ok(Prepared { model, executor })
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
        self.run_observed(inputs, &mut ())
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
        run(&self.model, &*self.executor, inputs, observer)
    }
}
