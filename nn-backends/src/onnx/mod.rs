//! Reading ONNX files: wire format, messages, tensors.

pub(crate) mod decode;
pub(crate) mod schema;
pub mod wire;
