//! Gas schedules, made ready for execution.

use std::collections::BTreeMap;
use std::sync::Arc;

use aivm_abi::{FuncId, IMPORTS};
use aivm_gas::{GasSchedule, HostPrice, ScheduleSet};

use crate::engine::{CodeTarget, EngineConfig, IdleInstances};
use crate::error::Error;
use crate::host::Hash;

/// A schedule with its hash, its prices by function number and the engine it implies.
#[derive(Debug)]
pub(crate) struct Active {
    pub schedule: GasSchedule,
    pub hash: Hash,
    pub engine: EngineConfig,
    prices: Vec<HostPrice>,
}

impl Active {
    fn new(
        schedule: &GasSchedule,
        target: CodeTarget,
        idle: &Arc<IdleInstances>,
    ) -> Result<Self, Error> {
        let prices = IMPORTS
            .iter()
            .map(|import| {
                schedule.host_price(import.key).ok_or_else(|| {
                    Error::Config(format!(
                        "schedule {:?} has no price for {}",
                        schedule.name, import.key
                    ))
                })
            })
            .collect::<Result<_, _>>()?;
        let limits = &schedule.limits;
        Ok(Self {
            schedule: schedule.clone(),
            hash: schedule.hash(),
            engine: EngineConfig {
                stack_words: limits.stack_words,
                memory_pages: limits.memory_pages,
                simd: limits.simd,
                target,
                idle: idle.clone(),
            },
            prices,
        })
    }

    /// Price of a host function; forbidding when there is none, which cannot happen.
    #[inline]
    pub fn price(&self, func: FuncId) -> HostPrice {
        self.prices.get(func.index()).copied().unwrap_or(HostPrice {
            base: u64::MAX,
            per_byte: u64::MAX,
        })
    }

    /// Bytes of list contents that one host call may move each way.
    #[inline]
    pub fn transfer_limit(&self) -> u32 {
        let call = &self.schedule.call;
        call.max_input_bytes.max(call.max_output_bytes)
    }
}

/// All schedules of a chain by the height at which each comes into force.
#[derive(Debug)]
pub(crate) struct Schedules(BTreeMap<u64, Arc<Active>>);

impl Schedules {
    pub fn new(
        set: &ScheduleSet,
        target: CodeTarget,
        idle: &Arc<IdleInstances>,
    ) -> Result<Self, Error> {
        let schedules = set
            .iter()
            .map(|(height, schedule)| Ok((height, Arc::new(Active::new(schedule, target, idle)?))))
            .collect::<Result<_, Error>>()?;
        Ok(Self(schedules))
    }

    pub fn at(&self, height: u64) -> Result<&Arc<Active>, Error> {
        self.0
            .range(..=height)
            .next_back()
            .map(|(_, active)| active)
            .ok_or_else(|| Error::Config("no schedule from height 0 on".to_owned()))
    }
}
