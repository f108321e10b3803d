//! Receipts, and bytes that are none.

use aivm::{Address, Digest, TrapCode, Word};
use aivm_abi::receipt::{
    Event, GasUsed, Inference, Kind, OutboxMessage, PqcCheck, Receipt, Status,
};
use aivm_conformance::action::Format;
use aivm_conformance::outcome::Claim;

use super::super::draft::File;
use super::{is_read, read};

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

pub fn file() -> File {
    let mut file = File::new(
        "receipts",
        "receipts",
        "The generator writes the layout of docs/receipts.md by hand; what is changed in it follows from the vector's rule.",
    );
    for n in 0..30u8 {
        let bytes = canonical(&sample(n));
        file.push(read(
            format!("receipt {n}"),
            "The canonical bytes of a receipt are read, and written the same.",
            Format::Receipt,
            &bytes,
            is_read(&bytes),
        ));
    }
    let bytes = canonical(&sample(7));
    let refused = |name: String, rule: &str, bytes: &[u8], code: &str| {
        read(name, rule, Format::Receipt, bytes, Claim::refused(code))
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
    for code in [0u32, 12, 19, 41, u32::MAX] {
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
