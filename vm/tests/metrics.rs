//! What is measured is what happened, and measuring changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aivm::{Address, Call, Deploy, Error, MemoryHost, Receipt, Status, TrapCode, Vm};
use aivm_abi::calldata::{encode_call, parse_call};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use synq_compiler::{FolderLoader, Options, compile};

const SOURCE: &str = r#"
pragma synq ^1.0.0;

model Digits {
    file: "digits.onnx";
    input  image: UInt8[1][64];
    output logits: Int8[1][10];
}

contract Busy {
    count: UInt256 public;

    @public function look() -> UInt256 {
        UInt8[1][64] memory image;
        return argmax(Digits.infer(image)[0]);
    }

    @public function add(by: UInt256) { count += by; }

    @public function fail() { revert("as asked"); }

    @public function spin() { for (i in 0..1000000000) { count += i; } }

    @public function check(key: MLDSAPublicKey, message: Bytes, signature: MLDSASignature) -> Bool {
        return verifyMLDSASignature(key, message, signature);
    }
}
"#;

/// A run of everything that is measured: its receipts.
fn busy(vm: &Vm) -> Vec<Receipt> {
    struct Source(FolderLoader);
    impl synq_compiler::SourceLoader for Source {
        fn source(&self, _: &str) -> Result<String, String> {
            Ok(SOURCE.to_owned())
        }
        fn model(&self, path: &str) -> Result<Vec<u8>, String> {
            self.0.model(path)
        }
    }
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../nn-backends/models");
    let loader = Source(FolderLoader::new(models.clone()));
    let output = compile("busy.synq", &loader, &Options::new()).unwrap();
    let contract = &output.contracts[0];
    let abi = &contract.abi;

    let (mut host, alice) = (MemoryHost::new(), Address([0xa1; 20]));
    let code = vm.upload(&mut host, &contract.wasm).unwrap().code;
    let onnx = std::fs::read(models.join("digits.onnx")).unwrap();
    vm.register_model(&mut host, &onnx).unwrap();
    let deployed = vm.deploy(&mut host, &Deploy::new(alice, code, [])).unwrap();
    let mut receipts = vec![deployed.receipt];
    for text in [
        "look()",
        "look()",
        "add(2)",
        "fail()",
        "spin()",
        "check(0x00, 0x00, 0x00)",
    ] {
        let (function, arguments) = parse_call(abi, text).unwrap();
        let input = encode_call(function, &arguments).unwrap();
        let call = Call::new(alice, deployed.address, input).with_gas_limit(20_000_000);
        receipts.push(vm.call(&mut host, &call).unwrap());
    }
    let count = encode_call(parse_call(abi, "count()").unwrap().0, &[]).unwrap();
    let query = Call::new(alice, deployed.address, count);
    receipts.push(vm.query(&host, &query).unwrap());
    let refused = vm.call(&mut host, &query.clone().with_gas_limit(1));
    assert!(matches!(refused, Err(Error::GasLimitTooLow { .. })));
    let nobody = Call::new(alice, Address([9; 20]), []);
    assert!(vm.call(&mut host, &nobody).is_err());
    receipts
}

/// Each line of the exposition: name with labels, and value.
fn read(registry: &Registry) -> BTreeMap<String, f64> {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn what_is_measured_is_what_happened() {
    let mut registry = Registry::default();
    let vm = Vm::builder().metrics(&mut registry).build().unwrap();
    let receipts = busy(&vm);
    let [_, _, _, _, reverted, trapped, ..] = receipts.as_slice() else {
        panic!("eight receipts")
    };
    assert_eq!(reverted.status, Status::Revert);
    assert_eq!(trapped.status, Status::Trap(TrapCode::OutOfGas));

    let found = read(&registry);
    let at = |name: &str| {
        *found
            .get(name)
            .unwrap_or_else(|| panic!("{name} in {found:#?}"))
    };
    for (name, count) in [
        (
            r#"aivm_transactions_total{kind="deploy",status="return"}"#,
            1.0,
        ),
        (
            r#"aivm_transactions_total{kind="call",status="return"}"#,
            4.0,
        ),
        (
            r#"aivm_transactions_total{kind="call",status="revert"}"#,
            1.0,
        ),
        (r#"aivm_transactions_total{kind="call",status="trap"}"#, 1.0),
        (
            r#"aivm_transactions_total{kind="call",status="refused"}"#,
            2.0,
        ),
        (
            r#"aivm_transactions_total{kind="query",status="return"}"#,
            1.0,
        ),
        (r#"aivm_traps_total{code="out-of-gas"}"#, 1.0),
        (r#"aivm_transaction_seconds_count{kind="call"}"#, 8.0),
        ("aivm_inferences_total", 2.0),
        ("aivm_inference_seconds_count", 2.0),
        ("aivm_model_preparation_seconds_count", 1.0),
        ("aivm_compilation_seconds_count", 1.0),
        (
            r#"aivm_pqc_operations_total{scheme="mldsa65",outcome="bad"}"#,
            1.0,
        ),
        (r#"aivm_code_cache_lookups_total{found="nowhere"}"#, 1.0),
        (r#"aivm_code_cache_lookups_total{found="memory"}"#, 8.0),
        (r#"aivm_code_cache_lookups_total{found="disk"}"#, 0.0),
        ("aivm_code_cache_evictions_total", 0.0),
        ("aivm_code_cache_rejected_files_total", 0.0),
        ("aivm_code_cache_modules", 1.0),
    ] {
        assert_eq!(at(name), count, "{name}");
    }
    let sum = |gas: fn(&Receipt) -> u64| receipts.iter().map(gas).sum::<u64>() as f64;
    for (lane, gas) in [
        ("execution", sum(|r| r.gas.execution)),
        ("host", sum(|r| r.gas.host)),
        ("storage", sum(|r| r.gas.storage)),
        ("inference", sum(|r| r.gas.inference)),
        ("pq", sum(|r| r.gas.pq)),
    ] {
        assert!(gas > 0.0, "{lane}");
        assert_eq!(
            at(&format!("aivm_gas_total{{lane=\"{lane}\"}}")),
            gas,
            "{lane}"
        );
    }
    let macs: u64 = receipts
        .iter()
        .flat_map(|r| &r.inferences)
        .map(|i| i.macs)
        .sum();
    assert_eq!(at("aivm_inference_macs_total"), macs as f64);
    assert_eq!(
        at("aivm_code_cache_size_bytes"),
        vm.cache_stats().bytes as f64
    );
    assert!(at("aivm_compilation_seconds_sum") > 0.0);
}

#[test]
fn measuring_changes_no_receipt() {
    let mut registry = Registry::default();
    let measured = busy(&Vm::builder().metrics(&mut registry).build().unwrap());
    let plain = busy(&Vm::builder().build().unwrap());
    assert_eq!(measured.len(), 8);
    for (measured, plain) in measured.iter().zip(&plain) {
        assert_eq!(measured.hash(), plain.hash());
    }
}

#[test]
fn two_machines_share_a_registry_by_a_label() {
    let mut registry = Registry::default();
    for shard in ["left", "right"] {
        let label = ("shard".into(), shard.into());
        let part = registry.sub_registry_with_label(label);
        let vm = Vm::builder().metrics(part).build().unwrap();
        let _ = vm.query(
            &MemoryHost::new(),
            &Call::new(Address([1; 20]), Address([2; 20]), []),
        );
    }
    let found = read(&registry);
    for shard in ["left", "right"] {
        let name = format!(
            "aivm_transactions_total{{shard=\"{shard}\",kind=\"query\",status=\"refused\"}}"
        );
        assert_eq!(found.get(&name), Some(&1.0), "{found:#?}");
    }
}

/// Words of a text that are names of measurements.
fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("aivm_") {
        let name = text[at..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_');
        names.insert(name.collect());
    }
    names
}

#[test]
fn the_dashboard_and_the_page_name_measurements_that_exist() {
    let mut registry = Registry::default();
    busy(&Vm::builder().metrics(&mut registry).build().unwrap());
    let exist: BTreeSet<String> = read(&registry)
        .into_keys()
        .map(|name| name.split('{').next().unwrap().to_owned())
        .collect();
    let read = |path: &str| {
        std::fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../docs")
                .join(path),
        )
    };

    let dashboard = read("operations/grafana.json").unwrap();
    let json: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(json["panels"].as_array().unwrap().len() >= 10);
    for panel in json["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            assert!(!names(expression).is_empty(), "{expression}");
        }
    }
    for name in names(&dashboard) {
        assert!(exist.contains(&name), "{name} is not measured: {exist:#?}");
    }

    // The page's table has each family once, without the suffixes of histograms.
    let family = |name: &String| {
        let mut name = name.as_str();
        for suffix in ["_bucket", "_sum", "_count"] {
            name = name.strip_suffix(suffix).unwrap_or(name);
        }
        name.to_owned()
    };
    let exist: BTreeSet<_> = exist.iter().map(family).collect();
    let page: BTreeSet<_> = names(&read("operations.md").unwrap())
        .iter()
        .map(family)
        .collect();
    assert_eq!(page, exist);
}
