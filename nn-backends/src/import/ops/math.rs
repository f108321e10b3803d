//! Operators on single elements.

use crate::array::Data;
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, Lowered, bad};
use crate::op::{Binary, Op, Unary};
use crate::tensor::ElementType;

type Value = Result<ValueId, NodeError>;

pub fn lower(c: &mut Context<'_, '_, '_>) -> Lowered {
    let unary = match c.node.op_type {
        "Neg" => Some(Unary::Neg),
        "Abs" => Some(Unary::Abs),
        "Sign" => Some(Unary::Sign),
        "Not" => Some(Unary::Not),
        "BitwiseNot" => Some(Unary::BitNot),
        "Floor" => Some(Unary::Floor),
        "Ceil" => Some(Unary::Ceil),
        "Round" => Some(Unary::Round),
        "Sqrt" => Some(Unary::Sqrt),
        "Reciprocal" => Some(Unary::Reciprocal),
        "Exp" => Some(Unary::Exp),
        "Log" => Some(Unary::Log),
        "Erf" => Some(Unary::Erf),
        "Tanh" => Some(Unary::Tanh),
        "Sigmoid" => Some(Unary::Sigmoid),
        "Sin" => Some(Unary::Sin),
        "Cos" => Some(Unary::Cos),
        "Tan" => Some(Unary::Tan),
        "Asin" => Some(Unary::Asin),
        "Acos" => Some(Unary::Acos),
        "Atan" => Some(Unary::Atan),
        "Sinh" => Some(Unary::Sinh),
        "Cosh" => Some(Unary::Cosh),
        "Asinh" => Some(Unary::Asinh),
        "Acosh" => Some(Unary::Acosh),
        "Atanh" => Some(Unary::Atanh),
        _ => None,
    };
    if let Some(f) = unary {
        let x = c.input(0)?;
        return Ok(vec![c.emit(Op::Unary(f), &[x])?]);
    }
    let binary = match c.node.op_type {
        "Add" => Some(Binary::Add),
        "Sub" => Some(Binary::Sub),
        "Mul" => Some(Binary::Mul),
        "Div" => Some(Binary::Div),
        "And" => Some(Binary::And),
        "Or" => Some(Binary::Or),
        "Xor" => Some(Binary::Xor),
        "BitwiseAnd" => Some(Binary::BitAnd),
        "BitwiseOr" => Some(Binary::BitOr),
        "BitwiseXor" => Some(Binary::BitXor),
        "Equal" => Some(Binary::Equal),
        "Less" => Some(Binary::Less),
        "LessOrEqual" => Some(Binary::LessOrEqual),
        "Greater" => Some(Binary::Greater),
        "GreaterOrEqual" => Some(Binary::GreaterOrEqual),
        "Mod" if c.flag("fmod")? => Some(Binary::Fmod),
        "Mod" => Some(Binary::Mod),
        "BitShift" => Some(match c.string_or("direction", "")? {
            "LEFT" => Binary::ShiftLeft,
            "RIGHT" => Binary::ShiftRight,
            _ => return Err(bad("direction")),
        }),
        _ => None,
    };
    if let Some(f) = binary {
        let (a, b) = (c.input(0)?, c.input(1)?);
        return Ok(vec![c.binary(f, a, b)?]);
    }
    let id = match c.node.op_type {
        "Cast" => {
            let x = c.input(0)?;
            let ty = c.element_type("to")?;
            c.emit(Op::Cast(ty), &[x])?
        }
        "BitCast" => {
            let x = c.input(0)?;
            let ty = c.element_type("to")?;
            c.emit(Op::BitCast(ty), &[x])?
        }
        "IsNaN" => {
            let x = c.input(0)?;
            let number = c.binary(Binary::Equal, x, x)?;
            c.emit(Op::Unary(Unary::Not), &[number])?
        }
        "IsInf" => is_infinite(c)?,
        // A tensor that is there is there; whether one is is known when the model is loaded.
        "OptionalHasElement" => {
            let there = c.optional(0).is_some();
            c.builder.scalar(Data::Bool(vec![there]))
        }
        "OptionalGetElement" => c.input(0)?,
        "CastLike" => {
            let (x, like) = (c.input(0)?, c.input(1)?);
            let ty = c.ty(like);
            c.emit(Op::Cast(ty), &[x])?
        }
        "Where" => {
            let (condition, a, b) = (c.input(0)?, c.input(1)?, c.input(2)?);
            c.emit(Op::Where, &[condition, a, b])?
        }
        "Max" => fold(c, Binary::Max)?,
        "Min" => fold(c, Binary::Min)?,
        "Sum" => fold(c, Binary::Add)?,
        "Mean" => {
            let sum = fold(c, Binary::Add)?;
            let n = c.inputs.len() as f32;
            let n = c.float_constant(n);
            c.binary(Binary::Div, sum, n)?
        }
        // Bounds were attributes before operator set 11.
        "Clip" if c.opset < 11 => {
            let (low, high) = (c.float_or("min", f32::MIN)?, c.float_or("max", f32::MAX)?);
            let (low, high) = (c.float_constant(low), c.float_constant(high));
            let x = c.input(0)?;
            let x = c.binary(Binary::Max, x, low)?;
            c.binary(Binary::Min, x, high)?
        }
        "Clip" => {
            let mut x = c.input(0)?;
            if let Some(low) = c.optional(1) {
                x = c.binary(Binary::Max, x, low)?;
            }
            if let Some(high) = c.optional(2) {
                x = c.binary(Binary::Min, x, high)?;
            }
            x
        }
        "Relu" => {
            let x = c.input(0)?;
            let zero = zero_like(c, x)?;
            c.binary(Binary::Max, x, zero)?
        }
        "Pow" => pow(c)?,
        _ => activation(c)?,
    };
    Ok(vec![id])
}

fn fold(c: &mut Context<'_, '_, '_>, f: Binary) -> Value {
    let mut x = c.input(0)?;
    for i in 1..c.inputs.len() {
        let y = c.input(i)?;
        x = c.binary(f, x, y)?;
    }
    Ok(x)
}

/// A scalar 0 of the type of `x`.
pub fn zero_like(c: &mut Context<'_, '_, '_>, x: ValueId) -> Value {
    let ty = c.ty(x);
    let zero = Data::from_le_bytes(ty, &[0; 8][..ty.size()])
        .ok_or(NodeError::Value("no zero of this type"))?;
    Ok(c.builder.scalar(zero))
}

/// Infinite elements, of either sign or of one.
fn is_infinite(c: &mut Context<'_, '_, '_>) -> Value {
    let mut x = c.input(0)?;
    let (up, down) = (
        c.int_or("detect_positive", 1)? != 0,
        c.int_or("detect_negative", 1)? != 0,
    );
    let bound = match (up, down) {
        (true, true) => {
            x = c.emit(Op::Unary(Unary::Abs), &[x])?;
            f32::INFINITY
        }
        (true, false) => f32::INFINITY,
        (false, true) => f32::NEG_INFINITY,
        // Nothing is ever equal to this.
        (false, false) => f32::NAN,
    };
    let bound = c.float_constant(bound);
    let ty = c.ty(x);
    let bound = c.emit(Op::Cast(ty), &[bound])?;
    c.binary(Binary::Equal, x, bound)
}

/// Powers: of floats with a small whole constant exponent by repeated squaring, with one half by the square
/// root.
fn pow(c: &mut Context<'_, '_, '_>) -> Value {
    let (x, y) = (c.input(0)?, c.input(1)?);
    let ty = c.ty(x);
    let exponent = c
        .builder
        .constant(y)
        .and_then(|e| match (&e.data, e.len()) {
            (Data::F32(v), 1) => Some(v[0]),
            (_, 1) => e.to_i64().map(|v| v[0] as f32),
            _ => None,
        });
    // A scalar exponent must not change the shape.
    let fits = c.rank(y) <= c.rank(x);
    match exponent.filter(|_| fits && ty == ElementType::F32) {
        Some(0.5) => return c.emit(Op::Unary(Unary::Sqrt), &[x]),
        Some(-0.5) => {
            let root = c.emit(Op::Unary(Unary::Sqrt), &[x])?;
            return c.emit(Op::Unary(Unary::Reciprocal), &[root]);
        }
        Some(n) if (-16.0..=16.0).contains(&n) && n.fract() == 0.0 && n != 0.0 => {
            let y = power(c, x, n.abs() as u32)?;
            if n < 0.0 {
                return c.emit(Op::Unary(Unary::Reciprocal), &[y]);
            }
            return Ok(y);
        }
        _ => {}
    }
    if c.ty(y) == ty || (!ty.is_float() && !c.ty(y).is_float()) || ty.is_float() {
        let y = c.emit(Op::Cast(ty), &[y])?;
        return c.binary(Binary::Pow, x, y);
    }
    // A whole number to a fraction: in double precision, cut to a whole number.
    let x = c.emit(Op::Cast(ElementType::F64), &[x])?;
    let y = c.emit(Op::Cast(ElementType::F64), &[y])?;
    let z = c.binary(Binary::Pow, x, y)?;
    c.emit(Op::Cast(ty), &[z])
}

/// A power of at least 1, by repeated squaring.
pub fn power(c: &mut Context<'_, '_, '_>, x: ValueId, mut n: u32) -> Value {
    let (mut square, mut result) = (x, None);
    while n > 0 {
        if n & 1 == 1 {
            result = Some(match result {
                None => square,
                Some(r) => c.binary(Binary::Mul, r, square)?,
            });
        }
        n >>= 1;
        if n > 0 {
            square = c.binary(Binary::Mul, square, square)?;
        }
    }
    result.ok_or(NodeError::Operator)
}

/// `f32` activations, composed of few functions in a fixed order.
fn activation(c: &mut Context<'_, '_, '_>) -> Value {
    let x = c.input(0)?;
    if c.ty(x) != ElementType::F32 {
        return Err(match c.node.op_type {
            "PRelu" | "LeakyRelu" => NodeError::ElementType {
                input: 0,
                ty: c.ty(x),
            },
            _ => NodeError::Operator,
        });
    }
    let zero = c.float_constant(0.0);
    let one = c.float_constant(1.0);
    match c.node.op_type {
        "LeakyRelu" => {
            let alpha = c.float_or("alpha", 0.01)?;
            let alpha = c.float_constant(alpha);
            let scaled = c.binary(Binary::Mul, x, alpha)?;
            negative(c, x, scaled, x)
        }
        "PRelu" => {
            let slope = c.input(1)?;
            let scaled = c.binary(Binary::Mul, x, slope)?;
            negative(c, x, scaled, x)
        }
        "Elu" | "Celu" | "Selu" => {
            let (a, gamma) = match c.node.op_type {
                "Selu" => (
                    c.float_or("alpha", 1.673_263_2)?,
                    c.float_or("gamma", 1.050_701)?,
                ),
                _ => (c.float_or("alpha", 1.0)?, 1.0),
            };
            let alpha = c.float_constant(a);
            let inner = if c.node.op_type == "Celu" {
                c.binary(Binary::Div, x, alpha)?
            } else {
                x
            };
            let e = c.emit(Op::Unary(Unary::Exp), &[inner])?;
            let e = c.binary(Binary::Sub, e, one)?;
            let e = c.binary(Binary::Mul, e, alpha)?;
            let y = negative(c, x, e, x)?;
            let gamma = c.float_constant(gamma);
            c.binary(Binary::Mul, y, gamma)
        }
        "HardSigmoid" | "HardSwish" => {
            let swish = c.node.op_type == "HardSwish";
            let (a, b) = if swish {
                (1.0 / 6.0, 0.5)
            } else {
                (c.float_or("alpha", 0.2)?, c.float_or("beta", 0.5)?)
            };
            let (a, b) = (c.float_constant(a), c.float_constant(b));
            let y = c.binary(Binary::Mul, x, a)?;
            let y = c.binary(Binary::Add, y, b)?;
            let y = c.binary(Binary::Min, y, one)?;
            let y = c.binary(Binary::Max, y, zero)?;
            if swish {
                c.binary(Binary::Mul, x, y)
            } else {
                Ok(y)
            }
        }
        "Swish" => {
            let alpha = c.float_or("alpha", 1.0)?;
            let alpha = c.float_constant(alpha);
            let y = c.binary(Binary::Mul, x, alpha)?;
            let y = c.emit(Op::Unary(Unary::Sigmoid), &[y])?;
            c.binary(Binary::Mul, x, y)
        }
        "Softplus" => softplus(c, x),
        "Softsign" => {
            let y = c.emit(Op::Unary(Unary::Abs), &[x])?;
            let y = c.binary(Binary::Add, y, one)?;
            c.binary(Binary::Div, x, y)
        }
        "Mish" => {
            let y = softplus(c, x)?;
            let y = c.emit(Op::Unary(Unary::Tanh), &[y])?;
            c.binary(Binary::Mul, x, y)
        }
        "ThresholdedRelu" => {
            let alpha = c.float_or("alpha", 1.0)?;
            let alpha = c.float_constant(alpha);
            let above = c.binary(Binary::Greater, x, alpha)?;
            c.emit(Op::Where, &[above, x, zero])
        }
        "Gelu" => {
            let half = c.float_constant(0.5);
            let y = if c.string_or("approximate", "none")? == "tanh" {
                let cubic = c.float_constant(0.044_715);
                let scale = c.float_constant(0.797_884_6);
                let y = c.binary(Binary::Mul, x, x)?;
                let y = c.binary(Binary::Mul, y, x)?;
                let y = c.binary(Binary::Mul, y, cubic)?;
                let y = c.binary(Binary::Add, x, y)?;
                let y = c.binary(Binary::Mul, y, scale)?;
                c.emit(Op::Unary(Unary::Tanh), &[y])?
            } else {
                let root = c.float_constant(std::f32::consts::SQRT_2);
                let y = c.binary(Binary::Div, x, root)?;
                c.emit(Op::Unary(Unary::Erf), &[y])?
            };
            let y = c.binary(Binary::Add, y, one)?;
            let y = c.binary(Binary::Mul, y, half)?;
            c.binary(Binary::Mul, x, y)
        }
        "Shrink" => {
            let (lambda, bias) = (c.float_or("lambd", 0.5)?, c.float_or("bias", 0.0)?);
            let (high, low) = (c.float_constant(lambda), c.float_constant(-lambda));
            let bias = c.float_constant(bias);
            let below = c.binary(Binary::Less, x, low)?;
            let above = c.binary(Binary::Greater, x, high)?;
            let plus = c.binary(Binary::Add, x, bias)?;
            let minus = c.binary(Binary::Sub, x, bias)?;
            let y = c.emit(Op::Where, &[above, minus, zero])?;
            c.emit(Op::Where, &[below, plus, y])
        }
        _ => Err(NodeError::Operator),
    }
}

/// `a` where `x` is negative, else `b`.
fn negative(c: &mut Context<'_, '_, '_>, x: ValueId, a: ValueId, b: ValueId) -> Value {
    let zero = zero_like(c, x)?;
    let below = c.binary(Binary::Less, x, zero)?;
    c.emit(Op::Where, &[below, a, b])
}

/// max(x, 0) + log(1 + e^−|x|), which never overflows.
fn softplus(c: &mut Context<'_, '_, '_>, x: ValueId) -> Value {
    let zero = zero_like(c, x)?;
    let one = c.float_constant(1.0);
    let y = c.emit(Op::Unary(Unary::Abs), &[x])?;
    let y = c.emit(Op::Unary(Unary::Neg), &[y])?;
    let y = c.emit(Op::Unary(Unary::Exp), &[y])?;
    let y = c.binary(Binary::Add, y, one)?;
    let y = c.emit(Op::Unary(Unary::Log), &[y])?;
    let positive = c.binary(Binary::Max, x, zero)?;
    c.binary(Binary::Add, positive, y)
}
