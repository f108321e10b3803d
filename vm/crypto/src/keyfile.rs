//! Keys in a file, encrypted with a passphrase.
//!
//! The file is JSON. The passphrase goes through Argon2id into the key of ChaCha20-Poly1305;
//! everything readable in the file is authenticated with it. New files can be read by their
//! owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::keys::{Account, KeyError, SigningKey};
use crate::seal::{OpeningKey, Recipient, SealError};

const FORMAT: &str = "aivm-keys/1";
/// Largest key file that is read, bytes: Classic McEliece's public key is 255 KB, twice that in hexadecimal.
const MAX_FILE: u64 = 4 << 20;
/// Bounds on the memory and passes that a file may ask for, so that a hostile file can't stall its reader.
const MAX_MEMORY_KIB: u32 = 512 << 10;
const MAX_PASSES: u32 = 16;

/// What a key file holds.
#[derive(Clone, Debug)]
pub struct KeyFile {
    /// Keys that sign.
    pub account: Account,
    /// Keys that open what is sealed to the account, if it has any.
    pub opening: Option<OpeningKey>,
}

/// Cost of trying one passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effort {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Effort {
    /// 64 MiB and 3 passes, the second recommendation of RFC 9106 with one lane.
    fn default() -> Self {
        Self {
            memory_kib: 64 << 10,
            passes: 3,
        }
    }
}

/// Why a key file cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file system.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Larger than any key file.
    #[error("a key file has at most {MAX_FILE} bytes")]
    TooLarge,
    /// Not JSON of this format.
    #[error("not a key file: {0}")]
    Format(#[from] serde_json::Error),
    /// A later format, or another one.
    #[error("the format is `{0}`, this version reads `{FORMAT}`")]
    Version(String),
    /// A name that stands for no algorithm here.
    #[error("unknown algorithm `{0}`")]
    Algorithm(String),
    /// A field is not hexadecimal, or has the wrong length.
    #[error("field `{0}` is malformed")]
    Field(&'static str),
    /// Argon2 parameters out of bounds.
    #[error("{} KiB and {} passes are outside what is accepted (8 to {MAX_MEMORY_KIB} KiB, 1 to {MAX_PASSES} passes)", .0.memory_kib, .0.passes)]
    Effort(Effort),
    /// Wrong passphrase, or the file was changed.
    #[error("the passphrase is wrong, or the file was changed")]
    Passphrase,
    /// The keys do not fit one another.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The opening keys do not fit one another.
    #[error(transparent)]
    Seal(#[from] SealError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    /// For people; the keys decide.
    address: String,
    signing: Vec<PublicKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    opening: Vec<PublicKey>,
    argon2id: Effort,
    salt: String,
    nonce: String,
    ciphertext: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicKey {
    algorithm: String,
    key: String,
}

impl Document {
    /// Everything that is readable, as the cipher authenticates it.
    fn head(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut text = |text: &str| {
            out.extend_from_slice(&(text.len() as u64).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        };
        text(&self.format);
        text(&self.address);
        for (name, keys) in [("signing", &self.signing), ("opening", &self.opening)] {
            text(name);
            for key in keys {
                text(&key.algorithm);
                text(&key.key);
            }
        }
        text(&self.salt);
        out.extend_from_slice(&self.argon2id.memory_kib.to_le_bytes());
        out.extend_from_slice(&self.argon2id.passes.to_le_bytes());
        out
    }

    fn cipher(&self, passphrase: &str) -> Result<ChaCha20Poly1305, KeyFileError> {
        let Effort { memory_kib, passes } = self.argon2id;
        let bad = || KeyFileError::Effort(self.argon2id);
        if memory_kib > MAX_MEMORY_KIB || passes > MAX_PASSES {
            return Err(bad());
        }
        let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(|_| bad())?;
        let salt: [u8; 16] = field("salt", &self.salt)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, key.as_mut_slice())
            .map_err(|_| bad())?;
        Ok(ChaCha20Poly1305::new(key.as_slice().into()))
    }
}

fn field<const N: usize>(name: &'static str, text: &str) -> Result<[u8; N], KeyFileError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| KeyFileError::Field(name))?;
    Ok(bytes)
}

impl KeyFile {
    /// Encrypts the keys with a passphrase.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Effort`], or no random numbers.
    pub fn encrypt(&self, passphrase: &str, effort: Effort) -> Result<String, KeyFileError> {
        let (mut salt, mut nonce) = ([0; 16], [0; 12]);
        getrandom::fill(&mut salt).map_err(|_| SealError::Random)?;
        getrandom::fill(&mut nonce).map_err(|_| SealError::Random)?;
        let public = |algorithm: &str, key: &[u8]| PublicKey {
            algorithm: algorithm.to_owned(),
            key: hex::encode(key),
        };
        let keys = self.account.keys();
        let opening = self.opening.as_ref();
        let kem_keys = opening.map_or(&[][..], |key| key.recipient().keys());
        let mut document = Document {
            format: FORMAT.to_owned(),
            address: self.account.address().to_string(),
            signing: keys
                .iter()
                .map(|key| public(key.scheme().name(), key.public()))
                .collect(),
            opening: kem_keys
                .iter()
                .map(|(kem, key)| public(kem.name(), key))
                .collect(),
            argon2id: effort,
            salt: hex::encode(salt),
            nonce: hex::encode(nonce),
            ciphertext: String::new(),
        };
        let secrets = keys.iter().map(SigningKey::secret).chain(
            opening
                .into_iter()
                .flat_map(|key| key.secrets().iter().map(|secret| secret.as_slice())),
        );
        // The size is known, so that no copy is left behind by growing.
        let size = secrets.clone().map(|secret| 4 + secret.len()).sum();
        let mut plain = Zeroizing::new(Vec::with_capacity(size));
        for secret in secrets {
            plain.extend_from_slice(&(secret.len() as u32).to_le_bytes());
            plain.extend_from_slice(secret);
        }
        let head = document.head();
        let sealed = document
            .cipher(passphrase)?
            .encrypt(
                (&nonce).into(),
                Payload {
                    msg: &plain,
                    aad: &head,
                },
            )
            .map_err(|_| KeyFileError::TooLarge)?;
        document.ciphertext = hex::encode(sealed);
        Ok(serde_json::to_string_pretty(&document)?)
    }

    /// Decrypts a key file, and proves that each secret key belongs to its public key.
    ///
    /// # Errors
    ///
    /// What is wrong with the file; [`KeyFileError::Passphrase`] when the tag does not match.
    pub fn decrypt(text: &str, passphrase: &str) -> Result<Self, KeyFileError> {
        let document: Document = serde_json::from_str(text)?;
        if document.format != FORMAT {
            return Err(KeyFileError::Version(document.format));
        }
        let nonce: [u8; 12] = field("nonce", &document.nonce)?;
        let sealed =
            hex::decode(&document.ciphertext).map_err(|_| KeyFileError::Field("ciphertext"))?;
        let head = document.head();
        let plain = document
            .cipher(passphrase)?
            .decrypt(
                (&nonce).into(),
                Payload {
                    msg: &sealed,
                    aad: &head,
                },
            )
            .map_err(|_| KeyFileError::Passphrase)?;
        let plain = Zeroizing::new(plain);
        let mut rest = plain.as_slice();
        let mut next = || {
            let (length, tail) = rest.split_first_chunk::<4>()?;
            let (secret, tail) = tail.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = tail;
            Some(Zeroizing::new(secret.to_vec()))
        };
        let mut keys = Vec::new();
        for public in &document.signing {
            let scheme = (0..)
                .map_while(SignatureScheme::from_index)
                .find(|scheme| scheme.name() == public.algorithm)
                .ok_or_else(|| KeyFileError::Algorithm(public.algorithm.clone()))?;
            let key = hex::decode(&public.key).map_err(|_| KeyFileError::Field("signing"))?;
            let secret = next().ok_or(KeyFileError::Field("ciphertext"))?;
            keys.push(SigningKey::from_parts(scheme, key, secret)?);
        }
        let account = Account::new(keys)?;
        let (mut kem_keys, mut secrets) = (Vec::new(), Vec::new());
        for public in &document.opening {
            let kem = (0..)
                .map_while(Kem::from_index)
                .find(|kem| kem.name() == public.algorithm)
                .ok_or_else(|| KeyFileError::Algorithm(public.algorithm.clone()))?;
            let key = hex::decode(&public.key).map_err(|_| KeyFileError::Field("opening"))?;
            kem_keys.push((kem, key));
            secrets.push(next().ok_or(KeyFileError::Field("ciphertext"))?);
        }
        if !rest.is_empty() {
            return Err(KeyFileError::Field("ciphertext"));
        }
        let opening = if kem_keys.is_empty() {
            None
        } else {
            Some(OpeningKey::from_parts(Recipient::new(kem_keys)?, secrets)?)
        };
        Ok(Self { account, opening })
    }

    /// Writes a new file that only its owner can read (mode 0600). An existing file is never
    /// overwritten: losing keys is worse than choosing another name.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Io`] when the file exists or can't be written.
    pub fn create(
        &self,
        path: &Path,
        passphrase: &str,
        effort: Effort,
    ) -> Result<(), KeyFileError> {
        let text = self.encrypt(passphrase, effort)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all());
        if written.is_err() {
            // Half a file would stand in the way of the next attempt.
            let _ = fs::remove_file(path);
        }
        Ok(written?)
    }

    /// Reads and decrypts a file.
    ///
    /// # Errors
    ///
    /// As [`decrypt`](Self::decrypt); files of more than 4 MiB are not read.
    pub fn open(path: &Path, passphrase: &str) -> Result<Self, KeyFileError> {
        Self::decrypt(&read(path)?, passphrase)
    }
}

/// Public keys of a file, readable without the passphrase (and not authenticated).
///
/// # Errors
///
/// As [`KeyFile::open`], but for the passphrase.
pub fn public_keys(path: &Path) -> Result<Vec<(String, Vec<u8>)>, KeyFileError> {
    let document: Document = serde_json::from_str(&read(path)?)?;
    if document.format != FORMAT {
        return Err(KeyFileError::Version(document.format));
    }
    document
        .signing
        .iter()
        .chain(&document.opening)
        .map(|key| match hex::decode(&key.key) {
            Ok(bytes) => Ok((key.algorithm.clone(), bytes)),
            Err(_) => Err(KeyFileError::Field("key")),
        })
        .collect()
}

fn read(path: &Path) -> Result<String, KeyFileError> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(KeyFileError::TooLarge);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use aivm_abi::transaction::Level;

    use super::*;

    /// The keys' file with other secrets, under the right passphrase.
    fn rewritten(file: &KeyFile, change: impl FnOnce(&mut Vec<u8>)) -> String {
        let effort = Effort {
            memory_kib: 8,
            passes: 1,
        };
        let text = file.encrypt("right", effort).unwrap();
        let mut document: Document = serde_json::from_str(&text).unwrap();
        let nonce: [u8; 12] = field("nonce", &document.nonce).unwrap();
        let (cipher, head) = (document.cipher("right").unwrap(), document.head());
        let sealed = hex::decode(&document.ciphertext).unwrap();
        let message = |msg| Payload { msg, aad: &head };
        let mut plain = cipher.decrypt((&nonce).into(), message(&sealed)).unwrap();
        change(&mut plain);
        let sealed = cipher.encrypt((&nonce).into(), message(&plain)).unwrap();
        document.ciphertext = hex::encode(sealed);
        serde_json::to_string(&document).unwrap()
    }

    #[test]
    fn secrets_that_belong_to_nothing_are_refused() {
        let file = KeyFile {
            account: Account::generate(Level::Basic),
            opening: Some(OpeningKey::generate(&[Kem::Mlkem512]).unwrap()),
        };
        let opened =
            |change: fn(&mut Vec<u8>)| KeyFile::decrypt(&rewritten(&file, change), "right");
        assert!(opened(|_| ()).is_ok());
        let longer = opened(|plain| plain.push(0)).unwrap_err();
        assert!(matches!(longer, KeyFileError::Field("ciphertext")));
        let shorter = opened(|plain| plain.truncate(plain.len() - 1)).unwrap_err();
        assert!(matches!(shorter, KeyFileError::Field("ciphertext")));
        // A secret key of ML-KEM begins with what opens, 768 bytes; its public key, of 800, and two hashes follow.
        let other = opened(|plain| {
            let at = plain.len() - 1_632;
            for byte in &mut plain[at..at + 768] {
                *byte ^= 1;
            }
        });
        let seal = other.unwrap_err();
        assert!(matches!(
            seal,
            KeyFileError::Seal(SealError::Pair("mlkem512"))
        ));
    }
}
