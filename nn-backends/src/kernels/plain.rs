//! Numbers as the bytes they consist of.

mod sealed {
    /// Types without padding bytes.
    pub(crate) trait Plain: Copy {}
}
use sealed::Plain;

impl Plain for u8 {}
impl Plain for i8 {}
impl Plain for i16 {}
impl Plain for i32 {}
impl Plain for i64 {}
impl Plain for u16 {}
impl Plain for u32 {}
impl Plain for u64 {}
impl Plain for f32 {}
impl Plain for f64 {}
impl Plain for bool {}

/// The bytes of `elements` in the machine's order.
pub(crate) fn bytes_of<T: Plain>(elements: &[T]) -> &[u8] {
    // SAFETY: the types above have no padding, bytes need no alignment, and the slice keeps its length and lifetime.
    unsafe { std::slice::from_raw_parts(elements.as_ptr().cast(), size_of_val(elements)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_elements() {
        assert_eq!(bytes_of(&[1u8, 255]), [1, 255]);
        assert_eq!(bytes_of(&[true, false]), [1, 0]);
        let expected: Vec<u8> = [1.5f32, -0.0]
            .iter()
            .flat_map(|x| x.to_ne_bytes())
            .collect();
        assert_eq!(bytes_of(&[1.5f32, -0.0]), expected);
        assert!(bytes_of::<i64>(&[]).is_empty());
    }
}
