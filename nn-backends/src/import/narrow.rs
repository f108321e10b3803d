//! Types that are narrower than what carries them: which results have one, and bringing them back onto its
//! numbers.

use crate::error::NodeError;
use crate::format::{Format, Narrow};
use crate::graph::ValueId;
use crate::import::builder::Builder;
use crate::import::context::{Context, bad};
use crate::import::ops;
use crate::onnx::decode;
use crate::onnx::schema::Attribute;
use crate::op::Op;
use crate::tensor::ElementType;

/// What a name of the file stands for.
#[derive(Clone, Copy)]
pub(crate) struct Named {
    pub id: ValueId,
    /// The type in the file, where one of ours only carries it.
    pub narrow: Option<Narrow>,
}

/// Operators whose results are elements of their operands: nothing needs rounding.
fn moves(op: &str) -> bool {
    matches!(
        op,
        "Identity"
            | "Reshape"
            | "Flatten"
            | "Squeeze"
            | "Unsqueeze"
            | "Transpose"
            | "Concat"
            | "Split"
            | "Slice"
            | "Gather"
            | "GatherElements"
            | "GatherND"
            | "Expand"
            | "Tile"
            | "Pad"
            | "DepthToSpace"
            | "SpaceToDepth"
            | "Shape"
            | "Size"
            | "Constant"
            | "ConstantOfShape"
            | "Where"
            | "Trilu"
            | "Max"
            | "Min"
            | "MaxPool"
            | "Relu"
            | "Neg"
            | "Abs"
    )
}

/// The narrow type of the node's results that its carrier carries.
fn result(c: &Context<'_, '_, '_>) -> Result<Option<Narrow>, NodeError> {
    let by_attribute = |name: &str| Ok(c.int(name)?.and_then(decode::narrow));
    let value = || match c.attribute("value") {
        Some(Attribute::Tensor(t)) => decode::narrow(t.data_type),
        _ => None,
    };
    match (c.node.domain, c.node.op_type) {
        ("", "Cast" | "BitCast") => by_attribute("to"),
        ("", "CastLike") => Ok(c.narrow(1)),
        ("", "Constant" | "ConstantOfShape") => Ok(value()),
        ("", "EyeLike") if c.attribute("dtype").is_some() => by_attribute("dtype"),
        ("", "QuantizeLinear") => match c.optional(2) {
            Some(_) => Ok(c.narrow(2)),
            None => by_attribute("output_dtype"),
        },
        ("", "DequantizeLinear") => match c.int("output_dtype")? {
            Some(code) if code != 0 => Ok(decode::narrow(code)),
            _ => Ok(c.narrow(1)),
        },
        // Scales are floats; what is quantised by them is not.
        ("", "QLinearMatMul" | "QLinearConv") => Ok(None),
        _ => Ok(c.narrow.iter().copied().flatten().next()),
    }
}

/// Lowers the context's node; results of a narrow type are numbers of that type.
pub(crate) fn lower(c: &mut Context<'_, '_, '_>) -> Result<Vec<Named>, NodeError> {
    let narrow = result(c)?;
    let plain = |ids: Vec<ValueId>| ids.into_iter().map(|id| Named { id, narrow: None });
    if narrow.is_none() && c.narrow.iter().all(Option::is_none) {
        return Ok(plain(ops::lower(c)?).collect());
    }
    let op = c.node.op_type;
    let converts = matches!(
        op,
        "Cast" | "CastLike" | "QuantizeLinear" | "DequantizeLinear"
    );
    for (i, input) in c.narrow.iter().enumerate() {
        // On 2 and 4 bits there is no arithmetic, only movement and conversion.
        if let Some(Narrow::Int { .. }) = input
            && !(converts || (moves(op) && !matches!(op, "Max" | "Min" | "MaxPool" | "Neg")))
        {
            let ty = c.inputs.get(i).copied().flatten().map(|id| c.ty(id));
            let ty = ty.unwrap_or(ElementType::U8);
            return Err(NodeError::ElementType { input: i, ty });
        }
    }
    if op == "BitCast" {
        return Err(bad("to"));
    }
    if narrow == Some(Narrow::Float(Format::F8E8M0)) && c.string_or("round_mode", "up")? != "up" {
        return Err(bad("round_mode"));
    }
    if let ("Cast" | "CastLike", Some(narrow @ Narrow::Int { .. })) = (op, narrow) {
        // By way of 32 bits, of which the lower ones are kept.
        let x = c.input(0)?;
        let x = c.emit(Op::Cast(ElementType::I32), &[x])?;
        let x = c.emit(Op::Cast(narrow.carrier()), &[x])?;
        let name = c.name();
        let id = onto(c.builder, &name, x, narrow, true, false)?;
        let narrow = Some(narrow);
        return Ok(vec![Named { id, narrow }]);
    }
    let saturate = c.int_or("saturate", 1)? != 0;
    let quantizes = op == "QuantizeLinear";
    let name = c.name();
    let mut out = Vec::new();
    for id in ops::lower(c)? {
        let narrow = narrow.filter(|n| n.carrier() == c.ty(id));
        let id = match narrow {
            None => id,
            Some(_) if moves(op) => id,
            Some(narrow) => onto(c.builder, &name, id, narrow, saturate, quantizes)?,
        };
        out.push(Named { id, narrow });
    }
    Ok(out)
}

/// The nearest numbers of the narrow type; integers lose their upper bits unless they are to be bounded.
pub(crate) fn onto(
    builder: &mut Builder<'_>,
    name: &str,
    id: ValueId,
    narrow: Narrow,
    saturate: bool,
    bounded: bool,
) -> Result<ValueId, NodeError> {
    match narrow {
        Narrow::Float(format) => builder.one(name, Op::Narrow(format, saturate), &[Some(id)]),
        Narrow::Int { bits, signed } => {
            let (low, high) = narrow.range();
            let mut table = [0u8; 256];
            for (i, entry) in table.iter_mut().enumerate() {
                let x = if signed {
                    i32::from(i as u8 as i8)
                } else {
                    i as i32
                };
                let y = if bounded {
                    x.clamp(low, high)
                } else if signed {
                    (x << (32 - bits)) >> (32 - bits)
                } else {
                    x & high
                };
                *entry = y as u8;
            }
            let op = Op::Table(Box::new(table), narrow.carrier());
            builder.one(name, op, &[Some(id)])
        }
    }
}
