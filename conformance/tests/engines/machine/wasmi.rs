//! wasmi, an interpreter.

use aivm_abi::TrapCode;
use wasmi::errors::{ErrorKind, InstantiationError};
use wasmi::{
    Config, Engine, Error, Extern, ExternRef, ExternType, Func, Global, Instance, Linker, Memory,
    MemoryType, Module, Mutability, Nullable, Ref, RefType, Store, Table, TableType, Val,
};

use super::{Failure, Kind, Machine, Value};

pub struct Wasmi {
    store: Store<()>,
    linker: Linker<()>,
    modules: Vec<Module>,
    instances: Vec<Instance>,
}

impl Wasmi {
    pub fn new() -> Self {
        let mut config = Config::default();
        // The logical stack must end first.
        config
            .set_max_recursion_depth(1 << 20)
            .set_max_stack_height(256 << 20);
        let engine = Engine::new(&config);
        let mut linker = Linker::new(&engine);
        linker.allow_shadowing(true);
        Self {
            store: Store::new(&engine, ()),
            linker,
            modules: Vec::new(),
            instances: Vec::new(),
        }
    }

    fn give(&mut self, value: Value) -> Val {
        match value {
            Value::I32(v) => Val::I32(v),
            Value::I64(v) => Val::I64(v),
            Value::F32(v) => Val::F32(f32::from_bits(v).into()),
            Value::F64(v) => Val::F64(f64::from_bits(v).into()),
            Value::V128(v) => Val::V128(v.into()),
            Value::Func(_) => Val::FuncRef(Nullable::Null),
            Value::Extern(None) => Val::ExternRef(Nullable::Null),
            Value::Extern(Some(v)) => {
                Val::ExternRef(Nullable::Val(ExternRef::new(&mut self.store, v)))
            }
        }
    }

    fn take(&self, value: &Val) -> Value {
        match value {
            Val::I32(v) => Value::I32(*v),
            Val::I64(v) => Value::I64(*v),
            Val::F32(v) => Value::F32(v.to_bits()),
            Val::F64(v) => Value::F64(v.to_bits()),
            Val::V128(v) => Value::V128(v.as_u128()),
            Val::FuncRef(v) => Value::Func(!v.is_null()),
            Val::ExternRef(v) => Value::Extern(v.val().map(|v| {
                let data = v.data(&self.store);
                *data.downcast_ref::<u32>().expect("a number")
            })),
        }
    }

    fn get(&self, instance: usize, name: &str) -> Option<Extern> {
        self.instances[instance].get_export(&self.store, name)
    }
}

fn trap(error: &Error) -> Failure {
    use wasmi::TrapCode as T;
    Failure::Trap(match error.as_trap_code() {
        Some(T::MemoryOutOfBounds) => TrapCode::OutOfBoundsMemory,
        Some(T::TableOutOfBounds) => TrapCode::OutOfBoundsTable,
        Some(T::IndirectCallToNull) => TrapCode::IndirectCallNull,
        Some(T::BadSignature) => TrapCode::IndirectCallType,
        Some(T::IntegerOverflow) => TrapCode::IntegerOverflow,
        Some(T::IntegerDivisionByZero) => TrapCode::DivisionByZero,
        Some(T::BadConversionToInteger) => TrapCode::BadConversion,
        Some(T::UnreachableCodeReached) => TrapCode::Unreachable,
        _ => return Failure::Broken(error.to_string()),
    })
}

impl Machine for Wasmi {
    fn compile(&mut self, wasm: &[u8]) -> Result<usize, Failure> {
        let module = Module::new(self.store.engine(), wasm);
        self.modules
            .push(module.map_err(|error| Failure::Refused(error.to_string()))?);
        Ok(self.modules.len() - 1)
    }

    fn instantiate(&mut self, module: usize) -> Result<usize, Failure> {
        let instance = self
            .linker
            .instantiate_and_start(&mut self.store, &self.modules[module]);
        self.instances
            .push(instance.map_err(|error| match error.kind() {
                ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit {
                    ..
                }) => Failure::Trap(TrapCode::OutOfBoundsTable),
                _ if error.as_trap_code().is_some() => trap(&error),
                _ => Failure::Link(error.to_string()),
            })?);
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
        for (name, value) in [
            ("global_i32", Val::I32(666)),
            ("global_i64", Val::I64(666)),
            ("global_f32", Val::F32(666.6_f32.into())),
            ("global_f64", Val::F64(666.6_f64.into())),
        ] {
            let global = Global::new(&mut *store, value, Mutability::Const);
            items.push((name, global.into()));
        }
        let table = TableType::new(RefType::Func, 10, Some(20));
        let table = Table::new(&mut *store, table, Ref::null(RefType::Func)).expect("a table");
        items.push(("table", table.into()));
        let memory = Memory::new(&mut *store, MemoryType::new(1, Some(2))).expect("a memory");
        items.push(("memory", memory.into()));
        for (name, item) in items {
            self.linker
                .define(module, name, item)
                .expect("shadowing is allowed");
        }
    }

    fn exports(&mut self, instance: usize) -> Vec<(String, Kind)> {
        let exports = self.instances[instance].exports(&self.store);
        exports
            .map(|export| {
                let kind = match export.ty(&self.store) {
                    ExternType::Func(_) => Kind::Func,
                    ExternType::Global(_) => Kind::Global,
                    ExternType::Memory(_) => Kind::Memory,
                    ExternType::Table(_) => Kind::Table,
                };
                (export.name().to_owned(), kind)
            })
            .collect()
    }

    fn zeros(&mut self, instance: usize, function: &str) -> Vec<Value> {
        let function = self.instances[instance].get_func(&self.store, function);
        let ty = function.expect("a function").ty(&self.store);
        let zero = |ty: &wasmi::ValType| self.take(&Val::default_for_ty(*ty));
        ty.params().iter().map(zero).collect()
    }

    fn call(
        &mut self,
        instance: usize,
        function: &str,
        args: &[Value],
    ) -> Result<Vec<Value>, Failure> {
        let args: Vec<Val> = args.iter().map(|arg| self.give(*arg)).collect();
        let function = self.instances[instance]
            .get_func(&self.store, function)
            .ok_or_else(|| Failure::Broken(format!("no function {function}")))?;
        let ty = function.ty(&self.store);
        let results = ty.results().iter();
        let mut results: Vec<Val> = results.map(|ty| Val::default_for_ty(*ty)).collect();
        function
            .call(&mut self.store, &args, &mut results)
            .map_err(|error| trap(&error))?;
        Ok(results.iter().map(|value| self.take(value)).collect())
    }

    fn global(&mut self, instance: usize, name: &str) -> Option<Value> {
        let Extern::Global(global) = self.get(instance, name)? else {
            return None;
        };
        Some(self.take(&global.get(&self.store)))
    }

    fn set_global(&mut self, instance: usize, name: &str, value: Value) {
        let value = self.give(value);
        if let Some(Extern::Global(global)) = self.get(instance, name) {
            global.set(&mut self.store, value).expect("mutable");
        }
    }

    fn memory(&mut self, instance: usize, name: &str) -> Option<blake3::Hash> {
        let Extern::Memory(memory) = self.get(instance, name)? else {
            return None;
        };
        Some(blake3::hash(memory.data(&self.store)))
    }
}
