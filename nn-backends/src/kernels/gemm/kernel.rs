//! What an instruction set must supply: one function that computes a tile of C.

#[cfg(target_arch = "aarch64")]
use super::neon;
use super::scalar;
#[cfg(target_arch = "x86_64")]
use super::{avx_vnni, avx2, avx512};
use crate::kernels::Isa;

/// How a kernel wants the elements of A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lhs {
    /// As `u8`; signed elements are raised by 128.
    U8,
    /// As `i8`; unsigned elements are lowered by 128.
    I8,
    /// Widened to `i16`, which holds either.
    I16,
}

impl Lhs {
    /// The form of A in a swapped tile: where the one was unsigned, the other is.
    pub(crate) fn swapped(self) -> Self {
        if self == Self::U8 { Self::I8 } else { self }
    }

    /// Bytes of one element.
    pub(crate) fn size(self) -> usize {
        if self == Self::I16 { 2 } else { 1 }
    }

    /// What is added to each element of A, and so to its zero point.
    pub(crate) fn shift(self, signed: bool) -> i32 {
        match (self, signed) {
            (Self::U8, true) => 128,
            (Self::I8, false) => -128,
            _ => 0,
        }
    }
}

/// What a tile's sums start from.
#[derive(Clone, Copy)]
pub(crate) enum Init {
    /// What C holds.
    Stored,
    /// A value for each column, padding included.
    Columns(*const i32),
    /// A value for each row.
    Rows(*const i32),
}

/// One tile of C: `rows` × `vectors` vectors of columns, over `quads` groups of four consecutive k.
///
/// B lies as `[quad][column][4]`; A as rows of `4 * quads` elements, `a_stride` bytes apart.
pub(crate) struct Tile {
    pub(crate) rows: usize,
    pub(crate) vectors: usize,
    pub(crate) quads: usize,
    pub(crate) a: *const u8,
    pub(crate) a_stride: usize,
    pub(crate) b: *const i8,
    /// Whether `b` has been widened to `i16` (by [`Kernel::widen`]).
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "read by the AVX2 kernel")
    )]
    pub(crate) b_wide: bool,
    pub(crate) c: *mut i32,
    /// Elements from one row of C to the next.
    pub(crate) c_stride: usize,
    pub(crate) init: Init,
    /// Whether the signs change places: A is then in the form [`Lhs::swapped`], and B as [`Kernel::swapped_rhs_signed`]
    /// says.
    pub(crate) swapped: bool,
}

/// The kernel of one instruction set.
pub(crate) struct Kernel {
    pub(crate) lhs: Lhs,
    /// Columns of one vector.
    pub(crate) lanes: usize,
    /// Most vectors in a tile.
    pub(crate) vectors: usize,
    /// Most rows in a tile of `vectors` vectors, by `vectors - 1`.
    pub(crate) rows: &'static [usize],
    /// Quads of k in one block: a panel of B must stay in the first-level cache.
    pub(crate) block: usize,
    /// Whether B is signed in a swapped tile.
    pub(crate) swapped_rhs_signed: bool,
    /// Computes a tile.
    ///
    /// # Safety
    /// The processor has the instruction set; the tile's pointers are valid for its shape, and its rows and vectors
    /// within the limits above.
    pub(crate) tile: unsafe fn(&Tile),
    /// Widens a panel of B for use by many tiles, where the kernel gains by it.
    ///
    /// # Safety
    /// The processor has the instruction set; both pointers are valid for the count, a multiple of 32.
    pub(crate) widen: Option<unsafe fn(*const i8, *mut i16, usize)>,
}

impl Kernel {
    /// The kernel for `isa`; the scalar one where this build has none.
    pub(crate) fn of(isa: Isa) -> &'static Self {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => &avx2::KERNEL,
            #[cfg(target_arch = "x86_64")]
            Isa::AvxVnni => &avx_vnni::KERNEL,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => &avx512::KERNEL,
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => &neon::BASE,
            #[cfg(target_arch = "aarch64")]
            Isa::NeonDot => &neon::DOT,
            _ => &scalar::KERNEL,
        }
    }
}

/// Runs `$call` with `$name` the constant that `$number` is: what a tile's shape chooses at run time, its code knows
/// when it is compiled.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! constant {
    ($number:expr, [$($value:literal)*], $name:ident => $call:expr) => {
        match $number {
            $($value => {
                const $name: usize = $value;
                $call
            })*
            _ => unreachable!("a tile beyond the kernel's limits"),
        }
    };
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) use constant;
