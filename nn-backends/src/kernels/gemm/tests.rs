use super::*;
use crate::kernels::{Isa, KernelError};
use proptest::prelude::*;

/// A small generator, so that large operands cost nothing.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, count: usize, extreme: bool) -> Vec<u8> {
        let pick = |r: u64| {
            if extreme {
                [0, 1, 127, 128, 129, 254, 255, 255][(r % 8) as usize]
            } else {
                (r >> 32) as u8
            }
        };
        (0..count).map(|_| pick(self.next())).collect()
    }
}

fn bytes(bits: &[u8], signed: bool) -> (Vec<u8>, Vec<i8>) {
    if signed {
        (Vec::new(), bits.iter().map(|&b| b.cast_signed()).collect())
    } else {
        (bits.to_vec(), Vec::new())
    }
}

fn view<'a>(data: &'a (Vec<u8>, Vec<i8>), signed: bool) -> Bytes<'a> {
    if signed {
        Bytes::I8(&data.1)
    } else {
        Bytes::U8(&data.0)
    }
}

/// Every instruction set, both orders of B, one and three threads, against the definition.
fn check(
    shape: (usize, usize, usize),
    signed: (bool, bool),
    each: (bool, bool),
    extreme: bool,
    seed: u64,
) {
    let (m, k, n) = shape;
    let mut random = Random(seed | 1);
    let a = bytes(&random.bytes(m * k, extreme), signed.0);
    let b_bits = random.bytes(k * n, extreme);
    let transposed: Vec<u8> = (0..n * k).map(|i| b_bits[(i % k) * n + i / k]).collect();
    let (b, bt) = (bytes(&b_bits, signed.1), bytes(&transposed, signed.1));
    let zero = |signed: bool, bits: u8| {
        if signed {
            i32::from(bits.cast_signed())
        } else {
            i32::from(bits)
        }
    };
    let a_zeros: Vec<i32> = random
        .bytes(m, extreme)
        .into_iter()
        .map(|z| zero(signed.0, z))
        .collect();
    let b_zeros: Vec<i32> = random
        .bytes(n, extreme)
        .into_iter()
        .map(|z| zero(signed.1, z))
        .collect();
    let a_zero = if each.0 {
        ZeroPoints::Each(&a_zeros)
    } else {
        ZeroPoints::Same(a_zeros.first().copied().unwrap_or(0))
    };
    let b_zero = if each.1 {
        ZeroPoints::Each(&b_zeros)
    } else {
        ZeroPoints::Same(0)
    };
    let (a, b, bt) = (view(&a, signed.0), view(&b, signed.1), view(&bt, signed.1));
    let bias: Vec<i32> = (0..n).map(|_| random.next() as i32 >> 8).collect();
    let mut expected = reference(a, a_zero, b, b_zero, shape);
    for (i, c) in expected.iter_mut().enumerate() {
        *c = c.wrapping_add(bias[i % n]);
    }
    for isa in Isa::available() {
        for (b, order) in [(b, Order::RowMajor), (bt, Order::ColumnMajor)] {
            let packed = PackedB::new(isa, b, b_zero, (k, n), order).unwrap();
            for threads in [1, 3] {
                let mut c = vec![0x5555_5555; m * n];
                gemm(a, a_zero, m, &packed, Some(&bias), &mut c, threads).unwrap();
                assert!(
                    c == expected,
                    "{isa:?} {order:?} {shape:?} {signed:?} {each:?} {threads} threads"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_isa_equals_the_definition(
        shape in (0usize..30, 0usize..90, 1usize..140),
        signed: (bool, bool), each: (bool, bool), extreme: bool, seed: u64,
    ) {
        check(shape, signed, each, extreme, seed);
    }
}

#[test]
fn shapes_around_the_block_sizes() {
    for shape in [
        (1, 1, 1),
        (1, 4099, 65),
        (2, 1025, 64),
        (6, 513, 63),
        (7, 512, 65),
        (13, 2049, 17),
        (241, 7, 33),
        (245, 515, 5),
        (25, 1100, 130),
        (1, 3, 1000),
        (300, 64, 64),
        (73, 300, 129),
    ] {
        for signed in [(false, true), (false, false), (true, true), (true, false)] {
            check(shape, signed, (false, false), true, 7);
            check(shape, signed, (true, true), true, 9);
        }
    }
}

/// A product without zero points and bias, of one thread.
fn product(isa: Isa, a: &[u8], b: Bytes<'_>, (m, k, n): (usize, usize, usize)) -> Vec<i32> {
    let zero = ZeroPoints::Same(0);
    let packed = PackedB::new(isa, b, zero, (k, n), Order::RowMajor).unwrap();
    let mut c = vec![0; m * n];
    gemm(Bytes::U8(a), zero, m, &packed, None, &mut c, 1).unwrap();
    c
}

#[test]
fn extremes_do_not_saturate() {
    let (m, k, n) = (3, 1024, 20);
    let a = vec![255u8; m * k];
    for value in [-128i8, 127] {
        let b = vec![value; k * n];
        for isa in Isa::available() {
            let c = product(isa, &a, Bytes::I8(&b), (m, k, n));
            assert_eq!(c, vec![255 * 1024 * i32::from(value); m * n], "{isa:?}");
        }
    }
}

#[test]
fn sums_wrap_alike() {
    let (k, n) = (140_000, 3);
    let a = vec![255u8; k];
    let b = vec![255u8; k * n];
    let expected = (255i64 * 255 * 140_000) as i32;
    for isa in Isa::available() {
        let c = product(isa, &a, Bytes::U8(&b), (1, k, n));
        assert_eq!(c, [expected; 3], "{isa:?}");
    }
}

#[test]
fn bad_arguments_are_refused() {
    let b = [0i8; 12];
    let isa = Isa::best();
    let zero = ZeroPoints::Same(0);
    let wrong = PackedB::new(isa, Bytes::I8(&b), zero, (3, 5), Order::RowMajor);
    assert_eq!(
        wrong.err(),
        Some(KernelError::Length {
            what: "B",
            expected: 15,
            found: 12
        })
    );
    let huge = PackedB::new(isa, Bytes::I8(&b), zero, (usize::MAX, 2), Order::RowMajor);
    assert_eq!(huge.err(), Some(KernelError::TooLarge("B")));
    let outside = PackedB::new(
        isa,
        Bytes::I8(&b),
        ZeroPoints::Same(128),
        (3, 4),
        Order::RowMajor,
    );
    assert_eq!(outside.err(), Some(KernelError::ZeroPoint(128)));
    let packed = PackedB::new(isa, Bytes::I8(&b), zero, (3, 4), Order::RowMajor).unwrap();
    let mut c = [7; 8];
    let short = gemm(Bytes::U8(&[0; 5]), zero, 2, &packed, None, &mut c, 1);
    assert_eq!(
        short,
        Err(KernelError::Length {
            what: "A",
            expected: 6,
            found: 5
        })
    );
    let zeros = gemm(
        Bytes::U8(&[0; 6]),
        ZeroPoints::Each(&[0, 256]),
        2,
        &packed,
        None,
        &mut c,
        1,
    );
    assert_eq!(zeros, Err(KernelError::ZeroPoint(256)));
    let bias = gemm(Bytes::U8(&[0; 6]), zero, 2, &packed, Some(&[1]), &mut c, 1);
    assert_eq!(
        bias,
        Err(KernelError::Length {
            what: "bias",
            expected: 4,
            found: 1
        })
    );
    assert_eq!(c, [7; 8]);
    #[cfg(target_arch = "x86_64")]
    assert!(PackedB::new(Isa::Neon, Bytes::I8(&b), zero, (3, 4), Order::RowMajor).is_err());
}
