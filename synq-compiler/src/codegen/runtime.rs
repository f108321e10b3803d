//! The helper routines, taken from the Wasm file that the build script made.

use std::collections::BTreeMap;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{Instruction, ValType};
use wasmparser::{CompositeInnerType, ExternalKind, Parser, Payload, TypeRef};

use crate::source::Span;

static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/runtime.wasm"));

/// Parameters and results.
pub(crate) type Signature = (Vec<ValType>, Vec<ValType>);

/// A function's code before its calls are numbered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    pub name: String,
    pub signature: Signature,
    pub locals: Vec<ValType>,
    pub code: Vec<Instruction<'static>>,
    /// Where in the source the code from an instruction on comes from; the empty span stands
    /// for nowhere.
    pub places: Vec<(usize, Span)>,
}

/// Imports and functions of the runtime, numbered as in its file.
#[derive(Debug, Default)]
pub(crate) struct Runtime {
    /// Interface, function, signature.
    pub imports: Vec<(&'static str, &'static str, Signature)>,
    pub bodies: Vec<Body>,
    pub exports: BTreeMap<&'static str, u32>,
}

/// An error is a mistake in the runtime's own file, which the tests would show.
pub(crate) type Broken = Box<dyn std::error::Error + Send + Sync>;

impl Runtime {
    pub fn load() -> Result<Self, Broken> {
        let mut out = Self::default();
        let mut types: Vec<Signature> = Vec::new();
        let mut declared: Vec<u32> = Vec::new();
        let mut reencoder = RoundtripReencoder;
        for payload in Parser::new(0).parse_all(BYTES) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        for ty in group?.types() {
                            if let CompositeInnerType::Func(f) = &ty.composite_type.inner {
                                let mut list = |types: &[wasmparser::ValType]| {
                                    types
                                        .iter()
                                        .map(|t| reencoder.val_type(*t))
                                        .collect::<Result<Vec<_>, _>>()
                                };
                                types.push((list(f.params())?, list(f.results())?));
                            }
                        }
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        if let TypeRef::Func(ty) = import.ty {
                            let signature = types.get(ty as usize).cloned().unwrap_or_default();
                            out.imports.push((import.module, import.name, signature));
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        declared.push(ty?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.kind == ExternalKind::Func {
                            out.exports.insert(export.name, export.index);
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let ty = declared.get(out.bodies.len()).copied().unwrap_or(0);
                    let mut locals = Vec::new();
                    for group in body.get_locals_reader()? {
                        let (count, ty) = group?;
                        let ty = reencoder.val_type(ty)?;
                        locals.extend(std::iter::repeat_n(ty, count as usize));
                    }
                    let mut code = Vec::new();
                    for operator in body.get_operators_reader()? {
                        code.push(reencoder.instruction(operator?)?);
                    }
                    out.bodies.push(Body {
                        name: String::new(),
                        signature: types.get(ty as usize).cloned().unwrap_or_default(),
                        locals,
                        code,
                        places: Vec::new(),
                    });
                }
                _ => {}
            }
        }
        let first = out.imports.len() as u32;
        for (name, index) in &out.exports {
            if let Some(body) = out.bodies.get_mut((index - first) as usize) {
                body.name = format!("synq:{name}");
            }
        }
        Ok(out)
    }
}
