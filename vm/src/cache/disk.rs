//! The disk tier: one file a module, authenticated with a key that only this node has.
//!
//! Compiled code is native code, so a file that somebody else wrote, or that rotted,
//! must never be loaded. Each file carries its cache key and a keyed BLAKE3 over key
//! and contents; anything that does not match is ignored and written anew.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::host::Hash;

const MAGIC: &[u8; 8] = b"AIVMCC\0\x01";
const HEADER: usize = 8 + 32 + 32;
/// Larger files are not ours: limits on modules keep compiled code well below.
const MAX_FILE: u64 = 1 << 30;

/// A folder of compiled modules.
#[derive(Debug)]
pub struct DiskCache {
    folder: PathBuf,
    mac_key: Hash,
    written: AtomicU64,
}

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskError {
    #[error("cannot read or write the cache file: {0}")]
    Io(#[from] io::Error),
    #[error("the cache file is damaged or was written under another key")]
    NotAuthentic,
}

impl DiskCache {
    /// Opens `folder`, and makes it when it is missing. `secret` authenticates the
    /// files: keep it from everyone who may write to the folder but not to this node.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>, secret: &[u8]) -> io::Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        let mac_key = blake3::derive_key("aivm compiled code cache 2026 mac key", secret);
        Ok(Self {
            folder,
            mac_key,
            written: AtomicU64::new(0),
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, key: &Hash) -> PathBuf {
        self.folder.join(format!("{}.aivmcode", hex::encode(key)))
    }

    fn mac(&self, key: &Hash, blob: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.mac_key);
        hasher.update(key);
        hasher.update(blob);
        hasher.finalize()
    }

    pub(crate) fn load(&self, key: &Hash) -> Result<Option<Vec<u8>>, DiskError> {
        let mut file = match fs::File::open(self.path(key)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if file.metadata()?.len() > MAX_FILE {
            return Err(DiskError::NotAuthentic);
        }
        let mut header = [0; HEADER];
        file.read_exact(&mut header)?;
        let mut blob = Vec::new();
        file.read_to_end(&mut blob)?;
        let (magic, rest) = header.split_at(8);
        let (stored_key, stored_mac) = rest.split_at(32);
        // `blake3::Hash` compares in constant time.
        let authentic = self.mac(key, &blob) == *stored_mac;
        if magic != MAGIC || stored_key != key || !authentic {
            return Err(DiskError::NotAuthentic);
        }
        Ok(Some(blob))
    }

    pub(crate) fn store(&self, key: &Hash, blob: &[u8]) -> Result<(), DiskError> {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.folder.join(format!(
            "{}.{}.{number}.part",
            hex::encode(key),
            std::process::id()
        ));
        let written = self.write(&unfinished, key, blob);
        // Readers see the old file or the whole new one.
        let renamed = written.and_then(|()| fs::rename(&unfinished, self.path(key)));
        if renamed.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        Ok(renamed?)
    }

    fn write(&self, path: &Path, key: &Hash, blob: &[u8]) -> io::Result<()> {
        let mut file = fs::File::create(path)?;
        file.write_all(MAGIC)?;
        file.write_all(key)?;
        file.write_all(self.mac(key, blob).as_bytes())?;
        file.write_all(blob)
    }

    /// Files and bytes in the folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn usage(&self) -> io::Result<(u64, u64)> {
        let (mut files, mut bytes) = (0u64, 0u64);
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if is_ours(&entry.path()) {
                files += 1;
                bytes = bytes.saturating_add(entry.metadata()?.len());
            }
        }
        Ok((files, bytes))
    }

    /// Removes every cache file; other files in the folder stay.
    ///
    /// # Errors
    /// When the folder cannot be read or a file cannot be removed.
    pub fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if is_ours(&path) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

fn is_ours(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "aivmcode")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_authentic_files_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let disk = DiskCache::open(folder.path(), b"secret").unwrap();
        let key = [7; 32];
        assert!(disk.load(&key).unwrap().is_none());
        disk.store(&key, b"native code").unwrap();
        assert_eq!(disk.load(&key).unwrap().unwrap(), b"native code");
        assert_eq!(disk.usage().unwrap().0, 1);

        let path = disk.path(&key);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(disk.load(&key).is_err(), "byte {at}");
        }
        for len in 0..good.len() {
            fs::write(&path, &good[..len]).unwrap();
            assert!(disk.load(&key).is_err(), "cut to {len}");
        }
        fs::write(&path, &good).unwrap();
        let other = DiskCache::open(folder.path(), b"another secret").unwrap();
        assert!(other.load(&key).is_err());

        // A file renamed to another key is not that key's.
        fs::rename(&path, disk.path(&[8; 32])).unwrap();
        assert!(disk.load(&[8; 32]).is_err());
        disk.clear().unwrap();
        assert_eq!(disk.usage().unwrap(), (0, 0));
    }
}
