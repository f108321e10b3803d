//! Quantised operators: ONNX's own, and those that onnxruntime's quantiser writes.

use super::contraction::{convolution, gemm_operand, product};
use super::normalise::along_axis;
use super::window::window;
use crate::array::Data;
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad, normalise};
use crate::op::{Binary, Op, Requantize, Unary};
use crate::tensor::ElementType;

type Value = Result<ValueId, NodeError>;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let id = match c.node.op_type {
        "QuantizeLinear" => {
            let (x, scale, zero) = (c.input(0)?, c.input(1)?, c.optional(2));
            quantize_linear(c, x, scale, zero)?
        }
        "DequantizeLinear" => {
            let (x, scale, zero) = (c.input(0)?, c.input(1)?, c.optional(2));
            dequantize_linear(c, x, scale, zero)?
        }
        "DynamicQuantizeLinear" => {
            let x = c.input(0)?;
            let name = c.name();
            return c.builder.emit(&name, Op::DynamicQuantize, &[Some(x)]);
        }
        "QLinearMatMul" => {
            let (a, b) = (c.input(0)?, c.input(3)?);
            let requantize = requantize(c, 1, 4, 6)?;
            let zeros = [c.optional(2), c.optional(5)];
            product(c, &Op::QMatMul(requantize), a, b, &zeros)?
        }
        "QLinearConv" => {
            let (x, w) = (c.input(0)?, c.input(3)?);
            let requantize = requantize(c, 1, 4, 6)?;
            let rest = [c.optional(2), c.optional(5), c.optional(8)];
            convolution(c, x, w, &rest, |shape| Op::QConv(shape, requantize))?
        }
        "QGemm" => {
            if c.float_or("alpha", 1.0)? != 1.0 {
                return Err(bad("alpha"));
            }
            let a = gemm_operand(c, 0, "transA")?;
            let b = gemm_operand(c, 3, "transB")?;
            let (a_zero, b_zero, bias) = (c.optional(2), c.optional(5), c.optional(6));
            if c.optional(7).is_some() {
                let requantize = requantize(c, 1, 4, 7)?;
                let inputs = [Some(a), Some(b), a_zero, b_zero, bias];
                c.emit_optional(Op::QMatMul(requantize), &inputs)?
            } else {
                let inputs = [Some(a), Some(b), a_zero, b_zero];
                let mut acc = c.emit_optional(Op::MatMulInteger, &inputs)?;
                if let Some(bias) = bias {
                    acc = c.binary(Binary::Add, acc, bias)?;
                }
                let y = c.emit(Op::Cast(ElementType::F32), &[acc])?;
                let (s, t) = (c.input(1)?, c.input(4)?);
                let scale = c.binary(Binary::Mul, s, t)?;
                c.binary(Binary::Mul, y, scale)?
            }
        }
        "QLinearAdd" => {
            let p = Params::read(c, 0, 6)?;
            let q = Params::read(c, 3, 6)?;
            let op = Op::QAdd {
                zeros: [p.x_zero, q.x_zero],
                scales: [p.x_scale / p.y_scale, q.x_scale / p.y_scale],
                zero: p.y_zero,
                ty: p.ty,
            };
            let (a, b) = (c.input(0)?, c.input(3)?);
            c.emit(op, &[a, b])?
        }
        "QLinearMul" => {
            let p = Params::read(c, 0, 6)?;
            let q = Params::read(c, 3, 6)?;
            let op = Op::QMul {
                zeros: [p.x_zero, q.x_zero],
                requantize: Requantize::contraction(
                    p.x_scale,
                    &[q.x_scale],
                    p.y_scale,
                    p.y_zero,
                    p.ty,
                ),
            };
            let (a, b) = (c.input(0)?, c.input(3)?);
            c.emit(op, &[a, b])?
        }
        "QLinearSigmoid" | "QLinearLeakyRelu" => {
            let p = Params::read(c, 0, 3)?;
            let x = c.input(0)?;
            let leaky = match c.node.op_type {
                "QLinearLeakyRelu" => Some(c.float_or("alpha", 0.01)?),
                _ => None,
            };
            p.table(c, x, leaky)?
        }
        "QLinearAveragePool" => {
            let p = Params::read(c, 0, 3)?;
            let x = c.input(0)?;
            if c.flag("channels_last")? {
                return Err(bad("channels_last"));
            }
            let (x, window, out) = window(c, x)?;
            let count_padding = c.flag("count_include_pad")?;
            let y = c.emit(p.average(window, count_padding), &[x])?;
            c.reshape(y, out)?
        }
        "QLinearGlobalAveragePool" => {
            let p = Params::read(c, 0, 3)?;
            let x = c.input(0)?;
            if c.flag("channels_last")? {
                return Err(bad("channels_last"));
            }
            let shape = c.shape(x);
            let window = whole_plane(&shape)?;
            let plane = [window.kernel[0], window.kernel[1]];
            let x = c.reshape(x, vec![shape[0], shape[1], plane[0], plane[1]])?;
            let y = c.emit(p.average(window, false), &[x])?;
            let mut out = vec![1; shape.len()];
            out[..2].copy_from_slice(&shape[..2]);
            c.reshape(y, out)?
        }
        "QLinearSoftmax" => {
            let p = Params::read(c, 0, 3)?;
            let (x, scale, zero) = (c.input(0)?, c.input(1)?, c.optional(2));
            let x = c.emit_optional(Op::Dequantize { axis: 0 }, &[Some(x), Some(scale), zero])?;
            // The operator set of the operator that was quantised.
            let opset = c.int("opset")?.ok_or_else(|| bad("opset"))?;
            let y = along_axis(c, x, opset, |c, x| c.emit(Op::Softmax, &[x]))?;
            let (scale, zero) = (c.input(3)?, c.optional(4));
            let op = Op::Quantize { axis: 0, ty: p.ty };
            c.emit_optional(op, &[Some(y), Some(scale), zero])?
        }
        "QLinearConcat" => concat(c)?,
        "Gelu" => {
            let x = c.input(0)?;
            let root = c.float_constant(std::f32::consts::SQRT_2);
            let (one, half) = (c.float_constant(1.0), c.float_constant(0.5));
            let y = c.binary(Binary::Div, x, root)?;
            let y = c.emit(Op::Unary(Unary::Erf), &[y])?;
            let y = c.binary(Binary::Add, y, one)?;
            let y = c.binary(Binary::Mul, y, half)?;
            c.binary(Binary::Mul, x, y)?
        }
        _ => return Err(NodeError::Operator),
    };
    Ok(vec![id])
}

/// The window that covers the whole plane of `[n, c, …]`.
pub(crate) fn whole_plane(shape: &[usize]) -> Result<crate::op::Window, NodeError> {
    let plane = match shape {
        [_, _, w] => [1, *w],
        [_, _, h, w] => [*h, *w],
        _ => return Err(NodeError::Shape("pooling has one or two spatial axes")),
    };
    Ok(crate::op::Window {
        kernel: plane,
        strides: [1, 1],
        dilations: [1, 1],
        pads: [0, 0],
        end_pads: [0, 0],
        output: [1, 1],
    })
}

/// The axis along which scales run, for operator sets that have one.
fn axis(c: &Context<'_, '_, '_>, x: ValueId) -> Result<usize, NodeError> {
    let rank = c.rank(x);
    let axis = c.int_or("axis", 1)?;
    // A scalar scale has no axis; then the default may point past a vector.
    match normalise(axis, rank) {
        Some(axis) => Ok(axis),
        None if rank <= 1 => Ok(0),
        None => Err(bad("axis")),
    }
}

/// A scale or zero point as it broadcasts to `x`: one for each index of the axis, or one for each block of it.
fn spread(c: &mut Context<'_, '_, '_>, v: ValueId, x: ValueId, axis: usize) -> Value {
    let (shape, to) = (c.shape(v), c.shape(x));
    let block = usize::try_from(c.int_or("block_size", 0)?).map_err(|_| bad("block_size"))?;
    if shape.len() <= 1 && block == 0 {
        let mut along = vec![1; to.len()];
        if let (Some(n), true) = (shape.first(), c.info(v).elements() != 1) {
            along[axis] = *n;
        }
        return c.reshape(v, along);
    }
    if block == 0 || shape.len() != to.len() || shape[axis] != to[axis].div_ceil(block) {
        return Err(bad("block_size"));
    }
    c.builder.may_make(to[axis] as u64)?;
    let index = (0..to[axis]).map(|i| (i / block) as i64).collect();
    let index = c.builder.keep(crate::Array {
        shape: vec![to[axis]],
        data: Data::I64(index),
    });
    c.emit(Op::Gather(axis), &[v, index])
}

fn quantize_linear(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
    scale: ValueId,
    zero: Option<ValueId>,
) -> Value {
    let axis = axis(c, x)?;
    let ty = match (zero, c.int("output_dtype")?) {
        (Some(zero), _) => c.ty(zero),
        (None, None | Some(0)) => ElementType::U8,
        (None, Some(_)) => c.element_type("output_dtype")?,
    };
    let blocked = c.int_or("block_size", 0)? != 0;
    if !blocked && (ty.is_8bit() || matches!(ty, ElementType::I16 | ElementType::U16)) {
        return c.emit_optional(Op::Quantize { axis, ty }, &[Some(x), Some(scale), zero]);
    }
    if !(ty.is_8bit() || matches!(ty, ElementType::F32 | ElementType::I16 | ElementType::U16)) {
        return Err(NodeError::ElementType { input: 2, ty });
    }
    // To a narrow float format, or with a scale for each block.
    let scale = spread(c, scale, x, axis)?;
    let y = c.binary(Binary::Div, x, scale)?;
    let one = c.float_constant(1.0);
    let zero = match zero {
        Some(zero) => Some(spread(c, zero, x, axis)?),
        None => None,
    };
    if ty != ElementType::F32 {
        let Some(zero) = zero else {
            return c.emit(Op::Quantize { axis: 0, ty }, &[y, one]);
        };
        // Rounded before the zero point is added, as always, then bounded by a quantisation of whole numbers.
        let y = c.emit(Op::Unary(Unary::Round), &[y])?;
        let zero = c.emit(Op::Cast(ElementType::F32), &[zero])?;
        let y = c.binary(Binary::Add, y, zero)?;
        return c.emit(Op::Quantize { axis: 0, ty }, &[y, one]);
    }
    match zero {
        Some(zero) => c.binary(Binary::Add, y, zero),
        None => Ok(y),
    }
}

fn dequantize_linear(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
    scale: ValueId,
    zero: Option<ValueId>,
) -> Value {
    let axis = axis(c, x)?;
    let blocked = c.int_or("block_size", 0)? != 0;
    if c.ty(x) != ElementType::F32 && !blocked {
        return c.emit_optional(Op::Dequantize { axis }, &[Some(x), Some(scale), zero]);
    }
    let scale = spread(c, scale, x, axis)?;
    let mut y = c.emit(Op::Cast(ElementType::F32), &[x])?;
    if let Some(zero) = zero {
        let zero = spread(c, zero, x, axis)?;
        let zero = c.emit(Op::Cast(ElementType::F32), &[zero])?;
        y = c.binary(Binary::Sub, y, zero)?;
    }
    c.binary(Binary::Mul, y, scale)
}

/// The requantisation of a contraction, from the positions of its scales; the result's zero point
/// follows its scale.
fn requantize(
    c: &Context<'_, '_, '_>,
    x: usize,
    w: usize,
    y: usize,
) -> Result<Requantize, NodeError> {
    let x_scale = c.constant_float(x)?.ok_or(NodeError::MissingInput(x))?;
    let w_scale = c.constant(w)?.ok_or(NodeError::MissingInput(w))?;
    let y_scale = c.constant_float(y)?.ok_or(NodeError::MissingInput(y))?;
    let (zero, ty) = zero_point(c, y + 1)?;
    let w_scale = w_scale
        .as_f32()
        .ok_or(NodeError::Value("scales are floats"))?;
    for scale in w_scale.iter().chain([&x_scale, &y_scale]) {
        if !scale.is_normal() || *scale < 0.0 {
            return Err(NodeError::Scale(*scale));
        }
    }
    Ok(Requantize::contraction(x_scale, w_scale, y_scale, zero, ty))
}

/// A constant scalar zero point and its type; `u8` 0 if absent.
fn zero_point(c: &Context<'_, '_, '_>, i: usize) -> Result<(i32, ElementType), NodeError> {
    let Some(zero) = c.constant(i)? else {
        return Ok((0, ElementType::U8));
    };
    match (zero.to_i64().as_deref(), zero.ty()) {
        (Some([z]), ty) if ty.is_8bit() => Ok((*z as i32, ty)),
        _ => Err(NodeError::Value("one 8-bit zero point is expected")),
    }
}

/// Scale and zero point of an operand and of the result.
struct Params {
    x_scale: f32,
    x_zero: i32,
    x_ty: ElementType,
    y_scale: f32,
    y_zero: i32,
    ty: ElementType,
}

impl Params {
    /// Operand `x` is followed by its scale and zero point; the result's are at `y` and after.
    fn read(c: &Context<'_, '_, '_>, x: usize, y: usize) -> Result<Self, NodeError> {
        let scale = |i: usize| {
            let s = c.constant_float(i)?.ok_or(NodeError::MissingInput(i))?;
            (s.is_normal() && s > 0.0)
                .then_some(s)
                .ok_or(NodeError::Scale(s))
        };
        let (y_zero, _) = zero_point(c, y + 1)?;
        let x_ty = c.ty(c.input(x)?);
        Ok(Params {
            x_scale: scale(x + 1)?,
            x_zero: zero_point(c, x + 2)?.0,
            x_ty,
            y_scale: scale(y)?,
            y_zero,
            ty: x_ty,
        })
    }

    fn average(&self, window: crate::op::Window, count_padding: bool) -> Op {
        Op::QAveragePool {
            window,
            count_padding,
            x_zero: self.x_zero,
            requantize: Requantize {
                scales: vec![self.x_scale / self.y_scale],
                zero: self.y_zero,
                ty: self.ty,
            },
        }
    }

    /// A function of 8 bits: sigmoid, or a leaky rectifier with this slope.
    fn table(&self, c: &mut Context<'_, '_, '_>, x: ValueId, leaky: Option<f32>) -> Value {
        let bits = c.builder.keep(all_bytes(self.x_ty));
        let constant = |c: &mut Context<'_, '_, '_>, v: i32, ty| {
            let byte = Data::from_le_bytes(ty, &[v as u8]);
            byte.map(|data| c.builder.scalar(data))
                .ok_or(NodeError::Value("not an 8-bit type"))
        };
        let x_zero = constant(c, self.x_zero, self.x_ty)?;
        let y_zero = constant(c, self.y_zero, self.ty)?;
        let (xs, ys) = (
            c.float_constant(self.x_scale),
            c.float_constant(self.y_scale),
        );
        let fold = c.builder.fold_dequantize;
        c.builder.fold_dequantize = true;
        let y = (|| {
            let y = c.emit(Op::Dequantize { axis: 0 }, &[bits, xs, x_zero])?;
            let y = match leaky {
                None => c.emit(Op::Unary(Unary::Sigmoid), &[y])?,
                Some(alpha) => {
                    let zero = c.float_constant(0.0);
                    let alpha = c.float_constant(alpha);
                    let scaled = c.binary(Binary::Mul, y, alpha)?;
                    let below = c.binary(Binary::Less, y, zero)?;
                    c.emit(Op::Where, &[below, scaled, y])?
                }
            };
            let op = Op::Quantize {
                axis: 0,
                ty: self.ty,
            };
            c.emit(op, &[y, ys, y_zero])
        })();
        c.builder.fold_dequantize = fold;
        let table = c
            .builder
            .constant(y?)
            .and_then(|a| <[u8; 256]>::try_from(a.data.to_le_bytes()).ok())
            .ok_or(NodeError::Limit("constants folded at load"))?;
        c.emit(Op::Table(Box::new(table), self.ty), &[x])
    }
}

/// The 256 elements of an 8-bit type, in order of their bits.
pub(crate) fn all_bytes(ty: ElementType) -> crate::Array {
    let bytes: Vec<u8> = (0..=255).collect();
    let data = match ty {
        ElementType::I8 => Data::I8(bytes.iter().map(|b| *b as i8).collect()),
        _ => Data::U8(bytes),
    };
    crate::Array {
        shape: vec![256],
        data,
    }
}

/// Inputs: the result's scale and zero point, then each part with its scale and zero point.
fn concat(c: &mut Context<'_, '_, '_>) -> Value {
    let axis_of = c.int("axis")?.ok_or_else(|| bad("axis"))?;
    let (y_scale, y_zero) = (c.input(0)?, c.input(1)?);
    let ty = c.ty(y_zero);
    let mut parts = Vec::new();
    for i in (2..c.inputs.len()).step_by(3) {
        let (x, scale, zero) = (c.input(i)?, c.input(i + 1)?, c.input(i + 2)?);
        // A quantisation of a dequantisation becomes a table when patterns are recognised.
        let x = c.emit(Op::Dequantize { axis: 0 }, &[x, scale, zero])?;
        parts.push(c.emit(Op::Quantize { axis: 0, ty }, &[x, y_scale, y_zero])?);
    }
    let first = *parts.first().ok_or(NodeError::MissingInput(2))?;
    let axis = normalise(axis_of, c.rank(first)).ok_or_else(|| bad("axis"))?;
    c.emit(Op::Concat(axis), &parts)
}
