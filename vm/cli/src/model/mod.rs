//! `aivm model`: neural networks by themselves, without a contract.

pub mod args;
mod dispute;
pub mod error;
mod inputs;
mod inspect;
mod load;
mod manifest;
mod quantize;
mod run;
mod tensor;

use args::ModelCommand;

use crate::error::CliError;

/// Runs a command; false when its answer is "no".
pub fn model(command: &ModelCommand, json: bool) -> Result<bool, CliError> {
    match command {
        ModelCommand::Inspect(args) => inspect::inspect(args, json),
        ModelCommand::Quote(args) => inspect::quote(args, json),
        ModelCommand::Manifest(args) => manifest::manifest(args),
        ModelCommand::Verify(args) => manifest::verify(args, json),
        ModelCommand::Quantize(args) => quantize::quantize(args, json),
        ModelCommand::Run(args) => run::run(args, json),
        ModelCommand::Trace(args) => run::trace(args, json),
        ModelCommand::Dispute(args) => dispute::dispute(args, json),
        ModelCommand::VerifyTile(args) => dispute::verify_tile(args, json),
    }
}
