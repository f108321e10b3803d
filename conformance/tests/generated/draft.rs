//! Files and vectors under construction.

use std::collections::BTreeMap;
use std::path::Path;

use aivm::{Address, TrapCode, Word, code_hash};
use aivm_conformance::action::{Action, Bytes, Hex, Message};
use aivm_conformance::outcome::Claim;
use aivm_conformance::vector::SCHEMA;
use aivm_conformance::{Chain, Step, Vector, VectorFile};
use serde_json::Value;

use super::guest::module;

pub const ALICE: Address = Address([0xa1; 20]);
pub const BOB: Address = Address([0xb0; 20]);

/// The block that vectors run in.
pub const HEIGHT: u64 = 100;
pub const TIME: u64 = 1_700_000_000;
pub const CHAIN: u64 = 7;

/// A file, and its name without the ending.
pub struct File(pub VectorFile, pub &'static str);

impl File {
    /// An empty file. `reason` holds for vectors that give none.
    pub fn new(suite: &str, name: &'static str, reason: &str) -> Self {
        let file = VectorFile {
            schema: SCHEMA,
            suite: suite.to_owned(),
            generator: Some(source(suite)),
            reason: Some(reason.to_owned()),
            chain: chain(),
            shared: BTreeMap::new(),
            sources: BTreeMap::new(),
            vectors: Vec::new(),
        };
        Self(file, name)
    }

    /// The same, made elsewhere than the rest of its suite.
    pub fn made_by(mut self, generator: &str) -> Self {
        self.0.generator = Some(source(generator));
        self
    }

    /// Puts code under a name. Text stays text.
    pub fn share_wat(&mut self, name: &str, text: &str) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.0.shared.insert(name.to_owned(), Bytes::Wat(text));
    }

    pub fn share(&mut self, name: &str, bytes: Vec<u8>) {
        self.0
            .shared
            .insert(name.to_owned(), Bytes::Hex(Hex(bytes)));
    }

    /// The bytes under a name.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        match &self.0.shared[name] {
            Bytes::Hex(hex) => hex.0.clone(),
            Bytes::Wat(text) => wat::parse_str(text).expect("valid text"),
            other => panic!("{other:?} has no bytes here"),
        }
    }

    /// The address that a contract `contract` of the code `code` gets from Alice.
    pub fn address(&self, contract: &str, code: &str) -> Address {
        let salt = blake3::hash(contract.as_bytes());
        Address::of_salted_contract(&ALICE, salt.as_bytes(), &code_hash(&self.bytes(code)))
    }

    pub fn push(&mut self, draft: Draft) {
        self.0.vectors.push(draft.0);
    }
}

/// Where a suite is made: a file, or a folder of several.
fn source(suite: &str) -> String {
    let path = format!("tests/generated/{suite}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(&path).is_dir();
    format!("conformance/{path}{}", if folder { "/" } else { ".rs" })
}

/// The chain that vectors begin with: Alice has a million.
pub fn chain() -> Chain {
    Chain {
        chain_id: CHAIN,
        block_number: HEIGHT,
        block_timestamp: TIME,
        balances: BTreeMap::from([(ALICE, Word::from(1_000_000u64))]),
        ..Chain::default()
    }
}

/// The same under another schedule.
pub fn chain_with(changes: &[(&str, Value)]) -> Chain {
    let changes = changes.iter();
    let changes = changes.map(|(path, value)| ((*path).to_owned(), value.clone()));
    Chain {
        schedules: BTreeMap::from([(0, changes.collect())]),
        ..chain()
    }
}

/// A vector under construction.
pub struct Draft(pub Vector);

impl Draft {
    pub fn new(name: impl Into<String>, rule: impl Into<String>) -> Self {
        Self(Vector {
            name: name.into(),
            rule: rule.into(),
            ..Vector::default()
        })
    }

    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.0.reason = Some(reason.into());
        self
    }

    pub fn chain(mut self, chain: Chain) -> Self {
        self.0.chain = Some(chain);
        self
    }

    pub fn step(mut self, action: Action, claim: Claim) -> Self {
        self.0.steps.push(Step {
            action,
            claim: Some(claim),
            expect: None,
        });
        self
    }

    /// Uploads what is shared under this name.
    pub fn upload(self, code: &str) -> Self {
        self.upload_as(code, Claim::accepted())
    }

    pub fn upload_as(self, code: &str, claim: Claim) -> Self {
        let action = Action::Upload {
            name: code.to_owned(),
            code: Bytes::Shared(code.to_owned()),
        };
        self.step(action, claim)
    }

    /// Uploads bytes of its own.
    pub fn upload_bytes(self, wasm: Vec<u8>, claim: Claim) -> Self {
        let action = Action::Upload {
            name: "code".to_owned(),
            code: Bytes::Hex(Hex(wasm)),
        };
        self.step(action, claim)
    }

    /// Uploads a contract in the text format, and deploys it as `c`.
    pub fn install(self, text: impl AsRef<str>) -> Self {
        self.upload_bytes(module(text), Claim::accepted())
            .deploy("c", "code", &[])
    }

    /// Registers a model.
    pub fn register(self, onnx: impl Into<Vec<u8>>, claim: Claim) -> Self {
        let model = Bytes::Hex(Hex(onnx.into()));
        self.step(Action::RegisterModel { model }, claim)
    }

    /// Deploys; the constructor must return.
    pub fn deploy(self, contract: &str, code: &str, input: &[u8]) -> Self {
        let message = Message::new(ALICE, input);
        self.deploy_as(contract, code, message, returns())
    }

    pub fn deploy_as(self, contract: &str, code: &str, message: Message, claim: Claim) -> Self {
        let action = Action::Deploy {
            name: contract.to_owned(),
            code: code.to_owned(),
            message,
        };
        self.step(action, claim)
    }

    /// Uploads and deploys, under one name.
    pub fn put(self, name: &str) -> Self {
        self.upload(name).deploy(name, name, &[])
    }

    pub fn call(self, to: &str, input: impl Into<Vec<u8>>, claim: Claim) -> Self {
        self.send(to, Message::new(ALICE, input), claim)
    }

    pub fn send(self, to: &str, message: Message, claim: Claim) -> Self {
        let to = to.to_owned();
        self.step(Action::Call { to, message }, claim)
    }

    pub fn query(self, to: &str, input: impl Into<Vec<u8>>, claim: Claim) -> Self {
        let message = Message::new(ALICE, input);
        let to = to.to_owned();
        self.step(Action::Query { to, message }, claim)
    }

    /// Asks for a contract's storage at the end.
    pub fn storage(mut self, contract: &str) -> Self {
        self.0.storage.insert(contract.to_owned(), BTreeMap::new());
        self
    }

    /// Asks for a balance at the end.
    pub fn balance(mut self, account: &str) -> Self {
        self.0.balances.insert(account.to_owned(), Word::ZERO);
        self
    }
}

/// A return.
pub fn returns() -> Claim {
    Claim::status(aivm::Status::Return)
}

/// A return after this gas for execution.
pub fn executes(gas: u64) -> Claim {
    Claim {
        execution: Some(gas),
        ..returns()
    }
}

/// A trap, which takes the whole gas limit.
pub fn traps(code: TrapCode) -> Claim {
    Claim::status(aivm::Status::Trap(code))
}

/// A trap that takes this gas limit.
pub fn uses_up(limit: u64, code: TrapCode) -> Claim {
    Claim {
        total: Some(limit),
        ..traps(code)
    }
}

/// A return, or a trap by its name.
pub fn ends(how: &str) -> Claim {
    let code = TrapCode::ALL.iter().find(|code| code.name() == how);
    match (how, code) {
        ("return", _) => returns(),
        (_, Some(code)) => traps(*code),
        _ => panic!("no trap {how}"),
    }
}

/// A revert with this data.
pub fn reverts(data: impl Into<Vec<u8>>) -> Claim {
    Claim {
        output: Some(Hex(data.into())),
        ..Claim::status(aivm::Status::Revert)
    }
}

/// Alice's message without input under this gas limit.
pub fn limited(gas: u64) -> Message {
    Message::new(ALICE, []).with_gas_limit(gas)
}

/// The lines of a table, each of cells between bars.
pub fn rows<const N: usize>(table: &str) -> Vec<[&str; N]> {
    let cells = |line| {
        let cells: Vec<&str> = str::split(line, '|').map(str::trim).collect();
        cells
            .try_into()
            .unwrap_or_else(|_| panic!("{N} cells: {line}"))
    };
    table.trim().lines().map(cells).collect()
}
