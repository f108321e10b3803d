//! The tree inside BLAKE3, taken apart: subtrees, paths, and the search for the first difference.
//!
//! BLAKE3 is a binary Merkle tree over chunks of 1,024 bytes. Hashing a tensor as a whole therefore commits to each
//! of its chunks, at the full speed of the hash function, and a path is made only when somebody asks for it.

use blake3::hazmat::{
    HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
};

/// Bytes of one tile: a chunk of BLAKE3, the smallest part that can be proven alone.
pub const TILE: usize = blake3::CHUNK_LEN;

/// A hash, or the hash of a part that is not the whole.
pub(super) type Value = [u8; 32];

/// A message as a tree.
#[derive(Clone, Copy)]
pub(super) struct Tree<'a> {
    bytes: &'a [u8],
    key: Option<&'a [u8; 32]>,
}

fn mode(key: Option<&[u8; 32]>) -> Mode<'_> {
    match key {
        Some(key) => Mode::KeyedHash(key),
        None => Mode::Hash,
    }
}

/// Hash of a whole message.
pub(super) fn hash(bytes: &[u8], key: Option<&[u8; 32]>) -> Value {
    match key {
        Some(key) => *blake3::keyed_hash(key, bytes).as_bytes(),
        None => *blake3::hash(bytes).as_bytes(),
    }
}

/// Hash of a part that begins at `start`, a multiple of [`TILE`], and is one of the tree's subtrees but not the whole.
fn part(bytes: &[u8], start: usize, key: Option<&[u8; 32]>) -> Value {
    let mut hasher = match key {
        Some(key) => blake3::Hasher::new_keyed(key),
        None => blake3::Hasher::new(),
    };
    hasher.set_input_offset(start as u64);
    hasher.update(bytes).finalize_non_root()
}

/// Length of the left one of two subtrees; none where there is but one tile.
fn split(len: usize) -> Option<usize> {
    (len > TILE).then(|| left_subtree_len(len as u64) as usize)
}

impl<'a> Tree<'a> {
    /// The tree of a message, keyed or not.
    pub fn new(bytes: &'a [u8], key: Option<&'a [u8; 32]>) -> Self {
        Tree { bytes, key }
    }

    fn part(&self, start: usize, len: usize) -> Value {
        part(&self.bytes[start..start + len], start, self.key)
    }

    /// The tile's bytes; none if there is no such tile.
    pub fn tile(&self, index: usize) -> Option<&'a [u8]> {
        let start = index.checked_mul(TILE)?;
        if start >= self.bytes.len() && !(index == 0 && self.bytes.is_empty()) {
            return None;
        }
        self.bytes.get(start..self.bytes.len().min(start + TILE))
    }

    /// The hashes beside the path from the root to a tile, from above.
    pub fn path(&self, index: usize) -> Option<Vec<Value>> {
        self.tile(index)?;
        let at = index * TILE;
        let (mut start, mut len, mut path) = (0, self.bytes.len(), Vec::new());
        while let Some(left) = split(len) {
            if at < start + left {
                path.push(self.part(start + left, len - left));
                len = left;
            } else {
                path.push(self.part(start, left));
                (start, len) = (start + left, len - left);
            }
        }
        Some(path)
    }

    /// The first tile in which two messages of one length differ, and the number of rounds in which two parties that
    /// hold one message each would find it: one for each pair of subtrees that is shown, and one for the tile.
    pub fn search(&self, other: &Tree<'_>) -> Option<(usize, u32)> {
        if self.bytes.len() != other.bytes.len() || self.bytes == other.bytes {
            return None;
        }
        let (mut start, mut len, mut rounds) = (0, self.bytes.len(), 1);
        while let Some(left) = split(len) {
            rounds += 1;
            if self.part(start, left) != other.part(start, left) {
                len = left;
            } else {
                (start, len) = (start + left, len - left);
            }
        }
        Some((start / TILE, rounds))
    }
}

/// The hash of a message of `len` bytes that has `tile` at `index`, with `path` beside it; none where these do not fit.
pub(super) fn climb(
    key: Option<&[u8; 32]>,
    len: usize,
    index: usize,
    tile: &[u8],
    path: &[Value],
) -> Option<Value> {
    let at = index.checked_mul(TILE)?;
    if (at >= len && !(at == 0 && len == 0)) || tile.len() != (len - at).min(TILE) {
        return None;
    }
    // The way down decides at each level which side the path's hash is on.
    let (mut start, mut rest, mut sides) = (0, len, Vec::new());
    while let Some(left) = split(rest) {
        let on_left = at < start + left;
        sides.push(on_left);
        if on_left {
            rest = left;
        } else {
            (start, rest) = (start + left, rest - left);
        }
    }
    if sides.len() != path.len() {
        return None;
    }
    if sides.is_empty() {
        return Some(hash(tile, key));
    }
    let mut value = part(tile, at, key);
    for (depth, (on_left, beside)) in sides.iter().zip(path).enumerate().rev() {
        let (left, right) = if *on_left {
            (&value, beside)
        } else {
            (beside, &value)
        };
        value = match depth {
            0 => *merge_subtrees_root(left, right, mode(key)).as_bytes(),
            _ => merge_subtrees_non_root(left, right, mode(key)),
        };
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 31 % 251) as u8).collect()
    }

    fn proves(
        root: &Value,
        key: Option<&[u8; 32]>,
        len: usize,
        index: usize,
        tile: &[u8],
        path: &[Value],
    ) -> bool {
        climb(key, len, index, tile, path).as_ref() == Some(root)
    }

    const KEY: &[u8; 32] = b"a key of exactly 32 bytes, yes..";

    #[test]
    fn every_tile_is_proven_and_nothing_else() {
        for key in [None, Some(KEY)] {
            for len in [0, 1, 1023, 1024, 1025, 2048, 2049, 5000, 16384, 33333] {
                let bytes = message(len);
                let (tree, root) = (Tree::new(&bytes, key), hash(&bytes, key));
                for index in 0..len.div_ceil(TILE).max(1) {
                    let (tile, path) = (tree.tile(index).unwrap(), tree.path(index).unwrap());
                    assert!(proves(&root, key, len, index, tile, &path), "{len} {index}");
                    assert!(!proves(&root, key, len, index + 1, tile, &path));
                    // The last tile tells the length; where it counts, type and shape do.
                    let last = index + 1 >= len.div_ceil(TILE);
                    assert!(!last || !proves(&root, key, len + 1, index, tile, &path));
                    let mut other = tile.to_vec();
                    if let Some(first) = other.first_mut() {
                        *first ^= 1;
                        assert!(!proves(&root, key, len, index, &other, &path));
                    }
                    for i in 0..path.len() {
                        let mut path = path.clone();
                        path[i][0] ^= 1;
                        assert!(!proves(&root, key, len, index, tile, &path));
                        path.remove(i);
                        assert!(!proves(&root, key, len, index, tile, &path));
                    }
                }
                assert!(tree.tile(len.div_ceil(TILE).max(1)).is_none());
                assert!(tree.path(usize::MAX).is_none());
            }
        }
    }

    #[test]
    fn the_search_finds_the_first_difference_in_a_round_for_each_level() {
        let bytes = message(1000 * 32);
        for changed in [0, 1, 1023, 1024, 17000, 31999] {
            let mut other = bytes.clone();
            other[changed] ^= 1;
            // What differs behind it does not count.
            other[31999] ^= 2;
            let found = Tree::new(&bytes, None).search(&Tree::new(&other, None));
            let (tile, rounds) = found.unwrap();
            assert_eq!(tile, changed / TILE);
            assert!(rounds <= 10, "{rounds}");
        }
        assert_eq!(
            Tree::new(&bytes, None).search(&Tree::new(&bytes, None)),
            None
        );
        assert_eq!(
            Tree::new(&bytes, None).search(&Tree::new(&bytes[1..], None)),
            None
        );
    }
}
