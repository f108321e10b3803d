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
fn what_would_need_undoing_runs_in_a_call() {
    let text = twin(
        "contract C {
            n: UInt256;
            @public function set(m: Bytes) { n = m.length; }
            @public function f(k: MLDSAPublicKey, m: Bytes, s: MLDSASignature) {
                let twice = n * 2;
                require_pqc { n = twice; verify_mldsa(k, m, s); twice = 1; } or revert(\"bad\");
            }
        }",
    );
    for part in [
        // The entry with the fewest arguments carries the block.
        "function set(bytes memory m) external {\n        _runBlock();\n        f0_set(m);",
        "_runIsolated(1, abi.encode(k_0, m_1, s_2, twice_3))",
        "(pqc1, k_0, m_1, s_2, twice_3) = abi.decode(data, (uint256, bytes, bytes, bytes, uint256))",
        // Locals come back from a check that failed, too.
        "keccak256(\"synq.require_pqc.failed\"), abi.encode(pqc1, k_0, m_1, s_2, twice_3));",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn what_cannot_be_undone_is_refused() {
    let refused = |body: &str| {
        let source = format!(
            "contract C {{ n: UInt256; k: MLDSAPublicKey; s: MLDSASignature;
            {body} }}"
        );
        let loader = MemoryLoader::new().with_source("a.synq", source);
        let errors = twins("a.synq", &loader, &Options::new()).expect_err("no twin");
        let codes: Vec<_> = errors.list.iter().map(|d| d.code).collect();
        assert_eq!(codes, ["E0702"]);
    };
    refused(
        "@public function f() {
            require_pqc { n = 1; if (n > 2) return; verify_mldsa(k, msg.data, s); } or revert(\"bad\");
        }",
    );
    refused(
        "@public function f() {
            require_pqc { n = 1; verify_mldsa(k, msg.data, s); } or revert(\"bad\");
        }",
    );
    // A contract that is being created has no code to call.
    refused(
        "constructor() { g(); }
        function g() internal {
            require_pqc { n = 1; verify_mldsa(k, \"m\", s); } or revert(\"bad\");
        }",
    );
}

#[test]
fn increments_are_spelled_out_where_solidity_has_none() {
    let text = twin(
        "contract C {
            function bytes_(Bytes b) public -> UInt8 { b[0]++; return b[1]--; }
            function inside(UInt8 a) public -> UInt8 { unchecked { return a++; } }
            function alone(UInt8 a) public -> UInt8 { unchecked { a++; } return a; }
            function step(UInt8 n) public {
                unchecked { for (UInt8 i = n; i != 3; i++) { } }
                for (j in 0..n) { }
            }
        }",
    );
    for part in [
        "uint8(b_0[uint256(0)] = bytes1((uint8(b_0[uint256(0)]) + 1)));",
        "return _wrapAdd_uint8_uint8(uint8(b_0[uint256(1)] = bytes1((uint8(b_0[uint256(1)]) - 1))), 1);",
        "return _wrapSub_uint8_uint8((a_0 = _wrapAdd_uint8_uint8(a_0, 1)), 1);",
        "unchecked { a_0++; }",
        "for (; (i_1 != uint8(3)); _wrapSub_uint8_uint8((i_1 = _wrapAdd_uint8_uint8(i_1, 1)), 1)) {",
        "++j_2) {",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn several_results_outlive_the_modifier_that_runs_the_function() {
    let text = twin(
        "contract C {
            n: UInt256;
            modifier around { _; n += 1; }
            function f(UInt256 a) public around -> (UInt256, Bool) { return (a, true); }
        }",
    );
    // They are assigned, not declared once more.
    assert!(!text.contains("(uint256 t_1, bool t_2)"), "{text}");
    assert!(text.contains("(t_1, t_2) = (v1_0, v1_1);"), "{text}");
}

#[test]
fn a_location_is_no_name() {
    let text =
        twin("contract C { function f() public pure returns (Bytes memory) { return \"\"; } }");
    assert!(text.contains("returns (bytes memory) {"), "{text}");
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
        let list = twins(&name, &FolderLoader::new(&folder), &Options::new())
            .unwrap_or_else(|refused| panic!("{name}\n{refused}"));
        for twin in &list {
            assert!(twin.text.contains(&format!("contract {} {{", twin.name)));
        }
        count += list.len();
    }
    assert!(count >= 15, "{count} twins");
}
