//! Bytes to native code.

use std::num::NonZero;
use std::sync::Arc;

use aivm_abi::{Exit, IMPORTS};
use wasmer::sys::{Cranelift, CraneliftOptLevel, EngineBuilder, Features, NativeEngineExt};
use wasmer::{Engine, ExternType, Module};

use super::instance::Instance;
use super::pool::{IdleInstances, ModuleNumber};
use super::reuse::is_renewable;
use super::target::CodeTarget;
use super::tunables::ModuleTunables;

/// Version of the engine and of how we set it up. Raise the last part with any change
/// in this folder that alters compiled code.
const ENGINE: &str = "wasmer 7.4.2 cranelift nan-canonical speed r1";

/// Native stack beyond the logical one, for trampolines, the engine's own frames and the
/// host functions that stay on the guest's stack.
const STACK_RESERVE: usize = 512 << 10;

/// Why instrumented code could not be compiled or loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompileError {
    #[error("the engine refused the instrumented module: {0}")]
    Refused(String),
    #[error("the module imports {module:?} {name:?}, which the host does not have")]
    UnknownImport { module: String, name: String },
    #[error("the compiled module could not be loaded or saved: {0}")]
    Artifact(String),
}

/// How code is compiled and run: one value per VM and set of limits.
#[derive(Clone, Debug)]
pub(crate) struct EngineConfig {
    /// Words of the logical stack.
    pub stack_words: u32,
    /// Pages that a memory may grow to.
    pub memory_pages: u32,
    /// Whether vector instructions are allowed.
    pub simd: bool,
    /// Processors that the code is for.
    pub target: CodeTarget,
    /// Instances that wait for their next call.
    pub idle: Arc<IdleInstances>,
}

impl EngineConfig {
    /// Text that names everything compiled code depends on besides its source.
    pub fn identity(&self) -> String {
        let target = self.target.target();
        format!(
            "{ENGINE}; {}; {:?}; simd {}",
            target.triple(),
            target.cpu_features(),
            self.simd
        )
    }

    fn features(&self) -> Features {
        let mut features = Features::none();
        features
            .reference_types(true)
            .bulk_memory(true)
            .multi_value(true)
            .simd(self.simd);
        features
    }

    /// One engine for each module: an engine keeps all code it ever compiled, so the
    /// code of an evicted module is freed only with its engine.
    fn engine(&self, wasm: &[u8]) -> Result<Engine, CompileError> {
        let mut compiler = Cranelift::default();
        compiler.canonicalize_nans(true);
        compiler.opt_level(CraneliftOptLevel::Speed);
        compiler.num_threads(NonZero::<usize>::MIN);
        let engine = EngineBuilder::new(compiler)
            .set_features(Some(self.features()))
            .set_target(Some(self.target.target()))
            .engine();
        let mut engine = Engine::from(engine);
        engine.set_tunables(ModuleTunables::new(
            wasm,
            self.memory_pages,
            self.native_stack(),
            self.idle.images(),
            self.idle.keeps_any() && is_renewable(wasm)?,
        )?);
        Ok(engine)
    }

    /// Bytes of native stack, of which the logical limit leaves some unused.
    fn native_stack(&self) -> usize {
        (self.stack_words as usize)
            .saturating_mul(16)
            .saturating_add(STACK_RESERVE)
    }

    /// Compiles instrumented bytes.
    pub fn compile(&self, wasm: &[u8]) -> Result<Compiled, CompileError> {
        let engine = self.engine(wasm)?;
        let module =
            Module::new(&engine, wasm).map_err(|e| CompileError::Refused(e.to_string()))?;
        let size = artifact(&module)?.len();
        Compiled::new(self, engine, module, wasm, size)
    }

    /// Compiles instrumented bytes whose last `counters` globals count what runs.
    pub fn compile_counting(&self, wasm: &[u8], counters: usize) -> Result<Compiled, CompileError> {
        let mut compiled = self.compile(wasm)?;
        compiled.counters = counters;
        Ok(compiled)
    }

    /// Loads what [`Compiled::serialize`] gave.
    ///
    /// # Safety
    /// `blob` must come from `serialize` on a module that this very configuration
    /// compiled from `wasm`; native code in it runs unchecked.
    pub unsafe fn deserialize(&self, wasm: &[u8], blob: &[u8]) -> Result<Compiled, CompileError> {
        let engine = self.engine(wasm)?;
        // SAFETY: the caller vouches for the blob.
        let module = unsafe { Module::deserialize(&engine, blob) }
            .map_err(|e| CompileError::Artifact(e.to_string()))?;
        Compiled::new(self, engine, module, wasm, blob.len())
    }
}

fn artifact(module: &Module) -> Result<Vec<u8>, CompileError> {
    let bytes = module
        .serialize()
        .map_err(|e| CompileError::Artifact(e.to_string()))?;
    Ok(bytes.to_vec())
}

/// Native code of one module.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(super) engine: Engine,
    pub(super) module: Module,
    /// Positions in [`IMPORTS`] of the module's imports, in its order.
    pub(super) imports: Vec<usize>,
    /// Words of the logical stack.
    pub(super) stack_words: u32,
    /// Bytes of the native stack.
    pub(super) native_stack: usize,
    /// Globals at the end that count what runs; none but in profiles.
    pub(super) counters: usize,
    renewable: bool,
    pub(super) number: ModuleNumber,
    idle: Arc<IdleInstances>,
    size: u64,
}

impl Compiled {
    fn new(
        config: &EngineConfig,
        engine: Engine,
        module: Module,
        wasm: &[u8],
        size: usize,
    ) -> Result<Self, CompileError> {
        let imports = module
            .imports()
            .map(|import| {
                let known = IMPORTS.iter().position(|known| {
                    known.module == import.module() && known.function == import.name()
                });
                match known {
                    Some(known) if matches!(import.ty(), ExternType::Function(_)) => Ok(known),
                    _ => Err(CompileError::UnknownImport {
                        module: import.module().to_owned(),
                        name: import.name().to_owned(),
                    }),
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            engine,
            module,
            imports,
            stack_words: config.stack_words,
            native_stack: config.native_stack(),
            counters: 0,
            renewable: is_renewable(wasm)?,
            number: config.idle.number(),
            idle: config.idle.clone(),
            size: size as u64,
        })
    }

    /// An instance that is new or as new.
    pub(super) fn instance(&self) -> Result<Instance, Exit> {
        match self.idle.take(self.number) {
            Some(instance) => Ok(instance),
            None => Instance::new(self),
        }
    }

    /// Keeps an instance for the next call, if it can be made as new.
    pub(super) fn give_back(&self, mut instance: Instance) {
        if self.renewable && instance.renew(self.idle.pages()) {
            self.idle.put(self.number, instance);
        }
    }

    /// Pages of memory at the start.
    pub fn pages(&self) -> u64 {
        let memories = &self.module.info().memories;
        memories.values().map(|ty| u64::from(ty.minimum.0)).sum()
    }

    /// Bytes of compiled code, about.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The artifact, for a cache on disk.
    pub fn serialize(&self) -> Result<Vec<u8>, CompileError> {
        artifact(&self.module)
    }
}

impl Drop for Compiled {
    fn drop(&mut self) {
        self.idle.forget(self.number);
    }
}
