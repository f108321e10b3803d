//! Control-flow graph of one function, and where in it to charge.
//!
//! Each basic block has a cost. Charging every block its own cost at its head is exact but
//! wasteful: most blocks are short. Instead an amount may be *prepaid* on the edge into a
//! block, by the blocks before it. A block charges
//! `cost − prepaid on the way in + prepaid on the way out`, so the sum over any whole path
//! is the sum of the costs on it. All edges out of one block must carry the same amount
//! (it is paid before the branch is decided), and so must all edges into one block. Edges
//! tied together like this form a class. The amount of a class may be as large as the
//! cheapest way from it to the end of the function, so that no charge is negative, nothing
//! runs before it is paid, and nobody pays for what does not run. Shortest paths give just
//! that; most charges then come out as zero.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Index of a basic block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block(usize);

impl Block {
    pub(super) const ENTRY: Self = Self(0);
    pub(super) const EXIT: Self = Self(1);

    pub(super) fn is_entry(self) -> bool {
        self == Self::ENTRY
    }

    pub(super) fn index(self) -> usize {
        self.0
    }
}

/// A graph under construction.
#[derive(Clone, Default)]
pub(super) struct Flow {
    costs: Vec<u64>,
    /// Whether anything leads to the block.
    live: Vec<bool>,
    /// Whether the block leads to anything.
    leads: Vec<bool>,
    /// All edges, for [`Flow::cheapest`].
    edges: Vec<(Block, Block)>,
    /// Union-find over edge classes: block `b` owns nodes `2b` (edges in) and `2b + 1`
    /// (edges out).
    parent: Vec<usize>,
}

impl Flow {
    /// A graph of the entry and the exit.
    pub(super) fn new() -> Self {
        let mut flow = Self::default();
        flow.block();
        flow.block();
        flow.mark(Block::ENTRY);
        flow
    }

    /// A new block that nothing leads to yet.
    pub(super) fn block(&mut self) -> Block {
        let block = Block(self.costs.len());
        self.costs.push(0);
        self.live.push(false);
        self.leads.push(false);
        self.parent.extend([2 * block.0, 2 * block.0 + 1]);
        block
    }

    pub(super) fn add_cost(&mut self, block: Block, gas: u64) {
        if let Some(cost) = self.costs.get_mut(block.0) {
            *cost = cost.saturating_add(gas);
        }
    }

    /// An edge. Its source is live.
    pub(super) fn edge(&mut self, from: Block, to: Block) {
        self.edges.push((from, to));
        let a = self.find(2 * from.0 + 1);
        let b = self.find(2 * to.0);
        if let Some(parent) = self.parent.get_mut(b) {
            *parent = a;
        }
        self.mark(to);
        if let Some(leads) = self.leads.get_mut(from.0) {
            *leads = true;
        }
    }

    /// Number of blocks, those that nothing leads to included.
    pub(super) fn len(&self) -> usize {
        self.costs.len()
    }

    /// All edges by the indices of their blocks.
    pub(super) fn edges(&self) -> Vec<(usize, usize)> {
        let edges = self.edges.iter();
        edges.map(|(from, to)| (from.0, to.0)).collect()
    }

    /// Says that nothing comes out of a block.
    pub(super) fn cut(&mut self, block: Block) {
        self.edges.retain(|(from, _)| *from != block);
    }

    /// Cost of the cheapest path from the entry to the exit, if there is one.
    pub(super) fn cheapest(&self) -> Option<u64> {
        let mut backwards: Vec<Vec<(usize, u64)>> = vec![Vec::new(); self.costs.len()];
        for (from, to) in &self.edges {
            let cost = self.costs.get(from.0).copied().unwrap_or(0);
            if let Some(list) = backwards.get_mut(to.0) {
                list.push((from.0, cost));
            }
        }
        let lengths = shortest(&backwards, &[Block::EXIT.0]);
        lengths.get(Block::ENTRY.0).copied().flatten()
    }

    pub(super) fn is_live(&self, block: Block) -> bool {
        self.live.get(block.0).copied().unwrap_or(false)
    }

    fn mark(&mut self, block: Block) {
        if let Some(live) = self.live.get_mut(block.0) {
            *live = true;
        }
    }

    /// Root of a class, halving the path on the way.
    fn find(&mut self, mut node: usize) -> usize {
        while let Some(&up) = self.parent.get(node)
            && up != node
        {
            let top = self.parent.get(up).copied().unwrap_or(up);
            if let Some(slot) = self.parent.get_mut(node) {
                *slot = top;
            }
            node = top;
        }
        node
    }

    /// Gas to charge at the head of each block, by block.
    ///
    /// With `merge` off every block charges its own cost.
    pub(super) fn charges(mut self, merge: bool) -> Charges {
        if !merge {
            return Charges(self.costs);
        }
        let nodes = self.parent.len();
        let root: Vec<usize> = (0..nodes).map(|node| self.find(node)).collect();
        let class = |node: usize| root.get(node).copied().unwrap_or(node);
        // Edges of the shortest-path problem run backwards: from the class a block's
        // way out belongs to, to the class of its way in.
        let mut backwards: Vec<Vec<(usize, u64)>> = vec![Vec::new(); nodes];
        for (block, &cost) in self.costs.iter().enumerate() {
            if self.live.get(block) == Some(&true)
                && block != Block::EXIT.0
                && let Some(list) = backwards.get_mut(class(2 * block + 1))
            {
                list.push((class(2 * block), cost));
            }
        }
        let mut sources = vec![class(2 * Block::EXIT.0)];
        // A block that ends in a trap has no way out.
        let stops = (0..self.costs.len())
            .filter(|&block| block != Block::EXIT.0 && self.leads.get(block) == Some(&false));
        sources.extend(stops.map(|block| 2 * block + 1));
        // What never gets to an end is an endless loop. Nothing is prepaid into it.
        let ends = shortest(&backwards, &sources);
        sources.extend(
            (0..nodes).filter(|&node| class(node) == node && ends.get(node) == Some(&None)),
        );
        let prepaid = shortest(&backwards, &sources);
        // The function's entry has nobody before it who could prepay.
        let entry = class(2 * Block::ENTRY.0);
        let amount = |node: usize| {
            let node = class(node);
            if node == entry {
                0
            } else {
                prepaid.get(node).copied().flatten().unwrap_or(0)
            }
        };
        let charges = self.costs.iter().enumerate().map(|(block, &cost)| {
            if self.live.get(block) != Some(&true) || block == Block::EXIT.0 {
                return 0;
            }
            let paid_ahead = amount(2 * block + 1);
            cost.saturating_add(paid_ahead)
                .saturating_sub(amount(2 * block))
        });
        Charges(charges.collect())
    }
}

/// Length of the shortest path from any source to each node that has one (Dijkstra).
fn shortest(edges: &[Vec<(usize, u64)>], sources: &[usize]) -> Vec<Option<u64>> {
    let mut lengths: Vec<Option<u64>> = vec![None; edges.len()];
    let mut queue: BinaryHeap<_> = sources.iter().map(|&node| Reverse((0, node))).collect();
    while let Some(Reverse((length, node))) = queue.pop() {
        match lengths.get_mut(node) {
            Some(slot @ None) => *slot = Some(length),
            _ => continue,
        }
        for &(next, cost) in edges.get(node).into_iter().flatten() {
            queue.push(Reverse((length.saturating_add(cost), next)));
        }
    }
    lengths
}

/// Gas to charge at the head of each block.
#[derive(Clone, Debug)]
pub(super) struct Charges(Vec<u64>);

impl Charges {
    pub(super) fn at(&self, block: Block) -> u64 {
        self.0.get(block.0).copied().unwrap_or(0)
    }

    pub(super) fn set(&mut self, block: Block, gas: u64) {
        if let Some(slot) = self.0.get_mut(block.0) {
            *slot = gas;
        }
    }

    /// Whether there is nothing to charge.
    pub(super) fn are_none(&self) -> bool {
        self.0.iter().all(|&gas| gas == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, Flow};

    /// Entry → (then | else) → join → exit, with costs 1, 10, 4, 2.
    #[test]
    fn a_diamond_charges_the_dearer_arm_only() {
        let mut flow = Flow::new();
        let [then, other, join] = [flow.block(), flow.block(), flow.block()];
        for (block, cost) in [(Block::ENTRY, 1), (then, 10), (other, 4), (join, 2)] {
            flow.add_cost(block, cost);
        }
        flow.edge(Block::ENTRY, then);
        flow.edge(Block::ENTRY, other);
        flow.edge(then, join);
        flow.edge(other, join);
        flow.edge(join, Block::EXIT);
        let charges = flow.charges(true);
        assert_eq!(charges.at(Block::ENTRY), 7);
        assert_eq!(charges.at(then), 6);
        assert_eq!(charges.at(other), 0);
        assert_eq!(charges.at(join), 0);
    }

    #[test]
    fn the_cheapest_path_ends_at_the_exit() {
        let mut flow = Flow::new();
        let [then, other, dead] = [flow.block(), flow.block(), flow.block()];
        for (block, cost) in [(Block::ENTRY, 1), (then, 10), (other, 4), (dead, 0)] {
            flow.add_cost(block, cost);
        }
        flow.edge(Block::ENTRY, then);
        flow.edge(Block::ENTRY, other);
        flow.edge(Block::ENTRY, dead);
        flow.edge(then, Block::EXIT);
        flow.edge(other, other);
        flow.edge(other, Block::EXIT);
        assert_eq!(flow.cheapest(), Some(5));
        flow.cut(other);
        assert_eq!(flow.cheapest(), Some(11));
        flow.cut(Block::ENTRY);
        assert_eq!(flow.cheapest(), None);
    }

    /// Entry (1) → body (5) → body | after (3) → exit.
    #[test]
    fn a_loop_charges_once_a_turn() {
        let mut flow = Flow::new();
        let [body, after] = [flow.block(), flow.block()];
        for (block, cost) in [(Block::ENTRY, 1), (body, 5), (after, 3)] {
            flow.add_cost(block, cost);
        }
        flow.edge(Block::ENTRY, body);
        flow.edge(body, body);
        flow.edge(body, after);
        flow.edge(after, Block::EXIT);
        let charges = flow.charges(true);
        // n turns cost 1 + 5n + 3 in either form.
        let total = |n: u64| charges.at(Block::ENTRY) + n * charges.at(body) + charges.at(after);
        assert_eq!(total(1), 9);
        assert_eq!(total(100), 504);
        assert_eq!(charges.at(after), 0);
    }

    #[test]
    fn an_endless_loop_still_pays_each_turn() {
        let mut flow = Flow::new();
        let body = flow.block();
        flow.add_cost(Block::ENTRY, 1);
        flow.add_cost(body, 5);
        flow.edge(Block::ENTRY, body);
        flow.edge(body, body);
        let charges = flow.charges(true);
        assert_eq!(charges.at(Block::ENTRY), 1);
        assert_eq!(charges.at(body), 5);
    }
}
