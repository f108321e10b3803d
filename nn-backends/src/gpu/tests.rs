//! What the self-test finds, and what becomes of a device that is gone.

use std::sync::Arc;

use super::device::lock;
use super::shader::Shader;
use super::{Gpu, GpuApi, GpuError, selftest};
use crate::{ElementType, Model, ModelLimits, RunError, Tensor};

/// A device, or `None` where there is no driver; `tests/gpu.rs` fails on that in continuous integration.
fn open(api: GpuApi) -> Option<Gpu> {
    match Gpu::open(api) {
        Ok(gpu) => Some(gpu),
        Err(GpuError::NoAdapter(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Faults as drivers have them, each put into every kernel that it fits.
const FAULTS: [(&str, &str); 13] = [
    // A product without the carry of its lower half.
    ("u1 * m1 + (left >> 16u)", "u1 * m1 + (left >> 17u)"),
    ("(tie && (q & 1u) == 1u)", "tie"),
    ("(tie && (q.x & 1u) == 1u)", "tie"),
    ("select(0u, 1u, low < a.x)", "0u"),
    // A shift of a signed number that brings in zeros.
    ("bitcast<u32>(high >> s)", "(a.y >> s)"),
    ("dot4I8Packed(x, z)", "dot4I8Packed(x, z & 0x7fffffffu)"),
    ("signed(r.zero) * factor", "signed(r.zero & 0x7fu) * factor"),
    ("if (shift != 0u)", "if (shift == 8u)"),
    ("sx < p[4]", "sx <= p[4]"),
    ("c >= p[o + 5u]", "c > p[o + 5u]"),
    ("p[o + 2u] + (c - p[o + 4u])", "p[o + 2u] + c"),
    ("x >= best", "x > best"),
    ("min(z, 8)", "(z & 7)"),
];

#[test]
fn the_self_test_finds_faults_in_kernels() {
    for api in [GpuApi::Vulkan, GpuApi::Gl] {
        let Some(gpu) = open(api) else { continue };
        let device = &gpu.device;
        let right = lock(&device.pipelines).clone();
        for (from, to) in FAULTS {
            let mut faulty = 0;
            for source in right.keys().filter(|source| source.contains(from)) {
                let wrong = Shader {
                    inputs: source.matches("var<storage, read> ").count() - 1,
                    source: source.replace(from, to),
                };
                let pipeline = device.pipeline(&wrong).unwrap();
                lock(&device.pipelines).insert(source.clone(), pipeline);
                faulty += 1;
            }
            assert!(
                faulty > 0 || !device.info.native_dot,
                "no kernel has `{from}`"
            );
            let found = selftest::dot(&gpu).and_then(|()| selftest::all(&gpu));
            if faulty > 0 {
                assert!(
                    matches!(found, Err(GpuError::Wrong { .. })),
                    "`{to}`: {found:?}"
                );
            }
            *lock(&device.pipelines) = right.clone();
        }
        assert_eq!(selftest::all(&gpu), Ok(()));
    }
}

#[test]
fn a_lost_device_is_an_error() {
    let bytes = include_bytes!("../../models/digits.onnx");
    let model = Arc::new(Model::from_onnx(bytes, &ModelLimits::default()).unwrap());
    let image = vec![Tensor::new(ElementType::U8, vec![1, 64], vec![5; 64]).unwrap()];
    for api in [GpuApi::Vulkan, GpuApi::Gl] {
        let Some(gpu) = open(api) else { continue };
        let prepared = gpu.prepare(model.clone()).unwrap();
        prepared.run(&image).unwrap();
        gpu.device.device.destroy();
        for _ in 0..2 {
            let error = prepared.run(&image).unwrap_err();
            assert!(matches!(error, RunError::Device(_)), "{error}");
        }
        assert!(gpu.prepare(model.clone()).is_err());
        // Another one opens.
        let prepared = open(api).unwrap().prepare(model.clone()).unwrap();
        prepared.run(&image).unwrap();
    }
}
