//! Nothing is measured.

use std::sync::Arc;

use aivm_abi::receipt::Receipt;

use crate::cache::ModuleCache;
use crate::error::Error;

/// When something began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start;

/// Where measurements go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter;

impl Meter {
    #[inline(always)]
    pub fn watch(&self, _cache: &Arc<ModuleCache>) {}

    #[inline(always)]
    pub fn start(&self) -> Start {
        Start
    }

    #[inline(always)]
    pub fn transaction(&self, _start: Start, _kind: &'static str, _end: &Result<Receipt, Error>) {}

    #[inline(always)]
    pub fn compiled(&self, _start: Start) {}

    #[inline(always)]
    pub fn model_prepared(&self, _start: Start) {}

    #[inline(always)]
    pub fn inferred(&self, _start: Start) {}
}
