//! Each instruction at the price of its class.

use aivm::GasSchedule;

use super::super::draft::*;
use super::super::guest::frame;
use super::{REASON, around, prices, sum};

/// Plain instructions: a class, operand types and results, and those of that class and type. Types
/// are `i` for i32, `l` for i64, `f` for f32, `d` for f64, `v` for v128; `&` stands for a space.
const PLAIN: &str = "
integer i:i i32.eqz i32.clz i32.ctz i32.popcnt i32.extend8_s i32.extend16_s
integer ii:i i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u i32.add i32.sub i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr
integer l:i i64.eqz i32.wrap_i64
integer ll:i i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u
integer l:l i64.clz i64.ctz i64.popcnt i64.extend8_s i64.extend16_s i64.extend32_s
integer ll:l i64.add i64.sub i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr
integer i:l i64.extend_i32_s i64.extend_i32_u
integer f:i i32.reinterpret_f32
integer d:l i64.reinterpret_f64
integer i:f f32.reinterpret_i32
integer l:d f64.reinterpret_i64
multiply ii:i i32.mul
multiply ll:l i64.mul
divide ii:i i32.div_s i32.div_u i32.rem_s i32.rem_u
divide ll:l i64.div_s i64.div_u i64.rem_s i64.rem_u
float ff:i f32.eq f32.ne f32.lt f32.gt f32.le f32.ge
float dd:i f64.eq f64.ne f64.lt f64.gt f64.le f64.ge
float f:f f32.abs f32.neg
float d:d f64.abs f64.neg
float ff:f f32.add f32.sub f32.mul f32.copysign
float dd:d f64.add f64.sub f64.mul f64.copysign
float_divide ff:f f32.div
float_divide dd:d f64.div
float_sqrt f:f f32.sqrt
float_sqrt d:d f64.sqrt
float_round f:f f32.ceil f32.floor f32.trunc f32.nearest
float_round d:d f64.ceil f64.floor f64.trunc f64.nearest
float_round ff:f f32.min f32.max
float_round dd:d f64.min f64.max
convert f:i i32.trunc_f32_s i32.trunc_f32_u i32.trunc_sat_f32_s i32.trunc_sat_f32_u
convert d:i i32.trunc_f64_s i32.trunc_f64_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u
convert f:l i64.trunc_f32_s i64.trunc_f32_u i64.trunc_sat_f32_s i64.trunc_sat_f32_u
convert d:l i64.trunc_f64_s i64.trunc_f64_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u
convert i:f f32.convert_i32_s f32.convert_i32_u
convert l:f f32.convert_i64_s f32.convert_i64_u
convert i:d f64.convert_i32_s f64.convert_i32_u
convert l:d f64.convert_i64_s f64.convert_i64_u
convert d:f f32.demote_f64
convert f:d f64.promote_f32
load i:i i32.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u
load i:l i64.load i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u
load i:f f32.load
load i:d f64.load
store ii: i32.store i32.store8 i32.store16
store il: i64.store i64.store8 i64.store16 i64.store32
store if: f32.store
store id: f64.store
size :i memory.size
select iii:i select
select lli:l select
select ddi:d select
constant :i i32.const&-5
constant :l i64.const&-5
constant :f f32.const&1.5
constant :d f64.const&1.5
reference :r ref.null&func ref.null&extern
structure : nop block&end
";

/// Vector instructions, in the same way.
const VECTORS: &str = "
simd_memory i:v v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s v128.load32x2_u v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat v128.load32_zero v128.load64_zero
simd_memory iv: v128.store v128.store8_lane&1 v128.store16_lane&1 v128.store32_lane&1 v128.store64_lane&1
simd_memory iv:v v128.load8_lane&1 v128.load16_lane&1 v128.load32_lane&1 v128.load64_lane&1
simd_multiply vv:v i8x16.shuffle&0&1&2&3&4&5&6&7&8&9&10&11&12&13&14&15 i8x16.swizzle i16x8.q15mulr_sat_s i16x8.mul i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u i32x4.mul i32x4.dot_i16x8_s i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u i64x2.mul i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u f32x4.add f32x4.sub f32x4.mul f32x4.pmin f32x4.pmax f64x2.add f64x2.sub f64x2.mul f64x2.pmin f64x2.pmax
simd_multiply v:v i8x16.popcnt i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u
simd_multiply v:i i8x16.all_true
simd_multiply vi:v i8x16.shl i8x16.shr_s i8x16.shr_u i64x2.shr_s i64x2.shr_u
simd_divide v:v f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest f32x4.sqrt f64x2.ceil f64x2.floor f64x2.trunc f64x2.nearest f64x2.sqrt i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u f32x4.demote_f64x2_zero f64x2.promote_low_f32x4
simd_divide vv:v f32x4.div f32x4.min f32x4.max f64x2.div f64x2.min f64x2.max
simd v:i i8x16.extract_lane_s&1 i8x16.extract_lane_u&1 i16x8.extract_lane_s&1 i16x8.extract_lane_u&1 i32x4.extract_lane&1 v128.any_true i8x16.bitmask i16x8.all_true i16x8.bitmask i32x4.all_true i32x4.bitmask i64x2.all_true i64x2.bitmask
simd v:l i64x2.extract_lane&1
simd v:f f32x4.extract_lane&1
simd v:d f64x2.extract_lane&1
simd vi:v i8x16.replace_lane&1 i16x8.replace_lane&1 i32x4.replace_lane&1 i16x8.shl i16x8.shr_s i16x8.shr_u i32x4.shl i32x4.shr_s i32x4.shr_u i64x2.shl
simd vl:v i64x2.replace_lane&1
simd vf:v f32x4.replace_lane&1
simd vd:v f64x2.replace_lane&1
simd i:v i8x16.splat i16x8.splat i32x4.splat
simd l:v i64x2.splat
simd f:v f32x4.splat
simd d:v f64x2.splat
simd vvv:v v128.bitselect
simd v:v v128.not i8x16.abs i8x16.neg i16x8.abs i16x8.neg i32x4.abs i32x4.neg i64x2.abs i64x2.neg f32x4.abs f32x4.neg f64x2.abs f64x2.neg i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u
simd vv:v v128.and v128.andnot v128.or v128.xor i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u i8x16.le_s i8x16.le_u i8x16.ge_s i8x16.ge_u i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u i16x8.le_s i16x8.le_u i16x8.ge_s i16x8.ge_u i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u i8x16.avgr_u i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u i16x8.avgr_u i32x4.add i32x4.sub i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i64x2.add i64x2.sub
constant :v v128.const&i32x4&1&2&3&4
";

pub fn plain() -> File {
    instructions("instructions", PLAIN)
}

pub fn vectors() -> File {
    instructions("vectors", VECTORS)
}

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

fn instructions(name: &'static str, table: &str) -> File {
    let schedule = GasSchedule::v1();
    let prices = prices(&schedule);
    let mut file = File::new("metering", name, REASON);
    for line in table.trim().lines() {
        let mut words = line.split(' ');
        let class = words.next().unwrap();
        let (operands, results) = words.next().unwrap().split_once(':').unwrap();
        for name in words {
            let text = name.replace('&', " ");
            let mut body = String::new();
            for ty in operands.chars() {
                body += constant(ty);
                body.push(' ');
            }
            body += &text;
            body += &" drop".repeat(results.len());
            let inner = sum(&prices, &format!("{} constant, 1 {class}", operands.len()));
            let mut label = text.clone();
            label.truncate(40);
            if name == "select" {
                label = format!("select {operands}");
            }
            file.push(
                Draft::new(
                    format!("{label} costs `{class}`"),
                    format!(
                        "`{label}` costs the price of its class, and its operands that of constants."
                    ),
                )
                .install(frame("", "", &body))
                .call("c", [], executes(around(&schedule) + inner)),
            );
        }
    }
    file
}
