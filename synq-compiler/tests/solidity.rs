//! The Solidity twin. That solc accepts the text is checked where solc is; here: what it says.

use std::path::Path;

use synq_compiler::{FolderLoader, MemoryLoader, Options, twins};

fn twin(text: &str) -> String {
    let loader = MemoryLoader::new().with_source("a.synq", text);
    let list = twins("a.synq", &loader, &Options::new()).unwrap_or_else(|e| panic!("{e}"));
    list.into_iter().map(|t| t.text).collect()
}

#[test]
fn functions_keep_their_abi() {
    let text = twin(
        "contract C {
            struct P { id: UInt256; ok: Bool; }
            enum State { Open, Closed }
            total: UInt64 public;
            items: mapping(UInt256 => P) public;
            event Sent(to: Address indexed, amount: UInt256);
            error Broke(have: UInt256);
            @public function add(a: UInt64, s: State, p: P) -> UInt64 {
                if (s == State.Closed) revert Broke(1);
                total += a;
                items[1] = p;
                emit Sent(msg.sender, total);
                return total;
            }
            function read(Bytes data) public -> UInt8 { return data[0]; }
            function pay() public { require(msg.value > 0, \"nothing\"); }
        }",
    );
    for part in [
        "pragma solidity ^0.8.26;",
        "struct P {\n    uint256 id;\n    bool ok;\n}",
        "enum State { Open, Closed }",
        "event Sent(address indexed to, uint256 amount);",
        "error Broke(uint256 have);",
        "function add(uint64 a, State s, P memory p) external returns (uint64) {",
        "function read(bytes memory data) external pure returns (uint8) {",
        "function pay() external payable {",
        "function total() external view returns (uint64) {",
        "revert Broke(uint256(1));",
        "total_s0 += a_0;",
        "revert(\"nothing\");",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn a_failed_check_leaves_the_block() {
    let text = twin(
        "contract C {
            n: UInt256;
            @public function f(k: MLDSAPublicKey, m: Bytes, s: MLDSASignature) {
                require_pqc { verify_mldsa(k, m, s); n = 1; } or revert(\"bad\");
            }
        }",
    );
    assert!(text.contains("address(0xa101).staticcall(data)"), "{text}");
    assert!(text.contains("pqc1 = 1; break;"), "{text}");
}

#[test]
fn what_would_need_undoing_is_refused() {
    let source = "contract C {
        n: UInt256;
        @public function f(k: MLDSAPublicKey, m: Bytes, s: MLDSASignature) {
            require_pqc { n = 1; verify_mldsa(k, m, s); } or revert(\"bad\");
        }
    }";
    let loader = MemoryLoader::new().with_source("a.synq", source);
    let errors = twins("a.synq", &loader, &Options::new()).expect_err("no twin");
    let codes: Vec<_> = errors.list.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["E0702"]);
}

#[test]
fn words_of_solidity_are_renamed() {
    let text = twin(
        "contract C { function f(Bytes calldata) public -> UInt256 { return calldata.length; } }",
    );
    assert!(
        text.contains("function f(bytes memory calldata_)"),
        "{text}"
    );
}

#[test]
fn every_contract_of_the_corpus_has_a_twin() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is there") {
        let name = entry.expect("readable").file_name();
        let name = name.to_string_lossy();
        if !name.ends_with(".synq") {
            continue;
        }
        let list = match twins(&name, &FolderLoader::new(&folder), &Options::new()) {
            Ok(list) => list,
            // It changes state before a check inside `require_pqc`: undoing that has no twin.
            Err(refused) if name == "treasury.synq" => {
                assert!(refused.to_string().contains("E0702"), "{refused}");
                continue;
            }
            Err(refused) => panic!("{name}\n{refused}"),
        };
        for twin in &list {
            assert!(twin.text.contains(&format!("contract {} {{", twin.name)));
        }
        count += list.len();
    }
    assert!(count >= 13, "{count} twins");
}
