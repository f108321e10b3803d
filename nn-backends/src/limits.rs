//! What a model may ask for at most.

/// Upper bounds checked while a model is loaded, before anything of that size is allocated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelLimits {
    /// Bytes of the model file. Default 64 MiB.
    pub bytes: usize,
    /// Nodes, those inside branches included. Default 16,384.
    pub nodes: usize,
    /// Named values: inputs, initialisers and node outputs. Default 65,536.
    pub values: usize,
    /// Inputs of the model, and as many outputs. Default 256.
    pub border: usize,
    /// Inputs plus outputs of one node. Default 256.
    pub node_arity: usize,
    /// Attributes of one node. Default 64.
    pub attributes: usize,
    /// Depth of nested graphs (`If` branches). Default 4.
    pub depth: usize,
    /// Dimensions of one tensor. Default 8.
    pub rank: usize,
    /// Elements of one tensor. Default 2²⁶.
    pub elements: u64,
    /// Bytes of all weights together. Default 64 MiB.
    pub weight_bytes: u64,
    /// Memory high-water mark of one inference in bytes, weights included. Default 512 MiB.
    pub memory: u64,
    /// Bytes of one name. Default 512.
    pub name_bytes: usize,
    /// Elements that may be produced and multiply-accumulates that may be spent while constants are
    /// folded at load. Default 2²⁴.
    pub folding: u64,
    /// Work of reading the file, as [`Model::from_onnx_measured`](crate::Model::from_onnx_measured)
    /// counts it. Default: no limit but what the others imply.
    pub work: u64,
}

impl Default for ModelLimits {
    fn default() -> Self {
        ModelLimits {
            bytes: 64 << 20,
            nodes: 16_384,
            values: 65_536,
            border: 256,
            node_arity: 256,
            attributes: 64,
            depth: 4,
            rank: 8,
            elements: 1 << 26,
            weight_bytes: 64 << 20,
            memory: 512 << 20,
            name_bytes: 512,
            folding: 1 << 24,
            work: u64::MAX,
        }
    }
}
