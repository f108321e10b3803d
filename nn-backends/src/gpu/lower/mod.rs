//! From an operation of the graph to kernels with their parameters.

mod contraction;
mod elementwise;
mod movement;
mod window;

use super::shader::Shader;
use crate::array::Array;
use crate::graph::{Graph, Info, Node, ValueId};
use crate::op::Op;
use crate::placement::CpuReason;
use crate::tensor::ElementType;

/// What a kernel reads.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Value(ValueId),
    /// Words laid out for the kernel, the same for every instance.
    Words(Vec<u32>),
    /// What an earlier kernel of the same operation left.
    Scratch(usize),
}

/// What a kernel writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Value(ValueId),
    /// Words of an instance.
    Scratch(usize, u32),
}

/// How many invocations a kernel needs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grid {
    /// For each instance.
    Words(u32),
    Product {
        rows: u32,
        columns: u32,
        slices: u32,
        /// Rows of all instances together.
        merged: bool,
    },
}

/// One use of a kernel.
#[derive(Clone, Debug)]
pub(super) struct Dispatch {
    pub shader: Shader,
    /// Used instead where a product has few rows or columns.
    pub direct: Option<Shader>,
    pub sources: Vec<Source>,
    pub target: Target,
    pub params: Vec<u32>,
    pub grid: Grid,
}

/// How an operation runs on the device.
#[derive(Clone, Debug)]
pub(super) enum Lowered {
    /// The result is the operand in another shape.
    Alias,
    Kernels(Vec<Dispatch>),
}

/// A node with its graph.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub graph: &'a Graph,
    pub node: &'a Node,
    pub index: usize,
    pub native_dot: bool,
}

/// Elements of one tensor that kernels address; with instances, a buffer has at most 2³¹ bytes.
const MOST_ELEMENTS: u64 = 1 << 28;

/// 4-byte words that a tensor takes on the device: its bytes, as the host has them.
pub(super) fn words(info: &Info) -> u32 {
    info.bytes().div_ceil(4) as u32
}

pub(super) fn small(n: usize) -> Result<u32, CpuReason> {
    u32::try_from(n).map_err(|_| CpuReason::TooLarge)
}

impl<'a> Context<'a> {
    pub fn optional(&self, i: usize) -> Option<ValueId> {
        self.node.inputs.get(i).copied().flatten()
    }

    pub fn input(&self, i: usize) -> Result<ValueId, CpuReason> {
        self.optional(i).ok_or(CpuReason::NoKernel)
    }

    pub fn info(&self, i: usize) -> Result<&'a Info, CpuReason> {
        Ok(self.graph.info(self.input(i)?))
    }

    pub fn result(&self) -> Result<(ValueId, &'a Info), CpuReason> {
        let id = *self.node.outputs.first().ok_or(CpuReason::NoKernel)?;
        Ok((id, self.graph.info(id)))
    }

    /// The operand's array, or `None` if it has no such operand.
    pub fn constant(&self, i: usize) -> Result<Option<&'a Array>, CpuReason> {
        match self.optional(i) {
            None => Ok(None),
            Some(id) => match self.graph.constant(id) {
                Some(array) => Ok(Some(array)),
                None => Err(CpuReason::Parameter),
            },
        }
    }

    /// Words from one instance to the next.
    pub fn stride(&self, id: ValueId) -> u32 {
        if self.graph.constant(id).is_some() {
            0
        } else {
            words(self.graph.info(id))
        }
    }

    /// A kernel for each word of the result.
    pub fn elements(
        &self,
        shader: Shader,
        sources: Vec<Source>,
        params: Vec<u32>,
    ) -> Result<Dispatch, CpuReason> {
        let (id, info) = self.result()?;
        Ok(Dispatch {
            shader,
            direct: None,
            sources,
            target: Target::Value(id),
            params,
            grid: Grid::Words(words(info)),
        })
    }
}

/// Element types that kernels compute with, as 32-bit signed integers.
pub(super) fn narrow(ty: ElementType) -> Result<(), CpuReason> {
    use ElementType as T;
    match ty {
        T::U8 | T::I8 | T::Bool | T::U16 | T::I16 | T::I32 => Ok(()),
        T::F32 | T::F64 => Err(CpuReason::StrictFloat),
        _ => Err(CpuReason::Wide),
    }
}

/// As [`narrow`], of numbers.
pub(super) fn number(ty: ElementType) -> Result<(), CpuReason> {
    match ty {
        ElementType::Bool => Err(CpuReason::NoKernel),
        _ => narrow(ty),
    }
}

/// The kernels of a node, or why it has none.
pub(super) fn lower(c: &Context<'_>) -> Result<Lowered, CpuReason> {
    let ids = c.node.inputs.iter().flatten().chain(&c.node.outputs);
    for id in ids {
        let info = c.graph.info(*id);
        if matches!(info.ty, ElementType::F32 | ElementType::F64) {
            return Err(CpuReason::StrictFloat);
        }
        if info.elements() == 0 {
            return Err(CpuReason::Empty);
        }
        if info.elements() > MOST_ELEMENTS || info.bytes() > MOST_ELEMENTS {
            return Err(CpuReason::TooLarge);
        }
    }
    let one = |dispatch: Dispatch| Ok(Lowered::Kernels(vec![dispatch]));
    match &c.node.op {
        Op::Reshape(_) if c.graph.constant(c.input(0)?).is_some() => Err(CpuReason::NoKernel),
        Op::Reshape(_) => Ok(Lowered::Alias),
        Op::Transpose(perm) => one(movement::transpose(c, perm)?),
        Op::Expand(_) => one(movement::expand(c)?),
        Op::Slice(axes) => one(movement::slice(c, axes)?),
        Op::Pad(pads, mode) => one(movement::pad(c, pads, *mode)?),
        Op::Concat(axis) => movement::concat(c, *axis).map(Lowered::Kernels),
        Op::Gather(axis) => one(movement::gather(c, *axis)?),
        Op::Cast(ty) => one(elementwise::cast(c, *ty)?),
        Op::Where => one(elementwise::select(c)?),
        Op::Unary(f) => one(elementwise::unary(c, *f)?),
        Op::Binary(f) => one(elementwise::binary(c, *f)?),
        Op::Table(table, _) => one(elementwise::table(c, table)?),
        Op::QAdd {
            zeros,
            scales,
            zero,
            ty,
        } => one(elementwise::add(c, *zeros, *scales, (*zero, *ty))?),
        Op::QMul { zeros, requantize } => one(elementwise::multiply(c, *zeros, requantize)?),
        Op::Reduce(kind, axes) => one(window::reduce(c, *kind, axes)?),
        Op::ArgReduce { max, axis, last } => one(window::arg_reduce(c, *max, *axis, *last)?),
        Op::Pool {
            average: false,
            window,
            ..
        } => one(window::max_pool(c, window)?),
        Op::QAveragePool {
            window,
            count_padding,
            x_zero,
            requantize,
        } => one(window::average_pool(
            c,
            window,
            *count_padding,
            *x_zero,
            requantize,
        )?),
        Op::MatMulInteger => contraction::product(c, None).map(Lowered::Kernels),
        Op::QMatMul(requantize) => contraction::product(c, Some(requantize)).map(Lowered::Kernels),
        Op::ConvInteger(shape) => contraction::convolution(c, shape, None).map(Lowered::Kernels),
        Op::QConv(shape, requantize) => {
            contraction::convolution(c, shape, Some(requantize)).map(Lowered::Kernels)
        }
        _ => Err(CpuReason::NoKernel),
    }
}
