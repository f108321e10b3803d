//! A module for what contracts in SynQ never do: traps of each kind, floating point, vectors.

use std::fmt::Write;

use super::TrafficError;

/// What the first byte of the call data chooses.
pub const CASES: u8 = 10;
/// Cases that end in a trap.
pub const TRAPS: u8 = 7;

const BINARY: [&str; 7] = ["add", "sub", "mul", "div", "min", "max", "copysign"];
const UNARY: [&str; 7] = ["sqrt", "ceil", "floor", "trunc", "nearest", "neg", "abs"];

/// Results of scalar operations, one behind the other from 2048 on.
fn scalars(text: &mut String) -> std::fmt::Result {
    let mut at = 2048;
    for (ty, int, width, other) in [("f32", "i32", 4, 40), ("f64", "i64", 8, 48)] {
        let operand = |n: u32| format!("({ty}.load offset={} (local.get $at))", 1 + n * width);
        for op in BINARY {
            let (a, b) = (operand(0), operand(1));
            writeln!(text, "({ty}.store (i32.const {at}) ({ty}.{op} {a} {b}))")?;
            at += width;
        }
        for op in UNARY {
            writeln!(
                text,
                "({ty}.store (i32.const {at}) ({ty}.{op} {}))",
                operand(0)
            )?;
            at += width;
        }
        for from in ["i32", "i64"] {
            for sign in ["s", "u"] {
                let value = format!("({from}.load offset={other} (local.get $at))");
                let op = format!("{ty}.convert_{from}_{sign}");
                writeln!(text, "({ty}.store (i32.const {at}) ({op} {value}))")?;
                at += width;
                let op = format!("{int}.trunc_sat_{ty}_{sign}");
                writeln!(text, "({int}.store (i32.const {at}) ({op} {}))", operand(1))?;
                at += width;
            }
        }
    }
    writeln!(
        text,
        "(f64.store (i32.const {at}) (f64.promote_f32 (f32.load offset=1 (local.get $at))))"
    )?;
    writeln!(
        text,
        "(f32.store (i32.const {}) (f32.demote_f64 (f64.load offset=1 (local.get $at))))",
        at + 8
    )
}

/// Results of vector operations, from 2048 on.
fn vectors(text: &mut String) -> std::fmt::Result {
    let (a, b) = (
        "(v128.load offset=1 (local.get $at))",
        "(v128.load offset=17 (local.get $at))",
    );
    let mut at = 2048;
    for op in [
        "f32x4.add",
        "f32x4.sub",
        "f32x4.mul",
        "f32x4.div",
        "f32x4.min",
        "f32x4.max",
        "f32x4.pmin",
        "f32x4.pmax",
        "f64x2.add",
        "f64x2.mul",
        "f64x2.div",
        "f64x2.min",
        "f64x2.max",
        "i8x16.swizzle",
        "i8x16.avgr_u",
        "i16x8.q15mulr_sat_s",
        "i16x8.mul",
        "i32x4.mul",
        "i64x2.mul",
        "i32x4.dot_i16x8_s",
        "i8x16.narrow_i16x8_u",
        "i16x8.extmul_low_i8x16_s",
        "i64x2.gt_s",
        "f32x4.lt",
    ] {
        writeln!(text, "(v128.store (i32.const {at}) ({op} {a} {b}))")?;
        at += 16;
    }
    for op in [
        "f32x4.sqrt",
        "f32x4.ceil",
        "f32x4.floor",
        "f32x4.trunc",
        "f32x4.nearest",
        "f64x2.sqrt",
        "f64x2.nearest",
        "i8x16.popcnt",
        "i32x4.trunc_sat_f32x4_s",
        "i32x4.trunc_sat_f32x4_u",
        "i32x4.trunc_sat_f64x2_s_zero",
        "f32x4.convert_i32x4_u",
        "f64x2.convert_low_i32x4_u",
        "f32x4.demote_f64x2_zero",
        "f64x2.promote_low_f32x4",
        "i16x8.extadd_pairwise_i8x16_u",
        "i64x2.abs",
    ] {
        writeln!(text, "(v128.store (i32.const {at}) ({op} {a}))")?;
        at += 16;
    }
    Ok(())
}

/// Bytes that a case returns.
const RESULT: u32 = 1_024;

fn text() -> Result<String, std::fmt::Error> {
    let mut text = String::from(
        r#"(module
(memory (export "memory") 2 8)
(global $heap (mut i32) (i32.const 8192))
(global $depth (mut i32) (i32.const 0))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (local $at i32)
  (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
  (global.set $heap (i32.add (local.get $at) (local.get 3)))
  (local.get $at))
(func $deep (param i64) (result i64) (i64.add (i64.const 1) (call $deep (local.get 0))))
(func (export "construct") (param i32 i32) (result i32) (i32.const 1024))
(func (export "query") (param i32 i32) (result i32) (i32.const 1024))
"#,
    );
    text += "(func $scalars (param $at i32)\n";
    scalars(&mut text)?;
    text += ")\n(func $vectors (param $at i32)\n";
    vectors(&mut text)?;
    writeln!(
        text,
        r#")
(func (export "call") (param $at i32) (param $length i32) (result i32)
  (block $vectors (block $scalars (block $grow
  (block $trunc (block $table (block $deep (block $spin (block $bounds (block $zero (block $trap
    (br_table $trap $zero $bounds $spin $deep $table $trunc $grow $scalars $vectors (i32.load8_u (local.get $at))))
    unreachable)
    (drop (i32.div_s (local.get $at) (i32.sub (local.get $at) (local.get $at)))))
    (drop (i64.load (i32.const -8))))
    (loop $again (br $again)))
    (drop (call $deep (i64.const 1))))
    (call_indirect (i32.load8_u offset=1 (local.get $at))))
    (drop (i32.trunc_f64_s (f64.const nan))))
    (i32.store (i32.const 2048) (memory.grow (i32.const 3)))
    (i32.store (i32.const 2052) (memory.grow (i32.const 100000)))
    (i32.store (i32.const 2056) (memory.size))
    (return (call $result)))
    (call $scalars (local.get $at))
    (return (call $result)))
  (call $vectors (local.get $at))
  (call $result))
(table 4 funcref)
(func $result (result i32)
  (i32.store (i32.const 1024) (i32.const 0))
  (i32.store (i32.const 1028) (i32.const 2048))
  (i32.store (i32.const 1032) (i32.const {RESULT}))
  (i32.const 1024)))"#
    )?;
    Ok(text)
}

/// The module.
pub fn probe() -> Result<Vec<u8>, TrafficError> {
    let text = text().map_err(|_| TrafficError::Inconsistent("no text was written"))?;
    wat::parse_str(text).map_err(|error| TrafficError::Compile(error.to_string()))
}
