//! What a transaction may be, and what it does.

use aivm::{BlockPqGas, Call, Deploy, MemoryHost, Receipt, Vm};
use aivm_abi::transaction::{Action, Envelope, Expectation, Payload};
use aivm_crypto::envelope::verify;

use super::chain::{CHAIN, NETWORK, Outcome};

// ANCHOR: check
/// What a transaction wants, if it may be in the block at `height`: chain, nonce, expiry, signature.
pub fn check(envelope: &Envelope, height: u64, next_nonce: u64) -> Outcome<&Action> {
    let expect = Expectation {
        chain_id: CHAIN,
        network: NETWORK,
        height,
        next_nonce,
        schemes: &Expectation::default_schemes(),
    };
    verify(envelope, &expect)?;
    match &envelope.transaction.payload {
        Payload::Open(action) => Ok(action),
        // A chain that takes sealed transactions opens them here with its key.
        Payload::Sealed(_) => Err("this chain opens no sealed transactions".into()),
    }
}
// ANCHOR_END: check

// ANCHOR: execute
/// Runs a transaction that was checked.
pub fn execute(
    vm: &Vm,
    host: &mut MemoryHost,
    envelope: &Envelope,
    action: &Action,
    block: &mut BlockPqGas,
) -> Result<Receipt, aivm::Error> {
    let sent = &envelope.transaction;
    match action {
        Action::Deploy { code, salt, input } => {
            let deploy = Deploy::new(sent.from, code.0, input.as_slice())
                .with_salt(salt.unwrap_or_default())
                .with_value(sent.value)
                .with_gas_limit(sent.gas_limit)
                .with_tx_hash(envelope.id().0);
            Ok(vm.deploy_in_block(host, &deploy, block)?.receipt)
        }
        Action::Call { to, input } => {
            let call = Call::new(sent.from, *to, input.as_slice())
                .with_value(sent.value)
                .with_gas_limit(sent.gas_limit)
                .with_tx_hash(envelope.id().0);
            vm.call_in_block(host, &call, block)
        }
    }
}
// ANCHOR_END: execute
