//! Receipts: what one transaction did, in a form that every node must agree on to the bit.
//!
//! The binary form is described in `docs/receipts.md`.

mod codec;
mod outbox;
mod parts;

pub use outbox::{OutboxMessage, OutboxProof};
pub use parts::{Event, GasUsed, Inference, Kind, PqcCheck, Receipt, Status};

/// Version of the canonical form.
pub const VERSION: u16 = 1;
