//! One program for each target: its name says which body it runs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aivm_fuzz::run(env!("CARGO_BIN_NAME"), data));
