//! Running contracts: one transaction, its frames, and what host functions do.

mod calls;
mod counting;
mod crypto;
mod frame;
mod gas;
mod hosts;
mod inference;
mod messaging;
mod preview1;
mod session;
mod storage;
mod testing;
mod tx;
mod wasi_ephemeral_nn;
mod wasi_nn;

pub(crate) use counting::Counting;
pub(crate) use frame::{Frame, Message};
pub(crate) use gas::GasLanes;
pub(crate) use inference::{ModelCache, Preparer, model_limits, registration_gas};
pub(crate) use testing::Testing;
pub(crate) use tx::Tx;
