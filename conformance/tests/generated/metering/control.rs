//! Branches, loops, calls and what else the order of execution decides.

use super::super::draft::*;
use super::{Body, bodies};

/// A name, the rule, what stands before the functions, locals, the body, and what is paid.
const PLAIN: &str = "
an empty body | Only the frame around is paid for. |  |  |  |
locals are zeroed for a price | Each declared local costs on entry. |  | (local i32 i64 f32 f64) |  | 4 function_local
local instructions | local.get, local.set and local.tee cost the same. |  | (local i32) | (local.set 2 (local.tee 2 (local.get 2))) | 1 function_local, 3 local
global instructions | global.get and global.set cost the same. | (global $g (mut i64) (i64.const 1)) |  | (global.set $g (global.get $g)) | 2 global
if, taken | Only the branch that runs is paid for. |  |  | (if (i32.const 1) (then (drop (i32.mul (i32.const 1) (i32.const 2)))) (else (drop (i32.div_u (i32.const 1) (i32.const 2))))) | 3 constant, 1 branch, 1 multiply
if, not taken | Only the branch that runs is paid for. |  |  | (if (i32.const 0) (then (drop (i32.mul (i32.const 1) (i32.const 2)))) (else (drop (i32.div_u (i32.const 1) (i32.const 2))))) | 3 constant, 1 branch, 1 divide
if without else, not taken | What is skipped costs nothing. |  |  | (if (i32.const 0) (then (drop (i32.mul (i32.const 1) (i32.const 2))))) | 1 constant, 1 branch
br leaves a block | What a branch jumps over costs nothing. |  |  | (block (br 0) (drop (i32.div_u (i32.const 1) (i32.const 2)))) | 1 branch
br_if, taken | What a branch jumps over costs nothing. |  |  | (block (br_if 0 (i32.const 1)) (drop (i32.div_u (i32.const 1) (i32.const 2)))) | 1 constant, 1 branch
br_if, not taken | A branch that is not taken is paid for, and what follows. |  |  | (block (br_if 0 (i32.const 0)) (drop (i32.div_u (i32.const 1) (i32.const 2)))) | 3 constant, 1 branch, 1 divide
br_table, first | br_table has a price of its own. |  |  | (block (block (block (br_table 0 1 2 (i32.const 0))) (drop (i32.mul (i32.const 1) (i32.const 2)))) (drop (i32.div_u (i32.const 1) (i32.const 2)))) | 5 constant, 1 branch_table, 1 multiply, 1 divide
br_table, middle | br_table has a price of its own. |  |  | (block (block (block (br_table 0 1 2 (i32.const 1))) (drop (i32.mul (i32.const 1) (i32.const 2)))) (drop (i32.div_u (i32.const 1) (i32.const 2)))) | 3 constant, 1 branch_table, 1 divide
br_table, default | br_table has a price of its own. |  |  | (block (block (block (br_table 0 1 2 (i32.const 77))) (drop (i32.mul (i32.const 1) (i32.const 2)))) (drop (i32.div_u (i32.const 1) (i32.const 2)))) | 1 constant, 1 branch_table
return in the middle | return costs a branch, and what follows nothing. |  |  | (if (i32.const 1) (then (return (i32.const 1024)))) (drop (i32.div_u (i32.const 1) (i32.const 2))) (if (i32.const 1) (then)) | 1 constant, 2 branch
";

/// Loops, by their turns.
const LOOPS: [(&str, u64); 5] = [
    ("a loop of one turn", 1),
    ("a loop of 2 turns", 2),
    ("a loop of 7 turns", 7),
    ("a loop of 100 turns", 100),
    ("a loop of 10,000 turns", 10_000),
];

const CALLEE: &str = "(func $f (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))) (func $leaf) (type $t (func (param i32) (result i32))) (table 2 funcref) (elem (i32.const 0) $f)";

/// A name, the rule, the body, and what is paid beside the callee's entry.
const CALLS: &str = "
call | A call costs itself and the entry of what is called. | (call $leaf) | 1 call
call with a result | A call costs itself and what is called. | (drop (call $f (i32.const 2))) | 1 call, 2 constant, 1 local, 1 multiply
call_indirect | An indirect call has a price of its own. | (drop (call_indirect (type $t) (i32.const 2) (i32.const 0))) | 1 call_indirect, 3 constant, 1 local, 1 multiply
";

const TABLE: &str = "(table $t 10 funcref) (elem declare func $g) (func $g)";

/// A name, the body, and what is paid.
const REFERENCES: &str = "
table.size | (drop (table.size $t)) | 1 size
table.get | (drop (table.get $t (i32.const 1))) | 1 constant, 1 table
table.set | (table.set $t (i32.const 1) (ref.null func)) | 1 constant, 1 reference, 1 table
ref.func | (drop (ref.func $g)) | 1 reference
ref.is_null | (drop (ref.is_null (ref.null func))) | 2 reference
typed select | (drop (select (result funcref) (ref.null func) (ref.null func) (i32.const 1))) | 2 reference, 1 constant, 1 select
";

pub fn file() -> File {
    let mut all = Vec::new();
    for [name, rule, before, locals, body, paid] in rows(PLAIN) {
        all.push(Body {
            name: name.into(),
            rule: rule.into(),
            before,
            locals,
            text: body.into(),
            paid: paid.into(),
        });
    }
    for (name, turns) in LOOPS {
        all.push(Body {
            name: name.into(),
            rule: "A loop pays for each turn.".into(),
            locals: "(local i32)",
            text: format!(
                "(loop (local.set 2 (i32.add (local.get 2) (i32.const 1))) (br_if 0 (i32.lt_u (local.get 2) (i32.const {turns}))))"
            ),
            paid: format!(
                "1 function_local, {} local, {} constant, {} integer, {turns} branch",
                3 * turns,
                2 * turns,
                2 * turns
            ),
            ..Body::default()
        });
    }
    for [name, rule, body, paid] in rows(CALLS) {
        all.push(Body {
            name: name.into(),
            rule: rule.into(),
            before: CALLEE,
            text: body.into(),
            paid: format!("1 function_entry, 1 frame_per_64_words, {paid}"),
            ..Body::default()
        });
    }
    for depth in [1u64, 10, 100] {
        let frames = depth + 1;
        all.push(Body {
            name: format!("recursion of {depth}"),
            rule: "Each call of a recursion is paid for.".into(),
            before: "(func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))",
            text: format!("(call $down (i32.const {depth}))"),
            paid: format!(
                "{frames} constant, {frames} call, {frames} function_entry, {frames} frame_per_64_words, {} local, {frames} branch, {depth} integer",
                1 + 2 * depth
            ),
            ..Body::default()
        });
    }
    for [name, body, paid] in rows(REFERENCES) {
        all.push(Body {
            name: name.into(),
            rule: format!("`{name}` costs the price of its class."),
            before: TABLE,
            text: body.into(),
            paid: paid.into(),
            ..Body::default()
        });
    }
    bodies("control", all)
}
