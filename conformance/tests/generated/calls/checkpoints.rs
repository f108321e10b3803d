//! Checkpoints of the journal: commits, rollbacks, and those that are not open.

use aivm::TrapCode;
use aivm_conformance::action::Hex;
use aivm_conformance::outcome::Claim;

use super::super::draft::*;
use super::super::guest::{NOTHING, call, guest};

/// Sequences of commands in which whatever is closed is open: some by hand, some at random.
fn programs() -> Vec<String> {
    let mut numbers = 12345u64;
    let mut programs: Vec<String> = [
        "b1c",
        "b1r",
        "1b1r",
        "b1b2rc",
        "b1b2cr",
        "bbb1rrr",
        "b1r2b3c",
        "1b2b3b4rrr",
        "1b2b3b4ccc",
        "b1b1b1rcr",
    ]
    .map(String::from)
    .to_vec();
    for _ in 0..40 {
        let (mut text, mut open) = (String::new(), 0);
        for _ in 0..14 {
            numbers = numbers
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let n = (numbers >> 40) % 10;
            match n {
                0..=2 => {
                    text.push('b');
                    open += 1;
                }
                3 if open > 0 => {
                    text.push('c');
                    open -= 1;
                }
                4..=5 if open > 0 => {
                    text.push('r');
                    open -= 1;
                }
                _ => text.push(char::from(b'1' + (n % 4) as u8)),
            }
        }
        programs.push(text);
    }
    programs
}

pub fn file() -> File {
    let mut file = File::new(
        "calls",
        "checkpoints",
        "The generator runs the same commands on a map with a stack of copies.",
    );
    // Input: a list of commands. 1-9 store that key, b begins, c commits, r rolls back.
    let body = format!(
        "(local $i i32) (local $c i32)
         (block $end (loop $next
           (br_if $end (i32.ge_u (local.get $i) (local.get $length)))
           (local.set $c (i32.load8_u (i32.add (local.get $at) (local.get $i))))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (if (i32.eq (local.get $c) (i32.const 98)) (then (call $journal.begin) (br $next)))
           (if (i32.eq (local.get $c) (i32.const 99)) (then (call $journal.commit) (br $next)))
           (if (i32.eq (local.get $c) (i32.const 114)) (then (call $journal.rollback) (br $next)))
           (call $storage.store (i64.extend_i32_u (local.get $c)) (i64.const 0) (i64.const 0) (i64.const 0) (i64.extend_i32_u (local.get $i)) (i64.const 0) (i64.const 0) (i64.const 0))
           (call $events.emit (i32.const 0) (i32.const 0) (i32.add (local.get $at) (i32.sub (local.get $i) (i32.const 1))) (i32.const 1))
           (br $next)))
         {NOTHING}"
    );
    file.share_wat(
        "journal",
        &guest(
            &[
                "journal.begin",
                "journal.commit",
                "journal.rollback",
                "storage.store",
                "events.emit",
            ],
            &call(&body),
        ),
    );
    for (number, program) in programs().iter().enumerate() {
        let mut state: Vec<u8> = Vec::new();
        let mut copies: Vec<Vec<u8>> = Vec::new();
        for c in program.bytes() {
            match c {
                b'b' => copies.push(state.clone()),
                b'c' => drop(copies.pop()),
                b'r' => state = copies.pop().unwrap(),
                c => state.push(c),
            }
        }
        let events = state.iter().map(|c| (vec![], Hex(vec![*c]))).collect();
        file.push(
            Draft::new(
                format!("{} {program}", number + 1),
                "A rollback undoes storage and events since its checkpoint; a commit keeps them.",
            )
            .put("journal")
            .call(
                "journal",
                program.as_bytes(),
                Claim {
                    events: Some(events),
                    ..returns()
                },
            )
            .storage("journal"),
        );
    }
    for program in ["c", "r", "bcc", "brr", "bcr", "1r"] {
        file.push(
            Draft::new(
                format!("{program} closes what is not open"),
                "Closing a checkpoint that is not open traps.",
            )
            .put("journal")
            .call("journal", program.as_bytes(), traps(TrapCode::Checkpoint))
            .storage("journal"),
        );
    }
    for count in [1_024usize, 1_025] {
        let claim = if count <= 1_024 {
            returns()
        } else {
            traps(TrapCode::Checkpoint)
        };
        file.push(
            Draft::new(
                format!("{count} open checkpoints"),
                "A frame may hold 1,024 checkpoints open.",
            )
            .put("journal")
            .call("journal", vec![b'b'; count], claim),
        );
    }
    file
}
