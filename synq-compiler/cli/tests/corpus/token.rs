use crate::common::Chain;
use crate::keys::MlDsa;

fn fresh() -> (Chain, MlDsa) {
    let (mut chain, key) = (Chain::new(), MlDsa::new());
    chain.blob("key", &key.public);
    chain.deploy(
        "alice",
        "token",
        "token.synq",
        "GovernanceToken",
        "\"Gold\", \"AU\", 1000, 5000, $key",
    );
    (chain, key)
}

/// Signs an order of the governance key and names the signature `sig`.
fn sign(chain: &mut Chain, key: &MlDsa, kind: &str, arguments: &str, types: &str) {
    let encoded = crate::common::encode(chain, arguments, types);
    chain.blob("args", &encoded);
    let message = chain.bytes("token", &format!("orderMessage({kind}, $args)"));
    chain.blob("sig", &key.sign(&message));
}

#[test]
fn holders_move_tokens() {
    let (mut c, _) = fresh();
    c.view("token", "name()").returns("\"Gold\"");
    c.view("token", "decimals()").returns("18");
    c.view("token", "governanceKey()").returns("$key");
    c.call("alice", "token", "transfer(@bob, 400)")
        .returns("true")
        .logs(&["Transfer(@alice, @bob, 400)"]);
    c.view("token", "balanceOf(@alice)").returns("600");
    c.view("token", "balanceOf(@bob)").returns("400");
    c.call("bob", "token", "approve(@carol, 150)")
        .returns("true")
        .logs(&["Approval(@bob, @carol, 150)"]);
    c.call("carol", "token", "transferFrom(@bob, @dave, 100)")
        .returns("true");
    c.view("token", "allowance(@bob, @carol)").returns("50");
    c.call("bob", "token", "burn(300)")
        .ok()
        .logs(&["Transfer(@bob, @nobody, 300)"]);
    c.view("token", "totalSupply()").returns("700");

    c.call("bob", "token", "transfer(@alice, 1)")
        .fails("InsufficientBalance(@bob, 0, 1)");
    c.call("carol", "token", "transferFrom(@bob, @dave, 51)")
        .fails("InsufficientAllowance(@carol, 50, 51)");
    c.call("alice", "token", "transfer(@nobody, 1)")
        .fails("transfer to zero address");
    c.call("alice", "token", "approve(@nobody, 1)")
        .fails("approve to zero address");
    c.pay("alice", 1, "token", "transfer(@bob, 1)")
        .fails("nothing");
}

#[test]
fn an_unlimited_allowance_stays() {
    let (mut c, _) = fresh();
    let max = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    c.call("alice", "token", &format!("approve(@bob, {max})"))
        .ok();
    c.call("bob", "token", "transferFrom(@alice, @bob, 10)")
        .ok();
    c.view("token", "allowance(@alice, @bob)").returns(max);
}

#[test]
fn batches_are_all_or_nothing() {
    let (mut c, _) = fresh();
    c.call(
        "alice",
        "token",
        "batchTransfer([@bob, @carol, @dave], [1, 0, 3])",
    )
    .returns("4")
    .logs(&[
        "Transfer(@alice, @bob, 1)",
        "Transfer(@alice, @dave, 3)",
        "BatchSent(@alice, 3, 4)",
    ]);
    c.call("alice", "token", "batchTransfer([@bob, @carol], 10)")
        .returns("20");
    c.view("token", "balanceOf(@bob)").returns("11");
    c.call("alice", "token", "batchTransfer([@bob, @carol], [970, 7])")
        .fails("InsufficientBalance(@alice, 6, 7)");
    c.view("token", "balanceOf(@bob)").returns("11");
    c.call("alice", "token", "batchTransfer([@bob], [1, 2])")
        .fails("lengths differ");
    c.call("alice", "token", "batchTransfer([], [])")
        .fails("batch size");
}

#[test]
fn the_key_governs() {
    let (mut c, key) = fresh();
    sign(&mut c, &key, "mint", "@bob, 500", "address,uint256");
    c.call("carol", "token", "mint(@bob, 500, $sig)")
        .ok()
        .logs(&["Transfer(@nobody, @bob, 500)"]);
    c.view("token", "totalSupply()").returns("1500");
    // The same order does not work twice, nor for another sum.
    assert!(
        !c.call("carol", "token", "mint(@bob, 500, $sig)")
            .receipt
            .status
            .is_success()
    );
    sign(&mut c, &key, "mint", "@bob, 4000", "address,uint256");
    c.call("carol", "token", "mint(@bob, 4000, $sig)")
        .fails("cap exceeded");

    sign(&mut c, &key, "freeze", "@bob, true", "address,bool");
    let done = c.call("carol", "token", "setFrozen(@bob, true, $sig)").ok();
    assert_eq!(done.receipt.pqc.len(), 1);
    assert!(done.receipt.pqc[0].ok && done.receipt.gas.pq >= 35_000);
    c.call("bob", "token", "transfer(@alice, 1)")
        .fails("AccountFrozen(@bob)");
    c.call("carol", "token", "setFrozen(@bob, false, $sig)")
        .fails("bad governance signature");

    sign(&mut c, &key, "pause", "true", "bool");
    c.call("carol", "token", "setPaused(true, 0x1234)")
        .fails("bad governance signature");
    c.call("carol", "token", "setPaused(true, $sig)")
        .ok()
        .logs(&["Paused(true)"]);
    c.call("alice", "token", "transfer(@bob, 1)")
        .fails("token is paused");
    c.call("carol", "token", "setPaused(true, $sig)")
        .fails("already paused");
}

#[test]
fn the_key_is_replaced() {
    let (mut c, key) = fresh();
    let next = MlDsa::new();
    c.blob("next", &next.public);
    sign(&mut c, &next, "rotate", "$next", "bytes");
    let message = c.bytes("token", "orderMessage(rotate, $args)");
    c.blob("old", &key.sign(&message));
    c.call("bob", "token", "rotateKey($next, $sig, $old)")
        .fails("key rotation refused");
    c.call("bob", "token", "rotateKey($next, $old, $sig)")
        .ok()
        .logs(&["KeyRotated(0)"]);
    c.view("token", "governanceKey()").returns("$next");
    sign(&mut c, &key, "pause", "true", "bool");
    c.call("bob", "token", "setPaused(true, $sig)")
        .fails("bad governance signature");
    sign(&mut c, &next, "pause", "true", "bool");
    c.call("bob", "token", "setPaused(true, $sig)").ok();
}

#[test]
fn supply_above_the_cap_is_refused() {
    let mut c = Chain::new();
    c.try_deploy(
        "alice",
        "token",
        "token.synq",
        "GovernanceToken",
        "\"Gold\", \"AU\", 2, 1, 0x00",
    )
    .fails("supply above cap");
}
