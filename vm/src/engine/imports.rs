//! Host functions as the engine wants them: one typed function for each import of the
//! WIT world, made from the generated list.

use aivm_abi::for_each_import;
use wasmer::{Extern, Function, FunctionEnv, FunctionEnvMut, Store};

use super::guest::{Env, Stopped, enter};

/// Makes one host function in a store.
type Constructor = fn(&mut Store, &FunctionEnv<Env>) -> Function;

macro_rules! constructors {
    ({} $(($module:literal, $name:literal, $id:expr, $glue:path,
        ($($arg:ident: $ty:ty),*), $result:ty))*) => {
        &[$(
            |store, env| Function::new_typed_with_env(
                store,
                env,
                |env: FunctionEnvMut<'_, Env>, $($arg: $ty),*| -> Result<$result, Stopped> {
                    enter(env, $id, |guest| $glue(guest, $($arg),*))
                },
            ),
        )*]
    };
}

/// In the order of [`aivm_abi::IMPORTS`].
static CONSTRUCTORS: &[Constructor] = for_each_import!(constructors);

/// The imports at these positions.
pub(super) fn functions(
    store: &mut Store,
    env: &FunctionEnv<Env>,
    positions: &[usize],
) -> Vec<Extern> {
    positions
        .iter()
        .filter_map(|position| CONSTRUCTORS.get(*position))
        .map(|make| Extern::Function(make(store, env)))
        .collect()
}
