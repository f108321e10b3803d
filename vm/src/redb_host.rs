//! A durable chain state on an embedded database: one file, one writer, crash-safe.

#[cfg(unix)]
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use aivm_abi::{Address, Word};
use redb::{Database, DatabaseError, Durability, ReadableDatabase, StorageError, TableDefinition};

use crate::delta::StateDelta;
use crate::engine::panic_text;
use crate::host::{BlockContext, Hash, Host, HostError, Peeked, StorageEntry, peeked};
use crate::log::Log;

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Key: address (20 bytes), then the storage key.
const STORAGE: Table = TableDefinition::new("storage");
const BALANCES: Table = TableDefinition::new("balances");
const CONTRACTS: Table = TableDefinition::new("contracts");
const CODES: Table = TableDefinition::new("codes");
const MODELS: Table = TableDefinition::new("models");
/// Commit counter, state root, and names of models.
const META: Table = TableDefinition::new("meta");
const ROOT: &[u8] = b"root";
const COMMITS: &[u8] = b"commits";
const NAME: &[u8] = b"model ";

/// A [`Host`] in a [redb](https://docs.rs/redb) file.
///
/// A commit is one transaction that is flushed to disk before
/// [`commit`](Host::commit) returns, so what was acknowledged survives a crash and what
/// was not leaves no trace. The state root is a hash chain over the deltas: it commits
/// to the whole history, not to a tree that could give proofs.
#[derive(Debug)]
pub struct RedbHost {
    database: Store,
    block: BlockContext,
    /// What contracts wrote for people; none when nobody keeps it.
    log: Option<Log>,
}

/// An open database; none only while it is closed.
#[derive(Debug)]
struct Store(Option<Database>);

impl Store {
    /// Uses the database.
    fn with<T>(
        &self,
        body: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, HostError> {
        match &self.0 {
            Some(database) => caught(|| body(database).map_err(failed)),
            None => Err(HostError::new("the state database is closed")),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let database = self.0.take();
        // Nobody is left to tell that a damaged database could not be closed.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
    }
}

/// Runs what uses redb, which panics where it finds pages that it cannot have written.
fn caught<T>(body: impl FnOnce() -> Result<T, HostError>) -> Result<T, HostError> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let reason = panic_text(panic.as_ref());
        Err(HostError::new(format!(
            "the state database is damaged: {reason}"
        )))
    })
}

fn failed(error: impl Into<redb::Error>) -> HostError {
    HostError::with_source("the state database failed", error.into())
}

/// Makes an empty database under another name and renames it when it is whole: a process that
/// is killed while it makes one must not leave half of it behind under the name that counts.
fn create(path: &Path) -> Result<(), HostError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let unfinished = PathBuf::from(name);
    let database = match Database::create(&unfinished) {
        // Half of one, from a process that was killed.
        Err(DatabaseError::Storage(StorageError::Io(error)))
            if error.kind() == std::io::ErrorKind::InvalidData =>
        {
            std::fs::remove_file(&unfinished).map_err(io)?;
            Database::create(&unfinished)
        }
        made => made,
    }
    .map_err(failed)?;
    let write = database.begin_write().map_err(failed)?;
    for table in [STORAGE, BALANCES, CONTRACTS, CODES, MODELS, META] {
        write.open_table(table).map_err(failed)?;
    }
    write.commit().map_err(failed)?;
    drop(database);
    std::fs::rename(&unfinished, path).map_err(io)?;
    // The new name must outlive a crash as well.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(io)?;
    }
    Ok(())
}

fn io(error: std::io::Error) -> HostError {
    HostError::with_source("the state database cannot be made", error)
}

impl RedbHost {
    /// Opens the database at `path`, and makes it when it is missing.
    ///
    /// # Errors
    /// When the file cannot be opened, is in use, is damaged or is no such database.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, HostError> {
        let path = path.as_ref();
        let database = caught(|| {
            if !path.exists() {
                create(path)?;
            }
            Database::open(path).map_err(failed)
        })?;
        Ok(Self {
            database: Store(Some(database)),
            block: BlockContext::default(),
            log: None,
        })
    }

    /// Keeps what contracts write for people, in memory, for [`take_log`](Self::take_log).
    pub fn with_log(mut self) -> Self {
        self.log = Some(Log::default());
        self
    }

    /// Takes the lines that contracts wrote since the last time, each with its contract. They
    /// come from queries, estimates and failed calls too.
    pub fn take_log(&mut self) -> Vec<(Address, String)> {
        self.log.as_ref().map(Log::take).unwrap_or_default()
    }

    /// Sets the block that the next calls run in. It is not stored.
    pub fn set_block(&mut self, block: BlockContext) {
        self.block = block;
    }

    /// Sets a native balance, outside any call: for genesis.
    ///
    /// # Errors
    /// When the database fails.
    pub fn set_balance(&mut self, address: Address, balance: Word) -> Result<(), HostError> {
        let mut delta = StateDelta::default();
        delta.balances.insert(address, balance);
        self.commit(&delta)
    }

    /// Number of deltas committed since the database was made.
    ///
    /// # Errors
    /// When the database fails or holds a malformed counter.
    pub fn commits(&self) -> Result<u64, HostError> {
        match self.get(META, COMMITS)? {
            None => Ok(0),
            Some(bytes) => Ok(u64::from_le_bytes(exactly(bytes)?)),
        }
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        self.database.with(|database| {
            let table = database.begin_read()?.open_table(table)?;
            let value = table.get(key)?;
            Ok(value.map(|v| v.value().to_vec()))
        })
    }

    /// Gives a model a name, by which guests written for other hosts may load it. Names are the
    /// chain's: they are no part of the state root.
    ///
    /// # Errors
    /// When the database fails.
    pub fn name_model(&mut self, name: &str, hash: Hash) -> Result<(), HostError> {
        let key = [NAME, name.as_bytes()].concat();
        self.database.with(|database| {
            let write = database.begin_write()?;
            write
                .open_table(META)?
                .insert(key.as_slice(), hash.as_slice())?;
            write.commit()?;
            Ok(())
        })
    }

    fn has(&self, table: Table, key: &[u8]) -> Result<bool, HostError> {
        self.database.with(|database| {
            let table = database.begin_read()?.open_table(table)?;
            Ok(table.get(key)?.is_some())
        })
    }
}

/// Writes a delta in one transaction.
fn write(
    database: &Database,
    delta: &StateDelta,
    root: &Hash,
    commits: u64,
) -> Result<(), redb::Error> {
    let mut write = database.begin_write()?;
    write.set_durability(Durability::Immediate)?;
    {
        let mut storage = write.open_table(STORAGE)?;
        for (contract, entries) in &delta.storage {
            for (key, value) in entries {
                let key = storage_key(contract, key);
                match value {
                    Some(value) => storage.insert(key.as_slice(), value.as_slice())?,
                    None => storage.remove(key.as_slice())?,
                };
            }
        }
        let mut balances = write.open_table(BALANCES)?;
        for (address, balance) in &delta.balances {
            let balance = balance.to_be_bytes();
            balances.insert(address.0.as_slice(), balance.as_slice())?;
        }
        let mut contracts = write.open_table(CONTRACTS)?;
        for (address, code) in &delta.contracts {
            contracts.insert(address.0.as_slice(), code.as_slice())?;
        }
        let mut codes = write.open_table(CODES)?;
        for (hash, code) in &delta.codes {
            codes.insert(hash.as_slice(), code.as_slice())?;
        }
        let mut models = write.open_table(MODELS)?;
        for (hash, model) in &delta.models {
            models.insert(hash.as_slice(), model.as_slice())?;
        }
        let mut meta = write.open_table(META)?;
        meta.insert(ROOT, root.as_slice())?;
        meta.insert(COMMITS, commits.to_le_bytes().as_slice())?;
    }
    write.commit()?;
    Ok(())
}

impl Host for RedbHost {
    fn debug_log(&self, contract: &Address, message: &str) {
        if let Some(log) = &self.log {
            log.push(contract, message);
        }
    }

    fn block(&self) -> BlockContext {
        self.block.clone()
    }

    fn storage_get(&self, contract: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        self.get(STORAGE, &storage_key(contract, key))
    }

    fn storage_peek(
        &self,
        contract: &Address,
        key: &[u8],
        most: usize,
    ) -> Result<Option<Peeked>, HostError> {
        let key = storage_key(contract, key);
        self.database.with(|database| {
            let table = database.begin_read()?.open_table(STORAGE)?;
            let value = table.get(key.as_slice())?;
            Ok(value.map(|value| peeked(value.value(), most)))
        })
    }

    fn storage_range(
        &self,
        contract: &Address,
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StorageEntry>, HostError> {
        let first = storage_key(contract, from);
        self.database.with(|database| {
            let table = database.begin_read()?.open_table(STORAGE)?;
            let mut entries = Vec::new();
            for entry in table.range(first.as_slice()..)?.take(limit) {
                let (key, value) = entry?;
                let Some(key) = key.value().strip_prefix(contract.0.as_slice()) else {
                    break;
                };
                entries.push((key.to_vec(), value.value().to_vec()));
            }
            Ok(entries)
        })
    }

    fn balance(&self, address: &Address) -> Result<Word, HostError> {
        match self.get(BALANCES, &address.0)? {
            None => Ok(Word::default()),
            Some(bytes) => Ok(Word::from_be_bytes(exactly(bytes)?)),
        }
    }

    fn contract(&self, address: &Address) -> Result<Option<Hash>, HostError> {
        self.get(CONTRACTS, &address.0)?.map(exactly).transpose()
    }

    fn code(&self, code_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        self.get(CODES, code_hash)
    }

    fn model(&self, model_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        self.get(MODELS, model_hash)
    }

    fn model_named(&self, name: &str) -> Result<Option<Hash>, HostError> {
        let name = self.get(META, &[NAME, name.as_bytes()].concat())?;
        name.map(exactly).transpose()
    }

    fn has_code(&self, code_hash: &Hash) -> Result<bool, HostError> {
        self.has(CODES, code_hash)
    }

    fn has_model(&self, model_hash: &Hash) -> Result<bool, HostError> {
        self.has(MODELS, model_hash)
    }

    fn commit(&mut self, delta: &StateDelta) -> Result<(), HostError> {
        let before = self.state_root()?.unwrap_or_default();
        let mut hasher = blake3::Hasher::new_derive_key("aivm redb host state root v1");
        hasher.update(&before);
        hasher.update(&delta.hash());
        let root = *hasher.finalize().as_bytes();
        let commits = self.commits()?.saturating_add(1);
        self.database
            .with(|database| write(database, delta, &root, commits))
    }

    fn state_root(&self) -> Result<Option<Hash>, HostError> {
        match self.get(META, ROOT)? {
            None => Ok(Some(Hash::default())),
            Some(bytes) => exactly(bytes).map(Some),
        }
    }
}

fn storage_key(contract: &Address, key: &[u8]) -> Vec<u8> {
    [contract.0.as_slice(), key].concat()
}

fn exactly<const N: usize>(bytes: Vec<u8>) -> Result<[u8; N], HostError> {
    let length = bytes.len();
    bytes
        .try_into()
        .map_err(|_| HostError::new(format!("a database value has {length} bytes, not {N}")))
}
