//! Post-quantum verification and decapsulation over PQClean.
//!
//! Inputs are hostile bytes: every length is checked before the C code sees them.

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use pqcrypto_traits::kem::{Ciphertext as _, SecretKey as _, SharedSecret as _};
use pqcrypto_traits::sign::{DetachedSignature as _, PublicKey as _};

/// Verifies a detached signature; malformed input of any kind is `false`.
pub(crate) fn verify(
    scheme: SignatureScheme,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    macro_rules! with {
        ($module:path) => {{
            use $module as m;
            match (
                m::PublicKey::from_bytes(key),
                m::DetachedSignature::from_bytes(signature),
            ) {
                (Ok(key), Ok(signature)) => {
                    m::verify_detached_signature(&signature, message, &key).is_ok()
                }
                _ => false,
            }
        }};
    }
    match scheme {
        SignatureScheme::Mldsa44 => with!(pqcrypto_mldsa::mldsa44),
        SignatureScheme::Mldsa65 => with!(pqcrypto_mldsa::mldsa65),
        SignatureScheme::Mldsa87 => with!(pqcrypto_mldsa::mldsa87),
        SignatureScheme::Fndsa512 => with!(pqcrypto_falcon::falcon512),
        SignatureScheme::Fndsa1024 => with!(pqcrypto_falcon::falcon1024),
        SignatureScheme::Slhdsa128s => with!(pqcrypto_sphincsplus::sphincssha2128ssimple),
        SignatureScheme::Slhdsa192s => with!(pqcrypto_sphincsplus::sphincssha2192ssimple),
        SignatureScheme::Slhdsa256s => with!(pqcrypto_sphincsplus::sphincssha2256ssimple),
    }
}

/// A mechanism that this build leaves out. It is a host error and no result, so that
/// a node without it stops instead of disagreeing.
#[derive(Debug, thiserror::Error)]
#[error("this build of the VM has no {0}; enable the cargo feature `mceliece`")]
pub(crate) struct MissingKem(&'static str);

/// Decapsulates a shared secret; `None` when key or ciphertext has the wrong length.
pub(crate) fn decapsulate(
    kem: Kem,
    secret_key: &[u8],
    ciphertext: &[u8],
) -> Result<Option<Vec<u8>>, MissingKem> {
    macro_rules! with {
        ($module:path) => {{
            use $module as m;
            match (
                m::SecretKey::from_bytes(secret_key),
                m::Ciphertext::from_bytes(ciphertext),
            ) {
                (Ok(key), Ok(ciphertext)) => {
                    Some(m::decapsulate(&ciphertext, &key).as_bytes().to_vec())
                }
                _ => None,
            }
        }};
    }
    Ok(match kem {
        Kem::Mlkem512 => with!(pqcrypto_mlkem::mlkem512),
        Kem::Mlkem768 => with!(pqcrypto_mlkem::mlkem768),
        Kem::Mlkem1024 => with!(pqcrypto_mlkem::mlkem1024),
        #[cfg(feature = "mceliece")]
        Kem::Mceliece348864 => with!(pqcrypto_classicmceliece::mceliece348864),
        #[cfg(not(feature = "mceliece"))]
        Kem::Mceliece348864 => return Err(MissingKem("Classic McEliece 348864")),
    })
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
