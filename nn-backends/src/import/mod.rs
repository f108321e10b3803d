//! From an ONNX file to a graph: names, signature, one operator after the other, patterns, constants.

mod builder;
mod context;
mod control;
mod fuse;
mod graph;
mod narrow;
mod ops;
mod signature;

pub(crate) use context::node_name;
pub(crate) use graph::{Imported, import};
