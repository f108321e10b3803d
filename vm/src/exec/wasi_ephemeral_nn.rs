//! The import names of the crate `wasi-nn`: models and contexts by number, inputs one by one.

use aivm_abi::Exit;
use aivm_abi::host::wasi_ephemeral_nn::{
    Errno, ExecutionTarget, GraphEncoding, Host, Tensor, TensorType,
};

use super::frame::Frame;
use super::session::{Context, Graph, GuestType, Held, Refused};

type Answer<T> = Result<Result<T, Errno>, Exit>;

impl From<Refused> for Errno {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Argument(_) => Self::InvalidArgument,
            Refused::Encoding(_) => Self::InvalidEncoding,
            Refused::Unsupported(_) => Self::UnsupportedOperation,
            Refused::TooLarge(_) => Self::TooLarge,
            Refused::NotFound => Self::NotFound,
        }
    }
}

fn held(tensor: Tensor) -> Held {
    Held {
        ty: match tensor.ty {
            TensorType::F16 => GuestType::F16,
            TensorType::F32 => GuestType::F32,
            TensorType::F64 => GuestType::F64,
            TensorType::U8 => GuestType::U8,
            TensorType::I32 => GuestType::I32,
            TensorType::I64 => GuestType::I64,
        },
        dimensions: tensor.dimensions,
        data: tensor.data,
    }
}

impl Frame<'_, '_> {
    fn plain_graph(&mut self, found: Result<Graph, Refused>) -> Answer<u32> {
        match found {
            Ok(graph) => self.session().plain_graphs.insert(graph).map(Ok),
            Err(refused) => Ok(Err(refused.into())),
        }
    }
}

impl Host for Frame<'_, '_> {
    fn load(
        &mut self,
        builder: Vec<Vec<u8>>,
        encoding: GraphEncoding,
        _target: ExecutionTarget,
    ) -> Answer<u32> {
        let found = match encoding {
            GraphEncoding::Onnx | GraphEncoding::Autodetect => self.graph_of(&builder)?,
            _ => return Ok(Err(Errno::InvalidEncoding)),
        };
        self.plain_graph(found)
    }

    fn load_by_name(&mut self, name: &str) -> Answer<u32> {
        let found = self.graph_named(name)?;
        self.plain_graph(found)
    }

    fn init_execution_context(&mut self, graph: u32) -> Answer<u32> {
        let session = self.session();
        let Some(graph) = session.plain_graphs.get(graph).cloned() else {
            return Ok(Err(Errno::InvalidArgument));
        };
        let inputs = graph.ready.model().inputs().iter().map(|_| None).collect();
        let context = Context {
            graph,
            inputs,
            outputs: None,
        };
        session.plain_contexts.insert(context).map(Ok)
    }

    fn set_input(&mut self, context: u32, index: u32, tensor: Tensor) -> Answer<()> {
        self.keep(tensor.data.len())?;
        let bytes = tensor.data.len();
        let session = self.session();
        let index = index as usize;
        let place = session.plain_contexts.get_mut(context).and_then(|context| {
            let info = context.graph.ready.model().inputs().get(index)?;
            Some((info, context.inputs.get_mut(index)?))
        });
        // Of the new and the old tensor one is kept.
        let (released, answer) = match place {
            None => (bytes, Err(Errno::InvalidArgument)),
            Some((info, place)) => match held(tensor).input(info) {
                Ok(input) => (place.replace(input).map_or(0, |old| old.data.len()), Ok(())),
                Err(refused) => (bytes, Err(refused.into())),
            },
        };
        session.release(released);
        Ok(answer)
    }

    fn compute(&mut self, context: u32) -> Answer<()> {
        let Some(found) = self.session().plain_contexts.get(context) else {
            return Ok(Err(Errno::InvalidArgument));
        };
        // Nothing is copied before it is paid for.
        if found.inputs.iter().any(Option::is_none) {
            return Ok(Err(Errno::InvalidArgument));
        }
        let graph = found.graph.clone();
        self.pay(graph.hash, &graph.ready)?;
        let found = self.session().plain_contexts.get(context);
        let inputs = found.map(|found| found.inputs.iter().flatten().cloned().collect::<Vec<_>>());
        let inputs = inputs.unwrap_or_default();
        let outputs = match self.run_paid(&graph.ready, &inputs)? {
            Ok(outputs) => outputs,
            Err(error) => return Ok(Err(Refused::from(error).into())),
        };
        self.keep(outputs.iter().map(|output| output.data.len()).sum())?;
        let session = self.session();
        let context = session.plain_contexts.get_mut(context);
        let before = context.and_then(|context| context.outputs.replace(outputs));
        let before = before.iter().flatten().map(|output| output.data.len());
        session.release(before.sum());
        Ok(Ok(()))
    }

    fn get_output(&mut self, context: u32, index: u32, capacity: u32) -> Answer<Vec<u8>> {
        let Some(context) = self.session().plain_contexts.get(context) else {
            return Ok(Err(Errno::InvalidArgument));
        };
        let Some(outputs) = &context.outputs else {
            return Ok(Err(Errno::RuntimeError));
        };
        Ok(match outputs.get(index as usize) {
            None => Err(Errno::InvalidArgument),
            Some(output) if output.data.len() > capacity as usize => Err(Errno::TooLarge),
            Some(output) => Ok(output.data.clone()),
        })
    }
}
