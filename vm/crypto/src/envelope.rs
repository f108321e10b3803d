//! Verification of a transaction's signatures.

use aivm_abi::transaction::{CheckError, Envelope, Expectation};

use crate::pqc;

/// Why a transaction is refused. [`code`](Self::code) gives the stable number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Something other than a signature does not hold.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A signature is not that of its key over these bytes.
    #[error("the {scheme} signature does not verify")]
    Signature {
        /// Name of the scheme.
        scheme: &'static str,
    },
}

impl VerifyError {
    /// Stable number for tools and logs.
    pub const fn code(&self) -> u32 {
        match self {
            Self::Check(error) => error.code(),
            Self::Signature { .. } => 11,
        }
    }
}

/// Checks an envelope and verifies each of its signatures, the cheap checks first.
///
/// # Errors
///
/// The first thing that does not hold.
pub fn verify(envelope: &Envelope, expect: &Expectation<'_>) -> Result<(), VerifyError> {
    envelope.check(expect)?;
    let bytes = envelope.signing_bytes();
    for signer in &envelope.signers {
        if !pqc::verify(signer.scheme, &signer.key, &bytes, &signer.signature) {
            let scheme = signer.scheme.name();
            return Err(VerifyError::Signature { scheme });
        }
    }
    Ok(())
}
