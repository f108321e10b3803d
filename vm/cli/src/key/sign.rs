//! `aivm key sign`.

use aivm::{Digest, Word};
use aivm_abi::Address;
use aivm_abi::host::crypto::Kem;
use aivm_abi::transaction::{Action, Level, Payload, Transaction};
use aivm_crypto::keyfile::{KeyFile, public_keys};
use aivm_crypto::seal::Recipient;
use serde_json::json;

use super::args::SignArgs;
use super::{file_error, passphrase};
use crate::error::CliError;
use crate::output;
use crate::world::write;

fn hexadecimal(flag: &'static str, text: &str) -> Result<Vec<u8>, CliError> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|_| CliError::Hexadecimal {
        flag,
        text: text.to_owned(),
    })
}

fn action(args: &SignArgs) -> Result<Action, CliError> {
    let input = hexadecimal("--input", &args.input)?;
    if let Some(code) = &args.deploy {
        let salt = match &args.salt {
            None => None,
            Some(text) => {
                let bytes = hexadecimal("--salt", text)?;
                Some(bytes.try_into().map_err(|_| CliError::Hexadecimal {
                    flag: "--salt, 32 bytes",
                    text: text.clone(),
                })?)
            }
        };
        let code: Digest = code.parse().map_err(|_| CliError::Hexadecimal {
            flag: "--deploy, a hash of 32 bytes",
            text: code.clone(),
        })?;
        return Ok(Action::Deploy { code, salt, input });
    }
    // Clap asks for one of the two.
    let text = args.to.clone().unwrap_or_default();
    let to: Address = text
        .parse()
        .map_err(|source| CliError::Address { text, source })?;
    Ok(Action::Call { to, input })
}

fn recipient(args: &SignArgs) -> Result<Recipient, CliError> {
    let path = args.seal_to.as_ref().ok_or(CliError::NoRecipient)?;
    let keys = public_keys(path).map_err(|error| file_error(path, error))?;
    let kems = keys.into_iter().filter_map(|(name, key)| {
        let mut all = (0..).map_while(Kem::from_index);
        Some((all.find(|kem| kem.name() == name)?, key))
    });
    let kems: Vec<_> = kems.collect();
    if kems.is_empty() {
        return Err(CliError::CannotOpen(path.clone()));
    }
    Ok(Recipient::new(kems)?)
}

/// Signs a transaction and writes its envelope.
pub fn sign(args: &SignArgs, json: bool) -> Result<bool, CliError> {
    // Not a pipe or a terminal, which reading would wait for.
    if args.output.is_file() && public_keys(&args.output).is_ok() {
        return Err(CliError::HoldsKeys(args.output.clone()));
    }
    let level = Level::from(args.level);
    let recipient = match (level, &args.seal_to) {
        (Level::Basic, Some(_)) => return Err(CliError::SealsNothing),
        (Level::Basic, None) => None,
        _ => Some(recipient(args)?),
    };
    let action = action(args)?;
    let passphrase = passphrase(&args.passphrase)?;
    let keys =
        KeyFile::open(&args.file, &passphrase).map_err(|error| file_error(&args.file, error))?;
    let mut transaction = Transaction {
        chain_id: args.chain,
        network: args.network.clone(),
        from: keys.account.address(),
        nonce: args.nonce,
        expires_at: args.expires,
        gas_limit: args.gas,
        value: Word::from(args.value),
        payload: Payload::Open(action),
    };
    if let Some(recipient) = recipient {
        transaction.payload = Payload::Sealed(recipient.seal(&transaction, level)?);
    }
    let envelope = keys.account.sign(transaction, level)?;
    envelope.check_level().map_err(|source| CliError::Level {
        level: args.level.name(),
        source,
    })?;
    let bytes = envelope.to_canonical_bytes();
    write(&args.output, &bytes)?;
    let (id, from) = (envelope.id(), envelope.transaction.from);
    if json {
        let file = args.output.display().to_string();
        output::print(&json!({ "id": id, "from": from, "file": file, "bytes": bytes.len() }));
    } else {
        println!("wrote    {}, {} bytes", args.output.display(), bytes.len());
        println!("id       {id}");
        println!("from     {from}");
    }
    Ok(true)
}
