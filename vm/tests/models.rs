//! Contracts that run a neural network: the digit classifier on real images.

mod common;
/// Writes small ONNX files.
#[path = "../../nn-backends/tests/common/mod.rs"]
#[allow(unexpected_cfgs, reason = "the features are those of the other crate")]
mod onnx;

use std::cell::Cell;

use aivm::{
    Address, BlockContext, Call, Digest, Error, Hash, Host, HostError, MemoryHost, Receipt,
    StateDelta, Status, StorageEntry, Vm, Word,
};
use aivm_nn::trace::{Commitment, transaction_root};
use aivm_nn::{Model, ModelLimits, Reference, Tensor};
use common::*;
use proptest::prelude::*;

fn digits() -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../nn-backends/models/digits.onnx"
    );
    std::fs::read(path).unwrap()
}

fn model() -> Model {
    Model::from_onnx(&digits(), &ModelLimits::default()).unwrap()
}

/// Input: model hash as limbs (32), number of dimensions (4), element type (4), then the
/// dimensions and the data. Returns the raw result and, after 16 bytes, the first
/// output's bytes.
fn classifier() -> Vec<u8> {
    let body = format!(
        r#"
      (local.set $rank (i32.load offset=32 (local.get $at)))
      ;; tensor at 128: type, dimensions, data
      (i32.store8 (i32.const 128) (i32.load offset=36 (local.get $at)))
      (i32.store (i32.const 132) (i32.add (local.get $at) (i32.const 40)))
      (i32.store (i32.const 136) (local.get $rank))
      (i32.store (i32.const 140) (i32.add (local.get $at)
        (i32.add (i32.const 40) (i32.shl (local.get $rank) (i32.const 2)))))
      (i32.store (i32.const 144) (i32.sub (i32.sub (local.get $length) (i32.const 40))
        (i32.shl (local.get $rank) (i32.const 2))))
      (call $nn.infer {} (i32.const 128) (i32.const 1) (i32.const 64))
      (memory.copy (i32.const 2048) (i32.const 64) (i32.const 12))
      (if (i32.load8_u (i32.const 64))
        (then (return (call $result (i32.const 0) (i32.const 2048) (i32.const 16)))))
      (memory.copy (i32.const 2064)
        (i32.load offset=12 (i32.load (i32.const 68)))
        (i32.load offset=16 (i32.load (i32.const 68))))
      (call $result (i32.const 0) (i32.const 2048)
        (i32.add (i32.const 16) (i32.load offset=16 (i32.load (i32.const 68)))))"#,
        push_word("(local.get $at)")
    );
    let call = format!(
        "(func (export \"call\") (param $unaligned i32) (param $length i32) (result i32)
          (local $at i32) (local $rank i32)
          ;; the input has no alignment of its own
          (local.set $at (i32.const 16384))
          (memory.copy (local.get $at) (local.get $unaligned) (local.get $length))
          {body})"
    );
    guest(&["nn.infer"], &call)
}

fn hash_limbs(hash: &Hash) -> [u8; 32] {
    Word::from_be_bytes(*hash).to_le_bytes()
}

fn input(hash: &Hash, tensor: &Tensor) -> Vec<u8> {
    let mut input = hash_limbs(hash).to_vec();
    input.extend((tensor.shape.len() as u32).to_le_bytes());
    input.extend(u32::from(tensor.ty.code()).to_le_bytes());
    for dimension in &tensor.shape {
        input.extend(dimension.to_le_bytes());
    }
    input.extend(&tensor.data);
    input
}

/// A tensor of the model's input type, filled with a pattern.
fn pattern(model: &Model, seed: u8) -> Tensor {
    let info = &model.inputs()[0];
    let elements: u32 = info.shape.iter().product();
    let bytes = elements as usize * info.ty.size();
    let data = match info.ty {
        aivm_nn::ElementType::F32 => (0..elements)
            .flat_map(|i| (((i + u32::from(seed)) % 17) as f32).to_le_bytes())
            .collect(),
        _ => (0..bytes)
            .map(|i| (i as u8).wrapping_mul(7).wrapping_add(seed) % 17)
            .collect(),
    };
    Tensor::new(info.ty, info.shape.clone(), data).unwrap()
}

fn ran(receipt: &Receipt) -> &[u8] {
    assert_eq!(receipt.status, Status::Return, "{receipt:?}");
    assert_eq!(receipt.output[0], 0, "inference was refused");
    &receipt.output[16..]
}

#[test]
fn a_contract_gets_what_the_model_computes_and_pays_the_quote() {
    let (mut world, model) = (World::new(), model());
    let registered = world.vm.register_model(&mut world.host, &digits()).unwrap();
    assert_eq!(registered.model, model.hash());
    assert!(registered.gas > 1_000_000);
    let contract = world.deploy(&classifier());
    let quote = model.quote(&aivm::GasSchedule::v1().nn);
    for seed in 0..3 {
        let tensor = pattern(&model, seed);
        let expected =
            aivm_nn::run(&model, &Reference, std::slice::from_ref(&tensor), &mut ()).unwrap();
        let receipt = world.call(contract, &input(&registered.model, &tensor));
        assert_eq!(ran(&receipt), expected[0].data);
        assert_eq!(receipt.gas.inference, quote.gas);
        let [inference] = receipt.inferences.as_slice() else {
            panic!("one inference")
        };
        assert_eq!(inference.model.0, registered.model);
        assert_eq!((inference.gas, inference.macs), (quote.gas, quote.macs));
        assert_eq!(inference.contract, contract);
    }
}

/// A node may have seen a block that its chain then gave up; the others have not.
/// Registers the classifier's network; its hash.
fn registered(world: &mut World) -> Hash {
    let accepted = world.vm.register_model(&mut world.host, &digits());
    accepted.unwrap().model
}

#[test]
fn what_a_block_that_is_no_more_brought_is_not_there() {
    let (mut world, model) = (World::new(), model());
    registered(&mut world);
    let contract = world.deploy(&classifier());
    let request = input(&model.hash(), &pattern(&model, 1));
    ran(&world.call(contract, &request));

    world.host = World::new().host;
    let code = aivm::code_hash(&classifier());
    let deploy = aivm::Deploy::new(ALICE, code, []);
    let refused = world.vm.deploy(&mut world.host, &deploy).unwrap_err();
    assert_eq!(refused.code(), "unknown-code");
    assert_eq!(world.deploy(&classifier()), contract);
    let receipt = world.call(contract, &request);
    assert_eq!(receipt.status, Status::Return);
    // The error case, and its first: there is no such model.
    assert_eq!((receipt.output[0], receipt.output[4]), (1, 0));
    registered(&mut world);
    ran(&world.call(contract, &request));
}

#[test]
fn receipts_do_not_depend_on_the_model_cache() {
    let model = model();
    let receipts: Vec<_> = [0, u64::MAX]
        .map(|budget| {
            let vm = Vm::builder().model_cache_bytes(budget).build().unwrap();
            let mut world = World::with_vm(vm);
            let hash = registered(&mut world);
            let contract = world.deploy(&classifier());
            let call = Call::new(ALICE, contract, input(&hash, &pattern(&model, 1)));
            let first = world.vm.estimate(&world.host, &call).unwrap();
            assert_eq!(world.vm.estimate(&world.host, &call).unwrap(), first);
            first.receipt.hash()
        })
        .into();
    assert_eq!(receipts[0], receipts[1]);
}

/// A file of some hundred bytes may come to a model of megabytes.
#[test]
fn prepared_models_count_with_what_they_hold() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    let number = |name, n: i64| onnx::tensor(name, onnx::I64, &[], &n.to_le_bytes());
    let long = |first: i64| {
        let graph = onnx::Graph {
            nodes: vec![
                onnx::node("Range", &["first", "last", "one"], &["all"]),
                onnx::node("Gather", &["all", "x"], &["y"]),
            ],
            initializers: vec![
                number("first", first),
                number("last", first + (1 << 18)),
                number("one", 1),
            ],
            inputs: vec![onnx::value("x", onnx::I64, &[1])],
            outputs: vec![onnx::value("y", onnx::I64, &[1])],
        };
        graph.model()
    };
    let run = |budget: u64, order: &[usize]| {
        let prepared = Arc::new(AtomicU32::new(0));
        let count = prepared.clone();
        let vm = Vm::builder().model_cache_bytes(budget);
        let vm = vm.inference_backend(move |model| {
            count.fetch_add(1, Ordering::Relaxed);
            aivm_nn::prepare(model, aivm_nn::Backend::Reference)
        });
        let mut world = World::with_vm(vm.build().unwrap());
        let contract = world.deploy(&classifier());
        let models = [0, 1, 2].map(|first| {
            let onnx = long(first);
            assert!(onnx.len() < 300);
            world
                .vm
                .register_model(&mut world.host, &onnx)
                .unwrap()
                .model
        });
        for index in order {
            // Another shape than the model's: it is made ready and not run.
            world.call(contract, &input(&models[*index], &pattern(&model(), 0)));
        }
        prepared.load(Ordering::Relaxed)
    };
    let two = 5 << 20;
    assert_eq!(run(two, &[0, 1, 0, 1]), 2);
    assert_eq!(run(two, &[0, 1, 0, 1, 2, 1, 0]), 4);
    // One alone is kept though it is too large, until another one comes.
    assert_eq!(run(1 << 20, &[0, 0, 0, 1, 1, 0]), 3);
    assert_eq!(run(0, &[0, 0, 0]), 3);
}

#[test]
fn wrong_models_and_inputs_are_refused_as_values() {
    let (mut world, model) = (World::new(), model());
    let hash = registered(&mut world);
    let contract = world.deploy(&classifier());
    let good = pattern(&model, 0);
    let refusal = |world: &mut World, input: Vec<u8>| {
        let receipt = world.call(contract, &input);
        assert_eq!(receipt.status, Status::Return);
        assert_eq!(receipt.output[0], 1);
        assert_eq!(receipt.gas.inference, 0);
        receipt.output[4]
    };
    assert_eq!(
        refusal(&mut world, input(&[1; 32], &good)),
        0,
        "model-not-found"
    );
    let mut short = good.clone();
    short.data.pop();
    assert_eq!(
        refusal(&mut world, input(&hash, &short)),
        2,
        "shape-mismatch"
    );
    let mut turned = good.clone();
    turned.shape.reverse();
    turned.shape.push(1);
    assert_eq!(
        refusal(&mut world, input(&hash, &turned)),
        2,
        "shape-mismatch"
    );
}

/// What a schedule took for a model is one under the next, too; it may be too large for it.
#[test]
fn a_later_schedule_may_have_no_memory_for_a_model() {
    use aivm::{GasSchedule, ScheduleSet};
    let model = model();
    let needed = model.quote(&GasSchedule::v1().nn).memory;
    for (most, refused) in [(needed, false), (needed - 1, true), (0, true)] {
        let mut schedules = ScheduleSet::new(GasSchedule::v1()).unwrap();
        let mut later = GasSchedule::v1();
        later.version = 2;
        later.nn.max_memory = most;
        schedules.activate(200, later).unwrap();
        let mut world = World::with_vm(Vm::builder().schedules(schedules).build().unwrap());
        world.vm.register_model(&mut world.host, &digits()).unwrap();
        let contract = world.deploy(&classifier());
        let request = input(&model.hash(), &pattern(&model, 1));
        ran(&world.call(contract, &request));
        world.host.set_block(BlockContext::new(7, 200));
        let receipt = world.call(contract, &request);
        if !refused {
            ran(&receipt);
            continue;
        }
        assert_eq!(receipt.status, Status::Return);
        // The error case, and its last: `memory-limit`.
        assert_eq!((receipt.output[0], receipt.output[4]), (1, 3), "{most}");
        assert_eq!(receipt.gas.inference, 0);
    }
}

#[test]
fn a_chain_that_gives_another_model_stops_the_node() {
    let (mut world, model) = (World::new(), model());
    world.host.set_model([7; 32], digits());
    let contract = world.deploy(&classifier());
    let call = Call::new(ALICE, contract, input(&[7; 32], &pattern(&model, 0)));
    let error = world.vm.call(&mut world.host, &call).unwrap_err();
    assert!(
        matches!(&error, Error::ModelMismatch { requested, found }
        if *requested == [7; 32] && *found == model.hash()),
        "{error}"
    );
    assert!(!error.is_refusal());
    // Bytes that are no model at all were never registered either.
    world.host.set_model([8; 32], b"no model".to_vec());
    let call = Call::new(ALICE, contract, input(&[8; 32], &pattern(&model, 0)));
    let error = world.vm.call(&mut world.host, &call).unwrap_err();
    assert!(
        matches!(&error, Error::StoredModel { model, .. } if *model == [8; 32]),
        "{error}"
    );
    assert_eq!(error.code(), "stored-model");
    assert!(!error.is_refusal());
}

/// Whichever byte of it a disk loses: other nodes have the model, so this one may not go on as if
/// there were another.
#[test]
fn no_damage_of_a_stored_model_becomes_a_result() {
    let (mut world, model) = (World::new(), model());
    let hash = registered(&mut world);
    let contract = world.deploy(&classifier());
    let call = Call::new(ALICE, contract, input(&hash, &pattern(&model, 1)));
    let expected = world.vm.estimate(&world.host, &call).unwrap();
    let good = digits();
    let step = (good.len() / 150).max(1);
    let flipped = (0..good.len()).step_by(step).map(|at| {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        bad
    });
    let cut = (0..good.len())
        .step_by(step * 5)
        .map(|at| good[..at].to_vec());
    let mut stopped = 0;
    for bad in flipped.chain(cut) {
        world.host.set_model(hash, bad);
        world.vm.clear_caches();
        match world.vm.estimate(&world.host, &call) {
            // A name or a comment.
            Ok(estimate) => assert_eq!(estimate, expected),
            Err(error) => {
                assert!(!error.is_refusal(), "{error}");
                stopped += 1;
            }
        }
    }
    assert!(stopped > 100, "{stopped}");
}

/// A chain that counts how often it is asked for the bytes of a model.
struct Asked(MemoryHost, Cell<u32>);

impl Host for Asked {
    fn block(&self) -> BlockContext {
        self.0.block()
    }
    fn storage_get(&self, contract: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        self.0.storage_get(contract, key)
    }
    fn storage_range(
        &self,
        contract: &Address,
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StorageEntry>, HostError> {
        self.0.storage_range(contract, from, limit)
    }
    fn balance(&self, address: &Address) -> Result<Word, HostError> {
        self.0.balance(address)
    }
    fn contract(&self, address: &Address) -> Result<Option<Hash>, HostError> {
        self.0.contract(address)
    }
    fn code(&self, code_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        self.0.code(code_hash)
    }
    fn model(&self, model_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        self.1.set(self.1.get() + 1);
        self.0.model(model_hash)
    }
    fn has_model(&self, model_hash: &Hash) -> Result<bool, HostError> {
        self.0.has_model(model_hash)
    }
    fn commit(&mut self, delta: &StateDelta) -> Result<(), HostError> {
        self.0.commit(delta)
    }
}

/// A quote has a flat price: it may not cost reading a model of megabytes each time.
#[test]
fn a_model_that_is_refused_is_read_once() {
    use aivm::{GasSchedule, ScheduleSet};
    let model = model();
    let changes: [fn(&mut GasSchedule); 2] = [
        |schedule| schedule.nn.max_memory = 1,
        |schedule| schedule.nn.max_model_bytes = 1,
    ];
    for change in changes {
        let mut schedules = ScheduleSet::new(GasSchedule::v1()).unwrap();
        let mut later = GasSchedule::v1();
        later.version = 2;
        change(&mut later);
        schedules.activate(200, later).unwrap();
        let mut world = World::with_vm(Vm::builder().schedules(schedules).build().unwrap());
        let hash = registered(&mut world);
        let contract = world.deploy(&classifier());
        world.host.set_block(BlockContext::new(7, 200));
        let call = Call::new(ALICE, contract, input(&hash, &pattern(&model, 1)));
        let mut host = Asked(world.host, Cell::new(0));
        let first = world.vm.call(&mut host, &call).unwrap();
        assert_eq!((first.status, first.output[0]), (Status::Return, 1));
        for _ in 0..5 {
            assert_eq!(world.vm.call(&mut host, &call).unwrap(), first);
        }
        assert_eq!(host.1.get(), 1);
        // Of a block that is no more it leaves nothing either.
        let mut other = World::new().host;
        other.set_block(BlockContext::new(7, 200));
        world.host = other;
        assert_eq!(world.deploy(&classifier()), contract);
        let receipt = world.call(contract, &call.input);
        assert_eq!((receipt.output[0], receipt.output[4]), (1, 0));
    }
}

#[test]
fn a_damaged_model_is_refused_at_registration() {
    let mut world = World::new();
    let good = digits();
    for bad in [&good[..good.len() / 2], b"", b"\x08"] {
        let error = world.vm.register_model(&mut world.host, bad).unwrap_err();
        assert!(
            matches!(error, Error::InvalidModel(_)) && error.is_refusal(),
            "{error}"
        );
    }
    assert_eq!(world.host.commits(), 0);
    assert_eq!(world.host.model(&model().hash()).unwrap(), None);
}

#[test]
fn receipts_hold_the_root_of_the_traces_where_the_chain_wants_it() {
    let model = model();
    let tensor = pattern(&model, 1);
    let mut commitment = Commitment::new(&model, std::slice::from_ref(&tensor));
    aivm_nn::run(
        &model,
        &Reference,
        std::slice::from_ref(&tensor),
        &mut commitment,
    )
    .unwrap();
    let expected = transaction_root(&[commitment.root()]).unwrap();
    let receipts = [false, true].map(|on| {
        let vm = Vm::builder().inference_traces(on).build().unwrap();
        let mut world = World::with_vm(vm);
        let registered = world.vm.register_model(&mut world.host, &digits()).unwrap();
        let contract = world.deploy(&classifier());
        let ran = world.call(contract, &input(&registered.model, &tensor));
        // A refused inference leaves no root.
        let refused = world.call(contract, &input(&[1; 32], &tensor));
        assert_eq!(refused.inference_trace, None);
        ran
    });
    assert_eq!(receipts[0].inference_trace, None);
    assert_eq!(receipts[1].inference_trace, Some(Digest(expected)));
    // It is all that differs, but for what follows from it.
    let mut without = receipts[1].clone();
    without.inference_trace = None;
    assert_eq!(without.hash(), receipts[0].hash());
    assert_ne!(receipts[1].hash(), receipts[0].hash());
}

/// Layers of these widths on `f32`, or on 8 bits.
fn layers(widths: &[u32], float: bool) -> Vec<u8> {
    use onnx::{FLOAT, Graph, I8, U8, node, tensor, value};
    let ty = if float { FLOAT } else { U8 };
    let mut graph = Graph {
        initializers: vec![
            onnx::float("s", 0.05),
            tensor("z", U8, &[], &[100]),
            tensor("wz", I8, &[], &[0]),
        ],
        inputs: vec![value("x0", ty, &[1, i64::from(widths[0])])],
        ..Graph::default()
    };
    for (i, pair) in widths.windows(2).enumerate() {
        let (from, to, w) = (format!("x{i}"), format!("x{}", i + 1), format!("w{i}"));
        let n = pair[0] * pair[1];
        let dims = [i64::from(pair[0]), i64::from(pair[1])];
        let bytes: Vec<u8> = match float {
            true => (0..n)
                .flat_map(|i| ((i % 13) as f32 - 6.0).to_le_bytes())
                .collect(),
            false => (0..n).map(|i| (i * 29 % 251) as u8).collect(),
        };
        graph
            .initializers
            .push(tensor(&w, if float { FLOAT } else { I8 }, &dims, &bytes));
        if float {
            let middle = format!("m{i}");
            graph.nodes.push(node("MatMul", &[&from, &w], &[&middle]));
            graph.nodes.push(node("Tanh", &[&middle], &[&to]));
        } else {
            let inputs = [&from, "s", "z", &w, "s", "wz", "s", "z"];
            graph.nodes.push(node("QLinearMatMul", &inputs, &[&to]));
        }
    }
    let last = format!("x{}", widths.len() - 1);
    graph.outputs = vec![value(&last, ty, &[1, i64::from(widths[widths.len() - 1])])];
    graph.model()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_quote_is_the_charge_whatever_the_model(
        widths in proptest::collection::vec(1..60u32, 2..6),
        float in any::<bool>(),
        seed in any::<u8>(),
        base in 0..10_000u64,
        factor in 1..50u64,
    ) {
        // Prices of the day as well: the charge follows the schedule that is in force.
        let mut schedule = aivm::GasSchedule::v1();
        schedule.nn.infer_base += base;
        schedule.nn.mac_int8_milligas *= factor;
        schedule.nn.mac_f32_milligas *= factor;
        let prices = schedule.nn.clone();
        let vm = Vm::builder().schedule(schedule).unwrap().build().unwrap();
        let mut world = World::with_vm(vm);
        let bytes = layers(&widths, float);
        let model = Model::from_onnx(&bytes, &ModelLimits::default()).unwrap();
        let quote = model.quote(&prices);
        let hash = world.vm.register_model(&mut world.host, &bytes).unwrap().model;
        let contract = world.deploy(&classifier());
        let tensor = pattern(&model, seed);
        let receipt = world.call(contract, &input(&hash, &tensor));
        let expected =
            aivm_nn::run(&model, &Reference, std::slice::from_ref(&tensor), &mut ()).unwrap();
        prop_assert_eq!(ran(&receipt), &expected[0].data);
        prop_assert_eq!(receipt.gas.inference, quote.gas);
        prop_assert_eq!(receipt.inferences[0].gas, quote.gas);
        prop_assert_eq!(receipt.inferences[0].macs, quote.macs);
        let macs: u64 = widths.windows(2).map(|w| u64::from(w[0]) * u64::from(w[1])).sum();
        prop_assert_eq!(quote.macs, macs);
        // One unit less than the quote and the call needs does not do.
        let call = Call::new(ALICE, contract, input(&hash, &tensor));
        let needed = world.vm.estimate(&world.host, &call).unwrap().gas_limit;
        let short = world.vm.estimate(&world.host, &call.with_gas_limit(needed - 1)).unwrap();
        prop_assert!(!short.receipt.status.is_success());
    }
}
