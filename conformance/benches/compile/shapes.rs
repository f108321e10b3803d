//! Modules that take a compiler long, in the text format.

/// Makes a module of about a size; what a size means is up to the shape.
type Shape = fn(usize) -> String;

/// Functions of about 600 repetitions of a piece over the locals `$x i64`, `$a i32`, `$f
/// f64`, `$v v128`.
fn functions(size: usize, piece: &str) -> String {
    let each = 600;
    let body = |count: usize| {
        format!(
            "(func (export \"f{count}\") (param $x i64) (param $a i32) (param $f f64) (param $v v128) (result i64)
               {} (local.get $x))",
            piece.repeat(each)
        )
    };
    let count = (size / (4 * each)).max(1);
    format!(
        "(module (memory 1) (table $t 64 funcref) (global $g (mut i64) (i64.const 0))
           (type $leaf (func (param i64) (result i64)))
           (func $many {} (result i64) (i64.const 0))
           {})",
        "(param i64)".repeat(64),
        (0..count).map(body).collect::<String>()
    )
}

fn locals(count: usize, ty: &str) -> String {
    format!("(local {})", format!("{ty} ").repeat(count))
}

/// Accepted shapes, none of them useful.
pub const ACCEPTED: &[(&str, Shape)] = &[
    ("one chain of additions", |n| {
        format!(
            "(module (func (export \"f\") (param i64) (result i64) (local.get 0) {}))",
            "(i64.const 77) i64.add ".repeat(n / 2)
        )
    }),
    ("values that all live to the end", |n| {
        let rows: String = (0..n / 400)
            .map(|_| {
                let loads: String = (0..400)
                    .map(|i| format!("(i64.load offset={} (local.get 0)) ", 8 * i))
                    .collect();
                loads + &"i64.xor ".repeat(399) + "(drop) "
            })
            .collect();
        format!("(module (memory 1) (func (export \"f\") (param i32) {rows}))")
    }),
    ("selects", |n| {
        functions(
            n,
            "(local.set $x (select (local.get $x) (i64.const 7) (i64.lt_u (local.get $x) (i64.const 99))))",
        )
    }),
    ("divisions", |n| {
        functions(
            n,
            "(local.set $x (i64.rem_s (local.get $x) (i64.or (local.get $x) (i64.const 1))))",
        )
    }),
    ("checked conversions", |n| {
        functions(
            n,
            "(local.set $x (i64.trunc_f64_u (local.get $f)))(local.set $f (f64.convert_i64_u (local.get $x)))",
        )
    }),
    ("saturating conversions", |n| {
        functions(
            n,
            "(local.set $x (i64.trunc_sat_f64_u (local.get $f)))(local.set $f (f64.convert_i64_u (local.get $x)))",
        )
    }),
    ("float minima", |n| {
        functions(
            n,
            "(local.set $f (f64.min (f64.sqrt (local.get $f)) (f64.const 3)))",
        )
    }),
    ("vector multiplications and shuffles", |n| {
        functions(
            n,
            "(local.set $v (i8x16.shl (i64x2.mul (local.get $v) (local.get $v)) (i32.const 3)))",
        )
    }),
    ("vector float conversions", |n| {
        functions(
            n,
            "(local.set $v (i32x4.trunc_sat_f32x4_u (f32x4.convert_i32x4_u (local.get $v))))",
        )
    }),
    ("vector constants", |n| {
        functions(
            n,
            "(local.set $v (i8x16.swizzle (local.get $v) (v128.const i64x2 1 2)))",
        )
    }),
    ("memory sizes", |n| {
        functions(n, "(local.set $a (i32.add (local.get $a) (memory.size)))")
    }),
    ("growing memory", |n| {
        let body = "(drop (memory.grow (local.get 0)))".repeat(n.min(32));
        format!("(module (memory 1) (func (export \"f\") (param i32) {body}))")
    }),
    ("copies", |n| {
        functions(
            n,
            "(memory.copy (local.get $a) (local.get $a) (local.get $a))",
        )
    }),
    ("stores", |n| {
        functions(n, "(i64.store (local.get $a) (local.get $x))")
    }),
    ("globals", |n| {
        functions(
            n,
            "(global.set $g (i64.add (global.get $g) (local.get $x)))",
        )
    }),
    ("table reads", |n| {
        functions(
            n,
            "(local.set $a (ref.is_null (table.get $t (local.get $a))))",
        )
    }),
    ("indirect calls", |n| {
        functions(
            n,
            "(local.set $x (call_indirect $t (type $leaf) (local.get $x) (local.get $a)))",
        )
    }),
    ("calls with 64 arguments", |n| {
        let call = format!("(local.set 0 (call $many {}))", "(local.get 0)".repeat(64));
        let function = format!(
            "(func (param i64) (result i64) {} (local.get 0))",
            call.repeat(100)
        );
        format!(
            "(module (func $many {} (result i64) (i64.const 0)) {})",
            "(param i64)".repeat(64),
            function.repeat(n / 2_000 + 1)
        )
    }),
    ("chains of additions in blocks", |n| {
        let chain = "(local.set 0 (i64.add (local.get 0) (i64.const 77)))".repeat(1_000);
        let body =
            format!("(block (br_if 0 (i32.wrap_i64 (local.get 0))) {chain})").repeat(n / 6_000 + 1);
        format!("(module (func (export \"f\") (param i64) (result i64) {body} (local.get 0)))")
    }),
    ("branches out of a block", |n| {
        functions(
            n,
            "(block (br_if 0 (local.get $a)) (local.set $x (i64.add (local.get $x) (i64.const 1))))",
        )
    }),
    ("calls in branches", |n| {
        let body =
            "(if (local.get $a) (then (local.set $x (call $f (local.get $a) (local.get $x)))))"
                .repeat(n / 8);
        format!(
            "(module (func $f (export \"f\") (param $a i32) (param $x i64) (result i64) {body} (local.get $x)))"
        )
    }),
    ("branches with 40 locals", |n| {
        let touch: String = (0..40)
            .map(|i| format!("(local.set {i} (i32.add (local.get {i}) (i32.const 1)))"))
            .collect();
        let body = format!("(if (local.get 0) (then {touch}))").repeat(n / 160);
        format!(
            "(module (func (export \"f\") {} {body}))",
            locals(40, "i32")
        )
    }),
    ("branches past locals", |n| {
        let set: String = (0..48)
            .map(|i| format!("(local.set {i} (local.get 0))"))
            .collect();
        let uses: String = (0..48).map(|i| format!("(drop (local.get {i}))")).collect();
        let body = "(block (br_if 0 (local.get 0)) (local.set 1 (local.get 2)))".repeat(n / 16);
        format!(
            "(module (func (export \"f\") {} {set} {body} {uses}))",
            locals(48, "i32")
        )
    }),
    ("loops in loops", |n| {
        let depth = 16.min(n);
        let touch: String = (0..24)
            .map(|i| format!("(local.set {i} (i32.add (local.get {i}) (i32.const 1)))"))
            .collect();
        let nest = format!(
            "{}{touch}{}",
            "loop ".repeat(depth),
            "(br_if 0 (local.get 0)) end ".repeat(depth)
        );
        format!(
            "(module (func (export \"f\") {} {}))",
            locals(24, "i32"),
            nest.repeat((n / 300).max(1))
        )
    }),
    ("branches to one join", |n| {
        format!(
            "(module (func (export \"f\") (param i32) (block {})))",
            "(br_if 0 (local.get 0))".repeat((n / 16).max(1))
        )
    }),
    ("additions in branches to one join", |n| {
        let add = "(br_if 0 (local.tee 0 (i32.add (local.get 0) (i32.const 3))))";
        let body = add.repeat((n / 16).max(1));
        format!("(module (func (export \"f\") (param i32) (block {body})))")
    }),
    ("returns", |n| {
        let body = "(if (local.get 0) (then return))".repeat((n / 16).max(1));
        format!("(module (func (export \"f\") (param i32) {body}))")
    }),
    ("blocks in blocks", |n| {
        let nest = format!(
            "{}{}",
            "block ".repeat(400),
            "(br_if 0 (local.get 0)) end ".repeat(400)
        );
        format!(
            "(module (func (export \"f\") (param i32) {}))",
            nest.repeat((n / 400).max(1))
        )
    }),
    ("branch tables", |n| {
        let targets = "0 1 2 3 4 5 6 7 ".repeat(100);
        let table = format!(
            "{} (br_table {targets} (local.get 0)) {}",
            "block ".repeat(8),
            "end ".repeat(8)
        );
        format!(
            "(module (func (export \"f\") (param i32) {}))",
            table.repeat((n / 400).max(1))
        )
    }),
    ("tiny functions", |n| {
        format!(
            "(module {})",
            "(func (param i32) (result i32) (local.get 0))".repeat(n)
        )
    }),
    ("tiny exported functions", |n| {
        let functions: String = (0..n.min(200))
            .map(|i| format!("(func (export \"f{i}\"))"))
            .collect();
        format!("(module {functions})")
    }),
    ("tiny functions in a table", |n| {
        let elements: String = (0..n).map(|i| format!("{i} ")).collect();
        format!(
            "(module (table {n} funcref) (elem (i32.const 0) func {elements}) {})",
            "(func)".repeat(n)
        )
    }),
    ("small functions with many locals", |n| {
        let function = format!("(func {} (local.set 3 (i64.const 1)))", locals(500, "i64"));
        format!("(module {})", function.repeat(n / 16))
    }),
    ("functions of many parameters", |n| {
        let ty = "(param i64)".repeat(60);
        format!(
            "(module {})",
            format!("(func {ty} (result i64) (local.get 9))").repeat(n / 16)
        )
    }),
    ("many types", |n| {
        let n = n.min(1_000);
        let types: String = (0..n)
            .map(|i| {
                let params: String = (0..10)
                    .map(|bit| if i >> bit & 1 == 1 { "i32 " } else { "i64 " })
                    .collect();
                format!("(type (func (param {params})))")
            })
            .collect();
        let calls: String = (0..n)
            .map(|i| {
                let args: String = (0..10)
                    .map(|bit| {
                        if i >> bit & 1 == 1 {
                            "(i32.const 0)"
                        } else {
                            "(i64.const 0)"
                        }
                    })
                    .collect();
                format!("(call_indirect (type {i}) {args} (local.get 0))")
            })
            .collect();
        format!("(module {types} (table 1 funcref) (func (export \"f\") (param i32) {calls}))")
    }),
    ("many globals", |n| {
        let n = n.min(250);
        let globals: String = "(global (mut i64) (i64.const 0))".repeat(n);
        let touch: String = (0..n)
            .map(|i| format!("(global.set {i} (i64.add (global.get {i}) (i64.const 1)))"))
            .collect();
        format!(
            "(module {globals} (func (export \"f\") {}))",
            touch.repeat(12)
        )
    }),
    ("data segments", |n| {
        let n = n.min(1_000);
        format!(
            "(module (memory 1) {})",
            "(data (i32.const 0) \"x\")".repeat(n)
        )
    }),
];

/// Those of the list of bombs that others fell for.
pub fn bombs() -> Vec<(&'static str, String)> {
    let touch = "local.get 0 i32.const 1 i32.add local.set 0 ";
    vec![
        (
            "nested loops with 100 locals",
            format!(
                "(module (func {} {} {}))",
                locals(100, "i32"),
                "loop ".repeat(1_000),
                "end ".repeat(1_000)
            ),
        ),
        (
            "many live stack values",
            format!(
                "(module (func {} {}))",
                "i32.const 1 ".repeat(74_000),
                "drop ".repeat(74_000)
            ),
        ),
        (
            "if and else with 64 locals",
            format!(
                "(module (func {} {}))",
                locals(64, "i32"),
                format!("local.get 1 if {touch} else {touch} end ").repeat(5_000)
            ),
        ),
        (
            "200 functions with 49,000 locals",
            format!(
                "(module {})",
                format!("(func {})", locals(49_000, "i32")).repeat(200)
            ),
        ),
    ]
}
