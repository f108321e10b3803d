//! Whether a valid module is a contract: its imports are host functions and its exports
//! those of the world, each with the right signature.

use std::collections::BTreeMap;

use aivm_abi::{CoreType, EXPORTS, export, import_by_module};
use wasmparser::{CompositeInnerType, ExternalKind, FuncType, Parser, Payload, TypeRef, ValType};

/// What is wrong with a module's imports or exports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// An import that the host does not have.
    #[error("at byte {offset}: the import {module:?} {name:?} is not one of the host's")]
    UnknownImport {
        /// Module name in the import section.
        module: String,
        /// Import name.
        name: String,
        /// Where the import stands.
        offset: u64,
    },
    /// An import or export with another signature.
    #[error("{name:?} has the type {found}, not {expected}")]
    Signature {
        /// Name of the import or export.
        name: String,
        /// The type it must have.
        expected: String,
        /// The type it has.
        found: String,
    },
    /// An export that a contract must have.
    #[error("the export {0:?} is missing")]
    MissingExport(&'static str),
    /// The bytes cannot be parsed; validation has failed to notice.
    #[error("malformed: {0}")]
    Malformed(String),
}

impl From<wasmparser::Error> for CheckError {
    fn from(error: wasmparser::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// Checks the imports and exports of a module that passed validation.
pub(crate) fn check(wasm: &[u8]) -> Result<(), CheckError> {
    let mut types: Vec<Option<FuncType>> = Vec::new();
    let mut functions: Vec<u32> = Vec::new();
    let mut exports = BTreeMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        types.push(match ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => Some(ty),
                            _ => None,
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    let known = import_by_module(import.module, import.name);
                    let (Some(known), TypeRef::Func(ty)) = (known, import.ty) else {
                        return Err(CheckError::UnknownImport {
                            module: import.module.to_owned(),
                            name: import.name.to_owned(),
                            offset,
                        });
                    };
                    same(known.key, known.params, known.results, lookup(&types, ty)?)?;
                    functions.push(ty);
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    functions.push(ty?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    exports.insert(export.name, (export.kind, export.index));
                }
            }
            _ => {}
        }
    }
    match exports.get(export::MEMORY) {
        Some((ExternalKind::Memory, _)) => {}
        _ => return Err(CheckError::MissingExport(export::MEMORY)),
    }
    let check =
        |name: &'static str, params: &[CoreType], results: &[CoreType], needed: bool| match exports
            .get(name)
        {
            Some((ExternalKind::Func, index)) => {
                let ty = functions
                    .get(*index as usize)
                    .ok_or_else(|| CheckError::Malformed("function index".to_owned()))?;
                same(name, params, results, lookup(&types, *ty)?)
            }
            None if !needed => Ok(()),
            _ => Err(CheckError::MissingExport(name)),
        };
    check(export::INITIALIZE, &[], &[], false)?;
    check(export::REALLOC, &[CoreType::I32; 4], &[CoreType::I32], true)?;
    for export in EXPORTS {
        check(export.name, export.params, export.results, true)?;
        if let Some(post) = export.post_return {
            check(post, export.results, &[], false)?;
        }
    }
    Ok(())
}

fn lookup(types: &[Option<FuncType>], index: u32) -> Result<&FuncType, CheckError> {
    types
        .get(index as usize)
        .and_then(Option::as_ref)
        .ok_or_else(|| CheckError::Malformed("type index".to_owned()))
}

fn same(
    name: &str,
    params: &[CoreType],
    results: &[CoreType],
    found: &FuncType,
) -> Result<(), CheckError> {
    let equal = |wanted: &[CoreType], found: &[ValType]| {
        wanted.len() == found.len()
            && wanted
                .iter()
                .zip(found)
                .all(|(wanted, found)| value_type(*wanted) == Some(*found))
    };
    if equal(params, found.params()) && equal(results, found.results()) {
        return Ok(());
    }
    Err(CheckError::Signature {
        name: name.to_owned(),
        expected: format!("({}) -> ({})", list(params), list(results)),
        found: format!("({}) -> ({})", list(found.params()), list(found.results())),
    })
}

fn value_type(ty: CoreType) -> Option<ValType> {
    match ty {
        CoreType::I32 => Some(ValType::I32),
        CoreType::I64 => Some(ValType::I64),
        CoreType::F32 => Some(ValType::F32),
        CoreType::F64 => Some(ValType::F64),
    }
}

fn list<T: std::fmt::Display>(types: &[T]) -> String {
    let names: Vec<String> = types.iter().map(T::to_string).collect();
    names.join(", ")
}
