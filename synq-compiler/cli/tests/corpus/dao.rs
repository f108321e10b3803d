use crate::common::{Chain, GENESIS, RICH};
use alloy_primitives::{U256, keccak256};
use pqcrypto_mlkem::mlkem768;
use pqcrypto_traits::kem::{Ciphertext, PublicKey, SecretKey, SharedSecret};

struct Election {
    chain: Chain,
    public: mlkem768::PublicKey,
}

fn fresh() -> Election {
    let mut chain = Chain::new();
    let (public, secret) = mlkem768::keypair();
    chain.blob("public", public.as_bytes());
    chain.blob("secret", secret.as_bytes());
    chain.deploy("frank", "dao", "dao.synq", "SecretBallotDao", "1000, 6");
    chain.pay("frank", 500, "dao", "fund()").ok();
    for (who, weight) in [("alice", 3), ("bob", 2), ("carol", 4), ("dave", 1)] {
        chain
            .call("frank", "dao", &format!("setMember(@{who}, {weight})"))
            .ok();
    }
    chain
        .call(
            "alice",
            "dao",
            "propose(\"A new roof\", @erin, 200, $public)",
        )
        .returns("1")
        .logs(&["Proposed(1, @alice, \"A new roof\")"]);
    Election { chain, public }
}

impl Election {
    fn vote(&mut self, who: &str, choice: u8) -> crate::common::Done {
        let (secret, ciphertext) = mlkem768::encapsulate(&self.public);
        let mask = U256::from_be_bytes(keccak256(secret.as_bytes()).0) % U256::from(3);
        let masked = (choice + mask.to::<u8>()) % 3;
        self.chain.blob("ballot", ciphertext.as_bytes());
        self.chain
            .call(who, "dao", &format!("vote(1, {masked}, $ballot)"))
    }
}

#[test]
fn ballots_stay_secret_until_all_are_in() {
    let mut e = fresh();
    e.vote("alice", 1).ok().logs(&["BallotCast(1, @alice, 0)"]);
    e.vote("bob", 0).ok();
    e.vote("carol", 1).ok();
    e.vote("dave", 2).ok();
    let c = &mut e.chain;
    c.view("dao", "result(1)").returns("0, 0, 0");
    c.call("frank", "dao", "open(1, $secret)")
        .fails("voting goes on");
    c.wait(1000);
    c.call("frank", "dao", "open(1, $secret)")
        .ok()
        .logs(&["Opened(1)"]);
    let done = c.call("bob", "dao", "count(1, 3)").returns("1");
    assert!(done.receipt.gas.pq >= 75_000);
    c.call("bob", "dao", "finish(1)")
        .fails("ballots left to count");
    c.call("bob", "dao", "count(1, 3)").returns("0");
    c.view("dao", "result(1)").returns("7, 2, 1");
    c.view("dao", "tally(1, 2)").returns("1");
    c.call("bob", "dao", "finish(1)")
        .returns("true")
        .logs(&["Decided(1, true, 7, 2)"]);
    assert_eq!((c.balance("erin"), c.balance("dao")), (RICH + 200, 300));
    c.view("dao", "proposals(1)").returns(&format!(
        "@alice, \"A new roof\", {}, 4, 3, true, @erin, 200",
        GENESIS + 1000
    ));
    c.call("bob", "dao", "finish(1)")
        .fails("WrongPhase(1, 2, 3)");
}

#[test]
fn too_few_votes_pay_nothing() {
    let mut e = fresh();
    e.vote("alice", 1).ok();
    e.chain.wait(1000);
    e.chain.call("frank", "dao", "open(1, $secret)").ok();
    e.chain.call("dave", "dao", "count(1, 10)").returns("0");
    e.chain.call("dave", "dao", "finish(1)").returns("false");
    assert_eq!(e.chain.balance("dao"), 500);
}

#[test]
fn votes_that_do_not_count() {
    let mut e = fresh();
    e.vote("alice", 1).ok();
    e.vote("alice", 1).fails("voted already");
    e.vote("erin", 1).fails("NotMember(@erin)");
    e.chain
        .call("bob", "dao", "vote(1, 3, 0x00)")
        .fails("not a masked choice");
    e.chain
        .call("bob", "dao", "vote(2, 0, 0x00)")
        .fails("WrongPhase(2, 1, 0)");
    e.chain
        .call("bob", "dao", "open(1, 0x00)")
        .fails("guardian only");
    e.chain
        .call("erin", "dao", "propose(\"x\", @erin, 1, 0x00)")
        .fails("NotMember(@erin)");
    e.chain
        .call("bob", "dao", "propose(\"\", @erin, 1, 0x00)")
        .fails("title");
    e.chain.wait(1000);
    e.vote("bob", 1).fails("voting is over");
}

#[test]
fn members_change() {
    let mut e = fresh();
    let c = &mut e.chain;
    c.call("frank", "dao", "setMember(@alice, 0)")
        .ok()
        .logs(&["MemberSet(@alice, 0)"]);
    c.view("dao", "roll()")
        .returns("[@dave, @bob, @carol], [1, 2, 4]");
    c.call("frank", "dao", "setMember(@bob, 9)").ok();
    c.view("dao", "memberCount()").returns("3");
    c.call("bob", "dao", "setMember(@bob, 99)")
        .fails("guardian only");
    c.try_deploy("alice", "d", "dao.synq", "SecretBallotDao", "0, 1")
        .fails("period");
}
