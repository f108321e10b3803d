//! Which WebAssembly features are accepted.

use wasmparser::WasmFeatures;

use super::error::{Feature, InstrumentError, Reason};

/// MVP, sign extension, saturating conversions, bulk memory, multi-value, reference types
/// and mutable globals; vectors when `simd` is set.
pub(super) fn accepted(simd: bool) -> WasmFeatures {
    let mut features = WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::FLOATS
        // Not the proposal: without it the parser has no reference types at all.
        | WasmFeatures::GC_TYPES;
    features.set(WasmFeatures::SIMD, simd);
    features
}

/// Words of the parser's messages, and the feature each means. The first match counts.
const WORDS: &[(&str, Feature)] = &[
    ("relaxed SIMD", Feature::RelaxedSimd),
    ("relaxed simd", Feature::RelaxedSimd),
    ("SIMD", Feature::Simd),
    ("shared-everything", Feature::Threads),
    ("threads", Feature::Threads),
    ("shared memor", Feature::Threads),
    ("tail calls", Feature::TailCall),
    ("exceptions", Feature::Exceptions),
    ("memory64", Feature::Memory64),
    ("multi-memory", Feature::MultiMemory),
    ("multiple memories", Feature::MultiMemory),
    ("extended-const", Feature::ExtendedConst),
    ("extended const", Feature::ExtendedConst),
    ("non-constant operator", Feature::ExtendedConst),
    ("wide arithmetic", Feature::WideArithmetic),
    ("stack switching", Feature::StackSwitching),
    ("custom page sizes", Feature::MemoryControl),
    ("memory control", Feature::MemoryControl),
    ("gc ", Feature::Gc),
    ("gc feature", Feature::Gc),
    ("function references", Feature::Gc),
    ("function-references", Feature::Gc),
];

/// Gives a parser's error the name of the feature that it misses, if it misses one.
#[cold]
pub(super) fn explain(error: wasmparser::Error) -> InstrumentError {
    let message = error.message().to_string();
    let misses = [
        "not enabled",
        "require",
        "without",
        "must be enabled",
        "multiple memories",
    ]
    .iter()
    .any(|words| message.contains(words));
    let feature = WORDS
        .iter()
        .find(|(words, _)| misses && message.contains(words));
    match feature {
        Some((_, feature)) => InstrumentError::new(error.offset(), Reason::Feature(*feature)),
        None => error.into(),
    }
}
