//! Bytes on their way to the hash.

/// Bytes that are hashed together: BLAKE3 is several times faster on long inputs.
const MOST: usize = 16 * 1024;

/// Gathers short pieces. They are copied into place instead of appended to a vector: most
/// have a length that the compiler knows, and such a copy is an instruction or two.
#[derive(Default)]
pub(super) struct Buffer {
    /// Begins empty and grows, so that a call with few host calls pays for few bytes.
    bytes: Vec<u8>,
    used: usize,
}

impl Buffer {
    /// Takes a piece up; hashes what was gathered when there is no more room.
    #[inline]
    pub(super) fn push(&mut self, piece: &[u8], hasher: &mut blake3::Hasher) {
        let end = self.used.wrapping_add(piece.len());
        match self.bytes.get_mut(self.used..end) {
            Some(place) => {
                place.copy_from_slice(piece);
                self.used = end;
            }
            None => self.make_room(piece, hasher),
        }
    }

    #[cold]
    fn make_room(&mut self, piece: &[u8], hasher: &mut blake3::Hasher) {
        let needed = self.used.saturating_add(piece.len());
        if needed < MOST {
            let length = needed.next_power_of_two().clamp(512, MOST);
            self.bytes.resize(length, 0);
            return self.push(piece, hasher);
        }
        // Only whole chunks are hashed: a chunk in two parts takes several times as long.
        let (head, rest) = piece.split_at(piece.len().min(MOST - self.used));
        hasher.update(self.bytes()).update(head);
        let (whole, tail) = rest.split_at(rest.len() / MOST * MOST);
        hasher.update(whole);
        self.used = 0;
        if !tail.is_empty() {
            self.bytes.resize(MOST, 0);
            self.push(tail, hasher);
        }
    }

    /// What was gathered and not hashed yet.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
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
        let (mut buffer, mut hasher) = (Buffer::default(), blake3::Hasher::new());
        let mut all = Vec::new();
        for round in 0..5usize {
            for (n, size) in sizes.iter().cycle().skip(round).take(40).enumerate() {
                let piece: Vec<u8> = (0..*size).map(|i| (i * 31 + n) as u8).collect();
                buffer.push(&piece, &mut hasher);
                all.extend(piece);
                let mut so_far = hasher.clone();
                so_far.update(buffer.bytes());
                assert_eq!(so_far.finalize(), blake3::hash(&all));
                assert!(buffer.bytes.len() <= MOST);
            }
        }
    }
}
