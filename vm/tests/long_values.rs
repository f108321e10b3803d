//! Values of about a megabyte: asking for one, overwriting and removing it has a flat price, so none of
//! them reads it.

mod common;

use std::cell::RefCell;

use aivm::{
    Address, BlockContext, Call, Hash, Host, HostError, MemoryHost, Peeked, Receipt, StateDelta,
    StorageEntry, Word,
};
use common::*;

/// A chain that notes the lengths of the values that are read.
struct Noting {
    inner: MemoryHost,
    read: RefCell<Vec<usize>>,
    /// Whether its store tells lengths.
    tells: bool,
}

impl Noting {
    fn note(&self, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
        if let Some(value) = &value {
            self.read.borrow_mut().push(value.len());
        }
        value
    }
}

impl Host for Noting {
    fn block(&self) -> BlockContext {
        self.inner.block()
    }
    fn storage_get(&self, contract: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.note(self.inner.storage_get(contract, key)?))
    }
    fn storage_peek(
        &self,
        contract: &Address,
        key: &[u8],
        most: usize,
    ) -> Result<Option<Peeked>, HostError> {
        match self.tells {
            true => self.inner.storage_peek(contract, key, most),
            false => Ok(self.storage_get(contract, key)?.map(Peeked::Value)),
        }
    }
    fn storage_range(
        &self,
        contract: &Address,
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StorageEntry>, HostError> {
        self.inner.storage_range(contract, from, limit)
    }
    fn balance(&self, address: &Address) -> Result<Word, HostError> {
        self.inner.balance(address)
    }
    fn contract(&self, address: &Address) -> Result<Option<Hash>, HostError> {
        self.inner.contract(address)
    }
    fn code(&self, code_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        self.inner.code(code_hash)
    }
    fn model(&self, model_hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
        self.inner.model(model_hash)
    }
    fn commit(&mut self, delta: &StateDelta) -> Result<(), HostError> {
        self.inner.commit(delta)
    }
}

/// As long as fits one host call, key and all.
const LONG: usize = 1_000_000;

/// What `body` does to an entry of a megabyte of sevens, and the lengths of what was read for it. The
/// receipt is that of a chain that reads everything.
fn done(body: &str) -> (Receipt, Vec<usize>, Option<Vec<u8>>) {
    const IMPORTS: [&str; 6] = [
        "storage.has",
        "storage.get",
        "storage.set",
        "storage.remove",
        "journal.begin",
        "journal.rollback",
    ];
    // The key lies at 16; a megabyte of sevens begins at 200000, one of eights at 1300000.
    let body = format!(
        "(local $sum i32)
         (drop (memory.grow (i32.const 64)))
         (memory.fill (i32.const 200000) (i32.const 7) (i32.const {LONG}))
         (memory.fill (i32.const 1300000) (i32.const 8) (i32.const {LONG}))
         {body}
         (i32.store (i32.const 64) (local.get $sum))
         (call $result (i32.const 0) (i32.const 64) (i32.const 4))"
    );
    let rest = call_body(&body)
        + r#"(data (i32.const 16) "key")
             (func $has (result i32) (call $storage.has (i32.const 16) (i32.const 3)))
             (func $remove (result i32) (call $storage.remove (i32.const 16) (i32.const 3)))
             (func $set (param i32 i32)
               (call $storage.set (i32.const 16) (i32.const 3) (local.get 0) (local.get 1)))
             (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
               (if (result i32) (local.get 3) (then (i32.const 2400000)) (else (i32.const 4096))))"#;
    let [reading, telling] = [false, true].map(|tells| {
        let mut world = World::new();
        let contract = world.deploy(&guest(&IMPORTS, &rest));
        world.host.set_storage(contract, b"key", Some(&[7; LONG]));
        let mut host = Noting {
            inner: world.host,
            read: RefCell::default(),
            tells,
        };
        let call = Call::new(ALICE, contract, b"").with_gas_limit(1 << 40);
        let receipt = world.vm.call(&mut host, &call).unwrap();
        assert!(receipt.status.is_success(), "{:?}: {body}", receipt.status);
        let left = host.inner.storage_get(&contract, b"key").unwrap();
        (receipt, host.read.take(), left)
    });
    assert_eq!(reading.0, telling.0, "{body}");
    assert!(reading.2 == telling.2, "{body}");
    assert_eq!(reading.1, [LONG], "{body}");
    telling
}

const SEVENS: &str = "(i32.const 200000) (i32.const 1000000)";
const EIGHTS: &str = "(i32.const 1300000) (i32.const 1000000)";
const SHORT: &str = "(i32.const 200000) (i32.const 5)";
const ADD: &str = "(local.set $sum (i32.add (local.get $sum)";

#[test]
fn a_long_value_is_not_read_to_be_overwritten_removed_or_asked_for() {
    let seven = || Some(vec![7; LONG]);
    for (body, sum, left) in [
        (format!("{ADD} (call $has)))"), 1, seven()),
        (
            format!("{ADD} (call $has))) {ADD} (call $has)))"),
            2,
            seven(),
        ),
        (
            format!("{ADD} (call $remove))) {ADD} (call $remove)))"),
            1,
            None,
        ),
        (
            format!("(call $set {SHORT}) {ADD} (call $has)))"),
            1,
            Some(vec![7; 5]),
        ),
        (
            format!("{ADD} (call $remove))) (call $set {SHORT})"),
            1,
            Some(vec![7; 5]),
        ),
        (
            format!(
                "(call $journal.begin) {ADD} (call $remove))) (call $journal.rollback) {ADD} (call $has)))"
            ),
            2,
            seven(),
        ),
        (
            format!(
                "(call $journal.begin) (call $set {SHORT}) (call $journal.rollback) (call $set {SHORT})"
            ),
            0,
            Some(vec![7; 5]),
        ),
    ] {
        let (receipt, read, found) = done(&body);
        assert_eq!(receipt.output, u32::to_le_bytes(sum), "{body}");
        assert!(read.is_empty(), "{read:?}: {body}");
        assert!(found == left, "{body}");
    }
}

#[test]
fn it_is_read_once_where_it_matters() {
    for (body, changes, left) in [
        // As long as what is there: it may be the same, at once or in the end.
        (format!("(call $set {SEVENS})"), false, 7),
        (format!("(call $set {EIGHTS})"), true, 8),
        (format!("{ADD} (call $remove))) (call $set {SEVENS})"), false, 7),
        (format!("(call $set {SHORT}) (call $set {SEVENS})"), false, 7),
        (format!("(call $set {SHORT}) (call $set {EIGHTS})"), true, 8),
        (format!("(call $set {EIGHTS}) (call $set {SEVENS}) {ADD} (call $has)))"), false, 7),
        (
            format!("(call $journal.begin) (call $set {EIGHTS}) (call $journal.rollback) {ADD} (call $has)))"),
            false,
            7,
        ),
        (
            format!("{ADD} (call $has))) (call $storage.get (i32.const 16) (i32.const 3) (i32.const 80))
               {ADD} (i32.load8_u (i32.add (i32.const 999999) (i32.load (i32.const 84))))))
               (call $storage.get (i32.const 16) (i32.const 3) (i32.const 80))"),
            false,
            7,
        ),
    ] {
        let (receipt, read, found) = done(&body);
        assert_eq!(read, [LONG], "{body}");
        let empty = StateDelta::default().hash();
        assert_eq!(receipt.state_delta.0 != empty, changes, "{body}");
        assert!(found == Some(vec![left; LONG]), "{body}");
    }
}

/// A chain that says one thing and then another fails; nothing comes of it.
#[test]
fn a_length_that_was_wrong_is_an_error() {
    struct Lying(Noting);
    impl Host for Lying {
        fn block(&self) -> BlockContext {
            self.0.block()
        }
        fn storage_get(&self, a: &Address, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
            self.0.storage_get(a, key)
        }
        fn storage_peek(
            &self,
            _: &Address,
            _: &[u8],
            _: usize,
        ) -> Result<Option<Peeked>, HostError> {
            Ok(Some(Peeked::Longer(2_000)))
        }
        fn storage_range(
            &self,
            a: &Address,
            from: &[u8],
            limit: usize,
        ) -> Result<Vec<StorageEntry>, HostError> {
            self.0.storage_range(a, from, limit)
        }
        fn balance(&self, a: &Address) -> Result<Word, HostError> {
            self.0.balance(a)
        }
        fn contract(&self, a: &Address) -> Result<Option<Hash>, HostError> {
            self.0.contract(a)
        }
        fn code(&self, hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
            self.0.code(hash)
        }
        fn model(&self, hash: &Hash) -> Result<Option<Vec<u8>>, HostError> {
            self.0.model(hash)
        }
        fn commit(&mut self, delta: &StateDelta) -> Result<(), HostError> {
            self.0.commit(delta)
        }
    }
    for value in [None, Some(vec![1; 1_999]), Some(vec![1; 2_001])] {
        let body = format!(
            "(drop (call $storage.has (i32.const 16) (i32.const 3)))
             (call $storage.get (i32.const 16) (i32.const 3) (i32.const 64)) {RETURN_NOTHING}"
        );
        let mut world = World::new();
        let contract = world.deploy(&guest(&["storage.has", "storage.get"], &call_body(&body)));
        world.host.set_storage(contract, &[0; 3], value.as_deref());
        let mut host = Lying(Noting {
            inner: world.host,
            read: RefCell::default(),
            tells: true,
        });
        let error = world
            .vm
            .call(&mut host, &Call::new(ALICE, contract, b""))
            .unwrap_err();
        assert!(matches!(&error, aivm::Error::Host(_)), "{error}");
    }
}
