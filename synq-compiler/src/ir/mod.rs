//! The typed tree between checking and code generation: names are resolved, conversions
//! explicit, arithmetic marked checked or wrapping, places told from values.

mod reuse;
mod tree;
mod types;
pub(crate) mod visit;

pub(crate) use reuse::reuse;
pub use tree::*;
pub use types::*;
