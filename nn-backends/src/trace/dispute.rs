//! Where two traces part ways.

use super::commit::{Entry, LIST, Place};
use super::file::TraceFile;
use super::tree::{TILE, Tree};

/// What a comparison of two traces found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dispute<'a> {
    /// The same tensors, and the same root.
    Equal,
    /// They are of different models.
    Models {
        /// The first one's.
        a: [u8; 32],
        /// The second one's.
        b: [u8; 32],
    },
    /// They commit to different numbers of tensors: one of them is no trace of the model.
    Lengths {
        /// The first one's.
        a: usize,
        /// The second one's.
        b: usize,
    },
    /// They differ, first in this tensor. Where that is an input, the two ran on different inputs.
    Differs(Box<Difference<'a>>),
}

/// The first tensor in which two traces differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference<'a> {
    /// Number of the entry.
    pub index: usize,
    /// The first one's.
    pub a: Entry,
    /// The second one's.
    pub b: Entry,
    /// Rounds in which two parties that do not have each other's traces would find it.
    pub rounds: u32,
    /// The first tile that differs; none where types or shapes do, or where a file lacks the tensor.
    pub tile: Option<TileDifference<'a>>,
}

/// The first tile in which two tensors differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TileDifference<'a> {
    /// Number of the tile.
    pub tile: usize,
    /// Index of the first element that differs, in row-major order.
    pub element: usize,
    /// The first one's tile.
    pub a: &'a [u8],
    /// The second one's tile.
    pub b: &'a [u8],
    /// Rounds in which two parties would find it, once they know the tensor.
    pub rounds: u32,
}

impl Difference<'_> {
    /// Where the tensor comes from.
    pub fn place(&self) -> Place {
        self.a.place
    }
}

/// Finds the first tensor, and its first tile, in which two traces differ.
///
/// Both should have been [verified](TraceFile::verify): what a file states about itself is taken as it is.
pub fn dispute<'a>(a: &TraceFile<'a>, b: &TraceFile<'a>) -> Dispute<'a> {
    if a.model != b.model {
        return Dispute::Models {
            a: a.model,
            b: b.model,
        };
    }
    let (count_a, count_b) = (a.entries().len(), b.entries().len());
    if count_a != count_b {
        return Dispute::Lengths {
            a: count_a,
            b: count_b,
        };
    }
    let (leaves_a, leaves_b) = (a.leaves(), b.leaves());
    let (list_a, list_b) = (
        Tree::new(&leaves_a, Some(LIST)),
        Tree::new(&leaves_b, Some(LIST)),
    );
    let Some((chunk, rounds)) = list_a.search(&list_b) else {
        return Dispute::Equal;
    };
    // A chunk shows all of its leaves at once.
    let first = chunk * TILE / 32;
    let index = (first..count_a)
        .find(|i| leaves_a.get(i * 32..i * 32 + 32) != leaves_b.get(i * 32..i * 32 + 32))
        .unwrap_or(first);
    let (Some((entry_a, data_a)), Some((entry_b, data_b))) = (a.get(index), b.get(index)) else {
        return Dispute::Equal;
    };
    let alike = entry_a.ty == entry_b.ty && entry_a.shape == entry_b.shape;
    let tile = match (data_a, data_b) {
        (Some(x), Some(y)) if alike => tiles(x, y, entry_a.ty.size()),
        _ => None,
    };
    Dispute::Differs(Box::new(Difference {
        index,
        a: entry_a.clone(),
        b: entry_b.clone(),
        rounds,
        tile,
    }))
}

fn tiles<'a>(a: &'a [u8], b: &'a [u8], size: usize) -> Option<TileDifference<'a>> {
    let (x, y) = (Tree::new(a, None), Tree::new(b, None));
    let (tile, rounds) = x.search(&y)?;
    let byte = a.iter().zip(b).position(|(a, b)| a != b)?;
    Some(TileDifference {
        tile,
        element: byte / size,
        a: x.tile(tile)?,
        b: y.tile(tile)?,
        rounds,
    })
}
