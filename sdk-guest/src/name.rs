//! Names of types and functions, put together at compile time.

/// Text of up to 255 bytes that is made in constants.
#[derive(Clone, Copy)]
pub struct Name {
    bytes: [u8; 255],
    length: usize,
}

impl Name {
    /// No text.
    pub const EMPTY: Self = Self {
        bytes: [0; 255],
        length: 0,
    };

    /// This text.
    pub const fn new(text: &str) -> Self {
        Self::EMPTY.with(text)
    }

    /// With `text` behind it. Text that becomes too long stops the compilation.
    pub const fn with(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        assert!(
            self.length + text.len() <= self.bytes.len(),
            "the Solidity signature is longer than 255 bytes"
        );
        let mut i = 0;
        while i < text.len() {
            self.bytes[self.length] = text[i];
            self.length += 1;
            i += 1;
        }
        self
    }

    /// With another name behind it.
    pub const fn and(self, other: &Self) -> Self {
        self.with(other.as_str())
    }

    /// With a number in decimal digits behind it.
    pub const fn with_number(self, number: usize) -> Self {
        let mut digits = [0u8; 20];
        let (mut at, mut rest) = (20, number);
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let (_, digits) = digits.split_at(at);
        match core::str::from_utf8(digits) {
            Ok(text) => self.with(text),
            Err(_) => self,
        }
    }

    /// The text.
    pub const fn as_str(&self) -> &str {
        let (used, _) = self.bytes.split_at(self.length);
        match core::str::from_utf8(used) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    /// Keccak-256 of the text.
    pub const fn hash(&self) -> [u8; 32] {
        let (used, _) = self.bytes.split_at(self.length);
        crate::keccak::keccak256(used)
    }

    /// The first four bytes of the hash: the selector of the function with this signature.
    pub const fn selector(&self) -> [u8; 4] {
        let hash = self.hash();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}
