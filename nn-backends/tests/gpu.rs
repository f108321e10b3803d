//! The GPU backend against the definition. It needs a driver: on Debian, `mesa-vulkan-drivers` and
//! `libgl1-mesa-dri` with `libegl1` compute Vulkan and OpenGL on the processor.
#![cfg(feature = "wgpu")]

use aivm_nn::gpu::{Gpu, GpuApi};

#[test]
fn opens() {
    for api in [GpuApi::Vulkan, GpuApi::Gl] {
        println!("{:?}", Gpu::adapters(api));
        let start = std::time::Instant::now();
        println!("{:?}", Gpu::open(api));
        println!("{:?}", start.elapsed());
    }
}
