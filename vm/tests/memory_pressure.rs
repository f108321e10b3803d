//! A machine that has no memory left: alone in its process, because it limits the whole
//! process.

mod common;

use aivm::{Call, Error, Status};
use common::*;

/// Bytes of private writable memory that the process has.
fn data_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmData:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn limit_data(bytes: u64) -> libc::rlimit {
    let mut old = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: both calls get a valid `rlimit`.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_DATA, &mut old), 0);
        let new = libc::rlimit {
            rlim_cur: bytes,
            rlim_max: old.rlim_max,
        };
        assert_eq!(libc::setrlimit(libc::RLIMIT_DATA, &new), 0);
    }
    old
}

/// A node with more memory would have gone on, so a node without has no result: neither
/// the -1 that the guest saw nor what it made of it.
#[test]
fn memory_that_the_machine_refuses_is_an_error_and_no_result() {
    let grow = "(local $old i32)
      (local.set $old (memory.grow (i32.const 200)))
      (i32.store (i32.const 2048) (local.get $old))
      (if (i32.eq (local.get $old) (i32.const -1)) (then
        (if (i32.load8_u (local.get $at)) (then unreachable))))
      (call $result (i32.const 0) (i32.const 2048) (i32.const 4))";
    // The same behind a call, whose failure the caller does not mind.
    let outer = format!(
        "(call $calls.call {} {} (i64.const -1) (i32.const 0) (i32.const 1) (i32.const 64)) {RETURN_NOTHING}",
        push_word("(local.get $at)"),
        word(0)
    );
    let mut world = World::new();
    let contract = world.deploy(&guest(&[], &call_body(grow)));
    let caller = world.deploy(&guest(&["calls.call"], &call_body(&outer)));
    let calls = [
        Call::new(ALICE, contract, [0]),
        Call::new(ALICE, contract, [1]),
        Call::new(ALICE, caller, limbs(&contract)),
    ]
    .map(|call| call.with_gas_limit(1 << 40));
    let expected = calls.each_ref().map(|call| {
        let receipt = world.vm.estimate(&world.host, call).unwrap().receipt;
        assert_eq!(receipt.status, Status::Return);
        receipt
    });
    assert_eq!(expected[0].output, 2u32.to_le_bytes());
    let before = world.host.state_hash();
    let Some(now) = data_bytes() else { return };
    let old = limit_data(now + (4 << 20));
    let results = calls
        .each_ref()
        .map(|call| world.vm.call(&mut world.host, call));
    limit_data(old.rlim_cur);
    for result in results {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Engine(_)), "{error:?}");
        assert!(error.to_string().contains("memory"), "{error}");
        assert!(!error.is_refusal());
    }
    assert_eq!(world.host.state_hash(), before);
    // With memory again, all is as it was.
    for (call, expected) in calls.iter().zip(expected) {
        let receipt = world.vm.estimate(&world.host, call).unwrap().receipt;
        assert_eq!(receipt, expected);
    }
}
