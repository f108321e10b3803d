//! A chain whose machinery fails at any one moment: the call ends in a typed error, the
//! state is what it was, and the VM goes on.

mod common;

#[path = "common/failing.rs"]
mod failing;

use aivm::{
    Address, BlockContext, Call, Deploy, Error, Hash, Host, HostError, MemoryHost, StateDelta,
    StorageEntry, Vm, Word,
};
use common::*;
use failing::{Failing, Fault};

/// Reads, writes, emits, pays, calls the extension and the contract in its input, whose
/// failure it passes on.
fn busy() -> Vec<u8> {
    let body = format!(
        "(call $storage.load {key} (i32.const 64))
         (i64.store (i32.const 64) (i64.add (i64.load (i32.const 64)) (i64.const 1)))
         (call $storage.store {key} {value})
         (call $storage.set (i32.const 32) (i32.const 4) (i32.const 64) (i32.const 32))
         (call $events.emit (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 8))
         (drop (call $accounts.transfer {target} {one}))
         (call $ext.invoke (i32.const 48) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 128))
         (if (local.get $length) (then
           (call $calls.call {target} {one} (i64.const 10000000) (i32.const 0) (i32.const 0) (i32.const 256))
           (if (i32.load8_u (i32.const 256)) (then unreachable))))
         {RETURN_NOTHING}",
        key = word(1),
        value = push_word("(i32.const 64)"),
        target = push_word("(i32.const 512)"),
        one = word(1),
    );
    // The one who is paid: the input, or nobody.
    let body = format!("(memory.copy (i32.const 512) (local.get $at) (local.get $length)) {body}");
    guest(
        &[
            "storage.load",
            "storage.store",
            "storage.set",
            "events.emit",
            "accounts.transfer",
            "ext.invoke",
            "calls.call",
        ],
        &(call_body(&body) + r#"(data (i32.const 32) "key!") (data (i32.const 48) "x")"#),
    )
}

struct Scene {
    vm: Vm,
    host: Failing<MemoryHost>,
    call: Call,
}

fn scene() -> Scene {
    let vm = Vm::builder().build().unwrap();
    let mut inner =
        MemoryHost::new()
            .with_state_root()
            .with_extension("x", |_| 10, |_| Ok(b"done".to_vec()));
    inner.set_block(BlockContext::new(7, 100));
    let mut world = World::with_vm(vm);
    world.host = inner;
    let (first, second) = (
        world.deploy_with(&busy(), 1, b""),
        world.deploy_with(&busy(), 2, b""),
    );
    for address in [ALICE, first, second] {
        world.host.set_balance(address, Word::from(1_000u64));
    }
    let call = Call::new(ALICE, first, limbs(&second)).with_value(Word::from(5u64));
    Scene {
        vm: world.vm,
        host: Failing::new(world.host),
        call,
    }
}

#[test]
fn whichever_answer_of_the_chain_fails_the_state_stays_whole() {
    for fault in [Fault::Error, Fault::Panic] {
        let expected = {
            let mut scene = scene();
            let receipt = scene.vm.call(&mut scene.host, &scene.call).unwrap();
            assert!(receipt.status.is_success(), "{receipt:?}");
            assert_eq!(receipt.events.len(), 2);
            (receipt, scene.host.asked.get())
        };
        let (expected, asked) = expected;
        assert!(asked >= 12, "{asked}");
        let mut scene = scene();
        scene.host.fault = fault;
        let before = scene.host.inner.state_hash();
        // The last answer is the root of the state that is committed by then.
        for n in 0..asked - 1 {
            // From a cold cache too, where the code has to come from the chain.
            if n % 2 == 0 {
                scene.vm.clear_caches();
            }
            scene.host.left.set(Some(n));
            let error = scene.vm.call(&mut scene.host, &scene.call).unwrap_err();
            match fault {
                Fault::Error => assert!(matches!(error, Error::Host(_)), "{n}: {error:?}"),
                Fault::Panic => assert!(matches!(error, Error::HostPanic(_)), "{n}: {error:?}"),
            }
            assert!(!error.is_refusal());
            scene.host.left.set(None);
            assert_eq!(scene.host.inner.state_hash(), before, "{n}");
            // The VM goes on, and nothing of the failure shows.
            let again = scene.vm.estimate(&scene.host, &scene.call).unwrap().receipt;
            assert_eq!(again.transcript, expected.transcript, "{n}");
            assert_eq!(again.state_delta, expected.state_delta, "{n}");
        }
        let receipt = scene.vm.call(&mut scene.host, &scene.call).unwrap();
        assert_eq!(receipt, expected);
    }
}

#[test]
fn a_root_that_fails_after_the_commit_is_told_apart() {
    let mut scene = scene();
    scene.vm.call(&mut scene.host, &scene.call).unwrap();
    let asked = scene.host.asked.replace(0);
    scene.vm.call(&mut scene.host, &scene.call).unwrap();
    let warm = scene.host.asked.get();
    assert!(warm <= asked);
    let before = scene.host.inner.state_hash();
    scene.host.left.set(Some(warm - 1));
    let error = scene.vm.call(&mut scene.host, &scene.call).unwrap_err();
    assert!(matches!(error, Error::Committed(_)), "{error:?}");
    assert!(!error.is_refusal());
    assert_ne!(scene.host.inner.state_hash(), before);
}

#[test]
fn an_upload_or_a_deployment_that_fails_leaves_nothing_and_can_be_repeated() {
    let wasm = busy();
    let mut host = Failing::new(MemoryHost::new());
    let vm = Vm::builder().build().unwrap();
    let empty = host.inner.state_hash();
    let uploaded = loop {
        let n = host.asked.replace(0);
        host.left.set(Some(n));
        match vm.upload(&mut host, &wasm) {
            Ok(uploaded) => break uploaded,
            Err(error) => {
                assert!(matches!(error, Error::Host(_)), "{error:?}");
                assert_eq!(host.inner.state_hash(), empty);
            }
        }
        assert!(n < 10);
    };
    assert_eq!(host.inner.code(&uploaded.code).unwrap().unwrap(), wasm);

    let deploy = Deploy::new(ALICE, uploaded.code, b"");
    let before = host.inner.state_hash();
    host.left.set(None);
    host.asked.set(0);
    vm.estimate_deploy(&host, &deploy).unwrap();
    let asked = host.asked.get();
    for n in 0..asked {
        host.left.set(Some(n));
        let error = vm.deploy(&mut host, &deploy).unwrap_err();
        assert!(matches!(error, Error::Host(_)), "{n}: {error:?}");
        assert_eq!(host.inner.state_hash(), before, "{n}");
    }
    host.left.set(None);
    let deployed = vm.deploy(&mut host, &deploy).unwrap();
    assert!(deployed.receipt.status.is_success());
}

#[test]
fn queries_and_estimates_fail_as_calls_do() {
    let scene = scene();
    scene.host.asked.set(0);
    scene.vm.estimate(&scene.host, &scene.call).unwrap();
    for n in 0..scene.host.asked.get() {
        scene.host.left.set(Some(n));
        let error = scene.vm.estimate(&scene.host, &scene.call).unwrap_err();
        assert!(matches!(error, Error::Host(_)), "{n}: {error:?}");
    }
    scene.host.left.set(Some(0));
    let error = scene.vm.query(&scene.host, &scene.call).unwrap_err();
    assert!(matches!(error, Error::Host(_)), "{error:?}");
    scene.host.left.set(None);
    assert!(
        scene
            .vm
            .query(&scene.host, &scene.call)
            .unwrap()
            .status
            .is_success()
    );
}

/// A chain that cannot even tell its block.
struct NoBlock;

impl Host for NoBlock {
    fn block(&self) -> BlockContext {
        panic!("no block")
    }
    fn storage_get(&self, _: &Address, _: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        Ok(None)
    }
    fn storage_range(
        &self,
        _: &Address,
        _: &[u8],
        _: usize,
    ) -> Result<Vec<StorageEntry>, HostError> {
        Ok(Vec::new())
    }
    fn balance(&self, _: &Address) -> Result<Word, HostError> {
        Ok(Word::ZERO)
    }
    fn contract(&self, _: &Address) -> Result<Option<Hash>, HostError> {
        Ok(None)
    }
    fn code(&self, _: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        Ok(None)
    }
    fn model(&self, _: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        Ok(None)
    }
    fn commit(&mut self, _: &StateDelta) -> Result<(), HostError> {
        Ok(())
    }
}

#[test]
fn no_function_of_the_vm_lets_a_panic_of_the_chain_pass() {
    let (vm, mut host) = (Vm::builder().build().unwrap(), NoBlock);
    let code = [1; 32];
    let call = Call::new(ALICE, BOB, b"");
    let deploy = Deploy::new(ALICE, code, b"");
    let errors = [
        vm.upload(&mut host, &busy()).unwrap_err(),
        vm.register_model(&mut host, b"").unwrap_err(),
        vm.deploy(&mut host, &deploy).unwrap_err(),
        vm.call(&mut host, &call).unwrap_err(),
        vm.query(&host, &call).unwrap_err(),
        vm.estimate(&host, &call).unwrap_err(),
        vm.estimate_deploy(&host, &deploy).unwrap_err(),
        vm.trace(&host, &call, 100).map(drop).unwrap_err(),
        vm.count_opcodes(&host, &call).unwrap_err(),
        vm.source_map(&host, &code).unwrap_err(),
        vm.block_pq_gas(&host).unwrap_err(),
        vm.pin(&host, &code).unwrap_err(),
        vm.unpin(&host, &code).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::HostPanic(_)), "{error:?}");
    }
}
