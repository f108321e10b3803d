//! Exact, metered neural-network inference.

#![deny(unsafe_code)]

#[allow(
    unsafe_code,
    reason = "SIMD kernels; all unsafe code of the crate is below this module"
)]
pub mod kernels;
