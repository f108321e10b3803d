//! What is sent, what is undone, and what may not be sent.

use super::*;

pub(super) fn numbers(file: &mut File) {
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

pub(super) fn undone(file: &mut File) {
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
pub(super) fn cold() -> u64 {
    let s = GasSchedule::v1().storage;
    s.read - s.read_warm
}

/// A message between a checkpoint and its end.
pub(super) fn script_in(end: &str, sequence: u32) -> Script {
    let begun = script().call("journal.begin", &[], 0, 0);
    send(begun, 5, &RECIPIENT, b"inside", sequence).call(end, &[], 0, 0)
}

pub(super) fn sending_limits(file: &mut File) {
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
