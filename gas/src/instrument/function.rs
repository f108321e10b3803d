//! Reads one function: validates it, prices it and notes where to instrument.

use wasmparser::{
    BlockType, FuncType, FuncValidator, FunctionBody, Operator, ValType, ValidatorResources,
};

use super::cost::{self, Dynamic};
use super::error::{InstrumentError, Limit, Reason};
use super::features;
use super::flow::{Block, Flow};
use super::moves::Moves;
use crate::GasSchedule;

/// What a call calls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callee {
    /// The function with this index.
    Function(u32),
    /// Something in a table.
    Table,
}

/// Instructions on locals.
#[derive(Clone, Copy, Debug)]
pub(super) enum LocalOp {
    Get,
    Set,
    Tee,
}

/// Something to do at a place in a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// Charge for the block that begins here.
    Charge(Block),
    /// A call begins here; in dead code it only has to keep its type.
    BeforeCall { callee: Callee, live: bool },
    /// A call ended here.
    AfterCall { callee: Callee, live: bool },
    /// An instruction on a declared local, whose index moves when parameters are added.
    Local(LocalOp, u32),
    /// Control leaves the block here; the gas local must be right.
    Leave,
    /// Control leaves the function here; the gas global must be right.
    Exit,
    /// A `return` follows; an inner function returns its gas too, also in dead code.
    Return,
    /// The operator that follows pays by its operand.
    Pay(Dynamic),
    /// The `memory.grow` that follows must respect the limit of the schedule.
    CheckGrow,
}

/// Where to do something. A body's places are in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Byte of the module before which to do it.
    pub(super) offset: u64,
    /// Blocks that are open there, the function's own included.
    pub(super) depth: u32,
    /// Bytes of the guest that the action stands for.
    pub(super) skip: u32,
    pub(super) action: Action,
}

/// What instrumenting a function needs to know.
pub(super) struct Function {
    pub(super) ty: u32,
    /// Declared locals, as the body lists them.
    pub(super) locals: Vec<(u32, ValType)>,
    /// Parameters and declared locals.
    pub(super) locals_len: u32,
    pub(super) frame_words: u64,
    pub(super) flow: Flow,
    pub(super) actions: Vec<Place>,
    /// Where the instructions begin and end, the final `end` excluded.
    pub(super) code: (u64, u64),
    /// Calls, and the blocks that they are in; no block for dead code.
    pub(super) callees: Vec<(Option<Block>, Callee)>,
    /// Whether only direct calls can reach the function.
    pub(super) inner: bool,
    pub(super) params: u32,
    /// Whether something in it pays by an operand.
    pub(super) pays: bool,
    /// `memory.grow` instructions.
    pub(super) grows: u64,
    /// Where it first changes a table or drops a segment.
    pub(super) changes: Option<u64>,
    pub(super) phis: u64,
    /// See [`Moves::count`].
    pub(super) moves: u64,
    pub(super) blocks: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function,
    Block,
    Loop,
    If,
    Else,
}

struct Frame {
    kind: Kind,
    /// Where a branch to the frame's label goes.
    label: Block,
    /// The block after `end`; for all but loops it is the label.
    join: Block,
    /// The block that ends in the `if`, if it is live.
    head: Option<Block>,
    /// Whether something branches to the label.
    branched: bool,
}

struct Reader<'s> {
    schedule: &'s GasSchedule,
    signatures: &'s [FuncType],
    flow: Flow,
    moves: Moves,
    actions: Vec<Place>,
    frames: Vec<Frame>,
    /// The block being read; `None` in unreachable code.
    current: Option<Block>,
    /// Instructions in it.
    length: u64,
    loops: u32,
    joins: u64,
    blocks: u64,
    targets: u64,
    grows: u64,
    changes: Option<u64>,
    callees: Vec<(Option<Block>, Callee)>,
    pays: bool,
    /// The constant that the last operator pushed.
    constant: Option<i32>,
    inner: bool,
    params: u32,
}

/// Validates and reads a body. `signatures` are the module's types; `inner` says that only direct
/// calls can reach the function.
pub(super) fn read(
    body: &FunctionBody<'_>,
    validator: &mut FuncValidator<ValidatorResources>,
    ty: u32,
    signatures: &[FuncType],
    inner: bool,
    schedule: &GasSchedule,
) -> Result<Function, InstrumentError> {
    let limits = &schedule.limits;
    let signature = signatures.get(ty as usize);
    let params = signature.map_or(0, |ty| ty.params().len());
    let params = u32::try_from(params).unwrap_or(u32::MAX);
    let start = body.range().start;
    let bytes = body.range().end - start;
    check(start, Limit::BodyBytes, bytes, limits.body_bytes)?;

    let mut locals = Vec::new();
    let mut locals_len = u64::from(params);
    let mut wide = false;
    let mut locals_reader = body.get_locals_reader()?;
    for _ in 0..locals_reader.get_count() {
        let offset = locals_reader.original_position();
        let (count, ty) = locals_reader.read()?;
        locals_len += u64::from(count);
        check(offset, Limit::Locals, locals_len, limits.locals)?;
        validator
            .define_locals(offset, count, ty)
            .map_err(features::explain)?;
        wide |= ty == ValType::V128;
        locals.push((count, ty));
    }

    let mut operators = body.get_operators_reader()?;
    let mut reader = Reader::new(schedule, signatures, params, inner);
    let results = signature.map_or(0, |ty| ty.results().len());
    reader.moves.pass(Block::EXIT, results);
    let code_start = operators.original_position();
    reader.act(code_start, Action::Charge(Block::ENTRY));
    let mut height = 0;
    let mut values = 0_u64;
    let mut last = code_start;
    while !operators.eof() {
        let offset = operators.original_position();
        let op = operators.read().map_err(features::explain)?;
        validator.op(offset, &op).map_err(features::explain)?;
        let stack = validator.operand_stack_height();
        check(
            offset,
            Limit::StackValues,
            stack.into(),
            limits.stack_values,
        )?;
        height = height.max(stack);
        values += u64::from(cost::makes_value(&op));
        wide |= matches!(validator.get_operand_type(0), Some(Some(ValType::V128)));
        last = offset;
        reader.operator(offset, operators.original_position(), &op)?;
    }
    operators.finish().map_err(features::explain)?;

    // A word for each value that can be live at once, outgoing arguments included, and
    // sixteen for what an engine saves in a frame.
    let words = 16 + locals_len + 2 * u64::from(height) + values;
    let frame_words = if wide { 2 * words } else { words };
    check(start, Limit::FrameWords, frame_words, limits.frame_words)?;
    let phis = reader.joins * (locals_len + u64::from(height));
    check(start, Limit::Phis, phis, limits.phis)?;
    let locals_len = u32::try_from(locals_len).unwrap_or(u32::MAX);
    let moves = reader.moves.count(&reader.flow, locals_len);
    check(start, Limit::Phis, moves, limits.phis)?;
    Ok(Function {
        ty,
        locals,
        locals_len,
        frame_words,
        flow: reader.flow,
        actions: reader.actions,
        code: (code_start, last),
        callees: reader.callees,
        inner,
        params,
        pays: reader.pays,
        grows: reader.grows,
        changes: reader.changes,
        phis,
        moves,
        blocks: reader.blocks,
    })
}

impl<'s> Reader<'s> {
    fn new(
        schedule: &'s GasSchedule,
        signatures: &'s [FuncType],
        params: u32,
        inner: bool,
    ) -> Self {
        let function = Frame {
            kind: Kind::Function,
            label: Block::EXIT,
            join: Block::EXIT,
            head: None,
            branched: false,
        };
        let mut moves = Moves::default();
        moves.begin(Block::ENTRY);
        Self {
            schedule,
            signatures,
            flow: Flow::new(),
            moves,
            actions: Vec::new(),
            frames: vec![function],
            current: Some(Block::ENTRY),
            length: 0,
            loops: 0,
            joins: 0,
            blocks: 1,
            targets: 0,
            grows: 0,
            changes: None,
            callees: Vec::new(),
            pays: false,
            constant: None,
            inner,
            params,
        }
    }

    fn act(&mut self, offset: u64, action: Action) {
        if self.current.is_some() {
            self.place(offset, 0, action);
        }
    }

    fn place(&mut self, offset: u64, skip: u64, action: Action) {
        let depth = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
        let skip = u32::try_from(skip).unwrap_or(u32::MAX);
        self.actions.push(Place {
            offset,
            depth,
            skip,
            action,
        });
    }

    /// Dead calls matter too: what they call may have changed its type.
    fn call(&mut self, offset: u64, end: u64, callee: Callee) {
        let live = self.current.is_some();
        self.callees.push((self.current, callee));
        self.place(offset, 0, Action::BeforeCall { callee, live });
        self.place(end, 0, Action::AfterCall { callee, live });
    }

    fn local(&mut self, offset: u64, end: u64, op: LocalOp, index: u32) {
        if let Some(block) = self.current {
            match op {
                LocalOp::Get => self.moves.get(block, index),
                LocalOp::Set | LocalOp::Tee => self.moves.set(block, index),
            }
        }
        if self.inner && index >= self.params {
            self.place(offset, end - offset, Action::Local(op, index));
        }
    }

    /// One operator, from `offset` up to `end`. It was validated.
    fn operator(
        &mut self,
        offset: u64,
        end: u64,
        op: &Operator<'_>,
    ) -> Result<(), InstrumentError> {
        let Some(price) = cost::price(op, &self.schedule.wasm) else {
            return Err(InstrumentError::new(
                offset,
                Reason::Invalid(format!("{op:?}")),
            ));
        };
        self.length += 1;
        let limits = &self.schedule.limits;
        check(
            offset,
            Limit::BlockInstructions,
            self.length,
            limits.block_instructions,
        )?;
        if let Some(block) = self.current {
            self.flow.add_cost(block, price);
        }
        if cost::changes_instance(op) {
            self.changes = self.changes.or(Some(offset));
        }
        let constant = self.constant.take();
        if let Operator::I32Const { value } = op {
            self.constant = Some(*value);
        }
        if let (Some(Dynamic::Bytes | Dynamic::Elements), Some(operand)) =
            (cost::dynamic(op), constant)
        {
            // The operand is known, so it is paid for with the block.
            if let Some(block) = self.current {
                let gas = cost::known(op, operand, &self.schedule.wasm);
                self.flow.add_cost(block, gas);
            }
        } else if let Some(dynamic) = cost::dynamic(op) {
            self.act(offset, Action::Pay(dynamic));
            self.pays |= self.current.is_some();
            if dynamic == Dynamic::MemoryGrow {
                self.act(offset, Action::CheckGrow);
                self.grows += 1;
            }
        }
        match op {
            Operator::Call { function_index } => {
                self.call(offset, end, Callee::Function(*function_index));
            }
            Operator::CallIndirect { .. } => self.call(offset, end, Callee::Table),
            Operator::LocalGet { local_index } => {
                self.local(offset, end, LocalOp::Get, *local_index);
            }
            Operator::LocalSet { local_index } => {
                self.local(offset, end, LocalOp::Set, *local_index);
            }
            Operator::LocalTee { local_index } => {
                self.local(offset, end, LocalOp::Tee, *local_index);
            }
            Operator::Block { blockty } => {
                let join = self.flow.block();
                self.moves.pass(join, self.arity(*blockty).1);
                self.push(offset, Kind::Block, join, join, None)?;
            }
            Operator::Loop { blockty } => {
                self.act(offset, Action::Leave);
                let [header, join] = [self.flow.block(), self.flow.block()];
                self.moves.pass(header, self.arity(*blockty).0);
                self.push(offset, Kind::Loop, header, join, None)?;
                self.loops += 1;
                check(
                    offset,
                    Limit::LoopNesting,
                    self.loops.into(),
                    limits.loop_nesting,
                )?;
                self.joins += 1;
                self.flow_to(header);
                self.begin(offset, end, header)?;
            }
            Operator::If { blockty } => {
                self.act(offset, Action::Leave);
                let [then, join] = [self.flow.block(), self.flow.block()];
                self.moves.pass(join, self.arity(*blockty).1);
                let head = self.current;
                self.push(offset, Kind::If, join, join, head)?;
                self.flow_to(then);
                self.begin(offset, end, then)?;
            }
            Operator::Else => {
                self.act(offset, Action::Leave);
                if let Some(frame) = self.frames.last_mut() {
                    let (join, head) = (frame.join, frame.head);
                    frame.kind = Kind::Else;
                    frame.branched |= self.current.is_some();
                    self.flow_to(join);
                    let other = self.flow.block();
                    self.current = head;
                    self.flow_to(other);
                    self.begin(offset, end, other)?;
                }
            }
            Operator::End => self.end(offset, end)?,
            Operator::Br { relative_depth } => {
                self.branch(offset, [*relative_depth], true);
                self.stop();
            }
            Operator::BrIf { relative_depth } => {
                self.branch(offset, [*relative_depth], false);
                let next = self.flow.block();
                self.flow_to(next);
                self.begin(offset, end, next)?;
            }
            Operator::BrTable { targets } => {
                let count = u64::from(targets.len()) + 1;
                check(offset, Limit::BrTable, count, limits.br_table)?;
                self.targets += count;
                check(
                    offset,
                    Limit::TotalBrTable,
                    self.targets,
                    limits.total_br_table,
                )?;
                let mut depths = vec![targets.default()];
                for target in targets.targets() {
                    depths.push(target?);
                }
                self.branch(offset, depths, false);
                self.stop();
            }
            Operator::Return => {
                let depth = self.frames.len().saturating_sub(1);
                self.branch(offset, [u32::try_from(depth).unwrap_or(u32::MAX)], true);
                self.place(offset, 0, Action::Return);
                self.stop();
            }
            Operator::Unreachable => self.stop(),
            _ => {}
        }
        Ok(())
    }

    fn push(
        &mut self,
        offset: u64,
        kind: Kind,
        label: Block,
        join: Block,
        head: Option<Block>,
    ) -> Result<(), InstrumentError> {
        self.frames.push(Frame {
            kind,
            label,
            join,
            head,
            branched: false,
        });
        let depth = self.frames.len() as u64;
        check(offset, Limit::Nesting, depth, self.schedule.limits.nesting)
    }

    fn end(&mut self, offset: u64, end: u64) -> Result<(), InstrumentError> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        match frame.kind {
            Kind::Function => {
                self.act(offset, Action::Exit);
                self.flow_to(Block::EXIT);
                self.stop();
            }
            // Nothing branches to the end of a loop, and perhaps nothing to that of a
            // block: what follows belongs to the same basic block.
            Kind::Loop => self.loops = self.loops.saturating_sub(1),
            Kind::Block if !frame.branched => {}
            Kind::Block | Kind::If | Kind::Else => {
                self.act(offset, Action::Leave);
                self.flow_to(frame.join);
                if frame.kind == Kind::If {
                    self.current = frame.head;
                    self.flow_to(frame.join);
                }
                self.joins += 1;
                if self.flow.is_live(frame.join) {
                    self.begin(offset, end, frame.join)?;
                } else {
                    self.stop();
                }
            }
        }
        Ok(())
    }

    /// Branches at `offset` to labels at these depths; `only` says that there is just one.
    fn branch(&mut self, offset: u64, depths: impl IntoIterator<Item = u32>, only: bool) {
        let Some(block) = self.current else { return };
        let mut exits = false;
        for depth in depths {
            let index = self.frames.len().checked_sub(depth as usize + 1);
            if let Some(frame) = index.and_then(|index| self.frames.get_mut(index)) {
                frame.branched = true;
                exits |= frame.kind == Kind::Function;
                self.flow.edge(block, frame.label);
            }
        }
        if !(only && exits) {
            self.act(offset, Action::Leave);
        }
        if exits {
            self.act(offset, Action::Exit);
        }
    }

    fn flow_to(&mut self, block: Block) {
        if let Some(current) = self.current {
            self.flow.edge(current, block);
        }
    }

    /// `block` begins at `end`, after the operator at `offset`, if anything leads to it.
    fn begin(&mut self, offset: u64, end: u64, block: Block) -> Result<(), InstrumentError> {
        self.stop();
        self.blocks += 1;
        check(
            offset,
            Limit::Blocks,
            self.blocks,
            self.schedule.limits.blocks,
        )?;
        if self.flow.is_live(block) {
            self.current = Some(block);
            self.moves.begin(block);
            self.act(end, Action::Charge(block));
        }
        Ok(())
    }

    /// Number of parameters and of results of a block.
    fn arity(&self, ty: BlockType) -> (usize, usize) {
        match ty {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(index) => {
                let ty = self.signatures.get(index as usize);
                ty.map_or((0, 0), |ty| (ty.params().len(), ty.results().len()))
            }
        }
    }

    fn stop(&mut self) {
        self.current = None;
        self.length = 0;
    }
}

/// Refuses `found` above `max`.
pub(super) fn check(
    offset: u64,
    limit: Limit,
    found: u64,
    max: u32,
) -> Result<(), InstrumentError> {
    if found > u64::from(max) {
        let max = u64::from(max);
        return Err(InstrumentError::new(
            offset,
            Reason::TooMany { limit, found, max },
        ));
    }
    Ok(())
}
