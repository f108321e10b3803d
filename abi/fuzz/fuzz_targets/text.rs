//! Any text is an address, an ABI, arguments and revert data, or refused.
#![no_main]

use aivm_abi::Address;
use aivm_abi::calldata::{decode_call, decode_revert, parse_abi, parse_arguments};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &[u8])| {
    let (abi, text, data) = input;
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
    if let Ok(abi) = parse_abi(abi) {
        for function in abi.functions() {
            let _ = parse_arguments("f", &function.inputs, &vec![text; function.inputs.len()]);
        }
        let _ = decode_call(&abi, data);
        let _ = decode_revert(Some(&abi), data);
    }
});
