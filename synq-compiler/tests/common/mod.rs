//! A small chain on wasmi, so that compiled contracts run without the VM.
#![allow(dead_code, missing_docs)]

mod host;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use aivm_abi::calldata::{
    JsonAbi, RevertReason, decode_event, decode_output, decode_revert, encode_call,
    encode_constructor, find_function, format_value, parse_arguments,
};
use aivm_abi::export::Output;
use aivm_abi::host::{calls, nn};
use aivm_abi::{Exit, Transcript, TrapCode, Word};
use aivm_abi_testing::Run;
use alloy_primitives::{U256, U512};
use host::{Host, num};
use synq_compiler::{Artifact, MemoryLoader, Options, SourceLoader};

pub type State = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Default)]
pub struct World {
    pub storage: BTreeMap<Word, State>,
    pub balances: BTreeMap<Word, U256>,
    pub events: Vec<(Word, Vec<Word>, Vec<u8>)>,
}

/// A network that a test makes up.
pub type Network = fn(&[nn::Tensor]) -> Vec<nn::Tensor>;

#[derive(Default)]
pub struct Shared {
    pub world: World,
    pub code: BTreeMap<Word, Vec<u8>>,
    pub abis: BTreeMap<Word, JsonAbi>,
    pub inferences: Vec<(Word, Vec<nn::Tensor>)>,
    pub infer: Option<Network>,
    pub depth: u32,
    pub logs: Vec<String>,
    /// Self-calls with a limit below this run out of gas.
    pub scarce: u64,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Return(String),
    Revert(RevertReason),
    Trap(String),
}

#[derive(Clone, Default)]
pub struct Chain(pub Rc<RefCell<Shared>>);

impl Chain {
    pub fn new() -> Self {
        Self::default()
    }

    fn move_value(&self, from: Word, to: Word, amount: U256) -> bool {
        let mut shared = self.0.borrow_mut();
        let have = shared.world.balances.entry(from).or_default();
        let Some(left) = have.checked_sub(amount) else {
            return false;
        };
        *have = left;
        let there = shared.world.balances.entry(to).or_default();
        *there += amount;
        true
    }

    fn run(
        &self,
        export_name: &str,
        target: Word,
        from: Word,
        value: Word,
        input: &[u8],
    ) -> Result<Output, Exit> {
        let code = self.0.borrow().code.get(&target).cloned();
        let code = code.ok_or(TrapCode::Unsupported)?;
        let host = Host {
            chain: self.clone(),
            me: target,
            caller: from,
            value,
            query: export_name == "query",
            checkpoints: Vec::new(),
            transcript: Transcript::retaining(0),
        };
        let mut run = Run::new(&code, host);
        let post = format!("cabi_post_{export_name}");
        assert!(run.instance.get_func(&run.store, &post).is_some());
        run.call(export_name, input, 1 << 20)
    }

    fn nested(
        &self,
        export_name: &str,
        target: Word,
        from: Word,
        value: Word,
        input: &[u8],
    ) -> Result<Vec<u8>, calls::Failure> {
        if !self.0.borrow().code.contains_key(&target) {
            return Err(calls::Failure::NoContract);
        }
        if self.0.borrow().depth > 8 {
            return Err(calls::Failure::DepthExceeded);
        }
        let before = self.0.borrow().world.clone();
        if !self.move_value(from, target, num(value)) {
            return Err(calls::Failure::InsufficientBalance);
        }
        self.0.borrow_mut().depth += 1;
        let result = self.run(export_name, target, from, value, input);
        self.0.borrow_mut().depth -= 1;
        match result {
            Ok(Output::Return(data)) => Ok(data),
            Ok(Output::Revert(data)) | Err(Exit::Revert(data)) => {
                self.0.borrow_mut().world = before;
                Err(calls::Failure::Reverted(data))
            }
            Err(Exit::Trap(code)) => {
                self.0.borrow_mut().world = before;
                Err(calls::Failure::Trapped(code.code()))
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    pub fn outcome(
        &self,
        export_name: &str,
        target: Word,
        from: u64,
        value: u64,
        input: &[u8],
    ) -> Result<Vec<u8>, Outcome> {
        let from = Word::from(from);
        self.0
            .borrow_mut()
            .world
            .balances
            .insert(from, U256::from(1_000_000_000u64));
        let before = self.0.borrow().world.clone();
        self.move_value(from, target, U256::from(value));
        let abi = self.0.borrow().abis.get(&target).cloned();
        let result = self.run(export_name, target, from, Word::from(value), input);
        match result {
            Ok(Output::Return(data)) => Ok(data),
            Ok(Output::Revert(data)) | Err(Exit::Revert(data)) => {
                self.0.borrow_mut().world = before;
                Err(Outcome::Revert(decode_revert(abi.as_ref(), &data)))
            }
            Err(other) => {
                self.0.borrow_mut().world = before;
                Err(Outcome::Trap(format!("{other:?}")))
            }
        }
    }

    pub fn deploy(&self, artifact: &Artifact, address: u64, args: &[&str]) -> Contract {
        self.try_deploy(artifact, address, args).expect("deploys")
    }

    pub fn try_deploy(
        &self,
        artifact: &Artifact,
        address: u64,
        args: &[&str],
    ) -> Result<Contract, Outcome> {
        let address = Word::from(address);
        {
            let mut shared = self.0.borrow_mut();
            shared.code.insert(address, artifact.wasm.clone());
            shared.abis.insert(address, artifact.abi.clone());
        }
        let contract = Contract {
            chain: self.clone(),
            address,
            abi: artifact.abi.clone(),
        };
        let input = match &artifact.abi.constructor {
            Some(constructor) => {
                let values = parse_arguments("constructor", &constructor.inputs, args)
                    .expect("arguments parse");
                encode_constructor(&artifact.abi, &values).expect("arguments fit")
            }
            None => Vec::new(),
        };
        self.outcome("construct", address, 1, 0, &input)?;
        Ok(contract)
    }
}

#[derive(Clone)]
pub struct Contract {
    pub chain: Chain,
    pub address: Word,
    pub abi: JsonAbi,
}

impl Contract {
    /// Calls as account 1; a query when the function is view or pure.
    pub fn call(&self, name: &str, args: &[&str]) -> Outcome {
        self.call_from(1, 0, name, args)
    }

    pub fn call_from(&self, from: u64, value: u64, name: &str, args: &[&str]) -> Outcome {
        let function = find_function(&self.abi, name).expect("the function exists");
        let values = parse_arguments(name, &function.inputs, args).expect("arguments parse");
        let input = encode_call(function, &values).expect("arguments fit");
        let readonly = matches!(
            function.state_mutability,
            alloy_json_abi::StateMutability::View | alloy_json_abi::StateMutability::Pure
        );
        let export_name = if readonly { "query" } else { "call" };
        match self
            .chain
            .outcome(export_name, self.address, from, value, &input)
        {
            Ok(data) => {
                let values = decode_output(function, &data).expect("the output decodes");
                let text: Vec<String> = values.iter().map(format_value).collect();
                Outcome::Return(text.join(", "))
            }
            Err(other) => other,
        }
    }

    /// The result of a call that must succeed.
    pub fn get(&self, name: &str, args: &[&str]) -> String {
        match self.call(name, args) {
            Outcome::Return(text) => text,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// The reason of a call that must revert, as text.
    pub fn fails(&self, name: &str, args: &[&str]) -> String {
        match self.call(name, args) {
            Outcome::Revert(reason) => reason.to_string(),
            other => panic!("{name}: {other:?}"),
        }
    }

    pub fn raw(&self, input: &[u8]) -> Result<Vec<u8>, Outcome> {
        self.chain.outcome("call", self.address, 1, 0, input)
    }

    /// Events so far, as text, oldest first; forgets them.
    pub fn events(&self) -> Vec<String> {
        let list = std::mem::take(&mut self.chain.0.borrow_mut().world.events);
        list.into_iter()
            .map(|(_, topics, data)| {
                let event = decode_event(&self.abi, &topics, &data).expect("the event decodes");
                let fields: Vec<String> = event
                    .fields
                    .iter()
                    .map(|f| format!("{}={}", f.name, format_value(&f.value)))
                    .collect();
                format!("{}({})", event.name, fields.join(", "))
            })
            .collect()
    }
}

pub fn compile_with(loader: &dyn SourceLoader, path: &str, options: &Options) -> Vec<Artifact> {
    match synq_compiler::compile(path, loader, options) {
        Ok(output) => {
            for artifact in &output.contracts {
                wasmparser::Validator::new()
                    .validate_all(&artifact.wasm)
                    .unwrap_or_else(|e| {
                        panic!("{}: {e}", artifact.name);
                    });
            }
            output.contracts
        }
        Err(diagnostics) => panic!("{}", diagnostics.render(false)),
    }
}

pub fn compile(source: &str) -> Vec<Artifact> {
    let loader = MemoryLoader::new().with_source("test.synq", source);
    compile_with(&loader, "test.synq", &Options::new())
}

/// Compiles and deploys the last contract of a source.
pub fn deploy(source: &str, args: &[&str]) -> Contract {
    let artifacts = compile(source);
    let last = artifacts.last().expect("a contract");
    Chain::new().deploy(last, 0x1000, args)
}

pub fn full_mul(a: U256, b: U256) -> U512 {
    U512::from(a) * U512::from(b)
}
