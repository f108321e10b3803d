//! The test of docs/rust-contracts.md.

use aivm_sdk::prelude::*;
use aivm_sdk::testing::{Chain, Failure, Native};
use aivm_sdk_testing::InVm;
use counter::{Counter, CounterCall, CounterError};

const ALICE: Address = Address([0xa1; 20]);
const BOB: Address = Address([0xb0; 20]);

fn only_the_owner_resets<C: Chain>(chain: &mut C) {
    let counter = chain
        .deploy("counter", ALICE, &CounterCall::construct(7))
        .unwrap();
    assert_eq!(chain.call(BOB, counter, &CounterCall::increment()), Ok(8));
    let refused = Failure::of(CounterError::NotOwner { caller: BOB });
    assert_eq!(
        chain.call(BOB, counter, &CounterCall::reset(0)),
        Err(refused)
    );
    assert_eq!(chain.query(counter, &CounterCall::count()), Ok(8));
}

#[test]
fn natively() {
    only_the_owner_resets(&mut Native::new().with_contract::<Counter>("counter"));
}

#[test]
fn in_the_vm() {
    let wasm = std::fs::read("../examples/fixtures/counter.wasm").unwrap();
    only_the_owner_resets(&mut InVm::new().unwrap().with_contract("counter", wasm));
}
