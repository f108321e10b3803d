//! Prices of WebAssembly instructions.

use serde::{Deserialize, Serialize};

/// Gas per executed instruction, by class, and per function entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WasmPrices {
    /// `nop`, `block`, `loop`, `else`, `end`, `drop`, `unreachable`: no machine code.
    pub structure: u64,
    /// `*.const`.
    pub constant: u64,
    /// `local.get`, `local.set`, `local.tee`.
    pub local: u64,
    /// `global.get`, `global.set`.
    pub global: u64,
    /// `if`, `br`, `br_if`, `return`.
    pub branch: u64,
    /// `br_table`.
    pub branch_table: u64,
    /// `call`.
    pub call: u64,
    /// `call_indirect`.
    pub call_indirect: u64,
    /// `select`.
    pub select: u64,
    /// Integer addition, logic, shifts, comparisons, extensions and bit counts.
    pub integer: u64,
    /// Integer multiplication.
    pub multiply: u64,
    /// Integer division and remainder.
    pub divide: u64,
    /// Floating-point addition, multiplication, comparison, sign operations.
    pub float: u64,
    /// Floating-point division.
    pub float_divide: u64,
    /// Square root.
    pub float_sqrt: u64,
    /// `ceil`, `floor`, `trunc`, `nearest`, `min`, `max`.
    pub float_round: u64,
    /// Conversions between integers and floats, and between float widths.
    pub convert: u64,
    /// Loads from memory.
    pub load: u64,
    /// Stores to memory.
    pub store: u64,
    /// `memory.size`, `table.size`.
    pub size: u64,
    /// `ref.null`, `ref.is_null`, `ref.func`, `elem.drop`, `data.drop`.
    pub reference: u64,
    /// `table.get`, `table.set`.
    pub table: u64,
    /// `memory.grow`, besides its pages.
    pub memory_grow: u64,
    /// Each 64 KiB page asked for by `memory.grow`.
    pub memory_page: u64,
    /// `memory.copy`, `memory.fill`, `memory.init`, besides their bytes.
    pub bulk: u64,
    /// Each 64 bytes, begun, of a bulk memory instruction.
    pub bulk_per_64_bytes: u64,
    /// `table.grow`, `table.copy`, `table.fill`, `table.init`, besides their elements.
    pub table_bulk: u64,
    /// Each element of a bulk table instruction.
    pub table_element: u64,
    /// Plain 128-bit vector instructions.
    pub simd: u64,
    /// Vector multiplications, dot products and float operations.
    pub simd_multiply: u64,
    /// Vector division, square root, rounding and conversions.
    pub simd_divide: u64,
    /// Vector loads and stores.
    pub simd_memory: u64,
    /// Entering a function.
    pub function_entry: u64,
    /// Each declared local, zeroed on entry.
    pub function_local: u64,
    /// Each 64 words, begun, of a function's frame on the logical stack.
    pub frame_per_64_words: u64,
}

impl WasmPrices {
    // Fitted with `cargo xtask calibrate`: a unit of gas is about 0.07 ns, and a price is
    // that of the worst known use of its class (a chain of dependent instructions, a branch
    // that cannot be foreseen, a load that misses the first two caches).
    pub(super) fn v1() -> Self {
        Self {
            structure: 0,
            constant: 1,
            local: 1,
            global: 2,
            branch: 18,
            branch_table: 56,
            call: 8,
            call_indirect: 20,
            select: 2,
            integer: 2,
            multiply: 4,
            divide: 40,
            float: 18,
            float_divide: 45,
            float_sqrt: 80,
            float_round: 40,
            convert: 30,
            load: 34,
            store: 8,
            size: 16,
            reference: 4,
            table: 16,
            memory_grow: 1_000,
            memory_page: 220_000,
            bulk: 30,
            bulk_per_64_bytes: 16,
            table_bulk: 100,
            table_element: 8,
            simd: 3,
            simd_multiply: 12,
            simd_divide: 40,
            simd_memory: 4,
            function_entry: 8,
            function_local: 1,
            frame_per_64_words: 4,
        }
    }
}
