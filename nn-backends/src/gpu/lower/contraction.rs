//! Matrix products and convolutions: one kernel for both, then requantisation.

use super::elementwise::{multiplier, range};
use super::{Context, Dispatch, Grid, Source, Target, small, words};
use crate::array::{Array, Data};
use crate::gpu::shader::{self, Product};
use crate::graph::Info;
use crate::kernels::ConvShape;
use crate::op::Requantize;
use crate::placement::CpuReason;
use crate::reference::contraction::Batches;
use crate::tensor::ElementType;

/// Flips the top bit of each byte of an unsigned operand, which makes it signed and 128 less.
fn flip(ty: ElementType) -> u32 {
    if ty == ElementType::U8 {
        0x8080_8080
    } else {
        0
    }
}

/// Bytes as the kernel sees them.
fn signed(x: &Array) -> Result<Vec<i8>, CpuReason> {
    match &x.data {
        Data::U8(v) => Ok(v.iter().map(|x| (x ^ 0x80).cast_signed()).collect()),
        Data::I8(v) => Ok(v.clone()),
        _ => Err(CpuReason::NoKernel),
    }
}

/// What each column adds: the bias, the factor of the left zero point, and its own zero point.
#[derive(Default)]
struct Columns {
    table: Vec<u32>,
    /// Any zero point of a column is not 0.
    row_sums: bool,
}

impl Columns {
    fn push(&mut self, bias: i32, depth: usize, zero: i32, sum: i32) {
        let factor = (depth as i32).wrapping_mul(zero).wrapping_sub(sum);
        self.table
            .extend([bias, factor, zero].map(i32::cast_unsigned));
        self.row_sums |= zero != 0;
    }
}

/// Constant zero points and biases of the columns.
struct Right {
    zeros: Vec<i32>,
    bias: Option<Vec<i32>>,
}

impl Right {
    fn new(c: &Context<'_>) -> Result<Self, CpuReason> {
        let flipped = flip(c.info(1)?.ty) != 0;
        let zeros = match c.constant(3)? {
            Some(zeros) => signed(zeros)?.iter().map(|z| i32::from(*z)).collect(),
            None => vec![if flipped { -128 } else { 0 }],
        };
        let bias = match c.constant(4)?.map(|b| &b.data) {
            Some(Data::I32(bias)) => Some(bias.clone()),
            Some(_) => return Err(CpuReason::NoKernel),
            None => None,
        };
        Ok(Right { zeros, bias })
    }

    fn zero(&self, column: usize) -> i32 {
        let one = self.zeros.len() == 1;
        let at = if one { 0 } else { column };
        self.zeros.get(at).copied().unwrap_or(0)
    }

    fn bias(&self, column: usize) -> i32 {
        let bias = self.bias.as_ref().and_then(|b| b.get(column));
        bias.copied().unwrap_or(0)
    }
}

/// Matrices of `depth` × `columns` signed bytes, four of a column in a word.
struct Packer {
    words: Vec<u32>,
    columns: Columns,
}

impl Packer {
    /// Adds a matrix whose element is `at(k, n)`; `first` is its first column among biases and zero points.
    fn push(
        &mut self,
        (depth, columns): (usize, usize),
        at: impl Fn(usize, usize) -> i8,
        right: &Right,
        first: usize,
    ) {
        let start = self.words.len();
        let lines = depth.div_ceil(4);
        self.words.resize(start + lines * columns, 0);
        let mut sums = vec![0i32; columns];
        for k in 0..depth {
            let line = start + k / 4 * columns;
            let words = self.words.iter_mut().skip(line);
            for (n, (word, sum)) in words.zip(&mut sums).enumerate() {
                let byte = at(k, n);
                *word |= u32::from(byte.cast_unsigned()) << (8 * (k % 4));
                *sum = sum.wrapping_add(i32::from(byte));
            }
        }
        for (n, sum) in sums.into_iter().enumerate() {
            let column = first + n;
            self.columns
                .push(right.bias(column), depth, right.zero(column), sum);
        }
    }
}

/// The left operand's zero points: buffer, words from one instance to the next, and 1 if each row has its own.
fn left_zeros(c: &Context<'_>, rows: usize) -> Result<(Source, u32, u32), CpuReason> {
    let Some(id) = c.optional(2) else {
        return Ok((Source::Words(vec![0]), 0, 0));
    };
    match c.graph.info(id).elements() as usize {
        1 => Ok((Source::Value(id), c.stride(id), 0)),
        n if n == rows => Ok((Source::Value(id), c.stride(id), 1)),
        _ => Err(CpuReason::NoKernel),
    }
}

/// Everything that the product kernel is told.
struct Task {
    product: Product,
    rows: usize,
    columns: usize,
    depth: usize,
    merged: bool,
    /// Offset in a (bytes), b (words), y, and the first column in the table.
    slices: Vec<[u32; 4]>,
    table: Columns,
    right: Source,
    right_stride: u32,
    zeros: (Source, u32, u32),
    /// Rows of an image; steps in y of an image, a row and a column.
    steps: [usize; 4],
    /// Parameters of the image: geometry, then the taps' table.
    image: Option<(Vec<u32>, Vec<u32>)>,
}

/// Where the variable part of the parameters starts.
const TABLES: usize = 28;

impl Task {
    fn dispatch(
        self,
        c: &Context<'_>,
        result: &Info,
        target: Target,
    ) -> Result<Dispatch, CpuReason> {
        let lines = self.depth.div_ceil(4);
        let tail = match self.depth % 4 {
            0 => u32::MAX,
            n => (1 << (8 * n)) - 1,
        };
        let a = c.info(0)?;
        let (geometry, taps) = self.image.unwrap_or_default();
        let columns_at = TABLES + taps.len();
        let slices_at = columns_at + self.table.table.len();
        let (zeros, zeros_stride, zeros_step) = self.zeros;
        let mut params = vec![
            small(self.rows)?,
            small(self.columns)?,
            small(self.depth)?,
            small(lines)?,
            tail,
            u32::from(self.merged),
            small(self.slices.len())?,
            c.stride(c.input(0)?),
            self.right_stride,
            // Accumulators have 32 bits.
            result.elements() as u32,
            flip(a.ty),
            zeros_stride,
            zeros_step,
            small(columns_at)?,
            small(slices_at)?,
        ];
        for n in self.steps {
            params.push(small(n)?);
        }
        params.push(TABLES as u32);
        params.extend(geometry);
        params.resize(TABLES, 0);
        params.extend(taps);
        params.extend(self.table.table);
        params.extend(self.slices.as_flattened());
        Ok(Dispatch {
            shader: self.product.tiled(),
            direct: Some(self.product.direct()),
            sources: vec![Source::Value(c.input(0)?), self.right, zeros],
            target,
            grid: Grid::Product {
                rows: small(self.rows)?,
                columns: small(self.columns)?,
                slices: small(self.slices.len())?,
                merged: self.merged,
            },
            params,
        })
    }
}

/// The kernels of a contraction: the product alone, or into scratch memory and then to bytes.
fn finish(
    c: &Context<'_>,
    mut before: Vec<Dispatch>,
    task: Task,
    requantize: Option<(&Requantize, usize)>,
) -> Result<Vec<Dispatch>, CpuReason> {
    let (id, result) = c.result()?;
    let Some((requantize, plane)) = requantize else {
        before.push(task.dispatch(c, result, Target::Value(id))?);
        return Ok(before);
    };
    let elements = result.elements() as u32;
    let scratch = before.len();
    before.push(task.dispatch(c, result, Target::Scratch(scratch, elements))?);
    let multipliers_at = 9;
    let mut params = vec![
        words(result),
        elements,
        elements,
        small(plane)?,
        small(requantize.scales.len())?,
        multipliers_at,
    ];
    params.extend(range(requantize.zero, requantize.ty)?);
    for scale in &requantize.scales {
        params.extend(multiplier(*scale)?);
    }
    let sources = vec![Source::Scratch(scratch)];
    before.push(c.elements(shader::requantize(), sources, params)?);
    Ok(before)
}

pub(super) fn product(
    c: &Context<'_>,
    requantize: Option<&Requantize>,
) -> Result<Vec<Dispatch>, CpuReason> {
    let (a, b) = (c.info(0)?, c.info(1)?);
    let (_, result) = c.result()?;
    let batches =
        Batches::new(&a.shape, &b.shape, &result.shape).map_err(|_| CpuReason::NoKernel)?;
    let (mut m, k, n) = (batches.m, batches.k, batches.n);
    let right = Right::new(c)?;
    let mut zeros = left_zeros(c, m)?;
    let mut pairs = batches.pairs;
    let one_right = b.elements() as usize == k * n;
    let in_order = pairs.iter().enumerate().all(|(i, pair)| pair.0 == i);
    if one_right && in_order && zeros.2 == 0 {
        // One right side: all rows are one matrix.
        m *= pairs.len();
        pairs = vec![(0, 0)];
    }
    if m == 1 {
        zeros.2 = 0;
    }
    let lines = k.div_ceil(4);
    let mut before = Vec::new();
    let (source, right_stride, table, merged) = if let Some(b) = c.graph.constant(c.input(1)?) {
        let bytes = signed(b)?;
        let mut packer = Packer {
            words: Vec::new(),
            columns: Columns::default(),
        };
        for matrix in bytes.chunks(k * n) {
            let at = |i: usize, j: usize| matrix.get(i * n + j).copied().unwrap_or(0);
            packer.push((k, n), at, &right, 0);
        }
        (Source::Words(packer.words), 0, packer.columns, true)
    } else {
        let matrices = b.elements() as usize / (k * n);
        let packed = small(matrices * lines * n)?;
        before.push(Dispatch {
            shader: shader::pack(),
            direct: None,
            sources: vec![Source::Value(c.input(1)?)],
            target: Target::Scratch(0, packed),
            params: vec![
                packed,
                packed,
                c.stride(c.input(1)?),
                small(k)?,
                small(n)?,
                small(lines)?,
                flip(b.ty),
            ],
            grid: Grid::Words(packed),
        });
        let mut table = Columns::default();
        for column in 0..n {
            // The sums come from the kernel.
            table.push(right.bias(column), k, right.zero(column), 0);
        }
        (Source::Scratch(0), packed, table, false)
    };
    let column_sums = right_stride != 0;
    let product = Product {
        image: false,
        row_sums: table.row_sums,
        column_sums,
        native_dot: c.native_dot,
    };
    let mut slices = Vec::with_capacity(pairs.len());
    for (i, (left, matrix)) in pairs.into_iter().enumerate() {
        let columns = if column_sums { 0 } else { matrix * n };
        slices.push([
            small(left * m * k)?,
            small(matrix * lines * n)?,
            small(i * m * n)?,
            small(columns)?,
        ]);
    }
    let task = Task {
        product,
        rows: m,
        columns: n,
        depth: k,
        merged,
        slices,
        table,
        right: source,
        right_stride,
        zeros,
        steps: [m, 0, n, 1],
        image: None,
    };
    finish(c, before, task, requantize.map(|r| (r, 1)))
}

pub(super) fn convolution(
    c: &Context<'_>,
    shape: &ConvShape,
    requantize: Option<&Requantize>,
) -> Result<Vec<Dispatch>, CpuReason> {
    let weights = c.constant(1)?.ok_or(CpuReason::Parameter)?;
    let right = Right::new(c)?;
    let bytes = signed(weights)?;
    let [rows, columns] = shape.output().map_err(|_| CpuReason::NoKernel)?;
    let [height, width] = shape.input;
    let images = c.info(0)?.shape.first().copied().unwrap_or(0);
    let (plane, depth) = (rows * columns, shape.depth());
    let (inside, outside) = (
        shape.channels_in / shape.groups,
        shape.channels_out / shape.groups,
    );
    for axis in 0..2 {
        let reach = (shape.kernel[axis] - 1) * shape.dilations[axis];
        let steps = [
            reach,
            shape.pads[axis],
            shape.pads[axis + 2],
            shape.strides[axis],
        ];
        // Places within a window have 16 bits, and none may wrap around.
        if steps.iter().any(|n| *n >= 1 << 16) {
            return Err(CpuReason::TooLarge);
        }
    }
    let mut taps = Vec::with_capacity(2 * depth);
    for channel in 0..inside {
        for ky in 0..shape.kernel[0] {
            for kx in 0..shape.kernel[1] {
                let (dy, dx) = (ky * shape.dilations[0], kx * shape.dilations[1]);
                taps.push(small((channel * height + dy) * width + dx)?);
                taps.push((dy | dx << 16) as u32);
            }
        }
    }
    let mut packer = Packer {
        words: Vec::new(),
        columns: Columns::default(),
    };
    let mut slices = Vec::with_capacity(shape.groups);
    for group in 0..shape.groups {
        let first = group * outside;
        slices.push([
            small(group * inside * height * width)?,
            small(packer.words.len())?,
            small(first * plane)?,
            small(first)?,
        ]);
        let at = |k: usize, n: usize| bytes.get((first + n) * depth + k).copied().unwrap_or(0);
        packer.push((depth, outside), at, &right, first);
    }
    let mut geometry = Vec::new();
    for n in [
        shape.channels_in * height * width,
        height,
        width,
        columns,
        shape.strides[0],
        shape.strides[1],
        shape.pads[0],
        shape.pads[1],
    ] {
        geometry.push(small(n)?);
    }
    let task = Task {
        product: Product {
            image: true,
            row_sums: packer.columns.row_sums,
            column_sums: false,
            native_dot: c.native_dot,
        },
        rows: images * plane,
        columns: outside,
        depth,
        merged: true,
        slices,
        table: packer.columns,
        right: Source::Words(packer.words),
        right_stride: 0,
        zeros: left_zeros(c, 1)?,
        steps: [plane, shape.channels_out * plane, 1, plane],
        image: Some((geometry, taps)),
    };
    finish(c, Vec::new(), task, requantize.map(|r| (r, plane)))
}
