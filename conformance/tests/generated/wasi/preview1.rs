//! Each function of WASI preview 1 that guests get: what it answers, what it writes, what it costs.

use aivm::{GasSchedule, TrapCode};
use aivm_abi::IMPORTS;
use aivm_conformance::action::Hex;
use aivm_conformance::outcome::Claim;

use super::super::draft::*;
use super::super::guest::imports;
use super::super::metering::around;

const REASON: &str = "Error numbers are those of the witx of WASI preview 1, as the crate wasi 0.11.1 has them (8 badf, 70 spipe); docs/host-interface.md says which function gives which. Gas is summed from the schedule: the instructions of the contract's text, the function's base price, and its price for each byte of lists.";

/// What comes of a call: an error number and what is written from 68 on, or a trap.
enum Ends {
    Answers(u32, &'static [(usize, u32)]),
    Traps(TrapCode),
}
use Ends::{Answers, Traps};

const BADF: u32 = 8;
const SPIPE: u32 = 70;
const NOTHING: &[(usize, u32)] = &[];
const UNSUPPORTED: Ends = Traps(TrapCode::Unsupported);
const EXITED: Ends = Traps(TrapCode::Exited);
const POINTER: Ends = Traps(TrapCode::BadPointer);

/// Memory: at 64 the answer's number, from 68 to 88 bytes 0xff; at 2048 `one\ntwo`, at 2056 the name
/// `a/b`, at 2060 bytes that are no text; at 2064 two buffers, `one\ntwo` and `two`; at 2080 one that
/// begins at the last byte of memory and has two.
const MEMORY: &str = r#"
    (data (i32.const 1024) "\00\00\00\00\40\00\00\00\18\00\00\00")
    (data (i32.const 64) "\00\00\00\00\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff")
    (data (i32.const 2048) "one\ntwo\00a/b\00\ff\fe\fd\fc")
    (data (i32.const 2064) "\00\08\00\00\07\00\00\00\04\08\00\00\03\00\00\00\ff\ff\00\00\02\00\00\00")"#;

/// Function, arguments (`L` ends one of 64 bits), bytes of lists that are paid for, and the end.
const CALLS: &[(&str, &str, u64, Ends)] = &[
    ("args_get", "72 76", 0, Answers(0, NOTHING)),
    ("args_get", "-1 -1", 0, Answers(0, NOTHING)),
    (
        "args_sizes_get",
        "68 72",
        0,
        Answers(0, &[(68, 0), (72, 0)]),
    ),
    ("args_sizes_get", "84 84", 0, Answers(0, &[(84, 0)])),
    ("args_sizes_get", "65532 68", 0, Answers(0, &[(68, 0)])),
    ("args_sizes_get", "65533 68", 0, POINTER),
    ("args_sizes_get", "68 65536", 0, POINTER),
    ("args_sizes_get", "70 72", 0, POINTER),
    ("args_sizes_get", "68 -4", 0, POINTER),
    ("environ_get", "72 76", 0, Answers(0, NOTHING)),
    ("environ_get", "-1 -1", 0, Answers(0, NOTHING)),
    (
        "environ_sizes_get",
        "76 80",
        0,
        Answers(0, &[(76, 0), (80, 0)]),
    ),
    ("environ_sizes_get", "68 71", 0, POINTER),
    ("environ_sizes_get", "65536 68", 0, POINTER),
    ("clock_res_get", "0 72", 0, UNSUPPORTED),
    ("clock_res_get", "1 72", 0, UNSUPPORTED),
    ("clock_res_get", "0 76", 0, POINTER),
    ("clock_time_get", "0 1L 72", 0, UNSUPPORTED),
    ("clock_time_get", "1 0L 72", 0, UNSUPPORTED),
    ("clock_time_get", "77 0L 72", 0, UNSUPPORTED),
    ("clock_time_get", "0 1L 65529", 0, POINTER),
    ("clock_time_get", "0 1L 65536", 0, POINTER),
    ("random_get", "72 8", 0, UNSUPPORTED),
    ("random_get", "72 0", 0, UNSUPPORTED),
    ("random_get", "-1 -1", 0, UNSUPPORTED),
    ("poll_oneoff", "72 76 1 80", 0, UNSUPPORTED),
    ("poll_oneoff", "72 76 0 80", 0, UNSUPPORTED),
    ("poll_oneoff", "72 76 1 81", 0, POINTER),
    ("sched_yield", "", 0, Answers(0, NOTHING)),
    ("proc_exit", "0", 0, EXITED),
    ("proc_exit", "1", 0, EXITED),
    ("proc_exit", "-1", 0, EXITED),
    ("fd_write", "1 2064 1 72", 15, Answers(0, &[(72, 7)])),
    ("fd_write", "2 2064 1 72", 15, Answers(0, &[(72, 7)])),
    ("fd_write", "1 2064 2 72", 26, Answers(0, &[(72, 10)])),
    ("fd_write", "2 2072 1 84", 11, Answers(0, &[(84, 3)])),
    ("fd_write", "1 2064 0 72", 0, Answers(0, &[(72, 0)])),
    ("fd_write", "0 2064 1 72", 15, Answers(BADF, NOTHING)),
    ("fd_write", "3 2064 1 72", 15, Answers(BADF, NOTHING)),
    ("fd_write", "-1 2064 2 72", 26, Answers(BADF, NOTHING)),
    ("fd_write", "1 2066 1 72", 0, POINTER),
    ("fd_write", "1 65532 1 72", 0, POINTER),
    ("fd_write", "1 -8 1 72", 0, POINTER),
    ("fd_write", "1 2064 0x20000000 72", 0, POINTER),
    ("fd_write", "1 2064 0x1fffffff 72", 0, POINTER),
    ("fd_write", "1 2080 1 72", 8, POINTER),
    ("fd_write", "1 2064 1 73", 15, POINTER),
    ("fd_write", "1 2064 1 65536", 15, POINTER),
    ("fd_read", "0 2064 1 72", 0, Answers(0, &[(72, 0)])),
    ("fd_read", "0 2064 0 76", 0, Answers(0, &[(76, 0)])),
    ("fd_read", "0 -1 -1 76", 0, Answers(0, &[(76, 0)])),
    ("fd_read", "1 2064 1 72", 0, Answers(BADF, NOTHING)),
    ("fd_read", "3 2064 1 72", 0, Answers(BADF, NOTHING)),
    ("fd_read", "0 2064 1 74", 0, POINTER),
    ("fd_read", "3 2064 1 65536", 0, POINTER),
    ("fd_seek", "0 0L 0 72", 0, Answers(SPIPE, NOTHING)),
    ("fd_seek", "1 -5L 1 72", 0, Answers(SPIPE, NOTHING)),
    ("fd_seek", "2 9L 2 80", 0, Answers(SPIPE, NOTHING)),
    ("fd_seek", "3 0L 0 72", 0, Answers(BADF, NOTHING)),
    ("fd_seek", "-1 0L 0 72", 0, Answers(BADF, NOTHING)),
    ("fd_seek", "1 0L 0 76", 0, POINTER),
    ("fd_close", "0", 0, Answers(0, NOTHING)),
    ("fd_close", "1", 0, Answers(0, NOTHING)),
    ("fd_close", "2", 0, Answers(0, NOTHING)),
    ("fd_close", "3", 0, Answers(BADF, NOTHING)),
    ("fd_close", "-1", 0, Answers(BADF, NOTHING)),
    ("fd_fdstat_get", "1 72", 0, Answers(BADF, NOTHING)),
    ("fd_fdstat_get", "3 -1", 0, Answers(BADF, NOTHING)),
    ("fd_prestat_get", "3 72", 0, Answers(BADF, NOTHING)),
    ("fd_prestat_get", "0 -1", 0, Answers(BADF, NOTHING)),
    ("fd_prestat_dir_name", "3 72 8", 0, Answers(BADF, NOTHING)),
    ("fd_prestat_dir_name", "0 -1 -1", 0, Answers(BADF, NOTHING)),
    (
        "path_open",
        "3 0 2056 3 0 0L 0L 0 72",
        3,
        Answers(BADF, NOTHING),
    ),
    (
        "path_open",
        "0 1 2048 0 9 -1L -1L 1 72",
        0,
        Answers(BADF, NOTHING),
    ),
    (
        "path_open",
        "3 0 2060 2 0 0L 0L 0 72",
        2,
        Traps(TrapCode::BadArgument),
    ),
    ("path_open", "3 0 -1 3 0 0L 0L 0 72", 0, POINTER),
    ("path_open", "3 0 2056 -1 0 0L 0L 0 72", 0, POINTER),
    ("path_open", "3 0 2056 3 0 0L 0L 0 65535", 3, POINTER),
    (
        "path_filestat_get",
        "3 0 2056 3 72",
        3,
        Answers(BADF, NOTHING),
    ),
    (
        "path_filestat_get",
        "3 1 2048 7 -1",
        7,
        Answers(BADF, NOTHING),
    ),
    (
        "path_filestat_get",
        "3 0 2060 4 72",
        4,
        Traps(TrapCode::BadArgument),
    ),
    ("path_filestat_get", "3 0 65534 3 72", 0, POINTER),
];

fn contract(key: &str, call: &str) -> String {
    format!(
        "(module {} (memory (export \"memory\") 1) {MEMORY}
         (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
         (func (export \"construct\") (param i32 i32) (result i32) (i32.const 1024))
         (func (export \"query\") (param i32 i32) (result i32) (i32.const 1024))
         (func (export \"call\") (param i32 i32) (result i32) {call} (i32.const 1024)))",
        imports(&[key])
    )
}

pub fn file() -> File {
    let schedule = GasSchedule::v1();
    let wasm = serde_json::to_value(&schedule.wasm).unwrap();
    let price = |name: &str| wasm[name].as_u64().unwrap();
    let mut file = File::new("metering", "preview1", REASON);
    for (name, arguments, bytes, end) in CALLS {
        let key = format!("wasi_snapshot_preview1.{name}");
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let pushed: String = arguments
            .iter()
            .map(|argument| match argument.strip_suffix('L') {
                Some(long) => format!("(i64.const {long}) "),
                None => format!("(i32.const {argument}) "),
            })
            .collect();
        let call = match *name {
            "proc_exit" => format!("(call ${key} {pushed})"),
            _ => format!("(i32.store (i32.const 64) (call ${key} {pushed}))"),
        };
        // The address of the answer's number is a constant, too.
        let execution = around(&schedule)
            + price("constant") * (arguments.len() as u64 + 1)
            + price("call")
            + price("store");
        let host = schedule.host_price(&key).unwrap();
        let host = host.base + host.per_byte * bytes;
        let (rule, claim) = match end {
            Answers(errno, written) => {
                let mut memory = errno.to_le_bytes().to_vec();
                memory.extend([0xff; 20]);
                for (at, value) in *written {
                    memory[at - 64..at - 60].copy_from_slice(&value.to_le_bytes());
                }
                let claim = Claim {
                    execution: Some(execution),
                    ..Claim::returns(memory)
                };
                (
                    "The answer is the error's number; what is written is written in case of success alone.",
                    claim,
                )
            }
            Traps(code) => {
                let claim = Claim {
                    output: Some(Hex(Vec::new())),
                    total: Some(aivm::DEFAULT_GAS_LIMIT),
                    ..traps(*code)
                };
                (
                    "Pointers are checked, and then there is no clock, no randomness, no event and no exit.",
                    claim,
                )
            }
        };
        let claim = Claim {
            host: Some(host),
            storage: Some(0),
            inference: Some(0),
            ..claim
        };
        let text = wat::parse_str(contract(&key, &call)).unwrap_or_else(|e| panic!("{call}: {e}"));
        file.push(
            Draft::new(format!("{name}({})", arguments.join(", ")), rule)
                .upload_bytes(text, Claim::accepted())
                .deploy("c", "code", &[])
                .call("c", [], claim),
        );
    }
    let all = IMPORTS.iter().map(|import| import.key);
    for name in all.filter_map(|key| key.strip_prefix("wasi_snapshot_preview1.")) {
        let tested = CALLS.iter().any(|(own, ..)| *own == name);
        assert!(tested, "no vector calls {name}");
    }
    file
}
