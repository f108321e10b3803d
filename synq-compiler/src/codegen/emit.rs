//! Emitting one function: instructions, locals, labels.

use wasm_encoder::{BlockType, Instruction, MemArg, ValType};

use super::runtime::{Body, Signature};
use crate::source::Span;

/// A function being written.
#[derive(Debug)]
pub(crate) struct Emit {
    pub code: Vec<Instruction<'static>>,
    params: u32,
    locals: Vec<ValType>,
    free32: Vec<u32>,
    free64: Vec<u32>,
    /// Given back at the end of the statement.
    held: Vec<(ValType, u32)>,
    /// Labels open at this point.
    pub depth: u32,
    signature: Signature,
    name: String,
    /// Where in the source the code from an instruction on comes from.
    places: Vec<(usize, Span)>,
    /// Where what is being written comes from.
    source: Span,
}

/// Four locals that hold a word.
pub(crate) type Word = [u32; 4];

pub(crate) fn at(offset: u32) -> MemArg {
    MemArg {
        offset: u64::from(offset),
        align: 0,
        target: wasm_encoder::MemArgTarget::Memory(0),
        ordering: None,
    }
}

impl Emit {
    pub fn new(name: impl Into<String>, params: Vec<ValType>, results: Vec<ValType>) -> Self {
        Self {
            code: Vec::new(),
            params: params.len() as u32,
            locals: Vec::new(),
            free32: Vec::new(),
            free64: Vec::new(),
            held: Vec::new(),
            depth: 0,
            signature: (params, results),
            name: name.into(),
            places: Vec::new(),
            source: Span::default(),
        }
    }

    /// Says where what follows comes from, and gives what was said before. The empty span at
    /// the beginning of the first file changes nothing: it marks what the compiler made up.
    pub fn at_source(&mut self, span: Span) -> Span {
        if span == Span::default() {
            return self.source;
        }
        std::mem::replace(&mut self.source, span)
    }

    pub fn finish(mut self) -> Body {
        self.code.push(Instruction::End);
        Body {
            name: self.name,
            signature: self.signature,
            locals: self.locals,
            code: self.code,
            places: self.places,
        }
    }

    pub fn op(&mut self, instruction: Instruction<'static>) {
        if self
            .places
            .last()
            .is_none_or(|(_, last)| *last != self.source)
        {
            self.places.push((self.code.len(), self.source));
        }
        self.code.push(instruction);
    }

    pub fn local(&mut self, ty: ValType) -> u32 {
        self.locals.push(ty);
        self.params + self.locals.len() as u32 - 1
    }

    pub fn t32(&mut self) -> u32 {
        self.free32
            .pop()
            .unwrap_or_else(|| self.local(ValType::I32))
    }

    pub fn t64(&mut self) -> u32 {
        self.free64
            .pop()
            .unwrap_or_else(|| self.local(ValType::I64))
    }

    /// A local that stays until the statement ends.
    pub fn hold(&mut self, ty: ValType) -> u32 {
        let local = if ty == ValType::I32 {
            self.t32()
        } else {
            self.t64()
        };
        self.held.push((ty, local));
        local
    }

    pub fn hold_word(&mut self) -> Word {
        [ValType::I64; 4].map(|ty| self.hold(ty))
    }

    /// Marks the beginning of a statement.
    pub fn mark(&self) -> usize {
        self.held.len()
    }

    /// Gives back what was held since the mark.
    pub fn release(&mut self, mark: usize) {
        for (ty, local) in self
            .held
            .split_off(mark.min(self.held.len()))
            .into_iter()
            .rev()
        {
            if ty == ValType::I32 {
                self.done32(local);
            } else {
                self.done64(local);
            }
        }
    }

    pub fn word(&mut self) -> Word {
        [self.t64(), self.t64(), self.t64(), self.t64()]
    }

    pub fn done32(&mut self, local: u32) {
        self.free32.push(local);
    }

    pub fn done64(&mut self, local: u32) {
        self.free64.push(local);
    }

    pub fn done_word(&mut self, word: Word) {
        self.free64.extend(word.iter().rev());
    }

    pub fn get(&mut self, local: u32) {
        self.op(Instruction::LocalGet(local));
    }

    pub fn set(&mut self, local: u32) {
        // `set x; get x` is a `tee`.
        self.op(Instruction::LocalSet(local));
    }

    pub fn tee(&mut self, local: u32) {
        self.op(Instruction::LocalTee(local));
    }

    pub fn get_word(&mut self, word: Word) {
        for local in word {
            self.get(local);
        }
    }

    pub fn set_word(&mut self, word: Word) {
        for local in word.iter().rev() {
            self.set(*local);
        }
    }

    pub fn i32(&mut self, value: u32) {
        self.op(Instruction::I32Const(value as i32));
    }

    pub fn i64(&mut self, value: u64) {
        self.op(Instruction::I64Const(value as i64));
    }

    pub fn call(&mut self, function: u32) {
        self.op(Instruction::Call(function));
    }

    pub fn block(&mut self) -> u32 {
        self.op(Instruction::Block(BlockType::Empty));
        self.depth += 1;
        self.depth
    }

    pub fn loop_(&mut self) -> u32 {
        self.op(Instruction::Loop(BlockType::Empty));
        self.depth += 1;
        self.depth
    }

    pub fn if_(&mut self) {
        self.op(Instruction::If(BlockType::Empty));
        self.depth += 1;
    }

    pub fn if_value(&mut self, ty: ValType) {
        self.op(Instruction::If(BlockType::Result(ty)));
        self.depth += 1;
    }

    pub fn else_(&mut self) {
        self.op(Instruction::Else);
    }

    pub fn end(&mut self) {
        self.op(Instruction::End);
        self.depth -= 1;
    }

    pub fn br(&mut self, label: u32) {
        self.op(Instruction::Br(self.depth - label));
    }

    pub fn br_if(&mut self, label: u32) {
        self.op(Instruction::BrIf(self.depth - label));
    }

    pub fn add32(&mut self, value: u32) {
        if value != 0 {
            self.i32(value);
            self.op(Instruction::I32Add);
        }
    }
}
