//! `aivm model manifest` and `aivm model verify`.

use aivm_abi::Printable;
use aivm_nn::{About, Manifest};
use serde_json::json;

use super::args::{ManifestArgs, VerifyArgs};
use super::error::ModelCliError;
use super::load;
use crate::error::CliError;
use crate::output;

/// Prints a manifest.
pub fn manifest(args: &ManifestArgs) -> Result<bool, CliError> {
    let bindings = load::bindings(&args.file)?;
    let model = load::model_with(&args.file.model, &bindings)?;
    let about = About {
        id: args.id.clone(),
        version: args.version.clone(),
        author: args.author.clone(),
        licence: args.licence.clone(),
        description: args.description.clone(),
    };
    let manifest = Manifest::of(&model, &bindings, &about);
    manifest.check().map_err(ModelCliError::About)?;
    output::print(&json!(manifest));
    Ok(true)
}

/// Compares a manifest with its model; false where they differ.
pub fn verify(args: &VerifyArgs, json: bool) -> Result<bool, CliError> {
    let manifest = load::manifest(&args.manifest)?;
    let bindings = manifest.to_bindings().map_err(ModelCliError::About)?;
    let model = load::model_with(&args.model, &bindings)?;
    let differences = manifest.compare(&model);
    if json {
        output::print(&json!({
            "valid": differences.is_empty(),
            "hash": hex::encode(model.hash()),
            "differences": differences,
        }));
    } else if differences.is_empty() {
        println!(
            "{} {} is {}",
            manifest.id,
            manifest.version,
            hex::encode(model.hash())
        );
    } else {
        for d in &differences {
            println!(
                "{}: the manifest says {}, the model has {}",
                d.field,
                Printable(&d.manifest),
                Printable(&d.model)
            );
        }
    }
    Ok(differences.is_empty())
}
