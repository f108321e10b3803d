//! Integer convolutions in one or two dimensions, with groups, strides, dilations and padding.
//!
//! A convolution is a product of the weights, `channels_out` × `depth`, with a matrix whose columns are the outputs'
//! neighbourhoods. That matrix is never made: panels of it are gathered from the input, a few kilobytes at a time, and
//! multiplied by the kernels of [`gemm`](mod@super::gemm). [`reference()`] is the definition.

#[cfg(target_arch = "x86_64")]
mod depthwise;
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
use super::gemm::{Bytes, Order, PackedB, ZeroPoints, check_zeros, gemm};
use super::isa::Isa;
use super::parallel::{self, Shared};
use super::requantize::{Requantizer, Run};
use planes::Planes;
use std::ops::Range;

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
        if let Some(right) = &self.right {
            return self.positions(right, x, x_zero, bias, &target, threads);
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

impl PackedConv {
    /// The outputs of each image as a product of their neighbourhoods, a row for each, with the weights.
    fn positions(
        &self,
        right: &PackedB,
        x: Bytes<'_>,
        x_zero: i32,
        bias: Option<&[i32]>,
        target: &Target<'_>,
        threads: usize,
    ) -> Result<(), KernelError> {
        let (shape, [height, width]) = (&self.shape, self.shape.output()?);
        let (rows, channels) = (height * width, shape.channels_out);
        let mut planes = vec![0; self.planes.len()];
        let mut left = Vec::with_capacity(rows * shape.depth());
        let mut c = vec![0; rows * channels];
        let mut bytes = vec![0; rows * channels];
        let input = (shape.channels_in * shape.input[0] * shape.input[1]).max(1);
        for (image, x_bits) in x.bits().chunks_exact(input).enumerate() {
            self.planes.fill(x_bits, &mut planes, (x_zero & 0xff) as u8);
            left.clear();
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let first = y * self.planes.width + x;
                left.extend(
                    self.planes
                        .offsets
                        .iter()
                        .map(|&offset| planes[offset + first]),
                );
            }
            let left = Bytes::of_bits(&left, x.is_signed());
            gemm(
                left,
                ZeroPoints::Same(x_zero),
                rows,
                right,
                bias,
                &mut c,
                threads,
            )?;
            let at = image * rows * channels;
            // SAFETY: this image's part of the output, whose length has been checked.
            unsafe {
                match target {
                    Target::Accumulators(out) => {
                        transpose(
                            &c,
                            channels,
                            std::slice::from_raw_parts_mut(out.get().add(at), c.len()),
                        );
                    }
                    Target::Bytes(requantizer, out) => {
                        requantizer.rows(self.isa, &c, &mut bytes)?;
                        transpose(
                            &bytes,
                            channels,
                            std::slice::from_raw_parts_mut(out.get().add(at), c.len()),
                        );
                    }
                }
            }
        }
        Ok(())
    }
}

/// Writes rows of `columns` elements as columns.
fn transpose<T: Copy>(from: &[T], columns: usize, to: &mut [T]) {
    let rows = from.len() / columns;
    for (column, to) in to.chunks_exact_mut(rows).enumerate() {
        for (row, to) in to.iter_mut().enumerate() {
            *to = from[row * columns + column];
        }
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
    /// Elements of the output.
    outputs: usize,
    target: Target<'a>,
}

impl Job<'_> {
    fn run(&self, batch: usize, threads: usize) {
        let planes = &self.conv.planes;
        let parts = batch * self.conv.shape.groups;
        let chunks = planes.positions.div_ceil(CHUNK);
        if parts >= threads {
            parallel::for_each(threads, parts, |part| {
                with_scratch(|scratch| {
                    let mut memory = std::mem::take(&mut scratch.planes);
                    self.part(scratch, part, self.planes(part, &mut memory), 0..chunks);
                    scratch.planes = memory;
                });
            });
            return;
        }
        for part in 0..parts {
            let mut memory = Aligned::default();
            let filled = self.planes(part, &mut memory);
            let pieces = threads.min(chunks);
            parallel::for_each(threads, pieces, |i| {
                let range = i * chunks / pieces..(i + 1) * chunks / pieces;
                with_scratch(|scratch| self.part(scratch, part, filled, range));
            });
        }
    }

    /// The planes of a group of an image: the input if it serves as it is, or else in `memory`, with a chunk's length
    /// more behind their end.
    fn planes<'s>(&'s self, part: usize, memory: &'s mut Aligned) -> &'s [u8] {
        let shape = &self.conv.shape;
        let input = shape.channels_in / shape.groups * shape.input[0] * shape.input[1];
        let input = &self.x[part * input..(part + 1) * input];
        let planes = &self.conv.planes;
        if planes.direct && self.flip == 0 {
            return input;
        }
        memory.reserve(planes.len() + CHUNK);
        let out = &mut memory.as_mut_slice()[..planes.len() + CHUNK];
        planes.fill(input, &mut out[..planes.len()], self.pad ^ self.flip);
        if self.flip != 0 {
            out.iter_mut().for_each(|x| *x ^= self.flip);
        }
        out
    }

    /// Some chunks of positions of one group of one image. Calls with disjoint chunks may run at once.
    fn part(&self, scratch: &mut Scratch, part: usize, planes: &[u8], chunks: Range<usize>) {
        let conv = self.conv;
        let (kernel, shape) = (Kernel::of(conv.isa), &conv.shape);
        let (group, rows) = (part % shape.groups, shape.channels_out / shape.groups);
        let rows = group * rows..(group + 1) * rows;
        let plane = (part / shape.groups * shape.channels_out) * self.size[0] * self.size[1];
        let panel = kernel.lanes * kernel.vectors;
        let most = kernel.rows[kernel.vectors - 1];
        let stride = shape.depth().div_ceil(4) * 4;
        scratch.rhs.reserve(stride * CHUNK);
        scratch.tile.reserve((most + 1) * CHUNK * 4);
        let (sums, tile) = scratch
            .tile
            .as_i32_mut((most + 1) * CHUNK)
            .split_at_mut(CHUNK);
        let mut runs = Vec::new();
        for chunk in chunks {
            let first = chunk * CHUNK;
            let columns = CHUNK.min(conv.planes.positions - first);
            self.runs(first, columns, &mut runs);
            if rows.len() == 1 && self.depthwise(planes, first, columns, rows.start, tile) {
                self.store(rows.start, plane, &tile[..CHUNK], &runs);
                continue;
            }
            let padded = columns.next_multiple_of(kernel.lanes);
            for column in (0..padded).step_by(panel) {
                let out = &mut scratch.rhs.as_mut_slice()[column * stride..];
                self.gather(
                    planes,
                    first + column,
                    panel.min(columns - column),
                    panel.min(padded - column),
                    out,
                );
            }
            let packed = scratch.rhs.as_slice();
            let multiply = |row: usize, count: usize, init: &[i32], c: &mut [i32]| {
                for column in (0..padded).step_by(panel) {
                    let width = panel.min(padded - column);
                    let (b, c) = (
                        &packed[column * stride..][..width * stride],
                        &mut c[column..],
                    );
                    assert!(init.len() >= count && c.len() >= (count - 1) * CHUNK + width);
                    let tile = Tile {
                        rows: count,
                        vectors: width / kernel.lanes,
                        quads: stride / 4,
                        a: conv.weights.as_ptr().wrapping_add(row * conv.stride),
                        a_stride: conv.stride,
                        b: b.as_ptr().cast(),
                        b_wide: false,
                        c: c.as_mut_ptr(),
                        c_stride: CHUNK,
                        init: Init::Rows(init.as_ptr()),
                        swapped: true,
                    };
                    // SAFETY: there are `count` rows of weights of this depth from `row` on, the panel has this depth
                    // and width, and `c` and `init` hold what the assertion says. The processor has the instruction
                    // set, or the weights could not have been packed for it.
                    unsafe { (kernel.tile)(&tile) };
                }
            };
            if !conv.zeros.is_empty() {
                multiply(shape.channels_out, 1, &[0], sums);
            }
            for row in rows.clone().step_by(most) {
                let count = most.min(rows.end - row);
                multiply(row, count, &self.init[row..row + count], tile);
                for (row, acc) in (row..row + count).zip(tile.chunks_exact_mut(CHUNK)) {
                    if let Some(&zero) = conv.zeros.get(row) {
                        let depth = i32::try_from(shape.depth()).unwrap_or(i32::MAX);
                        let constant = depth.wrapping_mul(self.zero);
                        for (acc, &sum) in acc.iter_mut().zip(&*sums) {
                            *acc = acc.wrapping_sub(zero.wrapping_mul(sum.wrapping_sub(constant)));
                        }
                    }
                }
                self.store(row, plane, &tile[..count * CHUNK], &runs);
            }
        }
    }

    /// A whole chunk of a channel that is its own group, without a panel; false where that is not to be had.
    fn depthwise(
        &self,
        planes: &[u8],
        first: usize,
        columns: usize,
        row: usize,
        out: &mut [i32],
    ) -> bool {
        #[cfg(target_arch = "x86_64")]
        if self.conv.isa == Isa::Avx512Vnni
            && columns == CHUNK
            && self.conv.zeros.is_empty()
            && out.len() >= CHUNK
        {
            let (offsets, depth) = (&self.conv.planes.offsets, self.conv.shape.depth());
            let weights =
                &self.conv.weights.as_slice()[row * self.conv.stride..][..self.conv.stride];
            assert!(
                offsets.len() == depth && self.conv.planes.reach + first + CHUNK <= planes.len()
            );
            // SAFETY: for the greatest offset there are 64 bytes of the planes, as just seen; the weights fill whole quads; `out`
            // has 64 elements. The processor has the instruction set, or the weights could not have been packed for it.
            unsafe {
                depthwise::chunk(
                    planes[first..].as_ptr(),
                    offsets,
                    weights,
                    self.init[row],
                    out.as_mut_ptr(),
                );
            }
            return true;
        }
        let _ = (planes, first, columns, row, out);
        false
    }

    /// Gathers a panel: `[quad][column][4]` from position `first` on.
    fn gather(&self, planes: &[u8], first: usize, columns: usize, width: usize, out: &mut [u8]) {
        // What padding columns hold is of no account: read on, unless the planes end.
        let columns = if self.conv.planes.reach + first + width <= planes.len() {
            width
        } else {
            columns
        };
        let mut edge = [[0u8; CHUNK]; 4];
        let offsets = &self.conv.planes.offsets;
        for (quad, out) in offsets.chunks(4).zip(out.chunks_exact_mut(width * 4)) {
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

    /// The outputs among flat positions from `first` on.
    fn runs(&self, first: usize, columns: usize, runs: &mut Vec<Run>) {
        runs.clear();
        let (stride, width) = (self.conv.planes.width, self.size[1]);
        let (mut y, mut x, mut from) = (first / stride, first % stride, 0);
        while from < columns {
            let run = (stride - x).min(columns - from);
            if x < width {
                let count = run.min(width - x);
                match runs.last_mut() {
                    Some(last) if stride == width => last.count += count,
                    _ => runs.push(Run {
                        from,
                        to: y * width + x,
                        count,
                    }),
                }
            }
            (y, x, from) = (y + 1, 0, from + run);
        }
    }

    /// Stores the accumulators of some flat positions of the output channels from `channel` on, `CHUNK` for each.
    fn store(&self, channel: usize, image: usize, acc: &[i32], runs: &[Run]) {
        let Some(last) = runs.last() else { return };
        let (size, channels) = (self.size[0] * self.size[1], acc.len() / CHUNK);
        let plane = image + channel * size;
        assert!(
            last.to + last.count <= size
                && plane + channels * size <= self.outputs
                && last.from + last.count <= CHUNK
        );
        // SAFETY: runs ascend, and the last one is inside a chunk and inside a plane, and the planes inside the output, as
        // just seen; no other chunk has these positions and no other part these channels.
        unsafe {
            match &self.target {
                Target::Accumulators(out) => {
                    for (i, acc) in acc.chunks_exact(CHUNK).enumerate() {
                        for run in runs {
                            let to = out.get().add(plane + i * size + run.to);
                            let to = std::slice::from_raw_parts_mut(to, run.count);
                            planes::copy_short(&acc[run.from..][..run.count], to);
                        }
                    }
                }
                Target::Bytes(requantizer, out) => requantizer.planes_runs(
                    self.conv.isa,
                    channel,
                    (acc, CHUNK),
                    (out.get().add(plane), size),
                    runs,
                ),
            }
        }
    }
}
