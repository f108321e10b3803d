//! Several messages of one transaction, and what proves each.

use super::*;

/// Several messages of one transaction, with the proof of each.
pub(super) fn proofs(file: &mut File) {
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
    let cases = [
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
