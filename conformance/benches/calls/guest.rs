//! Contracts in the text format.

use std::fmt::Write;

/// Host functions that every guest imports, whether it calls them or not.
const IMPORTS: [&str; 4] = [
    "context.block-number",
    "storage.load",
    "log.debug",
    "crypto.keccak256",
];

/// A contract with `data` bytes of data whose export `call` runs `body` and returns nothing.
pub fn guest(data: usize, body: &str) -> Vec<u8> {
    let mut text = String::from("(module\n");
    for key in IMPORTS {
        let import = aivm_abi::IMPORTS
            .iter()
            .find(|import| import.key == key)
            .expect("a host function");
        let types = |types: &[aivm_abi::CoreType]| {
            let names: Vec<String> = types.iter().map(ToString::to_string).collect();
            names.join(" ")
        };
        let _ = writeln!(
            text,
            "(import {:?} {:?} (func ${key} (param {}) (result {})))",
            import.module,
            import.function,
            types(import.params),
            types(import.results)
        );
    }
    let pages = 2 + data.div_ceil(65_536);
    let _ = writeln!(text, "(memory (export \"memory\") {pages})");
    if data > 0 {
        let _ = writeln!(text, "(data (i32.const 65536) \"{}\")", "\\5a".repeat(data));
    }
    text += r#"
    (global $heap (mut i32) (i32.const 8192))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $heap) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
      (global.set $heap (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    "#;
    for export in ["construct", "call", "query"] {
        let body = if export == "call" { body } else { "" };
        // The result, an empty list, is the zeros at 1024.
        let _ = writeln!(
            text,
            "(func (export \"{export}\") (param $at i32) (param $length i32) (result i32)
              {body} (i32.const 1024))"
        );
    }
    text += ")";
    wat::parse_str(text).expect("the guest is valid text")
}

/// `body` as often as the first eight bytes of the call data say.
pub fn repeated(body: &str) -> String {
    format!(
        "(local $left i64) (local.set $left (i64.load (local.get $at)))
         (block $done (loop $next
           (br_if $done (i64.eqz (local.get $left)))
           (local.set $left (i64.sub (local.get $left) (i64.const 1)))
           {body}
           (br $next)))"
    )
}
