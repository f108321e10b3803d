//! A chain in one file: signed transactions, a mempool, blocks, a state root, and replay by another node.
//!
//! ```sh
//! cargo run --release --example mini_chain
//! ```
//!
//! What a real chain adds: consensus on the next block, a network, fees, and a store that outlives the process
//! (`RedbHost`, or a `Host` of its own).

mod chain;

use aivm::Address;
use aivm_abi::Digest;
use aivm_abi::transaction::{Action, Level};
use aivm_crypto::keys::Account;
use chain::{Genesis, Node, Outcome, counter, signed};

fn main() -> Outcome<()> {
    let wasm = counter()?;
    let code = Digest(aivm::code_hash(&wasm));
    let genesis = Genesis {
        codes: vec![wasm],
        balances: Vec::new(),
    };
    let (alice, bob) = (
        Account::generate(Level::Basic),
        Account::generate(Level::Basic),
    );
    let mut node = Node::new(&genesis)?;

    let (salt, input) = (None, Vec::new());
    node.submit(&signed(&alice, 0, Action::Deploy { code, salt, input })?)?;
    node.produce(1_000)?;
    let to = Address::of_salted_contract(&alice.address(), &[0; 32], &code.0);
    let increment = || Action::Call {
        to,
        input: vec![0xd0, 0x9d, 0xe0, 0x8a],
    };
    node.submit(&signed(&bob, 0, increment())?)?;
    node.submit(&signed(&alice, 1, increment())?)?;
    node.submit(&signed(&bob, 1, increment())?)?;
    node.produce(1_012)?;
    if let Err(error) = node.submit(&signed(&bob, 1, increment())?) {
        println!("a replay is refused: {error}");
    }
    for block in &node.blocks {
        let count = block.transactions.len();
        println!(
            "block {} {} with {count} transactions, state {}",
            block.height,
            block.hash(),
            block.state
        );
    }
    let last = node.receipts.last().ok_or("no receipt")?;
    println!(
        "the counter stands at {}",
        last.output.last().copied().unwrap_or_default()
    );

    let mut other = Node::new(&genesis)?;
    for block in &node.blocks {
        other.apply(block)?;
    }
    println!(
        "another node replayed {} blocks and agrees on every hash",
        other.blocks.len()
    );
    Ok(())
}
