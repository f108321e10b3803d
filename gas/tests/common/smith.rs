//! Random modules.

use wasm_smith::{Config, Module};

/// Bytes from a counter-based generator (SplitMix64), so that a seed names a module.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((z ^ (z >> 31)).to_le_bytes());
    }
    bytes
}

/// The accepted features, without imports.
pub fn config(seed: u64, simd: bool) -> Config {
    Config {
        allow_start_export: false,
        bulk_memory_enabled: true,
        compact_imports_enabled: false,
        exceptions_enabled: false,
        // The others have functions that nothing but calls can reach.
        export_everything: seed.is_multiple_of(3),
        min_exports: 3,
        gc_enabled: false,
        max_imports: 0,
        max_memories: 1,
        max_instructions: 300,
        max_table_elements: 1_000,
        max_tables: 2,
        max_tags: 0,
        memory_max_size_required: seed.is_multiple_of(2),
        memory64_enabled: false,
        extended_const_enabled: false,
        min_funcs: 4,
        max_elements: if seed.is_multiple_of(2) { 0 } else { 20 },
        multi_value_enabled: true,
        reference_types_enabled: true,
        relaxed_simd_enabled: false,
        simd_enabled: simd,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    }
}

/// The module that a seed names.
pub fn module(seed: u64, config: Config) -> Option<Vec<u8>> {
    let noise = noise(seed, 4096);
    let module = Module::new(config, &mut arbitrary::Unstructured::new(&noise)).ok()?;
    Some(module.to_bytes())
}
