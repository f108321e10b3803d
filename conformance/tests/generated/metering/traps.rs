//! Each trap, with bodies that meet it.

use aivm::TrapCode;

use super::super::draft::*;
use super::super::guest::frame;

/// Names and bodies by the trap that ends them.
const TRAPS: &[(TrapCode, &str)] = &[
    (
        TrapCode::Unreachable,
        "
unreachable | unreachable
        ",
    ),
    (
        TrapCode::OutOfGas,
        "
an endless loop | (loop (br 0))
a loop that does nothing costly | (loop nop (br 0))
        ",
    ),
    (
        TrapCode::DivisionByZero,
        "
i32.div_s by zero | (drop (i32.div_s (i32.const 1) (i32.const 0)))
i32.div_u by zero | (drop (i32.div_u (i32.const 1) (i32.const 0)))
i32.rem_s by zero | (drop (i32.rem_s (i32.const 1) (i32.const 0)))
i32.rem_u by zero | (drop (i32.rem_u (i32.const 1) (i32.const 0)))
i64.div_s by zero | (drop (i64.div_s (i64.const 1) (i64.const 0)))
i64.div_u by zero | (drop (i64.div_u (i64.const 1) (i64.const 0)))
i64.rem_s by zero | (drop (i64.rem_s (i64.const 1) (i64.const 0)))
i64.rem_u by zero | (drop (i64.rem_u (i64.const 1) (i64.const 0)))
        ",
    ),
    (
        TrapCode::IntegerOverflow,
        "
i32.div_s of the least by -1 | (drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))
i64.div_s of the least by -1 | (drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))
        ",
    ),
    (
        TrapCode::BadConversion,
        "
i32.trunc_f32_s of NaN | (drop (i32.trunc_f32_s (f32.const nan)))
i64.trunc_f64_u of NaN | (drop (i64.trunc_f64_u (f64.const nan)))
        ",
    ),
    (
        TrapCode::IntegerOverflow,
        "
i32.trunc_f32_s of 2^31 | (drop (i32.trunc_f32_s (f32.const 2147483648)))
i32.trunc_f64_u of -1 | (drop (i32.trunc_f64_u (f64.const -1)))
i64.trunc_f32_s of infinity | (drop (i64.trunc_f32_s (f32.const inf)))
        ",
    ),
    (
        TrapCode::OutOfBoundsMemory,
        "
a load at the end | (drop (i32.load (i32.const 65533)))
a load far away | (drop (i32.load offset=0xffffffff (i32.const -1)))
a store at the end | (i64.store (i32.const 65529) (i64.const 1))
a vector load at the end | (drop (v128.load (i32.const 65521)))
memory.copy beyond the end | (memory.copy (i32.const 65530) (i32.const 0) (i32.const 7))
memory.copy from beyond the end | (memory.copy (i32.const 0) (i32.const 65530) (i32.const 7))
memory.copy of nothing beyond the end | (memory.copy (i32.const 65537) (i32.const 0) (i32.const 0))
memory.fill beyond the end | (memory.fill (i32.const 65536) (i32.const 0) (i32.const 1))
memory.init beyond the segment | (memory.init $d (i32.const 0) (i32.const 1) (i32.const 4))
memory.init of a dropped segment | (data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))
        ",
    ),
    (
        TrapCode::OutOfBoundsTable,
        "
call_indirect beyond the table | (call_indirect (type $n) (i32.const 3))
        ",
    ),
    (
        TrapCode::IndirectCallNull,
        "
call_indirect through nothing | (call_indirect (type $n) (i32.const 2))
        ",
    ),
    (
        TrapCode::IndirectCallType,
        "
call_indirect of another type | (call_indirect (type $n) (i32.const 1))
        ",
    ),
    (
        TrapCode::OutOfBoundsTable,
        "
table.get beyond the table | (drop (table.get 0 (i32.const 3)))
table.set beyond the table | (table.set 0 (i32.const 3) (ref.null func))
table.copy beyond the table | (table.copy 0 0 (i32.const 2) (i32.const 0) (i32.const 2))
table.fill beyond the table | (table.fill 0 (i32.const 2) (ref.null func) (i32.const 2))
table.init beyond the segment | (table.init 0 $e (i32.const 0) (i32.const 1) (i32.const 1))
table.init of a dropped segment | (elem.drop $e) (table.init 0 $e (i32.const 0) (i32.const 0) (i32.const 1))
        ",
    ),
    (
        TrapCode::OutOfGas,
        "
memory.grow that nobody can pay | (drop (memory.grow (i32.const 1000)))
memory.grow of all that there is | (drop (memory.grow (i32.const -1)))
memory.fill that nobody can pay | (memory.fill (i32.const 0) (i32.const 0) (i32.const -1))
table.grow that nobody can pay | (drop (table.grow 0 (ref.null func) (i32.const -1)))
        ",
    ),
];

/// What the bodies refer to.
const BEFORE: &str = "(table 3 funcref) (func $g) (func $h (param i32)) (elem (i32.const 0) $g $h) (type $n (func)) (data $d \"0123\") (elem $e func $g)";

pub fn file() -> File {
    let reason = "WebAssembly defines which instruction traps and why; a trap takes the whole limit of 900,000.";
    let mut file = File::new("metering", "traps", reason);
    for (code, bodies) in TRAPS {
        for [name, body] in rows(bodies) {
            file.push(
                Draft::new(
                    name,
                    format!("It traps as `{code}`, and a trap takes the whole gas limit."),
                )
                .install(frame(BEFORE, "", body))
                .send("c", limited(900_000), uses_up(900_000, *code)),
            );
        }
    }
    file.push(
        Draft::new(
            "endless recursion",
            "The logical stack ends before gas and before the native stack.",
        )
        .reason("A function that calls itself without end cannot return; 131,072 words of stack are 8,192 frames of 16 words, whose gas is far below the limit.")
        .install(frame("(func $f (call $f))", "", "(call $f)"))
        .send(
            "c",
            limited(1_000_000_000),
            uses_up(1_000_000_000, TrapCode::StackLimit),
        ),
    );
    file
}
