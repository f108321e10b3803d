//! The durable host: what was acknowledged survives `kill -9`, what was not leaves no half.
#![cfg(feature = "redb")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use aivm::{BlockContext, Call, Deploy, Host, HostError, RedbHost, StateDelta, Status, Vm, Word};
use common::*;

const KILLS: u32 = 200;
const DATABASE: &str = "AIVM_TEST_DATABASE";

/// Commit number `n` writes `n` to storage and as a balance, and removes its predecessor's
/// key.
fn delta(n: u64) -> StateDelta {
    let mut delta = StateDelta::default();
    let entries = delta.storage.entry(ALICE).or_default();
    entries.insert(b"n".to_vec(), Some(n.to_le_bytes().to_vec()));
    entries.insert(n.to_be_bytes().to_vec(), Some(vec![7; 300]));
    entries.insert((n - 1).to_be_bytes().to_vec(), None);
    delta.balances.insert(BOB, Word::from(n));
    delta
}

/// Not a test of its own: the process that gets killed.
#[test]
#[ignore = "the child process of the test below"]
fn writer() {
    let Ok(path) = std::env::var(DATABASE) else {
        return;
    };
    let mut host = RedbHost::open(path).unwrap();
    let mut n = host.commits().unwrap();
    let mut out = std::io::stdout();
    loop {
        n += 1;
        host.commit(&delta(n)).unwrap();
        writeln!(out, "acknowledged {n}").unwrap();
        out.flush().unwrap();
    }
}

/// Names are kept in the file, and are no part of the state.
#[test]
fn names_of_models_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let mut host = RedbHost::open(&path).unwrap();
    host.commit(&delta(1)).unwrap();
    let (root, commits) = (host.state_root().unwrap(), host.commits().unwrap());
    assert_eq!(host.model_named("digits").unwrap(), None);
    host.name_model("digits", [7; 32]).unwrap();
    host.name_model("", [8; 32]).unwrap();
    host.name_model("digits", [9; 32]).unwrap();
    drop(host);
    let host = RedbHost::open(&path).unwrap();
    assert_eq!(host.model_named("digits").unwrap(), Some([9; 32]));
    assert_eq!(host.model_named("").unwrap(), Some([8; 32]));
    // Not what else lies in the same table.
    for name in ["digit", "root", "commits"] {
        assert_eq!(host.model_named(name).unwrap(), None, "{name}");
    }
    assert_eq!(host.state_root().unwrap(), root);
    assert_eq!(host.commits().unwrap(), commits);
}

/// Everything in the database belongs to one commit; gives its number.
fn check(path: &Path) -> u64 {
    let host = RedbHost::open(path).unwrap();
    let n = host.commits().unwrap();
    if n == 0 {
        return 0;
    }
    let stored = host.storage_get(&ALICE, b"n").unwrap().unwrap();
    assert_eq!(stored, n.to_le_bytes());
    assert_eq!(host.balance(&BOB).unwrap(), Word::from(n));
    let entries = host.storage_range(&ALICE, &[], 10).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].0, n.to_be_bytes());
    assert_eq!(entries[0].1, [7; 300]);
    assert!(host.state_root().unwrap().is_some());
    n
}

#[test]
fn kill_minus_nine_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let (mut last, mut state) = (0, 42u64);
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer", "--ignored", "--nocapture"])
            .env(DATABASE, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            BufReader::new(stdout)
                .lines()
                .map_while(Result::ok)
                .filter_map(|line| line.rsplit("acknowledged ").next()?.parse::<u64>().ok())
                .last()
        });
        // Delays from nothing to some commits, so that kills fall into every phase.
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        std::thread::sleep(Duration::from_micros(5_000 + (state >> 40) % 30_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = reader.join().unwrap().unwrap_or(last);
        let found = check(&path);
        assert!(
            found >= acknowledged,
            "kill {kill}: {acknowledged} acknowledged, {found} found"
        );
        // At most one commit was done and not yet acknowledged.
        assert!(
            found <= acknowledged.max(last) + 1,
            "kill {kill}: {found} after {acknowledged}"
        );
        last = found;
    }
    assert!(last > 0, "no child ever committed");
}

/// What a process leaves that is killed while it makes the database.
#[test]
fn half_a_database_is_made_anew_and_other_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let unfinished = folder.path().join("chain.redb.new");
    for left in [&b""[..], b"redb", &[0; 4096]] {
        std::fs::write(&unfinished, left).unwrap();
        let mut host = RedbHost::open(&path).unwrap();
        host.commit(&delta(1)).unwrap();
        assert_eq!(host.commits().unwrap(), 1);
        assert!(!unfinished.exists());
        drop(host);
        std::fs::remove_file(&path).unwrap();
    }
    // Somebody's file under the name itself is not a thing to replace.
    std::fs::write(&path, b"a letter").unwrap();
    assert!(RedbHost::open(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"a letter");
}

/// Uses a database in every way, after errors too. Gives the number of entries, or the first error.
fn use_all(path: &Path) -> Result<usize, HostError> {
    let mut host = RedbHost::open(path)?;
    let entries = host.storage_range(&ALICE, &[], 1_000);
    let mut results = vec![
        host.commits().map(drop),
        host.state_root().map(drop),
        host.balance(&BOB).map(drop),
        host.contract(&BOB).map(drop),
        host.code(&[1; 32]).map(drop),
        host.has_code(&[1; 32]).map(drop),
        host.model(&[2; 32]).map(drop),
        host.has_model(&[2; 32]).map(drop),
        host.model_named("digits").map(drop),
        host.storage_peek(&ALICE, b"n", 4).map(drop),
    ];
    for (key, _) in entries.iter().flatten() {
        results.push(host.storage_get(&ALICE, key).map(drop));
    }
    results.push(host.name_model("letters", [3; 32]));
    results.push(host.commit(&delta(2)));
    results.into_iter().collect::<Result<(), _>>()?;
    entries.map(|entries| entries.len())
}

/// A disk that forgets a page gives values or errors, and no panic.
#[test]
fn a_page_of_zeros_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("a.redb"), folder.path().join("b.redb"));
    let mut host = RedbHost::open(&path).unwrap();
    let mut delta = delta(1);
    let entries = delta.storage.entry(ALICE).or_default();
    for n in 0..200u64 {
        entries.insert(n.to_be_bytes().repeat(2), Some(vec![7; 300]));
    }
    delta.contracts.insert(BOB, [1; 32]);
    delta.codes.insert([1; 32], vec![5; 10_000]);
    delta.models.insert([2; 32], vec![6; 100]);
    host.commit(&delta).unwrap();
    host.name_model("digits", [2; 32]).unwrap();
    drop(host);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&copy, &whole).unwrap();
    assert_eq!(use_all(&copy).unwrap(), 202);
    let mut errors = 0;
    for (page, bytes) in whole.chunks(4_096).enumerate() {
        if bytes.iter().all(|byte| *byte == 0) {
            continue;
        }
        let mut damaged = whole.clone();
        damaged[page * 4_096..][..bytes.len()].fill(0);
        std::fs::write(&copy, damaged).unwrap();
        match std::panic::catch_unwind(|| use_all(&copy)) {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => errors += 1,
            Err(_) => panic!("page {page}"),
        }
    }
    assert!(errors > 0);
}

#[test]
fn contracts_and_state_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let body = format!(
        "(call $storage.store {} {}) {RETURN_NOTHING}",
        word(1),
        word(9)
    );
    let wasm = guest(&["storage.store"], &call_body(&body));
    let vm = Vm::builder().build().unwrap();
    let contract = {
        let mut host = RedbHost::open(&path).unwrap();
        host.set_block(BlockContext::new(7, 1));
        host.set_balance(ALICE, Word::from(5u64)).unwrap();
        let code = vm.upload(&mut host, &wasm).unwrap().code;
        let deploy = Deploy::new(ALICE, code, b"").with_value(Word::from(2u64));
        let deployed = vm.deploy(&mut host, &deploy).unwrap();
        assert!(deployed.receipt.status.is_success());
        let receipt = vm
            .call(&mut host, &Call::new(ALICE, deployed.address, b""))
            .unwrap();
        assert_eq!(receipt.status, Status::Return);
        assert_ne!(receipt.state_root_before, receipt.state_root_after);
        deployed.address
    };
    let host = RedbHost::open(&path).unwrap();
    let stored = host.storage_get(&contract, &Word::from(1u64).to_be_bytes());
    assert_eq!(stored.unwrap().unwrap(), Word::from(9u64).to_be_bytes());
    assert_eq!(host.balance(&ALICE).unwrap(), Word::from(3u64));
    assert_eq!(host.balance(&contract).unwrap(), Word::from(2u64));
    let receipt = vm.query(&host, &Call::new(ALICE, contract, b"")).unwrap();
    assert_eq!(receipt.status, Status::Return);
}
