use crate::common::{Chain, RICH, encode};
use crate::keys::MlDsa;

fn fresh() -> (Chain, Vec<MlDsa>) {
    let mut c = Chain::new();
    let keys: Vec<MlDsa> = (0..4).map(|_| MlDsa::new()).collect();
    for (i, key) in keys.iter().enumerate() {
        c.blob(&format!("k{i}"), &key.public);
    }
    c.deploy(
        "alice",
        "wallet",
        "multisig.synq",
        "MultisigWallet",
        "[@alice, @bob, @carol], [$k0, $k1, $k2], 2",
    );
    c.pay("dave", 900, "wallet", "deposit()")
        .ok()
        .logs(&["Deposit(@dave, 900)"]);
    (c, keys)
}

#[test]
fn two_of_three_pay() {
    let (mut c, _) = fresh();
    c.call("alice", "wallet", "propose(@erin, 300, 0x)")
        .returns("0")
        .logs(&["Proposed(0, @alice, @erin, 300)", "Confirmed(0, @alice)"]);
    c.call("alice", "wallet", "execute(0)")
        .fails("NotEnough(1, 2)");
    c.view("wallet", "firstMissing(0)").returns("@bob");
    c.call("bob", "wallet", "confirm(0)").ok();
    c.call("bob", "wallet", "confirm(0)")
        .fails("already confirmed");
    c.call("bob", "wallet", "withdraw(0)")
        .ok()
        .logs(&["Withdrawn(0, @bob)"]);
    c.call("carol", "wallet", "confirm(0)").ok();
    c.view("wallet", "proposal(0)")
        .returns("@erin, 300, 0x, 2, false, false");
    c.call("bob", "wallet", "execute(0)")
        .ok()
        .logs(&["Executed(0, 0x)"]);
    assert_eq!((c.balance("erin"), c.balance("wallet")), (RICH + 300, 600));
    c.call("bob", "wallet", "execute(0)")
        .fails("already executed");
}

#[test]
fn relayed_confirmations() {
    let (mut c, keys) = fresh();
    c.call("alice", "wallet", "propose(@erin, 1, 0x)").ok();
    let message = c.bytes("wallet", "confirmMessage(0, @carol)");
    c.blob("sig", &keys[2].sign(&message));
    c.blob("bad", &keys[1].sign(&message));
    c.call("dave", "wallet", "confirmSigned(0, @carol, $bad)")
        .fails("bad signature");
    c.view("wallet", "confirmed(0, @carol)").returns("false");
    c.call("dave", "wallet", "confirmSigned(0, @carol, $sig)")
        .ok()
        .logs(&["Confirmed(0, @carol)"]);
    c.view("wallet", "countConfirmations(0)").returns("2");
    c.call("dave", "wallet", "confirmSigned(0, @dave, $sig)")
        .fails("NotOwner(@dave)");
    c.call("alice", "wallet", "execute(0)").ok();
}

#[test]
fn owners_come_and_go() {
    let (mut c, _) = fresh();
    let order = encode(&c, "1, @dave, $k3, 3", "uint8,address,bytes,uint32");
    c.blob("add", &order);
    c.call("alice", "wallet", "propose(@wallet, 0, $add)")
        .returns("0");
    c.call("bob", "wallet", "confirm(0)").ok();
    c.call("bob", "wallet", "execute(0)").ok().logs(&[
        "OwnerAdded(@dave)",
        "RequirementChanged(3)",
        "Executed(0, 0x)",
    ]);
    c.view("wallet", "ownerCount()").returns("4");
    c.view("wallet", "keyOf(@dave)").returns("$k3, 1");
    let order = encode(&c, "2, @alice, 0x, 2", "uint8,address,bytes,uint32");
    c.blob("drop", &order);
    c.call("alice", "wallet", "propose(@wallet, 0, $drop)")
        .returns("1");
    c.call("bob", "wallet", "confirm(1)").ok();
    c.call("carol", "wallet", "confirm(1)").ok();
    c.call("bob", "wallet", "execute(1)").ok().logs(&[
        "OwnerRemoved(@alice)",
        "RequirementChanged(2)",
        "Executed(1, 0x)",
    ]);
    // The last owner took the place of the first.
    c.view("wallet", "owners(0)").returns("@dave");
    c.view("wallet", "owners(3)").fails("nothing");
    c.call("alice", "wallet", "propose(@erin, 1, 0x)")
        .fails("NotOwner(@alice)");
    let order = encode(&c, "9, @alice, 0x, 2", "uint8,address,bytes,uint32");
    c.blob("odd", &order);
    c.call("bob", "wallet", "propose(@wallet, 0, $odd)")
        .returns("2");
    c.call("carol", "wallet", "confirm(2)").ok();
    c.call("carol", "wallet", "execute(2)")
        .fails("unknown order");
}

#[test]
fn a_wallet_calls_a_contract() {
    let (mut c, _) = fresh();
    c.deploy(
        "alice",
        "token",
        "token.synq",
        "GovernanceToken",
        "T, T, 100, 100, $k0",
    );
    c.call("alice", "token", "transfer(@wallet, 60)").ok();
    let data = c.calldata("token", "transfer(@bob, 25)");
    c.blob("data", &data);
    c.call("alice", "wallet", "propose(@token, 0, $data)").ok();
    c.call("bob", "wallet", "confirm(0)").ok();
    let word = format!("0x{:064x}", 1);
    c.call("bob", "wallet", "execute(0)").returns(&word);
    c.view("token", "balanceOf(@bob)").returns("25");
    let data = c.calldata("token", "transfer(@bob, 99)");
    c.blob("data", &data);
    c.call("alice", "wallet", "propose(@token, 0, $data)").ok();
    c.call("bob", "wallet", "confirm(1)").ok();
    c.call("bob", "wallet", "execute(1)")
        .fails("InsufficientBalance(@wallet, 35, 99)");
    c.call("alice", "wallet", "cancel(1)").ok();
    c.call("bob", "wallet", "execute(1)").fails("cancelled");
}

#[test]
fn keys_rotate() {
    let (mut c, keys) = fresh();
    let message = c.bytes("wallet", "rotationMessage(@bob, $k3)");
    c.blob("old", &keys[1].sign(&message));
    c.blob("new", &keys[3].sign(&message));
    c.call("bob", "wallet", "rotateKey($k3, $new, $new)")
        .fails("old key did not sign");
    c.call("bob", "wallet", "rotateKey($k3, $old, $old)")
        .fails("new key did not sign");
    c.call("bob", "wallet", "rotateKey($k3, $old, $new)")
        .ok()
        .logs(&["KeyRotated(@bob, 2)"]);
    c.view("wallet", "keyOf(@bob)").returns("$k3, 2");
    c.call("dave", "wallet", "rotateKey($k3, $old, $new)")
        .fails("NotOwner(@dave)");
}

#[test]
fn bad_beginnings() {
    let mut c = Chain::new();
    c.try_deploy(
        "alice",
        "w",
        "multisig.synq",
        "MultisigWallet",
        "[@alice], [], 1",
    )
    .fails("one key for each owner");
    c.try_deploy(
        "alice",
        "w",
        "multisig.synq",
        "MultisigWallet",
        "[@alice], [0x01], 2",
    )
    .fails("bad threshold");
    c.try_deploy(
        "alice",
        "w",
        "multisig.synq",
        "MultisigWallet",
        "[@bob, @bob], [0x01, 0x02], 1",
    )
    .fails("already an owner");
}
