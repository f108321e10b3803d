//! From an ONNX file to a verified [`Model`](crate::Model).

mod signature;

pub(crate) use signature::{Signature, check_names};
