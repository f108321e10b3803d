//! Keeps what a commitment commits to.

use std::sync::Arc;

use super::commit::{Commitment, Entry, Place};
use super::file;
use crate::array::Array;
use crate::graph::Node;
use crate::model::Model;
use crate::run::Observer;
use crate::tensor::Tensor;

/// Keeps the tensors of an inference, up to a limit; behind it only digests are kept.
#[derive(Clone, Debug)]
pub struct Tracer {
    commitment: Commitment,
    model: [u8; 32],
    entries: Vec<(Entry, Option<Vec<u8>>)>,
    left: u64,
}

impl Tracer {
    /// For an inference of `model` on `inputs`, keeping up to `limit` bytes of tensors.
    pub fn new(model: &Model, inputs: &[Tensor], limit: u64) -> Self {
        let mut tracer = Tracer {
            commitment: Commitment::new(model, inputs),
            model: model.hash(),
            entries: Vec::new(),
            left: limit,
        };
        for (i, tensor) in inputs.iter().enumerate() {
            let entry = Entry {
                place: Place::Input(i as u32),
                ty: tensor.ty,
                shape: tensor.shape.clone(),
                digest: *blake3::hash(&tensor.data).as_bytes(),
            };
            tracer.keep(entry, &tensor.data);
        }
        tracer
    }

    fn keep(&mut self, entry: Entry, bytes: &[u8]) {
        let data = match self.left.checked_sub(bytes.len() as u64) {
            Some(left) => {
                self.left = left;
                Some(bytes.to_vec())
            }
            None => {
                self.left = 0;
                None
            }
        };
        self.entries.push((entry, data));
    }

    /// The root, as a [`Commitment`] makes it.
    pub fn root(&self) -> [u8; 32] {
        self.commitment.root()
    }

    /// The trace as a file.
    pub fn to_file(&self) -> Vec<u8> {
        file::write(&self.model, &self.root(), &self.entries)
    }
}

impl Observer for Tracer {
    fn results(&mut self, index: usize, node: &Node, results: &[Arc<Array>]) {
        let Some(digests) = self.commitment.add(index, node, results) else {
            return;
        };
        for (output, (array, digest)) in results.iter().zip(digests).enumerate() {
            let entry = Entry {
                place: Place::Result {
                    node: index as u32,
                    output: output as u16,
                },
                ty: array.ty(),
                shape: array.shape.iter().map(|d| *d as u32).collect(),
                digest,
            };
            self.keep(entry, &array.data.le_bytes());
        }
    }
}
