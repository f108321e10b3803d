//! Traces as files.

use super::commit::{Entry, Place, root};
use super::error::TraceError;
use super::proof::TileProof;
use super::tree::{TILE, Tree, hash};
use crate::array::{Array, Data};
use crate::model::Model;
use crate::tensor::ElementType;

const MAGIC: &[u8] = b"AIVM-INFERENCE-TRACE";
const VERSION: u16 = 2;
/// Dimensions that a tensor may have.
const RANK: u8 = 8;
/// Bytes of the shortest entry.
const SHORTEST: usize = 42;

pub(super) fn write(
    model: &[u8; 32],
    root: &[u8; 32],
    entries: &[(Entry, Option<Vec<u8>>)],
) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(VERSION.to_le_bytes());
    out.extend(model);
    out.extend(root);
    out.extend((entries.len() as u32).to_le_bytes());
    for (entry, data) in entries {
        let (kind, index, output) = entry.place.code();
        out.push(kind);
        out.extend(index.to_le_bytes());
        out.extend(output.to_le_bytes());
        out.push(entry.ty.code());
        out.push(entry.shape.len() as u8);
        for dim in &entry.shape {
            out.extend(dim.to_le_bytes());
        }
        out.extend(entry.digest);
        out.push(u8::from(data.is_some()));
        out.extend(data.iter().flatten());
    }
    out
}

/// A trace read from a file. Nothing in it is believed before [`TraceFile::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceFile<'a> {
    /// Content address of the model.
    pub model: [u8; 32],
    /// The root that the file states.
    pub root: [u8; 32],
    entries: Vec<(Entry, Option<&'a [u8]>)>,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], TraceError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(TraceError::Truncated(what))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], TraceError> {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .ok_or(TraceError::Truncated(what))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, TraceError> {
        self.array(what).map(|[byte]| byte)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, TraceError> {
        self.array(what).map(u32::from_le_bytes)
    }
}

impl<'a> TraceFile<'a> {
    /// Reads a file. Its size bounds the memory that is used, and nothing is copied.
    ///
    /// # Errors
    /// The place where the bytes are not a trace.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, TraceError> {
        let mut input = Reader(bytes.strip_prefix(MAGIC).ok_or(TraceError::Magic)?);
        match u16::from_le_bytes(input.array("version")?) {
            VERSION => {}
            other => return Err(TraceError::Version(other)),
        }
        let (model, root) = (input.array("model")?, input.array("root")?);
        let count = input.u32("number of entries")? as usize;
        if count > input.0.len() / SHORTEST {
            return Err(TraceError::Truncated("entries"));
        }
        let mut entries: Vec<(Entry, Option<&[u8]>)> = Vec::with_capacity(count);
        for i in 0..count {
            let (entry, data) = entry(&mut input, i)?;
            if entries.last().is_some_and(|(e, _)| e.place >= entry.place) {
                return Err(TraceError::Entry {
                    entry: i,
                    what: "is not in order",
                });
            }
            entries.push((entry, data));
        }
        match input.0.len() {
            0 => Ok(TraceFile {
                model,
                root,
                entries,
            }),
            rest => Err(TraceError::Trailing(rest)),
        }
    }

    /// The tensors in order: inputs, then results.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter().map(|(entry, _)| entry)
    }

    /// Bytes of tensors that the file holds.
    pub fn kept(&self) -> u64 {
        let kept = self.entries.iter().filter_map(|(_, data)| *data);
        kept.map(|data| data.len() as u64).sum()
    }

    /// Checks that every tensor has its digest and the entries have the root that the file states.
    ///
    /// # Errors
    /// The first entry whose bytes have another digest, or that the root differs.
    pub fn verify(&self) -> Result<(), TraceError> {
        for (i, (entry, data)) in self.entries.iter().enumerate() {
            if data.is_some_and(|data| hash(data, None) != entry.digest) {
                return Err(TraceError::Entry {
                    entry: i,
                    what: "the tensor does not have its digest",
                });
            }
        }
        match root(&self.model, &self.leaves()) == self.root {
            true => Ok(()),
            false => Err(TraceError::Root),
        }
    }

    /// Checks that the entries are those of an inference of `model`: as many, with its types and shapes.
    ///
    /// # Errors
    /// When the trace is of another model, or the first entry that differs.
    pub fn fits(&self, model: &Model) -> Result<(), TraceError> {
        if model.hash() != self.model {
            return Err(TraceError::Model);
        }
        let mut expected = super::commit::places(model);
        for (i, (entry, _)) in self.entries.iter().enumerate() {
            let fits = expected.next().is_some_and(|(place, info)| {
                place == entry.place
                    && info.ty == entry.ty
                    && info
                        .shape
                        .iter()
                        .map(|d| *d as u64)
                        .eq(entry.shape.iter().map(|d| u64::from(*d)))
            });
            if !fits {
                return Err(TraceError::Entry {
                    entry: i,
                    what: "is not what the model has there",
                });
            }
        }
        match expected.next() {
            None => Ok(()),
            Some(_) => Err(TraceError::Truncated("entries")),
        }
    }

    /// Number of the entry at `place`.
    pub fn find(&self, place: Place) -> Option<usize> {
        self.entries
            .binary_search_by_key(&place, |(entry, _)| entry.place)
            .ok()
    }

    /// Entry `index` with its bytes, if the file has them.
    pub fn get(&self, index: usize) -> Option<(&Entry, Option<&'a [u8]>)> {
        self.entries.get(index).map(|(entry, data)| (entry, *data))
    }

    /// The tensor of entry `index`.
    ///
    /// # Errors
    /// When there is no such entry or the file has only its digest.
    pub fn tensor(&self, index: usize) -> Result<Array, TraceError> {
        let (entry, data) = self.get(index).ok_or(TraceError::Missing("entry"))?;
        let data = data.ok_or(TraceError::NotKept(index))?;
        let data = Data::from_le_bytes(entry.ty, data).ok_or(TraceError::Entry {
            entry: index,
            what: "has elements that are not of its type",
        })?;
        Ok(Array {
            shape: entry.shape.iter().map(|d| *d as usize).collect(),
            data,
        })
    }

    /// A tile of entry `index` with all that connects it with the root.
    ///
    /// # Errors
    /// When there is no such entry or tile, or the file has only the tensor's digest.
    pub fn prove(&self, index: usize, tile: usize) -> Result<TileProof, TraceError> {
        let (entry, data) = self.get(index).ok_or(TraceError::Missing("entry"))?;
        let tensor = Tree::new(data.ok_or(TraceError::NotKept(index))?, None);
        let bytes = tensor.tile(tile).ok_or(TraceError::Missing("tile"))?;
        let leaves = self.leaves();
        let list = Tree::new(&leaves, Some(super::commit::LIST));
        let chunk = index * 32 / TILE;
        Ok(TileProof {
            model: self.model,
            entries: self.entries.len(),
            index,
            entry: entry.clone(),
            tile,
            bytes: bytes.to_vec(),
            tensor_path: tensor.path(tile).ok_or(TraceError::Missing("tile"))?,
            leaves: list.tile(chunk).unwrap_or_default().to_vec(),
            list_path: list.path(chunk).ok_or(TraceError::Missing("entry"))?,
        })
    }

    /// The leaves of all entries, one behind the other.
    pub(super) fn leaves(&self) -> Vec<u8> {
        self.entries().flat_map(Entry::leaf).collect()
    }
}

fn entry<'a>(
    input: &mut Reader<'a>,
    index: usize,
) -> Result<(Entry, Option<&'a [u8]>), TraceError> {
    let bad = |what| TraceError::Entry { entry: index, what };
    let kind = input.byte("kind of an entry")?;
    let number = input.u32("index of an entry")?;
    let output = u16::from_le_bytes(input.array("output of an entry")?);
    let place = Place::from_code(kind, number, output).ok_or(bad("has an unknown kind"))?;
    let ty = ElementType::from_code(input.byte("element type")?)
        .ok_or(bad("has an unknown element type"))?;
    let rank = input.byte("number of dimensions")?;
    if rank > RANK {
        return Err(bad("has more than 8 dimensions"));
    }
    let shape = (0..rank)
        .map(|_| input.u32("dimensions"))
        .collect::<Result<Vec<_>, _>>()?;
    let entry = Entry {
        place,
        ty,
        shape,
        digest: input.array("digest")?,
    };
    let data = match input.byte("mark of a tensor")? {
        0 => None,
        1 => {
            let bytes = entry.bytes().and_then(|bytes| usize::try_from(bytes).ok());
            let bytes = bytes.ok_or(bad("is too large"))?;
            Some(input.take(bytes, "tensor")?)
        }
        _ => return Err(bad("neither has nor lacks its tensor")),
    };
    Ok((entry, data))
}
