//! Prices of persistent state.

use serde::{Deserialize, Serialize};

/// Gas for persistent state, charged on top of the host function's own price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoragePrices {
    /// First read of an entry in a transaction.
    pub read: u64,
    /// Read of an entry that the transaction touched before.
    pub read_warm: u64,
    /// Writing an entry that was absent.
    pub write_new: u64,
    /// Writing over an entry.
    pub write: u64,
    /// Removing an entry.
    pub remove: u64,
    /// Each 1024 bytes of key and value written; parts of it pro rata, rounded up.
    pub per_kb: u64,
    /// Each 1024 bytes of key and value read; parts of it pro rata, rounded up.
    pub read_per_kb: u64,
}

impl StoragePrices {
    pub(super) fn v1() -> Self {
        Self {
            read: 20_000,
            read_warm: 400,
            write_new: 100_000,
            write: 50_000,
            remove: 25_000,
            per_kb: 50_000,
            read_per_kb: 4_000,
        }
    }

    /// Gas for writing `bytes` bytes: `per_kb · bytes / 1024`, rounded up, saturating.
    pub fn write_bytes(&self, bytes: u64) -> u64 {
        per_kb(self.per_kb, bytes)
    }

    /// Gas for reading `bytes` bytes: `read_per_kb · bytes / 1024`, rounded up, saturating.
    pub fn read_bytes(&self, bytes: u64) -> u64 {
        per_kb(self.read_per_kb, bytes)
    }
}

fn per_kb(price: u64, bytes: u64) -> u64 {
    let gas = (u128::from(price) * u128::from(bytes)).div_ceil(1024);
    u64::try_from(gas).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::StoragePrices;

    #[test]
    fn bytes_are_pro_rata_and_round_up() {
        let prices = StoragePrices::v1();
        assert_eq!(prices.write_bytes(0), 0);
        assert_eq!(prices.write_bytes(1024), 50_000);
        assert_eq!(prices.write_bytes(64), 3_125);
        assert_eq!(prices.write_bytes(1), 49);
        assert_eq!(prices.write_bytes(u64::MAX), u64::MAX);
    }
}
