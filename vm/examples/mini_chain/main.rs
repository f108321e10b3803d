//! A chain in 200 lines of code: signed transactions, a mempool, blocks, a state root, and replay by another node.
//!
//! ```sh
//! cargo run --release --example mini_chain
//! cargo run --release --example mini_chain -- out/Darts.wasm src/darts.onnx 'aim(198, 128)' 'aim(1, 2)'
//! ```
//!
//! Arguments are a contract with its ABI beside it, as `synqc build` writes them, the models that
//! it uses (files that end in `.onnx`), and calls. Without any, a counter counts to three.
//!
//! What a real chain adds: consensus on the next block, a network, fees, and a store that outlives the process
//! (`RedbHost`, or a `Host` of its own).

mod chain;
mod transaction;
mod wallet;

use std::fs::{read, read_to_string};
use std::path::Path;

use aivm::{Address, Receipt, Status, Vm};
use aivm_abi::Digest;
use aivm_abi::calldata::{
    JsonAbi, decode_output, decode_revert, encode_call, format_value, parse_abi, parse_call,
};
use aivm_abi::transaction::{Action, Level};
use aivm_crypto::keys::Account;
use chain::{Genesis, Node, Outcome};
use wallet::{counter, signed};

/// A contract, its models, and what to call.
struct Wish {
    wasm: Vec<u8>,
    abi: JsonAbi,
    models: Vec<Vec<u8>>,
    calls: Vec<String>,
}

impl Wish {
    fn new(arguments: &[String]) -> Outcome<Self> {
        let Some((contract, rest)) = arguments.split_first() else {
            let (wasm, abi) = counter()?;
            return Ok(Self {
                wasm,
                abi,
                models: Vec::new(),
                calls: vec!["increment()".into(); 3],
            });
        };
        let (models, calls): (Vec<_>, Vec<_>) = rest.iter().partition(|a| a.ends_with(".onnx"));
        let file = |path: &Path| format!("cannot read {}", path.display());
        let (wasm, abi) = (
            Path::new(contract),
            Path::new(contract).with_extension("abi.json"),
        );
        Ok(Self {
            wasm: read(wasm).map_err(|e| format!("{}: {e}", file(wasm)))?,
            abi: parse_abi(&read_to_string(&abi).map_err(|e| format!("{}: {e}", file(&abi)))?)?,
            models: models
                .iter()
                .map(|path| read(path).map_err(|e| format!("cannot read {path}: {e}").into()))
                .collect::<Outcome<_>>()?,
            calls: calls.into_iter().cloned().collect(),
        })
    }
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wish = Wish::new(&arguments)?;
    let code = Digest(aivm::code_hash(&wish.wasm));
    let genesis = Genesis {
        codes: vec![wish.wasm],
        models: wish.models,
        balances: Vec::new(),
    };
    let mut node = Node::new(Vm::builder().build()?, &genesis)?;

    // The first block deploys, the second calls.
    let alice = Account::generate(Level::Basic);
    let (salt, input) = (None, Vec::new());
    node.submit(&signed(&alice, 0, Action::Deploy { code, salt, input })?)?;
    node.produce(1_000)?;
    let to = Address::of_salted_contract(&alice.address(), &[0; 32], &code.0);
    let mut last = Vec::new();
    for (text, nonce) in wish.calls.iter().zip(1..) {
        let (function, arguments) = parse_call(&wish.abi, text)?;
        let input = encode_call(function, &arguments)?;
        last = signed(&alice, nonce, Action::Call { to, input })?;
        node.submit(&last)?;
    }
    node.produce(1_012)?;

    for (text, receipt) in wish.calls.iter().zip(node.receipts.iter().skip(1)) {
        println!("{text}: {}", told(&wish.abi, text, receipt)?);
    }
    if let Err(error) = node.submit(&last) {
        println!("sent again: {error}");
    }
    for block in &node.blocks {
        let (hash, state) = (block.hash(), block.state);
        let count = block.transactions.len();
        println!(
            "block {} {hash} with {count} transactions, state {state}",
            block.height
        );
    }

    let mut other = Node::new(Vm::builder().build()?, &genesis)?;
    for block in &node.blocks {
        other.apply(block)?;
    }
    let count = other.blocks.len();
    println!("another node replayed {count} blocks and agrees on every hash");
    Ok(())
}

/// How a call ended, in words.
fn told(abi: &JsonAbi, call: &str, receipt: &Receipt) -> Outcome<String> {
    let ended = match receipt.status {
        Status::Return => {
            let (function, _) = parse_call(abi, call)?;
            let values = decode_output(function, &receipt.output)?;
            let values: Vec<_> = values.iter().map(format_value).collect();
            format!("returned {}", values.join(", "))
        }
        Status::Revert => format!("reverted: {}", decode_revert(Some(abi), &receipt.output)),
        Status::Trap(code) => format!("trapped: {code}"),
    };
    Ok(format!("{ended}  [{} gas]", receipt.gas.total()))
}
