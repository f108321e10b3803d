//! The compiler and the formatter on hostile and on random input: they answer, they never panic,
//! hang or overflow the stack. Tests run on the 2 MiB stack of a thread.
//!
//! `SYNQ_FUZZ_ROUNDS` sets the number of random inputs; the default takes a few seconds.

mod grammar;

use std::path::Path;

use grammar::{Source, program};
use synq_compiler::{Diagnostics, MemoryLoader, Options, Output, Severity, compile, fmt};

fn rounds(default: u64) -> u64 {
    let set = std::env::var("SYNQ_FUZZ_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok());
    set.unwrap_or(default)
}

fn build(text: &str) -> Result<Output, Diagnostics> {
    let loader = MemoryLoader::new().with_source("a.synq", text);
    compile("a.synq", &loader, &Options::new().with_debug(false))
}

/// Compiles and formats; gives whether it compiled.
fn survive(text: &str) -> bool {
    let built = build(text);
    if let Err(errors) = &built {
        let count = errors
            .list
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .count();
        assert!((1..=20).contains(&count), "{count} errors");
        for d in &errors.list {
            assert!(d.span.start <= d.span.end);
            assert!(d.span.end as usize <= text.len() + 1);
        }
        // All three forms are made.
        let _ = (errors.render(false), errors.to_json());
    }
    if let Ok(formatted) = fmt::format("a.synq", text) {
        let again = fmt::format("a.synq", &formatted).expect("what it wrote parses");
        assert_eq!(formatted, again, "of {text}");
    }
    built.is_ok()
}

fn inside(body: &str) -> String {
    format!("contract C {{ function f(UInt256 a) public -> UInt256 {{ {body} }} }}")
}

#[test]
fn deep_nesting_is_refused() {
    const N: usize = 10_000;
    let around = |open: &str, middle: &str, close: &str| {
        format!("{}{middle}{}", open.repeat(N), close.repeat(N))
    };
    let long = |first: &str, rest: &str| format!("{first}{}", rest.repeat(N));
    let cases = [
        (
            "parentheses",
            inside(&format!("return {};", around("(", "1", ")"))),
        ),
        ("open parentheses", inside(&"(".repeat(N))),
        (
            "brackets",
            inside(&format!("let x = {};", around("[", "1", "]"))),
        ),
        ("blocks", inside(&around("{", "", "}"))),
        ("open blocks", inside(&"{".repeat(N))),
        ("not", inside(&format!("require({}true);", "!".repeat(N)))),
        ("minus", inside(&format!("let x = {}1;", "- ".repeat(N)))),
        ("tilde", inside(&format!("let x = {}a;", "~".repeat(N)))),
        ("sum", inside(&format!("return {};", long("a", " + a")))),
        ("power", inside(&format!("return {};", long("a", " ** a")))),
        ("members", inside(&format!("return {};", long("a", ".b")))),
        ("indices", inside(&format!("return {};", long("a", "[0]")))),
        ("calls", inside(&format!("return {};", long("f", "(a)")))),
        (
            "nested calls",
            inside(&format!("return {};", around("f(", "a", ")"))),
        ),
        (
            "ternary",
            inside(&format!("return {};", long("a", " == 0 ? 1 : a"))),
        ),
        ("assignments", inside(&format!("{};", long("a", " = a")))),
        (
            "else if",
            inside(&long("if (a == 0) { }", " else if (a == 1) { }")),
        ),
        ("if", inside(&long("", "if (a == 0) "))),
        ("loops", inside(&long("", "while (true) "))),
        ("ranges", inside(&long("", "for (i in 0..1) "))),
        ("pqc", inside(&around("require_pqc {", "", "}"))),
        (
            "mapping",
            format!(
                "contract C {{ m: {}; }}",
                around("mapping(Bool => ", "Bool", ")")
            ),
        ),
        (
            "array type",
            format!("contract C {{ m: UInt8{}; }}", "[1]".repeat(N)),
        ),
        (
            "list type",
            format!("contract C {{ m: UInt8{}; }}", "[]".repeat(N)),
        ),
        (
            "annotations",
            format!(
                "contract C {{ {} function f() {{ }} }}",
                "@public ".repeat(N)
            ),
        ),
        ("contracts", around("contract C {", "", "}")),
        ("comments", "/* ".repeat(N)),
        ("quotes", "\"".repeat(N)),
    ];
    for (name, text) in cases {
        println!("{name}");
        survive(&text);
    }
}

#[test]
fn large_sources_compile_or_are_refused() {
    // A megabyte of functions.
    let mut text = String::from("contract C { s: UInt256;\n");
    let mut n = 0;
    while text.len() < 1 << 20 {
        text += &format!(
            "function f{n}(UInt256 a) internal -> UInt256 {{ s += a * {n}; return s - {n}; }}\n"
        );
        n += 1;
    }
    text += "}";
    assert!(survive(&text), "{n} functions");
    // A megabyte of statements in one function.
    let mut body = String::new();
    while body.len() < 1 << 20 {
        body += "s = s * 3 + a; if (s > 7) { s -= 1; }\n";
    }
    survive(&format!(
        "contract C {{ s: UInt256; function f(UInt256 a) public {{ {body} }} }}"
    ));
    // A megabyte of one token, and of none.
    survive(&inside(&format!("let {} = 1;", "x".repeat(1 << 20))));
    survive(&inside(&format!("return {};", "9".repeat(1 << 20))));
    survive(&inside(&format!("return 1e{};", "9".repeat(1 << 20))));
    survive(&inside(&format!(
        "require(a > 1, \"{}\");",
        "x".repeat(1 << 20)
    )));
    survive(&" \n".repeat(1 << 19));
    survive(&"§".repeat(1 << 19));
    survive(&";".repeat(1 << 20));
    survive(&"}".repeat(1 << 20));
    survive(&"contract ".repeat(1 << 17));
}

#[test]
fn a_literal_of_a_million_elements_is_answered() {
    let list = vec!["1"; 1_000_000].join(",");
    survive(&inside(&format!("let x = [{list}]; return x.length;")));
    survive(&inside(&format!("return f({list});")));
    survive(&format!(
        "contract C {{ enum E {{ {} }} }}",
        "A, ".repeat(300_000)
    ));
    survive(&format!(
        "contract C {{ struct S {{ {} }} }}",
        "a: Bool; ".repeat(200_000)
    ));
}

/// What each name or call looks for is found without going through all declarations.
#[test]
fn many_declarations_compile_or_are_refused() {
    let many = 20_000;
    let calls = (0..many).map(|i| format!("function f{i}() internal {{ f{}(); }}\n", i + 1));
    let calls: String = calls.collect();
    let text = format!(
        "contract C {{ UInt256 x;\n{calls}function f{many}() internal {{ x = 1; }}\nfunction g() public -> UInt256 {{ return x; }} }}"
    );
    assert!(build(&text).is_ok());
    let variables: String = (0..many).map(|i| format!("UInt256 v{i};\n")).collect();
    let uses: String = (0..many).map(|i| format!("v{i} = 1;\n")).collect();
    survive(&format!(
        "contract C {{ {variables} function g() public {{ {uses} }} }}"
    ));
    // Functions at file level are checked for each contract.
    let functions: String = (0..many)
        .map(|i| format!("function f{i}() {{ }}\n"))
        .collect();
    let contracts: String = (0..many)
        .map(|i| format!("contract C{i} {{ }}\n"))
        .collect();
    let refused = build(&format!("{functions}{contracts}"));
    assert!(refused.is_err_and(|d| d.to_string().contains("E0248")));
}

#[test]
fn sizes_multiply_without_end() {
    for text in [
        "contract C { x: UInt256[16777216][16777216][16777216]; }",
        "contract C { struct A { a: UInt8[4096]; } struct B { a: A[4096]; } struct D { a: B[4096]; } x: D[4096]; }",
        "contract C { UInt256 constant A = 2 ** 2 ** 2 ** 2 ** 2 ** 2; }",
        "contract C { UInt256 constant A = B; UInt256 constant B = A; }",
        "contract C { function f() public -> UInt256 { return 2 ** 100000000; } }",
        "contract C { function f() public -> UInt256 { return 1 << 100000000; } }",
        "contract C { function f() public -> Int256 { return -(2 ** 511) - 2 ** 511; } }",
        "contract C { function f() public -> UInt256 { return (2 ** 511) * (2 ** 511); } }",
        "contract C { function f() public -> UInt256 { return 5 / 0 + 5 % 0; } }",
        "contract C { x: UInt256[1 / 0]; y: UInt256[0 - 1]; z: UInt256[2 ** 255]; }",
        "struct S { s: S; } struct T { u: U; } struct U { t: T; } contract C { s: S; t: T; }",
        "import \"a.synq\"; contract C { }",
        "import \"../../../../etc/passwd\"; contract C { }",
        "model M { hash: \"blake3:\"; input a: UInt8[16777216][16777216]; output b: Int8[1]; } contract C { }",
    ] {
        survive(text);
    }
}

#[test]
fn random_bytes_are_answered() {
    for seed in 0..rounds(400) {
        let mut source = Source::seeded(seed);
        let length = source.below(400);
        let bytes: Vec<u8> = (0..length).map(|_| source.below(256) as u8).collect();
        survive(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn random_tokens_are_answered() {
    const WORDS: &[&str] = &[
        "contract",
        "C",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ";",
        ",",
        ":",
        ".",
        "..",
        "=",
        "==",
        "=>",
        "->",
        "+",
        "-",
        "*",
        "/",
        "<",
        ">",
        ">>",
        "<<",
        "&&",
        "||",
        "!",
        "~",
        "?",
        "@",
        "_",
        "function",
        "f",
        "public",
        "internal",
        "returns",
        "return",
        "let",
        "x",
        "y",
        "UInt256",
        "Bool",
        "String",
        "mapping",
        "struct",
        "enum",
        "event",
        "error",
        "emit",
        "revert",
        "require",
        "require_pqc",
        "or",
        "with_gas_limit",
        "if",
        "else",
        "for",
        "in",
        "while",
        "do",
        "break",
        "continue",
        "modifier",
        "model",
        "file",
        "input",
        "output",
        "interface",
        "storage",
        "memory",
        "calldata",
        "constant",
        "immutable",
        "delete",
        "new",
        "null",
        "true",
        "1",
        "0xff",
        "1e18",
        "\"s\"",
        "msg",
        "sender",
        "abi",
        "encode",
        "this",
        "constructor",
        "import",
        "pragma",
        "synq",
        "^1.0.0",
        "MLDSAPublicKey",
        "<87>",
        "verify_mldsa",
        "unchecked",
        "++",
        "+=",
    ];
    for seed in 0..rounds(1_500) {
        let mut source = Source::seeded(seed ^ 0x5eed);
        let length = source.below(120);
        let words: Vec<&str> = (0..length)
            .map(|_| WORDS[source.below(WORDS.len())])
            .collect();
        survive(&words.join(" "));
        survive(&inside(&words.join(" ")));
    }
}

#[test]
fn broken_contracts_are_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts");
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the entry can be read").path();
        if path.extension().is_some_and(|e| e == "synq") {
            texts.push(std::fs::read_to_string(path).expect("UTF-8"));
        }
    }
    texts.sort();
    for seed in 0..rounds(250) {
        let mut source = Source::seeded(seed ^ 0xb20ce);
        let mut text = texts[source.below(texts.len())].clone();
        for _ in 0..1 + source.below(3) {
            let mut at = source.below(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            match source.below(4) {
                0 => text.truncate(at),
                1 => text.insert_str(
                    at,
                    ["{", "}", "(", ")", ";", "\"", "/*", "=", "a"][source.below(9)],
                ),
                2 => {
                    text.remove(at.min(text.len().saturating_sub(2)));
                }
                _ => {
                    let rest = text.split_off(at);
                    text.push_str(rest.get(rest.find(' ').unwrap_or(0)..).unwrap_or_default());
                }
            }
            if text.len() < 2 {
                text.push_str("  ");
            }
        }
        survive(&text);
    }
}

#[test]
fn random_programs_keep_their_meaning_when_formatted() {
    let (mut compiled, total) = (0, rounds(600));
    for seed in 0..total {
        // The second form is how fuzz targets make programs.
        let mut source = match seed % 2 {
            0 => Source::seeded(seed ^ 0x67261),
            _ => Source::from_bytes(blake3::hash(&seed.to_le_bytes()).as_bytes()),
        };
        let size = 4 + source.below(40);
        let text = program(&mut source, size);
        let before = build(&text);
        let formatted = fmt::format("a.synq", &text).unwrap_or_else(|e| panic!("{text}\n{e}"));
        let again = fmt::format("a.synq", &formatted).expect("what it wrote parses");
        assert_eq!(formatted, again, "seed {seed}:\n{text}");
        match (before, build(&formatted)) {
            (Ok(before), Ok(after)) => {
                compiled += 1;
                assert_eq!(
                    before.contracts[0].wasm, after.contracts[0].wasm,
                    "seed {seed}:\n{text}\n{formatted}"
                );
                assert_eq!(before.contracts[0].abi, after.contracts[0].abi);
            }
            (Err(before), Err(after)) => {
                let codes = |d: &Diagnostics| d.list.iter().map(|d| d.code).collect::<Vec<_>>();
                assert_eq!(codes(&before), codes(&after), "seed {seed}:\n{text}");
            }
            (before, after) => panic!(
                "seed {seed}: {} and {}\n{text}\n{formatted}",
                before.is_ok(),
                after.is_ok()
            ),
        }
    }
    // Most of what the generator makes is a program.
    assert!(compiled * 2 > total, "{compiled} of {total} compile");
}
