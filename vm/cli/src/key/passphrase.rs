//! Where a passphrase comes from: a file, the environment, or the terminal.

use std::io::IsTerminal;

use zeroize::Zeroizing;

use super::args::PassphraseArgs;
use crate::error::CliError;

const VARIABLE: &str = "AIVM_PASSPHRASE";

fn given(args: &PassphraseArgs) -> Result<Option<Zeroizing<String>>, CliError> {
    if let Some(path) = &args.passphrase_file {
        let text = std::fs::read_to_string(path).map_err(|source| CliError::File {
            path: path.clone(),
            source,
        })?;
        let text = Zeroizing::new(text);
        let line = text.lines().next().unwrap_or_default();
        return Ok(Some(Zeroizing::new(line.to_owned())));
    }
    Ok(std::env::var(VARIABLE).ok().map(Zeroizing::new))
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::NoPassphrase);
    }
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|_| CliError::NoPassphrase)
}

/// The passphrase of an existing file.
pub fn passphrase(args: &PassphraseArgs) -> Result<Zeroizing<String>, CliError> {
    match given(args)? {
        Some(passphrase) => Ok(passphrase),
        None => ask("Passphrase: "),
    }
}

/// A passphrase for a new file: not empty, and typed twice at a terminal.
pub fn new_passphrase(args: &PassphraseArgs) -> Result<Zeroizing<String>, CliError> {
    let passphrase = match given(args)? {
        Some(passphrase) => passphrase,
        None => {
            let first = ask("New passphrase: ")?;
            if *ask("Once more: ")? != *first {
                return Err(CliError::PassphrasesDiffer);
            }
            first
        }
    };
    if passphrase.is_empty() {
        return Err(CliError::EmptyPassphrase);
    }
    Ok(passphrase)
}
