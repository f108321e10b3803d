//! Running a program: one submission for a batch, unless the processor computes something in between.

use std::sync::Arc;

use super::device::lock;
use super::plan::{Slot, Step};
use super::program::{Program, Workspace, is_direct, workgroups};
use crate::array::{Array, Data};
use crate::error::RunError;
use crate::graph::{Graph, Info, ValueId};
use crate::kernels::strict::with_default_environment;
use crate::run::{Executor, Observer};

const LOST: RunError = RunError::Internal("a value is used before it is computed");

/// Values on the host: for each, one array for each instance, or one for all.
struct Host {
    values: Vec<Vec<Arc<Array>>>,
}

impl Host {
    fn get(&self, id: ValueId, instance: usize) -> Option<&Arc<Array>> {
        let list = self.values.get(id.index())?;
        if list.len() == 1 {
            list.first()
        } else {
            list.get(instance)
        }
    }

    fn set(&mut self, id: ValueId, arrays: Vec<Arc<Array>>) {
        if let Some(value) = self.values.get_mut(id.index()) {
            *value = arrays;
        }
    }
}

/// One run of some instances.
struct Run<'a> {
    program: &'a Program,
    graph: &'a Graph,
    space: &'a mut Workspace,
    host: Host,
    instances: usize,
    encoder: Option<wgpu::CommandEncoder>,
}

impl Program {
    /// Runs `graph`, which this program was made from, on each list of inputs; gives each one's outputs.
    pub fn run(
        &self,
        graph: &Graph,
        batch: &[Vec<Arc<Array>>],
    ) -> Result<Vec<Vec<Arc<Array>>>, RunError> {
        let mut out = Vec::with_capacity(batch.len());
        for part in batch.chunks(self.most) {
            match self.run_part(graph, part, None) {
                Ok(outputs) => out.extend(outputs),
                Err(RunError::Device(error)) => return Err(RunError::Device(error)),
                // One by one, so that the error is that of the first inputs that have one.
                Err(error) => {
                    for one in part.chunks(1) {
                        out.extend(self.run_part(graph, one, None)?);
                    }
                    return Err(error);
                }
            }
        }
        Ok(out)
    }

    /// As [`Self::run`] for one list of inputs, showing every operation's results.
    pub fn run_observed(
        &self,
        graph: &Graph,
        inputs: Vec<Arc<Array>>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Arc<Array>>, RunError> {
        let mut out = self.run_part(graph, &[inputs], Some(observer))?;
        out.pop().ok_or(LOST)
    }

    fn run_part(
        &self,
        graph: &Graph,
        part: &[Vec<Arc<Array>>],
        observer: Option<&mut dyn Observer>,
    ) -> Result<Vec<Vec<Arc<Array>>>, RunError> {
        let mut kept = lock(&self.workspace);
        let mut space = match kept.take() {
            Some(space) if space.instances >= part.len() => space,
            // Freed before more is asked for.
            old => {
                drop(old);
                self.workspace(part.len()).map_err(RunError::from)?
            }
        };
        let mut host = Host {
            values: vec![Vec::new(); graph.value_count()],
        };
        let instances = part.len();
        for (id, array) in graph.constants() {
            host.set(*id, vec![array.clone()]);
        }
        for inputs in part {
            for (id, array) in graph.inputs().iter().zip(inputs) {
                if let Some(list) = host.values.get_mut(id.index()) {
                    list.push(array.clone());
                }
            }
        }
        let run = Run {
            program: self,
            graph,
            space: &mut space,
            host,
            instances,
            encoder: None,
        };
        let result = with_default_environment(|| run.all(observer));
        // After a device error, nothing that was made before it is used again.
        if !matches!(result, Err(RunError::Device(_))) {
            *kept = Some(space);
        }
        result
    }
}

impl Run<'_> {
    fn all(
        mut self,
        mut observer: Option<&mut dyn Observer>,
    ) -> Result<Vec<Vec<Arc<Array>>>, RunError> {
        let mut state = vec![u32::MAX; self.instances + 1];
        if let Some(first) = state.first_mut() {
            *first = self.instances as u32;
        }
        let bytes: Vec<u8> = state.iter().flat_map(|w| w.to_le_bytes()).collect();
        self.write_state(&bytes)?;
        let program = self.program;
        for (at, step) in program.plan.steps.iter().enumerate() {
            match step {
                Step::Upload(id) => self.upload(*id)?,
                Step::Download(list) => self.download(list)?,
                Step::Kernel(_) => self.kernel(at)?,
                Step::Host(node) => self.node(*node)?,
                Step::Done(node) => {
                    if let Some(observer) = observer.as_mut() {
                        self.show(*node, &mut **observer)?;
                    }
                }
            }
        }
        // A program that ends on the device has been waited for by its last download.
        (0..self.instances)
            .map(|instance| {
                self.graph
                    .outputs()
                    .iter()
                    .map(|id| self.host.get(*id, instance).cloned().ok_or(LOST))
                    .collect()
            })
            .collect()
    }

    fn write_state(&self, bytes: &[u8]) -> Result<(), RunError> {
        let device_ = &self.program.device;
        device_
            .guarded(|| device_.queue.write_buffer(&self.space.state, 0, bytes))
            .map_err(RunError::from)
    }

    fn slot(&self, id: ValueId) -> Result<(Slot, &Info, u64), RunError> {
        let info = self.graph.info(id);
        let slot = self.program.plan.homes.get(id.index());
        let slot = slot.copied().flatten().ok_or(LOST)?;
        Ok((slot, info, info.bytes().next_multiple_of(4)))
    }

    fn upload(&mut self, id: ValueId) -> Result<(), RunError> {
        // Writes come before everything that is submitted later, and after what was submitted before.
        self.flush()?;
        let (slot, _, stride) = self.slot(id)?;
        let mut bytes = Vec::with_capacity(stride as usize * self.instances);
        for instance in 0..self.instances {
            let array = self.host.get(id, instance).ok_or(LOST)?;
            bytes.extend(array.data.to_le_bytes());
            bytes.resize(stride as usize * (instance + 1), 0);
        }
        let buffer = self.space.slots.get(slot.0).ok_or(LOST)?;
        let device_ = &self.program.device;
        device_
            .guarded(|| device_.queue.write_buffer(buffer, 0, &bytes))
            .map_err(RunError::from)
    }

    fn encoder(&mut self) -> &mut wgpu::CommandEncoder {
        let device = &self.program.device.device;
        self.encoder
            .get_or_insert_with(|| device.create_command_encoder(&Default::default()))
    }

    fn flush(&mut self) -> Result<(), RunError> {
        let Some(encoder) = self.encoder.take() else {
            return Ok(());
        };
        let device_ = &self.program.device;
        device_
            .guarded(|| {
                device_.queue.submit([encoder.finish()]);
            })
            .map_err(RunError::from)
    }

    fn kernel(&mut self, at: usize) -> Result<(), RunError> {
        let program = self.program;
        let (Some(Step::Kernel(kernel)), Some(Some(ready))) =
            (program.plan.steps.get(at), program.ready.get(at))
        else {
            return Err(LOST);
        };
        let Some(Some((tiled, direct))) = self.space.bindings.get(at).cloned() else {
            return Err(LOST);
        };
        let instances = self.instances as u32;
        let grid = kernel.dispatch.grid;
        let (pipeline, bindings, is_direct) = match (&ready.direct, direct) {
            (Some(pipeline), Some(bindings)) if is_direct(grid, instances) => {
                (pipeline, bindings, true)
            }
            _ => (&ready.tiled, tiled, false),
        };
        let (across, down) = workgroups(grid, instances, is_direct);
        let mut pass = self
            .encoder()
            .begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline.pipeline);
        pass.set_bind_group(0, &bindings, &[]);
        pass.dispatch_workgroups(across, down, 1);
        Ok(())
    }

    /// Brings values to the host, and with them the first error of each instance.
    fn download(&mut self, list: &[ValueId]) -> Result<(), RunError> {
        let state_bytes = 4 * (self.instances as u64 + 1);
        let mut total = state_bytes;
        let mut places = Vec::with_capacity(list.len());
        for id in list {
            let (slot, _, stride) = self.slot(*id)?;
            let bytes = stride * self.instances as u64;
            places.push((slot, total, bytes));
            total += bytes;
        }
        let device_ = self.program.device.clone();
        if self.space.staging.as_ref().is_none_or(|b| b.size() < total) {
            let made = device_.guarded(|| {
                device_.device.create_buffer(&wgpu::BufferDescriptor {
                    label: None,
                    size: total,
                    usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                })
            });
            self.space.staging = Some(made.map_err(RunError::from)?);
        }
        self.encoder();
        let (Some(mut encoder), Some(staging)) = (self.encoder.take(), &self.space.staging) else {
            return Err(LOST);
        };
        let commands = device_
            .guarded(|| {
                encoder.copy_buffer_to_buffer(&self.space.state, 0, staging, 0, state_bytes);
                for (slot, at, bytes) in &places {
                    if let Some(buffer) = self.space.slots.get(slot.0) {
                        encoder.copy_buffer_to_buffer(buffer, 0, staging, *at, *bytes);
                    }
                }
                encoder.finish()
            })
            .map_err(RunError::from)?;
        let data = device_
            .read(commands, staging, total)
            .map_err(RunError::from)?;
        let (state, _) = data
            .get(4..state_bytes as usize)
            .ok_or(LOST)?
            .as_chunks::<4>();
        if state.iter().any(|w| u32::from_le_bytes(*w) != u32::MAX) {
            // The only thing that a kernel can find wrong.
            return Err(RunError::IndexOutOfRange);
        }
        for (id, (_, at, bytes)) in list.iter().zip(places) {
            let info = self.graph.info(*id);
            let stride = bytes as usize / self.instances.max(1);
            let len = info.bytes() as usize;
            let mut arrays = Vec::with_capacity(self.instances);
            for instance in 0..self.instances {
                let start = at as usize + instance * stride;
                let bytes = data.get(start..start + len).ok_or(LOST)?;
                arrays.push(Arc::new(Array {
                    shape: info.shape.clone(),
                    data: Data::from_le_bytes(info.ty, bytes)
                        .ok_or(RunError::Internal("the device gave a boolean that is none"))?,
                }));
            }
            self.host.set(*id, arrays);
        }
        Ok(())
    }

    /// Runs a node on the processor, for each instance.
    fn node(&mut self, index: usize) -> Result<(), RunError> {
        let node = self.graph.nodes().get(index).ok_or(LOST)?;
        let infos: Vec<Info> = node
            .outputs
            .iter()
            .map(|id| self.graph.info(*id).clone())
            .collect();
        let mut all: Vec<Vec<Arc<Array>>> = vec![Vec::new(); infos.len()];
        for instance in 0..self.instances {
            let mut operands = Vec::with_capacity(node.inputs.len());
            for id in &node.inputs {
                operands.push(match id {
                    None => None,
                    Some(id) => Some(&**self.host.get(*id, instance).ok_or(LOST)?),
                });
            }
            let results = match self.program.host.node(index, node, &operands, &infos) {
                Ok(results) => results,
                Err(error) => {
                    // An operation before this one may have failed on the device.
                    self.download(&[])?;
                    return Err(error);
                }
            };
            if results.len() != infos.len() {
                return Err(RunError::Internal("an operation gave too few results"));
            }
            for (list, array) in all.iter_mut().zip(results) {
                list.push(Arc::new(array));
            }
        }
        for (id, arrays) in node.outputs.iter().zip(all) {
            self.host.set(*id, arrays);
        }
        Ok(())
    }

    fn show(&mut self, index: usize, observer: &mut dyn Observer) -> Result<(), RunError> {
        let node = self.graph.nodes().get(index).ok_or(LOST)?;
        let missing: Vec<ValueId> = node
            .outputs
            .iter()
            .copied()
            .filter(|id| self.host.get(*id, 0).is_none())
            .collect();
        if !missing.is_empty() {
            self.download(&missing)?;
        }
        let results: Vec<Arc<Array>> = node
            .outputs
            .iter()
            .map(|id| self.host.get(*id, 0).cloned().ok_or(LOST))
            .collect::<Result<_, _>>()?;
        observer.results(index, node, &results);
        Ok(())
    }
}
