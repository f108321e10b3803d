//! Reads a module, section by section, and writes the instrumented one.

use std::collections::{BTreeSet, HashMap};

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, FunctionSection, GlobalSection,
    GlobalType, MemorySection, Module, RawSection, SectionId, TableSection, TypeSection, ValType,
};
use wasmparser::{
    ElementItems, ExternalKind, FuncType, FuncValidatorAllocations, Operator, Parser, Payload,
    TypeRef, ValidPayload, Validator,
};

mod bounds;

use super::emit::{self, Context, Globals};
use super::error::{InstrumentError, Limit, Reason};
use super::function::{self, Function, check};
use super::offsets::OffsetMap;
use super::plan::{self, Protocol};
use super::{EXIT_EXPORT, GAS_EXPORT, Instrumented, STACK_EXPORT, Stats, features};
use crate::{GasSchedule, Limits};
use bounds::check_name;

/// What the first pass finds.
#[derive(Default)]
struct Guest {
    types: TypeSection,
    signatures: Vec<FuncType>,
    /// Types that were added, or are the first of their kind.
    known: HashMap<FuncType, u32>,
    /// Type of each defined function.
    function_types: Vec<u32>,
    tables: Option<TableSection>,
    memories: Option<MemorySection>,
    globals: GlobalSection,
    globals_len: u32,
    exports: ExportSection,
    /// Sections that are copied: id, and where their contents lie.
    raw: Vec<(SectionId, std::ops::Range<u64>)>,
    functions: Vec<Function>,
    imported_functions: u32,
    /// Where the contents of the code section begin.
    code_start: u64,
    /// Functions that something else than a direct call can reach.
    named: BTreeSet<u32>,
    /// `memory.grow` instructions.
    grows: u64,
    /// Elements of all tables at the start, and of all element segments.
    elements: [u64; 2],
    /// Where code first changes a table or drops a segment.
    changes: Option<u64>,
    check_grow: bool,
    stats: Stats,
}

pub(super) fn instrument(
    wasm: &[u8],
    schedule: &GasSchedule,
    merge: bool,
    offsets: Option<&mut OffsetMap>,
) -> Result<Instrumented, InstrumentError> {
    schedule
        .validate()
        .map_err(|error| InstrumentError::new(0, Reason::Schedule(error)))?;
    let limits = &schedule.limits;
    check(
        0,
        Limit::ModuleBytes,
        wasm.len() as u64,
        limits.module_bytes,
    )?;
    let mut guest = Guest::read(wasm, schedule, merge)?;
    guest.stats.guest_bytes = wasm.len() as u64;
    let bytes = guest.write(wasm, schedule, merge, offsets)?;
    let mut stats = guest.stats;
    stats.bytes = bytes.len() as u64;
    check(
        0,
        Limit::InstrumentedBytes,
        stats.bytes,
        limits.instrumented_bytes,
    )?;
    Validator::new_with_features(features::accepted(limits.simd))
        .validate_all(&bytes)
        .map_err(|error| {
            InstrumentError::new(error.offset(), Reason::Internal(error.to_string()))
        })?;
    let p = &schedule.upload;
    let upload_gas = [
        // The chain stores what the instrumented module leaves out.
        (p.per_byte, stats.bytes.saturating_add(stats.custom_bytes)),
        (p.per_function, stats.functions),
        (p.per_local, stats.locals),
        (p.per_block, stats.blocks),
        (p.per_phi, stats.phis),
        (p.per_move, stats.moves),
    ]
    .iter()
    .fold(p.base, |sum, (price, count)| {
        sum.saturating_add(price.saturating_mul(*count))
    });
    Ok(Instrumented {
        wasm: bytes,
        upload_gas,
        stats,
    })
}

/// Module and name of an imported function.
pub(super) type Import = (String, String);

/// The functions of a module that is accepted, and module and name of its imported functions.
pub(super) fn functions(
    wasm: &[u8],
    schedule: &GasSchedule,
) -> Result<(Vec<Function>, Vec<Import>), InstrumentError> {
    let guest = Guest::read(wasm, schedule, true)?;
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(section) = payload? {
            for import in section.into_imports() {
                let import = import?;
                if matches!(import.ty, TypeRef::Func(_)) {
                    imports.push((import.module.to_owned(), import.name.to_owned()));
                }
            }
        }
    }
    Ok((guest.functions, imports))
}

impl Guest {
    fn read(wasm: &[u8], schedule: &GasSchedule, merge: bool) -> Result<Self, InstrumentError> {
        let limits = &schedule.limits;
        let accepted = features::accepted(limits.simd);
        let mut validator = Validator::new_with_features(accepted);
        // The parser has features of its own: with memory64, for one, limits may be longer.
        let mut parser = Parser::new(0);
        parser.set_features(accepted);
        let mut allocations = FuncValidatorAllocations::default();
        let mut guest = Self::default();
        for payload in parser.parse_all(wasm) {
            let payload = payload.map_err(features::explain)?;
            guest.limits(&payload, limits)?;
            if let ValidPayload::Func(to_validate, body) =
                validator.payload(&payload).map_err(features::explain)?
            {
                let ty = guest.function_types.get(guest.functions.len()).copied();
                let ty = ty.unwrap_or_default();
                let inner = merge && guest.is_inner(ty);
                let mut validator = to_validate.into_validator(allocations);
                let types = &guest.signatures;
                let function = function::read(&body, &mut validator, ty, types, inner, schedule)?;
                allocations = validator.into_allocations();
                guest.count(body.range().start, &function, limits)?;
                guest.functions.push(function);
            }
            guest.section(payload, limits)?;
        }
        guest.changed_tables(limits)?;
        Ok(guest)
    }

    /// Whether only direct calls can reach the next function. One with two results or more
    /// keeps its type, because engines return those in memory.
    fn is_inner(&self, ty: u32) -> bool {
        let index = u32::try_from(self.functions.len()).unwrap_or(u32::MAX);
        let results = self
            .signatures
            .get(ty as usize)
            .map_or(0, |ty| ty.results().len());
        results <= 1
            && !self
                .named
                .contains(&self.imported_functions.saturating_add(index))
    }

    /// Keeps what the second pass needs of a section that is valid.
    fn section(&mut self, payload: Payload<'_>, limits: &Limits) -> Result<(), InstrumentError> {
        let encoder = &mut RoundtripReencoder;
        match payload {
            Payload::TypeSection(section) => {
                let start = section.range().start;
                for ty in section.clone().into_iter_err_on_gc_types() {
                    let ty = ty?;
                    let most = ty.params().len().max(ty.results().len());
                    check(start, Limit::Params, most as u64, limits.params)?;
                    let index = u32::try_from(self.signatures.len()).unwrap_or(u32::MAX);
                    self.known.entry(ty.clone()).or_insert(index);
                    self.signatures.push(ty);
                }
                let done = encoder.parse_type_section(&mut self.types, section);
                done.map_err(|error| internal(&error))?;
            }
            Payload::ImportSection(section) => {
                self.raw.push((SectionId::Import, section.range()));
                for import in section.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    for name in [import.module, import.name] {
                        check_name(offset, name, limits)?;
                    }
                    match import.ty {
                        TypeRef::Func(_) => self.imported_functions += 1,
                        TypeRef::Global(_) => self.globals_len += 1,
                        TypeRef::Memory(ty) => {
                            self.memory(offset, ty, limits)?;
                        }
                        TypeRef::Table(ty) => self.elements(offset, 0, ty.initial, limits)?,
                        _ => {}
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.function_types.push(ty?);
                }
            }
            Payload::TableSection(section) => {
                let mut tables = TableSection::new();
                for table in section.into_iter_with_offsets() {
                    let (offset, mut table) = table?;
                    let max = u64::from(limits.table_elements);
                    self.elements(offset, 0, table.ty.initial, limits)?;
                    table.ty.maximum = Some(table.ty.maximum.map_or(max, |own| own.min(max)));
                    let done = encoder.parse_table(&mut tables, table);
                    done.map_err(|error| internal(&error))?;
                }
                self.tables = Some(tables);
            }
            Payload::MemorySection(section) => {
                let mut memories = MemorySection::new();
                for memory in section.into_iter_with_offsets() {
                    let (offset, ty) = memory?;
                    let max = self.memory(offset, ty, limits)?;
                    memories.memory(wasm_encoder::MemoryType {
                        minimum: ty.initial,
                        maximum: Some(max),
                        memory64: false,
                        shared: false,
                        page_size_log2: None,
                    });
                }
                self.memories = Some(memories);
            }
            Payload::GlobalSection(section) => {
                self.globals_len += section.count();
                for global in section.clone() {
                    self.name(&global?.init_expr)?;
                }
                let done = encoder.parse_global_section(&mut self.globals, section);
                done.map_err(|error| internal(&error))?;
            }
            Payload::ExportSection(section) => {
                for export in section.into_iter_with_offsets() {
                    let (offset, export) = export?;
                    check_name(offset, export.name, limits)?;
                    let kind = match export.kind {
                        ExternalKind::Func => {
                            self.named.insert(export.index);
                            ExportKind::Func
                        }
                        ExternalKind::Table => ExportKind::Table,
                        ExternalKind::Memory => ExportKind::Memory,
                        ExternalKind::Global => ExportKind::Global,
                        _ => {
                            let reason = Reason::Invalid("export of an unknown kind".to_owned());
                            return Err(InstrumentError::new(offset, reason));
                        }
                    };
                    self.exports.export(export.name, kind, export.index);
                }
            }
            Payload::ElementSection(section) => {
                self.raw.push((SectionId::Element, section.range()));
                for element in section.into_iter_with_offsets() {
                    let (offset, element) = element?;
                    let count = match &element.items {
                        ElementItems::Functions(functions) => functions.count(),
                        ElementItems::Expressions(_, expressions) => expressions.count(),
                    };
                    self.elements(offset, 1, count.into(), limits)?;
                    match element.items {
                        ElementItems::Functions(functions) => {
                            for function in functions {
                                self.named.insert(function?);
                            }
                        }
                        ElementItems::Expressions(_, expressions) => {
                            for expression in expressions {
                                self.name(&expression?)?;
                            }
                        }
                    }
                }
            }
            Payload::DataCountSection { range, .. } => {
                self.raw.push((SectionId::DataCount, range));
            }
            Payload::CodeSectionStart {
                unchecked_range, ..
            } => self.code_start = unchecked_range.start,
            Payload::DataSection(section) => self.raw.push((SectionId::Data, section.range())),
            Payload::CustomSection(section) => {
                let range = section.range();
                self.stats.custom_bytes += range.end.saturating_sub(range.start);
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes the functions that a constant expression refers to.
    fn name(&mut self, expression: &wasmparser::ConstExpr<'_>) -> Result<(), InstrumentError> {
        for op in expression.get_operators_reader() {
            if let Operator::RefFunc { function_index } = op? {
                self.named.insert(function_index);
            }
        }
        Ok(())
    }

    /// Notes a memory and gives the pages it may grow to.
    fn memory(
        &mut self,
        offset: u64,
        ty: wasmparser::MemoryType,
        limits: &Limits,
    ) -> Result<u64, InstrumentError> {
        check(
            offset,
            Limit::InitialPages,
            ty.initial,
            limits.initial_pages,
        )?;
        self.stats.initial_pages = ty.initial;
        let max = u64::from(limits.memory_pages);
        self.check_grow |= ty.maximum.is_none_or(|own| own > max);
        Ok(ty.maximum.map_or(max, |own| own.min(max)))
    }

    fn write(
        &mut self,
        wasm: &[u8],
        schedule: &GasSchedule,
        merge: bool,
        mut offsets: Option<&mut OffsetMap>,
    ) -> Result<Vec<u8>, InstrumentError> {
        let first = self.globals_len;
        let globals = Globals {
            gas: first,
            stack: first + 1,
            exit: first + 2,
        };
        let functions = std::mem::take(&mut self.functions);
        let imports = self.imported_functions;
        let context = Context {
            module: wasm,
            schedule,
            globals,
            imports,
            plans: plan::plan(&functions, imports, schedule, merge),
            check_grow: self.check_grow,
        };
        let max = schedule.limits.instrumented_bytes;
        let mut code = CodeSection::new();
        let mut types = FunctionSection::new();
        let mut size = 0;
        for (index, function) in functions.iter().enumerate() {
            let protocol = context
                .plans
                .get(index)
                .map_or(Protocol::Outer, |plan| plan.protocol);
            types.function(self.with_params(function.ty, protocol));
            let results = self.results(function.ty);
            let mut runs = Vec::new();
            let wanted = offsets.is_some().then_some(&mut runs);
            let body = emit::body(&context, index, function, results, wanted);
            size += body.len() as u64;
            check(function.code.0, Limit::InstrumentedBytes, size, max)?;
            code.raw(&body);
            if let Some(offsets) = &mut offsets {
                offsets.body((code.byte_len() - body.len()) as u64, &runs);
            }
        }
        self.reserved_globals(globals);

        let mut module = Module::new();
        if !self.types.is_empty() {
            module.section(&self.types);
        }
        self.copy(&mut module, wasm, SectionId::Import);
        if !types.is_empty() {
            module.section(&types);
        }
        if let Some(tables) = &self.tables {
            module.section(tables);
        }
        if let Some(memories) = &self.memories {
            module.section(memories);
        }
        module.section(&self.globals);
        module.section(&self.exports);
        self.copy(&mut module, wasm, SectionId::Element);
        self.copy(&mut module, wasm, SectionId::DataCount);
        if !code.is_empty() {
            module.section(&code);
            if let Some(offsets) = offsets {
                offsets.place((module.len() - code.byte_len()) as u64, self.code_start);
            }
        }
        self.copy(&mut module, wasm, SectionId::Data);
        Ok(module.finish())
    }

    fn copy(&self, module: &mut Module, wasm: &[u8], wanted: SectionId) {
        for (id, range) in self.raw.iter().filter(|(id, _)| *id == wanted) {
            let (start, end) = (usize::try_from(range.start), usize::try_from(range.end));
            if let (Ok(start), Ok(end)) = (start, end)
                && let Some(data) = wasm.get(start..end)
            {
                module.section(&RawSection {
                    id: *id as u8,
                    data,
                });
            }
        }
    }

    fn reserved_globals(&mut self, globals: Globals) {
        let i64 = GlobalType {
            val_type: ValType::I64,
            mutable: true,
            shared: false,
        };
        let i32 = GlobalType {
            val_type: ValType::I32,
            ..i64
        };
        self.globals.global(i64, &ConstExpr::i64_const(0));
        self.globals.global(i64, &ConstExpr::i64_const(0));
        self.globals.global(i32, &ConstExpr::i32_const(0));
        self.exports
            .export(GAS_EXPORT, ExportKind::Global, globals.gas);
        self.exports
            .export(STACK_EXPORT, ExportKind::Global, globals.stack);
        self.exports
            .export(EXIT_EXPORT, ExportKind::Global, globals.exit);
    }

    /// Block type with the results of a function type; added when there is none yet.
    fn results(&mut self, ty: u32) -> BlockType {
        let Some(signature) = self.signatures.get(ty as usize).cloned() else {
            return BlockType::Empty;
        };
        match signature.results() {
            [] => BlockType::Empty,
            [only] => RoundtripReencoder
                .val_type(*only)
                .map_or(BlockType::Empty, BlockType::Result),
            _ if signature.params().is_empty() => BlockType::FunctionType(ty),
            results => BlockType::FunctionType(self.ty(FuncType::new([], results.iter().copied()))),
        }
    }

    /// The type that a function of type `ty` has under a protocol.
    fn with_params(&mut self, ty: u32, protocol: Protocol) -> u32 {
        let Some(signature) = self.signatures.get(ty as usize) else {
            return ty;
        };
        if !protocol.is_inner() {
            return ty;
        }
        let i64s = |count| std::iter::repeat_n(wasmparser::ValType::I64, count);
        let params = signature
            .params()
            .iter()
            .copied()
            .chain(i64s(protocol.params() as usize));
        let results = signature.results().iter().copied().chain(i64s(1));
        let wanted = FuncType::new(params.collect::<Vec<_>>(), results.collect::<Vec<_>>());
        self.ty(wanted)
    }

    /// Index of a type, added when there is none yet.
    fn ty(&mut self, wanted: FuncType) -> u32 {
        if let Some(index) = self.known.get(&wanted) {
            return *index;
        }
        let encode = |types: &[wasmparser::ValType]| -> Vec<ValType> {
            let types = types.iter();
            types
                .filter_map(|ty| RoundtripReencoder.val_type(*ty).ok())
                .collect()
        };
        self.types
            .ty()
            .function(encode(wanted.params()), encode(wanted.results()));
        let index = u32::try_from(self.signatures.len()).unwrap_or(u32::MAX);
        self.signatures.push(wanted.clone());
        self.known.insert(wanted, index);
        index
    }
}

#[cold]
fn internal(error: &dyn std::fmt::Display) -> InstrumentError {
    InstrumentError::new(0, Reason::Internal(error.to_string()))
}
