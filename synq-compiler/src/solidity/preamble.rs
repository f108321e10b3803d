//! The head of the text: licence, version, and the precompiles.

/// Input and output of each precompile. Schemes and KEMs are numbered as in the `crypto`
/// interface of the VM.
const PRECOMPILES: [(&str, &str); 7] = [
    (
        "0xA101",
        "abi.encode(uint8 scheme, bytes key, bytes message, bytes signature) -> bool",
    ),
    (
        "0xA102",
        "abi.encode(uint8 kem, bytes secretKey, bytes ciphertext) -> bytes, empty when malformed",
    ),
    ("0xA103", "bytes -> bytes32, SHA3-256"),
    ("0xA104", "bytes -> bytes32, BLAKE3"),
    (
        "0xA105",
        "abi.encode(bytes32 model, bytes inputs) -> outputs; both abi.encode(...) of the tensors as arrays",
    ),
    (
        "0xA106",
        "abi.encode(bytes32 model) -> uint256, gas of one inference",
    ),
    (
        "0xA107",
        "abi.encode(string name, bytes arguments) -> the results of a function of the host chain",
    ),
];

/// Everything before the contract's own types.
pub(super) fn head(name: &str) -> String {
    let mut table = String::new();
    for (address, interface) in PRECOMPILES {
        table.push_str(&format!("//   {address}: {interface}\n"));
    }
    format!(
        "// SPDX-License-Identifier: UNLICENSED\n\
         // The Solidity twin of the SynQ contract {name}: the same ABI and behaviour.\n\
         // What the EVM does not have is called at precompiles:\n\
         {table}\
         // Compile with --via-ir --optimize.\n\
         pragma solidity ^0.8.26;\n\n"
    )
}
