//! Why a command did not work.

use std::path::PathBuf;

/// Something the user can mend, with a hint where there is one.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// Something else than a contract's module.
    #[error(
        "{} is no Wasm module in binary form; `synqc build` makes one from SynQ, and `wat2wasm` from text",
        .0.display()
    )]
    NoModule(PathBuf),
    /// Neither hexadecimal nor, for want of an ABI, anything else.
    #[error(
        "`{text}` is not hexadecimal; to call functions by name, give the contract's {}",
        match .beside {
            Some(path) => format!("ABI: --abi {}", path.display()),
            None => "--abi".to_owned(),
        }
    )]
    NeedsAbi {
        /// What was given.
        text: String,
        /// The file that is likely to be meant.
        beside: Option<PathBuf>,
    },
    /// Something else than an ABI.
    #[error("{path}: {source}; `synqc build` writes a contract's ABI beside its module")]
    Abi {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: aivm_abi::calldata::CalldataError,
    },
    /// The ABI does not fit the call.
    #[error(transparent)]
    Calldata(#[from] aivm_abi::calldata::CalldataError),
    /// An address that cannot be read.
    #[error("`{text}` is not an address, syn1... or 0x and 40 digits: {source}")]
    Address {
        /// What was given.
        text: String,
        /// Why not.
        source: aivm_abi::AddressError,
    },
    /// The VM refused, or failed.
    #[error("{}{}", chain(.0), hint(.0))]
    Vm(#[from] aivm::Error),
    /// The chain's database failed.
    #[error("{}", chain(.0))]
    Host(#[from] aivm::HostError),
    /// A file that is no database of a chain.
    #[error("{path}: {}", chain(.source))]
    State {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: aivm::HostError,
    },
    /// A module that is refused.
    #[error("{path}: {}", chain(.source))]
    Module {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<aivm::Error>,
    },
    /// A file that is no model for a chain.
    #[error("{path}: {}", chain(.source))]
    Onnx {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<aivm::Error>,
    },
    /// The constructor did not return.
    #[error(
        "the constructor ended with {status}: {reason}{}{}",
        if *.no_arguments { "; if it takes arguments, give them with --init" } else { "" },
        lines(.at)
    )]
    Constructor {
        /// How.
        status: aivm::Status,
        /// Why.
        reason: String,
        /// Where in its code.
        at: Vec<String>,
        /// It got no arguments, and did not say that something else was wrong.
        no_arguments: bool,
    },
    /// Arguments that are not the constructor's.
    #[error("{0}; the constructor's arguments are given with --init")]
    Init(aivm_abi::calldata::CalldataError),
    /// Neither of what can be looked into.
    #[error("{path} is neither a Wasm module in binary form nor a transcript: {source}")]
    Unknown {
        /// The file.
        path: PathBuf,
        /// Why it is no transcript.
        source: aivm_abi::DecodeError,
    },
    /// A transcript that cannot be read.
    #[error("{path}: {source}")]
    Transcript {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: aivm_abi::DecodeError,
    },
    /// A transcript whose frames are not those of its hash.
    #[error(
        "{}: its frames do not have the hash that it states; it is damaged, or not what a node recorded",
        .0.display()
    )]
    Frames(PathBuf),
    /// A key file that cannot be written or read.
    #[error("{path}: {source}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<aivm_crypto::keyfile::KeyFileError>,
    },
    /// Keys that do not fit.
    #[error(transparent)]
    Key(#[from] aivm_crypto::keys::KeyError),
    /// An action that cannot be sealed or opened.
    #[error(transparent)]
    Seal(#[from] aivm_crypto::seal::SealError),
    /// An envelope that cannot be read.
    #[error("{path} is not a signed transaction: {source}")]
    Envelope {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: aivm_abi::DecodeError,
    },
    /// A name that stands for no signature scheme.
    #[error("there is no scheme `{name}`; known are {known}")]
    Scheme {
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
    /// A flag that wants hexadecimal.
    #[error("{flag}: `{text}` is not hexadecimal of the right length")]
    Hexadecimal {
        /// The flag.
        flag: &'static str,
        /// What was given.
        text: String,
    },
    /// Nobody to seal to.
    #[error(
        "this level seals the action: give --seal-to and the key file of the one who may read it"
    )]
    NoRecipient,
    /// A recipient at a level that seals nothing.
    #[error(
        "level basic leaves the action readable by all; to seal it, give --level enhanced or higher"
    )]
    SealsNothing,
    /// The level promises what the transaction does not have.
    #[error("{source}; `aivm key new --level {level}` makes an account with the keys for it")]
    Level {
        /// The level, as its flag has it.
        level: &'static str,
        /// What is missing.
        source: aivm_abi::transaction::CheckError,
    },
    /// The output would take the place of an input.
    #[error("{} is read by this command and would be written over; give another file", .0.display())]
    Input(PathBuf),
    /// The output would take the place of keys.
    #[error("{0} holds keys, which writing to it would destroy; give another file")]
    HoldsKeys(PathBuf),
    /// The key file has no keys that open.
    #[error("{0} has no keys that open; `aivm key new --level enhanced` makes some")]
    CannotOpen(PathBuf),
    /// No passphrase, and nobody to ask.
    #[error("no passphrase: set AIVM_PASSPHRASE, give --passphrase-file, or run in a terminal")]
    NoPassphrase,
    /// Typed differently the second time.
    #[error("the two passphrases differ")]
    PassphrasesDiffer,
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// A model, or what belongs to one.
    #[error(transparent)]
    Model(#[from] crate::model::error::ModelCliError),
    /// There is nothing to do.
    #[error("there is no --call to {0}")]
    NoCall(&'static str),
}

/// How an error of the VM is mended, where a flag does it.
fn hint(error: &aivm::Error) -> &'static str {
    match error {
        aivm::Error::GasLimitTooLow { .. } => "; --gas allows more",
        aivm::Error::InsufficientBalance { .. } => "; --value sends less",
        _ => "",
    }
}

/// Places in code, each on a line of its own.
fn lines(at: &[String]) -> String {
    at.iter().map(|place| format!("\n  at {place}")).collect()
}

/// An error and what caused it. Some errors tell their cause themselves.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::CliError;
    use aivm::HostError;

    #[test]
    fn causes_are_told_once() {
        let host = || {
            let disk = std::io::Error::other("the disk is gone");
            HostError::with_source("the state database failed", disk)
        };
        let told = CliError::Vm(aivm::Error::Host(host())).to_string();
        assert_eq!(
            told,
            "the host failed: the state database failed: the disk is gone"
        );
        let told = CliError::Vm(aivm::Error::Committed(host())).to_string();
        assert_eq!(
            told,
            "the effects are committed, but the host has no state root: \
             the state database failed: the disk is gone"
        );
        let plain = CliError::Vm(aivm::Error::Engine("out of memory".into()));
        assert_eq!(plain.to_string(), "the engine failed: out of memory");
    }
}
