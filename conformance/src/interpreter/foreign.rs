//! What guests that were written for other hosts of networks hold, and what the two interfaces
//! that they import have in common. `docs/rust-contracts.md` has the rules and the sentences.

use std::collections::BTreeMap;
use std::sync::Arc;

use aivm_abi::canonical::Handles;
use aivm_abi::host::nn;
use aivm_abi::host::wasi_nn_errors::ErrorCode;
use aivm_abi::{Exit, TrapCode};
use aivm_nn::{ElementType, Model, TensorInfo};

use super::chain::Hash;
use super::frame::Frame;
use super::nn::{checking, limits, reading};

/// Things of one kind, and handles of all kinds, that a call may hold.
const MOST: u32 = 1_024;

/// A refusal: its kind and the sentence for people.
pub(super) type Refusal = (ErrorCode, &'static str);

pub(super) const NO_MODEL: Refusal = (ErrorCode::NotFound, "the chain has no such model");
const NO_ONNX: Refusal = (ErrorCode::InvalidEncoding, "only ONNX is served");
const UNREADABLE: Refusal = (
    ErrorCode::InvalidEncoding,
    "the bytes are no model that can be used",
);
const PARTS: Refusal = (
    ErrorCode::InvalidArgument,
    "a model is one sequence of bytes",
);
const LONG: Refusal = (ErrorCode::TooLarge, "the model has too many bytes");
const HUNGRY: Refusal = (ErrorCode::TooLarge, "the model needs too much memory");
const FOREIGN: Refusal = (
    ErrorCode::UnsupportedOperation,
    "the model has tensors of a type that this interface lacks",
);
const TYPE: Refusal = (
    ErrorCode::InvalidArgument,
    "an input has another element type",
);
const SHAPE: Refusal = (ErrorCode::InvalidArgument, "an input has another shape");
const LENGTH: Refusal = (
    ErrorCode::InvalidArgument,
    "an input's data does not fit its shape",
);
const INPUTS: Refusal = (ErrorCode::InvalidArgument, "the inputs are not the model's");
const NAME: Refusal = (
    ErrorCode::InvalidArgument,
    "the model has no input of this name",
);
const TWICE: Refusal = (ErrorCode::InvalidArgument, "an input is given twice");
const MISSING: Refusal = (ErrorCode::InvalidArgument, "an input is missing");

pub(super) fn refusal(error: nn::Error) -> Refusal {
    match error {
        nn::Error::ModelNotFound => NO_MODEL,
        nn::Error::InvalidModel => UNREADABLE,
        nn::Error::ShapeMismatch => INPUTS,
        nn::Error::MemoryLimit => HUNGRY,
    }
}

/// Things by number: each gets the lowest that is free.
pub(super) struct Numbered<T>(BTreeMap<u32, T>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Numbered<T> {
    pub fn add(&mut self, thing: T) -> Result<u32, Exit> {
        let free = (0..MOST).find(|number| !self.0.contains_key(number));
        let number = free.ok_or(TrapCode::ResourceLimit)?;
        self.0.insert(number, thing);
        Ok(number)
    }

    pub fn get(&self, number: u32) -> Option<&T> {
        self.0.get(&number)
    }

    pub fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.0.get_mut(&number)
    }

    pub fn take(&mut self, number: u32) -> Option<T> {
        self.0.remove(&number)
    }

    /// One that a handle names.
    pub fn known(&self, number: u32) -> Result<&T, Exit> {
        Ok(self.get(number).ok_or(TrapCode::BadHandle)?)
    }
}

/// A model that the guest loaded.
#[derive(Clone)]
pub(super) struct Graph {
    pub hash: Hash,
    pub model: Arc<Model>,
}

/// A tensor as a guest makes it. The type is the name that its interface has for it.
pub(super) struct Loose {
    pub ty: &'static str,
    pub dimensions: Vec<u32>,
    pub data: Vec<u8>,
}

/// A model with inputs that are set one by one.
pub(super) struct Bench {
    pub graph: Graph,
    pub inputs: BTreeMap<usize, aivm_nn::Tensor>,
    pub outputs: Option<Vec<aivm_nn::Tensor>>,
}

/// All that a call holds.
pub(super) struct Foreign {
    pub handles: Handles,
    pub tensors: Numbered<Loose>,
    pub graphs: Numbered<Graph>,
    pub contexts: Numbered<Graph>,
    pub errors: Numbered<Refusal>,
    /// Of the older interface.
    pub old_graphs: Numbered<Graph>,
    pub benches: Numbered<Bench>,
}

impl Default for Foreign {
    fn default() -> Self {
        Self {
            handles: Handles::new(MOST),
            tensors: Numbered::default(),
            graphs: Numbered::default(),
            contexts: Numbered::default(),
            errors: Numbered::default(),
            old_graphs: Numbered::default(),
            benches: Numbered::default(),
        }
    }
}

impl Foreign {
    /// Bytes of all tensors.
    fn bytes(&self) -> u64 {
        let loose = self.tensors.0.values().map(|tensor| tensor.data.len());
        let set = self.benches.0.values().flat_map(|bench| {
            let outputs = bench.outputs.iter().flatten();
            bench.inputs.values().chain(outputs)
        });
        let all = loose.chain(set.map(|tensor| tensor.data.len()));
        all.map(|bytes| bytes as u64).sum()
    }
}

/// The name that both interfaces have, in lower case, for what a model's type crosses as.
fn crossing(ty: ElementType) -> Option<&'static str> {
    match ty {
        ElementType::U8 | ElementType::I8 | ElementType::Bool => Some("u8"),
        ElementType::I32 => Some("i32"),
        ElementType::I64 => Some("i64"),
        ElementType::F32 => Some("f32"),
        _ => None,
    }
}

/// The name of the type of a tensor that a model gave.
pub(super) fn name_of(ty: ElementType) -> Result<&'static str, Exit> {
    Ok(crossing(ty).ok_or(TrapCode::Unsupported)?)
}

/// A guest's tensor as an input of a model.
pub(super) fn fitted(tensor: Loose, info: &TensorInfo) -> Result<aivm_nn::Tensor, Refusal> {
    if crossing(info.ty) != Some(tensor.ty) {
        return Err(TYPE);
    }
    if tensor.dimensions != info.shape {
        return Err(SHAPE);
    }
    aivm_nn::Tensor::new(info.ty, tensor.dimensions, tensor.data).map_err(|_| LENGTH)
}

/// Named tensors in the model's order. A name is that of an input, or else its position in digits.
pub(super) fn arranged(
    model: &Model,
    named: Vec<(String, Loose)>,
) -> Result<Vec<aivm_nn::Tensor>, Refusal> {
    let infos = model.inputs();
    let mut placed = BTreeMap::new();
    for (name, tensor) in named {
        let own = infos.iter().position(|info| info.name == name);
        let digits = name.bytes().all(|c| c.is_ascii_digit());
        let position = || name.parse::<usize>().ok().filter(|_| digits);
        let at = own.or_else(position).ok_or(NAME)?;
        let info = infos.get(at).ok_or(NAME)?;
        if placed.contains_key(&at) {
            return Err(TWICE);
        }
        placed.insert(at, fitted(tensor, info)?);
    }
    match placed.len() == infos.len() {
        true => Ok(placed.into_values().collect()),
        false => Err(MISSING),
    }
}

impl Frame {
    /// Refuses tensors that would make more bytes than an inference may use.
    pub(super) fn room(&self, more: u64) -> Result<(), Exit> {
        let all = self.foreign.bytes().saturating_add(more);
        match all <= self.shared.schedule.nn.max_memory {
            true => Ok(()),
            false => Err(TrapCode::ResourceLimit.into()),
        }
    }

    fn by_address(&self, hash: Hash) -> Result<Graph, Refusal> {
        let (model, _) = self.model(&hash).map_err(refusal)?;
        let mut ends = model.inputs().iter().chain(model.outputs());
        match ends.all(|info| crossing(info.ty).is_some()) {
            true => Ok(Graph { hash, model }),
            false => Err(FOREIGN),
        }
    }

    /// A model by its content address in hexadecimal, or by the chain's name for it.
    pub(super) fn by_name(&self, name: &str) -> Result<Graph, Refusal> {
        let digits = name.strip_prefix("blake3:").unwrap_or(name);
        let mut hash = Hash::default();
        let hash = match hex::decode_to_slice(digits, &mut hash) {
            Ok(()) => hash,
            Err(_) => *self.shared.world.outside.names.get(name).ok_or(NO_MODEL)?,
        };
        self.by_address(hash)
    }

    /// The chain's model that these bytes are, after paying for their registration once more.
    pub(super) fn by_bytes(
        &mut self,
        encoding: &str,
        parts: &[Vec<u8>],
    ) -> Result<Result<Graph, Refusal>, Exit> {
        if encoding != "onnx" && encoding != "autodetect" {
            return Ok(Err(NO_ONNX));
        }
        let [onnx] = parts else {
            return Ok(Err(PARTS));
        };
        let prices = self.shared.schedule.nn.clone();
        if onnx.len() as u64 > prices.max_model_bytes {
            return Ok(Err(LONG));
        }
        self.spend_host(reading(onnx.len(), &prices))?;
        let mut limits = limits(&prices);
        limits.work = match prices.register_per_work {
            0 => u64::MAX,
            price => self.gas / price,
        };
        let (model, work) = Model::from_onnx_measured(onnx, &limits);
        self.spend_host(prices.register_per_work.saturating_mul(work))?;
        let Ok(model) = model else {
            return Ok(Err(UNREADABLE));
        };
        self.spend_host(checking(&model, &prices))?;
        Ok(self.by_address(model.hash()))
    }
}
