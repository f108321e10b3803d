//! Signed transactions: what is signed, in which bytes, and what must hold before a signature
//! is worth checking.
//!
//! There is no cryptography here: [`Envelope::check`] says which signatures over which bytes
//! must hold, and whoever has the algorithms verifies them.

mod check;
mod codec;
mod parts;

pub use check::{CheckError, Expectation};
pub use parts::{Action, Cipher, Envelope, Level, Payload, Sealed, Signer, Transaction};

/// Domain of a deployment.
pub const DEPLOY_DOMAIN: &str = "SYNQ_CONTRACT_DEPLOY_V1";

/// Domain of a call.
pub const CALL_DOMAIN: &str = "SYNQ_CONTRACT_CALL_V1";
