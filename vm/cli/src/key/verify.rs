//! `aivm key verify`.

use aivm_abi::Printable;
use aivm_abi::transaction::{Action, Envelope, Expectation, Payload};
use aivm_crypto::envelope;
use aivm_crypto::keyfile::KeyFile;
use serde_json::{Value, json};

use super::args::VerifyArgs;
use super::{file_error, passphrase, scheme};
use crate::error::CliError;
use crate::output;
use crate::world::read;

/// Checks an envelope as a node would; false when it is refused.
pub fn verify(args: &VerifyArgs, json: bool) -> Result<bool, CliError> {
    let bytes = read(&args.envelope)?;
    let envelope = Envelope::from_canonical_bytes(&bytes).map_err(|source| CliError::Envelope {
        path: args.envelope.clone(),
        source,
    })?;
    let mut schemes = Expectation::default_schemes();
    for name in &args.accept {
        schemes.insert(scheme(name)?);
    }
    let verdict = envelope::verify(
        &envelope,
        &Expectation {
            chain_id: args.chain,
            network: &args.network,
            height: args.height,
            next_nonce: args.nonce,
            schemes: &schemes,
        },
    );
    let transaction = &envelope.transaction;
    let action = match (&transaction.payload, &args.open) {
        (Payload::Open(action), _) => Some(action.clone()),
        // What nobody is known to have signed stays closed.
        (Payload::Sealed(_), Some(path)) if verdict.is_ok() => {
            let passphrase = passphrase(&args.passphrase)?;
            let keys = KeyFile::open(path, &passphrase).map_err(|error| file_error(path, error))?;
            let key = keys
                .opening
                .ok_or_else(|| CliError::CannotOpen(path.clone()))?;
            Some(key.open(transaction)?)
        }
        (Payload::Sealed(_), _) => None,
    };
    if json {
        output::print(&json!({
            "valid": verdict.is_ok(),
            "code": verdict.as_ref().err().map(envelope::VerifyError::code),
            "reason": verdict.as_ref().err().map(ToString::to_string),
            "id": envelope.id(),
            "from": transaction.from,
            "network": transaction.network,
            "nonce": transaction.nonce,
            "expires_at": transaction.expires_at,
            "gas_limit": transaction.gas_limit,
            "value": transaction.value.to_string(),
            "signers": envelope.signers.iter().map(|signer| signer.scheme.name()).collect::<Vec<_>>(),
            "action": action.as_ref().map(action_json),
        }));
    } else {
        match &verdict {
            Ok(()) => println!("valid    {}", envelope.id()),
            Err(error) => {
                let reason = error.to_string();
                println!("refused  {} (code {})", Printable(&reason), error.code());
            }
        }
        println!("from     {}", transaction.from);
        let network = Printable(&transaction.network);
        println!("network  {network}, chain {}", transaction.chain_id);
        println!("nonce    {}", transaction.nonce);
        println!("expires  after height {}", transaction.expires_at);
        println!("value    {}", transaction.value.to_decimal());
        println!("gas      {}", transaction.gas_limit);
        for signer in &envelope.signers {
            println!("signed   {}", signer.scheme.name());
        }
        match &action {
            None if verdict.is_err() => println!("action   sealed; a refused one is not opened"),
            None => println!("action   sealed; give --open and a key file to read it"),
            Some(Action::Call { to, input }) => {
                println!("action   call {to} with 0x{}", hex::encode(input));
            }
            Some(Action::Deploy { code, input, .. }) => {
                println!("action   deploy {code} with 0x{}", hex::encode(input));
            }
        }
    }
    Ok(verdict.is_ok())
}

fn action_json(action: &Action) -> Value {
    match action {
        Action::Call { to, input } => {
            json!({ "kind": "call", "to": to, "input": format!("0x{}", hex::encode(input)) })
        }
        Action::Deploy { code, salt, input } => json!({
            "kind": "deploy",
            "code": code,
            "salt": salt.map(hex::encode),
            "input": format!("0x{}", hex::encode(input)),
        }),
    }
}
