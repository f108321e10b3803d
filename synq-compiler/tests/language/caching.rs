//! Values that are kept, and what may change them.

use synq_compiler::{ChainProfile, MemoryLoader, Options};

use super::common::{compile_with, deploy};

#[test]
fn values_that_are_kept_do_not_grow_stale() {
    let c = deploy(
        r#"interface I { function poke() external; }
contract C {
    x: UInt256;
    m: mapping(UInt256 => UInt256);
    struct S { a: UInt256; b: UInt256; }
    s: mapping(Address => S);
    list: UInt256[];
    function poke() public { x += 100; m[1] += 100; }
    function bump() internal -> UInt256 { x += 10; return x; }

    function between() public -> (UInt256, UInt256, UInt256) {
        x = 1;
        let a = x + x;
        x = 5;
        let b = x + x;
        let c = x + bump() + x;
        return (a, b, c);
    }
    function branches(on: Bool) public -> UInt256 {
        x = 1;
        let a = x + x;
        if (on) { x = 7; a += x; }
        return a * 100 + x + x;
    }
    function loops() public -> UInt256 {
        x = 0;
        let sum = x + x;
        for (i in 0..3) { sum += x + x; x += 1; }
        while (x < 6) { x += 2; sum += x * 10; }
        return sum + x;
    }
    function keys() public -> (UInt256, UInt256) {
        let k: UInt256 = 1;
        m[1] = 11; m[2] = 22;
        let a = m[k] + m[k];
        k = 2;
        let b = m[k] + m[k];
        return (a, b);
    }
    function aliases() public -> (UInt256, UInt256) {
        S storage r = s[msg.sender];
        r.a = 1;
        let before = s[msg.sender].a + s[msg.sender].a + r.a + r.a;
        s[msg.sender].a = 3;
        return (before, r.a + r.a + s[msg.sender].a);
    }
    function lengths() public -> UInt256 {
        for (UInt256 i = 0; i < list.length + 1 && i < 4; i++) { list.push(i); }
        let sum: UInt256 = 0;
        for (UInt256 i = 0; i < list.length; i++) { sum += list[i] + list.length; }
        return sum;
    }
    function lazy(on: Bool) public -> UInt256 {
        m[3] = 9;
        return on && m[3] / m[4] + m[3] / m[4] > 0 ? m[3] + m[3] : m[3];
    }
    function removed() public -> UInt256 {
        m[5] = 4;
        let a = m[5] + m[5];
        delete m[5];
        return a * 10 + m[5] + m[5];
    }
}"#,
        &[],
    );
    assert_eq!(c.get("between", &[]), "2, 10, 35");
    assert_eq!(c.get("branches", &["true"]), "914");
    assert_eq!(c.get("branches", &["false"]), "202");
    assert_eq!(c.get("loops", &[]), "133");
    assert_eq!(c.get("keys", &[]), "22, 44");
    assert_eq!(c.get("aliases", &[]), "4, 9");
    assert_eq!(c.get("lengths", &[]), "22");
    assert_eq!(c.get("lazy", &["false"]), "9");
    assert!(c.fails("lazy", &["true"]).contains("0x12"));
    assert_eq!(c.get("removed", &[]), "80");
}

#[test]
fn functions_of_the_chain_may_change_what_is_seen() {
    // The host here answers from what it was given; what counts is that it is asked twice.
    let profile = ChainProfile::from_toml("[functions.warp]\ninputs = [\"UInt256\"]\n").unwrap();
    let source = |ask: &str| {
        format!(
            "contract C {{ function f() public -> UInt256 {{
                let a = block.timestamp + block.timestamp; {ask} return a; }} }}"
        )
    };
    let calls = |source: String| {
        let loader = MemoryLoader::new().with_source("c.synq", source);
        let options = Options::new().with_profile(profile.clone());
        let wasm = compile_with(&loader, "c.synq", &options).remove(0).wasm;
        wasm_calls(&wasm, "block-timestamp")
    };
    assert_eq!(calls(source("")), 1);
    assert_eq!(calls(source("warp(a);")), 2);
}

/// How often a module's code calls a host function.
fn wasm_calls(wasm: &[u8], function: &str) -> usize {
    use wasmparser::{Operator, Parser, Payload};
    let (mut imports, mut calls) = (Vec::new(), 0);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("a module") {
            Payload::ImportSection(section) => {
                let list = section.into_imports().map(|i| i.expect("an import").name);
                imports.extend(list);
            }
            Payload::CodeSectionEntry(body) => {
                for operator in body.get_operators_reader().expect("code") {
                    if let Operator::Call { function_index } = operator.expect("code")
                        && imports.get(function_index as usize) == Some(&function)
                    {
                        calls += 1;
                    }
                }
            }
            _ => {}
        }
    }
    calls
}
