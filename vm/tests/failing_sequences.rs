//! Random sequences of transactions on a chain that fails at each of its answers in turn.
//!
//! Two contracts interpret random programs: they read, write and remove state, call each other in up to four frames,
//! pay, undo, infer, revert and trap. Each transaction is repeated once for each answer that the chain gives, and that
//! answer is an error or a panic. Whatever fails, the state is the one before or, when it was committed, the one that
//! a chain without faults has; never half of it. Then the sequence goes on, with the receipts of that chain.
//!
//! `AIVM_FAULT_ROUNDS` makes it longer.

mod common;
#[path = "common/failing.rs"]
mod failing;

use aivm::{Address, BlockContext, Call, Deploy, Error, Hash, Host, MemoryHost, Vm, Word};
use common::*;
use failing::{Failing, Fault};

const DIGITS: &[u8] = include_bytes!("../../nn-backends/models/digits.onnx");

/// Runs the program behind three addresses (32 bytes each) in its input: an operation and an operand, a byte each; a
/// call has the length of its program and the program behind them.
fn interpreter(model: &Hash) -> Vec<u8> {
    let slot = "(i32.add (local.get $at) (i32.mul (i32.const 32) (i32.rem_u (local.get $a) (i32.const 3))))";
    let who = push_word(slot);
    let model: String = Word::from_be_bytes(*model)
        .to_le_bytes()
        .chunks(8)
        .map(|limb| {
            format!(
                "(i64.const {}) ",
                i64::from_le_bytes(limb.try_into().unwrap())
            )
        })
        .collect();
    let key = "(i64.extend_i32_u (local.get $a)) (i64.const 0) (i64.const 0) (i64.const 0)";
    let operations = [
        format!("(call $storage.load {key} (i32.const 64))"),
        format!(
            "(i64.store (i32.const 64) (i64.add (i64.load (i32.const 64)) (i64.extend_i32_u (local.get $a))))
             (call $storage.store {key} {})",
            push_word("(i32.const 64)")
        ),
        "(i32.store8 (i32.const 512) (local.get $a))
         (call $storage.set (i32.const 512) (i32.const 1) (local.get $at) (local.get $a))"
            .into(),
        "(i32.store8 (i32.const 512) (local.get $a))
         (drop (call $storage.remove (i32.const 512) (i32.const 1)))"
            .into(),
        "(call $events.emit (i32.const 0) (i32.const 0) (local.get $at) (local.get $a))".into(),
        format!("(drop (call $accounts.transfer {who} {}))", word(1)),
        format!(
            "(local.set $n (i32.load8_u (local.get $p)))
             (local.set $p (i32.add (local.get $p) (i32.const 1)))
             (memory.copy (i32.const 4096) (local.get $at) (i32.const 96))
             (memory.copy (i32.const 4192) (local.get $p) (local.get $n))
             (local.set $p (i32.add (local.get $p) (local.get $n)))
             (call $calls.allow-reentrancy (i32.const 1))
             (call $calls.call {who} (i64.extend_i32_u (i32.and (local.get $a) (i32.const 1)))
               (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 20000000)
               (i32.const 4096) (i32.add (i32.const 96) (local.get $n)) (i32.const 256))
             (call $storage.store {} (i64.add (i64.const 1) (i64.load8_u (i32.const 256)))
               (i64.const 0) (i64.const 0) (i64.const 0))",
            word(200)
        ),
        "(call $ext.invoke (i32.const 48) (i32.const 1) (local.get $at) (local.get $a) (i32.const 128))".into(),
        format!("(call $accounts.balance {who} (i32.const 64))"),
        // A tensor of bytes, 1 by 64.
        format!(
            "(i32.store (i32.const 604) (i32.const 632)) (i32.store (i32.const 608) (i32.const 2))
             (i64.store (i32.const 632) (i64.const 0x4000000001))
             (i32.store (i32.const 612) (local.get $at)) (i32.store (i32.const 616) (i32.const 64))
             (call $nn.infer {model} (i32.const 600) (i32.const 1) (i32.const 640))
             (call $storage.store {key} (i64.load (i32.const 640)) (i64.const 0) (i64.const 0) (i64.const 0))"
        ),
        "(call $journal.begin)".into(),
        "(call $journal.rollback)".into(),
        "(call $journal.commit)".into(),
        "(return (call $result (i32.const 1) (local.get $at) (local.get $a)))".into(),
        "unreachable".into(),
    ];
    let mut cases = String::new();
    for (number, operation) in operations.iter().enumerate() {
        cases += &format!(
            "(if (i32.eq (local.get $op) (i32.const {number})) (then {operation} (br $next)))\n"
        );
    }
    let body = format!(
        r#"(local $p i32) (local $end i32) (local $op i32) (local $a i32) (local $n i32)
        (local.set $p (i32.add (local.get $at) (i32.const 96)))
        (local.set $end (i32.add (local.get $at) (local.get $length)))
        (block $done (loop $next
          (br_if $done (i32.ge_u (i32.add (local.get $p) (i32.const 1)) (local.get $end)))
          (local.set $op (i32.load8_u (local.get $p)))
          (local.set $a (i32.load8_u offset=1 (local.get $p)))
          (local.set $p (i32.add (local.get $p) (i32.const 2)))
          {cases}))
        {RETURN_NOTHING}"#
    );
    guest(
        &[
            "storage.load",
            "storage.store",
            "storage.set",
            "storage.remove",
            "events.emit",
            "accounts.transfer",
            "accounts.balance",
            "calls.call",
            "calls.allow-reentrancy",
            "ext.invoke",
            "nn.infer",
            "journal.begin",
            "journal.rollback",
            "journal.commit",
        ],
        &(call_body(&body) + r#"(data (i32.const 48) "x")"#),
    )
}

/// SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// A random program of some operations, with programs of further frames in it.
    fn program(&mut self, depth: u32) -> Vec<u8> {
        let mut program = Vec::new();
        for _ in 0..2 + self.below(4) {
            let operand = self.below(6) as u8;
            match self.below(40) {
                0..20 => program.extend([self.below(6) as u8, operand]),
                20..28 if depth < 4 => {
                    let inner = self.program(depth + 1);
                    if inner.len() < 250 {
                        program.extend([6, operand, inner.len() as u8]);
                        program.extend(inner);
                    }
                }
                28..30 => program.extend([7, operand]),
                30..32 => program.extend([8, operand]),
                32..34 => program.extend([9, operand]),
                // What is written in between is kept or undone.
                34..37 => {
                    let end = 11 + self.below(2) as u8;
                    program.extend([10, 0, 1, operand, 5, operand, end, 0]);
                }
                37 => program.extend([13, operand]),
                38 => program.extend([14, 0]),
                _ => program.extend([2, 200]),
            }
        }
        program
    }
}

/// A chain whose whole state has a hash.
trait State: Host + Sized {
    fn state(&self) -> Hash;
    fn set_block(&mut self, block: BlockContext);
    fn fund(&mut self, who: Address);
}

impl State for MemoryHost {
    fn state(&self) -> Hash {
        self.state_hash()
    }
    fn set_block(&mut self, block: BlockContext) {
        MemoryHost::set_block(self, block);
    }
    fn fund(&mut self, who: Address) {
        self.set_balance(who, Word::from(100u64));
    }
}

fn memory() -> MemoryHost {
    MemoryHost::new().with_state_root().with_extension(
        "x",
        |_| 10,
        |call| Ok(call.arguments.to_vec()),
    )
}

/// Model, code and two contracts on a chain; gives the contracts.
fn prepare<H: State>(vm: &Vm, host: &mut H) -> [Address; 2] {
    host.set_block(BlockContext::new(7, 100));
    let model = vm.register_model(host, DIGITS).unwrap().model;
    let code = vm.upload(host, &interpreter(&model)).unwrap().code;
    let contracts = [1, 2].map(|salt| {
        let deploy = Deploy::new(ALICE, code, b"").with_salt([salt; 32]);
        let deployed = vm.deploy(host, &deploy).unwrap();
        assert!(deployed.receipt.status.is_success());
        deployed.address
    });
    for who in [ALICE, contracts[0], contracts[1]] {
        host.fund(who);
    }
    contracts
}

/// What was seen, so that the test cannot pass by doing nothing.
#[derive(Debug, Default)]
struct Seen {
    faults: u64,
    returned: u64,
    reverted: u64,
    trapped: u64,
    committed: u64,
    inferences: u64,
    most_answers: u64,
}

/// One sequence of transactions; each is tried with a fault at every answer.
fn sequence<H: State>(vm: &Vm, fresh: &dyn Fn() -> H, seed: u64, seen: &mut Seen) {
    let numbers = &mut Numbers(seed);
    let mut sound = Failing::new(fresh());
    let contracts = prepare(vm, &mut sound.inner);
    let mut faulty = Failing::new(fresh());
    assert_eq!(prepare(vm, &mut faulty.inner), contracts);
    faulty.fault = match seed % 2 {
        0 => Fault::Error,
        _ => Fault::Panic,
    };
    // Where code and models have to come from the chain too.
    let cold = seed.is_multiple_of(8);
    for step in 0..4 {
        let mut input = [limbs(&contracts[0]), limbs(&contracts[1]), limbs(&BOB)].concat();
        input.extend(numbers.program(1));
        let call = Call::new(ALICE, contracts[numbers.below(2) as usize], input)
            .with_value(Word::from(numbers.below(3)));
        let forget = || {
            if cold {
                vm.clear_caches();
            }
        };
        forget();
        sound.asked.set(0);
        let expected = vm.call(&mut sound, &call).unwrap();
        let (answers, after) = (sound.asked.get(), sound.inner.state());
        let before = faulty.inner.state();
        // Until no fault comes before the end. What the VM holds in memory by now it does not ask again.
        for n in 0..=answers {
            forget();
            faulty.left.set(Some(n));
            let outcome = vm.call(&mut faulty, &call);
            let state = faulty.inner.state();
            let place = || format!("seed {seed}, transaction {step}, answer {n} of {answers}");
            match (outcome, faulty.fault) {
                (Ok(receipt), _) => {
                    let passed_over = faulty.left.replace(None).is_none();
                    assert!(!passed_over, "{}: the fault is passed over", place());
                    assert_eq!(receipt, expected, "{}", place());
                    break;
                }
                (Err(Error::Host(_)), Fault::Error) | (Err(Error::HostPanic(_)), Fault::Panic) => {
                    assert_eq!(state, before, "{}", place());
                }
                (Err(Error::Committed(_)), _) => {
                    assert_eq!(state, after, "{}", place());
                    seen.committed += 1;
                    break;
                }
                (Err(error), fault) => panic!("{}: {fault:?} became {error:?}", place()),
            }
            seen.faults += 1;
            assert!(n < answers, "{}: faults without end", place());
        }
        assert_eq!(
            faulty.inner.state(),
            after,
            "seed {seed}, transaction {step}"
        );
        match expected.status {
            aivm::Status::Return => seen.returned += 1,
            aivm::Status::Revert => seen.reverted += 1,
            _ => seen.trapped += 1,
        }
        seen.inferences += expected.inferences.len() as u64;
        seen.most_answers = seen.most_answers.max(answers);
    }
}

fn rounds(default: u64) -> u64 {
    std::env::var("AIVM_FAULT_ROUNDS").map_or(default, |text| text.parse().unwrap())
}

#[test]
fn no_fault_leaves_half_a_state() {
    let vm = Vm::builder().build().unwrap();
    let mut seen = Seen::default();
    for seed in 0..rounds(150) {
        sequence(&vm, &memory, seed, &mut seen);
    }
    println!("{seen:?}");
    assert!(seen.faults > 3_000, "{seen:?}");
    assert!(
        seen.returned > 100 && seen.reverted > 10 && seen.trapped > 10,
        "{seen:?}"
    );
    assert!(seen.committed > 50 && seen.inferences > 20, "{seen:?}");
    assert!(seen.most_answers > 20, "{seen:?}");
}

#[cfg(feature = "redb")]
mod durable {
    use aivm::RedbHost;

    use super::*;

    impl State for RedbHost {
        fn state(&self) -> Hash {
            // A hash over the history of commits.
            self.state_root().unwrap().unwrap()
        }
        fn set_block(&mut self, block: BlockContext) {
            RedbHost::set_block(self, block);
        }
        fn fund(&mut self, who: Address) {
            self.set_balance(who, Word::from(100u64)).unwrap();
        }
    }

    #[test]
    fn no_fault_leaves_half_a_state_in_a_database() {
        let vm = Vm::builder().build().unwrap();
        let mut seen = Seen::default();
        let folder = tempfile::tempdir().unwrap();
        let count = std::cell::Cell::new(0);
        let fresh = || {
            count.set(count.get() + 1);
            RedbHost::open(folder.path().join(format!("{}.redb", count.get()))).unwrap()
        };
        for seed in 1_000..1_000 + rounds(150) / 30 {
            sequence(&vm, &fresh, seed, &mut seen);
        }
        println!("{seen:?}");
        assert!(seen.faults > 60, "{seen:?}");
    }
}
