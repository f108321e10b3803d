//! Many contracts, each called many times: alone in its process, because it watches the
//! whole process.
//!
//! `AIVM_CONTRACTS=1000 AIVM_CALLS=1000` for the full size.

mod common;

use common::*;

/// Resident memory in bytes.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn size(name: &str, otherwise: u32) -> u32 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

#[test]
fn memory_stays_where_it_is_once_every_contract_was_called() {
    let (contracts, calls) = (size("AIVM_CONTRACTS", 100), size("AIVM_CALLS", 60));
    let mut world = World::new();
    // Each writes some pages, not all of them in every call.
    let contracts: Vec<_> = (0..contracts)
        .map(|n| {
            let body = format!(
                "(memory.fill (i32.const 20000) (i32.const {}) (i32.const 9000))
                 (i32.store (i32.mul (i32.load8_u (local.get $at)) (i32.const 1000)) (i32.const {n}))
                 {RETURN_NOTHING}",
                n % 256
            );
            let data = format!("(data (i32.const 40000) \"{}\")", "x".repeat(5_000));
            world.deploy(&guest(&[], &(call_body(&body) + &data)))
        })
        .collect();
    let mut round = |n: u32| {
        for contract in &contracts {
            assert!(
                world
                    .call(*contract, &[(n % 5) as u8 * 20])
                    .status
                    .is_success()
            );
        }
    };
    for n in 0..calls / 10 {
        round(n);
    }
    let Some(warm) = resident() else { return };
    for n in calls / 10..calls {
        round(n);
    }
    let after = resident().unwrap_or(warm);
    println!(
        "{} contracts, {calls} calls each: {warm} to {after} bytes",
        contracts.len()
    );
    assert!(after <= warm + warm / 10, "{warm} to {after}");
}
