//! `wasi:nn` and the import names of the crate `wasi-nn`.

use aivm_abi::canonical::{Borrow, Own};
use aivm_abi::host::wasi_ephemeral_nn::{self as old, Errno};
use aivm_abi::host::wasi_nn_errors::{self as errors, ErrorCode};
use aivm_abi::host::wasi_nn_graph::{self as graph, ExecutionTarget, Graph as GraphKind};
use aivm_abi::host::wasi_nn_inference::{self as inference, GraphExecutionContext};
use aivm_abi::host::wasi_nn_tensor::{self as tensor, Tensor, TensorType};
use aivm_abi::{Exit, TrapCode};

use super::foreign::{Bench, Graph, Loose, Refusal, arranged, fitted, name_of, refusal};
use super::frame::Frame;

type Failed = Own<errors::Error>;
type Named = Vec<(String, Own<Tensor>)>;

/// Types as `wasi:nn` has them, by the name that models' types cross as.
const TYPES: [(TensorType, &str); 7] = [
    (TensorType::Fp16, "f16"),
    (TensorType::Fp32, "f32"),
    (TensorType::Fp64, "f64"),
    (TensorType::Bf16, "bf16"),
    (TensorType::U8, "u8"),
    (TensorType::I32, "i32"),
    (TensorType::I64, "i64"),
];

fn type_name(ty: TensorType) -> &'static str {
    let found = TYPES.iter().find(|(own, _)| *own == ty);
    found.map_or("", |(_, name)| name)
}

fn old_type_name(ty: old::TensorType) -> &'static str {
    match ty {
        old::TensorType::F16 => "f16",
        old::TensorType::F32 => "f32",
        old::TensorType::F64 => "f64",
        old::TensorType::U8 => "u8",
        old::TensorType::I32 => "i32",
        old::TensorType::I64 => "i64",
    }
}

impl Frame {
    fn failed(&mut self, refused: Refusal) -> Result<Failed, Exit> {
        Ok(Own::new(self.foreign.errors.add(refused)?))
    }

    fn loaded(
        &mut self,
        found: Result<Graph, Refusal>,
    ) -> Result<Result<Own<GraphKind>, Failed>, Exit> {
        Ok(match found {
            Ok(graph) => Ok(Own::new(self.foreign.graphs.add(graph)?)),
            Err(refused) => Err(self.failed(refused)?),
        })
    }

    fn compute(
        &mut self,
        graph: &Graph,
        named: Vec<(String, Loose)>,
    ) -> Result<Result<Vec<aivm_nn::Tensor>, Refusal>, Exit> {
        match arranged(&graph.model, named) {
            Err(refused) => Ok(Err(refused)),
            Ok(inputs) => {
                let outputs = self.run_model(graph.hash, &graph.model, &inputs)?;
                Ok(outputs.map_err(refusal))
            }
        }
    }
}

impl tensor::Host for Frame {
    fn new_tensor(
        &mut self,
        dimensions: Vec<u32>,
        ty: TensorType,
        data: &[u8],
    ) -> Result<Own<Tensor>, Exit> {
        self.room(data.len() as u64)?;
        let tensor = Loose {
            ty: type_name(ty),
            dimensions,
            data: data.to_vec(),
        };
        Ok(Own::new(self.foreign.tensors.add(tensor)?))
    }

    fn tensor_dimensions(&mut self, tensor: Borrow<Tensor>) -> Result<Vec<u32>, Exit> {
        Ok(self.foreign.tensors.known(tensor.rep)?.dimensions.clone())
    }

    fn tensor_ty(&mut self, tensor: Borrow<Tensor>) -> Result<TensorType, Exit> {
        let ty = self.foreign.tensors.known(tensor.rep)?.ty;
        let found = TYPES.iter().find(|(_, name)| *name == ty);
        found.map_or(Err(TrapCode::Unsupported.into()), |(own, _)| Ok(*own))
    }

    fn tensor_data(&mut self, tensor: Borrow<Tensor>) -> Result<Vec<u8>, Exit> {
        Ok(self.foreign.tensors.known(tensor.rep)?.data.clone())
    }

    fn drop_tensor(&mut self, tensor: Own<Tensor>) -> Result<(), Exit> {
        self.foreign.tensors.take(tensor.rep);
        Ok(())
    }
}

impl graph::Host for Frame {
    fn graph_init_execution_context(
        &mut self,
        graph: Borrow<GraphKind>,
    ) -> Result<Result<Own<GraphExecutionContext>, Failed>, Exit> {
        let graph = self.foreign.graphs.known(graph.rep)?.clone();
        Ok(Ok(Own::new(self.foreign.contexts.add(graph)?)))
    }

    fn load(
        &mut self,
        builder: Vec<Vec<u8>>,
        encoding: graph::GraphEncoding,
        _: ExecutionTarget,
    ) -> Result<Result<Own<GraphKind>, Failed>, Exit> {
        let found = self.by_bytes(encoding.name(), &builder)?;
        self.loaded(found)
    }

    fn load_by_name(&mut self, name: &str) -> Result<Result<Own<GraphKind>, Failed>, Exit> {
        let found = self.by_name(name);
        self.loaded(found)
    }

    fn drop_graph(&mut self, graph: Own<GraphKind>) -> Result<(), Exit> {
        self.foreign.graphs.take(graph.rep);
        Ok(())
    }
}

impl inference::Host for Frame {
    fn graph_execution_context_compute(
        &mut self,
        context: Borrow<GraphExecutionContext>,
        inputs: Named,
    ) -> Result<Result<Named, Failed>, Exit> {
        let graph = self.foreign.contexts.known(context.rep)?.clone();
        let mut named = Vec::new();
        for (name, tensor) in inputs {
            let tensor = self.foreign.tensors.take(tensor.rep);
            named.push((name, tensor.ok_or(TrapCode::BadHandle)?));
        }
        let outputs = match self.compute(&graph, named)? {
            Ok(outputs) => outputs,
            Err(refused) => return Ok(Err(self.failed(refused)?)),
        };
        let mut named = Named::new();
        for (info, output) in graph.model.outputs().iter().zip(outputs) {
            self.room(output.data.len() as u64)?;
            let tensor = Loose {
                ty: name_of(output.ty)?,
                dimensions: output.shape,
                data: output.data,
            };
            let tensor = Own::new(self.foreign.tensors.add(tensor)?);
            named.push((info.name.clone(), tensor));
        }
        Ok(Ok(named))
    }

    fn drop_graph_execution_context(
        &mut self,
        context: Own<GraphExecutionContext>,
    ) -> Result<(), Exit> {
        self.foreign.contexts.take(context.rep);
        Ok(())
    }
}

impl errors::Host for Frame {
    fn error_code(&mut self, error: Borrow<errors::Error>) -> Result<ErrorCode, Exit> {
        Ok(self.foreign.errors.known(error.rep)?.0)
    }

    fn error_data(&mut self, error: Borrow<errors::Error>) -> Result<String, Exit> {
        Ok(self.foreign.errors.known(error.rep)?.1.to_owned())
    }

    fn drop_error(&mut self, error: Failed) -> Result<(), Exit> {
        self.foreign.errors.take(error.rep);
        Ok(())
    }
}

type Answer<T> = Result<Result<T, Errno>, Exit>;

/// The error number whose name is that of a kind of refusal.
fn number((kind, _): Refusal) -> Errno {
    let same = |errno: &&Errno| errno.name() == kind.name();
    let found = Errno::ALL.iter().find(same);
    found.copied().unwrap_or(Errno::RuntimeError)
}

impl Frame {
    fn old_graph(&mut self, found: Result<Graph, Refusal>) -> Answer<u32> {
        match found {
            Ok(graph) => self.foreign.old_graphs.add(graph).map(Ok),
            Err(refused) => Ok(Err(number(refused))),
        }
    }
}

impl old::Host for Frame {
    fn load(
        &mut self,
        builder: Vec<Vec<u8>>,
        encoding: old::GraphEncoding,
        _: old::ExecutionTarget,
    ) -> Answer<u32> {
        let found = self.by_bytes(encoding.name(), &builder)?;
        self.old_graph(found)
    }

    fn load_by_name(&mut self, name: &str) -> Answer<u32> {
        let found = self.by_name(name);
        self.old_graph(found)
    }

    fn init_execution_context(&mut self, graph: u32) -> Answer<u32> {
        let Some(graph) = self.foreign.old_graphs.get(graph).cloned() else {
            return Ok(Err(Errno::InvalidArgument));
        };
        let bench = Bench {
            graph,
            inputs: Default::default(),
            outputs: None,
        };
        self.foreign.benches.add(bench).map(Ok)
    }

    fn set_input(&mut self, context: u32, index: u32, tensor: old::Tensor) -> Answer<()> {
        // The new tensor is there before an old one in its place is gone.
        self.room(tensor.data.len() as u64)?;
        let index = index as usize;
        let Some(bench) = self.foreign.benches.get_mut(context) else {
            return Ok(Err(Errno::InvalidArgument));
        };
        let Some(info) = bench.graph.model.inputs().get(index) else {
            return Ok(Err(Errno::InvalidArgument));
        };
        let tensor = Loose {
            ty: old_type_name(tensor.ty),
            dimensions: tensor.dimensions,
            data: tensor.data,
        };
        Ok(match fitted(tensor, info) {
            Ok(input) => {
                bench.inputs.insert(index, input);
                Ok(())
            }
            Err(refused) => Err(number(refused)),
        })
    }

    fn compute(&mut self, context: u32) -> Answer<()> {
        let Some(bench) = self.foreign.benches.get(context) else {
            return Ok(Err(Errno::InvalidArgument));
        };
        let graph = bench.graph.clone();
        let inputs: Vec<_> = bench.inputs.values().cloned().collect();
        if inputs.len() != graph.model.inputs().len() {
            return Ok(Err(Errno::InvalidArgument));
        }
        let outputs = match self.run_model(graph.hash, &graph.model, &inputs)? {
            Ok(outputs) => outputs,
            Err(error) => return Ok(Err(number(refusal(error)))),
        };
        let bytes = outputs.iter().map(|output| output.data.len() as u64);
        self.room(bytes.sum())?;
        if let Some(bench) = self.foreign.benches.get_mut(context) {
            bench.outputs = Some(outputs);
        }
        Ok(Ok(()))
    }

    fn get_output(&mut self, context: u32, index: u32, capacity: u32) -> Answer<Vec<u8>> {
        let Some(bench) = self.foreign.benches.get(context) else {
            return Ok(Err(Errno::InvalidArgument));
        };
        let Some(outputs) = &bench.outputs else {
            return Ok(Err(Errno::RuntimeError));
        };
        let Some(output) = outputs.get(index as usize) else {
            return Ok(Err(Errno::InvalidArgument));
        };
        Ok(match output.data.len() <= capacity as usize {
            true => Ok(output.data.clone()),
            false => Err(Errno::TooLarge),
        })
    }
}
