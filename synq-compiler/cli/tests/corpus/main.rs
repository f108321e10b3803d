//! What the contracts of the corpus do, and what they refuse.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/keys.rs"]
mod keys;

mod credit;
mod dao;
mod delegation;
mod escrow;
mod gate;
mod multisig;
mod names;
mod nft;
mod oracle;
mod staking;
mod token;
mod treasury;
mod vesting;
