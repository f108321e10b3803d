//! Traces: what the convolutions and products of an inference gave, under one root hash.
//!
//! A [`Commitment`] watches an inference and makes its root; a [`Tracer`] keeps the tensors as well, for a file. Two
//! parties with different roots find the first operation, and in it the first tile, in which they differ
//! ([`dispute`]), and anyone recomputes that tile alone ([`recompute`]). The bytes are defined in `docs/traces.md`.

mod commit;
mod dispute;
mod error;
mod file;
mod proof;
mod record;
mod tile;
mod tree;

pub(crate) use commit::committed;
pub use commit::{Commitment, Entry, Place, transaction_root};
pub use dispute::{Difference, Dispute, TileDifference, dispute};
pub use error::TraceError;
pub use file::TraceFile;
pub use proof::TileProof;
pub use record::Tracer;
pub use tile::{Recomputed, recompute};
pub use tree::TILE;
