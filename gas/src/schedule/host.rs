//! Prices of host functions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Price of a host function, charged before it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostPrice {
    /// Gas for each call.
    pub base: u64,
    /// Gas for each byte of list and string arguments and results.
    pub per_byte: u64,
}

impl HostPrice {
    /// `base + per_byte · bytes`, saturating.
    pub fn gas(&self, bytes: u64) -> u64 {
        self.per_byte
            .saturating_mul(bytes)
            .saturating_add(self.base)
    }
}

// Fitted with `cargo xtask calibrate`; the transcript, which hashes each call, is part of it.
/// One row for each function of the WIT files; tests compare them, here those of our own
/// interfaces, and in `aivm-abi` all.
const V1: &[(&str, u64, u64)] = &[
    ("accounts.balance", 4_000, 0),
    ("accounts.transfer", 20_000, 0),
    ("calls.call", 100_000, 8),
    ("calls.query", 100_000, 8),
    ("calls.self-call", 100_000, 8),
    ("calls.allow-reentrancy", 400, 0),
    ("context.caller", 400, 0),
    ("context.origin", 400, 0),
    ("context.self-address", 400, 0),
    ("context.value", 400, 0),
    ("context.block-number", 400, 0),
    ("context.block-timestamp", 400, 0),
    ("context.chain-id", 400, 0),
    ("context.gas-left", 400, 0),
    ("context.revert", 400, 6),
    ("crypto.keccak256", 4_500, 40),
    ("crypto.sha256", 1_500, 16),
    ("crypto.sha3-256", 4_500, 40),
    ("crypto.blake3", 1_800, 8),
    ("crypto.verify", 1_500, 8),
    ("crypto.verify-all", 1_500, 8),
    ("crypto.address-of", 1_800, 8),
    ("crypto.decapsulate", 1_500, 8),
    ("events.emit", 2_000, 32),
    ("ext.invoke", 2_000, 8),
    ("journal.begin", 500, 0),
    ("journal.commit", 500, 0),
    ("journal.rollback", 1_000, 0),
    ("log.debug", 800, 6),
    ("math.mul", 800, 0),
    ("math.div", 800, 0),
    ("math.rem", 800, 0),
    ("math.add-mod", 1_000, 0),
    ("math.mul-mod", 1_500, 0),
    ("math.exp", 40_000, 0),
    ("messaging.send", 5_000, 32),
    ("messaging.peek", 2_000, 8),
    ("messaging.consume", 2_000, 8),
    ("nn.quote", 2_000, 0),
    ("nn.infer", 10_000, 4),
    ("storage.load", 800, 0),
    ("storage.store", 800, 0),
    ("storage.get", 800, 8),
    ("storage.set", 800, 8),
    ("storage.remove", 800, 8),
    ("storage.has", 800, 8),
    ("wasi:nn.errors.[method]error.code", 400, 0),
    ("wasi:nn.errors.[method]error.data", 400, 8),
    ("wasi:nn.errors.[resource-drop]error", 400, 0),
    ("wasi:nn.graph.[method]graph.init-execution-context", 800, 0),
    ("wasi:nn.graph.[resource-drop]graph", 400, 0),
    ("wasi:nn.graph.load", 2_000, 8),
    ("wasi:nn.graph.load-by-name", 2_000, 8),
    (
        "wasi:nn.inference.[method]graph-execution-context.compute",
        10_000,
        8,
    ),
    (
        "wasi:nn.inference.[resource-drop]graph-execution-context",
        400,
        0,
    ),
    ("wasi:nn.tensor.[constructor]tensor", 800, 8),
    ("wasi:nn.tensor.[method]tensor.data", 400, 8),
    ("wasi:nn.tensor.[method]tensor.dimensions", 400, 8),
    ("wasi:nn.tensor.[method]tensor.ty", 400, 0),
    ("wasi:nn.tensor.[resource-drop]tensor", 400, 0),
    ("wasi_ephemeral_nn.compute", 10_000, 8),
    ("wasi_ephemeral_nn.get_output", 800, 8),
    ("wasi_ephemeral_nn.init_execution_context", 800, 0),
    ("wasi_ephemeral_nn.load", 2_000, 8),
    ("wasi_ephemeral_nn.load_by_name", 2_000, 8),
    ("wasi_ephemeral_nn.set_input", 800, 8),
    ("wasi_snapshot_preview1.args_get", 400, 0),
    ("wasi_snapshot_preview1.args_sizes_get", 400, 0),
    ("wasi_snapshot_preview1.clock_res_get", 400, 0),
    ("wasi_snapshot_preview1.clock_time_get", 400, 0),
    ("wasi_snapshot_preview1.environ_get", 400, 0),
    ("wasi_snapshot_preview1.environ_sizes_get", 400, 0),
    ("wasi_snapshot_preview1.fd_close", 400, 0),
    ("wasi_snapshot_preview1.fd_fdstat_get", 400, 0),
    ("wasi_snapshot_preview1.fd_prestat_dir_name", 400, 0),
    ("wasi_snapshot_preview1.fd_prestat_get", 400, 0),
    ("wasi_snapshot_preview1.fd_read", 400, 0),
    ("wasi_snapshot_preview1.fd_seek", 400, 0),
    ("wasi_snapshot_preview1.fd_write", 800, 6),
    ("wasi_snapshot_preview1.path_filestat_get", 400, 8),
    ("wasi_snapshot_preview1.path_open", 400, 8),
    ("wasi_snapshot_preview1.poll_oneoff", 400, 0),
    ("wasi_snapshot_preview1.proc_exit", 400, 0),
    ("wasi_snapshot_preview1.random_get", 400, 0),
    ("wasi_snapshot_preview1.sched_yield", 400, 0),
];

pub(super) fn v1() -> BTreeMap<String, HostPrice> {
    V1.iter()
        .map(|&(name, base, per_byte)| (name.to_owned(), HostPrice { base, per_byte }))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Names of all functions in the WIT files, as `interface.function`.
    fn wit_functions() -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
        let mut names = BTreeSet::new();
        for entry in std::fs::read_dir(folder).expect("the wit folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|e| e != "wit") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a WIT file");
            let mut interface = None;
            for line in text.lines().map(str::trim) {
                if let Some(rest) = line.strip_prefix("interface ") {
                    interface = Some(rest.trim_end_matches('{').trim().to_owned());
                } else if line.starts_with("world ") {
                    interface = None;
                } else if let (Some(interface), Some((name, tail))) =
                    (&interface, line.split_once(':'))
                    && tail.trim_start().starts_with("func(")
                {
                    names.insert(format!("{interface}.{name}"));
                }
            }
        }
        names
    }

    #[test]
    fn every_wit_function_has_a_price_and_nothing_else_has() {
        let priced = super::v1();
        assert_eq!(priced.len(), super::V1.len(), "a name occurs twice");
        let own = priced.into_keys().filter(|key| !key.starts_with("wasi"));
        let own: BTreeSet<String> = own.collect();
        assert_eq!(own, wit_functions(), "left: schedule, right: wit/");
    }

    #[test]
    fn gas_saturates() {
        let price = super::HostPrice {
            base: 7,
            per_byte: 3,
        };
        assert_eq!(price.gas(0), 7);
        assert_eq!(price.gas(100), 307);
        assert_eq!(price.gas(u64::MAX), u64::MAX);
    }
}
