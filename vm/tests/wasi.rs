//! Interfaces of other hosts, used wrongly: bad handles, pointers, lengths, types, models.

mod common;

use aivm::{Call, CheckError, Error, MemoryHost, Receipt, Status, TrapCode, Vm};
use common::*;

fn digits() -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../nn-backends/models/digits.onnx"
    );
    std::fs::read(path).unwrap()
}

/// A chain with the model, which it calls `digits`.
fn world() -> World {
    let mut world = World::new();
    let onnx = digits();
    let registered = world.vm.register_model(&mut world.host, &onnx).unwrap();
    world.host.name_model("digits", registered.model);
    world
}

/// Runs `body`, which leaves a number; the guest has `imports`, `data` and helpers.
fn run(world: &mut World, imports: &[&str], helpers: &str, body: &str) -> Receipt {
    let call = call_body(&format!(
        "(i32.store (i32.const 64) (block $done (result i32) {body}))
         (call $result (i32.const 0) (i32.const 64) (i32.const 4))"
    ));
    let wasm = guest(imports, &format!("{helpers}\n{call}"));
    let contract = world.deploy(&wasm);
    world.call(contract, b"")
}

fn outcome(receipt: &Receipt) -> Result<u32, TrapCode> {
    match receipt.status {
        Status::Return => Ok(u32::from_le_bytes(receipt.output[..].try_into().unwrap())),
        Status::Trap(code) => Err(code),
        other => panic!("{other:?}"),
    }
}

/// The crate `wasi-nn`'s imports, and what an inference needs: `digits` at 2048, `garbage` at 2056, a good
/// tensor at 2100.
fn ephemeral(world: &mut World, body: &str) -> Result<u32, TrapCode> {
    let imports = [
        "wasi_ephemeral_nn.load",
        "wasi_ephemeral_nn.load_by_name",
        "wasi_ephemeral_nn.init_execution_context",
        "wasi_ephemeral_nn.set_input",
        "wasi_ephemeral_nn.compute",
        "wasi_ephemeral_nn.get_output",
    ];
    let helpers = r#"
      (data (i32.const 2048) "digits")
      (data (i32.const 2056) "garbage\ff")
      (data (i32.const 2100) "\98\08\00\00\02\00\00\00\03\00\00\00\00\09\00\00\40\00\00\00")
      (data (i32.const 2200) "\01\00\00\00\40\00\00\00")
      ;; lists of parts: the garbage; twice
      (data (i32.const 2400) "\08\08\00\00\08\00\00\00\08\08\00\00\08\00\00\00")
      (func $graph (result i32)
        (drop (call $wasi_ephemeral_nn.load_by_name (i32.const 2048) (i32.const 6) (i32.const 512)))
        (i32.load (i32.const 512)))
      (func $context (result i32)
        (drop (call $wasi_ephemeral_nn.init_execution_context (call $graph) (i32.const 516)))
        (i32.load (i32.const 516)))
      (func $set (param $context i32) (result i32)
        (call $wasi_ephemeral_nn.set_input (local.get $context) (i32.const 0) (i32.const 2100)))
      (func $ran (result i32)
        (local $context i32)
        (local.set $context (call $context))
        (drop (call $set (local.get $context)))
        (drop (call $wasi_ephemeral_nn.compute (local.get $context)))
        (local.get $context))"#;
    outcome(&run(world, &imports, helpers, body))
}

const INVALID_ARGUMENT: Result<u32, TrapCode> = Ok(1);
const INVALID_ENCODING: Result<u32, TrapCode> = Ok(2);
const RUNTIME_ERROR: Result<u32, TrapCode> = Ok(5);
const TOO_LARGE: Result<u32, TrapCode> = Ok(7);
const NOT_FOUND: Result<u32, TrapCode> = Ok(8);
const BAD_POINTER: Result<u32, TrapCode> = Err(TrapCode::BadPointer);
const BAD_ARGUMENT: Result<u32, TrapCode> = Err(TrapCode::BadArgument);
const BAD_HANDLE: Result<u32, TrapCode> = Err(TrapCode::BadHandle);

/// `(call $wasi_ephemeral_nn.NAME (i32.const A) …)`.
fn nn(name: &str, arguments: &[i64]) -> String {
    let arguments: String = arguments
        .iter()
        .map(|a| format!(" (i32.const {a})"))
        .collect();
    format!("(call $wasi_ephemeral_nn.{name}{arguments})")
}

#[test]
fn ephemeral_models() {
    let world = &mut world();
    let mut check = |body: &str, expected| assert_eq!(ephemeral(world, body), expected, "{body}");
    check(&nn("load_by_name", &[2048, 6, 512]), Ok(0));
    check(&nn("load_by_name", &[2048, 5, 512]), NOT_FOUND);
    check(&nn("load_by_name", &[2048, 0, 512]), NOT_FOUND);
    // Not UTF-8; outside; longer than memory; nowhere to write to; misaligned.
    check(&nn("load_by_name", &[2056, 8, 512]), BAD_ARGUMENT);
    check(&nn("load_by_name", &[131_070, 6, 512]), BAD_POINTER);
    check(&nn("load_by_name", &[2048, 0xffff_ffff, 512]), BAD_POINTER);
    check(&nn("load_by_name", &[2048, 6, 131_069]), BAD_POINTER);
    check(&nn("load_by_name", &[2048, 6, 0xffff_ffff]), BAD_POINTER);
    check(&nn("load_by_name", &[2048, 6, 513]), BAD_POINTER);
    // Encodings, numbers of parts, bytes that are no model.
    check(&nn("load", &[2400, 1, 1, 0, 512]), INVALID_ENCODING);
    check(&nn("load", &[2400, 1, 5, 0, 512]), INVALID_ENCODING);
    check(&nn("load", &[2400, 1, 0, 0, 512]), INVALID_ENCODING);
    check(&nn("load", &[2400, 2, 1, 2, 512]), INVALID_ARGUMENT);
    check(&nn("load", &[2400, 0, 1, 0, 512]), INVALID_ARGUMENT);
    check(&nn("load", &[2400, 1, 6, 0, 512]), BAD_ARGUMENT);
    check(&nn("load", &[2400, 1, 1, 3, 512]), BAD_ARGUMENT);
    check(&nn("load", &[2400, 0x2000_0000, 1, 0, 512]), BAD_POINTER);
    check(&nn("load", &[2400, 0x1fff_ffff, 1, 0, 512]), BAD_POINTER);
    check(&nn("load", &[2401, 1, 1, 0, 512]), BAD_POINTER);
    check(&nn("load", &[2400, 1, 1, 0, 514]), BAD_POINTER);
}

#[test]
fn ephemeral_handles() {
    let world = &mut world();
    let mut check = |body: &str, expected| assert_eq!(ephemeral(world, body), expected, "{body}");
    check(&nn("init_execution_context", &[0, 516]), INVALID_ARGUMENT);
    let other = "(drop (call $graph))";
    for graph in [1, -1, 0x7fff_ffff] {
        let init = nn("init_execution_context", &[graph, 516]);
        check(&format!("{other} {init}"), INVALID_ARGUMENT);
    }
    for context in [1, -1] {
        let uses = [
            nn("set_input", &[context, 0, 2100]),
            nn("compute", &[context]),
            nn("get_output", &[context, 0, 3000, 10, 520]),
        ];
        for call in uses {
            check(&format!("(drop (call $ran)) {call}"), INVALID_ARGUMENT);
        }
    }
    // Memory of the host is not the guest's to fill.
    check(
        "(loop $again (drop (call $context)) (br $again)) (unreachable)",
        Err(TrapCode::ResourceLimit),
    );
    check(
        "(loop $again (drop (call $graph)) (br $again)) (unreachable)",
        Err(TrapCode::ResourceLimit),
    );
}

#[test]
fn ephemeral_tensors() {
    let world = &mut world();
    let mut check = |body: &str, expected| assert_eq!(ephemeral(world, body), expected, "{body}");
    let set = |change: &str, index: i64, at: i64| {
        let set = format!(
            "(call $wasi_ephemeral_nn.set_input (call $context) (i32.const {index}) (i32.const {at}))"
        );
        format!("{change} {set}")
    };
    let store = |at: i64, value: i64| format!("(i32.store (i32.const {at}) (i32.const {value}))");
    check(&set("", 0, 2100), Ok(0));
    check(&set("", 1, 2100), INVALID_ARGUMENT);
    check(&set("", -1, 2100), INVALID_ARGUMENT);
    // Types: f16, f32, f64, i32, i64, none.
    for ty in [0, 1, 2, 4, 5] {
        check(&set(&store(2108, ty), 0, 2100), INVALID_ARGUMENT);
    }
    check(&set(&store(2108, 6), 0, 2100), BAD_ARGUMENT);
    // Shapes [64], [1, 64, …], [64, 1]; lengths 63, 65, 0.
    check(&set(&store(2104, 1), 0, 2100), INVALID_ARGUMENT);
    check(&set(&store(2104, 3), 0, 2100), INVALID_ARGUMENT);
    check(&set(&store(2200, 64), 0, 2100), INVALID_ARGUMENT);
    for length in [0, 63, 65] {
        check(&set(&store(2116, length), 0, 2100), INVALID_ARGUMENT);
    }
    // Pointers: to the tensor, to its dimensions, to its data.
    check(&set("", 0, 2102), BAD_POINTER);
    check(&set("", 0, 131_056), BAD_POINTER);
    check(&set(&store(2100, 2201), 0, 2100), BAD_POINTER);
    check(&set(&store(2100, -4), 0, 2100), BAD_POINTER);
    check(&set(&store(2104, 0x4000_0000), 0, 2100), BAD_POINTER);
    check(&set(&store(2112, -1), 0, 2100), BAD_POINTER);
    check(&set(&store(2116, 0x7fff_ffff), 0, 2100), BAD_POINTER);
}

#[test]
fn ephemeral_order_and_outputs() {
    let world = &mut world();
    let mut check = |body: &str, expected| assert_eq!(ephemeral(world, body), expected, "{body}");
    let output = |context: &str, index: i64, at: i64, capacity: i64, length: i64| {
        format!(
            "(call $wasi_ephemeral_nn.get_output {context} (i32.const {index}) (i32.const {at})
               (i32.const {capacity}) (i32.const {length}))"
        )
    };
    check(
        "(call $wasi_ephemeral_nn.compute (call $context))",
        INVALID_ARGUMENT,
    );
    check(&output("(call $context)", 0, 3000, 10, 520), RUNTIME_ERROR);
    check(&output("(call $ran)", 0, 3000, 10, 520), Ok(0));
    check(&output("(call $ran)", 1, 3000, 10, 520), INVALID_ARGUMENT);
    check(&output("(call $ran)", 0, 3000, 9, 520), TOO_LARGE);
    check(&output("(call $ran)", 0, 3000, 0, 520), TOO_LARGE);
    // Nothing is written then.
    let small = output("(call $ran)", 0, 3000, 9, 520);
    check(&format!("(drop {small}) (i32.load (i32.const 520))"), Ok(0));
    let full = output("(call $ran)", 0, 3000, 100, 520);
    check(&format!("(drop {full}) (i32.load (i32.const 520))"), Ok(10));
    check(&output("(call $ran)", 0, 131_063, 10, 520), BAD_POINTER);
    check(
        &output("(call $ran)", 0, 3000, 0xffff_ffff, 520),
        BAD_POINTER,
    );
    check(&output("(call $ran)", 0, 3000, 10, 521), BAD_POINTER);
    check(&output("(call $ran)", 0, 3000, 10, 131_070), BAD_POINTER);
}

const WASI_NN: [&str; 12] = [
    "wasi:nn.errors.[method]error.code",
    "wasi:nn.errors.[method]error.data",
    "wasi:nn.errors.[resource-drop]error",
    "wasi:nn.graph.[method]graph.init-execution-context",
    "wasi:nn.graph.[resource-drop]graph",
    "wasi:nn.graph.load-by-name",
    "wasi:nn.inference.[method]graph-execution-context.compute",
    "wasi:nn.inference.[resource-drop]graph-execution-context",
    "wasi:nn.tensor.[constructor]tensor",
    "wasi:nn.tensor.[method]tensor.ty",
    "wasi:nn.tensor.[method]tensor.data",
    "wasi:nn.tensor.[resource-drop]tensor",
];

/// `$tensor`, `$graph`, `$context` and `$compute` give handles; `$compute` takes inputs at `$at` and gives the
/// failure's code, or 100 for none.
fn component(world: &mut World, body: &str) -> Receipt {
    let helpers = r#"
      (data (i32.const 2048) "digits")
      (data (i32.const 2056) "image")
      (data (i32.const 2064) "0")
      (data (i32.const 2068) "other")
      (data (i32.const 2074) "+0")
      (data (i32.const 2200) "\01\00\00\00\40\00\00\00")
      (func $tensor_of (param $ty i32) (param $length i32) (result i32)
        (call $wasi:nn.tensor.-constructor-tensor (i32.const 2200) (i32.const 2) (local.get $ty)
          (i32.const 2304) (local.get $length)))
      (func $tensor (result i32) (call $tensor_of (i32.const 4) (i32.const 64)))
      (func $graph (result i32)
        (call $wasi:nn.graph.load-by-name (i32.const 2048) (i32.const 6) (i32.const 512))
        (i32.load (i32.const 516)))
      (func $context (result i32)
        (call $wasi:nn.graph.-method-graph.init-execution-context (call $graph) (i32.const 520))
        (i32.load (i32.const 524)))
      ;; Writes an input at $at: its name and its tensor.
      (func $named (param $at i32) (param $name i32) (param $length i32) (param $tensor i32)
        (i32.store (local.get $at) (local.get $name))
        (i32.store offset=4 (local.get $at) (local.get $length))
        (i32.store offset=8 (local.get $at) (local.get $tensor)))
      (func $compute (param $context i32) (param $count i32) (result i32)
        (call $wasi:nn.inference.-method-graph-execution-context.compute (local.get $context)
          (i32.const 3000) (local.get $count) (i32.const 528))
        (if (result i32) (i32.load8_u (i32.const 528))
          (then (call $wasi:nn.errors.-method-error.code (i32.load (i32.const 532))))
          (else (i32.const 100))))"#;
    run(world, &WASI_NN, helpers, body)
}

/// An input list of one at 3000, and the inference.
fn one(name: (u32, u32), tensor: &str) -> String {
    let (at, length) = name;
    format!(
        "(call $named (i32.const 3000) (i32.const {at}) (i32.const {length}) {tensor})
         (call $compute (call $context) (i32.const 1))"
    )
}

#[test]
fn component_inputs() {
    let world = &mut world();
    let mut check = |body: &str, expected| {
        assert_eq!(outcome(&component(world, body)), expected, "{body}");
    };
    let (image, position, other) = ((2056, 5), (2064, 1), (2068, 5));
    // A position is digits; `+0` is a number in some languages.
    check(&one((2074, 2), "(call $tensor)"), Ok(0));
    check(&one(image, "(call $tensor)"), Ok(100));
    check(&one(position, "(call $tensor)"), Ok(100));
    check(&one(other, "(call $tensor)"), Ok(0));
    check(&one((2056, 0), "(call $tensor)"), Ok(0));
    for ty in [0, 1, 2, 3, 5, 6] {
        let tensor = format!("(call $tensor_of (i32.const {ty}) (i32.const 64))");
        check(&one(image, &tensor), Ok(0));
    }
    check(
        &one(image, "(call $tensor_of (i32.const 4) (i32.const 63))"),
        Ok(0),
    );
    check("(call $compute (call $context) (i32.const 0))", Ok(0));
    // The same input twice, under both of its names.
    let twice = "(call $named (i32.const 3000) (i32.const 2056) (i32.const 5) (call $tensor))
         (call $named (i32.const 3012) (i32.const 2064) (i32.const 1) (call $tensor))
         (call $compute (call $context) (i32.const 2))";
    check(twice, Ok(0));
    // What is no value at all.
    check(
        "(call $tensor_of (i32.const 7) (i32.const 64))",
        BAD_ARGUMENT,
    );
    check(
        "(call $tensor_of (i32.const 4) (i32.const -1))",
        BAD_POINTER,
    );
    check(
        "(call $compute (call $context) (i32.const 0x10000000))",
        BAD_POINTER,
    );
}

#[test]
fn component_handles() {
    let world = &mut world();
    let mut check = |body: &str, expected| {
        assert_eq!(outcome(&component(world, body)), expected, "{body}");
    };
    let image = (2056, 5);
    let ty = |handle: &str| format!("(call $wasi:nn.tensor.-method-tensor.ty {handle})");
    let drop = "(call $wasi:nn.tensor.-resource-drop-tensor (local.get $at))";
    check(&ty("(call $tensor)"), Ok(4));
    for handle in ["(i32.const 0)", "(i32.const 1)", "(i32.const -1)"] {
        check(&ty(handle), BAD_HANDLE);
        check(&one(image, handle), BAD_HANDLE);
    }
    // A handle of another kind.
    check(&ty("(call $graph)"), BAD_HANDLE);
    check(&one(image, "(call $graph)"), BAD_HANDLE);
    check("(call $compute (call $graph) (i32.const 0))", BAD_HANDLE);
    check(
        "(call $wasi:nn.errors.-method-error.code (call $tensor))",
        BAD_HANDLE,
    );
    // After it was dropped, dropped twice, after it was given away, given twice.
    let made = "(local.set $at (call $tensor))";
    check(
        &format!("{made} {drop} {}", ty("(local.get $at)")),
        BAD_HANDLE,
    );
    check(&format!("{made} {drop} {drop} (i32.const 0)"), BAD_HANDLE);
    // (The refusal takes the handle's place; an output would, too, and then it would be a tensor.)
    let given = format!(
        "{made} (drop (block (result i32) {}))",
        one((2068, 5), "(local.get $at)")
    );
    check(&format!("{given} {}", ty("(local.get $at)")), BAD_HANDLE);
    let twice = "(local.set $at (call $tensor))
         (call $named (i32.const 3000) (i32.const 2056) (i32.const 5) (local.get $at))
         (call $named (i32.const 3012) (i32.const 2064) (i32.const 1) (local.get $at))
         (call $compute (call $context) (i32.const 2))";
    check(twice, BAD_HANDLE);
    // A context outlives its graph.
    check(
        "(local.set $at (call $context))
             (call $wasi:nn.graph.-resource-drop-graph (i32.load (i32.const 516)))
             (call $named (i32.const 3000) (i32.const 2056) (i32.const 5) (call $tensor))
             (call $compute (local.get $at) (i32.const 1))",
        Ok(100),
    );
}

#[test]
fn component_tensors_are_limited() {
    let world = &mut world();
    let many = "(loop $again (drop (call $tensor)) (br $again)) (unreachable)";
    assert_eq!(
        outcome(&component(world, many)),
        Err(TrapCode::ResourceLimit)
    );
    // Those that are dropped do not count.
    let dropped = "(loop $again
           (call $wasi:nn.tensor.-resource-drop-tensor (call $tensor))
           (local.set $at (i32.add (local.get $at) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $at) (i32.const 20000))))
         (i32.const 7)";
    let start = format!("(local.set $at (i32.const 0)) {dropped}");
    assert_eq!(outcome(&component(world, &start)), Ok(7));
}

fn preview1(world: &mut World, name: &str, arguments: &str) -> Receipt {
    let key = format!("wasi_snapshot_preview1.{name}");
    let body = format!("(call ${key} {arguments})");
    let body = match name {
        "proc_exit" => format!("{body} (i32.const 0)"),
        _ => body,
    };
    let data = "(data (i32.const 2048) \"one\\ntwo\") (data (i32.const 2064) \"\\00\\08\\00\\00\\07\\00\\00\\00\")";
    run(world, &[&key], data, &body)
}

#[test]
fn preview1_has_no_clock_no_randomness_no_files() {
    let world = &mut World::new();
    let mut check = |name: &str, arguments: &str, expected| {
        let arguments: String = arguments
            .split_whitespace()
            .map(|a| match a.strip_suffix('L') {
                Some(long) => format!("(i64.const {long}) "),
                None => format!("(i32.const {a}) "),
            })
            .collect();
        let receipt = preview1(world, name, &arguments);
        assert_eq!(outcome(&receipt), expected, "{name} {arguments}");
    };
    let unsupported = Err(TrapCode::Unsupported);
    check("clock_time_get", "0 1L 512", unsupported);
    check("clock_res_get", "0 512", unsupported);
    check("random_get", "512 8", unsupported);
    check("poll_oneoff", "512 600 1 700", unsupported);
    check("proc_exit", "0", Err(TrapCode::Exited));
    check("proc_exit", "3", Err(TrapCode::Exited));
    // 8 is BADF, 70 SPIPE.
    check("path_open", "3 0 2048 3 0 0L 0L 0 512", Ok(8));
    check("path_filestat_get", "3 0 2048 3 512", Ok(8));
    check("fd_prestat_get", "3 512", Ok(8));
    check("fd_prestat_dir_name", "3 512 8", Ok(8));
    check("fd_fdstat_get", "1 512", Ok(8));
    check("fd_read", "0 2064 1 512", Ok(0));
    check("fd_read", "3 2064 1 512", Ok(8));
    check("fd_seek", "1 0L 0 512", Ok(70));
    check("fd_seek", "4 0L 0 512", Ok(8));
    check("fd_close", "2", Ok(0));
    check("fd_close", "3", Ok(8));
    check("sched_yield", "", Ok(0));
    check("args_get", "512 520", Ok(0));
    check("args_sizes_get", "512 516", Ok(0));
    check("environ_get", "512 520", Ok(0));
    check("environ_sizes_get", "512 516", Ok(0));
    check("environ_sizes_get", "512 131072", BAD_POINTER);
    check("fd_write", "0 2064 1 512", Ok(8));
    check("fd_write", "1 2064 0x20000000 512", BAD_POINTER);
    check("fd_write", "1 2066 1 512", BAD_POINTER);
    check("fd_write", "1 2064 1 511", BAD_POINTER);
    check("path_open", "3 0 -1 3 0 0L 0L 0 512", BAD_POINTER);
}

/// Output goes to the log, by lines, and the receipt is the same whether somebody keeps the log.
#[test]
fn preview1_output_is_for_people() {
    let arguments = "(i32.const 2) (i32.const 2064) (i32.const 1) (i32.const 512)";
    let body = format!(
        "(drop (call $wasi_snapshot_preview1.fd_write {arguments}))
         (drop (call $wasi_snapshot_preview1.fd_write {arguments})) (i32.load (i32.const 512))"
    );
    let data = "(data (i32.const 2048) \"one\\ntwo\") (data (i32.const 2064) \"\\00\\08\\00\\00\\07\\00\\00\\00\")";
    let imports = ["wasi_snapshot_preview1.fd_write"];
    let mut quiet = World::new();
    let mut kept = World::new();
    kept.host = std::mem::replace(&mut kept.host, MemoryHost::new()).with_log();
    let receipt = run(&mut quiet, &imports, data, &body);
    assert_eq!(outcome(&receipt), Ok(7));
    assert_eq!(run(&mut kept, &imports, data, &body), receipt);
    let lines: Vec<String> = kept.host.take_log().into_iter().map(|(_, l)| l).collect();
    assert_eq!(lines, ["one", "twoone", "two"]);
    assert!(kept.host.take_log().is_empty() && quiet.host.take_log().is_empty());
}

/// A library built for WASI makes itself ready before each call, whatever instance it runs in.
#[test]
fn initialize_runs_before_each_call() {
    let mut world = World::new();
    let wasm = guest(
        &[],
        r#"(global $ready (mut i32) (i32.const 0))
           (func (export "_initialize") (global.set $ready (i32.add (global.get $ready) (i32.const 1))))
           (func (export "call") (param i32 i32) (result i32)
             (i32.store (i32.const 64) (global.get $ready))
             (call $result (i32.const 0) (i32.const 64) (i32.const 4)))"#,
    );
    let contract = world.deploy(&wasm);
    let first = world.call(contract, b"");
    assert_eq!(outcome(&first), Ok(1));
    assert_eq!(world.call(contract, b""), first);

    let endless = guest(&[], r#"(func (export "_initialize") (loop $l (br $l)))"#);
    let code = world.upload(&endless);
    let deploy = aivm::Deploy::new(ALICE, code, b"").with_gas_limit(10_000_000);
    let deployed = world.vm.deploy(&mut world.host, &deploy).unwrap();
    assert_eq!(deployed.receipt.status, Status::Trap(TrapCode::OutOfGas));
    assert_eq!(deployed.receipt.gas.total(), 10_000_000);

    for wrong in ["(param i32)", "(result i32)"] {
        let body = if wrong.contains("result") {
            "(i32.const 0)"
        } else {
            ""
        };
        let text = format!("(func (export \"_initialize\") {wrong} {body})");
        let refused = world.vm.upload(&mut world.host, &guest(&[], &text));
        assert!(
            matches!(
                refused,
                Err(Error::NotAContract(CheckError::Signature { .. }))
            ),
            "{refused:?}"
        );
    }
}

/// The same call costs the same and gives the same in a query, and in a VM that has not seen the model.
#[test]
fn receipts_do_not_depend_on_the_cache() {
    let mut world = world();
    let body = one((2056, 5), "(call $tensor)");
    let receipt = component(&mut world, &body);
    assert_eq!(outcome(&receipt), Ok(100));
    world.vm.clear_caches();
    let mut cold = self::world();
    cold.vm = Vm::builder().model_cache_bytes(0).build().unwrap();
    assert_eq!(component(&mut cold, &body), receipt);
    let query = Call::new(ALICE, receipt.contract, b"");
    assert!(
        world
            .vm
            .query(&world.host, &query)
            .unwrap()
            .status
            .is_success()
    );
}
