//! Call data: what the Solidity ABI makes of values, through contracts that give back what they get.

mod malformed;
mod shapes;
mod values;

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{U256, keccak256};
use synq_compiler::{MemoryLoader, Options, compile};

use super::draft::File;

const REASON: &str = "The bytes are those of the crate alloy-dyn-abi, an implementation of the Solidity ABI that the compiler does not use for this.";

/// Code of the one contract of a source.
pub fn compiled(source: &str) -> Vec<u8> {
    let loader = MemoryLoader::new().with_source("a.synq", source);
    let output =
        compile("a.synq", &loader, &Options::new()).unwrap_or_else(|e| panic!("{source}\n{e:?}"));
    output.contracts[0].wasm.clone()
}

pub fn selector(signature: &str) -> [u8; 4] {
    keccak256(signature.as_bytes())[..4].try_into().unwrap()
}

/// Panic(uint256) with a code.
pub fn panic(code: u64) -> Vec<u8> {
    [
        &selector("Panic(uint256)")[..],
        &U256::from(code).to_be_bytes::<32>(),
    ]
    .concat()
}

/// Error(string).
pub fn error(message: &str) -> Vec<u8> {
    let value = DynSolValue::Tuple(vec![DynSolValue::String(message.to_owned())]);
    [&selector("Error(string)")[..], &value.abi_encode_params()].concat()
}

fn call_data(signature: &str, values: &[DynSolValue]) -> Vec<u8> {
    let tuple = DynSolValue::Tuple(values.to_vec());
    [&selector(signature)[..], &tuple.abi_encode_params()].concat()
}

fn output(values: &[DynSolValue]) -> Vec<u8> {
    DynSolValue::Tuple(values.to_vec()).abi_encode_params()
}

pub fn files() -> Vec<File> {
    vec![values::file(), malformed::file(), shapes::file()]
}
