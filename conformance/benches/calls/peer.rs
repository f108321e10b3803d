//! wasmtime with its pooling allocator and copy-on-write images, given the same
//! instrumented bytes and host functions that do nothing.

use aivm_gas::{GAS_EXPORT, GasSchedule, STACK_EXPORT, instrument};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, InstancePre, Linker, Module,
    PoolingAllocationConfig, Store, Val, ValType,
};

pub struct Peer {
    engine: Engine,
    module: InstancePre<()>,
}

impl Peer {
    pub fn new(wasm: &[u8]) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        let mut pool = PoolingAllocationConfig::default();
        pool.total_core_instances(16);
        pool.total_memories(16);
        pool.total_tables(16);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        config.memory_init_cow(true);
        config.cranelift_nan_canonicalization(true);
        let engine = Engine::new(&config)?;
        let instrumented = instrument(wasm, &GasSchedule::v1()).expect("it is accepted");
        let module = Module::new(&engine, &instrumented.wasm)?;
        let mut linker = Linker::new(&engine);
        linker.func_wrap("synergy:aivm/context@0.1.0", "block-number", || -> i64 {
            100
        })?;
        linker.func_wrap("synergy:aivm/log@0.1.0", "debug", |_: i32, _: i32| {})?;
        // The others are there to be linked; no measured guest calls them.
        for import in module.imports() {
            if let Some(ty) = import.ty().func().cloned()
                && linker
                    .get(&mut Store::new(&engine, ()), import.module(), import.name())
                    .is_err()
            {
                let results: Vec<Val> = ty
                    .results()
                    .map(|ty| match ty {
                        ValType::I32 => Val::I32(0),
                        _ => Val::I64(0),
                    })
                    .collect();
                linker.func_new(import.module(), import.name(), ty, move |_, _, out| {
                    out.clone_from_slice(&results);
                    Ok(())
                })?;
            }
        }
        let module = linker.instantiate_pre(&module)?;
        Ok(Self { engine, module })
    }

    /// From a new store to its end, as the VM calls: set gas, allocate, copy in, run.
    pub fn call(&self, input: &[u8]) -> wasmtime::Result<i32> {
        let mut store = Store::new(&self.engine, ());
        let instance = self.module.instantiate(&mut store)?;
        let gas = instance.get_global(&mut store, GAS_EXPORT).expect("gas");
        gas.set(&mut store, Val::I64(1 << 40))?;
        let stack = instance
            .get_global(&mut store, STACK_EXPORT)
            .expect("stack");
        let words = match stack.get(&mut store) {
            Val::I32(_) => Val::I32(1 << 16),
            _ => Val::I64(1 << 16),
        };
        stack.set(&mut store, words)?;
        let mut at = 1;
        if !input.is_empty() {
            let realloc =
                instance.get_typed_func::<(i32, i32, i32, i32), i32>(&mut store, "cabi_realloc")?;
            at = realloc.call(&mut store, (0, 0, 1, input.len() as i32))?;
            let memory = instance.get_memory(&mut store, "memory").expect("memory");
            memory.write(&mut store, at as usize, input)?;
        }
        let call = instance.get_typed_func::<(i32, i32), i32>(&mut store, "call")?;
        call.call(&mut store, (at, input.len() as i32))
    }
}
