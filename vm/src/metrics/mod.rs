//! Measurements for the operator of a node.
//!
//! With the cargo feature `metrics` they go to a Prometheus registry; without it everything here
//! is empty and costs nothing. Nothing measured comes back: receipts are the same.

#[cfg(not(feature = "metrics"))]
mod off;
#[cfg(feature = "metrics")]
mod on;

#[cfg(not(feature = "metrics"))]
pub(crate) use off::Meter;
#[cfg(feature = "metrics")]
pub(crate) use on::Meter;
