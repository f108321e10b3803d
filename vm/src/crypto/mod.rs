//! Hashes and post-quantum primitives behind the `crypto` interface. Everything here is
//! a pure function of its bytes.

pub(crate) mod hash;
pub(crate) mod pqc;
