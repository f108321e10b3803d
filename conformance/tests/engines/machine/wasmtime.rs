//! wasmtime with Cranelift. It is built without garbage collection here, and so without
//! `externref`; modules that use it are refused.

use std::sync::OnceLock;

use aivm_abi::TrapCode;
use wasmtime::{
    Config, Engine, Error, Extern, ExternType, Func, Global, GlobalType, Instance, Linker, Memory,
    MemoryType, Module, Mutability, OptLevel, Ref, RefType, RegallocAlgorithm, Store, Table,
    TableType, Trap, Val, ValType,
};

use super::{Failure, Kind, Machine, Value};

pub struct Wasmtime {
    store: Store<()>,
    linker: Linker<()>,
    modules: Vec<Module>,
    instances: Vec<Instance>,
}

/// The engine frees the code of dropped modules, so one serves all.
fn engine() -> Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let mut config = Config::new();
        config
            .cranelift_nan_canonicalization(true)
            .async_stack_size(16 << 20)
            .max_wasm_stack(8 << 20)
            .wasm_backtrace_max_frames(None)
            // Code is compiled once and run once.
            .cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass)
            .cranelift_opt_level(OptLevel::None);
        Engine::new(&config).expect("a valid configuration")
    });
    engine.clone()
}

impl Wasmtime {
    pub fn new() -> Self {
        let engine = engine();
        let mut linker = Linker::new(&engine);
        linker.allow_shadowing(true);
        Self {
            store: Store::new(&engine, ()),
            linker,
            modules: Vec::new(),
            instances: Vec::new(),
        }
    }

    fn get(&mut self, instance: usize, name: &str) -> Option<Extern> {
        self.instances[instance].get_export(&mut self.store, name)
    }
}

fn give(value: Value) -> Val {
    match value {
        Value::I32(v) => Val::I32(v),
        Value::I64(v) => Val::I64(v),
        Value::F32(v) => Val::F32(v),
        Value::F64(v) => Val::F64(v),
        Value::V128(v) => Val::V128(v.into()),
        Value::Func(_) => Val::FuncRef(None),
        Value::Extern(_) => Val::ExternRef(None),
    }
}

fn take(value: &Val) -> Value {
    match value {
        Val::I32(v) => Value::I32(*v),
        Val::I64(v) => Value::I64(*v),
        Val::F32(v) => Value::F32(*v),
        Val::F64(v) => Value::F64(*v),
        Val::V128(v) => Value::V128(v.as_u128()),
        Val::FuncRef(v) => Value::Func(v.is_some()),
        Val::ExternRef(None) => Value::Extern(None),
        _ => unreachable!("garbage collection is off"),
    }
}

fn trap(error: &Error) -> Failure {
    Failure::Trap(match error.downcast_ref::<Trap>() {
        Some(Trap::MemoryOutOfBounds) => TrapCode::OutOfBoundsMemory,
        Some(Trap::TableOutOfBounds) => TrapCode::OutOfBoundsTable,
        Some(Trap::IndirectCallToNull) => TrapCode::IndirectCallNull,
        Some(Trap::BadSignature) => TrapCode::IndirectCallType,
        Some(Trap::IntegerOverflow) => TrapCode::IntegerOverflow,
        Some(Trap::IntegerDivisionByZero) => TrapCode::DivisionByZero,
        Some(Trap::BadConversionToInteger) => TrapCode::BadConversion,
        Some(Trap::UnreachableCodeReached) => TrapCode::Unreachable,
        _ => return Failure::Broken(format!("{error:?}")),
    })
}

impl Machine for Wasmtime {
    fn compile(&mut self, wasm: &[u8]) -> Result<usize, Failure> {
        let module = Module::new(self.store.engine(), wasm);
        self.modules
            .push(module.map_err(|error| Failure::Refused(format!("{error:?}")))?);
        Ok(self.modules.len() - 1)
    }

    fn instantiate(&mut self, module: usize) -> Result<usize, Failure> {
        let instance = self
            .linker
            .instantiate(&mut self.store, &self.modules[module]);
        self.instances.push(
            instance.map_err(|error| match error.downcast_ref::<Trap>() {
                Some(_) => trap(&error),
                None => Failure::Link(error.to_string()),
            })?,
        );
        Ok(self.instances.len() - 1)
    }

    fn register(&mut self, name: &str, instance: usize) {
        self.linker
            .instance(&mut self.store, name, self.instances[instance])
            .expect("shadowing is allowed");
    }

    fn spectest(&mut self) {
        let module = "spectest";
        let mut items: Vec<(&str, Extern)> = Vec::new();
        let store = &mut self.store;
        items.push(("print", Func::wrap(&mut *store, || ()).into()));
        items.push(("print_i32", Func::wrap(&mut *store, |_: i32| ()).into()));
        items.push(("print_i64", Func::wrap(&mut *store, |_: i64| ()).into()));
        items.push(("print_f32", Func::wrap(&mut *store, |_: f32| ()).into()));
        items.push(("print_f64", Func::wrap(&mut *store, |_: f64| ()).into()));
        let print = Func::wrap(&mut *store, |_: i32, _: f32| ());
        items.push(("print_i32_f32", print.into()));
        let print = Func::wrap(&mut *store, |_: f64, _: f64| ());
        items.push(("print_f64_f64", print.into()));
        for (name, ty, value) in [
            ("global_i32", ValType::I32, Val::I32(666)),
            ("global_i64", ValType::I64, Val::I64(666)),
            ("global_f32", ValType::F32, Val::F32(666.6_f32.to_bits())),
            ("global_f64", ValType::F64, Val::F64(666.6_f64.to_bits())),
        ] {
            let ty = GlobalType::new(ty, Mutability::Const);
            let global = Global::new(&mut *store, ty, value).expect("a global");
            items.push((name, global.into()));
        }
        let table = TableType::new(RefType::FUNCREF, 10, Some(20));
        let table = Table::new(&mut *store, table, Ref::Func(None)).expect("a table");
        items.push(("table", table.into()));
        let memory = Memory::new(&mut *store, MemoryType::new(1, Some(2))).expect("a memory");
        items.push(("memory", memory.into()));
        for (name, item) in items {
            self.linker
                .define(&mut self.store, module, name, item)
                .expect("shadowing is allowed");
        }
    }

    fn exports(&mut self, instance: usize) -> Vec<(String, Kind)> {
        let instance = self.instances[instance];
        let module = instance.module(&self.store);
        module
            .exports()
            .map(|export| {
                let kind = match export.ty() {
                    ExternType::Func(_) => Kind::Func,
                    ExternType::Global(_) => Kind::Global,
                    ExternType::Memory(_) => Kind::Memory,
                    ExternType::Table(_) => Kind::Table,
                    ExternType::Tag(_) => unreachable!("exceptions are off"),
                };
                (export.name().to_owned(), kind)
            })
            .collect()
    }

    fn zeros(&mut self, instance: usize, function: &str) -> Vec<Value> {
        let function = self.instances[instance].get_func(&mut self.store, function);
        let ty = function.expect("a function").ty(&self.store);
        let zero = |ty| take(&Val::default_for_ty(&ty).expect("nullable"));
        ty.params().map(zero).collect()
    }

    fn call(
        &mut self,
        instance: usize,
        function: &str,
        args: &[Value],
    ) -> Result<Vec<Value>, Failure> {
        let args: Vec<Val> = args.iter().map(|arg| give(*arg)).collect();
        let function = self.instances[instance]
            .get_func(&mut self.store, function)
            .ok_or_else(|| Failure::Broken(format!("no function {function}")))?;
        let results = function.ty(&self.store).results().len();
        let mut results = vec![Val::I32(0); results];
        function
            .call(&mut self.store, &args, &mut results)
            .map_err(|error| trap(&error))?;
        Ok(results.iter().map(take).collect())
    }

    fn global(&mut self, instance: usize, name: &str) -> Option<Value> {
        let Extern::Global(global) = self.get(instance, name)? else {
            return None;
        };
        Some(take(&global.get(&mut self.store)))
    }

    fn set_global(&mut self, instance: usize, name: &str, value: Value) {
        if let Some(Extern::Global(global)) = self.get(instance, name) {
            global.set(&mut self.store, give(value)).expect("mutable");
        }
    }

    fn memory(&mut self, instance: usize, name: &str) -> Option<blake3::Hash> {
        let Extern::Memory(memory) = self.get(instance, name)? else {
            return None;
        };
        Some(blake3::hash(memory.data(&self.store)))
    }
}
