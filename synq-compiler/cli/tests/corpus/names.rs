use crate::common::{Chain, GENESIS, RICH};

const YEAR: u64 = 365 * 24 * 3600;
const GRACE: u64 = 30 * 24 * 3600;

fn fresh() -> Chain {
    let mut c = Chain::new();
    c.deploy("frank", "names", "names.synq", "NameRegistry", "100");
    c.pay("alice", 200, "names", "register(\"alice\", 2)")
        .ok()
        .logs(&[&format!(
            "Registered(\"alice\", @alice, {})",
            GENESIS + 2 * YEAR
        )]);
    c
}

#[test]
fn names_lead_to_accounts() {
    let mut c = fresh();
    c.view("names", "resolve:string(alice)").returns("@alice");
    c.call("alice", "names", "setTarget(alice, @bob)")
        .ok()
        .logs(&["TargetChanged(\"alice\", @bob)"]);
    c.view("names", "resolve:string(alice)").returns("@bob");
    c.call("alice", "names", "setPrimary(alice)")
        .fails("name leads elsewhere");
    c.call("bob", "names", "setPrimary(alice)").ok();
    c.view("names", "primaryName(@bob)").returns("\"alice\"");
    c.call("alice", "names", "setAlias(0xbeef, alice)").ok();
    c.view("names", "resolve:bytes(0xbeef)").returns("@bob");
    c.view("names", "resolve:bytes(0xbeee)").returns("@nobody");
    c.call(
        "alice",
        "names",
        "setText(alice, url, \"https://a.example\")",
    )
    .ok();
    c.view("names", "text(alice, url)")
        .returns("\"https://a.example\"");
    c.call("alice", "names", "setText(alice, url, \"\")").ok();
    c.view("names", "text(alice, url)").returns("\"\"");
    c.view("names", "records(alice)")
        .returns(&format!("@alice, @bob, {}, 1", GENESIS + 2 * YEAR));
}

#[test]
fn names_move_and_are_freed() {
    let mut c = fresh();
    c.call("alice", "names", "setText(alice, url, old)").ok();
    c.call("alice", "names", "move(alice, @carol)")
        .ok()
        .logs(&["Moved(\"alice\", @alice, @carol)"]);
    c.view("names", "ownedCount(@carol)").returns("1");
    c.view("names", "text(alice, url)").returns("\"\"");
    c.call("alice", "names", "release(alice)")
        .fails("NotOwner(\"alice\", @alice)");
    c.call("carol", "names", "release(alice)").ok();
    c.view("names", "available(alice)").returns("true");
    c.view("names", "ownedCount(@carol)").returns("0");
    c.pay("dave", 100, "names", "register(alice, 1)").ok();
    c.view("names", "records(alice)")
        .returns(&format!("@dave, @dave, {}, 3", GENESIS + YEAR));
}

#[test]
fn time_and_money() {
    let mut c = fresh();
    for (name, price) in [
        ("ab", 10_000),
        ("abc", 2_000),
        ("abcd", 500),
        ("abcde", 100),
    ] {
        c.view("names", &format!("price({name}, 1)"))
            .returns(&price.to_string());
    }
    c.pay("bob", 99, "names", "register(bobby, 1)")
        .fails("WrongFee(100, 99)");
    c.pay("bob", 100, "names", "register(alice, 1)")
        .fails(&format!("Taken(\"alice\", {})", GENESIS + 2 * YEAR));
    c.pay("bob", 100, "names", "renew(bobby, 1)")
        .fails("not registered");
    c.pay("bob", 100, "names", "renew(alice, 1)")
        .ok()
        .logs(&[&format!("Renewed(\"alice\", {})", GENESIS + 3 * YEAR)]);
    c.wait(3 * YEAR + 1);
    c.view("names", "resolve:string(alice)").returns("@nobody");
    c.call("alice", "names", "setTarget(alice, @bob)")
        .fails("NotOwner(\"alice\", @alice)");
    c.pay("bob", 100, "names", "register(alice, 1)")
        .fails(&format!("Taken(\"alice\", {})", GENESIS + 3 * YEAR));
    c.wait(GRACE);
    c.pay("bob", 100, "names", "renew(alice, 1)")
        .fails("too late");
    c.pay("bob", 100, "names", "register(alice, 1)").ok();
    c.view("names", "ownedCount(@alice)").returns("0");
    c.call("bob", "names", "collect(@bob)")
        .fails("registrar only");
    c.call("frank", "names", "collect(@erin)").ok();
    assert_eq!((c.balance("erin"), c.balance("names")), (RICH + 400, 0));
}

#[test]
fn bad_names() {
    let mut c = fresh();
    for (name, at) in [("", 0), ("-abc", 0), ("abc-", 3), ("a_b", 1), ("Abc", 0)] {
        c.pay("bob", 1, "names", &format!("register(\"{name}\", 1)"))
            .fails(&format!("InvalidName({name:?}, {at})"));
    }
    c.pay("bob", 1, "names", "register(bob, 11)")
        .fails("one to ten years");
    c.pay("bob", 100, "names", "register(b-0-b, 1)").ok();
    c.call("alice", "names", "setAlias(0x, alice)")
        .fails("alias length");
    c.call("alice", "names", "setAlias(0x01, alice)").ok();
    c.call("alice", "names", "setAlias(0x01, alice)")
        .fails("alias in use");
    c.call("bob", "names", "setFee(1)").fails("registrar only");
}
