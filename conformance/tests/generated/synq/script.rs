//! A small language for vectors: contracts, calls, and what must come of them.
//!
//! A script begins with the reason why its expectations are right. Each rule is
//!
//! ```text
//! == name of the vector
//! The rule in a sentence.
//! SynQ text; without `contract` it is the inside of one, `S`
//! ~~~
//! f(uint256,string) 5, "text" -> uint256 7
//!   emits Moved(address indexed,uint256) @alice, 5
//! bob: c.f(uint256) 5 +100 -> error not the owner
//! ```
//!
//! Behind the text, `>> path` begins another file that it imports, and `>> chain.toml` the profile of
//! the chain whose functions it calls.
//!
//! Steps are calls. Before the signature may stand who calls (Alice otherwise), `query`, and the
//! contract with a dot; behind the arguments, `+N` sends value and `gas=N` sets the limit. Other
//! steps are `deploy NAME CONTRACT(types) arguments`, `raw NAME 0x…` (call data), `register`
//! (the model of digits), `block NUMBER TIME`, `balance NAME`, and `chain f(types) arguments gas=N`
//! with what this function of the chain answers from the start on behind an arrow. Without `deploy` the first contract is
//! deployed as `c`. Behind the arrow stand types and values, or `panic N`, `error TEXT`,
//! `custom E(types) values`, `revert 0x…`, `trap CODE`. A call without `emits` emits nothing.
//! `@name` is an account or a contract, `$name` one of the [`known`](super::known) values.
//! Values are written as alloy-dyn-abi reads them, which also encodes them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use aivm::{Address, TrapCode, Word};
use aivm_conformance::Source;
use aivm_conformance::action::{Action, Bytes, Hex, Message};
use aivm_conformance::outcome::Claim;
use aivm_conformance::vector::{Answer, Extension};
use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::keccak256;
use synq_compiler::Artifact;

use super::known::{DIGITS, filled};
use crate::abi::{error, panic, selector};
use crate::draft::*;

/// The file that a script stands for.
pub fn file(name: &'static str) -> File {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generated/synq/rules");
    let text = std::fs::read_to_string(folder.join(format!("{name}.txt"))).expect("a script");
    let (reason, rules) = text.split_once("\n== ").expect("a reason, then rules");
    let mut file = super::file(name, reason.trim());
    let mut wrong = 0;
    for text in rules.split("\n== ") {
        // What is wrong with one is printed, and the others are read.
        match catch_unwind(AssertUnwindSafe(|| rule(&mut file, text))) {
            Ok(draft) => file.push(draft),
            Err(_) => wrong += 1,
        }
    }
    assert_eq!(wrong, 0, "rules of {name} that cannot be read");
    file
}

fn rule(file: &mut File, text: &str) -> Draft {
    let (head, steps) = text.split_once("\n~~~\n").expect("`~~~` before the steps");
    let mut lines = head.splitn(3, '\n');
    let (name, rule) = (lines.next().unwrap(), lines.next().expect("a rule"));
    let text = filled(lines.next().expect("a source"));
    let mut files = text.split("\n>> ");
    let inside = files.next().expect("a first part");
    let whole = inside.lines().any(|line| line.starts_with("contract "));
    let synq = match whole {
        true => format!("pragma synq ^1.0.0;\n{inside}\n"),
        false => format!("pragma synq ^1.0.0;\ncontract S {{\n{inside}\n}}\n"),
    };
    let mut source = Source::new("", synq);
    for file in files {
        let (path, text) = file.split_once('\n').expect("a path, then a text");
        match path {
            "chain.toml" => source.profile = text.to_owned(),
            path => drop(source.files.insert(path.to_owned(), text.to_owned())),
        }
    }
    let mut history = History {
        vector: name,
        contracts: super::compiled(&source),
        source,
        names: BTreeMap::from([("alice".to_owned(), ALICE), ("bob".to_owned(), BOB)]),
        first: None,
        codes: Vec::new(),
        draft: Draft::new(name, rule),
    };
    let mut lines = steps
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .peekable();
    if !steps.contains("deploy ") {
        let contract = history.contracts[0].name.clone();
        history.step(file, &format!("deploy c {contract}() ->"), &[]);
    }
    while let Some(line) = lines.next() {
        let mut events = Vec::new();
        while let Some(event) = lines.peek().and_then(|line| line.strip_prefix("emits ")) {
            events.push(event);
            lines.next();
        }
        history.step(file, line, &events);
    }
    history.draft
}

/// A vector while its steps are read.
struct History<'a> {
    vector: &'a str,
    source: Source,
    contracts: Vec<Artifact>,
    names: BTreeMap<String, Address>,
    /// The contract that calls mean when they name none.
    first: Option<String>,
    /// Contracts that were uploaded.
    codes: Vec<String>,
    draft: Draft,
}

impl History<'_> {
    fn step(&mut self, file: &mut File, line: &str, events: &[&str]) {
        let (head, outcome) = line.split_once("->").unwrap_or((line, ""));
        let (head, outcome) = (self.named(head.trim()), self.named(outcome.trim()));
        let mut words = head.split(' ');
        match words.next().unwrap_or_default() {
            "block" => {
                let mut number = || words.next().unwrap().parse().expect("a number");
                let (number, timestamp) = (number(), number());
                return self.push(Action::Block { number, timestamp }, Claim::default());
            }
            "balance" => {
                let name = words.next().expect("a name");
                let account = self.names[name];
                let contract = name != "alice" && name != "bob";
                let name = if contract {
                    name.to_owned()
                } else {
                    account.to_string()
                };
                self.draft.0.balances.insert(name, Word::ZERO);
                return;
            }
            "register" => {
                let model = Bytes::File(DIGITS.to_owned());
                return self.push(Action::RegisterModel { model }, Claim::accepted());
            }
            "chain" => {
                let rest = head.trim_start_matches("chain ");
                return self
                    .draft
                    .0
                    .chain
                    .get_or_insert_with(chain)
                    .extensions
                    .push(function(rest, &outcome));
            }
            _ => {}
        }
        self.transaction(file, &head, outcome_of(&outcome), events);
    }

    fn push(&mut self, action: Action, claim: Claim) {
        let draft = std::mem::replace(&mut self.draft, Draft::new("", ""));
        self.draft = draft.step(action, claim);
    }

    fn transaction(&mut self, file: &mut File, head: &str, mut claim: Claim, events: &[&str]) {
        let (mut from, mut head) = (ALICE, head);
        if let Some((who, rest)) = head.split_once(": ")
            && let Some(account) = self.names.get(who)
        {
            (from, head) = (*account, rest);
        }
        let (mut value, mut gas) = (0u64, None);
        while let Some((rest, last)) = head.rsplit_once(' ') {
            if let Some(amount) = last.strip_prefix('+') {
                value = amount.parse().expect("a number");
            } else if let Some(limit) = last.strip_prefix("gas=") {
                gas = Some(limit.parse().expect("a number"));
            } else {
                break;
            }
            head = rest.trim_end();
        }
        let message = |input: Vec<u8>| {
            let message = Message::new(from, input).with_value(Word::from(value));
            match gas {
                Some(limit) => message.with_gas_limit(limit),
                None => message,
            }
        };
        let first = self.first.clone().unwrap_or_default();
        if let Some(rest) = head.strip_prefix("deploy ") {
            let (name, rest) = rest.split_once(' ').expect("a name, then a contract");
            let (contract, types, values) = call(rest);
            let message = message(encoded(types, values));
            return self.deploy(file, name, contract, message, claim, events);
        }
        claim.events = Some(events.iter().map(|event| self.event(event)).collect());
        if let Some(rest) = head.strip_prefix("raw ") {
            let (to, input) = rest.split_once(' ').expect("a name, then bytes");
            let input = hex::decode(input.trim_start_matches("0x")).expect("bytes");
            let (to, message) = (to.to_owned(), message(input));
            return self.push(Action::Call { to, message }, claim);
        }
        let (query, rest) = match head.strip_prefix("query ") {
            Some(rest) => (true, rest),
            None => (false, head),
        };
        let (target, types, values) = call(rest);
        let (to, function) = match target.split_once('.') {
            Some((to, function)) => (to.to_owned(), function),
            None => (first, target),
        };
        let input = [
            &selector(&format!("{function}{types}"))[..],
            &encoded(types, values),
        ];
        let message = message(input.concat());
        self.push(
            match query {
                true => Action::Query { to, message },
                false => Action::Call { to, message },
            },
            claim,
        );
    }

    fn deploy(
        &mut self,
        file: &mut File,
        name: &str,
        contract: &str,
        message: Message,
        mut claim: Claim,
        events: &[&str],
    ) {
        let shared = match contract {
            "S" => self.vector.to_owned(),
            _ => format!("{}: {contract}", self.vector),
        };
        if !self.codes.iter().any(|code| code == contract) {
            let source = Source {
                contract: contract.to_owned(),
                ..self.source.clone()
            };
            super::share(file, &shared, source);
            let action = Action::Upload {
                name: contract.to_owned(),
                code: Bytes::Shared(shared.clone()),
            };
            self.push(action, Claim::accepted());
            self.codes.push(contract.to_owned());
        }
        let salt = blake3::hash(name.as_bytes());
        let code = aivm::code_hash(&file.bytes(&shared));
        let address = Address::of_salted_contract(&message.from, salt.as_bytes(), &code);
        self.names.insert(name.to_owned(), address);
        self.first.get_or_insert(name.to_owned());
        // What a constructor emits may tell its own address.
        claim.events = Some(events.iter().map(|event| self.event(event)).collect());
        if claim.status == Some(aivm::Status::Return) {
            self.draft
                .0
                .storage
                .insert(name.to_owned(), BTreeMap::new());
        }
        let (name, code) = (name.to_owned(), contract.to_owned());
        self.push(
            Action::Deploy {
                name,
                code,
                message,
            },
            claim,
        );
    }

    /// A text with names in the place of `@` and `$`.
    fn named(&self, text: &str) -> String {
        let text = filled(text);
        let mut parts = text.split('@');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let ends = |c: char| !c.is_ascii_alphanumeric();
            let (name, rest) = part.split_at(part.find(ends).unwrap_or(part.len()));
            let address = self.names.get(name);
            let address = address.unwrap_or_else(|| panic!("{}: nobody is {name}", self.vector));
            out += &format!("0x{}{rest}", hex::encode(address.0));
        }
        out
    }

    /// Topics and data of an event as Solidity lays it out.
    fn event(&self, text: &str) -> (Vec<Word>, Hex) {
        let (signature, values) = match text.rsplit_once(") ") {
            Some((signature, values)) => (format!("{signature})"), self.named(values)),
            None => (text.to_owned(), String::new()),
        };
        let plain = signature.replace(" indexed", "");
        let (_, types, _) = call(&plain);
        let mut topics = vec![keccak256(plain.as_bytes()).0];
        let mut data = Vec::new();
        let inner = &signature[signature.find('(').expect("a list") + 1..signature.len() - 1];
        for (value, declared) in list(types, &values).into_iter().zip(split(inner)) {
            match declared.ends_with(" indexed") {
                true => topics.push(topic(&value)),
                false => data.push(value),
            }
        }
        let topics = topics.into_iter().map(Word::from_be_bytes).collect();
        (topics, Hex(DynSolValue::Tuple(data).abi_encode_params()))
    }
}

/// Parts between the commas that stand in no brackets.
fn split(text: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in text.chars() {
        depth += i32::from("([".contains(c)) - i32::from(")]".contains(c));
        if c == ',' && depth == 0 {
            parts.push(String::new());
            continue;
        }
        parts.last_mut().expect("one at least").push(c);
    }
    parts
}

/// The topic of an indexed value: a word, or the hash of its parts in place.
fn topic(value: &DynSolValue) -> [u8; 32] {
    match value {
        DynSolValue::String(text) => keccak256(text.as_bytes()).0,
        DynSolValue::Bytes(bytes) => keccak256(bytes).0,
        DynSolValue::Array(_) | DynSolValue::FixedArray(_) | DynSolValue::Tuple(_) => {
            let mut out = Vec::new();
            in_place(value, &mut out);
            keccak256(out).0
        }
        word => word.as_word().expect("a word").0,
    }
}

/// The Solidity ABI on events: arrays and structures are the concatenation of their parts, each
/// padded to words, without lengths.
fn in_place(value: &DynSolValue, out: &mut Vec<u8>) {
    match value {
        DynSolValue::Array(parts) | DynSolValue::FixedArray(parts) | DynSolValue::Tuple(parts) => {
            parts.iter().for_each(|part| in_place(part, out));
        }
        DynSolValue::String(text) => out.extend(text.as_bytes()),
        DynSolValue::Bytes(bytes) => out.extend(bytes),
        word => out.extend(word.as_word().expect("a word")),
    }
    out.resize(out.len().next_multiple_of(32), 0);
}

/// `name(types) values` taken apart.
fn call(text: &str) -> (&str, &str, &str) {
    let (signature, values) = text.split_once(' ').unwrap_or((text, ""));
    let at = signature
        .find('(')
        .unwrap_or_else(|| panic!("no call: {text}"));
    (&signature[..at], &signature[at..], values)
}

/// Values of these types, `(uint256,string)`, from a text.
fn list(types: &str, values: &str) -> Vec<DynSolValue> {
    if types == "()" {
        assert_eq!(values, "", "values without types");
        return Vec::new();
    }
    let ty: DynSolType = types.parse().unwrap_or_else(|e| panic!("{types}: {e}"));
    match ty.coerce_str(&format!("({values})")) {
        Ok(DynSolValue::Tuple(list)) => list,
        other => panic!("{types} {values}: {other:?}"),
    }
}

fn encoded(types: &str, values: &str) -> Vec<u8> {
    DynSolValue::Tuple(list(types, values)).abi_encode_params()
}

/// A function of the chain with what it answers to some arguments.
fn function(head: &str, outcome: &str) -> Extension {
    let (head, gas) = head.rsplit_once(" gas=").expect("what it costs");
    let (name, types, values) = call(head);
    let claim = outcome_of(outcome);
    let data = claim.output.expect("an answer");
    Extension {
        name: name.to_owned(),
        arguments: Hex(encoded(types, values)),
        gas: gas.parse().expect("a number"),
        answer: match claim.status {
            Some(aivm::Status::Return) => Answer::Returns(data),
            Some(aivm::Status::Revert) => Answer::Reverts(data),
            other => panic!("no answer: {other:?}"),
        },
    }
}

fn outcome_of(text: &str) -> Claim {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "" => Claim::returns([]),
        "panic" => {
            let digits = rest.strip_prefix("0x").expect("a code in hexadecimal");
            reverts(panic(u64::from_str_radix(digits, 16).expect("a code")))
        }
        "error" => reverts(error(rest)),
        "custom" => {
            let (name, types, values) = call(rest);
            let selector = selector(&format!("{name}{types}"));
            reverts([&selector[..], &encoded(types, values)].concat())
        }
        "revert" => reverts(hex::decode(rest.trim_start_matches("0x")).expect("bytes")),
        "trap" => {
            let code = TrapCode::ALL.iter().find(|code| code.name() == rest);
            traps(*code.unwrap_or_else(|| panic!("there is no trap {rest}")))
        }
        types => Claim::returns(encoded(&format!("({types})"), rest)),
    }
}
