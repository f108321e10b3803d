//! The head of the text: licence, version, and the precompiles.
//!
//! | address | input | output |
//! |---|---|---|
//! | `0xA101` | `abi.encode(uint8 scheme, bytes key, bytes message, bytes signature)` | `bool` |
//! | `0xA102` | `abi.encode(uint8 kem, bytes secretKey, bytes ciphertext)` | `bytes` |
//! | `0xA103` | bytes | SHA3-256, `bytes32` |
//! | `0xA104` | bytes | BLAKE3, `bytes32` |
//! | `0xA105` | `abi.encode(bytes32 model, bytes inputs)`; `inputs` is `abi.encode(…)` of the tensors as arrays | `abi.encode(…)` of the outputs |
//! | `0xA106` | `abi.encode(bytes32 model)` | gas of one inference, `uint256` |
//! | `0xA107` | `abi.encode(string name, bytes arguments)`: a function of the host chain | its encoded results |
//!
//! Schemes and KEMs are numbered as in the `crypto` interface of the VM.

/// Everything before the contract's own types.
pub(super) fn head(name: &str) -> String {
    format!(
        "// SPDX-License-Identifier: UNLICENSED\n\
         // The Solidity twin of the SynQ contract {name}: the same ABI and behaviour.\n\
         // Post-quantum cryptography and models are called at 0xA101 to 0xA107.\n\
         // Compile with --via-ir --optimize.\n\
         pragma solidity ^0.8.26;\n\n"
    )
}
