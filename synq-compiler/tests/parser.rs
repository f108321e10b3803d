//! The parser: both styles, recovery, and bounds on hostile input.

use proptest::prelude::*;
use synq_compiler::FileId;
use synq_compiler::syntax::ast::*;
use synq_compiler::syntax::{Parsed, TokenKind, parse};

fn parsed(text: &str) -> Parsed {
    parse(FileId(0), text)
}

fn codes(text: &str) -> Vec<&'static str> {
    parsed(text).diagnostics.iter().map(|d| d.code).collect()
}

const BOTH: &str = r#"
pragma synq >=1.0.0 <2.0.0;
import "./token.synq";
/// Reads digits.
model Digits { file: "models/digits.onnx"; input image: UInt8[1][64]; output logits: Int8[1][10]; }
interface IToken { function transfer(to: Address, amount: UInt256) -> Bool; }
error Broke(UInt256 have, need: UInt256);
contract C {
    struct P { id: UInt256; Bool ok; }
    enum State { Open, Closed }
    owner: Address public
    Address public other;
    balances: mapping(Address => mapping<Address, UInt256>);
    UInt256 public x = 5;
    event Sent(from: Address indexed, Address indexed to, amount: UInt256)
    constructor(initial: UInt256) { owner = msg.sender; }
    @public @gas_cost(base: 100, hash: 5)
    function f(a: UInt256, Bytes calldata) -> Bool { return true; }
    function g(UInt256 a) public view returns (Bool ok, UInt256) {
        let z: UInt256 = 1_000e2;
        UInt256[] memory xs = new UInt256[](3);
        P storage p = items[id];
        (Bool a, , UInt256 b) = h();
        let (c, d) = h();
        (c, d) = h();
        for (i in 0..10) { if (i == 3) continue; else break; }
        for (UInt256 i = 0; i < 3; i++) x += i;
        for (v in xs) { total += v; }
        while (!done) { done = x > 3 ? true : false; }
        IToken(addr).transfer{value: 1, gas: 5}(to, P({id: 1, ok: true}), P(id: 1, ok: true));
        require_pqc { verify_mldsa(k, m, s); } or revert("bad");
        with_gas_limit(1000) { run(); }
        revert Broke(1, 2);
        emit Sent(a, b, c);
        delete items[id];
        unchecked { x = x - 1; }
        let k = MLDSAPublicKey<87>(data);
        let (q, r) = abi.decode(data, (UInt256[], Bool));
        if (x < 5) { return (true, 1); }
    }
}
"#;

#[test]
fn both_styles_parse_without_a_word() {
    let p = parsed(BOTH);
    assert_eq!(p.diagnostics, vec![]);
    assert_eq!(p.file.items.len(), 6);
    assert_eq!(p.file.items[2].docs, ["Reads digits."]);
    let ItemKind::Contract(c) = &p.file.items[5].kind else {
        panic!("the last item is the contract")
    };
    assert_eq!(c.items.len(), 10);
    let ItemKind::Function(g) = &c.items[9].kind else {
        panic!("g is last")
    };
    assert_eq!(g.returns.len(), 2);
    assert_eq!(g.body.as_ref().map(|b| b.statements.len()), Some(20));
}

#[test]
fn tokens_cover_the_text() {
    let p = parsed(BOTH);
    let mut at = 0;
    for token in &p.tokens {
        assert_eq!(token.span.start, at);
        at = token.span.end;
    }
    assert_eq!(at as usize, BOTH.len());
    assert_eq!(p.tokens.last().map(|t| t.kind), Some(TokenKind::End));
}

#[test]
fn array_dimensions_read_from_left_to_right() {
    let p = parsed("contract C { x: UInt8[2][]; }");
    let ItemKind::Contract(c) = &p.file.items[0].kind else {
        panic!()
    };
    let ItemKind::Variable(v) = &c.items[0].kind else {
        panic!()
    };
    let TypeKind::Array { element, length } = &v.ty.kind else {
        panic!()
    };
    assert!(length.is_some());
    assert!(matches!(
        &element.kind,
        TypeKind::Array { length: None, .. }
    ));
}

#[test]
fn one_mistake_is_one_error() {
    assert_eq!(
        codes("contract C { function f() public { let x = ; let y = 1; } }"),
        ["E0104"]
    );
    assert_eq!(
        codes("contract C { function f() public { let x = 1\n let y = 1; } }"),
        ["E0105"]
    );
    assert_eq!(
        codes("contract C { function f( public { } function g() {} }"),
        ["E0104"]
    );
    assert_eq!(codes("contract C { function f() { \"abc\n; } }"), ["E0103"]);
    assert_eq!(codes("contract C { § } /* open"), ["E0101", "E0102"]);
}

#[test]
fn depth_is_bounded() {
    for text in [
        format!(
            "contract C {{ function f() {{ x = {}1; }} }}",
            "(".repeat(10_000)
        ),
        format!(
            "contract C {{ function f() {{ x = {}1; }} }}",
            "-".repeat(10_000)
        ),
        format!(
            "contract C {{ function f() {{ x = 1{}; }} }}",
            "+1".repeat(10_000)
        ),
        format!(
            "contract C {{ function f() {{ x = a{}; }} }}",
            "[0]".repeat(10_000)
        ),
        format!("contract C {{ function f() {{ {} }} }}", "{".repeat(10_000)),
        format!(
            "contract C {{ function f() {{ {} }} }}",
            "if (x) ".repeat(10_000)
        ),
        format!("contract C {{ x: {} }}", "mapping(A => ".repeat(10_000)),
        format!(
            "contract C {{ function f() {{ x = [{}1]; }} }}",
            "1,".repeat(1_000_000)
        ),
    ] {
        let list = codes(&text);
        assert!(!list.is_empty() && list.len() <= 20, "{list:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed(text in "\\PC{0,400}") {
        prop_assert!(parsed(&text).diagnostics.len() <= 40);
    }

    #[test]
    fn any_words_are_parsed(words in proptest::collection::vec(
        proptest::sample::select(vec!["contract", "C", "{", "}", "(", ")", "function", "f", ";",
            ":", ",", "=", "let", "x", "[", "]", "if", "else", "for", "in", "..", "1", "mapping",
            "=>", "<", ">", ">>", "\"s\"", "@", "return", "emit", "require_pqc", "or", "struct",
            "enum", "event", "error", "model", "public", "->", "returns", "storage", ".", "new",
            "revert", "++", "?", "-", "!", "pragma", "import", "unchecked", "do", "while"]), 0..120)) {
        parsed(&words.join(" "));
    }
}
