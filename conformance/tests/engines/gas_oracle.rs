//! Gas against a count of our own: each instruction of a random module lowers a counter by
//! one before it runs, on wasmi, and what the counter says is what metering must charge
//! under a schedule in which every instruction costs one.

use std::convert::Infallible;

use aivm_abi::TrapCode;
use aivm_gas::{GasSchedule, instrument};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, GlobalSection,
    GlobalType, Instruction as I, Module, ValType,
};
use wasmparser::{FunctionBody, Operator, Parser, Payload};

use crate::machine::{self, Failure, Kind, Machine, Outcome, Value, Wasmi};
use crate::smith;

const SEEDS: u64 = 2_000;
const GAS: i64 = 20_000;
const COUNTER: &str = "counter";

/// Every instruction, function entry, page, 64 bytes and element costs one.
fn flat() -> GasSchedule {
    let mut schedule = GasSchedule::v1();
    let wasm = serde_json::to_value(&schedule.wasm).expect("prices");
    let serde_json::Value::Object(mut prices) = wasm else {
        panic!("an object");
    };
    for (name, price) in &mut prices {
        let free = ["structure", "function_local", "frame_per_64_words"].contains(&name.as_str());
        *price = u64::from(!free).into();
    }
    schedule.wasm = serde_json::from_value(prices.into()).expect("prices");
    schedule.limits.initial_pages = 16;
    schedule.limits.memory_grows = 1_000;
    schedule.limits.locals = 1_024;
    schedule.limits.loop_nesting = 24;
    schedule.limits.memory_pages = 16;
    schedule
}

/// Adds a counter, an i64 global, and a global to keep operands in.
struct Counting {
    counter: u32,
    operand: u32,
}

impl Counting {
    /// `counter -= amount`, where `amount` leaves an i64 on the stack; below zero it traps.
    fn lower(&self, function: &mut Function, amount: &[I<'_>]) {
        function.instruction(&I::GlobalGet(self.counter));
        for instruction in amount {
            function.instruction(instruction);
        }
        for instruction in [
            I::I64Sub,
            I::GlobalSet(self.counter),
            I::GlobalGet(self.counter),
            I::I64Const(0),
            I::I64LtS,
            I::If(BlockType::Empty),
            I::Unreachable,
            I::End,
        ] {
            function.instruction(&instruction);
        }
    }

    /// Counts units of the operand on the stack: 64 bytes begun, or single ones.
    fn lower_by_operand(&self, function: &mut Function, bytes: bool) {
        function.instruction(&I::GlobalSet(self.operand));
        let mut amount = vec![I::GlobalGet(self.operand), I::I64ExtendI32U];
        if bytes {
            amount.extend([I::I64Const(63), I::I64Add, I::I64Const(64), I::I64DivU]);
        }
        self.lower(function, &amount);
        function.instruction(&I::GlobalGet(self.operand));
    }
}

impl Reencode for Counting {
    type Error = Infallible;

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        wasm_encoder::reencode::utils::parse_global_section(self, globals, section)?;
        for (val_type, value) in [
            (ValType::I64, ConstExpr::i64_const(0)),
            (ValType::I32, ConstExpr::i32_const(0)),
        ] {
            let ty = GlobalType {
                val_type,
                mutable: true,
                shared: false,
            };
            globals.global(ty, &value);
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        wasm_encoder::reencode::utils::parse_export_section(self, exports, section)?;
        exports.export(COUNTER, ExportKind::Global, self.counter);
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Infallible>> {
        use Operator as O;
        let mut function = self.new_function_with_parsed_locals(&body)?;
        self.lower(&mut function, &[I::I64Const(1)]);
        for op in body.get_operators_reader()? {
            let op = op?;
            match op {
                O::MemoryGrow { .. }
                | O::TableGrow { .. }
                | O::TableCopy { .. }
                | O::TableFill { .. }
                | O::TableInit { .. } => self.lower_by_operand(&mut function, false),
                O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. } => {
                    self.lower_by_operand(&mut function, true);
                }
                _ => {}
            }
            match op {
                O::Nop
                | O::Unreachable
                | O::Block { .. }
                | O::Loop { .. }
                | O::Else
                | O::End
                | O::Drop => {}
                _ => self.lower(&mut function, &[I::I64Const(1)]),
            }
            function.instruction(&self.instruction(op)?);
        }
        code.function(&function);
        Ok(())
    }
}

/// The module with a counter, if it has globals and exports to add to.
fn counting(wasm: &[u8]) -> Option<Vec<u8>> {
    let (mut globals, mut exports) = (None, false);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("valid") {
            Payload::GlobalSection(section) => globals = Some(section.count()),
            Payload::ExportSection(_) => exports = true,
            _ => {}
        }
    }
    let counter = globals.filter(|_| exports)?;
    let mut module = Module::new();
    Counting {
        counter,
        operand: counter + 1,
    }
    .parse_core_module(&mut module, Parser::new(0), wasm)
    .expect("valid");
    Some(module.finish())
}

/// Calls a function of the counting module, with `GAS` on the counter.
fn count(
    machine: &mut dyn Machine,
    module: usize,
    function: &str,
) -> Result<(Vec<Value>, i64), Failure> {
    let instance = machine.instantiate(module)?;
    machine.set_global(instance, COUNTER, Value::I64(GAS));
    let args = machine.zeros(instance, function);
    let values = machine.call(instance, function, &args)?;
    let Some(Value::I64(left)) = machine.global(instance, COUNTER) else {
        panic!("the counter is a global");
    };
    Ok((values, GAS - left))
}

#[derive(Default)]
struct Counts {
    returned: usize,
    out_of_gas: usize,
    trapped: usize,
}

fn compare(seed: u64, schedule: &GasSchedule, counts: &mut Counts) {
    let config = wasm_smith::Config {
        max_memory32_bytes: 8 << 16,
        ..smith::config(seed, false)
    };
    let Some(wasm) = smith::module(seed, config) else {
        return;
    };
    let (Ok(metered), Some(counting)) = (instrument(&wasm, schedule), counting(&wasm)) else {
        return;
    };
    let (mut one, mut other) = (Wasmi::new(), Wasmi::new());
    let metered = one.compile(&metered.wasm).expect("valid");
    let counting = other.compile(&counting).expect("valid");
    let Ok(first) = one.instantiate(metered) else {
        return;
    };
    for (function, kind) in one.exports(first) {
        if kind != Kind::Func {
            continue;
        }
        let instance = one.instantiate(metered).expect("it started before");
        machine::fuel(&mut one, instance, GAS);
        let args = one.zeros(instance, &function);
        let outcome = machine::call(&mut one, instance, &function, &args, GAS);
        let mut counted = || count(&mut other, counting, &function);
        match outcome.expect("it runs") {
            Outcome::Returned(values, used) => {
                assert_eq!(counted(), Ok((values, used)), "{seed} {function}");
                counts.returned += 1;
            }
            Outcome::Trapped(TrapCode::OutOfGas) => {
                let counted = counted();
                assert!(counted.is_err(), "{seed} {function}: {counted:?}");
                counts.out_of_gas += 1;
            }
            // The counting module has no such limits.
            Outcome::Trapped(TrapCode::StackLimit | TrapCode::MemoryLimit) => {}
            Outcome::Trapped(trap) => {
                let expected = Err(Failure::Trap(trap));
                assert_eq!(counted(), expected, "{seed} {function}");
                counts.trapped += 1;
            }
        }
    }
}

#[test]
fn gas_is_what_a_counter_counts() {
    let schedule = flat();
    let mut counts = Counts::default();
    for seed in 0..SEEDS {
        compare(seed, &schedule, &mut counts);
    }
    println!(
        "{} calls returned with the counted gas, {} ran out of it, {} trapped",
        counts.returned, counts.out_of_gas, counts.trapped
    );
    assert!(counts.returned > 1_000, "{}", counts.returned);
    assert!(counts.out_of_gas > 20, "{}", counts.out_of_gas);
    assert!(counts.trapped > 200, "{}", counts.trapped);
}
