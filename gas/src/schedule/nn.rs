//! Prices of neural networks.

use serde::{Deserialize, Serialize};

/// Prices of inference and of registering models.
///
/// Fields named `*_milligas` count thousandths of gas, because a multiply-accumulate is
/// far cheaper than an instruction; sums are rounded up to gas once, at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NnPrices {
    /// Gas for each inference.
    pub infer_base: u64,
    /// Gas for each node of the graph that runs.
    pub node_base: u64,
    /// Milligas for each multiply-accumulate on 8-bit integers.
    pub mac_int8_milligas: u64,
    /// Milligas for each multiply-accumulate on wider integers.
    pub mac_int32_milligas: u64,
    /// Milligas for each multiply-accumulate in strict 32-bit floating point.
    pub mac_f32_milligas: u64,
    /// Milligas for each elementwise integer operation, comparison or table look-up.
    pub element_int_milligas: u64,
    /// Milligas for each requantised element.
    pub requantize_milligas: u64,
    /// Milligas for each elementwise strict-f32 add, multiply, compare or conversion.
    pub element_f32_milligas: u64,
    /// Milligas for each strict-f32 division or square root.
    pub divide_f32_milligas: u64,
    /// Milligas for each strict-f32 exp, log, tanh, erf or sigmoid.
    pub transcendental_f32_milligas: u64,
    /// Milligas for each byte copied by data movement (transpose, concat, gather, pad, ...).
    pub byte_moved_milligas: u64,
    /// Milligas for each byte of intermediate tensors (allocating and zeroing them).
    pub byte_memory_milligas: u64,
    /// Gas for registering a model.
    pub register_base: u64,
    /// Gas for each byte of a registered model.
    pub register_per_byte: u64,
    /// Gas for each node of a registered model.
    pub register_per_node: u64,
    /// Gas for each unit of the work of reading it: what folding constants computes and moves, and each
    /// element that an operator makes. A node that is lowered takes 800, in the body of a loop each time.
    pub register_per_work: u64,
    /// Memory high-water mark that an inference may reach, in bytes.
    pub max_memory: u64,
    /// Size limit of a registered model, in bytes.
    pub max_model_bytes: u64,
}

impl NnPrices {
    // Measured with `cargo xtask calibrate`; a byte moved is priced for transposing bytes.
    pub(super) fn v1() -> Self {
        Self {
            infer_base: 20_000,
            node_base: 4_000,
            mac_int8_milligas: 100,
            mac_int32_milligas: 1_000,
            mac_f32_milligas: 1_000,
            element_int_milligas: 5_000,
            requantize_milligas: 6_000,
            element_f32_milligas: 4_000,
            divide_f32_milligas: 10_000,
            transcendental_f32_milligas: 80_000,
            byte_moved_milligas: 5_500,
            byte_memory_milligas: 250,
            register_base: 1_000_000,
            register_per_byte: 100,
            register_per_node: 20_000,
            register_per_work: 30,
            max_memory: 256 << 20,
            max_model_bytes: 32 << 20,
        }
    }
}
