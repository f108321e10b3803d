use super::environment::with_default_environment;
use super::gemm::{PackedF32, gemm};
use super::kernel::{Kernel, Rows, Tile};
use super::math::canonical;
use crate::kernels::buffer::{Aligned, Scratch, with_scratch};
use crate::kernels::conv::ConvShape;
use crate::kernels::conv::planes::Planes;
use crate::kernels::error::{KernelError, expect_len, expect_shape};
use crate::kernels::gemm::Order;
use crate::kernels::isa::Isa;
use crate::kernels::parallel::{self, Shared};
use std::ops::Range;

/// Fewer multiplications than this are not worth a second thread.
const MIN_PARALLEL: usize = 1 << 19;

/// The definition: for each output, products added to one sum that starts from zero, in order of input channel, kernel
/// row and kernel column, then the bias. The padding takes part as zeros.
///
/// Elements that a slice lacks count as zero.
///
/// # Errors
/// As [`ConvShape::output`].
pub fn conv_reference(
    x: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    shape: &ConvShape,
    batch: usize,
) -> Result<Vec<f32>, KernelError> {
    let [height, width] = shape.output()?;
    let [rows, columns] = shape.input;
    let (channels_in, channels_out) = (
        shape.channels_in / shape.groups,
        shape.channels_out / shape.groups,
    );
    let get = |slice: &[f32], index: usize| slice.get(index).copied().unwrap_or(0.0);
    let mut out = Vec::new();
    for (image, channel_out) in
        (0..batch).flat_map(|image| (0..shape.channels_out).map(move |c| (image, c)))
    {
        for (y, x_out) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let mut sum = 0.0f32;
            for channel in 0..channels_in {
                let plane =
                    image * shape.channels_in + channel_out / channels_out * channels_in + channel;
                for (ky, kx) in
                    (0..shape.kernel[0]).flat_map(|y| (0..shape.kernel[1]).map(move |x| (y, x)))
                {
                    let row = (y * shape.strides[0] + ky * shape.dilations[0])
                        .wrapping_sub(shape.pads[0]);
                    let column = (x_out * shape.strides[1] + kx * shape.dilations[1])
                        .wrapping_sub(shape.pads[1]);
                    let inside = row < rows && column < columns;
                    let element = if inside {
                        get(x, (plane * rows + row) * columns + column)
                    } else {
                        0.0
                    };
                    let index = ((channel_out * channels_in + channel) * shape.kernel[0] + ky)
                        * shape.kernel[1]
                        + kx;
                    let product = get(weights, index) * element;
                    sum += product;
                }
            }
            out.push(canonical(
                bias.map_or(sum, |bias| sum + get(bias, channel_out)),
            ));
        }
    }
    Ok(out)
}

/// A convolution's weights in strict single precision.
#[derive(Clone)]
pub struct PackedConvF32 {
    isa: Isa,
    shape: ConvShape,
    planes: Planes,
    weights: Weights,
}

#[derive(Clone)]
enum Weights {
    /// Vectors run over positions: the weights as they are.
    Rows(Vec<f32>),
    /// Vectors run over output channels, where there are few positions: one matrix for each group.
    Columns(Vec<PackedF32>),
}

impl std::fmt::Debug for PackedConvF32 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PackedConvF32({:?} for {})", self.shape, self.isa.name())
    }
}

impl PackedConvF32 {
    /// Packs `weights`, of `[channels_out, channels_in / groups, kernel height, kernel width]`.
    ///
    /// # Errors
    /// As [`ConvShape::output`]; when the weights do not fit the shape or this machine lacks `isa`.
    pub fn new(isa: Isa, weights: &[f32], shape: ConvShape) -> Result<Self, KernelError> {
        if !isa.is_available() {
            return Err(KernelError::Unavailable);
        }
        let [height, width] = shape.output()?;
        shape.expect_weights(weights.len())?;
        let planes = Planes::new(&shape)?;
        let rows = shape.channels_out / shape.groups;
        let few = height * width < Kernel::of(isa).lanes && rows > height * width;
        let weights = if few {
            let groups = weights.chunks_exact(rows * shape.depth());
            let pack =
                |group| PackedF32::new(isa, group, (shape.depth(), rows), Order::ColumnMajor);
            Weights::Columns(groups.map(pack).collect::<Result<_, _>>()?)
        } else {
            Weights::Rows(weights.to_vec())
        };
        Ok(Self {
            isa,
            shape,
            planes,
            weights,
        })
    }

    /// The shape.
    pub fn shape(&self) -> &ConvShape {
        &self.shape
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        let weights = match &self.weights {
            Weights::Rows(weights) => weights.len() * 4,
            Weights::Columns(groups) => groups.iter().map(PackedF32::memory).sum(),
        };
        weights + self.planes.offsets.len() * 8
    }

    /// Convolves `x`, of `[batch, channels_in, height, width]`, as [`conv_reference`] defines it, into `out`, of
    /// `[batch, channels_out, height, width]`, and adds `bias`, of `channels_out` elements.
    ///
    /// `threads` is the most threads to use; it changes the time and nothing else.
    ///
    /// # Errors
    /// When a length does not fit the shape; the output is then unchanged.
    pub fn run(
        &self,
        x: &[f32],
        bias: Option<&[f32]>,
        batch: usize,
        out: &mut [f32],
        threads: usize,
    ) -> Result<(), KernelError> {
        let shape = &self.shape;
        let [height, width] = shape.output()?;
        let input = [batch, shape.channels_in, shape.input[0], shape.input[1]];
        expect_shape("input", x.len(), &input)?;
        let output = [batch, shape.channels_out, height, width];
        expect_shape("output", out.len(), &output)?;
        if let Some(bias) = bias {
            expect_len("bias", bias.len(), shape.channels_out)?;
        }
        let threads = if out.len().saturating_mul(shape.depth()) < MIN_PARALLEL {
            1
        } else {
            threads.max(1)
        };
        let job = Job {
            conv: self,
            x,
            bias,
            size: [height, width],
            out: Shared::new(out),
        };
        let parts = batch * shape.groups;
        if let Weights::Columns(groups) = &self.weights {
            return (0..parts)
                .try_for_each(|part| job.columns(part, &groups[part % shape.groups], threads));
        }
        let panels = self.planes.positions.div_ceil(job.panel());
        if parts >= threads {
            parallel::for_each(threads, parts, |part| {
                with_scratch(|scratch| {
                    let mut memory = std::mem::take(&mut scratch.planes);
                    let (planes, slack) = job.planes(part, &mut memory);
                    with_default_environment(|| job.rows(scratch, part, planes, slack, 0..panels));
                    scratch.planes = memory;
                });
            });
            return Ok(());
        }
        for part in 0..parts {
            let mut memory = Aligned::default();
            let (planes, slack) = job.planes(part, &mut memory);
            let pieces = threads.min(panels);
            parallel::for_each(threads, pieces, |i| {
                let range = i * panels / pieces..(i + 1) * panels / pieces;
                with_scratch(|scratch| {
                    with_default_environment(|| job.rows(scratch, part, planes, slack, range));
                });
            });
        }
        Ok(())
    }
}

/// A convolution whose lengths have been checked.
struct Job<'a> {
    conv: &'a PackedConvF32,
    x: &'a [f32],
    bias: Option<&'a [f32]>,
    size: [usize; 2],
    out: Shared<f32>,
}

impl Job<'_> {
    /// Columns of a panel.
    fn panel(&self) -> usize {
        let kernel = Kernel::of(self.conv.isa);
        kernel.lanes * kernel.vectors
    }

    /// The planes of a group of an image, in `memory` unless the input serves as it is, and whether a panel may be read
    /// beyond their end.
    fn planes<'s>(&'s self, part: usize, memory: &'s mut Aligned) -> (&'s [f32], bool) {
        let (shape, planes) = (&self.conv.shape, &self.conv.planes);
        let input = shape.channels_in / shape.groups * shape.input[0] * shape.input[1];
        let input = &self.x[part * input..(part + 1) * input];
        if planes.direct {
            return (input, false);
        }
        let count = planes.len() + self.panel();
        memory.reserve(count * 4);
        planes.fill(input, &mut memory.as_f32_mut(count)[..planes.len()], 0.0);
        (&memory.as_f32()[..count], true)
    }

    /// Some panels of positions of one group of one image. Calls with disjoint panels may run at once.
    fn rows(
        &self,
        scratch: &mut Scratch,
        part: usize,
        planes: &[f32],
        slack: bool,
        panels: Range<usize>,
    ) {
        let Weights::Rows(weights) = &self.conv.weights else {
            return;
        };
        let (kernel, shape) = (Kernel::of(self.conv.isa), &self.conv.shape);
        let (offsets, depth) = (&self.conv.planes.offsets, shape.depth());
        let (group, rows) = (part % shape.groups, shape.channels_out / shape.groups);
        for panel in panels {
            let first = panel * self.panel();
            let columns = self.panel().min(self.conv.planes.positions - first);
            let width = columns.next_multiple_of(kernel.lanes);
            let (b, b_rows) = if columns == width || slack {
                (planes[first..].as_ptr(), Rows::At(offsets.as_ptr()))
            } else {
                scratch.rhs.reserve(depth * width * 4);
                let edge = scratch.rhs.as_f32_mut(depth * width);
                for (edge, &offset) in edge.chunks_exact_mut(width).zip(offsets) {
                    edge[..columns].copy_from_slice(&planes[offset + first..][..columns]);
                }
                (edge.as_ptr(), Rows::Packed)
            };
            scratch.tile.reserve(kernel.rows * width * 4);
            let tile = scratch.tile.as_f32_mut(kernel.rows * width);
            for row in (group * rows..(group + 1) * rows).step_by(kernel.rows) {
                let count = kernel.rows.min((group + 1) * rows - row);
                let job = Tile {
                    rows: count,
                    vectors: width / kernel.lanes,
                    depth,
                    a: weights[row * depth..(row + count) * depth].as_ptr(),
                    a_stride: depth,
                    b,
                    b_rows,
                    c: tile.as_mut_ptr(),
                    c_stride: width,
                    resume: false,
                };
                // SAFETY: there are `count` rows of weights of this depth and a tile of this size. A row of B is either
                // in the edge, or `width` elements from its offset on: inside the planes, whose last position is the
                // last output's, or in the slack behind them. The processor has the instruction set, or the weights
                // could not have been packed for it.
                unsafe { (kernel.tile)(&job) };
                for (row, sums) in (row..row + count).zip(tile.chunks_exact_mut(width)) {
                    let sums = &mut sums[..columns];
                    match self.bias {
                        Some(bias) => sums
                            .iter_mut()
                            .for_each(|sum| *sum = canonical(*sum + bias[row])),
                        None => sums.iter_mut().for_each(|sum| *sum = canonical(*sum)),
                    }
                    self.store(part / shape.groups, row, first, sums);
                }
            }
        }
    }

    /// Stores some flat positions of an output channel, from `first` on.
    fn store(&self, image: usize, channel: usize, first: usize, sums: &[f32]) {
        let [height, width] = self.size;
        let plane = (image * self.conv.shape.channels_out + channel) * height * width;
        let stride = self.conv.planes.width;
        let mut done = 0;
        while done < sums.len() {
            let (y, x) = ((first + done) / stride, (first + done) % stride);
            let run = (stride - x).min(sums.len() - done);
            let kept = run.min(width.saturating_sub(x));
            // SAFETY: positions end with the last output, so that `y` and `x` are below the output's size; the length
            // of the output has been checked; no other panel has these positions and no other part this channel.
            unsafe {
                let to = self.out.get().add(plane + y * width + x);
                std::ptr::copy_nonoverlapping(sums.as_ptr().add(done), to, kept);
            }
            done += run;
        }
    }

    /// One group of one image, as a product of its neighbourhoods with the weights.
    fn columns(&self, part: usize, weights: &PackedF32, threads: usize) -> Result<(), KernelError> {
        let (shape, [height, width]) = (&self.conv.shape, self.size);
        let (group, rows, outputs) = (
            part % shape.groups,
            shape.channels_out / shape.groups,
            height * width,
        );
        let mut memory = Aligned::default();
        let (planes, _) = self.planes(part, &mut memory);
        let stride = self.conv.planes.width;
        let mut a = Vec::with_capacity(outputs * shape.depth());
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            a.extend(
                self.conv
                    .planes
                    .offsets
                    .iter()
                    .map(|&offset| planes[offset + y * stride + x]),
            );
        }
        let mut c = vec![0.0; outputs * rows];
        let bias = self
            .bias
            .map(|bias| &bias[group * rows..(group + 1) * rows]);
        gemm(&a, outputs, weights, bias, &mut c, threads)?;
        let start = (part / shape.groups * shape.channels_out + group * rows) * outputs;
        // SAFETY: the rows of this group of this image, inside the output, whose length has been checked; parts are
        // computed one after the other.
        let out =
            unsafe { std::slice::from_raw_parts_mut(self.out.get().add(start), rows * outputs) };
        for (row, out) in out.chunks_exact_mut(outputs).enumerate() {
            out.iter_mut()
                .enumerate()
                .for_each(|(i, out)| *out = c[i * rows + row]);
        }
        Ok(())
    }
}
