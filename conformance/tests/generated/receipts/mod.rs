//! Canonical bytes of receipts, transactions and addresses.

mod address;
mod receipt;
mod transaction;

use aivm::Digest;
use aivm_conformance::action::{Action, Format, Hex};
use aivm_conformance::outcome::Claim;

use super::draft::{Draft, File};

pub fn files() -> Vec<File> {
    vec![receipt::file(), transaction::file(), address::file()]
}

/// Reads bytes.
fn read(name: impl Into<String>, rule: &str, what: Format, bytes: &[u8], claim: Claim) -> Draft {
    let bytes = Hex(bytes.to_vec());
    Draft::new(name, rule).step(Action::Read { what, bytes }, claim)
}

fn is_read(bytes: &[u8]) -> Claim {
    Claim {
        hash: Some(Digest(*blake3::hash(bytes).as_bytes())),
        ..Claim::default()
    }
}
