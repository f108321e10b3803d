//! The chain: transactions, mempool, blocks, state root.

// ANCHOR: types
use std::collections::{BTreeMap, VecDeque};
use std::error::Error;

use aivm::{Address, BlockContext, Host, MemoryHost, Receipt, Vm, Word};
use aivm_abi::Digest;
use aivm_abi::transaction::Envelope;

use super::transaction::{check, execute};

pub type Outcome<T> = Result<T, Box<dyn Error>>;

pub const CHAIN: u64 = 77;
pub const NETWORK: &str = "mini";
/// Transactions that a node lets wait.
const MEMPOOL: usize = 10_000;

/// What all nodes start from.
#[derive(Clone, Default)]
pub struct Genesis {
    pub codes: Vec<Vec<u8>>,
    pub models: Vec<Vec<u8>>,
    pub balances: Vec<(Address, Word)>,
}

/// A block: its transactions, and hashes of what they did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub height: u64,
    pub parent: Digest,
    pub timestamp: u64,
    pub transactions: Vec<Envelope>,
    pub receipts: Digest,
    pub state: Digest,
}

impl Block {
    /// Hash by which the next block names this one.
    pub fn hash(&self) -> Digest {
        let mut bytes = [self.height.to_le_bytes(), self.timestamp.to_le_bytes()].concat();
        for digest in [&self.parent, &self.receipts, &self.state] {
            bytes.extend(digest.0);
        }
        for envelope in &self.transactions {
            bytes.extend(envelope.id().0);
        }
        Digest::of("mini-chain block", &bytes)
    }
}

/// What transactions change.
#[derive(Clone)]
struct State {
    host: MemoryHost,
    /// Next nonce of each account that ever sent a transaction.
    nonces: BTreeMap<Address, u64>,
}

/// Where a transaction waits.
fn key(envelope: &Envelope) -> (Address, u64) {
    (envelope.transaction.from, envelope.transaction.nonce)
}

/// A block, what it did, and the state behind it.
struct Next(Block, Vec<Receipt>, State);

/// A node.
pub struct Node {
    pub vm: Vm,
    state: State,
    /// Transactions that wait, by sender and nonce: the order in which a block takes them.
    mempool: BTreeMap<(Address, u64), Envelope>,
    pub blocks: Vec<Block>,
    pub receipts: Vec<Receipt>,
}
// ANCHOR_END: types

impl Node {
    // ANCHOR: genesis
    pub fn new(vm: Vm, genesis: &Genesis) -> Outcome<Self> {
        let mut host = MemoryHost::new().with_state_root();
        for wasm in &genesis.codes {
            vm.upload(&mut host, wasm)?;
        }
        for onnx in &genesis.models {
            vm.register_model(&mut host, onnx)?;
        }
        for (address, balance) in &genesis.balances {
            host.set_balance(*address, *balance);
        }
        let nonces = BTreeMap::new();
        Ok(Self {
            vm,
            state: State { host, nonces },
            mempool: BTreeMap::new(),
            blocks: Vec::new(),
            receipts: Vec::new(),
        })
    }
    // ANCHOR_END: genesis

    // ANCHOR: mempool
    /// Next nonce of an account.
    pub fn nonce(&self, account: &Address) -> u64 {
        self.state.nonce(account)
    }

    /// Takes a transaction, as it came over the network, into the mempool.
    pub fn submit(&mut self, bytes: &[u8]) -> Outcome<Digest> {
        let envelope = Envelope::from_canonical_bytes(bytes)?;
        let (from, id) = (envelope.transaction.from, envelope.id());
        if self.mempool.len() >= MEMPOOL {
            return Err("too many transactions wait; send it again later".into());
        }
        let waiting = self.mempool.range((from, 0)..=(from, u64::MAX)).count() as u64;
        let height = self.blocks.len() as u64 + 1;
        check(&envelope, height, self.nonce(&from) + waiting)?;
        self.mempool.insert(key(&envelope), envelope);
        Ok(id)
    }
    // ANCHOR_END: mempool

    // ANCHOR: blocks
    /// Makes the next block of what waits.
    pub fn produce(&mut self, timestamp: u64) -> Outcome<Block> {
        let mut offered = self.mempool.values().cloned().collect();
        let next = self.run(timestamp, &mut offered, true)?;
        self.mempool = offered.into_iter().map(|e| (key(&e), e)).collect();
        Ok(self.accept(next))
    }

    /// Runs a block that another node made. When anything comes out differently, nothing of it stays.
    pub fn apply(&mut self, block: &Block) -> Outcome<()> {
        let mut offered = block.transactions.clone().into();
        let next = self.run(block.timestamp, &mut offered, false)?;
        if next.0 != *block {
            return Err(format!("block {} does not do what it says", block.height).into());
        }
        self.accept(next);
        Ok(())
    }

    fn accept(&mut self, Next(block, receipts, state): Next) -> Block {
        self.state = state;
        self.receipts.extend(receipts);
        self.blocks.push(block.clone());
        let state = &self.state;
        self.mempool
            .retain(|(from, nonce), _| *nonce >= state.nonce(from));
        block
    }

    /// Runs transactions on a copy of the state. A node that chooses leaves out what cannot be in the block, and leaves
    /// in `offered` what has to wait; a node that checks refuses the block.
    fn run(&self, timestamp: u64, offered: &mut VecDeque<Envelope>, choose: bool) -> Outcome<Next> {
        let height = self.blocks.len() as u64 + 1;
        let mut state = self.state.clone();
        let context = BlockContext::new(CHAIN, height).with_network(NETWORK);
        state.host.set_block(context.with_timestamp(timestamp));
        // Signatures have a lane of their own, limited for the block as a whole.
        let mut pq_gas = self.vm.block_pq_gas(&state.host)?;
        let (mut transactions, mut receipts) = (Vec::new(), Vec::<Receipt>::new());
        while let Some(envelope) = offered.pop_front() {
            let from = envelope.transaction.from;
            let nonce = state.nonce(&from);
            let action = match check(&envelope, height, nonce) {
                Ok(action) => action,
                // It expired while it waited, or one before it was left out.
                Err(_) if choose => continue,
                Err(error) => return Err(error),
            };
            match execute(&self.vm, &mut state.host, &envelope, action, &mut pq_gas) {
                Ok(receipt) => {
                    state.nonces.insert(from, nonce + 1);
                    receipts.push(receipt);
                    transactions.push(envelope);
                }
                // The block is full: this one waits for the next, and so do those behind it.
                Err(aivm::Error::BlockFull { .. }) => {
                    offered.push_front(envelope);
                    break;
                }
                // Every node refuses it, so it is in no block.
                Err(error) if error.is_refusal() => eprintln!("left out: {error}"),
                // This node's own trouble: going on would part it from the others.
                Err(error) => return Err(error.into()),
            }
        }
        let hashes: Vec<u8> = receipts.iter().flat_map(|r| r.hash().0).collect();
        let block = Block {
            height,
            parent: self.blocks.last().map_or(Digest([0; 32]), Block::hash),
            timestamp,
            transactions,
            receipts: Digest::of("mini-chain receipts", &hashes),
            state: state.root()?,
        };
        Ok(Next(block, receipts, state))
    }
    // ANCHOR_END: blocks
}

impl State {
    fn nonce(&self, account: &Address) -> u64 {
        self.nonces.get(account).copied().unwrap_or(0)
    }

    fn root(&self) -> Outcome<Digest> {
        let mut bytes = self.host.state_root()?.unwrap_or_default().to_vec();
        for (account, nonce) in &self.nonces {
            bytes.extend([&account.0[..], &nonce.to_le_bytes()].concat());
        }
        Ok(Digest::of("mini-chain state", &bytes))
    }
}
