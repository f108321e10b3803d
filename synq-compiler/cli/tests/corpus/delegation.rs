use crate::common::{Chain, GENESIS, RICH};
use crate::keys::FnDsa;

fn fresh() -> (Chain, FnDsa) {
    let (mut c, key) = (Chain::new(), FnDsa::new());
    c.blob("key", &key.public);
    c.deploy(
        "frank",
        "staking",
        "delegation.synq",
        "DelegatedStaking",
        "100, 500",
    );
    c.deploy(
        "frank",
        "authority",
        "delegation.synq",
        "SlashingAuthority",
        "@staking, $key",
    );
    c.call("frank", "staking", "setAuthority(@authority)").ok();
    c.pay("alice", 1000, "staking", "register(\"node one\", 1000)")
        .ok()
        .logs(&[
            "Registered(@alice, \"node one\")",
            "Delegated(@alice, @alice, 1000, 1000)",
        ]);
    c.pay("bob", 200, "staking", "register(\"node two\", 0)")
        .ok();
    (c, key)
}

fn evidence(c: &mut Chain, key: &FnDsa, call: &str) {
    let message = c.bytes("authority", &format!("evidenceMessage({call})"));
    c.blob("sig", &key.sign(&message));
}

#[test]
fn delegators_share_rewards() {
    let (mut c, _) = fresh();
    c.pay("carol", 1000, "staking", "delegate(@alice)")
        .returns("1000");
    c.pay("dave", 1000, "staking", "reward(@alice)")
        .ok()
        .logs(&[
            "Delegated(@alice, @alice, 100, 68)",
            "Rewarded(@alice, 1000, 100)",
        ]);
    c.view("staking", "stakeOf(@alice, @carol)").returns("1450");
    c.view("staking", "validators(@alice)")
        .returns("1, 1000, 3000, 2068, 0, \"node one\"");
    c.view("staking", "leader()").returns("@alice, 3000");
    c.call("carol", "staking", "undelegate(@alice, 500)")
        .returns("725");
    c.call("carol", "staking", "undelegate(@alice, 100)").ok();
    c.view("staking", "pending(@carol)").returns("2, 870");
    c.call("carol", "staking", "withdrawReady()")
        .fails("nothing is ready");
    c.wait(500);
    c.call("carol", "staking", "withdrawReady()").returns("870");
    assert_eq!(c.balance("carol"), RICH - 1000 + 870);
    c.view("staking", "pending(@carol)").returns("0, 0");
}

#[test]
fn evidence_slashes() {
    let (mut c, key) = fresh();
    c.pay("carol", 1000, "staking", "delegate(@alice)").ok();
    evidence(&mut c, &key, "@alice, 5, \"double sign\"");
    c.call(
        "dave",
        "authority",
        "report(@alice, 6, \"double sign\", $sig)",
    )
    .fails("bad committee signature");
    c.call(
        "dave",
        "authority",
        "report(@alice, 5, \"double sign\", $sig)",
    )
    .returns("20")
    .logs(&[
        "Slashed(@alice, 20)",
        "StatusChanged(@alice, 2)",
        "Punished(@alice, 1, 20)",
    ]);
    c.view("staking", "stakeOf(@alice, @carol)").returns("990");
    c.call(
        "dave",
        "authority",
        "report(@alice, 5, \"double sign\", $sig)",
    )
    .fails("evidence was used");
    evidence(&mut c, &key, "@alice, 7, \"double sign\"");
    c.call(
        "dave",
        "authority",
        "report(@alice, 7, \"double sign\", $sig)",
    )
    .fails("validator is not active");
    c.view("staking", "leader()").returns("@bob, 200");
    c.call("alice", "staking", "unjail()").fails("still jailed");
    c.wait(1000);
    c.call("alice", "staking", "unjail()").ok();
    c.call(
        "dave",
        "authority",
        "report(@alice, 7, \"double sign\", $sig)",
    )
    .returns("39");
    c.view("staking", "slashedTotal()").returns("59");
    c.view("authority", "offences(@alice)").returns("2");
}

#[test]
fn penalties_double() {
    let (mut c, _) = fresh();
    for (offence, bps) in [
        (0, 0),
        (1, 100),
        (2, 200),
        (6, 3200),
        (7, 5000),
        (1_000_000_000, 5000),
    ] {
        c.view("authority", &format!("penalty({offence})"))
            .returns(&bps.to_string());
    }
}

#[test]
fn what_is_refused() {
    let (mut c, _) = fresh();
    c.pay("alice", 100, "staking", "register(x, 1)")
        .fails("already registered");
    c.pay("carol", 99, "staking", "register(x, 1)")
        .fails("self stake too small");
    c.pay("carol", 100, "staking", "register(x, 5001)")
        .fails("commission above 50%");
    c.pay("carol", 1, "staking", "delegate(@dave)")
        .fails("NotActive(@dave, 0)");
    c.call("carol", "staking", "delegate(@alice)")
        .fails("nothing sent");
    c.call("carol", "staking", "undelegate(@alice, 1)")
        .fails("not that many shares");
    c.call("frank", "staking", "slash(@alice, 1)")
        .fails("NotAuthority(@frank)");
    c.call("alice", "staking", "setAuthority(@alice)")
        .fails("owner only");
    c.call("alice", "staking", "undelegate(@alice, 950)")
        .ok()
        .logs(&[
            "StatusChanged(@alice, 3)",
            &format!("Undelegated(@alice, @alice, 950, {})", GENESIS + 500),
        ]);
    c.pay("carol", 1, "staking", "delegate(@alice)")
        .fails("NotActive(@alice, 3)");
}
