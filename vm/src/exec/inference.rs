//! Neural networks: models by content address, quoted, paid for, run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aivm_abi::host::nn::{self, Host, InferenceQuote, Profile, Tensor, TensorType};
use aivm_abi::receipt::Inference;
use aivm_abi::{Digest, Exit, TrapCode, Word};
use aivm_gas::NnPrices;
use aivm_nn::trace::Commitment;
use aivm_nn::{Backend, ElementType, Model, ModelLimits, Prepared, Quote, RunError, prepare};
use lru::LruCache;

use super::frame::Frame;
use super::gas::Cause;
use super::tx::fail;
use crate::error::Error;
use crate::host::{Hash, Host as Chain};
use crate::metrics::Meter;
use crate::schedules::Active;

/// Limits on models under a schedule.
pub(crate) fn model_limits(prices: &NnPrices) -> ModelLimits {
    let mut limits = ModelLimits::default();
    limits.bytes = usize::try_from(prices.max_model_bytes).unwrap_or(usize::MAX);
    limits.memory = prices.max_memory;
    limits
}

/// Gas for reading a model's bytes, before anything is known of them.
pub(crate) fn reading_gas(bytes: usize, prices: &NnPrices) -> u64 {
    prices
        .register_per_byte
        .saturating_mul(bytes as u64)
        .saturating_add(prices.register_base)
}

/// Gas for the nodes of a model that was read.
pub(crate) fn nodes_gas(model: &Model, prices: &NnPrices) -> u64 {
    let nodes = model.graph().nodes().len() as u64;
    prices.register_per_node.saturating_mul(nodes)
}

/// Gas for registering a model that took so much work to read.
pub(crate) fn registration_gas(model: &Model, bytes: usize, work: u64, prices: &NnPrices) -> u64 {
    reading_gas(bytes, prices)
        .saturating_add(nodes_gas(model, prices))
        .saturating_add(prices.register_per_work.saturating_mul(work))
}

/// A model that is ready to run, in the memory that the schedule allows.
#[derive(Debug)]
pub(crate) struct Ready {
    prepared: Prepared,
    /// Under the schedule that is part of the cache's key.
    quote: Quote,
    /// What it holds in memory, about; a short file may come to a long model.
    bytes: u64,
}

impl Ready {
    pub(super) fn model(&self) -> &Model {
        self.prepared.model()
    }
}

/// Prepares models for the backend that they run on.
pub(crate) struct Preparer(Box<Prepare>);

/// What a [`Preparer`] does.
pub(crate) type Prepare = dyn Fn(Arc<Model>) -> Result<Prepared, RunError> + Send + Sync;

impl Preparer {
    pub fn new(prepare: Box<Prepare>) -> Self {
        Preparer(prepare)
    }
}

impl Default for Preparer {
    fn default() -> Self {
        Preparer(Box::new(|model| prepare(model, Backend::default())))
    }
}

impl std::fmt::Debug for Preparer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Preparer")
    }
}

/// Content address, and hash of the schedule under which the model was accepted.
type ModelId = (Hash, Hash);

/// Models that are ready to run, the least recently used of which go first.
#[derive(Debug)]
pub(crate) struct ModelCache {
    budget: u64,
    preparer: Preparer,
    held: Mutex<Held>,
}

/// A model, or why its bytes are none that can be used.
type Found = Result<Arc<Ready>, nn::Error>;

#[derive(Debug)]
struct Held {
    bytes: u64,
    /// By content address and schedule, because limits decide whether bytes are a model. What is
    /// refused is kept too: finding that out takes as long, and is asked for as cheaply.
    models: LruCache<ModelId, Found>,
}

/// Bytes that count for a model that is refused.
const REFUSED: u64 = 1_024;

fn size(found: &Found) -> u64 {
    found.as_ref().map_or(REFUSED, |ready| ready.bytes)
}

impl ModelCache {
    pub fn new(budget: u64, preparer: Preparer) -> Self {
        Self {
            budget,
            preparer,
            held: Mutex::new(Held {
                bytes: 0,
                models: LruCache::unbounded(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn clear(&self) {
        let mut held = self.lock();
        held.models.clear();
        held.bytes = 0;
    }

    /// The model with this hash. None when the chain has none; an inner error when the
    /// model cannot be used under the schedule in force.
    fn get(
        &self,
        meter: &Meter,
        chain: &dyn Chain,
        hash: &Hash,
        active: &Active,
    ) -> Result<Option<Found>, Error> {
        let id = (*hash, active.hash);
        let held = self.lock().models.get(&id).cloned();
        if let Some(found) = held {
            // It may be from a block that is no more, which other nodes never saw.
            return Ok(chain.has_model(hash)?.then_some(found));
        }
        let Some(bytes) = chain.model(hash)? else {
            return Ok(None);
        };
        let start = meter.start();
        let found = self.read(hash, &bytes, active)?;
        if found.is_ok() {
            meter.model_prepared(start);
        }
        self.insert(id, found.clone());
        Ok(Some(found))
    }

    /// Reads the bytes that the chain has under a hash.
    fn read(&self, hash: &Hash, bytes: &[u8], active: &Active) -> Result<Found, Error> {
        // What it needs is looked at below: the chain may have taken it under another schedule,
        // and then it is still a model.
        let mut limits = model_limits(&active.schedule.nn);
        let most = std::mem::replace(&mut limits.memory, u64::MAX);
        if bytes.len() > limits.bytes {
            return Ok(Err(nn::Error::InvalidModel));
        }
        // Nothing else depends on the schedule, so what is no model now never was one: it is not
        // what was registered, and other nodes have that.
        let model = Model::from_onnx(bytes, &limits).map_err(|error| Error::StoredModel {
            model: *hash,
            reason: error.to_string(),
        })?;
        let found = model.hash();
        if found != *hash {
            return Err(Error::ModelMismatch {
                requested: *hash,
                found,
            });
        }
        // Some element types occur inside a model only: a contract has no such tensors.
        let mut ends = model.inputs().iter().chain(model.outputs());
        if !ends.all(|info| info.ty.crosses_host_border()) {
            return Ok(Err(nn::Error::InvalidModel));
        }
        let quote = model.quote(&active.schedule.nn);
        if quote.memory > most {
            return Ok(Err(nn::Error::MemoryLimit));
        }
        // The bound on packed weights is far from what there is where matrices are narrow.
        let held = model
            .held_bytes()
            .min(model.weight_bytes().saturating_mul(4));
        let bytes = held.max(bytes.len() as u64);
        let prepared = self.preparer.0(Arc::new(model))
            .map_err(|error| Error::Inference(error.to_string()))?;
        Ok(Ok(Arc::new(Ready {
            prepared,
            quote,
            bytes,
        })))
    }

    fn insert(&self, id: ModelId, found: Found) {
        let mut held = self.lock();
        held.bytes = held.bytes.saturating_add(size(&found));
        if let Some(old) = held.models.put(id, found) {
            held.bytes = held.bytes.saturating_sub(size(&old));
        }
        // One that takes more than the budget on its own stays until another one comes, or it would be
        // read again each time it is asked for.
        while held.bytes > self.budget && (held.models.len() > 1 || self.budget == 0) {
            let Some((_, old)) = held.models.pop_lru() else {
                return;
            };
            held.bytes = held.bytes.saturating_sub(size(&old));
        }
    }
}

impl Frame<'_, '_> {
    /// A model of the chain, ready to run.
    pub(super) fn ready(&mut self, hash: &Hash) -> Result<Result<Arc<Ready>, nn::Error>, Exit> {
        let shared = self.tx.shared;
        let found = shared
            .models
            .get(&shared.meter, self.tx.host, hash, self.tx.active)
            .map_err(fail)?;
        Ok(found.unwrap_or(Err(nn::Error::ModelNotFound)))
    }

    /// Runs the model. Where the chain keeps traces, its root goes to the others of the transaction.
    fn infer_on(
        &mut self,
        ready: &Ready,
        inputs: &[aivm_nn::Tensor],
    ) -> Result<Vec<aivm_nn::Tensor>, RunError> {
        let shared = self.tx.shared;
        let start = shared.meter.start();
        let outputs = if shared.inference_traces {
            let mut commitment = Commitment::new(ready.model(), inputs);
            let outputs = ready.prepared.run_observed(inputs, &mut commitment)?;
            self.tx.inference_roots.push(commitment.root());
            outputs
        } else {
            ready.prepared.run(inputs)?
        };
        shared.meter.inferred(start);
        Ok(outputs)
    }
}

impl Host for Frame<'_, '_> {
    fn quote(&mut self, model: Word) -> Result<Result<InferenceQuote, nn::Error>, Exit> {
        let ready = self.ready(&model.to_be_bytes())?;
        Ok(ready.map(|ready| InferenceQuote {
            gas: ready.quote.gas,
            macs: ready.quote.macs,
            memory: ready.quote.memory,
            profile: match ready.quote.profile {
                aivm_nn::Profile::Integer => Profile::Integer,
                _ => Profile::StrictF32,
            },
        }))
    }

    fn infer(
        &mut self,
        model: Word,
        inputs: Vec<Tensor>,
    ) -> Result<Result<Vec<Tensor>, nn::Error>, Exit> {
        let hash = model.to_be_bytes();
        let ready = match self.ready(&hash)? {
            Ok(ready) => ready,
            Err(error) => return Ok(Err(error)),
        };
        let Some(inputs) = matching(ready.model(), inputs) else {
            return Ok(Err(nn::Error::ShapeMismatch));
        };
        let outputs = self.infer_paid(hash, &ready, &inputs)?;
        Ok(outputs.map(|outputs| outputs.into_iter().map(guest_tensor).collect()))
    }
}

impl Frame<'_, '_> {
    /// Pays for an inference, puts it on the receipt and runs it. The inputs' types and shapes are the model's.
    pub(super) fn infer_paid(
        &mut self,
        hash: Hash,
        ready: &Ready,
        inputs: &[aivm_nn::Tensor],
    ) -> Result<Result<Vec<aivm_nn::Tensor>, nn::Error>, Exit> {
        self.pay(hash, ready)?;
        self.run_paid(ready, inputs)
    }

    /// Pays for an inference and puts it on the receipt.
    pub(super) fn pay(&mut self, hash: Hash, ready: &Ready) -> Result<(), Exit> {
        let quote = &ready.quote;
        // The quote is the charge, and it comes first.
        self.spend(Cause::Inference, quote.gas)?;
        self.tx.inferences.push(Inference {
            model: Digest(hash),
            contract: self.contract,
            gas: quote.gas,
            macs: quote.macs,
        });
        Ok(())
    }

    /// Runs an inference that was paid for.
    pub(super) fn run_paid(
        &mut self,
        ready: &Ready,
        inputs: &[aivm_nn::Tensor],
    ) -> Result<Result<Vec<aivm_nn::Tensor>, nn::Error>, Exit> {
        match self.infer_on(ready, inputs) {
            Ok(outputs) => Ok(Ok(outputs)),
            Err(RunError::InputCount { .. } | RunError::Input { .. } | RunError::Tensor { .. }) => {
                Ok(Err(nn::Error::ShapeMismatch))
            }
            // The same on every node, since it depends on model and input alone.
            Err(RunError::IndexOutOfRange | RunError::DivisionByZero) => {
                Err(Exit::Trap(TrapCode::BadArgument))
            }
            Err(error) => Err(fail(Error::Inference(error.to_string()))),
        }
    }
}

/// The guest's tensors, if number, types, shapes and lengths are the model's.
fn matching(model: &Model, inputs: Vec<Tensor>) -> Option<Vec<aivm_nn::Tensor>> {
    let infos = model.inputs();
    if infos.len() != inputs.len() {
        return None;
    }
    infos
        .iter()
        .zip(inputs)
        .map(|(info, input)| {
            let ty = element_type(input.ty);
            if ty != info.ty || input.dimensions != info.shape {
                return None;
            }
            aivm_nn::Tensor::new(ty, input.dimensions, input.data).ok()
        })
        .collect()
}

fn element_type(ty: TensorType) -> ElementType {
    match ty {
        TensorType::U8 => ElementType::U8,
        TensorType::I8 => ElementType::I8,
        TensorType::I16 => ElementType::I16,
        TensorType::I32 => ElementType::I32,
        TensorType::I64 => ElementType::I64,
        TensorType::Fp32 => ElementType::F32,
        TensorType::Bool => ElementType::Bool,
    }
}

fn guest_tensor(tensor: aivm_nn::Tensor) -> Tensor {
    Tensor {
        ty: match tensor.ty {
            ElementType::U8 => TensorType::U8,
            ElementType::I8 => TensorType::I8,
            ElementType::I16 => TensorType::I16,
            ElementType::I32 => TensorType::I32,
            ElementType::I64 => TensorType::I64,
            ElementType::F32 => TensorType::Fp32,
            _ => TensorType::Bool,
        },
        dimensions: tensor.shape,
        data: tensor.data,
    }
}
