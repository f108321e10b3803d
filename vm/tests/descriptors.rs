//! Open files are few, and the node needs them: for its database, its peers, its users.

mod common;

use aivm::Call;
use common::*;

/// Files that this process has open.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn contracts_with_data_do_not_take_an_open_file_each() {
    let mut world = World::new();
    let mut contracts = Vec::new();
    let contract = |n: u8| {
        let body = "(call $result (i32.const 0) (i32.const 70000) (i32.const 2))";
        let data = format!(r#"(data (i32.const 70000) "{}\{n:02x}")"#, 'x');
        guest(&[], &(call_body(body) + &data))
    };
    contracts.push(world.deploy(&contract(0)));
    let before = open_files();
    for n in 1..=100 {
        contracts.push(world.deploy(&contract(n)));
    }
    assert!(open_files() <= before, "{} more", open_files() - before);
    // Each starts with its own data, also where that of another was.
    for round in 0..3 {
        for (n, contract) in contracts.iter().enumerate() {
            let receipt = world.send(&Call::new(ALICE, *contract, b""));
            assert_eq!(receipt.output, [b'x', n as u8], "round {round}");
        }
        world.vm.clear_caches();
    }
    assert!(open_files() <= before);
}
