//! The gas schedule: every price and limit in one value.

mod calls;
mod canonical;
mod genesis;
mod host;
mod limits;
mod nn;
mod pqc;
mod set;
mod storage;
mod wasm;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use calls::{CallPrices, UploadPrices};
pub use canonical::{Change, Value};
pub use genesis::ScheduleError;
pub use host::HostPrice;
pub use limits::Limits;
pub use nn::NnPrices;
pub use pqc::{PqcPrice, PqcPrices};
pub use set::ScheduleSet;
pub use storage::StoragePrices;
pub use wasm::WasmPrices;

/// Largest price the schedule accepts. With it no product of a price and a 32-bit
/// operand, and no sum over a function, can leave 63 bits.
pub(crate) const MAX_PRICE: u64 = 1 << 30;

/// Every price and every limit of the virtual machine.
///
/// One unit of gas is about the time of one plain instruction. Two schedules are the same
/// exactly when their [`hash`](Self::hash) is the same; the hash goes into receipts and
/// into the key of the compiled-code cache, because prices are part of compiled code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GasSchedule {
    /// Version number, raised by each change that governance makes.
    pub version: u32,
    /// Name for people, such as `genesis`.
    pub name: String,
    /// WebAssembly instructions.
    pub wasm: WasmPrices,
    /// Host functions, by `interface.function` as the WIT files name them.
    pub host: BTreeMap<String, HostPrice>,
    /// Persistent state, on top of the host function's own price.
    pub storage: StoragePrices,
    /// Neural networks.
    pub nn: NnPrices,
    /// Post-quantum cryptography, in the PQ-Gas lane.
    pub pqc: PqcPrices,
    /// Calls and instances.
    pub call: CallPrices,
    /// Uploading code.
    pub upload: UploadPrices,
    /// Limits on code and on running instances.
    pub limits: Limits,
}

impl GasSchedule {
    /// The first schedule, the default of a new chain.
    pub fn v1() -> Self {
        Self {
            version: 1,
            name: "genesis".to_owned(),
            wasm: WasmPrices::v1(),
            host: host::v1(),
            storage: StoragePrices::v1(),
            nn: NnPrices::v1(),
            pqc: PqcPrices::v1(),
            call: CallPrices::v1(),
            upload: UploadPrices::v1(),
            limits: Limits::v1(),
        }
    }

    /// Price of a host function, given as `interface.function`.
    pub fn host_price(&self, function: &str) -> Option<HostPrice> {
        self.host.get(function).copied()
    }
}

impl Default for GasSchedule {
    fn default() -> Self {
        Self::v1()
    }
}
