//! The contracts of `sdk-guest/examples`: each scenario runs on the Rust code in this process and on
//! the Wasm of `fixtures/` in the VM.

mod bridge;
mod c;
mod counter;
mod digits;
mod fixtures;
mod multisig;
mod token;
mod wasi;

use aivm_sdk::testing::Native;
use aivm_sdk::{Address, U256};
use aivm_sdk_testing::InVm;

const ALICE: Address = Address([0xa1; 20]);
const BOB: Address = Address([0xb0; 20]);
const CAROL: Address = Address([0xca; 20]);

fn number(value: u64) -> U256 {
    U256::from(value)
}

/// A VM with the fixtures on it.
fn in_vm() -> InVm {
    fixtures::NAMES
        .into_iter()
        .fold(InVm::new().unwrap(), |chain, name| {
            chain.with_contract(name, fixtures::wasm(name))
        })
}

fn native() -> Native {
    Native::new()
        .with_contract::<::bridge::Bridge>("bridge")
        .with_contract::<::counter::Counter>("counter")
        .with_contract::<::multisig::Multisig>("multisig")
        .with_contract::<::token::Token>("token")
}

/// Runs a scenario on both, and pins the receipts that the VM gives.
macro_rules! both {
    ($scenario:ident) => {{
        $scenario(&mut crate::native());
        let mut chain = crate::in_vm();
        $scenario(&mut chain);
        insta::assert_snapshot!(stringify!($scenario), crate::receipts(&chain));
    }};
}
pub(crate) use both;

fn receipts(chain: &InVm) -> String {
    let lines = chain.receipts().iter().map(|receipt| {
        let gas = receipt.gas.total();
        format!(
            "{:?} gas {gas} receipt {}\n",
            receipt.status,
            receipt.hash()
        )
    });
    lines.collect()
}
