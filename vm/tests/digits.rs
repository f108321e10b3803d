//! The digit-reading contract end to end: SynQ source, ONNX model, VM, receipts.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use aivm::{Address, BlockContext, Call, Deploy, Error, MemoryHost, Receipt, Status, TrapCode, Vm};
use aivm_abi::calldata::{
    DynSolValue, JsonAbi, RevertReason, decode_event, decode_output, decode_revert, encode_call,
    find_function,
};
use synq_compiler::{FolderLoader, Options, compile};

const ALICE: Address = Address([0xa1; 20]);

/// Place of a weight of the dense layer in `digits.onnx`.
const WEIGHT: usize = 4_096;

struct Compiled {
    wasm: Vec<u8>,
    abi: JsonAbi,
}

fn compiled() -> &'static Compiled {
    static COMPILED: OnceLock<Compiled> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let folder = FolderLoader::new(root().join("examples"));
        let output = compile("digits.synq", &folder, &Options::new()).unwrap();
        let contract = &output.contracts[0];
        Compiled {
            wasm: contract.wasm.clone(),
            abi: contract.abi.clone(),
        }
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn model(name: &str) -> Vec<u8> {
    std::fs::read(root().join("../nn-backends/models").join(name)).unwrap()
}

/// A chain with the contract and a model on it.
struct Chain {
    vm: Vm,
    host: MemoryHost,
    contract: Address,
}

impl Chain {
    fn new(onnx: &[u8]) -> Self {
        let vm = Vm::builder().build().unwrap();
        let mut host = MemoryHost::new();
        host.set_block(BlockContext::new(1, 7).with_timestamp(1_700_000_000));
        vm.register_model(&mut host, onnx).unwrap();
        let code = vm.upload(&mut host, &compiled().wasm).unwrap().code;
        let deployed = vm.deploy(&mut host, &Deploy::new(ALICE, code, [])).unwrap();
        assert_eq!(deployed.receipt.status, Status::Return);
        Self {
            vm,
            host,
            contract: deployed.address,
        }
    }

    fn call(&mut self, input: Vec<u8>) -> Receipt {
        let request = Call::new(ALICE, self.contract, input);
        self.vm.call(&mut self.host, &request).unwrap()
    }

    /// Makes a call that must fail and leave the state as it is.
    fn fails(&mut self, request: &Call) -> Receipt {
        let before = self.host.state_hash();
        let receipt = self.vm.call(&mut self.host, request).unwrap();
        assert_ne!(receipt.status, Status::Return);
        assert_eq!(
            self.host.state_hash(),
            before,
            "a failed call changed the state"
        );
        assert!(receipt.events.is_empty());
        receipt
    }
}

fn read_input(pixels: &[u8]) -> Vec<u8> {
    let pixels = pixels.iter().map(|&pixel| DynSolValue::from(pixel));
    let image = DynSolValue::FixedArray(vec![DynSolValue::FixedArray(pixels.collect())]);
    encode_call(find_function(&compiled().abi, "read").unwrap(), &[image]).unwrap()
}

fn images() -> Vec<(Vec<u8>, u8)> {
    let records = model("digits-test.bin");
    let records = records.chunks_exact(65);
    records.map(|r| (r[..64].to_vec(), r[64])).collect()
}

/// Digits that onnxruntime reads in the held-out images.
fn reference() -> Vec<u8> {
    let reference: serde_json::Value =
        serde_json::from_slice(&model("digits-reference.json")).unwrap();
    let rows = reference["logits"].as_array().unwrap().iter();
    rows.map(|row| {
        let logits = row.as_array().unwrap().iter();
        let logits: Vec<i64> = logits.map(|logit| logit.as_i64().unwrap()).collect();
        let best = *logits.iter().max().unwrap();
        logits.iter().position(|&logit| logit == best).unwrap() as u8
    })
    .collect()
}

fn digit(receipt: &Receipt) -> u8 {
    assert_eq!(receipt.status, Status::Return);
    let read = find_function(&compiled().abi, "read").unwrap();
    let values = decode_output(read, &receipt.output).unwrap();
    values[0].as_uint().unwrap().0.to()
}

#[test]
fn the_contract_reads_every_held_out_image_as_onnxruntime_does() {
    let mut chain = Chain::new(&model("digits.onnx"));
    let (images, reference) = (images(), reference());
    assert_eq!((images.len(), reference.len()), (360, 360));
    let mut right = 0;
    for ((pixels, label), expected) in images.iter().zip(reference) {
        let receipt = chain.call(read_input(pixels));
        assert_eq!(digit(&receipt), expected);
        assert_eq!(receipt.inferences.len(), 1);
        assert!(receipt.gas.inference > 0 && receipt.gas.storage > 0);
        right += u32::from(expected == *label);
    }
    assert_eq!(right, 352, "97.8 % of 360");
}

#[test]
fn the_answer_is_stored_under_the_caller_and_told_in_an_event() {
    let mut chain = Chain::new(&model("digits.onnx"));
    let receipt = chain.call(read_input(&images()[0].0));
    let read = digit(&receipt);

    let event = &receipt.events[0];
    let event = decode_event(&compiled().abi, &event.topics, &event.data).unwrap();
    assert_eq!(event.name, "Read");
    assert_eq!(event.fields[0].value.as_address().unwrap().0.0, ALICE.0);
    let told = event.fields[1].value.as_uint().unwrap().0;
    assert_eq!(told.to::<u8>(), read);

    let getter = find_function(&compiled().abi, "lastDigit").unwrap();
    for (who, expected) in [(ALICE, read), (Address([0xb2; 20]), 0)] {
        let input = encode_call(getter, &[DynSolValue::Address(who.0.into())]).unwrap();
        let request = Call::new(ALICE, chain.contract, input);
        let receipt = chain.vm.query(&chain.host, &request).unwrap();
        let stored = decode_output(getter, &receipt.output).unwrap();
        assert_eq!(stored[0].as_uint().unwrap().0.to::<u8>(), expected);
    }
}

#[test]
fn two_fresh_machines_give_the_same_receipts() {
    let run = || -> Vec<_> {
        let mut chain = Chain::new(&model("digits.onnx"));
        let inputs = images().into_iter().take(20);
        inputs
            .map(|(pixels, _)| chain.call(read_input(&pixels)).hash())
            .collect()
    };
    let first = run();
    assert_eq!(first, run());
    let other_thread = std::thread::spawn(run).join().unwrap();
    assert_eq!(first, other_thread);
}

#[test]
fn a_model_with_one_changed_weight_is_refused() {
    let genuine = model("digits.onnx");
    let mut changed = genuine.clone();
    changed[WEIGHT] ^= 1;

    let vm = Vm::builder().build().unwrap();
    let mut host = MemoryHost::new();
    let [genuine_hash, changed_hash] =
        [&genuine, &changed].map(|onnx| vm.register_model(&mut host, onnx).unwrap().model);
    assert_ne!(genuine_hash, changed_hash);

    let mut chain = Chain::new(&changed);
    let request = Call::new(ALICE, chain.contract, read_input(&images()[0].0));
    let receipt = chain.fails(&request);
    assert_eq!(receipt.status, Status::Revert);
    let reason = decode_revert(Some(&compiled().abi), &receipt.output);
    let RevertReason::Error(message) = reason else {
        panic!("{reason:?}")
    };
    assert!(message.contains("model"), "{message}");

    // A chain that gives the changed bytes under the genuine hash is caught as well.
    chain.host.set_model(genuine_hash, changed);
    let before = chain.host.state_hash();
    let error = chain.vm.call(&mut chain.host, &request).unwrap_err();
    assert!(matches!(error, Error::ModelMismatch { .. }), "{error}");
    assert_eq!(chain.host.state_hash(), before);
}

#[test]
fn call_data_cut_short_reverts_with_nothing() {
    let mut chain = Chain::new(&model("digits.onnx"));
    let input = read_input(&images()[0].0);
    for length in [0, 3, 4, 35, input.len() - 1] {
        let request = Call::new(ALICE, chain.contract, &input[..length]);
        let receipt = chain.fails(&request);
        assert_eq!(
            (receipt.status, receipt.output.len()),
            (Status::Revert, 0),
            "{length} bytes"
        );
    }
}

#[test]
fn an_unknown_selector_reverts_with_nothing() {
    let mut chain = Chain::new(&model("digits.onnx"));
    let request = Call::new(ALICE, chain.contract, [0xde, 0xad, 0xbe, 0xef]);
    let receipt = chain.fails(&request);
    assert_eq!((receipt.status, receipt.output.len()), (Status::Revert, 0));
}

#[test]
fn too_little_gas_is_refused_or_traps_and_spends_all_of_it() {
    let mut chain = Chain::new(&model("digits.onnx"));
    let request = Call::new(ALICE, chain.contract, read_input(&images()[0].0));
    let needed = chain.vm.estimate(&chain.host, &request).unwrap().gas_limit;
    let before = chain.host.state_hash();

    // The call data alone costs more: there is no receipt.
    let error = chain
        .vm
        .call(&mut chain.host, &request.clone().with_gas_limit(1))
        .unwrap_err();
    let Error::GasLimitTooLow {
        needed: first,
        limit: 1,
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(chain.host.state_hash(), before);

    for limit in [first, needed / 2, needed - 1] {
        let receipt = chain.fails(&request.clone().with_gas_limit(limit));
        assert_eq!(
            receipt.status,
            Status::Trap(TrapCode::OutOfGas),
            "limit {limit}"
        );
        assert_eq!(receipt.gas.total(), limit);
    }
    let request = request.with_gas_limit(needed);
    let receipt = chain.vm.call(&mut chain.host, &request).unwrap();
    assert_eq!(receipt.status, Status::Return);
}

#[test]
fn malformed_code_and_models_are_refused() {
    let vm = Vm::builder().build().unwrap();
    let mut host = MemoryHost::new();
    let before = host.state_hash();
    let random: Vec<u8> = (0..2_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let wasm = &compiled().wasm;
    for module in [&random[..], &wasm[..wasm.len() / 2], &[]] {
        let error = vm.upload(&mut host, module).unwrap_err();
        assert!(matches!(error, Error::InvalidModule(_)), "{error}");
    }
    let onnx = model("digits.onnx");
    for bytes in [&onnx[..onnx.len() / 2], &random, &[]] {
        let error = vm.register_model(&mut host, bytes).unwrap_err();
        assert!(matches!(error, Error::InvalidModel(_)), "{error}");
    }
    assert_eq!(host.state_hash(), before);
}
