//! One entry into one fresh instance.

use aivm_abi::export::{MEMORY, Output, REALLOC, lift_output, lower_input};
use aivm_abi::receipt::Status;
use aivm_abi::{Exit, TrapCode};
use aivm_gas::{EXIT_EXPORT, GAS_EXPORT, STACK_EXPORT};
use wasmer::{FunctionEnv, Instance as Module, InstantiationError, Store, TypedFunction, Value};

use super::compile::Compiled;
use super::guest::{Env, FramePointer, Globals, Instance, engine_error, trap_code};
use super::{imports, places};
use crate::exec::Frame;

/// Which export runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Construct,
    Call,
    Query,
}

impl Entry {
    pub fn name(self) -> &'static str {
        match self {
            Self::Construct => "construct",
            Self::Call => "call",
            Self::Query => "query",
        }
    }
}

/// What a contract's run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Return(Vec<u8>),
    Revert(Vec<u8>),
    Trap(TrapCode),
}

impl Outcome {
    pub fn status(&self) -> Status {
        match self {
            Self::Return(_) => Status::Return,
            Self::Revert(_) => Status::Revert,
            Self::Trap(code) => Status::Trap(*code),
        }
    }

    /// Return or revert data.
    pub fn data(&self) -> &[u8] {
        match self {
            Self::Return(data) | Self::Revert(data) => data,
            Self::Trap(_) => &[],
        }
    }
}

/// Runs an export of a fresh instance on behalf of `frame`, whose gas it spends.
///
/// # Errors
/// Everything but a return or revert by the export's own result.
pub(crate) fn run(
    compiled: &Compiled,
    frame: &mut Frame<'_, '_>,
    entry: Entry,
    input: &[u8],
) -> Result<Outcome, Exit> {
    let stack = frame.tx.active.schedule.limits.stack_words;
    let output_limit = frame.tx.active.schedule.call.max_output_bytes;
    let watched = frame.tx.inspector.is_some();
    let entry_index = watched.then(|| places::exported(&compiled.module, entry.name()));
    // SAFETY: `frame` stays mutably borrowed by this function, which reaches it only
    // through the store; the store is dropped before the function returns.
    let pointer = unsafe { FramePointer::new(frame) };
    let mut store = Store::new(compiled.engine.clone());
    let env = FunctionEnv::new(
        &mut store,
        Env {
            frame: pointer,
            memory: None,
            realloc: None,
            globals: None,
            allocating: false,
            exit: None,
            entry: None,
        },
    );
    let externs = imports::functions(&mut store, &env, &compiled.imports);
    let module =
        Module::new_by_index(&mut store, &compiled.module, &externs).map_err(instantiation)?;
    let exports = &module.exports;
    let memory = exports.get_memory(MEMORY).map_err(engine_error)?.clone();
    let realloc = exports
        .get_typed_function(&store, REALLOC)
        .map_err(engine_error)?;
    let function: TypedFunction<(i32, i32), i32> = exports
        .get_typed_function(&store, entry.name())
        .map_err(engine_error)?;
    let global = |name| exports.get_global(name).cloned().map_err(engine_error);
    let globals = Globals {
        gas: global(GAS_EXPORT)?,
        stack: global(STACK_EXPORT)?,
        exit: global(EXIT_EXPORT)?,
    };
    let words = match globals.stack.ty(&store).ty {
        wasmer::Type::I32 => Value::I32(stack.cast_signed()),
        _ => Value::I64(i64::from(stack)),
    };
    globals.stack.set(&mut store, words).map_err(engine_error)?;
    let data = env.as_mut(&mut store);
    data.memory = Some(memory);
    data.realloc = Some(realloc);
    data.globals = Some(globals);
    data.entry = entry_index.flatten();

    let mut instance = Instance::new(env.clone().into_mut(&mut store));
    let (address, length) = lower_input(&mut instance, input)?;
    instance.gas_to_guest()?;
    let (address, length) = (address.cast_signed(), length.cast_signed());
    let called = function.call(&mut store, address, length);
    let mut instance = Instance::new(env.into_mut(&mut store));
    let pointer = match called {
        Ok(pointer) => pointer.cast_unsigned(),
        Err(error) => return Err(instance.reason(error)),
    };
    instance.gas_from_guest()?;
    Ok(match lift_output(&mut instance, pointer, output_limit)? {
        Output::Return(data) => Outcome::Return(data),
        Output::Revert(data) => Outcome::Revert(data),
    })
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
