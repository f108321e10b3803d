use crate::common::{Chain, GENESIS, RICH};

fn fresh() -> Chain {
    let mut c = Chain::new();
    c.deploy("frank", "escrow", "escrow.synq", "Escrow", "250");
    c.pay(
        "alice",
        10_000,
        "escrow",
        "open(@bob, @carol, 1000, \"a chair\")",
    )
    .returns("1")
    .logs(&["Opened(1, @alice, @bob, 10000)"]);
    c
}

#[test]
fn a_good_deal() {
    let mut c = fresh();
    c.view("escrow", "deals(1)").returns(&format!(
        "@alice, @bob, @carol, 10000, {}, 1, \"a chair\"",
        GENESIS + 1000
    ));
    c.call("bob", "escrow", "markDelivered(1)")
        .ok()
        .logs(&["StateChanged(1, 1, 2)"]);
    c.call("alice", "escrow", "release(1)")
        .ok()
        .logs(&["Settled(1, 9750, 0, 250)", "StateChanged(1, 2, 4)"]);
    assert_eq!(c.balance("bob"), RICH + 9_750);
    assert_eq!(c.balance("escrow"), 250);
    c.call("frank", "escrow", "collectFees()").returns("250");
    assert_eq!((c.balance("frank"), c.balance("escrow")), (RICH + 250, 0));
    c.view("escrow", "stateOf(1)").returns("4");
    c.call("alice", "escrow", "release(1)")
        .fails("BadState(1, 4)");
}

#[test]
fn the_arbiter_splits() {
    let mut c = fresh();
    c.call("bob", "escrow", "dispute(1, \"not a chair\")").ok();
    c.view("escrow", "openByArbiter(@carol)").returns("1");
    c.call("carol", "escrow", "arbitrate(1, 10001)")
        .fails("share");
    c.call("alice", "escrow", "arbitrate(1, 4000)")
        .fails("NotYours(1, @alice)");
    c.call("carol", "escrow", "arbitrate(1, 4000)")
        .ok()
        .logs(&["Settled(1, 3900, 6000, 100)", "StateChanged(1, 3, 5)"]);
    assert_eq!(
        (c.balance("alice"), c.balance("bob")),
        (RICH - 4_000, RICH + 3_900)
    );
    c.view("escrow", "openByArbiter(@carol)").returns("0");
    c.view("escrow", "firstOpen(@alice)").returns("0");
}

#[test]
fn time_runs_out() {
    let mut c = fresh();
    c.pay("alice", 50, "escrow", "open(@bob, @carol, 5, \"a nail\")")
        .returns("2");
    c.wait(1000);
    c.call("dave", "escrow", "expire(1)").fails("not yet");
    c.wait(1);
    c.call("bob", "escrow", "markDelivered(2)").ok();
    c.call("dave", "escrow", "expire(1)")
        .ok()
        .logs(&["Settled(1, 0, 10000, 0)", "StateChanged(1, 1, 5)"]);
    c.view("escrow", "firstOpen(@bob)").returns("2");
    c.call("dave", "escrow", "expire(2)")
        .ok()
        .logs(&["Settled(2, 49, 0, 1)", "StateChanged(2, 2, 4)"]);
    c.view("escrow", "dealCount(@alice)").returns("2");
    assert_eq!(c.balance("escrow"), 1);
}

#[test]
fn strangers_and_wrong_states_are_refused() {
    let mut c = fresh();
    c.call("alice", "escrow", "markDelivered(1)")
        .fails("NotYours(1, @alice)");
    c.call("alice", "escrow", "release(9)")
        .fails("no such deal");
    c.call("dave", "escrow", "dispute(1, \"me too\")")
        .fails("NotYours(1, @dave)");
    c.call("alice", "escrow", "open(@bob, @carol, 1, \"\")")
        .fails("no money");
    c.pay("alice", 1, "escrow", "open(@bob, @bob, 1, \"\")")
        .fails("three parties");
    c.call("alice", "escrow", "collectFees()")
        .fails("collector only");
    c.call("carol", "escrow", "arbitrate(1, 1)")
        .fails("BadState(1, 1)");
    c.try_deploy("alice", "greedy", "escrow.synq", "Escrow", "1001")
        .fails("fee above 10%");
}
