//! Cuts a product into blocks that fit the caches, brings A into the kernel's form, and corrects for zero points.

use super::kernel::{Init, Kernel, Lhs, Tile};
use super::pack::{PackedB, check_zeros};
use super::{Bytes, ZeroPoints};
use crate::kernels::buffer::{Aligned, Scratch, copy, with_scratch};
use crate::kernels::error::{KernelError, expect_len, expect_shape};
use crate::kernels::parallel::{self, Shared};
use std::ops::Range;

/// Rows of A that are brought into the kernel's form at a time; a multiple of every tile's rows.
const ROW_BLOCK: usize = 240;
/// Fewer multiplications than this are not worth a second thread.
const MIN_PARALLEL: usize = 1 << 20;
/// From this many rows on, a panel of B is widened once instead of in every tile.
const MIN_WIDEN: usize = 12;

/// Computes `c = (a − a_zero) · (b − b_zero) + bias`, with `a` of `m` × `k` elements, row-major, `b` packed, `c` of
/// `m` × `n` elements, row-major, and `bias` of `n` elements.
///
/// `threads` is the most threads to use; it changes the time and nothing else.
///
/// # Errors
/// When a length does not fit the shape or a zero point is outside the type of `a`; `c` is then unchanged.
pub fn gemm(
    a: Bytes<'_>,
    a_zero: ZeroPoints<'_>,
    m: usize,
    b: &PackedB,
    bias: Option<&[i32]>,
    c: &mut [i32],
    threads: usize,
) -> Result<(), KernelError> {
    let (k, n) = (b.k(), b.n());
    expect_shape("A", a.len(), &[m, k])?;
    expect_shape("C", c.len(), &[m, n])?;
    check_zeros("A's zero points", a_zero, m, a.is_signed())?;
    if let Some(bias) = bias {
        expect_len("bias", bias.len(), n)?;
    }
    let product = Product {
        a,
        a_zero,
        b,
        bias,
        kernel: Kernel::of(b.isa()),
        c: Shared::new(c),
    };
    let threads = if m.saturating_mul(n).saturating_mul(k) < MIN_PARALLEL {
        1
    } else {
        threads.max(1)
    };
    let panels = b.panels();
    if threads > 1 && m < threads * 24 {
        let parts = threads.min(panels).max(1);
        parallel::for_each(threads, parts, |part| {
            product.part(0..m, part * panels / parts..(part + 1) * panels / parts);
        });
    } else {
        parallel::for_each(threads, threads, |part| {
            product.part(part * m / threads..(part + 1) * m / threads, 0..panels);
        });
    }
    Ok(())
}

/// A product whose lengths have been checked.
struct Product<'a> {
    a: Bytes<'a>,
    a_zero: ZeroPoints<'a>,
    b: &'a PackedB,
    bias: Option<&'a [i32]>,
    kernel: &'static Kernel,
    c: Shared<i32>,
}

impl Product<'_> {
    /// Computes C for some rows and some panels of columns. Calls with disjoint ranges may run at once.
    fn part(&self, rows: Range<usize>, panels: Range<usize>) {
        if rows.is_empty() || panels.is_empty() {
            return;
        }
        with_scratch(|scratch| {
            self.init(&mut scratch.init);
            let quads = self.b.quads();
            // So few rows read B once; then it should stream in one piece.
            let block = if rows.len() <= 2 * self.kernel.rows[0] {
                quads.max(1)
            } else {
                self.kernel.block
            };
            for step in 0..quads.div_ceil(block).max(1) {
                let depth = step * block..quads.min((step + 1) * block);
                for first in rows.clone().step_by(ROW_BLOCK) {
                    self.block(
                        scratch,
                        first..rows.end.min(first + ROW_BLOCK),
                        panels.clone(),
                        depth.clone(),
                    );
                }
            }
            self.correct(scratch, rows, panels);
        });
    }

    /// What each column starts from: the bias, less what the zero point of A adds to the column.
    fn init(&self, out: &mut Aligned) {
        let sums = self.b.sums();
        out.reserve(sums.len() * 4);
        let zero = match self.a_zero {
            ZeroPoints::Same(zero) => zero + self.kernel.lhs.shift(self.a.is_signed()),
            ZeroPoints::Each(_) => 0,
        };
        let out = out.as_i32_mut(sums.len());
        for (out, &sum) in out.iter_mut().zip(sums) {
            *out = 0i32.wrapping_sub(zero.wrapping_mul(sum));
        }
        for (out, &bias) in out.iter_mut().zip(self.bias.unwrap_or_default()) {
            *out = out.wrapping_add(bias);
        }
    }

    fn block(
        &self,
        scratch: &mut Scratch,
        rows: Range<usize>,
        panels: Range<usize>,
        depth: Range<usize>,
    ) {
        let (kernel, n) = (self.kernel, self.b.n());
        let (a, a_stride) = self.lhs(&mut scratch.lhs, rows.clone(), depth.clone());
        for panel in panels {
            let (columns, width, start) = self.b.panel(panel);
            let vectors = width / kernel.lanes;
            let most = kernel.rows[vectors - 1];
            let narrow =
                &self.b.data()[start + depth.start * width * 4..start + depth.end * width * 4];
            let mut b = narrow.as_ptr().cast::<i8>();
            let mut b_wide = false;
            if let Some(widen) = kernel.widen.filter(|_| rows.len() >= MIN_WIDEN) {
                let count = narrow.len().next_multiple_of(32);
                scratch.rhs.reserve(count * 2);
                let wide = scratch.rhs.as_i16_mut(count).as_mut_ptr();
                // SAFETY: packed data are padded to 64 bytes, the panel's end with them; the scratch holds `count`.
                // The processor has the instruction set, or B could not have been packed for it.
                unsafe { widen(b, wide, narrow.len()) };
                (b, b_wide) = (wide.cast_const().cast(), true);
            }
            let whole = columns.len() == width;
            scratch.tile.reserve(most * width * 4);
            let spare = scratch.tile.as_i32_mut(most * width);
            let init = match depth.start {
                0 => Init::Columns(
                    scratch.init.as_i32_mut(self.b.sums().len())[columns.start..].as_ptr(),
                ),
                _ => Init::Stored,
            };
            for first in rows.clone().step_by(most) {
                let count = most.min(rows.end - first);
                // SAFETY: row `first` and the panel's first column are inside C, whose length has been checked.
                let c = unsafe { self.c.get().add(first * n + columns.start) };
                if !whole && depth.start > 0 {
                    // SAFETY: both rectangles lie inside C or the spare tile, and they do not overlap.
                    unsafe { copy(c, n, spare.as_mut_ptr(), width, (count, columns.len())) };
                }
                let tile = Tile {
                    rows: count,
                    vectors,
                    quads: depth.len(),
                    a: a.wrapping_add((first - rows.start) * a_stride),
                    a_stride,
                    b,
                    b_wide,
                    c: if whole { c } else { spare.as_mut_ptr() },
                    c_stride: if whole { n } else { width },
                    init,
                    swapped: false,
                };
                // SAFETY: `lhs` gave `rows` rows of this depth; the slice of B above has this depth and width; C has
                // these rows and columns, or the spare tile has; `init` has a value for every padded column. No other
                // part writes these elements. The processor has the instruction set, as above.
                unsafe { (kernel.tile)(&tile) };
                if !whole {
                    // SAFETY: as above.
                    unsafe { copy(spare.as_ptr(), width, c, n, (count, columns.len())) };
                }
            }
        }
    }

    /// Rows of A over a range of quads in the kernel's form, and the bytes from one row to the next.
    fn lhs(
        &self,
        scratch: &mut Aligned,
        rows: Range<usize>,
        depth: Range<usize>,
    ) -> (*const u8, usize) {
        let (k, form) = (self.b.k(), self.kernel.lhs);
        let bits = self.a.bits();
        if form.size() == 1 && form.shift(self.a.is_signed()) == 0 && k.is_multiple_of(4) {
            return (bits[rows.start * k + depth.start * 4..].as_ptr(), k);
        }
        let elements = depth.len() * 4;
        // An odd number of cache lines, so that the rows of a tile fall into different sets of the cache.
        let stride = ((elements * form.size()).div_ceil(64) | 1) * 64;
        scratch.reserve(rows.len() * stride);
        let from = |row: usize| &bits[row * k + depth.start * 4..row * k + k.min(depth.end * 4)];
        if form == Lhs::I16 {
            let out = scratch.as_i16_mut(rows.len() * stride / 2);
            for (out, row) in out.chunks_exact_mut(stride / 2).zip(rows) {
                let row = from(row);
                let (out, rest) = out[..elements].split_at_mut(row.len());
                if self.a.is_signed() {
                    out.iter_mut()
                        .zip(row)
                        .for_each(|(out, &x)| *out = i16::from(x.cast_signed()));
                } else {
                    out.iter_mut()
                        .zip(row)
                        .for_each(|(out, &x)| *out = i16::from(x));
                }
                rest.fill(0);
            }
        } else {
            let flip = if form.shift(self.a.is_signed()) == 0 {
                0
            } else {
                0x80
            };
            let out = &mut scratch.as_mut_slice()[..rows.len() * stride];
            for (out, row) in out.chunks_exact_mut(stride).zip(rows) {
                let row = from(row);
                let (out, rest) = out[..elements].split_at_mut(row.len());
                out.iter_mut()
                    .zip(row)
                    .for_each(|(out, &x)| *out = x ^ flip);
                rest.fill(0);
            }
        }
        (scratch.as_ptr(), stride)
    }

    /// Subtracts what zero points add that differ by row, and what the zero points of B add.
    fn correct(&self, scratch: &mut Scratch, rows: Range<usize>, panels: Range<usize>) {
        let by_row = matches!(self.a_zero, ZeroPoints::Each(_));
        if !by_row && self.b.zeros().is_empty() {
            return;
        }
        let (k, n) = (self.b.k(), self.b.n());
        let columns = self.b.panel(panels.start).0.start..self.b.panel(panels.end - 1).0.end;
        let shift = self.kernel.lhs.shift(self.a.is_signed());
        let sums = &mut scratch.sums;
        sums.clear();
        if !self.b.zeros().is_empty() {
            sums.extend(rows.clone().map(|row| {
                let row = &self.a.bits()[row * k..(row + 1) * k];
                if self.a.is_signed() {
                    row.iter()
                        .fold(0i32, |sum, &x| sum.wrapping_add(i32::from(x.cast_signed())))
                } else {
                    row.iter()
                        .fold(0i32, |sum, &x| sum.wrapping_add(i32::from(x)))
                }
            }));
        }
        for row in rows.clone() {
            // SAFETY: inside C, whose length has been checked; no other part touches these elements.
            let c = unsafe {
                std::slice::from_raw_parts_mut(
                    self.c.get().add(row * n + columns.start),
                    columns.len(),
                )
            };
            let zero = self.a_zero.get(row);
            if by_row {
                let zero = zero + shift;
                for (c, &sum) in c.iter_mut().zip(&self.b.sums()[columns.clone()]) {
                    *c = c.wrapping_sub(zero.wrapping_mul(sum));
                }
            }
            if let Some(&sum) = sums.get(row - rows.start) {
                // Both terms are in elements of A as given: a shift cancels out.
                let depth = i32::try_from(k).unwrap_or(i32::MAX);
                let excess = sum.wrapping_sub(depth.wrapping_mul(zero));
                for (c, &zero) in c.iter_mut().zip(&self.b.zeros()[columns.clone()]) {
                    *c = c.wrapping_sub(zero.wrapping_mul(excess));
                }
            }
        }
    }
}
