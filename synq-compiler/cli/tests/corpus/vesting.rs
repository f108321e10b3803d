use crate::common::{Chain, GENESIS};

fn fresh() -> Chain {
    let mut c = Chain::new();
    c.deploy(
        "frank",
        "token",
        "token.synq",
        "GovernanceToken",
        "T, T, 10000, 10000, 0x00",
    );
    c.deploy("frank", "vesting", "vesting.synq", "Vesting", "@token");
    c.call("frank", "token", "transfer(@vesting, 3000)").ok();
    c
}

fn grant(who: &str, amount: u64, cliff: u64, length: u64, revocable: bool) -> String {
    let (a, b) = (GENESIS + cliff, GENESIS + length);
    format!("grant(@{who}, {amount}, {GENESIS}, {a}, {b}, {revocable})")
}

#[test]
fn tokens_vest() {
    let mut c = fresh();
    c.call("frank", "vesting", &grant("alice", 1000, 100, 400, true))
        .returns("0")
        .logs(&["Granted(@alice, 0, 1000)"]);
    c.view("vesting", "claimable(@alice)").returns("0");
    c.wait(99);
    c.call("alice", "vesting", "claim()")
        .fails("NothingToClaim(@alice)");
    c.wait(1);
    c.call("alice", "vesting", "claim()")
        .returns("250")
        .logs(&["Transfer(@vesting, @alice, 250)", "Claimed(@alice, 250)"]);
    c.wait(100);
    c.call("frank", "vesting", "revoke(@alice, 0)")
        .returns("500")
        .logs(&["Revoked(@alice, 0, 500)", "Transfer(@vesting, @frank, 500)"]);
    c.wait(1000);
    c.view("vesting", "claimable(@alice)").returns("250");
    c.call("alice", "vesting", "claim()").returns("250");
    c.view("vesting", "reserved()").returns("0");
    c.call("frank", "vesting", "revoke(@alice, 0)")
        .fails("revoked already");
    c.view("token", "balanceOf(@alice)").returns("500");
}

#[test]
fn steps_vest() {
    let mut c = fresh();
    let (a, b, d) = (GENESIS + 10, GENESIS + 20, GENESIS + 30);
    c.call(
        "frank",
        "vesting",
        &format!("grantSteps(@bob, [({a}, 100), ({b}, 200), ({d}, 400)])"),
    )
    .returns("0");
    c.view("vesting", "grantAt(@bob, 0)")
        .returns(&format!("700, 0, 0, [({a}, 100), ({b}, 200), ({d}, 400)]"));
    c.call("frank", "vesting", &grant("bob", 50, 0, 5, false))
        .returns("1");
    c.wait(20);
    c.view("vesting", "claimable(@bob)").returns("350");
    c.call("bob", "vesting", "setDelegate(@carol)").ok();
    c.call("carol", "vesting", "claim(@bob)").returns("350");
    c.view("token", "balanceOf(@bob)").returns("350");
    c.call("frank", "vesting", "dropLastStep(@bob)")
        .fails("Panic(0x11)");
    c.view("vesting", "totals()").returns("1, 750");
    c.call("bob", "vesting", "setDelegate(@nobody)").ok();
    c.call("carol", "vesting", "claim(@bob)")
        .fails("not the delegate");
}

#[test]
fn a_milestone_is_called_off() {
    let mut c = fresh();
    let (a, b) = (GENESIS + 10, GENESIS + 20);
    c.call(
        "frank",
        "vesting",
        &format!("grantSteps(@bob, [({a}, 100), ({b}, 200)])"),
    )
    .ok();
    c.call("frank", "vesting", "dropLastStep(@bob)")
        .returns(&format!("({b}, 200)"));
    c.view("vesting", "reserved()").returns("100");
    c.wait(15);
    c.call("frank", "vesting", "dropLastStep(@bob)")
        .fails("step has vested");
    c.wait(15);
    c.call("bob", "vesting", "claim()").returns("100");
}

#[test]
fn what_is_refused() {
    let mut c = fresh();
    c.call("alice", "vesting", &grant("alice", 1, 0, 1, true))
        .fails("grantor only");
    c.call("frank", "vesting", &grant("alice", 3001, 0, 1, true))
        .fails("fund the contract first");
    c.call("frank", "vesting", &grant("alice", 0, 0, 1, true))
        .fails("amount is zero");
    c.call("frank", "vesting", &grant("alice", 1, 2, 1, true))
        .fails(&format!(
            "BadSchedule({GENESIS}, {}, {})",
            GENESIS + 2,
            GENESIS + 1
        ));
    c.call("frank", "vesting", &grant("alice", 1, 0, 1, false))
        .ok();
    c.call("frank", "vesting", "revoke(@alice, 0)")
        .fails("not revocable");
    c.call("frank", "vesting", "revoke(@alice, 1)")
        .fails("Panic(0x32)");
    c.call("frank", "vesting", "grantSteps(@bob, [])")
        .fails("1 to 24 steps");
    c.call("frank", "vesting", "grantSteps(@bob, [(5, 1), (5, 1)])")
        .fails("steps must rise");
    c.call("frank", "vesting", "grantSteps(@bob, [(5, 1), (6, 5000)])")
        .fails("fund the contract first");
}
