//! `wasi:nn`, for guests that were written against it, over the same models, prices and
//! receipts as our own interface.

use aivm_abi::canonical::{Borrow, Own};
use aivm_abi::host::wasi_nn_errors::{self, ErrorCode};
use aivm_abi::host::wasi_nn_graph::{self, ExecutionTarget, GraphEncoding};
use aivm_abi::host::wasi_nn_inference::{self, GraphExecutionContext};
use aivm_abi::host::wasi_nn_tensor::{self, TensorType};
use aivm_abi::host::{nn, wasi_nn_errors as errors};
use aivm_abi::{Exit, TrapCode};
use aivm_nn::{Model, TensorInfo};

use super::frame::Frame;
use super::gas::Cause;
use super::inference::{model_limits, nodes_gas, reading_gas};
use super::session::{Graph, GuestType, Held, Refused, Session};
use super::tx::fail;
use crate::host::Hash;

type Tensor = wasi_nn_tensor::Tensor;
type OwnError = Own<errors::Error>;
type NamedTensors = Vec<(String, Own<Tensor>)>;

impl From<nn::Error> for Refused {
    fn from(error: nn::Error) -> Self {
        match error {
            nn::Error::ModelNotFound => Self::NotFound,
            nn::Error::InvalidModel => Self::Encoding("the bytes are no model that can be used"),
            nn::Error::ShapeMismatch => Self::Argument("the inputs are not the model's"),
            nn::Error::MemoryLimit => Self::TooLarge("the model needs too much memory"),
        }
    }
}

/// The content address in a name: 64 hexadecimal digits, `blake3:` before them or not.
fn address_in(name: &str) -> Option<Hash> {
    let digits = name.strip_prefix("blake3:").unwrap_or(name).as_bytes();
    let mut hash = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
    }
    Some(hash)
}

impl Frame<'_, '_> {
    pub(super) fn session(&mut self) -> &mut Session {
        self.session.get_or_insert_default()
    }

    /// Counts a tensor's bytes against the memory that an inference may use.
    pub(super) fn keep(&mut self, bytes: usize) -> Result<(), Exit> {
        let limit = self.tx.active.schedule.nn.max_memory;
        self.session().keep(bytes, limit)
    }

    /// A model of the chain that guests written for other hosts can use.
    fn graph(&mut self, hash: Hash) -> Result<Result<Graph, Refused>, Exit> {
        let ready = match self.ready(&hash)? {
            Ok(ready) => ready,
            Err(error) => return Ok(Err(error.into())),
        };
        let model = ready.model();
        let mut ends = model.inputs().iter().chain(model.outputs());
        if ends.any(|info| GuestType::of(info.ty).is_none()) {
            let text = "the model has tensors of a type that this interface lacks";
            return Ok(Err(Refused::Unsupported(text)));
        }
        Ok(Ok(Graph { hash, ready }))
    }

    /// The model with an address or a name.
    pub(super) fn graph_named(&mut self, name: &str) -> Result<Result<Graph, Refused>, Exit> {
        let hash = match address_in(name) {
            Some(hash) => Some(hash),
            None => self.tx.host.model_named(name).map_err(fail)?,
        };
        match hash {
            Some(hash) => self.graph(hash),
            None => Ok(Err(Refused::NotFound)),
        }
    }

    /// The chain's model that these bytes are. Finding out which takes the work of registering it.
    pub(super) fn graph_of(&mut self, parts: &[Vec<u8>]) -> Result<Result<Graph, Refused>, Exit> {
        let [bytes] = parts else {
            return Ok(Err(Refused::Argument("a model is one sequence of bytes")));
        };
        let prices = &self.tx.active.schedule.nn;
        let mut limits = model_limits(prices);
        if bytes.len() > limits.bytes {
            return Ok(Err(Refused::TooLarge("the model has too many bytes")));
        }
        let price = prices.register_per_work;
        self.spend(Cause::Host, reading_gas(bytes.len(), prices))?;
        // Work that nobody could pay for is not begun.
        limits.work = self.gas.checked_div(price).unwrap_or(u64::MAX);
        let (model, work) = Model::from_onnx_measured(bytes, &limits);
        self.spend(Cause::Host, price.saturating_mul(work))?;
        let Ok(model) = model else {
            return Ok(Err(nn::Error::InvalidModel.into()));
        };
        let nodes = nodes_gas(&model, &self.tx.active.schedule.nn);
        self.spend(Cause::Host, nodes)?;
        self.graph(model.hash())
    }

    fn refuse(&mut self, refused: Refused) -> Result<OwnError, Exit> {
        Ok(Own::new(self.session().errors.insert(refused)?))
    }

    fn new_graph(
        &mut self,
        found: Result<Graph, Refused>,
    ) -> Result<Result<Own<wasi_nn_graph::Graph>, OwnError>, Exit> {
        Ok(match found {
            Ok(graph) => Ok(Own::new(self.session().graphs.insert(graph)?)),
            Err(refused) => Err(self.refuse(refused)?),
        })
    }

    fn tensor(&mut self, tensor: Borrow<Tensor>) -> Result<&Held, Exit> {
        let held = self.session().tensors.get(tensor.rep);
        held.ok_or(Exit::Trap(TrapCode::BadHandle))
    }

    fn take_tensor(&mut self, tensor: Own<Tensor>) -> Result<Held, Exit> {
        let held = self.session().tensors.remove(tensor.rep);
        let held = held.ok_or(Exit::Trap(TrapCode::BadHandle))?;
        self.session().release(held.data.len());
        Ok(held)
    }

    /// Puts named tensors in the model's order and runs it.
    fn compute_named(
        &mut self,
        graph: &Graph,
        inputs: Vec<(String, Held)>,
    ) -> Result<Result<Vec<aivm_nn::Tensor>, Refused>, Exit> {
        match in_order(graph.ready.model().inputs(), inputs) {
            Ok(inputs) => {
                let outputs = self.infer_paid(graph.hash, &graph.ready, &inputs)?;
                Ok(outputs.map_err(Refused::from))
            }
            Err(refused) => Ok(Err(refused)),
        }
    }
}

/// The position in a name: decimal digits and nothing else.
fn position(name: &str) -> Option<usize> {
    let digits = name.bytes().all(|byte| byte.is_ascii_digit());
    name.parse().ok().filter(|_| digits)
}

/// Named tensors as the model's inputs, each there once.
fn in_order(
    infos: &[TensorInfo],
    inputs: Vec<(String, Held)>,
) -> Result<Vec<aivm_nn::Tensor>, Refused> {
    let mut places: Vec<Option<aivm_nn::Tensor>> = infos.iter().map(|_| None).collect();
    for (name, held) in inputs {
        let at = infos
            .iter()
            .position(|info| info.name == name)
            .or_else(|| position(&name));
        let found = at.and_then(|at| infos.get(at).zip(places.get_mut(at)));
        let Some((info, place)) = found else {
            return Err(Refused::Argument("the model has no input of this name"));
        };
        if place.is_some() {
            return Err(Refused::Argument("an input is given twice"));
        }
        *place = Some(held.input(info)?);
    }
    let all: Option<Vec<_>> = places.into_iter().collect();
    all.ok_or(Refused::Argument("an input is missing"))
}

impl wasi_nn_tensor::Host for Frame<'_, '_> {
    fn new_tensor(
        &mut self,
        dimensions: Vec<u32>,
        ty: TensorType,
        data: &[u8],
    ) -> Result<Own<Tensor>, Exit> {
        self.keep(data.len())?;
        let ty = match ty {
            TensorType::Fp16 => GuestType::F16,
            TensorType::Fp32 => GuestType::F32,
            TensorType::Fp64 => GuestType::F64,
            TensorType::Bf16 => GuestType::Bf16,
            TensorType::U8 => GuestType::U8,
            TensorType::I32 => GuestType::I32,
            TensorType::I64 => GuestType::I64,
        };
        let data = data.to_vec();
        let held = Held {
            ty,
            dimensions,
            data,
        };
        Ok(Own::new(self.session().tensors.insert(held)?))
    }

    fn tensor_dimensions(&mut self, tensor: Borrow<Tensor>) -> Result<Vec<u32>, Exit> {
        Ok(self.tensor(tensor)?.dimensions.clone())
    }

    fn tensor_ty(&mut self, tensor: Borrow<Tensor>) -> Result<TensorType, Exit> {
        Ok(match self.tensor(tensor)?.ty {
            GuestType::F16 => TensorType::Fp16,
            GuestType::F32 => TensorType::Fp32,
            GuestType::F64 => TensorType::Fp64,
            GuestType::Bf16 => TensorType::Bf16,
            GuestType::U8 => TensorType::U8,
            GuestType::I32 => TensorType::I32,
            GuestType::I64 => TensorType::I64,
        })
    }

    fn tensor_data(&mut self, tensor: Borrow<Tensor>) -> Result<Vec<u8>, Exit> {
        Ok(self.tensor(tensor)?.data.clone())
    }

    fn drop_tensor(&mut self, tensor: Own<Tensor>) -> Result<(), Exit> {
        self.take_tensor(tensor).map(drop)
    }
}

impl wasi_nn_graph::Host for Frame<'_, '_> {
    fn graph_init_execution_context(
        &mut self,
        graph: Borrow<wasi_nn_graph::Graph>,
    ) -> Result<Result<Own<GraphExecutionContext>, OwnError>, Exit> {
        let session = self.session();
        let graph = session.graphs.get(graph.rep).cloned();
        let graph = graph.ok_or(Exit::Trap(TrapCode::BadHandle))?;
        Ok(Ok(Own::new(session.contexts.insert(graph)?)))
    }

    fn load(
        &mut self,
        builder: Vec<Vec<u8>>,
        encoding: GraphEncoding,
        _target: ExecutionTarget,
    ) -> Result<Result<Own<wasi_nn_graph::Graph>, OwnError>, Exit> {
        let found = match encoding {
            GraphEncoding::Onnx | GraphEncoding::Autodetect => self.graph_of(&builder)?,
            _ => Err(Refused::Encoding("only ONNX is served")),
        };
        self.new_graph(found)
    }

    fn load_by_name(
        &mut self,
        name: &str,
    ) -> Result<Result<Own<wasi_nn_graph::Graph>, OwnError>, Exit> {
        let found = self.graph_named(name)?;
        self.new_graph(found)
    }

    fn drop_graph(&mut self, graph: Own<wasi_nn_graph::Graph>) -> Result<(), Exit> {
        self.session().graphs.remove(graph.rep);
        Ok(())
    }
}

impl wasi_nn_inference::Host for Frame<'_, '_> {
    fn graph_execution_context_compute(
        &mut self,
        context: Borrow<GraphExecutionContext>,
        inputs: NamedTensors,
    ) -> Result<Result<NamedTensors, OwnError>, Exit> {
        let graph = self.session().contexts.get(context.rep).cloned();
        let graph = graph.ok_or(Exit::Trap(TrapCode::BadHandle))?;
        let mut held = Vec::with_capacity(inputs.len());
        for (name, tensor) in inputs {
            held.push((name, self.take_tensor(tensor)?));
        }
        let outputs = match self.compute_named(&graph, held)? {
            Ok(outputs) => outputs,
            Err(refused) => return Ok(Err(self.refuse(refused)?)),
        };
        let mut named = Vec::with_capacity(outputs.len());
        for (info, output) in graph.ready.model().outputs().iter().zip(outputs) {
            // The graph was refused if one of its types has no counterpart.
            let ty = GuestType::of(output.ty).ok_or(Exit::Trap(TrapCode::Unsupported))?;
            self.keep(output.data.len())?;
            let tensor = self.session().tensors.insert(Held {
                ty,
                dimensions: output.shape,
                data: output.data,
            })?;
            named.push((info.name.clone(), Own::new(tensor)));
        }
        Ok(Ok(named))
    }

    fn drop_graph_execution_context(
        &mut self,
        context: Own<GraphExecutionContext>,
    ) -> Result<(), Exit> {
        self.session().contexts.remove(context.rep);
        Ok(())
    }
}

impl wasi_nn_errors::Host for Frame<'_, '_> {
    fn error_code(&mut self, error: Borrow<errors::Error>) -> Result<ErrorCode, Exit> {
        match self.session().errors.get(error.rep) {
            Some(Refused::Argument(_)) => Ok(ErrorCode::InvalidArgument),
            Some(Refused::Encoding(_)) => Ok(ErrorCode::InvalidEncoding),
            Some(Refused::Unsupported(_)) => Ok(ErrorCode::UnsupportedOperation),
            Some(Refused::TooLarge(_)) => Ok(ErrorCode::TooLarge),
            Some(Refused::NotFound) => Ok(ErrorCode::NotFound),
            None => Err(TrapCode::BadHandle.into()),
        }
    }

    fn error_data(&mut self, error: Borrow<errors::Error>) -> Result<String, Exit> {
        let refused = self.session().errors.get(error.rep);
        let refused = refused.ok_or(Exit::Trap(TrapCode::BadHandle))?;
        Ok(refused.text().to_owned())
    }

    fn drop_error(&mut self, error: OwnError) -> Result<(), Exit> {
        self.session().errors.remove(error.rep);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::address_in;

    #[test]
    fn addresses_are_64_digits() {
        let digits = "00ff".repeat(16);
        let expected: Vec<u8> = [0x00, 0xff].repeat(16);
        assert_eq!(address_in(&digits).map(Vec::from), Some(expected.clone()));
        let named = format!("blake3:{}", digits.to_uppercase());
        assert_eq!(address_in(&named).map(Vec::from), Some(expected));
        for name in ["", "digits", "blake3:", &digits[1..], &format!("{digits}0")] {
            assert_eq!(address_in(name), None, "{name}");
        }
        assert_eq!(address_in(&format!("+{}", &digits[1..])), None);
        assert_eq!(address_in(&"é".repeat(32)), None);
    }
}
