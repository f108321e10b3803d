//! Gas of instructions, host functions and storage, against prices summed here.
//!
//! What a body costs is stated in words of the schedule: how many instructions of which class it
//! runs. Each contract has the same frame around it, whose cost is stated the same way, so that the
//! sum is the whole of a receipt's execution gas and not a difference of two runs.

use aivm::{GasSchedule, TrapCode};
use aivm_conformance::action::Message;
use aivm_conformance::outcome::Claim;
use serde_json::{Value, json};

use super::draft::*;
use super::guest::{imports, word};

/// How often a price is paid.
type Paid<'a> = (&'a str, u64);

/// A price by its name in `wasm`.
fn price(prices: &Value, name: &str) -> u64 {
    prices[name]
        .as_u64()
        .unwrap_or_else(|| panic!("no price {name}"))
}

fn sum(prices: &Value, paid: &[Paid<'_>]) -> u64 {
    paid.iter()
        .map(|(name, times)| price(prices, name) * times)
        .sum()
}

/// What a call without input costs around the body of `call`: the transaction, an instance with one
/// page, the allocator and the entry of `call` with the constant that it returns.
pub fn around(schedule: &GasSchedule) -> u64 {
    let wasm = serde_json::to_value(&schedule.wasm).unwrap();
    let call = &schedule.call;
    let function = [
        ("function_entry", 1),
        ("frame_per_64_words", 1),
        ("constant", 1),
    ];
    call.base + call.instance + call.instance_page + 2 * sum(&wasm, &function)
}

/// A contract whose `call` runs `body` and returns nothing. Its frames have less than 64 words.
fn contract(before: &str, locals: &str, body: &str) -> String {
    format!(
        "(module {before} (memory (export \"memory\") 1)
         (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 2048))
         (func (export \"construct\") (param i32 i32) (result i32) (i32.const 1024))
         (func (export \"query\") (param i32 i32) (result i32) (i32.const 1024))
         (func (export \"call\") (param i32 i32) (result i32) {locals} {body} (i32.const 1024)))"
    )
}

/// Plain instructions by class, with operand types and results: `i` for i32, `l` for i64, `f` for
/// f32, `d` for f64, `v` for v128.
const PLAIN: &[(&str, &str, &str)] = &[
    (
        "integer",
        "i:i",
        "i32.eqz i32.clz i32.ctz i32.popcnt i32.extend8_s i32.extend16_s",
    ),
    (
        "integer",
        "ii:i",
        "i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u i32.add i32.sub i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr",
    ),
    ("integer", "l:i", "i64.eqz i32.wrap_i64"),
    (
        "integer",
        "ll:i",
        "i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u",
    ),
    (
        "integer",
        "l:l",
        "i64.clz i64.ctz i64.popcnt i64.extend8_s i64.extend16_s i64.extend32_s",
    ),
    (
        "integer",
        "ll:l",
        "i64.add i64.sub i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr",
    ),
    ("integer", "i:l", "i64.extend_i32_s i64.extend_i32_u"),
    ("integer", "f:i", "i32.reinterpret_f32"),
    ("integer", "d:l", "i64.reinterpret_f64"),
    ("integer", "i:f", "f32.reinterpret_i32"),
    ("integer", "l:d", "f64.reinterpret_i64"),
    ("multiply", "ii:i", "i32.mul"),
    ("multiply", "ll:l", "i64.mul"),
    ("divide", "ii:i", "i32.div_s i32.div_u i32.rem_s i32.rem_u"),
    ("divide", "ll:l", "i64.div_s i64.div_u i64.rem_s i64.rem_u"),
    ("float", "ff:i", "f32.eq f32.ne f32.lt f32.gt f32.le f32.ge"),
    ("float", "dd:i", "f64.eq f64.ne f64.lt f64.gt f64.le f64.ge"),
    ("float", "f:f", "f32.abs f32.neg"),
    ("float", "d:d", "f64.abs f64.neg"),
    ("float", "ff:f", "f32.add f32.sub f32.mul f32.copysign"),
    ("float", "dd:d", "f64.add f64.sub f64.mul f64.copysign"),
    ("float_divide", "ff:f", "f32.div"),
    ("float_divide", "dd:d", "f64.div"),
    ("float_sqrt", "f:f", "f32.sqrt"),
    ("float_sqrt", "d:d", "f64.sqrt"),
    (
        "float_round",
        "f:f",
        "f32.ceil f32.floor f32.trunc f32.nearest",
    ),
    (
        "float_round",
        "d:d",
        "f64.ceil f64.floor f64.trunc f64.nearest",
    ),
    ("float_round", "ff:f", "f32.min f32.max"),
    ("float_round", "dd:d", "f64.min f64.max"),
    (
        "convert",
        "f:i",
        "i32.trunc_f32_s i32.trunc_f32_u i32.trunc_sat_f32_s i32.trunc_sat_f32_u",
    ),
    (
        "convert",
        "d:i",
        "i32.trunc_f64_s i32.trunc_f64_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u",
    ),
    (
        "convert",
        "f:l",
        "i64.trunc_f32_s i64.trunc_f32_u i64.trunc_sat_f32_s i64.trunc_sat_f32_u",
    ),
    (
        "convert",
        "d:l",
        "i64.trunc_f64_s i64.trunc_f64_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u",
    ),
    ("convert", "i:f", "f32.convert_i32_s f32.convert_i32_u"),
    ("convert", "l:f", "f32.convert_i64_s f32.convert_i64_u"),
    ("convert", "i:d", "f64.convert_i32_s f64.convert_i32_u"),
    ("convert", "l:d", "f64.convert_i64_s f64.convert_i64_u"),
    ("convert", "d:f", "f32.demote_f64"),
    ("convert", "f:d", "f64.promote_f32"),
    (
        "load",
        "i:i",
        "i32.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u",
    ),
    (
        "load",
        "i:l",
        "i64.load i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u",
    ),
    ("load", "i:f", "f32.load"),
    ("load", "i:d", "f64.load"),
    ("store", "ii:", "i32.store i32.store8 i32.store16"),
    (
        "store",
        "il:",
        "i64.store i64.store8 i64.store16 i64.store32",
    ),
    ("store", "if:", "f32.store"),
    ("store", "id:", "f64.store"),
    ("size", ":i", "memory.size"),
    ("select", "iii:i", "select"),
    ("select", "lli:l", "select"),
    ("select", "ddi:d", "select"),
    ("constant", ":i", "i32.const&-5"),
    ("constant", ":l", "i64.const&-5"),
    ("constant", ":f", "f32.const&1.5"),
    ("constant", ":d", "f64.const&1.5"),
    ("reference", ":r", "ref.null&func ref.null&extern"),
    ("structure", ":", "nop block&end"),
];

/// Vector instructions, in the same way.
const VECTORS: &[(&str, &str, &str)] = &[
    (
        "simd_memory",
        "i:v",
        "v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s v128.load32x2_u v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat v128.load32_zero v128.load64_zero",
    ),
    (
        "simd_memory",
        "iv:",
        "v128.store v128.store8_lane&1 v128.store16_lane&1 v128.store32_lane&1 v128.store64_lane&1",
    ),
    (
        "simd_memory",
        "iv:v",
        "v128.load8_lane&1 v128.load16_lane&1 v128.load32_lane&1 v128.load64_lane&1",
    ),
    (
        "simd_multiply",
        "vv:v",
        "i8x16.shuffle&0&1&2&3&4&5&6&7&8&9&10&11&12&13&14&15 i8x16.swizzle i16x8.q15mulr_sat_s i16x8.mul i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u i32x4.mul i32x4.dot_i16x8_s i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u i64x2.mul i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u f32x4.add f32x4.sub f32x4.mul f32x4.pmin f32x4.pmax f64x2.add f64x2.sub f64x2.mul f64x2.pmin f64x2.pmax",
    ),
    (
        "simd_multiply",
        "v:v",
        "i8x16.popcnt i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u",
    ),
    ("simd_multiply", "v:i", "i8x16.all_true"),
    (
        "simd_multiply",
        "vi:v",
        "i8x16.shl i8x16.shr_s i8x16.shr_u i64x2.shr_s i64x2.shr_u",
    ),
    (
        "simd_divide",
        "v:v",
        "f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest f32x4.sqrt f64x2.ceil f64x2.floor f64x2.trunc f64x2.nearest f64x2.sqrt i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u f32x4.demote_f64x2_zero f64x2.promote_low_f32x4",
    ),
    (
        "simd_divide",
        "vv:v",
        "f32x4.div f32x4.min f32x4.max f64x2.div f64x2.min f64x2.max",
    ),
    (
        "simd",
        "v:i",
        "i8x16.extract_lane_s&1 i8x16.extract_lane_u&1 i16x8.extract_lane_s&1 i16x8.extract_lane_u&1 i32x4.extract_lane&1 v128.any_true i8x16.bitmask i16x8.all_true i16x8.bitmask i32x4.all_true i32x4.bitmask i64x2.all_true i64x2.bitmask",
    ),
    ("simd", "v:l", "i64x2.extract_lane&1"),
    ("simd", "v:f", "f32x4.extract_lane&1"),
    ("simd", "v:d", "f64x2.extract_lane&1"),
    (
        "simd",
        "vi:v",
        "i8x16.replace_lane&1 i16x8.replace_lane&1 i32x4.replace_lane&1 i16x8.shl i16x8.shr_s i16x8.shr_u i32x4.shl i32x4.shr_s i32x4.shr_u i64x2.shl",
    ),
    ("simd", "vl:v", "i64x2.replace_lane&1"),
    ("simd", "vf:v", "f32x4.replace_lane&1"),
    ("simd", "vd:v", "f64x2.replace_lane&1"),
    ("simd", "i:v", "i8x16.splat i16x8.splat i32x4.splat"),
    ("simd", "l:v", "i64x2.splat"),
    ("simd", "f:v", "f32x4.splat"),
    ("simd", "d:v", "f64x2.splat"),
    ("simd", "vvv:v", "v128.bitselect"),
    (
        "simd",
        "v:v",
        "v128.not i8x16.abs i8x16.neg i16x8.abs i16x8.neg i32x4.abs i32x4.neg i64x2.abs i64x2.neg f32x4.abs f32x4.neg f64x2.abs f64x2.neg i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u",
    ),
    (
        "simd",
        "vv:v",
        "v128.and v128.andnot v128.or v128.xor i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u i8x16.le_s i8x16.le_u i8x16.ge_s i8x16.ge_u i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u i16x8.le_s i16x8.le_u i16x8.ge_s i16x8.ge_u i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u i8x16.avgr_u i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u i16x8.avgr_u i32x4.add i32x4.sub i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i64x2.add i64x2.sub",
    ),
    ("constant", ":v", "v128.const&i32x4&1&2&3&4"),
];

fn constant(ty: char) -> &'static str {
    match ty {
        'i' => "i32.const 8",
        'l' => "i64.const 9",
        'f' => "f32.const 1.5",
        'd' => "f64.const 2.5",
        'v' => "v128.const i32x4 1 2 3 4",
        other => panic!("no constant of {other}"),
    }
}

const REASON: &str = "The generator sums the schedule's prices over the instructions that run: \
    the class of each is in its table, from the table of classes in docs/gas.md and the schedule's \
    field documentation, and not from the code that instruments. Results of two engines agree.";

fn instructions(name: &'static str, table: &[(&str, &str, &str)]) -> File {
    let schedule = GasSchedule::v1();
    let prices = serde_json::to_value(&schedule.wasm).unwrap();
    let mut file = File::new("metering", name, REASON);
    for (class, signature, names) in table {
        let (operands, results) = signature.split_once(':').unwrap();
        for name in names.split(' ') {
            let text = name.replace('&', " ");
            let mut body = String::new();
            for ty in operands.chars() {
                body += constant(ty);
                body.push(' ');
            }
            body += &text;
            for _ in results.chars() {
                body += " drop";
            }
            let inner = [("constant", operands.len() as u64), (*class, 1)];
            let execution = around(&schedule) + sum(&prices, &inner);
            let code = contract("", "", &body);
            let mut label = text.clone();
            label.truncate(40);
            if name == "select" {
                label = format!("select {operands}");
            }
            let claim = Claim {
                execution: Some(execution),
                ..returns()
            };
            let draft = Draft::new(
                format!("{label} costs `{class}`"),
                format!(
                    "`{label}` costs the price of its class, and its operands that of constants."
                ),
            );
            let wasm = wat::parse_str(&code).unwrap_or_else(|e| panic!("{code}: {e}"));
            file.push(
                draft
                    .upload_bytes(wasm, Claim::accepted())
                    .deploy("c", "code", &[])
                    .call("c", [], claim),
            );
        }
    }
    file
}

/// Bodies with what they pay: name, rule, things before the functions, locals, body, what is paid.
type Body<'a> = (&'a str, String, &'a str, &'a str, String, Vec<Paid<'a>>);

fn control() -> File {
    let mut bodies: Vec<Body<'_>> = Vec::new();
    let mut add = |name: &'static str,
                   rule: &str,
                   before: &'static str,
                   locals: &'static str,
                   body: &str,
                   paid: &[Paid<'static>]| {
        bodies.push((
            name,
            rule.to_owned(),
            before,
            locals,
            body.to_owned(),
            paid.to_vec(),
        ));
    };
    add(
        "an empty body",
        "Only the frame around is paid for.",
        "",
        "",
        "",
        &[],
    );
    add(
        "locals are zeroed for a price",
        "Each declared local costs on entry.",
        "",
        "(local i32 i64 f32 f64)",
        "",
        &[("function_local", 4)],
    );
    add(
        "local instructions",
        "local.get, local.set and local.tee cost the same.",
        "",
        "(local i32)",
        "(local.set 2 (local.tee 2 (local.get 2)))",
        &[("function_local", 1), ("local", 3)],
    );
    add(
        "global instructions",
        "global.get and global.set cost the same.",
        "(global $g (mut i64) (i64.const 1))",
        "",
        "(global.set $g (global.get $g))",
        &[("global", 2)],
    );
    add(
        "if, taken",
        "Only the branch that runs is paid for.",
        "",
        "",
        "(if (i32.const 1) (then (drop (i32.mul (i32.const 1) (i32.const 2)))) (else (drop (i32.div_u (i32.const 1) (i32.const 2)))))",
        &[("constant", 3), ("branch", 1), ("multiply", 1)],
    );
    add(
        "if, not taken",
        "Only the branch that runs is paid for.",
        "",
        "",
        "(if (i32.const 0) (then (drop (i32.mul (i32.const 1) (i32.const 2)))) (else (drop (i32.div_u (i32.const 1) (i32.const 2)))))",
        &[("constant", 3), ("branch", 1), ("divide", 1)],
    );
    add(
        "if without else, not taken",
        "What is skipped costs nothing.",
        "",
        "",
        "(if (i32.const 0) (then (drop (i32.mul (i32.const 1) (i32.const 2)))))",
        &[("constant", 1), ("branch", 1)],
    );
    add(
        "br leaves a block",
        "What a branch jumps over costs nothing.",
        "",
        "",
        "(block (br 0) (drop (i32.div_u (i32.const 1) (i32.const 2))))",
        &[("branch", 1)],
    );
    add(
        "br_if, taken",
        "What a branch jumps over costs nothing.",
        "",
        "",
        "(block (br_if 0 (i32.const 1)) (drop (i32.div_u (i32.const 1) (i32.const 2))))",
        &[("constant", 1), ("branch", 1)],
    );
    add(
        "br_if, not taken",
        "A branch that is not taken is paid for, and what follows.",
        "",
        "",
        "(block (br_if 0 (i32.const 0)) (drop (i32.div_u (i32.const 1) (i32.const 2))))",
        &[("constant", 3), ("branch", 1), ("divide", 1)],
    );
    add(
        "br_table, first",
        "br_table has a price of its own.",
        "",
        "",
        "(block (block (block (br_table 0 1 2 (i32.const 0))) (drop (i32.mul (i32.const 1) (i32.const 2)))) (drop (i32.div_u (i32.const 1) (i32.const 2))))",
        &[
            ("constant", 5),
            ("branch_table", 1),
            ("multiply", 1),
            ("divide", 1),
        ],
    );
    add(
        "br_table, middle",
        "br_table has a price of its own.",
        "",
        "",
        "(block (block (block (br_table 0 1 2 (i32.const 1))) (drop (i32.mul (i32.const 1) (i32.const 2)))) (drop (i32.div_u (i32.const 1) (i32.const 2))))",
        &[("constant", 3), ("branch_table", 1), ("divide", 1)],
    );
    add(
        "br_table, default",
        "br_table has a price of its own.",
        "",
        "",
        "(block (block (block (br_table 0 1 2 (i32.const 77))) (drop (i32.mul (i32.const 1) (i32.const 2)))) (drop (i32.div_u (i32.const 1) (i32.const 2))))",
        &[("constant", 1), ("branch_table", 1)],
    );
    add(
        "return in the middle",
        "return costs a branch, and what follows nothing.",
        "",
        "",
        "(if (i32.const 1) (then (return (i32.const 1024)))) (drop (i32.div_u (i32.const 1) (i32.const 2))) (if (i32.const 1) (then))",
        &[("constant", 1), ("branch", 2)],
    );
    add(
        "a loop of one turn",
        "A loop pays for each turn.",
        "",
        "(local i32)",
        "(loop (local.set 2 (i32.add (local.get 2) (i32.const 1))) (br_if 0 (i32.lt_u (local.get 2) (i32.const 1))))",
        &[
            ("function_local", 1),
            ("local", 3),
            ("constant", 2),
            ("integer", 2),
            ("branch", 1),
        ],
    );
    for (name, turns) in [
        ("a loop of 2 turns", 2u64),
        ("a loop of 7 turns", 7),
        ("a loop of 100 turns", 100),
        ("a loop of 10,000 turns", 10_000),
    ] {
        bodies.push((name, "A loop pays for each turn.".to_owned(), "", "(local i32)",
            format!("(loop (local.set 2 (i32.add (local.get 2) (i32.const 1))) (br_if 0 (i32.lt_u (local.get 2) (i32.const {turns}))))"),
            vec![("function_local", 1), ("local", 3 * turns), ("constant", 2 * turns), ("integer", 2 * turns), ("branch", turns)]));
    }
    let callee = "(func $f (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))) (func $leaf) (type $t (func (param i32) (result i32))) (table 2 funcref) (elem (i32.const 0) $f)";
    let entered = [("function_entry", 1), ("frame_per_64_words", 1)];
    let mut with = |name: &'static str, rule: &str, body: &str, paid: &[Paid<'static>]| {
        let paid = [&entered, paid].concat();
        bodies.push((name, rule.to_owned(), callee, "", body.to_owned(), paid));
    };
    with(
        "call",
        "A call costs itself and the entry of what is called.",
        "(call $leaf)",
        &[("call", 1)],
    );
    with(
        "call with a result",
        "A call costs itself and what is called.",
        "(drop (call $f (i32.const 2)))",
        &[("call", 1), ("constant", 2), ("local", 1), ("multiply", 1)],
    );
    with(
        "call_indirect",
        "An indirect call has a price of its own.",
        "(drop (call_indirect (type $t) (i32.const 2) (i32.const 0)))",
        &[
            ("call_indirect", 1),
            ("constant", 3),
            ("local", 1),
            ("multiply", 1),
        ],
    );
    // Recursion, n deep.
    for (name, depth) in [
        ("recursion of 1", 1u64),
        ("recursion of 10", 10),
        ("recursion of 100", 100),
    ] {
        bodies.push((name, "Each call of a recursion is paid for.".to_owned(),
            "(func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))", "",
            format!("(call $down (i32.const {depth}))"),
            vec![("constant", 1 + depth), ("call", 1 + depth), ("function_entry", 1 + depth), ("frame_per_64_words", 1 + depth),
                 ("local", 1 + 2 * depth), ("branch", 1 + depth), ("integer", depth)]));
    }
    let table = "(table $t 10 funcref) (elem declare func $g) (func $g)";
    for (name, body, paid) in [
        ("table.size", "(drop (table.size $t))", vec![("size", 1)]),
        (
            "table.get",
            "(drop (table.get $t (i32.const 1)))",
            vec![("constant", 1), ("table", 1)],
        ),
        (
            "table.set",
            "(table.set $t (i32.const 1) (ref.null func))",
            vec![("constant", 1), ("reference", 1), ("table", 1)],
        ),
        ("ref.func", "(drop (ref.func $g))", vec![("reference", 1)]),
        (
            "ref.is_null",
            "(drop (ref.is_null (ref.null func)))",
            vec![("reference", 2)],
        ),
        (
            "typed select",
            "(drop (select (result funcref) (ref.null func) (ref.null func) (i32.const 1)))",
            vec![("reference", 2), ("constant", 1), ("select", 1)],
        ),
    ] {
        bodies.push((
            name,
            format!("`{name}` costs the price of its class."),
            table,
            "",
            body.to_owned(),
            paid,
        ));
    }
    finish("control", bodies)
}

fn dynamic() -> File {
    let mut bodies: Vec<Body<'static>> = Vec::new();
    for pages in [0u64, 1, 2, 15] {
        bodies.push((
            "memory.grow",
            format!("memory.grow pays for each of the {pages} pages that it asks for."),
            "",
            "",
            format!("(drop (memory.grow (i32.const {pages})))"),
            vec![("constant", 1), ("memory_grow", 1), ("memory_page", pages)],
        ));
    }
    let segment =
        "(data $d \"0123456789012345678901234567890123456789012345678901234567890123456789\")";
    for bytes in [0u64, 1, 63, 64, 65, 128, 129, 4_096] {
        let units = bytes.div_ceil(64);
        for name in ["memory.copy", "memory.fill"] {
            bodies.push((
                name,
                format!("{name} of {bytes} bytes pays for {units} times 64 bytes begun."),
                "",
                "",
                format!("({name} (i32.const 0) (i32.const 8192) (i32.const {bytes}))"),
                vec![("constant", 3), ("bulk", 1), ("bulk_per_64_bytes", units)],
            ));
        }
        if bytes <= 65 {
            bodies.push((
                "memory.init",
                format!("memory.init of {bytes} bytes pays for {units} times 64 bytes begun."),
                segment,
                "",
                format!("(memory.init $d (i32.const 0) (i32.const 0) (i32.const {bytes}))"),
                vec![("constant", 3), ("bulk", 1), ("bulk_per_64_bytes", units)],
            ));
        }
    }
    bodies.push((
        "data.drop",
        "data.drop costs a reference.".into(),
        segment,
        "",
        "(data.drop $d)".into(),
        vec![("reference", 1)],
    ));
    let table = "(table $t 100 200 funcref) (func $g) (elem $e func $g $g $g)";
    for elements in [0u64, 1, 2, 3] {
        bodies.push((
            "table.init",
            format!("table.init pays for each of {elements} elements."),
            table,
            "",
            format!("(table.init $t $e (i32.const 0) (i32.const 0) (i32.const {elements}))"),
            vec![
                ("constant", 3),
                ("table_bulk", 1),
                ("table_element", elements),
            ],
        ));
    }
    bodies.push((
        "elem.drop",
        "elem.drop costs a reference.".into(),
        table,
        "",
        "(elem.drop $e)".into(),
        vec![("reference", 1)],
    ));
    for elements in [0u64, 1, 7, 64, 100] {
        bodies.push((
            "table.fill",
            format!("table.fill pays for each of {elements} elements."),
            table,
            "",
            format!("(table.fill $t (i32.const 0) (ref.null func) (i32.const {elements}))"),
            vec![
                ("constant", 2),
                ("reference", 1),
                ("table_bulk", 1),
                ("table_element", elements),
            ],
        ));
        bodies.push((
            "table.copy",
            format!("table.copy pays for each of {elements} elements."),
            table,
            "",
            format!("(table.copy $t $t (i32.const 0) (i32.const 0) (i32.const {elements}))"),
            vec![
                ("constant", 3),
                ("table_bulk", 1),
                ("table_element", elements),
            ],
        ));
        bodies.push((
            "table.grow",
            format!("table.grow pays for each of {elements} elements, granted or not."),
            table,
            "",
            format!("(drop (table.grow $t (ref.null func) (i32.const {elements})))"),
            vec![
                ("constant", 1),
                ("reference", 1),
                ("table_bulk", 1),
                ("table_element", elements),
            ],
        ));
    }
    finish("dynamic", bodies)
}

fn finish(name: &'static str, bodies: Vec<Body<'_>>) -> File {
    let schedule = GasSchedule::v1();
    let prices = serde_json::to_value(&schedule.wasm).unwrap();
    let mut file = File::new("metering", name, REASON);
    for (number, (name, rule, before, locals, body, paid)) in bodies.into_iter().enumerate() {
        let execution = around(&schedule) + sum(&prices, &paid);
        let claim = Claim {
            execution: Some(execution),
            ..returns()
        };
        let exact = Message::new(ALICE, []).with_gas_limit(execution);
        let short = Message::new(ALICE, []).with_gas_limit(execution - 1);
        let wasm = wat::parse_str(contract(before, locals, &body))
            .unwrap_or_else(|e| panic!("{body}: {e}"));
        file.push(
            Draft::new(
                format!("{} {name}", number + 1),
                format!("{rule} The exact gas suffices; one less does not."),
            )
            .upload_bytes(wasm, Claim::accepted())
            .deploy("c", "code", &[])
            .call("c", [], claim.clone())
            .send("c", exact, claim)
            .send(
                "c",
                short,
                Claim {
                    total: Some(execution - 1),
                    ..traps(TrapCode::OutOfGas)
                },
            ),
        );
    }
    file
}

/// Each trap, with a body that meets it.
fn all_traps() -> File {
    let reason = "WebAssembly defines which instruction traps and why; a trap takes the whole limit of 900,000.";
    let mut file = File::new("metering", "traps", reason);
    let table = "(table 3 funcref) (func $g) (func $h (param i32)) (elem (i32.const 0) $g $h) (type $n (func)) (data $d \"0123\") (elem $e func $g)";
    for (name, code, body) in [
        ("unreachable", TrapCode::Unreachable, "unreachable"),
        ("an endless loop", TrapCode::OutOfGas, "(loop (br 0))"),
        (
            "a loop that does nothing costly",
            TrapCode::OutOfGas,
            "(loop nop (br 0))",
        ),
        (
            "i32.div_s by zero",
            TrapCode::DivisionByZero,
            "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
        ),
        (
            "i32.div_u by zero",
            TrapCode::DivisionByZero,
            "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
        ),
        (
            "i32.rem_s by zero",
            TrapCode::DivisionByZero,
            "(drop (i32.rem_s (i32.const 1) (i32.const 0)))",
        ),
        (
            "i32.rem_u by zero",
            TrapCode::DivisionByZero,
            "(drop (i32.rem_u (i32.const 1) (i32.const 0)))",
        ),
        (
            "i64.div_s by zero",
            TrapCode::DivisionByZero,
            "(drop (i64.div_s (i64.const 1) (i64.const 0)))",
        ),
        (
            "i64.div_u by zero",
            TrapCode::DivisionByZero,
            "(drop (i64.div_u (i64.const 1) (i64.const 0)))",
        ),
        (
            "i64.rem_s by zero",
            TrapCode::DivisionByZero,
            "(drop (i64.rem_s (i64.const 1) (i64.const 0)))",
        ),
        (
            "i64.rem_u by zero",
            TrapCode::DivisionByZero,
            "(drop (i64.rem_u (i64.const 1) (i64.const 0)))",
        ),
        (
            "i32.div_s of the least by -1",
            TrapCode::IntegerOverflow,
            "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
        ),
        (
            "i64.div_s of the least by -1",
            TrapCode::IntegerOverflow,
            "(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))",
        ),
        (
            "i32.trunc_f32_s of NaN",
            TrapCode::BadConversion,
            "(drop (i32.trunc_f32_s (f32.const nan)))",
        ),
        (
            "i64.trunc_f64_u of NaN",
            TrapCode::BadConversion,
            "(drop (i64.trunc_f64_u (f64.const nan)))",
        ),
        (
            "i32.trunc_f32_s of 2^31",
            TrapCode::IntegerOverflow,
            "(drop (i32.trunc_f32_s (f32.const 2147483648)))",
        ),
        (
            "i32.trunc_f64_u of -1",
            TrapCode::IntegerOverflow,
            "(drop (i32.trunc_f64_u (f64.const -1)))",
        ),
        (
            "i64.trunc_f32_s of infinity",
            TrapCode::IntegerOverflow,
            "(drop (i64.trunc_f32_s (f32.const inf)))",
        ),
        (
            "a load at the end",
            TrapCode::OutOfBoundsMemory,
            "(drop (i32.load (i32.const 65533)))",
        ),
        (
            "a load far away",
            TrapCode::OutOfBoundsMemory,
            "(drop (i32.load offset=0xffffffff (i32.const -1)))",
        ),
        (
            "a store at the end",
            TrapCode::OutOfBoundsMemory,
            "(i64.store (i32.const 65529) (i64.const 1))",
        ),
        (
            "a vector load at the end",
            TrapCode::OutOfBoundsMemory,
            "(drop (v128.load (i32.const 65521)))",
        ),
        (
            "memory.copy beyond the end",
            TrapCode::OutOfBoundsMemory,
            "(memory.copy (i32.const 65530) (i32.const 0) (i32.const 7))",
        ),
        (
            "memory.copy from beyond the end",
            TrapCode::OutOfBoundsMemory,
            "(memory.copy (i32.const 0) (i32.const 65530) (i32.const 7))",
        ),
        (
            "memory.copy of nothing beyond the end",
            TrapCode::OutOfBoundsMemory,
            "(memory.copy (i32.const 65537) (i32.const 0) (i32.const 0))",
        ),
        (
            "memory.fill beyond the end",
            TrapCode::OutOfBoundsMemory,
            "(memory.fill (i32.const 65536) (i32.const 0) (i32.const 1))",
        ),
        (
            "memory.init beyond the segment",
            TrapCode::OutOfBoundsMemory,
            "(memory.init $d (i32.const 0) (i32.const 1) (i32.const 4))",
        ),
        (
            "memory.init of a dropped segment",
            TrapCode::OutOfBoundsMemory,
            "(data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))",
        ),
        (
            "call_indirect beyond the table",
            TrapCode::OutOfBoundsTable,
            "(call_indirect (type $n) (i32.const 3))",
        ),
        (
            "call_indirect through nothing",
            TrapCode::IndirectCallNull,
            "(call_indirect (type $n) (i32.const 2))",
        ),
        (
            "call_indirect of another type",
            TrapCode::IndirectCallType,
            "(call_indirect (type $n) (i32.const 1))",
        ),
        (
            "table.get beyond the table",
            TrapCode::OutOfBoundsTable,
            "(drop (table.get 0 (i32.const 3)))",
        ),
        (
            "table.set beyond the table",
            TrapCode::OutOfBoundsTable,
            "(table.set 0 (i32.const 3) (ref.null func))",
        ),
        (
            "table.copy beyond the table",
            TrapCode::OutOfBoundsTable,
            "(table.copy 0 0 (i32.const 2) (i32.const 0) (i32.const 2))",
        ),
        (
            "table.fill beyond the table",
            TrapCode::OutOfBoundsTable,
            "(table.fill 0 (i32.const 2) (ref.null func) (i32.const 2))",
        ),
        (
            "table.init beyond the segment",
            TrapCode::OutOfBoundsTable,
            "(table.init 0 $e (i32.const 0) (i32.const 1) (i32.const 1))",
        ),
        (
            "table.init of a dropped segment",
            TrapCode::OutOfBoundsTable,
            "(elem.drop $e) (table.init 0 $e (i32.const 0) (i32.const 0) (i32.const 1))",
        ),
        (
            "memory.grow that nobody can pay",
            TrapCode::OutOfGas,
            "(drop (memory.grow (i32.const 1000)))",
        ),
        (
            "memory.grow of all that there is",
            TrapCode::OutOfGas,
            "(drop (memory.grow (i32.const -1)))",
        ),
        (
            "memory.fill that nobody can pay",
            TrapCode::OutOfGas,
            "(memory.fill (i32.const 0) (i32.const 0) (i32.const -1))",
        ),
        (
            "table.grow that nobody can pay",
            TrapCode::OutOfGas,
            "(drop (table.grow 0 (ref.null func) (i32.const -1)))",
        ),
    ] {
        let wasm =
            wat::parse_str(contract(table, "", body)).unwrap_or_else(|e| panic!("{body}: {e}"));
        let message = Message::new(ALICE, []).with_gas_limit(900_000);
        let claim = Claim {
            total: Some(900_000),
            ..traps(code)
        };
        file.push(
            Draft::new(
                name,
                format!("It traps as `{code}`, and a trap takes the whole gas limit."),
            )
            .upload_bytes(wasm, Claim::accepted())
            .deploy("c", "code", &[])
            .send("c", message, claim),
        );
    }
    let recursion = contract("(func $f (call $f))", "", "(call $f)");
    let message = Message::new(ALICE, []).with_gas_limit(1_000_000_000);
    file.push(
        Draft::new("endless recursion", "The logical stack ends before gas and before the native stack.")
            .reason("A function that calls itself without end cannot return; 131,072 words of stack are 8,192 frames of 16 words, whose gas is far below the limit.")
            .upload_bytes(wat::parse_str(recursion).unwrap(), Claim::accepted())
            .deploy("c", "code", &[])
            .send("c", message, Claim { total: Some(1_000_000_000), ..traps(TrapCode::StackLimit) }),
    );
    file
}

/// Host functions: base price, bytes of lists, and what storage costs.
fn host_functions() -> File {
    let reason = "The generator adds the schedule's base price of each host function that is called and its price for each byte of list contents, and the storage prices that docs/host-interface.md names.";
    let schedule = GasSchedule::v1();
    let host = |name: &str, bytes: u64| {
        let price = schedule.host_price(name).unwrap();
        price.base + price.per_byte * bytes
    };
    let storage = &schedule.storage;
    let kb = |price: u64, bytes: u64| (price * bytes).div_ceil(1024);
    let (w1, w2) = (word(1), word(2));
    let list = "(i32.const 64) (i32.const 10)";
    let out = "(i32.const 512)";
    let read = storage.read;
    let cases: Vec<(&str, &[&str], String, u64, u64)> = vec![
        (
            "accounts.balance",
            &["accounts.balance"],
            format!("(call $accounts.balance {w1} {out})"),
            host("accounts.balance", 0),
            0,
        ),
        (
            "accounts.transfer of nothing",
            &["accounts.transfer"],
            format!("(drop (call $accounts.transfer {w1} {} ))", word(0)),
            host("accounts.transfer", 0),
            0,
        ),
        (
            "accounts.transfer of too much",
            &["accounts.transfer"],
            format!("(drop (call $accounts.transfer {w1} {w2} ))"),
            host("accounts.transfer", 0),
            0,
        ),
        (
            "context.caller",
            &["context.caller"],
            format!("(call $context.caller {out})"),
            host("context.caller", 0),
            0,
        ),
        (
            "context.origin",
            &["context.origin"],
            format!("(call $context.origin {out})"),
            host("context.origin", 0),
            0,
        ),
        (
            "context.self-address",
            &["context.self-address"],
            format!("(call $context.self-address {out})"),
            host("context.self-address", 0),
            0,
        ),
        (
            "context.value",
            &["context.value"],
            format!("(call $context.value {out})"),
            host("context.value", 0),
            0,
        ),
        (
            "context.block-number",
            &["context.block-number"],
            "(drop (call $context.block-number))".into(),
            host("context.block-number", 0),
            0,
        ),
        (
            "context.block-timestamp",
            &["context.block-timestamp"],
            "(drop (call $context.block-timestamp))".into(),
            host("context.block-timestamp", 0),
            0,
        ),
        (
            "context.chain-id",
            &["context.chain-id"],
            "(drop (call $context.chain-id))".into(),
            host("context.chain-id", 0),
            0,
        ),
        (
            "context.gas-left",
            &["context.gas-left"],
            "(drop (call $context.gas-left))".into(),
            host("context.gas-left", 0),
            0,
        ),
        (
            "crypto.keccak256 of 10 bytes",
            &["crypto.keccak256"],
            format!("(call $crypto.keccak256 {list} {out})"),
            host("crypto.keccak256", 10),
            0,
        ),
        (
            "crypto.sha256 of 10 bytes",
            &["crypto.sha256"],
            format!("(call $crypto.sha256 {list} {out})"),
            host("crypto.sha256", 10),
            0,
        ),
        (
            "crypto.sha3-256 of 10 bytes",
            &["crypto.sha3-256"],
            format!("(call $crypto.sha3-256 {list} {out})"),
            host("crypto.sha3-256", 10),
            0,
        ),
        (
            "crypto.blake3 of 10 bytes",
            &["crypto.blake3"],
            format!("(call $crypto.blake3 {list} {out})"),
            host("crypto.blake3", 10),
            0,
        ),
        (
            "crypto.blake3 of nothing",
            &["crypto.blake3"],
            format!("(call $crypto.blake3 (i32.const 0) (i32.const 0) {out})"),
            host("crypto.blake3", 0),
            0,
        ),
        (
            "events.emit without topics",
            &["events.emit"],
            format!("(call $events.emit (i32.const 0) (i32.const 0) {list})"),
            host("events.emit", 10),
            0,
        ),
        (
            "events.emit with 4 topics",
            &["events.emit"],
            format!("(call $events.emit (i32.const 512) (i32.const 4) {list})"),
            host("events.emit", 138),
            0,
        ),
        (
            "journal.begin and commit",
            &["journal.begin", "journal.commit"],
            "(call $journal.begin) (call $journal.commit)".into(),
            host("journal.begin", 0) + host("journal.commit", 0),
            0,
        ),
        (
            "journal.begin and rollback",
            &["journal.begin", "journal.rollback"],
            "(call $journal.begin) (call $journal.rollback)".into(),
            host("journal.begin", 0) + host("journal.rollback", 0),
            0,
        ),
        (
            "log.debug of 10 bytes",
            &["log.debug"],
            format!("(call $log.debug {list})"),
            host("log.debug", 10),
            0,
        ),
        (
            "math.mul",
            &["math.mul"],
            format!("(call $math.mul {w1} {w2} {out})"),
            host("math.mul", 0),
            0,
        ),
        (
            "math.div",
            &["math.div"],
            format!("(call $math.div {w1} {w2} {out})"),
            host("math.div", 0),
            0,
        ),
        (
            "math.rem",
            &["math.rem"],
            format!("(call $math.rem {w1} {w2} {out})"),
            host("math.rem", 0),
            0,
        ),
        (
            "math.exp",
            &["math.exp"],
            format!("(call $math.exp {w1} {w2} {out})"),
            host("math.exp", 0),
            0,
        ),
        (
            "math.add-mod",
            &["math.add-mod"],
            format!("(call $math.add-mod {w1} {w2} {w1} {out})"),
            host("math.add-mod", 0),
            0,
        ),
        (
            "math.mul-mod",
            &["math.mul-mod"],
            format!("(call $math.mul-mod {w1} {w2} {w1} {out})"),
            host("math.mul-mod", 0),
            0,
        ),
        (
            "calls.allow-reentrancy",
            &["calls.allow-reentrancy"],
            "(call $calls.allow-reentrancy (i32.const 1))".into(),
            host("calls.allow-reentrancy", 0),
            0,
        ),
        (
            "storage.load of an absent entry",
            &["storage.load"],
            format!("(call $storage.load {w1} {out})"),
            host("storage.load", 0),
            read + kb(storage.read_per_kb, 32),
        ),
        (
            "storage.load, twice",
            &["storage.load"],
            format!("(call $storage.load {w1} {out}) (call $storage.load {w1} {out})"),
            2 * host("storage.load", 0),
            read + storage.read_warm + 2 * kb(storage.read_per_kb, 32),
        ),
        (
            "storage.store of a new entry",
            &["storage.store"],
            format!("(call $storage.store {w1} {w2})"),
            host("storage.store", 0),
            read + storage.write_new + kb(storage.per_kb, 64),
        ),
        (
            "storage.store of zero where nothing is",
            &["storage.store"],
            format!("(call $storage.store {w1} {})", word(0)),
            host("storage.store", 0),
            read,
        ),
        (
            "storage.store over an entry",
            &["storage.store"],
            format!("(call $storage.store {w1} {w2}) (call $storage.store {w1} {w1})"),
            2 * host("storage.store", 0),
            read + storage.write_new
                + storage.read_warm
                + storage.write
                + 2 * kb(storage.per_kb, 64),
        ),
        (
            "storage.store of the same again",
            &["storage.store"],
            format!("(call $storage.store {w1} {w2}) (call $storage.store {w1} {w2})"),
            2 * host("storage.store", 0),
            read + storage.write_new + storage.read_warm + kb(storage.per_kb, 64),
        ),
        (
            "storage.store of zero over an entry",
            &["storage.store"],
            format!(
                "(call $storage.store {w1} {w2}) (call $storage.store {w1} {})",
                word(0)
            ),
            2 * host("storage.store", 0),
            read + storage.write_new + kb(storage.per_kb, 64) + storage.read_warm + storage.remove,
        ),
        (
            "storage.store, then storage.load",
            &["storage.store", "storage.load"],
            format!("(call $storage.store {w1} {w2}) (call $storage.load {w1} {out})"),
            host("storage.store", 0) + host("storage.load", 0),
            read + storage.write_new
                + kb(storage.per_kb, 64)
                + storage.read_warm
                + kb(storage.read_per_kb, 64),
        ),
        (
            "storage.set of 10 and 10 bytes",
            &["storage.set"],
            format!("(call $storage.set {list} {list})"),
            host("storage.set", 20),
            read + storage.write_new + kb(storage.per_kb, 20),
        ),
        (
            "storage.set of an empty value",
            &["storage.set"],
            format!("(call $storage.set {list} (i32.const 0) (i32.const 0))"),
            host("storage.set", 10),
            read + storage.write_new + kb(storage.per_kb, 10),
        ),
        (
            "storage.get of an absent entry",
            &["storage.get"],
            format!("(call $storage.get {list} {out})"),
            host("storage.get", 10),
            read + kb(storage.read_per_kb, 10),
        ),
        (
            "storage.set, then storage.get",
            &["storage.set", "storage.get"],
            format!("(call $storage.set {list} {list}) (call $storage.get {list} {out})"),
            host("storage.set", 20) + host("storage.get", 20),
            read + storage.write_new
                + kb(storage.per_kb, 20)
                + storage.read_warm
                + kb(storage.read_per_kb, 20),
        ),
        (
            "storage.has of an absent entry",
            &["storage.has"],
            format!("(drop (call $storage.has {list}))"),
            host("storage.has", 10),
            read,
        ),
        (
            "storage.remove of an absent entry",
            &["storage.remove"],
            format!("(drop (call $storage.remove {list}))"),
            host("storage.remove", 10),
            read,
        ),
        (
            "storage.set, then storage.remove",
            &["storage.set", "storage.remove"],
            format!("(call $storage.set {list} {list}) (drop (call $storage.remove {list}))"),
            host("storage.set", 20) + host("storage.remove", 10),
            read + storage.write_new + kb(storage.per_kb, 20) + storage.read_warm + storage.remove,
        ),
    ];
    let more: Vec<(&str, &[&str], String, u64, u64)> = vec![
        (
            "crypto.address-of a key of 10 bytes",
            &["crypto.address-of"],
            format!("(call $crypto.address-of (i32.const 1) {list} {out})"),
            host("crypto.address-of", 10),
            0,
        ),
        (
            "crypto.verify-all of nothing",
            &["crypto.verify-all"],
            "(drop (call $crypto.verify-all (i32.const 0) (i32.const 0)))".into(),
            host("crypto.verify-all", 0),
            0,
        ),
        (
            "messaging.send of a first message",
            &["messaging.send"],
            format!("(drop (call $messaging.send (i64.const 9) {list} {list}))"),
            host("messaging.send", 20),
            read + kb(storage.read_per_kb, 29)
                + storage.read_warm
                + storage.write_new
                + kb(storage.per_kb, 37),
        ),
        (
            "messaging.peek of what never arrived",
            &["messaging.peek"],
            format!("(call $messaging.peek {w1} {out})"),
            host("messaging.peek", 0),
            read,
        ),
    ];
    let mut file = File::new("metering", "host", reason);
    for (name, keys, body, host, storage) in cases.into_iter().chain(more) {
        let wasm = wat::parse_str(contract(&imports(keys), "", &body))
            .unwrap_or_else(|e| panic!("{body}: {e}"));
        let claim = Claim {
            host: Some(host),
            storage: Some(storage),
            ..returns()
        };
        file.push(
            Draft::new(name, "A host function costs its base price and its price for each byte of lists; storage costs on top.")
                .upload_bytes(wasm, Claim::accepted())
                .deploy("c", "code", &[])
                .call("c", [], claim)
                .storage("c"),
        );
    }
    let price = schedule.host_price("context.revert").unwrap();
    let body = format!("(call $context.revert {list}) unreachable");
    let wasm = wat::parse_str(contract(&imports(&["context.revert"]), "", &body)).unwrap();
    let claim = Claim {
        host: Some(price.base + 10 * price.per_byte),
        ..reverts([0; 10])
    };
    file.push(
        Draft::new(
            "context.revert of 10 bytes",
            "A revert costs what was done, and gives the rest back.",
        )
        .upload_bytes(wasm, Claim::accepted())
        .deploy("c", "code", &[])
        .call("c", [], claim),
    );
    file
}

/// Transactions themselves, and schedules that change.
fn transactions() -> File {
    let schedule = GasSchedule::v1();
    let prices = serde_json::to_value(&schedule.wasm).unwrap();
    let reason = "The generator sums the schedule's prices, as it is with the vector's changes.";
    let mut file = File::new("metering", "schedules", reason);
    file.share_wat(
        "plain",
        &contract("", "", "(drop (i32.add (i32.const 1) (i32.const 2)))"),
    );
    let inner = sum(&prices, &[("constant", 2), ("integer", 1)]);
    let base = around(&schedule) + inner;
    for bytes in [0u64, 1, 32, 1_000] {
        let execution = base + schedule.call.per_input_byte * bytes;
        file.push(
            Draft::new(
                format!("{bytes} bytes of input"),
                "Each byte of call data costs.",
            )
            .upload("plain")
            .deploy("c", "plain", &[])
            .call(
                "c",
                vec![7; bytes as usize],
                Claim {
                    execution: Some(execution),
                    ..returns()
                },
            ),
        );
    }
    for name in [
        "constant",
        "integer",
        "function_entry",
        "frame_per_64_words",
    ] {
        for value in [1u64, 2, 3, 5, 1_000] {
            let mut changed = schedule.clone();
            let mut all = prices.clone();
            all[name] = json!(value);
            changed.wasm = serde_json::from_value(all.clone()).unwrap();
            let execution = around(&changed) + sum(&all, &[("constant", 2), ("integer", 1)]);
            file.push(
                Draft::new(
                    format!("`{name}` at {value}"),
                    "Prices come from the schedule, none is built in.",
                )
                .chain(chain_with(&[(&format!("wasm/{name}"), json!(value))]))
                .upload("plain")
                .deploy("c", "plain", &[])
                .call(
                    "c",
                    [],
                    Claim {
                        execution: Some(execution),
                        ..returns()
                    },
                ),
            );
        }
    }
    // A schedule that changes between two blocks, and back.
    for (path, name, value) in [
        ("wasm/integer", "integer", 50u64),
        ("wasm/constant", "constant", 9),
        ("wasm/function_entry", "function_entry", 77),
    ] {
        let mut all = prices.clone();
        all[name] = json!(value);
        let mut changed = schedule.clone();
        changed.wasm = serde_json::from_value(all.clone()).unwrap();
        let after = around(&changed) + sum(&all, &[("constant", 2), ("integer", 1)]);
        let mut chain = chain();
        chain
            .schedules
            .insert(200, [(path.to_owned(), json!(value))].into());
        chain.schedules.insert(300, [].into());
        let block = |number| aivm_conformance::action::Action::Block {
            number,
            timestamp: TIME + number,
        };
        let claim = |execution| Claim {
            execution: Some(execution),
            ..returns()
        };
        file.push(
            Draft::new(
                format!("`{name}` rises at height 200"),
                "Code that is cached for one schedule never runs under another.",
            )
            .chain(chain)
            .upload("plain")
            .deploy("c", "plain", &[])
            .call("c", [], claim(base))
            .step(block(199), Claim::default())
            .call("c", [], claim(base))
            .step(block(200), Claim::default())
            .call("c", [], claim(after))
            .step(block(300), Claim::default())
            .call("c", [], claim(base)),
        );
    }
    file
}

pub fn files() -> Vec<File> {
    vec![
        instructions("instructions", PLAIN),
        instructions("vectors", VECTORS),
        control(),
        dynamic(),
        all_traps(),
        host_functions(),
        transactions(),
    ]
}
