//! Functions of `f64`: the same rules as for `f32`, in scalar code.

use crate::op::{Binary, Unary};

/// `x`, with every NaN made one and −0 made +0.
pub(super) fn canonical(x: f64) -> f64 {
    if x.is_nan() {
        f64::from_bits(0x7ff8_0000_0000_0000)
    } else {
        x + 0.0
    }
}

/// The greater of two numbers; NaN if one is.
pub(super) fn max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a > b {
        a
    } else {
        b
    }
}

/// The lesser of two numbers; NaN if one is.
pub(super) fn min(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a < b {
        a
    } else {
        b
    }
}

/// The definition of each function of one `f64`, before [`canonical`]. `None` if it takes no floats.
pub(super) fn unary(f: Unary) -> Option<fn(f64) -> f64> {
    Some(match f {
        Unary::Neg => |x| -x,
        Unary::Abs => f64::abs,
        Unary::Sign => |x| {
            if x > 0.0 {
                1.0
            } else if x < 0.0 {
                -1.0
            } else {
                x
            }
        },
        Unary::Floor => f64::floor,
        Unary::Ceil => f64::ceil,
        Unary::Round => f64::round_ties_even,
        Unary::Sqrt => f64::sqrt,
        Unary::Reciprocal => |x| 1.0 / x,
        Unary::Exp => libm::exp,
        Unary::Log => libm::log,
        Unary::Erf => libm::erf,
        Unary::Tanh => libm::tanh,
        Unary::Sigmoid => |x| 1.0 / (1.0 + libm::exp(-x)),
        Unary::Sin => libm::sin,
        Unary::Cos => libm::cos,
        Unary::Tan => libm::tan,
        Unary::Asin => libm::asin,
        Unary::Acos => libm::acos,
        Unary::Atan => libm::atan,
        Unary::Sinh => libm::sinh,
        Unary::Cosh => libm::cosh,
        Unary::Asinh => libm::asinh,
        Unary::Acosh => libm::acosh,
        Unary::Atanh => libm::atanh,
        Unary::Not | Unary::BitNot => return None,
    })
}

/// The definition of each arithmetic function of two `f64`, before [`canonical`].
pub(super) fn binary(f: Binary) -> Option<fn(f64, f64) -> f64> {
    Some(match f {
        Binary::Add => |a, b| a + b,
        Binary::Sub => |a, b| a - b,
        Binary::Mul => |a, b| a * b,
        Binary::Div => |a, b| a / b,
        Binary::Min => min,
        Binary::Max => max,
        Binary::Fmod => |a, b| a % b,
        Binary::Pow => libm::pow,
        _ => return None,
    })
}
