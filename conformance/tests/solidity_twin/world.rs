//! A chain on both machines, its accounts and contracts, and what a caller may ask it.

use std::collections::BTreeMap;
use std::rc::Rc;

use aivm::{Address, Vm};
use aivm_abi::calldata::{decode_output, encode_call, encode_constructor, parse_arguments};
use alloy_dyn_abi::DynSolValue;
use alloy_json_abi::{Function, JsonAbi};

use crate::keys::Keys;
use crate::machines::{Ours, Outcome, Theirs};
use crate::precompiles::Offers;

const GENESIS: u64 = 1_700_000_000;
const RICH: u64 = 1_000_000_000_000;
pub const ACCOUNTS: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];

/// A contract, compiled for both machines.
pub struct Twin {
    pub wasm: Vec<u8>,
    pub creation: Vec<u8>,
    pub abi: Rc<JsonAbi>,
}

/// A deployed contract.
#[derive(Clone)]
pub struct Contract {
    /// What the scenario calls it.
    pub name: String,
    /// Its name in the source.
    pub kind: String,
    pub at: Address,
    pub abi: Rc<JsonAbi>,
}

pub struct World {
    ours: Ours,
    theirs: Theirs,
    pub keys: Rc<Keys>,
    pub names: BTreeMap<String, Address>,
    pub contracts: Vec<Contract>,
    pub time: u64,
}

impl World {
    pub fn new(vm: Rc<Vm>, models: Rc<Offers>, keys: Rc<Keys>) -> Self {
        let mut world = Self {
            ours: Ours::new(vm),
            theirs: Theirs::new(models),
            keys,
            names: BTreeMap::new(),
            contracts: Vec::new(),
            time: GENESIS,
        };
        for (i, name) in ACCOUNTS.iter().enumerate() {
            let account = Address([0xa1 + i as u8; 20]);
            world.names.insert((*name).to_owned(), account);
            world.ours.fund(account, RICH);
            world.theirs.fund(account, RICH);
        }
        world.wait(0);
        world
    }

    pub fn register(&mut self, onnx: &[u8]) {
        self.ours.register(onnx);
    }

    pub fn wait(&mut self, seconds: u64) {
        self.time += seconds;
        self.ours.set_time(self.time);
        self.theirs.set_time(self.time);
    }

    /// Arguments in words; `@name` is an address, `$name` a public key.
    fn arguments(&self, text: &str) -> Vec<String> {
        let (mut parts, mut depth) = (vec![String::new()], 0);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '@' | '$' => {
                    let mut name = String::new();
                    while let Some(c) = chars.next_if(char::is_ascii_alphanumeric) {
                        name.push(c);
                    }
                    let bytes = match c {
                        '@' => self.names[&name].0.to_vec(),
                        _ => self.keys.named(&name).expect("a key").to_vec(),
                    };
                    let part = parts.last_mut().expect("one at least");
                    *part += &format!("0x{}", hex::encode(bytes));
                    continue;
                }
                '[' | '(' => depth += 1,
                ']' | ')' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(String::new());
                    continue;
                }
                _ => {}
            }
            parts.last_mut().expect("one at least").push(c);
        }
        let parts: Vec<String> = parts.iter().map(|p| p.trim().to_owned()).collect();
        if parts == [""] { Vec::new() } else { parts }
    }

    /// Runs a step of a scenario's beginning, which must succeed.
    pub fn set_up(&mut self, step: &str, compiled: &BTreeMap<String, Twin>) {
        let (head, rest) = step.split_once('(').expect("a step ends in a call");
        let arguments = self.arguments(rest.strip_suffix(')').expect("a step ends in a call"));
        let words: Vec<&str> = head.split(' ').collect();
        match words.as_slice() {
            ["deploy", from, name, contract] => {
                let twin = &compiled[*contract];
                let inputs = twin.abi.constructor.as_ref().map_or(&[][..], |c| &c.inputs);
                let values = parse_arguments(contract, inputs, &arguments).expect("arguments fit");
                let input = match twin.abi.constructor {
                    Some(_) => encode_constructor(&twin.abi, &values).expect("arguments fit"),
                    None => Vec::new(),
                };
                let at = self.deploy(self.names[*from], twin, &input, step);
                self.names.insert((*name).to_owned(), at);
                self.contracts.push(Contract {
                    name: (*name).to_owned(),
                    kind: (*contract).to_owned(),
                    at,
                    abi: twin.abi.clone(),
                });
            }
            ["call", from, value, contract, function] => {
                let contract = self.contract(contract).clone();
                let input = contract
                    .abi
                    .functions()
                    .filter(|f| f.name == *function)
                    .find_map(|f| {
                        let values = parse_arguments(function, &f.inputs, &arguments).ok()?;
                        encode_call(f, &values).ok()
                    })
                    .unwrap_or_else(|| panic!("{step}: no function fits"));
                let value = value.parse().expect("a number");
                let outcome = self
                    .both(self.names[*from], contract.at, value, &input)
                    .unwrap_or_else(|difference| panic!("{step}{difference}"));
                assert_eq!(
                    outcome.status,
                    "return",
                    "{step}: {}",
                    hex::encode(&outcome.output)
                );
            }
            _ => panic!("not a step: {step}"),
        }
    }

    /// Deploys on both; the constructor must succeed.
    pub fn deploy(&mut self, from: Address, twin: &Twin, input: &[u8], what: &str) -> Address {
        let (at, ours) = self.ours.deploy(from, &twin.wasm, input);
        let theirs = self.theirs.deploy(from, at, 0, &twin.creation, input);
        assert_eq!(ours, theirs, "{what}");
        assert_eq!(ours.status, "return", "{what}: {}", show(&ours));
        at
    }

    pub fn contract(&self, name: &str) -> &Contract {
        self.contracts
            .iter()
            .find(|c| c.name == name)
            .expect("it was deployed")
    }

    /// Calls both machines; an error tells how they differ.
    pub fn both(
        &mut self,
        from: Address,
        to: Address,
        value: u64,
        input: &[u8],
    ) -> Result<Outcome, String> {
        let ours = self.ours.call(from, to, value, input);
        let theirs = self.theirs.call(from, to, value, input);
        if ours == theirs {
            return Ok(ours);
        }
        Err(format!(
            "\n  from 0x{} with value {value} at {}\n  input 0x{}\n  ours   {}\n  theirs {}",
            hex::encode(from.0),
            self.time,
            hex::encode(input),
            show(&ours),
            show(&theirs)
        ))
    }

    /// Everybody's balance on both machines.
    pub fn check_balances(&mut self) {
        for (name, address) in &self.names {
            let (ours, theirs) = (self.ours.balance(*address), self.theirs.balance(*address));
            assert_eq!(ours, theirs, "{name}'s balance");
        }
    }

    /// What a function returns, asked on our machine; nothing when it fails.
    pub fn view(&self, contract: &Contract, call: &str, args: &[DynSolValue]) -> Vec<DynSolValue> {
        let fits = |f: &&Function| f.name == call && f.inputs.len() == args.len();
        let function = contract.abi.functions().find(fits).expect("a function");
        let input = encode_call(function, args).expect("arguments fit");
        let outcome = self.ours.query(Address([0xa1; 20]), contract.at, &input);
        match outcome.status {
            "return" => decode_output(function, &outcome.output).expect("it fits the ABI"),
            _ => Vec::new(),
        }
    }
}

/// An outcome as a line of text.
pub fn show(outcome: &Outcome) -> String {
    let logs: Vec<String> = outcome
        .logs
        .iter()
        .map(|(_, topics, data)| {
            let topics: Vec<String> = topics.iter().map(hex::encode).collect();
            format!("[{}] {}", topics.join(" "), hex::encode(data))
        })
        .collect();
    let text = String::from_utf8_lossy(&outcome.output)
        .replace(|c: char| !c.is_ascii_graphic() && c != ' ', "");
    format!(
        "{} 0x{} {text:?} {logs:?}",
        outcome.status,
        hex::encode(&outcome.output)
    )
}
