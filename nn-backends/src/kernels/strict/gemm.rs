use super::environment::with_default_environment;
use super::kernel::{Kernel, Rows, Tile};
use super::math::canonical;
use crate::kernels::buffer::{Aligned, copy, with_scratch};
use crate::kernels::error::{KernelError, expect_len, expect_shape};
use crate::kernels::gemm::Order;
use crate::kernels::isa::Isa;
use crate::kernels::parallel::{self, Shared};
use std::ops::Range;

/// Products in one block: a panel of B must stay in the first-level cache.
const BLOCK: usize = 128;
/// Fewer multiplications than this are not worth a second thread.
const MIN_PARALLEL: usize = 1 << 19;

/// The definition: for each output, products added in order of k to one sum that starts from zero, then the bias.
///
/// `a` is `m` × `k` and `b` is `k` × `n`, row-major; elements that a slice lacks count as zero.
pub fn gemm_reference(
    a: &[f32],
    b: &[f32],
    bias: Option<&[f32]>,
    (m, k, n): (usize, usize, usize),
) -> Vec<f32> {
    let get = |slice: &[f32], index: usize| slice.get(index).copied().unwrap_or(0.0);
    let mut c = Vec::new();
    for row in 0..m {
        for column in 0..n {
            let mut sum = 0.0f32;
            for i in 0..k {
                let product = get(a, row * k + i) * get(b, i * n + column);
                sum += product;
            }
            c.push(canonical(bias.map_or(sum, |bias| sum + get(bias, column))));
        }
    }
    c
}

/// B in panels of columns, each row-major, as the kernel of one instruction set reads it.
#[derive(Clone)]
pub struct PackedF32 {
    isa: Isa,
    k: usize,
    n: usize,
    data: Aligned,
}

impl std::fmt::Debug for PackedF32 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "PackedF32({}×{} for {})",
            self.k,
            self.n,
            self.isa.name()
        )
    }
}

impl PackedF32 {
    /// Packs `b`, of `k` × `n` elements, for the kernel of `isa`.
    ///
    /// # Errors
    /// When the length does not fit the shape or this machine lacks `isa`.
    pub fn new(
        isa: Isa,
        b: &[f32],
        (k, n): (usize, usize),
        order: Order,
    ) -> Result<Self, KernelError> {
        if !isa.is_available() {
            return Err(KernelError::Unavailable);
        }
        expect_shape("B", b.len(), &[k, n])?;
        let kernel = Kernel::of(isa);
        let bytes = n
            .checked_next_multiple_of(kernel.lanes)
            .and_then(|n| n.checked_mul(k)?.checked_mul(4))
            .filter(|&bytes| isize::try_from(bytes).is_ok())
            .ok_or(KernelError::TooLarge("B"))?;
        let mut packed = Self {
            isa,
            k,
            n,
            data: Aligned::zeroed(bytes),
        };
        for panel in 0..packed.panels() {
            let (columns, width, start) = packed.panel(panel);
            let data = &mut packed.data.as_f32_mut(bytes / 4)[start..start + width * k];
            for (i, out) in data.chunks_exact_mut(width).enumerate() {
                match order {
                    Order::RowMajor => {
                        out[..columns.len()]
                            .copy_from_slice(&b[i * n + columns.start..i * n + columns.end]);
                    }
                    Order::ColumnMajor => {
                        out.iter_mut()
                            .zip(columns.clone())
                            .for_each(|(out, column)| *out = b[column * k + i]);
                    }
                }
            }
        }
        Ok(packed)
    }

    /// Rows of B.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Columns of B.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.data.len()
    }

    fn panels(&self) -> usize {
        let kernel = Kernel::of(self.isa);
        self.n.div_ceil(kernel.lanes * kernel.vectors)
    }

    /// Of panel `index`: its columns, its width with padding, and its first element.
    fn panel(&self, index: usize) -> (Range<usize>, usize, usize) {
        let kernel = Kernel::of(self.isa);
        let first = index * kernel.lanes * kernel.vectors;
        let end = self.n.min(first + kernel.lanes * kernel.vectors);
        (
            first..end,
            (end - first).next_multiple_of(kernel.lanes),
            first * self.k,
        )
    }
}

/// Computes `c = a · b + bias` as [`gemm_reference`] defines it, with `a` of `m` × `k` elements, `b` packed, `bias` of
/// `n` and `c` of `m` × `n` elements.
///
/// `threads` is the most threads to use; it changes the time and nothing else.
///
/// # Errors
/// When a length does not fit the shape; `c` is then unchanged.
pub fn gemm(
    a: &[f32],
    m: usize,
    b: &PackedF32,
    bias: Option<&[f32]>,
    c: &mut [f32],
    threads: usize,
) -> Result<(), KernelError> {
    let (k, n) = (b.k, b.n);
    expect_shape("A", a.len(), &[m, k])?;
    expect_shape("C", c.len(), &[m, n])?;
    if let Some(bias) = bias {
        expect_len("bias", bias.len(), n)?;
    }
    let c = Shared::new(c);
    let threads = if m.saturating_mul(n).saturating_mul(k) < MIN_PARALLEL {
        1
    } else {
        threads.max(1)
    };
    let panels = b.panels();
    if threads > 1 && m < threads * 24 {
        let parts = threads.min(panels).max(1);
        parallel::for_each(threads, parts, |i| {
            with_default_environment(|| {
                part(
                    a,
                    b,
                    bias,
                    &c,
                    0..m,
                    i * panels / parts..(i + 1) * panels / parts,
                )
            });
        });
    } else {
        parallel::for_each(threads, threads, |i| {
            let rows = i * m / threads..(i + 1) * m / threads;
            with_default_environment(|| part(a, b, bias, &c, rows, 0..panels));
        });
    }
    Ok(())
}

/// Computes C for some rows and some panels of columns. Calls with disjoint ranges may run at once.
fn part(
    a: &[f32],
    b: &PackedF32,
    bias: Option<&[f32]>,
    c: &Shared<f32>,
    rows: Range<usize>,
    panels: Range<usize>,
) {
    let (kernel, k, n) = (Kernel::of(b.isa), b.k, b.n);
    // So few rows read B once; then it should stream in one piece.
    let block = if rows.len() <= 2 * kernel.rows {
        k.max(1)
    } else {
        BLOCK
    };
    with_scratch(|scratch| {
        let most = kernel.rows * kernel.lanes * kernel.vectors;
        scratch.tile.reserve(most * 4);
        for panel in panels {
            let (columns, width, start) = b.panel(panel);
            for depth in (0..k.max(1))
                .step_by(block)
                .map(|first| first..k.min(first + block))
            {
                for first in rows.clone().step_by(kernel.rows) {
                    let count = kernel.rows.min(rows.end - first);
                    let whole = columns.len() == width;
                    let spare = scratch.tile.as_f32_mut(most).as_mut_ptr();
                    // SAFETY: row `first` and the panel's first column are inside C, whose length has been checked.
                    let to = unsafe { c.get().add(first * n + columns.start) };
                    if !whole && depth.start > 0 {
                        // SAFETY: both rectangles lie inside C or the spare tile, and they do not overlap.
                        unsafe { copy(to, n, spare, width, (count, columns.len())) };
                    }
                    let tile = Tile {
                        rows: count,
                        vectors: width / kernel.lanes,
                        depth: depth.len(),
                        a: a[first * k + depth.start..].as_ptr(),
                        a_stride: k,
                        b: b.data.as_f32()[start + depth.start * width..].as_ptr(),
                        b_rows: Rows::Packed,
                        c: if whole { to } else { spare },
                        c_stride: if whole { n } else { width },
                        resume: depth.start > 0,
                    };
                    // SAFETY: A has `count` rows of this depth from here on and the panel has this depth and width; C
                    // has these rows and columns, or the spare tile has. No other part writes these elements. The
                    // processor has the instruction set, or B could not have been packed for it.
                    unsafe { (kernel.tile)(&tile) };
                    if !whole {
                        // SAFETY: as above.
                        unsafe { copy(spare, width, to, n, (count, columns.len())) };
                    }
                    if depth.end == k {
                        for row in 0..count {
                            // SAFETY: a row of the tile, inside C; no other part touches it.
                            let row = unsafe {
                                std::slice::from_raw_parts_mut(to.add(row * n), columns.len())
                            };
                            finish(row, bias.map(|bias| &bias[columns.clone()]));
                        }
                    }
                }
            }
        }
    });
}

/// Adds the bias to a row and makes it canonical.
fn finish(row: &mut [f32], bias: Option<&[f32]>) {
    match bias {
        Some(bias) => row
            .iter_mut()
            .zip(bias)
            .for_each(|(c, &bias)| *c = canonical(*c + bias)),
        None => row.iter_mut().for_each(|c| *c = canonical(*c)),
    }
}
