//! The tree of calls of a transaction.

use aivm_abi::Address;
use aivm_abi::receipt::Status;

use super::{FrameInfo, FrameResult, Inspector};

/// One call with the calls it made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallNode {
    /// The contract.
    pub contract: Address,
    /// Export that ran.
    pub entry: &'static str,
    /// First four bytes of the call data, when there are four.
    pub selector: Option<[u8; 4]>,
    /// Gas given.
    pub gas: u64,
    /// Gas used, nested calls included.
    pub gas_used: u64,
    /// How it ended; none when the machine failed before it did.
    pub status: Option<Status>,
    /// Calls it made, in order.
    pub calls: Vec<CallNode>,
}

/// Collects the tree of calls.
#[derive(Clone, Debug, Default)]
pub struct CallTree {
    open: Vec<CallNode>,
    roots: Vec<CallNode>,
}

impl CallTree {
    /// An empty collector.
    pub fn new() -> Self {
        Self::default()
    }

    /// The transactions seen, in order.
    pub fn roots(&self) -> &[CallNode] {
        &self.roots
    }
}

impl Inspector for CallTree {
    fn enter(&mut self, frame: &FrameInfo<'_>) {
        self.open.push(CallNode {
            contract: frame.contract,
            entry: frame.entry,
            selector: frame.selector(),
            gas: frame.gas,
            gas_used: 0,
            status: None,
            calls: Vec::new(),
        });
    }

    fn exit(&mut self, _frame: &FrameInfo<'_>, result: &FrameResult<'_>) {
        let Some(mut node) = self.open.pop() else {
            return;
        };
        node.gas_used = result.gas_used;
        node.status = Some(result.status);
        match self.open.last_mut() {
            Some(parent) => parent.calls.push(node),
            None => self.roots.push(node),
        }
    }
}
