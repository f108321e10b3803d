//! Limits on code and on running instances.

use serde::{Deserialize, Serialize};

/// Limits. Those on code hold for the instrumented module too, since that is what gets
/// compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of the guest module.
    pub module_bytes: u32,
    /// Bytes of the instrumented module.
    pub instrumented_bytes: u32,
    /// Function types.
    pub types: u32,
    /// Parameters, and results, of a function type.
    pub params: u32,
    /// Defined functions.
    pub functions: u32,
    /// Bytes of a function body.
    pub body_bytes: u32,
    /// Locals of a function, parameters included.
    pub locals: u32,
    /// Locals of all functions together.
    pub total_locals: u32,
    /// Blocks nested in a function.
    pub nesting: u32,
    /// Loops nested in a function.
    pub loop_nesting: u32,
    /// Joins of control flow times locals, in one function; and, where more than four branches
    /// meet, branches times the values that they have to put in place (more from 256 branches on).
    pub phis: u32,
    /// The same in all functions together.
    pub total_phis: u32,
    /// Basic blocks of a function.
    pub blocks: u32,
    /// Instructions in a basic block.
    pub block_instructions: u32,
    /// Values on the operand stack of a function.
    pub stack_values: u32,
    /// Words (8 bytes) of one frame on the logical stack.
    pub frame_words: u32,
    /// Targets of a `br_table`.
    pub br_table: u32,
    /// Targets of all `br_table` instructions of a function together.
    pub total_br_table: u32,
    /// `memory.grow` instructions of all functions together: each takes a compiler long.
    pub memory_grows: u32,
    /// Imported functions.
    pub imports: u32,
    /// Exports.
    pub exports: u32,
    /// Bytes of a name of an import or export.
    pub name_bytes: u32,
    /// Globals.
    pub globals: u32,
    /// Tables.
    pub tables: u32,
    /// Elements of all tables together, and of all element segments; a sixteenth of that where
    /// code changes a table or drops a segment, so that no call can use the instance of another.
    pub table_elements: u32,
    /// Element segments.
    pub element_segments: u32,
    /// Data segments.
    pub data_segments: u32,
    /// Pages (64 KiB) of the memory at the start.
    pub initial_pages: u32,
    /// Pages (64 KiB) that the memory may grow to.
    pub memory_pages: u32,
    /// Words of the logical stack. A native stack of 16 bytes for each of them is enough.
    pub stack_words: u32,
    /// Whether 128-bit vector instructions are allowed (the deterministic ones).
    pub simd: bool,
}

impl Limits {
    pub(super) fn v1() -> Self {
        Self {
            module_bytes: 1 << 20,
            instrumented_bytes: 3 << 20,
            types: 1_024,
            params: 64,
            functions: 8_192,
            body_bytes: 128 << 10,
            locals: 512,
            total_locals: 65_536,
            nesting: 512,
            loop_nesting: 16,
            phis: 50_000,
            total_phis: 400_000,
            blocks: 8_192,
            block_instructions: 16_384,
            stack_values: 512,
            frame_words: 16_384,
            br_table: 1_024,
            total_br_table: 8_192,
            memory_grows: 32,
            imports: 256,
            exports: 256,
            name_bytes: 256,
            globals: 256,
            tables: 4,
            table_elements: 65_536,
            element_segments: 1_024,
            data_segments: 1_024,
            initial_pages: 256,
            memory_pages: 1_024,
            stack_words: 131_072,
            simd: true,
        }
    }
}
