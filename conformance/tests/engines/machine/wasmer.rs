//! wasmer with Cranelift, with the settings of the VM.

use aivm_abi::TrapCode;
use wasmer::{
    Engine, Extern, ExternRef, ExternType, Function, Global, Imports, Instance, InstantiationError,
    Memory, MemoryType, Module, RuntimeError, Store, Table, TableType, Type,
};

use super::cranelift::engine;
use super::{Failure, Kind, Machine, Value, native_stack};

pub struct Wasmer {
    engine: Engine,
    store: Store,
    imports: Imports,
    modules: Vec<Module>,
    instances: Vec<Instance>,
}

impl Wasmer {
    pub fn new() -> Self {
        let engine = engine();
        // For the whole process, but the same for all.
        wasmer::sys::vm::set_stack_size(native_stack());
        Self {
            store: Store::new(engine.clone()),
            engine,
            imports: Imports::new(),
            modules: Vec::new(),
            instances: Vec::new(),
        }
    }

    fn give(&mut self, value: Value) -> wasmer::Value {
        match value {
            Value::I32(v) => wasmer::Value::I32(v),
            Value::I64(v) => wasmer::Value::I64(v),
            Value::F32(v) => wasmer::Value::F32(f32::from_bits(v)),
            Value::F64(v) => wasmer::Value::F64(f64::from_bits(v)),
            Value::V128(v) => wasmer::Value::V128(v),
            Value::Func(_) => wasmer::Value::FuncRef(None),
            Value::Extern(v) => {
                wasmer::Value::ExternRef(v.map(|v| ExternRef::new(&mut self.store, v)))
            }
        }
    }

    fn take(&self, value: &wasmer::Value) -> Value {
        match value {
            wasmer::Value::I32(v) => Value::I32(*v),
            wasmer::Value::I64(v) => Value::I64(*v),
            wasmer::Value::F32(v) => Value::F32(v.to_bits()),
            wasmer::Value::F64(v) => Value::F64(v.to_bits()),
            wasmer::Value::V128(v) => Value::V128(*v),
            wasmer::Value::FuncRef(v) => Value::Func(v.is_some()),
            wasmer::Value::ExternRef(v) => Value::Extern(
                v.as_ref()
                    .map(|v| *v.downcast::<u32>(&self.store).expect("a number")),
            ),
            wasmer::Value::ExceptionRef(_) => unreachable!("exceptions are off"),
        }
    }

    fn get(&self, instance: usize, name: &str) -> Option<Extern> {
        self.instances[instance].exports.get_extern(name).cloned()
    }

    fn function(&self, instance: usize, name: &str) -> Option<Function> {
        match self.get(instance, name) {
            Some(Extern::Function(function)) => Some(function),
            _ => None,
        }
    }
}

fn trap(error: RuntimeError) -> Failure {
    use wasmer::sys::vm::TrapCode as T;
    let message = error.message();
    Failure::Trap(match error.to_trap() {
        Some(T::HeapAccessOutOfBounds) => TrapCode::OutOfBoundsMemory,
        Some(T::TableAccessOutOfBounds) => TrapCode::OutOfBoundsTable,
        Some(T::IndirectCallToNull) => TrapCode::IndirectCallNull,
        Some(T::BadSignature) => TrapCode::IndirectCallType,
        Some(T::IntegerOverflow) => TrapCode::IntegerOverflow,
        Some(T::IntegerDivisionByZero) => TrapCode::DivisionByZero,
        Some(T::BadConversionToInteger) => TrapCode::BadConversion,
        Some(T::UnreachableCodeReached) => TrapCode::Unreachable,
        other => return Failure::Broken(format!("{message}: {other:?}")),
    })
}

impl Machine for Wasmer {
    fn compile(&mut self, wasm: &[u8]) -> Result<usize, Failure> {
        let module =
            Module::new(&self.engine, wasm).map_err(|error| Failure::Refused(error.to_string()))?;
        self.modules.push(module);
        Ok(self.modules.len() - 1)
    }

    fn instantiate(&mut self, module: usize) -> Result<usize, Failure> {
        let instance = Instance::new(&mut self.store, &self.modules[module], &self.imports);
        self.instances.push(instance.map_err(|error| match error {
            InstantiationError::Start(error) => trap(error),
            error => Failure::Link(error.to_string()),
        })?);
        Ok(self.instances.len() - 1)
    }

    fn register(&mut self, name: &str, instance: usize) {
        for (export, item) in self.instances[instance].exports.iter() {
            self.imports.define(name, export, item.clone());
        }
    }

    fn spectest(&mut self) {
        let store = &mut self.store;
        let module = "spectest";
        let imports = &mut self.imports;
        imports.define(module, "print", Function::new_typed(store, || ()));
        imports.define(module, "print_i32", Function::new_typed(store, |_: i32| ()));
        imports.define(module, "print_i64", Function::new_typed(store, |_: i64| ()));
        imports.define(module, "print_f32", Function::new_typed(store, |_: f32| ()));
        imports.define(module, "print_f64", Function::new_typed(store, |_: f64| ()));
        imports.define(
            module,
            "print_i32_f32",
            Function::new_typed(store, |_: i32, _: f32| ()),
        );
        imports.define(
            module,
            "print_f64_f64",
            Function::new_typed(store, |_: f64, _: f64| ()),
        );
        for (name, value) in [
            ("global_i32", wasmer::Value::I32(666)),
            ("global_i64", wasmer::Value::I64(666)),
            ("global_f32", wasmer::Value::F32(666.6)),
            ("global_f64", wasmer::Value::F64(666.6)),
        ] {
            imports.define(module, name, Global::new(store, value));
        }
        let table = TableType::new(Type::FuncRef, 10, Some(20));
        let table = Table::new(store, table, wasmer::Value::FuncRef(None)).expect("a table");
        imports.define(module, "table", table);
        let memory = Memory::new(store, MemoryType::new(1, Some(2), false)).expect("a memory");
        imports.define(module, "memory", memory);
    }

    fn exports(&mut self, instance: usize) -> Vec<(String, Kind)> {
        let exports = self.instances[instance].exports.iter();
        exports
            .map(|(name, item)| {
                let kind = match item.ty(&self.store) {
                    ExternType::Function(_) => Kind::Func,
                    ExternType::Global(_) => Kind::Global,
                    ExternType::Memory(_) => Kind::Memory,
                    ExternType::Table(_) => Kind::Table,
                    ExternType::Tag(_) => unreachable!("exceptions are off"),
                };
                (name.clone(), kind)
            })
            .collect()
    }

    fn zeros(&mut self, instance: usize, function: &str) -> Vec<Value> {
        let function = self.function(instance, function).expect("a function");
        let ty = function.ty(&self.store);
        let zero = |ty: &Type| match ty {
            Type::I32 => Value::I32(0),
            Type::I64 => Value::I64(0),
            Type::F32 => Value::F32(0),
            Type::F64 => Value::F64(0),
            Type::V128 => Value::V128(0),
            Type::FuncRef => Value::Func(false),
            Type::ExternRef => Value::Extern(None),
            Type::ExceptionRef => unreachable!("exceptions are off"),
        };
        ty.params().iter().map(zero).collect()
    }

    fn call(
        &mut self,
        instance: usize,
        function: &str,
        args: &[Value],
    ) -> Result<Vec<Value>, Failure> {
        let args: Vec<wasmer::Value> = args.iter().map(|arg| self.give(*arg)).collect();
        let function = self
            .function(instance, function)
            .ok_or_else(|| Failure::Broken(format!("no function {function}")))?;
        let results = function.call(&mut self.store, &args).map_err(trap)?;
        Ok(results.iter().map(|value| self.take(value)).collect())
    }

    fn global(&mut self, instance: usize, name: &str) -> Option<Value> {
        let Extern::Global(global) = self.get(instance, name)? else {
            return None;
        };
        let value = global.get(&mut self.store);
        Some(self.take(&value))
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
        let bytes = memory.view(&self.store).copy_to_vec().expect("readable");
        Some(blake3::hash(&bytes))
    }
}
