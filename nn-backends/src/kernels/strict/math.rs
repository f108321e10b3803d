//! Elementary functions from `+ − × ÷`, comparisons and the bits of a number: no branch, no table, no libm, so that a
//! loop over them vectorises and gives one result everywhere. Each is within 2 ulp of the exact value.

/// The one NaN that leaves this module.
const NAN: f32 = f32::from_bits(0x7fc0_0000);

/// `x`, with every NaN made one and −0 made +0.
#[inline(always)]
pub fn canonical(x: f32) -> f32 {
    if x.is_nan() { NAN } else { x + 0.0 }
}

/// `(((c₀·x + c₁)·x + …)`: coefficients from the highest power down.
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = 0.0;
    for (i, &c) in coefficients.iter().enumerate() {
        sum = if i == 0 { c } else { sum * x + c };
    }
    sum
}

/// 2ⁿ for n in −126..=127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) as u32) << 23)
}

/// ln 2 in two parts; the product of the first with a number of 14 bits is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -0.000_212_194_44;
/// Added and subtracted, it leaves a number rounded to an integer, held in its low bits in between.
const ROUND: f32 = 12_582_912.0;

/// eˣ.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Beyond these bounds the result is 0 or infinite.
    let bounded = if x > -104.0 { x } else { -104.0 };
    let bounded = if bounded < 89.0 { bounded } else { 89.0 };
    // x = n·ln 2 + r with |r| ≤ ln 2 / 2.
    let rounded = bounded * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let power = rounded
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .cast_signed();
    // The first part of r is exact; the second is added where the sum is still small.
    let (high, low) = (bounded - n * LN2_HIGH, n * LN2_LOW);
    let r = high - low;
    let q = polynomial(
        r,
        [
            1.990_811_7e-4,
            1.393_401_3e-3,
            8.333_285e-3,
            4.166_646_2e-2,
            0.166_666_67,
            0.5,
        ],
    );
    let e = 1.0 + (high + (r * r * q - low));
    // Two steps: 2ⁿ alone may be too large or too small for a normal number.
    let half = power >> 1;
    let y = e * power_of_two(half) * power_of_two(power - half);
    if x.is_nan() { NAN } else { y }
}

/// Natural logarithm.
#[inline(always)]
pub fn log(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let normal = if tiny { x * 8_388_608.0 } else { x };
    // x = m·2ᵏ with m between √½ and √2.
    let bits = normal.to_bits();
    let power = bits.wrapping_sub(0x3f35_04f3).cast_signed() >> 23;
    let m = f32::from_bits(bits.wrapping_sub((power << 23).cast_unsigned()));
    let k = (power - if tiny { 23 } else { 0 }) as f32;
    // log m = 2·artanh(s) = 2s + s·(⅔s² + …), written so that the large terms are exact.
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * polynomial(z, [2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0]);
    let square = 0.5 * f * f;
    let y = k * LN2_HIGH - ((square - (s * (square + r) + k * LN2_LOW)) - f);
    let y = if x == f32::INFINITY { x } else { y };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x >= 0.0 { y } else { NAN }
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    let quotient = numerator / (1.0 + e);
    // e / (1 + e) = e − e·e / (1 + e): where e is small, the error of the quotient is then smaller still.
    let y = if x < 0.0 && e < 0.25 {
        e - e * quotient
    } else {
        quotient
    };
    if x.is_nan() { NAN } else { y }
}

/// Hyperbolic tangent.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let magnitude = x.abs();
    let z = x * x;
    let p = polynomial(
        z,
        [
            2.376_266_2e-3,
            -8.415_03e-3,
            2.178_988_7e-2,
            -5.396_175_4e-2,
            0.133_333_14,
            -0.333_333_33,
        ],
    );
    let near = x + x * z * p;
    let far = (1.0 - 2.0 / (exp(2.0 * magnitude) + 1.0)).copysign(x);
    let y = if magnitude < 0.6 { near } else { far };
    if x.is_nan() { NAN } else { y }
}

/// The error function.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let magnitude = x.abs();
    let z = x * x;
    let p = polynomial(
        z,
        [
            7.889_12e-5,
            -8.020_841e-4,
            5.189_535e-3,
            -2.685_444_5e-2,
            0.112_836,
            -0.376_126_27,
            0.128_379_17,
        ],
    );
    let near = x + x * p;
    // Beyond 1: 1 − e⁻ᵖ, where p(x) = −ln(1 − erf x) is nearly a parabola. From 4 on the result is 1.
    let bounded = if magnitude < 4.0 { magnitude } else { 4.0 };
    let p = polynomial(
        bounded,
        [
            -2.513_268_6e-7,
            2.531_481_2e-5,
            -4.637_880_4e-4,
            4.282_383e-3,
            -2.537_355_6e-2,
            0.108_639,
            0.633_039_6,
            1.129_661_2,
            -2.043_599e-4,
        ],
    );
    let far = (1.0 - exp(-p)).copysign(x);
    let y = if magnitude < 1.0 { near } else { far };
    if x.is_nan() { NAN } else { y }
}
