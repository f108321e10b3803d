//! Integer convolutions in one or two dimensions, with groups, strides, dilations and padding.
//!
//! A convolution is a product of the weights, `channels_out` × `depth`, with a matrix whose columns are the outputs'
//! neighbourhoods. That matrix is never made: panels of it are gathered from the input, a few kilobytes at a time, and
//! multiplied by the kernels of [`gemm`](super::gemm). [`reference()`] is the definition.

mod interleave;
pub(crate) mod planes;
mod reference;
mod shape;
#[cfg(test)]
mod tests;

pub use reference::reference;
pub use shape::ConvShape;

use super::buffer::{Aligned, Scratch, with_scratch};
use super::error::{KernelError, expect_len};
use super::gemm::kernel::{Init, Kernel, Tile};
use super::gemm::{Bytes, ZeroPoints, check_zeros};
use super::isa::Isa;
use super::parallel::{self, Shared};
use super::requantize::Requantizer;
use planes::Planes;
use std::ops::Range;

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
        let depth = [
            shape.channels_in / shape.groups,
            shape.kernel[0],
            shape.kernel[1],
            rows,
        ]
        .iter()
        .try_fold(1usize, |n, &d| n.checked_mul(d))
        .ok_or(KernelError::TooLarge("the weights"))?;
        expect_len("weights", weights.len(), depth)?;
        let depth = shape.depth();
        check_zeros("the weights' zero points", zeros, rows, weights.is_signed())?;
        let planes = Planes::new(&shape)?;
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
        let kernel = Kernel::of(self.isa);
        let planes = if self.planes.direct {
            0
        } else {
            self.planes.len()
        };
        planes + self.shape.depth().next_multiple_of(4) * kernel.lanes * kernel.vectors
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
        let count = |what, list: [usize; 4]| {
            list.iter()
                .try_fold(1usize, |n, &d| n.checked_mul(d))
                .ok_or(KernelError::TooLarge(what))
        };
        expect_len(
            "input",
            x.len(),
            count(
                "input",
                [batch, shape.channels_in, shape.input[0], shape.input[1]],
            )?,
        )?;
        let outputs = count("output", [batch, shape.channels_out, height, width])?;
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

enum Target<'a> {
    Accumulators(Shared<i32>),
    Bytes(&'a Requantizer, Shared<u8>),
}

/// A convolution whose lengths have been checked.
struct Job<'a> {
    conv: &'a PackedConv,
    x: &'a [u8],
    flip: u8,
    /// Zero point of the input as the kernel sees it.
    zero: i32,
    pad: u8,
    /// What each output channel starts from.
    init: Vec<i32>,
    size: [usize; 2],
    target: Target<'a>,
}

impl Job<'_> {
    fn run(&self, batch: usize, threads: usize) {
        let planes = &self.conv.planes;
        let parts = batch * self.conv.shape.groups;
        let panels = planes.positions.div_ceil(self.panel());
        if parts >= threads {
            parallel::for_each(threads, parts, |part| {
                with_scratch(|scratch| {
                    let mut memory = std::mem::take(&mut scratch.planes);
                    self.part(scratch, part, self.planes(part, &mut memory), 0..panels);
                    scratch.planes = memory;
                });
            });
            return;
        }
        for part in 0..parts {
            let mut memory = Aligned::default();
            let filled = self.planes(part, &mut memory);
            let pieces = threads.min(panels);
            parallel::for_each(threads, pieces, |i| {
                let range = i * panels / pieces..(i + 1) * panels / pieces;
                with_scratch(|scratch| self.part(scratch, part, filled, range));
            });
        }
    }

    /// Columns of a panel.
    fn panel(&self) -> usize {
        let kernel = Kernel::of(self.conv.isa);
        kernel.lanes * kernel.vectors
    }

    /// The planes of a group of an image, in `memory` unless the input serves as it is.
    fn planes<'s>(&'s self, part: usize, memory: &'s mut Aligned) -> &'s [u8] {
        let shape = &self.conv.shape;
        let input = shape.channels_in / shape.groups * shape.input[0] * shape.input[1];
        let input = &self.x[part * input..(part + 1) * input];
        let planes = &self.conv.planes;
        if planes.direct && self.flip == 0 {
            return input;
        }
        memory.reserve(planes.len());
        let out = &mut memory.as_mut_slice()[..planes.len()];
        planes.fill(input, out, self.pad, |x| x ^ self.flip);
        out
    }

    /// Some panels of columns of one group of one image. Calls with disjoint panels may run at once.
    fn part(&self, scratch: &mut Scratch, part: usize, planes: &[u8], panels: Range<usize>) {
        let conv = self.conv;
        let (kernel, shape) = (Kernel::of(conv.isa), &conv.shape);
        let (group, rows) = (part % shape.groups, shape.channels_out / shape.groups);
        let rows = group * rows..(group + 1) * rows;
        let quads = shape.depth().div_ceil(4);
        for panel in panels {
            let first = panel * self.panel();
            let columns = self.panel().min(conv.planes.positions - first);
            let width = columns.next_multiple_of(kernel.lanes);
            scratch.rhs.reserve(quads * width * 4);
            self.gather(planes, first, columns, width, &mut scratch.rhs);
            let vectors = width / kernel.lanes;
            let most = kernel.rows[vectors - 1];
            scratch.tile.reserve((most + 1) * width * 4);
            let (sums, tile) = scratch
                .tile
                .as_i32_mut((most + 1) * width)
                .split_at_mut(width);
            let multiply = |row: usize, count: usize, init: &[i32], c: &mut [i32]| {
                debug_assert!(init.len() >= count && c.len() >= count * width);
                let tile = Tile {
                    rows: count,
                    vectors,
                    quads,
                    a: conv.weights.as_ptr().wrapping_add(row * conv.stride),
                    a_stride: conv.stride,
                    b: scratch.rhs.as_ptr().cast(),
                    b_wide: false,
                    c: c.as_mut_ptr(),
                    c_stride: width,
                    init: Init::Rows(init.as_ptr()),
                    swapped: true,
                };
                // SAFETY: there are `count` rows of weights of this depth from `row` on, the panel has this depth and
                // width, and `c` and `init` hold what the assertion says. The processor has the instruction set, or
                // the weights could not have been packed for it.
                unsafe { (kernel.tile)(&tile) };
            };
            if !conv.zeros.is_empty() {
                multiply(shape.channels_out, 1, &[0], sums);
            }
            for row in rows.clone().step_by(most) {
                let count = most.min(rows.end - row);
                multiply(row, count, &self.init[row..row + count], tile);
                for (row, acc) in (row..row + count).zip(tile.chunks_exact_mut(width)) {
                    if let Some(&zero) = conv.zeros.get(row) {
                        let depth = i32::try_from(shape.depth()).unwrap_or(i32::MAX);
                        let constant = depth.wrapping_mul(self.zero);
                        for (acc, &sum) in acc.iter_mut().zip(&*sums) {
                            *acc = acc.wrapping_sub(zero.wrapping_mul(sum.wrapping_sub(constant)));
                        }
                    }
                    self.store(part / shape.groups, row, first, &acc[..columns]);
                }
            }
        }
    }

    /// Gathers a panel: `[quad][column][4]` from position `first` on.
    fn gather(&self, planes: &[u8], first: usize, columns: usize, width: usize, out: &mut Aligned) {
        let mut edge = [[0u8; 64]; 4];
        let offsets = &self.conv.planes.offsets;
        for (quad, out) in offsets
            .chunks(4)
            .zip(out.as_mut_slice().chunks_exact_mut(width * 4))
        {
            // A quad that the depth does not fill has zero weights beyond: any bytes will do.
            let row = |i: usize| &planes[quad.get(i).unwrap_or(&quad[0]) + first..][..columns];
            let rows = if columns == width {
                [0, 1, 2, 3].map(|i| row(i).as_ptr())
            } else {
                for (i, edge) in edge.iter_mut().enumerate() {
                    edge[..columns].copy_from_slice(row(i));
                }
                [0, 1, 2, 3].map(|i| edge[i].as_ptr())
            };
            // SAFETY: each row has `width` bytes, in the planes or in the edge, and no panel is wider than the edge;
            // `out` has four times as many. The processor has the instruction set, as in `part`.
            unsafe { interleave::interleave(self.conv.isa, rows, out.as_mut_ptr(), width) };
        }
    }

    /// Stores the accumulators of some flat positions of an output channel, from `first` on.
    fn store(&self, image: usize, channel: usize, first: usize, acc: &[i32]) {
        let [height, width] = self.size;
        let plane = (image * self.conv.shape.channels_out + channel) * height * width;
        let mut bytes = [0u8; 64];
        if let Target::Bytes(requantizer, _) = &self.target {
            requantizer.plane_unchecked(self.conv.isa, channel, acc, &mut bytes[..acc.len()]);
        }
        let stride = self.conv.planes.width;
        let mut done = 0;
        while done < acc.len() {
            let (y, x) = ((first + done) / stride, (first + done) % stride);
            let run = (stride - x).min(acc.len() - done);
            let kept = run.min(width.saturating_sub(x));
            let at = plane + y * width + x;
            // SAFETY: positions end with the last output, so that `y` and `x` are below the output's size; the length
            // of the output has been checked; no other panel has these positions and no other part this channel.
            unsafe {
                match &self.target {
                    Target::Accumulators(out) => {
                        std::ptr::copy_nonoverlapping(
                            acc.as_ptr().add(done),
                            out.get().add(at),
                            kept,
                        );
                    }
                    Target::Bytes(_, out) => {
                        std::ptr::copy_nonoverlapping(
                            bytes.as_ptr().add(done),
                            out.get().add(at),
                            kept,
                        );
                    }
                }
            }
            done += run;
        }
    }
}
