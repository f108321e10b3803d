//! The virtual machine: what a chain links and calls.

mod builder;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aivm_abi::receipt::Receipt;
use aivm_gas::{InstrumentError, instrument};
use aivm_nn::Model;
use lru::LruCache;

use crate::block::BlockPqGas;
use crate::cache::{CacheStats, ModuleCache, ModuleId};
use crate::check::check;
use crate::delta::StateDelta;
use crate::engine::{CompileError, Compiled, panic_text};
use crate::error::Error;
use crate::exec::{ModelCache, Testing, model_limits, registration_gas};
use crate::host::{BlockContext, Hash, Host, HostError};
use crate::inspect::{Inspector, OpcodeProfile, SourceMap};
use crate::metrics::Meter;
use crate::request::{Call, Deploy, code_hash};
use crate::schedules::{Active, Schedules};
use crate::testing::Director;
use crate::transact::{Finished, Plan, transact};

pub use builder::VmBuilder;

/// What all calls share.
#[derive(Debug)]
pub(crate) struct Shared {
    schedules: Schedules,
    cache: Arc<ModuleCache>,
    /// Why schedules refuse code. Finding that out takes long, and a contract may ask for it often.
    refused: Mutex<LruCache<ModuleId, String>>,
    pub meter: Meter,
    pub models: ModelCache,
    /// Whether receipts hold the root of their inferences' traces.
    pub inference_traces: bool,
}

impl Shared {
    /// Compiled code of a contract.
    ///
    /// # Errors
    /// `StoredCode` when the schedule refuses the code, which depends on the two alone.
    pub fn load(
        &self,
        active: &Active,
        host: &dyn Host,
        code: &Hash,
    ) -> Result<Arc<Compiled>, Error> {
        let id = (*code, active.hash);
        self.cache.get(id, &active.engine, || {
            if let Some(reason) = self.refused().get(&id).cloned() {
                return Err(Error::StoredCode {
                    code: *code,
                    reason,
                });
            }
            let wasm = stored_code(host, code)?;
            let instrumented = instrument(&wasm, &active.schedule).map_err(|error| {
                self.refused().put(id, error.to_string());
                refused(code, &error)
            })?;
            Ok(instrumented.wasm)
        })
    }

    fn refused(&self) -> MutexGuard<'_, LruCache<ModuleId, String>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Code that the chain has, after a look at its hash.
pub(crate) fn stored_code(host: &dyn Host, code: &Hash) -> Result<Vec<u8>, Error> {
    let wasm = host.code(code)?.ok_or(Error::UnknownCode(*code))?;
    match code_hash(&wasm) {
        found if found == *code => Ok(wasm),
        found => Err(Error::CodeMismatch {
            requested: *code,
            found,
        }),
    }
}

/// Code that the chain has is refused: it was accepted when it was uploaded.
pub(crate) fn refused(code: &Hash, error: &InstrumentError) -> Error {
    Error::StoredCode {
        code: *code,
        reason: error.to_string(),
    }
}

impl From<CompileError> for Error {
    fn from(error: CompileError) -> Self {
        Self::Engine(error.to_string())
    }
}

/// Code that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// Hash under which the chain has the code.
    pub code: Hash,
    /// Gas that the upload costs; charging it is up to the chain.
    pub gas: u64,
}

/// A model that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registered {
    /// Content address of the model.
    pub model: Hash,
    /// Gas that the registration costs; charging it is up to the chain.
    pub gas: u64,
}

/// What a call would cost and do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Estimate {
    /// The receipt that a call would have now. Nothing was committed.
    pub receipt: Receipt,
    /// Smallest gas limit with which the same run goes through: at least what it used,
    /// and more where a nested call gets no more than 63/64 of what is left. A contract
    /// whose behaviour depends on the gas left may need another.
    pub gas_limit: u64,
}

/// A deployed contract.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deployed {
    /// Address of the contract, if the constructor returned.
    pub address: aivm_abi::Address,
    /// The receipt.
    pub receipt: Receipt,
}

/// The virtual machine. Shared by all threads of a node; it holds caches and no state.
#[derive(Debug)]
pub struct Vm {
    shared: Shared,
}

impl Vm {
    /// Starts to set a VM up.
    pub fn builder() -> VmBuilder {
        VmBuilder::new()
    }

    fn active(&self, host: &dyn Host) -> Result<&Arc<Active>, Error> {
        self.in_block(host).map(|(active, _)| active)
    }

    /// The block that calls run in now, and the schedule that is in force there.
    fn in_block(&self, host: &dyn Host) -> Result<(&Arc<Active>, BlockContext), Error> {
        let block = host.block();
        let active = self.shared.schedules.at(block.number)?;
        Ok((active, block))
    }

    /// Validates, instruments and compiles a module, and gives its bytes to the chain.
    ///
    /// # Errors
    /// A refusal with its reason, or a failure of host or engine; the chain's state is
    /// unchanged then.
    pub fn upload(&self, host: &mut impl Host, wasm: &[u8]) -> Result<Uploaded, Error> {
        guarded(|| {
            let active = self.active(host)?.clone();
            let code = code_hash(wasm);
            let instrumented = instrument(wasm, &active.schedule)?;
            check(wasm)?;
            let gas = instrumented.upload_gas;
            self.shared
                .cache
                .get((code, active.hash), &active.engine, || {
                    Ok::<_, Error>(instrumented.wasm)
                })?;
            if host.code(&code)?.is_none() {
                let mut delta = StateDelta::default();
                delta.codes.insert(code, wasm.to_vec());
                host.commit(&delta)?;
            }
            Ok(Uploaded { code, gas })
        })
    }

    /// Validates a model in ONNX form and gives its bytes to the chain.
    ///
    /// # Errors
    /// As [`upload`](Self::upload).
    pub fn register_model(&self, host: &mut impl Host, onnx: &[u8]) -> Result<Registered, Error> {
        guarded(|| {
            let active = self.active(host)?.clone();
            let prices = &active.schedule.nn;
            let (model, work) = Model::from_onnx_measured(onnx, &model_limits(prices));
            let model = model?;
            let gas = registration_gas(&model, onnx.len(), work, prices);
            let hash = model.hash();
            if host.model(&hash)?.is_none() {
                let mut delta = StateDelta::default();
                delta.models.insert(hash, onnx.to_vec());
                host.commit(&delta)?;
            }
            Ok(Registered { model: hash, gas })
        })
    }

    /// Creates a contract and runs its constructor.
    ///
    /// # Errors
    /// A refusal before anything runs, or a failure of host or engine.
    pub fn deploy(&self, host: &mut impl Host, request: &Deploy) -> Result<Deployed, Error> {
        let receipt = self.commit(host, &Plan::deploy(request), None)?;
        Ok(Deployed {
            address: request.address(),
            receipt,
        })
    }

    /// Runs a transaction and commits its effects, if it returned.
    ///
    /// # Errors
    /// A refusal before anything runs, or a failure of host or engine; the chain's state
    /// is unchanged then.
    pub fn call(&self, host: &mut impl Host, request: &Call) -> Result<Receipt, Error> {
        self.commit(host, &Plan::call(request), None)
    }

    /// The PQ-Gas lane of the block that `host` is in, of which nothing is used yet.
    ///
    /// # Errors
    /// When no schedule is in force at the block's height.
    pub fn block_pq_gas(&self, host: &impl Host) -> Result<BlockPqGas, Error> {
        guarded(|| Ok(BlockPqGas::new(&self.active(host)?.schedule)))
    }

    /// As [`call`](Self::call), in a block that limits what its transactions use together.
    ///
    /// # Errors
    /// As [`call`](Self::call), and [`Error::BlockFull`] when the block has less PQ-Gas left than the transaction
    /// needs. Then nothing has changed, in the chain's state and in `block`.
    pub fn call_in_block(
        &self,
        host: &mut impl Host,
        request: &Call,
        block: &mut BlockPqGas,
    ) -> Result<Receipt, Error> {
        self.commit_in_block(host, Plan::call(request), block)
    }

    /// As [`deploy`](Self::deploy), in a block that limits what its transactions use together.
    ///
    /// # Errors
    /// As [`call_in_block`](Self::call_in_block).
    pub fn deploy_in_block(
        &self,
        host: &mut impl Host,
        request: &Deploy,
        block: &mut BlockPqGas,
    ) -> Result<Deployed, Error> {
        Ok(Deployed {
            address: request.address(),
            receipt: self.commit_in_block(host, Plan::deploy(request), block)?,
        })
    }

    fn commit_in_block(
        &self,
        host: &mut impl Host,
        plan: Plan<'_>,
        block: &mut BlockPqGas,
    ) -> Result<Receipt, Error> {
        let receipt = self.commit(host, &plan.in_block(block.left()), None)?;
        block.spend(receipt.gas.pq);
        Ok(receipt)
    }

    /// As [`call`](Self::call), watched by `inspector`.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_inspected(
        &self,
        host: &mut impl Host,
        request: &Call,
        inspector: &mut dyn Inspector,
    ) -> Result<Receipt, Error> {
        self.commit(host, &Plan::call(request), Some(inspector))
    }

    /// As [`call_inspected`](Self::call_inspected), for tests of contracts: `director` decides
    /// what the chain extensions that the contract calls do to the world around it. A chain
    /// never calls this.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_in_test(
        &self,
        host: &mut impl Host,
        request: &Call,
        director: &mut dyn Director,
        inspector: &mut dyn Inspector,
    ) -> Result<Receipt, Error> {
        guarded(move || {
            let (active, block) = self.in_block(host)?;
            let testing = Some(Testing::new(director));
            let plan = Plan::call(request);
            let at = (&**active, block);
            let finished = transact(&self.shared, at, host, &plan, Some(inspector), testing)?;
            host.commit(&finished.delta)?;
            Ok(finished.receipt(None, None))
        })
    }

    /// As [`deploy`](Self::deploy), watched by `inspector`.
    ///
    /// # Errors
    /// As [`deploy`](Self::deploy).
    pub fn deploy_inspected(
        &self,
        host: &mut impl Host,
        request: &Deploy,
        inspector: &mut dyn Inspector,
    ) -> Result<Deployed, Error> {
        let receipt = self.commit(host, &Plan::deploy(request), Some(inspector))?;
        Ok(Deployed {
            address: request.address(),
            receipt,
        })
    }

    /// Leads from the compiled code of a contract to its functions and source lines.
    ///
    /// # Errors
    /// When there is no such code, or the host fails.
    pub fn source_map(&self, host: &impl Host, code: &Hash) -> Result<SourceMap, Error> {
        guarded(|| {
            let active = self.active(host)?;
            let wasm = host.code(code)?.ok_or(Error::UnknownCode(*code))?;
            Ok(SourceMap::new(&wasm, &active.schedule)?)
        })
    }

    /// Runs a contract's `query` export. Nothing can be changed.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn query(&self, host: &impl Host, request: &Call) -> Result<Receipt, Error> {
        let start = self.shared.meter.start();
        let end = guarded(|| {
            let finished = self.run(host, &Plan::query(request), None)?;
            let root = host.state_root()?;
            Ok(finished.receipt(root, root))
        });
        self.shared.meter.transaction(start, "query", &end);
        end
    }

    /// Runs a transaction once, commits nothing and reports what it needs.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn estimate(&self, host: &impl Host, request: &Call) -> Result<Estimate, Error> {
        self.simulate(host, &Plan::call(request))
    }

    /// As [`estimate`](Self::estimate), for a deployment.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn estimate_deploy(&self, host: &impl Host, request: &Deploy) -> Result<Estimate, Error> {
        self.simulate(host, &Plan::deploy(request))
    }

    fn simulate(&self, host: &impl Host, plan: &Plan<'_>) -> Result<Estimate, Error> {
        guarded(|| {
            let finished = self.run(host, plan, None)?;
            let root = host.state_root()?;
            Ok(Estimate {
                gas_limit: finished.gas_needed,
                receipt: finished.receipt(root, root),
            })
        })
    }

    /// Runs a transaction and keeps the frames of its transcript, up to `limit` bytes;
    /// commits nothing. Two nodes that disagree compare what they get.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn trace(
        &self,
        host: &impl Host,
        request: &Call,
        limit: usize,
    ) -> Result<(Receipt, aivm_abi::Transcript), Error> {
        guarded(|| {
            let plan = Plan::call(request).retaining(limit);
            let mut finished = self.run(host, &plan, None)?;
            let root = host.state_root()?;
            let transcript = std::mem::take(&mut finished.transcript_frames);
            Ok((finished.receipt(root, root), transcript))
        })
    }

    fn commit(
        &self,
        host: &mut impl Host,
        plan: &Plan<'_>,
        inspector: Option<&mut dyn Inspector>,
    ) -> Result<Receipt, Error> {
        let start = self.shared.meter.start();
        let end = guarded(move || {
            let finished = self.run(host, plan, inspector.map(|i| i as &mut dyn Inspector))?;
            let before = host.state_root()?;
            // An empty delta is not worth a transaction of the chain's database.
            if finished.delta.is_empty() {
                return Ok(finished.receipt(before, before));
            }
            host.commit(&finished.delta)?;
            // Whatever happens from here on, the effects are there.
            let after = catch_unwind(AssertUnwindSafe(|| host.state_root()))
                .unwrap_or_else(|panic| {
                    let text = panic_text(panic.as_ref());
                    Err(HostError::new(format!("it panicked: {text}")))
                })
                .map_err(Error::Committed)?;
            Ok(finished.receipt(before, after))
        });
        self.shared.meter.transaction(start, plan.name(), &end);
        end
    }

    fn run<'a>(
        &'a self,
        host: &'a dyn Host,
        plan: &Plan<'_>,
        inspector: Option<&'a mut (dyn Inspector + 'a)>,
    ) -> Result<Finished, Error> {
        let (active, block) = self.in_block(host)?;
        transact(&self.shared, (active, block), host, plan, inspector, None)
    }

    /// Runs a transaction once, commits nothing and counts the instructions that it runs. The
    /// receipt is the one that a call would have. Code with counters is compiled for this
    /// alone and not kept.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn count_opcodes(
        &self,
        host: &impl Host,
        request: &Call,
    ) -> Result<(Receipt, OpcodeProfile), Error> {
        guarded(|| {
            let plan = Plan::call(request).counting();
            let mut finished = self.run(host, &plan, None)?;
            let root = host.state_root()?;
            let opcodes = finished.opcodes.take().unwrap_or_default();
            Ok((finished.receipt(root, root), opcodes))
        })
    }

    /// Counters of the compiled-code cache.
    pub fn cache_stats(&self) -> CacheStats {
        self.shared.cache.stats()
    }

    /// Keeps a module in memory whatever the cache's budget, after it was compiled if need be.
    ///
    /// # Errors
    /// When the chain has no such code, and as [`call`](Self::call).
    pub fn pin(&self, host: &impl Host, code: &Hash) -> Result<(), Error> {
        guarded(|| {
            let active = self.active(host)?;
            let compiled = self.shared.load(active, host, code)?;
            self.shared.cache.pin((*code, active.hash), compiled);
            Ok(())
        })
    }

    /// Lets a pinned module be evicted again; false when it was not pinned.
    ///
    /// # Errors
    /// When no schedule is in force.
    pub fn unpin(&self, host: &impl Host, code: &Hash) -> Result<bool, Error> {
        guarded(|| {
            let active = self.active(host)?;
            Ok(self.shared.cache.unpin(&(*code, active.hash)))
        })
    }

    /// Drops compiled code and models from memory. The next call of each pays in time,
    /// not in gas.
    pub fn clear_caches(&self) {
        self.shared.cache.clear();
        self.shared.refused().clear();
        self.shared.models.clear();
    }
}

/// Nothing panics across the API.
fn guarded<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|panic| Err(Error::HostPanic(panic_text(panic.as_ref()))))
}
