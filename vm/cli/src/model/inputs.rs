//! A model's inputs from the flags.

use std::path::Path;

use aivm_nn::{Model, Tensor, TensorInfo};

use super::error::ModelCliError;
use super::tensor;
use crate::error::CliError;
use crate::world::read;

fn names(infos: &[TensorInfo]) -> String {
    let names = infos
        .iter()
        .map(|info| format!("{}: {}{:?}", info.name, info.ty, info.shape));
    names.collect::<Vec<_>>().join(", ")
}

fn count(infos: &[TensorInfo], found: usize) -> ModelCliError {
    ModelCliError::Inputs {
        expected: infos.len(),
        names: names(infos),
        found,
    }
}

/// Splits off the input's name, if there is one, and finds its position.
fn named<'a>(
    infos: &[TensorInfo],
    text: &'a str,
) -> Result<(Option<usize>, &'a str), ModelCliError> {
    // A JSON list may hold an equals sign in no place, and a file's name rarely does.
    let Some((name, what)) = text.split_once('=').filter(|_| !Path::new(text).exists()) else {
        return Ok((None, text));
    };
    let index = infos.iter().position(|info| info.name == name);
    let index = index.ok_or_else(|| ModelCliError::NoInput {
        name: name.to_owned(),
        names: names(infos),
    })?;
    Ok((Some(index), what))
}

/// One list of inputs in the model's order.
pub fn one(model: &Model, given: &[String]) -> Result<Vec<Tensor>, CliError> {
    let infos = model.inputs();
    let mut tensors: Vec<Option<Tensor>> = vec![None; infos.len()];
    for (position, text) in given.iter().enumerate() {
        let (index, what) = named(infos, text)?;
        let index = index.unwrap_or(position);
        let info = infos.get(index).ok_or_else(|| count(infos, given.len()))?;
        let tensor = match <[Tensor; 1]>::try_from(input(what, info, false)?) {
            Ok([tensor]) => tensor,
            Err(_) => return Err(count(infos, given.len()).into()),
        };
        if tensors[index].replace(tensor).is_some() {
            return Err(ModelCliError::Twice(info.name.clone()).into());
        }
    }
    let found = tensors.iter().flatten().count();
    let tensors: Option<Vec<Tensor>> = tensors.into_iter().collect();
    Ok(tensors.ok_or_else(|| count(infos, found))?)
}

/// Many lists of inputs. Those without a name go to the model's inputs in turn; a file may hold several.
pub fn many(model: &Model, given: &[String]) -> Result<Vec<Vec<Tensor>>, CliError> {
    let infos = model.inputs();
    let mut columns: Vec<Vec<Tensor>> = vec![Vec::new(); infos.len()];
    let mut turn = 0;
    for text in given {
        let (index, what) = named(infos, text)?;
        let index = index.unwrap_or_else(|| {
            turn += 1;
            (turn - 1) % infos.len().max(1)
        });
        let info = infos.get(index).ok_or_else(|| count(infos, given.len()))?;
        columns[index].extend(input(what, info, true)?);
    }
    let samples = columns.first().map_or(0, Vec::len);
    if let Some(other) = columns.iter().position(|column| column.len() != samples) {
        return Err(ModelCliError::Uneven {
            first: infos[0].name.clone(),
            samples,
            other: infos[other].name.clone(),
            found: columns[other].len(),
        }
        .into());
    }
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    Ok((0..samples)
        .map(|_| columns.iter_mut().filter_map(Iterator::next).collect())
        .collect())
}

/// The tensor that a flag means; with `many`, the tensors one behind the other in its file.
fn input(what: &str, info: &TensorInfo, many: bool) -> Result<Vec<Tensor>, CliError> {
    let bad = |reason: String| ModelCliError::Tensor {
        what: what.to_owned(),
        reason,
    };
    if what.trim_start().starts_with('[') {
        return Ok(vec![tensor::from_json(what.as_bytes(), info).map_err(bad)?]);
    }
    let bytes = read(Path::new(what))?;
    let elements: u64 = info.shape.iter().map(|d| u64::from(*d)).product();
    let size = usize::try_from(elements).unwrap_or(usize::MAX);
    let size = size.saturating_mul(info.ty.size());
    let tensor = if what.ends_with(".npy") {
        tensor::from_npy(&bytes).map_err(bad)?
    } else if what.ends_with(".json") {
        tensor::from_json(&bytes, info).map_err(bad)?
    } else if many && size > 0 && bytes.len() > size && bytes.len() % size == 0 {
        return Ok(split(&bytes, size, info));
    } else {
        Tensor::new(info.ty, info.shape.clone(), bytes).map_err(|error| bad(error.to_string()))?
    };
    if tensor.ty == info.ty && tensor.shape == info.shape {
        return Ok(vec![tensor]);
    }
    // An axis in front, or a longer first one.
    let rows = [&info.shape[..], info.shape.get(1..).unwrap_or_default()];
    let single = info.shape.first() == Some(&1);
    let several =
        tensor.shape.get(1..) == Some(rows[0]) || single && tensor.shape.get(1..) == Some(rows[1]);
    if many && tensor.ty == info.ty && several && size > 0 {
        return Ok(split(&tensor.data, size, info));
    }
    Err(bad(format!(
        "it is {}{:?}, but input `{}` is {}{:?}",
        tensor.ty, tensor.shape, info.name, info.ty, info.shape
    ))
    .into())
}

fn split(bytes: &[u8], size: usize, info: &TensorInfo) -> Vec<Tensor> {
    let chunks = bytes.chunks_exact(size);
    chunks
        .map(|data| Tensor {
            ty: info.ty,
            shape: info.shape.clone(),
            data: data.to_vec(),
        })
        .collect()
}
