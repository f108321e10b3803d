//! The contracts and models that the traffic uses.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aivm_abi::calldata::JsonAbi;
use synq_compiler::{FolderLoader, MemoryLoader, Options, SourceLoader, compile};

use super::TrafficError;
use super::keys::{Election, Governor};
use super::probe::probe;

/// A compiled contract.
pub struct Program {
    /// The module.
    pub wasm: Vec<u8>,
    /// Its interface.
    pub abi: JsonAbi,
}

/// What the traffic uses, compiled once.
pub struct Contracts {
    /// `GovernanceToken` of the corpus.
    pub token: Program,
    /// The same with another limit on batches: the code that the token is upgraded to.
    pub token_next: Program,
    /// `SecretBallotDao`.
    pub dao: Program,
    /// `CreditScorer`, with its network.
    pub credit: Program,
    /// `ContentGate`, with its network.
    pub gate: Program,
    /// `AuthorPoints`, which the gate calls.
    pub points: Program,
    /// The digit reader of the examples, with its network.
    pub notary: Program,
    /// A module that traps, and computes with floating point and vectors.
    pub probe: Vec<u8>,
    /// The networks.
    pub models: Vec<Vec<u8>>,
    /// Handwritten digits, 64 pixels each.
    pub images: Vec<[u8; 64]>,
    pub(super) governor: Governor,
    pub(super) elections: Vec<Election>,
    /// Signatures by message: they take longer to make than to verify.
    signatures: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl Contracts {
    /// Compiles the contracts below the repository's folder `root`.
    ///
    /// # Errors
    /// When a file is missing or a contract does not compile.
    pub fn load(root: &Path) -> Result<Self, TrafficError> {
        let corpus = root.join("synq-compiler/contracts");
        let loader = FolderLoader::new(&corpus);
        let text = read(&corpus.join("token.synq"))?;
        let text = String::from_utf8_lossy(&text);
        let changed = text.replace("MAX_BATCH = 64;", "MAX_BATCH = 32;");
        if changed == text {
            return Err(TrafficError::Inconsistent("token.synq has no MAX_BATCH"));
        }
        let changed = MemoryLoader::new().with_source("token.synq", changed);
        let images = read(&root.join("nn-backends/models/digits-test.bin"))?;
        Ok(Self {
            token: program("token.synq", "GovernanceToken", &loader)?,
            token_next: program("token.synq", "GovernanceToken", &changed)?,
            dao: program("dao.synq", "SecretBallotDao", &loader)?,
            credit: program("credit.synq", "CreditScorer", &loader)?,
            gate: program("gate.synq", "ContentGate", &loader)?,
            points: program("gate.synq", "AuthorPoints", &loader)?,
            notary: program(
                "digits.synq",
                "Notary",
                &FolderLoader::new(root.join("vm/examples")),
            )?,
            probe: probe()?,
            models: vec![
                read(&corpus.join("models/credit-int8.onnx"))?,
                read(&corpus.join("models/gate-int8.onnx"))?,
                read(&root.join("nn-backends/models/digits.onnx"))?,
            ],
            images: images
                .chunks(65)
                .filter_map(|record| record.first_chunk().copied())
                .collect(),
            governor: Governor::new(),
            elections: (0..4).map(Election::new).collect(),
            signatures: Mutex::default(),
        })
    }

    /// The governor's signature of a message.
    pub(super) fn signature(&self, message: &[u8]) -> Result<Vec<u8>, TrafficError> {
        let held = || {
            self.signatures
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(signature) = held().get(message) {
            return Ok(signature.clone());
        }
        let signature = self.governor.sign(message)?;
        held().insert(message.to_vec(), signature.clone());
        Ok(signature)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TrafficError> {
    std::fs::read(path).map_err(|source| TrafficError::Read {
        path: path.into(),
        source,
    })
}

fn program(file: &str, name: &str, loader: &dyn SourceLoader) -> Result<Program, TrafficError> {
    let output = compile(file, loader, &Options::new())
        .map_err(|errors| TrafficError::Compile(errors.render(false)))?;
    let found = output.contracts.into_iter().find(|c| c.name == name);
    let found = found.ok_or_else(|| TrafficError::Compile(format!("{file} has no {name}")))?;
    Ok(Program {
        wasm: found.wasm,
        abi: found.abi,
    })
}
