//! Instances that wait for the next call of their module.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::images::Images;
use super::instance::Instance;
use super::pagemap::PageMap;

/// Idle instances of all modules. Each reserves gigabytes of address space, of which a
/// process has 2^47 bytes, so their number is bounded; those whose module was used
/// least recently go first, whoever else fills the pool.
#[derive(Debug)]
pub(crate) struct IdleInstances {
    max: usize,
    next: AtomicU64,
    pages: Option<PageMap>,
    images: Arc<Images>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    count: usize,
    modules: LruCache<ModuleNumber, Vec<Instance>>,
}

/// Names a module in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ModuleNumber(u64);

impl IdleInstances {
    /// A pool of at most `max` instances.
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            next: AtomicU64::new(0),
            pages: PageMap::open(),
            images: Arc::default(),
            state: Mutex::new(State {
                count: 0,
                modules: LruCache::unbounded(),
            }),
        })
    }

    /// Whether any instance is ever kept.
    pub(super) fn keeps_any(&self) -> bool {
        self.max > 0
    }

    /// What finds the pages that a call wrote.
    pub(super) fn pages(&self) -> Option<&PageMap> {
        self.pages.as_ref()
    }

    /// Where the first contents of memories are.
    pub(super) fn images(&self) -> &Arc<Images> {
        &self.images
    }

    /// A number that no module had before.
    pub(super) fn number(&self) -> ModuleNumber {
        ModuleNumber(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// An instance of the module, if one is idle.
    pub(super) fn take(&self, module: ModuleNumber) -> Option<Instance> {
        let mut state = self.lock();
        let instance = state.modules.get_mut(&module)?.pop()?;
        state.count -= 1;
        Some(instance)
    }

    /// Keeps an instance that is as new; drops another, or this one, when there are too
    /// many.
    pub(super) fn put(&self, module: ModuleNumber, instance: Instance) {
        // Unmapping takes time, so it is done without the lock.
        let dropped = {
            let mut state = self.lock();
            state
                .modules
                .get_or_insert_mut(module, Vec::new)
                .push(instance);
            state.count += 1;
            match state.count > self.max {
                true => state.pop_oldest(),
                false => None,
            }
        };
        drop(dropped);
    }

    /// Drops the instances of a module that is gone.
    pub(super) fn forget(&self, module: ModuleNumber) {
        let dropped = {
            let mut state = self.lock();
            let dropped = state.modules.pop(&module);
            state.count -= dropped.as_ref().map_or(0, Vec::len);
            dropped
        };
        drop(dropped);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self, module: ModuleNumber) -> usize {
        self.lock().modules.peek(&module).map_or(0, Vec::len)
    }
}

impl State {
    fn pop_oldest(&mut self) -> Option<Instance> {
        while let Some((_, instances)) = self.modules.peek_lru() {
            if instances.is_empty() {
                self.modules.pop_lru();
                continue;
            }
            // The iterator begins with the most recent.
            let (_, instances) = self.modules.iter_mut().next_back()?;
            self.count -= 1;
            return instances.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::{CodeTarget, Compiled, EngineConfig};

    fn module(idle: &Arc<IdleInstances>, code: &str) -> Compiled {
        let config = EngineConfig {
            target: CodeTarget::default(),
            stack_words: 1_024,
            memory_pages: 16,
            simd: true,
            idle: idle.clone(),
        };
        let text = format!(
            r#"(module (memory (export "memory") 1) (table 1 funcref)
              (global (export "{}") (mut i64) (i64.const 0))
              (global (export "{}") (mut i64) (i64.const 0))
              (global (export "{}") (mut i32) (i32.const 0))
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {code} (i32.const 0))
              (func $f (param i32 i32) (result i32) (i32.const 0))
              (export "construct" (func $f)) (export "call" (func $f)) (export "query" (func $f)))"#,
            aivm_gas::GAS_EXPORT,
            aivm_gas::STACK_EXPORT,
            aivm_gas::EXIT_EXPORT,
        );
        config.compile(&wat::parse_str(text).unwrap()).unwrap()
    }

    /// Starts `count` instances and gives them back.
    fn use_many(module: &Compiled, count: usize) {
        let many: Vec<_> = (0..count).map(|_| module.instance().unwrap()).collect();
        for instance in many {
            module.give_back(instance);
        }
    }

    #[test]
    fn those_used_least_recently_make_room() {
        let idle = IdleInstances::new(4);
        let (old, new) = (module(&idle, ""), module(&idle, ""));
        use_many(&old, 3);
        assert_eq!(idle.len(old.number), 3);
        // A module that recurses deeply takes what others left idle, not its own.
        use_many(&new, 3);
        assert_eq!((idle.len(old.number), idle.len(new.number)), (1, 3));
        use_many(&new, 9);
        assert_eq!((idle.len(old.number), idle.len(new.number)), (0, 4));
        let number = new.number;
        drop(new);
        assert_eq!(idle.len(number), 0);
        use_many(&old, 2);
        assert_eq!(idle.len(old.number), 2);
    }

    #[test]
    fn an_instance_that_cannot_be_made_as_new_is_not_kept() {
        let idle = IdleInstances::new(4);
        let plain = module(&idle, "(drop (table.get 0 (i32.const 0)))");
        use_many(&plain, 1);
        assert_eq!(idle.len(plain.number), 1);
        let changing = module(&idle, "(table.set 0 (i32.const 0) (ref.null func))");
        use_many(&changing, 1);
        assert_eq!(idle.len(changing.number), 0);
        let none = IdleInstances::new(0);
        let module = module(&none, "");
        use_many(&module, 2);
        assert_eq!(none.len(module.number), 0);
    }
}
