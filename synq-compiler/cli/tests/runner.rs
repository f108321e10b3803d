//! `synqc run`, `test`, `trace` and `estimate`, as their users run them.

use std::path::Path;
use std::process::{Command, Output};

fn synqc(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_synqc"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("synqc starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| {
        panic!(
            "{e}: {}{}",
            out(output),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// A project with a bank and these tests.
fn project(tests: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
        std::fs::write(path, text).expect("it is written");
    };
    write("synq.toml", "[project]\nname = \"bank\"\n");
    write("src/Bank.synq", BANK);
    write("tests/Bank.synq", tests);
    dir
}

const BANK: &str = r#"pragma synq ^1.0.0;
/// Keeps what it is sent.
contract Bank {
    error TooMuch(UInt256 have, UInt256 want);
    event Paid(Address indexed who, UInt256 amount);
    mapping(Address => UInt256) public of;
    UInt256 public opened;
    UInt256 fee;

    constructor(UInt256 _fee) {
        require(_fee < 100, "fee too high");
        fee = _fee;
        opened = block.timestamp;
    }

    @gas_cost(base: 5)
    function pay() public {
        of[msg.sender] += msg.value - fee;
        emit Paid(msg.sender, msg.value);
    }

    function take(UInt256 amount) public -> UInt256 {
        if (of[msg.sender] < amount) {
            revert TooMuch(of[msg.sender], amount);
        }
        of[msg.sender] -= amount;
        sendNative(msg.sender, amount);
        return of[msg.sender];
    }

    function spin() public {
        while (true) { fee += 1; }
    }
}
"#;

const TESTS: &str = r#"pragma synq ^1.0.0;
import "../src/Bank.synq";
contract BankTest {
    Address bank;
    Address alice;
    UInt256 runs;

    function setUp() public {
        warp(1000);
        bank = deploy("Bank", abi.encode(UInt256(1)));
        alice = Address(0x00000000000000000000000000000000000a11ce);
        label(alice, "alice");
        deal(alice, 50);
    }

    function testFresh() public { runs += 1; assertEq(runs, 1); }
    function testFreshAgain() public { runs += 1; assertEq(runs, 1); }

    function testTime() public {
        assertEq(Bank(bank).opened(), 1000);
        assertEq(block.timestamp, 1000);
        roll(77);
        warp(2000);
        assertEq(block.number, 77);
        assertEq(block.timestamp, 2000);
    }

    function testPrankPays() public {
        prank(alice);
        Bank(bank).pay{value: 20}();
        assertEq(Bank(bank).of(alice), 19);
        assertEq(alice.balance, 30);
        startPrank(alice);
        assertEq(Bank(bank).take(5), 14);
        assertEq(Bank(bank).take(5), 9);
        stopPrank();
        expectRevert();
        Bank(bank).take(1);
        assertEq(Bank(bank).of(alice), 9);
    }

    function testExpected() public {
        expectRevertWith("fee too high");
        deploy("Bank", abi.encode(UInt256(100)));
    }

    function testFailBecauseItMust() public { require(false, "no"); }

    function testEvery() public {
        assertTrue(1 < 2);
        assertFalse(2 < 1);
        assertEqInt(0 - 5, 0 - 5);
        assertEqAddress(alice, alice);
        assertEqString("a", "a");
        assertEqBytes(Bytes("00ff"), Bytes("00ff"));
        debug("all is well");
    }

    function helper() internal { assertTrue(false); }
}
"#;

#[test]
fn tests_pass_on_fresh_chains() {
    let dir = project(TESTS);
    let done = synqc(dir.path(), &["test", "--json"]);
    let json = json(&done);
    assert_eq!(done.status.code(), Some(0), "{json:#}");
    assert_eq!(
        (&json["passed"], &json["failed"]),
        (&7.into(), &0.into()),
        "{json:#}"
    );
    let every = json["tests"].as_array().expect("a list");
    let every = every
        .iter()
        .find(|t| t["test"] == "testEvery")
        .expect("it ran");
    assert_eq!(every["debug"][0], "BankTest says \"all is well\"");
    assert!(every["gas"].as_u64() > Some(20_000));
    let text = out(&synqc(
        dir.path(),
        &["test", "--filter", "BankTest.testFresh"],
    ));
    assert!(
        text.contains("ok: 2 passed, 0 failed, 5 filtered out"),
        "{text}"
    );
    let none = synqc(dir.path(), &["test", "--filter", "zzzz"]);
    assert_eq!(none.status.code(), Some(2));
    assert_eq!(out(&none), "");
    assert_eq!(
        String::from_utf8_lossy(&none.stderr),
        "error: no test matches `zzzz`; there are 7\n"
    );
    let text = out(&synqc(dir.path(), &["test", "-f", "Prank", "-v"]));
    assert!(text.contains("Bank.take(5)  tests/Bank.synq:34"), "{text}");
    assert!(text.contains("Bank.of(alice)"), "{text}");
    assert!(
        text.contains("= revert: TooMuch(have: 0, want: 1)"),
        "{text}"
    );
}

#[test]
fn failing_tests_say_where_and_why() {
    let tests = r#"pragma synq ^1.0.0;
import "../src/Bank.synq";
contract BankTest {
    Address bank;
    function setUp() public {
        bank = deploy("Bank", abi.encode(UInt256(1)));
    }
    function testA() public {
        Bank(bank).take(5);
    }
    function testB() public { assertEq(2, 3); }
    function testC() public {
        expectRevert();
        Bank(bank).pay{value: 2}();
    }
    function testD() public {
        expectRevertWith("other");
        Bank(bank).pay{value: 0}();
    }
    function testE() public { expectRevert(); }
    function testFailF() public { }
    function testG(UInt256 x) public { }
    function testH() public { deploy("Bonk", abi.encode()); }
    function testI() public { deploy("Bank", abi.encode(UInt256(500))); }
    function testJ() public { Bank(bank).spin(); }
}
contract BrokenTest {
    function setUp() public { require(1 > 2, "not today"); }
    function testX() public { }
}
"#;
    let dir = project(tests);
    let done = synqc(dir.path(), &["test", "--json", "--gas-limit", "5000000"]);
    assert_eq!(done.status.code(), Some(1));
    let json = json(&done);
    assert_eq!(
        (&json["passed"], &json["failed"]),
        (&0.into(), &11.into()),
        "{json:#}"
    );
    let reason = |name: &str| {
        let tests = json["tests"].as_array().expect("a list");
        let test = tests.iter().find(|t| t["test"] == name).expect("it ran");
        let at: Vec<&str> = test["at"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|p| p.as_str())
            .collect();
        format!(
            "{} {}",
            test["reason"].as_str().expect("it failed"),
            at.join(", ")
        )
    };
    assert_eq!(
        reason("testA"),
        "TooMuch(have: 0, want: 5) Bank.take (src/Bank.synq:24), BankTest.testA (tests/Bank.synq:9)"
    );
    assert_eq!(
        reason("testB"),
        "assertEq: 2 is not 3 BankTest.testB (tests/Bank.synq:11)"
    );
    assert_eq!(
        reason("testC"),
        "the call should fail, but returns BankTest.testC (tests/Bank.synq:14)"
    );
    assert!(
        reason("testD").starts_with(
            "the call should fail with \"other\", but fails with \"arithmetic overflow (panic 0x11)\""
        ),
        "{}",
        reason("testD")
    );
    assert_eq!(reason("testE"), "expectRevert: no call came behind it ");
    assert!(reason("testFailF").contains("must fail"));
    assert!(reason("testG").contains("has parameters"));
    assert!(reason("testH").contains("there is no contract `Bonk`; there is Bank"));
    assert!(
        reason("testI").contains("fee too high Bank.constructor (src/Bank.synq:11)"),
        "{}",
        reason("testI")
    );
    assert!(
        reason("testJ").starts_with("out-of-gas"),
        "{}",
        reason("testJ")
    );
    assert!(
        reason("testX").starts_with("setUp: not today BrokenTest.setUp (tests/Bank.synq:28)"),
        "{}",
        reason("testX")
    );
    let text = out(&synqc(dir.path(), &["test", "--filter", "testA"]));
    for line in [
        "FAIL  testA",
        "TooMuch(have: 0, want: 5)",
        "at Bank.take (src/Bank.synq:24)",
        "Bank.take(5)  tests/Bank.synq:9",
        "failed: 0 passed, 1 failed, 10 filtered out",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn what_is_no_test_is_refused() {
    let dir = project("contract Nothing { function f() public { } }");
    let done = synqc(dir.path(), &["test"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("there are no tests"));
    let done = synqc(dir.path(), &["test", "nowhere.synq"]);
    assert_eq!(done.status.code(), Some(3));
    std::fs::write(
        dir.path().join("tests/Bank.synq"),
        "contract T { function testA() public { x; } }",
    )
    .expect("it is written");
    let done = synqc(dir.path(), &["test"]);
    assert_eq!(done.status.code(), Some(1));
    // Test functions exist in tests only.
    std::fs::write(
        dir.path().join("src/Bad.synq"),
        "contract Bad { function f() public { warp(1); } }",
    )
    .expect("it is written");
    let done = synqc(dir.path(), &["check", "src/Bad.synq"]);
    assert_eq!(done.status.code(), Some(1));
}

#[test]
fn a_new_project_passes_its_tests() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(synqc(dir.path(), &["new", "shop"]).status.success());
    let folder = dir.path().join("shop");
    let done = synqc(&folder, &["test"]);
    assert!(done.status.success(), "{}", out(&done));
    assert!(out(&done).contains("ok: 3 passed, 0 failed"));
    for args in [&["check", "tests/Counter.synq"][..], &["fmt", "--check"]] {
        let done = synqc(&folder, args);
        assert!(
            done.status.success(),
            "{args:?} {}{}",
            out(&done),
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

#[test]
fn run_calls_one_after_the_other() {
    let dir = project("");
    let who = "0x1111111111111111111111111111111111111111";
    let of = format!("of({who})");
    let args = [
        "run",
        "src/Bank.synq",
        "--init",
        "3",
        "--time",
        "42",
        "pay()",
        &of,
        "opened()",
        "pay()",
        "--value",
        "10",
        "--json",
    ];
    let done = synqc(dir.path(), &args);
    // The first call sends nothing, and a fee of 3 cannot be taken from it.
    assert_eq!(done.status.code(), Some(1));
    let json = json(&done);
    let calls = json["calls"].as_array().expect("a list");
    assert_eq!(calls[1]["status"], "revert");
    assert_eq!(calls[1]["reason"], "arithmetic overflow (panic 0x11)");
    assert_eq!(calls[1]["at"][0], "Bank.pay (src/Bank.synq:18)");
    assert_eq!(calls[2]["returned"], "0");
    assert_eq!(calls[3]["returned"], "42");
    assert_eq!(calls[4]["status"], "return");
    assert_eq!(calls[4]["events"][0], "Paid(who: you, amount: 10)");
    let args = [
        "run",
        "src/Bank.synq",
        "--init",
        "0",
        "pay()",
        "--value",
        "7",
        "--from",
        "0x2222222222222222222222222222222222222222",
    ];
    let done = synqc(dir.path(), &args);
    assert_eq!(done.status.code(), Some(0));
    assert!(
        out(&done).contains("emits Paid(who: you, amount: 7)"),
        "{}",
        out(&done)
    );
    for (args, code, says) in [
        (
            &["run", "src/Bank.synq", "pay()"][..],
            2,
            "takes 1 argument, 0 given",
        ),
        (
            &["run", "src/Bank.synq", "--init", "1", "nothing()"],
            2,
            "no function `nothing`",
        ),
        (
            &["run", "src/Bank.synq", "--init", "1", "take(x)"],
            2,
            "argument 1",
        ),
        (
            &["run", "src/Bank.synq", "--init", "1", "take(5"],
            2,
            "is not a call",
        ),
        (
            &["run", "src/Bank.synq", "--init", "1", "--from", "me"],
            2,
            "is not an address",
        ),
        (
            &[
                "run",
                "src/Bank.synq",
                "--init",
                "1",
                "pay()",
                "--value",
                "all",
            ],
            2,
            "is not an amount",
        ),
        (&["run", "src/None.synq"], 3, "None.synq"),
        (
            &["run", "src/Bank.synq", "--init", "1", "--contract", "X"],
            2,
            "has no contract `X`",
        ),
    ] {
        let done = synqc(dir.path(), args);
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(code), "{args:?} {error}");
        assert!(error.contains(says), "{args:?} {error}");
    }
    let failed = synqc(
        dir.path(),
        &["run", "src/Bank.synq", "--init", "100", "pay()"],
    );
    assert_eq!(failed.status.code(), Some(1));
    assert!(out(&failed).contains("fee too high"), "{}", out(&failed));
}

#[test]
fn trace_shows_the_tree_with_lines() {
    let dir = project("");
    let args = [
        "trace",
        "src/Bank.synq",
        "--init",
        "1",
        "pay()",
        "--value",
        "10",
    ];
    let done = synqc(dir.path(), &args);
    let text = out(&done);
    assert!(done.status.success(), "{text}");
    for line in [
        "Bank.pay()",
        "storage.load  src/Bank.synq:18",
        "events.emit  src/Bank.synq:19",
        "= returned",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let args = ["trace", "src/Bank.synq", "--init", "1", "take(9)", "--json"];
    let done = synqc(dir.path(), &args);
    assert_eq!(done.status.code(), Some(1));
    let json = json(&done);
    let tree = &json["trace"]["tree"];
    assert_eq!(tree["call"], "Bank.take(9)");
    assert_eq!(tree["result"], "revert: TooMuch(have: 0, want: 9)");
    assert_eq!(tree["stack"][0], "Bank.take (src/Bank.synq:24)");
    assert!(
        tree["steps"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|s| s["host"] == "storage.load" && s["line"] == "src/Bank.synq:23")
    );
}

#[test]
fn estimate_measures_and_compares() {
    let dir = project("");
    let args = [
        "estimate",
        "src/Bank.synq",
        "--init",
        "1",
        "--call",
        "take(0)",
        "--json",
    ];
    let done = synqc(dir.path(), &args);
    assert!(done.status.success());
    let json = json(&done);
    let functions = json["functions"].as_array().expect("a list");
    let find = |name: &str| {
        let found = functions.iter().find(|f| f["function"] == name);
        found.unwrap_or_else(|| panic!("{name}"))
    };
    for name in ["opened()", "of(address)", "take(uint256)"] {
        let row = find(name);
        let (least, measured) = (row["atLeast"].as_u64(), row["measured"].as_u64());
        assert!(least > Some(20_000) && least <= measured, "{row}");
        assert!(row["failed"].is_null(), "{row}");
    }
    assert_eq!(find("pay()")["declared"], 5);
    assert_eq!(find("pay()")["failed"], "arithmetic overflow (panic 0x11)");
    let warning = json["warnings"][0].as_str().expect("a warning");
    assert!(
        warning.starts_with("pay() declares 5 gas, but no call costs less than"),
        "{warning}"
    );
    let text = out(&synqc(dir.path(), &["estimate", "src/Bank.synq"]));
    assert!(
        text.contains("at least") && text.contains("warning: pay()"),
        "{text}"
    );
    let done = synqc(dir.path(), &["estimate", "src/Bank.synq", "--init", "500"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("fee too high"));
}
