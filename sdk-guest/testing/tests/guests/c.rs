//! The counter in C, which uses the host interface without any binding.

use aivm_sdk::abi::{encode, encode_call};
use aivm_sdk::testing::{Chain, Failure};
use aivm_sdk::{Address, Name};

use super::{ALICE, number};

fn data(signature: &str, arguments: &[u64]) -> Vec<u8> {
    let selector = Name::new(signature).selector();
    match arguments {
        [one] => encode_call(selector, &(*one,)),
        _ => encode_call(selector, &()),
    }
}

#[test]
fn counter_in_c() {
    let mut chain = super::in_vm();
    let counter = chain
        .deploy_raw("counter-c", ALICE, number(0), &[])
        .unwrap();
    let call = |chain: &mut aivm_sdk_testing::InVm, input: &[u8]| {
        chain.call_raw(ALICE, counter, number(0), input)
    };
    assert_eq!(
        call(&mut chain, &data("increment()", &[])),
        Ok(encode(&1u64))
    );
    assert_eq!(
        call(&mut chain, &data("add(uint64)", &[41])),
        Ok(encode(&42u64))
    );
    let count = chain.query_raw(Address::ZERO, counter, &data("count()", &[]));
    assert_eq!(count, Ok(encode(&42u64)));

    // It wraps around nowhere, and says why not.
    let over = call(&mut chain, &data("add(uint64)", &[u64::MAX])).unwrap_err();
    assert_eq!(over.message().as_deref(), Some("overflow"));
    // Malformed call data reverts with nothing.
    let empty = Err(Failure::Reverted(Vec::new()));
    for input in [
        &[][..],
        &[1, 2, 3],
        &[1, 2, 3, 4],
        &data("add(uint64)", &[1])[..35],
        &[&data("add(uint64)", &[])[..], &[1; 32]].concat(),
    ] {
        assert_eq!(call(&mut chain, input), empty);
    }
    let written = chain.query_raw(ALICE, counter, &data("increment()", &[]));
    assert_eq!(written, Err(Failure::Trapped(30)));
    let count = chain.query_raw(Address::ZERO, counter, &data("count()", &[]));
    assert_eq!(count, Ok(encode(&42u64)));
    insta::assert_snapshot!("counter_in_c", super::receipts(&chain));
}
