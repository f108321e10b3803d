//! Where a guest stands, as the engine knows it.

use wasmer::{FrameInfo, Module, RuntimeError};

use super::guest::Running;
use crate::inspect::CodePlace;

/// Most functions of a stack.
const MAX_DEPTH: usize = 64;

/// Index of an exported function.
pub(super) fn exported(module: &Module, name: &str) -> Option<u32> {
    match module.info().exports.get(name)? {
        wasmer::ExportIndex::Function(index) => Some(index.as_u32()),
        _ => None,
    }
}

impl Running {
    /// Tells an inspector that asked for it where the guest called a host function.
    pub fn places_of_call(&mut self) {
        if self.wants_places() {
            // Making an error is how the engine gives a trace.
            let here = RuntimeError::new("here");
            self.places_of(&here);
        }
    }

    /// Tells an inspector that asked for it where an error was raised.
    pub fn places_of(&mut self, error: &RuntimeError) {
        if !self.wants_places() {
            return;
        }
        let entry = self.entry_index();
        let frame = self.frame();
        let gas = frame.gas;
        let stack = stack(error.trace(), entry);
        if let Some(inspector) = &mut frame.tx.inspector {
            inspector.stands_at(&stack, gas);
        }
    }

    fn wants_places(&mut self) -> bool {
        let inspector = &self.frame().tx.inspector;
        inspector.as_ref().is_some_and(|i| i.wants_places())
    }
}

/// The frames down to the export that the host called: what lies below belongs to callers.
fn stack(trace: &[FrameInfo], entry: Option<u32>) -> Vec<CodePlace> {
    let mut stack = Vec::new();
    for frame in trace.iter().take(MAX_DEPTH) {
        stack.push(CodePlace {
            function: frame.func_index(),
            offset: u32::try_from(frame.module_offset()).unwrap_or(u32::MAX),
        });
        if Some(frame.func_index()) == entry {
            break;
        }
    }
    stack
}
