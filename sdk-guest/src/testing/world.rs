//! The chain that native host functions work on.

use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use super::chain::{ArrivedMessage, EventRecord, SentMessage};
use crate::contracts::Reply;
use crate::crypto::{Kem, SignatureScheme};
use crate::{Address, U256, env};

/// Entry points of a contract.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    pub construct: fn(&[u8]) -> Reply,
    pub call: fn(&[u8]) -> Reply,
}

/// What calls change.
#[derive(Clone, Default, Debug)]
pub(crate) struct State {
    pub storage: BTreeMap<Address, BTreeMap<Vec<u8>, Vec<u8>>>,
    pub balances: BTreeMap<Address, U256>,
    pub contracts: BTreeMap<Address, Code>,
    pub events: Vec<EventRecord>,
    pub outbox: Vec<SentMessage>,
    /// Messages sent so far, by sender and chain.
    pub sent: BTreeMap<(Address, u64), u64>,
    /// Identifiers of messages that are not to be had again.
    pub consumed: BTreeSet<[u8; 32]>,
}

impl State {
    /// Moves native value; false when the balance does not suffice.
    pub fn transfer(&mut self, from: Address, to: Address, amount: U256) -> bool {
        let held = self.balances.get(&from).copied().unwrap_or_default();
        let Some(left) = held.checked_sub(amount) else {
            return false;
        };
        self.balances.insert(from, left);
        let got = self.balances.entry(to).or_default();
        *got = got.wrapping_add(amount);
        true
    }
}

/// A running contract.
#[derive(Debug)]
pub(crate) struct Frame {
    pub this: Address,
    pub caller: Address,
    pub value: U256,
    pub read_only: bool,
    pub reentrant: bool,
    pub checkpoints: Vec<State>,
}

/// Answers of an extension.
pub(crate) type Extension = Box<dyn Fn(&[u8]) -> Reply>;
/// Answers whether a signature is right: scheme, key, message, signature.
pub(crate) type Verifier = Rc<dyn Fn(SignatureScheme, &[u8], &[u8], &[u8]) -> bool>;
/// Opens a shared secret: mechanism, secret key, ciphertext.
pub(crate) type Decapsulator = Rc<dyn Fn(Kem, &[u8], &[u8]) -> Option<Vec<u8>>>;

/// All of it.
#[derive(Default)]
pub(crate) struct World {
    pub state: State,
    pub frames: Vec<Frame>,
    pub origin: Address,
    pub block_number: u64,
    pub block_timestamp: u64,
    pub chain_id: u64,
    pub inbox: BTreeMap<[u8; 32], ArrivedMessage>,
    pub extensions: BTreeMap<String, Extension>,
    pub verifier: Option<Verifier>,
    pub decapsulator: Option<Decapsulator>,
    #[cfg(feature = "nn")]
    pub models: BTreeMap<[u8; 32], aivm_nn::Model>,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Works on the world of the call that runs on this thread.
#[track_caller]
pub(crate) fn with<T>(work: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(|world| match world {
        Some(world) => work(world),
        None => panic!("host functions work only inside a call: use `testing::Native`"),
    })
}

/// Works on the running contract.
#[track_caller]
pub(crate) fn frame<T>(work: impl FnOnce(&mut Frame) -> T) -> T {
    with(|world| match world.frames.last_mut() {
        Some(frame) => work(frame),
        None => panic!("host functions work only inside a call: use `testing::Native`"),
    })
}

/// Puts a world in place for the time of `work`.
pub(crate) fn during<T>(world: &mut World, work: impl FnOnce() -> T) -> T {
    WORLD.set(Some(std::mem::take(world)));
    let result = work();
    *world = WORLD.take().unwrap_or_default();
    result
}

/// How a contract was ended by the host.
pub(crate) enum Ended {
    Revert(Vec<u8>),
    Trap(u32),
}

/// Ends the running contract.
pub(crate) fn end(how: Ended) -> ! {
    resume_unwind(Box::new(how))
}

/// Ends the running contract with a trap.
pub(crate) fn trap(code: u32) -> ! {
    end(Ended::Trap(code))
}

/// Runs an entry point in a new frame; undoes its effects unless it returns.
pub(crate) fn run(entry: fn(&[u8]) -> Reply, new: Frame, input: &[u8]) -> Result<Vec<u8>, Ended> {
    let before = with(|world| {
        world.frames.push(new);
        world.state.clone()
    });
    let result = match catch_unwind(AssertUnwindSafe(|| entry(input))) {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(data)) => Err(Ended::Revert(data)),
        Err(payload) => Err(ended(payload)),
    };
    with(|world| {
        world.frames.pop();
        if result.is_err() {
            world.state = before;
        }
    });
    result
}

/// A panic of the contract is a revert with its message, as in Wasm.
fn ended(payload: Box<dyn Any + Send>) -> Ended {
    let payload = match payload.downcast::<Ended>() {
        Ok(ended) => return *ended,
        Err(payload) => payload,
    };
    let text = match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "panic",
    };
    Ended::Revert(env::error_string(text))
}
