//! Transactions, and bytes that are none.

use aivm::{Address, Digest, Word};
use aivm_abi::host::crypto::SignatureScheme;
use aivm_abi::transaction::{Action, Envelope, Level, Payload, Signer, Transaction};
use aivm_conformance::action::Format;
use aivm_conformance::outcome::Claim;

use super::super::draft::File;
use super::{is_read, read};

fn transaction(n: u8) -> Transaction {
    Transaction {
        chain_id: 7,
        network: "main".to_owned(),
        from: Address([n; 20]),
        nonce: u64::from(n),
        expires_at: 1_000,
        gas_limit: 1 << n,
        value: Word::from(u64::from(n)),
        payload: Payload::Open(match n % 2 {
            0 => Action::Call {
                to: Address([2; 20]),
                input: vec![n; usize::from(n)],
            },
            _ => Action::Deploy {
                code: Digest([3; 32]),
                salt: (n % 4 == 1).then_some([4; 32]),
                input: vec![n; 3],
            },
        }),
    }
}

pub fn file() -> File {
    let mut file = File::new(
        "receipts",
        "transactions",
        "The bytes were written by the codec whose layout docs/transactions.md describes, and are pinned here: an implementation of the document must read them; what is changed in them follows from the vector's rule.",
    );
    let envelope = |n: u8| Envelope {
        transaction: transaction(n),
        level: Level::Basic,
        signers: vec![Signer {
            scheme: SignatureScheme::Mldsa65,
            key: vec![5; 10],
            signature: vec![6; 20],
        }],
    };
    for n in 0..12 {
        let bytes = envelope(n).to_canonical_bytes();
        file.push(read(
            format!("transaction {n}"),
            "The canonical bytes of a transaction are read, and written the same.",
            Format::Transaction,
            &bytes,
            is_read(&bytes),
        ));
    }
    let bytes = envelope(2).to_canonical_bytes();
    for length in [bytes.len() - 1, bytes.len() - 25, bytes.len() / 2, 40] {
        file.push(read(
            format!("the first {length} bytes of a transaction"),
            "A transaction that is cut short is refused.",
            Format::Transaction,
            &bytes[..length],
            Claim::refused("truncated"),
        ));
    }
    file.push(read(
        "a byte behind a transaction",
        "Nothing may follow a transaction.",
        Format::Transaction,
        &[&bytes[..], &[0]].concat(),
        Claim::refused("trailing"),
    ));
    file.push(read(
        "a transaction as a receipt",
        "A receipt begins with its magic.",
        Format::Receipt,
        &bytes,
        Claim::refused("magic"),
    ));
    let mut twice = envelope(2);
    twice.signers.push(twice.signers[0].clone());
    file.push(read(
        "two signatures of one scheme",
        "Signatures ascend by scheme, one of each at most.",
        Format::Transaction,
        &twice.to_canonical_bytes(),
        Claim::refused("not-canonical"),
    ));
    file
}
