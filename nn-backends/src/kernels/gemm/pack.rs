use super::kernel::Kernel;
use super::{Bytes, ZeroPoints};
use crate::kernels::buffer::Aligned;
use crate::kernels::error::{KernelError, expect_len, expect_shape};
use crate::kernels::isa::Isa;
use std::ops::Range;

/// How B lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `k` rows of `n` elements.
    RowMajor,
    /// `n` rows of `k` elements: B transposed, as `Gemm`'s `transB` and convolution weights have it.
    ColumnMajor,
}

/// B in the order in which the kernel of one instruction set reads it: panels of columns, within a panel
/// `[k / 4][column][4]`, every element as `i8`.
#[derive(Clone)]
pub struct PackedB {
    isa: Isa,
    k: usize,
    n: usize,
    data: Aligned,
    /// Sums of the packed elements of each column.
    sums: Vec<i32>,
    /// Zero points of the packed elements; empty if all are zero.
    zeros: Vec<i32>,
}

impl std::fmt::Debug for PackedB {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PackedB({}×{} for {})", self.k, self.n, self.isa.name())
    }
}

impl PackedB {
    /// Packs `b`, of `k` × `n` elements, for the kernel of `isa`.
    ///
    /// # Errors
    /// When the lengths do not fit the shape, a zero point is outside the type of `b`, or this machine lacks `isa`.
    pub fn new(
        isa: Isa,
        b: Bytes<'_>,
        zeros: ZeroPoints<'_>,
        (k, n): (usize, usize),
        order: Order,
    ) -> Result<Self, KernelError> {
        if !isa.is_available() {
            return Err(KernelError::Unavailable);
        }
        expect_shape("B", b.len(), &[k, n])?;
        check_zeros("B's zero points", zeros, n, b.is_signed())?;
        let (flip, shift) = if b.is_signed() { (0, 0) } else { (0x80, 128) };
        let mut packed_zeros: Vec<i32> = (0..n).map(|column| zeros.get(column) - shift).collect();
        if packed_zeros.iter().all(|&zero| zero == 0) {
            packed_zeros.clear();
        }

        let lanes = Kernel::of(isa).lanes;
        let padded = n
            .checked_next_multiple_of(lanes)
            .ok_or(KernelError::TooLarge("B"))?;
        let bytes = k
            .checked_next_multiple_of(4)
            .and_then(|k| k.checked_mul(padded))
            .filter(|&bytes| isize::try_from(bytes).is_ok())
            .ok_or(KernelError::TooLarge("B"))?;
        let mut packed = Self {
            isa,
            k,
            n,
            data: Aligned::zeroed(bytes),
            sums: vec![0; padded],
            zeros: packed_zeros,
        };
        for panel in 0..packed.panels() {
            let (columns, width, start) = packed.panel(panel);
            let data = packed.data.as_mut_slice();
            let Some(data) = data.get_mut(start..start + width * k.next_multiple_of(4)) else {
                continue;
            };
            let sums = &mut packed.sums[columns.clone()];
            match order {
                Order::RowMajor => {
                    pack_rows(data, width, sums, b.bits(), (k, n), columns.start, flip)
                }
                Order::ColumnMajor => {
                    pack_columns(data, width, sums, b.bits(), k, columns.start, flip)
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

    /// The instruction set whose kernel reads this.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.data.len() + (self.sums.len() + self.zeros.len()) * 4
    }

    pub(super) fn quads(&self) -> usize {
        self.k.div_ceil(4)
    }

    /// Number of panels.
    pub(super) fn panels(&self) -> usize {
        let kernel = Kernel::of(self.isa);
        self.n.div_ceil(kernel.lanes * kernel.vectors)
    }

    /// Of panel `index`: its columns, its width with padding, and its first byte.
    pub(super) fn panel(&self, index: usize) -> (Range<usize>, usize, usize) {
        let kernel = Kernel::of(self.isa);
        let first = index * kernel.lanes * kernel.vectors;
        let end = self.n.min(first + kernel.lanes * kernel.vectors);
        (
            first..end,
            (end - first).next_multiple_of(kernel.lanes),
            first * self.quads() * 4,
        )
    }

    pub(super) fn data(&self) -> &[u8] {
        self.data.as_slice()
    }

    /// Column sums of the packed elements, one for each column and for the padding.
    pub(super) fn sums(&self) -> &[i32] {
        &self.sums
    }

    /// Zero points of the packed elements; empty if all are zero.
    pub(super) fn zeros(&self) -> &[i32] {
        &self.zeros
    }
}

/// Refuses zero points that their type cannot hold, and a list that is not one for each row or column.
pub(crate) fn check_zeros(
    what: &'static str,
    zeros: ZeroPoints<'_>,
    count: usize,
    signed: bool,
) -> Result<(), KernelError> {
    let range = if signed { -128..=127 } else { 0..=255 };
    match zeros {
        ZeroPoints::Same(zero) if range.contains(&zero) => Ok(()),
        ZeroPoints::Same(zero) => Err(KernelError::ZeroPoint(zero)),
        ZeroPoints::Each(zeros) => {
            expect_len(what, zeros.len(), count)?;
            zeros
                .iter()
                .find(|zero| !range.contains(zero))
                .map_or(Ok(()), |&zero| Err(KernelError::ZeroPoint(zero)))
        }
    }
}

fn pack_rows(
    data: &mut [u8],
    width: usize,
    sums: &mut [i32],
    b: &[u8],
    (k, n): (usize, usize),
    first: usize,
    flip: u8,
) {
    for (quad, out) in data.chunks_exact_mut(width * 4).enumerate() {
        for i in 0..4.min(k - quad * 4) {
            let start = (quad * 4 + i) * n + first;
            let row = &b[start..start + sums.len()];
            for ((out, sum), &element) in out.chunks_exact_mut(4).zip(sums.iter_mut()).zip(row) {
                let element = element ^ flip;
                out[i] = element;
                *sum = sum.wrapping_add(i32::from(element.cast_signed()));
            }
        }
    }
}

fn pack_columns(
    data: &mut [u8],
    width: usize,
    sums: &mut [i32],
    b: &[u8],
    k: usize,
    first: usize,
    flip: u8,
) {
    for (column, sum) in sums.iter_mut().enumerate() {
        let row = &b[(first + column) * k..][..k];
        for (out, elements) in data.chunks_exact_mut(width * 4).zip(row.chunks(4)) {
            for (out, &element) in out[column * 4..].iter_mut().zip(elements) {
                let element = element ^ flip;
                *out = element;
                *sum = sum.wrapping_add(i32::from(element.cast_signed()));
            }
        }
    }
}
