//! Calls that have a chance: each scenario's moves read the state and change random
//! arguments into ones that fit it. What they leave alone stays random.

use alloy_dyn_abi::DynSolValue;
use alloy_json_abi::Function;
use alloy_primitives::{I256, U256};

use crate::random::Values;
use crate::world::{ACCOUNTS, Contract, World};

/// A call about to be made.
pub struct Shot {
    /// Number of the account.
    pub from: usize,
    pub value: u64,
    pub arguments: Vec<DynSolValue>,
}

/// Makes a random call one that has a chance.
pub type Move = fn(&World, &mut Values, &Contract, &Function, &mut Shot);

fn uint(n: u64) -> DynSolValue {
    DynSolValue::Uint(U256::from(n), 256)
}

fn sized(n: u64, bits: usize) -> DynSolValue {
    DynSolValue::Uint(U256::from(n), bits)
}

fn bytes(b: &[u8]) -> DynSolValue {
    DynSolValue::Bytes(b.to_vec())
}

fn text(t: impl Into<String>) -> DynSolValue {
    DynSolValue::String(t.into())
}

fn account(number: usize) -> DynSolValue {
    DynSolValue::Address([0xa1 + number as u8; 20].into())
}

/// The account's number, when it is one.
fn who(value: Option<&DynSolValue>) -> Option<usize> {
    let address = value?.as_address()?;
    (0..ACCOUNTS.len()).find(|n| address.0 == [0xa1 + *n as u8; 20])
}

fn number(value: Option<&DynSolValue>) -> u64 {
    let (n, _) = value.and_then(DynSolValue::as_uint).unwrap_or_default();
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn flag(value: Option<&DynSolValue>) -> bool {
    value.and_then(DynSolValue::as_bool).unwrap_or(false)
}

fn blob(value: Option<&DynSolValue>) -> Vec<u8> {
    let bytes = value.and_then(DynSolValue::as_bytes);
    bytes.map_or(Vec::new(), <[u8]>::to_vec)
}

fn encode(values: Vec<DynSolValue>) -> Vec<u8> {
    DynSolValue::Tuple(values).abi_encode_params()
}

/// A number below `count` that a test likes, looked for from a random one on; else any.
fn find(v: &mut Values, count: u64, mut good: impl FnMut(u64) -> bool) -> u64 {
    let first = v.random.below(count as usize) as u64;
    let mut numbers = (first..count).chain(0..first).take(24);
    numbers.find(|n| good(*n)).unwrap_or(first)
}

pub fn token(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    let small = uint(v.random.below(60) as u64);
    let to = account(v.random.below(6));
    let order = |kind: &str, arguments: Vec<DynSolValue>| {
        let message = w.view(c, "orderMessage", &[text(kind), bytes(&encode(arguments))]);
        blob(message.first())
    };
    let signed = |message: &[u8]| {
        let key = blob(w.view(c, "governanceKey", &[]).first());
        bytes(&w.keys.sign_mldsa(&key, message))
    };
    match f.name.as_str() {
        "transfer" | "approve" => s.arguments = vec![to, small],
        "burn" => s.arguments = vec![small],
        "transferFrom" => {
            let me = account(s.from);
            let owner = find(v, 6, |n| {
                number(
                    w.view(c, "allowance", &[account(n as usize), me.clone()])
                        .first(),
                ) > 0
            });
            let owner = account(owner as usize);
            let left = w.view(c, "allowance", &[owner.clone(), me]);
            let amount = v.random.below(1 + number(left.first()).min(50) as usize);
            s.arguments = vec![owner, to, uint(amount as u64)];
        }
        "batchTransfer" => {
            let count = 1 + v.random.below(4);
            let list = (0..count).map(|_| account(v.random.below(6))).collect();
            s.arguments[0] = DynSolValue::Array(list);
            s.arguments[1] = match &s.arguments[1] {
                DynSolValue::Array(_) => {
                    DynSolValue::Array((0..count).map(|_| uint(v.random.below(9) as u64)).collect())
                }
                _ => uint(v.random.below(9) as u64),
            };
        }
        "mint" => {
            let message = order("mint", vec![to.clone(), small.clone()]);
            s.arguments = vec![to, small, signed(&message)];
        }
        "setFrozen" => {
            let on = DynSolValue::Bool(v.random.one_in(4));
            let message = order("freeze", vec![to.clone(), on.clone()]);
            s.arguments = vec![to, on, signed(&message)];
        }
        "setPaused" => {
            let paused = flag(w.view(c, "paused", &[]).first());
            if !paused && !v.random.one_in(3) {
                return;
            }
            let on = DynSolValue::Bool(!paused);
            s.arguments = vec![on.clone(), signed(&order("pause", vec![on]))];
        }
        "rotateKey" => {
            let next = v.random.pick(&w.keys.mldsa);
            let message = order("rotate", vec![bytes(&next.public)]);
            s.arguments = vec![
                bytes(&next.public),
                signed(&message),
                bytes(&next.sign(&message)),
            ];
        }
        _ => {}
    }
}

pub fn multisig(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    if c.kind != "MultisigWallet" {
        return token(w, v, c, f, s);
    }
    let count = number(w.view(c, "proposalCount", &[]).first());
    let owners = number(w.view(c, "ownerCount", &[]).first());
    let pick_owner = |v: &mut Values| {
        let at = v.random.below(owners as usize) as u64;
        who(w.view(c, "owners", &[uint(at)]).first()).unwrap_or(0)
    };
    // (target, value, data, have, executed, cancelled)
    let open = |id: u64| {
        let p = w.view(c, "proposal", &[uint(id)]);
        !flag(p.get(4)) && !flag(p.get(5))
    };
    let confirmed =
        |id: u64, who: usize| flag(w.view(c, "confirmed", &[uint(id), account(who)]).first());
    match f.name.as_str() {
        "propose" => {
            s.from = pick_owner(v);
            let to = account(v.random.below(6));
            let amount = v.random.below(20) as u64;
            s.arguments = match v.random.below(3) {
                0 => vec![to, uint(amount), bytes(&[])],
                1 => {
                    let token = w.contract("token");
                    let call = token.abi.function("transfer").expect("it has one");
                    let arguments = [to, uint(amount)];
                    let data = aivm_abi::calldata::encode_call(&call[0], &arguments);
                    vec![
                        DynSolValue::Address(token.at.0.into()),
                        uint(0),
                        bytes(&data.expect("it fits")),
                    ]
                }
                _ => {
                    // Wallet orders: kind, account, key, threshold.
                    let key = v.random.pick(&w.keys.mldsa).public.clone();
                    let data = encode(vec![
                        sized(1 + v.random.below(4) as u64, 8),
                        to,
                        bytes(&key),
                        sized(v.random.below(3) as u64, 32),
                    ]);
                    vec![DynSolValue::Address(c.at.0.into()), uint(0), bytes(&data)]
                }
            };
        }
        "confirm" => {
            s.from = pick_owner(v);
            let id = find(v, count, |id| open(id) && !confirmed(id, s.from));
            s.arguments = vec![uint(id)];
        }
        "confirmSigned" => {
            let owner = pick_owner(v);
            let id = find(v, count, |id| open(id) && !confirmed(id, owner));
            let message = blob(
                w.view(c, "confirmMessage", &[uint(id), account(owner)])
                    .first(),
            );
            let key = blob(w.view(c, "keyOf", &[account(owner)]).first());
            let signature = w.keys.sign_mldsa(&key, &message);
            s.arguments = vec![uint(id), account(owner), bytes(&signature)];
        }
        "withdraw" => {
            s.from = pick_owner(v);
            let id = find(v, count, |id| open(id) && confirmed(id, s.from));
            s.arguments = vec![uint(id)];
        }
        "cancel" if v.random.one_in(2) => {
            s.from = pick_owner(v);
            s.arguments = vec![uint(find(v, count, open))];
        }
        "execute" => {
            s.from = pick_owner(v);
            let need = number(w.view(c, "required", &[]).first());
            let have = |id| number(w.view(c, "countConfirmations", &[uint(id)]).first());
            let id = find(v, count, |id| open(id) && have(id) >= need);
            s.arguments = vec![uint(id)];
        }
        "rotateKey" => {
            s.from = pick_owner(v);
            let me = account(s.from);
            let next = v.random.pick(&w.keys.mldsa);
            let arguments = [me.clone(), bytes(&next.public)];
            let message = blob(w.view(c, "rotationMessage", &arguments).first());
            let old = blob(w.view(c, "keyOf", &[me]).first());
            s.arguments = vec![
                bytes(&next.public),
                bytes(&w.keys.sign_mldsa(&old, &message)),
                bytes(&next.sign(&message)),
            ];
        }
        "proposal" | "countConfirmations" | "firstMissing" => {
            s.arguments = vec![uint(v.random.below(count as usize) as u64)];
        }
        "owners" => s.arguments = vec![uint(v.random.below(owners as usize) as u64)],
        _ => {}
    }
}

pub fn dao(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    let count = number(w.view(c, "proposalCount", &[]).first());
    // (proposer, title, votingEnds, countedBallots, phase, …)
    let phase = |id: u64| number(w.view(c, "proposals", &[uint(id)]).get(4));
    let ends = |id: u64| number(w.view(c, "proposals", &[uint(id)]).get(2));
    const GUARDIAN: usize = 5;
    match f.name.as_str() {
        "setMember" => {
            s.from = GUARDIAN;
            s.arguments = vec![
                account(v.random.below(6)),
                sized(v.random.below(4) as u64, 64),
            ];
        }
        "propose" => {
            s.from = v.random.below(3);
            let key = v.random.pick(&w.keys.mlkem).public.clone();
            let amount = uint(v.random.below(20) as u64);
            s.arguments = vec![
                text("a title"),
                account(v.random.below(6)),
                amount,
                bytes(&key),
            ];
        }
        "vote" => {
            s.from = v.random.below(3);
            let voted = |id: u64| flag(w.view(c, "hasVoted", &[uint(id), account(s.from)]).first());
            let now = w.time;
            let id = find(v, count + 1, |id| {
                phase(id) == 1 && now < ends(id) && !voted(id)
            });
            let kem = v.random.pick(&w.keys.mlkem);
            let sealed = match v.random.one_in(10) {
                true => vec![7; 3],
                false => v.random.pick(&kem.sealed).clone(),
            };
            let masked = sized(v.random.below(3) as u64, 8);
            s.arguments = vec![uint(id), masked, bytes(&sealed)];
        }
        "open" => {
            s.from = GUARDIAN;
            let now = w.time;
            let id = find(v, count + 1, |id| phase(id) == 1 && now >= ends(id));
            let key = blob(w.view(c, "electionKey", &[uint(id)]).first());
            let pair = w.keys.mlkem.iter().find(|k| k.public == key);
            let secret = pair.map_or(Vec::new(), |k| k.secret.clone());
            s.arguments = vec![uint(id), bytes(&secret)];
        }
        "count" => {
            let id = find(v, count + 1, |id| phase(id) == 2);
            s.arguments = vec![uint(id), uint(v.random.below(4) as u64)];
        }
        "finish" => {
            let ballots = |id| number(w.view(c, "ballotCount", &[uint(id)]).first());
            let counted = |id| number(w.view(c, "proposals", &[uint(id)]).get(3));
            let id = find(v, count + 1, |id| {
                phase(id) == 2 && counted(id) == ballots(id)
            });
            s.arguments = vec![uint(id)];
        }
        _ => {}
    }
}

pub fn nft(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    let next = number(w.view(c, "nextId", &[]).first());
    let owner = |id: u64| who(w.view(c, "ownerOf", &[uint(id)]).first());
    let listing = |id: u64| w.view(c, "listings", &[uint(id)]);
    let id = find(v, next, |id| owner(id).is_some());
    match f.name.as_str() {
        "mint" => {
            let hash = U256::from(v.random.next()).to_be_bytes::<32>();
            let uri = text(format!("ipfs://{}", v.random.next()));
            let bps = sized(v.random.below(2_600) as u64, 16);
            s.arguments = vec![uri, DynSolValue::FixedBytes(hash.into(), 32), bps];
        }
        "burn" if v.random.one_in(2) => {
            s.from = owner(id).unwrap_or(0);
            s.arguments = vec![uint(id)];
        }
        "approve" => {
            s.from = owner(id).unwrap_or(0);
            s.arguments = vec![account(v.random.below(6)), uint(id)];
        }
        "transferFrom" => {
            let from = owner(id).unwrap_or(0);
            if v.random.one_in(2) {
                s.from = from;
            }
            s.arguments = vec![account(from), account(v.random.below(6)), uint(id)];
        }
        "list" => {
            s.from = owner(id).unwrap_or(0);
            let price = uint(1 + v.random.below(50) as u64);
            s.arguments = vec![uint(id), price, sized(v.random.below(2_000) as u64, 64)];
        }
        "unlist" => {
            let id = find(v, next, |id| number(listing(id).get(1)) > 0);
            s.from = who(listing(id).first()).unwrap_or(0);
            s.arguments = vec![uint(id)];
        }
        "buy" => {
            let now = w.time;
            let id = find(v, next, |id| {
                let l = listing(id);
                number(l.get(1)) > 0 && number(l.get(2)) >= now
            });
            s.value = number(listing(id).get(1));
            s.arguments = vec![uint(id)];
        }
        "collect" => {
            let owed = |n: u64| number(w.view(c, "owed", &[account(n as usize)]).first());
            s.from = find(v, 6, |n| owed(n) > 0) as usize;
        }
        "tokenOfOwnerByIndex" => {
            let held = number(w.view(c, "balanceOf", &[account(s.from)]).first());
            let at = v.random.below(held as usize + 1) as u64;
            s.arguments = vec![account(s.from), uint(at)];
        }
        "ownerOf" | "tokenURI" | "getApproved" => s.arguments = vec![uint(id)],
        "royaltyInfo" => s.arguments = vec![uint(id), uint(v.random.below(9_999) as u64)],
        _ => {}
    }
}

pub fn escrow(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    let next = number(w.view(c, "nextId", &[]).first());
    // (buyer, seller, arbiter, amount, deadline, state, note)
    let deal = |id: u64| w.view(c, "deals", &[uint(id)]);
    let state = |id: u64| number(deal(id).get(5));
    let running = |id: u64| matches!(state(id), 1 | 2);
    let now = w.time;
    match f.name.as_str() {
        "open" => {
            s.value = 1 + v.random.below(500) as u64;
            let (seller, arbiter) = ((s.from + 1) % 6, (s.from + 2 + v.random.below(3)) % 6);
            let lifetime = uint(v.random.below(600) as u64);
            s.arguments = vec![account(seller), account(arbiter), lifetime, text("a thing")];
        }
        "markDelivered" => {
            let id = find(v, next, |id| state(id) == 1);
            s.from = who(deal(id).get(1)).unwrap_or(0);
            s.arguments = vec![uint(id)];
        }
        "release" => {
            let id = find(v, next, running);
            s.from = who(deal(id).first()).unwrap_or(0);
            s.arguments = vec![uint(id)];
        }
        "dispute" => {
            let id = find(v, next, running);
            s.from = who(deal(id).get(v.random.below(2))).unwrap_or(0);
            s.arguments[0] = uint(id);
        }
        "arbitrate" => {
            let id = find(v, next, |id| state(id) == 3);
            s.from = who(deal(id).get(2)).unwrap_or(0);
            s.arguments = vec![uint(id), uint(v.random.below(10_001) as u64)];
        }
        "expire" => {
            let id = find(v, next, |id| running(id) && number(deal(id).get(4)) < now);
            s.arguments = vec![uint(id)];
        }
        "collectFees" => s.from = 5,
        _ => {}
    }
}

pub fn staking(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    if c.kind != "StakingRewards" {
        // The tokens stay in use.
        if matches!(f.name.as_str(), "setPaused" | "setFrozen" | "rotateKey") {
            return;
        }
        return token(w, v, c, f, s);
    }
    // (amount, rewardPaid, pending, since)
    let staked = |n: usize| number(w.view(c, "positions", &[account(n)]).first());
    match f.name.as_str() {
        "notifyReward" => {
            s.from = 5;
            let duration = 1 + v.random.below(300) as u64;
            s.arguments = vec![uint(v.random.below(5_000) as u64), uint(duration)];
        }
        "stake" => {
            s.from = v.random.below(2);
            s.arguments = vec![uint(1 + v.random.below(300) as u64)];
        }
        "withdraw" => {
            s.from = find(v, 2, |n| staked(n as usize) > 0) as usize;
            let amount = v.random.below(staked(s.from) as usize + 2);
            s.arguments = vec![uint(amount as u64)];
        }
        "claim" | "exit" => s.from = v.random.below(3),
        _ => {}
    }
}

pub fn delegation(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    let staking = w.contract("staking").clone();
    let active = |n: u64| flag(w.view(&staking, "isActive", &[account(n as usize)]).first());
    let shares = |a: usize, b: usize| {
        number(
            w.view(&staking, "sharesOf", &[account(a), account(b)])
                .first(),
        )
    };
    match f.name.as_str() {
        "setAuthority" => {
            s.from = 5;
            let authority = w.contract("authority").at.0;
            s.arguments = vec![match v.random.one_in(4) {
                true => account(5),
                false => DynSolValue::Address(authority.into()),
            }];
        }
        "register" => {
            s.value = 100 + v.random.below(200) as u64;
            s.arguments = vec![text("someone"), sized(v.random.below(5_000) as u64, 16)];
        }
        "delegate" | "reward" => {
            s.value = 1 + v.random.below(300) as u64;
            s.arguments = vec![account(find(v, 6, active) as usize)];
        }
        "undelegate" => {
            let pair = find(v, 36, |n| shares(n as usize / 6, n as usize % 6) > 0) as usize;
            s.from = pair % 6;
            let have = shares(pair / 6, s.from);
            let part = 1 + v.random.below(have as usize) as u64;
            s.arguments = vec![account(pair / 6), uint(part)];
        }
        "withdrawReady" => {
            let waiting = |n: u64| number(w.view(c, "pending", &[account(n as usize)]).first());
            s.from = find(v, 6, |n| waiting(n) > 0) as usize;
        }
        "slash" => {
            s.from = 5;
            let validator = account(find(v, 6, active) as usize);
            s.arguments = vec![validator, uint(v.random.below(400) as u64)];
        }
        "unjail" => {
            let jailed = |n: u64| {
                let status = w.view(c, "validators", &[account(n as usize)]);
                number(status.first()) == 2
            };
            s.from = find(v, 6, jailed) as usize;
        }
        "report" => {
            let validator = account(find(v, 6, active) as usize);
            let height = sized(v.random.below(1_000) as u64, 64);
            let evidence = [validator, height, text("double sign")];
            let message = blob(w.view(c, "evidenceMessage", &evidence).first());
            let signature = w.keys.fndsa[0].sign(&message);
            s.arguments = [evidence.to_vec(), vec![bytes(&signature)]].concat();
        }
        _ => {}
    }
}

pub fn treasury(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    let count = number(w.view(c, "paymentCount", &[]).first());
    let now = w.time;
    let payment = |id: u64| match w.view(c, "payment", &[uint(id)]).first() {
        Some(DynSolValue::Tuple(fields)) => fields.clone(),
        _ => Vec::new(),
    };
    // (to, amount, purpose, approvals, guarded, paid, createdAt)
    let open =
        |p: &[DynSolValue]| !flag(p.get(5)) && number(p.get(6)).saturating_add(7 * 86_400) >= now;
    match f.name.as_str() {
        "request" => {
            s.from = v.random.below(3);
            let amount = *v.random.pick(&[1, 5, 9, 30, 400, 999, 1_000, 1_200]);
            let purpose =
                *v.random
                    .pick(&["rent", "books", "a purpose that is longer than a word"]);
            s.arguments = vec![account(v.random.below(6)), uint(amount), text(purpose)];
        }
        "approve" => {
            s.from = v.random.below(3);
            let done = |id: u64| {
                flag(
                    w.view(c, "hasApproved", &[uint(id), account(s.from)])
                        .first(),
                )
            };
            let id = find(v, count, |id| open(&payment(id)) && !done(id));
            s.arguments = vec![uint(id)];
        }
        "guard" => {
            let id = find(v, count, |id| open(&payment(id)));
            let message = blob(w.view(c, "guardMessage", &[uint(id)]).first());
            s.arguments = vec![uint(id), bytes(&w.keys.guard.sign(&message))];
        }
        "pay" => {
            s.from = v.random.below(3);
            let id = find(v, count, |id| {
                let p = payment(id);
                let (amount, approvals) = (number(p.get(1)), number(p.get(3)));
                let ready = match amount {
                    0..10 => approvals >= 1,
                    10..1_000 => approvals >= 2,
                    _ => approvals >= 3 && flag(p.get(4)),
                };
                open(&p) && ready
            });
            s.arguments = vec![uint(id)];
        }
        "payment" | "guardMessage" => {
            s.arguments = vec![uint(v.random.below(count as usize) as u64)];
        }
        "hasApproved" => s.arguments[1] = account(v.random.below(3)),
        "officers" => s.arguments = vec![uint(v.random.below(4) as u64)],
        "thresholds" => s.arguments = vec![uint(v.random.below(3) as u64)],
        _ => {}
    }
}

const NAMES: [&str; 8] = [
    "alice", "bob-1", "carol", "a", "abc", "abcd", "zzz-zz", "n0",
];

pub fn names(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    // (owner, target, expires, version)
    let record = |n: u64| w.view(c, "records", &[text(NAMES[n as usize])]);
    let now = w.time;
    let live = |n: u64| number(record(n).get(2)) >= now;
    let owned = |v: &mut Values, s: &mut Shot| {
        let n = find(v, 8, live);
        s.from = who(record(n).first()).unwrap_or(0);
        text(NAMES[n as usize])
    };
    let price = |name: &DynSolValue, years: u64| {
        number(
            w.view(c, "price", &[name.clone(), sized(years, 64)])
                .first(),
        )
    };
    match f.name.as_str() {
        "register" | "renew" => {
            let years = 1 + v.random.below(3) as u64;
            let wanted = f.name == "renew";
            let name = text(NAMES[find(v, 8, |n| live(n) == wanted) as usize]);
            s.value = price(&name, years).min(1_000_000);
            s.arguments = vec![name, sized(years, 64)];
        }
        "move" => s.arguments = vec![owned(v, s), account(v.random.below(6))],
        "release" => s.arguments = vec![owned(v, s)],
        "setTarget" | "setText" => s.arguments[0] = owned(v, s),
        "setAlias" => {
            let key = vec![v.random.below(256) as u8; 1 + v.random.below(40)];
            s.arguments = vec![bytes(&key), owned(v, s)];
        }
        "setPrimary" => {
            let n = find(v, 8, live);
            s.from = who(record(n).get(1)).unwrap_or(0);
            s.arguments = vec![text(NAMES[n as usize])];
        }
        "setFee" => {
            s.from = 5;
            s.arguments = vec![uint(v.random.below(5) as u64)];
        }
        "collect" => {
            s.from = 5;
            s.arguments = vec![account(v.random.below(6))];
        }
        _ => {}
    }
}

pub fn oracle(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    let feeds = (0..16).map_while(|i| w.view(c, "feedIds", &[uint(i)]).pop());
    let feeds: Vec<DynSolValue> = feeds.collect();
    let feed = v.random.pick(&feeds).clone();
    let attestors = match w.view(c, "attestorsNow", &[]).pop() {
        Some(DynSolValue::Array(list)) => list,
        _ => Vec::new(),
    };
    let attestor = |v: &mut Values| match attestors.is_empty() {
        true => 0,
        false => who(Some(v.random.pick(&attestors))).unwrap_or(0),
    };
    let price = DynSolValue::Int(
        I256::try_from(900 + v.random.below(200) as i64).expect("small"),
        128,
    );
    // (description, decimals, round, reports)
    let round = number(w.view(c, "describe", std::slice::from_ref(&feed)).get(2));
    match f.name.as_str() {
        "addAttestor" => {
            s.from = 5;
            let n = v.random.below(5);
            s.arguments = vec![account(n), bytes(&w.keys.fndsa[n].public)];
        }
        "removeAttestor" if v.random.one_in(2) => {
            s.from = 5;
            s.arguments = vec![account(attestor(v))];
        }
        "addFeed" => {
            s.from = 5;
            let deviation = sized(v.random.below(9_000) as u64, 32);
            let decimals = sized(v.random.below(20) as u64, 8);
            s.arguments = vec![text("feed"), decimals, deviation];
        }
        "submit" if f.inputs.len() == 2 => {
            s.from = attestor(v);
            s.arguments = vec![feed, price];
        }
        "submit" => {
            let by = attestor(v);
            let arguments = [feed.clone(), sized(round, 64), price.clone()];
            let message = blob(w.view(c, "reportMessage", &arguments).first());
            let signature = w.keys.fndsa[by.min(4)].sign(&message);
            s.arguments = vec![feed, account(by), price, bytes(&signature)];
        }
        "latest" => s.arguments = vec![feed, uint(v.random.below(5_000) as u64)],
        "describe" => s.arguments = vec![feed],
        "change" | "history" => {
            let mut pick = || sized(v.random.below(round as usize + 1) as u64, 64);
            let rounds = [pick(), pick()];
            s.arguments = [vec![feed], rounds[..f.inputs.len() - 1].to_vec()].concat();
        }
        "feedIds" => s.arguments = vec![uint(v.random.below(feeds.len() + 1) as u64)],
        _ => {}
    }
}

pub fn vesting(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    if c.kind != "Vesting" {
        return staking(w, v, c, f, s);
    }
    let count = |n: usize| number(w.view(c, "grantCount", &[account(n)]).first());
    let now = w.time;
    let ready = |n: u64| number(w.view(c, "claimable", &[account(n as usize)]).first()) > 0;
    let holder = find(v, 6, |n| count(n as usize) > 0) as usize;
    let grant = uint(v.random.below(count(holder) as usize) as u64);
    match f.name.as_str() {
        "grant" => {
            s.from = 5;
            let start = now - v.random.below(500) as u64;
            let cliff = start + v.random.below(100) as u64;
            let end = cliff + 1 + v.random.below(3_000) as u64;
            s.arguments = vec![
                account(v.random.below(6)),
                uint(1 + v.random.below(500) as u64),
                sized(start, 64),
                sized(cliff, 64),
                sized(end, 64),
                DynSolValue::Bool(!v.random.one_in(4)),
            ];
        }
        "grantSteps" => {
            s.from = 5;
            let mut at = now - 100;
            let steps = (0..1 + v.random.below(4)).map(|_| {
                at += 1 + v.random.below(900) as u64;
                let amount = uint(v.random.below(200) as u64);
                DynSolValue::Tuple(vec![sized(at, 64), amount])
            });
            let steps = DynSolValue::Array(steps.collect());
            s.arguments = vec![account(v.random.below(6)), steps];
        }
        "claim" if f.inputs.is_empty() => s.from = find(v, 6, ready) as usize,
        "claim" => {
            let whose = |n: u64| who(w.view(c, "delegateOf", &[account(n as usize)]).first());
            let n = find(v, 6, |n| whose(n).is_some() && ready(n));
            s.from = whose(n).unwrap_or(0);
            s.arguments = vec![account(n as usize)];
        }
        "setDelegate" => s.arguments = vec![account(v.random.below(6))],
        "revoke" => {
            s.from = 5;
            s.arguments = vec![account(holder), grant];
        }
        "dropLastStep" => {
            s.from = 5;
            s.arguments = vec![account(holder)];
        }
        "grantAt" => s.arguments = vec![account(holder), grant],
        _ => {}
    }
}

pub fn credit(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    // (principal, owing, due)
    let loan = |n: u64| w.view(c, "loans", &[account(n as usize)]);
    let limit = |n: u64| number(w.view(c, "limitOf", &[account(n as usize)]).first());
    let now = w.time;
    match f.name.as_str() {
        "fund" => s.value = 1 + v.random.below(5_000) as u64,
        "borrow" => {
            s.from = find(v, 6, |n| limit(n) > 0 && number(loan(n).get(1)) == 0) as usize;
            let most = limit(s.from as u64).min(1 << 40);
            let amount = 1 + v.random.below(most as usize) as u64;
            s.arguments = vec![uint(amount), uint(v.random.below(400) as u64)];
        }
        "repay" => {
            s.from = find(v, 6, |n| number(loan(n).get(1)) > 0) as usize;
            let owing = number(loan(s.from as u64).get(1));
            s.value = match v.random.one_in(2) {
                true => owing,
                false => v.random.below(owing as usize + 2) as u64,
            };
        }
        "writeOff" if v.random.one_in(3) => {
            s.from = 5;
            let late = |n: u64| number(loan(n).get(1)) > 0 && number(loan(n).get(2)) < now;
            s.arguments = vec![account(find(v, 6, late) as usize)];
        }
        "apply_" => {
            s.from = find(v, 6, |n| number(loan(n).get(1)) == 0) as usize;
        }
        _ => {}
    }
}

const WORDS: [&str; 12] = [
    "the ", "house ", "7f3a99c0", "river ", "and ", "QZXJ", "was ", "0d1e2f", "old, ", "boy ",
    "===/", "school ",
];

pub fn gate(w: &World, v: &mut Values, c: &Contract, f: &Function, s: &mut Shot) {
    let prose = |v: &mut Values| {
        let parts = (0..3 + v.random.below(20)).map(|_| *v.random.pick(&WORDS));
        text(parts.collect::<String>())
    };
    if c.kind == "AuthorPoints" {
        match f.name.as_str() {
            "setMuted" => s.arguments = vec![DynSolValue::Bool(v.random.one_in(4))],
            // One of the two is alice's.
            "onPost" => s.from = 0,
            _ => {}
        }
        return;
    }
    let count = number(w.view(c, "postCount", &[]).first());
    // (author, text, verdict, confidence)
    let post = |id: u64| w.view(c, "read", &[uint(id)]);
    match f.name.as_str() {
        "confidence" | "histogram" => s.arguments = vec![prose(v)],
        "post" => s.arguments = vec![prose(v)],
        "setModerator" => {
            s.from = 5;
            s.arguments = vec![
                account(v.random.below(6)),
                DynSolValue::Bool(!v.random.one_in(4)),
            ];
        }
        "follow" if v.random.one_in(4) => {
            s.from = 5;
            s.arguments = vec![DynSolValue::Address(w.contract("points").at.0.into())];
        }
        "moderate" => {
            s.from = 4 + v.random.below(2);
            let me = s.from;
            let id = find(v, count, |id| {
                let p = post(id);
                number(p.get(2)) == 0 && who(p.first()) != Some(me)
            });
            s.arguments = vec![uint(id), DynSolValue::Bool(v.random.one_in(2))];
        }
        "retract" => {
            let id = v.random.below(count as usize) as u64;
            s.from = who(post(id).first()).unwrap_or(0);
            s.arguments = vec![uint(id)];
        }
        "read" => s.arguments = vec![uint(v.random.below(count as usize) as u64)],
        _ => {}
    }
}
