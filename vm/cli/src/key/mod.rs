//! `aivm key`.

pub mod args;
mod passphrase;
mod sign;
mod verify;

use std::path::Path;

use aivm_abi::Address;
use aivm_abi::host::crypto::{Kem, SignatureScheme};
use aivm_abi::transaction::{Level, Signer};
use aivm_crypto::keyfile::{Effort, KeyFile, KeyFileError, public_keys};
use aivm_crypto::keys::{Account, SigningKey};
use aivm_crypto::seal::OpeningKey;
use serde_json::json;

use crate::error::CliError;
use crate::output;
use args::{AddressArgs, KeyCommand, NewArgs};
use passphrase::{new_passphrase, passphrase};

/// Runs a key command; false when a transaction does not verify.
pub fn key(command: &KeyCommand, json: bool) -> Result<bool, CliError> {
    match command {
        KeyCommand::New(args) => new(args, json),
        KeyCommand::Address(args) => address(args, json),
        KeyCommand::Sign(args) => sign::sign(args, json),
        KeyCommand::Verify(args) => verify::verify(args, json),
    }
}

/// A scheme by its name.
fn scheme(name: &str) -> Result<SignatureScheme, CliError> {
    let all = || (0..).map_while(SignatureScheme::from_index);
    all().find(|scheme| scheme.name() == name).ok_or_else(|| {
        let names: Vec<&str> = all().map(SignatureScheme::name).collect();
        CliError::Scheme {
            name: name.to_owned(),
            known: names.join(", "),
        }
    })
}

fn file_error(path: &Path, source: KeyFileError) -> CliError {
    CliError::KeyFile {
        path: path.to_owned(),
        source: Box::new(source),
    }
}

fn new(args: &NewArgs, json: bool) -> Result<bool, CliError> {
    if args.file.exists() {
        let exists = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(file_error(&args.file, exists.into()));
    }
    let level = Level::from(args.level);
    let account = if args.schemes.is_empty() {
        Account::generate(level)
    } else {
        let schemes: Vec<_> = args
            .schemes
            .iter()
            .map(|name| scheme(name))
            .collect::<Result<_, _>>()?;
        Account::new(schemes.into_iter().map(SigningKey::generate).collect())?
    };
    let kems: &[Kem] = match level {
        Level::Basic => &[],
        Level::Military => &[Kem::Mlkem1024, Kem::Mceliece348864],
        _ => &[Kem::Mlkem768],
    };
    let opening = match kems {
        [] => None,
        kems => Some(OpeningKey::generate(kems)?),
    };
    let keys = KeyFile { account, opening };
    let passphrase = new_passphrase(&args.passphrase)?;
    keys.create(&args.file, &passphrase, Effort::default())
        .map_err(|error| file_error(&args.file, error))?;
    let address = keys.account.address();
    if json {
        output::print(&json!({ "file": args.file.display().to_string(), "address": address }));
    } else {
        println!("wrote    {}", args.file.display());
        println!("address  {address}");
        println!("Keep a copy of the file and the passphrase: without both the account is lost.");
    }
    Ok(true)
}

fn address(args: &AddressArgs, json: bool) -> Result<bool, CliError> {
    let keys = public_keys(&args.file).map_err(|error| file_error(&args.file, error))?;
    let signers: Vec<Signer> = keys
        .iter()
        .filter_map(|(name, key)| {
            Some(Signer {
                scheme: scheme(name).ok()?,
                key: key.clone(),
                signature: Vec::new(),
            })
        })
        .collect();
    let address = Address::from_signers(&signers)
        .to_bech32m(&args.prefix)
        .map_err(|source| CliError::Address {
            text: args.prefix.clone(),
            source,
        })?;
    if json {
        let keys: Vec<_> = keys
            .iter()
            .map(|(name, key)| json!({ "algorithm": name, "key": hex::encode(key) }))
            .collect();
        output::print(&json!({ "address": address, "keys": keys }));
    } else {
        println!("{address}");
        for (name, key) in keys {
            println!("  {name:<16} {} bytes, BLAKE3 {}", key.len(), short(&key));
        }
    }
    Ok(true)
}

/// The first 16 digits of a key's hash: enough to tell two keys apart.
fn short(key: &[u8]) -> String {
    blake3::hash(key).to_hex().chars().take(16).collect()
}
