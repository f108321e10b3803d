//! From checked contracts to WebAssembly.
//!
//! Values of up to 64 bits live in one i64, wider ones in four, Bools and addresses of
//! aggregates in one i32. Structures and fixed arrays lie in memory as their parts, packed;
//! dynamic values are pointers to blocks (see `runtime.wat`).
//!
//! State: a value takes a slot of its own, numbered in order of declaration. The entry of a
//! mapping is at BLAKE3(key ‖ slot), limbs little-endian; the elements of a dynamic array at
//! BLAKE3(slot) and on. Slots are counted in the lowest 64 bits without a carry: hashed slots
//! share their upper 192 bits with no other. Bytes and strings are one entry of any length.

mod abi;
mod access;
mod arith;
mod builtins;
mod codec;
mod convert;
mod dispatch;
mod emit;
mod exprs;
mod helpers;
mod lines;
mod link;
mod places;
mod runtime;
mod stmts;
mod topics;

use std::collections::BTreeMap;

use alloy_primitives::U256;
use wasm_encoder::{Instruction, ValType};

use crate::ir::*;
use emit::{Emit, at};
use helpers::Helper;
pub(crate) use lines::Lines;
use runtime::{Body, Broken, Runtime};

/// First address of data segments.
const DATA_BASE: u32 = 1024;
/// Where host functions put their results.
const RESULT: u32 = 32;
/// Where event topics are put together.
const TOPICS: u32 = 256;
/// Where the result of an export lies.
const RETURN: u32 = 448;

/// Globals: top of the heap, and the call data.
const HEAP: u32 = 0;
const INPUT: u32 = 1;
const INPUT_LENGTH: u32 = 2;

pub(crate) struct Gen<'a> {
    pub world: &'a World,
    pub contract: &'a Contract,
    pub runtime: &'a Runtime,
    /// Functions of the contract first, then entries and helpers.
    pub bodies: Vec<Option<Body>>,
    helpers: BTreeMap<Helper, u32>,
    pending: Vec<(Helper, u32)>,
    data: Vec<u8>,
    literals: BTreeMap<Vec<u8>, u32>,
}

/// The function being written.
pub(crate) struct Frame<'f> {
    pub function: &'f Function,
    /// First Wasm local of each local.
    pub locals: Vec<u32>,
    /// Labels of loops: break, continue, open `require_pqc` blocks.
    pub loops: Vec<(u32, u32, usize)>,
    /// Labels to jump to when a post-quantum check fails.
    pub pqc: Vec<u32>,
    pub f: Emit,
}

pub(crate) fn value_types(ty: &Type, out: &mut Vec<ValType>) {
    match ty {
        Type::Tuple(parts) => parts.iter().for_each(|t| value_types(t, out)),
        _ => match ty.repr() {
            Repr::I32 => out.push(ValType::I32),
            Repr::I64 => out.push(ValType::I64),
            Repr::Word => out.extend([ValType::I64; 4]),
        },
    }
}

pub(crate) fn local_types(local: &Local, out: &mut Vec<ValType>) {
    if local.storage {
        out.extend([ValType::I64; 4]);
    } else {
        value_types(&local.ty, out);
    }
}

impl<'a> Gen<'a> {
    fn first(&self) -> u32 {
        (self.runtime.imports.len() + self.runtime.bodies.len()) as u32
    }

    /// Number of a helper routine or host function of the runtime.
    pub fn rt(&self, name: &str) -> u32 {
        // A misspelt name would be caught by the first test that compiles a contract: the
        // linker finds no such function.
        self.runtime.exports.get(name).copied().unwrap_or(u32::MAX)
    }

    /// Number of a host function.
    pub fn host(&self, interface: &str, function: &str) -> u32 {
        self.runtime
            .imports
            .iter()
            .position(|(i, f, _)| *i == interface && *f == function)
            .map_or(u32::MAX, |i| i as u32)
    }

    pub fn reserve_body(&mut self) -> u32 {
        self.bodies.push(None);
        self.first() + self.bodies.len() as u32 - 1
    }

    pub fn put_body(&mut self, id: u32, body: Body) {
        let first = self.first();
        if let Some(slot) = self.bodies.get_mut((id - first) as usize) {
            *slot = Some(body);
        }
    }

    pub fn add_body(&mut self, body: Body) -> u32 {
        let id = self.reserve_body();
        self.put_body(id, body);
        id
    }

    pub fn function_id(&self, index: usize) -> u32 {
        self.first() + index as u32
    }

    pub fn helper(&mut self, helper: Helper) -> u32 {
        if let Some(id) = self.helpers.get(&helper) {
            return *id;
        }
        let id = self.reserve_body();
        self.helpers.insert(helper.clone(), id);
        self.pending.push((helper, id));
        id
    }

    /// Address of bytes in the data segment.
    pub fn raw_data(&mut self, bytes: &[u8]) -> u32 {
        if let Some(at) = self.literals.get(bytes) {
            return *at;
        }
        while !self.data.len().is_multiple_of(8) {
            self.data.push(0);
        }
        let at = DATA_BASE + self.data.len() as u32;
        self.data.extend_from_slice(bytes);
        self.literals.insert(bytes.to_vec(), at);
        at
    }

    /// Address of a block in the data segment.
    pub fn literal(&mut self, bytes: &[u8]) -> u32 {
        if bytes.is_empty() {
            return 0;
        }
        let mut block = (bytes.len() as u64).to_le_bytes().to_vec();
        block.extend_from_slice(bytes);
        self.raw_data(&block)
    }

    fn function(&mut self, index: usize, function: &Function) -> Body {
        let mut params = Vec::new();
        for local in function.locals.iter().take(function.params) {
            local_types(local, &mut params);
        }
        let mut results = Vec::new();
        if function.returns_storage {
            results.extend([ValType::I64; 4]);
        } else {
            function
                .returns
                .iter()
                .for_each(|t| value_types(t, &mut results));
        }
        let mut frame = Frame {
            function,
            locals: Vec::new(),
            loops: Vec::new(),
            pqc: Vec::new(),
            f: Emit::new(
                format!("{}.{}", self.contract.name, function.name),
                params,
                results,
            ),
        };
        let _ = index;
        frame.number_locals();
        // What is written to must not be the caller's.
        for (id, local) in function.locals.iter().enumerate().take(function.params) {
            if local.mutated
                && !local.storage
                && !local.ty.is_value()
                && let Some(base) = frame.locals.get(id).copied()
            {
                frame.f.get(base);
                self.copy_value(&mut frame.f, &local.ty);
                frame.f.set(base);
            }
        }
        self.statements(&mut frame, &function.body);
        // Falling off the end.
        self.fall_through(&mut frame);
        frame.f.finish()
    }

    fn fall_through(&mut self, frame: &mut Frame<'_>) {
        match &frame.function.named_returns {
            Some(ids) => {
                for id in ids.clone() {
                    frame.get_local(id);
                }
            }
            // A reference that stands for nothing.
            None if frame.function.returns_storage => {
                frame.f.op(Instruction::Unreachable);
                (0..4).for_each(|_| frame.f.i64(0));
            }
            None => {
                for ty in frame.function.returns.clone() {
                    self.zero(&mut frame.f, &ty);
                }
            }
        }
    }

    /// Pushes the zero value of a type.
    pub fn zero(&mut self, f: &mut Emit, ty: &Type) {
        match ty {
            Type::Tuple(parts) => {
                for part in parts {
                    self.zero(f, part);
                }
            }
            Type::Array(..) | Type::Struct(_) => {
                f.i32(self.world.size(ty));
                f.call(self.rt("alloc_zero"));
            }
            _ => match ty.repr() {
                Repr::I32 => f.i32(0),
                Repr::I64 => f.i64(0),
                Repr::Word => (0..4).for_each(|_| f.i64(0)),
            },
        }
    }
}

impl Frame<'_> {
    fn number_locals(&mut self) {
        let mut next = 0u32;
        for (id, local) in self.function.locals.iter().enumerate() {
            let mut types = Vec::new();
            local_types(local, &mut types);
            if id < self.function.params {
                self.locals.push(next);
                next += types.len() as u32;
            } else {
                let mut base = None;
                for ty in types {
                    let index = self.f.local(ty);
                    base.get_or_insert(index);
                }
                self.locals.push(base.unwrap_or(0));
            }
        }
    }

    fn width(&self, id: usize) -> u32 {
        self.function.locals.get(id).map_or(0, |local| {
            let mut types = Vec::new();
            local_types(local, &mut types);
            types.len() as u32
        })
    }

    pub fn get_local(&mut self, id: usize) {
        let base = self.locals.get(id).copied().unwrap_or(0);
        for i in 0..self.width(id) {
            self.f.get(base + i);
        }
    }

    pub fn set_local(&mut self, id: usize) {
        let base = self.locals.get(id).copied().unwrap_or(0);
        for i in (0..self.width(id)).rev() {
            self.f.set(base + i);
        }
    }
}

/// Pushes a constant of a value type.
pub(crate) fn push_constant(f: &mut Emit, value: &U256, ty: &Type) {
    let limbs = value.as_limbs();
    match ty.repr() {
        Repr::I32 => f.i32(limbs[0] as u32),
        Repr::I64 => f.i64(limbs[0]),
        Repr::Word => limbs.iter().for_each(|l| f.i64(*l)),
    }
}

/// A module from a contract.
pub(crate) fn generate(
    world: &World,
    contract: &Contract,
    customs: Vec<(String, Vec<u8>)>,
    debug: Option<&Lines>,
) -> Result<Vec<u8>, Broken> {
    let runtime = Runtime::load()?;
    let mut generator = Gen {
        world,
        contract,
        runtime: &runtime,
        bodies: contract.functions.iter().map(|_| None).collect(),
        helpers: BTreeMap::new(),
        pending: Vec::new(),
        data: Vec::new(),
        literals: BTreeMap::new(),
    };
    for (index, function) in contract.functions.iter().enumerate() {
        if function.outlined.is_none() {
            let body = generator.function(index, function);
            let id = generator.function_id(index);
            generator.put_body(id, body);
        }
    }
    let exports = generator.exports();
    while let Some((helper, id)) = generator.pending.pop() {
        let body = generator.write_helper(&helper);
        generator.put_body(id, body);
    }
    let generated = generator
        .bodies
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect();
    link::link(&link::Parts {
        runtime: &runtime,
        generated,
        exports,
        data: generator.data,
        data_base: DATA_BASE,
        customs,
        debug,
    })
}

/// `local.load` of a word in memory.
pub(crate) fn load_word(f: &mut Emit, pointer: u32, offset: u32) {
    for i in 0..4 {
        f.get(pointer);
        f.op(Instruction::I64Load(at(offset + 8 * i)));
    }
}
