//! The multi-signature wallet: lists, structs in maps, value, calls of other contracts.

use aivm_sdk::abi::encode;
use aivm_sdk::testing::{Chain, Failure};
use aivm_sdk::{Address, Bytes};
use multisig::{Executed, MultisigCall, MultisigError, Submitted};
use token::{TokenCall, TokenError};

use super::{ALICE, BOB, CAROL, both, number};

const MALLORY: Address = Address([0xee; 20]);

fn wallet<C: Chain>(chain: &mut C) -> Address {
    let construct = MultisigCall::construct(vec![ALICE, BOB, CAROL], 2);
    chain.deploy("multisig", ALICE, &construct).unwrap()
}

fn carries_out<C: Chain>(chain: &mut C) {
    chain.fund(ALICE, number(1_000));
    let wallet = wallet(chain);
    let owners = chain.query(wallet, &MultisigCall::owners());
    assert_eq!(owners, Ok(vec![ALICE, BOB, CAROL]));
    let deposit = MultisigCall::deposit().with_value(number(600));
    assert_eq!(chain.call(ALICE, wallet, &deposit), Ok(()));
    assert_eq!(
        (chain.balance(ALICE), chain.balance(wallet)),
        (number(400), number(600))
    );

    // A plain transfer.
    let pay = MultisigCall::submit(MALLORY, number(250), Bytes::default());
    assert_eq!(chain.call(BOB, wallet, &pay), Ok(0));
    let submitted = Submitted {
        id: 0,
        owner: BOB,
        target: MALLORY,
        value: number(250),
        data: Bytes::default(),
    };
    assert!(matches!(chain.events(), [event] if event.is(wallet, &submitted)));
    assert_eq!(chain.call(BOB, wallet, &MultisigCall::confirm(0)), Ok(()));
    let (have, need) = (1, 2);
    let few = Failure::of(MultisigError::TooFew { have, need });
    assert_eq!(chain.call(BOB, wallet, &MultisigCall::execute(0)), Err(few));
    assert_eq!(chain.call(CAROL, wallet, &MultisigCall::confirm(0)), Ok(()));
    assert_eq!(
        chain.call(BOB, wallet, &MultisigCall::execute(0)),
        Ok(Bytes::default())
    );
    assert_eq!(
        (chain.balance(MALLORY), chain.balance(wallet)),
        (number(250), number(350))
    );
    let again = Failure::of(MultisigError::AlreadyExecuted);
    assert_eq!(
        chain.call(BOB, wallet, &MultisigCall::execute(0)),
        Err(again)
    );

    // A call of another contract.
    let construct = TokenCall::construct("T".into(), "T".into(), number(90));
    let token = chain.deploy("token", ALICE, &construct).unwrap();
    assert_eq!(
        chain.call(ALICE, token, &TokenCall::transfer(wallet, number(90))),
        Ok(true)
    );
    let data = Bytes(TokenCall::transfer(BOB, number(40)).input);
    let submit = MultisigCall::submit(token, number(0), data.clone());
    assert_eq!(chain.call(ALICE, wallet, &submit), Ok(1));
    for owner in [ALICE, CAROL] {
        assert_eq!(chain.call(owner, wallet, &MultisigCall::confirm(1)), Ok(()));
    }
    let output = Bytes(encode(&true));
    let executed = chain.call(CAROL, wallet, &MultisigCall::execute(1));
    assert_eq!(executed, Ok(output.clone()));
    let told = Executed { id: 1, output };
    assert!(matches!(chain.events(), [moved, event]
        if moved.contract == token && event.is(wallet, &told)));
    assert_eq!(
        chain.query(token, &TokenCall::balance_of(BOB)),
        Ok(number(40))
    );
    let proposal = chain.query(wallet, &MultisigCall::proposal(1));
    assert_eq!(proposal, Ok((token, number(0), data, 2, true)));
}

#[test]
fn multisig_carries_out() {
    both!(carries_out);
}

fn refuses_proposals<C: Chain>(chain: &mut C) {
    // Owners who are no owners, and thresholds that nobody reaches.
    let bad = Failure::of(MultisigError::BadOwners);
    for (owners, threshold) in [
        (vec![], 0),
        (vec![ALICE], 0),
        (vec![ALICE], 2),
        (vec![ALICE, ALICE], 1),
        (vec![ALICE, Address::ZERO], 1),
    ] {
        let construct = MultisigCall::construct(owners, threshold);
        assert_eq!(
            chain.deploy("multisig", ALICE, &construct),
            Err(bad.clone())
        );
    }
    let wallet = wallet(chain);
    let submit = MultisigCall::submit(BOB, number(5), Bytes::default());
    let outsider = || Failure::of(MultisigError::NotOwner(MALLORY));
    assert_eq!(chain.call(MALLORY, wallet, &submit), Err(outsider()));
    assert_eq!(
        chain.call(MALLORY, wallet, &MultisigCall::confirm(0)),
        Err(outsider())
    );
    let missing = Failure::of(MultisigError::NoProposal(0));
    assert_eq!(
        chain.call(ALICE, wallet, &MultisigCall::confirm(0)),
        Err(missing.clone())
    );
    assert_eq!(
        chain.query(wallet, &MultisigCall::proposal(0)).err(),
        Some(missing)
    );

    assert_eq!(chain.call(ALICE, wallet, &submit), Ok(0));
    let not_confirmed = Failure::of(MultisigError::NotConfirmed);
    assert_eq!(
        chain.call(ALICE, wallet, &MultisigCall::revoke(0)),
        Err(not_confirmed)
    );
    assert_eq!(chain.call(ALICE, wallet, &MultisigCall::confirm(0)), Ok(()));
    let twice = Failure::of(MultisigError::AlreadyConfirmed);
    assert_eq!(
        chain.call(ALICE, wallet, &MultisigCall::confirm(0)),
        Err(twice)
    );
    // An agreement that was taken back does not count.
    assert_eq!(chain.call(ALICE, wallet, &MultisigCall::revoke(0)), Ok(()));
    assert_eq!(chain.call(BOB, wallet, &MultisigCall::confirm(0)), Ok(()));
    let (have, need) = (1, 2);
    let few = Failure::of(MultisigError::TooFew { have, need });
    assert_eq!(chain.call(BOB, wallet, &MultisigCall::execute(0)), Err(few));
    // The wallet has nothing to send; the proposal stays open.
    assert_eq!(chain.call(ALICE, wallet, &MultisigCall::confirm(0)), Ok(()));
    let failed = Failure::of(MultisigError::CallFailed(Bytes::default()));
    assert_eq!(
        chain.call(ALICE, wallet, &MultisigCall::execute(0)),
        Err(failed)
    );
    let open = chain.query(wallet, &MultisigCall::proposal(0)).unwrap();
    assert!(!open.4);

    // The callee's own reason comes through.
    let construct = TokenCall::construct("T".into(), "T".into(), number(1));
    let token = chain.deploy("token", ALICE, &construct).unwrap();
    let data = Bytes(TokenCall::transfer(BOB, number(2)).input);
    let submit = MultisigCall::submit(token, number(0), data);
    assert_eq!(chain.call(ALICE, wallet, &submit), Ok(1));
    for owner in [ALICE, BOB] {
        assert_eq!(chain.call(owner, wallet, &MultisigCall::confirm(1)), Ok(()));
    }
    let reason = Failure::of(TokenError::InsufficientBalance {
        owner: wallet,
        balance: number(0),
        needed: number(2),
    });
    let Failure::Reverted(reason) = reason else {
        panic!("a revert");
    };
    let failed = Failure::of(MultisigError::CallFailed(Bytes(reason)));
    assert_eq!(
        chain.call(BOB, wallet, &MultisigCall::execute(1)),
        Err(failed)
    );
}

#[test]
fn multisig_refuses() {
    both!(refuses_proposals);
}
