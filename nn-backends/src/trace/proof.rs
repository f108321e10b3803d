//! A tile, proven alone.

use super::commit::{Entry, LIST, root_of_list};
use super::tree::{TILE, climb};

/// A tile of a tensor with all that connects it with the root of an inference: its size is a kilobyte and a hash for
/// each doubling of the tensor and of the number of operations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TileProof {
    /// Content address of the model.
    pub model: [u8; 32],
    /// Tensors that the inference commits to; the model tells how many these are.
    pub entries: usize,
    /// Which of them this is.
    pub index: usize,
    /// The tensor.
    pub entry: Entry,
    /// Number of the tile.
    pub tile: usize,
    /// The tile's bytes.
    pub bytes: Vec<u8>,
    /// Hashes beside the path from the tensor's digest to the tile, from above.
    pub tensor_path: Vec<[u8; 32]>,
    /// The 32 leaves, or fewer at the end, among which the tensor's is.
    pub leaves: Vec<u8>,
    /// Hashes beside the path from the list's hash to those leaves, from above.
    pub list_path: Vec<[u8; 32]>,
}

impl TileProof {
    /// Whether an inference with this root has this tile there.
    pub fn holds(&self, root: &[u8; 32]) -> bool {
        self.root().as_ref() == Some(root)
    }

    /// The root of an inference that has this tile there; none where the parts do not fit.
    fn root(&self) -> Option<[u8; 32]> {
        let len = usize::try_from(self.entry.bytes()?).ok()?;
        let digest = climb(None, len, self.tile, &self.bytes, &self.tensor_path)?;
        let at = self.index.checked_mul(32)?;
        let leaf = self.leaves.get(at % TILE..at % TILE + 32)?;
        if digest != self.entry.digest || self.index >= self.entries || leaf != self.entry.leaf() {
            return None;
        }
        let len = self.entries.checked_mul(32)?;
        let list = climb(Some(LIST), len, at / TILE, &self.leaves, &self.list_path)?;
        Some(root_of_list(&self.model, &list))
    }
}
