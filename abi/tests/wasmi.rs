//! A real guest on a real engine, registered with `for_each_import!` alone.

mod common;

use aivm_abi::export::{self, Output};
use aivm_abi::{Exit, Guest, TrapCode, Word, for_each_import};
use common::TestHost;
use wasmi::{AsContextMut, Caller, Engine, Instance, Linker, Memory, Module, Store};

/// A wasmi caller as the glue sees it.
struct WasmiGuest<C> {
    context: C,
    memory: Option<Memory>,
    realloc: Option<wasmi::Func>,
}

impl<C: AsContextMut<Data = TestHost>> Guest for WasmiGuest<C> {
    type Host = TestHost;

    fn parts(&mut self) -> Result<(&mut [u8], &mut TestHost), Exit> {
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

fn caller(context: Caller<'_, TestHost>) -> WasmiGuest<Caller<'_, TestHost>> {
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

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl wasmi::errors::HostError for Carried {}

fn linker(engine: &Engine) -> Linker<TestHost> {
    let mut linker = Linker::new(engine);
    macro_rules! link {
        ({ $linker:ident } $(($module:literal, $name:literal, $id:expr, $glue:path,
            ($($arg:ident: $ty:ty),*), $result:ty))*) => {
            $($linker
                .func_wrap(
                    $module,
                    $name,
                    |context: Caller<'_, TestHost>, $($arg: $ty),*| -> Result<$result, wasmi::Error> {
                        $glue(&mut caller(context), $($arg),*).map_err(|exit| wasmi::Error::host(Carried(exit)))
                    },
                )
                .expect("each import is defined once");)*
        };
    }
    for_each_import!(link, linker);
    linker
}

struct Run {
    store: Store<TestHost>,
    instance: Instance,
}

impl Run {
    fn new(wat: &str) -> Self {
        let engine = Engine::default();
        let module =
            Module::new(&engine, wat::parse_str(wat).expect("valid text")).expect("valid module");
        let mut store = Store::new(&engine, TestHost::default());
        let instance = linker(&engine)
            .instantiate_and_start(&mut store, &module)
            .expect("imports are there");
        Self { store, instance }
    }

    fn guest(&mut self) -> WasmiGuest<&mut Store<TestHost>> {
        let memory = self.instance.get_memory(&self.store, export::MEMORY);
        let realloc = self.instance.get_func(&self.store, export::REALLOC);
        WasmiGuest {
            context: &mut self.store,
            memory,
            realloc,
        }
    }

    fn call(&mut self, name: &str, input: &[u8]) -> Result<Output, Exit> {
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
        let output = export::lift_output(&mut self.guest(), result, 1024)?;
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

/// Adds the first input byte to the word under key 5, emits it as an event, returns it.
const COUNTER: &str = r#"(module
    (import "synergy:aivm/storage@0.1.0" "load" (func $load (param i64 i64 i64 i64 i32)))
    (import "synergy:aivm/storage@0.1.0" "store" (func $store (param i64 i64 i64 i64 i64 i64 i64 i64)))
    (import "synergy:aivm/events@0.1.0" "emit" (func $emit (param i32 i32 i32 i32)))
    (import "synergy:aivm/context@0.1.0" "revert" (func $revert (param i32 i32)))
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (global $freed (export "freed") (mut i32) (i32.const 0))
    (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
        (global.set $next (i32.and
            (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
            (i32.sub (i32.const 0) (local.get $align))))
        (global.get $next)
        (global.set $next (i32.add (global.get $next) (local.get $size))))
    (func (export "call") (param $input i32) (param $length i32) (result i32)
        (if (i32.eqz (local.get $length)) (then (call $revert (local.get $input) (local.get $length)) (unreachable)))
        (call $load (i64.const 5) (i64.const 0) (i64.const 0) (i64.const 0) (i32.const 64))
        (i64.store (i32.const 64) (i64.add (i64.load (i32.const 64)) (i64.load8_u (local.get $input))))
        (call $store (i64.const 5) (i64.const 0) (i64.const 0) (i64.const 0)
            (i64.load (i32.const 64)) (i64.load (i32.const 72)) (i64.load (i32.const 80)) (i64.load (i32.const 88)))
        (call $emit (i32.const 64) (i32.const 1) (local.get $input) (local.get $length))
        (i32.store8 (i32.const 16) (i32.const 0))
        (i32.store (i32.const 20) (i32.const 64))
        (i32.store (i32.const 24) (i32.const 32))
        (i32.const 16))
    (func (export "cabi_post_call") (param i32) (global.set $freed (local.get 0)))
    ;; Hostile: the return pointer is misaligned.
    (func (export "construct") (param i32 i32) (result i32)
        (call $load (i64.const 5) (i64.const 0) (i64.const 0) (i64.const 0) (i32.const 65))
        (i32.const 16))
    ;; Hostile: the result points past the memory's end.
    (func (export "query") (param i32 i32) (result i32)
        (i32.store8 (i32.const 16) (i32.const 0))
        (i32.store (i32.const 20) (i32.const 65535))
        (i32.store (i32.const 24) (i32.const 2))
        (i32.const 16)))"#;

#[test]
fn counter_runs() {
    let mut run = Run::new(COUNTER);
    let mut expected = [0; 32];
    expected[0] = 7;
    assert_eq!(
        run.call("call", &[7, 9]).unwrap(),
        Output::Return(expected.into())
    );
    expected[0] = 10;
    assert_eq!(
        run.call("call", &[3]).unwrap(),
        Output::Return(expected.into())
    );
    let host = run.store.data();
    assert_eq!(host.words.get(&Word::from(5u64)), Some(&Word::from(10u64)));
    assert_eq!(
        host.events,
        [
            (vec![Word::from(7u64)], vec![7, 9]),
            (vec![Word::from(10u64)], vec![3])
        ]
    );
    let keys: Vec<_> = host
        .charged
        .iter()
        .map(|(func, bytes)| (func.key(), *bytes))
        .collect();
    assert_eq!(
        keys[..5],
        [
            ("storage.load", 0),
            ("storage.store", 0),
            ("events.emit", 0),
            ("events.emit", 32),
            ("events.emit", 2)
        ]
    );
    let freed = run
        .instance
        .get_global(&run.store, "freed")
        .unwrap()
        .get(&run.store);
    assert_eq!(freed.i32(), Some(16));
}

#[test]
fn revert_carries_its_data_through_the_engine() {
    let mut run = Run::new(COUNTER);
    assert!(matches!(run.call("call", &[]), Err(Exit::Revert(data)) if data.is_empty()));
}

#[test]
fn hostile_pointers_trap() {
    let mut run = Run::new(COUNTER);
    assert!(matches!(
        run.call("construct", &[]),
        Err(Exit::Trap(TrapCode::BadPointer))
    ));
    assert!(matches!(
        run.call("query", &[]),
        Err(Exit::Trap(TrapCode::BadResult))
    ));
}

#[test]
fn equal_runs_have_equal_transcripts() {
    let hash = |inputs: &[&[u8]]| {
        let mut run = Run::new(COUNTER);
        for input in inputs {
            let _ = run.call("call", input);
        }
        run.store.data().transcript.hash()
    };
    assert_eq!(hash(&[&[1], &[2]]), hash(&[&[1], &[2]]));
    assert_ne!(hash(&[&[1], &[2]]), hash(&[&[2], &[1]]));
    assert_ne!(hash(&[&[1]]), hash(&[&[1], &[]]));
}
