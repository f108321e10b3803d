//! Functions of one or more elements over operands that broadcast, compiled once for each vector width.
//!
//! Axes that all operands run through alike are merged, so that most operations are one long row, or rows in which an
//! operand either runs along or stays where it is.

use super::isa::Isa;
use super::multiversion::compile_for_each_isa;
use super::strict::with_default_environment;
use std::mem::MaybeUninit;

/// How `N` operands are read for a result, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows<const N: usize> {
    /// Elements of a row.
    len: usize,
    /// Whether an operand runs along a row, or gives one element to all of it.
    along: [bool; N],
    /// Numbers of rows along the outer axes.
    outer: Vec<usize>,
    /// For each outer axis the elements from one index to the next.
    steps: Vec<[usize; N]>,
    /// Elements of the result.
    total: usize,
    /// Elements that each operand has.
    lens: [usize; N],
}

impl<const N: usize> Rows<N> {
    /// For a result of shape `to`; none if a shape does not broadcast to it.
    pub fn new(to: &[usize], shapes: [&[usize]; N]) -> Option<Self> {
        let total = to.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
        let mut lens = [1usize; N];
        // Merged axes, the innermost first: length and steps.
        let mut axes: Vec<(usize, [usize; N])> = Vec::new();
        for (back, &dim) in to.iter().rev().enumerate() {
            let mut steps = [0; N];
            for (i, shape) in shapes.iter().enumerate() {
                let own = shape.len().checked_sub(back + 1).map_or(1, |at| shape[at]);
                if own != dim && own != 1 {
                    return None;
                }
                if own == dim && dim != 1 {
                    steps[i] = lens[i];
                }
                lens[i] = lens[i].checked_mul(own)?;
            }
            if dim == 1 {
                continue;
            }
            match axes.last_mut() {
                Some((len, inner)) if (0..N).all(|i| steps[i] == inner[i] * *len) => *len *= dim,
                _ => axes.push((dim, steps)),
            }
        }
        if shapes.iter().any(|shape| shape.len() > to.len()) {
            return None;
        }
        let (len, first) = match axes.first() {
            Some((len, first)) => (*len, first.map(|step| step == 1)),
            None => (1, [true; N]),
        };
        // The innermost axis of an operand is contiguous, or the operand does not have it.
        if axes
            .first()
            .is_some_and(|(_, steps)| steps.iter().any(|s| *s > 1))
        {
            return None;
        }
        axes.reverse();
        axes.pop();
        let (outer, steps) = axes.into_iter().unzip();
        Some(Self {
            len,
            along: first,
            outer,
            steps,
            total,
            lens,
        })
    }

    /// Elements of the result.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Elements of a row.
    pub fn row_len(&self) -> usize {
        self.len
    }

    /// Whether operand `i` runs along a row.
    pub fn along(&self, i: usize) -> bool {
        self.along[i]
    }

    /// Calls `f` with the operands' first elements, for each row in order.
    #[inline(always)]
    pub fn each(&self, mut f: impl FnMut([usize; N])) {
        if self.total == 0 {
            return;
        }
        let mut index = vec![0usize; self.outer.len()];
        let mut at = [0usize; N];
        loop {
            f(at);
            let mut axis = self.outer.len();
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                index[axis] += 1;
                (0..N).for_each(|i| at[i] += self.steps[axis][i]);
                if index[axis] < self.outer[axis] {
                    break;
                }
                (0..N).for_each(|i| at[i] -= self.steps[axis][i] * self.outer[axis]);
                index[axis] = 0;
            }
        }
    }
}

/// Any `Fn(T) -> U`.
trait One<T, U>: Fn(T) -> U {}
impl<T, U, F: Fn(T) -> U> One<T, U> for F {}
/// Any `Fn(T, T) -> U`.
trait Two<T, U>: Fn(T, T) -> U {}
impl<T, U, F: Fn(T, T) -> U> Two<T, U> for F {}

compile_for_each_isa!(fn map_on<T: Copy, U: Copy, F: One<T, U>>(
    x: &[T], out: &mut [MaybeUninit<U>], f: F) = map_inner);
compile_for_each_isa!(fn zip_on<T: Copy, U: Copy, F: Two<T, U>>(
    rows: &Rows<2>, a: &[T], b: &[T], out: &mut [MaybeUninit<U>], f: F) = zip_inner);
compile_for_each_isa!(fn select_on<T: Copy>(
    rows: &Rows<3>, condition: &[bool], a: &[T], b: &[T], out: &mut [MaybeUninit<T>]) = select_inner);

#[inline(always)]
fn map_inner<T: Copy, U: Copy>(x: &[T], out: &mut [MaybeUninit<U>], f: impl Fn(T) -> U) {
    for (out, &x) in out.iter_mut().zip(x) {
        out.write(f(x));
    }
}

#[inline(always)]
fn zip_inner<T: Copy, U: Copy>(
    rows: &Rows<2>,
    a: &[T],
    b: &[T],
    out: &mut [MaybeUninit<U>],
    f: impl Fn(T, T) -> U,
) {
    let len = rows.len;
    let mut out = out.chunks_exact_mut(len.max(1));
    rows.each(|[i, j]| {
        let Some(out) = out.next() else { return };
        match rows.along {
            [true, true] => {
                let (a, b) = (&a[i..i + len], &b[j..j + len]);
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    out.write(f(a, b));
                }
            }
            [true, false] => {
                let b = b[j];
                for (out, &a) in out.iter_mut().zip(&a[i..i + len]) {
                    out.write(f(a, b));
                }
            }
            [false, true] => {
                let a = a[i];
                for (out, &b) in out.iter_mut().zip(&b[j..j + len]) {
                    out.write(f(a, b));
                }
            }
            [false, false] => {
                let y = f(a[i], b[j]);
                for out in out {
                    out.write(y);
                }
            }
        }
    });
}

#[inline(always)]
fn select_inner<T: Copy>(
    rows: &Rows<3>,
    condition: &[bool],
    a: &[T],
    b: &[T],
    out: &mut [MaybeUninit<T>],
) {
    let len = rows.len;
    let step = |i: usize| usize::from(rows.along[i]);
    let mut out = out.chunks_exact_mut(len.max(1));
    rows.each(|[c, i, j]| {
        let Some(out) = out.next() else { return };
        for (n, out) in out.iter_mut().enumerate() {
            let (x, y) = (a[i + n * step(1)], b[j + n * step(2)]);
            out.write(if condition[c + n * step(0)] { x } else { y });
        }
    });
}

/// A vector of `len` elements, all of which `fill` writes.
///
/// # Safety
/// `fill` writes every element of the slice it is given.
unsafe fn filled<U>(len: usize, fill: impl FnOnce(&mut [MaybeUninit<U>])) -> Vec<U> {
    let mut out = Vec::with_capacity(len);
    fill(&mut out.spare_capacity_mut()[..len]);
    // SAFETY: within the capacity, and written, as the caller says.
    unsafe { out.set_len(len) };
    out
}

/// `f` of each element.
pub fn map<T: Copy, U: Copy>(isa: Isa, x: &[T], f: impl Fn(T) -> U) -> Vec<U> {
    with_default_environment(|| {
        // SAFETY: as many elements are written as `x` has.
        unsafe { filled(x.len(), |out| map_on(isa, x, out, f)) }
    })
}

/// `f` of each pair; none if a slice has not the elements that `rows` tells.
pub fn zip<T: Copy, U: Copy>(
    isa: Isa,
    rows: &Rows<2>,
    a: &[T],
    b: &[T],
    f: impl Fn(T, T) -> U,
) -> Option<Vec<U>> {
    if [a.len(), b.len()] != rows.lens {
        return None;
    }
    Some(with_default_environment(|| {
        // SAFETY: the rows, each of which is written whole, make up the result.
        unsafe { filled(rows.total, |out| zip_on(isa, rows, a, b, out, f)) }
    }))
}

/// Elements of `a` where the condition holds, and of `b` elsewhere; none if a slice has not the elements that `rows`
/// tells.
pub fn select<T: Copy>(
    isa: Isa,
    rows: &Rows<3>,
    condition: &[bool],
    a: &[T],
    b: &[T],
) -> Option<Vec<T>> {
    if [condition.len(), a.len(), b.len()] != rows.lens {
        return None;
    }
    // SAFETY: the rows, each of which is written whole, make up the result.
    Some(unsafe { filled(rows.total, |out| select_on(isa, rows, condition, a, b, out)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The element of an operand at an index of the result.
    fn at(shape: &[usize], to: &[usize], mut number: usize) -> usize {
        let (mut offset, mut step) = (0, 1);
        for (back, dim) in to.iter().rev().enumerate() {
            let index = number % dim;
            number /= dim;
            let own = shape.len().checked_sub(back + 1).map_or(1, |i| shape[i]);
            offset += if own == 1 { 0 } else { index * step };
            step *= own;
        }
        offset
    }

    proptest! {
        #[test]
        fn rows_are_what_broadcasting_says(
            dims in proptest::collection::vec((1..5usize, 0..4u8, 0..4u8, 0..4u8), 0..5),
            cuts in [0..3usize, 0..3usize, 0..3usize],
        ) {
            let to: Vec<usize> = dims.iter().map(|d| d.0).collect();
            let shape = |pick: fn(&(usize, u8, u8, u8)) -> u8, cut: usize| -> Vec<usize> {
                let all: Vec<usize> = dims.iter().map(|d| if pick(d) == 0 { 1 } else { d.0 }).collect();
                // Leading axes may be missing where the result has one element or more along them.
                all[cut.min(all.len())..].to_vec()
            };
            let (x, y, z) = (shape(|d| d.1, cuts[0]), shape(|d| d.2, cuts[1]), shape(|d| d.3, cuts[2]));
            let n: usize = to.iter().product();
            let numbers = |s: &[usize]| (0..s.iter().product::<usize>() as u32).collect::<Vec<_>>();
            let rows = Rows::new(&to, [&x, &y]).unwrap();
            prop_assert_eq!(rows.total(), n);
            let expected: Vec<u32> = (0..n).map(|i| (at(&x, &to, i) * 1000 + at(&y, &to, i)) as u32).collect();
            let condition: Vec<bool> = numbers(&z).iter().map(|i| i % 3 == 0).collect();
            let picked: Vec<u32> = (0..n)
                .map(|i| if condition[at(&z, &to, i)] { at(&x, &to, i) } else { at(&y, &to, i) } as u32)
                .collect();
            for isa in Isa::available() {
                let found = zip(isa, &rows, &numbers(&x), &numbers(&y), |a, b| a * 1000 + b);
                prop_assert_eq!(found.as_ref(), Some(&expected));
                let three = Rows::new(&to, [&z, &x, &y]).unwrap();
                let found = select(isa, &three, &condition, &numbers(&x), &numbers(&y));
                prop_assert_eq!(found.as_ref(), Some(&picked));
            }
            let mut longer = numbers(&x);
            longer.push(0);
            prop_assert!(zip(Isa::Scalar, &rows, &longer, &numbers(&y), |a, _| a).is_none());
        }
    }

    #[test]
    fn shapes_that_do_not_broadcast_are_refused() {
        assert!(Rows::new(&[2, 3], [&[2, 3], &[2]]).is_none());
        assert!(Rows::new(&[3], [&[2, 3], &[3]]).is_none());
        assert!(Rows::new(&[1, 3], [&[2, 3], &[3]]).is_none());
        assert!(Rows::new(&[usize::MAX, 2], [&[1], &[1]]).is_none());
    }

    #[test]
    fn nothing_gives_nothing() {
        let rows = Rows::new(&[0, 3], [&[0, 3], &[3]]).unwrap();
        assert_eq!(
            zip(Isa::best(), &rows, &[], &[1, 2, 3], |a: i32, _| a),
            Some(vec![])
        );
        assert!(map(Isa::best(), &[] as &[u8], |x| x).is_empty());
    }
}
