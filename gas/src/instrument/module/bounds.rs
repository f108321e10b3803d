//! What the parts of a module may be together: counts of sections, sums over functions, tables, names.

use wasmparser::{Encoding, Payload};

use super::Guest;
use crate::Limits;
use crate::instrument::RESERVED_PREFIX;
use crate::instrument::error::{Feature, InstrumentError, Limit, Reason};
use crate::instrument::function::{Function, check};

/// By this much smaller are the tables of a module whose code changes one.
const CHANGED: u32 = 16;

/// Elements that such a module may have under any schedule that allows them at all.
const ALWAYS: u32 = 1_024;

impl Guest {
    /// An instance whose tables may have changed serves one call only, and each call then pays
    /// the same for a new one, so its tables have to be small.
    pub(super) fn changed_tables(&self, limits: &Limits) -> Result<(), InstrumentError> {
        let Some(offset) = self.changes else {
            return Ok(());
        };
        let all = limits.table_elements;
        let max = all.div_ceil(CHANGED).max(all.min(ALWAYS));
        for elements in self.elements {
            check(offset, Limit::TableElements, elements, max)?;
        }
        Ok(())
    }

    /// Counts elements of tables (`of` is 0) or of segments.
    pub(super) fn elements(
        &mut self,
        offset: u64,
        of: usize,
        count: u64,
        limits: &Limits,
    ) -> Result<(), InstrumentError> {
        let Some(sum) = self.elements.get_mut(of) else {
            return Ok(());
        };
        *sum = sum.saturating_add(count);
        check(offset, Limit::TableElements, *sum, limits.table_elements)
    }

    pub(super) fn count(
        &mut self,
        offset: u64,
        function: &Function,
        limits: &Limits,
    ) -> Result<(), InstrumentError> {
        self.grows += function.grows;
        self.changes = self.changes.or(function.changes);
        check(offset, Limit::MemoryGrows, self.grows, limits.memory_grows)?;
        let stats = &mut self.stats;
        stats.functions += 1;
        stats.locals += u64::from(function.locals_len);
        stats.blocks += function.blocks;
        stats.phis += function.phis;
        stats.largest_frame = stats.largest_frame.max(function.frame_words);
        check(
            offset,
            Limit::TotalLocals,
            stats.locals,
            limits.total_locals,
        )?;
        check(offset, Limit::TotalPhis, stats.phis, limits.total_phis)?;
        stats.moves = stats.moves.saturating_add(function.moves);
        check(offset, Limit::TotalPhis, stats.moves, limits.total_phis)
    }

    /// Counts of a section, before anything is done with its contents.
    pub(super) fn limits(
        &self,
        payload: &Payload<'_>,
        limits: &Limits,
    ) -> Result<(), InstrumentError> {
        let (range, limit, count, max) = match payload {
            Payload::Version {
                encoding: Encoding::Component,
                range,
                ..
            } => {
                let reason = Reason::Feature(Feature::Components);
                return Err(InstrumentError::new(range.start, reason));
            }
            Payload::StartSection { range, .. } => {
                return Err(InstrumentError::new(range.start, Reason::Start));
            }
            Payload::TypeSection(s) => (s.range(), Limit::Types, s.count(), limits.types),
            Payload::ImportSection(s) => (s.range(), Limit::Imports, s.count(), limits.imports),
            Payload::FunctionSection(s) => {
                (s.range(), Limit::Functions, s.count(), limits.functions)
            }
            Payload::TableSection(s) => (s.range(), Limit::Tables, s.count(), limits.tables),
            Payload::GlobalSection(s) => (s.range(), Limit::Globals, s.count(), limits.globals),
            Payload::ExportSection(s) => (s.range(), Limit::Exports, s.count(), limits.exports),
            Payload::ElementSection(s) => (
                s.range(),
                Limit::ElementSegments,
                s.count(),
                limits.element_segments,
            ),
            Payload::DataSection(s) => (
                s.range(),
                Limit::DataSegments,
                s.count(),
                limits.data_segments,
            ),
            Payload::DataCountSection { count, range } => (
                range.clone(),
                Limit::DataSegments,
                *count,
                limits.data_segments,
            ),
            _ => return Ok(()),
        };
        check(range.start, limit, count.into(), max)
    }
}

pub(super) fn check_name(offset: u64, name: &str, limits: &Limits) -> Result<(), InstrumentError> {
    check(
        offset,
        Limit::NameBytes,
        name.len() as u64,
        limits.name_bytes,
    )?;
    if name.starts_with(RESERVED_PREFIX) {
        return Err(InstrumentError::new(
            offset,
            Reason::ReservedName(name.to_owned()),
        ));
    }
    Ok(())
}
