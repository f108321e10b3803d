//! Any text: the compiler and the formatter answer.
//!
//! `cargo +nightly fuzz run source` in the folder `synq-compiler`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use synq_compiler::{MemoryLoader, Options, compile, fmt};

fuzz_target!(|text: &str| {
    let loader = MemoryLoader::new().with_source("a.synq", text);
    if let Err(errors) = compile("a.synq", &loader, &Options::new()) {
        assert!(!errors.list.is_empty());
        let _ = errors.render(false);
    }
    if let Ok(formatted) = fmt::format("a.synq", text) {
        assert_eq!(fmt::format("a.synq", &formatted).ok(), Some(formatted));
    }
});
