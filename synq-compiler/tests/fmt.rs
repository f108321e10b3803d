//! The formatter: nothing is lost, and a second run changes nothing.

use proptest::prelude::*;
use synq_compiler::FileId;
use synq_compiler::fmt::format;
use synq_compiler::syntax::{TokenKind, lex, parse};

/// The tree as text, without places.
fn tree(text: &str) -> String {
    let tree = format!("{:?}", parse(FileId(0), text).file);
    let mut out = String::new();
    let mut rest = tree.as_str();
    while let Some(at) = rest.find("Span {") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find('}').map_or(rest.len(), |e| e + 1);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn comments(text: &str) -> Vec<String> {
    lex(FileId(0), text)
        .iter()
        .filter(|t| t.kind.is_trivia() && t.kind != TokenKind::Space)
        .map(|t| {
            text[t.span.start as usize..t.span.end as usize]
                .trim_end()
                .to_owned()
        })
        .collect()
}

/// Formats and checks everything that holds for any source.
fn check(text: &str) -> String {
    let once = format("a.synq", text).unwrap_or_else(|e| panic!("{text}\n{e}"));
    assert_eq!(tree(&once), tree(text), "the tree of\n{once}");
    assert_eq!(comments(&once), comments(text), "the comments of\n{once}");
    let twice = format("a.synq", &once).unwrap_or_else(|e| panic!("{once}\n{e}"));
    assert_eq!(twice, once, "a second run over\n{once}");
    once
}

#[test]
fn one_style() {
    let text = r#"pragma synq   ^1.0.0 ;
import './token.synq';
/// Reads digits.
model Digits{file:"models/d.onnx",input image:UInt8[1][64];output Int8[1][10] logits}
contract   C{// what it is
  struct P{id:UInt256,Bool ok}
  enum State{Open,Closed,}
  owner:Address public
  balances:mapping<Address,mapping<Address , UInt256>>  // who has what


  names: mapping(Address owner => UInt256);
  event Sent(from:Address indexed,Address indexed to,amount:UInt256)
  event Nothing();
  @public @gas_cost(base:100,hash:5) function f(a:UInt256,Bytes calldata)->Bool{return true;}
  function g() public{}
  function h() {
    // begins
    let x:UInt256=- -1+2*3; /* why */

    if(x>1)revert("no"); else if (x == 2) { x++; } else x -= 1;
    for(let i=0;i<3;i++){x+=i;}
    for (i in 0..10) x+=i; for (;;) { break; }
    (UInt256 a,,let_) = p({a:1,b:2});
    require_pqc{verify_mldsa(k,m,s);}or revert('bad');
    with_gas_limit(5){ } do { x--; } while (x>0);
    // ends
  }
  function long(firstParameter: UInt256, secondParameter: mapping(Address => UInt256), third: Bytes) -> Bool {
    return firstParameter > secondParameter && thirdConditionThatIsLong(first, second) && another > 100000000;
  }
}
// the end"#;
    let expected = r#"pragma synq ^1.0.0;
import "./token.synq";

/// Reads digits.
model Digits {
    file: "models/d.onnx";
    input image: UInt8[1][64];
    output Int8[1][10] logits;
}

contract C { // what it is
    struct P {
        id: UInt256;
        Bool ok;
    }

    enum State { Open, Closed }
    owner: Address public;
    balances: mapping(Address => mapping(Address => UInt256)); // who has what

    names: mapping(Address owner => UInt256);
    event Sent(from: Address indexed, Address indexed to, amount: UInt256);
    event Nothing();

    @public
    @gas_cost(base: 100, hash: 5)
    function f(a: UInt256, Bytes calldata) -> Bool {
        return true;
    }

    function g() public {}

    function h() {
        // begins
        let x: UInt256 = - -1 + 2 * 3; /* why */

        if (x > 1) revert("no");
        else if (x == 2) {
            x++;
        } else x -= 1;
        for (let i = 0; i < 3; i++) {
            x += i;
        }
        for (i in 0..10) x += i;
        for (;;) {
            break;
        }
        (UInt256 a, , let_) = p({a: 1, b: 2});
        require_pqc {
            verify_mldsa(k, m, s);
        } or revert("bad");
        with_gas_limit(5) {}
        do {
            x--;
        } while (x > 0);
        // ends
    }

    function long(
        firstParameter: UInt256,
        secondParameter: mapping(Address => UInt256),
        third: Bytes
    ) -> Bool {
        return firstParameter > secondParameter
            && thirdConditionThatIsLong(first, second)
            && another > 100000000;
    }
}
// the end
"#;
    assert_eq!(check(text), expected);
}

#[test]
fn comments_stay_everywhere() {
    let tokens: Vec<&str> = "contract C { owner : Address public ; function f ( a : UInt256 , b : \
         Bool ) -> Bool { let x = f ( 1 , { y : 2 } ) ; if ( x == y + 3 && z ) { return a ? b : \
         c [ 1 ] . d ; } else x ++ ; emit E ( x ) ; } enum E { A , B , } struct S { a : Bool , } }"
        .split(' ')
        .collect();
    for at in 0..=tokens.len() {
        for comment in [
            "// c\n",
            "\n// c\n",
            "/* c */",
            "\n/* c */",
            "/* c */\n",
            "\n\n/// c\n\n",
            "/* a\n b */",
            "// a\n// b\n\n// c\n",
        ] {
            let mut text = tokens[..at].join(" ").replace("{ y : 2 }", "y : 2");
            text.push(' ');
            text.push_str(comment);
            text.push_str(&tokens[at..].join(" "));
            if parse(FileId(0), &text).diagnostics.is_empty() {
                check(&text);
            }
        }
    }
}

#[test]
fn a_source_with_errors_is_left_alone() {
    let errors = format("a.synq", "contract C {").expect_err("the brace is not closed");
    assert_eq!(errors.list.len(), 1);
    assert_eq!(errors.list[0].code, "E0111");
}

#[test]
fn an_empty_file_stays_empty() {
    assert_eq!(format("a.synq", " \n\n").ok().as_deref(), Some(""));
    assert_eq!(
        format("a.synq", "\n// only\n").ok().as_deref(),
        Some("// only\n")
    );
}

#[test]
fn the_corpus_is_kept() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/contracts");
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_some_and(|e| e == "synq") {
            let text = std::fs::read_to_string(&path).expect("the file can be read");
            check(&text);
        }
    }
}

proptest! {
    #[test]
    fn any_words_that_parse_are_kept(words in proptest::collection::vec(
        proptest::sample::select(vec!["x = 1;", "f(a, b);", "if (a) {", "}", "else", "let y = a + b * c;",
            "// c\n", "/* d */", "\n\n", "\n", "return;", "for (i in 0..3) {", "(a, , b) = c;", "x++;",
            "emit E(a: 1, b: 2);", "UInt256[] memory z = new UInt256[](3);", "{", "while (!a)",
            "a[b].c(d ? e : f);", "/// doc\n"]), 0..40)) {
        let text = format!("contract C {{ function f() {{ {} }} }}", words.join(" "));
        if parse(FileId(0), &text).diagnostics.is_empty() {
            check(&text);
        }
    }
}
