//! Hashes, and post-quantum cryptography with its own gas lane.

use aivm_abi::host::crypto::{Host, Kem, SignatureScheme, Signed};
use aivm_abi::receipt::PqcCheck;
use aivm_abi::{Address, Exit, TrapCode, Word};
use aivm_crypto::pqc;

use super::frame::Frame;

use crate::error::Error;
use crate::hash;

impl Frame<'_, '_> {
    fn pay_pq(&mut self, algorithm: &str, bytes: usize) -> Result<u64, Exit> {
        let price = self.tx.active.schedule.pqc.price(algorithm);
        let Some(price) = price else {
            // The schedule has switched the algorithm off.
            return Err(Exit::Trap(TrapCode::Unsupported));
        };
        let pq_gas = price.pq_gas(bytes as u64);
        self.tx.charge_pq(pq_gas)?;
        Ok(pq_gas)
    }

    /// Notes work that was done; it stays noted when its frame fails, as its gas stays
    /// spent.
    fn log_pq(&mut self, scheme: &str, gas: u64, ok: bool) {
        self.tx.pqc.push(PqcCheck {
            scheme: scheme.to_owned(),
            contract: self.contract,
            ok,
            gas,
        });
    }
}

impl Host for Frame<'_, '_> {
    fn keccak256(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(hash::keccak256(data)))
    }

    fn sha256(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(hash::sha256(data)))
    }

    fn sha3_256(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(hash::sha3_256(data)))
    }

    fn blake3(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(hash::blake3(data)))
    }

    fn verify(
        &mut self,
        scheme: SignatureScheme,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Exit> {
        let pq_gas = self.pay_pq(scheme_name(scheme), message.len())?;
        let valid = pqc::verify(scheme, key, message, signature);
        self.log_pq(scheme_name(scheme), pq_gas, valid);
        Ok(valid)
    }

    fn verify_all(&mut self, signatures: Vec<Signed>) -> Result<bool, Exit> {
        let mut paid = Vec::with_capacity(signatures.len());
        for signed in &signatures {
            paid.push(self.pay_pq(scheme_name(signed.scheme), signed.message.len())?);
        }
        let mut all = true;
        for (signed, pq_gas) in signatures.iter().zip(paid) {
            let Signed {
                scheme,
                key,
                message,
                signature,
            } = signed;
            // Each is verified, whatever the others are: the receipt tells of each.
            let valid = pqc::verify(*scheme, key, message, signature);
            self.log_pq(scheme_name(*scheme), pq_gas, valid);
            all &= valid;
        }
        Ok(all)
    }

    fn address_of(&mut self, scheme: SignatureScheme, key: &[u8]) -> Result<Word, Exit> {
        Ok(Address::from_public_key(scheme_name(scheme), key).to_word())
    }

    fn decapsulate(
        &mut self,
        kem: Kem,
        secret_key: &[u8],
        ciphertext: &[u8],
    ) -> Result<Option<Vec<u8>>, Exit> {
        let pq_gas = self.pay_pq(kem_name(kem), ciphertext.len())?;
        let secret = pqc::decapsulate(kem, secret_key, ciphertext)
            .map_err(|missing| Exit::host(Error::Config(missing.to_string())))?;
        self.log_pq(kem_name(kem), pq_gas, secret.is_some());
        Ok(secret)
    }
}

/// Name in gas schedules and receipts.
fn scheme_name(scheme: SignatureScheme) -> &'static str {
    match scheme {
        SignatureScheme::Mldsa44 => "mldsa44",
        SignatureScheme::Mldsa65 => "mldsa65",
        SignatureScheme::Mldsa87 => "mldsa87",
        SignatureScheme::Fndsa512 => "fndsa512",
        SignatureScheme::Fndsa1024 => "fndsa1024",
        SignatureScheme::Slhdsa128s => "slhdsa128s",
        SignatureScheme::Slhdsa192s => "slhdsa192s",
        SignatureScheme::Slhdsa256s => "slhdsa256s",
    }
}

/// Name in gas schedules.
fn kem_name(kem: Kem) -> &'static str {
    match kem {
        Kem::Mlkem512 => "mlkem512",
        Kem::Mlkem768 => "mlkem768",
        Kem::Mlkem1024 => "mlkem1024",
        Kem::Mceliece348864 => "mceliece348864",
    }
}
