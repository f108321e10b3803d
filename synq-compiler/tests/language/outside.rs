//! Other contracts, keys, networks and extensions.

use synq_compiler::{ChainProfile, MemoryLoader, Options};

use super::A;
use super::common::{Chain, Outcome, compile, compile_with, deploy};

#[test]
fn contracts_call_each_other() {
    let artifacts = compile(
        r#"
interface ICounter { function bump(by: UInt256) -> UInt256; function total() view -> UInt256; function broken(); function pay() payable; }
contract Counter {
    UInt256 public total;
    UInt256 public received;
    error Broken(UInt256 code);
    function bump(by: UInt256) public -> UInt256 { require(by > 0, "zero"); total += by; return total; }
    function broken() public { total = 99; revert Broken(5); }
    function pay() public { received += msg.value; }
}
contract Caller {
    error Broken(UInt256 code);
    ICounter c;
    constructor(ICounter counter) { c = counter; }
    function twice(UInt256 n) public -> UInt256 { c.bump(n); return c.bump({by: n}) + c.total(); }
    function broken() public { c.broken(); }
    function pay() public { require(msg.value > 1, "more"); c.pay{value: msg.value - 1}(); }
    function raw(UInt256 n) public -> UInt256 { Bytes r = callContract(Address(c), 0, abi.encodeWithSignature("bump(uint256)", n)); return abi.decode(r, (UInt256)); }
    function nowhere() public { ICounter(Address(0x5555)).bump(1); }
    function give(Address to, UInt256 n) public { sendNative(to, n); to.transfer(n); }
    function mine() public -> UInt256 { return Address(this).balance; }
    function who() public -> (Address, Address) { return (msg.sender, Address(this)); }
}"#,
    );
    let chain = Chain::new();
    let counter = chain.deploy(&artifacts[0], 0x100, &[]);
    let caller = chain.deploy(
        &artifacts[1],
        0x200,
        &["0x0000000000000000000000000000000000000100"],
    );
    assert_eq!(caller.get("twice", &["4"]), "16");
    assert_eq!(caller.get("raw", &["2"]), "10");
    assert!(caller.fails("broken", &[]).contains("Broken"));
    assert_eq!(counter.get("total", &[]), "10");
    assert!(caller.fails("twice", &["0"]).contains("zero"));
    caller.fails("nowhere", &[]);
    assert!(matches!(
        caller.call_from(1, 50, "pay", &[]),
        Outcome::Return(_)
    ));
    assert_eq!(counter.get("received", &[]), "49");
    assert!(matches!(
        counter.call_from(1, 50, "bump", &["1"]),
        Outcome::Revert(_)
    ));
    assert_eq!(caller.get("mine", &[]), "1");
    caller.fails("give", &[A, "1"]);
    assert_eq!(caller.get("mine", &[]), "1");
    println!(
        "counter {} bytes, caller {} bytes",
        artifacts[0].wasm.len(),
        artifacts[1].wasm.len()
    );
}

#[test]
fn post_quantum_checks() {
    let c = deploy(
        r#"contract C {
    MLDSAPublicKey public key;
    UInt256 public count;
    mapping(Address => FNDSAPublicKey<1024>) keys;
    function setKey(MLDSAPublicKey k) public { key = k; }
    function check(Bytes m, MLDSASignature s) public -> Bool { return verifyMLDSASignature(key, m, s) && verify_mldsa(s, m, key); }
    function guarded(Bytes m, MLDSASignature s) public -> UInt256 {
        count = 1;
        require_pqc { count = 5; verify_mldsa(key, m, s); count += 1; require(count == 6, "never"); } or revert("bad signature");
        return count;
    }
    function soft(Bytes m, MLDSASignature s) public -> UInt256 {
        require_pqc { count = 50; verify_mldsa(key, m, s); } or return 7;
        return count;
    }
    function auth(MLDSAPublicKey k, Bytes m, MLDSASignature s) public authenticated_pqc(k, m, s) -> UInt256 { return 1; }
    function missing(Address a) public -> Bool { return keys[a] == null; }
    function reg(Address a, Bytes k) public { keys[a] = FNDSAPublicKey<1024>(k); }
    function secret(Bytes k, MLKEMCiphertext c) public -> Bytes { return mlkemDecapsulate(c, k); }
}"#,
        &[],
    );
    c.get("setKey", &["0x0102"]);
    assert_eq!(c.get("check", &["0x03", "0x010203"]), "true");
    assert_eq!(c.get("check", &["0x03", "0x0102"]), "false");
    assert_eq!(c.get("guarded", &["0x03", "0x010203"]), "6");
    assert!(
        c.fails("guarded", &["0x03", "0x01"])
            .contains("bad signature")
    );
    assert_eq!(c.get("count", &[]), "6");
    assert_eq!(c.get("soft", &["0x03", "0x01"]), "7");
    assert_eq!(c.get("count", &[]), "6");
    assert_eq!(c.get("soft", &["0x03", "0x010203"]), "50");
    assert_eq!(c.get("auth", &["0x09", "0x08", "0x0908"]), "1");
    c.fails("auth", &["0x09", "0x08", "0x0907"]);
    assert_eq!(c.get("missing", &[A]), "true");
    c.get("reg", &[A, "0x01"]);
    assert_eq!(c.get("missing", &[A]), "false");
    assert_eq!(c.get("secret", &["0x01", "0x02"]), "0x0102");
}

#[test]
fn gas_limits() {
    let c = deploy(
        r#"contract C {
    UInt256 public x;
    function run(UInt256 a) public -> (UInt256, UInt256) {
        let sum = a;
        UInt256[] xs = [1, 2];
        with_gas_limit(5000) { x += 10; sum = sum + xs[1]; xs.push(4); }
        return (sum, xs.length);
    }
    @gas_limit(5000) @gas_cost(base: 100)
    function limited(UInt256 a) public -> UInt256 { x = a; return a + 1; }
}"#,
        &[],
    );
    assert_eq!(c.get("run", &["5"]), "7, 3");
    assert_eq!(c.get("x", &[]), "10");
    c.chain.0.borrow_mut().scarce = 6000;
    assert_eq!(c.get("run", &["5"]), "5, 2");
    assert_eq!(c.get("x", &[]), "10");
    assert!(c.fails("limited", &["5"]).contains("gas limit"));
}

#[test]
fn a_view_function_asks_the_chain_only_what_changes_nothing() {
    let source = "contract C { function f() public view -> UInt256 { return height(); } }";
    let compiled = |more: &str| {
        let text = format!("[functions.height]\noutputs = [\"UInt256\"]\n{more}");
        let options = Options::new().with_profile(ChainProfile::from_toml(&text).unwrap());
        let loader = MemoryLoader::new().with_source("c.synq", source);
        match synq_compiler::compile("c.synq", &loader, &options) {
            Ok(_) => Vec::new(),
            Err(list) => list.list.iter().map(|d| d.code.to_owned()).collect(),
        }
    };
    assert_eq!(compiled("view = true"), Vec::<String>::new());
    assert_eq!(compiled("view = false"), ["E0427"]);
    assert_eq!(compiled(""), ["E0427"]);
    for wrong in ["view = 1", "views = true", "view = \"yes\""] {
        let text = format!("[functions.height]\n{wrong}");
        let error = ChainProfile::from_toml(&text).unwrap_err().to_string();
        assert!(error.starts_with("chain profile: "), "{error}");
    }
}

#[test]
fn models_and_extensions() {
    use aivm_abi::host::nn;
    let profile = ChainProfile::from_toml("[functions.echo]\ninputs = [\"UInt256\"]\noutputs = [\"UInt256\"]\n[functions.fail]\ninputs = [\"UInt256\"]\n").unwrap();
    let loader = MemoryLoader::new().with_source(
        "m.synq",
        r#"import "./lib/more.synq";
model Digits { hash: "blake3:0101010101010101010101010101010101010101010101010101010101010101"; input image: UInt8[1][4]; output logits: Int8[1][3]; }
contract C {
    mapping(Address => UInt256) public last;
    event Read(Address indexed who, UInt256 digit);
    function read(image: UInt8[1][4]) public -> UInt256 {
        let logits = Digits.infer(image);
        let digit = argmax(logits[0]);
        last[msg.sender] = digit;
        emit Read(msg.sender, digit);
        return digit;
    }
    function gas() public -> UInt256 { return Digits.gas(); }
    function ext(UInt256 x) public -> UInt256 { return echo(x) + half(x); }
    function bad(UInt256 x) public { fail(x); }
}"#,
    ).with_source("lib/more.synq", "UInt256 constant TWO = 2; function half(x: UInt256) -> UInt256 { return x / TWO; }");
    let artifacts = compile_with(&loader, "m.synq", &Options::new().with_profile(profile));
    let chain = Chain::new();
    chain.0.borrow_mut().infer = Some(|inputs| {
        assert_eq!(inputs[0].data, [1, 2, 3, 4]);
        assert_eq!(inputs[0].dimensions, [1, 4]);
        vec![nn::Tensor {
            ty: nn::TensorType::I8,
            dimensions: vec![1, 3],
            data: vec![0xff, 5, 5],
        }]
    });
    let c = chain.deploy(&artifacts[0], 0x300, &[]);
    assert_eq!(c.get("read", &["[[1,2,3,4]]"]), "1");
    assert_eq!(
        c.get("last", &["0x0000000000000000000000000000000000000001"]),
        "1"
    );
    assert_eq!(c.events().len(), 1);
    assert_eq!(c.get("gas", &[]), "4321");
    assert_eq!(c.get("ext", &["10"]), "15");
    c.fails("bad", &["1"]);
    c.chain.0.borrow_mut().infer = None;
    assert!(
        c.fails("read", &["[[1,2,3,4]]"])
            .contains("model not found")
    );
}
