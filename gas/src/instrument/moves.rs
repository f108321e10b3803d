//! How many values a compiler has to move where many branches meet.
//!
//! Where control flow joins, each local that is still needed and may have come as several values
//! is one value from there on, and so are the block's own results. Every branch to the join has
//! to put all of them in place, and compilers take longer than that: the time grows with the
//! square of the branches. The count of joins times locals knows nothing of that, so it is
//! counted here. Locals that nothing reads behind the join are free, as are the branches that
//! every join has.

use super::flow::{Block, Flow};

/// Branches to a join that the count of joins pays for.
const FREE: u64 = 4;

/// Branches to one join after which each costs twice as much.
const STEEP: u64 = 256;

/// What the gas left counts for at a join: it is one more value that every branch passes, and no
/// two branches pass the same, because what is paid between them changes it.
const GAS: u64 = 2;

/// Targets of one `br_table` that are the same take together what one branch takes.
const SAME: u64 = 8;

/// What one function does with its locals, and where.
#[derive(Default)]
pub(super) struct Moves {
    /// Instructions on locals in the order of the code: block, local, whether it is written.
    touches: Vec<(usize, u32, bool)>,
    /// Blocks in the order of the code.
    order: Vec<usize>,
    /// Joins that values are passed to, and how many.
    passed: Vec<(usize, u64)>,
}

impl Moves {
    /// A block begins.
    pub(super) fn begin(&mut self, block: Block) {
        self.order.push(block.index());
    }

    /// A local is read.
    pub(super) fn get(&mut self, block: Block, local: u32) {
        self.touches.push((block.index(), local, false));
    }

    /// A local is written.
    pub(super) fn set(&mut self, block: Block, local: u32) {
        self.touches.push((block.index(), local, true));
    }

    /// Branches to a join pass this many values.
    pub(super) fn pass(&mut self, join: Block, values: usize) {
        if values > 0 {
            self.passed.push((join.index(), values as u64));
        }
    }

    /// Values to move, weighted by the branches that share their join.
    pub(super) fn count(&self, flow: &Flow, locals: u32) -> u64 {
        let mut edges = flow.edges();
        edges.sort_unstable();
        let blocks = flow.len();
        // Branches into each block, and those that only repeat one.
        let (mut branches, mut repeated) = (vec![0_u64; blocks], vec![0_u64; blocks]);
        let mut last = None;
        for edge in &edges {
            let counts = match last == Some(*edge) {
                true => &mut repeated,
                false => &mut branches,
            };
            if let Some(count) = counts.get_mut(edge.1) {
                *count += 1;
            }
            last = Some(*edge);
        }
        let weight = |block: usize| {
            let branches = branches.get(block).copied().unwrap_or(0);
            let repeated = repeated.get(block).copied().unwrap_or(0);
            let steep = branches.saturating_sub(FREE) * (STEEP + branches) / STEEP;
            steep + repeated / SAME
        };
        let joins: Vec<(usize, u64)> = (0..blocks)
            .map(|block| (block, weight(block)))
            .filter(|(_, weight)| *weight > 0)
            .collect();
        if joins.is_empty() {
            return 0;
        }
        edges.dedup();
        let live = self.live(&edges, blocks, locals);
        let mut merged = vec![0_u64; blocks];
        for (block, values) in &self.passed {
            if let Some(slot) = merged.get_mut(*block) {
                *slot = *values;
            }
        }
        joins.iter().fold(0_u64, |sum, (block, weight)| {
            let passed = merged.get(*block).copied().unwrap_or(0);
            let values = GAS + live.count(*block) + passed;
            sum.saturating_add(values.saturating_mul(*weight))
        })
    }

    /// Locals that are needed when a block begins, if they are ever written. `edges` are sorted.
    fn live(&self, edges: &[(usize, usize)], blocks: usize, locals: u32) -> Sets {
        let (mut live, mut written) = (Sets::new(blocks, locals), Sets::new(blocks, locals));
        let mut variable = Sets::new(1, locals);
        for (block, local, writes) in &self.touches {
            if *writes {
                written.insert(*block, *local);
                variable.insert(0, *local);
            } else if !written.contains(*block, *local) {
                live.insert(*block, *local);
            }
        }
        // Against the order of the code a round does all but the ways back of one loop.
        let mut changed = true;
        while changed {
            changed = false;
            for block in self.order.iter().rev() {
                let first = edges.partition_point(|(from, _)| from < block);
                let ways = edges.iter().skip(first);
                for (_, to) in ways.take_while(|(from, _)| from == block) {
                    changed |= live.take_over(*to, *block, &written);
                }
            }
        }
        live.keep_only(&variable);
        live
    }
}

/// A set of locals for each block.
struct Sets {
    words: Vec<u64>,
    each: usize,
}

impl Sets {
    fn new(blocks: usize, locals: u32) -> Self {
        let each = locals.div_ceil(64) as usize;
        Self {
            words: vec![0; blocks.saturating_mul(each)],
            each,
        }
    }

    fn at(&self, block: usize, local: u32) -> (usize, u64) {
        let word = block * self.each + local as usize / 64;
        (word, 1 << (local % 64))
    }

    fn insert(&mut self, block: usize, local: u32) {
        let (word, bit) = self.at(block, local);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    fn contains(&self, block: usize, local: u32) -> bool {
        let (word, bit) = self.at(block, local);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    fn count(&self, block: usize) -> u64 {
        let words = self.words.iter().skip(block * self.each).take(self.each);
        words.map(|word| u64::from(word.count_ones())).sum()
    }

    /// Adds to the set of `to` that of `from`, less what `without` has for `to`; says whether
    /// that changed anything.
    fn take_over(&mut self, from: usize, to: usize, without: &Self) -> bool {
        let mut changed = false;
        for word in 0..self.each {
            let at = to * self.each + word;
            let added = self
                .words
                .get(from * self.each + word)
                .copied()
                .unwrap_or(0);
            let added = added & !without.words.get(at).copied().unwrap_or(0);
            if let Some(word) = self.words.get_mut(at) {
                changed |= *word | added != *word;
                *word |= added;
            }
        }
        changed
    }

    /// Leaves in each set what the one set of `other` has.
    fn keep_only(&mut self, other: &Self) {
        for set in self.words.chunks_mut(self.each.max(1)) {
            for (word, kept) in set.iter_mut().zip(&other.words) {
                *word &= kept;
            }
        }
    }
}
