//! What a call costs besides what the contract computes.
//!
//! `cargo bench --bench calls [data|host|decode|transfer|threads]...` prints one table for each
//! word; all of them when there is none.
#![allow(missing_docs)]

mod chain;
mod guest;
mod peer;
mod timing;

use std::hint::black_box;
use std::time::Instant;

use aivm::{Call, Vm};
use aivm_abi::calldata::{DynSolValue, encode_call, find_function};
use chain::{ALICE, BOB, call, chain, compiled, deploy, encoded, request, token};
use guest::{guest, repeated};
use peer::Peer;
use synq_compiler::MemoryLoader;
use timing::turns;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let tables: [(&str, fn()); 5] = [
        ("data", data),
        ("host", host_calls),
        ("decode", decode),
        ("transfer", transfer),
        ("threads", threads),
    ];
    for (name, table) in tables {
        if words.is_empty() || words.iter().any(|word| word == name) {
            table();
        }
    }
}

fn vm() -> Vm {
    Vm::builder().build().expect("a VM")
}

/// Empty calls of modules with more and more data.
fn data() {
    println!("data KB | Vm::call µs | wasmtime µs, store to drop | ratio");
    for kilobytes in [0, 64, 512] {
        let wasm = guest(kilobytes << 10, "");
        let (vm, mut host) = (vm(), chain());
        let contract = deploy(&vm, &mut host, &wasm, b"");
        let request = request(contract, b"");
        let peer = Peer::new(&wasm).expect("wasmtime takes it");
        let [ours, theirs] = turns(
            500,
            [
                &mut || drop(black_box(call(&vm, &mut host, &request))),
                &mut || {
                    black_box(peer.call(b"").expect("it returns"));
                },
            ],
        );
        println!(
            "{kilobytes:7} | {:.2} | {:.2} | {:.2}",
            ours / 1e3,
            theirs / 1e3,
            ours / theirs
        );
    }
}

/// Host calls from a loop, less the loop.
fn host_calls() {
    const CALLS: u64 = 200_000;
    println!("host call | aivm ns | wasmtime ns");
    let loads = "(call $storage.load (i64.const 1) (i64.const 0) (i64.const 0) (i64.const 0) (i32.const 64))";
    let cases = [
        ("the loop alone", "", true),
        (
            "context.block-number: no argument",
            "(drop (call $context.block-number))",
            true,
        ),
        (
            "log.debug: 32 bytes in",
            "(call $log.debug (i32.const 65536) (i32.const 32))",
            true,
        ),
        ("storage.load: a word in, a word out, warm", loads, false),
        (
            "crypto.keccak256: 32 bytes in, a word out",
            "(call $crypto.keccak256 (i32.const 65536) (i32.const 32) (i32.const 64))",
            false,
        ),
    ];
    let mut floor = [0.0; 2];
    for (name, body, peered) in cases {
        let wasm = guest(32, &repeated(body));
        let (vm, mut host) = (vm(), chain());
        let contract = deploy(&vm, &mut host, &wasm, b"");
        let input = CALLS.to_le_bytes();
        let request = request(contract, input);
        let peer = Peer::new(&wasm).expect("wasmtime takes it");
        let mut theirs = || {
            if peered {
                black_box(peer.call(&input).expect("it returns"));
            }
        };
        let [ours, theirs] = turns(
            1,
            [
                &mut || drop(black_box(call(&vm, &mut host, &request))),
                &mut theirs,
            ],
        );
        let each = [ours, theirs].map(|time| time / CALLS as f64);
        println!(
            "{name} | {:.1} | {}",
            each[0] - floor[0],
            match peered {
                true => format!("{:.1}", each[1] - floor[1]),
                false => "–".to_owned(),
            }
        );
        if body.is_empty() {
            floor = each;
        }
    }
}

/// A SynQ function that takes a kilobyte, less one that takes nothing.
fn decode() {
    let source = "pragma synq ^1.0.0;
contract Decode {
    function nothing() public -> UInt256 { return 1; }
    function bytes(Bytes data) public -> UInt256 { return data.length; }
    function words(UInt256[32] list) public -> UInt256 { return list[31]; }
    function list(UInt256[] list) public -> UInt256 { return list[29]; }
}
";
    let loader = MemoryLoader::new().with_source("decode.synq", source);
    let (wasm, abi) = compiled("decode.synq", &loader);
    let (vm, mut host) = (vm(), chain());
    let contract = deploy(&vm, &mut host, &wasm, b"");
    let numbers =
        |count| DynSolValue::Array(vec![DynSolValue::Uint(Default::default(), 256); count]);
    let fixed = DynSolValue::FixedArray(vec![DynSolValue::Uint(Default::default(), 256); 32]);
    println!("1 KB of call data | µs above a call with none");
    for (name, argument) in [
        ("bytes", DynSolValue::Bytes(vec![7; 1_024])),
        ("words", fixed),
        ("list", numbers(30)),
    ] {
        let function = find_function(&abi, name).expect("a function");
        let input = encode_call(function, &[argument]).expect("call data");
        let with = request(contract, input);
        let without = request(contract, encoded(&abi, "nothing", &[]));
        let mut other = chain();
        deploy(&vm, &mut other, &wasm, b"");
        let [with, without] = turns(
            500,
            [
                &mut || drop(black_box(call(&vm, &mut host, &with))),
                &mut || drop(black_box(call(&vm, &mut other, &without))),
            ],
        );
        println!(
            "{name} | {:.2} (of {:.2})",
            (with - without) / 1e3,
            with / 1e3
        );
    }
}

/// A token transfer, all in: from the request to the committed receipt.
fn transfer() {
    let (wasm, constructor, input) = token();
    let (vm, mut host) = (vm(), chain());
    let contract = deploy(&vm, &mut host, &wasm, &constructor);
    let transfer = request(contract, input);
    let empty = deploy(&vm, &mut host, &guest(0, ""), b"");
    let empty = Call::new(ALICE, empty, b"");
    let mut other = host_copy(&vm, &wasm, &constructor);
    let [transfer, empty] = turns(
        500,
        [
            &mut || drop(black_box(call(&vm, &mut other, &transfer))),
            &mut || drop(black_box(call(&vm, &mut host, &empty))),
        ],
    );
    println!(
        "token transfer: {:.2} µs, {:.0} calls a second; an empty call {:.2} µs",
        transfer / 1e3,
        1e9 / transfer,
        empty / 1e3
    );
    let _ = BOB;
}

fn host_copy(vm: &Vm, wasm: &[u8], constructor: &[u8]) -> aivm::MemoryHost {
    let mut host = chain();
    deploy(vm, &mut host, wasm, constructor);
    host
}

/// Transfers by one thread, and by two on contracts and chains of their own.
fn threads() {
    const CALLS: u32 = 20_000;
    let (wasm, constructor, input) = token();
    let vm = vm();
    let run = || {
        let mut host = chain();
        let contract = deploy(&vm, &mut host, &wasm, &constructor);
        let request = request(contract, input.clone());
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(call(&vm, &mut host, &request));
        }
        f64::from(CALLS) / start.elapsed().as_secs_f64()
    };
    let (mut one, mut two) = (0.0_f64, 0.0_f64);
    for _ in 0..8 {
        one = one.max(run());
        two = two.max(std::thread::scope(|scope| {
            let threads = [scope.spawn(run), scope.spawn(run)];
            threads
                .map(|thread| thread.join().expect("it ends"))
                .iter()
                .sum()
        }));
    }
    println!(
        "calls a second: one thread {one:.0}, two {two:.0}, {:.2}×",
        two / one
    );
}
