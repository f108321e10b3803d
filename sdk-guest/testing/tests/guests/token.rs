//! The token: strings, nested maps, allowances.

use aivm_sdk::testing::{Chain, Failure};
use aivm_sdk::{Address, U256};
use token::{Approval, TokenCall, TokenError, Transfer};

use super::{ALICE, BOB, CAROL, both, number};

fn deploy<C: Chain>(chain: &mut C, supply: U256) -> Address {
    let construct = TokenCall::construct("Synergy".into(), "SYN".into(), supply);
    chain.deploy("token", ALICE, &construct).unwrap()
}

fn moves<C: Chain>(chain: &mut C) {
    let supply = number(1_000_000);
    let token = deploy(chain, supply);
    let minted = Transfer {
        from: Address::ZERO,
        to: ALICE,
        value: supply,
    };
    assert!(matches!(chain.events(), [event] if event.is(token, &minted)));
    assert_eq!(
        chain.query(token, &TokenCall::name()).as_deref(),
        Ok("Synergy")
    );
    assert_eq!(
        chain.query(token, &TokenCall::symbol()).as_deref(),
        Ok("SYN")
    );
    assert_eq!(chain.query(token, &TokenCall::decimals()), Ok(18));
    assert_eq!(chain.query(token, &TokenCall::total_supply()), Ok(supply));

    assert_eq!(
        chain.call(ALICE, token, &TokenCall::transfer(BOB, number(300))),
        Ok(true)
    );
    let moved = Transfer {
        from: ALICE,
        to: BOB,
        value: number(300),
    };
    assert!(matches!(chain.events(), [event] if event.is(token, &moved)));
    // To oneself: nothing changes.
    assert_eq!(
        chain.call(BOB, token, &TokenCall::transfer(BOB, number(300))),
        Ok(true)
    );
    assert_eq!(
        chain.query(token, &TokenCall::balance_of(BOB)),
        Ok(number(300))
    );

    assert_eq!(
        chain.call(BOB, token, &TokenCall::approve(CAROL, number(120))),
        Ok(true)
    );
    let approved = Approval {
        owner: BOB,
        spender: CAROL,
        value: number(120),
    };
    assert!(matches!(chain.events(), [event] if event.is(token, &approved)));
    let taken = TokenCall::transfer_from(BOB, CAROL, number(100));
    assert_eq!(chain.call(CAROL, token, &taken), Ok(true));
    assert_eq!(
        chain.query(token, &TokenCall::allowance(BOB, CAROL)),
        Ok(number(20))
    );
    // An allowance of 2^256 - 1 has no end.
    assert_eq!(
        chain.call(BOB, token, &TokenCall::approve(CAROL, U256::MAX)),
        Ok(true)
    );
    assert_eq!(chain.call(CAROL, token, &taken), Ok(true));
    assert_eq!(
        chain.query(token, &TokenCall::allowance(BOB, CAROL)),
        Ok(U256::MAX)
    );

    for (who, expected) in [
        (ALICE, 999_700),
        (BOB, 100),
        (CAROL, 200),
        (Address::ZERO, 0),
    ] {
        let balance = chain.query(token, &TokenCall::balance_of(who));
        assert_eq!(balance, Ok(number(expected)), "{who}");
    }
}

#[test]
fn token_moves() {
    both!(moves);
}

fn refuses_transfers<C: Chain>(chain: &mut C) {
    let token = deploy(chain, U256::MAX);
    let too_much = TokenCall::transfer(ALICE, number(1));
    let (owner, balance, needed) = (BOB, number(0), number(1));
    let insufficient = TokenError::InsufficientBalance {
        owner,
        balance,
        needed,
    };
    assert_eq!(
        chain.call(BOB, token, &too_much),
        Err(Failure::of(insufficient))
    );

    let to_nobody = TokenCall::transfer(Address::ZERO, number(0));
    let invalid = Failure::of(TokenError::InvalidReceiver);
    assert_eq!(chain.call(ALICE, token, &to_nobody), Err(invalid));

    assert_eq!(
        chain.call(ALICE, token, &TokenCall::approve(BOB, number(9))),
        Ok(true)
    );
    let (spender, allowance, needed) = (BOB, number(9), number(10));
    let short = TokenError::InsufficientAllowance {
        spender,
        allowance,
        needed,
    };
    let taken = TokenCall::transfer_from(ALICE, BOB, number(10));
    assert_eq!(chain.call(BOB, token, &taken), Err(Failure::of(short)));
    // The allowance suffices, the balance does not: both stay as they were.
    assert_eq!(
        chain.call(CAROL, token, &TokenCall::approve(BOB, number(5))),
        Ok(true)
    );
    let taken = TokenCall::transfer_from(CAROL, BOB, number(5));
    assert!(matches!(
        chain.call(BOB, token, &taken),
        Err(Failure::Reverted(_))
    ));
    assert_eq!(
        chain.query(token, &TokenCall::allowance(CAROL, BOB)),
        Ok(number(5))
    );

    // A string that is not UTF-8, one that lies outside, an address of 21 bytes.
    let empty = Err(Failure::Reverted(Vec::new()));
    let construct = TokenCall::construct("Synergy".into(), "SYN".into(), number(1)).input;
    for (at, byte) in [(96 + 32, 0xff), (31, 0xff), (0, 1)] {
        let mut input = construct.clone();
        input[at] = byte;
        assert_eq!(chain.deploy_raw("token", ALICE, number(0), &input), empty);
    }
    let mut input = TokenCall::balance_of(BOB).input;
    input[4 + 11] = 1;
    let got = chain.query_raw(ALICE, token, &input);
    assert_eq!(got, Err(Failure::Reverted(Vec::new())));
}

#[test]
fn token_refuses() {
    both!(refuses_transfers);
}
