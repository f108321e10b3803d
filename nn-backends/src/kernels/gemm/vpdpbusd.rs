//! `vpdpbusd`, in the form that wraps: four products of a byte each to a sum. Written once for both of its widths.

/// Defines `block`, a tile of several rows, with `start` and `dot`, in terms of operations on vectors of `$lanes` sums.
macro_rules! vpdpbusd {
    (
        #[$features:meta] $vector:ty, $lanes:literal,
        zero: $zero:path, splat: $splat:path, load: $load:path, load_unaligned: $loadu:path, store: $storeu:path,
        dot: $dot:path
    ) => {
        /// # Safety
        /// See [`Kernel::tile`].
        #[$features]
        unsafe fn block<const R: usize, const V: usize, const S: bool>(t: &Tile) {
            if R == 1 {
                // SAFETY: passed on.
                return unsafe { vector::<V, S>(t) };
            }
            let mut sums = [[$zero(); V]; R];
            // SAFETY: the caller vouches for every pointer in the tile's shape.
            unsafe {
                for (r, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = start(t, r, v);
                    }
                }
                for quad in 0..t.quads {
                    let b = t.b.add(quad * V * $lanes * 4);
                    let mut columns = [$zero(); V];
                    for (v, column) in columns.iter_mut().enumerate() {
                        *column = $load(b.add(v * $lanes * 4).cast());
                    }
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let a = $splat(
                            t.a.add(r * t.a_stride + quad * 4)
                                .cast::<i32>()
                                .read_unaligned(),
                        );
                        for (sum, &column) in sums.iter_mut().zip(&columns) {
                            *sum = dot::<S>(*sum, a, column);
                        }
                    }
                }
                for (r, sums) in sums.iter().enumerate() {
                    for (v, &sum) in sums.iter().enumerate() {
                        $storeu(t.c.add(r * t.c_stride + v * $lanes).cast(), sum);
                    }
                }
            }
        }

        /// What the sums of a row and a vector of columns start from.
        #[inline]
        #[$features]
        unsafe fn start(t: &Tile, row: usize, vector: usize) -> $vector {
            // SAFETY: the caller vouches for the tile, the row and the vector.
            unsafe {
                match t.init {
                    Init::Stored => $loadu(t.c.add(row * t.c_stride + vector * $lanes).cast()),
                    Init::Columns(init) => $loadu(init.add(vector * $lanes).cast()),
                    Init::Rows(init) => $splat(*init.add(row)),
                }
            }
        }

        /// Adds four products to each sum; `S`: the signed factor is `a`, not `b`.
        #[inline]
        #[$features]
        fn dot<const S: bool>(sum: $vector, a: $vector, b: $vector) -> $vector {
            if S { $dot(sum, b, a) } else { $dot(sum, a, b) }
        }
    };
}

pub(super) use vpdpbusd;
