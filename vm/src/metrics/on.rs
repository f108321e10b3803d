//! Measurements in the form of Prometheus.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use aivm_abi::receipt::{GasUsed, Receipt, Status};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::cache::ModuleCache;
use crate::error::Error;

/// When something began; none when nobody asked.
pub(crate) type Start = Option<Instant>;

/// One name and value of a label.
type Label<const N: usize> = [(&'static str, &'static str); N];

/// Where measurements go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Option<Arc<Families>>);

#[derive(Debug)]
struct Families {
    transactions: Family<Label<2>, Counter>,
    traps: Family<Label<1>, Counter>,
    seconds: Family<Label<1>, Histogram, Seconds>,
    gas: Family<Label<1>, Counter>,
    inferences: Counter,
    macs: Counter,
    inference_seconds: Histogram,
    model_seconds: Histogram,
    compile_seconds: Histogram,
    pqc: Family<Vec<(&'static str, String)>, Counter>,
    cache: Arc<OnceLock<Arc<ModuleCache>>>,
}

/// Makes histograms of times from a microsecond to a minute.
#[derive(Clone, Debug)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(1e-6, 4.0, 14))
    }
}

impl Meter {
    /// A meter whose measurements are in `registry`, under names that begin with `aivm_`.
    pub fn new(registry: &mut Registry) -> Self {
        let families = Families {
            transactions: Family::default(),
            traps: Family::default(),
            seconds: Family::new_with_constructor(Seconds),
            gas: Family::default(),
            inferences: Counter::default(),
            macs: Counter::default(),
            inference_seconds: Seconds.new_metric(),
            model_seconds: Seconds.new_metric(),
            compile_seconds: Seconds.new_metric(),
            pqc: Family::default(),
            cache: Arc::default(),
        };
        let f = &families;
        let registry = registry.sub_registry_with_prefix("aivm");
        registry.register(
            "transactions",
            "Deployments, calls and queries by how they ended: return, revert, trap, refused (no \
             block may hold it) or failed (this node's own trouble)",
            f.transactions.clone(),
        );
        registry.register("traps", "Traps by code", f.traps.clone());
        registry.register_with_unit(
            "transaction",
            "Time from request to receipt, the commit included",
            Unit::Seconds,
            f.seconds.clone(),
        );
        registry.register(
            "gas",
            "Gas used by cause; pq is a lane of its own",
            f.gas.clone(),
        );
        registry.register(
            "inferences",
            "Inferences that were paid for",
            f.inferences.clone(),
        );
        registry.register(
            "inference_macs",
            "Multiply-accumulates of the inferences that were paid for",
            f.macs.clone(),
        );
        registry.register_with_unit(
            "inference",
            "Time of an inference, without its model's preparation",
            Unit::Seconds,
            f.inference_seconds.clone(),
        );
        registry.register_with_unit(
            "model_preparation",
            "Time to read and prepare a model that was not in memory",
            Unit::Seconds,
            f.model_seconds.clone(),
        );
        registry.register_with_unit(
            "compilation",
            "Time to compile a module that no cache had",
            Unit::Seconds,
            f.compile_seconds.clone(),
        );
        registry.register(
            "pqc_operations",
            "Post-quantum signatures verified and secrets decapsulated, by scheme and outcome",
            f.pqc.clone(),
        );
        registry.register_collector(Box::new(CodeCache(f.cache.clone())));
        Self(Some(Arc::new(families)))
    }

    /// Shows the counters of `cache` from now on; the first cache stays.
    pub fn watch(&self, cache: &Arc<ModuleCache>) {
        if let Some(families) = &self.0 {
            families.cache.get_or_init(|| cache.clone());
        }
    }

    pub fn start(&self) -> Start {
        self.0.as_ref().map(|_| Instant::now())
    }

    /// A deployment, call or query ended.
    pub fn transaction(&self, start: Start, kind: &'static str, end: &Result<Receipt, Error>) {
        let (Some(families), Some(start)) = (&self.0, start) else {
            return;
        };
        let kind = ("kind", kind);
        let seconds = start.elapsed().as_secs_f64();
        families.seconds.get_or_create(&[kind]).observe(seconds);
        let status = match end {
            Ok(receipt) => {
                families.receipt(receipt);
                match receipt.status {
                    Status::Return => "return",
                    Status::Revert => "revert",
                    Status::Trap(_) => "trap",
                }
            }
            Err(error) if error.is_refusal() => "refused",
            Err(_) => "failed",
        };
        let labels = [kind, ("status", status)];
        families.transactions.get_or_create(&labels).inc();
    }

    /// The engine compiled a module.
    pub fn compiled(&self, start: Start) {
        self.observe(start, |families| &families.compile_seconds);
    }

    /// A model was read and prepared.
    pub fn model_prepared(&self, start: Start) {
        self.observe(start, |families| &families.model_seconds);
    }

    /// A model ran.
    pub fn inferred(&self, start: Start) {
        self.observe(start, |families| &families.inference_seconds);
    }

    fn observe(&self, start: Start, histogram: impl FnOnce(&Families) -> &Histogram) {
        if let (Some(families), Some(start)) = (&self.0, start) {
            histogram(families).observe(start.elapsed().as_secs_f64());
        }
    }
}

impl Families {
    /// What a receipt tells.
    fn receipt(&self, receipt: &Receipt) {
        if let Status::Trap(code) = receipt.status {
            self.traps.get_or_create(&[("code", code.name())]).inc();
        }
        let GasUsed {
            execution,
            host,
            storage,
            inference,
            upload,
            pq,
        } = receipt.gas;
        for (lane, gas) in [
            ("execution", execution),
            ("host", host),
            ("storage", storage),
            ("inference", inference),
            ("upload", upload),
            ("pq", pq),
        ] {
            if gas > 0 {
                self.gas.get_or_create(&[("lane", lane)]).inc_by(gas);
            }
        }
        for inference in &receipt.inferences {
            self.inferences.inc();
            self.macs.inc_by(inference.macs);
        }
        for check in &receipt.pqc {
            let outcome = if check.ok { "good" } else { "bad" };
            let labels = vec![
                ("scheme", check.scheme.clone()),
                ("outcome", outcome.to_owned()),
            ];
            self.pqc.get_or_create(&labels).inc();
        }
    }
}

/// The counters that the cache of compiled code keeps anyway, read when somebody looks.
#[derive(Debug)]
struct CodeCache(Arc<OnceLock<Arc<ModuleCache>>>);

impl Collector for CodeCache {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(cache) = self.0.get() else {
            return Ok(());
        };
        let stats = cache.stats();
        let help = "Modules asked for, by where they were found";
        let lookups: Family<Label<1>, Counter> = Family::default();
        for (found, count) in [
            ("memory", stats.memory_hits),
            ("disk", stats.disk_hits),
            ("nowhere", stats.compiled),
        ] {
            lookups.get_or_create(&[("found", found)]).inc_by(count);
        }
        let metric =
            encoder.encode_descriptor("code_cache_lookups", help, None, lookups.metric_type())?;
        lookups.encode(metric)?;
        for (name, help, count) in [
            (
                "code_cache_evictions",
                "Modules dropped from memory to stay within the budget",
                stats.evicted,
            ),
            (
                "code_cache_rejected_files",
                "Files on disk that were damaged or foreign, and were built anew",
                stats.rejected,
            ),
        ] {
            let counter = ConstCounter::new(count);
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        let (modules, bytes) = (signed(stats.modules), signed(stats.bytes));
        let gauge = ConstGauge::new(modules);
        let help = "Modules in memory";
        let metric =
            encoder.encode_descriptor("code_cache_modules", help, None, gauge.metric_type())?;
        gauge.encode(metric)?;
        let gauge = ConstGauge::new(bytes);
        let help = "Bytes of compiled code in memory";
        let unit = Some(&Unit::Bytes);
        let metric =
            encoder.encode_descriptor("code_cache_size", help, unit, gauge.metric_type())?;
        gauge.encode(metric)
    }
}

/// Gauges are signed.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
