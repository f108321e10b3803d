//! Prices of post-quantum cryptography, in the PQ-Gas lane.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Price of one post-quantum operation: `base + per_byte · message bytes + compute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PqcPrice {
    /// PQ-Gas for each call.
    pub base: u64,
    /// PQ-Gas for keys and signatures of this level's fixed size.
    pub size: u64,
    /// PQ-Gas for the arithmetic.
    pub compute: u64,
    /// PQ-Gas for each 64 bytes, begun, of message beyond the first 1024 bytes.
    pub per_64_bytes: u64,
}

impl PqcPrice {
    /// PQ-Gas for a message of `bytes` bytes, saturating.
    pub fn pq_gas(&self, bytes: u64) -> u64 {
        let blocks = bytes.saturating_sub(1024).div_ceil(64);
        self.per_64_bytes
            .saturating_mul(blocks)
            .saturating_add(self.base)
            .saturating_add(self.size)
            .saturating_add(self.compute)
    }
}

/// Prices and limits of the PQ-Gas lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PqcPrices {
    /// By algorithm and level, as the WIT enums `signature-scheme` and `kem` name them.
    pub algorithms: BTreeMap<String, PqcPrice>,
    /// PQ-Gas that one transaction may use.
    pub max_pqc_gas_per_tx: u64,
    /// PQ-Gas that one block may use.
    pub max_pqc_gas_per_block: u64,
}

/// Algorithm, base, size, compute. Sums are the published prices where there are any.
const V1: &[(&str, u64, u64, u64)] = &[
    ("mldsa44", 5_000, 4_000, 16_000),
    ("mldsa65", 5_000, 6_000, 24_000),
    ("mldsa87", 5_000, 8_000, 37_000),
    ("fndsa512", 5_000, 3_000, 12_000),
    ("fndsa1024", 5_000, 5_000, 20_000),
    ("slhdsa128s", 5_000, 10_000, 85_000),
    ("slhdsa192s", 5_000, 20_000, 125_000),
    ("slhdsa256s", 5_000, 35_000, 160_000),
    ("mlkem512", 5_000, 4_000, 11_000),
    ("mlkem768", 5_000, 5_000, 15_000),
    ("mlkem1024", 5_000, 6_000, 24_000),
    ("mceliece348864", 5_000, 15_000, 180_000),
];

impl PqcPrices {
    pub(super) fn v1() -> Self {
        Self {
            algorithms: V1
                .iter()
                .map(|&(name, base, size, compute)| {
                    let price = PqcPrice {
                        base,
                        size,
                        compute,
                        per_64_bytes: 80,
                    };
                    (name.to_owned(), price)
                })
                .collect(),
            max_pqc_gas_per_tx: 300_000,
            max_pqc_gas_per_block: 2_000_000,
        }
    }

    /// Price of an algorithm, such as `mldsa65`.
    pub fn price(&self, algorithm: &str) -> Option<PqcPrice> {
        self.algorithms.get(algorithm).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::PqcPrices;

    #[test]
    fn published_totals() {
        let prices = PqcPrices::v1();
        for (name, total) in [
            ("mldsa44", 25_000),
            ("mldsa65", 35_000),
            ("mldsa87", 50_000),
            ("fndsa512", 20_000),
            ("fndsa1024", 30_000),
            ("mlkem768", 25_000),
        ] {
            let price = prices.price(name).expect("a published algorithm");
            assert_eq!(price.pq_gas(0), total, "{name}");
            assert_eq!(price.pq_gas(1024), total, "{name}");
            assert_eq!(price.pq_gas(1025), total + 80, "{name}");
            assert_eq!(price.pq_gas(1 << 40), 80 * ((1 << 40) - 1024) / 64 + total);
            assert_eq!(price.pq_gas(u64::MAX), u64::MAX, "it saturates");
        }
        assert_eq!(prices.price("rsa"), None);
    }
}
