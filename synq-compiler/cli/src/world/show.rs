//! Calls, results, events and failures in words.

use aivm::inspect::CodePlace;
use aivm::{Address, Hash, Receipt, Status};
use aivm_abi::calldata::{
    DynSolValue, Function, JsonAbi, RevertReason, decode_call, decode_event, decode_output,
    decode_revert, format_value,
};
use serde_json::{Value, json};

use super::trace::{Frame, Step, What};
use super::{Ledger, Library};

/// Puts things into words with what is known of the chain.
pub struct Show<'a> {
    /// Code, for names and lines.
    pub library: &'a Library,
    /// Names of addresses.
    pub ledger: &'a Ledger,
}

impl Show<'_> {
    /// An address, by its name where it has one.
    pub fn address(&self, address: &Address) -> String {
        match self.ledger.labels.get(address) {
            Some(label) => label.clone(),
            None => address.to_string(),
        }
    }

    /// Values, with names in the place of addresses.
    pub fn values<'v>(&self, values: impl IntoIterator<Item = &'v DynSolValue>) -> String {
        let values: Vec<String> = values.into_iter().map(format_value).collect();
        self.named(values.join(", "))
    }

    fn named(&self, mut text: String) -> String {
        for (address, label) in &self.ledger.labels {
            let full = address.to_string();
            if text.contains(&full) {
                text = text.replace(&full, label);
            }
        }
        text
    }

    /// What a function returned; empty for nothing.
    pub fn output(&self, function: Option<&Function>, data: &[u8]) -> String {
        match function.map(|function| decode_output(function, data)) {
            Some(Ok(values)) => self.values(&values),
            _ if data.is_empty() => String::new(),
            _ => format!("0x{}", hex::encode(data)),
        }
    }

    /// Why a call reverted. Errors may come from any contract that took part.
    pub fn reason(&self, data: &[u8]) -> String {
        let codes = self.library.codes().iter();
        let read = codes
            .map(|code| decode_revert(Some(&code.artifact.abi), data))
            .find(|reason| !matches!(reason, RevertReason::Raw(_)));
        let reason = read.unwrap_or_else(|| decode_revert(None, data));
        self.named(reason.to_string())
    }

    /// How a call failed; none when it did not.
    pub fn failure(&self, status: Status, data: &[u8]) -> Option<String> {
        match status {
            Status::Return => None,
            Status::Revert => Some(self.reason(data)),
            Status::Trap(code) => Some(format!("{}: {}", code.name(), code.description())),
        }
    }

    /// Events of a receipt.
    pub fn events(
        &self,
        receipt: &Receipt,
        abi_of: impl Fn(&Address) -> Option<Hash>,
    ) -> Vec<String> {
        let events = receipt.events.iter().map(|event| {
            let code = abi_of(&event.contract).and_then(|hash| self.library.hashed(&hash));
            let read = code
                .and_then(|code| decode_event(&code.artifact.abi, &event.topics, &event.data).ok());
            match read {
                Some(event) => self.named(event.to_string()),
                None => {
                    let topics: Vec<String> =
                        event.topics.iter().map(ToString::to_string).collect();
                    format!("[{}] 0x{}", topics.join(", "), hex::encode(&event.data))
                }
            }
        });
        events.collect()
    }

    fn abi(&self, code: &Hash) -> Option<&JsonAbi> {
        Some(&self.library.hashed(code)?.artifact.abi)
    }

    fn contract(&self, frame: &Frame) -> String {
        match self.ledger.labels.get(&frame.contract) {
            Some(label) => label.clone(),
            None => match self.library.hashed(&frame.code) {
                Some(code) => code.artifact.name.clone(),
                None => frame.contract.to_string(),
            },
        }
    }

    /// A call with its arguments.
    pub fn call(&self, frame: &Frame) -> String {
        let contract = self.contract(frame);
        if frame.entry == "construct" {
            return format!("{contract}.constructor");
        }
        match self
            .abi(&frame.code)
            .map(|abi| decode_call(abi, &frame.input))
        {
            Some(Ok((function, values))) => {
                format!("{contract}.{}({})", function.name, self.values(&values))
            }
            _ => format!(
                "{contract}.{}(0x{})",
                frame.entry,
                hex::encode(&frame.input)
            ),
        }
    }

    /// What a call gave.
    pub fn result(&self, frame: &Frame) -> String {
        let function = self
            .abi(&frame.code)
            .and_then(|abi| decode_call(abi, &frame.input).ok())
            .map(|(function, _)| function);
        match frame.status {
            None => "the machine failed".to_owned(),
            Some(status) => match self.failure(status, &frame.output) {
                Some(reason) => format!("{status}: {reason}"),
                None => {
                    let output = self.output(function, &frame.output);
                    match output.is_empty() {
                        true => "returned".to_owned(),
                        false => format!("returned {output}"),
                    }
                }
            },
        }
    }

    /// Source line at which code stands, as `file:line`.
    pub fn line(&self, code: &Hash, stack: &[CodePlace]) -> Option<String> {
        let map = self.library.hashed(code)?.map()?;
        Some(map.line(stack)?.to_string())
    }

    /// Functions and lines of a stack that have a source line, innermost first.
    pub fn stack(&self, frame: &Frame) -> Vec<String> {
        let Some(map) = self.library.hashed(&frame.code).and_then(|code| code.map()) else {
            return Vec::new();
        };
        let places = frame.stack.iter().map(|place| map.locate(*place));
        let with_line = places.filter(|place| place.line.is_some());
        with_line.map(|place| place.to_string()).collect()
    }

    /// Why a failed call failed. A trap of a nested call, which leaves no reason to its caller,
    /// is named.
    pub fn cause(&self, frame: &Frame) -> Option<String> {
        let own = self.failure(frame.status?, &frame.output)?;
        match frame.steps.last() {
            Some(Step {
                what: What::Call(inner),
                ..
            }) if frame.output.is_empty() && frame.status == Some(Status::Revert) => {
                self.cause(inner).or(Some(own))
            }
            _ => Some(own),
        }
    }

    /// Where a failure came from: the stacks of the failing calls, innermost first.
    pub fn origin(&self, frame: &Frame) -> Vec<String> {
        let mut places = Vec::new();
        if let Some(Step {
            what: What::Call(inner),
            ..
        }) = frame.steps.last()
            && inner.status.is_some_and(|s| !s.is_success())
        {
            places = self.origin(inner);
        }
        places.extend(self.stack(frame));
        places
    }

    /// The tree of calls as lines of text.
    pub fn tree(&self, frame: &Frame, host_calls: bool) -> Vec<String> {
        let mut lines = Vec::new();
        self.node(frame, None, host_calls, 0, &mut lines);
        lines
    }

    fn node(
        &self,
        frame: &Frame,
        line: Option<String>,
        host_calls: bool,
        depth: usize,
        lines: &mut Vec<String>,
    ) {
        let indent = "  ".repeat(depth);
        let at = line.map(|line| format!("  {line}")).unwrap_or_default();
        lines.push(format!("{indent}[{}] {}{at}", frame.gas, self.call(frame)));
        let mut steps = frame.steps.iter().peekable();
        while let Some(step) = steps.next() {
            let line = self.line(&frame.code, &step.stack);
            match &step.what {
                What::Call(inner) => self.node(inner, line, host_calls, depth + 1, lines),
                What::Host(key, gas) if host_calls => {
                    let (mut gas, mut times) = (*gas, 1);
                    // The same function again from the same line.
                    while let Some(next) = steps.next_if(|next| {
                        matches!(&next.what, What::Host(k, _) if k == key)
                            && self.line(&frame.code, &next.stack) == line
                    }) {
                        if let What::Host(_, more) = next.what {
                            gas += more;
                            times += 1;
                        }
                    }
                    let times = if times > 1 {
                        format!(" × {times}")
                    } else {
                        String::new()
                    };
                    let at = line.map(|line| format!("  {line}")).unwrap_or_default();
                    lines.push(format!("{indent}  [{gas}] {key}{times}{at}"));
                }
                What::Host(..) => {}
            }
        }
        lines.push(format!("{indent}  = {}", self.result(frame)));
    }

    /// The tree of calls as JSON.
    pub fn tree_json(&self, frame: &Frame) -> Value {
        let steps = frame.steps.iter().map(|step| {
            let line = self.line(&frame.code, &step.stack);
            match &step.what {
                What::Host(key, gas) => json!({ "host": key, "gas": gas, "line": line }),
                What::Call(inner) => {
                    let mut node = self.tree_json(inner);
                    if let Some(node) = node.as_object_mut() {
                        node.insert("line".into(), json!(line));
                    }
                    node
                }
            }
        });
        let failed = frame.status.is_some_and(|status| !status.is_success());
        json!({
            "call": self.call(frame),
            "contract": frame.contract.to_string(),
            "gas": frame.gas,
            "status": frame.status.map(|status| status.to_string()),
            "result": self.result(frame),
            "output": format!("0x{}", hex::encode(&frame.output)),
            "stack": if failed { self.stack(frame) } else { Vec::new() },
            "steps": steps.collect::<Vec<_>>(),
        })
    }
}
