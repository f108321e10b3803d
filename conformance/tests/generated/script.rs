//! A contract that calls the host functions that its input names, one after the other.
//!
//! So one module serves many vectors, whose inputs say what is done, and what each call must give and
//! cost is summed while the input is written.
//!
//! The input: number of calls, offset of the first record, address and length of a window of memory,
//! rounds, and a word of padding; data; then a record of eight words for each call, which holds the
//! function's number and its arguments. The output: what the calls of the last round gave, a word each,
//! and then the window.

use std::fmt::Write;

use aivm::{GasSchedule, TrapCode};
use aivm_conformance::action::Hex;
use aivm_conformance::outcome::Claim;

use super::draft::{reverts, traps};
use super::guest::{HEAP, guest, push_word};

/// Memory for results of host functions: zero at the start, and nobody else's.
pub const OUT: u32 = 49_152;
const RESULTS: u32 = 32_768;
const HEADER: u32 = 24;

/// A host function: its key, its arguments (`i` a number, `l` one of 64 bits, `w` the address of a
/// word) and what it gives (`i`, `l` or nothing).
pub type Function = (&'static str, &'static str, &'static str);

/// Copies what a pointer and a length in memory name; gives the length.
pub const FETCH: &str = "fetch";
/// Copies as many bytes as are asked for from where a pointer in memory points; gives nothing.
pub const COPY: &str = "copy";
/// Does not return.
pub const TRAP: &str = "trap";

/// The contract for some functions. `extra` is put beside it.
pub fn contract(functions: &[Function], extra: &str) -> String {
    let keys: Vec<&str> = functions.iter().map(|(key, ..)| *key).collect();
    let mut one = String::from("(func $one (param $at i32) (result i32) ");
    for (number, (key, arguments, result)) in functions.iter().enumerate() {
        let mut call = format!("(call ${}", key.replace(['[', ']'], "-"));
        for (place, kind) in arguments.chars().enumerate() {
            let word = format!("(i32.load offset={} (local.get $at))", 4 * (place + 1));
            call += &match kind {
                'l' => format!(" (i64.extend_i32_u {word})"),
                'w' => format!(" {}", push_word(&word)),
                _ => format!(" {word}"),
            };
        }
        call.push(')');
        let call = match *result {
            "" => format!("{call} (return (i32.const 0))"),
            "l" => format!("(return (i32.wrap_i64 {call}))"),
            _ => format!("(return {call})"),
        };
        write!(
            one,
            "(if (i32.eq (i32.load (local.get $at)) (i32.const {number})) (then {call})) "
        )
        .unwrap();
    }
    let (fetch, copy) = (functions.len(), functions.len() + 1);
    let text = format!(
        r#"{one}
        (if (i32.eq (i32.load (local.get $at)) (i32.const {copy})) (then
          (memory.copy (i32.load offset=8 (local.get $at)) (i32.load (i32.load offset=4 (local.get $at))) (i32.load offset=12 (local.get $at)))
          (return (i32.const 0))))
        (if (i32.ne (i32.load (local.get $at)) (i32.const {fetch})) (then unreachable))
        (memory.copy (i32.load offset=8 (local.get $at))
          (i32.load (i32.load offset=4 (local.get $at))) (i32.load offset=4 (i32.load offset=4 (local.get $at))))
        (i32.load offset=4 (i32.load offset=4 (local.get $at))))
      (func (export "call") (export "query") (param $at i32) (param $length i32) (result i32)
        (local $n i32) (local $record i32) (local $round i32) (local $end i32)
        (local.set $end (i32.add (i32.const {RESULTS}) (i32.mul (i32.const 4) (i32.load (local.get $at)))))
        (loop $again
          (local.set $n (i32.const 0))
          (local.set $record (i32.add (local.get $at) (i32.load offset=4 (local.get $at))))
          (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $n) (i32.load (local.get $at))))
            (i32.store (i32.add (i32.const {RESULTS}) (i32.mul (i32.const 4) (local.get $n))) (call $one (local.get $record)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (local.set $record (i32.add (local.get $record) (i32.const 32)))
            (br $next)))
          (local.set $round (i32.add (local.get $round) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $round) (i32.load offset=16 (local.get $at)))))
        (memory.copy (local.get $end) (i32.load offset=8 (local.get $at)) (i32.load offset=12 (local.get $at)))
        (call $result (i32.const 0) (i32.const {RESULTS})
          (i32.add (i32.sub (local.get $end) (i32.const {RESULTS})) (i32.load offset=12 (local.get $at)))))"#
    );
    guest(&keys, &(text + extra))
}

/// An input under construction, and what must come of it.
#[derive(Clone)]
pub struct Script {
    functions: &'static [Function],
    schedule: GasSchedule,
    records: Vec<[u32; 8]>,
    data: Vec<u8>,
    results: Vec<u32>,
    window: (u32, u32),
    rounds: u32,
    host: u64,
    inference: u64,
}

impl Script {
    pub fn new(functions: &'static [Function]) -> Self {
        Self {
            functions,
            schedule: GasSchedule::v1(),
            records: Vec::new(),
            data: Vec::new(),
            results: Vec::new(),
            window: (OUT, 0),
            rounds: 1,
            host: 0,
            inference: 0,
        }
    }

    /// Puts bytes into the input; gives their address in the contract, a multiple of eight.
    pub fn put(&mut self, bytes: &[u8]) -> u32 {
        let at = HEAP + HEADER + self.data.len() as u32;
        self.data.extend(bytes);
        self.data.resize(self.data.len().next_multiple_of(8), 0);
        at
    }

    /// A call that gives `result` and pays for the contents of lists of `bytes` bytes.
    pub fn call(mut self, key: &str, arguments: &[u32], bytes: u64, result: u32) -> Self {
        let own = self.functions.iter().position(|(own, ..)| *own == key);
        let number = match key {
            FETCH => self.functions.len(),
            COPY => self.functions.len() + 1,
            TRAP => self.functions.len() + 2,
            _ => own.unwrap_or_else(|| panic!("no function {key}")),
        };
        let mut record = [0; 8];
        record[0] = number as u32;
        record[1..=arguments.len()].copy_from_slice(arguments);
        self.records.push(record);
        self.results.push(result);
        if own.is_some() {
            let price = self.schedule.host_price(key).unwrap();
            self.host += price.base + price.per_byte * bytes;
        }
        self
    }

    /// Host gas beside the prices of functions and bytes.
    pub fn pays(mut self, gas: u64) -> Self {
        self.host += gas;
        self
    }

    /// Gas of an inference.
    pub fn infers(mut self, gas: u64) -> Self {
        self.inference += gas;
        self
    }

    /// Shows memory at the end.
    pub fn shows(mut self, at: u32, length: u32) -> Self {
        self.window = (at, length);
        self
    }

    /// Does all of it this many times. What it costs is not claimed then.
    pub fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }

    /// The input.
    pub fn input(&self) -> Vec<u8> {
        let (at, length) = self.window;
        let header = [
            self.records.len() as u32,
            HEADER + self.data.len() as u32,
            at,
            length,
            self.rounds,
            0,
        ];
        let words = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let header: Vec<u8> = words(&header);
        let records: Vec<u8> = words(self.records.as_flattened());
        [header, self.data.clone(), records].concat()
    }

    /// Host gas of all of it.
    pub fn host(&self) -> u64 {
        self.host
    }

    /// Bytes of the output.
    pub fn output_length(&self) -> u32 {
        4 * self.results.len() as u32 + self.window.1
    }

    fn paid(&self, claim: Claim) -> Claim {
        if self.rounds > 1 {
            return claim;
        }
        Claim {
            host: Some(self.host),
            inference: Some(self.inference),
            ..claim
        }
    }

    /// It returns what each call was said to give, and `window`.
    pub fn returns(&self, window: &[u8]) -> Claim {
        assert_eq!(window.len() as u32, self.window.1);
        let mut output: Vec<u8> = self.results.iter().flat_map(|w| w.to_le_bytes()).collect();
        output.extend(window);
        self.paid(Claim::returns(output))
    }

    /// The last call traps.
    pub fn traps(&self, code: TrapCode) -> Claim {
        self.paid(Claim {
            output: Some(Hex(Vec::new())),
            ..traps(code)
        })
    }

    /// The last call reverts, without data.
    pub fn reverts(&self) -> Claim {
        self.paid(reverts([]))
    }
}
