//! Tiles of a product in strict single precision.

use crate::kernels::isa::Isa;

/// Where row `k` of the right factor lies.
#[derive(Clone, Copy)]
pub(super) enum Rows {
    /// In a packed panel: row `k` at `k` times the tile's width.
    Packed,
    /// At an offset of its own, in elements.
    At(*const usize),
}

/// One tile of C: `rows` × `vectors` vectors of columns, over `depth` products.
pub(super) struct Tile {
    pub(super) rows: usize,
    pub(super) vectors: usize,
    pub(super) depth: usize,
    pub(super) a: *const f32,
    /// Elements from one row of A to the next.
    pub(super) a_stride: usize,
    pub(super) b: *const f32,
    pub(super) b_rows: Rows,
    pub(super) c: *mut f32,
    /// Elements from one row of C to the next.
    pub(super) c_stride: usize,
    /// Whether the sums go on from what C holds; they start from zero otherwise.
    pub(super) resume: bool,
}

/// The kernel of one instruction set.
pub(super) struct Kernel {
    /// Columns of one vector.
    pub(super) lanes: usize,
    /// Most vectors in a tile.
    pub(super) vectors: usize,
    /// Most rows in a tile.
    pub(super) rows: usize,
    /// Computes a tile.
    ///
    /// # Safety
    /// The processor has the instruction set; the tile's pointers are valid for its shape, and its rows and vectors
    /// within the limits above.
    pub(super) tile: unsafe fn(&Tile),
}

impl Kernel {
    pub(super) fn of(isa: Isa) -> &'static Self {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 | Isa::AvxVnni => &avx2::KERNEL,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => &avx512::KERNEL,
            #[cfg(target_arch = "aarch64")]
            Isa::Neon | Isa::NeonDot => &neon::KERNEL,
            _ => &scalar::KERNEL,
        }
    }
}

/// A kernel in terms of six operations on vectors. Written once, so that no instruction set can have an order of its
/// own: for each k in turn, the sum takes the rounded product.
macro_rules! kernel {
    ($name:ident, $lanes:literal, $most_vectors:literal, [$($vectors:literal)*], $most_rows:literal, [$($rows:literal)*],
     $zero:expr, $load:path, $store:path, $splat:path, $mul:path, $add:path
     $(, #[$feature:meta])? $(, use $import:path)?) => {
        mod $name {
            use super::{Kernel, Rows, Tile};
            $(#[allow(clippy::wildcard_imports)] use $import::*;)?

            pub(super) static KERNEL: Kernel =
                Kernel { lanes: $lanes, vectors: $most_vectors, rows: $most_rows, tile };

            /// # Safety
            /// See [`Kernel::tile`].
            unsafe fn tile(t: &Tile) {
                // SAFETY: the caller vouches for the processor and for the tile.
                unsafe {
                    match (t.vectors, t.b_rows) {
                        $(
                            ($vectors, Rows::Packed) => rows::<$vectors, true>(t),
                            ($vectors, Rows::At(_)) => rows::<$vectors, false>(t),
                        )*
                        _ => unreachable!("a tile beyond the kernel's limits"),
                    }
                }
            }

            /// # Safety
            /// See [`Kernel::tile`].
            unsafe fn rows<const V: usize, const PACKED: bool>(t: &Tile) {
                // SAFETY: the caller vouches for the processor and for the tile.
                unsafe {
                    match t.rows {
                        $($rows => block::<$rows, V, PACKED>(t),)*
                        _ => unreachable!("a tile beyond the kernel's limits"),
                    }
                }
            }

            /// # Safety
            /// See [`Kernel::tile`].
            $(#[$feature])?
            unsafe fn block<const R: usize, const V: usize, const PACKED: bool>(t: &Tile) {
                // SAFETY: the caller vouches for the processor and for every pointer in the tile's shape.
                unsafe {
                    let mut sums = [[$zero; V]; R];
                    if t.resume {
                        for (r, sums) in sums.iter_mut().enumerate() {
                            for (v, sum) in sums.iter_mut().enumerate() {
                                *sum = $load(t.c.add(r * t.c_stride + v * $lanes));
                            }
                        }
                    }
                    for k in 0..t.depth {
                        let b = match t.b_rows {
                            Rows::At(offsets) if !PACKED => t.b.add(*offsets.add(k)),
                            _ => t.b.add(k * V * $lanes),
                        };
                        let mut columns = [$zero; V];
                        for (v, column) in columns.iter_mut().enumerate() {
                            *column = $load(b.add(v * $lanes));
                        }
                        for (r, sums) in sums.iter_mut().enumerate() {
                            let a = $splat(*t.a.add(r * t.a_stride + k));
                            for (sum, &column) in sums.iter_mut().zip(&columns) {
                                *sum = $add(*sum, $mul(a, column));
                            }
                        }
                    }
                    for (r, sums) in sums.iter().enumerate() {
                        for (v, &sum) in sums.iter().enumerate() {
                            $store(t.c.add(r * t.c_stride + v * $lanes), sum);
                        }
                    }
                }
            }
        }
    };
}

/// The operations of the portable kernel.
mod portable {
    pub(super) type Vector = [f32; 4];

    pub(super) unsafe fn load(from: *const f32) -> Vector {
        // SAFETY: the caller vouches for four elements.
        unsafe { from.cast::<Vector>().read_unaligned() }
    }

    pub(super) unsafe fn store(to: *mut f32, x: Vector) {
        // SAFETY: the caller vouches for four elements.
        unsafe { to.cast::<Vector>().write_unaligned(x) };
    }

    pub(super) fn splat(x: f32) -> Vector {
        [x; 4]
    }

    pub(super) fn mul(x: Vector, y: Vector) -> Vector {
        [x[0] * y[0], x[1] * y[1], x[2] * y[2], x[3] * y[3]]
    }

    pub(super) fn add(x: Vector, y: Vector) -> Vector {
        [x[0] + y[0], x[1] + y[1], x[2] + y[2], x[3] + y[3]]
    }
}

kernel!(
    scalar, 4, 2, [1 2], 4, [1 2 3 4],
    [0.0f32; 4], super::portable::load, super::portable::store, super::portable::splat, super::portable::mul,
    super::portable::add
);

#[cfg(target_arch = "x86_64")]
kernel!(
    avx2, 8, 2, [1 2], 6, [1 2 3 4 5 6],
    _mm256_setzero_ps(), _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_mul_ps, _mm256_add_ps,
    #[target_feature(enable = "avx2")], use std::arch::x86_64
);

#[cfg(target_arch = "x86_64")]
kernel!(
    avx512, 16, 4, [1 2 3 4], 6, [1 2 3 4 5 6],
    _mm512_setzero_ps(), _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_mul_ps, _mm512_add_ps,
    #[target_feature(enable = "avx512f")], use std::arch::x86_64
);

#[cfg(target_arch = "aarch64")]
kernel!(
    neon, 4, 4, [1 2 3 4], 6, [1 2 3 4 5 6],
    vdupq_n_f32(0.0), vld1q_f32, vst1q_f32, vdupq_n_f32, vmulq_f32, vaddq_f32,
    #[target_feature(enable = "neon")], use std::arch::aarch64
);
