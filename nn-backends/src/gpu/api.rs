//! The interfaces through which a GPU is reached.

use std::fmt;

/// An interface to GPUs. It is always named: two of them on one machine may reach different drivers with
/// different faults, so none stands in for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GpuApi {
    /// Vulkan.
    Vulkan,
    /// OpenGL 4.3 or OpenGL ES 3.1.
    Gl,
    /// Metal, on Apple's systems.
    Metal,
    /// DirectX 12, on Windows.
    Dx12,
}

impl GpuApi {
    /// All interfaces.
    pub const ALL: [GpuApi; 4] = [GpuApi::Vulkan, GpuApi::Gl, GpuApi::Metal, GpuApi::Dx12];

    /// Whether this build contains the interface.
    pub fn is_built(self) -> bool {
        wgpu::Instance::enabled_backend_features().contains(self.backends())
    }

    pub(super) fn backends(self) -> wgpu::Backends {
        wgpu::Backends::from(self.backend())
    }

    pub(super) fn backend(self) -> wgpu::Backend {
        match self {
            GpuApi::Vulkan => wgpu::Backend::Vulkan,
            GpuApi::Gl => wgpu::Backend::Gl,
            GpuApi::Metal => wgpu::Backend::Metal,
            GpuApi::Dx12 => wgpu::Backend::Dx12,
        }
    }

    /// A short stable name.
    pub fn name(self) -> &'static str {
        match self {
            GpuApi::Vulkan => "vulkan",
            GpuApi::Gl => "gl",
            GpuApi::Metal => "metal",
            GpuApi::Dx12 => "dx12",
        }
    }

    /// The interface with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|api| api.name() == name)
    }
}

impl fmt::Display for GpuApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GpuApi::Vulkan => "Vulkan",
            GpuApi::Gl => "OpenGL",
            GpuApi::Metal => "Metal",
            GpuApi::Dx12 => "DirectX 12",
        })
    }
}
