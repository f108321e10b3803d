//! Few positions: a product in which vectors run over the output channels.

use super::PackedConv;
use super::job::Target;
use crate::kernels::error::KernelError;
use crate::kernels::gemm::{Bytes, PackedB, ZeroPoints, gemm};

impl PackedConv {
    /// The outputs of each image as a product of their neighbourhoods, a row for each, with the weights.
    pub(super) fn positions(
        &self,
        right: &PackedB,
        (x, batch): (Bytes<'_>, usize),
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
        // An input of nothing but padding has no elements, and outputs all the same.
        let input = shape.channels_in * shape.input[0] * shape.input[1];
        for image in 0..batch {
            let x_bits = &x.bits()[image * input..(image + 1) * input];
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
