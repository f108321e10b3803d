//! What is refused, with the reason and the byte.

mod common;

use std::time::{Duration, Instant};

use aivm_gas::{Feature, GasSchedule, InstrumentError, Limit, Reason, instrument};

fn refuse_with(wat: &str, schedule: &GasSchedule) -> InstrumentError {
    let wasm = wat::parse_str(wat).expect("valid text");
    instrument(&wasm, schedule).expect_err("it should be refused")
}

fn refuse(wat: &str) -> InstrumentError {
    refuse_with(wat, &GasSchedule::v1())
}

/// Offset of these bytes in the module.
fn offset(wat: &str, bytes: &[u8]) -> u64 {
    let wasm = wat::parse_str(wat).expect("valid text");
    wasm.windows(bytes.len())
        .position(|window| window == bytes)
        .expect("it occurs") as u64
}

fn too_many(error: &InstrumentError) -> (Limit, u64, u64) {
    match *error.reason {
        Reason::TooMany { limit, found, max } => (limit, found, max),
        ref other => panic!("another reason: {other:?}"),
    }
}

#[test]
fn features_outside_of_the_set() {
    let cases = [
        ("(module (memory 1 1 shared))", Feature::Threads),
        (
            "(module (memory 1) (func i32.const 0 i32.atomic.load drop))",
            Feature::Threads,
        ),
        ("(module (func $f return_call $f))", Feature::TailCall),
        ("(module (tag))", Feature::Exceptions),
        ("(module (memory i64 1))", Feature::Memory64),
        ("(module (memory 1) (memory 1))", Feature::MultiMemory),
        (
            "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))",
            Feature::ExtendedConst,
        ),
        ("(module (type (struct)))", Feature::Gc),
        ("(module (func (param (ref func))))", Feature::Gc),
        (
            "(module (func (param v128) (result v128)
               local.get 0 local.get 0 i8x16.relaxed_swizzle))",
            Feature::RelaxedSimd,
        ),
        (
            "(module (func (param i64 i64) (result i64 i64)
               local.get 0 local.get 1 i64.mul_wide_u))",
            Feature::WideArithmetic,
        ),
        ("(module (memory 1 (pagesize 1)))", Feature::MemoryControl),
        ("(component)", Feature::Components),
    ];
    for (wat, feature) in cases {
        let error = refuse(wat);
        assert_eq!(*error.reason, Reason::Feature(feature), "{wat}: {error}");
    }
}

/// What only a feature that is off would allow is malformed.
#[test]
fn encodings_of_features_that_are_off() {
    let cases: [(&[u8], u64); 3] = [
        // A memory of two pages, the number in six bytes.
        (
            b"\0asm\x01\0\0\0\x05\x08\x01\x00\x82\x80\x80\x80\x80\x00",
            16,
        ),
        // The same, with a maximum that is too long.
        (
            b"\0asm\x01\0\0\0\x05\x0a\x01\x01\x82\x00\x82\x80\x80\x80\x80\x00",
            18,
        ),
        // A module with `memory.size`, its memory index in two bytes.
        (
            b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\0\
              \x0a\x08\x01\x06\0\x3f\x80\0\x1a\x0b",
            29,
        ),
    ];
    for (wasm, offset) in cases {
        let error = instrument(wasm, &GasSchedule::v1()).expect_err("it should be refused");
        assert!(matches!(*error.reason, Reason::Invalid(_)), "{error}");
        assert_eq!(error.offset, offset, "{error}");
    }
}

#[test]
fn the_offset_is_that_of_the_instruction() {
    let wat = "(module (func $f nop nop return_call $f))";
    let error = refuse(wat);
    assert_eq!(error.offset, offset(wat, &[0x01, 0x01, 0x12]) + 2);
    assert_eq!(
        error.to_string(),
        format!("tail calls are not allowed (at byte {})", error.offset)
    );
}

#[test]
fn vectors_follow_the_schedule() {
    let wat = "(module (func (result v128) v128.const i64x2 1 2 v128.not))";
    let wasm = wat::parse_str(wat).expect("valid text");
    let mut schedule = GasSchedule::v1();
    assert!(instrument(&wasm, &schedule).is_ok());
    schedule.limits.simd = false;
    assert_eq!(
        *refuse_with(wat, &schedule).reason,
        Reason::Feature(Feature::Simd)
    );
}

#[test]
fn start_functions() {
    let wat = "(module (func $f) (start $f))";
    let error = refuse(wat);
    assert_eq!(*error.reason, Reason::Start);
    assert_eq!(error.offset, offset(wat, &[0x08, 0x01, 0x00]) + 2);
}

#[test]
fn reserved_names() {
    for wat in [
        r#"(module (func (export "aivm:gas")))"#,
        r#"(module (global (export "aivm:") i32 (i32.const 0)))"#,
        r#"(module (import "aivm:gas" "x" (func)))"#,
        r#"(module (import "x" "aivm:stack" (global i64)))"#,
    ] {
        let error = refuse(wat);
        assert!(
            matches!(*error.reason, Reason::ReservedName(_)),
            "{wat}: {error}"
        );
        assert!(error.offset > 8, "{wat}: {error}");
    }
    assert!(
        refuse(r#"(module (func (export "aivm:exit")))"#)
            .to_string()
            .contains("aivm:exit")
    );
}

#[test]
fn bytes_that_are_no_module() {
    let whole = wat::parse_str(r#"(module (func (export "run") i32.const 1 drop))"#).expect("text");
    let schedule = GasSchedule::v1();
    for length in 1..whole.len() {
        // A cut at the end of a section leaves a shorter module; here that means code
        // is missing, or there is nothing at all.
        match instrument(&whole[..length], &schedule) {
            Ok(done) => assert_eq!(done.stats.functions, 0, "cut at {length}"),
            Err(error) => {
                assert!(
                    matches!(*error.reason, Reason::Invalid(_)),
                    "cut at {length}: {error}"
                );
                assert!(error.offset <= length as u64, "cut at {length}: {error}");
            }
        }
    }
    for junk in [&b""[..], b"\0asm", b"not a module at all", &[0; 100]] {
        let error = instrument(junk, &schedule).expect_err("no module");
        assert!(matches!(*error.reason, Reason::Invalid(_)), "{error}");
    }
    // A module that does not type-check.
    let wat = "(module (func (result i32) i64.const 1))";
    assert!(matches!(*refuse(wat).reason, Reason::Invalid(_)));
}

#[test]
fn each_limit() {
    let schedule = GasSchedule::v1;
    let mut cases: Vec<(GasSchedule, &str, Limit)> = Vec::new();
    macro_rules! limit {
        ($field:ident = $max:expr, $limit:ident, $wat:expr) => {{
            let mut schedule = schedule();
            schedule.limits.$field = $max;
            cases.push((schedule, $wat, Limit::$limit));
        }};
    }
    limit!(module_bytes = 7, ModuleBytes, "(module)");
    limit!(
        instrumented_bytes = 40,
        InstrumentedBytes,
        "(module (func) (func))"
    );
    limit!(
        types = 1,
        Types,
        "(module (type (func)) (type (func (param i32))))"
    );
    limit!(params = 1, Params, "(module (type (func (param i32 i32))))");
    limit!(
        params = 1,
        Params,
        "(module (type (func (result i32 i32))))"
    );
    limit!(functions = 1, Functions, "(module (func) (func))");
    limit!(body_bytes = 4, BodyBytes, "(module (func nop nop nop))");
    limit!(
        locals = 2,
        Locals,
        "(module (func (param i32) (local i32 i64)))"
    );
    limit!(
        total_locals = 2,
        TotalLocals,
        "(module (func (param i32)) (func (local i32 i64)))"
    );
    limit!(
        nesting = 3,
        Nesting,
        "(module (func block block block end end end))"
    );
    limit!(
        loop_nesting = 1,
        LoopNesting,
        "(module (func loop loop end end))"
    );
    limit!(
        phis = 2,
        Phis,
        "(module (func (local i32 i32 i32) loop end))"
    );
    limit!(
        total_phis = 3,
        TotalPhis,
        "(module (func (local i32 i32) loop end) (func (local i32 i32) loop end))"
    );
    limit!(blocks = 2, Blocks, "(module (func loop end loop end))");
    limit!(
        block_instructions = 3,
        BlockInstructions,
        "(module (func nop nop nop nop))"
    );
    limit!(
        stack_values = 2,
        StackValues,
        "(module (func i32.const 0 i32.const 0 i32.const 0 drop drop drop))"
    );
    limit!(frame_words = 16, FrameWords, "(module (func (local i32)))");
    limit!(
        br_table = 2,
        BrTable,
        "(module (func i32.const 0 br_table 0 0 0))"
    );
    limit!(
        total_br_table = 3,
        TotalBrTable,
        "(module (func block i32.const 0 br_table 0 0 end i32.const 0 br_table 0 0))"
    );
    limit!(
        imports = 1,
        Imports,
        r#"(module (import "a" "b" (func)) (import "a" "c" (func)))"#
    );
    limit!(
        exports = 1,
        Exports,
        r#"(module (func (export "a") (export "b")))"#
    );
    limit!(
        name_bytes = 3,
        NameBytes,
        r#"(module (func (export "long")))"#
    );
    limit!(
        name_bytes = 3,
        NameBytes,
        r#"(module (import "a" "long" (func)))"#
    );
    limit!(
        globals = 1,
        Globals,
        "(module (global i32 i32.const 0) (global i32 i32.const 0))"
    );
    limit!(
        tables = 1,
        Tables,
        "(module (table 1 funcref) (table 1 funcref))"
    );
    limit!(
        table_elements = 4,
        TableElements,
        "(module (table 5 funcref))"
    );
    limit!(
        element_segments = 1,
        ElementSegments,
        "(module (elem funcref) (elem funcref))"
    );
    limit!(
        data_segments = 1,
        DataSegments,
        r#"(module (memory 1) (data "") (data ""))"#
    );
    limit!(
        memory_grows = 1,
        MemoryGrows,
        "(module (memory 1)
           (func (drop (memory.grow (i32.const 1))))
           (func (drop (memory.grow (i32.const 1)))))"
    );
    limit!(initial_pages = 1, InitialPages, "(module (memory 2))");
    for (schedule, wat, limit) in cases {
        let error = refuse_with(wat, &schedule);
        let (which, found, max) = too_many(&error);
        assert_eq!(which, limit, "{wat}");
        assert!(found > max, "{wat}: {error}");
        // One more is enough.
        let wasm = wat::parse_str(wat).expect("valid text");
        assert!(instrument(&wasm, &GasSchedule::v1()).is_ok(), "{wat}");
    }
}

#[test]
fn schedules_out_of_range() {
    let mut schedule = GasSchedule::v1();
    schedule.wasm.load = u64::MAX;
    let error = refuse_with("(module)", &schedule);
    assert!(matches!(*error.reason, Reason::Schedule(_)), "{error}");
    assert!(error.to_string().contains("wasm/load"), "{error}");
    let mut schedule = GasSchedule::v1();
    schedule.wasm.branch = 0;
    assert!(
        refuse_with("(module)", &schedule)
            .to_string()
            .contains("wasm/branch")
    );
}

/// Refuses a bomb, and says how long that took (the fastest of three).
fn defuse(wat: &str) -> (Limit, Duration) {
    let wasm = wat::parse_str(wat).expect("valid text");
    let schedule = GasSchedule::v1();
    let mut best = Duration::MAX;
    let mut limit = None;
    for _ in 0..3 {
        let start = Instant::now();
        let error = instrument(&wasm, &schedule).expect_err("a bomb");
        best = best.min(start.elapsed());
        limit = Some(too_many(&error).0);
    }
    (limit.expect("three runs"), best)
}

#[test]
fn pitfall_12_superlinear_compile_time_on_small_input() {
    let locals = |count: usize| format!("(local {})", "i32 ".repeat(count));
    let touch = "local.get 0 i32.const 1 i32.add local.set 0 ";
    let bombs = [
        (
            "nested loops with 100 locals",
            format!(
                "(module (func {} {} {}))",
                locals(100),
                "loop ".repeat(1000),
                "end ".repeat(1000)
            ),
            Limit::LoopNesting,
        ),
        (
            "many live stack values",
            format!(
                "(module (func {} {}))",
                "i32.const 1 ".repeat(100_000),
                "drop ".repeat(100_000)
            ),
            Limit::BodyBytes,
        ),
        (
            "live stack values in a smaller body",
            format!(
                "(module (func {} {}))",
                "i32.const 1 ".repeat(20_000),
                "drop ".repeat(20_000)
            ),
            Limit::StackValues,
        ),
        (
            "chains of if and else with 64 locals",
            format!(
                "(module (func {} {}))",
                locals(64),
                format!("local.get 1 if {touch} else {touch} end ").repeat(2_000)
            ),
            Limit::Phis,
        ),
        (
            "200 functions with 49,000 locals",
            format!(
                "(module {})",
                format!("(func {})", locals(49_000)).repeat(200)
            ),
            Limit::Locals,
        ),
    ];
    for (name, wat, limit) in bombs {
        let (which, time) = defuse(&wat);
        println!("{name}: {which:?} in {time:?}");
        assert_eq!(which, limit, "{name}");
        assert!(time < Duration::from_millis(5), "{name} took {time:?}");
    }
}

/// One join that every branch reaches with every local as another value.
fn meeting(locals: usize, branches: usize, read: usize) -> String {
    let each = |text: &str, count: usize| -> String {
        (1..=count)
            .map(|i| text.replace('#', &i.to_string()))
            .collect()
    };
    let half = "(br_if $join (local.get 0))".repeat(branches / 2);
    format!(
        "(module (func (param i32) (local {})
           (block $join {half} {} {half})
           {}))",
        "i64 ".repeat(locals),
        each("(local.set # (i64.const #))", locals),
        each("(drop (local.get #))", read),
    )
}

#[test]
fn pitfall_12_many_branches_to_one_join_with_many_locals() {
    for (locals, branches) in [(500, 200), (100, 1_000), (10, 8_000), (2, 8_000)] {
        let error = refuse(&meeting(locals, branches, locals));
        let (limit, found, max) = too_many(&error);
        assert_eq!((limit, max), (Limit::Phis, 50_000), "{locals}, {branches}");
        assert!(found > max);
    }
    // The same branches with locals that nothing reads behind the join, as on the way to an
    // error, or few branches with all of the locals.
    for (locals, branches, read) in [
        (500, 200, 0),
        (100, 1_000, 5),
        (10, 2_300, 0),
        (500, 40, 500),
    ] {
        let wat = meeting(locals, branches, read);
        instrument(&wat::parse_str(&wat).unwrap(), &GasSchedule::v1()).unwrap();
    }
    // The gas that is left is a value that all of them pass.
    for branches in [2_500, 8_000] {
        let error = refuse(&meeting(1, branches, 0));
        assert_eq!(too_many(&error).0, Limit::Phis, "{branches}");
    }
    // The count: 60 branches and the way through, less four, times 500 locals and twice the gas,
    // and a little more for each that shares the join.
    let (_, found, _) = too_many(&refuse_with(&meeting(500, 60, 500), &{
        let mut schedule = GasSchedule::v1();
        schedule.limits.phis = 600;
        schedule
    }));
    assert_eq!(found, (500 + 2) * (57 * (256 + 61) / 256));
    // Results of blocks are values as well, and so are parameters of loops.
    let results = "(i64.const 1)".repeat(60);
    let wide = format!(
        "(module (func (param i32)
           (block $join (result {}) {results} {}) {}))",
        "i64 ".repeat(60),
        "(br_if $join (local.get 0))".repeat(600),
        "drop ".repeat(60)
    );
    assert_eq!(too_many(&refuse(&wide)).0, Limit::Phis);
    // So are many targets of a table, though the same ones weigh less, and all functions together.
    let table = |targets: usize| {
        format!(
            "(module (func (param i32) (local {})
               (block $join (br_if $join (local.get 0)) {} (br_table {} (local.get 0))) {}))",
            "i64 ".repeat(500),
            (1..=500)
                .map(|i| format!("(local.set {i} (i64.const 1))"))
                .collect::<String>(),
            "$join ".repeat(targets),
            (1..=500)
                .map(|i| format!("(drop (local.get {i}))"))
                .collect::<String>(),
        )
    };
    instrument(&wat::parse_str(table(500)).unwrap(), &GasSchedule::v1()).unwrap();
    assert_eq!(too_many(&refuse(&table(1_000))).0, Limit::Phis);
    let function = meeting(500, 60, 500);
    let function = function.strip_prefix("(module ").unwrap();
    let function = function.strip_suffix(')').unwrap();
    let module = |count: usize| format!("(module {})", function.repeat(count));
    instrument(&wat::parse_str(module(11)).unwrap(), &GasSchedule::v1()).unwrap();
    assert_eq!(too_many(&refuse(&module(12))).0, Limit::TotalPhis);
}

/// An instance of this module once took five hundred times what a call pays for it.
#[test]
fn tables_and_segments_are_limited_together() {
    let elements = |count: usize| "$f ".repeat(count);
    let segments = format!("(elem func {})", elements(30_000));
    for (rest, found) in [
        (
            "(table 40000 funcref) (table 40000 externref)".to_owned(),
            80_000,
        ),
        (segments.repeat(3), 90_000),
        (
            format!("(table 65536 funcref) {}", segments.repeat(3))
                .replace("(elem", "(elem (i32.const 0)"),
            90_000,
        ),
    ] {
        let error = refuse(&format!("(module (func $f) {rest})"));
        assert_eq!(too_many(&error), (Limit::TableElements, found, 65_536));
    }
    let accepted = |wat: &str| {
        instrument(&wat::parse_str(wat).unwrap(), &GasSchedule::v1()).unwrap();
    };
    accepted(&format!(
        "(module (func $f) (table 65536 funcref) {}",
        segments.repeat(2) + ")"
    ));
    // Code that changes tables makes a new instance of each call.
    for change in [
        "(table.set $t (i32.const 0) (ref.null func))",
        "(drop (table.grow $t (ref.null func) (i32.const 1)))",
        "(table.fill $t (i32.const 0) (ref.null func) (i32.const 1))",
        "(table.copy $t $t (i32.const 0) (i32.const 0) (i32.const 1))",
        "(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1))",
        "(elem.drop $e)",
        "(data.drop $d)",
    ] {
        let module = |table: usize, segment: usize| {
            format!(
                "(module (memory 1) (table $t {table} funcref) (elem $e func {}) (data $d \"x\")
                   (func $f {change}))",
                elements(segment)
            )
        };
        accepted(&module(4_096, 4_096));
        for (table, segment) in [(4_097, 1), (1, 4_097)] {
            let error = refuse(&module(table, segment));
            assert_eq!(too_many(&error), (Limit::TableElements, 4_097, 4_096));
        }
    }
    accepted("(module (table $t 65536 funcref) (func (drop (table.get $t (i32.const 0)))))");
}
