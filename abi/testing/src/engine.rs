//! The interpreter, registered with `for_each_import!` alone.

use std::fmt;

use aivm_abi::export::{self, Output};
use aivm_abi::{Exit, Guest, HostFunctions, Meter, TrapCode, for_each_import};
use wasmi::{AsContextMut, Caller, Engine, Instance, Linker, Memory, Module, Store};

/// A guest on wasmi as the glue sees it.
#[derive(Debug)]
pub struct WasmiGuest<C> {
    context: C,
    memory: Option<Memory>,
    realloc: Option<wasmi::Func>,
}

impl<H: Meter, C: AsContextMut<Data = H>> Guest for WasmiGuest<C> {
    type Host = H;

    fn parts(&mut self) -> Result<(&mut [u8], &mut H), Exit> {
        let memory = self.memory.ok_or(TrapCode::BadPointer)?;
        Ok(memory.data_and_store_mut(&mut self.context))
    }

    fn realloc(&mut self, align: u32, size: u32) -> Result<u32, Exit> {
        let function = self.realloc.ok_or(TrapCode::BadRealloc)?;
        let function = function
            .typed::<(u32, u32, u32, u32), u32>(&self.context)
            .map_err(Exit::host)?;
        function
            .call(&mut self.context, (0, 0, align, size))
            .map_err(|_| Exit::Trap(TrapCode::Unreachable))
    }
}

fn caller<H>(context: Caller<'_, H>) -> WasmiGuest<Caller<'_, H>> {
    let memory = context
        .get_export(export::MEMORY)
        .and_then(|item| item.into_memory());
    let realloc = context
        .get_export(export::REALLOC)
        .and_then(|item| item.into_func());
    WasmiGuest {
        context,
        memory,
        realloc,
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

fn linker<H: HostFunctions + Meter + 'static>(engine: &Engine) -> Linker<H> {
    let mut linker = Linker::new(engine);
    macro_rules! link {
        ({ $linker:ident } $(($module:literal, $name:literal, $id:expr, $glue:path,
            ($($arg:ident: $ty:ty),*), $result:ty))*) => {
            $($linker
                .func_wrap(
                    $module,
                    $name,
                    |context: Caller<'_, H>, $($arg: $ty),*| -> Result<$result, wasmi::Error> {
                        $glue(&mut caller(context), $($arg),*).map_err(|exit| wasmi::Error::host(Carried(exit)))
                    },
                )
                .expect("each import is defined once");)*
        };
    }
    for_each_import!(link, linker);
    linker
}

/// A contract's instance with its host.
#[derive(Debug)]
pub struct Run<H: 'static> {
    /// The host is its data.
    pub store: Store<H>,
    /// What the module exports.
    pub instance: Instance,
}

impl<H: HostFunctions + Meter + 'static> Run<H> {
    /// An instance of a module.
    ///
    /// # Panics
    ///
    /// On a module that is invalid, or imports what is no host function.
    pub fn new(wasm: &[u8], host: H) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, wasm).expect("valid module");
        let mut store = Store::new(&engine, host);
        let instance = linker(&engine)
            .instantiate_and_start(&mut store, &module)
            .expect("imports are there");
        Self { store, instance }
    }

    fn guest(&mut self) -> WasmiGuest<&mut Store<H>> {
        let memory = self.instance.get_memory(&self.store, export::MEMORY);
        let realloc = self.instance.get_func(&self.store, export::REALLOC);
        WasmiGuest {
            context: &mut self.store,
            memory,
            realloc,
        }
    }

    /// Calls an export with an input, takes an output of at most `most` bytes, and lets the guest
    /// clean up if it exports how.
    ///
    /// # Errors
    ///
    /// What the guest or its host ended with.
    pub fn call(&mut self, name: &str, input: &[u8], most: u32) -> Result<Output, Exit> {
        let (pointer, length) = export::lower_input(&mut self.guest(), input)?;
        let function = self
            .instance
            .get_typed_func::<(u32, u32), u32>(&self.store, name)
            .map_err(Exit::host)?;
        let result = match function.call(&mut self.store, (pointer, length)) {
            Ok(result) => result,
            Err(error) => {
                return Err(match error.downcast::<Carried>() {
                    Some(Carried(exit)) => exit,
                    None => Exit::Trap(TrapCode::Unreachable),
                });
            }
        };
        let output = export::lift_output(&mut self.guest(), result, most)?;
        let post = aivm_abi::export(name).and_then(|export| export.post_return);
        let post = post.and_then(|post| {
            self.instance
                .get_typed_func::<u32, ()>(&self.store, post)
                .ok()
        });
        if let Some(post) = post {
            post.call(&mut self.store, result).map_err(Exit::host)?;
        }
        Ok(output)
    }
}
