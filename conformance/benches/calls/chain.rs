//! A VM with one contract on a chain in memory.

use aivm::{Address, BlockContext, Call, Deploy, MemoryHost, Receipt, Vm};
use aivm_abi::calldata::{
    JsonAbi, encode_call, encode_constructor, find_function, parse_arguments,
};
use synq_compiler::{FolderLoader, Options, SourceLoader, compile};

pub const ALICE: Address = Address([0xa1; 20]);
pub const BOB: Address = Address([0xb0; 20]);

/// A chain at some block.
pub fn chain() -> MemoryHost {
    let mut host = MemoryHost::new();
    host.set_block(BlockContext::new(7, 100).with_timestamp(1_700_000_000));
    host
}

/// Uploads `wasm` and creates a contract from it.
pub fn deploy(vm: &Vm, host: &mut MemoryHost, wasm: &[u8], input: &[u8]) -> Address {
    let code = vm.upload(host, wasm).expect("it is accepted").code;
    let deployed = vm
        .deploy(host, &Deploy::new(ALICE, code, input))
        .expect("a receipt");
    assert!(
        deployed.receipt.status.is_success(),
        "{:?}",
        deployed.receipt
    );
    deployed.address
}

/// A call that returns.
pub fn call(vm: &Vm, host: &mut MemoryHost, request: &Call) -> Receipt {
    let receipt = vm.call(host, request).expect("a receipt");
    assert!(receipt.status.is_success(), "{receipt:?}");
    receipt
}

/// A request with plenty of gas.
pub fn request(contract: Address, input: impl Into<Vec<u8>>) -> Call {
    Call::new(ALICE, contract, input).with_gas_limit(1 << 50)
}

/// Module and ABI of the first contract in a file.
pub fn compiled(file: &str, loader: &dyn SourceLoader) -> (Vec<u8>, JsonAbi) {
    let output = compile(file, loader, &Options::new())
        .unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    let contract = output.contracts.into_iter().next().expect("a contract");
    (contract.wasm, contract.abi)
}

/// The token of the corpus, all of whose supply Alice has, and a transfer of one unit to Bob.
pub fn token() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../synq-compiler/contracts");
    let (wasm, abi) = compiled("token.synq", &FolderLoader::new(folder));
    let key = format!("0x{}", "00".repeat(1_952));
    let constructor = abi.constructor.as_ref().expect("a constructor");
    let arguments = [
        "Token",
        "TOK",
        "1000000000000",
        "1000000000000",
        key.as_str(),
    ];
    let arguments = parse_arguments("constructor", &constructor.inputs, &arguments);
    let input = encode_constructor(&abi, &arguments.expect("arguments")).expect("call data");
    (
        wasm,
        input,
        encoded(&abi, "transfer", &[&BOB.to_string(), "1"]),
    )
}

/// Call data.
pub fn encoded(abi: &JsonAbi, function: &str, arguments: &[&str]) -> Vec<u8> {
    let function = find_function(abi, function).expect("a function");
    let arguments = parse_arguments(&function.signature(), &function.inputs, arguments);
    encode_call(function, &arguments.expect("arguments")).expect("call data")
}
