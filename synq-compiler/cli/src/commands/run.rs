//! `synqc run` and `synqc trace`

use aivm::{Address, BlockContext, Call, Deploy, Host, Receipt, Word};
use aivm_abi::calldata::{Function, encode_call, parse_call};
use serde_json::{Value, json};

use crate::args::Run;
use crate::error::Error;
use crate::ui::Ui;
use crate::world::show::Show;
use crate::world::trace::{Frame, Tracer};
use crate::world::{Code, Ledger, Library, YOU, constructor_input, plenty};

/// A contract on a chain of its own.
struct Session<'a> {
    library: &'a Library,
    code: &'a Code,
    ledger: Ledger,
    contract: Address,
}

/// What came of a transaction.
struct Done {
    receipt: Receipt,
    root: Option<Frame>,
    function: Option<Function>,
}

pub fn run(args: &Run, ui: &Ui) -> Result<(), Error> {
    let library = library(args, ui)?;
    let (mut session, deployed) = Session::deploy(&library, args)?;
    let mut results = vec![session.json("constructor", &deployed, false)];
    if !ui.json {
        ui.note(format!(
            "{} is at {}",
            session.code.artifact.name, session.contract
        ));
        session.print("constructor", &deployed, ui);
    }
    let mut good = deployed.receipt.status.is_success();
    let last = args.calls.len();
    if good {
        for (number, text) in args.calls.iter().enumerate() {
            let done = session.call(args, text, number + 1 == last)?;
            good &= done.receipt.status.is_success();
            results.push(session.json(text, &done, false));
            if !ui.json {
                session.print(text, &done, ui);
            }
        }
    }
    ui.print_json(&json!({
        "ok": good,
        "contract": session.contract.to_string(),
        "calls": results,
    }));
    if good { Ok(()) } else { Err(Error::Said) }
}

pub fn trace(args: &Run, ui: &Ui) -> Result<(), Error> {
    let library = library(args, ui)?;
    let (mut session, mut done) = Session::deploy(&library, args)?;
    let mut text = "constructor";
    let last = args.calls.len();
    for (number, call) in args.calls.iter().enumerate() {
        if !done.receipt.status.is_success() {
            ui.note(format!("{text} failed; what follows it did not run"));
            break;
        }
        text = call;
        done = session.call(args, call, number + 1 == last)?;
    }
    let good = done.receipt.status.is_success();
    if ui.json {
        ui.print_json(&json!({ "ok": good, "trace": session.json(text, &done, true) }));
    } else {
        if let Some(root) = &done.root {
            for line in session.show().tree(root, true) {
                ui.print(line);
            }
        }
        session.print(text, &done, ui);
    }
    if good { Ok(()) } else { Err(Error::Said) }
}

fn library(args: &Run, ui: &Ui) -> Result<Library, Error> {
    let mut library = Library::new()?;
    library.add(&args.file, &args.chain, false, ui)?;
    Ok(library)
}

impl<'a> Session<'a> {
    fn deploy(library: &'a Library, args: &Run) -> Result<(Self, Done), Error> {
        let code = library.choose(&args.file, args.contract.as_deref())?;
        let mut ledger = Ledger::new(library);
        let from = sender(args)?;
        ledger.set_balance(from, plenty());
        if from != YOU {
            ledger.labels.remove(&YOU);
            ledger.labels.insert(from, "you".into());
        }
        let time = BlockContext::new(31_337, args.block).with_timestamp(args.time);
        ledger.set_block(time);
        let input = constructor_input(code, Some(&args.init))?;
        let mut request = Deploy::new(from, code.hash, input).with_gas_limit(args.gas_limit);
        if args.calls.is_empty() {
            request = request.with_value(value(args)?);
        }
        let contract = request.address();
        ledger.labels.insert(contract, code.artifact.name.clone());
        let mut tracer = Tracer::default();
        let deployed = library
            .vm
            .deploy_inspected(&mut ledger, &request, &mut tracer)?;
        let session = Self {
            library,
            code,
            ledger,
            contract,
        };
        let done = Done {
            receipt: deployed.receipt,
            root: tracer.into_root(),
            function: None,
        };
        Ok((session, done))
    }

    fn call(&mut self, args: &Run, text: &str, last: bool) -> Result<Done, Error> {
        let (function, values) = parse_call(&self.code.artifact.abi, text)?;
        let input = encode_call(function, &values)?;
        let mut request =
            Call::new(sender(args)?, self.contract, input).with_gas_limit(args.gas_limit);
        if last {
            request = request.with_value(value(args)?);
        }
        let mut tracer = Tracer::default();
        let vm = &self.library.vm;
        let receipt = vm.call_inspected(&mut self.ledger, &request, &mut tracer)?;
        Ok(Done {
            receipt,
            root: tracer.into_root(),
            function: Some(function.clone()),
        })
    }

    fn show(&self) -> Show<'_> {
        Show {
            library: self.library,
            ledger: &self.ledger,
        }
    }

    fn events(&self, done: &Done) -> Vec<String> {
        self.show().events(&done.receipt, |address| {
            self.ledger.contract(address).ok().flatten()
        })
    }

    fn print(&self, text: &str, done: &Done, ui: &Ui) {
        let (show, receipt) = (self.show(), &done.receipt);
        let gas = receipt.gas.total();
        match show.failure(receipt.status, &receipt.output) {
            Some(reason) => {
                let cause = done.root.as_ref().and_then(|root| show.cause(root));
                let reason = cause.unwrap_or(reason);
                ui.print(format!(
                    "{text}  {} {reason}  [{gas} gas]",
                    ui.bad("failed:")
                ));
                for place in done.root.iter().flat_map(|root| show.origin(root)) {
                    ui.print(format!("  at {place}"));
                }
            }
            None => {
                let output = match done.function.is_some() {
                    true => show.output(done.function.as_ref(), &receipt.output),
                    false => String::new(),
                };
                let output = if output.is_empty() {
                    output
                } else {
                    format!(" = {output}")
                };
                ui.print(format!("{text}{output}  [{gas} gas]"));
            }
        }
        for event in self.events(done) {
            ui.print(format!("  emits {event}"));
        }
        for (contract, message) in self.ledger.said() {
            ui.print(format!("  {} says {message:?}", show.address(&contract)));
        }
    }

    fn json(&self, text: &str, done: &Done, trace: bool) -> Value {
        let (show, receipt) = (self.show(), &done.receipt);
        let mut value = json!({
            "call": text,
            "status": receipt.status.to_string(),
            "returned": match receipt.status.is_success() {
                true => Some(show.output(done.function.as_ref(), &receipt.output)),
                false => None,
            },
            "reason": show.failure(receipt.status, &receipt.output),
            "at": done.root.as_ref().filter(|_| !receipt.status.is_success()).map(|root| show.origin(root)),
            "output": format!("0x{}", hex::encode(&receipt.output)),
            "gas": receipt.gas.total(),
            "pqGas": receipt.gas.pq,
            "events": self.events(done),
        });
        if let (true, Some(root), Some(object)) = (trace, &done.root, value.as_object_mut()) {
            object.insert("tree".into(), show.tree_json(root));
        }
        value
    }
}

fn sender(args: &Run) -> Result<Address, Error> {
    match &args.from {
        None => Ok(YOU),
        Some(text) => text
            .parse()
            .map_err(|e| Error::Usage(format!("`{text}` is not an address: {e}"))),
    }
}

fn value(args: &Run) -> Result<Word, Error> {
    let amount: Result<alloy_primitives::U256, _> = args.value.replace('_', "").parse();
    match amount {
        Ok(amount) => Ok(Word::from_be_bytes(amount.to_be_bytes())),
        Err(e) => Err(Error::Usage(format!(
            "`{}` is not an amount: {e}",
            args.value
        ))),
    }
}
