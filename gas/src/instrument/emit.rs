//! Writes the instrumented body of one function.
//!
//! ```text
//! block $stop
//!   block $return (result ...)
//!     gas := aivm:gas - entry; stack := aivm:stack - frame
//!     if gas < 0 or stack < 0, branch to $stop
//!     ... the body: charges branch to $stop when gas gets below 0 ...
//!     aivm:gas := gas
//!   end
//!   return
//! end
//! aivm:exit := gas < 0 ? 1 : 2
//! unreachable
//! ```
//! This is an outer function; an inner one has gas, and perhaps stack, in parameters and
//! returns gas. Gas lives in a local and is written to its global only where somebody else
//! looks at it: before calls of outer functions and at the end. Labels keep their numbers
//! and parameters are added at the end, so that the guest's own instructions are copied
//! byte for byte, save those on declared locals of inner functions.

use wasm_encoder::{BlockType, Encode, Instruction as I};

use super::ExitCode;
use super::cost::Dynamic;
use super::flow::Block;
use super::function::{Action, Callee, Function, LocalOp, Place};
use super::offsets::BodyRun;
use super::plan::{Plan, Protocol};
use crate::GasSchedule;

/// Indices of the added globals.
#[derive(Clone, Copy)]
pub(super) struct Globals {
    pub(super) gas: u32,
    pub(super) stack: u32,
    pub(super) exit: u32,
}

/// Everything a function shares with the rest of its module.
pub(super) struct Context<'a> {
    pub(super) module: &'a [u8],
    pub(super) schedule: &'a GasSchedule,
    pub(super) globals: Globals,
    /// Imported functions, which come before the others.
    pub(super) imports: u32,
    pub(super) plans: Vec<Plan>,
    /// Whether the memory may not grow as far as its own maximum says.
    pub(super) check_grow: bool,
}

struct Writer<'a, 'r> {
    context: &'a Context<'a>,
    plan: &'a Plan,
    code: Vec<u8>,
    /// Where the guest's own code went, when somebody wants to know.
    runs: Option<&'r mut Vec<BodyRun>>,
    gas: u32,
    stack: u32,
    operand: u32,
    /// Whether the local holds the gas left.
    local_is_right: bool,
    /// Whether the global does.
    global_is_right: bool,
}

/// The body of a function, its size not included.
pub(super) fn body(
    context: &Context<'_>,
    index: usize,
    function: &Function,
    results: BlockType,
    runs: Option<&mut Vec<BodyRun>>,
) -> Vec<u8> {
    let Some(plan) = context.plans.get(index) else {
        return Vec::new();
    };
    let mut code = Vec::new();
    let inner = plan.protocol.is_inner();
    let free = plan.protocol == Protocol::Free;
    let mut added = Vec::new();
    // Added parameters come after the guest's, added locals after all of the guest's.
    let mut next = function.locals_len + plan.protocol.params();
    let mut local = |ty| {
        added.push((1_u32, ty));
        next += 1;
        next - 1
    };
    let gas = match (inner, free) {
        (true, _) => function.params,
        (_, true) => 0,
        _ => local(wasm_encoder::ValType::I64),
    };
    let stack = match plan.protocol {
        Protocol::GasAndStack => gas + 1,
        Protocol::Outer if plan.open => local(wasm_encoder::ValType::I64),
        _ => gas,
    };
    let operand = if function.pays {
        local(wasm_encoder::ValType::I32)
    } else {
        gas
    };
    (function.locals.len() + added.len()).encode(&mut code);
    for &(count, ty) in &function.locals {
        count.encode(&mut code);
        encode_type(ty, &mut code);
    }
    for (count, ty) in added {
        count.encode(&mut code);
        ty.encode(&mut code);
    }

    let mut writer = Writer {
        context,
        plan,
        code,
        runs,
        gas,
        stack,
        operand,
        local_is_right: true,
        global_is_right: false,
    };
    writer.stands_for(0, function.code.0, 0);
    if free {
        writer.copy(function.code.0, function.code.1);
        writer.put(&[I::End]);
        return writer.code;
    }
    writer.put(&[I::Block(BlockType::Empty), I::Block(results)]);
    let mut copied = function.code.0;
    for place in &function.actions {
        writer.copy(copied, place.offset);
        copied = place.offset + u64::from(place.skip);
        writer.act(place);
    }
    writer.copy(copied, function.code.1);
    writer.stands_for(writer.code.len(), function.code.0, 0);
    writer.stop();
    writer.code
}

fn encode_type(ty: wasmparser::ValType, code: &mut Vec<u8>) {
    use wasm_encoder::ValType as T;
    match ty {
        wasmparser::ValType::I32 => T::I32,
        wasmparser::ValType::I64 => T::I64,
        wasmparser::ValType::F32 => T::F32,
        wasmparser::ValType::F64 => T::F64,
        wasmparser::ValType::V128 => T::V128,
        wasmparser::ValType::Ref(ty) if ty.is_func_ref() => T::FUNCREF,
        wasmparser::ValType::Ref(_) => T::EXTERNREF,
    }
    .encode(code);
}

/// A price as an operand; the schedule bounds prices far below 2^63.
fn price(gas: u64) -> i64 {
    i64::try_from(gas).unwrap_or(i64::MAX)
}

impl Writer<'_, '_> {
    fn put(&mut self, instructions: &[I<'_>]) {
        for instruction in instructions {
            instruction.encode(&mut self.code);
        }
    }

    fn stands_for(&mut self, at: usize, guest: u64, copied: u64) {
        if let Some(runs) = &mut self.runs {
            runs.push(BodyRun { at, guest, copied });
        }
    }

    fn copy(&mut self, from: u64, to: u64) {
        self.stands_for(self.code.len(), from, to.saturating_sub(from));
        let (Ok(from), Ok(to)) = (usize::try_from(from), usize::try_from(to)) else {
            return;
        };
        self.code
            .extend(self.context.module.get(from..to).unwrap_or_default());
    }

    fn act(&mut self, place: &Place) {
        match place.action {
            Action::Charge(block) if block.is_entry() => self.enter(),
            Action::Charge(block) => {
                self.local_is_right = true;
                self.global_is_right = false;
                self.charge(self.plan.charges.at(block), place.depth);
            }
            Action::BeforeCall { callee, live } => self.before_call(callee, live),
            Action::AfterCall { callee, live } => self.after_call(callee, live),
            Action::Local(op, index) => {
                let moved = index + self.plan.protocol.params();
                self.put(&[match op {
                    LocalOp::Get => I::LocalGet(moved),
                    LocalOp::Set => I::LocalSet(moved),
                    LocalOp::Tee => I::LocalTee(moved),
                }]);
            }
            Action::Leave => self.reload(),
            Action::Exit if self.plan.protocol.is_inner() => self.reload(),
            Action::Exit => self.flush(),
            Action::Return if self.plan.protocol.is_inner() => self.put(&[I::LocalGet(self.gas)]),
            Action::Return => {}
            Action::Pay(dynamic) => self.pay(dynamic, place.depth),
            Action::CheckGrow if self.context.check_grow => self.check_grow(),
            Action::CheckGrow => {}
        }
    }

    fn protocol(&self, callee: Callee) -> Protocol {
        match callee {
            Callee::Function(index) => index
                .checked_sub(self.context.imports)
                .and_then(|index| self.context.plans.get(index as usize))
                .map_or(Protocol::Outer, |plan| plan.protocol),
            Callee::Table => Protocol::Outer,
        }
    }

    fn before_call(&mut self, callee: Callee, live: bool) {
        let protocol = self.protocol(callee);
        match protocol {
            Protocol::Free => {}
            Protocol::Gas | Protocol::GasAndStack => {
                if live {
                    self.reload();
                }
                self.put(&[I::LocalGet(self.gas)]);
                if protocol == Protocol::GasAndStack {
                    self.put(&[I::LocalGet(self.stack)]);
                }
            }
            Protocol::Outer if live => {
                self.flush();
                self.put(&[
                    I::LocalGet(self.stack),
                    I::GlobalSet(self.context.globals.stack),
                ]);
            }
            Protocol::Outer => {}
        }
    }

    fn after_call(&mut self, callee: Callee, live: bool) {
        match self.protocol(callee) {
            Protocol::Free => {}
            Protocol::Gas | Protocol::GasAndStack => {
                self.put(&[I::LocalSet(self.gas)]);
                if live {
                    self.global_is_right = false;
                }
            }
            Protocol::Outer if live => {
                self.local_is_right = false;
                self.global_is_right = true;
            }
            Protocol::Outer => {}
        }
    }

    fn charge(&mut self, gas: u64, depth: u32) {
        if gas > 0 {
            self.put(&[I::LocalGet(self.gas), I::I64Const(price(gas)), I::I64Sub]);
            self.check(depth);
        }
    }

    fn enter(&mut self) {
        let globals = self.context.globals;
        let gas = self.plan.charges.at(Block::ENTRY);
        let words = price(self.plan.words);
        match self.plan.protocol {
            Protocol::Free => {}
            Protocol::Gas => self.charge(gas, 1),
            Protocol::GasAndStack => {
                self.put(&[
                    I::LocalGet(self.stack),
                    I::I64Const(words),
                    I::I64Sub,
                    I::LocalTee(self.stack),
                ]);
                if gas > 0 {
                    self.put(&[
                        I::LocalGet(self.gas),
                        I::I64Const(price(gas)),
                        I::I64Sub,
                        I::LocalTee(self.gas),
                        I::I64Or,
                    ]);
                }
                // Either one below zero shows in the sign.
                self.put(&[I::I64Const(0), I::I64LtS, I::BrIf(1)]);
            }
            Protocol::Outer => {
                self.put(&[
                    I::GlobalGet(globals.gas),
                    I::I64Const(price(gas)),
                    I::I64Sub,
                    I::LocalTee(self.gas),
                    I::GlobalGet(globals.stack),
                    I::I64Const(words),
                    I::I64Sub,
                ]);
                if self.plan.open {
                    self.put(&[I::LocalTee(self.stack)]);
                }
                self.put(&[I::I64Or, I::I64Const(0), I::I64LtS, I::BrIf(1)]);
            }
        }
        self.local_is_right = true;
        self.global_is_right = false;
    }

    /// Keeps the top of the stack as gas left and stops when it is below zero.
    fn check(&mut self, depth: u32) {
        self.put(&[
            I::LocalTee(self.gas),
            I::I64Const(0),
            I::I64LtS,
            I::BrIf(depth),
        ]);
        self.global_is_right = false;
    }

    fn flush(&mut self) {
        if !self.global_is_right {
            self.put(&[
                I::LocalGet(self.gas),
                I::GlobalSet(self.context.globals.gas),
            ]);
            self.global_is_right = true;
        }
    }

    fn reload(&mut self) {
        if !self.local_is_right {
            self.put(&[
                I::GlobalGet(self.context.globals.gas),
                I::LocalSet(self.gas),
            ]);
            self.local_is_right = true;
        }
    }

    /// The operand is an unsigned 32-bit number and prices are below 2^31, so the product
    /// is below 2^63, and gas, which is at least zero, cannot wrap when it is taken away.
    fn pay(&mut self, dynamic: Dynamic, depth: u32) {
        let wasm = &self.context.schedule.wasm;
        self.reload();
        self.put(&[
            I::LocalTee(self.operand),
            I::LocalGet(self.gas),
            I::LocalGet(self.operand),
            I::I64ExtendI32U,
        ]);
        let unit = match dynamic {
            Dynamic::MemoryGrow => wasm.memory_page,
            Dynamic::Elements => wasm.table_element,
            Dynamic::Bytes => {
                self.put(&[I::I64Const(63), I::I64Add, I::I64Const(6), I::I64ShrU]);
                wasm.bulk_per_64_bytes
            }
        };
        self.put(&[I::I64Const(price(unit)), I::I64Mul, I::I64Sub]);
        self.check(depth);
    }

    fn check_grow(&mut self) {
        let pages = i64::from(self.context.schedule.limits.memory_pages);
        self.put(&[
            I::LocalGet(self.operand),
            I::I64ExtendI32U,
            I::MemorySize(0),
            I::I64ExtendI32U,
            I::I64Add,
            I::I64Const(pages),
            I::I64GtS,
            I::If(BlockType::Empty),
            I::I32Const(ExitCode::MemoryLimit.code()),
            I::GlobalSet(self.context.globals.exit),
            I::Unreachable,
            I::End,
        ]);
    }

    fn stop(&mut self) {
        self.put(&[I::End]);
        if self.plan.protocol.is_inner() {
            self.put(&[I::LocalGet(self.gas)]);
        }
        self.put(&[
            I::Return,
            I::End,
            I::I32Const(ExitCode::OutOfGas.code()),
            I::I32Const(ExitCode::StackLimit.code()),
            I::LocalGet(self.gas),
            I::I64Const(0),
            I::I64LtS,
            I::Select,
            I::GlobalSet(self.context.globals.exit),
            I::Unreachable,
            I::End,
        ]);
    }
}
