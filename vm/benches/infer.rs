//! What calling `infer` from a contract adds to calling the backend: `cargo bench --bench infer`.
//!
//! One contract classifies an image once, or 401 times; the difference, divided by 400, is what a call takes. The same
//! image is given to the backend directly.

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aivm::{Call, Status, Word};
use aivm_nn::{Backend, ElementType, Model, ModelLimits, Tensor, prepare};
use common::{ALICE, World, guest, push_word};

const MORE: u32 = 400;

/// Input: the model's hash as limbs, a count, 64 pixels. Classifies them count times.
fn contract() -> Vec<u8> {
    let call = format!(
        r#"(func (export "call") (param $unaligned i32) (param $length i32) (result i32)
          (local $at i32) (local $left i32)
          (local.set $at (i32.const 16384))
          (memory.copy (local.get $at) (local.get $unaligned) (local.get $length))
          (local.set $left (i32.load offset=32 (local.get $at)))
          ;; the shape at 256, the tensor at 128: type, dimensions, data
          (i32.store (i32.const 256) (i32.const 1))
          (i32.store (i32.const 260) (i32.const 64))
          (i32.store (i32.const 132) (i32.const 256))
          (i32.store (i32.const 136) (i32.const 2))
          (i32.store (i32.const 140) (i32.add (local.get $at) (i32.const 36)))
          (i32.store (i32.const 144) (i32.const 64))
          (loop $again
            (global.set $heap (i32.const 32768))
            (call $nn.infer {} (i32.const 128) (i32.const 1) (i32.const 64))
            (br_if $again
              (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
          ;; 16 bytes, the first of which tells whether it was refused
          (call $result (i32.const 0) (i32.const 64) (i32.const 16)))"#,
        push_word("(local.get $at)")
    );
    guest(&["nn.infer"], &call)
}

/// The best of many runs within half a second.
fn best(mut run: impl FnMut()) -> Duration {
    let (start, mut best) = (Instant::now(), Duration::MAX);
    while start.elapsed() < Duration::from_millis(500) {
        let one = Instant::now();
        run();
        best = best.min(one.elapsed());
    }
    best
}

fn main() {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../nn-backends/models");
    let onnx = std::fs::read(format!("{models}/digits.onnx")).expect("the model");
    let images = std::fs::read(format!("{models}/digits-test.bin")).expect("the images");
    let pixels = images[..64].to_vec();

    let mut world = World::new();
    let registered = world.vm.register_model(&mut world.host, &onnx);
    let hash = registered.expect("a model").model;
    let address = world.deploy(&contract());
    let call = |count: u32| {
        let mut input = Word::from_be_bytes(hash).to_le_bytes().to_vec();
        input.extend(count.to_le_bytes());
        input.extend(&pixels);
        Call::new(ALICE, address, input).with_gas_limit(1 << 50)
    };
    let time = |count: u32| {
        let call = call(count);
        let receipt = world.vm.query(&world.host, &call).expect("a receipt");
        let runs = receipt.inferences.len() as u32;
        assert!(
            receipt.status == Status::Return && runs == 0 || runs == count,
            "{receipt:?}"
        );
        best(|| {
            let estimate = world.vm.estimate(&world.host, &call).expect("a receipt");
            assert_eq!(estimate.receipt.inferences.len() as u32, count);
            black_box(estimate);
        })
    };
    let each = (time(1 + MORE) - time(1)) / MORE;

    let model = Model::from_onnx(&onnx, &ModelLimits::default()).expect("a model");
    let prepared = prepare(Arc::new(model), Backend::default()).expect("a backend");
    let input = [Tensor::new(ElementType::U8, vec![1, 64], pixels.clone()).expect("an image")];
    let direct = best(|| {
        black_box(prepared.run(black_box(&input))).expect("logits");
    });
    let micro = |time: Duration| time.as_secs_f64() * 1e6;
    println!(
        "infer {:.2} µs, backend {:.2} µs, overhead {:.2} µs",
        micro(each),
        micro(direct),
        micro(each) - micro(direct)
    );
}
