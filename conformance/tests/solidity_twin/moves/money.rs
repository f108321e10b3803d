//! Tokens, wallets, treasuries, loans and grants.

use alloy_dyn_abi::DynSolValue;
use alloy_json_abi::Function;

use super::*;

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
