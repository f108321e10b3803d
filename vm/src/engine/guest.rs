//! A running instance as the glue code sees it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aivm_abi::{Exit, FuncId, Guest, TrapCode};
use aivm_gas::ExitCode;
use wasmer::{AsStoreMut, FunctionEnvMut, Global, Memory, RuntimeError, TypedFunction, Value};

use crate::error::Error;
use crate::exec::Frame;

/// The frame that an instance runs for.
#[derive(Clone, Copy)]
pub(super) struct FramePointer(*mut Frame<'static, 'static>);

// SAFETY: an instance runs on the thread that made it and is dropped there; the engine
// asks for `Send` because a store could be moved.
unsafe impl Send for FramePointer {}

impl FramePointer {
    /// Forgets the lifetimes of a frame.
    ///
    /// # Safety
    /// The pointer must not be used after the borrow ends, and while it is in use the
    /// frame must not be reached in any other way.
    pub unsafe fn new(frame: &mut Frame<'_, '_>) -> Self {
        let pointer: *mut Frame<'_, '_> = frame;
        Self(pointer.cast())
    }
}

/// Allocator of the guest: old pointer, old size, alignment, new size.
pub(super) type Realloc = TypedFunction<(i32, i32, i32, i32), i32>;

/// The globals that instrumentation added.
#[derive(Clone)]
pub(super) struct Globals {
    pub gas: Global,
    pub stack: Global,
    pub exit: Global,
}

/// What host functions find in the store.
pub(super) struct Env {
    pub frame: FramePointer,
    pub memory: Option<Memory>,
    pub realloc: Option<Realloc>,
    pub globals: Option<Globals>,
    /// True while the host runs the guest's allocator, which may not call imports: it
    /// could recurse through them without end.
    pub allocating: bool,
    /// Why a host function stopped the guest.
    pub exit: Option<Exit>,
    /// Index of the export that runs, when an inspector wants to know where the guest stands.
    pub entry: Option<u32>,
}

/// Tells the engine to unwind; the reason lies in [`Env::exit`].
#[derive(Debug, thiserror::Error)]
#[error("stopped by the host")]
pub(super) struct Stopped;

/// A running instance.
pub(super) struct Instance<'s>(FunctionEnvMut<'s, Env>);

fn missing() -> Exit {
    Exit::host(Error::Engine("an export is missing".to_owned()))
}

impl<'s> Instance<'s> {
    pub fn new(env: FunctionEnvMut<'s, Env>) -> Self {
        Self(env)
    }

    pub fn frame(&mut self) -> &mut Frame<'static, 'static> {
        // SAFETY: `run` holds the one mutable borrow of the frame for as long as the
        // store lives, and hands it to nobody else; the borrow given here ends before
        // the next one starts because it borrows `self`.
        unsafe { &mut *self.0.data().frame.0 }
    }

    /// Index of the export that runs, if somebody wants to know.
    pub fn entry_index(&self) -> Option<u32> {
        self.0.data().entry
    }

    fn globals(&self) -> Result<Globals, Exit> {
        self.0.data().globals.clone().ok_or_else(missing)
    }

    /// Copies the guest's gas into the frame.
    pub fn gas_from_guest(&mut self) -> Result<(), Exit> {
        let globals = self.globals()?;
        let gas = match globals.gas.get(&mut self.0) {
            Value::I64(gas) => gas.cast_unsigned(),
            _ => return Err(missing()),
        };
        self.frame().gas = gas;
        Ok(())
    }

    /// Copies the frame's gas into the guest.
    pub fn gas_to_guest(&mut self) -> Result<(), Exit> {
        let gas = Value::I64(self.frame().gas.cast_signed());
        let globals = self.globals()?;
        globals.gas.set(&mut self.0, gas).map_err(engine_error)
    }

    /// Why the guest was stopped.
    pub fn reason(&mut self, error: RuntimeError) -> Exit {
        if let Some(exit) = self.0.data_mut().exit.take() {
            return exit;
        }
        self.places_of(&error);
        let message = error.message();
        let code = match error.to_trap() {
            Some(wasmer_trap) => trap_code(wasmer_trap),
            None => None,
        };
        match code {
            Some(TrapCode::Unreachable) => match self.exit_code() {
                Ok(code) => Exit::Trap(code.unwrap_or(TrapCode::Unreachable)),
                Err(exit) => exit,
            },
            Some(code) => Exit::Trap(code),
            None => Exit::host(Error::Engine(message)),
        }
    }

    /// What instrumentation wrote before it stopped the guest.
    fn exit_code(&mut self) -> Result<Option<TrapCode>, Exit> {
        let globals = self.globals()?;
        let Value::I32(code) = globals.exit.get(&mut self.0) else {
            return Err(missing());
        };
        Ok(match ExitCode::from_code(code) {
            Some(ExitCode::OutOfGas) => Some(TrapCode::OutOfGas),
            Some(ExitCode::StackLimit) => Some(TrapCode::StackLimit),
            Some(ExitCode::MemoryLimit) => Some(TrapCode::MemoryLimit),
            _ => None,
        })
    }

    fn allocate(&mut self, align: u32, size: u32) -> Result<u32, Exit> {
        let realloc = self.0.data().realloc.clone().ok_or_else(missing)?;
        let globals = self.globals()?;
        let stack = globals.stack.get(&mut self.0);
        self.gas_to_guest()?;
        self.0.data_mut().allocating = true;
        let (align, size) = (align.cast_signed(), size.cast_signed());
        let result = realloc.call(&mut self.0.as_store_mut(), 0, 0, align, size);
        self.0.data_mut().allocating = false;
        let pointer = result.map_err(|error| self.reason(error))?;
        self.gas_from_guest()?;
        globals
            .stack
            .set(&mut self.0, stack)
            .map_err(engine_error)?;
        Ok(pointer.cast_unsigned())
    }
}

impl Guest for Instance<'_> {
    // The lifetimes are forgotten in `FramePointer`; host functions keep nothing.
    type Host = Frame<'static, 'static>;

    fn parts(&mut self) -> Result<(&mut [u8], &mut Self::Host), Exit> {
        let (env, store) = self.0.data_and_store_mut();
        let memory = env.memory.as_ref().ok_or_else(missing)?;
        let view = memory.view(&store);
        let (base, length) = (view.data_ptr(), view.data_size());
        // SAFETY: the view spans the guest's accessible memory, which moves or grows only
        // when guest code runs; `self` is borrowed until the slice is gone, so none does.
        let bytes = unsafe { std::slice::from_raw_parts_mut(base, length as usize) };
        // SAFETY: as in `frame`.
        let frame = unsafe { &mut *env.frame.0 };
        Ok((bytes, frame))
    }

    fn realloc(&mut self, align: u32, size: u32) -> Result<u32, Exit> {
        self.allocate(align, size)
    }
}

/// Runs one host function: gas in, gas out, and no panic gets past.
pub(super) fn enter<R>(
    mut env: FunctionEnvMut<'_, Env>,
    func: FuncId,
    body: impl FnOnce(&mut Instance<'_>) -> Result<R, Exit>,
) -> Result<R, Stopped> {
    let allocating = env.data().allocating;
    let mut instance = Instance(env.as_mut());
    let result = catch_unwind(AssertUnwindSafe(|| {
        if allocating {
            return Err(Exit::Trap(TrapCode::Protocol));
        }
        instance.gas_from_guest()?;
        let before = instance.frame().gas;
        instance.places_of_call();
        let result = body(&mut instance)?;
        let frame = instance.frame();
        let gas = before.saturating_sub(frame.gas);
        if let Some(inspector) = &mut frame.tx.inspector {
            inspector.host_call(func, gas);
        }
        instance.gas_to_guest()?;
        Ok(result)
    }));
    let exit = match result {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(exit)) => exit,
        Err(panic) => Exit::host(Error::HostPanic(panic_text(panic.as_ref()))),
    };
    env.data_mut().exit = Some(exit);
    Err(Stopped)
}

/// The message of a panic.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "unknown".to_owned()
    }
}

pub(super) fn engine_error(error: impl std::fmt::Display) -> Exit {
    Exit::host(Error::Engine(error.to_string()))
}

/// The consensus code of an engine trap. None for those that must not happen: a native
/// stack overflow comes at a depth that depends on the compiler.
pub(super) fn trap_code(trap: wasmer::sys::vm::TrapCode) -> Option<TrapCode> {
    use wasmer::sys::vm::TrapCode as Engine;
    Some(match trap {
        Engine::HeapAccessOutOfBounds => TrapCode::OutOfBoundsMemory,
        Engine::TableAccessOutOfBounds => TrapCode::OutOfBoundsTable,
        Engine::IndirectCallToNull => TrapCode::IndirectCallNull,
        Engine::BadSignature => TrapCode::IndirectCallType,
        Engine::IntegerOverflow => TrapCode::IntegerOverflow,
        Engine::IntegerDivisionByZero => TrapCode::DivisionByZero,
        Engine::BadConversionToInteger => TrapCode::BadConversion,
        Engine::UnreachableCodeReached => TrapCode::Unreachable,
        _ => return None,
    })
}
