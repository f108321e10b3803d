//! Recursion in every form, 100,000 levels deep if it could: each ends in a defined
//! status, and the process lives on.

mod common;

use aivm::{Address, Call, Deploy, GasSchedule, Receipt, Status, TrapCode};
use common::*;

/// Deeper than any limit.
const LEVELS: u32 = 100_000;

/// Plenty.
const GAS: u64 = 1 << 50;

fn send(world: &mut World, contract: Address, input: &[u8]) -> Receipt {
    world.send(&Call::new(ALICE, contract, input).with_gas_limit(GAS))
}

/// What a call of `body` with `rest` beside it comes to.
fn status(body: &str, rest: &str) -> Status {
    let mut world = World::new();
    let body = format!("{body} {RETURN_NOTHING}");
    let contract = world.deploy(&guest(&[], &(call_body(&body) + rest)));
    let receipt = send(&mut world, contract, b"");
    if receipt.status.is_success() {
        assert!(receipt.gas.total() < GAS);
    } else {
        assert_eq!(receipt.gas.total(), GAS);
    }
    receipt.status
}

const STACK: Status = Status::Trap(TrapCode::StackLimit);

#[test]
fn wasm_calls_itself_directly() {
    let down = "(func $down (param i32)
      (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))";
    assert_eq!(
        status(&format!("(call $down (i32.const {LEVELS}))"), down),
        STACK
    );
    // What fits is no trap, so the limit is what ended the other.
    assert_eq!(
        status("(call $down (i32.const 1000))", down),
        Status::Return
    );
}

#[test]
fn wasm_functions_call_each_other() {
    let rest = "
      (func $a (param i32) (result i64) (i64.add (i64.const 1) (call $b (local.get 0))))
      (func $b (param i32) (result i64) (i64.mul (i64.const 3) (call $c (local.get 0))))
      (func $c (param i32) (result i64)
        (if (result i64) (local.get 0)
          (then (call $a (i32.sub (local.get 0) (i32.const 1))))
          (else (i64.const 0))))";
    assert_eq!(
        status(&format!("(drop (call $a (i32.const {LEVELS})))"), rest),
        STACK
    );
    assert_eq!(
        status("(drop (call $a (i32.const 300)))", rest),
        Status::Return
    );
}

#[test]
fn wasm_calls_itself_through_a_table() {
    let rest = "
      (type $t (func (param i32)))
      (table 2 funcref) (elem (i32.const 0) $even $odd)
      (func $even (param i32) (call $next (local.get 0) (i32.const 1)))
      (func $odd (param i32) (call $next (local.get 0) (i32.const 0)))
      (func $next (param i32 i32)
        (if (local.get 0) (then
          (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))))";
    assert_eq!(
        status(&format!("(call $even (i32.const {LEVELS}))"), rest),
        STACK
    );
    assert_eq!(status("(call $even (i32.const 300))", rest), Status::Return);
}

/// The shapes of frames that need most native stack for what the logical stack counts.
#[test]
fn frames_of_every_shape_meet_the_logical_limit_first() {
    let params = |n: usize, ty: &str| format!("{ty} ").repeat(n);
    let gets = |n: usize| -> String { (0..n).map(|i| format!("(local.get {i}) ")).collect() };
    let vectors = {
        let sets: String = (1..=150)
            .map(|i| {
                format!("(local.set {i} (i64x2.splat (i64.add (local.get 0) (i64.const {i}))))")
            })
            .collect();
        let uses: String = (1..=150)
            .map(|i| format!("(global.set $v (v128.xor (global.get $v) (local.get {i})))"))
            .collect();
        format!(
            "(global $v (mut v128) (v128.const i64x2 0 0))
             (func $down (param i64) (local {}) {sets}
               (call $down (i64.add (local.get 0) (i64.const 1))) {uses})",
            params(150, "v128")
        )
    };
    let many_parameters = format!(
        "(func $wide (param {}) (call $wide {}))
         (func $down (param i64) (call $wide {}))",
        params(60, "i64"),
        gets(60),
        "(local.get 0) ".repeat(60)
    );
    let many_results = format!(
        "(func $wide (result {}) (call $wide))
         (func $down (param i64) (call $wide) {})",
        params(40, "i64"),
        "drop ".repeat(40)
    );
    let operands = {
        // 200 values on the operand stack at the call.
        let pushes: String = (0..200)
            .map(|i| format!("(i64.mul (local.get 0) (i64.const {}))", i + 3))
            .collect();
        format!(
            "(func $down (param i64) {pushes} (call $down (i64.add (local.get 0) (i64.const 1)))
               {} (global.set $sum))
             (global $sum (mut i64) (i64.const 0))",
            "i64.add ".repeat(199)
        )
    };
    let indirect = format!(
        "(type $t (func (param {wide})))
         (table 1 funcref) (elem (i32.const 0) $wide)
         (func $wide (type $t) (call_indirect (type $t) {} (i32.const 0)))
         (func $down (param i64) (call $wide {}))",
        gets(60),
        "(f64.convert_i64_s (local.get 0)) ".repeat(60),
        wide = params(60, "f64"),
    );
    let shapes = [vectors, many_parameters, many_results, operands, indirect];
    for (n, rest) in shapes.iter().enumerate() {
        assert_eq!(
            status("(call $down (i64.const 1))", rest),
            STACK,
            "shape {n}"
        );
    }
}

/// The host calls the allocator, and the allocator the host, and so on.
#[test]
fn the_allocator_calls_the_host_that_calls_the_allocator() {
    // Both ways in: the input of the export, and the result of a host function.
    for (imports, in_allocator, in_call) in [
        (
            &["storage.get"][..],
            "(call $storage.get (i32.const 0) (i32.const 1) (i32.const 64))",
            "",
        ),
        (
            &["storage.get", "calls.self-call"],
            "(call $calls.self-call (i64.const -1) (i32.const 0) (i32.const 1) (i32.const 64))",
            "(call $storage.get (i32.const 0) (i32.const 1) (i32.const 64))",
        ),
    ] {
        // Only once it was told to, so that the deployment goes through.
        let rest = call_body(&format!("{in_call} {RETURN_NOTHING}"))
            + &format!(
                "(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
                   (if (i32.gt_u (local.get 3) (i32.const 0)) (then {in_allocator}))
                   (i32.const 4096))"
            );
        let mut world = World::new();
        let contract = world.deploy(&guest(imports, &rest));
        world.host.set_storage(contract, b"\0", Some(b"value"));
        let receipt = send(&mut world, contract, b"x");
        assert_eq!(receipt.status, Status::Trap(TrapCode::Protocol));
        assert_eq!(receipt.gas.total(), GAS);
    }
}

#[test]
fn the_allocator_calls_itself() {
    let rest = r#"
      (func $again (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (call $again (local.get 0) (local.get 1) (local.get 2) (local.get 3)))"#;
    let mut world = World::new();
    let code = world.upload(&guest(&[], rest));
    let deploy = Deploy::new(ALICE, code, b"input").with_gas_limit(GAS);
    let receipt = world.vm.deploy(&mut world.host, &deploy).unwrap().receipt;
    assert_eq!(receipt.status, STACK);
}

/// How a contract of the chain below goes one level down.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Call,
    SelfCall,
    Query,
    /// Calls from the bottom of a deep Wasm stack.
    DeepCall,
}

/// Input: this contract and the next, 32 bytes each. Goes one level down with the two
/// swapped, and returns one more than the level below did. Where that fails it returns 1,
/// or traps when `trap` says so.
fn link(step: Step, trap: bool) -> Vec<u8> {
    let target = push_word("(i32.add (local.get $at) (i32.const 32))");
    let down = match step {
        Step::Call | Step::DeepCall => format!(
            "(call $calls.call {target} {} (i64.const -1) (i32.const 4096) (i32.const 64) (i32.const 64))",
            word(0)
        ),
        Step::SelfCall => {
            "(call $calls.self-call (i64.const -1) (i32.const 4096) (i32.const 64) (i32.const 64))"
                .to_owned()
        }
        Step::Query => format!(
            "(call $calls.query {target} (i64.const -1) (i32.const 4096) (i32.const 64) (i32.const 64))"
        ),
    };
    let failed = if trap { "unreachable" } else { "" };
    let body = format!(
        "(call $calls.allow-reentrancy (i32.const 1))
         (memory.copy (i32.const 4096) (i32.add (local.get $at) (i32.const 32)) (i32.const 32))
         (memory.copy (i32.const 4128) (local.get $at) (i32.const 32))
         {down}
         (i32.store (i32.const 2048) (i32.const 1))
         (if (i32.load8_u (i32.const 64))
           (then {failed})
           (else (i32.store (i32.const 2048)
             (i32.add (i32.const 1) (i32.load (i32.load (i32.const 68)))))))
         (call $result (i32.const 0) (i32.const 2048) (i32.const 4))"
    );
    let export = if step == Step::Query { "query" } else { "call" };
    let mut rest = format!("(func $link (param $at i32) (param $length i32) (result i32) {body})");
    rest += &match step {
        Step::DeepCall => format!(
            "(func $deep (param $at i32) (param $length i32) (param $left i32) (result i32)
               (if (result i32) (local.get $left)
                 (then (call $deep (local.get $at) (local.get $length)
                   (i32.sub (local.get $left) (i32.const 1))))
                 (else (call $link (local.get $at) (local.get $length)))))
             (func (export \"{export}\") (param i32 i32) (result i32)
               (call $deep (local.get 0) (local.get 1) (i32.const 2000)))"
        ),
        _ => format!("(export \"{export}\" (func $link))"),
    };
    let imports = match step {
        Step::Call | Step::DeepCall => ["calls.call", "calls.allow-reentrancy"],
        Step::SelfCall => ["calls.self-call", "calls.allow-reentrancy"],
        Step::Query => ["calls.query", "calls.allow-reentrancy"],
    };
    let mut text = guest_text(&imports, &rest);
    if step != Step::DeepCall {
        // `guest` gives the export a body of its own unless it sees one.
        let own = format!(
            "\n(func (export \"{export}\") (param i32 i32) (result i32)
                  (call $result (i32.const 0) (i32.const 0) (i32.const 0)))"
        );
        text = text.replace(&own, "");
    }
    wat::parse_str(text).expect("the test guest is valid text")
}

fn pair(this: &Address, next: &Address) -> Vec<u8> {
    [limbs(this), limbs(next)].concat()
}

/// The receipt of a chain between two contracts, which may be one, on a thread with less
/// stack than most have.
fn chain(step: Step, trap: bool, two: bool) -> Receipt {
    let run = move || {
        let mut world = World::new();
        let wasm = link(step, trap);
        let a = world.deploy_with(&wasm, 1, b"");
        let b = if two {
            world.deploy_with(&wasm, 2, b"")
        } else {
            a
        };
        let request = Call::new(ALICE, a, pair(&a, &b)).with_gas_limit(GAS);
        match step {
            Step::Query => world.vm.query(&world.host, &request).unwrap(),
            _ => world.send(&request),
        }
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    thread.spawn(run).unwrap().join().unwrap()
}

#[test]
fn contracts_call_each_other_down_to_the_depth_limit_and_no_further() {
    let depth = GasSchedule::v1().call.max_depth;
    for step in [Step::Call, Step::SelfCall, Step::Query, Step::DeepCall] {
        for two in [false, true] {
            // The one at the bottom is told and decides for itself.
            let receipt = chain(step, false, two);
            assert_eq!(receipt.status, Status::Return, "{step:?}");
            assert_eq!(receipt.output, depth.to_le_bytes(), "{step:?}");
            // If it traps, so does whoever called it, up to the top.
            let receipt = chain(step, true, two);
            assert_eq!(
                receipt.status,
                Status::Trap(TrapCode::Unreachable),
                "{step:?}"
            );
            assert_eq!(receipt.gas.total(), GAS);
        }
    }
}

#[test]
fn a_constructor_calls_the_contract_that_it_makes() {
    let depth = GasSchedule::v1().call.max_depth;
    let wasm = link(Step::SelfCall, false);
    let mut world = World::new();
    let code = world.upload(&wasm);
    // The exports of one module, with the constructor entering the chain.
    let text = {
        let call = "(export \"call\" (func $link))";
        let rest = "(func $link (param $at i32) (param $length i32) (result i32)
            (call $calls.allow-reentrancy (i32.const 1))
            (call $calls.self-call (i64.const -1) (local.get $at) (local.get $length) (i32.const 64))
            (i32.store (i32.const 2048) (i32.const 1))
            (if (i32.eqz (i32.load8_u (i32.const 64)))
              (then (i32.store (i32.const 2048)
                (i32.add (i32.const 1) (i32.load (i32.load (i32.const 68)))))))
            (call $result (i32.const 0) (i32.const 2048) (i32.const 4)))";
        let mut text = guest_text(
            &["calls.self-call", "calls.allow-reentrancy"],
            &format!("{rest} {call} (export \"construct\" (func $link))"),
        );
        for export in ["construct", "call"] {
            let own = format!(
                "\n(func (export \"{export}\") (param i32 i32) (result i32)
                  (call $result (i32.const 0) (i32.const 0) (i32.const 0)))"
            );
            text = text.replace(&own, "");
        }
        text
    };
    let recursive = world.upload(&wat::parse_str(text).unwrap());
    assert_ne!(code, recursive);
    let deploy = Deploy::new(ALICE, recursive, b"").with_gas_limit(GAS);
    let deployed = world.vm.deploy(&mut world.host, &deploy).unwrap();
    assert_eq!(deployed.receipt.status, Status::Return);
    assert_eq!(deployed.receipt.output, depth.to_le_bytes());
}

/// Where a callee does not let callers back in, the chain ends at once.
#[test]
fn a_chain_of_reentrancy_ends_where_it_is_not_allowed() {
    let wasm = {
        let rest = call_body(&format!(
            "(call $calls.call {} {} (i64.const -1) (local.get $at) (local.get $length) (i32.const 64))
             (i32.store (i32.const 2048) (i32.load8_u (i32.const 68)))
             (i32.store8 (i32.const 2049) (i32.load8_u (i32.const 64)))
             (call $result (i32.const 0) (i32.const 2048) (i32.const 4))",
            push_word("(local.get $at)"),
            word(0)
        ));
        guest(&["calls.call"], &rest)
    };
    let mut world = World::new();
    let contract = world.deploy(&wasm);
    let receipt = send(&mut world, contract, &limbs(&contract));
    assert_eq!(receipt.status, Status::Return);
    // Failure number 5: reentrancy.
    assert_eq!(receipt.output, [5, 1, 0, 0]);
}
