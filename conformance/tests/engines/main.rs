//! The same instrumented code on three engines: wasmer (set up as the VM sets it up),
//! wasmtime and wasmi.

#[path = "../../../gas/tests/common/smith.rs"]
mod smith;

mod gas_engines;
mod gas_oracle;
mod machine;
mod wasm_suite;
