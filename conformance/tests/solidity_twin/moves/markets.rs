//! What is sold, what is held for another, and prices.

use alloy_dyn_abi::DynSolValue;
use alloy_json_abi::Function;
use alloy_primitives::{I256, U256};

use super::*;

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
