//! Messages between chains: what is sent, what arrives, what is undone, and what proves it.

mod arrivals;
mod proofs;
mod sent;

use aivm::{Address, GasSchedule, TrapCode};
use aivm_abi::Digest;
use aivm_conformance::action::{Action, Hex};
use aivm_conformance::outcome::{Claim, Sent};

use super::draft::*;
use super::script::{self, COPY, FETCH, Function, OUT, Script, TRAP};

const REASON: &str = "wit/messaging.wit says what is sent, refused and consumed; docs/receipts.md lays out identifiers and roots, which the generator hashes itself. Host gas adds base prices and prices for each byte of lists; storage gas adds what docs/host-interface.md names: reading and writing a number of 8 bytes under a key of 29, and a byte under a key of 33 for what is consumed. A message that arrived is read whole, its sender and its payload, whether or not it is given.";

pub const FUNCTIONS: &[Function] = &[
    ("messaging.send", "liiii", "l"),
    ("messaging.peek", "wi", ""),
    ("messaging.consume", "wi", ""),
    ("journal.begin", "", ""),
    ("journal.commit", "", ""),
    ("journal.rollback", "", ""),
    ("context.revert", "ii", ""),
    ("calls.call", "wwliii", ""),
    ("calls.query", "wliii", ""),
];

const RECIPIENT: [u8; 20] = [0xb0; 20];
/// Gas of a nested call.
const PLENTY: u32 = 40_000_000;

/// Gas for reading and writing the number of a contract's messages to a chain.
struct Prices {
    /// The first message ever; in the same transaction, a further one; in a later one, the first.
    first: u64,
    again: u64,
    later: u64,
    /// Looking for a message that has not arrived, for one that has, whoever it is for, and consuming it.
    unknown: u64,
    peek: u64,
    consume: u64,
    /// Looking for one in the same transaction again.
    peek_again: u64,
}

/// With a message that has a sender and a payload of a byte each.
fn prices() -> Prices {
    prices_with(2)
}

/// With a message whose sender and payload have so many bytes.
fn prices_with(bytes: usize) -> Prices {
    let s = GasSchedule::v1().storage;
    let kb = |price: u64, bytes: u64| (price * bytes).div_ceil(1_024);
    let entry = kb(s.per_kb, 37);
    let whole = kb(s.read_per_kb, bytes as u64);
    Prices {
        first: s.read + kb(s.read_per_kb, 29) + s.read_warm + s.write_new + entry,
        again: s.read_warm + kb(s.read_per_kb, 37) + s.read_warm + s.write + entry,
        later: s.read + kb(s.read_per_kb, 37) + s.read_warm + s.write + entry,
        unknown: 2 * s.read,
        peek: 2 * s.read + whole,
        consume: 2 * s.read + whole + s.read_warm + s.write_new + kb(s.per_kb, 34),
        peek_again: s.read + s.read_warm + whole,
    }
}

/// A number as it lies in memory.
fn word(hash: [u8; 32]) -> Vec<u8> {
    hash.iter().rev().copied().collect()
}

fn script() -> Script {
    Script::new(FUNCTIONS)
}

fn send(mut script: Script, chain: u32, recipient: &[u8], payload: &[u8], sequence: u32) -> Script {
    let (to, what) = (script.put(recipient), script.put(payload));
    let arguments = [
        chain,
        to,
        recipient.len() as u32,
        what,
        payload.len() as u32,
    ];
    let bytes = (recipient.len() + payload.len()) as u64;
    script.call("messaging.send", &arguments, bytes, sequence)
}

/// One message to Bob's namesake.
fn one(chain: u32, payload: &[u8], sequence: u32) -> Script {
    send(script(), chain, &RECIPIENT, payload, sequence)
}

fn sent(contract: Address, chain: u64, sequence: u64, recipient: &[u8], payload: &[u8]) -> Sent {
    let mut message = Sent {
        contract,
        destination: chain,
        sequence,
        recipient: Hex(recipient.to_vec()),
        payload: Hex(payload.to_vec()),
        id: Digest::default(),
    };
    let mut bytes = CHAIN.to_le_bytes().to_vec();
    bytes.extend(contract.0);
    bytes.extend(chain.to_le_bytes());
    bytes.extend(sequence.to_le_bytes());
    for list in [recipient, payload] {
        bytes.extend((list.len() as u32).to_le_bytes());
        bytes.extend(list);
    }
    message.id = Digest(blake3::derive_key("AIVM message v1", &bytes));
    message
}

fn node(left: &Digest, right: &Digest) -> Digest {
    let both = [left.0, right.0].concat();
    Digest(blake3::derive_key("AIVM outbox node v1", &both))
}

/// The levels of the tree from its leaves to its top.
fn levels(sent: &[Sent]) -> Vec<Vec<Digest>> {
    let mut levels = vec![sent.iter().map(|message| message.id).collect::<Vec<_>>()];
    while let Some(last) = levels.last()
        && last.len() > 1
    {
        let above = last.chunks(2).map(|pair| match pair {
            [left, right] => node(left, right),
            alone => alone[0],
        });
        let above = above.collect();
        levels.push(above);
    }
    levels
}

fn root(sent: &[Sent]) -> Option<Digest> {
    let top = levels(sent).last()?.first().copied()?;
    let bytes = [&(sent.len() as u32).to_le_bytes()[..], &top.0].concat();
    Some(Digest(blake3::derive_key("AIVM outbox root v1", &bytes)))
}

/// The nodes beside the way up from a leaf.
fn siblings(sent: &[Sent], mut at: usize) -> Vec<Digest> {
    let mut beside = Vec::new();
    for level in levels(sent) {
        beside.extend(level.get(at ^ 1));
        at /= 2;
    }
    beside
}

/// A claim with these messages and this storage gas.
fn with(claim: Claim, storage: u64, sent: Vec<Sent>) -> Claim {
    Claim {
        storage: Some(storage),
        outbox_root: root(&sent),
        outbox: Some(sent),
        ..claim
    }
}

/// A delivery to a contract of the steps.
fn deliver(id: [u8; 32], to: &str, chain: u64, sender: &[u8], payload: &[u8]) -> Action {
    Action::Deliver {
        id: Digest(id),
        to: to.to_owned(),
        source_chain: chain,
        destination: None,
        sender: Hex(sender.to_vec()),
        payload: Hex(payload.to_vec()),
    }
}

/// A delivery to the contract `a` of what was sent to a chain.
fn sent_to(chain: u64) -> Action {
    Action::Deliver {
        id: Digest(ID),
        to: "a".to_owned(),
        source_chain: 5,
        destination: Some(chain),
        sender: Hex(b"s".to_vec()),
        payload: Hex(b"p".to_vec()),
    }
}

/// Takes a message in one of the two ways, and shows where it comes from, its sender and its payload.
fn takes(how: &str, id: [u8; 32], chain: u64, sender: &[u8], payload: &[u8]) -> (Script, Vec<u8>) {
    let mut script = script();
    let at = script.put(&word(id));
    let source = script.put(&(OUT + 8).to_le_bytes());
    let (from, what) = (sender.len() as u32, payload.len() as u32);
    let key = format!("messaging.{how}");
    let script = script
        .call(&key, &[at, OUT], u64::from(from + what), 0)
        .call(COPY, &[source, OUT + 56, 8], 0, 0)
        .call(FETCH, &[OUT + 16, OUT + 64], 0, from)
        .call(FETCH, &[OUT + 24, OUT + 64 + from], 0, what)
        .shows(OUT + 56, 8 + from + what);
    let window = [&chain.to_le_bytes(), sender, payload].concat();
    (script, window)
}

/// Asks for a message in one of the two ways, and shows that it is refused.
fn asks(how: &str, id: [u8; 32]) -> Script {
    let mut script = script();
    let at = script.put(&word(id));
    let script = script.call(&format!("messaging.{how}"), &[at, OUT], 0, 0);
    script.shows(OUT, 16)
}

/// What a refusal writes.
fn refusal(number: u8) -> [u8; 16] {
    let mut bytes = [0; 16];
    (bytes[0], bytes[8]) = (1, number);
    bytes
}
const UNKNOWN: u8 = 0;
const CONSUMED: u8 = 1;

/// A call of another contract with a script, which ends as `ends`: what its result begins with.
fn calls(mut outer: Script, to: Address, inner: &Script, ends: Ends) -> Script {
    let input = inner.input();
    let target = outer.put(&word(to.to_word().to_be_bytes()));
    let zero = outer.put(&[0; 32]);
    let at = outer.put(&input);
    let back = match ends {
        Ends::Returns => inner.output_length(),
        _ => 0,
    };
    let arguments = [target, zero, PLENTY, at, input.len() as u32, OUT];
    let bytes = input.len() as u64 + u64::from(back);
    outer
        .call("calls.call", &arguments, bytes, 0)
        .pays(inner.host())
}

#[derive(Clone, Copy)]
enum Ends {
    Returns,
    Reverts,
    Traps,
}

fn reverting(script: Script) -> Script {
    script.call("context.revert", &[0, 0], 0, 0)
}

pub fn files() -> Vec<File> {
    let mut file = File::new("calls", "messages", REASON).made_by("messages");
    file.share_wat("courier", &script::contract(FUNCTIONS, ""));
    sent::numbers(&mut file);
    sent::undone(&mut file);
    proofs::proofs(&mut file);
    sent::sending_limits(&mut file);
    arrivals::arrivals(&mut file);
    arrivals::refusals(&mut file);
    vec![file]
}

/// A vector with two couriers.
fn two(name: impl Into<String>, rule: &str) -> Draft {
    Draft::new(name, rule)
        .upload("courier")
        .deploy("a", "courier", &[])
        .deploy("b", "courier", &[])
}

const ID: [u8; 32] = [
    0x1d, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31, 0xfe,
];
