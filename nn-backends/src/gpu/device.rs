//! An opened device: pipelines, buffers, submissions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use pollster::block_on;

use super::shader::Shader;
use super::{GpuApi, GpuError, selftest};

/// How a device is opened and used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GpuOptions {
    /// Part of the name of the device to open. `None` (the default) takes a discrete one before an integrated one
    /// before one that is computed on the processor.
    pub adapter: Option<String>,
    /// Bytes of device memory that one prepared model may use, weights included. Default 1 GiB. A batch that would
    /// need more is run in parts.
    pub memory: u64,
    /// Seconds after which a submission that has not finished is an error. Default 300.
    pub timeout_s: u64,
}

impl Default for GpuOptions {
    fn default() -> Self {
        GpuOptions {
            adapter: None,
            memory: 1 << 30,
            timeout_s: 300,
        }
    }
}

/// What an opened device is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GpuInfo {
    /// Interface.
    pub api: GpuApi,
    /// The driver's name of the device.
    pub adapter: String,
    /// Driver and version.
    pub driver: String,
    /// Whether it is computed on the processor.
    pub software: bool,
    /// Whether products use the device's dot product of four bytes; it was found exact by the self-test.
    pub native_dot: bool,
}

/// A GPU that has passed its self-test. Cheap to clone; the clones share one device.
#[derive(Clone)]
pub struct Gpu {
    pub(super) device: Arc<Device>,
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Gpu").field(&self.device.info).finish()
    }
}

impl Gpu {
    /// Opens a device of `api` and tests it.
    ///
    /// # Errors
    /// When `api` is not in this build or has no device, when the device does not open, or when it computes
    /// anything in the self-test wrongly. There is no fallback to another interface.
    pub fn open(api: GpuApi) -> Result<Gpu, GpuError> {
        Self::open_with(api, &GpuOptions::default())
    }

    /// As [`Gpu::open`], with options.
    ///
    /// # Errors
    /// As [`Gpu::open`].
    pub fn open_with(api: GpuApi, options: &GpuOptions) -> Result<Gpu, GpuError> {
        let mut device = Device::open(api, options)?;
        device.info.native_dot = true;
        let mut gpu = Gpu {
            device: Arc::new(device),
        };
        if selftest::dot(&gpu).is_err() {
            // The device's own instruction is not exact, or not there: products are written out.
            let mut device = Device::open(api, options)?;
            device.info.native_dot = false;
            gpu = Gpu {
                device: Arc::new(device),
            };
            selftest::dot(&gpu)?;
        }
        selftest::all(&gpu)?;
        Ok(gpu)
    }

    /// Names of the devices that `api` reaches, best first.
    ///
    /// # Errors
    /// When `api` is not in this build.
    pub fn adapters(api: GpuApi) -> Result<Vec<String>, GpuError> {
        let list = adapters(api)?;
        Ok(list.iter().map(|a| a.get_info().name).collect())
    }

    /// What was opened.
    pub fn info(&self) -> &GpuInfo {
        &self.device.info
    }
}

fn adapters(api: GpuApi) -> Result<Vec<wgpu::Adapter>, GpuError> {
    if !api.is_built() {
        return Err(GpuError::ApiMissing(api));
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: api.backends(),
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut list = block_on(instance.enumerate_adapters(api.backends()));
    list.retain(|a| a.get_info().backend == api.backend());
    list.sort_by_key(|a| match a.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    });
    Ok(list)
}

/// A pipeline with the layout of its buffers.
#[derive(Clone)]
pub(super) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

pub(super) struct Device {
    pub info: GpuInfo,
    pub options: GpuOptions,
    pub limits: wgpu::Limits,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    /// Why the device was lost, or what failed outside any scope.
    fault: Arc<Mutex<Option<GpuError>>>,
    pub(super) pipelines: Mutex<BTreeMap<String, Pipeline>>,
}

/// A panic while a lock is held leaves data that is still whole: every change below is a single insertion.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Device {
    fn open(api: GpuApi, options: &GpuOptions) -> Result<Device, GpuError> {
        let list = adapters(api)?;
        let wanted = |a: &&wgpu::Adapter| {
            options
                .adapter
                .as_ref()
                .is_none_or(|name| a.get_info().name.contains(name.as_str()))
        };
        let Some(adapter) = list.iter().find(wanted) else {
            return Err(match &options.adapter {
                Some(wanted) if !list.is_empty() => GpuError::NoSuchAdapter {
                    api,
                    wanted: wanted.clone(),
                    found: list
                        .iter()
                        .map(|a| a.get_info().name)
                        .collect::<Vec<_>>()
                        .join(", "),
                },
                _ => GpuError::NoAdapter(api),
            });
        };
        let info = adapter.get_info();
        let limits = adapter.limits();
        let needs = [
            (
                "storage buffers of a stage",
                limits.max_storage_buffers_per_shader_stage,
                6,
            ),
            (
                "invocations of a workgroup",
                limits.max_compute_invocations_per_workgroup,
                64,
            ),
            (
                "width of a workgroup",
                limits.max_compute_workgroup_size_x,
                64,
            ),
            (
                "bytes of workgroup memory",
                limits.max_compute_workgroup_storage_size,
                2048,
            ),
            (
                "workgroups of a dimension",
                limits.max_compute_workgroups_per_dimension,
                1 << 14,
            ),
        ];
        for (limit, found, needed) in needs {
            if found < needed {
                return Err(GpuError::Limit {
                    adapter: info.name,
                    limit,
                    found: found.into(),
                    needed: needed.into(),
                });
            }
        }
        let (device, queue) = block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: None,
            required_limits: limits.clone(),
            ..Default::default()
        }))
        .map_err(|error| GpuError::Open(error.to_string()))?;
        let fault = Arc::new(Mutex::new(None));
        let slot = fault.clone();
        device.set_device_lost_callback(move |reason, message| {
            *lock(&slot) = Some(GpuError::Lost(format!("{reason:?} {message}")));
        });
        let slot = fault.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&slot).get_or_insert(GpuError::Failed(error.to_string()));
        }));
        Ok(Device {
            info: GpuInfo {
                api,
                software: info.device_type == wgpu::DeviceType::Cpu
                    || info.name.contains("llvmpipe"),
                adapter: info.name,
                driver: format!("{} {}", info.driver, info.driver_info)
                    .trim()
                    .to_owned(),
                native_dot: false,
            },
            options: options.clone(),
            limits,
            device,
            queue,
            fault,
            pipelines: Mutex::default(),
        })
    }

    /// Bytes that one buffer may have, and a kernel may address.
    pub fn buffer_limit(&self) -> u64 {
        self.limits
            .max_buffer_size
            .min(self.limits.max_storage_buffer_binding_size)
            .min(1 << 31)
    }

    /// Runs `f`, and gives the first error that the driver reports for it.
    pub fn guarded<T>(&self, f: impl FnOnce() -> T) -> Result<T, GpuError> {
        self.check()?;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let value = f();
        let mut first = None;
        for scope in [validation, internal, memory] {
            first = first.or(block_on(scope.pop()));
        }
        self.check()?;
        match first {
            Some(error) => Err(GpuError::Failed(error.to_string())),
            None => Ok(value),
        }
    }

    fn check(&self) -> Result<(), GpuError> {
        match &*lock(&self.fault) {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// The pipeline of `shader`, compiled on its first use.
    pub fn pipeline(&self, shader: &Shader) -> Result<Pipeline, GpuError> {
        if let Some(found) = lock(&self.pipelines).get(&shader.source) {
            return Ok(found.clone());
        }
        let made = self.guarded(|| {
            let entries: Vec<_> = (0..shader.inputs as u32 + 3)
                .map(|binding| wgpu::BindGroupLayoutEntry {
                    binding,
                    visibility: wgpu::ShaderStages::COMPUTE,
                    ty: wgpu::BindingType::Buffer {
                        ty: wgpu::BufferBindingType::Storage {
                            read_only: binding <= shader.inputs as u32,
                        },
                        has_dynamic_offset: false,
                        min_binding_size: None,
                    },
                    count: None,
                })
                .collect();
            let layout = self
                .device
                .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                    label: None,
                    entries: &entries,
                });
            let module = self
                .device
                .create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: None,
                    source: wgpu::ShaderSource::Wgsl(shader.source.as_str().into()),
                });
            let pipeline_layout =
                self.device
                    .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                        label: None,
                        bind_group_layouts: &[Some(&layout)],
                        immediate_size: 0,
                    });
            let pipeline = self
                .device
                .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                    label: None,
                    layout: Some(&pipeline_layout),
                    module: &module,
                    entry_point: Some("main"),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    cache: None,
                });
            Pipeline { pipeline, layout }
        })?;
        lock(&self.pipelines).insert(shader.source.clone(), made.clone());
        Ok(made)
    }

    /// An empty buffer of at least `bytes` bytes that kernels can read and write.
    pub fn buffer(&self, bytes: u64) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            // Reading a row's last word may touch the one behind it.
            size: bytes.next_multiple_of(4) + 16,
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// A buffer with these words in it.
    pub fn upload(&self, words: &[u32]) -> wgpu::Buffer {
        let buffer = self.buffer(words.len() as u64 * 4);
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        if !bytes.is_empty() {
            self.queue.write_buffer(&buffer, 0, &bytes);
        }
        buffer
    }

    /// Submits `commands`, waits for them, and gives the first `bytes` bytes of `staging`.
    pub fn read(
        &self,
        commands: wgpu::CommandBuffer,
        staging: &wgpu::Buffer,
        bytes: u64,
    ) -> Result<Vec<u8>, GpuError> {
        let (send, receive) = mpsc::channel();
        let submission = self.guarded(|| {
            let submission = self.queue.submit([commands]);
            staging
                .slice(..bytes)
                .map_async(wgpu::MapMode::Read, move |result| {
                    // The receiver is gone only if the wait has failed already.
                    let _ = send.send(result);
                });
            submission
        })?;
        let seconds = self.options.timeout_s;
        self.device
            .poll(wgpu::PollType::Wait {
                submission_index: Some(submission),
                timeout: Some(Duration::from_secs(seconds)),
            })
            .map_err(|error| match error {
                wgpu::PollError::Timeout => GpuError::Timeout(seconds),
                other => GpuError::Failed(other.to_string()),
            })?;
        self.check()?;
        // Another thread that waits for the same device may have collected this callback and be about to call it.
        match receive.recv_timeout(Duration::from_secs(seconds)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(GpuError::Failed(error.to_string())),
            Err(_) => return Err(GpuError::Timeout(seconds)),
        }
        let data = staging.slice(..bytes).get_mapped_range().to_vec();
        staging.unmap();
        Ok(data)
    }
}
