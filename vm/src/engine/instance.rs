//! An instance of a module, which serves one call after another.
//!
//! Making one takes the engine longer than most calls run. All that a call can change are
//! memory, globals and tables; an instance whose code changes no table is made as new by
//! putting the first two back, so that no call can tell that there was one before.

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use aivm_abi::Exit;
use aivm_abi::export::{INITIALIZE, MEMORY, REALLOC};
use aivm_gas::{EXIT_EXPORT, GAS_EXPORT, STACK_EXPORT};
use wasmer::sys::vm::{VMConfig, VMExtern, VMGlobalDefinition};
use wasmer::{
    AsStoreMut, Exports, Extern, InstantiationError, Mutability, Store, Type, TypedFunction,
    WasmTypeList,
};

use super::compile::Compiled;
use super::guest::{Callee, Env, Running, engine_error, on_guest_stack, trap_code};
use super::imports;
use super::memory::InstanceMemory;
use super::pagemap::PageMap;
use super::run::Entry;
use super::written::FaultHandler;
use crate::exec::Frame;

/// A global and its value at the start.
struct Start {
    place: NonNull<VMGlobalDefinition>,
    value: VMGlobalDefinition,
}

/// An instance with what is needed to run it again.
pub(super) struct Instance {
    /// What host functions find. Owned; the functions in `store` point to it.
    env: NonNull<Env>,
    entries: [Callee; 3],
    initialize: Option<Callee>,
    globals: Vec<Start>,
    memory: NonNull<InstanceMemory>,
    /// Owns all that the pointers point to.
    _store: Store,
}

// SAFETY: nothing in a store or an environment is tied to a thread, and between calls,
// which is when an instance moves, the environment has no frame.
unsafe impl Send for Instance {}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").finish_non_exhaustive()
    }
}

impl Instance {
    /// A new instance.
    ///
    /// # Errors
    /// A trap when a table's initialiser is out of bounds; else a failure of the machine.
    pub fn new(compiled: &Compiled) -> Result<Self, Exit> {
        let env = Box::into_raw(Box::<Env>::new_uninit());
        // SAFETY: it was just allocated.
        let place = unsafe { NonNull::new_unchecked(env) };
        let made = Self::with_env(compiled, place);
        if made.is_err() {
            // SAFETY: nobody else has it; the store that pointed to it is gone.
            drop(unsafe { Box::from_raw(env) });
        }
        made
    }

    fn with_env(compiled: &Compiled, place: NonNull<MaybeUninit<Env>>) -> Result<Self, Exit> {
        let env: NonNull<Env> = place.cast();
        let mut store = Store::new(compiled.engine.clone());
        let externs = imports::functions(&mut store, env, &compiled.imports);
        // No guest code runs here: start functions are refused when code is instrumented.
        let instance = wasmer::Instance::new_by_index(&mut store, &compiled.module, &externs)
            .map_err(instantiation)?;
        let mut parts = Parts {
            store: &mut store,
            exports: &instance.exports,
        };
        let memory = parts.memory()?;
        let entry =
            |parts: &mut Parts<'_>, entry: Entry| parts.function::<(i32, i32)>(entry.name());
        let entries = [
            entry(&mut parts, Entry::Construct)?,
            entry(&mut parts, Entry::Call)?,
            entry(&mut parts, Entry::Query)?,
        ];
        let initialize = match parts.exports.get_extern(INITIALIZE) {
            Some(_) => Some(parts.typed::<(), ()>(INITIALIZE)?),
            None => None,
        };
        let (mut stack, stack_type) = parts.global(STACK_EXPORT)?;
        let words = compiled.stack_words;
        // SAFETY: the place is that of a global in the instance.
        let value = unsafe { &mut stack.as_mut().val };
        match stack_type {
            Type::I32 => value.u32 = words,
            Type::I64 => value.u64 = u64::from(words),
            other => return Err(engine_error(format!("the stack counter is {other}"))),
        }
        let ready = Env {
            frame: std::ptr::null_mut(),
            gas: parts.global_of(GAS_EXPORT, Type::I64)?,
            stack,
            exit: parts.global_of(EXIT_EXPORT, Type::I32)?,
            // SAFETY: the memory lives in the store.
            memory: unsafe { memory.as_ref() }.location(),
            // SAFETY: as above.
            written: unsafe { memory.as_ref() }.written().map(|written| {
                let handler = FaultHandler::new(written.clone());
                (written.clone(), handler)
            }),
            realloc: parts.function::<(i32, i32, i32, i32)>(REALLOC)?,
            config: VMConfig {
                wasm_stack_size: Some(compiled.native_stack),
            },
            allocating: false,
            stopped: None,
            entry: None,
        };
        // SAFETY: the place is allocated and ours.
        unsafe { env.write(ready) };
        let globals = parts.start();
        Ok(Self {
            env,
            entries,
            initialize,
            globals,
            memory,
            _store: store,
        })
    }

    /// Runs `body` with the instance at work for `frame`, on the stack for guests: it must
    /// need little of it, and hold nothing to be dropped when it enters the guest. `entry`
    /// is the index of the export that will run, if an inspector may want to know.
    pub fn at_work<T>(
        &mut self,
        frame: &mut Frame<'_, '_>,
        entry: Option<u32>,
        body: impl FnOnce(&mut Running) -> Result<T, Exit>,
    ) -> Result<T, Exit> {
        let frame: *mut Frame<'_, '_> = frame;
        let place = self.env;
        // SAFETY: nobody else uses the environment now. The frame stays mutably borrowed
        // by this function, which reaches it only through the environment, and its
        // lifetimes are forgotten only until the end.
        let (config, handler) = unsafe {
            let env = self.env.as_mut();
            env.frame = frame.cast();
            env.entry = entry;
            let config = VMConfig {
                wasm_stack_size: env.config.wasm_stack_size,
            };
            (config, env.fault_handler())
        };
        let mut result = None;
        // SAFETY: the closure holds nothing to be dropped, nor does `body`; the handler
        // lives as long as the environment.
        let ended = unsafe {
            on_guest_stack(&config, handler, || {
                result = Some(body(&mut Running::new_on_guest_stack(place)));
            })
        };
        // SAFETY: as above; what ran on the other stack is over.
        let stopped = ended.map_err(|trap| unsafe { Running::new(place) }.reason(trap));
        // SAFETY: as above.
        let env = unsafe { self.env.as_mut() };
        env.frame = std::ptr::null_mut();
        // The allocator may have been stopped.
        env.allocating = false;
        let result = match (stopped, result) {
            (Err(exit), _) => Err(exit),
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(engine_error("the guest's stack was left early")),
        };
        // SAFETY: the memory lives in the store, and no guest code runs.
        match unsafe { self.memory.as_ref() }.refused() {
            Some(why) => Err(engine_error(format!(
                "this machine has no memory for the contract to grow into: {why}"
            ))),
            None => result,
        }
    }

    /// The export behind an entry.
    pub fn entry(&self, entry: Entry) -> Callee {
        let [construct, call, query] = self.entries;
        match entry {
            Entry::Construct => construct,
            Entry::Call => call,
            Entry::Query => query,
        }
    }

    /// The export that makes the guest ready, where it has one.
    pub fn initialize(&self) -> Option<Callee> {
        self.initialize
    }

    /// What the last `count` globals, counters, say.
    pub fn counters(&self, count: usize) -> Vec<u64> {
        let first = self.globals.len().saturating_sub(count);
        let counters = self.globals.iter().skip(first);
        // SAFETY: the places live in the store, and no guest code runs; counters are `i64`.
        counters
            .map(|c| unsafe { c.place.as_ref().val.u64 })
            .collect()
    }

    /// Makes the instance as new; false when the machine does not let it.
    pub fn renew(&mut self, pages: Option<&PageMap>) -> bool {
        for start in &mut self.globals {
            // SAFETY: the place lives in the store, and no guest code runs.
            unsafe { *start.place.as_mut() = start.value.clone() };
        }
        // SAFETY: as above.
        unsafe { self.memory.as_mut() }.renew(pages).is_ok()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: it was allocated as a box in `new`; host functions, which point to it,
        // run no more.
        drop(unsafe { Box::from_raw(self.env.as_ptr()) });
    }
}

/// A fresh instance of the engine.
struct Parts<'s> {
    store: &'s mut Store,
    exports: &'s Exports,
}

impl Parts<'_> {
    fn export(&self, name: &str) -> Result<VMExtern, Exit> {
        let export = self.exports.get_extern(name).map(Extern::to_vm_extern);
        match export {
            Some(export) => Ok(export.unwrap_sys()),
            None => Err(engine_error(format!("the export {name} is missing"))),
        }
    }

    /// A function from `Args` to one `i32`.
    fn function<Args: WasmTypeList>(&mut self, name: &str) -> Result<Callee, Exit> {
        self.typed::<Args, i32>(name)
    }

    fn typed<Args: WasmTypeList, Rets: WasmTypeList>(
        &mut self,
        name: &str,
    ) -> Result<Callee, Exit> {
        let typed: Result<TypedFunction<Args, Rets>, _> =
            self.exports.get_typed_function(self.store, name);
        typed.map_err(engine_error)?;
        match self.export(name)? {
            VMExtern::Function(handle) => {
                let function = handle.get(self.store.objects_mut().as_sys_mut());
                // SAFETY: it lives in the store.
                Ok(Callee(unsafe { *function.anyfunc.as_ptr().as_ref() }))
            }
            _ => Err(engine_error(format!("{name} is no function"))),
        }
    }

    fn global(&mut self, name: &str) -> Result<(NonNull<VMGlobalDefinition>, Type), Exit> {
        match self.export(name)? {
            VMExtern::Global(handle) => {
                let global = handle.get(self.store.objects_mut().as_sys_mut());
                Ok((global.vmglobal(), global.ty().ty))
            }
            _ => Err(engine_error(format!("{name} is no global"))),
        }
    }

    fn global_of(&mut self, name: &str, ty: Type) -> Result<NonNull<VMGlobalDefinition>, Exit> {
        match self.global(name)? {
            (place, found) if found == ty => Ok(place),
            (_, found) => Err(engine_error(format!("{name} is {found}"))),
        }
    }

    fn memory(&mut self) -> Result<NonNull<InstanceMemory>, Exit> {
        match self.export(MEMORY)? {
            VMExtern::Memory(handle) => {
                let memory = handle.get_mut(self.store.objects_mut().as_sys_mut());
                // Memories are never imported, so our tunables made it.
                Ok(NonNull::from(&mut *memory.0).cast())
            }
            _ => Err(engine_error(format!("{MEMORY} is no memory"))),
        }
    }

    /// All variable globals of the instance as they are now.
    fn start(&mut self) -> Vec<Start> {
        let objects = self.store.objects_mut().as_sys_mut();
        objects
            .iter_globals()
            .filter(|global| global.ty().mutability == Mutability::Var)
            .map(|global| Start {
                place: global.vmglobal(),
                // SAFETY: it lives in the store.
                value: unsafe { global.vmglobal().as_ref() }.clone(),
            })
            .collect()
    }
}

/// A failed instantiation: a segment out of bounds traps, all else is the machine's.
fn instantiation(error: InstantiationError) -> Exit {
    if let InstantiationError::Start(error) = error {
        let text = error.message();
        return match error.to_trap().and_then(trap_code) {
            Some(code) => Exit::Trap(code),
            None => engine_error(text),
        };
    }
    engine_error(error)
}
