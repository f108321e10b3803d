//! Integer matrix products, one thread: `cargo bench -p aivm-nn --bench gemm [isa]` prints one line for each shape,
//! `isa m k n GOPS`, where GOPS counts two operations for each multiply-accumulate.

use aivm_nn::kernels::{Bytes, Isa, Order, PackedB, ZeroPoints, gemm};
use std::hint::black_box;
use std::time::{Duration, Instant};

const SHAPES: [(usize, usize, usize); 3] = [(512, 512, 512), (1, 1024, 1024), (1, 4096, 4096)];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    for isa in Isa::available() {
        if wanted.is_empty() && isa == Isa::Scalar
            || !wanted.is_empty() && !wanted.iter().any(|w| w == isa.name())
        {
            continue;
        }
        for shape in SHAPES {
            let (m, k, n) = shape;
            println!("{} {m} {k} {n} {:.0}", isa.name(), gops(isa, shape));
        }
    }
}

/// The best of many runs within half a second: other work on the machine only ever makes a run slower.
fn gops(isa: Isa, (m, k, n): (usize, usize, usize)) -> f64 {
    let a: Vec<u8> = (0..m * k).map(|i| (i * 31 % 251) as u8).collect();
    let b: Vec<i8> = (0..k * n).map(|i| (i * 17 % 253) as i8).collect();
    let packed = PackedB::new(
        isa,
        Bytes::I8(&b),
        ZeroPoints::Same(0),
        (k, n),
        Order::RowMajor,
    )
    .expect("a shape");
    let mut c = vec![0; m * n];
    let (start, mut best) = (Instant::now(), Duration::MAX);
    while start.elapsed() < Duration::from_millis(500) {
        let one = Instant::now();
        gemm(
            Bytes::U8(black_box(&a)),
            ZeroPoints::Same(3),
            m,
            &packed,
            None,
            &mut c,
            1,
        )
        .expect("a shape");
        black_box(&c);
        best = best.min(one.elapsed());
    }
    2.0 * (m * n * k) as f64 / best.as_secs_f64() / 1e9
}
