//! Taking an input apart.

/// What is left of an input. Past its end everything is zero.
#[derive(Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `n` bytes, or as many as there are.
    pub fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A number of `N` bytes, the lowest first.
    fn number<const N: usize>(&mut self) -> u64 {
        let mut bytes = [0; 8];
        let taken = self.take(N);
        bytes[..taken.len()].copy_from_slice(taken);
        u64::from_le_bytes(bytes)
    }

    pub fn u8(&mut self) -> u8 {
        self.number::<1>() as u8
    }

    pub fn u16(&mut self) -> u16 {
        self.number::<2>() as u16
    }

    pub fn u32(&mut self) -> u32 {
        self.number::<4>() as u32
    }

    pub fn u64(&mut self) -> u64 {
        self.number::<8>()
    }

    /// Up to `mark`, which is left out; all of it when there is no mark.
    pub fn until(&mut self, mark: u8) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == mark);
        let taken = self.take(end.unwrap_or(self.0.len()));
        self.take(1);
        taken
    }
}

/// The seed that an input of eight bytes is.
pub fn seed(data: &[u8]) -> Option<u64> {
    data.try_into().map(u64::from_le_bytes).ok()
}

/// Text, where it is text.
pub fn text(data: &[u8]) -> &str {
    std::str::from_utf8(data).unwrap_or_default()
}
