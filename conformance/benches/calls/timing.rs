//! Time of the fastest of many turns: other work on the machine only ever makes one slower.

use std::time::Instant;

/// Nanoseconds of each of `cases`, which take turns of `batch` runs.
pub fn turns<const N: usize>(batch: u32, cases: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut best = [f64::MAX; N];
    let mut cases = cases;
    for _ in 0..40 {
        for (case, best) in cases.iter_mut().zip(&mut best) {
            let start = Instant::now();
            for _ in 0..batch {
                case();
            }
            *best = best.min(start.elapsed().as_nanos() as f64 / f64::from(batch));
        }
    }
    best
}
