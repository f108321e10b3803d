//! The chain: transactions, mempool, blocks, state root.

// ANCHOR: types
use std::collections::BTreeMap;
use std::error::Error;

use aivm::{Address, BlockContext, BlockPqGas, Call, Deploy, Host, MemoryHost, Receipt, Vm, Word};
use aivm_abi::Digest;
use aivm_abi::transaction::{Action, Envelope, Expectation, Payload};
use aivm_crypto::envelope::verify;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

pub const CHAIN: u64 = 77;
pub const NETWORK: &str = "mini";

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

/// A node.
pub struct Node {
    pub vm: Vm,
    host: MemoryHost,
    /// Next nonce of each account that ever sent a transaction; part of the state.
    nonces: BTreeMap<Address, u64>,
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
        let (nonces, mempool) = Default::default();
        let (blocks, receipts) = Default::default();
        Ok(Self {
            vm,
            host,
            nonces,
            mempool,
            blocks,
            receipts,
        })
    }
    // ANCHOR_END: genesis

    // ANCHOR: mempool
    /// Next nonce of an account.
    pub fn nonce(&self, account: &Address) -> u64 {
        self.nonces.get(account).copied().unwrap_or(0)
    }

    /// Whether a transaction may be in the block at `height`: chain, nonce, expiry, signature.
    fn check(&self, envelope: &Envelope, height: u64, next_nonce: u64) -> Outcome<()> {
        let expect = Expectation {
            chain_id: CHAIN,
            network: NETWORK,
            height,
            next_nonce,
            schemes: &Expectation::default_schemes(),
        };
        Ok(verify(envelope, &expect)?)
    }

    /// Takes a transaction, as it came over the network, into the mempool.
    pub fn submit(&mut self, bytes: &[u8]) -> Outcome<Digest> {
        let envelope = Envelope::from_canonical_bytes(bytes)?;
        let (from, nonce) = (envelope.transaction.from, envelope.transaction.nonce);
        let waiting = self.mempool.range((from, 0)..=(from, u64::MAX)).count() as u64;
        let height = self.blocks.len() as u64 + 1;
        self.check(&envelope, height, self.nonce(&from) + waiting)?;
        let id = envelope.id();
        self.mempool.insert((from, nonce), envelope);
        Ok(id)
    }
    // ANCHOR_END: mempool

    // ANCHOR: blocks
    /// Makes the next block of everything that waits.
    pub fn produce(&mut self, timestamp: u64) -> Outcome<Block> {
        let transactions = std::mem::take(&mut self.mempool).into_values().collect();
        self.extend(timestamp, transactions, true)
    }

    /// Runs a block that another node made, and refuses it when anything comes out differently.
    pub fn apply(&mut self, block: &Block) -> Outcome<()> {
        let own = self.extend(block.timestamp, block.transactions.clone(), false)?;
        if own != *block {
            return Err(format!("block {} does not do what it says", block.height).into());
        }
        Ok(())
    }

    fn extend(&mut self, timestamp: u64, offered: Vec<Envelope>, choose: bool) -> Outcome<Block> {
        let height = self.blocks.len() as u64 + 1;
        let context = BlockContext::new(CHAIN, height).with_network(NETWORK);
        self.host.set_block(context.with_timestamp(timestamp));
        // Signatures have a lane of their own, limited for the block as a whole.
        let mut pq_gas = self.vm.block_pq_gas(&self.host)?;
        let (mut transactions, mut hashes) = (Vec::new(), Vec::new());
        let mut offered = offered.into_iter();
        while let Some(envelope) = offered.next() {
            let (from, nonce) = (envelope.transaction.from, envelope.transaction.nonce);
            match self.check(&envelope, height, self.nonce(&from)) {
                Ok(()) => {}
                // It expired while it waited, or one before it was left out.
                Err(error) if choose => {
                    eprintln!("left out: {error}");
                    continue;
                }
                Err(error) => return Err(error),
            }
            match self.execute(&envelope, &mut pq_gas) {
                Ok(receipt) => {
                    hashes.extend(receipt.hash().0);
                    self.receipts.push(receipt);
                    *self.nonces.entry(from).or_default() += 1;
                    transactions.push(envelope);
                }
                // The block is full: this one waits for the next, and so do those behind it.
                Err(aivm::Error::BlockFull { .. }) => {
                    self.mempool.insert((from, nonce), envelope);
                    let behind = offered
                        .by_ref()
                        .map(|e| ((e.transaction.from, e.transaction.nonce), e));
                    self.mempool.extend(behind);
                }
                // Every node refuses it, so it is in no block.
                Err(error) if error.is_refusal() => eprintln!("left out: {error}"),
                // This node's own trouble: going on would part it from the others.
                Err(error) => return Err(error.into()),
            }
        }
        let mut state = self.host.state_root()?.unwrap_or_default().to_vec();
        for (account, nonce) in &self.nonces {
            state.extend([&account.0[..], &nonce.to_le_bytes()].concat());
        }
        let block = Block {
            height,
            parent: self.blocks.last().map_or(Digest([0; 32]), Block::hash),
            timestamp,
            transactions,
            receipts: Digest::of("mini-chain receipts", &hashes),
            state: Digest::of("mini-chain state", &state),
        };
        self.blocks.push(block.clone());
        Ok(block)
    }
    // ANCHOR_END: blocks

    // ANCHOR: execute
    fn execute(
        &mut self,
        envelope: &Envelope,
        block: &mut BlockPqGas,
    ) -> Result<Receipt, aivm::Error> {
        let sent = &envelope.transaction;
        match &sent.payload {
            Payload::Open(Action::Deploy { code, salt, input }) => {
                let deploy = Deploy::new(sent.from, code.0, input.as_slice())
                    .with_salt(salt.unwrap_or_default())
                    .with_value(sent.value)
                    .with_gas_limit(sent.gas_limit)
                    .with_tx_hash(envelope.id().0);
                let deployed = self.vm.deploy_in_block(&mut self.host, &deploy, block)?;
                Ok(deployed.receipt)
            }
            Payload::Open(Action::Call { to, input }) => {
                let call = Call::new(sent.from, *to, input.as_slice())
                    .with_value(sent.value)
                    .with_gas_limit(sent.gas_limit)
                    .with_tx_hash(envelope.id().0);
                self.vm.call_in_block(&mut self.host, &call, block)
            }
            // A chain that takes sealed transactions opens them here with its key.
            Payload::Sealed(_) => Err(aivm::Error::Config("this chain opens nothing".into())),
        }
    }
    // ANCHOR_END: execute
}
