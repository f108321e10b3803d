//! The bridge: messages with typed payloads, and addresses of keys.

use aivm_abi::host::crypto::SignatureScheme as Theirs;
use aivm_sdk::abi::encode;
use aivm_sdk::crypto::SignatureScheme;
use aivm_sdk::messages::{MAX_PAYLOAD, Remote};
use aivm_sdk::testing::{ArrivedMessage, Chain, Failure, SentMessage};
use aivm_sdk::{Address, Bytes, U256};
use bridge::{BridgeCall, BridgeError, Deposited, Released, Transfer};

use super::{ALICE, BOB, CAROL, both, number};

const THERE: u64 = 5;
const PARTNER: Address = Address([0x9a; 20]);

/// Numbers of traps, as receipts have them.
const WRITE_IN_QUERY: u32 = 30;

fn partner() -> Remote {
    Remote::contract(THERE, PARTNER)
}

fn transfer(to: Address, amount: u64) -> Transfer {
    Transfer {
        to,
        amount: number(amount),
        note: Bytes(b"rent".to_vec()),
    }
}

fn deploy<C: Chain>(chain: &mut C, there: u64, partner: &[u8]) -> Address {
    let construct = BridgeCall::construct(there, Bytes::from(partner));
    chain.deploy("bridge", ALICE, &construct).unwrap()
}

fn deposit<C: Chain>(chain: &mut C, bridge: Address, amount: u64) -> Result<u64, Failure> {
    let Transfer { to, amount, note } = transfer(BOB, amount);
    let call = BridgeCall::deposit(to, note).with_value(amount);
    chain.call(ALICE, bridge, &call)
}

fn crosses<C: Chain>(chain: &mut C) {
    chain.fund(ALICE, number(1_000));
    let bridge = deploy(chain, THERE, &PARTNER.0);
    let other = deploy(chain, THERE + 1, &PARTNER.0);
    // Numbers count for each contract and each chain.
    for (from, there, sequence) in [
        (bridge, THERE, 0),
        (bridge, THERE, 1),
        (other, THERE + 1, 0),
    ] {
        assert_eq!(deposit(chain, from, 70), Ok(sequence));
        let sent = SentMessage {
            contract: from,
            destination: there,
            sequence,
            recipient: PARTNER.0.to_vec(),
            payload: encode(&transfer(BOB, 70)),
        };
        assert_eq!(chain.outbox(), [sent]);
        assert_eq!(chain.outbox()[0].payload(), Ok(transfer(BOB, 70)));
        let told = Deposited {
            number: sequence,
            to: BOB,
            amount: number(70),
        };
        assert!(matches!(chain.events(), [event] if event.is(from, &told)));
    }
    // For a key: the address that the chain's own library derives.
    let key = [1, 2, 3];
    let call = BridgeCall::deposit_for_key(Bytes::from(&key[..])).with_value(number(1));
    assert_eq!(chain.call(ALICE, bridge, &call), Ok(2));
    let sent: Transfer = chain.outbox()[0].payload().unwrap();
    let account = aivm_abi::Address::from_public_key("mldsa65", &key);
    assert_eq!((sent.to.0, sent.amount), (account.0, number(1)));
    assert_eq!(
        chain
            .query(bridge, &BridgeCall::pending([7; 32].into()))
            .err(),
        Some(Failure::of(BridgeError::NoMessage))
    );
    assert!(chain.outbox().is_empty(), "a query sends nothing");

    // The way back.
    let id = [0x1d; 32];
    let back = transfer(CAROL, 60);
    chain.deliver(id, ArrivedMessage::new(&partner(), bridge, &back));
    assert_eq!(
        chain.query(bridge, &BridgeCall::pending(id.into())),
        Ok(back)
    );
    assert_eq!(
        chain.call(BOB, bridge, &BridgeCall::release(id.into())),
        Ok(())
    );
    let told = Released {
        id: id.into(),
        to: CAROL,
        amount: number(60),
    };
    assert!(matches!(chain.events(), [event] if event.is(bridge, &told)));
    assert!(chain.outbox().is_empty());
    assert_eq!(
        (chain.balance(CAROL), chain.balance(bridge)),
        (number(60), number(81))
    );
}

#[test]
fn bridge_crosses() {
    both!(crosses);
}

fn refuses_messages<C: Chain>(chain: &mut C) {
    chain.fund(ALICE, number(1_000));
    let bridge = deploy(chain, THERE, &PARTNER.0);
    let release = |chain: &mut C, id: [u8; 32]| {
        let released = chain.call(BOB, bridge, &BridgeCall::release(id.into()));
        // Looking gives the same reason.
        let seen = chain.query(bridge, &BridgeCall::pending(id.into()));
        if released.is_err() && released != Err(Failure::of(BridgeError::Short)) {
            assert_eq!(seen.err(), released.clone().err());
        }
        released
    };
    let refused = |why: BridgeError| Err(Failure::of(why));
    // Unknown, and for somebody else.
    assert_eq!(release(chain, [1; 32]), refused(BridgeError::NoMessage));
    let other = deploy(chain, THERE, &PARTNER.0);
    let coins = transfer(CAROL, 5);
    chain.deliver([1; 32], ArrivedMessage::new(&partner(), other, &coins));
    assert_eq!(release(chain, [1; 32]), refused(BridgeError::NoMessage));

    // Sent to another chain.
    let mut elsewhere = ArrivedMessage::new(&partner(), bridge, &coins);
    elsewhere.destination += 1;
    chain.deliver([3; 32], elsewhere);
    assert_eq!(release(chain, [3; 32]), refused(BridgeError::NoMessage));

    // From a stranger: another chain, another address, one that is longer.
    let long = [&PARTNER.0[..], &[0]].concat();
    let strangers = [
        Remote::contract(THERE + 1, PARTNER),
        Remote::contract(THERE, BOB),
        Remote::new(THERE, long),
        Remote::new(THERE, []),
    ];
    for (i, from) in strangers.into_iter().enumerate() {
        let id = [0x20 + i as u8; 32];
        chain.deliver(id, ArrivedMessage::new(&from, bridge, &coins));
        let stranger = BridgeError::Stranger {
            chain: from.chain,
            sender: Bytes(from.address),
        };
        assert_eq!(release(chain, id), refused(stranger));
    }

    // What is no transfer: nothing, cut short, a word that is no address, an offset that leads away.
    let whole = encode(&coins);
    let damaged = |at: usize| {
        let mut payload = whole.clone();
        payload[at] = 0xff;
        payload
    };
    for (i, payload) in [Vec::new(), whole[..130].to_vec(), damaged(32), damaged(30)]
        .into_iter()
        .enumerate()
    {
        let id = [0x30 + i as u8; 32];
        let mut message = ArrivedMessage::new(&partner(), bridge, &coins);
        message.payload = payload;
        chain.deliver(id, message);
        assert_eq!(release(chain, id), refused(BridgeError::NoTransfer), "{i}");
    }

    // What is undone was not consumed: there is nothing to release yet.
    let id = [2; 32];
    chain.deliver(id, ArrivedMessage::new(&partner(), bridge, &coins));
    assert_eq!(release(chain, id), refused(BridgeError::Short));
    assert_eq!(deposit(chain, bridge, 5), Ok(0));
    // A query may look but not take.
    let taken = chain.query_raw(BOB, bridge, &BridgeCall::release(id.into()).input);
    assert_eq!(taken, Err(Failure::Trapped(WRITE_IN_QUERY)));
    assert_eq!(release(chain, id), Ok(()));
    assert_eq!(
        release(chain, id),
        refused(BridgeError::AlreadyReleased),
        "once"
    );
}

#[test]
fn bridge_refuses_messages() {
    both!(refuses_messages);
}

fn refuses_to_send<C: Chain>(chain: &mut C) {
    chain.fund(ALICE, number(1_000));
    // Recipients of no byte and of 65 bytes; of 64 it goes.
    for (length, sent) in [(0, false), (64, true), (65, false)] {
        let bridge = deploy(chain, THERE, &vec![7; length]);
        let expected = match sent {
            true => Ok(0),
            false => Err(Failure::of(BridgeError::BadPartner)),
        };
        assert_eq!(deposit(chain, bridge, 3), expected, "{length} bytes");
        assert_eq!(chain.outbox().len(), usize::from(sent));
        assert_eq!(chain.balance(bridge), number(if sent { 3 } else { 0 }));
    }
    // The longest payload is all but 160 bytes note: offsets, address, amount and length.
    let bridge = deploy(chain, THERE, &PARTNER.0);
    for (length, expected) in [
        (MAX_PAYLOAD - 160, Ok(0)),
        (
            MAX_PAYLOAD - 159,
            Err(Failure::of(BridgeError::NoteTooLong)),
        ),
    ] {
        let call = BridgeCall::deposit(BOB, Bytes(vec![1; length]));
        assert_eq!(chain.call(ALICE, bridge, &call), expected);
    }
    // Nothing leaves in a query, and what was refused has no number.
    let query = chain.query_raw(
        ALICE,
        bridge,
        &BridgeCall::deposit(BOB, Bytes::default()).input,
    );
    assert_eq!(query, Err(Failure::Trapped(WRITE_IN_QUERY)));
    assert_eq!(deposit(chain, bridge, 0), Ok(1));
    let sent: Transfer = chain.outbox()[0].payload().unwrap();
    assert_eq!(sent.amount, U256::ZERO);
}

#[test]
fn bridge_refuses_to_send() {
    both!(refuses_to_send);
}

/// The names that the harness hashes are those of the chain.
#[test]
fn keys_of_every_scheme_have_the_address_of_the_chain() {
    use SignatureScheme::{
        Fndsa512, Fndsa1024, Mldsa44, Mldsa65, Mldsa87, Slhdsa128s, Slhdsa192s, Slhdsa256s,
    };
    let schemes = [
        Mldsa44, Mldsa65, Mldsa87, Fndsa512, Fndsa1024, Slhdsa128s, Slhdsa192s, Slhdsa256s,
    ];
    for key in [&[][..], &[7], &[1; 1952]] {
        let mut indices = 0..;
        let names = std::iter::from_fn(|| Theirs::from_index(indices.next()?));
        let theirs = names.map(|scheme| aivm_abi::Address::from_public_key(scheme.name(), key).0);
        let ours = schemes.map(|scheme| Address::of_key(scheme, key).0);
        assert_eq!(theirs.collect::<Vec<_>>(), ours);
    }
}
