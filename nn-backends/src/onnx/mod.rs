//! ONNX files: wire format, messages, tensors; reading them, and writing quantised ones.

pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod schema;
pub mod wire;
