//! The input as planes on which every tap of the kernel is a constant offset.
//!
//! A plane is padded, and split by the phase of the stride, so that the input of tap `t` for the output at row `y`,
//! column `x` lies at `offset[t] + y·width + x`. Outputs are then computed at *flat* positions `y·width + x`, a few of
//! which, at the right edge, belong to no output and are dropped.

use super::ConvShape;
use crate::kernels::error::KernelError;

#[derive(Clone, Debug)]
pub(crate) struct Planes {
    shape: ConvShape,
    /// Elements from one row of a plane to the next.
    pub(crate) width: usize,
    height: usize,
    /// Phases of the stride that some tap looks at, by axis.
    phases: [Vec<usize>; 2],
    /// Elements of one channel.
    size: usize,
    /// Flat positions from the first output to the last.
    pub(crate) positions: usize,
    /// Where the first position's input lies, for each element of a row of weights.
    pub(crate) offsets: Vec<usize>,
    /// Whether the planes are the input as it is.
    pub(crate) direct: bool,
}

impl Planes {
    pub(crate) fn new(shape: &ConvShape) -> Result<Self, KernelError> {
        let output = shape.output()?;
        let too_large = KernelError::TooLarge("the padded input");
        let extent = |axis: usize| {
            ((shape.kernel[axis] - 1) * shape.dilations[axis] / shape.strides[axis])
                .checked_add(output[axis])
        };
        let phases = [0, 1].map(|axis| {
            let mut phases: Vec<usize> = Vec::new();
            // At most `stride` phases, whatever the size of the kernel.
            for tap in 0..shape.kernel[axis].min(shape.strides[axis]) {
                phases.push(tap * shape.dilations[axis] % shape.strides[axis]);
            }
            phases.sort_unstable();
            phases.dedup();
            phases
        });
        let (height, width) = (
            extent(0).ok_or(too_large.clone())?,
            extent(1).ok_or(too_large.clone())?,
        );
        let plane = height.checked_mul(width).ok_or(too_large.clone())?;
        let size = plane
            .checked_mul(phases[0].len() * phases[1].len())
            .ok_or(too_large.clone())?;
        let channels = shape.channels_in / shape.groups;
        // Room for the widest vector beyond the end, and for elements of four bytes.
        let total = size
            .checked_mul(channels)
            .and_then(|n| n.checked_mul(4))
            .filter(|&n| n < isize::MAX as usize / 2);
        total.ok_or(too_large)?;
        let mut offsets = Vec::with_capacity(shape.depth());
        let place = |axis: usize, tap: usize| {
            let step = tap * shape.dilations[axis];
            let phase = phases[axis]
                .binary_search(&(step % shape.strides[axis]))
                .unwrap_or(0);
            (phase, step / shape.strides[axis])
        };
        for channel in 0..channels {
            for (phase_y, y) in (0..shape.kernel[0]).map(|tap| place(0, tap)) {
                for (phase_x, x) in (0..shape.kernel[1]).map(|tap| place(1, tap)) {
                    let phase = phase_y * phases[1].len() + phase_x;
                    offsets.push(channel * size + phase * plane + y * width + x);
                }
            }
        }
        Ok(Self {
            shape: *shape,
            width,
            height,
            phases,
            size,
            positions: (output[0] - 1) * width + output[1],
            offsets,
            direct: shape.strides == [1, 1] && shape.pads == [0; 4],
        })
    }

    /// Elements of all planes of a group.
    pub(crate) fn len(&self) -> usize {
        self.size * (self.shape.channels_in / self.shape.groups)
    }

    /// Writes the planes of a group's `input` to `out`, of [`Planes::len`] elements, with `map` over each element and
    /// `pad` around them.
    pub(crate) fn fill<T: Copy>(&self, input: &[T], out: &mut [T], pad: T, map: impl Fn(T) -> T) {
        let [rows_in, columns_in] = self.shape.input;
        let [stride_y, stride_x] = self.shape.strides;
        let [top, left, ..] = self.shape.pads;
        if rows_in == 0 || columns_in == 0 {
            return out.fill(pad);
        }
        let mut rows = out.chunks_exact_mut(self.width);
        for channel in input.chunks_exact(rows_in * columns_in) {
            for &phase_y in &self.phases[0] {
                for &phase_x in &self.phases[1] {
                    // Columns whose input exists: `x · stride + phase − left` in `0..columns_in`.
                    let first = left
                        .saturating_sub(phase_x)
                        .div_ceil(stride_x)
                        .min(self.width);
                    let end = (columns_in + left)
                        .saturating_sub(phase_x)
                        .div_ceil(stride_x)
                        .clamp(first, self.width);
                    for y in 0..self.height {
                        let Some(out) = rows.next() else { return };
                        let row = (y * stride_y + phase_y)
                            .checked_sub(top)
                            .filter(|&row| row < rows_in);
                        let Some(row) = row.filter(|_| first < end) else {
                            out.fill(pad);
                            continue;
                        };
                        let row = &channel[row * columns_in..(row + 1) * columns_in];
                        out[..first].fill(pad);
                        out[end..].fill(pad);
                        let (out, from) = (
                            &mut out[first..end],
                            &row[first * stride_x + phase_x - left..],
                        );
                        if stride_x == 1 {
                            out.iter_mut().zip(from).for_each(|(out, &x)| *out = map(x));
                        } else {
                            out.iter_mut()
                                .zip(from.iter().step_by(stride_x))
                                .for_each(|(out, &x)| *out = map(x));
                        }
                    }
                }
            }
        }
    }
}
