//! The mini-chain of the examples, and what it refuses.

#[path = "../examples/mini_chain/chain.rs"]
mod chain;
mod common;
#[path = "../examples/mini_chain/transaction.rs"]
mod transaction;
#[path = "../examples/mini_chain/wallet.rs"]
mod wallet;

use aivm::{Address, Status, Vm};
use aivm_abi::Digest;
use aivm_abi::host::crypto::Kem;
use aivm_abi::transaction::{Action, Cipher, Level, Payload, Sealed};
use aivm_crypto::keys::Account;
use chain::{Genesis, Node};
use wallet::{counter, signed, signed_payload};

const INCREMENT: [u8; 4] = [0xd0, 0x9d, 0xe0, 0x8a];

struct Case {
    genesis: Genesis,
    alice: Account,
    node: Node,
    contract: Address,
}

fn node(genesis: &Genesis) -> Node {
    Node::new(Vm::builder().build().unwrap(), genesis).unwrap()
}

/// A node on whose first block the counter was deployed.
fn deployed() -> Case {
    let (wasm, _) = counter().unwrap();
    let code = Digest(aivm::code_hash(&wasm));
    let genesis = Genesis {
        codes: vec![wasm],
        ..Genesis::default()
    };
    let alice = Account::generate(Level::Basic);
    let mut node = node(&genesis);
    let (salt, input) = (None, Vec::new());
    let deploy = Action::Deploy { code, salt, input };
    node.submit(&signed(&alice, 0, deploy).unwrap()).unwrap();
    assert_eq!(node.produce(1).unwrap().transactions.len(), 1);
    let contract = Address::of_salted_contract(&alice.address(), &[0; 32], &code.0);
    Case {
        genesis,
        alice,
        node,
        contract,
    }
}

impl Case {
    fn call(&self, nonce: u64, to: Address) -> Vec<u8> {
        let input = INCREMENT.to_vec();
        signed(&self.alice, nonce, Action::Call { to, input }).unwrap()
    }

    fn increment(&self, nonce: u64) -> Vec<u8> {
        self.call(nonce, self.contract)
    }
}

#[test]
fn another_node_replays_the_blocks_to_the_same_state() {
    let mut case = deployed();
    for nonce in 1..4 {
        let bytes = case.increment(nonce);
        case.node.submit(&bytes).unwrap();
    }
    let block = case.node.produce(2).unwrap();
    assert_eq!((block.height, block.transactions.len()), (2, 3));
    assert_eq!(case.node.receipts.last().unwrap().output[31], 3);
    assert_eq!(case.node.receipts.last().unwrap().status, Status::Return);
    assert_eq!(case.node.nonce(&case.alice.address()), 4);
    assert_eq!(block.parent, case.node.blocks[0].hash());

    let mut other = node(&case.genesis);
    for block in &case.node.blocks {
        other.apply(block).unwrap();
    }
    assert_eq!(other.blocks, case.node.blocks);
}

/// A contract that verifies twelve signatures in each call, none of which holds.
fn verifier() -> Vec<u8> {
    let verify = "(drop (call $crypto.verify (i32.const 0)
        (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 8)))";
    let body = format!("{} {}", verify.repeat(12), common::RETURN_NOTHING);
    common::guest(&["crypto.verify"], &common::call_body(&body))
}

#[test]
fn what_a_full_block_cannot_take_waits_for_the_next() {
    let wasm = verifier();
    let code = Digest(aivm::code_hash(&wasm));
    let genesis = Genesis {
        codes: vec![wasm],
        ..Genesis::default()
    };
    let alice = Account::generate(Level::Basic);
    let mut ours = node(&genesis);
    let (salt, input) = (None, Vec::new());
    let deploy = Action::Deploy { code, salt, input };
    ours.submit(&signed(&alice, 0, deploy).unwrap()).unwrap();
    let to = Address::of_salted_contract(&alice.address(), &[0; 32], &code.0);
    for nonce in 1..9 {
        let input = Vec::new();
        let call = signed(&alice, nonce, Action::Call { to, input }).unwrap();
        ours.submit(&call).unwrap();
    }
    // The deployment and six calls: 1,800,000 of 2,000,000 PQ-Gas. A seventh would need 300,000.
    assert_eq!(ours.produce(1).unwrap().transactions.len(), 7);
    let block = ours.produce(2).unwrap();
    assert_eq!(block.transactions.len(), 2);
    assert_eq!(ours.nonce(&alice.address()), 9);
    let spent = ours.receipts.iter().map(|receipt| receipt.gas.pq);
    assert_eq!(spent.sum::<u64>(), 8 * 300_000);

    let mut other = node(&genesis);
    for block in &ours.blocks {
        other.apply(block).unwrap();
    }
    assert_eq!(other.blocks, ours.blocks);
    // A block that takes more than it may is refused.
    let mut greedy = node(&genesis);
    let mut block = ours.blocks[0].clone();
    block
        .transactions
        .extend(ours.blocks[1].transactions.clone());
    let refused = greedy.apply(&block).unwrap_err().to_string();
    assert_eq!(refused, "block 1 does not do what it says");
}

#[test]
fn a_block_that_lies_is_refused() {
    let mut case = deployed();
    let bytes = case.increment(1);
    case.node.submit(&bytes).unwrap();
    let block = case.node.produce(2).unwrap();
    let refused = |change: &dyn Fn(&mut chain::Block)| {
        let mut other = node(&case.genesis);
        other.apply(&case.node.blocks[0]).unwrap();
        let mut changed = block.clone();
        change(&mut changed);
        let error = other.apply(&changed).unwrap_err().to_string();
        // Nothing of it stays: the true block can still be applied.
        assert_eq!(other.receipts.len(), 1);
        other.apply(&block).unwrap();
        assert_eq!(other.blocks, case.node.blocks);
        error
    };
    let lie = "block 2 does not do what it says";
    assert_eq!(refused(&|block| block.state.0[0] ^= 1), lie);
    assert_eq!(refused(&|block| block.receipts.0[0] ^= 1), lie);
    assert_eq!(refused(&|block| block.parent.0[0] ^= 1), lie);
    // A transaction that its sender did not sign like this.
    let forged = refused(&|block| block.transactions[0].transaction.gas_limit += 1);
    assert_eq!(forged, "the mldsa65 signature does not verify");
    let twice = refused(&|block| block.transactions.push(block.transactions[0].clone()));
    assert_eq!(twice, "nonce 1 was used; the next is 2");
}

#[test]
fn what_a_block_of_another_node_holds_waits_no_longer() {
    let mut case = deployed();
    let mut other = node(&case.genesis);
    other.apply(&case.node.blocks[0]).unwrap();
    let (first, second) = (case.increment(1), case.increment(2));
    case.node.submit(&first).unwrap();
    other.submit(&first).unwrap();
    other.submit(&second).unwrap();
    let block = case.node.produce(2).unwrap();
    other.apply(&block).unwrap();
    // The next nonce is counted from what really waits, and the next block holds that alone.
    other.submit(&case.increment(3)).unwrap();
    let block = other.produce(3).unwrap();
    assert_eq!(block.transactions.len(), 2);
    case.node.apply(&block).unwrap();
    assert_eq!(other.blocks, case.node.blocks);
    // A sender of whom nothing got into a block has left no trace in the state.
    let bob = Account::generate(Level::Basic);
    let (to, input) = (Address([9; 20]), Vec::new());
    let lost = signed(&bob, 0, Action::Call { to, input }).unwrap();
    other.submit(&lost).unwrap();
    let block = other.produce(4).unwrap();
    assert_eq!(block.transactions.len(), 0);
    case.node.apply(&block).unwrap();
}

#[test]
fn the_mempool_refuses_what_no_block_can_hold() {
    let mut case = deployed();
    let refused = |case: &mut Case, bytes: &[u8]| case.node.submit(bytes).unwrap_err().to_string();
    let replay = case.increment(0);
    assert_eq!(
        refused(&mut case, &replay),
        "nonce 0 was used; the next is 1"
    );
    let ahead = case.increment(3);
    assert_eq!(
        refused(&mut case, &ahead),
        "nonce 3 is ahead; the next is 1"
    );
    let mut short = case.increment(1);
    short.pop();
    assert!(
        refused(&mut case, &short).contains("signature"),
        "the place is named"
    );
    // What nobody here can open would otherwise stop the node that makes the next block.
    let sealed = Payload::Sealed(Sealed {
        deploys: false,
        recipient: Digest([1; 32]),
        encapsulations: vec![(Kem::Mlkem768, vec![1; 1_088])],
        cipher: Cipher::ChaCha20Poly1305,
        nonce: [2; 12],
        ciphertext: vec![3; 64],
    });
    let sealed = signed_payload(&case.alice, 1, sealed).unwrap();
    assert_eq!(
        refused(&mut case, &sealed),
        "this chain opens no sealed transactions"
    );
    // To nobody: signed well, but in no block.
    let lost = case.call(1, Address([9; 20]));
    case.node.submit(&lost).unwrap();
    assert_eq!(case.node.produce(2).unwrap().transactions.len(), 0);
    assert_eq!(case.node.nonce(&case.alice.address()), 1);
}
