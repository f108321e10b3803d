//! Host functions as compiled code calls them: one for each import of the WIT world, made
//! from the generated list.
//!
//! The engine's own wrappers look the running store up in thread-local state on the way
//! in and out; ours get a pointer to what they need, which is several times quicker.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::NonNull;

use aivm_abi::{FuncId, IMPORTS, for_each_import};
use wasmer::sys::vm::{
    InternalStoreHandle, MaybeInstanceOwned, VMCallerCheckedAnyfunc, VMContext, VMExtern,
    VMFunction, VMFunctionBody, VMFunctionContext, VMFunctionKind, VMTrampoline,
};
use wasmer::{AsStoreMut, Extern, FunctionType, Store, Type, VMExternToExtern};
use wasmer_types::RawValue;

use super::guest::{Env, host_call};

/// A core number as it is passed.
trait Number: Sized {
    const TYPE: Type;
    fn of(value: &RawValue) -> Self;
    fn put(self, value: &mut RawValue);
}

impl Number for i32 {
    const TYPE: Type = Type::I32;

    fn of(value: &RawValue) -> Self {
        // SAFETY: compiled code wrote a number of this type.
        unsafe { value.i32 }
    }

    fn put(self, value: &mut RawValue) {
        value.i32 = self;
    }
}

impl Number for i64 {
    const TYPE: Type = Type::I64;

    fn of(value: &RawValue) -> Self {
        // SAFETY: compiled code wrote a number of this type.
        unsafe { value.i64 }
    }

    fn put(self, value: &mut RawValue) {
        value.i64 = self;
    }
}

/// One number or none.
trait Outcome {
    const TYPES: &'static [Type];
    /// # Safety
    /// There must be room for the result at `values`.
    unsafe fn write(self, values: *mut RawValue);
}

impl Outcome for () {
    const TYPES: &'static [Type] = &[];

    unsafe fn write(self, _values: *mut RawValue) {}
}

impl<T: Number> Outcome for T {
    const TYPES: &'static [Type] = &[T::TYPE];

    unsafe fn write(self, values: *mut RawValue) {
        // SAFETY: as the caller promised.
        self.put(unsafe { &mut *values });
    }
}

/// Functions that run on the guest's stack: leaving it takes as long as many of them. They
/// need little stack, whatever their arguments; what asks the chain leaves it for that alone.
/// None gives the guest a list, for which its allocator would have to run.
const STAY: &[&str] = &[
    "context.block-number",
    "context.block-timestamp",
    "context.caller",
    "context.chain-id",
    "context.gas-left",
    "context.origin",
    "context.revert",
    "context.self-address",
    "context.value",
    "crypto.blake3",
    "crypto.keccak256",
    "crypto.sha256",
    "crypto.sha3-256",
    "events.emit",
    "journal.begin",
    "journal.commit",
    "journal.rollback",
    "math.add-mod",
    "math.div",
    "math.exp",
    "math.mul",
    "math.mul-mod",
    "math.rem",
    "storage.has",
    "storage.load",
    "storage.remove",
    "storage.set",
    "storage.store",
];

const fn stays(func: FuncId) -> bool {
    let key = IMPORTS[func.index()].key.as_bytes();
    let mut n = 0;
    while n < STAY.len() {
        if same(STAY[n].as_bytes(), key) {
            return true;
        }
        n += 1;
    }
    false
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut n = 0;
    while n < a.len() && n < b.len() && a[n] == b[n] {
        n += 1;
    }
    n == a.len() && n == b.len()
}

/// Makes one host function in a store. Nothing may call it before `Env` is written.
type Constructor = fn(&mut Store, NonNull<Env>) -> Extern;

macro_rules! constructors {
    ({} $(($module:literal, $name:literal, $id:expr, $glue:path,
        ($($arg:ident: $ty:ty),*), $result:ty))*) => {
        &[$(
            |store, env| {
                unsafe extern "C-unwind" fn body(
                    env: NonNull<Env>,
                    $($arg: $ty),*
                ) -> $result {
                    // SAFETY: the instance passes the environment that it was made with.
                    unsafe { host_call(env, $id, const { stays($id) }, |guest| $glue(guest, $($arg),*)) }
                }
                /// Calls `body` with arguments from memory, for a guest that exports the
                /// import as it is.
                unsafe extern "C" fn trampoline(
                    env: *mut VMContext,
                    _: *const VMFunctionBody,
                    values: *mut RawValue,
                ) {
                    let mut _place = values;
                    $(
                        // SAFETY: there are as many values as the signature has parameters.
                        let $arg = <$ty as Number>::of(unsafe { &*_place });
                        _place = _place.wrapping_add(1);
                    )*
                    // SAFETY: as for `body`; the engine leaves room for the result.
                    unsafe {
                        let result = body(NonNull::new_unchecked(env.cast()), $($arg),*);
                        Outcome::write(result, values);
                    }
                }
                function(
                    store,
                    env,
                    body as *const VMFunctionBody,
                    trampoline,
                    FunctionType::new([$(<$ty as Number>::TYPE),*], <$result as Outcome>::TYPES),
                )
            },
        )*]
    };
}

/// In the order of [`aivm_abi::IMPORTS`].
static CONSTRUCTORS: &[Constructor] = for_each_import!(constructors);

fn function(
    store: &mut Store,
    env: NonNull<Env>,
    body: *const VMFunctionBody,
    call_trampoline: VMTrampoline,
    signature: FunctionType,
) -> Extern {
    let type_signature_hash = store.engine().as_sys().register_signature(&signature);
    let anyfunc = VMCallerCheckedAnyfunc {
        func_ptr: body,
        type_signature_hash,
        vmctx: VMFunctionContext {
            host_env: env.as_ptr().cast::<c_void>(),
        },
        call_trampoline,
    };
    let function = VMFunction {
        anyfunc: MaybeInstanceOwned::Host(Box::new(UnsafeCell::new(anyfunc))),
        signature,
        kind: VMFunctionKind::Static,
        host_data: Box::new(()),
    };
    let handle = InternalStoreHandle::new(store.objects_mut().as_sys_mut(), function);
    VMExtern::Function(handle).to_extern(store)
}

/// The imports at these positions.
pub(super) fn functions(store: &mut Store, env: NonNull<Env>, positions: &[usize]) -> Vec<Extern> {
    positions
        .iter()
        .filter_map(|position| CONSTRUCTORS.get(*position))
        .map(|make| make(store, env))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_on_the_guests_stack_exists_and_gives_no_list() {
        let staying = IMPORTS.iter().filter(|import| stays(import.id));
        let keys: Vec<&str> = staying.clone().map(|import| import.key).collect();
        assert_eq!(keys, STAY);
        for import in staying {
            let result = import.wit.split_once("->").map_or("", |(_, result)| result);
            for list in ["list", "string"] {
                assert!(!result.contains(list), "{}", import.wit);
            }
        }
    }
}
