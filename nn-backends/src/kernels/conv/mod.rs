//! Integer convolutions in one or two dimensions, with groups, strides, dilations and padding.
//!
//! A convolution is a product of the weights, `channels_out` × `depth`, with a matrix whose columns are the outputs'
//! neighbourhoods. That matrix is never made: panels of it are gathered from the input, a few kilobytes at a time, and
//! multiplied by the kernels of [`gemm`](mod@super::gemm). [`reference()`] is the definition.

#[cfg(target_arch = "x86_64")]
mod depthwise;
mod interleave;
mod job;
pub(crate) mod planes;
mod positions;
mod reference;
mod shape;
#[cfg(test)]
mod tests;

pub use reference::reference;
pub use shape::ConvShape;

use super::buffer::Aligned;
use super::error::{KernelError, elements, expect_len, expect_shape};
use super::gemm::kernel::Kernel;
use super::gemm::{Bytes, Order, PackedB, ZeroPoints, check_zeros};
use super::isa::Isa;
use super::parallel::Shared;
use super::requantize::Requantizer;
use job::{Job, Target};
use planes::Planes;

/// Flat positions that are computed together, in panels as wide as the kernel has them.
const CHUNK: usize = 64;
/// Up to this many positions, vectors over them would stay half empty.
const FEW: usize = 12;
/// Fewer multiplications than this are not worth a second thread.
const MIN_PARALLEL: usize = 1 << 20;

/// Where a convolution leaves its outputs, `[batch, channels_out, height, width]`.
#[derive(Debug)]
pub enum ConvOutput<'a> {
    /// The accumulators.
    Accumulators(&'a mut [i32]),
    /// The accumulators, requantised with one multiplier or one for each output channel; bits of `u8` or `i8`.
    Bytes(&'a Requantizer, &'a mut [u8]),
}

/// A convolution's weights, in the form that the kernel of one instruction set reads.
#[derive(Clone)]
pub struct PackedConv {
    isa: Isa,
    shape: ConvShape,
    planes: Planes,
    weights: Aligned,
    /// Bytes from one row of weights to the next.
    stride: usize,
    /// Sums of the packed weights of each output channel.
    sums: Vec<i32>,
    /// Zero points of the packed weights; empty if all are zero.
    zeros: Vec<i32>,
    /// Where there are few positions, vectors run over the output channels: the weights as a right factor.
    right: Option<PackedB>,
}

impl std::fmt::Debug for PackedConv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PackedConv({:?} for {})", self.shape, self.isa.name())
    }
}

impl PackedConv {
    /// Packs `weights`, of `[channels_out, channels_in / groups, kernel height, kernel width]`, with a zero point for
    /// the tensor or for each output channel.
    ///
    /// # Errors
    /// As [`ConvShape::output`]; when the weights do not fit the shape, a zero point is outside their type, or this
    /// machine lacks `isa`.
    pub fn new(
        isa: Isa,
        weights: Bytes<'_>,
        zeros: ZeroPoints<'_>,
        shape: ConvShape,
    ) -> Result<Self, KernelError> {
        if !isa.is_available() {
            return Err(KernelError::Unavailable);
        }
        let rows = shape.channels_out;
        shape.output()?;
        // The weights are all there, so that a row's length is no larger than their number.
        shape.expect_weights(weights.len())?;
        let depth = shape.depth();
        check_zeros("the weights' zero points", zeros, rows, weights.is_signed())?;
        let planes = Planes::new(&shape)?;
        let [height, width] = shape.output()?;
        let few = shape.groups == 1 && height * width <= FEW && rows > height * width;
        let right = if few {
            Some(PackedB::new(
                isa,
                weights,
                zeros,
                (depth, rows),
                Order::ColumnMajor,
            )?)
        } else {
            None
        };
        let form = Kernel::of(isa).lhs.swapped();
        let shift = form.shift(weights.is_signed());
        let stride = depth.div_ceil(4) * 4 * form.size();
        // One row more than there are channels: all ones, which sums the columns where zero points ask for it.
        let bytes = stride
            .checked_mul(rows + 1)
            .ok_or(KernelError::TooLarge("the weights"))?;
        let mut packed = Self {
            isa,
            shape,
            planes,
            weights: Aligned::zeroed(bytes),
            stride,
            sums: Vec::with_capacity(rows),
            zeros: (0..rows).map(|row| zeros.get(row) + shift).collect(),
            right,
        };
        if packed.zeros.iter().all(|&zero| zero == 0) {
            packed.zeros.clear();
        }
        for row in 0..=rows {
            let mut sum = 0i32;
            for i in 0..depth {
                let weight = if row == rows {
                    1
                } else {
                    weights.get(row * depth + i) + shift
                };
                sum = sum.wrapping_add(weight);
                let at = row * stride + i * form.size();
                let bytes = (weight as i16).to_le_bytes();
                packed.weights.as_mut_slice()[at..at + form.size()]
                    .copy_from_slice(&bytes[..form.size()]);
            }
            if row < rows {
                packed.sums.push(sum);
            }
        }
        Ok(packed)
    }

    /// The shape.
    pub fn shape(&self) -> &ConvShape {
        &self.shape
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.weights.len()
            + (self.sums.len() + self.zeros.len() + 2 * self.planes.offsets.len()) * 4
    }

    /// Bytes of scratch memory that a thread needs to run.
    pub fn workspace(&self) -> usize {
        let planes = if self.planes.direct {
            0
        } else {
            self.planes.len()
        };
        planes + self.shape.depth().next_multiple_of(4) * CHUNK
    }

    /// Convolves `x`, of `[batch, channels_in, height, width]`, whose padding is `x_zero`, and adds `bias`, of
    /// `channels_out` elements.
    ///
    /// `threads` is the most threads to use; it changes the time and nothing else.
    ///
    /// # Errors
    /// When a length does not fit the shape or the zero point is outside the type of `x`; the output is then unchanged.
    pub fn run(
        &self,
        x: Bytes<'_>,
        x_zero: i32,
        bias: Option<&[i32]>,
        batch: usize,
        output: ConvOutput<'_>,
        threads: usize,
    ) -> Result<(), KernelError> {
        let shape = &self.shape;
        let [height, width] = shape.output()?;
        let input = [batch, shape.channels_in, shape.input[0], shape.input[1]];
        expect_shape("input", x.len(), &input)?;
        let outputs = elements("output", &[batch, shape.channels_out, height, width])?;
        check_zeros(
            "the input's zero point",
            ZeroPoints::Same(x_zero),
            1,
            x.is_signed(),
        )?;
        if let Some(bias) = bias {
            expect_len("bias", bias.len(), shape.channels_out)?;
        }
        let target = match output {
            ConvOutput::Accumulators(out) => {
                expect_len("output", out.len(), outputs)?;
                Target::Accumulators(Shared::new(out))
            }
            ConvOutput::Bytes(requantizer, out) => {
                expect_len("output", out.len(), outputs)?;
                if requantizer.channels() != 1 && requantizer.channels() != shape.channels_out {
                    return Err(KernelError::Length {
                        what: "scales",
                        expected: shape.channels_out,
                        found: requantizer.channels(),
                    });
                }
                Target::Bytes(requantizer, Shared::new(out))
            }
        };
        if let Some(right) = &self.right {
            return self.positions(right, (x, batch), x_zero, bias, &target, threads);
        }
        // The input is brought to the sign that the kernel wants.
        let signed = Kernel::of(self.isa).swapped_rhs_signed;
        let (flip, shift) = match (x.is_signed(), signed) {
            (true, false) => (0x80, 128),
            (false, true) => (0x80, -128),
            _ => (0, 0),
        };
        let zero = x_zero + shift;
        let init: Vec<i32> = (0..shape.channels_out)
            .map(|row| {
                let bias = bias.map_or(0, |bias| bias[row]);
                bias.wrapping_sub(zero.wrapping_mul(self.sums[row]))
            })
            .collect();
        let job = Job {
            conv: self,
            x: x.bits(),
            flip,
            zero,
            pad: (zero & 0xff) as u8,
            init,
            size: [height, width],
            outputs,
            target,
        };
        job.run(
            batch,
            if outputs.saturating_mul(shape.depth()) < MIN_PARALLEL {
                1
            } else {
                threads
            },
        );
        Ok(())
    }
}
