use super::ConvShape;
use crate::kernels::error::KernelError;
use crate::kernels::gemm::{Bytes, ZeroPoints};

/// The definition of the integer convolution: accumulators of `[batch, channels_out, height, width]`.
///
/// The padding counts as the input's zero point, and so as nothing. Elements that a slice lacks count as zero.
///
/// # Errors
/// As [`ConvShape::output`].
pub fn reference(
    x: Bytes<'_>,
    x_zero: i32,
    weights: Bytes<'_>,
    weight_zero: ZeroPoints<'_>,
    shape: &ConvShape,
    batch: usize,
) -> Result<Vec<i32>, KernelError> {
    let [height, width] = shape.output()?;
    let per_group = [
        shape.channels_in / shape.groups,
        shape.channels_out / shape.groups,
    ];
    let mut out = Vec::new();
    for image in 0..batch {
        for channel_out in 0..shape.channels_out {
            let group = channel_out / per_group[1];
            for (y, x_out) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let mut sum = 0i32;
                for channel in 0..per_group[0] {
                    for (ky, kx) in
                        (0..shape.kernel[0]).flat_map(|y| (0..shape.kernel[1]).map(move |x| (y, x)))
                    {
                        let row = (y * shape.strides[0] + ky * shape.dilations[0])
                            .checked_sub(shape.pads[0]);
                        let column = (x_out * shape.strides[1] + kx * shape.dilations[1])
                            .checked_sub(shape.pads[1]);
                        let (Some(row), Some(column)) = (row, column) else {
                            continue;
                        };
                        if row >= shape.input[0] || column >= shape.input[1] {
                            continue;
                        }
                        let plane = image * shape.channels_in + group * per_group[0] + channel;
                        let element = x
                            .get((plane * shape.input[0] + row) * shape.input[1] + column)
                            - x_zero;
                        let index = (channel_out * per_group[0] + channel) * shape.kernel[0] + ky;
                        let weight = weights.get(index * shape.kernel[1] + kx)
                            - weight_zero.get(channel_out);
                        sum = sum.wrapping_add(element * weight);
                    }
                }
                out.push(sum);
            }
        }
    }
    Ok(out)
}
