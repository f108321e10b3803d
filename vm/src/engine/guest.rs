//! A running instance as the glue code sees it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use aivm_abi::{Exit, FuncId, Guest, TrapCode};
use aivm_gas::ExitCode;
use wasmer::RuntimeError;
use wasmer::sys::vm::{
    Trap, TrapHandlerFn, VMCallerCheckedAnyfunc, VMConfig, VMGlobalDefinition, VMMemoryDefinition,
    catch_traps, on_host_stack, raise_user_trap,
};
use wasmer_types::RawValue;

use super::written::{FaultHandler, WrittenPages};
use crate::error::Error;
use crate::exec::Frame;

/// An exported function.
#[derive(Clone, Copy)]
pub(super) struct Callee(pub VMCallerCheckedAnyfunc);

impl Callee {
    /// Calls the function, on the stack for guests.
    ///
    /// # Safety
    /// The instance must be alive, and at `values` lie the arguments and room for the result.
    unsafe fn enter(&self, values: *mut RawValue) {
        let Self(function) = self;
        // SAFETY: the caller vouches for the instance, whose functions have contexts of
        // the engine's, and for the values.
        unsafe {
            (function.call_trampoline)(function.vmctx.vmctx, function.func_ptr, values);
        }
    }
}

/// Runs `body` on a stack for guests, from where it may enter them.
///
/// # Safety
/// When a guest traps, what `body` did not drop yet never is. `handler` must be valid.
pub(super) unsafe fn on_guest_stack<F: FnOnce()>(
    config: &VMConfig,
    handler: Option<*const TrapHandlerFn<'static>>,
    body: F,
) -> Result<(), Trap> {
    /// # Safety
    /// `body` must point to an `Option<F>`.
    unsafe fn run<F: FnOnce()>(body: *mut ()) {
        // SAFETY: as the caller promised.
        if let Some(body) = unsafe { (*body.cast::<Option<F>>()).take() } {
            body();
        }
    }
    // The engine wants a closure without borrows, though it is gone when it returns.
    let mut body = Some(body);
    let place: *mut () = (&raw mut body).cast();
    let run: unsafe fn(*mut ()) = run::<F>;
    // SAFETY: the place is valid until the engine returns; the caller knows that a trap
    // skips destructors and vouches for the handler.
    unsafe { catch_traps(handler, config, move || run(place)) }
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
    /// Pages of memory that were written, if that is watched, and what watches them.
    pub written: Option<(Arc<WrittenPages>, FaultHandler)>,
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

impl Env {
    /// Where the engine asks about faults.
    pub fn fault_handler(&self) -> Option<*const TrapHandlerFn<'static>> {
        let (_, handler) = self.written.as_ref()?;
        Some(handler.pointer())
    }
}

/// An instance that runs for a frame.
pub(super) struct Running {
    env: NonNull<Env>,
    /// Whether this runs on the stack for guests itself.
    on_guest_stack: bool,
}

impl Running {
    /// # Safety
    /// `env` must be that of a live instance, and its frame valid and reached in no other
    /// way while this value and those made from the same `env` are in use. Of those, only
    /// the one made last may be used; the others wait for it in host calls.
    pub unsafe fn new(env: NonNull<Env>) -> Self {
        Self {
            env,
            on_guest_stack: false,
        }
    }

    /// As `new`, to be used on the stack for guests, and not by host functions.
    ///
    /// # Safety
    /// As `new`.
    pub unsafe fn new_on_guest_stack(env: NonNull<Env>) -> Self {
        Self {
            env,
            on_guest_stack: true,
        }
    }

    fn env(&mut self) -> &mut Env {
        // SAFETY: as promised to `new`; the borrow ends before guest code runs.
        unsafe { self.env.as_mut() }
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
        const { assert!(N > 0, "the result needs a place") };
        self.gas_to_guest();
        let mut values = arguments.map(|argument| RawValue { i32: argument });
        let place = values.as_mut_ptr();
        if self.on_guest_stack {
            // SAFETY: the caller vouches for the signature; the instance is alive.
            unsafe { function.enter(place) };
        } else {
            let config = VMConfig {
                wasm_stack_size: self.env().config.wasm_stack_size,
            };
            let handler = self.env().fault_handler();
            // SAFETY: as above; the closure drops nothing, and the handler lives as long
            // as the environment.
            let result = unsafe { on_guest_stack(&config, handler, move || function.enter(place)) };
            if let Err(trap) = result {
                return Err(self.reason(trap));
            }
        }
        self.gas_from_guest();
        // SAFETY: the function gave an `i32`, as the caller vouches.
        Ok(unsafe { values[0].i32 }.cast_unsigned())
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
    pub fn reason(&mut self, trap: Trap) -> Exit {
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

    #[inline]
    fn will_write(&mut self, start: usize, length: usize) -> Result<(), Exit> {
        match &self.env().written {
            // A fault would open the pages too, but could not say why when it cannot.
            Some((written, _)) => written.open(start, length).map_err(engine_error),
            None => Ok(()),
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

/// What compiled code calls: leaves its stack, unless the function `stays` on it, runs the
/// host function and comes back with the result, or does not come back.
///
/// # Safety
/// Only compiled code may call it, of the instance that `env` belongs to. A function that
/// stays must need little stack and never enter the guest.
#[inline]
pub(super) unsafe fn host_call<R>(
    env: NonNull<Env>,
    func: FuncId,
    stays: bool,
    body: impl FnOnce(&mut Running) -> Result<R, Exit>,
) -> R {
    // SAFETY: the instance runs, so it is alive and has a frame; whoever called the guest
    // waits until it is back.
    let mut guest = unsafe { Running::new(env) };
    // Nobody knows how much stack an inspector needs.
    let result = if stays && guest.frame().tx.inspector.is_none() {
        enter(guest, func, body)
    } else {
        on_host_stack(|| enter(guest, func, body))
    };
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
