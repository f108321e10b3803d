//! Operations on single elements, in the reference's arithmetic but many at a time.

use crate::array::{Array, Data};
use crate::error::RunError;
use crate::graph::Info;
use crate::kernels::pointwise::{Rows, map, select, zip};
use crate::kernels::strict::{self, canonical};
use crate::kernels::{ByteType, Isa, binary, lut, quantize};
use crate::op::{Binary, Op, Unary};
use crate::reference::contraction::{bytes, part};
use crate::reference::quantize::{byte_type, dynamic_parameters_of};
use crate::reference::{self, OPERANDS, Operands};
use crate::tensor::ElementType;

/// The result of `op`; none where the reference is as good.
pub(super) fn run(
    isa: Isa,
    op: &Op,
    x: Operands<'_>,
    result: &Info,
) -> Result<Option<Data>, RunError> {
    match op {
        Op::Unary(f) if result.ty == ElementType::F32 => unary(isa, *f, x.f32(0)?).map(Some),
        Op::Binary(f) => binary(isa, *f, x.get(0)?, x.get(1)?, result),
        Op::Where => choose(isa, x, result),
        Op::Cast(ty) => Ok(cast(isa, x.get(0)?, *ty)),
        Op::Table(table, ty) => {
            let bits = bytes(x.get(0)?)?.bits();
            let mut out = vec![0; bits.len()];
            lut::lookup(isa, table, bits, &mut out).map_err(super::kernel)?;
            Ok(Data::from_le_bytes(*ty, &out))
        }
        Op::QAdd {
            zeros,
            scales,
            zero,
            ty,
        } => {
            match binary::Binary::add(*scales, *zeros, *zero, byte_type(*ty)?) {
                Ok(kernel) => bytewise(isa, &kernel, x, result),
                // Scales further apart than the kernel's arithmetic reaches.
                Err(_) => Ok(None),
            }
        }
        Op::QMul { zeros, requantize } => {
            let scale = requantize.scales.first().ok_or(OPERANDS)?;
            let ty = byte_type(requantize.ty)?;
            match binary::Binary::mul(*scale, *zeros, requantize.zero, ty) {
                Ok(kernel) => bytewise(isa, &kernel, x, result),
                Err(_) => Ok(None),
            }
        }
        Op::Quantize { ty, .. } if ty.is_8bit() => quantized(isa, x, *ty),
        Op::Dequantize { .. } => dequantized(isa, x),
        _ => Ok(None),
    }
}

fn unary(isa: Isa, f: Unary, x: &[f32]) -> Result<Data, RunError> {
    // Each function by its name, so that the loop over it is compiled for it.
    Ok(Data::F32(match f {
        Unary::Neg => map(isa, x, |x| canonical(-x)),
        Unary::Abs => map(isa, x, |x: f32| canonical(x.abs())),
        Unary::Sqrt => map(isa, x, |x: f32| canonical(x.sqrt())),
        Unary::Reciprocal => map(isa, x, |x| canonical(1.0 / x)),
        Unary::Floor => map(isa, x, |x: f32| canonical(x.floor())),
        Unary::Ceil => map(isa, x, |x: f32| canonical(x.ceil())),
        Unary::Round => map(isa, x, |x: f32| canonical(x.round_ties_even())),
        Unary::Exp => map(isa, x, |x| canonical(strict::exp(x))),
        Unary::Log => map(isa, x, |x| canonical(strict::log(x))),
        Unary::Erf => map(isa, x, |x| canonical(strict::erf(x))),
        Unary::Tanh => map(isa, x, |x| canonical(strict::tanh(x))),
        Unary::Sigmoid => map(isa, x, |x| canonical(strict::sigmoid(x))),
        other => {
            let f = reference::unary_f32(other).ok_or(OPERANDS)?;
            map(isa, x, |x| canonical(f(x)))
        }
    }))
}

fn binary(
    isa: Isa,
    f: Binary,
    a: &Array,
    b: &Array,
    result: &Info,
) -> Result<Option<Data>, RunError> {
    let Some(rows) = Rows::new(&result.shape, [&a.shape, &b.shape]) else {
        return Err(OPERANDS);
    };
    macro_rules! compare {
        ($a:expr, $b:expr) => {
            match f {
                Binary::Equal => zip(isa, &rows, $a, $b, |a, b| a == b),
                Binary::Less => zip(isa, &rows, $a, $b, |a, b| a < b),
                Binary::LessOrEqual => zip(isa, &rows, $a, $b, |a, b| a <= b),
                Binary::Greater => zip(isa, &rows, $a, $b, |a, b| a > b),
                Binary::GreaterOrEqual => zip(isa, &rows, $a, $b, |a, b| a >= b),
                _ => return Ok(None),
            }
            .map(Data::Bool)
        };
    }
    macro_rules! integers {
        ($variant:ident, $t:ty, $a:expr, $b:expr) => {
            match f {
                Binary::Add => zip(isa, &rows, $a, $b, <$t>::wrapping_add),
                Binary::Sub => zip(isa, &rows, $a, $b, <$t>::wrapping_sub),
                Binary::Mul => zip(isa, &rows, $a, $b, <$t>::wrapping_mul),
                Binary::Min => zip(isa, &rows, $a, $b, |a: $t, b: $t| a.min(b)),
                Binary::Max => zip(isa, &rows, $a, $b, |a: $t, b: $t| a.max(b)),
                // The others are rare.
                _ => return Ok(None),
            }
            .map(Data::$variant)
        };
    }
    let data = match (&a.data, &b.data) {
        (Data::F32(a), Data::F32(b)) if f.compares() => compare!(a, b),
        (Data::I64(a), Data::I64(b)) if f.compares() => compare!(a, b),
        (Data::I32(a), Data::I32(b)) if f.compares() => compare!(a, b),
        (Data::U8(a), Data::U8(b)) if f.compares() => compare!(a, b),
        (Data::I8(a), Data::I8(b)) if f.compares() => compare!(a, b),
        (Data::F32(a), Data::F32(b)) => match f {
            Binary::Add => zip(isa, &rows, a, b, |a, b| canonical(a + b)),
            Binary::Sub => zip(isa, &rows, a, b, |a, b| canonical(a - b)),
            Binary::Mul => zip(isa, &rows, a, b, |a, b| canonical(a * b)),
            Binary::Div => zip(isa, &rows, a, b, |a, b| canonical(a / b)),
            Binary::Min => zip(isa, &rows, a, b, |a, b| canonical(reference::min_f32(a, b))),
            Binary::Max => zip(isa, &rows, a, b, |a, b| canonical(reference::max_f32(a, b))),
            _ => return Ok(None),
        }
        .map(Data::F32),
        (Data::U8(a), Data::U8(b)) => integers!(U8, u8, a, b),
        (Data::I8(a), Data::I8(b)) => integers!(I8, i8, a, b),
        (Data::I32(a), Data::I32(b)) => integers!(I32, i32, a, b),
        (Data::I64(a), Data::I64(b)) => integers!(I64, i64, a, b),
        _ => return Ok(None),
    };
    data.map(Some).ok_or(OPERANDS)
}

fn choose(isa: Isa, x: Operands<'_>, result: &Info) -> Result<Option<Data>, RunError> {
    let (condition, a, b) = (x.get(0)?, x.get(1)?, x.get(2)?);
    let Data::Bool(c) = &condition.data else {
        return Err(OPERANDS);
    };
    let rows = Rows::new(&result.shape, [&condition.shape, &a.shape, &b.shape]).ok_or(OPERANDS)?;
    macro_rules! of {
        ($($ty:ident)*) => {
            match (&a.data, &b.data) {
                $((Data::$ty(a), Data::$ty(b)) => select(isa, &rows, c, a, b).map(Data::$ty),)*
                _ => None,
            }
        };
    }
    let data = of!(U8 I8 U16 I16 U32 I32 U64 I64 F32 F64 Bool);
    data.map(Some).ok_or(OPERANDS)
}

/// The conversions that models do on large tensors; the reference has all of them.
fn cast(isa: Isa, x: &Array, ty: ElementType) -> Option<Data> {
    if ty != ElementType::F32 {
        return None;
    }
    Some(Data::F32(match &x.data {
        Data::Bool(v) => map(isa, v, |x| f32::from(u8::from(x))),
        Data::U8(v) => map(isa, v, f32::from),
        Data::I8(v) => map(isa, v, f32::from),
        Data::I32(v) => map(isa, v, |x| x as f32),
        _ => return None,
    }))
}

/// A sum or product of 8-bit tensors, row by row.
fn bytewise(
    isa: Isa,
    kernel: &binary::Binary,
    x: Operands<'_>,
    result: &Info,
) -> Result<Option<Data>, RunError> {
    let (a, b) = (x.get(0)?, x.get(1)?);
    let rows = Rows::new(&result.shape, [&a.shape, &b.shape]).ok_or(OPERANDS)?;
    let len = rows.row_len();
    if rows.total() / len.max(1) > 1 && len < 8 {
        return Ok(None);
    }
    let ends = [0, 1].map(|i| if rows.along(i) { len } else { 1 });
    let mut out = vec![0; rows.total()];
    let mut places = out.chunks_exact_mut(len.max(1));
    let mut outcome = Ok(());
    rows.each(|[i, j]| {
        let (Some(out), Ok(())) = (places.next(), &outcome) else {
            return;
        };
        outcome = part(a, i..i + ends[0])
            .and_then(|a| Ok((a, part(b, j..j + ends[1])?)))
            .and_then(|(a, b)| kernel.run(isa, a, b, out).map_err(super::kernel));
    });
    outcome?;
    Ok(Data::from_le_bytes(result.ty, &out))
}

/// The scale and zero point of a whole tensor.
fn parameters(x: Operands<'_>) -> Result<Option<(f32, i32)>, RunError> {
    let zeros = reference::contraction::zero_points(x.optional(2))?;
    Ok(match (x.f32(1)?, &zeros[..]) {
        ([scale], [zero]) if scale.is_finite() && *scale > 0.0 => Some((*scale, *zero)),
        _ => None,
    })
}

fn quantized(isa: Isa, x: Operands<'_>, ty: ElementType) -> Result<Option<Data>, RunError> {
    let (Some(numbers), Some((scale, zero))) = (x.get(0)?.as_f32(), parameters(x)?) else {
        return Ok(None);
    };
    let mut out = vec![0; numbers.len()];
    quantize::quantize(isa, numbers, scale, zero, byte_type(ty)?, &mut out)
        .map_err(super::kernel)?;
    Ok(Data::from_le_bytes(ty, &out))
}

fn dequantized(isa: Isa, x: Operands<'_>) -> Result<Option<Data>, RunError> {
    let Some((scale, zero)) = parameters(x)? else {
        return Ok(None);
    };
    Ok(Some(Data::F32(match &x.get(0)?.data {
        Data::U8(v) => map(isa, v, |x| {
            quantize::dequantize_element(x.into(), scale, zero)
        }),
        Data::I8(v) => map(isa, v, |x| {
            quantize::dequantize_element(x.into(), scale, zero)
        }),
        _ => return Ok(None),
    })))
}

/// The three results of `DynamicQuantizeLinear`.
pub(super) fn dynamic(isa: Isa, x: &Array) -> Result<Vec<Array>, RunError> {
    let numbers = x.as_f32().ok_or(OPERANDS)?;
    let (least, greatest) = quantize::range_with_zero(isa, numbers);
    let (scale, zero) = dynamic_parameters_of(least, greatest);
    let mut out = vec![0; numbers.len()];
    quantize::quantize(isa, numbers, scale, zero.into(), ByteType::U8, &mut out)
        .map_err(super::kernel)?;
    let array = |shape, data| Array { shape, data };
    Ok(vec![
        array(x.shape.clone(), Data::U8(out)),
        array(vec![], Data::F32(vec![scale])),
        array(vec![], Data::U8(vec![zero])),
    ])
}
