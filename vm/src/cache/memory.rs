//! The memory tier: least recently used modules go first.

use std::collections::BTreeMap;
use std::sync::Arc;

use lru::LruCache;

use super::{CacheStats, ModuleId};
use crate::engine::Compiled;

#[derive(Debug)]
pub(crate) struct MemoryTier {
    budget: u64,
    bytes: u64,
    recent: LruCache<ModuleId, Arc<Compiled>>,
    pinned: BTreeMap<ModuleId, Arc<Compiled>>,
    stats: CacheStats,
}

impl MemoryTier {
    pub fn new(budget: u64) -> Self {
        Self {
            budget,
            bytes: 0,
            recent: LruCache::unbounded(),
            pinned: BTreeMap::new(),
            stats: CacheStats::default(),
        }
    }

    pub fn get(&mut self, key: &ModuleId) -> Option<Arc<Compiled>> {
        let found = self.recent.get(key).or_else(|| self.pinned.get(key))?;
        let found = found.clone();
        self.count(|s| &mut s.memory_hits);
        Some(found)
    }

    pub fn insert(&mut self, key: ModuleId, compiled: Arc<Compiled>) {
        if self.pinned.contains_key(&key) {
            return;
        }
        self.bytes = self.bytes.saturating_add(compiled.size());
        if let Some(old) = self.recent.put(key, compiled) {
            self.bytes = self.bytes.saturating_sub(old.size());
        }
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.bytes > self.budget {
            let Some((_, old)) = self.recent.pop_lru() else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(old.size());
            self.count(|s| &mut s.evicted);
        }
    }

    pub fn pin(&mut self, key: ModuleId, compiled: Arc<Compiled>) {
        if let Some(old) = self.recent.pop(&key) {
            self.bytes = self.bytes.saturating_sub(old.size());
        }
        self.pinned.entry(key).or_insert(compiled);
    }

    pub fn unpin(&mut self, key: &ModuleId) -> bool {
        match self.pinned.remove(key) {
            Some(compiled) => {
                self.insert(*key, compiled);
                true
            }
            None => false,
        }
    }

    pub fn clear(&mut self) {
        self.recent.clear();
        self.pinned.clear();
        self.bytes = 0;
    }

    /// Adds one to a counter, which stays at its maximum.
    pub fn count(&mut self, counter: impl FnOnce(&mut CacheStats) -> &mut u64) {
        let counter = counter(&mut self.stats);
        *counter = counter.saturating_add(1);
    }

    pub fn stats(&self) -> CacheStats {
        let pinned: u64 = self.pinned.values().map(|c| c.size()).sum();
        CacheStats {
            modules: (self.recent.len() + self.pinned.len()) as u64,
            bytes: self.bytes.saturating_add(pinned),
            ..self.stats
        }
    }

    #[cfg(test)]
    pub fn saturate(&mut self) {
        self.stats.memory_hits = u64::MAX;
        self.stats.compiled = u64::MAX;
    }
}
