//! A chain in memory on which tests call contracts in words: `chain.call("alice", "token",
//! "transfer(@bob, 10)").returns("true")`. `@name` is an account or a contract, `$name` are
//! bytes that the test named before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aivm::{Address, BlockContext, Call, Deploy, Host, MemoryHost, Receipt, Status, Vm, Word};
use aivm_abi::calldata::{
    RevertReason, decode_event, decode_output, decode_revert, encode_call, encode_constructor,
    format_value, parse_arguments,
};
use alloy_dyn_abi::DynSolValue;
use alloy_json_abi::{Function, JsonAbi};
use synq_compiler::{Artifact, FolderLoader, Options, Output, compile};

/// What each account has at first.
pub const RICH: u64 = 1_000_000_000_000;
/// When the chain begins.
pub const GENESIS: u64 = 1_700_000_000;

/// The corpus folder.
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts")
}

/// Compiles a file of the corpus.
pub fn build(file: &str) -> Output {
    match compile(file, &FolderLoader::new(corpus()), &Options::default()) {
        Ok(output) => output,
        Err(diagnostics) => panic!("{file} does not compile:\n{diagnostics}"),
    }
}

/// The chain.
pub struct Chain {
    vm: Vm,
    host: MemoryHost,
    names: BTreeMap<String, Address>,
    abis: BTreeMap<Address, JsonAbi>,
    blobs: BTreeMap<String, Vec<u8>>,
    time: u64,
    salt: u8,
}

impl Chain {
    /// A chain with the accounts alice, bob, carol, dave, erin and frank.
    pub fn new() -> Self {
        let mut chain = Self {
            vm: Vm::builder()
                .build()
                .expect("the default configuration works"),
            host: MemoryHost::new(),
            names: BTreeMap::new(),
            abis: BTreeMap::new(),
            blobs: BTreeMap::new(),
            time: 0,
            salt: 0,
        };
        for (i, name) in ["alice", "bob", "carol", "dave", "erin", "frank"]
            .iter()
            .enumerate()
        {
            let address = Address([0xa1 + i as u8; 20]);
            chain.names.insert((*name).to_owned(), address);
            chain.host.set_balance(address, Word::from(RICH));
        }
        chain.names.insert("nobody".into(), Address([0; 20]));
        chain.at(GENESIS);
        chain
    }

    /// Sets the time of the next calls.
    pub fn at(&mut self, time: u64) {
        self.time = time;
        let block = BlockContext::new(7, time / 10).with_timestamp(time);
        self.host.set_block(block);
    }

    /// Lets time pass.
    pub fn wait(&mut self, seconds: u64) {
        self.at(self.time + seconds);
    }

    /// Names bytes.
    pub fn blob(&mut self, name: &str, bytes: &[u8]) {
        self.blobs.insert(name.to_owned(), bytes.to_vec());
    }

    /// Address of an account or a contract.
    pub fn address(&self, name: &str) -> Address {
        *self
            .names
            .get(name)
            .unwrap_or_else(|| panic!("no one is called {name}"))
    }

    /// Native balance.
    pub fn balance(&self, name: &str) -> u64 {
        let balance = self.host.balance(&self.address(name)).expect("in memory");
        balance.to_u64().expect("tests use small sums")
    }

    /// Registers a model of the corpus.
    pub fn register(&mut self, file: &str) {
        let bytes = std::fs::read(corpus().join(file)).expect("the model is there");
        self.vm
            .register_model(&mut self.host, &bytes)
            .expect("the model is accepted");
    }

    /// Deploys `contract` of `file` under the name `name`; the contract must accept `arguments`.
    pub fn deploy(&mut self, from: &str, name: &str, file: &str, contract: &str, arguments: &str) {
        self.try_deploy(from, name, file, contract, arguments).ok();
    }

    /// As [`deploy`](Self::deploy), for deployments that may fail.
    pub fn try_deploy(
        &mut self,
        from: &str,
        name: &str,
        file: &str,
        contract: &str,
        arguments: &str,
    ) -> Done {
        let output = build(file);
        let artifact = output
            .contracts
            .iter()
            .find(|c| c.name == contract)
            .expect("the contract is in the file");
        self.deploy_artifact(from, name, artifact, arguments)
    }

    /// Deploys a compiled contract.
    pub fn deploy_artifact(
        &mut self,
        from: &str,
        name: &str,
        artifact: &Artifact,
        arguments: &str,
    ) -> Done {
        let uploaded = self
            .vm
            .upload(&mut self.host, &artifact.wasm)
            .expect("the module is accepted");
        let inputs = artifact
            .abi
            .constructor
            .as_ref()
            .map_or(&[][..], |c| &c.inputs);
        let values = parse_arguments("constructor", inputs, &self.arguments(arguments))
            .expect("arguments fit");
        let input = encode_constructor(&artifact.abi, &values).expect("arguments fit");
        self.salt += 1;
        let request =
            Deploy::new(self.address(from), uploaded.code, input).with_salt([self.salt; 32]);
        let deployed = self
            .vm
            .deploy(&mut self.host, &request)
            .expect("the machine works");
        if deployed.receipt.status.is_success() {
            self.names.insert(name.to_owned(), deployed.address);
        }
        self.abis.insert(deployed.address, artifact.abi.clone());
        self.done(
            format!("constructor({arguments})"),
            None,
            &artifact.abi,
            deployed.receipt,
        )
    }

    /// Calls a function without value.
    pub fn call(&mut self, from: &str, contract: &str, call: &str) -> Done {
        self.pay(from, 0, contract, call)
    }

    /// Calls a function with value.
    pub fn pay(&mut self, from: &str, value: u64, contract: &str, call: &str) -> Done {
        let (request, function, abi) = self.request(from, contract, call);
        let receipt = self
            .vm
            .call(&mut self.host, &request.with_value(Word::from(value)))
            .expect("the machine works");
        self.done(call.to_owned(), Some(&function), &abi, receipt)
    }

    /// Reads; nothing may change.
    pub fn view(&mut self, contract: &str, call: &str) -> Done {
        let (request, function, abi) = self.request("alice", contract, call);
        let receipt = self
            .vm
            .query(&self.host, &request)
            .expect("the machine works");
        self.done(call.to_owned(), Some(&function), &abi, receipt)
    }

    /// The bytes that a function returning `Bytes` gives.
    pub fn bytes(&mut self, contract: &str, call: &str) -> Vec<u8> {
        let done = self.view(contract, call).ok();
        match done.values.first() {
            Some(DynSolValue::Bytes(bytes)) => bytes.clone(),
            other => panic!("{call} gave {other:?}"),
        }
    }

    /// Call data of a call in words.
    pub fn calldata(&self, contract: &str, call: &str) -> Vec<u8> {
        self.request("alice", contract, call).0.input
    }

    fn request(&self, from: &str, contract: &str, call: &str) -> (Call, Function, JsonAbi) {
        let to = self.address(contract);
        let abi = self.abis.get(&to).expect("a contract lives there").clone();
        let (name, rest) = call.split_once('(').expect("a call has parentheses");
        let arguments = self.arguments(rest.strip_suffix(')').expect("a call has parentheses"));
        // Of several functions with the name, the first that the arguments fit; `name:type,type`
        // picks one.
        let (name, types) = name
            .split_once(':')
            .map_or((name, None), |(n, t)| (n, Some(t)));
        let mut refusals = Vec::new();
        for function in abi.functions().filter(|f| f.name == name) {
            let signature = function.signature();
            if types.is_some_and(|t| signature != format!("{name}({t})")) {
                continue;
            }
            match parse_arguments(&signature, &function.inputs, &arguments) {
                Ok(values) => {
                    let input = encode_call(function, &values).expect("arguments fit");
                    let function = function.clone();
                    return (Call::new(self.address(from), to, input), function, abi);
                }
                Err(error) => refusals.push(error.to_string()),
            }
        }
        panic!("{contract}.{call}: no function fits: {refusals:?}")
    }

    /// Splits at commas outside of quotes and brackets, and resolves names.
    fn arguments(&self, text: &str) -> Vec<String> {
        let (mut parts, mut depth, mut quoted) = (vec![String::new()], 0u32, false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let part = parts.last_mut().expect("there is always one");
            match c {
                '"' => quoted = !quoted,
                '@' | '$' if !quoted => {
                    let mut name = String::new();
                    while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                        name.push(c);
                    }
                    let bytes = if c == '@' {
                        self.address(&name).0.to_vec()
                    } else {
                        self.blobs
                            .get(&name)
                            .unwrap_or_else(|| panic!("no bytes are called {name}"))
                            .clone()
                    };
                    *part += &format!("0x{}", hex::encode(bytes));
                    continue;
                }
                '[' | '(' if !quoted => depth += 1,
                ']' | ')' if !quoted => depth -= 1,
                ',' if !quoted && depth == 0 => {
                    parts.push(String::new());
                    continue;
                }
                _ => {}
            }
            part.push(c);
        }
        let unquoted = |p: String| {
            let p = p.trim();
            match p.strip_prefix('"').and_then(|p| p.strip_suffix('"')) {
                Some(inner) if !inner.contains('"') => inner.to_owned(),
                _ => p.to_owned(),
            }
        };
        if parts.len() == 1 && parts.first().is_some_and(|p| p.trim().is_empty()) {
            return Vec::new();
        }
        parts.into_iter().map(unquoted).collect()
    }

    /// A value with names in the place of addresses and named bytes.
    fn show(&self, value: &DynSolValue) -> String {
        let mut text = format_value(value);
        for (name, address) in &self.names {
            text = text.replace(&address.to_string(), &format!("@{name}"));
        }
        for (name, bytes) in &self.blobs {
            if bytes.len() > 8 {
                text = text.replace(&format!("0x{}", hex::encode(bytes)), &format!("${name}"));
            }
        }
        text
    }

    fn list<'a>(&self, values: impl IntoIterator<Item = &'a DynSolValue>) -> String {
        let values: Vec<String> = values.into_iter().map(|v| self.show(v)).collect();
        values.join(", ")
    }

    fn failure(&self, abi: &JsonAbi, receipt: &Receipt) -> String {
        let known = std::iter::once(abi).chain(self.abis.values());
        let read = known.map(|abi| decode_revert(Some(abi), &receipt.output));
        let reason = read
            .into_iter()
            .find(|r| !matches!(r, RevertReason::Raw(_)));
        match (receipt.status, reason) {
            (Status::Return, _) => String::new(),
            (Status::Trap(code), _) => format!("trap:{code}"),
            (Status::Revert, Some(RevertReason::Error(text))) => text,
            (Status::Revert, Some(RevertReason::Panic(code))) => format!("Panic({code:#x})"),
            (Status::Revert, Some(RevertReason::Custom { name, fields })) => {
                format!("{name}({})", self.list(fields.iter().map(|f| &f.1)))
            }
            (Status::Revert, Some(RevertReason::Empty)) => "nothing".to_owned(),
            (Status::Revert, _) => format!("0x{}", hex::encode(&receipt.output)),
        }
    }

    fn done(
        &self,
        call: String,
        function: Option<&Function>,
        abi: &JsonAbi,
        receipt: Receipt,
    ) -> Done {
        let values = match function {
            Some(function) if receipt.status.is_success() => {
                decode_output(function, &receipt.output).expect("the output fits the ABI")
            }
            _ => Vec::new(),
        };
        let logs = receipt.events.iter().map(|event| {
            let abi = self.abis.get(&event.contract).unwrap_or(abi);
            let read =
                decode_event(abi, &event.topics, &event.data).expect("the event is in the ABI");
            format!(
                "{}({})",
                read.name,
                self.list(read.fields.iter().map(|f| &f.value))
            )
        });
        Done {
            call,
            returned: self.list(&values),
            failure: self.failure(abi, &receipt),
            logs: logs.collect(),
            values,
            receipt,
        }
    }
}

/// What came of a call.
pub struct Done {
    call: String,
    returned: String,
    failure: String,
    logs: Vec<String>,
    /// What the function returned.
    pub values: Vec<DynSolValue>,
    /// The receipt.
    pub receipt: Receipt,
}

impl Done {
    /// It returned.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.failure, "", "{}", self.call);
        assert!(self.receipt.status.is_success());
        self
    }

    /// It returned these values.
    #[track_caller]
    pub fn returns(self, expected: &str) -> Self {
        let done = self.ok();
        assert_eq!(done.returned, expected, "{}", done.call);
        done
    }

    /// It failed for this reason, and left no events.
    #[track_caller]
    pub fn fails(self, expected: &str) -> Self {
        assert_eq!(
            self.failure, expected,
            "{} returned {}",
            self.call, self.returned
        );
        assert_eq!(self.logs, Vec::<String>::new());
        self
    }

    /// It emitted these events, in this order.
    #[track_caller]
    pub fn logs(self, expected: &[&str]) -> Self {
        assert_eq!(self.logs, expected, "{}", self.call);
        self
    }
}

/// ABI-encodes values in words, as `abi.encode` does.
pub fn encode(chain: &Chain, values: &str, types: &str) -> Vec<u8> {
    let function = Function::parse(&format!("f({types})")).expect("types are good");
    let values =
        parse_arguments("f", &function.inputs, &chain.arguments(values)).expect("values fit");
    DynSolValue::Tuple(values).abi_encode_params()
}
