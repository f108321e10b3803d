//! The order of work for one graph, and where in device memory its values are.

use super::GpuError;
use super::lower::{Context, Dispatch, Lowered, Source, Target, lower, words};
use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::placement::{CpuReason, Placement};

/// A piece of device memory, as large for each instance as the largest value that is ever in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(pub usize);

/// What a kernel reads, resolved.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    Slot(Slot),
    /// A constant of the graph.
    Constant(ValueId),
    /// Words laid out for a kernel.
    Words(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Kernel {
    pub dispatch: Dispatch,
    pub sources: Vec<Bound>,
    pub target: Slot,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// From the host to the device.
    Upload(ValueId),
    /// From the device to the host.
    Download(Vec<ValueId>),
    Kernel(Box<Kernel>),
    /// A node that the processor runs.
    Host(usize),
    /// All of a node's work is ordered.
    Done(usize),
}

pub(super) struct Plan {
    pub steps: Vec<Step>,
    /// Words of each slot for one instance.
    pub slots: Vec<u32>,
    /// Slot of each value that is on the device at some time.
    pub homes: Vec<Option<Slot>>,
    /// Words for kernels.
    pub words: Vec<Vec<u32>>,
    pub placements: Vec<Placement>,
}

/// Slots that are free, and those that are not.
#[derive(Default)]
struct Slots {
    words: Vec<u32>,
    free: Vec<usize>,
}

impl Slots {
    /// The smallest free slot that is large enough, else the largest one, enlarged, else a new one.
    fn take(&mut self, words: u32) -> Slot {
        let size = |slot: &usize| self.words.get(*slot).copied().unwrap_or(0);
        let best = (0..self.free.len()).min_by_key(|i| {
            let have = size(&self.free[*i]);
            (have < words, have.abs_diff(words))
        });
        let slot = match best {
            Some(i) => self.free.swap_remove(i),
            None => {
                self.words.push(words);
                self.words.len() - 1
            }
        };
        if let Some(have) = self.words.get_mut(slot) {
            *have = words.max(*have);
        }
        Slot(slot)
    }

    fn give(&mut self, slot: Slot) {
        self.free.push(slot.0);
    }
}

/// Which values are on the device, and until when.
struct Residence {
    /// For an alias, the value whose memory it shares.
    roots: Vec<usize>,
    /// Read or written by a kernel.
    device: Vec<bool>,
    /// Index of the last node that needs the memory of a root.
    last: Vec<usize>,
}

impl Plan {
    /// Plans `graph`, whose weights and parameters may take `memory` bytes.
    pub fn new(graph: &Graph, native_dot: bool, memory: u64) -> Result<Plan, GpuError> {
        let (lowered, placements) = place(graph, native_dot, memory)?;
        let residence = Residence::new(graph, &lowered);
        let mut plan = Plan {
            steps: Vec::new(),
            slots: Vec::new(),
            homes: vec![None; graph.value_count()],
            words: Vec::new(),
            placements,
        };
        let mut slots = Slots::default();
        let mut host: Vec<bool> = vec![false; graph.value_count()];
        for id in graph.inputs().iter().chain(graph.constants().keys()) {
            host[id.index()] = true;
        }
        for id in graph.inputs() {
            if residence.device[id.index()] {
                plan.homes[id.index()] = Some(slots.take(words(graph.info(*id))));
                plan.steps.push(Step::Upload(*id));
            }
        }
        for (index, (node, lowered)) in graph.nodes().iter().zip(lowered).enumerate() {
            match lowered {
                None => {
                    plan.download(node.inputs.iter().flatten(), &mut host);
                    plan.steps.push(Step::Host(index));
                    for id in &node.outputs {
                        host[id.index()] = true;
                        if residence.device[id.index()] {
                            plan.homes[id.index()] = Some(slots.take(words(graph.info(*id))));
                            plan.steps.push(Step::Upload(*id));
                        }
                    }
                }
                Some(Lowered::Alias) => {
                    if let (Some(Some(from)), Some(to)) =
                        (node.inputs.first(), node.outputs.first())
                    {
                        plan.homes[to.index()] = plan.homes[from.index()];
                    }
                }
                Some(Lowered::Kernels(list)) => {
                    for id in &node.outputs {
                        plan.homes[id.index()] = Some(slots.take(words(graph.info(*id))));
                    }
                    plan.kernels(graph, list, &mut slots);
                }
            }
            plan.steps.push(Step::Done(index));
            let mut ended: Vec<usize> = node
                .inputs
                .iter()
                .flatten()
                .chain(&node.outputs)
                .map(|id| residence.roots[id.index()])
                .filter(|root| residence.last[*root] == index)
                .collect();
            ended.sort_unstable();
            ended.dedup();
            for root in ended {
                if let Some(slot) = plan.homes[root] {
                    slots.give(slot);
                }
            }
        }
        plan.download(graph.outputs().iter(), &mut host);
        plan.slots = slots.words;
        Ok(plan)
    }

    /// Brings the values that are not on the host to it.
    fn download<'a>(&mut self, ids: impl Iterator<Item = &'a ValueId>, host: &mut [bool]) {
        let mut wanted: Vec<ValueId> = ids.copied().filter(|id| !host[id.index()]).collect();
        wanted.sort();
        wanted.dedup();
        for id in &wanted {
            host[id.index()] = true;
        }
        if !wanted.is_empty() {
            self.steps.push(Step::Download(wanted));
        }
    }

    fn kernels(&mut self, graph: &Graph, list: Vec<Dispatch>, slots: &mut Slots) {
        let mut scratch: Vec<(usize, Slot)> = Vec::new();
        for mut dispatch in list {
            let mut sources = Vec::with_capacity(dispatch.sources.len());
            for source in std::mem::take(&mut dispatch.sources) {
                let bound = match source {
                    Source::Value(id) if graph.constant(id).is_some() => Some(Bound::Constant(id)),
                    Source::Value(id) => self.homes[id.index()].map(Bound::Slot),
                    Source::Words(words) => {
                        self.words.push(words);
                        Some(Bound::Words(self.words.len() - 1))
                    }
                    Source::Scratch(index) => scratch
                        .iter()
                        .find(|(known, _)| *known == index)
                        .map(|(_, slot)| Bound::Slot(*slot)),
                };
                sources.extend(bound);
            }
            let target = match dispatch.target {
                Target::Value(id) => self.homes[id.index()],
                Target::Scratch(index, words) => {
                    let slot = slots.take(words);
                    scratch.push((index, slot));
                    Some(slot)
                }
            };
            if let Some(target) = target {
                self.steps.push(Step::Kernel(Box::new(Kernel {
                    dispatch,
                    sources,
                    target,
                })));
            }
        }
        for (_, slot) in scratch {
            slots.give(slot);
        }
    }
}

/// For each node its kernels, or `None` if the processor runs it.
type Placed = (Vec<Option<Lowered>>, Vec<Placement>);

/// Bytes of what the kernels are told. A constant that many nodes use is laid out for each of them, so that a small
/// model can ask for much.
fn told(list: &[Dispatch]) -> u64 {
    let words = |dispatch: &Dispatch| {
        let laid_out = dispatch.sources.iter().map(|source| match source {
            Source::Words(words) => words.len(),
            _ => 0,
        });
        dispatch.params.len() + laid_out.sum::<usize>()
    };
    list.iter().map(words).sum::<usize>() as u64 * 4
}

fn place(graph: &Graph, native_dot: bool, memory: u64) -> Result<Placed, GpuError> {
    let mut needed = 0u64;
    let mut on_host = vec![false; graph.value_count()];
    let (mut all, mut placements) = (Vec::new(), Vec::new());
    for (index, node) in graph.nodes().iter().enumerate() {
        let context = Context {
            graph,
            node,
            index,
            native_dot,
        };
        let mut lowered = lower(&context);
        let computed = node.inputs.iter().flatten().any(|id| on_host[id.index()]);
        if computed && matches!(node.op, Op::Reshape(_)) && lowered.is_ok() {
            lowered = Err(CpuReason::Follows);
        }
        if let Ok(Lowered::Kernels(list)) = &lowered {
            needed = needed.saturating_add(told(list));
            if needed > memory {
                let limit = memory;
                return Err(GpuError::Memory { needed, limit });
            }
        }
        if lowered.is_err() {
            for id in &node.outputs {
                on_host[id.index()] = true;
            }
        }
        placements.push(Placement {
            node: node.name.clone(),
            op: node.op.name(),
            on_gpu: lowered.is_ok(),
            reason: lowered.as_ref().err().copied(),
        });
        all.push(lowered.ok());
    }
    Ok((all, placements))
}

impl Residence {
    fn new(graph: &Graph, lowered: &[Option<Lowered>]) -> Self {
        let count = graph.value_count();
        let mut roots: Vec<usize> = (0..count).collect();
        let mut device = vec![false; count];
        for (node, lowered) in graph.nodes().iter().zip(lowered) {
            if lowered.is_none() {
                continue;
            }
            for id in node.inputs.iter().flatten().chain(&node.outputs) {
                device[id.index()] = true;
            }
            if let (Some(Lowered::Alias), Some(Some(from)), Some(to)) =
                (lowered, node.inputs.first(), node.outputs.first())
            {
                roots[to.index()] = roots[from.index()];
            }
        }
        // Reads by the processor come from the same memory; a value's own node needs it too.
        let mut last = vec![0; count];
        for (index, node) in graph.nodes().iter().enumerate() {
            for id in node.inputs.iter().flatten().chain(&node.outputs) {
                last[roots[id.index()]] = index;
            }
        }
        for id in graph.outputs() {
            last[roots[id.index()]] = usize::MAX;
        }
        Residence {
            roots,
            device,
            last,
        }
    }
}
