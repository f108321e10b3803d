//! Random calls of the functions that guests for other hosts and messages use: both implementations must do
//! the same, whatever that is.

use aivm_conformance::action::{Action, Message};
use aivm_conformance::outcome::Claim;
use aivm_conformance::{Adapter, Interpreter, Machine, suite};

use super::draft::*;
use super::script::{self, Function, OUT, Script};
use super::{messages, wasi};

/// Preview 1 without `path_open`, which has more arguments than a record.
const PREVIEW1: &[Function] = &[
    ("wasi_snapshot_preview1.args_get", "ii", "i"),
    ("wasi_snapshot_preview1.args_sizes_get", "ii", "i"),
    ("wasi_snapshot_preview1.environ_get", "ii", "i"),
    ("wasi_snapshot_preview1.environ_sizes_get", "ii", "i"),
    ("wasi_snapshot_preview1.clock_res_get", "ii", "i"),
    ("wasi_snapshot_preview1.clock_time_get", "ili", "i"),
    ("wasi_snapshot_preview1.random_get", "ii", "i"),
    ("wasi_snapshot_preview1.poll_oneoff", "iiii", "i"),
    ("wasi_snapshot_preview1.sched_yield", "", "i"),
    ("wasi_snapshot_preview1.fd_write", "iiii", "i"),
    ("wasi_snapshot_preview1.fd_read", "iiii", "i"),
    ("wasi_snapshot_preview1.fd_seek", "ilii", "i"),
    ("wasi_snapshot_preview1.fd_close", "i", "i"),
    ("wasi_snapshot_preview1.fd_fdstat_get", "ii", "i"),
    ("wasi_snapshot_preview1.fd_prestat_get", "ii", "i"),
    ("wasi_snapshot_preview1.fd_prestat_dir_name", "iii", "i"),
    ("wasi_snapshot_preview1.path_filestat_get", "iiiii", "i"),
    ("wasi_snapshot_preview1.proc_exit", "i", ""),
];

/// What arguments are likely: `n` a name and `m` its length, `h` a handle or number, `o` a place for results, `t`
/// a tensor, `d` dimensions, `r` their number, `y` a type, `p` data and `q` their length, `l` a list and `c`
/// its length, `e` an encoding, `w` a word; of `wasi:nn`, `g` a graph, `x` a context, `v` a tensor, `f` an error.
const LIKELY: &[(&str, &str)] = &[
    ("wasi_ephemeral_nn.load", "lceho"),
    ("wasi_ephemeral_nn.load_by_name", "nmo"),
    ("wasi_ephemeral_nn.init_execution_context", "ho"),
    ("wasi_ephemeral_nn.set_input", "hht"),
    ("wasi_ephemeral_nn.compute", "h"),
    ("wasi_ephemeral_nn.get_output", "hhoqo"),
    ("wasi:nn.graph.load", "lceho"),
    ("wasi:nn.graph.load-by-name", "nmo"),
    ("wasi:nn.graph.[method]graph.init-execution-context", "go"),
    ("wasi:nn.graph.[resource-drop]graph", "g"),
    (
        "wasi:nn.inference.[method]graph-execution-context.compute",
        "xlco",
    ),
    (
        "wasi:nn.inference.[resource-drop]graph-execution-context",
        "x",
    ),
    ("wasi:nn.tensor.[constructor]tensor", "drypq"),
    ("wasi:nn.tensor.[method]tensor.dimensions", "vo"),
    ("wasi:nn.tensor.[method]tensor.ty", "v"),
    ("wasi:nn.tensor.[method]tensor.data", "vo"),
    ("wasi:nn.tensor.[resource-drop]tensor", "v"),
    ("wasi:nn.errors.[method]error.code", "f"),
    ("wasi:nn.errors.[method]error.data", "fo"),
    ("wasi:nn.errors.[resource-drop]error", "f"),
    ("messaging.send", "hnmpq"),
    ("messaging.peek", "wo"),
    ("messaging.consume", "wo"),
    ("journal.begin", ""),
    ("journal.commit", ""),
    ("journal.rollback", ""),
    ("wasi_snapshot_preview1.args_sizes_get", "oo"),
    ("wasi_snapshot_preview1.environ_sizes_get", "oo"),
    ("wasi_snapshot_preview1.fd_write", "hlco"),
    ("wasi_snapshot_preview1.fd_read", "hlco"),
    ("wasi_snapshot_preview1.fd_seek", "hhho"),
    ("wasi_snapshot_preview1.path_filestat_get", "hhnmo"),
];

/// What a script often begins with, so that handles and numbers name something: functions with their arguments,
/// in the same letters.
const FIRST: &[(&str, &str)] = &[
    ("wasi_ephemeral_nn.load_by_name", "NMo"),
    ("wasi_ephemeral_nn.init_execution_context", "0o"),
    ("wasi_ephemeral_nn.set_input", "00t"),
    ("wasi_ephemeral_nn.set_input", "01t"),
    ("wasi:nn.graph.load-by-name", "NMo"),
    ("wasi:nn.graph.[method]graph.init-execution-context", "1o"),
    ("wasi:nn.tensor.[constructor]tensor", "drypq"),
    ("wasi:nn.tensor.[constructor]tensor", "drypq"),
    ("journal.begin", ""),
];

/// What ends most scripts.
const ENDS: &[&str] = &[
    "wasi_snapshot_preview1.clock_res_get",
    "wasi_snapshot_preview1.clock_time_get",
    "wasi_snapshot_preview1.random_get",
    "wasi_snapshot_preview1.poll_oneoff",
    "wasi_snapshot_preview1.proc_exit",
    "journal.commit",
    "journal.rollback",
    "context.revert",
    "calls.call",
    "calls.query",
];

/// Numbers from a seed.
struct Dice(blake3::OutputReader);

impl Dice {
    fn new(seed: u64) -> Self {
        let hasher = &mut blake3::Hasher::new();
        Self(hasher.update(&seed.to_le_bytes()).finalize_xof())
    }

    fn below(&mut self, bound: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes) as usize % bound
    }

    fn of(&mut self, all: &[u32]) -> u32 {
        all[self.below(all.len())]
    }
}

/// Some calls with likely arguments, now and then an unlikely one.
fn calls(functions: &'static [Function], dice: &mut Dice) -> Vec<u8> {
    let mut script = Script::new(functions);
    let names = [&b"sum"[..], b"other", b"x0", b"\xff"].map(|name| script.put(name));
    let ids = [[7u8; 32], [8; 32]].map(|id| script.put(&id));
    let dimensions = script.put(&[4, 0, 0, 0, 1, 0, 0, 0]);
    let data = script.put(&[3; 64]);
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_le_bytes()).collect() };
    let mut tensors = Vec::new();
    let mut lists = Vec::new();
    for _ in 0..4 {
        let length = dice.of(&[16, 16, 16, 15]);
        let ty = dice.of(&[4, 4, 4, 3, 6]);
        tensors.push(script.put(&words(&[dimensions, 1, ty, data, length])));
        // Named tensors, or with the next one a list of buffers.
        let inputs = script.put(b"x0x1 0 1");
        let handles = [3, 3, 4, 4, 4, 5];
        let (a, b) = (dice.of(&handles), dice.of(&handles));
        let (first, second) = (dice.of(&[0, 2, 7, 5]), dice.of(&[2, 7, 0]));
        let one = if first > 4 { 1 } else { 2 };
        let two = if second > 4 { 1 } else { 2 };
        let list = [inputs + first, one, a, inputs + second, two, b];
        lists.push(script.put(&words(&list)));
        lists.push(script.put(&words(&[data, 16, dimensions, 8])));
    }
    let mut all = Vec::new();
    if dice.below(4) > 0 {
        let own = |key: &str| functions.iter().any(|(own, ..)| *own == key);
        all.extend(FIRST.iter().filter(|(key, _)| own(key)).copied());
    }
    for _ in 0..(1 + dice.below(8)) {
        let (key, ..) = functions[dice.below(functions.len())];
        let nested = key.starts_with("calls.") || key == "context.revert";
        if nested || ENDS.contains(&key) && dice.below(8) > 0 {
            continue;
        }
        let likely = LIKELY.iter().find(|(own, _)| *own == key);
        all.push((key, likely.map_or("hohoho", |(_, likely)| *likely)));
    }
    for (key, likely) in all {
        let (_, kinds, _) = functions.iter().find(|(own, ..)| *own == key).unwrap();
        let mut arguments = Vec::new();
        for (place, kind) in kinds.chars().enumerate() {
            let usual = match likely.as_bytes().get(place).copied().unwrap_or(b'h') {
                b'n' => dice.of(&[names[0], names[0], names[0], names[1], names[2], names[3]]),
                b'm' => dice.of(&[3, 3, 3, 3, 5, 2, 1, 0]),
                b'o' => OUT + 8 * dice.below(16) as u32,
                b't' => dice.of(&tensors),
                b'd' => dimensions,
                b'r' => dice.of(&[1, 1, 1, 1, 2, 0]),
                b'y' => dice.of(&[5, 5, 5, 4, 6, 0, 7]),
                b'p' => data,
                b'q' => dice.of(&[16, 16, 16, 16, 17, 15, 0]),
                b'l' => dice.of(&lists),
                b'c' => dice.of(&[2, 2, 2, 1, 0]),
                b'e' => dice.of(&[1, 1, 5, 6, 0]),
                b'w' => dice.of(&ids),
                b'g' => dice.of(&[1, 1, 1, 1, 2]),
                b'x' => dice.of(&[2, 2, 2, 2, 1]),
                b'v' => dice.of(&[3, 3, 4, 4, 5]),
                b'f' => dice.of(&[3, 4, 5, 5, 6]),
                b'N' => names[0],
                b'M' => 3,
                digit @ b'0'..=b'9' => u32::from(digit - b'0'),
                _ => dice.below(7) as u32,
            };
            let odd = [0, 1, 77, OUT + 1, 131_068, 131_072, u32::MAX];
            arguments.push(match dice.below(120) {
                0 if kind != 'w' => dice.of(&odd),
                _ => usual,
            });
        }
        script = script.call(key, &arguments, 0, 0);
    }
    script.shows(OUT, 160).input()
}

/// `AIVM_SCRIPTS=100000` compares more.
#[test]
fn random_calls_are_the_same_on_both_implementations() {
    let count = std::env::var("AIVM_SCRIPTS").ok();
    let count: u64 = count.map_or(3_000, |count| count.parse().expect("a number"));
    let mut file = File::new("calls", "random", "none is written");
    let contracts = [
        ("old", wasi::ephemeral::FUNCTIONS),
        ("new", wasi::component::FUNCTIONS),
        ("plain", PREVIEW1),
        ("courier", messages::FUNCTIONS),
    ];
    for (name, functions) in contracts {
        file.share_wat(name, &script::contract(functions, ""));
    }
    let (mut machine, mut interpreter) = (Machine::new().unwrap(), Interpreter::default());
    let (mut ran, mut returned) = (0u64, 0u64);
    while ran < count {
        let seed = ran;
        let dice = &mut Dice::new(seed);
        let mut draft = wasi::with_sum("random", "Both do the same.", &wasi::sum());
        for (name, _) in contracts {
            draft = draft.put(name);
        }
        for (id, to) in [(7, "courier"), (8, "old")] {
            let arrives = Action::Deliver {
                id: aivm_abi::Digest([id; 32]),
                to: to.to_owned(),
                source_chain: 5,
                destination: None,
                sender: aivm_conformance::action::Hex(vec![1, 2]),
                payload: aivm_conformance::action::Hex(vec![3]),
            };
            draft = draft.step(arrives, Claim::done());
        }
        let next = Action::Block {
            number: 101,
            timestamp: TIME,
        };
        draft = draft.step(next.clone(), Claim::default());
        for _ in 0..40 {
            let (to, functions) = contracts[dice.below(contracts.len())];
            let message = Message::new(ALICE, calls(functions, dice));
            let to = to.to_owned();
            let action = match dice.below(12) {
                0 => Action::Query { to, message },
                1 => Action::Abandon {},
                2 => next.clone(),
                _ => Action::Call { to, message },
            };
            draft = draft.step(action, Claim::default());
            ran += 1;
        }
        let case = suite::case(&file.0, &draft.0, std::path::Path::new("")).unwrap();
        let (first, second) = (machine.run(&case), interpreter.run(&case));
        let (first, second) = (first.unwrap(), second.unwrap());
        for (step, (one, other)) in first.outcomes.iter().zip(&second.outcomes).enumerate() {
            assert_eq!(
                one, other,
                "seed {seed}, step {step}: {:?}",
                case.actions[step]
            );
            let text = serde_json::to_string(one).unwrap();
            returned += u64::from(text.contains("\"status\":\"return\""));
        }
        assert_eq!(first, second, "seed {seed}");
    }
    println!("{ran} scripts, {returned} receipts of calls that returned");
    assert!(returned > ran / 3, "{returned} of {ran}");
}
