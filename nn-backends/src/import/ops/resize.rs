//! Resampling, one axis after the other: each result is a sum of few elements with weights known at load.

use crate::array::{Array, Data};
use crate::error::NodeError;
use crate::graph::ValueId;
use crate::import::context::{Context, bad};
use crate::op::{Binary, Op};

/// How the elements around a position are combined.
#[derive(Clone, Copy, PartialEq)]
enum Kernel<'a> {
    Nearest(&'a str),
    Linear,
    Cubic(f64),
}

/// How a position in the result becomes one in the operand.
struct Axis<'a> {
    mode: &'a str,
    /// Elements of the operand and of the result.
    len: usize,
    out: usize,
    scale: f64,
    /// Start and end of the region, for cropping.
    region: (f64, f64),
}

/// An element and its weight; `None` is the constant beyond the operand.
type Taps = Vec<(Option<usize>, f64)>;

/// More elements than this for one result are refused.
const MAX_TAPS: usize = 256;

impl Axis<'_> {
    fn source(&self, i: usize) -> Result<f64, NodeError> {
        let (i, len, scale) = (i as f64, self.len as f64, self.scale);
        let resized = len * scale;
        Ok(match self.mode {
            "half_pixel" => (i + 0.5) / scale - 0.5,
            "pytorch_half_pixel" if resized == 1.0 => -0.5,
            "pytorch_half_pixel" => (i + 0.5) / scale - 0.5,
            "half_pixel_symmetric" => {
                let offset = len / 2.0 * (1.0 - self.out as f64 / resized);
                offset + (i + 0.5) / scale - 0.5
            }
            "asymmetric" => i / scale,
            "align_corners" if resized == 1.0 => 0.0,
            "align_corners" => i * (len - 1.0) / (resized - 1.0),
            "tf_crop_and_resize" => {
                let (start, end) = self.region;
                let at = if resized == 1.0 {
                    (end - start) * (len - 1.0) / 2.0
                } else {
                    i * (end - start) * (len - 1.0) / (resized - 1.0)
                };
                at + start * (len - 1.0)
            }
            _ => return Err(bad("coordinate_transformation_mode")),
        })
    }

    /// The elements that result `i` consists of.
    fn taps(
        &self,
        i: usize,
        kernel: Kernel<'_>,
        antialias: bool,
        exclude_outside: bool,
    ) -> Result<Taps, NodeError> {
        let at = self.source(i)?;
        let last = self.len as i64 - 1;
        if self.mode == "tf_crop_and_resize" && !(0.0..=last as f64).contains(&at) {
            return Ok(vec![(None, 1.0)]);
        }
        let inside = |i: i64| Some(i.clamp(0, last) as usize);
        let whole = at.floor() as i64;
        let scale = if antialias { self.scale.min(1.0) } else { 1.0 };
        let reach = match kernel {
            Kernel::Nearest(rounding) => {
                let i = match rounding {
                    "round_prefer_floor" => (at - 0.5).ceil(),
                    "round_prefer_ceil" => (at + 0.5).floor(),
                    "floor" => at.floor(),
                    "ceil" => at.ceil(),
                    _ => return Err(bad("nearest_mode")),
                };
                return Ok(vec![(inside(i as i64), 1.0)]);
            }
            Kernel::Linear => 1.0 / scale,
            Kernel::Cubic(_) => 2.0 / scale,
        };
        if reach > MAX_TAPS as f64 / 2.0 {
            return Err(NodeError::Limit("elements that one result is made of"));
        }
        let reach = reach.ceil() as i64;
        let mut taps = Taps::new();
        for i in whole - reach..=whole + reach {
            let weight = match kernel {
                Kernel::Cubic(a) => cubic((i as f64 - at) * scale, a),
                _ => (1.0 - ((i as f64 - at) * scale).abs()).max(0.0),
            };
            let outside = !(0..=last).contains(&i);
            if weight != 0.0 && !(exclude_outside && outside) {
                taps.push((inside(i), weight));
            }
        }
        let total: f64 = taps.iter().map(|t| t.1).sum();
        if antialias || exclude_outside {
            for tap in &mut taps {
                tap.1 /= total;
            }
        }
        // Elements beyond the edge are the edge.
        let mut merged = Taps::new();
        for (i, weight) in taps {
            match merged.last_mut() {
                Some((last, sum)) if *last == i => *sum += weight,
                _ => merged.push((i, weight)),
            }
        }
        Ok(merged)
    }
}

fn cubic(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    } else {
        0.0
    }
}

/// Lengths and scales of the resized axes.
fn sizes(
    c: &Context<'_, '_, '_>,
    shape: &[usize],
    axes: &[usize],
) -> Result<Vec<(usize, f64)>, NodeError> {
    let upsample = c.node.op_type == "Upsample";
    let scales_at = if upsample || c.opset < 11 { 1 } else { 2 };
    let scales = match (c.constant(scales_at)?, c.attribute("scales")) {
        (Some(scales), _) if !scales.is_empty() => Some(
            scales
                .as_f32()
                .ok_or(NodeError::Value("scales are floats"))?
                .to_vec(),
        ),
        (_, Some(crate::onnx::schema::Attribute::Floats(v))) if upsample => Some(v.clone()),
        _ => None,
    };
    if let Some(scales) = scales {
        if scales.len() != axes.len() {
            return Err(NodeError::Shape("one scale for each axis"));
        }
        return axes
            .iter()
            .zip(scales)
            .map(|(axis, scale)| {
                if !scale.is_normal() || scale < 0.0 {
                    return Err(NodeError::Scale(scale));
                }
                let scale = f64::from(scale);
                Ok(((shape[*axis] as f64 * scale).floor() as usize, scale))
            })
            .collect();
    }
    let sizes = c.constant_ints(3)?.ok_or(NodeError::MissingInput(3))?;
    if sizes.len() != axes.len() {
        return Err(NodeError::Shape("one size for each axis"));
    }
    let mut out = Vec::with_capacity(axes.len());
    for (axis, size) in axes.iter().zip(sizes) {
        let size = u32::try_from(size).map_err(|_| NodeError::Value("a size is out of range"))?;
        out.push((size as usize, f64::from(size) / shape[*axis] as f64));
    }
    let pick: fn(f64, f64) -> f64 = match c.string_or("keep_aspect_ratio_policy", "stretch")? {
        "stretch" => return Ok(out),
        "not_larger" => f64::min,
        "not_smaller" => f64::max,
        _ => return Err(bad("keep_aspect_ratio_policy")),
    };
    let scale = out.iter().map(|o| o.1).reduce(pick).unwrap_or(1.0);
    for ((size, own), axis) in out.iter_mut().zip(axes) {
        *own = scale;
        *size = (shape[*axis] as f64 * scale + 0.5).floor() as usize;
    }
    Ok(out)
}

/// `Resize` and `Upsample`.
pub fn resize(c: &mut Context<'_, '_, '_>) -> Result<ValueId, NodeError> {
    let mut x = c.input(0)?;
    let shape = c.shape(x);
    // Their order is that of scales, sizes and regions.
    let axes = c.axes_in_order(shape.len())?;
    let antialias = c.flag("antialias")?;
    let exclude_outside = c.flag("exclude_outside")?;
    let old = c.node.op_type == "Upsample" || c.opset < 11;
    let mode = c.string_or("coordinate_transformation_mode", "half_pixel")?;
    let mode = if old { "asymmetric" } else { mode };
    let rounding = c.string_or("nearest_mode", "round_prefer_floor")?;
    let kernel = match c.string_or("mode", "nearest")? {
        "nearest" => Kernel::Nearest(if old { "floor" } else { rounding }),
        "linear" => Kernel::Linear,
        "cubic" => Kernel::Cubic(f64::from(c.float_or("cubic_coeff_a", -0.75)?)),
        _ => return Err(bad("mode")),
    };
    let beyond = c.float_or("extrapolation_value", 0.0)?;
    let sizes = sizes(c, &shape, &axes)?;
    let region = match (mode, c.constant(1)) {
        ("tf_crop_and_resize", roi) => {
            let roi = roi?.ok_or(NodeError::MissingInput(1))?;
            let roi = roi.as_f32().ok_or(NodeError::Value("a region is floats"))?;
            if roi.len() != 2 * axes.len() {
                return Err(NodeError::Shape("a start and an end for each axis"));
            }
            roi.to_vec()
        }
        _ => vec![0.0; 2 * axes.len()],
    };
    for (n, (&axis, (out, scale))) in axes.iter().zip(sizes).enumerate() {
        let len = shape[axis];
        let crops = mode == "tf_crop_and_resize";
        let whole = !crops || (region[n], region[n + axes.len()]) == (0.0, 1.0);
        if out == len && scale == 1.0 && whole {
            continue;
        }
        if len == 0 || out == 0 || out as u64 > c.builder.limits.elements {
            return Err(NodeError::Limit("elements in a tensor"));
        }
        let along = Axis {
            mode,
            len,
            out,
            scale,
            region: (f64::from(region[n]), f64::from(region[n + axes.len()])),
        };
        let reach = match kernel {
            Kernel::Nearest(_) => 1.0,
            _ if antialias => 4.0 / scale.min(1.0) + 3.0,
            _ => 7.0,
        };
        // Taps are held in memory, some dozen bytes each.
        if out as f64 * reach > f64::from(1u32 << 22) {
            return Err(NodeError::Limit("elements that results are made of"));
        }
        let taps = (0..out)
            .map(|i| along.taps(i, kernel, antialias, exclude_outside))
            .collect::<Result<Vec<_>, _>>()?;
        x = weighted(c, x, axis, &taps, beyond)?;
    }
    Ok(x)
}

/// The sums of weighted elements along an axis, first tap first.
fn weighted(
    c: &mut Context<'_, '_, '_>,
    x: ValueId,
    axis: usize,
    taps: &[Taps],
    beyond: f32,
) -> Result<ValueId, NodeError> {
    let rank = c.rank(x);
    let mut along = vec![1; rank];
    along[axis] = taps.len();
    let most = taps.iter().map(Vec::len).max().unwrap_or(0);
    let mut sum = None;
    for tap in 0..most {
        // A result of fewer elements than others takes none with a weight of 0: 0 · ∞ would be no number.
        let index: Vec<i64> = taps
            .iter()
            .map(|t| t.get(tap).or(t.first()).and_then(|t| t.0).unwrap_or(0) as i64)
            .collect();
        let index = c.builder.keep(Array {
            shape: vec![taps.len()],
            data: Data::I64(index),
        });
        let mut y = c.emit(Op::Gather(axis), &[x, index])?;
        let weights: Vec<f32> = taps
            .iter()
            .map(|t| t.get(tap).map_or(0.0, |t| t.1 as f32))
            .collect();
        if weights.iter().any(|w| *w != 1.0) {
            let weights = c.builder.keep(Array {
                shape: along.clone(),
                data: Data::F32(weights),
            });
            y = c.binary(Binary::Mul, y, weights)?;
        }
        let absent: Vec<bool> = taps.iter().map(|t| t.len() <= tap).collect();
        if absent.contains(&true) {
            y = choose(c, &along, absent, y, 0.0)?;
        }
        sum = Some(match sum {
            None => y,
            Some(sum) => c.binary(Binary::Add, sum, y)?,
        });
    }
    let sum = sum.ok_or(NodeError::Shape("nothing to resample"))?;
    let outside: Vec<bool> = taps
        .iter()
        .map(|t| t.first().is_some_and(|t| t.0.is_none()))
        .collect();
    if outside.contains(&true) {
        return choose(c, &along, outside, sum, beyond);
    }
    Ok(sum)
}

/// A constant where the mask is set, else `y`.
fn choose(
    c: &mut Context<'_, '_, '_>,
    along: &[usize],
    mask: Vec<bool>,
    y: ValueId,
    value: f32,
) -> Result<ValueId, NodeError> {
    let mask = c.builder.keep(Array {
        shape: along.to_vec(),
        data: Data::Bool(mask),
    });
    let ty = c.ty(y);
    let value = c.float_constant(value);
    let value = c.emit(Op::Cast(ty), &[value])?;
    c.emit(Op::Where, &[mask, value, y])
}
