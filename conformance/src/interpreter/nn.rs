//! Neural networks, on the scalar reference.

use std::sync::Arc;

use aivm_abi::host::nn::{Error, Host, InferenceQuote, Profile, Tensor, TensorType};
use aivm_abi::receipt::Inference;
use aivm_abi::{Digest, Exit, TrapCode, Word};
use aivm_gas::NnPrices;
use aivm_nn::{
    Array, Data, ElementType, Executor, Info, Model, ModelLimits, Node, Op, Quote, Reference,
    RunError,
};

use super::Fault;
use super::chain::{Hash, Library};
use super::frame::Frame;
use crate::outcome::Outcome;

pub(super) fn limits(prices: &NnPrices) -> ModelLimits {
    let mut limits = ModelLimits::default();
    limits.bytes = usize::try_from(prices.max_model_bytes).unwrap_or(usize::MAX);
    limits.memory = prices.max_memory;
    limits
}

/// A model of the chain, which some schedule took.
#[derive(Debug)]
pub(super) struct Registered {
    bytes: u64,
    model: Arc<Model>,
}

/// What reading the bytes of a model costs, whatever they are.
pub(super) fn reading(bytes: usize, prices: &NnPrices) -> u64 {
    prices
        .register_per_byte
        .saturating_mul(bytes as u64)
        .saturating_add(prices.register_base)
}

/// What the nodes of a model cost beside that.
pub(super) fn checking(model: &Model, prices: &NnPrices) -> u64 {
    let nodes = model.graph().nodes().len() as u64;
    prices.register_per_node.saturating_mul(nodes)
}

/// Accepts a model, for a price by its bytes and nodes.
pub(super) fn register(library: &mut Library, onnx: &[u8], prices: &NnPrices) -> Outcome {
    let (model, work) = Model::from_onnx_measured(onnx, &limits(prices));
    let Ok(model) = model else {
        return Outcome::Refused("invalid-model".to_owned());
    };
    let gas = [
        reading(onnx.len(), prices),
        prices.register_per_work.saturating_mul(work),
        checking(&model, prices),
    ];
    let gas = gas.into_iter().fold(0, u64::saturating_add);
    let hash = model.hash();
    let registered = Registered {
        bytes: onnx.len() as u64,
        model: Arc::new(model),
    };
    library.models.insert(hash, Arc::new(registered));
    Outcome::Accepted {
        hash: Digest(hash),
        gas,
    }
}

const TYPES: [(TensorType, ElementType); 7] = [
    (TensorType::U8, ElementType::U8),
    (TensorType::I8, ElementType::I8),
    (TensorType::I16, ElementType::I16),
    (TensorType::I32, ElementType::I32),
    (TensorType::I64, ElementType::I64),
    (TensorType::Fp32, ElementType::F32),
    (TensorType::Bool, ElementType::Bool),
];

fn element_type(ty: TensorType) -> Option<ElementType> {
    TYPES
        .iter()
        .find(|(guest, _)| *guest == ty)
        .map(|(_, own)| *own)
}

fn guest_type(ty: ElementType) -> Option<TensorType> {
    TYPES
        .iter()
        .find(|(_, own)| *own == ty)
        .map(|(guest, _)| *guest)
}

impl Frame {
    /// A model of the chain that may be used now.
    pub(super) fn model(&self, hash: &Hash) -> Result<(Arc<Model>, Quote), Error> {
        let registered = self.shared.world.library.models.get(hash);
        let registered = registered.ok_or(Error::ModelNotFound)?;
        let prices = &self.shared.schedule.nn;
        // It was a model once; of what the schedule says now, its bytes count, and its memory below.
        if registered.bytes > prices.max_model_bytes {
            return Err(Error::InvalidModel);
        }
        let model = registered.model.clone();
        let mut ends = model.inputs().iter().chain(model.outputs());
        if !ends.all(|info| guest_type(info.ty).is_some()) {
            return Err(Error::InvalidModel);
        }
        let quote = model.quote(prices);
        if quote.memory > prices.max_memory {
            return Err(Error::MemoryLimit);
        }
        Ok((model, quote))
    }

    /// Pays for an inference, notes it for the receipt and runs it.
    pub(super) fn run_model(
        &mut self,
        hash: Hash,
        model: &Model,
        inputs: &[aivm_nn::Tensor],
    ) -> Result<Result<Vec<aivm_nn::Tensor>, Error>, Exit> {
        let quote = model.quote(&self.shared.schedule.nn);
        self.spend(quote.gas)?;
        self.shared.lanes.inference += quote.gas;
        self.shared.inferences.push(Inference {
            model: Digest(hash),
            contract: self.message.contract,
            gas: quote.gas,
            macs: quote.macs,
        });
        let executor: &dyn Executor = match self.shared.fault {
            Some(Fault::Rounding) => &AwayFromZero,
            _ => &Reference,
        };
        match aivm_nn::run(model, executor, inputs, &mut ()) {
            Ok(outputs) => Ok(Ok(outputs)),
            Err(RunError::IndexOutOfRange | RunError::DivisionByZero) => {
                Err(TrapCode::BadArgument.into())
            }
            Err(RunError::InputCount { .. } | RunError::Input { .. } | RunError::Tensor { .. }) => {
                Ok(Err(Error::ShapeMismatch))
            }
            Err(error) => Err(Exit::host(error.to_string())),
        }
    }
}

/// The guest's tensors as the model's, if they are.
fn inputs(model: &Model, given: Vec<Tensor>) -> Option<Vec<aivm_nn::Tensor>> {
    let infos = model.inputs();
    if infos.len() != given.len() {
        return None;
    }
    let fitting = infos.iter().zip(given).map(|(info, tensor)| {
        let fits = element_type(tensor.ty) == Some(info.ty) && tensor.dimensions == info.shape;
        let tensor = aivm_nn::Tensor::new(info.ty, tensor.dimensions, tensor.data);
        tensor.ok().filter(|_| fits)
    });
    fitting.collect()
}

impl Host for Frame {
    fn quote(&mut self, model: Word) -> Result<Result<InferenceQuote, Error>, Exit> {
        let found = self.model(&model.to_be_bytes());
        Ok(found.map(|(_, quote)| InferenceQuote {
            gas: quote.gas,
            macs: quote.macs,
            memory: quote.memory,
            profile: match quote.profile {
                aivm_nn::Profile::Integer => Profile::Integer,
                _ => Profile::StrictF32,
            },
        }))
    }

    fn infer(
        &mut self,
        hash: Word,
        given: Vec<Tensor>,
    ) -> Result<Result<Vec<Tensor>, Error>, Exit> {
        let hash = hash.to_be_bytes();
        let model = match self.model(&hash) {
            Ok((model, _)) => model,
            Err(error) => return Ok(Err(error)),
        };
        let Some(inputs) = inputs(&model, given) else {
            return Ok(Err(Error::ShapeMismatch));
        };
        let outputs = match self.run_model(hash, &model, &inputs)? {
            Ok(outputs) => outputs,
            Err(error) => return Ok(Err(error)),
        };
        let outputs = outputs.into_iter().map(|tensor| {
            Some(Tensor {
                ty: guest_type(tensor.ty)?,
                dimensions: tensor.shape,
                data: tensor.data,
            })
        });
        let outputs: Option<Vec<Tensor>> = outputs.collect();
        Ok(outputs.ok_or(Error::InvalidModel))
    }
}

/// The reference, with the rounding of [`Fault::Rounding`]: the accumulators of a quantised matrix
/// product, each times its one scale, round to the nearest integer, and to the one further from
/// zero where two are as near.
struct AwayFromZero;

impl Executor for AwayFromZero {
    fn node(
        &self,
        index: usize,
        node: &Node,
        operands: &[Option<&Array>],
        results: &[Info],
    ) -> Result<Vec<Array>, RunError> {
        let (Op::QMatMul(requantize), [result]) = (&node.op, results) else {
            return Reference.node(index, node, operands, results);
        };
        let (&[scale], true) = (requantize.scales.as_slice(), operands.len() < 5) else {
            return Reference.node(index, node, operands, results);
        };
        let sum = Node {
            op: Op::MatMulInteger,
            ..node.clone()
        };
        let shape = result.shape.clone();
        let infos = [Info::new(ElementType::I32, shape.clone())];
        let sums = Reference.node(index, &sum, operands, &infos)?;
        let sums = sums.first().and_then(Array::to_i64).unwrap_or_default();
        // Exact: the sums of small models have less than 29 bits, a scale has 24.
        let rounded = sums.into_iter().map(|sum| {
            let product = sum as f64 * f64::from(scale);
            product.round() as i64 + i64::from(requantize.zero)
        });
        let data = match requantize.ty {
            ElementType::U8 => Data::U8(rounded.map(|v| v.clamp(0, 255) as u8).collect()),
            _ => Data::I8(rounded.map(|v| v.clamp(-128, 127) as i8).collect()),
        };
        Ok(vec![Array { shape, data }])
    }
}
