//! Counting the instructions of a transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use aivm_gas::{Block, count_blocks};

use crate::engine::Compiled;
use crate::error::Error;
use crate::host::{Hash, Host};
use crate::inspect::OpcodeProfile;
use crate::schedules::Active;
use crate::vm::{refused, stored_code};

/// Modules with counters, compiled for one transaction, and what they counted.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    modules: BTreeMap<Hash, (Arc<Compiled>, Arc<Vec<Block>>)>,
    pub profile: OpcodeProfile,
}

impl Counting {
    /// The module of a contract, with counters.
    pub fn module(
        &mut self,
        active: &Active,
        host: &dyn Host,
        code: &Hash,
    ) -> Result<Arc<Compiled>, Error> {
        if let Some((compiled, _)) = self.modules.get(code) {
            return Ok(compiled.clone());
        }
        let wasm = stored_code(host, code)?;
        let counted =
            count_blocks(&wasm, &active.schedule).map_err(|error| refused(code, &error))?;
        let compiled = active
            .engine
            .compile_counting(&counted.wasm, counted.blocks.len())?;
        let compiled = Arc::new(compiled);
        let entry = (compiled.clone(), Arc::new(counted.blocks));
        self.modules.insert(*code, entry);
        Ok(compiled)
    }

    /// Takes up what the counters of a module say after a frame.
    pub fn add(&mut self, code: &Hash, counts: &[u64]) {
        if let Some((_, blocks)) = self.modules.get(code) {
            let blocks = blocks.clone();
            self.profile.add(&blocks, counts);
        }
    }
}
