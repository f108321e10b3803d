//! Canonical bytes of receipts, transactions and addresses.

use aivm::{Address, Digest, TrapCode, Word};
use aivm_abi::host::crypto::SignatureScheme;
use aivm_abi::receipt::{
    Event, GasUsed, Inference, Kind, OutboxMessage, PqcCheck, Receipt, Status,
};
use aivm_abi::transaction::{Action as TxAction, Envelope, Level, Payload, Signer, Transaction};
use aivm_conformance::action::{Action, Format, Hex};
use aivm_conformance::outcome::Claim;

use super::draft::*;

pub fn files() -> Vec<File> {
    vec![receipts(), transactions(), addresses()]
}

fn read(what: Format, bytes: &[u8]) -> Action {
    Action::Read {
        what,
        bytes: Hex(bytes.to_vec()),
    }
}

fn is_read(bytes: &[u8]) -> Claim {
    Claim {
        hash: Some(Digest(*blake3::hash(bytes).as_bytes())),
        ..Claim::default()
    }
}

/// The layout of docs/receipts.md, written here by hand.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u8(mut self, v: u8) -> Self {
        self.0.push(v);
        self
    }
    fn u16(mut self, v: u16) -> Self {
        self.0.extend(v.to_le_bytes());
        self
    }
    fn u32(mut self, v: u32) -> Self {
        self.0.extend(v.to_le_bytes());
        self
    }
    fn u64(mut self, v: u64) -> Self {
        self.0.extend(v.to_le_bytes());
        self
    }
    fn raw(mut self, v: &[u8]) -> Self {
        self.0.extend(v);
        self
    }
    fn bytes(self, v: &[u8]) -> Self {
        self.u32(v.len() as u32).raw(v)
    }
}

fn sample(n: u8) -> Receipt {
    let status = match n % 3 {
        0 => Status::Return,
        1 => Status::Revert,
        _ => Status::Trap(TrapCode::ALL[usize::from(n) % TrapCode::ALL.len()]),
    };
    Receipt {
        chain_id: u64::from(n),
        network: ["", "main", "prüfnetz"][usize::from(n) % 3].to_owned(),
        block_height: 1 << (n % 64),
        block_time: 1_700_000_000 + u64::from(n),
        tx_hash: Digest([n; 32]),
        kind: [Kind::Deploy, Kind::Call, Kind::Query][usize::from(n) % 3],
        caller: Address([n; 20]),
        contract: Address([!n; 20]),
        status,
        gas_limit: u64::MAX >> (n % 64),
        gas: GasUsed {
            execution: 1,
            host: 2,
            storage: 3,
            inference: 4,
            upload: 5,
            pq: u64::from(n),
        },
        output: vec![n; usize::from(n)],
        events: (0..n % 4)
            .map(|i| Event {
                contract: Address([i; 20]),
                topics: vec![Word::from(u64::from(i)); usize::from(i) + 1],
                data: vec![i; 3 * usize::from(i)],
            })
            .collect(),
        state_delta: Digest([7; 32]),
        state_root_before: n.is_multiple_of(2).then_some(Digest([8; 32])),
        state_root_after: n.is_multiple_of(4).then_some(Digest([9; 32])),
        inferences: (0..n % 3)
            .map(|i| Inference {
                model: Digest([i; 32]),
                contract: Address([i; 20]),
                gas: 10,
                macs: 20,
            })
            .collect(),
        pqc: (0..n % 2)
            .map(|i| PqcCheck {
                scheme: "mldsa65".to_owned(),
                contract: Address([i; 20]),
                ok: i == 0,
                gas: 35_000,
            })
            .collect(),
        transcript: Digest([10; 32]),
        inference_trace: n.is_multiple_of(5).then_some(Digest([11; 32])),
        schedule: Digest([12; 32]),
        outbox: (0..u64::from(n % 6 / 4))
            .map(|i| OutboxMessage {
                contract: Address([n; 20]),
                destination: 9,
                sequence: i,
                recipient: vec![n; 20],
                payload: vec![7; usize::from(n)],
            })
            .collect(),
    }
}

/// A receipt's bytes, after docs/receipts.md.
fn canonical(r: &Receipt) -> Vec<u8> {
    let option = |out: Bytes, digest: Option<Digest>| match digest {
        None => out.u8(0),
        Some(digest) => out.u8(1).raw(&digest.0),
    };
    let mut out = Bytes::default()
        .raw(b"AIVM-RECEIPT")
        .u16(1)
        .u64(r.chain_id)
        .bytes(r.network.as_bytes())
        .u64(r.block_height)
        .u64(r.block_time)
        .raw(&r.tx_hash.0)
        .u8(match r.kind {
            Kind::Deploy => 1,
            Kind::Call => 2,
            _ => 3,
        })
        .raw(&r.caller.0)
        .raw(&r.contract.0);
    out = match r.status {
        Status::Return => out.u8(0),
        Status::Revert => out.u8(1),
        Status::Trap(code) => out.u8(2).u32(code.code()),
    };
    let gas = r.gas;
    out = out
        .u64(r.gas_limit)
        .u64(gas.execution)
        .u64(gas.host)
        .u64(gas.storage);
    out = out
        .u64(gas.inference)
        .u64(gas.upload)
        .u64(gas.pq)
        .bytes(&r.output);
    out = out.u32(r.events.len() as u32);
    for event in &r.events {
        out = out.raw(&event.contract.0).u32(event.topics.len() as u32);
        for topic in &event.topics {
            out = out.raw(&topic.to_be_bytes());
        }
        out = out.bytes(&event.data);
    }
    out = out.raw(&r.state_delta.0);
    out = option(out, r.state_root_before);
    out = option(out, r.state_root_after);
    out = out.u32(r.inferences.len() as u32);
    for inference in &r.inferences {
        out = out
            .raw(&inference.model.0)
            .raw(&inference.contract.0)
            .u64(inference.gas)
            .u64(inference.macs);
    }
    out = out.u32(r.pqc.len() as u32);
    for check in &r.pqc {
        out = out
            .bytes(check.scheme.as_bytes())
            .raw(&check.contract.0)
            .u8(u8::from(check.ok))
            .u64(check.gas);
    }
    out = out.raw(&r.transcript.0);
    out = option(out, r.inference_trace);
    out = out.raw(&r.schedule.0);
    // A receipt without messages ends here.
    if !r.outbox.is_empty() {
        out = out.u32(r.outbox.len() as u32);
    }
    for message in &r.outbox {
        out = out.raw(&message.contract.0);
        out = out.u64(message.destination).u64(message.sequence);
        out = out.bytes(&message.recipient).bytes(&message.payload);
    }
    out.0
}

fn receipts() -> File {
    let mut file = File::new(
        "receipts",
        "receipts",
        "The generator writes the layout of docs/receipts.md by hand; what is changed in it follows from the vector's rule.",
    );
    for n in 0..30u8 {
        let bytes = canonical(&sample(n));
        file.push(
            Draft::new(
                format!("receipt {n}"),
                "The canonical bytes of a receipt are read, and written the same.",
            )
            .step(read(Format::Receipt, &bytes), is_read(&bytes)),
        );
    }
    let bytes = canonical(&sample(7));
    let refused = |name: String, rule: &str, bytes: &[u8], code: &str| {
        Draft::new(name, rule).step(read(Format::Receipt, bytes), Claim::refused(code))
    };
    for length in [
        12usize,
        13,
        20,
        30,
        60,
        100,
        150,
        200,
        bytes.len() / 2,
        bytes.len() - 1,
    ] {
        file.push(refused(
            format!("the first {length} bytes of a receipt"),
            "A receipt that is cut short is refused.",
            &bytes[..length],
            "truncated",
        ));
    }
    // What follows is a list of messages, which is left out when there are none.
    for (extra, code) in [
        (1usize, "truncated"),
        (4, "not-canonical"),
        (5, "not-canonical"),
    ] {
        file.push(refused(
            format!("{extra} bytes behind a receipt"),
            "Nothing but messages may follow a receipt.",
            &[&bytes[..], &vec![0; extra]].concat(),
            code,
        ));
    }
    for at in [0usize, 5, 11] {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x20;
        file.push(refused(
            format!("byte {at} of the magic changed"),
            "A receipt begins with its magic.",
            &bytes,
            "magic",
        ));
    }
    for version in [0u16, 2, 256, u16::MAX] {
        let mut bytes = bytes.clone();
        bytes[12..14].copy_from_slice(&version.to_le_bytes());
        file.push(refused(
            format!("receipt version {version}"),
            "Only version 1 is known.",
            &bytes,
            "version",
        ));
    }
    // The kind lies behind magic, version, chain, network, height, time and hash.
    let kind = 14 + 8 + 4 + sample(7).network.len() + 8 + 8 + 32;
    for value in [0u8, 4, 255] {
        let mut bytes = bytes.clone();
        bytes[kind] = value;
        file.push(refused(
            format!("kind {value}"),
            "There are three kinds, from 1.",
            &bytes,
            "tag",
        ));
        bytes = canonical(&sample(7));
        bytes[kind + 41] = value.max(3);
        file.push(refused(
            format!("status {}, kind {value} before", value.max(3)),
            "There are three statuses, from 0.",
            &bytes,
            "tag",
        ));
    }
    let trap = canonical(&sample(2));
    let status = 14 + 8 + 4 + sample(2).network.len() + 8 + 8 + 32 + 41;
    for code in [0u32, 12, 19, 40, u32::MAX] {
        let mut bytes = trap.clone();
        bytes[status + 1..status + 5].copy_from_slice(&code.to_le_bytes());
        file.push(refused(
            format!("trap code {code}"),
            "A number that is no trap code is refused.",
            &bytes,
            "tag",
        ));
    }
    let mut text = canonical(&sample(1));
    text[14 + 8 + 4] = 0xff;
    file.push(refused(
        "a network that is no text".into(),
        "The network's name is UTF-8.",
        &text,
        "utf8",
    ));
    let mut topics = sample(3);
    topics.events[0].topics = vec![Word::ZERO; 5];
    file.push(refused(
        "an event with five topics".into(),
        "An event has four topics at most.",
        &canonical(&topics),
        "too-long",
    ));
    file
}

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
            0 => TxAction::Call {
                to: Address([2; 20]),
                input: vec![n; usize::from(n)],
            },
            _ => TxAction::Deploy {
                code: Digest([3; 32]),
                salt: (n % 4 == 1).then_some([4; 32]),
                input: vec![n; 3],
            },
        }),
    }
}

fn transactions() -> File {
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
        file.push(
            Draft::new(
                format!("transaction {n}"),
                "The canonical bytes of a transaction are read, and written the same.",
            )
            .step(read(Format::Transaction, &bytes), is_read(&bytes)),
        );
    }
    let bytes = envelope(2).to_canonical_bytes();
    for length in [bytes.len() - 1, bytes.len() - 25, bytes.len() / 2, 40] {
        file.push(
            Draft::new(
                format!("the first {length} bytes of a transaction"),
                "A transaction that is cut short is refused.",
            )
            .step(
                read(Format::Transaction, &bytes[..length]),
                Claim::refused("truncated"),
            ),
        );
    }
    file.push(
        Draft::new(
            "a byte behind a transaction",
            "Nothing may follow a transaction.",
        )
        .step(
            read(Format::Transaction, &[&bytes[..], &[0]].concat()),
            Claim::refused("trailing"),
        ),
    );
    file.push(
        Draft::new(
            "a transaction as a receipt",
            "A receipt begins with its magic.",
        )
        .step(read(Format::Receipt, &bytes), Claim::refused("magic")),
    );
    let mut twice = envelope(2);
    twice.signers.push(twice.signers[0].clone());
    file.push(
        Draft::new(
            "two signatures of one scheme",
            "Signatures ascend by scheme, one of each at most.",
        )
        .step(
            read(Format::Transaction, &twice.to_canonical_bytes()),
            Claim::refused("not-canonical"),
        ),
    );
    file
}

/// The Bech32m text of bytes, after BIP 350.
fn bech32m(prefix: &str, data: &[u8], constant: u32) -> String {
    const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let mut fives = Vec::new();
    let (mut held, mut bits) = (0u32, 0);
    for byte in data {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            fives.push((held >> bits & 31) as u8);
        }
    }
    if bits > 0 {
        fives.push((held << (5 - bits) & 31) as u8);
    }
    let mut values: Vec<u8> = prefix.bytes().map(|c| c >> 5).collect();
    values.push(0);
    values.extend(prefix.bytes().map(|c| c & 31));
    values.extend(&fives);
    values.extend([0; 6]);
    let mut check = 1u32;
    for value in values {
        let top = check >> 25;
        check = (check & 0x1ff_ffff) << 5 ^ u32::from(value);
        for (i, generator) in [
            0x3b6a_57b2u32,
            0x2650_8e6d,
            0x1ea1_19fa,
            0x3d42_33dd,
            0x2a14_62b3,
        ]
        .iter()
        .enumerate()
        {
            if top >> i & 1 == 1 {
                check ^= generator;
            }
        }
    }
    check ^= constant;
    fives.extend((0..6).map(|i| (check >> (5 * (5 - i)) & 31) as u8));
    let text: String = fives
        .iter()
        .map(|v| char::from(ALPHABET[usize::from(*v)]))
        .collect();
    format!("{prefix}1{text}")
}

fn addresses() -> File {
    const M: u32 = 0x2bc8_30a3;
    let mut file = File::new(
        "receipts",
        "addresses",
        "The generator has a Bech32m encoder of its own, after BIP 350; a wrong character, length, prefix or checksum follows from the vector's rule.",
    );
    for n in 0..20u8 {
        let bytes: Vec<u8> = (0..20).map(|i| n.wrapping_mul(37) ^ (i * 11)).collect();
        let text = bech32m("syn", &bytes, M);
        file.push(
            Draft::new(
                format!("address {n}"),
                "Twenty bytes and their Bech32m text stand for each other.",
            )
            .step(read(Format::Address, text.as_bytes()), is_read(&bytes)),
        );
        let upper = text.to_uppercase();
        if n < 3 {
            file.push(
                Draft::new(
                    format!("address {n} in capitals"),
                    "Bech32m may be written in capitals.",
                )
                .step(read(Format::Address, upper.as_bytes()), is_read(&bytes)),
            );
            let mut mistyped = text.clone().into_bytes();
            let at = 6 + usize::from(n) * 7;
            mistyped[at] = if mistyped[at] == b'q' { b'p' } else { b'q' };
            file.push(
                Draft::new(
                    format!("address {n}, mistyped"),
                    "The checksum finds a mistyped character.",
                )
                .step(read(Format::Address, &mistyped), Claim::refused("checksum")),
            );
        }
    }
    let bytes = [0xa1; 20];
    for (name, text, code) in [
        (
            "an older checksum",
            bech32m("syn", &bytes, 1),
            "old-checksum",
        ),
        ("another network", bech32m("tst", &bytes, M), "network"),
        ("nineteen bytes", bech32m("syn", &bytes[1..], M), "length"),
        ("twenty-one bytes", bech32m("syn", &[0xa1; 21], M), "length"),
        ("no bytes", bech32m("syn", &[], M), "length"),
        ("nothing", String::new(), "malformed"),
        ("a prefix only", "syn1".into(), "malformed"),
        (
            "mixed case",
            "syn1Q".to_owned() + &bech32m("syn", &bytes, M)[5..],
            "malformed",
        ),
        (
            "a character that is none",
            "syn1b".to_owned() + &bech32m("syn", &bytes, M)[5..],
            "malformed",
        ),
    ] {
        file.push(
            Draft::new(
                name,
                "Text that is no address of this network is refused with its reason.",
            )
            .step(read(Format::Address, text.as_bytes()), Claim::refused(code)),
        );
    }
    file.push(
        Draft::new("bytes that are no text", "An address is text.").step(
            read(Format::Address, &[0xff, 0xfe]),
            Claim::refused("malformed"),
        ),
    );
    file
}
