//! Post-quantum verification and decapsulation over PQClean.
//!
//! Inputs are hostile bytes: every length is checked before the C code sees them.

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use pqcrypto_traits::kem::{Ciphertext as _, SecretKey as _, SharedSecret as _};
use pqcrypto_traits::sign::{DetachedSignature as _, PublicKey as _};

use crate::mldsa;

/// Evaluates an expression with `m` as the module of a signature scheme.
macro_rules! with_scheme {
    ($scheme:expr, $m:ident => $body:expr) => {
        match $scheme {
            SignatureScheme::Mldsa44 => {
                use pqcrypto_mldsa::mldsa44 as $m;
                $body
            }
            SignatureScheme::Mldsa65 => {
                use pqcrypto_mldsa::mldsa65 as $m;
                $body
            }
            SignatureScheme::Mldsa87 => {
                use pqcrypto_mldsa::mldsa87 as $m;
                $body
            }
            SignatureScheme::Fndsa512 => {
                use pqcrypto_falcon::falcon512 as $m;
                $body
            }
            SignatureScheme::Fndsa1024 => {
                use pqcrypto_falcon::falcon1024 as $m;
                $body
            }
            SignatureScheme::Slhdsa128s => {
                use pqcrypto_sphincsplus::sphincssha2128ssimple as $m;
                $body
            }
            SignatureScheme::Slhdsa192s => {
                use pqcrypto_sphincsplus::sphincssha2192ssimple as $m;
                $body
            }
            SignatureScheme::Slhdsa256s => {
                use pqcrypto_sphincsplus::sphincssha2256ssimple as $m;
                $body
            }
        }
    };
}

/// Evaluates an expression with `m` as the module of a mechanism; a mechanism that this
/// build leaves out returns [`MissingKem`].
macro_rules! with_kem {
    ($kem:expr, $m:ident => $body:expr) => {
        match $kem {
            Kem::Mlkem512 => {
                use pqcrypto_mlkem::mlkem512 as $m;
                $body
            }
            Kem::Mlkem768 => {
                use pqcrypto_mlkem::mlkem768 as $m;
                $body
            }
            Kem::Mlkem1024 => {
                use pqcrypto_mlkem::mlkem1024 as $m;
                $body
            }
            #[cfg(feature = "mceliece")]
            Kem::Mceliece348864 => {
                use pqcrypto_classicmceliece::mceliece348864 as $m;
                $body
            }
            #[cfg(not(feature = "mceliece"))]
            Kem::Mceliece348864 => {
                return Err($crate::pqc::MissingKem("Classic McEliece 348864").into())
            }
        }
    };
}

#[cfg(feature = "keys")]
pub(crate) use {with_kem, with_scheme};

/// Verifies a detached signature; malformed input of any kind is `false`.
///
/// A Falcon signature has one encoding here: PQClean also takes one that zero bytes fill up to the
/// greatest length, which would let anyone make a second signature from the first.
pub fn verify(scheme: SignatureScheme, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let falcon = matches!(
        scheme,
        SignatureScheme::Fndsa512 | SignatureScheme::Fndsa1024
    );
    // The encoding ends with the set bit that closes its last coefficient.
    if falcon && signature.last() == Some(&0) {
        return false;
    }
    if let Some(holds) = mldsa::verify(scheme, key, message, &[], signature) {
        return holds;
    }
    with_scheme!(scheme, m => match (
        m::PublicKey::from_bytes(key),
        m::DetachedSignature::from_bytes(signature),
    ) {
        (Ok(key), Ok(signature)) => m::verify_detached_signature(&signature, message, &key).is_ok(),
        _ => false,
    })
}

/// Verifies a detached signature made for a context, as FIPS 204 has it, of at most 255 bytes. [`verify`] is this
/// with an empty context. Schemes without contexts verify with an empty one only.
pub fn verify_in_context(
    scheme: SignatureScheme,
    key: &[u8],
    message: &[u8],
    context: &[u8],
    signature: &[u8],
) -> bool {
    mldsa::verify(scheme, key, message, context, signature)
        .unwrap_or_else(|| context.is_empty() && verify(scheme, key, message, signature))
}

/// A mechanism that this build leaves out. It is an error of the node and no result, so that
/// a node without it stops instead of disagreeing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this build has no {0}; enable the cargo feature `mceliece`")]
pub struct MissingKem(pub(crate) &'static str);

/// Decapsulates a shared secret of 32 bytes; `None` when key or ciphertext has the wrong length.
///
/// # Errors
///
/// [`MissingKem`] when the mechanism is not in this build.
pub fn decapsulate(
    kem: Kem,
    secret_key: &[u8],
    ciphertext: &[u8],
) -> Result<Option<Vec<u8>>, MissingKem> {
    Ok(with_kem!(kem, m => match (
        m::SecretKey::from_bytes(secret_key),
        m::Ciphertext::from_bytes(ciphertext),
    ) {
        (Ok(key), Ok(ciphertext)) => Some(m::decapsulate(&ciphertext, &key).as_bytes().to_vec()),
        _ => None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! signs_and_refuses {
        ($name:ident, $module:path, $scheme:expr) => {
            #[test]
            fn $name() {
                use $module as m;
                let (public, secret) = m::keypair();
                let signature = m::detached_sign(b"message", &secret);
                let (key, sig) = (public.as_bytes(), signature.as_bytes());
                assert!(verify($scheme, key, b"message", sig));
                assert!(!verify($scheme, key, b"massage", sig));
                assert!(!verify($scheme, &key[1..], b"message", sig));
                assert!(!verify($scheme, key, b"message", &[]));
                assert!(!verify($scheme, key, b"message", &sig[..sig.len() - 1]));
                let mut long = sig.to_vec();
                long.resize(100_000, 0);
                assert!(!verify($scheme, key, b"message", &long));
                let mut flipped = sig.to_vec();
                flipped[sig.len() / 2] ^= 1;
                assert!(!verify($scheme, key, b"message", &flipped));
            }
        };
    }

    signs_and_refuses!(mldsa44, pqcrypto_mldsa::mldsa44, SignatureScheme::Mldsa44);
    signs_and_refuses!(mldsa87, pqcrypto_mldsa::mldsa87, SignatureScheme::Mldsa87);
    signs_and_refuses!(
        fndsa512,
        pqcrypto_falcon::falcon512,
        SignatureScheme::Fndsa512
    );
    signs_and_refuses!(
        slhdsa128s,
        pqcrypto_sphincsplus::sphincssha2128ssimple,
        SignatureScheme::Slhdsa128s
    );

    #[test]
    fn decapsulation_gives_the_sealed_secret_and_checks_lengths() {
        let (public, secret) = pqcrypto_mlkem::mlkem768::keypair();
        let (shared, ciphertext) = pqcrypto_mlkem::mlkem768::encapsulate(&public);
        let (key, sealed) = (secret.as_bytes(), ciphertext.as_bytes());
        let opened = decapsulate(Kem::Mlkem768, key, sealed).unwrap();
        assert_eq!(opened.as_deref(), Some(shared.as_bytes()));
        assert_eq!(decapsulate(Kem::Mlkem768, &key[1..], sealed).unwrap(), None);
        assert_eq!(decapsulate(Kem::Mlkem768, key, &[]).unwrap(), None);
        assert_eq!(decapsulate(Kem::Mlkem512, key, sealed).unwrap(), None);
    }
}
