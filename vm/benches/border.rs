//! What the VM adds to the work itself: `cargo bench --workspace --bench border`.
//!
//! Post-quantum signatures verified by a contract, as often as a transaction may, beside the same calls
//! of the library, in turns; and what a Rust contract takes to decode call data.

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use aivm::{Call, GasSchedule, Status};
use aivm_abi::host::crypto::SignatureScheme;
use aivm_crypto::keys::SigningKey;
use aivm_crypto::pqc;
use common::{ALICE, World, guest};

const MESSAGE: [u8; 64] = [0x5a; 64];

/// Input: scheme, count, lengths of key, message and signature (4 bytes each), then those. Verifies count
/// times; returns how many held, in 4 bytes.
fn verifier() -> Vec<u8> {
    let call = r#"(func (export "call") (param $unaligned i32) (param $length i32) (result i32)
          (local $at i32) (local $left i32) (local $key i32) (local $message i32) (local $signature i32)
          (local $held i32)
          (local.set $at (i32.const 16384))
          (memory.copy (local.get $at) (local.get $unaligned) (local.get $length))
          (local.set $left (i32.load offset=4 (local.get $at)))
          (local.set $key (i32.add (local.get $at) (i32.const 20)))
          (local.set $message (i32.add (local.get $key) (i32.load offset=8 (local.get $at))))
          (local.set $signature (i32.add (local.get $message) (i32.load offset=12 (local.get $at))))
          (loop $again
            (local.set $held (i32.add (local.get $held) (call $crypto.verify
              (i32.load (local.get $at))
              (local.get $key) (i32.load offset=8 (local.get $at))
              (local.get $message) (i32.load offset=12 (local.get $at))
              (local.get $signature) (i32.load offset=16 (local.get $at)))))
            (br_if $again
              (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
          (i32.store (i32.const 64) (local.get $held))
          (call $result (i32.const 0) (i32.const 64) (i32.const 4)))"#;
    guest(&["crypto.verify"], call)
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// The least time of each, taken in turns for a second.
fn in_turns(mut one: impl FnMut(), mut other: impl FnMut()) -> (Duration, Duration) {
    let (start, mut best) = (Instant::now(), (Duration::MAX, Duration::MAX));
    while start.elapsed() < Duration::from_secs(1) {
        best.0 = best.0.min(timed(&mut one));
        best.1 = best.1.min(timed(&mut other));
    }
    best
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn signatures(world: &mut World) {
    let contract = world.deploy(&verifier());
    let prices = GasSchedule::v1().pqc;
    println!(
        "| verification | library, µs | whole call, for each of | µs | ratio |\n|---|---|---|---|---|"
    );
    for (number, scheme) in SignatureScheme::ALL.iter().enumerate() {
        let key = SigningKey::generate(*scheme);
        let signature = key.sign(&MESSAGE);
        let price = prices.price(scheme.name()).expect("a price").pq_gas(64);
        let count = (prices.max_pqc_gas_per_tx / price).max(1) as u32;
        let mut input = Vec::new();
        let lengths = [key.public().len(), MESSAGE.len(), signature.len()];
        for value in [number as u32, count]
            .into_iter()
            .chain(lengths.map(|l| l as u32))
        {
            input.extend(value.to_le_bytes());
        }
        input.extend([key.public(), MESSAGE.as_slice(), &signature].concat());
        let call = Call::new(ALICE, contract, input);
        let receipt = world
            .vm
            .estimate(&world.host, &call)
            .expect("it runs")
            .receipt;
        assert_eq!(receipt.status, Status::Return);
        assert_eq!(receipt.output, count.to_le_bytes());
        let (library, vm) = in_turns(
            || {
                for _ in 0..count {
                    assert!(pqc::verify(
                        *scheme,
                        key.public(),
                        black_box(&MESSAGE),
                        &signature
                    ));
                }
            },
            || {
                black_box(world.vm.estimate(&world.host, &call).expect("it runs"));
            },
        );
        println!(
            "| `{}` | {:.1} | {count} | {:.1} | {:.3} |",
            scheme.name(),
            micros(library) / f64::from(count),
            micros(vm) / f64::from(count),
            vm.as_secs_f64() / library.as_secs_f64(),
        );
    }
}

/// `read(uint8[1][64])` with a last pixel that is no byte: all 2,048 bytes are decoded before the contract
/// reverts. An unknown selector reverts at once.
fn call_data(world: &mut World) {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../sdk-guest/examples/fixtures/digits.wasm"
    );
    let contract = world.deploy(&std::fs::read(path).expect("the fixture"));
    let selector = &alloy_primitives::keccak256("read(uint8[64][1])")[..4];
    let mut pixels = vec![0; 64 * 32];
    if let Some(byte) = pixels.get_mut(63 * 32 + 30) {
        *byte = 1;
    }
    let call = |data: &[&[u8]]| Call::new(ALICE, contract, data.concat());
    let (good, unknown) = (call(&[selector, &pixels]), call(&[&[0xff; 4], &pixels]));
    for call in [&good, &unknown] {
        let receipt = world.vm.query(&world.host, call).expect("it runs");
        assert_eq!((receipt.status, receipt.output.len()), (Status::Revert, 0));
    }
    let run = |call: &Call| {
        for _ in 0..100 {
            black_box(world.vm.query(&world.host, call).expect("it runs"));
        }
    };
    let (decoded, not) = in_turns(|| run(&good), || run(&unknown));
    println!(
        "\n2 KB of call data in a Rust contract: {:.2} µs with decoding, {:.2} µs without; {:.2} µs a KB",
        micros(decoded) / 100.0,
        micros(not) / 100.0,
        (micros(decoded) - micros(not)) / 200.0,
    );
}

fn main() {
    let mut world = World::new();
    signatures(&mut world);
    call_data(&mut world);
}
