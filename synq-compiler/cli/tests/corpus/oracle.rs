use crate::common::{Chain, GENESIS};
use crate::keys::FnDsa;
use alloy_primitives::keccak256;

fn fresh() -> (Chain, FnDsa) {
    let (mut c, key) = (Chain::new(), FnDsa::new());
    c.blob("key", &key.public);
    c.deploy("frank", "oracle", "oracle.synq", "PriceOracle", "3");
    for who in ["alice", "bob", "carol", "dave"] {
        c.call("frank", "oracle", &format!("addAttestor(@{who}, $key)"))
            .ok()
            .logs(&[&format!("AttestorAdded(@{who})")]);
    }
    let id = keccak256(crate::common::encode(&c, "\"SYN/USD\", 8", "string,uint8"));
    c.blob("feed", id.as_slice());
    c.call("frank", "oracle", "addFeed(\"SYN/USD\", 8, 1000)")
        .returns("$feed")
        .logs(&["FeedAdded($feed, \"SYN/USD\")"]);
    (c, key)
}

#[test]
fn the_median_answers() {
    let (mut c, _) = fresh();
    c.call("alice", "oracle", "submit($feed, 105)")
        .ok()
        .logs(&["Reported($feed, 1, @alice, 105)"]);
    c.call("bob", "oracle", "submit($feed, 100)").ok();
    c.view("oracle", "describe($feed)")
        .returns("\"SYN/USD\", 8, 1, 2");
    c.view("oracle", "latest($feed, 100)")
        .fails("no answer yet");
    c.call("carol", "oracle", "submit($feed, 101)").ok().logs(&[
        "Reported($feed, 1, @carol, 101)",
        "Answered($feed, 1, 101, 3)",
    ]);
    c.view("oracle", "latest($feed, 0)")
        .returns(&format!("101, 1, {GENESIS}"));
    // In the second round 150 is too far away from 101; two are left.
    c.wait(60);
    c.call("alice", "oracle", "submit($feed, 150)").ok();
    c.call("bob", "oracle", "submit($feed, 110)").ok();
    c.call("dave", "oracle", "submit($feed, 103)").ok().logs(&[
        "Reported($feed, 2, @dave, 103)",
        "Answered($feed, 2, 106, 2)",
    ]);
    c.view("oracle", "change($feed, 1, 2)").returns("495");
    c.view("oracle", "change($feed, 2, 1)").returns("-471");
    c.view("oracle", "reportsBy(@alice)").returns("2");
    c.wait(101);
    c.view("oracle", "latest($feed, 100)")
        .fails("Stale($feed, 101)");
}

#[test]
fn outliers_alone_change_nothing() {
    let (mut c, _) = fresh();
    for who in ["alice", "bob", "carol"] {
        c.call(who, "oracle", "submit($feed, 1000)").ok();
    }
    c.wait(9);
    for who in ["alice", "bob"] {
        c.call(who, "oracle", "submit($feed, 1101)").ok();
    }
    c.call("carol", "oracle", "submit($feed, 899)").ok().logs(&[
        "Reported($feed, 2, @carol, 899)",
        "Answered($feed, 2, 1000, 0)",
    ]);
    c.view("oracle", "latest($feed, 9)")
        .returns(&format!("1000, 2, {GENESIS}"));
}

#[test]
fn signed_reports() {
    let (mut c, key) = fresh();
    let message = c.bytes("oracle", "reportMessage($feed, 1, 77)");
    c.blob("sig", &key.sign(&message));
    c.call("erin", "oracle", "submit($feed, @alice, 78, $sig)")
        .fails("bad report signature");
    let done = c
        .call("erin", "oracle", "submit($feed, @alice, 77, $sig)")
        .ok()
        .logs(&["Reported($feed, 1, @alice, 77)"]);
    assert!(done.receipt.gas.pq >= 20_000);
    c.call("erin", "oracle", "submit($feed, @alice, 77, $sig)")
        .fails("reported already");
    c.call("erin", "oracle", "submit($feed, @erin, 77, $sig)")
        .fails("UnknownAttestor(@erin)");
}

#[test]
fn what_is_refused() {
    let (mut c, _) = fresh();
    c.blob("none", &[7; 32]);
    c.call("erin", "oracle", "submit($feed, 1)")
        .fails("UnknownAttestor(@erin)");
    c.call("alice", "oracle", "submit($none, 1)")
        .fails("UnknownFeed($none)");
    c.call("alice", "oracle", "submit($feed, 0)")
        .fails("price must be positive");
    c.call("alice", "oracle", "submit($feed, -5)")
        .fails("price must be positive");
    c.call("alice", "oracle", "addAttestor(@erin, $key)")
        .fails("root only");
    c.call("frank", "oracle", "addAttestor(@alice, $key)")
        .fails("already an attestor");
    c.call("frank", "oracle", "addFeed(\"SYN/USD\", 8, 1)")
        .fails("feed exists");
    c.call("frank", "oracle", "removeAttestor(@alice)").ok();
    c.view("oracle", "attestorsNow()")
        .returns("[@dave, @bob, @carol]");
    c.call("frank", "oracle", "removeAttestor(@alice)")
        .fails("UnknownAttestor(@alice)");
    c.view("oracle", "change($feed, 1, 2)")
        .fails("no such round");
    c.try_deploy("frank", "o", "oracle.synq", "PriceOracle", "16")
        .fails("quorum");
}
