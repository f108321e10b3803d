//! Compiled code, kept in memory and on disk.
//!
//! Two tiers: an LRU in memory with a byte budget, and an optional folder of
//! authenticated files. A module is compiled once even when many threads ask for it at
//! the same time. Nothing here is visible to consensus: gas and results are the same
//! with a cold cache, a warm one and none.

mod disk;
mod memory;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use disk::DiskCache;
use memory::MemoryTier;

use crate::engine::{CompileError, Compiled, EngineConfig};
use crate::host::Hash;
use crate::metrics::Meter;

/// What identifies a module in memory: its code hash and the schedule that instruments it.
pub(crate) type ModuleId = (Hash, Hash);

/// What identifies compiled code on disk: everything that its bytes depend on.
fn disk_key(instrumented: &[u8], schedule: &Hash, engine: &EngineConfig) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"aivm compiled code v1\0");
    let identity = engine.identity();
    hasher.update(&(identity.len() as u64).to_le_bytes());
    hasher.update(identity.as_bytes());
    hasher.update(schedule);
    hasher.update(instrumented);
    *hasher.finalize().as_bytes()
}

/// Counters of a cache; each stops at its maximum instead of wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Modules found in memory.
    pub memory_hits: u64,
    /// Modules loaded from disk.
    pub disk_hits: u64,
    /// Modules compiled.
    pub compiled: u64,
    /// Modules dropped from memory to stay within the budget.
    pub evicted: u64,
    /// Files on disk that were damaged, foreign or unreadable, and were rebuilt.
    pub rejected: u64,
    /// Modules in memory now.
    pub modules: u64,
    /// Bytes of compiled code in memory now.
    pub bytes: u64,
}

/// A lock that the one compilation of a module holds.
type Flight = Arc<Mutex<()>>;

/// Both tiers and the compilations under way.
#[derive(Debug)]
pub(crate) struct ModuleCache {
    memory: Mutex<MemoryTier>,
    disk: Option<DiskCache>,
    flights: Mutex<BTreeMap<ModuleId, Flight>>,
    meter: Meter,
}

impl ModuleCache {
    pub fn new(budget: u64, disk: Option<DiskCache>, meter: Meter) -> Self {
        Self {
            memory: Mutex::new(MemoryTier::new(budget)),
            disk,
            flights: Mutex::default(),
            meter,
        }
    }

    /// The module in memory, or the one that is compiled from what `instrumented` gives.
    pub fn get<E: From<CompileError>>(
        &self,
        id: ModuleId,
        engine: &EngineConfig,
        instrumented: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Arc<Compiled>, E> {
        if let Some(found) = lock(&self.memory).get(&id) {
            return Ok(found);
        }
        // The chain is asked without a lock: it may have locks of its own, under which others call.
        let wasm = instrumented()?;
        let flight = lock(&self.flights).entry(id).or_default().clone();
        let guard = lock(&flight);
        // Whoever held the lock before may have put it there.
        let found = lock(&self.memory).get(&id);
        let result = match found {
            Some(found) => Ok(found),
            None => self.load_or_compile(id, &wasm, engine).map_err(E::from),
        };
        drop(guard);
        lock(&self.flights).remove(&id);
        result
    }

    fn load_or_compile(
        &self,
        id: ModuleId,
        wasm: &[u8],
        engine: &EngineConfig,
    ) -> Result<Arc<Compiled>, CompileError> {
        let key = disk_key(wasm, &id.1, engine);
        if let Some(compiled) = self.load(&key, wasm, engine) {
            let compiled = Arc::new(compiled);
            let mut memory = lock(&self.memory);
            memory.count(|s| &mut s.disk_hits);
            memory.insert(id, compiled.clone());
            return Ok(compiled);
        }
        let start = self.meter.start();
        let compiled = Arc::new(engine.compile(wasm)?);
        self.meter.compiled(start);
        if let Some(disk) = &self.disk {
            // A full or read-only disk costs speed, never a result.
            if let Ok(blob) = compiled.serialize() {
                let _ = disk.store(&key, &blob);
            }
        }
        let mut memory = lock(&self.memory);
        memory.count(|s| &mut s.compiled);
        memory.insert(id, compiled.clone());
        Ok(compiled)
    }

    fn load(&self, key: &Hash, wasm: &[u8], engine: &EngineConfig) -> Option<Compiled> {
        let disk = self.disk.as_ref()?;
        let compiled = match disk.load(key) {
            Ok(None) => return None,
            Ok(Some(blob)) => {
                // SAFETY: the blob carries a valid MAC under this node's key for this
                // very cache key, which covers source, engine, target and configuration;
                // so it is what `store` wrote after `serialize`.
                unsafe { engine.deserialize(wasm, &blob) }.ok()
            }
            Err(_) => None,
        };
        if compiled.is_none() {
            lock(&self.memory).count(|s| &mut s.rejected);
        }
        compiled
    }

    /// Keeps a module in memory, whatever the budget.
    pub fn pin(&self, id: ModuleId, compiled: Arc<Compiled>) {
        lock(&self.memory).pin(id, compiled);
    }

    /// Lets a pinned module be evicted again.
    pub fn unpin(&self, id: &ModuleId) -> bool {
        lock(&self.memory).unpin(id)
    }

    /// Drops everything from memory; the disk tier stays.
    pub fn clear(&self) {
        lock(&self.memory).clear();
    }

    pub fn stats(&self) -> CacheStats {
        lock(&self.memory).stats()
    }

    #[cfg(test)]
    pub fn saturate_counters(&self) {
        lock(&self.memory).saturate();
    }
}

/// A panic while the lock was held leaves counters and maps that are still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::engine::{CodeTarget, IdleInstances};

    fn engine() -> EngineConfig {
        EngineConfig {
            stack_words: 1_024,
            memory_pages: 16,
            simd: true,
            target: CodeTarget::default(),
            idle: IdleInstances::new(4),
        }
    }

    fn module() -> Result<Vec<u8>, CompileError> {
        wat::parse_str("(module (func (export \"f\")))")
            .map_err(|e| CompileError::Refused(e.to_string()))
    }

    #[test]
    fn one_module_is_compiled_once_by_many_threads() {
        let (cache, engine) = (ModuleCache::new(1 << 20, None, Meter::default()), engine());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| cache.get(([1; 32], [2; 32]), &engine, module));
            }
        });
        let stats = cache.stats();
        assert_eq!(
            (stats.compiled, stats.memory_hits, stats.modules),
            (1, 7, 1)
        );
    }

    /// A chain may wait, while it looks for code, for somebody who wants the same module.
    #[test]
    fn whoever_waits_for_the_chain_holds_nobody_up() {
        let (cache, engine) = (ModuleCache::new(1 << 20, None, Meter::default()), engine());
        let (id, both) = (([1; 32], [2; 32]), Barrier::new(2));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    cache.get(id, &engine, || {
                        both.wait();
                        module()
                    })
                });
            }
        });
        assert_eq!(cache.stats().compiled, 1);
    }

    #[test]
    fn the_budget_evicts_and_a_pin_holds() {
        let (a, b) = (([1; 32], [0; 32]), ([2; 32], [0; 32]));
        let engine = engine();
        for budget in [0, 1 << 30] {
            let cache = ModuleCache::new(budget, None, Meter::default());
            let first = cache.get(a, &engine, module).unwrap();
            assert_eq!(cache.stats().modules, u64::from(budget > 0));
            cache.pin(a, first.clone());
            cache.pin(a, first.clone());
            assert_eq!(cache.stats().modules, 1);
            assert_eq!(cache.stats().bytes, first.size());
            // Others come and go; what is pinned stays and is not made again.
            cache.get(b, &engine, module).unwrap();
            let again = cache.get(a, &engine, || {
                Err::<Vec<u8>, _>(CompileError::Refused("compiled again".to_owned()))
            });
            assert!(Arc::ptr_eq(&again.unwrap(), &first));
            assert_eq!(cache.stats().evicted > 0, budget == 0);
            assert!(cache.unpin(&a) && !cache.unpin(&a));
            assert_eq!(cache.stats().modules, if budget == 0 { 0 } else { 2 });
            cache.clear();
            assert_eq!((cache.stats().modules, cache.stats().bytes), (0, 0));
        }
    }

    #[test]
    fn least_recently_used_modules_go_first() {
        let engine = engine();
        let ids = [1u8, 2, 3].map(|n| ([n; 32], [0; 32]));
        let size = {
            let cache = ModuleCache::new(1 << 30, None, Meter::default());
            cache.get(ids[0], &engine, module).unwrap().size()
        };
        let cache = ModuleCache::new(2 * size + size / 2, None, Meter::default());
        let mut compiled = 0;
        let mut get = |id, expect_new: bool| {
            cache.get(id, &engine, module).unwrap();
            compiled += u64::from(expect_new);
            assert_eq!(cache.stats().compiled, compiled);
            assert!(cache.stats().bytes <= 2 * size + size / 2);
        };
        get(ids[0], true);
        get(ids[1], true);
        get(ids[0], false);
        get(ids[2], true);
        get(ids[0], false);
        get(ids[1], true);
    }

    /// 3 and 14: code, schedule, engine and configuration each have a part in the key.
    #[test]
    fn the_key_on_disk_names_all_that_compiled_code_depends_on() {
        let engine = engine();
        let key = disk_key(b"code", &[1; 32], &engine);
        assert_eq!(key, disk_key(b"code", &[1; 32], &engine));
        let scalar = EngineConfig {
            simd: false,
            ..engine.clone()
        };
        #[cfg(target_arch = "x86_64")]
        {
            let portable = EngineConfig {
                target: CodeTarget::Baseline,
                ..engine.clone()
            };
            assert_ne!(disk_key(b"code", &[1; 32], &portable), key);
        }
        for other in [
            disk_key(b"codf", &[1; 32], &engine),
            disk_key(b"code", &[2; 32], &engine),
            disk_key(b"code", &[1; 32], &scalar),
        ] {
            assert_ne!(other, key);
        }
        let identity = engine.identity();
        for part in [
            "wasmer 7.4.2",
            "cranelift",
            "nan-canonical",
            "linux",
            "simd true",
        ] {
            assert!(identity.contains(part), "{identity}");
        }
    }

    #[test]
    fn a_compilation_that_fails_is_tried_again() {
        let (cache, engine) = (ModuleCache::new(1 << 20, None, Meter::default()), engine());
        let id = ([1; 32], [2; 32]);
        for _ in 0..2 {
            let bad = cache.get(id, &engine, || Ok::<_, CompileError>(b"no module".to_vec()));
            assert!(matches!(bad, Err(CompileError::Refused(_))));
        }
        cache.get(id, &engine, module).unwrap();
        assert_eq!(cache.stats().compiled, 1);
        assert!(lock(&cache.flights).is_empty());
    }

    #[test]
    fn pitfall_13_counters_stop_instead_of_overflowing() {
        let (cache, engine) = (ModuleCache::new(1 << 20, None, Meter::default()), engine());
        cache.saturate_counters();
        cache.get(([1; 32], [2; 32]), &engine, module).unwrap();
        cache.get(([1; 32], [2; 32]), &engine, module).unwrap();
        assert_eq!(cache.stats().compiled, u64::MAX);
        assert_eq!(cache.stats().memory_hits, u64::MAX);
    }
}
