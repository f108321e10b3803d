//! The counter: constructor, views, events, custom errors, panics.

use aivm_sdk::testing::{Chain, Failure};
use aivm_sdk::{Address, Event};
use counter::{Counted, CounterCall, CounterError};

use super::{ALICE, BOB, both, number};

fn counts<C: Chain>(chain: &mut C) {
    let counter = chain
        .deploy("counter", ALICE, &CounterCall::construct(7))
        .unwrap();
    assert_eq!(chain.query(counter, &CounterCall::count()), Ok(7));
    assert_eq!(chain.call(BOB, counter, &CounterCall::increment()), Ok(8));
    let told = Counted { by: BOB, count: 8 };
    assert!(matches!(chain.events(), [event] if event.is(counter, &told)));
    assert_eq!(Counted::SIGNATURE, "Counted(address,uint64)");
    assert_eq!(chain.call(ALICE, counter, &CounterCall::reset(3)), Ok(()));
    assert_eq!(chain.query(counter, &CounterCall::count()), Ok(3));
}

#[test]
fn counter_counts() {
    both!(counts);
}

fn empty<T>() -> Result<T, Failure> {
    Err(Failure::Reverted(Vec::new()))
}

fn refuses<C: Chain>(chain: &mut C) {
    let counter = chain
        .deploy("counter", ALICE, &CounterCall::construct(u64::MAX))
        .unwrap();
    // A custom error, with the caller in it.
    let not_owner = Failure::of(CounterError::NotOwner { caller: BOB });
    assert_eq!(
        chain.call(BOB, counter, &CounterCall::reset(0)),
        Err(not_owner)
    );
    // Panics carry their message: Rust's own, and the contract's.
    let overflow = chain
        .call(BOB, counter, &CounterCall::increment())
        .unwrap_err();
    assert_eq!(
        overflow.message().as_deref(),
        Some("attempt to add with overflow")
    );
    assert_eq!(chain.call(ALICE, counter, &CounterCall::reset(5)), Ok(()));
    let ahead = chain
        .call(ALICE, counter, &CounterCall::reset(6))
        .unwrap_err();
    assert_eq!(
        ahead.message().as_deref(),
        Some("the counter only goes back")
    );
    assert!(chain.events().is_empty());

    // What solc's code refuses with no data.
    let raw = |input: &[u8], chain: &mut C| chain.call_raw(BOB, counter, number(0), input);
    assert_eq!(raw(&[], chain), empty(), "no selector");
    assert_eq!(raw(&[1, 2, 3], chain), empty(), "half a selector");
    assert_eq!(raw(&[1, 2, 3, 4], chain), empty(), "no such function");
    let mut reset = CounterCall::reset(1).input;
    assert_eq!(raw(&reset[..35], chain), empty(), "short arguments");
    reset[4] = 1;
    assert_eq!(raw(&reset, chain), empty(), "more than 64 bits");
    assert_eq!(
        chain.deploy_raw("counter", ALICE, number(0), &[0; 31]),
        empty()
    );

    // Not payable.
    chain.fund(BOB, number(10));
    let paid = CounterCall::increment().with_value(number(1));
    assert_eq!(chain.call(BOB, counter, &paid), empty());
    assert_eq!(chain.balance(BOB), number(10));
    // A write in a query is stopped by the sandbox.
    let written = chain.query_raw(Address::ZERO, counter, &CounterCall::reset(1).input);
    assert!(written.is_err());
    let written = chain.query_raw(ALICE, counter, &CounterCall::reset(1).input);
    assert_eq!(written, Err(Failure::Trapped(30)));
    assert_eq!(chain.query(counter, &CounterCall::count()), Ok(5));
}

#[test]
fn counter_refuses() {
    both!(refuses);
}

/// The caller of a contract that panics gets its unused gas back.
#[test]
fn panics_do_not_take_all_gas() {
    let mut chain = super::in_vm();
    let counter = chain
        .deploy("counter", ALICE, &CounterCall::construct(u64::MAX))
        .unwrap();
    chain
        .call(BOB, counter, &CounterCall::increment())
        .unwrap_err();
    let receipt = chain.receipts().last().unwrap();
    assert!(
        receipt.gas.total() < 500_000,
        "{} of 100 million",
        receipt.gas.total()
    );
}
