//! Why a command on a model did not work.

use std::path::PathBuf;

/// Something the user can mend.
#[derive(Debug, thiserror::Error)]
pub enum ModelCliError {
    /// The file is no model, or one that is refused.
    #[error("{path}: {source}{}", hint(.source))]
    Model {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<aivm_nn::ModelError>,
    },
    /// A binding that cannot be read.
    #[error("--{flag} `{text}`: write it as {form}")]
    Binding {
        /// The flag.
        flag: &'static str,
        /// What was given.
        text: String,
        /// How to write it.
        form: &'static str,
    },
    /// The wrong number of inputs.
    #[error("the model takes {expected} inputs ({names}), found {found}; give each with --input")]
    Inputs {
        /// Inputs of the model.
        expected: usize,
        /// Their names.
        names: String,
        /// Inputs given.
        found: usize,
    },
    /// No input of that name.
    #[error("the model has no input `{name}`; it has {names}")]
    NoInput {
        /// What was given.
        name: String,
        /// The model's.
        names: String,
    },
    /// Inputs of different numbers for calibration.
    #[error(
        "input `{first}` has {samples} calibration tensors, `{other}` has {found}; give as many of each"
    )]
    Uneven {
        /// The first input.
        first: String,
        /// Its tensors.
        samples: usize,
        /// Another one.
        other: String,
        /// Its tensors.
        found: usize,
    },
    /// A model that cannot be quantised.
    #[error("{path}: {source}{}", quantize_hint(.source))]
    Quantize {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<aivm_nn::quantize::QuantizeError>,
    },
    /// An input given twice.
    #[error("input `{0}` is given twice")]
    Twice(String),
    /// A tensor that cannot be read.
    #[error("`{what}`: {reason}")]
    Tensor {
        /// Where it comes from.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// The model could not run.
    #[error(transparent)]
    Run(#[from] aivm_nn::RunError),
    /// A manifest that cannot be read.
    #[error("{path}: {source}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: aivm_nn::ManifestError,
    },
    /// What the flags say cannot be in a manifest.
    #[error("the manifest would not be valid: {0}")]
    About(#[source] aivm_nn::ManifestError),
    /// A trace that cannot be read or used.
    #[error("{path}: {source}")]
    Trace {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: aivm_nn::trace::TraceError,
    },
    /// The trace has another root.
    #[error("{path} has the root {found}, not {expected}")]
    Root {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: String,
        /// What was asked for.
        expected: String,
    },
    /// A gas schedule that cannot be read.
    #[error("{path}: not a gas schedule: {reason}")]
    Schedule {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

fn quantize_hint(error: &aivm_nn::quantize::QuantizeError) -> &'static str {
    use aivm_nn::quantize::QuantizeError;
    match error {
        QuantizeError::NoCalibration => {
            "; give some of what the model will see with --input, as for `aivm model run`"
        }
        QuantizeError::AlreadyQuantized(_) => "; `aivm model inspect` shows how it is computed",
        QuantizeError::UnknownTensor(_) => {
            "; names are those of the file, as `aivm model inspect` shows them for inputs and outputs"
        }
        QuantizeError::Model(model) => hint(model),
        _ => "",
    }
}

/// What to do about an error that flags can mend.
fn hint(error: &aivm_nn::ModelError) -> &'static str {
    match error {
        aivm_nn::ModelError::Signature { .. } => {
            "; --dim NAME=NUMBER, --shape INPUT=SHAPE and --constant INPUT=FILE decide what a file leaves open"
        }
        aivm_nn::ModelError::Nodes(_) => "; `aivm model inspect` lists them",
        _ => "",
    }
}
