//! Watching a call from outside: call trees, profiles, flame graphs.
//!
//! An [`Inspector`] sees frames begin and end and host calls pass. It can change
//! nothing, and a call without one pays a single branch for each event.

mod flame;
mod profile;
mod svg;
mod tree;

use aivm_abi::receipt::Status;
use aivm_abi::{Address, FuncId};

pub use flame::FoldedStacks;
pub use profile::{HostCallStats, HostProfile};
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
}
