//! What can go wrong with a GPU. None of it says anything about a model.

use super::GpuApi;
use crate::error::RunError;

/// Why a GPU was not opened, or what became of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// The interface does not exist on this operating system, or was left out of this build.
    #[error("{0} is not part of this build; choose another interface")]
    ApiMissing(GpuApi),
    /// The interface has no device.
    #[error(
        "no {0} device was found; install a driver (on Debian, mesa-vulkan-drivers computes Vulkan on the processor), or use the processor backend"
    )]
    NoAdapter(GpuApi),
    /// No device has the name that was asked for.
    #[error("no {api} device has `{wanted}` in its name; found: {found}")]
    NoSuchAdapter {
        /// Interface.
        api: GpuApi,
        /// Name asked for.
        wanted: String,
        /// Names of the devices there are.
        found: String,
    },
    /// The device is too small for the kernels.
    #[error("`{adapter}` has {limit} = {found}, and {needed} is needed")]
    Limit {
        /// Name of the device.
        adapter: String,
        /// Name of the limit.
        limit: &'static str,
        /// What the device has.
        found: u64,
        /// What the kernels need.
        needed: u64,
    },
    /// The device did not open.
    #[error("the device did not open: {0}")]
    Open(String),
    /// The self-test at opening gave other bits than the definition. Such a device must not be used.
    #[error(
        "`{adapter}` computes {test} wrongly: it cannot take part in consensus; use the processor backend"
    )]
    Wrong {
        /// Name of the device.
        adapter: String,
        /// Operation that differed.
        test: &'static str,
    },
    /// The model needs more memory than the options allow or the device has.
    #[error("the model needs {needed} bytes of device memory, {limit} are allowed")]
    Memory {
        /// Bytes for one inference.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The device is gone: reset, unplugged, or its driver gave up. Open it again.
    #[error("the device was lost: {0}")]
    Lost(String),
    /// The device did not finish in time.
    #[error("the device did not finish within {0} seconds")]
    Timeout(u64),
    /// The driver refused something.
    #[error("the device failed: {0}")]
    Failed(String),
}

impl From<GpuError> for RunError {
    fn from(error: GpuError) -> Self {
        RunError::Device(error.to_string())
    }
}
