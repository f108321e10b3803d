//! Counting what runs, for profiles.
//!
//! Counters are added to a module that is instrumented already: one for each basic block of
//! the result. What it pays, and when, is what it paid before.

use std::collections::BTreeMap;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{ConstExpr, Encode, GlobalSection, GlobalType, Instruction, Module, RawSection};
use wasmparser::{FunctionBody, Operator, Parser, Payload};

use super::cost::price;
use super::error::{InstrumentError, Reason};
use super::module;
use super::offsets::OffsetMap;
use crate::GasSchedule;

/// An instrumented module that counts how often each of its basic blocks begins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Counted {
    /// The module. Its last globals, as many as there are blocks, are the counters: mutable
    /// `i64`, zero at the start.
    pub wasm: Vec<u8>,
    /// The guest's own instructions in each block.
    pub blocks: Vec<Block>,
}

/// Instructions of one block by name.
pub type Block = BTreeMap<String, BlockOpcode>;

/// Instructions of one name in a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockOpcode {
    /// How many there are.
    pub count: u64,
    /// Gas that running each of them once takes, besides what depends on operands.
    pub gas: u64,
}

/// Instruments a guest module as [`instrument`](super::instrument) does and adds counters.
///
/// # Errors
/// As `instrument`.
pub fn count_blocks(wasm: &[u8], schedule: &GasSchedule) -> Result<Counted, InstrumentError> {
    let mut map = OffsetMap::default();
    let instrumented = module::instrument(wasm, schedule, true, Some(&mut map))?.wasm;
    let guest = guest_opcodes(wasm, schedule)?;
    let mut counting = Counting {
        module: &instrumented,
        map: &map,
        guest: &guest,
        first: globals(&instrumented)?,
        blocks: 0,
        owners: BTreeMap::new(),
    };
    let mut code = wasm_encoder::CodeSection::new();
    for payload in Parser::new(0).parse_all(&instrumented) {
        if let Payload::CodeSectionEntry(body) = payload? {
            code.raw(&counting.body(&body)?);
        }
    }
    let mut blocks = vec![Block::new(); counting.blocks as usize];
    for (offset, owner) in &counting.owners {
        if let (Some(opcode), Some(block)) =
            (guest.get(offset), blocks.get_mut(owner.block as usize))
        {
            let entry = block.entry(opcode.name.clone()).or_default();
            entry.count += 1;
            entry.gas = entry.gas.saturating_add(opcode.gas);
        }
    }
    Ok(Counted {
        wasm: rebuild(&instrumented, &code, counting.blocks)?,
        blocks,
    })
}

/// A guest instruction.
struct GuestOpcode {
    name: String,
    gas: u64,
}

/// The guest's instructions by the byte at which each stands.
fn guest_opcodes(
    wasm: &[u8],
    schedule: &GasSchedule,
) -> Result<BTreeMap<u64, GuestOpcode>, InstrumentError> {
    let mut found = BTreeMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CodeSectionEntry(body) = payload? else {
            continue;
        };
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let offset = operators.original_position();
            let operator = operators.read()?;
            let opcode = GuestOpcode {
                name: name(&operator),
                gas: price(&operator, &schedule.wasm).unwrap_or(0),
            };
            found.insert(offset, opcode);
        }
    }
    Ok(found)
}

/// Globals that a module has; none of them is imported.
fn globals(wasm: &[u8]) -> Result<u32, InstrumentError> {
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::GlobalSection(section) = payload? {
            return Ok(section.count());
        }
    }
    Ok(0)
}

/// Which block counts a guest instruction.
struct Owner {
    block: u32,
    /// Whether the instruction itself was found there, not one that stands for it.
    certain: bool,
}

struct Counting<'a> {
    module: &'a [u8],
    map: &'a OffsetMap,
    guest: &'a BTreeMap<u64, GuestOpcode>,
    /// Index of the first counter.
    first: u32,
    blocks: u32,
    owners: BTreeMap<u64, Owner>,
}

impl Counting<'_> {
    /// The body with a counter at the head of each block.
    fn body(&mut self, body: &FunctionBody<'_>) -> Result<Vec<u8>, InstrumentError> {
        let mut operators = body.get_operators_reader()?;
        let mut code = Vec::new();
        self.copy(body.range().start, operators.original_position(), &mut code);
        let mut block = self.begin(&mut code);
        while !operators.eof() {
            let offset = operators.original_position();
            let operator = operators.read()?;
            let end = operators.original_position();
            self.own(offset, &operator, block);
            self.copy(offset, end, &mut code);
            if ends_block(&operator) && !operators.eof() {
                block = self.begin(&mut code);
            }
        }
        Ok(code)
    }

    fn begin(&mut self, code: &mut Vec<u8>) -> u32 {
        let block = self.blocks;
        self.blocks += 1;
        let counter = self.first + block;
        for instruction in [
            Instruction::GlobalGet(counter),
            Instruction::I64Const(1),
            Instruction::I64Add,
            Instruction::GlobalSet(counter),
        ] {
            instruction.encode(code);
        }
        block
    }

    /// Notes that the guest's instruction behind an instruction is in a block. Some of the
    /// guest's instructions are written anew; the first that stands for one of those and has
    /// its name is it.
    fn own(&mut self, offset: u64, operator: &Operator<'_>, block: u32) {
        let Some(guest) = self.map.guest_offset(offset) else {
            return;
        };
        let certain = self.map.is_guest(offset);
        let known = self.owners.get(&guest);
        if known.is_some_and(|owner| owner.certain || !certain) {
            return;
        }
        let is_it = |opcode: &GuestOpcode| certain || opcode.name == name(operator);
        if self.guest.get(&guest).is_some_and(is_it) {
            self.owners.insert(guest, Owner { block, certain });
        }
    }

    fn copy(&self, from: u64, to: u64, code: &mut Vec<u8>) {
        code.extend(slice(self.module, from, to));
    }
}

fn slice(bytes: &[u8], from: u64, to: u64) -> &[u8] {
    match (usize::try_from(from), usize::try_from(to)) {
        (Ok(from), Ok(to)) => bytes.get(from..to).unwrap_or_default(),
        _ => &[],
    }
}

fn ends_block(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return
            | Operator::Unreachable
    )
}

fn internal(error: impl std::fmt::Display) -> InstrumentError {
    InstrumentError::new(0, Reason::Internal(error.to_string()))
}

/// The module with other code and so many counters more.
fn rebuild(
    wasm: &[u8],
    code: &wasm_encoder::CodeSection,
    counters: u32,
) -> Result<Vec<u8>, InstrumentError> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::GlobalSection(section) => {
                let mut globals = GlobalSection::new();
                for global in section.clone() {
                    let global = global?;
                    let encoder = &mut RoundtripReencoder;
                    let ty = encoder.global_type(global.ty).map_err(internal)?;
                    let init = encoder.const_expr(global.init_expr).map_err(internal)?;
                    globals.global(ty, &init);
                }
                for _ in 0..counters {
                    let ty = GlobalType {
                        val_type: wasm_encoder::ValType::I64,
                        mutable: true,
                        shared: false,
                    };
                    globals.global(ty, &ConstExpr::i64_const(0));
                }
                module.section(&globals);
            }
            Payload::CodeSectionStart { .. } => {
                module.section(code);
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    let data = slice(wasm, range.start, range.end);
                    module.section(&RawSection { id, data });
                }
            }
        }
    }
    Ok(module.finish())
}

/// Prefixes that the text format sets off with a dot.
const DOTTED: &[&str] = &[
    "i32", "i64", "f32", "f64", "v128", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2",
    "local", "global", "memory", "table", "elem", "data", "ref",
];

/// Name in the text format.
fn name(operator: &Operator<'_>) -> String {
    let debug = format!("{operator:?}");
    let variant = debug.split([' ', '(']).next().unwrap_or_default();
    let mut name = String::new();
    for letter in variant.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            let dot = DOTTED.contains(&name.as_str());
            name.push(if dot { '.' } else { '_' });
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_text_format() {
        for (operator, expected) in [
            (Operator::I32Add, "i32.add"),
            (Operator::I64ExtendI32U, "i64.extend_i32_u"),
            (Operator::F64ConvertI64S, "f64.convert_i64_s"),
            (Operator::LocalGet { local_index: 3 }, "local.get"),
            (Operator::BrIf { relative_depth: 0 }, "br_if"),
            (Operator::MemoryGrow { mem: 0 }, "memory.grow"),
            (Operator::I32x4Add, "i32x4.add"),
            (Operator::Unreachable, "unreachable"),
        ] {
            assert_eq!(name(&operator), expected);
        }
    }

    #[test]
    fn every_instruction_of_the_guest_has_one_block_and_the_module_is_valid() {
        let wasm = wat::parse_str(
            r#"(module
              (memory 1)
              (func $inner (param i32) (result i32) (local i32 i64)
                (local.set 1 (i32.const 3))
                (block $b
                  (br_if $b (local.get 0))
                  (local.set 1 (i32.mul (local.get 1) (local.get 1))))
                (local.get 1))
              (func (export "f") (param i32) (result i32) (local i32)
                (loop $l
                  (local.set 1 (i32.add (local.get 1) (call $inner (local.get 0))))
                  (memory.fill (i32.const 0) (i32.const 1) (local.get 0))
                  (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (if (result i32) (local.get 1) (then (local.get 1)) (else (i32.const 7)))))"#,
        )
        .unwrap();
        let schedule = GasSchedule::v1();
        let counted = count_blocks(&wasm, &schedule).unwrap();
        wasmparser::validate(&counted.wasm).unwrap();
        let (mut counted_names, mut expected) = (BTreeMap::new(), BTreeMap::new());
        for (name, opcode) in counted.blocks.iter().flatten() {
            *counted_names.entry(name.clone()).or_insert(0) += opcode.count;
        }
        for opcode in guest_opcodes(&wasm, &schedule).unwrap().into_values() {
            *expected.entry(opcode.name).or_insert(0) += 1;
        }
        // The last `end` of a function is written anew.
        counted_names.remove("end");
        expected.remove("end");
        assert_eq!(counted_names, expected);
    }

    #[test]
    fn what_is_not_accepted_is_not_counted() {
        let schedule = GasSchedule::v1();
        assert!(count_blocks(b"", &schedule).is_err());
        assert!(count_blocks(b"\0asm\x01\0\0\0\xff", &schedule).is_err());
        let start = wat::parse_str("(module (func $s) (start $s))").unwrap();
        assert!(count_blocks(&start, &schedule).is_err());
        let empty = count_blocks(b"\0asm\x01\0\0\0", &schedule).unwrap();
        assert!(empty.blocks.is_empty());
        wasmparser::validate(&empty.wasm).unwrap();
    }
}
