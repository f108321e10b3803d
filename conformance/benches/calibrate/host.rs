//! Host functions and storage: a contract calls one again and again. Time and gas are those
//! of the whole call, the transcript and the journal included; the host keeps its state in
//! memory.

use std::time::Instant;

use aivm::{Address, Call, Word};
use aivm_gas::GasSchedule;

use crate::contract::{ALICE, RETURN_NOTHING, World, call_body, guest, limbs, push_word, word};
use crate::fit::{self, Item};

/// Calls of a function in a turn.
const COUNTS: [usize; 4] = [4, 8, 12, 16];
const TURNS: usize = 40;
const ROUNDS: usize = 9;

/// A call of a host function, and how many bytes it moves.
struct Piece {
    name: &'static str,
    import: &'static str,
    /// Path of the price, and how often it is part of the gas.
    price: String,
    units: f64,
    /// Runs once, before the loop.
    setup: String,
    code: String,
}

fn plain(import: &'static str, code: &str) -> Piece {
    Piece {
        name: import,
        import,
        price: format!("host/{import}/base"),
        units: 1.0,
        setup: String::new(),
        code: code.to_owned(),
    }
}

/// A function of bytes at 8192: one piece for few of them, one for many.
fn of_bytes(import: &'static str, many: usize, code: fn(usize) -> String) -> [Piece; 2] {
    let few = 32;
    [
        Piece {
            code: code(few),
            ..plain(import, "")
        },
        Piece {
            price: format!("host/{import}/per_byte"),
            units: many as f64,
            code: code(many),
            ..plain(import, "")
        },
    ]
}

fn storage(name: &'static str, import: &'static str, price: &str, units: f64) -> Piece {
    Piece {
        name,
        price: format!("storage/{price}"),
        units,
        ..plain(import, "")
    }
}

/// Words of random bits at 4096, 4128 and so on; key and value buffers at 6144.
fn pieces(echo: Address) -> Vec<Piece> {
    let at = |at: usize| push_word(&format!("(i32.const {at})"));
    let (a, b, m) = (at(4096), at(4128), at(4160));
    let out = "(i32.const 2048)";
    let target: String = limbs(&echo)
        .chunks(8)
        .map(|limb| {
            let limb = limb
                .iter()
                .rev()
                .fold(0_u64, |sum, b| sum << 8 | u64::from(*b));
            format!("(i64.const {}) ", limb.cast_signed())
        })
        .collect();
    // A number that is another in each turn.
    let next = "(global.set $k (i64.add (global.get $k) (i64.const 1)))";
    let key = "(global.get $k) (i64.const 1) (i64.const 2) (i64.const 3)";
    let fixed = word(9);
    let mut all = vec![
        plain("context.block-number", "(drop (call $context.block-number))"),
        plain("context.gas-left", "(drop (call $context.gas-left))"),
        plain("context.caller", &format!("(call $context.caller {out})")),
        plain("math.mul", &format!("(call $math.mul {a}{b}{out})")),
        plain("math.div", &format!("(call $math.div {a}{m}{out})")),
        plain("math.rem", &format!("(call $math.rem {a}{m}{out})")),
        plain("math.add-mod", &format!("(call $math.add-mod {a}{b}{m}{out})")),
        plain("math.mul-mod", &format!("(call $math.mul-mod {a}{b}{m}{out})")),
        plain("math.exp", &format!("(call $math.exp {a}{b}{out})")),
        plain("accounts.balance", &format!("(call $accounts.balance {}{out})", word(7))),
        plain(
            "accounts.transfer",
            &format!("(drop (call $accounts.transfer {}{}))", word(7), word(0)),
        ),
        plain(
            "calls.query",
            &format!(
                "(call $calls.query {target} (i64.const 1000000) (i32.const 4096) (i32.const 4) {out})"
            ),
        ),
        Piece {
            code: format!("(call $storage.load {fixed}{out})"),
            ..storage("load, warm", "storage.load", "read_warm", 1.0)
        },
        Piece {
            code: format!("{next} (call $storage.load {key} {out})"),
            ..storage("load, cold", "storage.load", "read", 1.0)
        },
        Piece {
            code: format!("{next} (call $storage.store {key} {fixed})"),
            ..storage("store, new", "storage.store", "write_new", 1.0)
        },
        Piece {
            setup: format!("(call $storage.store {fixed}{fixed})"),
            code: format!("{next} (call $storage.store {fixed}{key})"),
            ..storage("store, changed", "storage.store", "write", 1.0)
        },
        Piece {
            code: format!(
                "{next} (i64.store (i32.const 8192) (global.get $k))
                 (call $storage.set (i32.const 6144) (i32.const 32) (i32.const 8192) (i32.const 8192))"
            ),
            ..storage("set 8 KiB", "storage.set", "per_kb", 8.0)
        },
        Piece {
            code: "(drop (call $storage.has (i32.const 6144) (i32.const 32)))".to_owned(),
            ..storage("has, warm", "storage.has", "read_warm", 1.0)
        },
    ];
    all.extend(of_bytes("crypto.keccak256", 16_384, |n| {
        hash("keccak256", n)
    }));
    all.extend(of_bytes("crypto.sha256", 16_384, |n| hash("sha256", n)));
    all.extend(of_bytes("crypto.sha3-256", 16_384, |n| hash("sha3-256", n)));
    all.extend(of_bytes("crypto.blake3", 16_384, |n| hash("blake3", n)));
    all.extend(of_bytes("events.emit", 2_048, |n| {
        format!(
            "(call $events.emit (i32.const 4096) (i32.const 1) (i32.const 8192) (i32.const {n}))"
        )
    }));
    all.extend(of_bytes("log.debug", 4_096, |n| {
        format!("(call $log.debug (i32.const 8192) (i32.const {n}))")
    }));
    all
}

fn hash(name: &str, bytes: usize) -> String {
    format!("(call $crypto.{name} (i32.const 8192) (i32.const {bytes}) (i32.const 2048))")
}

/// A contract that calls a piece again and again.
fn contract(piece: &Piece, count: usize) -> Vec<u8> {
    let mut random = String::new();
    let mut state = 7_u64;
    for _ in 0..96 {
        state = state
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        random += &format!("\\{:02x}", (state >> 56) | 1);
    }
    let call = call_body(&format!(
        "(local $n i32)
         {}
         (local.set $n (i32.const {TURNS}))
         (loop $next
           {}
           (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
         {RETURN_NOTHING}",
        piece.setup,
        piece.code.repeat(count)
    ));
    let mut imports = vec![piece.import];
    if piece.setup.contains("$storage.store") && piece.import != "storage.store" {
        imports.push("storage.store");
    }
    guest(
        &imports,
        &format!(
            "(global $k (mut i64) (i64.const 100))
             (data (i32.const 4096) \"{random}\")
             {call}"
        ),
    )
}

/// Fastest nanoseconds, and gas, of a call, or how it failed.
pub fn run(world: &mut World, wasm: &[u8]) -> Result<(f64, f64), String> {
    let contract = world.deploy(wasm);
    let mut call = Call::new(ALICE, contract, b"");
    call.gas_limit = 1 << 50;
    let (mut best, mut gas) = (f64::MAX, 0.0);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let estimate = world.vm.estimate(&world.host, &call);
        let estimate = estimate.map_err(|error| error.to_string())?;
        best = best.min(start.elapsed().as_secs_f64() * 1e9);
        let receipt = estimate.receipt;
        if !receipt.status.is_success() {
            return Err(format!("{:?}", receipt.status));
        }
        gas = receipt.gas.total() as f64;
    }
    Ok((best, gas))
}

pub fn price(schedule: &GasSchedule, path: &str) -> f64 {
    let json: serde_json::Value = serde_json::to_value(schedule).expect("numbers");
    let pointer = format!("/{path}");
    let value = json.pointer(&pointer);
    value.and_then(serde_json::Value::as_f64).expect("a price")
}

pub fn items(schedule: &GasSchedule) -> Vec<Item> {
    let mut world = World::new();
    world.host.set_balance(ALICE, Word::from(1_u64 << 60));
    let echo = world.deploy(&guest(&[], ""));
    let mut items = Vec::new();
    'pieces: for piece in pieces(echo) {
        let (mut times, mut gases) = (Vec::new(), Vec::new());
        for count in COUNTS {
            let (ns, gas) = match run(&mut world, &contract(&piece, count)) {
                Ok(measured) => measured,
                Err(why) => {
                    eprintln!("{} is not measured: {why}", piece.name);
                    continue 'pieces;
                }
            };
            times.push((count as f64, ns / TURNS as f64));
            gases.push((count as f64, gas / TURNS as f64));
        }
        let (ns, r2) = fit::slope(&times);
        let (gas, _) = fit::slope(&gases);
        let now = price(schedule, &piece.price);
        let bytes = if piece.price.ends_with("per_byte") {
            format!(", {} bytes", piece.units)
        } else {
            String::new()
        };
        items.push(Item {
            name: format!("{}{bytes}", piece.name),
            price: piece.price,
            now,
            units: piece.units,
            ns: ns.max(1e-3),
            gas,
            r2,
        });
    }
    items
}
