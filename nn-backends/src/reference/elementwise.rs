//! Operations on single elements.

use super::movement::{broadcast_strides, walk};
use super::{OPERANDS, Operands, double};
use crate::array::{Array, Data, map_each};
use crate::error::RunError;
use crate::graph::Info;
use crate::kernels::strict::{self, canonical};
use crate::op::{Binary, Unary};
use crate::tensor::ElementType;

/// The greater of two numbers; NaN if one is.
pub(crate) fn max_f32(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() {
        f32::NAN
    } else if a > b {
        a
    } else {
        b
    }
}

/// The lesser of two numbers; NaN if one is.
pub(crate) fn min_f32(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() {
        f32::NAN
    } else if a < b {
        a
    } else {
        b
    }
}

/// Reads two arrays element by element as if both had been broadcast to one shape.
pub(crate) struct Broadcast {
    /// Offsets into both, or `None` if both already have the shape.
    offsets: Option<(Vec<usize>, Vec<usize>)>,
}

impl Broadcast {
    pub fn new(a: &[usize], b: &[usize], to: &[usize]) -> Self {
        if a == to && b == to {
            return Broadcast { offsets: None };
        }
        Broadcast {
            offsets: Some((offsets(a, to), offsets(b, to))),
        }
    }

    pub fn map<T: Copy, U>(&self, a: &[T], b: &[T], f: impl Fn(T, T) -> U) -> Vec<U> {
        match &self.offsets {
            None => a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect(),
            Some((i, j)) => i
                .iter()
                .zip(j)
                .filter_map(|(i, j)| Some(f(*a.get(*i)?, *b.get(*j)?)))
                .collect(),
        }
    }
}

fn offsets(shape: &[usize], to: &[usize]) -> Vec<usize> {
    let mut out = Vec::with_capacity(to.iter().product());
    walk(to, &broadcast_strides(shape, to), 0, |at| {
        out.push(at as usize)
    });
    out
}

pub(super) fn select(x: Operands<'_>, result: &Info) -> Result<Data, RunError> {
    let Data::Bool(condition) = &x.get(0)?.data else {
        return Err(OPERANDS);
    };
    let (a, b) = (x.get(1)?, x.get(2)?);
    let at = offsets(&x.get(0)?.shape, &result.shape);
    let (i, j) = (
        offsets(&a.shape, &result.shape),
        offsets(&b.shape, &result.shape),
    );
    // Pick from the concatenation, so that one loop serves every type.
    let both = super::movement::concat(Operands(&[Some(&flat(a)), Some(&flat(b))]), 0)?;
    let pick: Vec<usize> = at
        .iter()
        .zip(i.iter().zip(j))
        .map(|(c, (i, j))| {
            if condition.get(*c).copied().unwrap_or_default() {
                *i
            } else {
                a.len() + j
            }
        })
        .collect();
    Ok(map_each!(&both, v => pick.iter().filter_map(|i| v.get(*i).copied()).collect()))
}

fn flat(x: &Array) -> Array {
    Array {
        shape: vec![x.len()],
        data: x.data.clone(),
    }
}

/// The definition of each function of one `f32`, before [`canonical`]. `None` if it takes no floats.
pub(crate) fn unary_f32(f: Unary) -> Option<fn(f32) -> f32> {
    Some(match f {
        Unary::Neg => |x| -x,
        Unary::Abs => f32::abs,
        Unary::Sign => |x| {
            if x > 0.0 {
                1.0
            } else if x < 0.0 {
                -1.0
            } else {
                x
            }
        },
        Unary::Floor => f32::floor,
        Unary::Ceil => f32::ceil,
        Unary::Round => f32::round_ties_even,
        Unary::Sqrt => f32::sqrt,
        Unary::Reciprocal => |x| 1.0 / x,
        Unary::Exp => strict::exp,
        Unary::Log => strict::log,
        Unary::Erf => strict::erf,
        Unary::Tanh => strict::tanh,
        Unary::Sigmoid => strict::sigmoid,
        Unary::Sin => libm::sinf,
        Unary::Cos => libm::cosf,
        Unary::Tan => libm::tanf,
        Unary::Asin => libm::asinf,
        Unary::Acos => libm::acosf,
        Unary::Atan => libm::atanf,
        Unary::Sinh => libm::sinhf,
        Unary::Cosh => libm::coshf,
        Unary::Asinh => libm::asinhf,
        Unary::Acosh => libm::acoshf,
        Unary::Atanh => libm::atanhf,
        Unary::Not | Unary::BitNot => return None,
    })
}

pub(super) fn unary(f: Unary, x: &Array) -> Result<Data, RunError> {
    macro_rules! integers {
        ($variant:ident, $v:expr, $t:ty) => {
            Data::$variant(match f {
                Unary::Neg => $v.iter().map(|x| (0 as $t).wrapping_sub(*x)).collect(),
                #[allow(unused_comparisons)]
                Unary::Abs => $v
                    .iter()
                    .map(|x| {
                        if *x < 0 {
                            (0 as $t).wrapping_sub(*x)
                        } else {
                            *x
                        }
                    })
                    .collect(),
                #[allow(unused_comparisons)]
                Unary::Sign => $v
                    .iter()
                    .map(|x| {
                        if *x < 0 {
                            (0 as $t).wrapping_sub(1)
                        } else {
                            (*x > 0) as $t
                        }
                    })
                    .collect(),
                Unary::BitNot => $v.iter().map(|x| !*x).collect(),
                _ => return Err(OPERANDS),
            })
        };
    }
    Ok(match &x.data {
        Data::F32(v) => {
            let f = unary_f32(f).ok_or(OPERANDS)?;
            Data::F32(v.iter().map(|x| canonical(f(*x))).collect())
        }
        Data::Bool(v) if f == Unary::Not => Data::Bool(v.iter().map(|x| !x).collect()),
        Data::Bool(_) => return Err(OPERANDS),
        Data::U8(v) => integers!(U8, v, u8),
        Data::I8(v) => integers!(I8, v, i8),
        Data::I16(v) => integers!(I16, v, i16),
        Data::I32(v) => integers!(I32, v, i32),
        Data::I64(v) => integers!(I64, v, i64),
        Data::U16(v) => integers!(U16, v, u16),
        Data::U32(v) => integers!(U32, v, u32),
        Data::U64(v) => integers!(U64, v, u64),
        Data::F64(v) => {
            let f = double::unary(f).ok_or(OPERANDS)?;
            Data::F64(v.iter().map(|x| double::canonical(f(*x))).collect())
        }
    })
}

/// The definition of each arithmetic function of two `f32`, before [`canonical`].
pub(crate) fn binary_f32(f: Binary) -> Option<fn(f32, f32) -> f32> {
    Some(match f {
        Binary::Add => |a, b| a + b,
        Binary::Sub => |a, b| a - b,
        Binary::Mul => |a, b| a * b,
        Binary::Div => |a, b| a / b,
        Binary::Min => min_f32,
        Binary::Max => max_f32,
        // `%` is exact in IEEE arithmetic and rounds nothing.
        Binary::Fmod => |a, b| a % b,
        Binary::Pow => libm::powf,
        _ => return None,
    })
}

pub(super) fn binary(f: Binary, a: &Array, b: &Array, result: &Info) -> Result<Data, RunError> {
    let pairs = Broadcast::new(&a.shape, &b.shape, &result.shape);
    macro_rules! compare {
        ($a:expr, $b:expr) => {
            Data::Bool(match f {
                Binary::Equal => pairs.map($a, $b, |a, b| a == b),
                Binary::Less => pairs.map($a, $b, |a, b| a < b),
                Binary::LessOrEqual => pairs.map($a, $b, |a, b| a <= b),
                Binary::Greater => pairs.map($a, $b, |a, b| a > b),
                Binary::GreaterOrEqual => pairs.map($a, $b, |a, b| a >= b),
                _ => return Err(OPERANDS),
            })
        };
    }
    macro_rules! integers {
        ($variant:ident, $t:ty, $a:expr, $b:expr) => {{
            let divides = matches!(f, Binary::Div | Binary::Mod | Binary::Fmod);
            #[allow(unused_comparisons)]
            let inverts = f == Binary::Pow
                && pairs
                    .map($a, $b, |a: $t, b: $t| a == 0 && b < 0)
                    .contains(&true);
            if inverts {
                return Err(RunError::DivisionByZero);
            }
            if divides && result.elements() > 0 && $b.contains(&0) {
                return Err(RunError::DivisionByZero);
            }
            Data::$variant(match f {
                Binary::Add => pairs.map($a, $b, <$t>::wrapping_add),
                Binary::Sub => pairs.map($a, $b, <$t>::wrapping_sub),
                Binary::Mul => pairs.map($a, $b, <$t>::wrapping_mul),
                Binary::Div => pairs.map($a, $b, <$t>::wrapping_div),
                Binary::Fmod => pairs.map($a, $b, <$t>::wrapping_rem),
                Binary::Mod => pairs.map($a, $b, |a: $t, b: $t| {
                    let r = a.wrapping_rem(b);
                    #[allow(unused_comparisons)]
                    if r != 0 && (r < 0) != (b < 0) {
                        r.wrapping_add(b)
                    } else {
                        r
                    }
                }),
                Binary::Min => pairs.map($a, $b, |a: $t, b: $t| a.min(b)),
                Binary::Max => pairs.map($a, $b, |a: $t, b: $t| a.max(b)),
                Binary::BitAnd => pairs.map($a, $b, |a: $t, b: $t| a & b),
                Binary::BitOr => pairs.map($a, $b, |a: $t, b: $t| a | b),
                Binary::BitXor => pairs.map($a, $b, |a: $t, b: $t| a ^ b),
                // Modulo 2ⁿ; a negative power is a fraction, which is cut.
                #[allow(unused_comparisons)]
                Binary::Pow => pairs.map($a, $b, |a: $t, mut n: $t| {
                    if n < 0 {
                        return if a == 1 || (a == (0 as $t).wrapping_sub(1) && n & 1 == 0) {
                            1
                        } else if a == (0 as $t).wrapping_sub(1) {
                            a
                        } else {
                            0
                        };
                    }
                    let (mut square, mut power) = (a, 1 as $t);
                    while n > 0 {
                        if n & 1 == 1 {
                            power = power.wrapping_mul(square);
                        }
                        square = square.wrapping_mul(square);
                        n >>= 1;
                    }
                    power
                }),
                // Shifting by the width or more leaves nothing.
                Binary::ShiftLeft => pairs.map($a, $b, |a: $t, b: $t| {
                    let n = u32::try_from(b).unwrap_or(u32::MAX);
                    a.checked_shl(n).unwrap_or(0)
                }),
                Binary::ShiftRight => pairs.map($a, $b, |a: $t, b: $t| {
                    let n = u32::try_from(b).unwrap_or(u32::MAX);
                    a.checked_shr(n).unwrap_or(0)
                }),
                _ => return Err(OPERANDS),
            })
        }};
    }
    Ok(match (&a.data, &b.data) {
        (Data::U8(a), Data::U8(b)) if f.compares() => compare!(a, b),
        (Data::I8(a), Data::I8(b)) if f.compares() => compare!(a, b),
        (Data::I16(a), Data::I16(b)) if f.compares() => compare!(a, b),
        (Data::I32(a), Data::I32(b)) if f.compares() => compare!(a, b),
        (Data::I64(a), Data::I64(b)) if f.compares() => compare!(a, b),
        (Data::F32(a), Data::F32(b)) if f.compares() => compare!(a, b),
        (Data::U16(a), Data::U16(b)) if f.compares() => compare!(a, b),
        (Data::U32(a), Data::U32(b)) if f.compares() => compare!(a, b),
        (Data::U64(a), Data::U64(b)) if f.compares() => compare!(a, b),
        (Data::F64(a), Data::F64(b)) if f.compares() => compare!(a, b),
        (Data::Bool(a), Data::Bool(b)) => Data::Bool(match f {
            Binary::And => pairs.map(a, b, |a, b| a && b),
            Binary::Or => pairs.map(a, b, |a, b| a || b),
            Binary::Xor => pairs.map(a, b, |a, b| a != b),
            Binary::Equal => pairs.map(a, b, |a, b| a == b),
            _ => return Err(OPERANDS),
        }),
        (Data::U8(a), Data::U8(b)) => integers!(U8, u8, a, b),
        (Data::I8(a), Data::I8(b)) => integers!(I8, i8, a, b),
        (Data::I16(a), Data::I16(b)) => integers!(I16, i16, a, b),
        (Data::I32(a), Data::I32(b)) => integers!(I32, i32, a, b),
        (Data::I64(a), Data::I64(b)) => integers!(I64, i64, a, b),
        (Data::U16(a), Data::U16(b)) => integers!(U16, u16, a, b),
        (Data::U32(a), Data::U32(b)) => integers!(U32, u32, a, b),
        (Data::U64(a), Data::U64(b)) => integers!(U64, u64, a, b),
        (Data::F64(a), Data::F64(b)) => {
            let f = double::binary(f).ok_or(OPERANDS)?;
            Data::F64(pairs.map(a, b, |a, b| double::canonical(f(a, b))))
        }
        (Data::F32(a), Data::F32(b)) => {
            let f = binary_f32(f).ok_or(OPERANDS)?;
            Data::F32(pairs.map(a, b, |a, b| canonical(f(a, b))))
        }
        _ => return Err(OPERANDS),
    })
}

pub(super) fn table(x: &Array, table: &[u8; 256], ty: ElementType) -> Result<Data, RunError> {
    let look = |bits: u8| table[usize::from(bits)];
    let bits: Vec<u8> = match &x.data {
        Data::U8(v) => v.iter().map(|x| look(*x)).collect(),
        Data::I8(v) => v.iter().map(|x| look(*x as u8)).collect(),
        _ => return Err(OPERANDS),
    };
    Data::from_le_bytes(ty, &bits).ok_or(OPERANDS)
}
