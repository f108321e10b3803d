//! Names and posts.

use alloy_dyn_abi::DynSolValue;
use alloy_json_abi::Function;

use super::*;

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
