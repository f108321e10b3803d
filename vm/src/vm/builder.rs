//! Setting a VM up.

use std::num::NonZero;
use std::sync::{Arc, Mutex};

use aivm_gas::{GasSchedule, ScheduleSet};
use aivm_nn::Model;
use lru::LruCache;

use super::{Shared, Vm};
use crate::cache::{DiskCache, ModuleCache};
use crate::engine::{CodeTarget, IdleInstances};
use crate::error::Error;
use crate::exec::{ModelCache, Preparer};
use crate::metrics::Meter;
use crate::schedules::Schedules;

/// Modules that are known to be refused by the schedule in force.
const REFUSED: NonZero<usize> = NonZero::new(4_096).unwrap();

/// Sets a [`Vm`] up.
#[derive(Debug)]
pub struct VmBuilder {
    schedules: ScheduleSet,
    code_bytes: u64,
    model_bytes: u64,
    idle_instances: usize,
    inference_traces: bool,
    preparer: Preparer,
    disk: Option<DiskCache>,
    meter: Meter,
    target: CodeTarget,
}

impl VmBuilder {
    pub(super) fn new() -> Self {
        Self {
            schedules: ScheduleSet::default(),
            code_bytes: 256 << 20,
            model_bytes: 256 << 20,
            idle_instances: 1_024,
            inference_traces: false,
            preparer: Preparer::default(),
            disk: None,
            meter: Meter::default(),
            target: CodeTarget::default(),
        }
    }

    /// Gas schedules by activation height. Default: [`GasSchedule::v1`] from height 0 on.
    pub fn schedules(mut self, schedules: ScheduleSet) -> Self {
        self.schedules = schedules;
        self
    }

    /// One gas schedule for all heights.
    ///
    /// # Errors
    /// When the schedule is not valid.
    pub fn schedule(self, schedule: GasSchedule) -> Result<Self, Error> {
        let schedules =
            ScheduleSet::new(schedule).map_err(|error| Error::Config(error.to_string()))?;
        Ok(self.schedules(schedules))
    }

    /// Bytes of compiled code to keep in memory. Default: 256 MiB.
    pub fn code_cache_bytes(mut self, bytes: u64) -> Self {
        self.code_bytes = bytes;
        self
    }

    /// Bytes of models, as registered, to keep ready in memory. Default: 256 MiB.
    pub fn model_cache_bytes(mut self, bytes: u64) -> Self {
        self.model_bytes = bytes;
        self
    }

    /// Idle instances to keep for the next call of their contracts, each of which reserves
    /// 8 GiB of address space. Default: 1,024.
    pub fn idle_instances(mut self, count: usize) -> Self {
        self.idle_instances = count;
        self
    }

    /// Whether receipts hold a root over every tensor of the transaction's inferences. It is part of
    /// the receipt, so all nodes of a chain must agree on it. Default: no.
    pub fn inference_traces(mut self, on: bool) -> Self {
        self.inference_traces = on;
        self
    }

    /// What prepares a model for the backend that runs it, for instance a GPU:
    /// `move |model| Ok(gpu.prepare(model)?)`. Every backend gives the same bits, so nodes of a chain need not agree
    /// on it. An error, then or when the model runs, is an [`Error`] of this node and never an outcome of the
    /// transaction. Default: the processor, one thread.
    pub fn inference_backend(
        mut self,
        prepare: impl Fn(Arc<Model>) -> Result<aivm_nn::Prepared, aivm_nn::RunError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.preparer = Preparer::new(Box::new(prepare));
        self
    }

    /// A folder that keeps compiled code over restarts. Default: none.
    pub fn disk_cache(mut self, cache: DiskCache) -> Self {
        self.disk = Some(cache);
        self
    }

    /// Measures transactions, gas, compilations, inferences and the cache of compiled code, and shows
    /// them in `registry` under names that begin with `aivm_`. Receipts do not depend on it.
    /// Default: nothing is measured.
    ///
    /// A registry is for one VM; a second one is told apart by a label, see
    /// [`Registry::sub_registry_with_label`](prometheus_client::registry::Registry::sub_registry_with_label).
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, registry: &mut prometheus_client::registry::Registry) -> Self {
        self.meter = Meter::new(registry);
        self
    }

    /// Processors that compiled code is for. Nodes need not agree on it. Default: this one.
    pub fn code_target(mut self, target: CodeTarget) -> Self {
        self.target = target;
        self
    }

    /// Makes the VM.
    ///
    /// # Errors
    /// [`Error::Config`] when a schedule lacks the price of a host function, or the processor
    /// lacks instructions that contracts may use.
    pub fn build(self) -> Result<Vm, Error> {
        if let Some(lacking) = self.target.lacking() {
            let text = format!("the processor has no {lacking}, which vector instructions need");
            return Err(Error::Config(text));
        }
        let idle = IdleInstances::new(self.idle_instances);
        let meter = self.meter;
        let cache = ModuleCache::new(self.code_bytes, self.disk, meter.clone());
        let cache = Arc::new(cache);
        meter.watch(&cache);
        Ok(Vm {
            shared: Shared {
                schedules: Schedules::new(&self.schedules, self.target, &idle)?,
                cache,
                refused: Mutex::new(LruCache::new(REFUSED)),
                meter,
                models: ModelCache::new(self.model_bytes, self.preparer),
                inference_traces: self.inference_traces,
            },
        })
    }
}
