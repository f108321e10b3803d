//! Assembles the helper routines of compiled contracts.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/codegen/runtime.wat");
    let wasm = wat::parse_file("src/codegen/runtime.wat")?;
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    std::fs::write(PathBuf::from(out).join("runtime.wasm"), wasm)?;
    Ok(())
}
