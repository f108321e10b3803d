//! Where a contract stands, in functions and lines of its source.

mod common;

use aivm::inspect::{
    CallTree, CodePlace, FailurePlace, FoldedStacks, FrameInfo, FrameResult, Inspector,
    LineProfile, SourceMap,
};
use aivm::{Address, Call, Deploy, DiskCache, GasSchedule, Hash, MemoryHost, Receipt, Status, Vm};
use aivm_abi::FuncId;
use aivm_abi::calldata::{encode_call, find_function, parse_arguments};
use common::{ALICE, call_body, guest};
use synq_compiler::{Artifact, MemoryLoader, Options, compile};

const SOURCE: &str = r#"pragma synq ^1.0.0;
import "helper.synq";
contract Lines {
    UInt256 public total;
    mapping(Address => UInt256) of;

    function add(UInt256 n) public {
        require(n > 0,
            "nothing to add");
        total += n;
    }

    function spin() public {
        while (true) {
            total += 1;
        }
    }

    function refuse() public {
        if (total == 0) {
            revert("always");
        }
    }

    function ask(Address other) public {
        total += 1;
        IOther(other)
            .add(0);
    }

    function deep(UInt256 n) public -> UInt256 {
        return half(
            n);
    }

    function half(UInt256 n) internal -> UInt256 {
        return n / (n - n);
    }
}
"#;

const HELPER: &str = "interface IOther { function add(UInt256 n) public; }\n";

fn artifact(debug: bool) -> Artifact {
    let loader = MemoryLoader::new()
        .with_source("src/lines.synq", SOURCE)
        .with_source("src/helper.synq", HELPER);
    let output = compile("src/lines.synq", &loader, &Options::new().with_debug(debug));
    let mut output = output.unwrap_or_else(|errors| panic!("{errors}"));
    output.contracts.remove(0)
}

/// Notes where each host call was made and where each frame ended.
#[derive(Default)]
struct Watch {
    open: Vec<(Hash, Vec<CodePlace>)>,
    calls: Vec<(Hash, &'static str, Vec<CodePlace>)>,
    ends: Vec<(Hash, Status, Vec<CodePlace>)>,
}

impl Inspector for Watch {
    fn enter(&mut self, frame: &FrameInfo<'_>) {
        self.open.push((frame.code, Vec::new()));
    }
    fn exit(&mut self, _: &FrameInfo<'_>, result: &FrameResult<'_>) {
        let (code, stack) = self.open.pop().expect("it began");
        self.ends.push((code, result.status, stack));
    }
    fn host_call(&mut self, function: FuncId, _: u64) {
        let (code, stack) = self.open.last().expect("a frame");
        self.calls.push((*code, function.key(), stack.clone()));
    }
    fn wants_places(&self) -> bool {
        true
    }
    fn stands_at(&mut self, stack: &[CodePlace], _: u64) {
        self.open.last_mut().expect("a frame").1 = stack.to_vec();
    }
}

struct Chain {
    vm: Vm,
    host: MemoryHost,
    artifact: Artifact,
    contract: Address,
}

impl Chain {
    /// Uploads the contract's code again; its hash.
    fn upload(&mut self) -> Hash {
        let accepted = self.vm.upload(&mut self.host, &self.artifact.wasm);
        accepted.unwrap().code
    }

    fn new(vm: Vm, debug: bool) -> Self {
        let artifact = artifact(debug);
        let mut host = MemoryHost::new();
        let code = vm.upload(&mut host, &artifact.wasm).unwrap().code;
        let contract = vm.deploy(&mut host, &Deploy::new(ALICE, code, [])).unwrap();
        Self {
            contract: contract.address,
            vm,
            host,
            artifact,
        }
    }

    fn call(&mut self, name: &str, arguments: &[&str], to: Address) -> (Receipt, Watch) {
        let function = find_function(&self.artifact.abi, name).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let values = parse_arguments(name, &function.inputs, &arguments).unwrap();
        let input = encode_call(function, &values).unwrap();
        let mut watch = Watch::default();
        let call = Call::new(ALICE, to, input).with_gas_limit(3_000_000);
        let receipt = self
            .vm
            .call_inspected(&mut self.host, &call, &mut watch)
            .unwrap();
        (receipt, watch)
    }

    fn show(&self, code: &Hash, stack: &[CodePlace]) -> Vec<String> {
        let map = self.vm.source_map(&self.host, code).unwrap();
        assert_eq!(map.notes(), [""; 0]);
        stack
            .iter()
            .map(|place| map.locate(*place).to_string())
            .collect()
    }
}

fn vm() -> Vm {
    Vm::builder().build().unwrap()
}

#[test]
fn reverts_and_traps_name_their_lines() {
    let mut chain = Chain::new(vm(), true);
    for (name, arguments, line, innermost) in [
        ("add", &["0"][..], 8, "synq:revert"),
        ("refuse", &[], 21, "synq:revert"),
        ("spin", &[], 15, ""),
        ("deep", &["5"], 37, ""),
    ] {
        let (receipt, watch) = chain.call(name, arguments, chain.contract);
        assert!(!receipt.status.is_success(), "{name}");
        let (code, status, stack) = watch.ends.last().unwrap();
        assert_eq!(*status, receipt.status);
        let shown = chain.show(code, stack);
        assert!(shown[0].starts_with(innermost), "{name}: {shown:?}");
        let map = chain.vm.source_map(&chain.host, code).unwrap();
        let found = map.line(stack).unwrap().to_string();
        if name == "spin" {
            // Out of gas: what was next lies on one of the loop's lines.
            assert!(
                ["src/lines.synq:14", "src/lines.synq:15"].contains(&&*found),
                "{shown:?}"
            );
        } else {
            assert_eq!(found, format!("src/lines.synq:{line}"), "{name}: {shown:?}");
        }
        assert!(
            shown.iter().any(|f| f.starts_with("Lines.call")),
            "{shown:?}"
        );
    }
}

#[test]
fn each_function_of_the_stack_has_its_line() {
    let mut chain = Chain::new(vm(), true);
    let (_, watch) = chain.call("deep", &["5"], chain.contract);
    let (code, _, stack) = &watch.ends[0];
    let shown = chain.show(code, stack);
    let has = |text: &str| shown.iter().any(|frame| frame == text);
    assert!(has("Lines.half (src/lines.synq:37)"), "{shown:?}");
    assert!(has("Lines.deep (src/lines.synq:32)"), "{shown:?}");
}

#[test]
fn host_calls_and_nested_calls_have_places() {
    let mut chain = Chain::new(vm(), true);
    let (first, code) = (chain.contract, chain.upload());
    let other = Deploy::new(ALICE, code, []).with_salt([1; 32]);
    let other = chain.vm.deploy(&mut chain.host, &other).unwrap().address;
    let (receipt, watch) = chain.call("ask", &[&format!("{first}")], other);
    assert_eq!(receipt.status, Status::Revert);
    let map = chain.vm.source_map(&chain.host, &code).unwrap();
    let at = |stack: &[CodePlace]| map.line(stack).unwrap().to_string();
    // Inner frame first.
    assert_eq!(at(&watch.ends[0].2), "src/lines.synq:8");
    assert_eq!(at(&watch.ends[1].2), "src/lines.synq:27");
    for (_, _, stack) in &watch.ends {
        // Nothing of the caller's frame shows in the callee's.
        let entries = chain.show(&code, stack);
        let entries = entries
            .iter()
            .filter(|f| f.starts_with("Lines.call"))
            .count();
        assert_eq!(entries, 1);
    }
    let store = watch
        .calls
        .iter()
        .find(|(_, key, _)| *key == "storage.store");
    assert_eq!(at(&store.expect("total is written").2), "src/lines.synq:26");
}

#[test]
fn watching_and_debug_sections_change_nothing() {
    let mut with = Chain::new(vm(), true);
    let mut without = Chain::new(vm(), false);
    assert!(with.artifact.wasm.starts_with(&without.artifact.wasm));
    for (name, arguments) in [
        ("add", &["5"][..]),
        ("add", &["0"]),
        ("total", &[]),
        ("spin", &[]),
    ] {
        let (one, _) = with.call(name, arguments, with.contract);
        let (two, watch) = without.call(name, arguments, without.contract);
        assert_eq!(
            (one.gas, one.status, one.output),
            (two.gas, two.status, two.output),
            "{name}"
        );
        // Without names and lines there is still a place.
        if let Some((code, _, stack)) = watch.ends.last().filter(|e| e.1 != Status::Return) {
            let shown = without.show(code, stack);
            assert!(shown[0].starts_with("function "), "{shown:?}");
        }
    }
    let mut plain = Chain::new(vm(), true);
    let function = find_function(&plain.artifact.abi, "add").unwrap();
    let values = parse_arguments("add", &function.inputs, &["5".to_owned()]).unwrap();
    let call = Call::new(
        ALICE,
        plain.contract,
        encode_call(function, &values).unwrap(),
    );
    let unwatched = plain.vm.call(&mut plain.host, &call).unwrap();
    let mut watched = Chain::new(vm(), true);
    let mut watch = Watch::default();
    let seen = watched
        .vm
        .call_inspected(&mut watched.host, &call, &mut watch)
        .unwrap();
    assert_eq!(unwatched.hash(), seen.hash());
}

#[test]
fn code_from_a_disk_cache_has_places_too() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let cache = DiskCache::open(folder.path(), b"a test").unwrap();
        let vm = Vm::builder().disk_cache(cache).build().unwrap();
        let mut chain = Chain::new(vm, true);
        let (_, watch) = chain.call("add", &["0"], chain.contract);
        let (code, _, stack) = watch.ends.last().unwrap();
        let map = chain.vm.source_map(&chain.host, code).unwrap();
        assert_eq!(map.line(stack).unwrap().to_string(), "src/lines.synq:8");
    }
}

#[test]
fn malformed_sections_are_ignored_with_a_note() {
    let good = guest(&[], &call_body("unreachable"));
    let section = |name: &str, data: &[u8]| {
        let mut bytes = vec![0, (1 + name.len() + data.len()) as u8, name.len() as u8];
        bytes.extend(name.as_bytes());
        bytes.extend(data);
        bytes
    };
    for (name, data, note) in [
        ("aivm:lines", &[9, 9, 9][..], "aivm:lines"),
        ("aivm:lines", &[], "aivm:lines"),
        ("aivm:lines", &[1, 0, 1, 0, 5, 0], "aivm:lines"),
        ("name", &[1, 5, 0xff, 0xff, 0xff], "name"),
    ] {
        let mut wasm = good.clone();
        wasm.extend(section(name, data));
        let vm = vm();
        let mut host = MemoryHost::new();
        let code = vm.upload(&mut host, &wasm).unwrap().code;
        let to = vm
            .deploy(&mut host, &Deploy::new(ALICE, code, []))
            .unwrap()
            .address;
        let mut watch = Watch::default();
        let receipt = vm
            .call_inspected(&mut host, &Call::new(ALICE, to, []), &mut watch)
            .unwrap();
        assert!(matches!(receipt.status, Status::Trap(_)));
        let map = vm.source_map(&host, &code).unwrap();
        assert_eq!(map.notes().len(), 1, "{:?}", map.notes());
        assert!(map.notes()[0].contains(note), "{:?}", map.notes());
        assert!(map.line(&watch.ends[0].2).is_none());
    }
}

#[test]
fn a_profile_counts_all_gas_by_line() {
    let mut chain = Chain::new(vm(), true);
    let code = chain.upload();
    let function = find_function(&chain.artifact.abi, "add").unwrap();
    let values = parse_arguments("add", &function.inputs, &["5".to_owned()]).unwrap();
    let input = encode_call(function, &values).unwrap();
    let (mut profile, mut tree, mut place) =
        (LineProfile::new(), CallTree::new(), FailurePlace::new());
    let (mut flame, mut plain) = (FoldedStacks::with_places(), FoldedStacks::new());
    let mut folds = (&mut flame, &mut plain);
    let mut rest = (&mut place, &mut folds);
    let mut inner = (&mut tree, &mut rest);
    let mut both = (&mut profile, &mut inner);
    let call = Call::new(ALICE, chain.contract, input);
    let receipt = chain
        .vm
        .call_inspected(&mut chain.host, &call, &mut both)
        .unwrap();
    assert_eq!(receipt.status, Status::Return);
    assert!(place.found().is_none());
    assert_eq!(profile.codes(), [code]);
    let lines = profile.lines(&code, &chain.vm.source_map(&chain.host, &code).unwrap());
    assert_eq!(lines.values().sum::<u64>(), tree.roots()[0].gas_used);
    // Writing state is what costs most.
    let most = lines.iter().max_by_key(|(_, gas)| **gas).unwrap();
    assert_eq!(most.0, "src/lines.synq:10", "{lines:?}");
    // The flame graph has the same gas, in the functions that were open.
    let map = chain.vm.source_map(&chain.host, &code).unwrap();
    assert_eq!(flame.codes(), [code]);
    let stacks = flame.stacks_with(|_, place| Some(map.locate(place).to_string()));
    assert_eq!(stacks.values().sum::<u64>(), tree.roots()[0].gas_used);
    let stores: Vec<_> = stacks
        .keys()
        .filter(|stack| stack.ends_with(";storage.store"))
        .collect();
    let [store] = stores[..] else {
        panic!("one line stores: {stacks:?}")
    };
    let add = store.find("(src/lines.synq:10)").expect("the line");
    assert!(store[..add].contains(".call:"), "{store}");
    // Without names, and without places, the contract is all there is.
    assert!(plain.codes().is_empty());
    assert_eq!(flame.stacks(), plain.stacks());
}

#[test]
fn the_innermost_failure_is_found() {
    let mut chain = Chain::new(vm(), true);
    let code = chain.upload();
    let other = Deploy::new(ALICE, code, []).with_salt([2; 32]);
    let other = chain.vm.deploy(&mut chain.host, &other).unwrap().address;
    let function = find_function(&chain.artifact.abi, "ask").unwrap();
    let values = parse_arguments("ask", &function.inputs, &[chain.contract.to_string()]).unwrap();
    let call = Call::new(ALICE, other, encode_call(function, &values).unwrap());
    let mut place = FailurePlace::new();
    chain
        .vm
        .call_inspected(&mut chain.host, &call, &mut place)
        .unwrap();
    let (found, stack) = place.found().expect("it failed");
    assert_eq!(*found, code);
    let map = chain.vm.source_map(&chain.host, &code).unwrap();
    assert_eq!(map.line(stack).unwrap().to_string(), "src/lines.synq:8");
}

#[test]
fn there_is_no_map_of_what_is_no_module() {
    assert!(SourceMap::new(b"nonsense", &GasSchedule::v1()).is_err());
    let unknown = vm().source_map(&MemoryHost::new(), &[7; 32]);
    assert!(unknown.is_err());
}
