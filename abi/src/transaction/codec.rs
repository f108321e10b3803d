//! Canonical bytes of transactions, described in `docs/transactions.md`.

use super::{
    Action, CALL_DOMAIN, Cipher, DEPLOY_DOMAIN, Envelope, Level, Payload, Sealed, Signer,
    Transaction,
};
use crate::codec::{DecodeError, Reader, Writer};
use crate::host::crypto::{Kem, SignatureScheme};
use crate::{Address, Digest, Word};

const ID_DOMAIN: &str = "AIVM transaction v1";

impl Action {
    /// Canonical bytes: what a sealed payload encrypts.
    pub fn to_canonical_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        self.write(&mut out);
        out.finish()
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    ///
    /// The place where they are not an action.
    pub fn from_canonical_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let action = Self::read(&mut input)?;
        input.end()?;
        Ok(action)
    }

    fn write(&self, out: &mut Writer) {
        match self {
            Self::Deploy { code, salt, input } => {
                out.u8(1);
                out.raw(&code.0);
                out.option(salt.as_ref(), |out, salt| out.raw(salt));
                out.bytes(input);
            }
            Self::Call { to, input } => {
                out.u8(2);
                out.raw(&to.0);
                out.bytes(input);
            }
        }
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let deploys = input.tag("action", |tag| match tag {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        })?;
        Ok(if deploys {
            Self::Deploy {
                code: Digest(input.array("code hash")?),
                salt: input.option("salt", |input| input.array("salt"))?,
                input: input.bytes("constructor input")?.to_vec(),
            }
        } else {
            Self::Call {
                to: Address(input.array("target")?),
                input: input.bytes("call data")?.to_vec(),
            }
        })
    }
}

impl Sealed {
    fn write(&self, out: &mut Writer) {
        out.bool(self.deploys);
        out.raw(&self.recipient.0);
        out.list(&self.encapsulations, |out, (kem, ciphertext)| {
            out.u8(*kem as u8);
            out.bytes(ciphertext);
        });
        out.u8(match self.cipher {
            Cipher::Aes256Gcm => 1,
            Cipher::ChaCha20Poly1305 => 2,
        });
        out.raw(&self.nonce);
        out.bytes(&self.ciphertext);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let deploys = input.bool("deploys")?;
        let recipient = Digest(input.array("recipient")?);
        let at = input.at();
        let encapsulations = input.list("encapsulations", 5, |input| {
            let kem = input.tag("kem", |tag| Kem::from_index(tag.into()))?;
            Ok((kem, input.bytes("encapsulated secret")?.to_vec()))
        })?;
        if !encapsulations.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(DecodeError::NotCanonical {
                at,
                field: "encapsulations",
            });
        }
        Ok(Self {
            deploys,
            recipient,
            encapsulations,
            cipher: input.tag("cipher", |tag| match tag {
                1 => Some(Cipher::Aes256Gcm),
                2 => Some(Cipher::ChaCha20Poly1305),
                _ => None,
            })?,
            nonce: input.array("cipher nonce")?,
            ciphertext: input.bytes("ciphertext")?.to_vec(),
        })
    }
}

impl Transaction {
    /// Canonical bytes of everything but the payload. A sealed action is bound to them, so that it opens in this
    /// transaction and in no other.
    pub fn head_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        self.write_head(&mut out);
        out.finish()
    }

    fn write_head(&self, out: &mut Writer) {
        // First of all, so that nothing signed here passes for anything else.
        out.bytes(self.domain().as_bytes());
        out.u64(self.chain_id);
        out.bytes(self.network.as_bytes());
        out.raw(&self.from.0);
        out.u64(self.nonce);
        out.u64(self.expires_at);
        out.u64(self.gas_limit);
        out.raw(&self.value.to_be_bytes());
    }

    fn write(&self, out: &mut Writer) {
        self.write_head(out);
        match &self.payload {
            Payload::Open(action) => {
                out.u8(0);
                action.write(out);
            }
            Payload::Sealed(sealed) => {
                out.u8(1);
                sealed.write(out);
            }
        }
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let domain = input.text("domain")?;
        if domain != DEPLOY_DOMAIN && domain != CALL_DOMAIN {
            return Err(DecodeError::Magic {
                expected: "a transaction",
            });
        }
        let transaction = Self {
            chain_id: input.u64("chain id")?,
            network: input.text("network")?.to_owned(),
            from: Address(input.array("sender")?),
            nonce: input.u64("nonce")?,
            expires_at: input.u64("expiry")?,
            gas_limit: input.u64("gas limit")?,
            value: Word::from_be_bytes(input.array("value")?),
            payload: if input.bool("sealed")? {
                Payload::Sealed(Sealed::read(input)?)
            } else {
                Payload::Open(Action::read(input)?)
            },
        };
        if transaction.domain() != domain {
            return Err(DecodeError::NotCanonical {
                at: 0,
                field: "domain",
            });
        }
        Ok(transaction)
    }
}

impl Envelope {
    /// The bytes that each signature covers: the transaction, the level, and every signer's
    /// scheme and key, so that no signature can be taken off or moved to a weaker envelope.
    pub fn signing_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        self.write_signed(&mut out);
        out.finish()
    }

    /// Hash by which the transaction is known. Signatures do not change it.
    pub fn id(&self) -> Digest {
        Digest::of(ID_DOMAIN, &self.signing_bytes())
    }

    /// The one binary form of this envelope.
    pub fn to_canonical_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        self.write_signed(&mut out);
        for signer in &self.signers {
            out.bytes(&signer.signature);
        }
        out.finish()
    }

    /// Reads canonical bytes; its size bounds the memory that is used.
    ///
    /// # Errors
    ///
    /// The place where the bytes are not an envelope.
    pub fn from_canonical_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let transaction = Transaction::read(&mut input)?;
        let level = input.tag("level", |tag| match tag {
            1 => Some(Level::Basic),
            2 => Some(Level::Enhanced),
            3 => Some(Level::Maximum),
            4 => Some(Level::Military),
            _ => None,
        })?;
        let at = input.at();
        let mut signers = input.list("signers", 5, |input| {
            Ok(Signer {
                scheme: input.tag("scheme", |tag| SignatureScheme::from_index(tag.into()))?,
                key: input.bytes("public key")?.to_vec(),
                signature: Vec::new(),
            })
        })?;
        if !signers.is_sorted_by(|a, b| a.scheme < b.scheme) {
            return Err(DecodeError::NotCanonical {
                at,
                field: "signers",
            });
        }
        for signer in &mut signers {
            signer.signature = input.bytes("signature")?.to_vec();
        }
        input.end()?;
        Ok(Self {
            transaction,
            level,
            signers,
        })
    }

    fn write_signed(&self, out: &mut Writer) {
        self.transaction.write(out);
        out.u8(match self.level {
            Level::Basic => 1,
            Level::Enhanced => 2,
            Level::Maximum => 3,
            Level::Military => 4,
        });
        out.list(&self.signers, |out, signer| {
            out.u8(signer.scheme as u8);
            out.bytes(&signer.key);
        });
    }
}
