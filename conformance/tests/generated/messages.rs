//! Messages between chains: what is sent, what arrives, what is undone, and what proves it.

use aivm::{Address, GasSchedule, TrapCode};
use aivm_abi::Digest;
use aivm_conformance::action::{Action, Hex};
use aivm_conformance::outcome::{Claim, Sent};

use super::draft::*;
use super::script::{self, COPY, FETCH, Function, OUT, Script, TRAP};

const REASON: &str = "wit/messaging.wit says what is sent, refused and consumed; docs/receipts.md lays out identifiers and roots, which the generator hashes itself. Host gas adds base prices and prices for each byte of lists; storage gas adds what docs/host-interface.md names: reading and writing a number of 8 bytes under a key of 29, and a byte under a key of 33 for what is consumed.";

const FUNCTIONS: &[Function] = &[
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
    /// Looking for a message that has not arrived, for one that has, and consuming it.
    unknown: u64,
    peek: u64,
    consume: u64,
    /// Looking for one in the same transaction again.
    peek_again: u64,
}

fn prices() -> Prices {
    let s = GasSchedule::v1().storage;
    let kb = |price: u64, bytes: u64| (price * bytes).div_ceil(1_024);
    let entry = kb(s.per_kb, 37);
    Prices {
        first: s.read + kb(s.read_per_kb, 29) + s.read_warm + s.write_new + entry,
        again: s.read_warm + kb(s.read_per_kb, 37) + s.read_warm + s.write + entry,
        later: s.read + kb(s.read_per_kb, 37) + s.read_warm + s.write + entry,
        unknown: s.read,
        peek: 2 * s.read,
        consume: 2 * s.read + s.read_warm + s.write_new + kb(s.per_kb, 34),
        peek_again: s.read + s.read_warm,
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
        sender: Hex(sender.to_vec()),
        payload: Hex(payload.to_vec()),
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
    let mut file = File::new("calls", "messages", REASON);
    file.0.generator = Some("conformance/tests/generated/messages.rs".to_owned());
    file.share_wat("courier", &script::contract(FUNCTIONS, ""));
    numbers(&mut file);
    undone(&mut file);
    proofs(&mut file);
    sending_limits(&mut file);
    arrivals(&mut file);
    refusals(&mut file);
    vec![file]
}

/// A vector with two couriers.
fn two(name: impl Into<String>, rule: &str) -> Draft {
    Draft::new(name, rule)
        .upload("courier")
        .deploy("a", "courier", &[])
        .deploy("b", "courier", &[])
}

fn numbers(file: &mut File) {
    let p = prices();
    let (a, b) = (file.address("a", "courier"), file.address("b", "courier"));
    let rule = "A message stands in the receipt with its number among those of the contract to that chain, from 0.";
    let mut all = two("numbers of messages", rule);
    for (to, contract, chain, sequence, storage) in [
        ("a", a, 5, 0, p.first),
        ("a", a, 5, 1, p.later),
        ("a", a, 6, 0, p.first),
        ("b", b, 5, 0, p.first),
        ("a", a, 5, 2, p.later),
        ("a", a, 0, 0, p.first),
        ("a", a, CHAIN as u32, 0, p.first),
    ] {
        let script = one(chain, b"hello", sequence);
        let message = sent(
            contract,
            chain.into(),
            sequence.into(),
            &RECIPIENT,
            b"hello",
        );
        let claim = with(script.returns(&[]), storage, vec![message]);
        all = all.call(to, script.input(), claim);
    }
    file.push(all);
    for (name, length) in [("no bytes", 0), ("one byte", 1), ("1,000 bytes", 1_000)] {
        let payload = vec![7; length];
        let script = one(9, &payload, 0);
        let message = sent(a, 9, 0, &RECIPIENT, &payload);
        let claim = with(script.returns(&[]), p.first, vec![message]);
        let rule = "A message costs its base price, a price for each byte of recipient and payload, and the storage of its number.";
        file.push(two(format!("a message of {name}"), rule).call("a", script.input(), claim));
    }
    for length in [1usize, 20, 32, 64] {
        let recipient = vec![0xc5; length];
        let script = send(script(), 9, &recipient, b"x", 0);
        let message = sent(a, 9, 0, &recipient, b"x");
        let claim = with(script.returns(&[]), p.first, vec![message]);
        let rule = "A recipient is 1 to 64 bytes, as the other chain writes addresses.";
        let name = format!("a recipient of {length} bytes");
        file.push(two(name, rule).call("a", script.input(), claim));
    }
    let far = u64::from(u32::MAX);
    let script = one(u32::MAX, b"", 0);
    let message = sent(a, far, 0, &RECIPIENT, b"");
    let claim = with(script.returns(&[]), p.first, vec![message]);
    let name = "a message to chain 4,294,967,295";
    file.push(two(name, rule).call("a", script.input(), claim));
}

/// Several messages of one transaction, with the proof of each.
fn proofs(file: &mut File) {
    let p = prices();
    let a = file.address("a", "courier");
    let many = |count: u32| -> (Script, Vec<Sent>) {
        let mut all = script();
        let mut messages = Vec::new();
        for sequence in 0..count {
            let payload = [sequence as u8; 3];
            all = send(all, 5, &RECIPIENT, &payload, sequence);
            messages.push(sent(a, 5, sequence.into(), &RECIPIENT, &payload));
        }
        (all, messages)
    };
    let prove = |message: Digest, root: Digest, index: u32, count: u32, siblings: &[Digest]| {
        Action::Prove {
            message,
            root,
            index,
            count,
            siblings: siblings.to_vec(),
        }
    };
    for count in [1u32, 2, 3, 4, 5, 6, 7, 8, 13] {
        let (script, messages) = many(count);
        let storage = p.first + p.again * u64::from(count - 1);
        let top = root(&messages).unwrap();
        let claim = with(script.returns(&[]), storage, messages.clone());
        let name = format!("{count} messages of one call");
        let rule = "Messages stand in the receipt in the order in which they were sent, under one root that proves each.";
        let mut draft = two(name, rule).call("a", script.input(), claim);
        for (index, message) in messages.iter().enumerate() {
            let beside = siblings(&messages, index);
            let proof = prove(message.id, top, index as u32, count, &beside);
            draft = draft.step(proof, Claim::done());
        }
        file.push(draft);
    }
    let (_, messages) = many(5);
    let top = root(&messages).unwrap();
    let id = messages[2].id;
    let good = siblings(&messages, 2);
    assert_eq!(good.len(), 3);
    let mut changed = good.clone();
    changed[1].0[31] ^= 1;
    let swapped: Vec<Digest> = good.iter().rev().copied().collect();
    let longer = [&good[..], &[top]].concat();
    let mut other = messages.clone();
    other[4] = sent(a, 5, 4, &RECIPIENT, b"another");
    let other_chain = sent(a, 6, 2, &RECIPIENT, &[2; 3]).id;
    let other_sender = sent(BOB, 5, 2, &RECIPIENT, &[2; 3]).id;
    let other_number = sent(a, 5, 3, &RECIPIENT, &[2; 3]).id;
    let other_recipient = sent(a, 5, 2, &[0xb1; 20], &[2; 3]).id;
    let other_payload = sent(a, 5, 2, &RECIPIENT, &[2; 4]).id;
    let top_of_all = levels(&messages).last().unwrap()[0];
    let cases: Vec<(&str, Action)> = vec![
        (
            "another message of the receipt",
            prove(messages[3].id, top, 2, 5, &good),
        ),
        (
            "a message of another sender",
            prove(other_sender, top, 2, 5, &good),
        ),
        (
            "a message to another chain",
            prove(other_chain, top, 2, 5, &good),
        ),
        (
            "a message with another number",
            prove(other_number, top, 2, 5, &good),
        ),
        (
            "a message to another recipient",
            prove(other_recipient, top, 2, 5, &good),
        ),
        (
            "a message with another payload",
            prove(other_payload, top, 2, 5, &good),
        ),
        ("another place", prove(id, top, 3, 5, &good)),
        ("a place beyond the end", prove(id, top, 5, 5, &good)),
        ("the highest place", prove(id, top, u32::MAX, 5, &good)),
        ("fewer messages", prove(id, top, 2, 4, &good)),
        ("more messages", prove(id, top, 2, 6, &good)),
        ("no messages", prove(id, top, 0, 0, &[])),
        (
            "as many messages as there can be",
            prove(id, top, 2, u32::MAX, &good),
        ),
        ("a changed sibling", prove(id, top, 2, 5, &changed)),
        (
            "siblings in the other order",
            prove(id, top, 2, 5, &swapped),
        ),
        ("a sibling too few", prove(id, top, 2, 5, &good[..2])),
        ("a sibling too many", prove(id, top, 2, 5, &longer)),
        ("no siblings", prove(id, top, 2, 5, &[])),
        (
            "the root of another receipt",
            prove(id, root(&other).unwrap(), 2, 5, &good),
        ),
        (
            "the top instead of the root",
            prove(id, top_of_all, 2, 5, &good),
        ),
        (
            "the top as the only message",
            prove(top_of_all, top, 0, 1, &[]),
        ),
        (
            "an inner node as a message",
            prove(
                node(&messages[2].id, &messages[3].id),
                top,
                1,
                3,
                &good[1..],
            ),
        ),
    ];
    for (name, action) in cases {
        file.push(
            Draft::new(
                format!("a proof with {name}"),
                "A proof holds for one message at one place among so many under one root.",
            )
            .step(prove(id, top, 2, 5, &good), Claim::done())
            .step(action, Claim::refused("not-proven")),
        );
    }
}

fn undone(file: &mut File) {
    let p = prices();
    let (a, b) = (file.address("a", "courier"), file.address("b", "courier"));
    let after = |draft: Draft, storage: u64| {
        let script = one(5, b"first", 0);
        let message = sent(a, 5, 0, &RECIPIENT, b"first");
        let claim = with(script.returns(&[]), storage, vec![message]);
        draft.call("a", script.input(), claim)
    };
    let rule = "What is undone was never sent, and its number is not used up.";
    let script = reverting(one(5, b"never", 0));
    let claim = with(script.reverts(), p.first, vec![]);
    file.push(after(
        two("a message of a call that reverts", rule).call("a", script.input(), claim),
        p.first,
    ));
    let script = one(5, b"never", 0).call(TRAP, &[], 0, 0);
    let claim = with(script.traps(TrapCode::Unreachable), p.first, vec![]);
    file.push(after(
        two("a message of a call that traps", rule).call("a", script.input(), claim),
        p.first,
    ));
    let plain = script_in("journal.rollback", 0);
    let claim = with(plain.returns(&[]), p.first, vec![]);
    file.push(after(
        two("a message in a checkpoint that is rolled back", rule).call("a", plain.input(), claim),
        p.first,
    ));
    let kept = script_in("journal.commit", 0);
    let message = sent(a, 5, 0, &RECIPIENT, b"inside");
    let claim = with(kept.returns(&[]), p.first, vec![message]);
    file.push(
        two(
            "a message in a checkpoint that is kept",
            "What is kept was sent.",
        )
        .call("a", kept.input(), claim),
    );
    // One is rolled back, the next gets its number.
    let twice = send(script_in("journal.rollback", 0), 5, &RECIPIENT, b"after", 0);
    let message = sent(a, 5, 0, &RECIPIENT, b"after");
    let claim = with(
        twice.returns(&[]),
        p.first + p.first - cold(),
        vec![message],
    );
    file.push(two("a message after one that was rolled back", rule).call(
        "a",
        twice.input(),
        claim,
    ));

    // b sends, and returns, reverts or traps; a sends before and after.
    for (name, ends, result) in [
        ("returns", Ends::Returns, [0u8, 0]),
        ("reverts", Ends::Reverts, [1, 0]),
        ("traps", Ends::Traps, [1, 1]),
    ] {
        let inner = one(5, b"inner", 0);
        let inner = match ends {
            Ends::Returns => inner,
            Ends::Reverts => reverting(inner),
            Ends::Traps => inner.call(TRAP, &[], 0, 0),
        };
        let outer = calls(one(5, b"before", 0), b, &inner, ends);
        let outer = send(outer, 5, &RECIPIENT, b"after", 1).shows(OUT, 1);
        let mut messages = vec![sent(a, 5, 0, &RECIPIENT, b"before")];
        if matches!(ends, Ends::Returns) {
            messages.push(sent(b, 5, 0, &RECIPIENT, b"inner"));
        }
        messages.push(sent(a, 5, 1, &RECIPIENT, b"after"));
        let claim = with(outer.returns(&result[..1]), 2 * p.first + p.again, messages);
        file.push(
            two(
                format!("messages around a call that {name}"),
                "Messages of all contracts of a transaction stand in one outbox, in order, without those of calls that failed.",
            )
            .call("a", outer.input(), claim),
        );
        let outer = reverting(calls(self::script(), b, &inner, ends));
        let claim = with(outer.reverts(), p.first, vec![]);
        let name = format!("a call that {name} in one that reverts");
        file.push(two(name, rule).call("a", outer.input(), claim));
    }
    let rule = "Sending changes state: in a query, and in what a query calls, it is a trap.";
    let script = one(5, b"x", 0);
    let claim = with(script.traps(TrapCode::WriteInQuery), 0, vec![]);
    file.push(two("a message of a query", rule).query("a", script.input(), claim));
    let input = script.input();
    let mut outer = self::script();
    let (target, at) = (
        outer.put(&word(b.to_word().to_be_bytes())),
        outer.put(&input),
    );
    let arguments = [target, PLENTY, at, input.len() as u32, OUT];
    let outer = outer
        .call("calls.query", &arguments, input.len() as u64, 0)
        .pays(script.host())
        .shows(OUT, 12);
    let trapped = [1u32, 1, TrapCode::WriteInQuery.code()]
        .map(u32::to_le_bytes)
        .concat();
    let claim = with(outer.returns(&trapped), 0, vec![]);
    file.push(two("a message of a query that a call makes", rule).call("a", outer.input(), claim));
}

/// What the first look at an entry costs more than a further one.
fn cold() -> u64 {
    let s = GasSchedule::v1().storage;
    s.read - s.read_warm
}

/// A message between a checkpoint and its end.
fn script_in(end: &str, sequence: u32) -> Script {
    let begun = script().call("journal.begin", &[], 0, 0);
    send(begun, 5, &RECIPIENT, b"inside", sequence).call(end, &[], 0, 0)
}

fn sending_limits(file: &mut File) {
    let p = prices();
    for (name, to, length, code) in [
        ("no recipient", 0, 0, TrapCode::BadArgument),
        ("a recipient of 65 bytes", 65, 0, TrapCode::BadArgument),
        (
            "a recipient of 65,536 bytes",
            65_536,
            0,
            TrapCode::BadArgument,
        ),
        (
            "a payload of 65,537 bytes",
            20,
            65_537,
            TrapCode::OutputLimit,
        ),
        (
            "a payload of 120,000 bytes",
            20,
            120_000,
            TrapCode::OutputLimit,
        ),
        (
            "no recipient and too long a payload",
            0,
            65_537,
            TrapCode::BadArgument,
        ),
    ] {
        let bytes = u64::from(to + length);
        let script = script().call("messaging.send", &[5, 0, to, 0, length], bytes, 0);
        let claim = with(script.traps(code), 0, vec![]);
        let rule = "A recipient is 1 to 64 bytes and a payload at most 65,536; anything else is a trap, before the number is looked at.";
        file.push(two(format!("a message with {name}"), rule).call("a", script.input(), claim));
    }
    // The longest payload is taken; reverting keeps it out of the vector's text.
    let script = script().call("messaging.send", &[5, 0, 64, 0, 65_536], 65_600, 0);
    let script = reverting(script);
    let claim = with(script.reverts(), p.first, vec![]);
    let rule = "A recipient of 64 bytes and a payload of 65,536 are sent.";
    file.push(two("the longest message", rule).call("a", script.input(), claim));
    for (name, arguments) in [
        ("a recipient out of memory", [5, 131_060, 20, 0, 0]),
        ("a payload out of memory", [5, 0, 20, 131_072, 1]),
        ("a recipient of 4 GiB", [5, 0, u32::MAX, 0, 0]),
        ("a payload of 4 GiB", [5, 0, 20, 0, u32::MAX]),
    ] {
        let paid = if arguments[2] == 20 && arguments[1] == 0 {
            20
        } else {
            0
        };
        let script = self::script().call("messaging.send", &arguments, paid, 0);
        let claim = with(script.traps(TrapCode::BadPointer), 0, vec![]);
        let rule = "Pointers are checked before anything else.";
        file.push(two(format!("a message with {name}"), rule).call("a", script.input(), claim));
    }
}

const ID: [u8; 32] = [
    0x1d, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31, 0xfe,
];

fn arrivals(file: &mut File) {
    let p = prices();
    let rule = "A message is given to the contract that it is for, with its chain, its sender and its payload, and consumed once.";
    let consumed = |draft: Draft, storage: u64| {
        let ask = asks("consume", ID);
        draft.call(
            "a",
            ask.input(),
            with(ask.returns(&refusal(CONSUMED)), storage, vec![]),
        )
    };
    for (name, chain, sender, payload) in [
        ("a message", 5u64, &b"somebody"[..], &b"good news"[..]),
        ("a message without sender and payload", 1, b"", b""),
        ("a message of the highest chain", u64::MAX, b"x", b"y"),
        (
            "a message of this chain itself",
            CHAIN,
            &[0xa1; 20],
            &[0; 100],
        ),
        ("a long message", 2, &[9; 64], &[8; 1_000]),
    ] {
        let (peek, shown) = takes("peek", ID, chain, sender, payload);
        let (consume, same) = takes("consume", ID, chain, sender, payload);
        assert_eq!(shown, same);
        let draft = two(name, rule)
            .step(deliver(ID, "a", chain, sender, payload), Claim::done())
            .call(
                "a",
                peek.input(),
                with(peek.returns(&shown), p.peek, vec![]),
            )
            .query(
                "a",
                peek.input(),
                with(peek.returns(&shown), p.peek, vec![]),
            )
            .call(
                "a",
                consume.input(),
                with(consume.returns(&shown), p.consume, vec![]),
            );
        let draft = consumed(draft, p.peek);
        let again = asks("peek", ID);
        let claim = with(again.returns(&refusal(CONSUMED)), p.peek, vec![]);
        file.push(
            draft
                .call("a", again.input(), claim.clone())
                .query("a", again.input(), claim),
        );
    }
    let (consume, shown) = takes("consume", ID, 5, b"s", b"p");
    let paid = |claim: Claim, storage: u64| with(claim, storage, vec![]);
    let arrived = |name: &str, rule: &str| {
        two(name, rule).step(deliver(ID, "a", 5, b"s", b"p"), Claim::done())
    };
    let goes = |draft: Draft| {
        draft.call(
            "a",
            consume.input(),
            paid(consume.returns(&shown), p.consume),
        )
    };
    // Undone in four ways, then consumed.
    let undoing = "What is undone was not consumed.";
    let first = || {
        let mut script = script();
        let at = script.put(&word(ID));
        script.call("messaging.consume", &[at, OUT], 2, 0)
    };
    let script = reverting(first());
    let draft = arrived("a message consumed by a call that reverts", undoing);
    file.push(goes(draft.call(
        "a",
        script.input(),
        paid(script.reverts(), p.consume),
    )));
    let script = first().call(TRAP, &[], 0, 0);
    let claim = paid(script.traps(TrapCode::Unreachable), p.consume);
    let draft = arrived("a message consumed by a call that traps", undoing);
    file.push(goes(draft.call("a", script.input(), claim)));
    let mut script = self::script();
    let at = script.put(&word(ID));
    let script = script
        .call("journal.begin", &[], 0, 0)
        .call("messaging.consume", &[at, OUT], 2, 0)
        .call("journal.rollback", &[], 0, 0)
        .call("messaging.peek", &[at, OUT], 2, 0);
    let claim = paid(script.returns(&[]), p.consume + p.peek_again);
    let draft = arrived(
        "a message consumed in a checkpoint that is rolled back",
        undoing,
    );
    file.push(goes(draft.call("a", script.input(), claim)));
    let b = file.address("a", "courier");
    let inner = reverting(first());
    let outer = calls(self::script(), b, &inner, Ends::Reverts).shows(OUT, 8);
    let draft = arrived("a message consumed by a nested call that reverts", undoing);
    let claim = paid(outer.returns(&[1, 0, 0, 0, 0, 0, 0, 0]), p.consume);
    file.push(goes(draft.call("b", outer.input(), claim)));
    // Twice in one call.
    let twice = first();
    let at = super::guest::HEAP + 24;
    let twice = twice
        .call("messaging.consume", &[at, OUT + 64], 0, 0)
        .shows(OUT + 64, 16);
    let claim = paid(twice.returns(&refusal(CONSUMED)), p.consume + p.peek_again);
    let draft = arrived("a message that is consumed twice in one call", rule);
    file.push(draft.call("a", twice.input(), claim));
    // Several messages, of which each is consumed by itself.
    let mut other = ID;
    other[0] ^= 0x80;
    let (second, second_shown) = takes("consume", other, 6, b"t", b"q");
    let draft = goes(
        arrived("two messages", "Each message is consumed by itself.")
            .step(deliver(other, "a", 6, b"t", b"q"), Claim::done()),
    );
    let draft = draft.call(
        "a",
        second.input(),
        paid(second.returns(&second_shown), p.consume),
    );
    file.push(consumed(draft, p.peek));
    // Before the contract is there, and after it was asked for.
    let address = file.address("late", "courier").to_string();
    file.push(
        Draft::new(
            "a message for a contract that is not there yet",
            "A message waits for the contract at its address.",
        )
        .step(deliver(ID, &address, 5, b"s", b"p"), Claim::done())
        .upload("courier")
        .deploy("late", "courier", &[])
        .call(
            "late",
            consume.input(),
            paid(consume.returns(&shown), p.consume),
        ),
    );
    let ask = asks("consume", ID);
    let claim = paid(ask.returns(&refusal(UNKNOWN)), p.unknown);
    let draft = two("a message that is asked for before it arrives", rule)
        .call("a", ask.input(), claim)
        .step(deliver(ID, "a", 5, b"s", b"p"), Claim::done());
    file.push(goes(draft));
    // What was consumed in a block that is given up can be consumed again.
    let draft = arrived(
        "a message consumed in a block that is given up",
        "A block that is no more has consumed nothing; what arrived is still there.",
    );
    let next = Action::Block {
        number: HEIGHT + 1,
        timestamp: TIME + 1,
    };
    let draft = goes(draft.step(next, Claim::default())).step(Action::Abandon {}, Claim::done());
    file.push(consumed(goes(draft), p.peek));
}

fn refusals(file: &mut File) {
    let p = prices();
    let rule = "There is no message under another identifier, and none for another contract.";
    for how in ["peek", "consume"] {
        let mut ids = vec![("that never arrived", ID)];
        let mut near = ID;
        near[31] ^= 1;
        ids.push(("whose last bit differs", near));
        near = ID;
        near[0] ^= 0x80;
        ids.push(("whose first bit differs", near));
        near = ID;
        near.reverse();
        ids.push(("in the other order of bytes", near));
        for (number, (name, id)) in ids.into_iter().enumerate() {
            let ask = asks(how, id);
            let claim = with(ask.returns(&refusal(UNKNOWN)), p.unknown, vec![]);
            let mut draft = two(format!("{how}: a message {name}"), rule);
            if number > 0 {
                draft = draft.step(deliver(ID, "a", 5, b"s", b"p"), Claim::done());
            }
            file.push(draft.call("a", ask.input(), claim));
        }
        let ask = asks(how, ID);
        let claim = with(ask.returns(&refusal(UNKNOWN)), p.unknown, vec![]);
        let (takes, shown) = takes("consume", ID, 5, b"s", b"p");
        let right = with(takes.returns(&shown), p.consume, vec![]);
        let name = format!("{how}: a message for another contract");
        // After it was consumed, too: whether it was is nobody else's business.
        file.push(
            two(name, rule)
                .step(deliver(ID, "a", 5, b"s", b"p"), Claim::done())
                .call("b", ask.input(), claim.clone())
                .call("a", takes.input(), right)
                .call("b", ask.input(), claim),
        );
        let mut script = script();
        let at = script.put(&word(ID));
        let script = script.call(&format!("messaging.{how}"), &[at, OUT + 4], 0, 0);
        let claim = with(script.traps(TrapCode::BadPointer), 0, vec![]);
        let name = format!("{how}: a result that is not aligned");
        let rule = "Pointers are checked before anything else.";
        file.push(two(name, rule).call("a", script.input(), claim));
    }
    let ask = asks("consume", ID);
    let claim = with(ask.traps(TrapCode::WriteInQuery), 0, vec![]);
    file.push(
        two(
            "a message consumed in a query",
            "Consuming changes state: in a query it is a trap, whether there is a message or not.",
        )
        .query("a", ask.input(), claim.clone())
        .step(deliver(ID, "a", 5, b"s", b"p"), Claim::done())
        .query("a", ask.input(), claim),
    );
}
