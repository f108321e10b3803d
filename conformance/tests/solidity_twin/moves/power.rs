//! Who decides, and whose stake is behind it.

use alloy_dyn_abi::DynSolValue;
use alloy_json_abi::Function;

use super::*;

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
