use super::{Bytes, ZeroPoints};

/// The definition of the integer matrix product: three loops over row-major A (`m`×`k`) and B (`k`×`n`).
///
/// Elements that a slice lacks count as zero.
pub fn reference(
    a: Bytes<'_>,
    a_zero: ZeroPoints<'_>,
    b: Bytes<'_>,
    b_zero: ZeroPoints<'_>,
    (m, k, n): (usize, usize, usize),
) -> Vec<i32> {
    let mut c = Vec::new();
    for row in 0..m {
        for column in 0..n {
            let mut sum = 0i32;
            for i in 0..k {
                let x = a.get(row * k + i) - a_zero.get(row);
                let y = b.get(i * n + column) - b_zero.get(column);
                sum = sum.wrapping_add(x * y);
            }
            c.push(sum);
        }
    }
    c
}
