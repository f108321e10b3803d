//! Engines behind one face, and metered calls on them.

mod cranelift;
mod wasmer;
mod wasmi;
mod wasmtime;

use aivm_abi::TrapCode;
use aivm_gas::{EXIT_EXPORT, ExitCode, GAS_EXPORT, GasSchedule, STACK_EXPORT};

pub use self::wasmer::Wasmer;
pub use self::wasmi::Wasmi;
pub use self::wasmtime::Wasmtime;

/// A value of any engine. Floats are bits, so that NaNs compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(u128),
    /// Whether there is a function.
    Func(bool),
    /// A host's number, unless null.
    Extern(Option<u32>),
}

/// What an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Func,
    Global,
    Memory,
    Table,
}

/// Why an engine did not do as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The module was not compiled.
    Refused(String),
    /// Imports were missing or of another type.
    Link(String),
    /// The sandbox stopped the guest.
    Trap(TrapCode),
    /// Anything else; no test expects it.
    Broken(String),
}

/// A store of an engine: modules, instances and what they share. Modules and instances are
/// named by their number.
pub trait Machine {
    /// Compiles a module.
    fn compile(&mut self, wasm: &[u8]) -> Result<usize, Failure>;
    /// Makes an instance of a module.
    fn instantiate(&mut self, module: usize) -> Result<usize, Failure>;
    /// Lets later instances import what this one exports.
    fn register(&mut self, name: &str, instance: usize);
    /// Lets later instances import the host module of the official test suite.
    fn spectest(&mut self);
    /// Names and kinds of exports.
    fn exports(&mut self, instance: usize) -> Vec<(String, Kind)>;
    /// Arguments for a function, all zero or null.
    fn zeros(&mut self, instance: usize, function: &str) -> Vec<Value>;
    fn call(
        &mut self,
        instance: usize,
        function: &str,
        args: &[Value],
    ) -> Result<Vec<Value>, Failure>;
    fn global(&mut self, instance: usize, name: &str) -> Option<Value>;
    fn set_global(&mut self, instance: usize, name: &str, value: Value);
    /// BLAKE3 of an exported memory's length and bytes.
    fn memory(&mut self, instance: usize, name: &str) -> Option<blake3::Hash>;
}

/// How a metered call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Results, and gas used.
    Returned(Vec<Value>, i64),
    Trapped(TrapCode),
}

/// Words of logical stack that calls get.
fn stack_words() -> u32 {
    GasSchedule::v1().limits.stack_words
}

/// The native stack that the VM gives to that many words: it must suffice.
fn native_stack() -> usize {
    stack_words() as usize * 16 + (256 << 10)
}

/// Gives an instance gas and stack.
pub fn fuel(machine: &mut dyn Machine, instance: usize, gas: i64) {
    let words = i64::from(stack_words());
    machine.set_global(instance, GAS_EXPORT, Value::I64(gas));
    machine.set_global(instance, STACK_EXPORT, Value::I64(words));
    machine.set_global(instance, EXIT_EXPORT, Value::I32(0));
}

/// Calls a function of an instrumented module that was given `gas` by [`fuel`].
pub fn call(
    machine: &mut dyn Machine,
    instance: usize,
    function: &str,
    args: &[Value],
    gas: i64,
) -> Result<Outcome, Failure> {
    let trap = match machine.call(instance, function, args) {
        Ok(values) => {
            let Some(Value::I64(left)) = machine.global(instance, GAS_EXPORT) else {
                return Err(Failure::Broken("no gas global".to_owned()));
            };
            return Ok(Outcome::Returned(values, gas - left));
        }
        Err(Failure::Trap(trap)) => trap,
        Err(other) => return Err(other),
    };
    let exit = match machine.global(instance, EXIT_EXPORT) {
        Some(Value::I32(code)) => ExitCode::from_code(code),
        _ => None,
    };
    Ok(Outcome::Trapped(match (trap, exit) {
        (TrapCode::Unreachable, Some(ExitCode::OutOfGas)) => TrapCode::OutOfGas,
        (TrapCode::Unreachable, Some(ExitCode::StackLimit)) => TrapCode::StackLimit,
        (TrapCode::Unreachable, Some(ExitCode::MemoryLimit)) => TrapCode::MemoryLimit,
        (trap, _) => trap,
    }))
}

/// Runs a test on a thread whose stack suffices for engines that run Wasm on it.
pub fn with_stack<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(32 << 20)
            .spawn_scoped(scope, test)
            .expect("a thread")
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
