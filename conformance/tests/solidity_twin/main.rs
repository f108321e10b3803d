//! Contracts against their Solidity twins: the same random calls run on the AIVM and, compiled
//! by solc, on revm. Return data, revert data, events and balances must be equal. The vectors of the
//! suite `synq` are replayed on revm in the same way.
//!
//! `TWIN_CALLS` sets the number of calls a contract (default 10,000), `TWIN_SEED` the seed,
//! `TWIN_ONLY` picks a scenario. `TWIN_PROGRAMS` sets the number of random programs.

mod corpus;
mod generator;
mod keys;
mod machines;
mod moves;
mod precompiles;
mod programs;
mod random;
mod scenarios;
mod solc;
mod vectors;
mod world;

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| {
        v.parse().unwrap_or_else(|_| panic!("{name} is a number"))
    })
}
