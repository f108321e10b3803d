//! Several arguments and results, structs, events, errors, overloads.

use aivm_conformance::action::Hex;
use aivm_conformance::outcome::Claim;
use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{I256, U256, keccak256};

use super::super::draft::{Draft, File, reverts};
use super::{REASON, call_data, compiled, error, output, selector};

pub fn file() -> File {
    let mut file = File::new("abi", "shapes", REASON);
    let source = r#"pragma synq ^1.0.0;
contract Shapes {
    struct Point { x: UInt256; y: Int64; }
    struct Named { name: String; at: Point; tags: UInt8[]; }
    event Plain(uint: UInt256, flag: Bool)
    event Indexed(who: Address indexed, n: UInt256 indexed, what: UInt8)
    event Texts(text: String indexed, data: Bytes)
    event None()
    error Short(UInt256 have, UInt256 need);
    error Nothing();
    function three(UInt8 a, String b, Bool c) public -> UInt8 { return a; }
    function back(UInt8 a, String b, UInt256[] c) public returns (UInt256[], String, UInt8) { return (c, b, a); }
    function point(Point p) public -> Point { return p; }
    function named(Named n) public -> Named { return n; }
    function points(Point[] p) public -> Point[] { return p; }
    function over(UInt8 a) public -> UInt256 { return 1; }
    function over(UInt256 a) public -> UInt256 { return 2; }
    function over(UInt8 a, UInt8 b) public -> UInt256 { return 3; }
    function plain(UInt256 n, Bool f) public { emit Plain(n, f); }
    function indexed(Address a, UInt256 n, UInt8 w) public { emit Indexed(a, n, w); }
    function texts(String t, Bytes d) public { emit Texts(t, d); }
    function none() public { emit None(); }
    function short(UInt256 a, UInt256 b) public { revert Short(a, b); }
    function nothing() public { revert Nothing(); }
    function message(Bool ok, String text) public { require(ok, "no good"); }
    function plainly() public { revert("because"); }
}"#;
    file.share("shapes", compiled(source));
    let n = |v: i64| DynSolValue::Uint(U256::from(v as u64), 256);
    let byte = |v: u64| DynSolValue::Uint(U256::from(v), 8);
    let text = |t: &str| DynSolValue::String(t.to_owned());
    let point = |x: i64, y: i64| {
        DynSolValue::Tuple(vec![n(x), DynSolValue::Int(I256::try_from(y).unwrap(), 64)])
    };
    let named = DynSolValue::Tuple(vec![
        text("corner"),
        point(5, -6),
        DynSolValue::Array(vec![byte(1), byte(2)]),
    ]);
    let list = DynSolValue::Array(vec![n(9), n(8)]);
    let rule = "Arguments and results lie one behind the other, what is dynamic behind them.";
    for (name, signature, values, results) in [
        (
            "three arguments",
            "three(uint8,string,bool)",
            vec![byte(7), text("x"), DynSolValue::Bool(true)],
            vec![byte(7)],
        ),
        (
            "three results",
            "back(uint8,string,uint256[])",
            vec![byte(7), text("hello"), list.clone()],
            vec![list, text("hello"), byte(7)],
        ),
        (
            "a struct",
            "point((uint256,int64))",
            vec![point(3, -4)],
            vec![point(3, -4)],
        ),
        (
            "a dynamic struct",
            "named((string,(uint256,int64),uint8[]))",
            vec![named.clone()],
            vec![named],
        ),
        (
            "structs in an array",
            "points((uint256,int64)[])",
            vec![DynSolValue::Array(vec![point(1, 2), point(3, -4)])],
            vec![DynSolValue::Array(vec![point(1, 2), point(3, -4)])],
        ),
        (
            "an overload by type: uint8",
            "over(uint8)",
            vec![byte(1)],
            vec![n(1)],
        ),
        (
            "an overload by type: uint256",
            "over(uint256)",
            vec![n(1)],
            vec![n(2)],
        ),
        (
            "an overload by number",
            "over(uint8,uint8)",
            vec![byte(1), byte(1)],
            vec![n(3)],
        ),
    ] {
        file.push(Draft::new(name, rule).put("shapes").call(
            "shapes",
            call_data(signature, &values),
            Claim::returns(output(&results)),
        ));
    }
    let topic = |text: &str| aivm::Word::from_be_bytes(keccak256(text.as_bytes()).0);
    let rule = "Topic 0 is the Keccak-256 of the event's signature; what is indexed follows, by its hash if it is dynamic; the rest is the data.";
    let who = [0x22; 20];
    let mut padded = [0; 32];
    padded[12..].copy_from_slice(&who);
    for (name, signature, values, topics, data) in [
        (
            "an event without topics of its own",
            "plain(uint256,bool)",
            vec![n(5), DynSolValue::Bool(true)],
            vec![topic("Plain(uint256,bool)")],
            output(&[n(5), DynSolValue::Bool(true)]),
        ),
        (
            "an event with indexed values",
            "indexed(address,uint256,uint8)",
            vec![DynSolValue::Address(who.into()), n(6), byte(7)],
            vec![
                topic("Indexed(address,uint256,uint8)"),
                aivm::Word::from_be_bytes(padded),
                aivm::Word::from(6u64),
            ],
            output(&[byte(7)]),
        ),
        (
            "an event with an indexed string",
            "texts(string,bytes)",
            vec![text("hello"), DynSolValue::Bytes(vec![1, 2])],
            vec![topic("Texts(string,bytes)"), topic("hello")],
            output(&[DynSolValue::Bytes(vec![1, 2])]),
        ),
        (
            "an event without anything",
            "none()",
            vec![],
            vec![topic("None()")],
            vec![],
        ),
    ] {
        let claim = Claim {
            events: Some(vec![(topics, Hex(data))]),
            ..Claim::returns([])
        };
        file.push(Draft::new(name, rule).put("shapes").call(
            "shapes",
            call_data(signature, &values),
            claim,
        ));
    }
    let rule =
        "Errors are encoded as Solidity's: a selector and arguments; `Error(string)` for messages.";
    for (name, signature, values, data) in [
        (
            "an error with arguments",
            "short(uint256,uint256)",
            vec![n(1), n(2)],
            call_data("Short(uint256,uint256)", &[n(1), n(2)]),
        ),
        (
            "an error without arguments",
            "nothing()",
            vec![],
            selector("Nothing()").to_vec(),
        ),
        (
            "a requirement that fails",
            "message(bool,string)",
            vec![DynSolValue::Bool(false), text("")],
            error("no good"),
        ),
        (
            "a revert with a message",
            "plainly()",
            vec![],
            error("because"),
        ),
    ] {
        file.push(Draft::new(name, rule).put("shapes").call(
            "shapes",
            call_data(signature, &values),
            reverts(data),
        ));
    }
    let good = [DynSolValue::Bool(true), text("fine")];
    file.push(
        Draft::new(
            "a requirement that holds",
            "A requirement that holds does nothing.",
        )
        .put("shapes")
        .call(
            "shapes",
            call_data("message(bool,string)", &good),
            Claim::returns([]),
        ),
    );
    file
}
