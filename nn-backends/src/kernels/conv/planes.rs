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
    /// The greatest of the offsets.
    pub(crate) reach: usize,
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
            reach: offsets.iter().copied().max().unwrap_or(0),
            offsets,
            direct: shape.strides == [1, 1] && shape.pads == [0; 4],
        })
    }

    /// Elements of all planes of a group.
    pub(crate) fn len(&self) -> usize {
        self.size * (self.shape.channels_in / self.shape.groups)
    }

    /// Writes the planes of a group's `input` to `out`, of [`Planes::len`] elements, with `pad` around them.
    pub(crate) fn fill<T: Copy>(&self, input: &[T], out: &mut [T], pad: T) {
        let [rows_in, columns_in] = self.shape.input;
        let [stride_y, stride_x] = self.shape.strides;
        let [top, left, ..] = self.shape.pads;
        out.fill(pad);
        if rows_in == 0 || columns_in == 0 {
            return;
        }
        let mut planes = out.chunks_exact_mut(self.width * self.height);
        for channel in input.chunks_exact(rows_in * columns_in) {
            for (&phase_y, &phase_x) in self.phases[0]
                .iter()
                .flat_map(|y| self.phases[1].iter().map(move |x| (y, x)))
            {
                let Some(plane) = planes.next() else { return };
                // Rows and columns whose input exists: `i · stride + phase − pad` in `0..input`.
                let exist = |size: usize, pad: usize, phase: usize, stride: usize, input: usize| {
                    let first = pad.saturating_sub(phase).div_ceil(stride).min(size);
                    first
                        ..(input + pad)
                            .saturating_sub(phase)
                            .div_ceil(stride)
                            .clamp(first, size)
                };
                let columns = exist(self.width, left, phase_x, stride_x, columns_in);
                if columns.is_empty() {
                    continue;
                }
                for y in exist(self.height, top, phase_y, stride_y, rows_in) {
                    let from = (y * stride_y + phase_y - top) * columns_in;
                    let from = &channel
                        [from + columns.start * stride_x + phase_x - left..from + columns_in];
                    let out = &mut plane[y * self.width..][columns.clone()];
                    if stride_x == 1 {
                        copy_short(&from[..out.len()], out);
                    } else {
                        out.iter_mut()
                            .zip(from.iter().step_by(stride_x))
                            .for_each(|(out, &x)| *out = x);
                    }
                }
            }
        }
    }
}

/// Copies a slice that is most often a few bytes long, for which a call of `memcpy` would cost more than the copy.
#[inline]
pub(crate) fn copy_short<T: Copy>(from: &[T], to: &mut [T]) {
    assert_eq!(from.len(), to.len());
    let size = size_of_val(from);
    let (from, to) = (from.as_ptr().cast::<u8>(), to.as_mut_ptr().cast::<u8>());
    // SAFETY: both slices have `size` bytes and do not overlap; each word is inside them, the last ending at `size`.
    unsafe {
        let word = |at: usize| {
            to.add(at)
                .cast::<u64>()
                .write_unaligned(from.add(at).cast::<u64>().read_unaligned())
        };
        if size >= 64 {
            std::ptr::copy_nonoverlapping(from, to, size);
        } else if size >= 8 {
            for at in (0..size - 7).step_by(8) {
                word(at);
            }
            word(size - 8);
        } else {
            for at in 0..size {
                *to.add(at) = *from.add(at);
            }
        }
    }
}
