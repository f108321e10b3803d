//! A graph on a device: weights and parameters uploaded once, working memory made when it is needed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::device::{Device, Pipeline};
use super::lower::Grid;
use super::plan::{Bound, Kernel, Plan, Step};
use super::{Gpu, GpuError};
use crate::array::Array;
use crate::cpu::Cpu;
use crate::graph::{Graph, ValueId};
use crate::kernels::Isa;
use crate::placement::Placement;

/// Parameters of a kernel start at a multiple of this many words, as every device allows.
const ALIGNMENT: usize = 64;

pub(super) struct Ready {
    pub tiled: Pipeline,
    pub direct: Option<Pipeline>,
    /// Bytes of its parameters.
    pub params: (u64, u64),
}

/// What one prepared model keeps on the device.
pub(crate) struct Program {
    pub(super) device: Arc<Device>,
    pub(super) plan: Plan,
    pub(super) host: Cpu,
    /// For each step, if it is a kernel.
    pub(super) ready: Vec<Option<Ready>>,
    params: wgpu::Buffer,
    constants: BTreeMap<ValueId, wgpu::Buffer>,
    words: Vec<wgpu::Buffer>,
    /// Most instances in one submission.
    pub(super) most: usize,
    pub(super) workspace: Mutex<Option<Workspace>>,
}

/// Working memory for some number of instances.
pub(super) struct Workspace {
    pub instances: usize,
    pub slots: Vec<wgpu::Buffer>,
    /// Number of instances of a run, and for each the first node that found an index out of range.
    pub state: wgpu::Buffer,
    pub staging: Option<wgpu::Buffer>,
    /// For each step, if it is a kernel: bindings of the tiled, and of the direct form.
    pub bindings: Vec<Option<(wgpu::BindGroup, Option<wgpu::BindGroup>)>>,
}

fn constant_words(array: &Array) -> Vec<u32> {
    let mut bytes = array.data.to_le_bytes();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|w| u32::from_le_bytes(*w)).collect()
}

impl Program {
    pub fn new(gpu: &Gpu, graph: &Graph) -> Result<Program, GpuError> {
        let device = gpu.device.clone();
        let plan = Plan::new(graph, device.info.native_dot, device.options.memory)?;
        let mut params: Vec<u32> = Vec::new();
        let mut ready = Vec::with_capacity(plan.steps.len());
        let mut fixed = 0u64;
        let mut constants: BTreeMap<ValueId, Vec<u32>> = BTreeMap::new();
        for step in &plan.steps {
            let Step::Kernel(kernel) = step else {
                ready.push(None);
                continue;
            };
            let dispatch = &kernel.dispatch;
            params.resize(params.len().next_multiple_of(ALIGNMENT), 0);
            let at = params.len() as u64 * 4;
            params.extend(&dispatch.params);
            let direct = match &dispatch.direct {
                Some(shader) => Some(device.pipeline(shader)?),
                None => None,
            };
            ready.push(Some(Ready {
                tiled: device.pipeline(&dispatch.shader)?,
                direct,
                params: (at, dispatch.params.len() as u64 * 4),
            }));
            for bound in &kernel.sources {
                if let Bound::Constant(id) = bound
                    && let Some(array) = graph.constant(*id)
                {
                    constants
                        .entry(*id)
                        .or_insert_with(|| constant_words(array));
                }
            }
        }
        let limit = device.buffer_limit();
        for words in plan.words.iter().chain(constants.values()).chain([&params]) {
            let bytes = words.len() as u64 * 4;
            fixed = fixed.saturating_add(bytes);
            if bytes + 16 > limit {
                return Err(GpuError::Memory {
                    needed: bytes,
                    limit,
                });
            }
        }
        let most = most_instances(&device, &plan, fixed)?;
        let on_host = |node: usize| plan.placements.get(node).is_none_or(|p| !p.on_gpu);
        let host = Cpu::for_nodes(graph, Isa::best(), 1, on_host)
            .map_err(|error| GpuError::Failed(error.to_string()))?;
        let (params, constants, words) = device.guarded(|| {
            (
                device.upload(&params),
                constants
                    .iter()
                    .map(|(id, words)| (*id, device.upload(words)))
                    .collect(),
                plan.words.iter().map(|w| device.upload(w)).collect(),
            )
        })?;
        let mut plan = plan;
        plan.words = Vec::new();
        Ok(Program {
            device,
            plan,
            host,
            ready,
            params,
            constants,
            words,
            most,
            workspace: Mutex::new(None),
        })
    }

    pub fn placements(&self) -> &[Placement] {
        &self.plan.placements
    }

    /// Working memory for at least `instances`, which must not be more than [`Self::most`].
    pub(super) fn workspace(&self, instances: usize) -> Result<Workspace, GpuError> {
        let instances = instances.next_power_of_two().min(self.most);
        let device = &self.device;
        device.guarded(|| {
            let slots: Vec<wgpu::Buffer> = self
                .plan
                .slots
                .iter()
                .map(|words| device.buffer(u64::from(*words) * 4 * instances as u64))
                .collect();
            let state = device.buffer(4 * (instances as u64 + 1));
            let bindings = self
                .plan
                .steps
                .iter()
                .zip(&self.ready)
                .map(|(step, ready)| match (step, ready) {
                    (Step::Kernel(kernel), Some(ready)) => Some((
                        self.bind(kernel, &ready.tiled, ready.params, &slots, &state),
                        ready
                            .direct
                            .as_ref()
                            .map(|p| self.bind(kernel, p, ready.params, &slots, &state)),
                    )),
                    _ => None,
                })
                .collect();
            Workspace {
                instances,
                slots,
                state,
                staging: None,
                bindings,
            }
        })
    }

    fn bind(
        &self,
        kernel: &Kernel,
        pipeline: &Pipeline,
        (offset, size): (u64, u64),
        slots: &[wgpu::Buffer],
        state: &wgpu::Buffer,
    ) -> wgpu::BindGroup {
        let mut resources = vec![wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.params,
            offset,
            size: std::num::NonZero::new(size),
        })];
        for bound in &kernel.sources {
            let buffer = match bound {
                Bound::Slot(slot) => slots.get(slot.0),
                Bound::Constant(id) => self.constants.get(id),
                Bound::Words(index) => self.words.get(*index),
            };
            resources.extend(buffer.map(wgpu::Buffer::as_entire_binding));
        }
        let target = slots.get(kernel.target.0);
        resources.extend(target.map(wgpu::Buffer::as_entire_binding));
        resources.push(state.as_entire_binding());
        let entries: Vec<_> = resources
            .into_iter()
            .enumerate()
            .map(|(binding, resource)| wgpu::BindGroupEntry {
                binding: binding as u32,
                resource,
            })
            .collect();
        self.device
            .device
            .create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &pipeline.layout,
                entries: &entries,
            })
    }
}

/// How many instances fit into memory, and into the kernels' 32-bit indices.
fn most_instances(device: &Device, plan: &Plan, fixed: u64) -> Result<usize, GpuError> {
    let per_instance: u64 = plan.slots.iter().map(|words| u64::from(*words) * 4).sum();
    let (memory, limit) = (device.options.memory, device.buffer_limit());
    let largest = plan.slots.iter().map(|w| u64::from(*w) * 4).max();
    let largest = largest.unwrap_or(0) + 20;
    let too_much = |needed, limit| Err(GpuError::Memory { needed, limit });
    if fixed.saturating_add(per_instance) > memory {
        return too_much(fixed.saturating_add(per_instance), memory);
    }
    if largest > limit {
        return too_much(largest, limit);
    }
    let by_memory = (memory - fixed)
        .checked_div(per_instance)
        .unwrap_or(u64::MAX);
    let groups = u64::from(device.limits.max_compute_workgroups_per_dimension);
    let mut most = by_memory.min(limit / largest).clamp(1, 1 << 14);
    for step in &plan.steps {
        let Step::Kernel(kernel) = step else { continue };
        let per_instance = match kernel.dispatch.grid {
            Grid::Words(words) => u64::from(words),
            Grid::Product {
                rows,
                columns,
                slices,
                ..
            } => (u64::from(rows) + 31)
                .saturating_mul(u64::from(columns) + 31)
                .saturating_mul(u64::from(slices)),
        };
        let indices = (1u64 << 31).min(groups.saturating_mul(groups));
        if per_instance > indices {
            return too_much(per_instance.saturating_mul(4), indices * 4);
        }
        most = most.min(indices / per_instance.max(1));
    }
    Ok(most as usize)
}

/// Workgroups of 64 invocations.
pub(super) fn workgroups(grid: Grid, instances: u32, direct: bool) -> (u32, u32) {
    let n = u64::from(instances);
    let groups = match grid {
        Grid::Words(words) => (u64::from(words) * n).div_ceil(64),
        Grid::Product {
            rows,
            columns,
            slices,
            merged,
        } => {
            let (rows, slices) = match merged {
                true => (u64::from(rows) * n, u64::from(slices)),
                false => (u64::from(rows), u64::from(slices) * n),
            };
            let columns = u64::from(columns);
            if direct {
                (rows * columns * slices).div_ceil(64)
            } else {
                rows.div_ceil(32) * columns.div_ceil(32) * slices
            }
        }
    };
    // Two dimensions, each of them within what every device has.
    let down = groups.div_ceil(1 << 14).max(1);
    (groups.div_ceil(down).max(1) as u32, down as u32)
}

/// Whether a product with so few rows or columns is computed one by one.
pub(super) fn is_direct(grid: Grid, instances: u32) -> bool {
    match grid {
        Grid::Words(_) => false,
        Grid::Product {
            rows,
            columns,
            merged,
            ..
        } => {
            let rows = u64::from(rows) * if merged { u64::from(instances) } else { 1 };
            rows <= 8 || columns <= 8
        }
    }
}
