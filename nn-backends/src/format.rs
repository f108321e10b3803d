//! Number formats narrower than the types that carry them inside a model.
//!
//! Elements of a narrow float format are computed as `f32` and rounded to the format after every operator
//! of the model file; elements of 2 and 4 bits are carried in 8.

use crate::tensor::ElementType;

/// A floating-point format of at most 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum Format {
    /// IEEE 754 binary16.
    F16,
    /// The upper half of a binary32.
    BF16,
    F8E4M3FN,
    F8E4M3FNUZ,
    F8E5M2,
    F8E5M2FNUZ,
    F4E2M1,
    /// Powers of two only; numbers in between are rounded up.
    F8E8M0,
}

/// What a format does beyond its greatest number.
#[derive(Clone, Copy, PartialEq)]
enum Beyond {
    Infinity,
    Nan,
    Greatest,
}

/// Bits of the fraction, least exponent of a normal number, greatest number.
struct Parameters {
    fraction: i32,
    least: i32,
    greatest: f64,
}

impl Format {
    fn parameters(self) -> Parameters {
        let p = |fraction, least, greatest| Parameters {
            fraction,
            least,
            greatest,
        };
        match self {
            Format::F16 => p(10, -14, 65504.0),
            Format::BF16 => p(7, -126, 3.389_531_389_251_535_5e38),
            Format::F8E4M3FN => p(3, -6, 448.0),
            Format::F8E4M3FNUZ => p(3, -7, 240.0),
            Format::F8E5M2 => p(2, -14, 57344.0),
            Format::F8E5M2FNUZ => p(2, -15, 57344.0),
            Format::F4E2M1 => p(1, 0, 6.0),
            Format::F8E8M0 => p(0, -127, 1.701_411_834_604_692_3e38),
        }
    }

    fn beyond(self, saturate: bool) -> Beyond {
        match self {
            Format::F16 | Format::BF16 => Beyond::Infinity,
            Format::F4E2M1 => Beyond::Greatest,
            _ if saturate => Beyond::Greatest,
            Format::F8E5M2 => Beyond::Infinity,
            _ => Beyond::Nan,
        }
    }

    /// Stable name.
    pub fn name(self) -> &'static str {
        match self {
            Format::F16 => "f16",
            Format::BF16 => "bf16",
            Format::F8E4M3FN => "f8e4m3fn",
            Format::F8E4M3FNUZ => "f8e4m3fnuz",
            Format::F8E5M2 => "f8e5m2",
            Format::F8E5M2FNUZ => "f8e5m2fnuz",
            Format::F4E2M1 => "f4e2m1",
            Format::F8E8M0 => "f8e8m0",
        }
    }

    /// The number of the format that is nearest to `x`, ties to even. Beyond the greatest one: the
    /// greatest if `saturate`, else infinity or, where the format has none, NaN.
    pub fn round(self, x: f32, saturate: bool) -> f32 {
        if x.is_nan() {
            // F4E2M1 has no NaN; the standard leaves the result open.
            return if self == Format::F4E2M1 { 0.0 } else { x };
        }
        let Parameters {
            fraction,
            least,
            greatest,
        } = self.parameters();
        if self == Format::F8E8M0 && x < 0.0 {
            return f32::NAN;
        }
        // Everything below is exact in `f64`: an `f32` has 24 bits, and only powers of two are involved.
        let x = f64::from(x);
        let magnitude = x.abs();
        let rounded = if magnitude.is_infinite() {
            magnitude
        } else if self == Format::F8E8M0 {
            power_of_two(magnitude)
        } else {
            let exponent = exponent(magnitude).max(least);
            let unit = 2f64.powi(exponent - fraction);
            (magnitude / unit).round_ties_even() * unit
        };
        let bounded = if rounded > greatest {
            match self.beyond(saturate) {
                Beyond::Greatest => greatest,
                Beyond::Infinity => f64::INFINITY,
                Beyond::Nan => return f32::NAN,
            }
        } else {
            rounded
        };
        bounded.copysign(x) as f32
    }

    /// The number that these bits mean.
    pub(crate) fn decode(self, bits: u16) -> f32 {
        let Parameters {
            fraction, least, ..
        } = self.parameters();
        let width = match self {
            Format::F16 | Format::BF16 => 16,
            Format::F4E2M1 => 4,
            _ => 8,
        };
        let bits = i32::from(bits) & ((1 << width) - 1);
        if self == Format::F8E8M0 {
            return if bits == 255 {
                f32::NAN
            } else {
                2f64.powi(bits - 127) as f32
            };
        }
        let sign = bits >> (width - 1);
        let magnitude = bits & ((1 << (width - 1)) - 1);
        let (exponent, mantissa) = (magnitude >> fraction, magnitude & ((1 << fraction) - 1));
        let all_ones = exponent == (1 << (width - 1 - fraction)) - 1;
        let special = match self {
            Format::F16 | Format::BF16 | Format::F8E5M2 => all_ones,
            Format::F8E4M3FN => all_ones && mantissa == 7,
            // Negative zero is the one NaN.
            Format::F8E4M3FNUZ | Format::F8E5M2FNUZ if sign == 1 && magnitude == 0 => {
                return f32::NAN;
            }
            _ => false,
        };
        let value = if special {
            if mantissa == 0 {
                f64::INFINITY
            } else {
                return f32::NAN;
            }
        } else if exponent == 0 {
            f64::from(mantissa) * 2f64.powi(least - fraction)
        } else {
            f64::from(mantissa + (1 << fraction)) * 2f64.powi(exponent - 1 + least - fraction)
        };
        (if sign == 1 { -value } else { value }) as f32
    }
}

/// ⌊log₂ x⌋ of a positive finite number; −1023 for 0.
fn exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52) as i32 & 0x7ff) - 1023
}

/// The least power of two that is not less than a number; 2⁻¹²⁷ at least.
fn power_of_two(x: f64) -> f64 {
    let below = exponent(x).max(-127);
    let unit = 2f64.powi(below);
    if x > unit { unit * 2.0 } else { unit }
}

/// A type of the model file that is carried by one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Narrow {
    /// Carried by `f32`.
    Float(Format),
    /// An integer of 2 or 4 bits, carried by `i8` or `u8`.
    Int { bits: u32, signed: bool },
}

impl Narrow {
    /// The type that carries this one.
    pub fn carrier(self) -> ElementType {
        match self {
            Narrow::Float(_) => ElementType::F32,
            Narrow::Int { signed: true, .. } => ElementType::I8,
            Narrow::Int { signed: false, .. } => ElementType::U8,
        }
    }

    /// Bits of an element in the file.
    pub fn bits(self) -> u32 {
        match self {
            Narrow::Float(Format::F16 | Format::BF16) => 16,
            Narrow::Float(Format::F4E2M1) => 4,
            Narrow::Float(_) => 8,
            Narrow::Int { bits, .. } => bits,
        }
    }

    /// Least and greatest integer.
    pub fn range(self) -> (i32, i32) {
        match self {
            Narrow::Int { bits, signed: true } => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
            Narrow::Int { bits, .. } => (0, (1 << bits) - 1),
            Narrow::Float(_) => (i32::MIN, i32::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Format; 8] = [
        Format::F16,
        Format::BF16,
        Format::F8E4M3FN,
        Format::F8E4M3FNUZ,
        Format::F8E5M2,
        Format::F8E5M2FNUZ,
        Format::F4E2M1,
        Format::F8E8M0,
    ];

    #[test]
    fn every_number_of_a_format_is_its_own_nearest() {
        for format in ALL {
            for bits in 0..=u16::MAX {
                let x = format.decode(bits);
                if x.is_finite() {
                    let y = format.round(x, true);
                    assert_eq!(y.to_bits(), x.to_bits(), "{format:?} {bits:#x}");
                }
            }
        }
    }

    #[test]
    fn halves_are_known_numbers() {
        // IEEE 754-2019, and the greatest and least numbers of the OCP 8-bit formats.
        assert_eq!(Format::F16.decode(0x3c00), 1.0);
        assert_eq!(Format::F16.decode(0xfbff), -65504.0);
        assert_eq!(Format::F16.decode(0x0001), 2f32.powi(-24));
        assert_eq!(Format::F16.decode(0x7c00), f32::INFINITY);
        assert_eq!(Format::BF16.decode(0x3f80), 1.0);
        assert_eq!(Format::F8E4M3FN.decode(0x7e), 448.0);
        assert!(Format::F8E4M3FN.decode(0x7f).is_nan());
        assert_eq!(Format::F8E5M2.decode(0x7b), 57344.0);
        assert_eq!(Format::F8E5M2.decode(0x7c), f32::INFINITY);
        assert!(Format::F8E5M2FNUZ.decode(0x80).is_nan());
        assert_eq!(Format::F4E2M1.decode(0xf), -6.0);
        assert_eq!(Format::F8E8M0.decode(127), 1.0);
    }

    #[test]
    fn rounding_is_to_nearest_even_and_bounded() {
        // 2049 lies between 2048 and 2050, 2051 between 2050 and 2052.
        assert_eq!(Format::F16.round(2049.0, true), 2048.0);
        assert_eq!(Format::F16.round(2051.0, true), 2052.0);
        assert_eq!(Format::F16.round(65519.0, true), 65504.0);
        assert_eq!(Format::F16.round(65520.0, true), f32::INFINITY);
        assert_eq!(Format::F16.round(1e-8, true), 0.0);
        assert_eq!(Format::F8E4M3FN.round(1000.0, true), 448.0);
        assert!(Format::F8E4M3FN.round(1000.0, false).is_nan());
        assert_eq!(Format::F8E5M2.round(-1e9, false), f32::NEG_INFINITY);
        assert_eq!(Format::F4E2M1.round(f32::NEG_INFINITY, false), -6.0);
        assert!(Format::BF16.round(f32::NAN, true).is_nan());
    }
}
