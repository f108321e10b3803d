//! Memory over time: alone in its process, because it watches the whole process.

mod common;

use aivm::{Deploy, MemoryHost, Vm};
use common::*;

/// Resident memory in bytes.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// 11: code that is evicted is gone from memory.
#[test]
fn pitfall_11_memory_does_not_grow_with_every_module_ever_compiled() {
    let vm = Vm::builder().code_cache_bytes(1 << 20).build().unwrap();
    let mut world = World::with_vm(vm);
    let data = "x".repeat(20_000);
    let round = |world: &mut World, round: u32| {
        for n in 0..60u32 {
            let rest = call_body(&format!(
                "(drop (i32.const {})) {RETURN_NOTHING}",
                round * 100 + n
            )) + &format!("(data (i32.const 10000) \"{data}\")");
            let wasm = guest(&[], &rest);
            let mut host = MemoryHost::new();
            let code = world.vm.upload(&mut host, &wasm).unwrap().code;
            let deploy = Deploy::new(ALICE, code, b"");
            assert!(
                world
                    .vm
                    .deploy(&mut host, &deploy)
                    .unwrap()
                    .receipt
                    .status
                    .is_success()
            );
        }
    };
    for n in 0..3 {
        round(&mut world, n);
    }
    let Some(warm) = resident() else { return };
    for n in 3..12 {
        round(&mut world, n);
    }
    let after = resident().unwrap();
    let stats = world.vm.cache_stats();
    assert!(stats.evicted > 300, "{stats:?}");
    assert!(stats.bytes <= 1 << 20, "{stats:?}");
    assert!(after < warm + warm / 4, "{warm} to {after}");
}
