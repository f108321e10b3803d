//! The typed tree between checking and code generation: names are resolved, conversions
//! explicit, arithmetic marked checked or wrapping, places told from values.

mod tree;
mod types;

pub use tree::*;
pub use types::*;
