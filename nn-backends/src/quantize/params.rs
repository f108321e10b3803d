//! Scales and zero points, and tensors brought onto them.

/// One scale and zero point: `real = scale · (byte − zero)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Params {
    pub scale: f32,
    pub zero: u8,
}

impl Params {
    /// From the least and the greatest number, which are finite. Zero is always one of the 256 numbers: padding and
    /// rectification are exact.
    pub fn of_range(low: f32, high: f32) -> Params {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = high / 255.0 - low / 255.0;
        if !scale.is_normal() {
            return Params {
                scale: 1.0,
                zero: 0,
            };
        }
        let zero = (-low / scale).round_ties_even().clamp(0.0, 255.0) as u8;
        Params { scale, zero }
    }

    /// As `QuantizeLinear` does it.
    pub fn quantize(&self, x: f32) -> u8 {
        let q = (x / self.scale).round_ties_even() + f32::from(self.zero);
        q.clamp(0.0, 255.0) as u8
    }

    /// As `DequantizeLinear` does it.
    pub fn dequantize(&self, byte: u8) -> f32 {
        self.scale * (f32::from(byte) - f32::from(self.zero))
    }
}

/// Most steps that a bias may have: half of what an accumulator holds.
const BIAS: f32 = 1_073_741_824.0;

/// A weight as 8-bit integers.
pub(super) struct Weight {
    pub values: Vec<i8>,
    /// One for each channel, or one.
    pub scales: Vec<f32>,
}

/// Quantises `weights`, in row-major order, symmetrically. `channels` is (how many, elements between two of one
/// channel's neighbours): element `i` belongs to channel `i / inner % count`. A scale is made larger where the channel's bias,
/// in units of it and `x_scale`, would not fit an accumulator.
pub(super) fn weight(
    weights: &[f32],
    (count, inner): (usize, usize),
    bias: Option<&[f32]>,
    x_scale: f32,
) -> Weight {
    let (count, inner) = (count.max(1), inner.max(1));
    let channel = |i: usize| i / inner % count;
    let mut scales = vec![0f32; count];
    for (i, w) in weights.iter().enumerate() {
        let scale = &mut scales[channel(i)];
        *scale = scale.max(w.abs() / 127.0);
    }
    for (i, scale) in scales.iter_mut().enumerate() {
        if let Some(b) = bias.and_then(|b| b.get(i)) {
            *scale = scale.max(b.abs() / x_scale / BIAS);
        }
        // A channel without weights, or with such small ones that their products with other scales vanish.
        if *scale < 1e-18 {
            *scale = 1.0;
        }
    }
    let values = weights
        .iter()
        .enumerate()
        .map(|(i, w)| {
            let q = (w / scales[channel(i)]).round_ties_even();
            q.clamp(-127.0, 127.0) as i8
        })
        .collect();
    Weight { values, scales }
}

/// A bias in units of the scales' products, and these products.
pub(super) fn bias(bias: &[f32], x_scale: f32, w_scales: &[f32]) -> (Vec<i32>, Vec<f32>) {
    let scale = |i: usize| w_scales.get(i).or(w_scales.first()).copied().unwrap_or(1.0);
    let scales: Vec<f32> = (0..bias.len()).map(|i| x_scale * scale(i)).collect();
    let steps = bias
        .iter()
        .zip(&scales)
        // `as` saturates.
        .map(|(b, s)| (b / s).round_ties_even() as i32)
        .collect();
    (steps, scales)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_become_scales() {
        let p = Params::of_range(0.0, 255.0);
        assert_eq!((p.scale, p.zero), (1.0, 0));
        let p = Params::of_range(-1.0, 1.0);
        // 2/255 is rounded up, so that a half stays just below 127.5 steps.
        assert_eq!((p.scale, p.zero), (2.0 / 255.0, 127));
        // Zero is inside even where the range does not have it.
        let p = Params::of_range(5.0, 10.0);
        assert_eq!((p.scale, p.zero), (10.0 / 255.0, 0));
        let p = Params::of_range(-10.0, -5.0);
        assert_eq!((p.scale, p.zero), (10.0 / 255.0, 255));
        // Nothing but zeros, or next to nothing.
        assert_eq!(Params::of_range(0.0, 0.0).scale, 1.0);
        assert_eq!(Params::of_range(0.0, 1e-40).scale, 1.0);
        assert!(Params::of_range(-f32::MAX, f32::MAX).scale.is_finite());
    }

    #[test]
    fn a_bias_makes_a_scale_larger() {
        // Unbounded, the bias would be 10⁹ steps of 10⁻³ · 10⁻⁶ each: a million millions.
        let w = weight(&[1.27e-4, 0.5], (2, 1), Some(&[1e6, 1e6]), 1e-3);
        let (steps, scales) = bias(&[1e6, 1e6], 1e-3, &w.scales);
        for (step, scale) in steps.iter().zip(&scales) {
            assert!(step.unsigned_abs() <= 1 << 30, "{step}");
            assert!((*step as f32 * scale / 1e6 - 1.0).abs() < 1e-6);
        }
    }

    proptest! {
        #[test]
        fn numbers_inside_the_range_come_back_within_half_a_step(
            low in -1e6f32..0.0, high in 0.0f32..1e6, t in 0.0f32..1.0,
        ) {
            let p = Params::of_range(low, high);
            let x = low + (high - low) * t;
            let error = (p.dequantize(p.quantize(x)) - x).abs();
            // The zero point is rounded as well: at the ends half a step more is cut off.
            prop_assert!(error <= p.scale * 1.01, "{error} {}", p.scale);
            prop_assert_eq!(p.dequantize(p.quantize(0.0)), 0.0);
        }

        #[test]
        fn weights_come_back_within_half_a_step(
            weights in proptest::collection::vec(-10f32..10.0, 1..64), rows in 1usize..5,
        ) {
            let inner = weights.len().div_ceil(rows);
            let w = weight(&weights, (rows, inner), None, 1.0);
            for (i, (q, x)) in w.values.iter().zip(&weights).enumerate() {
                let scale = w.scales[i / inner % rows];
                prop_assert!((f32::from(*q) * scale - x).abs() <= scale * 0.5001);
            }
        }
    }
}
