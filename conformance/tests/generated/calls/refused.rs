//! Code that an earlier schedule accepted and the one in force refuses.

use aivm::{TrapCode, Word};
use aivm_conformance::Chain;
use aivm_conformance::action::{Action, Message};
use aivm_conformance::outcome::Claim;
use serde_json::json;

use super::super::draft::*;
use super::{PLENTY, REASON, TRAPPED, callee, failure, input, ok, proxy};

/// From here on a module may have one global only.
const STRICT: u64 = 200;
/// From here on it is as it was.
const AGAIN: u64 = 300;

fn strict() -> Chain {
    let mut chain = chain();
    let limit = [("limits/globals".to_owned(), json!(1))];
    chain.schedules.insert(STRICT, limit.into());
    chain.schedules.insert(AGAIN, [].into());
    chain
}

fn block(draft: Draft, number: u64) -> Draft {
    let timestamp = TIME + number;
    draft.step(Action::Block { number, timestamp }, Claim::default())
}

pub fn file() -> File {
    let mut file = File::new("calls", "refused", REASON);
    file.share_wat("proxy", &proxy("call", ""));
    file.share_wat("asker", &proxy("query", ""));
    let two = "(global $more i32 (i32.const 0)) (global $heap";
    file.share_wat("two", &callee().replace("(global $heap", two));
    let two = file.address("two", "two");
    let refused = || failure(TRAPPED, TrapCode::RefusedCode.code(), &[]);

    for (caller, value, gas) in [
        ("proxy", 0, PLENTY),
        ("proxy", 0, 1),
        ("proxy", 0, 0),
        ("proxy", 5, PLENTY),
        ("asker", 0, PLENTY),
    ] {
        let data = input(&two, gas, value, &[0]);
        let mut message = Message::new(ALICE, data.clone());
        message.value = Word::from(value);
        let call = |draft: Draft, claim| draft.send(caller, message.clone(), claim);
        let before = match gas {
            PLENTY => ok(&[0]),
            _ => failure(TRAPPED, TrapCode::OutOfGas.code(), &[]),
        };
        let draft = Draft::new(
            format!("{caller}: refused code gets {gas} gas and {value} coins"),
            "A nested call of code that the schedule in force refuses is a trap of the callee, which takes its gas and moves no value; when a later schedule accepts the code again, it runs.",
        );
        let draft = draft.chain(strict()).put(caller).put("two");
        let draft = call(block(draft, STRICT - 1), before.clone());
        let draft = call(block(draft, STRICT), refused());
        let draft = call(draft, refused());
        let draft = call(block(draft, AGAIN), before);
        file.push(
            draft
                .storage(caller)
                .storage("two")
                .balance("two")
                .balance(caller),
        );
    }

    let rule =
        "No block may hold a transaction that calls code which the schedule in force refuses.";
    let stored = || Claim::refused("stored-code");
    let start = |name: &str| {
        let draft = Draft::new(name, rule).chain(strict()).put("two");
        block(draft, STRICT)
    };
    file.push(
        block(
            start("a transaction calls refused code")
                .call("two", [0], stored())
                .query("two", [0], stored()),
            AGAIN,
        )
        .call("two", [0], Claim::returns([0]))
        .storage("two"),
    );
    file.push(
        block(
            start("a deployment of refused code").deploy_as(
                "other",
                "two",
                Message::new(ALICE, []),
                stored(),
            ),
            AGAIN,
        )
        .deploy("other", "two", &[]),
    );
    file.push(
        start("an upload of refused code").upload_as("two", Claim::refused("invalid-module")),
    );
    // Which of two reasons is told.
    let poor = |value: u64| Message::new(BOB, []).with_value(value.into());
    file.push(
        start("refused code and no money")
            .reason("docs/embedding.md: code is looked at before the balance.")
            .send("two", poor(1), stored()),
    );
    file.push(
        start("refused code and no gas")
            .reason("docs/embedding.md: gas is looked at before code.")
            .send("two", limited(1), Claim::refused("gas-limit-too-low")),
    );
    file
}
