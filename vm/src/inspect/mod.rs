//! Watching a call from outside: call trees, profiles, flame graphs.
//!
//! An [`Inspector`] sees frames begin and end and host calls pass. It can change
//! nothing, and a call without one pays a single branch for each event.

mod flame;
mod lines;
mod opcodes;
mod profile;
mod source;
mod svg;
mod tree;

use aivm_abi::receipt::Status;
use aivm_abi::{Address, FuncId};

pub use flame::{FoldedStacks, fold};
pub use lines::{FailurePlace, LineProfile};
pub use opcodes::{OpcodeProfile, OpcodeStats};
pub use profile::{HostCallStats, HostProfile};
pub use source::{CodePlace, Located, ModuleFunction, SourceMap};
pub use svg::flame_graph_svg;
pub use tree::{CallNode, CallTree};

use crate::host::Hash;

/// A frame that begins.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FrameInfo<'a> {
    /// 1 for the transaction's own frame, and one more for each nested call.
    pub depth: usize,
    /// The contract.
    pub contract: Address,
    /// Hash of its code.
    pub code: Hash,
    /// Export that runs: `construct`, `call` or `query`.
    pub entry: &'static str,
    /// Gas it is given.
    pub gas: u64,
    /// Its call data.
    pub input: &'a [u8],
}

impl FrameInfo<'_> {
    /// First four bytes of the call data, when there are four.
    pub fn selector(&self) -> Option<[u8; 4]> {
        self.input.first_chunk().copied()
    }
}

/// A frame that ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FrameResult<'a> {
    /// How it ended.
    pub status: Status,
    /// Gas it used, nested calls included.
    pub gas_used: u64,
    /// Return or revert data.
    pub output: &'a [u8],
}

/// Watches a call. Every method does nothing unless it is overridden.
pub trait Inspector {
    /// A frame begins.
    fn enter(&mut self, _frame: &FrameInfo<'_>) {}

    /// A frame ended.
    fn exit(&mut self, _frame: &FrameInfo<'_>, _result: &FrameResult<'_>) {}

    /// A host function returned; it used `gas`, nested calls included.
    fn host_call(&mut self, _function: FuncId, _gas: u64) {}

    /// Whether [`stands_at`](Self::stands_at) is wanted. Finding a place walks the native
    /// stack, which takes tens of microseconds.
    fn wants_places(&self) -> bool {
        false
    }

    /// Where the guest stands, innermost function first, and the gas it has there. Comes when
    /// the guest calls a host function, before that does anything, and when the engine stops
    /// the guest.
    fn stands_at(&mut self, _stack: &[CodePlace], _gas_left: u64) {}
}

impl<A: Inspector, B: Inspector> Inspector for (A, B) {
    fn enter(&mut self, frame: &FrameInfo<'_>) {
        self.0.enter(frame);
        self.1.enter(frame);
    }

    fn exit(&mut self, frame: &FrameInfo<'_>, result: &FrameResult<'_>) {
        self.0.exit(frame, result);
        self.1.exit(frame, result);
    }

    fn host_call(&mut self, function: FuncId, gas: u64) {
        self.0.host_call(function, gas);
        self.1.host_call(function, gas);
    }

    fn wants_places(&self) -> bool {
        self.0.wants_places() || self.1.wants_places()
    }

    fn stands_at(&mut self, stack: &[CodePlace], gas_left: u64) {
        self.0.stands_at(stack, gas_left);
        self.1.stands_at(stack, gas_left);
    }
}

impl<T: Inspector + ?Sized> Inspector for &mut T {
    fn enter(&mut self, frame: &FrameInfo<'_>) {
        (**self).enter(frame);
    }

    fn exit(&mut self, frame: &FrameInfo<'_>, result: &FrameResult<'_>) {
        (**self).exit(frame, result);
    }

    fn host_call(&mut self, function: FuncId, gas: u64) {
        (**self).host_call(function, gas);
    }

    fn wants_places(&self) -> bool {
        (**self).wants_places()
    }

    fn stands_at(&mut self, stack: &[CodePlace], gas_left: u64) {
        (**self).stands_at(stack, gas_left);
    }
}
