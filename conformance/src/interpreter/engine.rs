//! Instrumented modules on wasmi.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aivm_abi::export::{self, Output, lift_output, lower_input};
use aivm_abi::{Exit, Guest, TrapCode, for_each_import};
use aivm_gas::{EXIT_EXPORT, ExitCode, GAS_EXPORT, GasSchedule, STACK_EXPORT, instrument};
use wasmi::errors::{ErrorKind, InstantiationError};
use wasmi::{
    AsContextMut, Caller, Config, Engine, Error, Func, Global, Instance, Linker, Memory, Module,
    Store, Val,
};

use super::chain::Hash;
use super::frame::{End, Frame};

/// Code by its hash and the schedule's, instrumented.
type Cache = BTreeMap<(Hash, Hash), Arc<Module>>;

/// An engine, its host functions and the modules that it has.
#[derive(Clone)]
pub(super) struct Modules {
    linker: Arc<Linker<Frame>>,
    cache: Cache,
}

impl fmt::Debug for Modules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modules")
            .field("modules", &self.cache.len())
            .finish_non_exhaustive()
    }
}

impl Default for Modules {
    fn default() -> Self {
        let mut config = Config::default();
        // The logical stack must end first.
        config
            .set_max_recursion_depth(1 << 20)
            .set_max_stack_height(256 << 20);
        Self {
            linker: Arc::new(linker(&Engine::new(&config))),
            cache: Cache::new(),
        }
    }
}

impl Modules {
    pub fn engine(&self) -> &Engine {
        self.linker.engine()
    }

    /// A module under a schedule; a trap when the schedule refuses it.
    pub fn get(
        &mut self,
        id: (Hash, Hash),
        wasm: &[u8],
        schedule: &GasSchedule,
    ) -> Result<Arc<Module>, Exit> {
        if let Some(found) = self.cache.get(&id) {
            return Ok(found.clone());
        }
        let metered = instrument(wasm, schedule).map_err(|_| TrapCode::RefusedCode)?;
        let module = Module::new(self.engine(), &metered.wasm).map_err(machine)?;
        let module = Arc::new(module);
        self.cache.insert(id, module.clone());
        Ok(module)
    }
}

/// A store or a caller as the glue sees it, with what the instance exports.
struct Running<C> {
    context: C,
    parts: Parts,
}

#[derive(Clone, Copy)]
struct Parts {
    memory: Memory,
    realloc: Func,
    gas: Global,
    stack: Global,
    exit: Global,
}

impl<C: AsContextMut<Data = Frame>> Running<C> {
    fn gas_to_guest(&mut self) -> Result<(), Exit> {
        let gas = self.context.as_context().data().gas;
        let value = Val::I64(gas.cast_signed());
        let global = self.parts.gas;
        global.set(&mut self.context, value).map_err(machine)
    }

    fn gas_from_guest(&mut self) {
        if let Val::I64(gas) = self.parts.gas.get(&self.context) {
            self.context.as_context_mut().data_mut().gas = gas.cast_unsigned();
        }
    }

    /// Calls a function with the gas of the frame.
    fn enter(
        &mut self,
        function: Func,
        arguments: &[Val],
        results: &mut [Val],
    ) -> Result<(), Exit> {
        self.gas_to_guest()?;
        let ended = function.call(&mut self.context, arguments, results);
        ended.map_err(|error| self.reason(error))?;
        self.gas_from_guest();
        Ok(())
    }

    /// Calls a function that gives an `i32`.
    fn call(&mut self, function: Func, arguments: &[u32]) -> Result<u32, Exit> {
        let arguments: Vec<Val> = arguments
            .iter()
            .map(|argument| Val::I32(argument.cast_signed()))
            .collect();
        let mut results = [Val::I32(0)];
        self.enter(function, &arguments, &mut results)?;
        match results {
            [Val::I32(value)] => Ok(value.cast_unsigned()),
            _ => Err(Exit::host("a result of another type")),
        }
    }

    /// Why the guest was stopped.
    fn reason(&mut self, error: Error) -> Exit {
        let code = match error.as_trap_code() {
            Some(wasmi::TrapCode::UnreachableCodeReached) => match self.exit_code() {
                Some(ExitCode::OutOfGas) => TrapCode::OutOfGas,
                Some(ExitCode::StackLimit) => TrapCode::StackLimit,
                Some(ExitCode::MemoryLimit) => TrapCode::MemoryLimit,
                _ => TrapCode::Unreachable,
            },
            Some(trap) => match trap_code(trap) {
                Some(code) => code,
                None => return machine(error),
            },
            None => {
                return match error.downcast::<Carried>() {
                    Some(Carried(exit)) => exit,
                    None => Exit::host("wasmi failed"),
                };
            }
        };
        code.into()
    }

    fn exit_code(&mut self) -> Option<ExitCode> {
        match self.parts.exit.get(&self.context) {
            Val::I32(code) => ExitCode::from_code(code),
            _ => None,
        }
    }
}

fn machine(error: impl fmt::Display) -> Exit {
    Exit::host(error.to_string())
}

fn trap_code(trap: wasmi::TrapCode) -> Option<TrapCode> {
    use wasmi::TrapCode as T;
    Some(match trap {
        T::MemoryOutOfBounds => TrapCode::OutOfBoundsMemory,
        T::TableOutOfBounds => TrapCode::OutOfBoundsTable,
        T::IndirectCallToNull => TrapCode::IndirectCallNull,
        T::BadSignature => TrapCode::IndirectCallType,
        T::IntegerOverflow => TrapCode::IntegerOverflow,
        T::IntegerDivisionByZero => TrapCode::DivisionByZero,
        T::BadConversionToInteger => TrapCode::BadConversion,
        T::UnreachableCodeReached => TrapCode::Unreachable,
        _ => return None,
    })
}

impl<C: AsContextMut<Data = Frame>> Guest for Running<C> {
    type Host = Frame;

    fn parts(&mut self) -> Result<(&mut [u8], &mut Frame), Exit> {
        Ok(self.parts.memory.data_and_store_mut(&mut self.context))
    }

    fn realloc(&mut self, align: u32, size: u32) -> Result<u32, Exit> {
        let (function, global) = (self.parts.realloc, self.parts.stack);
        let stack = global.get(&self.context);
        self.context.as_context_mut().data_mut().allocating = true;
        let result = self.call(function, &[0, 0, align, size]);
        self.context.as_context_mut().data_mut().allocating = false;
        global.set(&mut self.context, stack).map_err(machine)?;
        result
    }
}

/// Carries an [`Exit`] through the engine.
#[derive(Debug)]
struct Carried(Exit);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl wasmi::errors::HostError for Carried {}

/// Runs one host function: gas in, gas out.
fn host_call<R>(
    caller: Caller<'_, Frame>,
    body: impl FnOnce(&mut Running<Caller<'_, Frame>>) -> Result<R, Exit>,
) -> Result<R, Error> {
    let carried = |exit| Error::host(Carried(exit));
    if caller.data().allocating {
        return Err(carried(TrapCode::Protocol.into()));
    }
    let parts = Parts::new(|name| caller.get_export(name)).map_err(carried)?;
    let mut guest = Running {
        context: caller,
        parts,
    };
    guest.gas_from_guest();
    let result = body(&mut guest).map_err(carried)?;
    guest.gas_to_guest().map_err(carried)?;
    Ok(result)
}

impl Parts {
    fn new(export: impl Fn(&str) -> Option<wasmi::Extern>) -> Result<Self, Exit> {
        let global = |name: &str| export(name).and_then(|e| e.into_global());
        let missing = || Exit::host("an instance without its exports");
        Ok(Self {
            memory: export(export::MEMORY)
                .and_then(|e| e.into_memory())
                .ok_or_else(missing)?,
            realloc: export(export::REALLOC)
                .and_then(|e| e.into_func())
                .ok_or_else(missing)?,
            gas: global(GAS_EXPORT).ok_or_else(missing)?,
            stack: global(STACK_EXPORT).ok_or_else(missing)?,
            exit: global(EXIT_EXPORT).ok_or_else(missing)?,
        })
    }
}

fn linker(engine: &Engine) -> Linker<Frame> {
    let mut linker = Linker::new(engine);
    macro_rules! own {
        ($linker:ident, $module:tt, $name:tt, $glue:path, ($($arg:ident: $ty:ty),*), $result:ty) => {
            // Each name occurs once, which is the only way in which this can fail.
            let _ = $linker.func_wrap(
                $module,
                $name,
                |caller: Caller<'_, Frame>, $($arg: $ty),*| -> Result<$result, Error> {
                    host_call(caller, |guest| $glue(guest, $($arg),*))
                },
            );
        };
    }
    macro_rules! link {
        ({ $linker:ident } $(($module:tt, $name:tt, $id:expr, $glue:path,
            ($($arg:ident: $ty:ty),*), $result:ty))*) => {
            $(own!($linker, $module, $name, $glue, ($($arg: $ty),*), $result);)*
        };
    }
    for_each_import!(link, linker);
    linker
}

/// Runs the entry of a fresh instance on behalf of a frame.
pub(super) fn run(frame: Frame, module: &Module) -> Result<(Frame, End), Exit> {
    let entry = frame.message.entry.name();
    let input = frame.message.input.clone();
    let output_limit = frame.shared.schedule.call.max_output_bytes;
    let words = i64::from(frame.shared.schedule.limits.stack_words);
    let linker = frame.shared.modules.linker.clone();
    let mut store = Store::new(linker.engine(), frame);
    let end = (|| {
        let instance = linker
            .instantiate_and_start(&mut store, module)
            .map_err(instantiation)?;
        let parts = Parts::new(|name| instance.get_export(&store, name))?;
        let words = match parts.stack.get(&store) {
            Val::I32(_) => Val::I32(words as i32),
            _ => Val::I64(words),
        };
        parts.stack.set(&mut store, words).map_err(machine)?;
        enter(&mut store, instance, parts, entry, &input, output_limit)
    })();
    let frame = store.into_data();
    match end {
        Ok(Output::Return(data)) => Ok((frame, End::Return(data))),
        Ok(Output::Revert(data)) | Err(Exit::Revert(data)) => Ok((frame, End::Revert(data))),
        Err(Exit::Trap(code)) => Ok((frame, End::Trap(code))),
        Err(host) => Err(host),
    }
}

fn enter(
    store: &mut Store<Frame>,
    instance: Instance,
    parts: Parts,
    entry: &str,
    input: &[u8],
    output_limit: u32,
) -> Result<Output, Exit> {
    let function = instance.get_func(&*store, entry);
    let function = function.ok_or_else(|| Exit::host("no entry"))?;
    let initialize = instance.get_func(&*store, export::INITIALIZE);
    let mut guest = Running {
        context: store,
        parts,
    };
    if let Some(initialize) = initialize {
        guest.enter(initialize, &[], &mut [])?;
    }
    let (at, length) = lower_input(&mut guest, input)?;
    let pointer = guest.call(function, &[at, length])?;
    lift_output(&mut guest, pointer, output_limit)
}

/// A segment out of bounds traps, all else is the machine's.
fn instantiation(error: Error) -> Exit {
    match error.kind() {
        ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) => {
            TrapCode::OutOfBoundsTable.into()
        }
        _ => match error.as_trap_code().and_then(trap_code) {
            Some(code) => code.into(),
            None => machine(error),
        },
    }
}
