//! A running instance as the glue code sees it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use aivm_abi::{Exit, FuncId, Guest, TrapCode};
use aivm_gas::ExitCode;
use wasmer::RuntimeError;
use wasmer::sys::vm::{
    Trap, VMCallerCheckedAnyfunc, VMConfig, VMGlobalDefinition, VMMemoryDefinition, on_host_stack,
    raise_user_trap, wasmer_call_trampoline,
};

use crate::error::Error;
use crate::exec::Frame;

/// An exported function.
#[derive(Clone, Copy)]
pub(super) struct Callee(pub VMCallerCheckedAnyfunc);

impl Callee {
    /// Calls the function.
    ///
    /// # Safety
    /// The instance must be alive, the function take these parameters and give an `i32`.
    unsafe fn call<const N: usize>(
        &self,
        config: &VMConfig,
        arguments: [i32; N],
    ) -> Result<i32, Trap> {
        const { assert!(N > 0, "the result needs a place") };
        let mut values = arguments.map(|argument| {
            let mut value = VMGlobalDefinition::new();
            value.val.i32 = argument;
            value
        });
        let Self(function) = self;
        // SAFETY: the caller vouches for instance and signature. A value of a global is
        // what the trampoline reads and writes, and there is at least one.
        unsafe {
            wasmer_call_trampoline(
                None,
                config,
                function.vmctx,
                function.call_trampoline,
                function.func_ptr,
                values.as_mut_ptr().cast(),
            )?;
            Ok(values[0].val.i32)
        }
    }
}

/// What host functions find: the one who runs, and the places in the instance that both
/// sides look at.
pub(super) struct Env {
    /// Null between calls.
    pub frame: *mut Frame<'static, 'static>,
    pub gas: NonNull<VMGlobalDefinition>,
    pub stack: NonNull<VMGlobalDefinition>,
    pub exit: NonNull<VMGlobalDefinition>,
    pub memory: NonNull<VMMemoryDefinition>,
    /// Allocator of the guest: old pointer, old size, alignment, new size.
    pub realloc: Callee,
    pub config: VMConfig,
    /// True while the host runs the guest's allocator, which may not call imports: it
    /// could recurse through them without end.
    pub allocating: bool,
    /// Why a host function stopped the guest.
    pub stopped: Option<Exit>,
    /// Index of the export that runs, when an inspector may want to know where the guest stands.
    pub entry: Option<u32>,
}

/// Tells the engine to unwind; the reason lies in [`Env::stopped`].
#[derive(Debug, thiserror::Error)]
#[error("stopped by the host")]
struct Stopped;

/// An instance that runs for a frame.
pub(super) struct Running(NonNull<Env>);

impl Running {
    /// # Safety
    /// `env` must be that of a live instance, and its frame valid and reached in no other
    /// way while this value and those made from the same `env` are in use. Of those, only
    /// the one made last may be used; the others wait for it in host calls.
    pub unsafe fn new(env: NonNull<Env>) -> Self {
        Self(env)
    }

    fn env(&mut self) -> &mut Env {
        // SAFETY: as promised to `new`; the borrow ends before guest code runs.
        unsafe { self.0.as_mut() }
    }

    pub fn frame(&mut self) -> &mut Frame<'static, 'static> {
        // SAFETY: as promised to `new`.
        unsafe { &mut *self.env().frame }
    }

    /// Index of the export that runs, if somebody may want to know.
    pub fn entry_index(&mut self) -> Option<u32> {
        self.env().entry
    }

    /// Copies the guest's gas into the frame.
    pub fn gas_from_guest(&mut self) {
        // SAFETY: the global lives in the instance, whose code does not run now; it is an
        // `i64`.
        let gas = unsafe { self.env().gas.as_ref().val.u64 };
        self.frame().gas = gas;
    }

    /// Copies the frame's gas into the guest.
    pub fn gas_to_guest(&mut self) {
        let gas = self.frame().gas;
        // SAFETY: as in `gas_from_guest`.
        unsafe { self.env().gas.as_mut().val.u64 = gas };
    }

    /// Calls an exported function of the guest with the gas of the frame, and takes back
    /// what is left.
    ///
    /// # Safety
    /// The function must be one of the instance, take `N` numbers and give one.
    pub unsafe fn call<const N: usize>(
        &mut self,
        function: Callee,
        arguments: [i32; N],
    ) -> Result<u32, Exit> {
        self.gas_to_guest();
        let config = VMConfig {
            wasm_stack_size: self.env().config.wasm_stack_size,
        };
        // SAFETY: the caller vouches for the signature; the instance is alive.
        let result = unsafe { function.call(&config, arguments) };
        match result {
            Ok(value) => {
                self.gas_from_guest();
                Ok(value.cast_unsigned())
            }
            Err(trap) => Err(self.reason(trap)),
        }
    }

    /// Calls an exported function that takes and gives nothing, as [`call`](Self::call) does.
    ///
    /// # Safety
    /// The function must be one of the instance, without parameters and results.
    pub unsafe fn call_plain(&mut self, function: Callee) -> Result<(), Exit> {
        // SAFETY: the caller vouches for the signature; the one place is looked at by nobody.
        unsafe { self.call(function, [0]) }.map(drop)
    }

    /// Why the guest was stopped.
    fn reason(&mut self, trap: Trap) -> Exit {
        if let Some(exit) = self.env().stopped.take() {
            return exit;
        }
        let error = RuntimeError::from(trap);
        self.places_of(&error);
        let message = error.message();
        match error.to_trap().and_then(trap_code) {
            Some(TrapCode::Unreachable) => Exit::Trap(self.exit_code()),
            Some(code) => Exit::Trap(code),
            None => engine_error(message),
        }
    }

    /// What instrumentation wrote before it stopped the guest.
    fn exit_code(&mut self) -> TrapCode {
        // SAFETY: as in `gas_from_guest`; the global is an `i32`.
        let code = unsafe { self.env().exit.as_ref().val.i32 };
        match ExitCode::from_code(code) {
            Some(ExitCode::OutOfGas) => TrapCode::OutOfGas,
            Some(ExitCode::StackLimit) => TrapCode::StackLimit,
            Some(ExitCode::MemoryLimit) => TrapCode::MemoryLimit,
            _ => TrapCode::Unreachable,
        }
    }
}

impl Guest for Running {
    // The lifetimes are forgotten when a frame begins; host functions keep nothing.
    type Host = Frame<'static, 'static>;

    #[inline]
    fn parts(&mut self) -> Result<(&mut [u8], &mut Self::Host), Exit> {
        let env = self.env();
        // SAFETY: the definition lives in the instance and spans the guest's accessible
        // memory, which moves or grows only when guest code runs; `self` is borrowed until
        // the slice is gone, so none does. The frame is no part of it.
        unsafe {
            let memory = env.memory.as_ref();
            let bytes = std::slice::from_raw_parts_mut(memory.base, memory.current_length);
            Ok((bytes, &mut *env.frame))
        }
    }

    fn realloc(&mut self, align: u32, size: u32) -> Result<u32, Exit> {
        let realloc = self.env().realloc;
        // SAFETY: the global lives in the instance, whose code does not run now.
        let stack = unsafe { self.env().stack.as_ref().clone() };
        self.env().allocating = true;
        let arguments = [0, 0, align.cast_signed(), size.cast_signed()];
        // SAFETY: the type of the allocator was checked when the instance was made.
        let result = unsafe { self.call(realloc, arguments) };
        self.env().allocating = false;
        // SAFETY: as above. The allocator began on top of what the guest had used.
        unsafe { *self.env().stack.as_mut() = stack };
        result
    }
}

/// What compiled code calls: leaves its stack, runs the host function and comes back with
/// the result, or does not come back.
///
/// # Safety
/// Only compiled code may call it, of the instance that `env` belongs to.
#[inline]
pub(super) unsafe fn host_call<R>(
    env: NonNull<Env>,
    func: FuncId,
    body: impl FnOnce(&mut Running) -> Result<R, Exit>,
) -> R {
    // SAFETY: the instance runs, so it is alive and has a frame; whoever called the guest
    // waits until it is back.
    let result = on_host_stack(|| enter(unsafe { Running::new(env) }, func, body));
    match result {
        Ok(value) => value,
        // SAFETY: below is compiled code, and nothing here is left to be dropped.
        Err(stopped) => unsafe { raise_user_trap(Box::new(stopped)) },
    }
}

/// Runs one host function: gas in, gas out, and no panic gets past.
#[inline]
fn enter<R>(
    mut guest: Running,
    func: FuncId,
    body: impl FnOnce(&mut Running) -> Result<R, Exit>,
) -> Result<R, Stopped> {
    let result = catch_unwind(AssertUnwindSafe(|| {
        if guest.env().allocating {
            return Err(Exit::Trap(TrapCode::Protocol));
        }
        guest.gas_from_guest();
        let before = guest.frame().gas;
        if guest.frame().tx.inspector.is_some() {
            guest.places_of_call();
        }
        let result = body(&mut guest)?;
        let frame = guest.frame();
        if let Some(inspector) = &mut frame.tx.inspector {
            inspector.host_call(func, before.saturating_sub(frame.gas));
        }
        guest.gas_to_guest();
        Ok(result)
    }));
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(exit)) => Err(stop(&mut guest, exit)),
        Err(panic) => {
            let text = panic_text(panic.as_ref());
            Err(stop(&mut guest, Exit::host(Error::HostPanic(text))))
        }
    }
}

#[cold]
fn stop(guest: &mut Running, exit: Exit) -> Stopped {
    guest.env().stopped = Some(exit);
    Stopped
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
