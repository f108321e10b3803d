use crate::common::{Chain, RICH};

fn fresh() -> Chain {
    let mut c = Chain::new();
    c.blob("h1", &[1; 32]);
    c.blob("h2", &[2; 32]);
    c.blob("h3", &[3; 32]);
    c.deploy("frank", "nft", "nft.synq", "RoyaltyNft", "");
    c.call("alice", "nft", "mint(\"ipfs://one\", $h1, 1000)")
        .returns("1")
        .logs(&["Transfer(@nobody, @alice, 1)"]);
    c.call("alice", "nft", "mint(\"ipfs://two\", $h2, 0)")
        .returns("2");
    c.call("alice", "nft", "mint(\"ipfs://three\", $h3, 2500)")
        .returns("3");
    c
}

#[test]
fn works_are_made_and_moved() {
    let mut c = fresh();
    c.view("nft", "name()").returns("\"Gallery\"");
    c.view("nft", "works(1)")
        .returns("@alice, 1000, \"ipfs://one\", $h1");
    c.view("nft", "tokensOf(@alice)").returns("[1, 2, 3]");
    c.call("alice", "nft", "transferFrom(@alice, @bob, 1)")
        .ok()
        .logs(&["Transfer(@alice, @bob, 1)"]);
    c.view("nft", "tokensOf(@alice)").returns("[3, 2]");
    c.view("nft", "tokenOfOwnerByIndex(@alice, 1)").returns("2");
    c.view("nft", "tokenOfOwnerByIndex(@alice, 2)")
        .fails("Panic(0x32)");
    c.view("nft", "ownerOf(1)").returns("@bob");
    c.call("bob", "nft", "burn(1)").ok();
    c.view("nft", "ownerOf(1)").fails("NoSuchToken(1)");
    c.view("nft", "tokenURI(1)").fails("NoSuchToken(1)");
    c.view("nft", "tokenURI(3)").returns("\"ipfs://three\"");
    c.view("nft", "supply()").returns("2");
    c.call("carol", "nft", "mint(\"again\", $h1, 1)")
        .returns("4");
}

#[test]
fn approvals() {
    let mut c = fresh();
    c.call("bob", "nft", "transferFrom(@alice, @bob, 2)")
        .fails("NotAllowed(@bob, 2)");
    c.call("alice", "nft", "approve(@bob, 2)")
        .ok()
        .logs(&["Approval(@alice, @bob, 2)"]);
    c.view("nft", "getApproved(2)").returns("@bob");
    c.call("bob", "nft", "transferFrom(@alice, @carol, 2)").ok();
    c.view("nft", "getApproved(2)").returns("@nobody");
    c.call("bob", "nft", "transferFrom(@carol, @bob, 2)")
        .fails("NotAllowed(@bob, 2)");
    c.call("carol", "nft", "setApprovalForAll(@bob, true)").ok();
    c.call("bob", "nft", "approve(@dave, 2)").ok();
    c.call("bob", "nft", "transferFrom(@carol, @bob, 2)").ok();
    c.call("bob", "nft", "transferFrom(@carol, @bob, 2)")
        .fails("wrong owner");
    c.call("bob", "nft", "transferFrom(@bob, @nobody, 2)")
        .fails("zero address");
    c.call("bob", "nft", "setApprovalForAll(@bob, true)")
        .fails("approve to caller");
}

#[test]
fn a_sale_pays_the_maker() {
    let mut c = fresh();
    c.call("alice", "nft", "list(1, 500, 100)").ok();
    c.pay("bob", 500, "nft", "buy(1)").ok().logs(&[
        "Transfer(@alice, @bob, 1)",
        "Sold(1, @alice, @bob, 500, 50)",
    ]);
    c.call("bob", "nft", "list(1, 999, 100)").ok();
    c.pay("carol", 998, "nft", "buy(1)")
        .fails("WrongPrice(999, 998)");
    c.pay("carol", 999, "nft", "buy(1)").ok();
    c.view("nft", "owed(@alice)").returns("599");
    c.view("nft", "owed(@bob)").returns("900");
    c.call("bob", "nft", "collect()").returns("900");
    assert_eq!((c.balance("bob"), c.balance("nft")), (RICH + 400, 599));
    c.call("bob", "nft", "collect()").fails("nothing owed");
    c.view("nft", "royaltyInfo(3, 10000)")
        .returns("@alice, 2500");
    c.view("nft", "listings(1)").returns("@nobody, 0, 0");
}

#[test]
fn listings_end() {
    let mut c = fresh();
    c.pay("bob", 5, "nft", "buy(1)").fails("not listed");
    c.call("bob", "nft", "list(1, 5, 5)")
        .fails("NotAllowed(@bob, 1)");
    c.call("alice", "nft", "list(1, 0, 5)").fails("price");
    c.call("alice", "nft", "list(1, 5, 5)").ok();
    c.call("bob", "nft", "unlist(1)")
        .fails("NotAllowed(@bob, 1)");
    c.call("alice", "nft", "unlist(1)").ok();
    c.call("alice", "nft", "unlist(1)").fails("not listed");
    c.call("alice", "nft", "list(1, 5, 5)").ok();
    c.wait(6);
    c.pay("bob", 5, "nft", "buy(1)").fails("listing expired");
    c.call("alice", "nft", "mint(\"x\", $h2, 1)")
        .fails("already minted");
    c.call(
        "bob",
        "nft",
        "mint(\"x\", 0x0000000000000000000000000000000000000000000000000000000000000009, 2501)",
    )
    .fails("royalty too high");
}
