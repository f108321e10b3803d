//! Bytes on their way to the hash.

use super::new_hasher;

/// Bytes that are hashed together: BLAKE3 is several times faster on long inputs.
const MOST: usize = 16 * 1024;

/// Gathers short pieces. They are copied into place instead of appended to a vector: most
/// have a length that the compiler knows, and such a copy is an instruction or two.
#[derive(Default)]
pub(super) struct Buffer {
    /// Begins empty and grows, so that a call with few host calls pays for few bytes.
    bytes: Vec<u8>,
    used: usize,
    /// Holds what was hashed already; most transcripts end before there is any. It takes
    /// two kilobytes, which are not to be moved about.
    hasher: Option<Box<blake3::Hasher>>,
}

impl Buffer {
    /// Takes a piece up; hashes what was gathered when there is no more room.
    #[inline]
    pub(super) fn push(&mut self, piece: &[u8]) {
        let end = self.used.wrapping_add(piece.len());
        match self.bytes.get_mut(self.used..end) {
            Some(place) => {
                place.copy_from_slice(piece);
                self.used = end;
            }
            None => self.make_room(piece),
        }
    }

    #[cold]
    fn make_room(&mut self, piece: &[u8]) {
        let needed = self.used.saturating_add(piece.len());
        if needed < MOST {
            let length = needed.next_power_of_two().clamp(1024, MOST);
            self.bytes.resize(length, 0);
            return self.push(piece);
        }
        // Only whole chunks are hashed: a chunk in two parts takes several times as long.
        let (head, rest) = piece.split_at(piece.len().min(MOST - self.used));
        let (whole, tail) = rest.split_at(rest.len() / MOST * MOST);
        let hasher = self.hasher.get_or_insert_with(|| Box::new(new_hasher()));
        let gathered = self.bytes.get(..self.used).unwrap_or_default();
        hasher.update(gathered).update(head).update(whole);
        self.used = 0;
        if !tail.is_empty() {
            self.bytes.resize(MOST, 0);
            self.push(tail);
        }
    }

    /// Hash of all that was taken up.
    pub(super) fn hash(&self) -> [u8; 32] {
        let mut hasher = match &self.hasher {
            Some(hasher) => blake3::Hasher::clone(hasher),
            None => new_hasher(),
        };
        let gathered = self.bytes.get(..self.used).unwrap_or_default();
        hasher.update(gathered).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_every_size_are_hashed_in_order() {
        let sizes = [
            0,
            1,
            3,
            511,
            512,
            513,
            4_000,
            MOST - 1,
            MOST,
            MOST + 1,
            100_000,
            7,
        ];
        let (mut buffer, mut all) = (Buffer::default(), Vec::new());
        for round in 0..5usize {
            for (n, size) in sizes.iter().cycle().skip(round).take(40).enumerate() {
                let piece: Vec<u8> = (0..*size).map(|i| (i * 31 + n) as u8).collect();
                buffer.push(&piece);
                all.extend(piece);
                let expected = blake3::derive_key(crate::generated::TRANSCRIPT_DOMAIN, &all);
                assert_eq!(buffer.hash(), expected);
                assert!(buffer.bytes.len() <= MOST);
            }
        }
    }
}
