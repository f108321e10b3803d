//! Every backend of this machine.

use std::sync::Arc;

use aivm_nn::kernels::Isa;
use aivm_nn::{Backend, Model, Prepared, prepare};

/// The devices of this machine, opened once. Where one is missing, says so; in continuous integration, fails.
#[cfg(feature = "wgpu")]
pub fn gpus() -> &'static [aivm_nn::gpu::Gpu] {
    use aivm_nn::gpu::{Gpu, GpuApi, GpuError};
    use std::io::Write;
    use std::sync::OnceLock;

    static ALL: OnceLock<Vec<Gpu>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut list = Vec::new();
        for api in GpuApi::ALL.into_iter().filter(|api| api.is_built()) {
            match Gpu::open(api) {
                Ok(gpu) => list.push(gpu),
                Err(error @ GpuError::NoAdapter(_)) => {
                    // Past the test harness, which hides what a passing test prints.
                    let message = format!("\nNOT TESTED on {api}: {error}\n");
                    std::io::stderr().write_all(message.as_bytes()).unwrap();
                    assert!(std::env::var_os("CI").is_none(), "{error}");
                }
                Err(error) => panic!("{api}: {error}"),
            }
        }
        list
    })
}

/// `model` on the scalar definition, every instruction set with one and two threads, and every GPU.
pub fn everywhere(model: &Arc<Model>) -> Vec<(String, Prepared)> {
    let mut all = vec![(
        "reference".to_owned(),
        prepare(model.clone(), Backend::Reference).unwrap(),
    )];
    for isa in Isa::available() {
        for threads in [1, 2] {
            let backend = Backend::CpuWith { isa, threads };
            let name = format!("{} on {threads} threads", isa.name());
            all.push((name, prepare(model.clone(), backend).unwrap()));
        }
    }
    #[cfg(feature = "wgpu")]
    for gpu in gpus() {
        let info = gpu.info();
        let name = format!("{} on {}", info.api, info.adapter);
        all.push((name, gpu.prepare(model.clone()).unwrap()));
    }
    all
}
