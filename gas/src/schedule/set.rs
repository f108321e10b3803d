//! Schedules over the life of a chain.

use std::collections::BTreeMap;

use super::{GasSchedule, ScheduleError};

/// Schedules by the block height at which each comes into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleSet {
    genesis: GasSchedule,
    /// Later schedules; no key is 0.
    later: BTreeMap<u64, GasSchedule>,
}

impl ScheduleSet {
    /// A chain whose first schedule is `genesis`, in force from height 0.
    ///
    /// # Errors
    /// When the schedule is not [valid](GasSchedule::validate).
    pub fn new(genesis: GasSchedule) -> Result<Self, ScheduleError> {
        genesis.validate()?;
        Ok(Self {
            genesis,
            later: BTreeMap::new(),
        })
    }

    /// Brings `schedule` into force from `height` on.
    ///
    /// # Errors
    /// When the schedule is not valid, another one starts at `height`, or its version does
    /// not lie above the version before it and below the version after it.
    pub fn activate(&mut self, height: u64, schedule: GasSchedule) -> Result<(), ScheduleError> {
        schedule.validate()?;
        if height == 0 || self.later.contains_key(&height) {
            let text = format!("a schedule starts at height {height} already");
            return Err(ScheduleError::Activation(text));
        }
        let before = self.at(height).version;
        let after = self
            .later
            .range(height..)
            .next()
            .map(|(_, next)| next.version);
        if schedule.version <= before || after.is_some_and(|after| after <= schedule.version) {
            let text = format!(
                "version {} at height {height} does not follow version {before}{}",
                schedule.version,
                after
                    .map(|after| format!(" and precede version {after}"))
                    .unwrap_or_default(),
            );
            return Err(ScheduleError::Activation(text));
        }
        self.later.insert(height, schedule);
        Ok(())
    }

    /// The schedule in force at `height`.
    pub fn at(&self, height: u64) -> &GasSchedule {
        self.later
            .range(..=height)
            .next_back()
            .map_or(&self.genesis, |(_, schedule)| schedule)
    }

    /// All schedules with the heights they start at, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &GasSchedule)> {
        std::iter::once((0, &self.genesis)).chain(self.later.iter().map(|(h, s)| (*h, s)))
    }
}

impl Default for ScheduleSet {
    /// [`GasSchedule::v1`] from height 0 on.
    fn default() -> Self {
        Self {
            genesis: GasSchedule::v1(),
            later: BTreeMap::new(),
        }
    }
}
