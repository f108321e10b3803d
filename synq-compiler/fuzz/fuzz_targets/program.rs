//! Programs of the grammar: formatting keeps their code.
//!
//! `cargo +nightly fuzz run program` in the folder `synq-compiler`.
#![no_main]

#[path = "../../tests/robust/grammar.rs"]
mod grammar;

use libfuzzer_sys::fuzz_target;
use synq_compiler::{MemoryLoader, Options, compile, fmt};

fuzz_target!(|bytes: &[u8]| {
    let mut source = grammar::Source::from_bytes(bytes);
    let text = grammar::program(&mut source, 40);
    let build = |text: &str| {
        let loader = MemoryLoader::new().with_source("a.synq", text);
        let output = compile("a.synq", &loader, &Options::new().with_debug(false));
        output.ok().map(|output| output.contracts[0].wasm.clone())
    };
    let formatted = fmt::format("a.synq", &text).expect("the grammar is the language's");
    assert_eq!(build(&text), build(&formatted));
});
