//! Whether a valid module is a contract.

use aivm_abi::{CoreType, EXPORTS, export, import_by_module};
use wasmi::{ExternType, FuncType, Module, ValType};

use super::engine::Modules;
use crate::adapter::AdapterError;
use crate::machine::failed;

/// Imports are host functions, and exports those of the world, each with its type.
pub(super) fn is_contract(modules: &Modules, wasm: &[u8]) -> Result<bool, AdapterError> {
    let module = Module::new(modules.engine(), wasm).map_err(failed)?;
    let imports = module.imports().all(|import| {
        let known = import_by_module(import.module(), import.name());
        match (known, import.ty()) {
            (Some(known), ExternType::Func(ty)) => same(ty, known.params, known.results),
            _ => false,
        }
    });
    let function =
        |name: &str, params: &[CoreType], results: &[CoreType]| match module.get_export(name) {
            Some(ExternType::Func(ty)) => Some(same(&ty, params, results)),
            Some(_) => Some(false),
            None => None,
        };
    let memory = matches!(
        module.get_export(export::MEMORY),
        Some(ExternType::Memory(_))
    );
    let realloc = function(export::REALLOC, &[CoreType::I32; 4], &[CoreType::I32]);
    let exports = EXPORTS.iter().all(|export| {
        let post = export
            .post_return
            .and_then(|post| function(post, export.results, &[]));
        function(export.name, export.params, export.results) == Some(true) && post != Some(false)
    });
    let initialize = function(export::INITIALIZE, &[], &[]) != Some(false);
    Ok(imports && memory && realloc == Some(true) && initialize && exports)
}

fn same(found: &FuncType, params: &[CoreType], results: &[CoreType]) -> bool {
    let equal = |found: &[ValType], wanted: &[CoreType]| {
        found.len() == wanted.len()
            && found.iter().zip(wanted).all(|(found, wanted)| {
                *found
                    == match wanted {
                        CoreType::I32 => ValType::I32,
                        CoreType::I64 => ValType::I64,
                        CoreType::F32 => ValType::F32,
                        CoreType::F64 => ValType::F64,
                    }
            })
    };
    equal(found.params(), params) && equal(found.results(), results)
}
