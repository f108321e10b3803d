//! From 32-bit accumulators to 8-bit elements: `y = clamp(zero + RNE(acc · m / 2ˢ))`.
//!
//! A scale is read as `m · 2⁻ˢ` with a 24-bit `m`, the exact value of the `f32`; the product has at most 55 bits and is
//! rounded once, to nearest, ties to even. [`Multiplier::apply`] is the definition.
//!
//! The SIMD forms first multiply in single precision. Two roundings leave that product, where it does not saturate, less
//! than 2⁻¹⁰ from the exact one, in any rounding mode; so unless it lies that near to a tie, it rounds to the same integer.
//! Vectors with such a product, a few in a hundred, are computed in integers.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod tests;

use crate::kernels::conv::planes::copy_short;
use crate::kernels::error::{KernelError, expect_len};
use crate::kernels::isa::Isa;

/// The two types of 8-bit elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteType {
    /// 0 to 255.
    U8,
    /// −128 to 127.
    I8,
}

impl ByteType {
    /// Least and greatest element.
    pub fn range(self) -> (i32, i32) {
        match self {
            Self::U8 => (0, 255),
            Self::I8 => (-128, 127),
        }
    }
}

/// A scale above zero, in the form `m · 2⁻ˢ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiplier {
    m: i32,
    shift: i32,
    /// Accumulators beyond these bounds saturate every output; clamped to them, the rounded product fits 13 bits.
    low: i32,
    high: i32,
}

impl Multiplier {
    /// The exact value of `scale`.
    ///
    /// # Errors
    /// When `scale` is zero, negative, infinite or not a number.
    pub fn new(scale: f32) -> Result<Self, KernelError> {
        if !scale.is_finite() || scale <= 0.0 {
            return Err(KernelError::Scale);
        }
        let bits = scale.to_bits();
        let (exponent, fraction) = ((bits >> 23).cast_signed(), (bits & 0x7f_ffff).cast_signed());
        let (mut m, mut shift) = match exponent {
            // A subnormal scale rounds every product to zero, and so does the smallest normal one.
            0 => (1 << 23, 149),
            _ => (fraction | 1 << 23, 150 - exponent),
        };
        // From 1024 on, every accumulator but zero saturates, whatever the zero point.
        if shift < 13 {
            (m, shift) = (1 << 23, 13);
        }
        // |acc · m| < 2⁵⁵, so that every shift of 56 or more gives zero.
        shift = shift.min(60);
        let bound = (1i128 << (shift + 11)).div_euclid(i128::from(m)) + 1;
        let (low, high) = match i32::try_from(bound) {
            Ok(bound) => (-bound, bound),
            Err(_) => (i32::MIN, i32::MAX),
        };
        Ok(Self {
            m,
            shift,
            low,
            high,
        })
    }

    /// m, the shift, and the bounds of accumulators.
    #[cfg(feature = "wgpu")]
    pub(crate) fn parts(self) -> [i32; 4] {
        [self.m, self.shift, self.low, self.high]
    }

    /// `m · 2⁻ˢ`, a normal number.
    fn scale(self) -> f32 {
        self.m as f32 * f32::from_bits((127 - self.shift).cast_unsigned() << 23)
    }

    /// `RNE(acc · m / 2ˢ)`, held within ±4095, which is beyond what any zero point brings back into range.
    pub fn apply(self, acc: i32) -> i32 {
        let product = i64::from(acc.clamp(self.low, self.high)) * i64::from(self.m);
        let below_half = (1i64 << (self.shift - 1)) - 1;
        let odd = (product >> self.shift) & 1;
        ((product + below_half + odd) >> self.shift) as i32
    }
}

/// Multipliers, a zero point and bounds: all that turns a tensor of accumulators into bytes.
#[derive(Clone, Debug)]
pub struct Requantizer {
    /// Channels as asked for.
    channels: usize,
    /// The channels, repeated until there are enough for vectors to run over.
    table: Table,
    zero: i32,
    low: i32,
    high: i32,
}

/// The multipliers of all channels, one list for each field.
#[derive(Clone, Debug, Default)]
struct Table {
    m: Vec<i32>,
    shift: Vec<i32>,
    low: Vec<i32>,
    high: Vec<i32>,
    scale: Vec<f32>,
}

impl Table {
    fn push(&mut self, multiplier: Multiplier) {
        self.m.push(multiplier.m);
        self.shift.push(multiplier.shift);
        self.low.push(multiplier.low);
        self.high.push(multiplier.high);
        self.scale.push(multiplier.scale());
    }

    fn get(&self, index: usize) -> Multiplier {
        Multiplier {
            m: self.m[index],
            shift: self.shift[index],
            low: self.low[index],
            high: self.high[index],
        }
    }

    /// The multipliers from `start` on.
    #[inline(always)]
    fn from(&self, start: usize) -> Columns<'_> {
        Columns {
            m: &self.m[start..],
            shift: &self.shift[start..],
            low: &self.low[start..],
            high: &self.high[start..],
            scale: &self.scale[start..],
        }
    }
}

/// A part of a [`Table`].
#[derive(Clone, Copy)]
struct Columns<'a> {
    m: &'a [i32],
    shift: &'a [i32],
    low: &'a [i32],
    high: &'a [i32],
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "read by the AVX2 and AVX-512 forms")
    )]
    scale: &'a [f32],
}

/// Neighbouring outputs, and the accumulators they are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// First accumulator.
    pub(crate) from: usize,
    /// First output.
    pub(crate) to: usize,
    /// How many.
    pub(crate) count: usize,
}

/// What a SIMD form is given: the multipliers from the first element on, at least as many as there are elements.
struct Job<'a> {
    acc: &'a [i32],
    out: &'a mut [u8],
    table: Columns<'a>,
    zero: i32,
    low: i32,
    high: i32,
}

/// A product in single precision may be rounded if it is nearer than this to an integer: the conversion of the
/// accumulator and the product each err by 2⁻²⁴ of a number that is at most 255, and so by less than 2⁻¹⁵ together.
#[cfg(target_arch = "x86_64")]
const SAFE: f32 = 0.5 - 1.0 / 16384.0;

/// Fewer channels than this are repeated, so that a short row does not leave vectors half empty.
const MIN_CHANNELS: usize = 64;

impl Requantizer {
    /// One scale for the tensor, or one for each channel.
    ///
    /// # Errors
    /// When there is no scale or [`Multiplier::new`] refuses one, or when the zero point is outside the type.
    pub fn new(scales: &[f32], zero: i32, ty: ByteType) -> Result<Self, KernelError> {
        let (low, high) = ty.range();
        if !(low..=high).contains(&zero) {
            return Err(KernelError::ZeroPoint(zero));
        }
        let multipliers = scales
            .iter()
            .map(|&scale| Multiplier::new(scale))
            .collect::<Result<Vec<_>, _>>()?;
        if multipliers.is_empty() {
            return Err(KernelError::Scale);
        }
        let mut table = Table::default();
        while table.m.len() < MIN_CHANNELS {
            multipliers
                .iter()
                .for_each(|&multiplier| table.push(multiplier));
        }
        Ok(Self {
            channels: multipliers.len(),
            table,
            zero,
            low,
            high,
        })
    }

    /// Narrows the outputs to `low..=high`, as a `Relu` or `Clip` that follows does.
    #[must_use]
    pub fn clamped(mut self, low: i32, high: i32) -> Self {
        self.low = self.low.max(low).min(self.high);
        self.high = self.high.min(high).max(self.low);
        self
    }

    /// Number of channels; 1 when one scale serves the tensor.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The definition: element `acc` of `channel`.
    pub fn element(&self, acc: i32, channel: usize) -> i32 {
        let multiplier = self.table.get(channel % self.channels);
        (self.zero + multiplier.apply(acc)).clamp(self.low, self.high)
    }

    /// Requantises `acc` into `out`, where the channel of element `i` is `i` modulo the number of channels: rows of
    /// one element for each channel. Elements of type `i8` are written as their bits.
    ///
    /// # Errors
    /// When the lengths differ or `isa` is not available.
    pub fn rows(&self, isa: Isa, acc: &[i32], out: &mut [u8]) -> Result<(), KernelError> {
        check(isa, acc, out)?;
        let period = self.table.m.len();
        for (acc, out) in acc.chunks(period).zip(out.chunks_mut(period)) {
            self.run::<false>(isa, acc, out, self.table.from(0));
        }
        Ok(())
    }

    /// Requantises `acc`, all of one `channel`, into `out`.
    ///
    /// # Errors
    /// When the lengths differ or `isa` is not available.
    pub fn plane(
        &self,
        isa: Isa,
        channel: usize,
        acc: &[i32],
        out: &mut [u8],
    ) -> Result<(), KernelError> {
        check(isa, acc, out)?;
        self.run::<true>(isa, acc, out, self.table.from(channel % self.channels));
        Ok(())
    }

    /// Requantises runs of each row of `acc`, rows of `stride` elements for the channels from `first` on, to their places
    /// in planes of `plane` elements.
    ///
    /// # Safety
    /// The machine has `isa`; there is a multiplier for each row, or one for all; runs ascend, and the last is inside
    /// each row and inside each plane, of which `out` has one for each row.
    pub(crate) unsafe fn planes_runs(
        &self,
        isa: Isa,
        first: usize,
        (acc, stride): (&[i32], usize),
        (out, plane): (*mut u8, usize),
        runs: &[Run],
    ) {
        #[cfg(target_arch = "x86_64")]
        if isa == Isa::Avx512Vnni {
            // SAFETY: passed on.
            return unsafe { avx512::planes(self, first, (acc, stride), (out, plane), runs) };
        }
        for (row, acc) in acc.chunks_exact(stride).enumerate() {
            // SAFETY: passed on, for one plane.
            unsafe { self.plane_runs(isa, first + row, acc, out.add(row * plane), runs) };
        }
    }

    /// Requantises runs of `acc`, all of one `channel`, to their places in `out`.
    ///
    /// # Safety
    /// The machine has `isa`; runs ascend, and the last is inside `acc` and inside what `out` is valid for.
    unsafe fn plane_runs(&self, isa: Isa, channel: usize, acc: &[i32], out: *mut u8, runs: &[Run]) {
        let table = self
            .table
            .from(if self.channels == 1 { 0 } else { channel });
        let mut bytes = [0u8; 64];
        for (i, acc) in acc.chunks(64).enumerate() {
            self.run::<true>(isa, acc, &mut bytes[..acc.len()], table);
            for run in runs {
                let (start, end) = (
                    run.from.max(i * 64),
                    (run.from + run.count).min(i * 64 + acc.len()),
                );
                if start < end {
                    // SAFETY: a part of the run, inside what `out` is valid for.
                    let to = unsafe {
                        std::slice::from_raw_parts_mut(
                            out.add(run.to + start - run.from),
                            end - start,
                        )
                    };
                    copy_short(&bytes[start - i * 64..end - i * 64], to);
                }
            }
        }
    }

    /// `ONE`: the first multiplier of the table serves all elements.
    #[inline(always)]
    fn run<const ONE: bool>(&self, isa: Isa, acc: &[i32], out: &mut [u8], table: Columns<'_>) {
        let run = Job {
            acc,
            out,
            table,
            zero: self.zero,
            low: self.low,
            high: self.high,
        };
        match isa {
            // SAFETY: `check` has seen that the processor has the instruction set and that the lengths agree; the
            // table has a multiplier for each element, or the first serves all.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => unsafe { avx512::run::<ONE>(run) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 | Isa::AvxVnni => unsafe { avx2::run::<ONE>(run) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Isa::Neon | Isa::NeonDot => unsafe { neon::run::<ONE>(run) },
            _ => scalar::<ONE>(run, 0),
        }
    }
}

fn check(isa: Isa, acc: &[i32], out: &[u8]) -> Result<(), KernelError> {
    expect_len("output", out.len(), acc.len())?;
    if isa.is_available() {
        Ok(())
    } else {
        Err(KernelError::Unavailable)
    }
}

/// The elements from `start` on.
fn scalar<const ONE: bool>(run: Job<'_>, start: usize) {
    for (i, (out, &acc)) in run.out.iter_mut().zip(run.acc).enumerate().skip(start) {
        let (i, t) = (if ONE { 0 } else { i }, run.table);
        let multiplier = Multiplier {
            m: t.m[i],
            shift: t.shift[i],
            low: t.low[i],
            high: t.high[i],
        };
        *out = (run.zero + multiplier.apply(acc)).clamp(run.low, run.high) as u8;
    }
}
