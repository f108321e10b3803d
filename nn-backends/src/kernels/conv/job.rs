//! Chunks of flat positions, each gathered into panels and multiplied by the weights.

#[cfg(target_arch = "x86_64")]
use super::depthwise;
use super::{CHUNK, PackedConv, interleave, planes};
use crate::kernels::buffer::{Aligned, Scratch, with_scratch};
use crate::kernels::gemm::kernel::{Init, Kernel, Tile};
#[cfg(target_arch = "x86_64")]
use crate::kernels::isa::Isa;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::requantize::{Requantizer, Run};
use std::ops::Range;

/// Where outputs go, of a length that has been checked.
pub(super) enum Target<'a> {
    Accumulators(Shared<i32>),
    Bytes(&'a Requantizer, Shared<u8>),
}

/// A convolution whose lengths have been checked.
pub(super) struct Job<'a> {
    pub(super) conv: &'a PackedConv,
    pub(super) x: &'a [u8],
    pub(super) flip: u8,
    /// Zero point of the input as the kernel sees it.
    pub(super) zero: i32,
    pub(super) pad: u8,
    /// What each output channel starts from.
    pub(super) init: Vec<i32>,
    pub(super) size: [usize; 2],
    /// Elements of the output.
    pub(super) outputs: usize,
    pub(super) target: Target<'a>,
}

impl Job<'_> {
    pub(super) fn run(&self, batch: usize, threads: usize) {
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
