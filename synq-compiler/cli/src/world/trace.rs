//! The tree of calls of a transaction, with host calls and where they were made.

use aivm::inspect::{CodePlace, FrameInfo, FrameResult, Inspector};
use aivm::{Address, Hash, Status};
use aivm_abi::FuncId;

/// Most host calls and nested calls that are kept.
const MAX_STEPS: usize = 100_000;

/// A call of a contract.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The contract.
    pub contract: Address,
    /// Hash of its code.
    pub code: Hash,
    /// Export that ran.
    pub entry: &'static str,
    /// Its input.
    pub input: Vec<u8>,
    /// How it ended; none when the machine failed before.
    pub status: Option<Status>,
    /// Return or revert data.
    pub output: Vec<u8>,
    /// Gas it used, nested calls included.
    pub gas: u64,
    /// What it did, in order.
    pub steps: Vec<Step>,
    /// Where its code stood last: for a frame that failed, where it failed.
    pub stack: Vec<CodePlace>,
}

impl Frame {
    /// Contracts that took part and the hashes of their code, in order of first use.
    pub fn contracts(&self, found: &mut Vec<(Address, Hash)>) {
        if !found.iter().any(|(address, _)| *address == self.contract) {
            found.push((self.contract, self.code));
        }
        for step in &self.steps {
            if let What::Call(inner) = &step.what {
                inner.contracts(found);
            }
        }
    }
}

/// Something that a frame did.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where its code stood.
    pub stack: Vec<CodePlace>,
    /// What.
    pub what: What,
}

/// What a frame did.
#[derive(Clone, Debug)]
pub enum What {
    /// Called a host function, for this much gas.
    Host(&'static str, u64),
    /// Called a contract.
    Call(Box<Frame>),
}

/// Collects the tree.
#[derive(Debug, Default)]
pub struct Tracer {
    open: Vec<Frame>,
    roots: Vec<Frame>,
    steps: usize,
}

impl Tracer {
    /// The call that was watched.
    pub fn into_root(mut self) -> Option<Frame> {
        self.roots.pop()
    }

    fn step(&mut self, step: Step) {
        self.steps += 1;
        if let (Some(frame), true) = (self.open.last_mut(), self.steps <= MAX_STEPS) {
            frame.steps.push(step);
        }
    }
}

impl Inspector for Tracer {
    fn enter(&mut self, frame: &FrameInfo<'_>) {
        self.open.push(Frame {
            contract: frame.contract,
            code: frame.code,
            entry: frame.entry,
            input: frame.input.to_vec(),
            status: None,
            output: Vec::new(),
            gas: 0,
            steps: Vec::new(),
            stack: Vec::new(),
        });
    }

    fn exit(&mut self, _: &FrameInfo<'_>, result: &FrameResult<'_>) {
        let Some(mut frame) = self.open.pop() else {
            return;
        };
        frame.status = Some(result.status);
        frame.output = result.output.to_vec();
        frame.gas = result.gas_used;
        match self.open.last() {
            Some(parent) => {
                let stack = parent.stack.clone();
                let what = What::Call(Box::new(frame));
                self.step(Step { stack, what });
            }
            None => self.roots.push(frame),
        }
    }

    fn host_call(&mut self, function: FuncId, gas: u64) {
        let Some(frame) = self.open.last() else {
            return;
        };
        // A call from the same place is a nested frame of this very host call, and says it better.
        let nested = matches!(
            frame.steps.last(),
            Some(Step { what: What::Call(_), stack }) if *stack == frame.stack
        );
        if !nested {
            let stack = frame.stack.clone();
            let what = What::Host(function.key(), gas);
            self.step(Step { stack, what });
        }
    }

    fn wants_places(&self) -> bool {
        true
    }

    fn stands_at(&mut self, stack: &[CodePlace], _: u64) {
        if let Some(frame) = self.open.last_mut() {
            frame.stack = stack.to_vec();
        }
    }
}
