//! `Einsum`: products over all indices, and a sum over those that the result has not.

use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, bad};
use crate::op::{Binary, Op, Reduce};

type Value = Result<ValueId, NodeError>;

/// Labels of an operand's axes; those of an ellipsis are numbers from the right.
type Labels = Vec<u32>;

/// Splits a term of an equation into labels, for an operand of `rank` axes if that is known.
fn labels(term: &str, rank: Option<usize>) -> Result<(Labels, bool), NodeError> {
    let letters: Vec<char> = term.chars().filter(|ch| !ch.is_whitespace()).collect();
    let dots = letters.iter().filter(|ch| **ch == '.').count();
    let named = letters.len() - dots;
    let filled = match (dots, rank) {
        (0, None) => 0,
        (0, Some(rank)) if rank == named => 0,
        (3, Some(rank)) if rank >= named => rank - named,
        (3, None) => 0,
        _ => return Err(bad("equation")),
    };
    let mut out = Vec::new();
    let mut seen = 0;
    for ch in letters {
        match ch {
            '.' => {
                seen += 1;
                if seen == 3 {
                    out.extend((0..filled as u32).rev());
                }
            }
            ch if ch.is_ascii_alphabetic() && (seen == 0 || seen == 3) => out.push(ch as u32 + 256),
            _ => return Err(bad("equation")),
        }
    }
    Ok((out, dots == 3))
}

pub fn einsum(c: &mut Context<'_, '_, '_>) -> Value {
    let equation = c.string_or("equation", "")?;
    let (left, right) = match equation.split_once("->") {
        Some((left, right)) => (left, Some(right)),
        None => (equation, None),
    };
    let terms: Vec<&str> = left.split(',').collect();
    if terms.len() != c.inputs.len() || terms.is_empty() || terms.len() > 8 {
        return Err(bad("equation"));
    }
    let mut operands = Vec::new();
    let mut widest = 0;
    for (i, term) in terms.iter().enumerate() {
        let x = c.input(i)?;
        let (list, _) = labels(term, Some(c.rank(x)))?;
        widest = widest.max(list.iter().filter(|l| **l < 256).count());
        operands.push(diagonal(c, x, list)?);
    }
    let out = match right {
        Some(right) => {
            let (named, dots) = labels(right, None)?;
            let at = right.find('.').map_or(0, |at| {
                right[..at]
                    .chars()
                    .filter(char::is_ascii_alphabetic)
                    .count()
            });
            let mut out = named;
            if dots {
                out.splice(at..at, (0..widest as u32).rev());
            }
            out
        }
        // What occurs once, in alphabetical order, after the ellipsis.
        None => {
            let mut all: Labels = operands.iter().flat_map(|o| o.1.clone()).collect();
            all.sort_unstable();
            let once = |l: &u32| all.iter().filter(|m| *m == l).count() == 1;
            let mut out: Labels = (0..widest as u32).rev().collect();
            out.extend(all.iter().copied().filter(|l| *l >= 256 && once(l)));
            out
        }
    };
    let mut distinct = out.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let known = |l: &u32| operands.iter().any(|o| o.1.contains(l));
    if distinct.len() != out.len() || !out.iter().all(known) {
        return Err(bad("equation"));
    }
    contract(c, operands, &out)
}

/// Axes of one label become one: its diagonal.
fn diagonal(
    c: &mut Context<'_, '_, '_>,
    mut x: ValueId,
    mut list: Labels,
) -> Result<(ValueId, Labels), NodeError> {
    while let Some((i, j)) = (0..list.len())
        .flat_map(|j| (0..j).map(move |i| (i, j)))
        .find(|(i, j)| list[*i] == list[*j])
    {
        let shape = c.shape(x);
        if shape[i] != shape[j] {
            return Err(NodeError::Shape("one label, two lengths"));
        }
        c.builder.may_make(shape[i] as u64)?;
        let mut index = vec![1; shape.len()];
        index[i] = shape[i];
        let line = c.builder.keep(crate::Array {
            shape: index,
            data: crate::Data::I64((0..shape[i] as i64).collect()),
        });
        let mut to = shape.clone();
        to[j] = 1;
        let line = c.emit(Op::Expand(to.clone()), &[line])?;
        let y = c.emit(Op::GatherElements(j), &[x, line])?;
        to.remove(j);
        list.remove(j);
        x = c.reshape(y, to)?;
    }
    Ok((x, list))
}

/// Every operand over all labels, multiplied, and summed over those that the result has not.
fn contract(c: &mut Context<'_, '_, '_>, operands: Vec<(ValueId, Labels)>, out: &Labels) -> Value {
    let mut all = out.clone();
    for (_, list) in &operands {
        for label in list {
            if !all.contains(label) {
                all.push(*label);
            }
        }
    }
    let mut product = None;
    for (x, list) in operands {
        let shape = c.shape(x);
        let mut order: Vec<usize> = (0..list.len()).collect();
        order.sort_by_key(|i| all.iter().position(|l| *l == list[*i]));
        let x = c.emit(Op::Transpose(order), &[x])?;
        let length = |label: &u32| list.iter().position(|l| l == label).map_or(1, |i| shape[i]);
        let x = c.reshape(x, all.iter().map(length).collect())?;
        product = Some(match product {
            None => x,
            Some(y) => c.binary(Binary::Mul, y, x)?,
        });
    }
    let product = product.ok_or_else(|| bad("equation"))?;
    let summed: Vec<usize> = (out.len()..all.len()).collect();
    let y = c.emit(Op::Reduce(Reduce::Sum, summed), &[product])?;
    let shape = c.shape(y)[..out.len()].to_vec();
    c.reshape(y, shape)
}
