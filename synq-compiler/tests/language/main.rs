//! The language, feature by feature: compiled, run, values compared.

mod caching;
#[path = "../common/mod.rs"]
mod common;
mod outside;
mod values;

const A: &str = "0x0000000000000000000000000000000000000022";
