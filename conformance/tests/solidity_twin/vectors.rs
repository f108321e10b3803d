//! The vectors of the language against their twins: every deployment, call and query of the suite
//! `synq` runs on revm, and must end as the vector says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use aivm::{Address, Status, code_hash};
use aivm_conformance::action::{Action, Bytes, Message};
use aivm_conformance::outcome::{Outcome as Expected, Summary};
use aivm_conformance::{Case, Source, Vector, VectorFile, suite};
use synq_compiler::{compile, twins};

use crate::machines::{Outcome, Theirs};
use crate::precompiles::Offers;
use crate::solc;

/// Vectors that have no twin, or one that means something else, and why.
const WITHOUT: &[(&str, &str)] = &[
    ("a contract that calls itself", RUNNING),
    ("a contract that is running", RUNNING),
    (
        "a function that the chain lacks",
        "nothing but gas stops a call for good on the EVM",
    ),
    (
        "a network that is not there",
        "the reason is a text of the VM's",
    ),
    (
        "a signature of SLH-DSA",
        "no library here but the VM's has it",
    ),
    ("events in a query", QUERY),
    (
        "lengths beyond 64 bits",
        "solc fails with Panic(0x41) where a length has more than 64 bits",
    ),
    ("too little gas for a block", LIMIT),
    ("too little gas for a function", LIMIT),
    ("writing in a query", QUERY),
];

const LIMIT: &str = "the EVM does not enforce gas limits of blocks and functions";
const QUERY: &str = "a query on the EVM may write, and its changes are dropped";
const RUNNING: &str = "a running contract can be called again on the EVM";

/// As many vectors, and as many deployments, calls and queries of them, are replayed at least.
const LEAST: (usize, usize) = (746, 7_100);

/// A vector with the chain that its steps make.
struct Replay<'a> {
    vector: &'a Vector,
    case: Case,
    theirs: Theirs,
    /// Creation code by the name under which code was uploaded, and the hash of that code.
    codes: BTreeMap<&'a str, (Arc<Vec<u8>>, [u8; 32])>,
    contracts: BTreeMap<&'a str, Address>,
    steps: usize,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// The files of the suite, with the folders that they are in.
fn files() -> Vec<(PathBuf, VectorFile)> {
    let all = suite::load(&folder()).expect("the vectors are there");
    suite::choose(all, &["synq".to_owned()]).expect("there is a suite `synq`")
}

/// The code of a source, which must be what the vector uploads.
fn check_code(name: &str, source: &Source, shared: &Bytes) {
    let options = source.options().expect("a profile");
    let output = compile(Source::FILE, &source.loader(), &options)
        .unwrap_or_else(|d| panic!("{name} does not compile:\n{d}"));
    let artifact = output.contracts.iter().find(|c| c.name == source.contract);
    let wasm = &artifact.expect("the contract is in its source").wasm;
    assert!(
        matches!(shared, Bytes::Hex(hex) if hex.0 == *wasm),
        "{name}: its source makes other code"
    );
}

/// Solidity of a contract.
fn twin(name: &str, source: &Source) -> String {
    let options = source.options().expect("a profile");
    let list = twins(Source::FILE, &source.loader(), &options)
        .unwrap_or_else(|d| panic!("{name} has no twin:\n{d}\n{}", source.synq));
    let twin = list.into_iter().find(|t| t.name == source.contract);
    twin.expect("a twin for each contract").text
}

/// Creation code of each source that vectors with twins use.
fn creations(file: &VectorFile) -> BTreeMap<String, Arc<Vec<u8>>> {
    let used: BTreeSet<&str> = file
        .vectors
        .iter()
        .filter(|vector| reason(vector).is_none())
        .flat_map(uploads)
        .map(|(_, shared)| shared)
        .collect();
    let sources: Vec<(&String, &Source)> = file
        .sources
        .iter()
        .filter(|(name, _)| used.contains(name.as_str()))
        .collect();
    let texts: Vec<(String, String)> = sources
        .iter()
        .enumerate()
        .map(|(i, (name, source))| {
            check_code(name, source, &file.shared[*name]);
            (format!("{i}.sol"), twin(name, source))
        })
        .collect();
    let mut compiled = solc::compile_files(&texts, solc::Effort::Least)
        .unwrap_or_else(|e| panic!("solc refuses a twin:\n{e}"));
    let each = sources.iter().enumerate().map(|(i, (name, source))| {
        let mut contracts = compiled.remove(&format!("{i}.sol")).expect("its file");
        let contract = contracts.remove(&source.contract).expect("its contract");
        ((*name).clone(), Arc::new(contract.creation))
    });
    each.collect()
}

/// Why a vector is not replayed.
fn reason(vector: &Vector) -> Option<&'static str> {
    let found = WITHOUT.iter().find(|(name, _)| *name == vector.name);
    found.map(|(_, reason)| *reason)
}

/// Names of uploads, and what is shared under which name for them.
fn uploads(vector: &Vector) -> impl Iterator<Item = (&str, &str)> {
    vector.steps.iter().filter_map(|step| match &step.action {
        Action::Upload {
            name,
            code: Bytes::Shared(shared),
        } => Some((name.as_str(), shared.as_str())),
        _ => None,
    })
}

impl<'a> Replay<'a> {
    fn new(file: &'a VectorFile, vector: &'a Vector, path: &Path) -> Self {
        let folder = path.parent().expect("a folder");
        let case = suite::case(file, vector, folder).expect("its code is there");
        let mut offers = Offers::of(&case.chain);
        for action in &case.actions {
            if let Action::RegisterModel {
                model: Bytes::Hex(onnx),
            } = action
            {
                offers.add(&onnx.0);
            }
        }
        let mut theirs = Theirs::new(Rc::new(offers));
        assert_eq!(case.chain.chain_id, crate::machines::CHAIN);
        theirs.set_block(case.chain.block_number, case.chain.block_timestamp);
        for (account, balance) in &case.chain.balances {
            theirs.fund(*account, balance.to_u64().expect("small sums"));
        }
        Self {
            vector,
            case,
            theirs,
            codes: BTreeMap::new(),
            contracts: BTreeMap::new(),
            steps: 0,
        }
    }

    /// Runs all steps; an error tells how they differ from what the vector says.
    fn run(&mut self, creations: &BTreeMap<String, Arc<Vec<u8>>>) -> Result<(), String> {
        let shared: BTreeMap<&str, &str> = uploads(self.vector).collect();
        for (number, step) in self.vector.steps.iter().enumerate() {
            let expected = step.expect.as_ref().expect("an outcome");
            let outcome = match &step.action {
                Action::Upload { name, .. } => {
                    let Action::Upload {
                        code: Bytes::Hex(wasm),
                        ..
                    } = &self.case.actions[number]
                    else {
                        return Err("an upload without code".into());
                    };
                    let creation = creations[shared[name.as_str()]].clone();
                    self.codes.insert(name, (creation, code_hash(&wasm.0)));
                    continue;
                }
                Action::Block { number, timestamp } => {
                    self.theirs.set_block(*number, *timestamp);
                    continue;
                }
                Action::RegisterModel { .. } => continue,
                Action::Deploy {
                    name,
                    code,
                    message,
                } => self.deploy(name, code, message),
                Action::Call { to, message } => {
                    let to = self.contracts[to.as_str()];
                    self.theirs
                        .call(message.from, to, value(message), &message.input.0)
                }
                Action::Query { to, message } => {
                    let to = self.contracts[to.as_str()];
                    self.theirs.query(message.from, to, &message.input.0)
                }
                other => return Err(format!("revm has no such step: {other:?}")),
            };
            self.steps += 1;
            let expected = expectation(expected)?;
            if outcome != expected {
                return Err(format!(
                    "step {number}: {:?}\n  vector {}\n  revm   {}",
                    step.action,
                    crate::world::show(&expected),
                    crate::world::show(&outcome)
                ));
            }
        }
        self.balances()
    }

    fn deploy(&mut self, name: &'a str, code: &str, message: &Message) -> Outcome {
        let (creation, hash) = self.codes[code].clone();
        let salt = blake3::hash(name.as_bytes());
        let at = Address::of_salted_contract(&message.from, salt.as_bytes(), &hash);
        let (from, input) = (message.from, &message.input.0);
        let outcome = self
            .theirs
            .deploy(from, at, value(message), &creation, input);
        self.contracts.insert(name, at);
        outcome
    }

    fn balances(&mut self) -> Result<(), String> {
        for (name, balance) in &self.vector.balances {
            let account = match self.contracts.get(name.as_str()) {
                Some(contract) => *contract,
                None => name.parse().expect("an address"),
            };
            let theirs = self.theirs.balance(account);
            if balance.to_u64() != Some(theirs) {
                return Err(format!("the balance of {name} is {theirs} on revm"));
            }
        }
        Ok(())
    }
}

fn value(message: &Message) -> u64 {
    message.value.to_u64().expect("small sums")
}

/// The part of an outcome that both machines have: gas is each one's own.
fn expectation(expected: &Expected) -> Result<Outcome, String> {
    let Expected::Receipt(receipt) = expected else {
        return Err(format!("no receipt: {expected:?}"));
    };
    let events = receipt.events.iter().map(|event| {
        let topics = event.topics.iter().map(|topic| topic.to_be_bytes());
        (event.contract, topics.collect(), event.data.clone())
    });
    Ok(Outcome {
        status: match receipt.status {
            Status::Return => "return",
            Status::Revert => "revert",
            Status::Trap(_) => "stopped",
        },
        output: receipt.output.0.clone(),
        logs: events.collect(),
    })
}

/// What was replayed.
#[derive(Default)]
struct Sum {
    vectors: usize,
    steps: usize,
    left_out: BTreeMap<String, &'static str>,
    failures: Vec<String>,
}

/// Replays the vectors of a file.
fn replay(path: &Path, file: &VectorFile, sum: &Mutex<Sum>) {
    let started = std::time::Instant::now();
    let creations = creations(file);
    let compiled = started.elapsed();
    let mut of_file = Sum::default();
    for vector in &file.vectors {
        if let Some(reason) = reason(vector) {
            of_file.left_out.insert(vector.name.clone(), reason);
            continue;
        }
        let mut replay = Replay::new(file, vector, path);
        if let Err(why) = replay.run(&creations) {
            of_file.failures.push(format!("{}: {why}", vector.name));
        }
        of_file.vectors += 1;
        of_file.steps += replay.steps;
    }
    println!(
        "{}: {} vectors, {} steps; {:.1} s, of which solc {:.1} s",
        path.file_name().unwrap_or_default().to_string_lossy(),
        of_file.vectors,
        of_file.steps,
        started.elapsed().as_secs_f64(),
        compiled.as_secs_f64(),
    );
    let mut sum = sum.lock().unwrap();
    sum.vectors += of_file.vectors;
    sum.steps += of_file.steps;
    sum.left_out.extend(of_file.left_out);
    sum.failures.extend(of_file.failures);
}

#[test]
fn the_vectors_of_the_language_agree_with_their_twins() {
    if !solc::installed("the_vectors_of_the_language_agree_with_their_twins") {
        return;
    }
    let files = files();
    let next = Mutex::new(files.iter());
    let sum = Mutex::new(Sum::default());
    let work = || {
        loop {
            let Some((path, file)) = next.lock().unwrap().next() else {
                return;
            };
            replay(path, file, &sum);
        }
    };
    // Most of the time is solc's, which uses one processor.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    let Sum {
        vectors,
        steps,
        left_out,
        failures,
    } = sum.into_inner().unwrap();
    println!(
        "{vectors} vectors, {steps} steps; {} left out",
        left_out.len()
    );
    assert!(
        failures.is_empty(),
        "{} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
    // Each that is left out is there, and nothing else is.
    let named = WITHOUT.iter().map(|(name, why)| ((*name).to_owned(), *why));
    let named: BTreeMap<String, &str> = named.collect();
    assert_eq!(left_out, named);
    let all: usize = files.iter().map(|(_, file)| file.vectors.len()).sum();
    assert_eq!(vectors + named.len(), all);
    assert!(
        vectors >= LEAST.0 && steps >= LEAST.1,
        "only {vectors} vectors with {steps} steps were replayed"
    );
}

#[test]
fn a_vector_that_is_wrong_is_noticed() {
    if !solc::installed("a_vector_that_is_wrong_is_noticed") {
        return;
    }
    let mut files = files().into_iter();
    let of_events = |(path, _): &(PathBuf, VectorFile)| path.ends_with("events.json");
    let (path, file) = files.find(of_events).expect("vectors of events");
    let creations = creations(&file);
    let vector = file.vectors.iter().find(|v| v.name == "several events");
    let vector = vector.expect("a vector with events");
    assert_eq!(Replay::new(&file, vector, &path).run(&creations), Ok(()));
    let spoilt: [fn(&mut Summary); 4] = [
        |receipt| receipt.status = Status::Revert,
        |receipt| receipt.output.0.push(0),
        |receipt| receipt.events.reverse(),
        |receipt| receipt.events[0].data.push(1),
    ];
    for spoil in spoilt {
        let mut wrong = vector.clone();
        // The last step has all kinds of events.
        let step = wrong.steps.last_mut().expect("steps");
        let Some(Expected::Receipt(receipt)) = &mut step.expect else {
            panic!("no receipt");
        };
        spoil(receipt);
        let why = Replay::new(&file, &wrong, &path).run(&creations);
        assert!(why.is_err_and(|why| why.contains("revm ")));
    }
    let mut wrong = vector.clone();
    wrong
        .balances
        .insert("c".to_owned(), aivm::Word::from(1u64));
    let why = Replay::new(&file, &wrong, &path).run(&creations);
    assert_eq!(why, Err("the balance of c is 0 on revm".to_owned()));
}
