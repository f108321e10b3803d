//! What arrives, is consumed once, and is refused.

use super::*;

pub(super) fn arrivals(file: &mut File) {
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
        let p = prices_with(sender.len() + payload.len());
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
    let at = crate::guest::HEAP + 24;
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

pub(super) fn refusals(file: &mut File) {
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
        let claim = with(ask.returns(&refusal(UNKNOWN)), p.peek, vec![]);
        let (takes, shown) = takes("consume", ID, 5, b"s", b"p");
        let right = with(takes.returns(&shown), p.consume, vec![]);
        let name = format!("{how}: a message for another contract");
        // After it was consumed, too: whether it was is nobody else's business.
        file.push(
            two(name, rule)
                .step(deliver(ID, "a", 5, b"s", b"p"), Claim::done())
                .call("b", ask.input(), claim.clone())
                .call("a", takes.input(), right.clone())
                .call("b", ask.input(), claim.clone()),
        );
        // The chain that it comes from, one that nobody has, the highest; then this one, which is what an action
        // without a destination means.
        let name = format!("{how}: a message to another chain");
        let rule = "A message that was sent to another chain is unknown on this one, though its recipient has the same address here.";
        let mut draft = two(name, rule);
        for chain in [5, 0, u64::MAX] {
            draft = draft
                .step(sent_to(chain), Claim::done())
                .call("a", ask.input(), claim.clone());
        }
        draft = draft.step(sent_to(CHAIN), Claim::done());
        file.push(draft.call("a", takes.input(), right));
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
