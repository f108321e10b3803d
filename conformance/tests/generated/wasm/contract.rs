//! A module and its assertions as a contract.

use aivm::TrapCode;
use wasm_encoder::reencode::{Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection,
    Instruction as I, MemorySection, MemoryType, Module, TableSection, TypeSection, ValType,
};
use wasmparser::{ExternalKind, Parser, Payload};

use super::RESULTS;
use super::subject::{Assertion, Subject};

/// Copies a module whose function indices grow by one, because an import comes before them.
struct Shift;

impl Reencode for Shift {
    type Error = std::convert::Infallible;

    fn function_index(
        &mut self,
        index: u32,
    ) -> Result<u32, wasm_encoder::reencode::Error<Self::Error>> {
        Ok(index + 1)
    }
}

/// The sections of a module, to which a contract adds its own.
#[derive(Default)]
struct Sections {
    types: TypeSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    exports: ExportSection,
    elements: ElementSection,
    count: Option<u32>,
    code: CodeSection,
    data: DataSection,
}

impl Sections {
    fn read(wasm: &[u8]) -> Self {
        let mut own = Self::default();
        let mut exported = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            let done = match payload.expect("valid") {
                Payload::TypeSection(s) => utils::parse_type_section(&mut Shift, &mut own.types, s),
                Payload::FunctionSection(s) => {
                    utils::parse_function_section(&mut Shift, &mut own.functions, s)
                }
                Payload::TableSection(s) => {
                    utils::parse_table_section(&mut Shift, &mut own.tables, s)
                }
                Payload::MemorySection(s) => {
                    utils::parse_memory_section(&mut Shift, &mut own.memories, s)
                }
                Payload::GlobalSection(s) => {
                    utils::parse_global_section(&mut Shift, &mut own.globals, s)
                }
                Payload::ElementSection(s) => {
                    utils::parse_element_section(&mut Shift, &mut own.elements, s)
                }
                Payload::DataSection(s) => utils::parse_data_section(&mut Shift, &mut own.data, s),
                Payload::DataCountSection { count, .. } => {
                    own.count = Some(count);
                    Ok(())
                }
                Payload::CodeSectionEntry(body) => Shift.parse_function_body(&mut own.code, body),
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.expect("valid");
                        // A function that is exported may be referred to.
                        if export.kind == ExternalKind::Func {
                            let name = format!("f{exported}");
                            own.exports
                                .export(&name, ExportKind::Func, export.index + 1);
                            exported += 1;
                        }
                    }
                    Ok(())
                }
                _ => Ok(()),
            };
            done.expect("valid");
        }
        own
    }

    /// Adds a type; its index.
    fn ty(&mut self, params: &[ValType], results: &[ValType]) -> u32 {
        let index = self.types.len();
        let types = |types: &[ValType]| types.to_vec();
        self.types.ty().function(types(params), types(results));
        index
    }

    /// Adds a function; its index.
    fn function(&mut self, ty: u32, locals: &[ValType], code: &[I<'_>]) -> u32 {
        self.functions.function(ty);
        let mut function = Function::new(locals.iter().map(|ty| (1, *ty)));
        for instruction in code {
            function.instruction(instruction);
        }
        function.instruction(&I::End);
        self.code.function(&function);
        self.functions.len()
    }

    fn finish(self, import: u32) -> Vec<u8> {
        let mut imports = ImportSection::new();
        imports.import(
            "synergy:aivm/context@0.1.0",
            "block-number",
            EntityType::Function(import),
        );
        let mut module = Module::new();
        module.section(&self.types);
        module.section(&imports);
        module.section(&self.functions);
        if !self.tables.is_empty() {
            module.section(&self.tables);
        }
        module.section(&self.memories);
        module.section(&self.globals);
        module.section(&self.exports);
        if !self.elements.is_empty() {
            module.section(&self.elements);
        }
        if let Some(count) = self.count {
            module.section(&DataCountSection { count });
        }
        module.section(&self.code);
        if !self.data.is_empty() {
            module.section(&self.data);
        }
        module.finish()
    }
}

/// Assertions of one function.
const CHUNK: usize = 20;

pub fn contract(subject: &Subject, assertions: &[Assertion]) -> Vec<u8> {
    use ValType::{I32, I64};
    let mut own = Sections::read(&subject.wasm);
    let number = own.ty(&[], &[I64]);
    let realloc = own.ty(&[I32; 4], &[I32]);
    let entry = own.ty(&[I32, I32], &[I32]);
    let nothing = own.ty(&[], &[]);
    let taking = own.ty(&[I32], &[]);
    if own.memories.is_empty() {
        own.memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
    }
    let (bad, target) = (own.globals.len(), own.globals.len() + 1);
    for (ty, zero) in [
        (I32, ConstExpr::i32_const(0)),
        (I64, ConstExpr::i64_const(0)),
    ] {
        let ty = GlobalType {
            val_type: ty,
            mutable: true,
            shared: false,
        };
        own.globals.global(ty, &zero);
    }
    let realloc = own.function(realloc, &[], &[I::I32Const(0)]);
    let empty = wasm_encoder::BlockType::Empty;
    let fail = own.function(
        taking,
        &[],
        &[
            I::GlobalGet(bad),
            I::I32Eqz,
            I::If(empty),
            I::LocalGet(0),
            I::GlobalSet(bad),
            I::End,
        ],
    );
    let mut chunks = Vec::new();
    let mut trap_number = 0;
    for (chunk, list) in assertions.chunks(CHUNK).enumerate() {
        let mut code = Vec::new();
        for (index, assertion) in list.iter().enumerate() {
            let index = (chunk * CHUNK + index + 1) as i32;
            match assertion {
                Assertion::Action(action) => code.extend(action.iter().cloned()),
                Assertion::Result(result) => {
                    code.extend(result.iter().cloned());
                    code.extend([I::If(empty), I::I32Const(index), I::Call(fail), I::End]);
                }
                Assertion::Trap(call, trap) => {
                    trap_number += 1;
                    code.extend([
                        I::GlobalGet(target),
                        I::I64Const(trap_number),
                        I::I64Eq,
                        I::If(empty),
                    ]);
                    code.extend(call.iter().cloned());
                    // Should it return, the trap that comes is another.
                    if *trap == TrapCode::Unreachable {
                        code.extend([I::I32Const(1), I::I32Const(0), I::I32DivU]);
                    }
                    code.extend([I::Unreachable, I::End]);
                }
            }
        }
        chunks.push(own.function(nothing, &[I32], &code));
    }
    let mut run = vec![
        I::Call(0),
        I::I64Const(RESULTS as i64),
        I::I64Sub,
        I::GlobalSet(target),
    ];
    run.extend(chunks.iter().map(|chunk| I::Call(*chunk)));
    let at = |offset| wasm_encoder::MemArg {
        offset,
        align: 0,
        target: wasm_encoder::MemArgTarget::Memory(0),
        ordering: None,
    };
    let output = [
        I::MemorySize(0),
        I::I32Eqz,
        I::If(empty),
        I::I32Const(1),
        I::MemoryGrow(0),
        I::Drop,
        I::End,
        // The tag, the place of the output, its length, the output.
        I::I32Const(0),
        I::GlobalGet(bad),
        I::I32Const(0),
        I::I32Ne,
        I::I32Store(at(0)),
        I::I32Const(0),
        I::I32Const(12),
        I::I32Store(at(4)),
        I::I32Const(0),
        I::I32Const(4),
        I::I32Store(at(8)),
        I::I32Const(0),
        I::GlobalGet(bad),
        I::I32Store(at(12)),
        I::I32Const(0),
    ];
    run.extend(output.iter().cloned());
    let call = own.function(entry, &[], &run);
    let plain = own.function(entry, &[], &output);
    own.exports.export("memory", ExportKind::Memory, 0);
    own.exports
        .export("cabi_realloc", ExportKind::Func, realloc);
    own.exports.export("construct", ExportKind::Func, plain);
    own.exports.export("call", ExportKind::Func, call);
    own.exports.export("query", ExportKind::Func, plain);
    own.finish(number)
}
