//! Guests in the text format and a chain in memory to run them on.
#![allow(dead_code)]

use std::fmt::Write;

use aivm::{Address, BlockContext, Call, Deploy, Hash, MemoryHost, Receipt, Vm, Word};

pub const ALICE: Address = Address([0xa1; 20]);
pub const BOB: Address = Address([0xb0; 20]);

/// A contract in the text format: the named imports, a memory of two pages, a bump
/// allocator, `$result`, and `rest`. Exports that `rest` leaves out return nothing.
pub fn guest(imports: &[&str], rest: &str) -> Vec<u8> {
    wat::parse_str(guest_text(imports, rest)).expect("the test guest is valid text")
}

pub fn guest_text(imports: &[&str], rest: &str) -> String {
    let mut text = String::from("(module\n");
    for key in imports {
        let import = aivm_abi::IMPORTS
            .iter()
            .find(|import| import.key == *key)
            .unwrap_or_else(|| panic!("no import {key}"));
        let types = |types: &[aivm_abi::CoreType]| {
            let names: Vec<String> = types.iter().map(ToString::to_string).collect();
            names.join(" ")
        };
        writeln!(
            text,
            "(import {:?} {:?} (func ${} (param {}) (result {})))",
            import.module,
            import.function,
            // Brackets cannot stand in a name.
            key.replace(['[', ']'], "-"),
            types(import.params),
            types(import.results)
        )
        .unwrap();
    }
    text += r#"
(memory (export "memory") 2)
(global $heap (mut i32) (i32.const 8192))
"#;
    if !rest.contains("cabi_realloc") {
        text += r#"
(func $alloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
  (local $at i32)
  (local.set $at (i32.and
    (i32.add (global.get $heap) (i32.sub (local.get 2) (i32.const 1)))
    (i32.sub (i32.const 0) (local.get 2))))
  (global.set $heap (i32.add (local.get $at) (local.get 3)))
  (local.get $at))
"#;
    }
    text += r#"
;; result<list<u8>, list<u8>> at 1024
(func $result (param $tag i32) (param $at i32) (param $length i32) (result i32)
  (i32.store (i32.const 1024) (local.get $tag))
  (i32.store (i32.const 1028) (local.get $at))
  (i32.store (i32.const 1032) (local.get $length))
  (i32.const 1024))
"#;
    text += rest;
    for export in ["construct", "call", "query"] {
        if !rest.contains(&format!("(export \"{export}\")")) {
            write!(
                text,
                "\n(func (export \"{export}\") (param i32 i32) (result i32)
                  (call $result (i32.const 0) (i32.const 0) (i32.const 0)))"
            )
            .unwrap();
        }
    }
    text += ")";
    text
}

/// The body of `call`.
pub fn call_body(body: &str) -> String {
    format!("(func (export \"call\") (param $at i32) (param $length i32) (result i32) {body})")
}

pub const RETURN_NOTHING: &str = "(call $result (i32.const 0) (i32.const 0) (i32.const 0))";

/// A VM and a chain.
pub struct World {
    pub vm: Vm,
    pub host: MemoryHost,
}

impl World {
    pub fn new() -> Self {
        Self::with_vm(Vm::builder().build().unwrap())
    }

    pub fn with_vm(vm: Vm) -> Self {
        let mut host = MemoryHost::new();
        host.set_block(BlockContext::new(7, 100).with_timestamp(1_700_000_000));
        host.set_balance(ALICE, Word::from(1_000_000u64));
        Self { vm, host }
    }

    pub fn upload(&mut self, wasm: &[u8]) -> Hash {
        self.vm.upload(&mut self.host, wasm).unwrap().code
    }

    /// Uploads and deploys; the constructor must return.
    pub fn deploy(&mut self, wasm: &[u8]) -> Address {
        self.deploy_with(wasm, 0, b"")
    }

    pub fn deploy_with(&mut self, wasm: &[u8], salt: u8, input: &[u8]) -> Address {
        let code = self.upload(wasm);
        let deploy = Deploy::new(ALICE, code, input).with_salt([salt; 32]);
        let deployed = self.vm.deploy(&mut self.host, &deploy).unwrap();
        assert!(
            deployed.receipt.status.is_success(),
            "{:?}",
            deployed.receipt
        );
        deployed.address
    }

    pub fn call(&mut self, to: Address, input: &[u8]) -> Receipt {
        self.send(&Call::new(ALICE, to, input))
    }

    pub fn send(&mut self, call: &Call) -> Receipt {
        self.vm.call(&mut self.host, call).unwrap()
    }
}

/// An address as a guest reads it from memory: four little-endian limbs.
pub fn limbs(address: &Address) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[12..].copy_from_slice(&address.0);
    Word::from_be_bytes(bytes).to_le_bytes()
}

/// Pushes the word at `at` as four limbs.
pub fn push_word(at: &str) -> String {
    (0..4)
        .map(|i| format!("(i64.load offset={} {at}) ", 8 * i))
        .collect()
}

/// Pushes a small constant as a word.
pub fn word(value: u64) -> String {
    format!("(i64.const {value}) (i64.const 0) (i64.const 0) (i64.const 0) ")
}
