//! Instructions: a piece of code is repeated in a loop, on the engine that the VM uses, and
//! the slope of time over repetitions is what it costs.

use std::time::Instant;

use aivm_gas::{GAS_EXPORT, GasSchedule, STACK_EXPORT, instrument};
use wasmer::{Engine, Instance, Module, Store, TypedFunction, Value, imports};

use crate::cranelift::engine;
use crate::fit::{self, Item};

/// Repetitions of a piece in the loop.
const COUNTS: [usize; 4] = [16, 32, 48, 64];
const TURNS: i32 = 4_000;
const ROUNDS: usize = 9;
const GAS: i64 = 1 << 60;

/// Pieces of code over the locals `$x $y i64`, `$a i32`, `$f $g f64`, `$v $w v128`.
const PIECES: &[(&str, &str, &str)] = &[
    (
        "xor, rotate",
        "integer",
        "(local.set $x (i64.rotl (i64.xor (local.get $x) (local.get $y)) (i64.const 7)))",
    ),
    (
        "add, shift",
        "integer",
        "(local.set $x (i64.add (i64.shl (local.get $x) (i64.const 3)) (local.get $y)))",
    ),
    (
        "count bits",
        "integer",
        "(local.set $x (i64.xor (i64.popcnt (local.get $x)) (local.get $y)))",
    ),
    (
        "compare",
        "integer",
        "(local.set $x (i64.add (local.get $y) (i64.extend_i32_u (i64.lt_u (local.get $x) (local.get $y)))))",
    ),
    (
        "multiply",
        "multiply",
        "(local.set $x (i64.mul (local.get $x) (local.get $y)))",
    ),
    (
        "divide",
        "divide",
        "(local.set $x (i64.div_u (i64.const -3) (i64.or (local.get $x) (i64.const 1))))",
    ),
    (
        "signed remainder",
        "divide",
        "(local.set $x (i64.rem_s (i64.const 0x7ffffffffffffff3) (i64.or (local.get $x) (i64.const 1))))",
    ),
    (
        "select",
        "select",
        "(local.set $x (select (local.get $y) (i64.add (local.get $x) (local.get $y)) (i64.lt_u (local.get $x) (local.get $y))))",
    ),
    (
        "float add",
        "float",
        "(local.set $f (f64.add (local.get $f) (local.get $g)))",
    ),
    (
        "float multiply",
        "float",
        "(local.set $f (f64.mul (local.get $f) (local.get $g)))",
    ),
    (
        "float divide",
        "float_divide",
        "(local.set $f (f64.div (local.get $g) (local.get $f)))",
    ),
    (
        "square root",
        "float_sqrt",
        "(local.set $f (f64.sqrt (f64.add (local.get $f) (local.get $g))))",
    ),
    (
        "floor",
        "float_round",
        "(local.set $f (f64.floor (f64.add (local.get $f) (local.get $g))))",
    ),
    (
        "float minimum",
        "float_round",
        "(local.set $f (f64.min (f64.add (local.get $f) (local.get $g)) (local.get $g)))",
    ),
    (
        "to integer and back",
        "convert",
        "(local.set $f (f64.convert_i64_s (i64.trunc_sat_f64_s (f64.add (local.get $f) (local.get $g)))))",
    ),
    (
        "unsigned, checked",
        "convert",
        "(local.set $f (f64.convert_i64_u (i64.trunc_f64_u (f64.abs (local.get $f)))))",
    ),
    (
        "chased load",
        "load",
        "(local.set $a (i32.load (local.get $a)))",
    ),
    (
        "store",
        "store",
        "(local.set $x (i64.add (local.get $x) (i64.const 72))) (i64.store (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 0xff8)) (local.get $y))",
    ),
    (
        "store and load",
        "store",
        "(i64.store (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 0xff8)) (local.get $y)) (local.set $x (i64.load (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 0xff8))))",
    ),
    (
        "scattered store, 4 MiB",
        "store",
        "(local.set $x (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005)) (i64.const 1442695040888963407))) (i64.store (i32.wrap_i64 (i64.shr_u (local.get $x) (i64.const 42))) (local.get $x))",
    ),
    (
        "global",
        "global",
        "(global.set $t (i64.add (global.get $t) (local.get $y)))",
    ),
    (
        "branch",
        "branch",
        "(block (br_if 0 (i64.lt_u (local.get $x) (local.get $y))) (local.set $x (i64.sub (local.get $x) (local.get $y))))",
    ),
    (
        "unforeseen branch",
        "branch",
        "(local.set $x (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005)) (i64.const 1442695040888963407))) (if (i64.lt_s (local.get $x) (i64.const 0)) (then (local.set $a (i32.const 0))) (else (global.set $t (local.get $x))))",
    ),
    (
        "branch table",
        "branch_table",
        "(local.set $x (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005)) (i64.const 1442695040888963407))) (block (block (block (block (br_table 0 1 2 3 (i32.wrap_i64 (i64.shr_u (local.get $x) (i64.const 62))))) (global.set $t (local.get $x)) (br 2)) (local.set $a (i32.const 0)) (br 1)) (global.set $t (local.get $y)))",
    ),
    ("call", "call", "(local.set $x (call $leaf (local.get $x)))"),
    (
        "indirect call",
        "call_indirect",
        "(local.set $x (call_indirect (type $t1) (local.get $x) (i32.const 0)))",
    ),
    (
        "memory size",
        "size",
        "(local.set $a (i32.sub (memory.size) (i32.const 64)))",
    ),
    (
        "table get",
        "table",
        "(local.set $a (ref.is_null (table.get 0 (local.get $a))))",
    ),
    (
        "grow by nothing",
        "memory_grow",
        "(drop (memory.grow (i32.const 0)))",
    ),
    (
        "copy of nothing",
        "bulk",
        "(memory.copy (i32.const 0) (i32.const 64) (local.get $a))",
    ),
    (
        "copy 4 KiB",
        "bulk_per_64_bytes",
        "(memory.copy (i32.const 0) (i32.const 8192) (i32.const 4096))",
    ),
    (
        "fill 4 KiB",
        "bulk_per_64_bytes",
        "(memory.fill (i32.const 0) (i32.const 0) (i32.const 4096))",
    ),
    (
        "copy 64 elements",
        "table_element",
        "(table.copy (i32.const 0) (i32.const 128) (i32.const 64))",
    ),
    (
        "vector add",
        "simd",
        "(local.set $v (i32x4.add (local.get $v) (local.get $w)))",
    ),
    (
        "vector multiply",
        "simd_multiply",
        "(local.set $v (i64x2.mul (local.get $v) (local.get $w)))",
    ),
    (
        "vector float add",
        "simd_multiply",
        "(local.set $v (f64x2.add (local.get $v) (local.get $w)))",
    ),
    (
        "vector divide",
        "simd_divide",
        "(local.set $v (f64x2.div (local.get $w) (local.get $v)))",
    ),
    (
        "vector store, load",
        "simd_memory",
        "(local.set $x (i64.add (local.get $x) (i64.const 80))) (v128.store (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 0xff0)) (local.get $v)) (local.set $v (v128.load (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 0xff0))))",
    ),
    (
        "scattered load, 4 MiB",
        "load",
        "(local.set $x (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005)) (i64.const 1442695040888963407))) (local.set $x (i64.add (local.get $x) (i64.load (i32.wrap_i64 (i64.shr_u (local.get $x) (i64.const 42))))))",
    ),
];

fn module(piece: &str, count: usize) -> Vec<u8> {
    let text = format!(
        r#"(module
            (type $t1 (func (param i64) (result i64)))
            (memory 66) (table 256 funcref) (elem (i32.const 0) $indirect)
            (data (i32.const 4259832) "\89\67\45\23\01\00\00\00\15\7c\4a\7f\b9\79\37\9e\00\00\00\00\00\00\f8\3f\00\00\00\00\00\01\f0\3f\00\00\00\00\00\00\f4\3f")
            (global $t (mut i64) (i64.const 0))
            (func $leaf (param i64) (result i64)
              (i64.add (local.get 0) (i64.const 1)))
            (func $indirect (param i64) (result i64)
              (i64.add (local.get 0) (i64.const 1)))
            (func (export "run") (param $n i32) (result i64)
              (local $x i64) (local $y i64) (local $a i32)
              (local $f f64) (local $g f64) (local $v v128) (local $w v128)
              (local.set $x (i64.load (i32.const 4259832)))
              (local.set $y (i64.load (i32.const 4259840)))
              (local.set $f (f64.load (i32.const 4259848)))
              (local.set $g (f64.load (i32.const 4259856)))
              (local.set $v (v128.load (i32.const 4259848)))
              (local.set $w (v128.load (i32.const 4259856)))
              (loop $next
                {}
                (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
              (i64.add (i64.add (local.get $x) (i64.extend_i32_u (local.get $a)))
                (i64.add (i64.reinterpret_f64 (local.get $f))
                  (i64x2.extract_lane 0 (local.get $v))))))"#,
        piece.repeat(count)
    );
    wat::parse_str(&text).expect("valid text")
}

/// Fastest nanoseconds, and gas when the module is metered.
fn run(engine: &Engine, wasm: &[u8], rounds: usize) -> (f64, f64) {
    let mut store = Store::new(engine.clone());
    let module = Module::new(&store, wasm).expect("it compiles");
    let instance = Instance::new(&mut store, &module, &imports! {}).expect("it starts");
    let run: TypedFunction<i32, i64> = instance
        .exports
        .get_typed_function(&store, "run")
        .expect("the export");
    let gas = instance.exports.get_global(GAS_EXPORT).ok().cloned();
    let stack = instance.exports.get_global(STACK_EXPORT).ok().cloned();
    let (mut best, mut used) = (f64::MAX, 0.0);
    for _ in 0..rounds {
        for (global, value) in [(&gas, GAS), (&stack, 100_000)] {
            if let Some(global) = global {
                global.set(&mut store, Value::I64(value)).expect("mutable");
            }
        }
        let start = Instant::now();
        run.call(&mut store, TURNS).expect("it returns");
        best = best.min(start.elapsed().as_secs_f64() * 1e9);
        if let Some(gas) = &gas
            && let Value::I64(left) = gas.get(&mut store)
        {
            used = (GAS - left) as f64;
        }
    }
    (best, used)
}

pub fn items(schedule: &GasSchedule) -> Vec<Item> {
    let mut schedule = schedule.clone();
    schedule.limits.memory_grows = 1_000;
    let prices = serde_json::to_value(&schedule.wasm).expect("numbers");
    let engine = engine();
    let turns = f64::from(TURNS);
    let measure = |(name, price, piece): &(&'static str, &'static str, &'static str)| {
        let (mut times, mut gases) = (Vec::new(), Vec::new());
        for count in COUNTS {
            let wasm = module(piece, count);
            let metered = instrument(&wasm, &schedule).expect("accepted").wasm;
            let (ns, _) = run(&engine, &wasm, ROUNDS);
            let (_, gas) = run(&engine, &metered, 1);
            times.push((count as f64, ns / turns));
            gases.push((count as f64, gas / turns));
        }
        let (ns, r2) = fit::slope(&times);
        let (gas, _) = fit::slope(&gases);
        let units = match *price {
            "bulk_per_64_bytes" | "table_element" => 64.0,
            _ => 1.0,
        };
        Item {
            name: (*name).to_owned(),
            price: format!("wasm/{price}"),
            now: prices[*price].as_f64().unwrap_or_default(),
            units,
            ns: ns.max(1e-3),
            gas,
            r2,
        }
    };
    PIECES.iter().map(measure).collect()
}
