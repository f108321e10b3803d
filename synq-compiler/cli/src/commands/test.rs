//! `synqc test`

use std::path::PathBuf;
use std::time::Instant;

use aivm::{BlockContext, Call, Deploy, Host, Receipt};
use serde_json::{Value, json};

use crate::args::Test;
use crate::error::Error;
use crate::project::{self, Project};
use crate::ui::Ui;
use crate::world::cheats::Cheats;
use crate::world::show::Show;
use crate::world::trace::{Frame, Tracer};
use crate::world::{Code, Ledger, Library, YOU, plenty, succeeded};

/// What came of one test.
struct Outcome {
    contract: String,
    name: String,
    /// Why it failed.
    failure: Option<String>,
    gas: u64,
    /// Where it failed, innermost first.
    origin: Vec<String>,
    tree: Vec<String>,
    said: Vec<String>,
}

pub fn run(args: &Test, ui: &Ui) -> Result<(), Error> {
    let began = Instant::now();
    let files = files(&args.files)?;
    let mut library = Library::new()?;
    for file in &files {
        library.add(file, &args.chain, true, ui)?;
    }
    // What tests may deploy without importing it.
    if let Some(file) = files.first() {
        let project = Project::of(file)?;
        if project.declared {
            for source in project.sources_in(&project.settings.sources)? {
                library.add(&source, &args.chain, true, ui)?;
            }
        }
    }
    let mut own = Vec::new();
    for file in &files {
        own.push(Project::of(file)?.name_of(file)?);
    }
    let mut outcomes = Vec::new();
    let mut skipped = 0;
    for code in library.codes().iter().filter(|c| own.contains(&c.file)) {
        let tests = tests(code);
        let total = tests.len();
        let chosen: Vec<String> = tests
            .into_iter()
            .filter(|name| {
                let full = format!("{}.{name}", code.artifact.name);
                args.filter
                    .as_ref()
                    .is_none_or(|f| full.contains(f.as_str()))
            })
            .collect();
        skipped += total - chosen.len();
        if chosen.is_empty() {
            continue;
        }
        if !ui.json {
            ui.print(format!("{} ({})", code.artifact.name, code.file));
        }
        for name in chosen {
            let outcome = ui.progress(&format!("running {name}"), || {
                one(&library, code, &name, args)
            })?;
            report(&outcome, args, ui);
            outcomes.push(outcome);
        }
    }
    if outcomes.is_empty() && skipped == 0 {
        return Err(Error::Usage(
            "there are no tests: a test is a public function named test… of a contract".into(),
        ));
    }
    if let (true, Some(filter)) = (outcomes.is_empty(), &args.filter) {
        return Err(Error::Usage(format!(
            "no test matches `{filter}`; there are {skipped}"
        )));
    }
    let failed = outcomes.iter().filter(|o| o.failure.is_some()).count();
    let passed = outcomes.len() - failed;
    ui.print_json(&json!({
        "ok": failed == 0,
        "passed": passed,
        "failed": failed,
        "skipped": skipped,
        "tests": outcomes.iter().map(Outcome::json).collect::<Vec<_>>(),
    }));
    if !ui.json {
        let word = if failed == 0 {
            ui.good("ok")
        } else {
            ui.bad("failed")
        };
        let skipped = match skipped {
            0 => String::new(),
            n => format!(", {n} filtered out"),
        };
        let time = began.elapsed().as_millis();
        ui.print(format!(
            "{word}: {passed} passed, {failed} failed{skipped}; {time} ms"
        ));
    }
    if failed > 0 { Err(Error::Said) } else { Ok(()) }
}

/// The files that were named, or the project's tests.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    match named.is_empty() {
        true => project::of_project(|settings| &settings.tests),
        false => project::sources(named),
    }
}

/// Names of a contract's tests, in the order of the source.
fn tests(code: &Code) -> Vec<String> {
    let Value::Array(items) = &code.artifact.abi_json else {
        return Vec::new();
    };
    let names = items.iter().filter(|item| item["type"] == "function");
    let names = names.filter_map(|item| item["name"].as_str());
    names
        .filter(|name| name.starts_with("test"))
        .map(str::to_owned)
        .collect()
}

/// Runs one test on a fresh chain.
fn one(library: &Library, code: &Code, name: &str, args: &Test) -> Result<Outcome, Error> {
    let mut ledger = Ledger::new(library);
    let mut cheats = Cheats::new(library);
    let deploy = Deploy::new(YOU, code.hash, []).with_gas_limit(args.gas_limit);
    let contract = deploy.address();
    ledger.labels.insert(contract, code.artifact.name.clone());
    ledger.set_balance(contract, plenty());
    let mut outcome = Outcome {
        contract: code.artifact.name.clone(),
        name: name.to_owned(),
        failure: None,
        gas: 0,
        origin: Vec::new(),
        tree: Vec::new(),
        said: Vec::new(),
    };
    let mut tracer = Tracer::default();
    let deployed = library
        .vm
        .deploy_inspected(&mut ledger, &deploy, &mut tracer)?;
    if !succeeded(&deployed.receipt) {
        outcome.fail(
            "the constructor",
            library,
            &ledger,
            &deployed.receipt,
            tracer.into_root(),
        );
        return Ok(outcome);
    }
    let has = |name: &str| {
        code.artifact
            .abi
            .function(name)
            .and_then(|list| list.first())
    };
    let steps = [
        has("setUp").map(|f| ("setUp", f)),
        has(name).map(|f| (name, f)),
    ];
    for (step, function) in steps.into_iter().flatten() {
        if !function.inputs.is_empty() {
            outcome.failure = Some(format!("{step} has parameters; a test has none"));
            return Ok(outcome);
        }
        let request = Call::new(YOU, contract, function.selector().to_vec());
        let request = request.with_gas_limit(args.gas_limit);
        let mut tracer = Tracer::default();
        let vm = &library.vm;
        let receipt = vm.call_in_test(&mut ledger, &request, &mut cheats, &mut tracer)?;
        let root = tracer.into_root();
        label(&mut ledger, &mut cheats, library, root.as_ref());
        let said = ledger.said();
        let show = Show {
            library,
            ledger: &ledger,
        };
        let say = |(who, text)| format!("{} says {text:?}", show.address(&who));
        outcome.said.extend(said.into_iter().map(say));
        outcome.gas = receipt.gas.total();
        let must_fail = step == name && name.starts_with("testFail");
        match (succeeded(&receipt), must_fail) {
            (true, true) => {
                outcome.failure = Some("it returned; a test named testFail… must fail".into());
                outcome.note_tree(&show, root.as_ref(), args);
                return Ok(outcome);
            }
            (false, false) => {
                let what = if step == name { "" } else { step };
                outcome.fail(what, library, &ledger, &receipt, root);
                return Ok(outcome);
            }
            _ if cheats.is_waiting() => {
                outcome.failure = Some("expectRevert: no call came behind it".into());
                return Ok(outcome);
            }
            _ => outcome.note_tree(&show, root.as_ref(), args),
        }
        // What the test set for the block holds for the next transaction, too.
        let block = ledger.block();
        let number = cheats.number.unwrap_or(block.number);
        let time = cheats.time.unwrap_or(block.timestamp);
        ledger.set_block(BlockContext::new(block.chain_id, number).with_timestamp(time));
    }
    Ok(outcome)
}

/// Names the contracts that a transaction called, and what the test named itself.
fn label(ledger: &mut Ledger, cheats: &mut Cheats, library: &Library, root: Option<&Frame>) {
    if let Some(root) = root {
        let mut found = Vec::new();
        root.contracts(&mut found);
        for (address, code) in found {
            if let Some(code) = library.hashed(&code)
                && !ledger.labels.contains_key(&address)
            {
                let name = &code.artifact.name;
                let mut label = name.clone();
                let mut number = 1;
                while ledger.labels.values().any(|taken| *taken == label) {
                    number += 1;
                    label = format!("{name}#{number}");
                }
                ledger.labels.insert(address, label);
            }
        }
    }
    ledger.labels.append(&mut cheats.labels);
}

impl Outcome {
    fn fail(
        &mut self,
        what: &str,
        library: &Library,
        ledger: &Ledger,
        receipt: &Receipt,
        root: Option<Frame>,
    ) {
        let show = Show { library, ledger };
        let own = show.failure(receipt.status, &receipt.output);
        let cause = root.as_ref().and_then(|root| show.cause(root));
        let reason = cause.or(own).unwrap_or_default();
        self.gas = receipt.gas.total();
        self.failure = Some(match what {
            "" => reason,
            what => format!("{what}: {reason}"),
        });
        if let Some(root) = root {
            self.origin = show.origin(&root);
            self.tree = show.tree(&root, false);
        }
    }

    fn note_tree(&mut self, show: &Show<'_>, root: Option<&Frame>, args: &Test) {
        if let (Some(root), true) = (root, args.verbose > 0 || self.failure.is_some()) {
            self.tree = show.tree(root, args.verbose > 1);
        }
    }

    fn json(&self) -> Value {
        json!({
            "contract": self.contract,
            "test": self.name,
            "ok": self.failure.is_none(),
            "reason": self.failure,
            "gas": self.gas,
            "at": self.origin,
            "trace": self.tree,
            "debug": self.said,
        })
    }
}

fn report(outcome: &Outcome, args: &Test, ui: &Ui) {
    if ui.json {
        return;
    }
    let name = &outcome.name;
    match &outcome.failure {
        None => ui.print(format!(
            "  {}    {name}  [{} gas]",
            ui.good("ok"),
            outcome.gas
        )),
        Some(reason) => {
            ui.print(format!(
                "  {}  {name}  [{} gas]  {reason}",
                ui.bad("FAIL"),
                outcome.gas
            ));
            for place in &outcome.origin {
                ui.print(format!("        at {place}"));
            }
        }
    }
    for line in &outcome.said {
        ui.print(format!("        {line}"));
    }
    if outcome.failure.is_some() || args.verbose > 0 {
        for line in &outcome.tree {
            ui.print(format!("        {line}"));
        }
    }
}
