//! Sums and products of two 8-bit tensors with quantisations of their own.
//!
//! The rule is exact: the real number `(a − a_zero)·A + (b − b_zero)·B`, or `(a − a_zero)·(b − b_zero)·S`, rounded once,
//! to nearest, ties to even. Double precision computes it without error: a product of a 9-bit difference (18 bits for
//! two) and a 24-bit scale has at most 42 bits, and scales further apart than 2¹⁹ are refused.

use super::error::{KernelError, expect_len};
use super::gemm::Bytes;
use super::isa::Isa;
use super::multiversion::compile_for_each_isa;
use super::requantize::ByteType;
use super::strict::with_default_environment;

/// Which operation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Add(f64, f64),
    Mul(f64),
}

/// A sum or a product of 8-bit tensors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Binary {
    operation: Operation,
    zeros: [i32; 2],
    zero: i32,
    low: i32,
    high: i32,
}

impl Binary {
    /// `clamp(zero + RNE((a − zeros[0])·scales[0] + (b − zeros[1])·scales[1]))`, where each scale is the quotient of an
    /// input's scale and the output's.
    ///
    /// # Errors
    /// When a scale is not finite and above zero, the scales are further apart than 2¹⁹, or a zero point is outside
    /// any 8-bit type.
    pub fn add(
        scales: [f32; 2],
        zeros: [i32; 2],
        zero: i32,
        ty: ByteType,
    ) -> Result<Self, KernelError> {
        let [a, b] = scales;
        check(a, zeros)?;
        check(b, [zero; 2])?;
        // The factor keeps the least bit of the smaller product within 53 bits of the greatest of the larger.
        if f64::from(a) / f64::from(b) > 524_288.0 || f64::from(b) / f64::from(a) > 524_288.0 {
            return Err(KernelError::Scale);
        }
        Ok(Self::new(
            Operation::Add(a.into(), b.into()),
            zeros,
            zero,
            ty,
        ))
    }

    /// `clamp(zero + RNE((a − zeros[0])·(b − zeros[1])·scale))`, where the scale is the product of the inputs' scales
    /// over the output's.
    ///
    /// # Errors
    /// When the scale is not finite and above zero, or a zero point is outside any 8-bit type.
    pub fn mul(scale: f32, zeros: [i32; 2], zero: i32, ty: ByteType) -> Result<Self, KernelError> {
        check(scale, zeros)?;
        check(scale, [zero; 2])?;
        Ok(Self::new(Operation::Mul(scale.into()), zeros, zero, ty))
    }

    fn new(operation: Operation, zeros: [i32; 2], zero: i32, ty: ByteType) -> Self {
        let (low, high) = ty.range();
        Self {
            operation,
            zeros,
            zero,
            low,
            high,
        }
    }

    /// The definition, for one pair of elements.
    pub fn element(&self, a: i32, b: i32) -> i32 {
        let (a, b) = (f64::from(a - self.zeros[0]), f64::from(b - self.zeros[1]));
        match self.operation {
            Operation::Add(sa, sb) => self.finish(a * sa + b * sb),
            Operation::Mul(scale) => self.finish(a * b * scale),
        }
    }

    #[inline(always)]
    fn finish(&self, x: f64) -> i32 {
        // Added and subtracted, it leaves a number rounded to an integer, held in its low bits in between.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        let x = if x > -1000.0 { x } else { -1000.0 };
        let x = if x < 1000.0 { x } else { 1000.0 };
        let rounded = (x + ROUND).to_bits() as i32;
        (rounded + self.zero).clamp(self.low, self.high)
    }

    /// Computes the bits of each output; an operand of one element serves all.
    ///
    /// # Errors
    /// When an operand has neither one element nor as many as the output.
    pub fn run(
        &self,
        isa: Isa,
        a: Bytes<'_>,
        b: Bytes<'_>,
        out: &mut [u8],
    ) -> Result<(), KernelError> {
        for (what, operand) in [("the first operand", a), ("the second operand", b)] {
            if operand.len() != 1 {
                expect_len(what, operand.len(), out.len())?;
            }
        }
        // A signed element is its bits, the sign bit flipped, less 128.
        let sign = |x: Bytes<'_>| if x.is_signed() { 0x80 } else { 0 };
        let signs = [sign(a), sign(b)];
        with_default_environment(|| run_on(isa, self, a.bits(), b.bits(), signs, out));
        Ok(())
    }
}

/// The scale must be a positive number, the zero points within some 8-bit type.
fn check(scale: f32, zeros: [i32; 2]) -> Result<(), KernelError> {
    if !scale.is_normal() || scale <= 0.0 {
        return Err(KernelError::Scale);
    }
    match zeros.into_iter().find(|zero| !(-128..=255).contains(zero)) {
        Some(zero) => Err(KernelError::ZeroPoint(zero)),
        None => Ok(()),
    }
}

compile_for_each_isa!(
    fn run_on(binary: &Binary, a: &[u8], b: &[u8], signs: [u8; 2], out: &mut [u8]) = run_inner
);

#[inline(always)]
fn run_inner(binary: &Binary, a: &[u8], b: &[u8], signs: [u8; 2], out: &mut [u8]) {
    let offsets = [0, 1].map(|i| binary.zeros[i] + i32::from(signs[i]));
    let difference = |x: u8, i: usize| f64::from(i32::from(x ^ signs[i]) - offsets[i]);
    match binary.operation {
        Operation::Add(sa, sb) => pairs(a, b, out, |a, b| {
            binary.finish(difference(a, 0) * sa + difference(b, 1) * sb) as u8
        }),
        Operation::Mul(scale) => pairs(a, b, out, |a, b| {
            binary.finish(difference(a, 0) * difference(b, 1) * scale) as u8
        }),
    }
}

#[inline(always)]
fn pairs(a: &[u8], b: &[u8], out: &mut [u8], f: impl Fn(u8, u8) -> u8) {
    match (a, b) {
        (&[a], &[b]) => out.fill(f(a, b)),
        (&[a], b) => out.iter_mut().zip(b).for_each(|(out, &b)| *out = f(a, b)),
        (a, &[b]) => out.iter_mut().zip(a).for_each(|(out, &a)| *out = f(a, b)),
        (a, b) => out
            .iter_mut()
            .zip(a.iter().zip(b))
            .for_each(|(out, (&a, &b))| *out = f(a, b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scale as `m · 2ˢ`.
    fn parts(scale: f32) -> (i128, i32) {
        let bits = scale.to_bits();
        (
            i128::from(bits & 0x7f_ffff | 1 << 23),
            (bits >> 23) as i32 - 150,
        )
    }

    /// `clamp(zero + RNE(x · 2^power))`.
    fn round(x: i128, power: i32, zero: i32, ty: ByteType) -> i32 {
        let (low, high) = ty.range();
        let rounded = if power >= 0 {
            (x.signum() * x.abs().min(1 << 20)) << power.min(60)
        } else if power < -110 {
            0
        } else {
            let divisor = 1i128 << -power;
            let (quotient, rest) = (x.div_euclid(divisor), x.rem_euclid(divisor));
            quotient + i128::from(rest * 2 > divisor || rest * 2 == divisor && quotient % 2 != 0)
        };
        (rounded + i128::from(zero)).clamp(low.into(), high.into()) as i32
    }

    fn all(binary: &Binary, exact: impl Fn(i128, i128) -> i32, ty: ByteType, signed: [bool; 2]) {
        let all: Vec<u8> = (0..=255).collect();
        let all_signed: Vec<i8> = all.iter().map(|&x| x.cast_signed()).collect();
        for isa in Isa::available() {
            let mut out = [0; 256];
            for b in 0..=255u8 {
                let a = if signed[0] {
                    Bytes::I8(&all_signed)
                } else {
                    Bytes::U8(&all)
                };
                let (b, other) = if signed[1] {
                    (i32::from(b.cast_signed()), [b; 256])
                } else {
                    (b.into(), [b; 256])
                };
                let other_signed = other.map(u8::cast_signed);
                let other = if signed[1] {
                    Bytes::I8(&other_signed)
                } else {
                    Bytes::U8(&other)
                };
                binary.run(isa, a, other, &mut out).unwrap();
                for (i, &y) in out.iter().enumerate() {
                    let y = if ty == ByteType::I8 {
                        i32::from(y.cast_signed())
                    } else {
                        y.into()
                    };
                    assert_eq!(
                        y,
                        exact(a.get(i).into(), b.into()),
                        "{binary:?} {i} {b} on {isa:?}"
                    );
                    assert_eq!(y, binary.element(a.get(i), b));
                }
            }
        }
    }

    #[test]
    fn every_pair_of_elements_equals_the_exact_rule() {
        for (scales, zeros, zero, ty) in [
            ([0.5, 0.25], [128, 3], 7, ByteType::U8),
            ([1.3, 0.7], [0, -5], 0, ByteType::I8),
            ([0.001, 500.0], [255, 0], 255, ByteType::U8),
            ([1e30, 1e30], [4, 4], 0, ByteType::U8),
            ([1e-30, 1e-32], [4, 4], 0, ByteType::U8),
        ] {
            let binary = Binary::add(scales, zeros, zero, ty).unwrap();
            let ((ma, ea), (mb, eb)) = (parts(scales[0]), parts(scales[1]));
            let least = ea.min(eb);
            let exact = |a: i128, b: i128| {
                let sum = (((a - i128::from(zeros[0])) * ma) << (ea - least))
                    + (((b - i128::from(zeros[1])) * mb) << (eb - least));
                round(sum, least, zero, ty)
            };
            all(&binary, exact, ty, [false, zeros[1] < 0]);
        }
        for (scale, zeros, zero, ty) in [
            (0.5, [128, 3], 7, ByteType::U8),
            (0.0078125, [0, -5], 0, ByteType::I8),
            (0.013, [-128, 90], 1, ByteType::I8),
        ] {
            let binary = Binary::mul(scale, zeros, zero, ty).unwrap();
            let (m, e) = parts(scale);
            let exact = |a: i128, b: i128| {
                round(
                    (a - i128::from(zeros[0])) * (b - i128::from(zeros[1])) * m,
                    e,
                    zero,
                    ty,
                )
            };
            all(&binary, exact, ty, [zeros[0] < 0, zeros[1] < 0]);
        }
    }

    #[test]
    fn one_element_serves_all() {
        let binary = Binary::add([1.0, 1.0], [0, 0], 0, ByteType::U8).unwrap();
        let mut out = [0; 3];
        binary
            .run(
                Isa::best(),
                Bytes::U8(&[1, 2, 3]),
                Bytes::U8(&[5]),
                &mut out,
            )
            .unwrap();
        assert_eq!(out, [6, 7, 8]);
        binary
            .run(
                Isa::best(),
                Bytes::I8(&[-5]),
                Bytes::U8(&[1, 20, 3]),
                &mut out,
            )
            .unwrap();
        assert_eq!(out, [0, 15, 0]);
        assert!(
            binary
                .run(Isa::best(), Bytes::U8(&[1, 2]), Bytes::U8(&[5]), &mut out)
                .is_err()
        );
    }

    #[test]
    fn bad_parameters_are_refused() {
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-40] {
            assert_eq!(
                Binary::mul(scale, [0; 2], 0, ByteType::U8),
                Err(KernelError::Scale)
            );
            assert_eq!(
                Binary::add([1.0, scale], [0; 2], 0, ByteType::U8),
                Err(KernelError::Scale)
            );
        }
        assert_eq!(
            Binary::add([1.0, 1e-7], [0; 2], 0, ByteType::U8),
            Err(KernelError::Scale)
        );
        assert_eq!(
            Binary::mul(1.0, [0, 256], 0, ByteType::U8),
            Err(KernelError::ZeroPoint(256))
        );
    }
}
