//! Compiled contracts, run.

mod common;

use common::{Chain, Outcome, compile, deploy};

#[test]
fn token_moves_balances() {
    let token = deploy(
        r#"
pragma synq ^1.0.0;
contract Token {
    mapping(Address => UInt256) public balances;
    totalSupply: UInt256 public;
    owner: Address public;
    event Transfer(from: Address indexed, to: Address indexed, amount: UInt256)
    error Short(UInt256 have, UInt256 need);

    constructor(supply: UInt256) {
        owner = msg.sender;
        totalSupply = supply;
        balances[msg.sender] = supply;
    }

    @public function transfer(to: Address, amount: UInt256) -> Bool {
        require(to != Address(0), "to zero");
        if (balances[msg.sender] < amount) revert Short(balances[msg.sender], amount);
        balances[msg.sender] -= amount;
        balances[to] += amount;
        emit Transfer(msg.sender, to, amount);
        return true;
    }
}"#,
        &["1000"],
    );
    let to = "0x0000000000000000000000000000000000000022";
    assert_eq!(token.get("totalSupply", &[]), "1000");
    assert_eq!(token.get("transfer", &[to, "300"]), "true");
    assert_eq!(token.get("balances", &[to]), "300");
    assert_eq!(token.events().len(), 1);
    assert_eq!(
        token.get("balances", &["0x0000000000000000000000000000000000000001"]),
        "700"
    );
    assert!(
        token
            .fails(
                "transfer",
                &["0x0000000000000000000000000000000000000000", "1"]
            )
            .contains("to zero")
    );
    assert!(
        token.fails("transfer", &[to, "701"]).contains("Short"),
        "{}",
        token.fails("transfer", &[to, "701"])
    );
    // Value, a selector that is not there, input cut short.
    assert!(matches!(
        token.call_from(1, 5, "transfer", &[to, "1"]),
        Outcome::Revert(_)
    ));
    assert!(token.raw(&[1, 2, 3, 4]).is_err());
    assert!(token.raw(&[]).is_err());
    assert!(token.raw(&[0xa9, 0x05, 0x9c, 0xbb, 0]).is_err());
    let wasm = compile("contract E { x: UInt256 public; }");
    println!("empty contract: {} bytes", wasm[0].wasm.len());
    let _ = Chain::new();
}
