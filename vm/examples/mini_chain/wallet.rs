//! What is not the chain: signing transactions, compiling a contract.

use std::path::Path;

use aivm::Word;
use aivm_abi::calldata::JsonAbi;
use aivm_abi::transaction::{Action, Level, Payload, Transaction};
use aivm_crypto::keys::Account;
use synq_compiler::{FolderLoader, Options, compile};

use super::chain::{CHAIN, NETWORK, Outcome};

/// Signs a transaction with a nonce of its account.
pub fn signed(account: &Account, nonce: u64, action: Action) -> Outcome<Vec<u8>> {
    signed_payload(account, nonce, Payload::Open(action))
}

/// The same, whether it is sealed or not.
pub fn signed_payload(account: &Account, nonce: u64, payload: Payload) -> Outcome<Vec<u8>> {
    let transaction = Transaction {
        chain_id: CHAIN,
        network: NETWORK.into(),
        from: account.address(),
        nonce,
        expires_at: 100,
        gas_limit: 5_000_000,
        value: Word::ZERO,
        payload,
    };
    Ok(account
        .sign(transaction, Level::Basic)?
        .to_canonical_bytes())
}

/// The counter of the examples, compiled: its code and its ABI.
pub fn counter() -> Outcome<(Vec<u8>, JsonAbi)> {
    let folder = FolderLoader::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"));
    let output = compile("counter.synq", &folder, &Options::new());
    let output = output.map_err(|errors| errors.render(false))?;
    let contract = output.contracts.first().ok_or("no contract")?;
    Ok((contract.wasm.clone(), contract.abi.clone()))
}
