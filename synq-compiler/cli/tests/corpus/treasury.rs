use crate::common::{Chain, GENESIS, RICH};
use crate::keys::FnDsa1024;

const PERIOD: u64 = 30 * 24 * 3600;

fn fresh() -> (Chain, FnDsa1024) {
    let (mut c, key) = (Chain::new(), FnDsa1024::new());
    c.blob("key", &key.public);
    c.deploy(
        "frank",
        "treasury",
        "treasury.synq",
        "Treasury",
        "[@alice, @bob, @carol], [100, 1000], 2500, $key",
    );
    c.pay("dave", 10_000, "treasury", "receive_()")
        .ok()
        .logs(&["Received(@dave, 10000)"]);
    (c, key)
}

#[test]
fn the_sum_decides_who_agrees() {
    let (mut c, key) = fresh();
    c.call("alice", "treasury", "request(@erin, 99, \"paper\")")
        .returns("0")
        .logs(&["Requested(0, @erin, 99, 0)", "Approved(0, @alice)"]);
    c.call("alice", "treasury", "pay(0)")
        .ok()
        .logs(&["Paid(0, @erin, 99)"]);
    c.call("bob", "treasury", "request(@erin, 999, \"desks\")")
        .returns("1");
    c.call("bob", "treasury", "pay(1)")
        .fails("approvals missing");
    c.call("carol", "treasury", "approve(1)").ok();
    c.call("carol", "treasury", "approve(1)")
        .fails("approved already");
    c.call("bob", "treasury", "pay(1)").ok();
    c.call("bob", "treasury", "request(@erin, 1000, \"rent\")")
        .returns("2");
    c.call("alice", "treasury", "approve(2)").ok();
    c.call("carol", "treasury", "approve(2)").ok();
    c.call("bob", "treasury", "pay(2)")
        .fails("guard key missing");
    let message = c.bytes("treasury", "guardMessage(2)");
    c.blob("sig", &key.sign(&message));
    c.call("dave", "treasury", "guard(2, 0x00)")
        .returns("false")
        .logs(&[]);
    c.call("dave", "treasury", "guard(1, $sig)")
        .returns("false");
    c.call("bob", "treasury", "pay(2)")
        .fails("guard key missing");
    let done = c
        .call("dave", "treasury", "guard(2, $sig)")
        .returns("true")
        .logs(&["Guarded(2)"]);
    assert!(done.receipt.gas.pq >= 30_000);
    c.view("treasury", "payment(2)").returns(&format!(
        "(@erin, 1000, \"rent\", 3, true, false, {GENESIS})"
    ));
    c.call("bob", "treasury", "pay(2)").ok();
    assert_eq!(
        (c.balance("erin"), c.balance("treasury")),
        (RICH + 2098, 7902)
    );
    c.view("treasury", "purposeTotals(rent)").returns("1000");
    c.view("treasury", "hasApproved(1, @alice)")
        .returns("false");
    c.view("treasury", "hasApproved(1, @carol)").returns("true");
}

#[test]
fn the_budget_holds_for_a_period() {
    let (mut c, _) = fresh();
    for id in 0..3 {
        c.call("alice", "treasury", "request(@erin, 900, \"x\")")
            .returns(&id.to_string());
        c.call("bob", "treasury", &format!("approve({id})")).ok();
    }
    c.view("treasury", "outstanding()").returns("2700");
    c.call("bob", "treasury", "pay(0)").ok();
    c.call("bob", "treasury", "pay(1)").ok();
    let period = GENESIS / PERIOD;
    c.call("bob", "treasury", "pay(2)")
        .fails(&format!("OverBudget({period}, 1800, 900, 2500)"));
    c.view("treasury", &format!("spentIn({period})"))
        .returns("1800");
    c.wait(7 * 24 * 3600 + 1);
    c.call("bob", "treasury", "pay(2)").fails("request expired");
    c.view("treasury", "outstanding()").returns("0");
}

#[test]
fn what_is_refused() {
    let (mut c, _) = fresh();
    c.call("dave", "treasury", "request(@dave, 1, \"me\")")
        .fails("NotOfficer(@dave)");
    c.call("alice", "treasury", "request(@dave, 0, \"me\")")
        .fails("amount is zero");
    c.call("alice", "treasury", "approve(0)")
        .fails("no such payment");
    c.view("treasury", "payment(0)").fails("Panic(0x32)");
    c.view("treasury", "officers(3)").fails("nothing");
    c.view("treasury", "officers(2)").returns("@carol");
    let t = |c: &mut Chain, args: &str, why: &str| {
        c.try_deploy("frank", "t", "treasury.synq", "Treasury", args)
            .fails(why);
    };
    t(
        &mut c,
        "[@alice, @bob, @alice], [1, 2], 1, $key",
        "officer named twice",
    );
    t(
        &mut c,
        "[@alice, @bob, @nobody], [1, 2], 1, $key",
        "zero officer",
    );
    t(
        &mut c,
        "[@alice, @bob, @carol], [2, 2], 1, $key",
        "thresholds out of order",
    );
}
