//! The kernels' sources. Integers of 32 bits only: `+ - *`, shifts, masks, comparisons, unsigned division.

use crate::tensor::ElementType;

/// A compute kernel. Its source is its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shader {
    /// Buffers that it reads besides its parameters, 1 to 3.
    pub inputs: usize,
    pub source: String,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Parameters, inputs, output, and the state of the run: the number of instances, then for each the first node that
/// found an index out of range.
fn bindings(inputs: usize) -> String {
    let mut out = String::from("@group(0) @binding(0) var<storage, read> p: array<u32>;\n");
    for (i, name) in NAMES.iter().enumerate().take(inputs) {
        let at = i + 1;
        out += &format!("@group(0) @binding({at}) var<storage, read> {name}: array<u32>;\n");
    }
    let at = inputs + 1;
    out += &format!("@group(0) @binding({at}) var<storage, read_write> y: array<u32>;\n");
    let at = inputs + 2;
    out += &format!(
        "@group(0) @binding({at}) var<storage, read_write> state: array<atomic<u32>>;\n\n"
    );
    out
}

/// `load_a(base, i)`: element `i` of input `a`, whose words start at `base`.
fn load(name: &str, ty: ElementType) -> String {
    let body = match ty {
        ElementType::U8 | ElementType::Bool => {
            format!("bitcast<i32>(({name}[base + (i >> 2u)] >> ((i & 3u) << 3u)) & 0xffu)")
        }
        ElementType::I8 => {
            format!("bitcast<i32>({name}[base + (i >> 2u)] << (24u - ((i & 3u) << 3u))) >> 24u")
        }
        ElementType::U16 => {
            format!("bitcast<i32>(({name}[base + (i >> 1u)] >> ((i & 1u) << 4u)) & 0xffffu)")
        }
        ElementType::I16 => {
            format!("bitcast<i32>({name}[base + (i >> 1u)] << (16u - ((i & 1u) << 4u))) >> 16u")
        }
        _ => format!("bitcast<i32>({name}[base + i])"),
    };
    format!("fn load_{name}(base: u32, i: u32) -> i32 {{\n    return {body};\n}}\n\n")
}

/// Elements in one word.
pub(super) fn lanes(ty: ElementType) -> u32 {
    (4 / ty.size().clamp(1, 4)) as u32
}

/// A kernel that computes each element of its result by `fn element`.
fn elements(inputs: &[ElementType], result: ElementType, keep: bool, body: &str) -> Shader {
    let mut source = bindings(inputs.len());
    for (name, ty) in NAMES.iter().zip(inputs) {
        source += &load(name, *ty);
    }
    source += body;
    let (bits, mask) = match lanes(result) {
        4 => ("8", "0xff"),
        2 => ("16", "0xffff"),
        _ => ("0", "0xffffffff"),
    };
    source += &include_str!("wgsl/elements.wgsl")
        .replace("{LANES}", &lanes(result).to_string())
        .replace("{BITS}", bits)
        .replace("{MASK}", mask)
        .replace("{START}", if keep { "y[t]" } else { "0u" });
    Shader {
        inputs: inputs.len(),
        source,
    }
}

/// Moves elements of the size of `ty`; `keep` leaves those of the result that are not written.
pub(super) fn movement(ty: ElementType, keep: bool) -> Shader {
    elements(&[ty], ty, keep, include_str!("wgsl/move.wgsl"))
}

/// Takes slices at computed indices, of 32 or 64 bits.
pub(super) fn gather(ty: ElementType, index: ElementType) -> Shader {
    // An index beyond any axis stands for one that is out of range.
    let find = if index == ElementType::I64 {
        "fn index_of(base: u32, i: u32) -> u32 {
    let low = b[base + 2u * i];
    let high = b[base + 2u * i + 1u];
    let last = 0xffffffffu;
    if (high == 0u) {
        return low;
    }
    return select(last, low + p[4], high == last && low >= 0u - p[4]);
}
"
    } else {
        "fn index_of(base: u32, i: u32) -> u32 {
    let x = load_b(base, i);
    return bitcast<u32>(select(x, x + bitcast<i32>(p[4]), x < 0));
}
"
    };
    let body = format!("{find}{}", include_str!("wgsl/gather.wgsl"));
    elements(&[ty, index], ty, false, &body)
}

/// A function of one, two or three broadcast operands `x`, `z`, `w`, as a WGSL expression.
pub(super) fn map(operands: &[ElementType], result: ElementType, function: &str) -> Shader {
    let mut given = Vec::new();
    for (i, axis) in ["x", "y", "z"].iter().enumerate() {
        given.push(match operands.get(i) {
            Some(_) => format!("load_{}(instance * p[{}], at.{axis})", NAMES[i], i + 2),
            None => "0".into(),
        });
    }
    let mut body = String::new();
    if function.contains("rescale") {
        body += include_str!("wgsl/rescale.wgsl");
    }
    if function.contains("fixed_point_sum") {
        body += include_str!("wgsl/wide.wgsl");
    }
    body += &format!(
        "fn function(x: i32, z: i32, w: i32) -> i32 {{\n    let at = p[6];\n    return {function};\n}}\n\n"
    );
    body += &include_str!("wgsl/map.wgsl").replace("{OPERANDS}", &given.join(", "));
    elements(operands, result, false, &body)
}

/// 32-bit accumulators to bytes.
pub(super) fn requantize() -> Shader {
    let body = format!(
        "{}{}",
        include_str!("wgsl/rescale.wgsl"),
        include_str!("wgsl/requantize.wgsl")
    );
    elements(&[ElementType::I32], ElementType::U8, false, &body)
}

/// How a group of elements becomes one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fold {
    Sum,
    Product,
    Max,
    Min,
    /// Index, in 64 bits, of the greatest or least element, the last of equal ones or the first.
    Index {
        max: bool,
        last: bool,
    },
}

pub(super) fn fold(ty: ElementType, fold: Fold) -> Shader {
    let (first, from, step) = match fold {
        Fold::Sum => ("0", "0u", "best += x;".to_owned()),
        Fold::Product => ("1", "0u", "best *= x;".to_owned()),
        Fold::Max => (
            "load_a(base, start)",
            "1u",
            "best = max(best, x);".to_owned(),
        ),
        Fold::Min => (
            "load_a(base, start)",
            "1u",
            "best = min(best, x);".to_owned(),
        ),
        Fold::Index { max, last } => {
            let better = match (max, last) {
                (true, false) => ">",
                (true, true) => ">=",
                (false, false) => "<",
                (false, true) => "<=",
            };
            let step = format!("if (x {better} best) {{ best = x; found = j; }}");
            ("load_a(base, start)", "1u", step)
        }
    };
    let (index, result, out) = match fold {
        // Words of 64-bit numbers: the high ones are 0.
        Fold::Index { .. } => (
            "i >> 1u",
            "select(found, 0u, (i & 1u) == 1u)",
            ElementType::I32,
        ),
        _ => ("i", "bitcast<u32>(best)", ty),
    };
    let body = include_str!("wgsl/fold.wgsl")
        .replace("{INDEX}", index)
        .replace("{FIRST}", first)
        .replace("{FROM}", from)
        .replace("{STEP}", &step)
        .replace("{RESULT}", result);
    elements(&[ty], out, false, &body)
}

/// Greatest element of each window.
pub(super) fn max_pool(ty: ElementType) -> Shader {
    let body = include_str!("wgsl/pool.wgsl")
        .replace("{FIRST}", "bitcast<i32>(p[18])")
        .replace("{STEP}", "max(value, x)")
        .replace("{RESULT}", "value");
    elements(&[ty], ty, false, &body)
}

/// Requantised mean of each window.
pub(super) fn average_pool(x: ElementType, result: ElementType) -> Shader {
    let multiplier = "p[22] + 4u * (p[p[19] + row - plane * p[5]] * p[21] + p[p[20] + column])";
    let body = include_str!("wgsl/pool.wgsl")
        .replace("{FIRST}", "0")
        .replace("{STEP}", "value + x - bitcast<i32>(p[18])")
        .replace(
            "{RESULT}",
            &format!("saturate_to(rescale(value, {multiplier}), 15u)"),
        );
    let body = format!("{}{body}", include_str!("wgsl/rescale.wgsl"));
    elements(&[x], result, false, &body)
}

/// The right side of products of which both sides are computed.
pub(super) fn pack() -> Shader {
    elements(
        &[ElementType::U8],
        ElementType::I32,
        false,
        include_str!("wgsl/pack.wgsl"),
    )
}

/// Which forms of the product a node needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    /// The left side is an image seen through windows.
    pub image: bool,
    /// A zero point of the right side is not 0.
    pub row_sums: bool,
    /// The columns' sums are not known beforehand.
    pub column_sums: bool,
    /// The device's own dot product of four bytes.
    pub native_dot: bool,
}

/// Four products of signed bytes, written out.
const DOT: &str = "fn dot_bytes(x: u32, z: u32) -> i32 {
    return (bitcast<i32>(x << 24u) >> 24u) * (bitcast<i32>(z << 24u) >> 24u)
        + (bitcast<i32>(x << 16u) >> 24u) * (bitcast<i32>(z << 16u) >> 24u)
        + (bitcast<i32>(x << 8u) >> 24u) * (bitcast<i32>(z << 8u) >> 24u)
        + (bitcast<i32>(x) >> 24u) * (bitcast<i32>(z) >> 24u);
}";
const NATIVE_DOT: &str = "fn dot_bytes(x: u32, z: u32) -> i32 {\n    return dot4I8Packed(x, z);\n}";

impl Product {
    fn common(self) -> String {
        let (left, place) = if self.image {
            (
                include_str!("wgsl/product_left_image.wgsl"),
                "    let image = r.index / p[15];
    let inner = r.index - image * p[15];
    let line = inner / p[23];
    r.top = line * p[24] - p[26];
    r.left = (inner - line * p[23]) * p[25] - p[27];
    r.base += image * p[20] + r.top * p[22] + r.left;",
            )
        } else {
            (
                include_str!("wgsl/product_left_matrix.wgsl"),
                "    r.base += r.index * p[2];",
            )
        };
        let dot = if self.native_dot { NATIVE_DOT } else { DOT };
        let common = include_str!("wgsl/product.wgsl")
            .replace("{PLACE}", place)
            .replace("{LEFT}", left)
            .replace("{DOT}", dot);
        format!("{}{common}\n", bindings(3))
    }

    /// Thirty-two by thirty-two results at a time.
    pub fn tiled(self) -> Shader {
        let row = "row_sums[i] += dot_bytes(word, 0x01010101u);";
        let column = "column_sums[j] += dot_bytes(words[j], 0x01010101u);";
        let main = include_str!("wgsl/product_tiled.wgsl")
            .replace("{ROW_SUMS}", if self.row_sums { row } else { "" })
            .replace("{COLUMN_SUMS}", if self.column_sums { column } else { "" });
        Shader {
            inputs: 3,
            source: self.common() + &main,
        }
    }

    /// One result at a time: for a few rows, or a few columns.
    pub fn direct(self) -> Shader {
        let mut sums = String::new();
        if self.row_sums {
            sums += "row_sum += dot_bytes(word, 0x01010101u);\n        ";
        }
        if self.column_sums {
            sums += "column_sum += dot_bytes(other, 0x01010101u);";
        }
        let main = include_str!("wgsl/product_direct.wgsl").replace("{SUMS}", &sums);
        Shader {
            inputs: 3,
            source: self.common() + &main,
        }
    }
}
