//! Models from files, with what the flags decide about them.

use std::path::Path;

use aivm_nn::{Bindings, Manifest, Model, ModelError, ModelLimits};

use super::args::FileArgs;
use super::error::ModelCliError;
use super::tensor;
use crate::error::CliError;
use crate::world::read;

/// Splits `name=value` at the first equals sign.
pub fn pair<'a>(
    flag: &'static str,
    form: &'static str,
    text: &'a str,
) -> Result<(&'a str, &'a str), ModelCliError> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| binding(flag, form, text))
}

/// The error of a flag that cannot be read.
pub fn binding(flag: &'static str, form: &'static str, text: &str) -> ModelCliError {
    ModelCliError::Binding {
        flag,
        text: text.to_owned(),
        form,
    }
}

/// What the flags decide.
pub fn bindings(args: &FileArgs) -> Result<Bindings, CliError> {
    let mut bindings = Bindings::default();
    for text in &args.dimensions {
        let form = "NAME=NUMBER";
        let (name, number) = pair("dim", form, text)?;
        let number = number.parse().map_err(|_| binding("dim", form, text))?;
        bindings.dimensions.insert(name.to_owned(), number);
    }
    for text in &args.shapes {
        let form = "INPUT=1,2,3";
        let (name, shape) = pair("shape", form, text)?;
        let dims = shape.split(',').filter(|dim| !dim.is_empty());
        let shape = dims
            .map(|dim| dim.trim().parse())
            .collect::<Result<Vec<u32>, _>>()
            .map_err(|_| binding("shape", form, text))?;
        bindings.shapes.insert(name.to_owned(), shape);
    }
    for text in &args.constants {
        let (name, file) = pair("constant", "INPUT=FILE.npy", text)?;
        let bytes = read(Path::new(file))?;
        let tensor = tensor::from_npy(&bytes).map_err(|reason| ModelCliError::Tensor {
            what: file.to_owned(),
            reason,
        })?;
        bindings.constants.insert(name.to_owned(), tensor);
    }
    Ok(bindings)
}

/// The model of a file; the inner error is a refusal.
pub fn try_model(path: &Path, bindings: &Bindings) -> Result<Result<Model, ModelError>, CliError> {
    let bytes = read(path)?;
    Ok(Model::from_onnx_with(
        &bytes,
        &ModelLimits::default(),
        bindings,
    ))
}

/// The model of a file.
pub fn model_with(path: &Path, bindings: &Bindings) -> Result<Model, CliError> {
    try_model(path, bindings)?.map_err(|source| {
        let source = Box::new(source);
        let path = path.to_owned();
        ModelCliError::Model { path, source }.into()
    })
}

/// The model that the flags name.
pub fn model(args: &FileArgs) -> Result<Model, CliError> {
    model_with(&args.model, &bindings(args)?)
}

/// The manifest of a file.
pub fn manifest(path: &Path) -> Result<Manifest, CliError> {
    let bytes = read(path)?;
    Manifest::from_json(&bytes).map_err(|source| {
        let path = path.to_owned();
        ModelCliError::Manifest { path, source }.into()
    })
}
