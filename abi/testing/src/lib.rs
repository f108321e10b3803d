//! Guests on the wasmi interpreter, so that crates which know no VM can run contracts in their tests.
//!
//! - [`Run`]: an instance, and calls of its exports as a VM makes them.
//! - [`plain_hosts`], [`verify_all`]: parts of a host that are the same in each test.

mod engine;
mod plain;

pub use engine::{Run, WasmiGuest};
pub use plain::verify_all;
