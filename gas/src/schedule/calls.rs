//! Prices of calls and of uploading code.

use serde::{Deserialize, Serialize};

/// Gas for calls and instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallPrices {
    /// Gas for each transaction.
    pub base: u64,
    /// Gas for each byte of call data.
    pub per_input_byte: u64,
    /// Gas for each instance made, nested calls included, with its first
    /// [`INSTANCE_PAGES`](Self::INSTANCE_PAGES) pages.
    pub instance: u64,
    /// Gas for each further 64 KiB page of initial memory of an instance: what it takes to write all
    /// of it for the first time.
    pub instance_page: u64,
    /// Gas for creating a contract, besides running its constructor.
    pub deploy: u64,
    /// Calls that may be open one inside another.
    pub max_depth: u32,
    /// Bytes that a call may return.
    pub max_output_bytes: u32,
    /// Bytes of call data.
    pub max_input_bytes: u32,
}

impl CallPrices {
    /// Pages (64 KiB) of memory that are part of the price of an instance.
    pub const INSTANCE_PAGES: u64 = 2;

    /// Gas for an instance whose memory has so many pages at the start.
    pub fn instance_gas(&self, pages: u64) -> u64 {
        let further = pages.saturating_sub(Self::INSTANCE_PAGES);
        self.instance
            .saturating_add(self.instance_page.saturating_mul(further))
    }

    pub(super) fn v1() -> Self {
        Self {
            base: 50_000,
            per_input_byte: 16,
            instance: 80_000,
            instance_page: 260_000,
            deploy: 200_000,
            max_depth: 64,
            max_output_bytes: 1 << 20,
            max_input_bytes: 1 << 20,
        }
    }
}

/// Gas for uploading code. It covers compiling the worst module the limits let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadPrices {
    /// Each upload.
    pub base: u64,
    /// Each byte of the instrumented module, and of the custom sections that it leaves out.
    pub per_byte: u64,
    /// Each function.
    pub per_function: u64,
    /// Each local, parameters included.
    pub per_local: u64,
    /// Each basic block.
    pub per_block: u64,
    /// Each join of control flow, times the locals of its function: the values that a
    /// compiler has to merge there.
    pub per_phi: u64,
    /// Each value that a branch has to put in place where more than four of them meet; more
    /// where hundreds meet (`limits.phis` says how it is counted).
    pub per_move: u64,
}

impl UploadPrices {
    pub(super) fn v1() -> Self {
        Self {
            base: 1_000_000,
            per_byte: 20_000,
            per_function: 200_000,
            per_local: 2_000,
            per_block: 10_000,
            per_phi: 2_000,
            per_move: 20_000,
        }
    }
}
