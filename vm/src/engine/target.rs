//! Which processors compiled code is for.

use wasmer::sys::{CpuFeature, Target};

/// Which processors compiled code is for. It changes how fast code runs and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeTarget {
    /// The one that this process runs on, with all it has.
    #[default]
    Host,
    /// As [`Host`](Self::Host), without AVX-512.
    Avx2,
    /// Any that can run a VM: SSSE3 on x86-64, NEON on AArch64. For compiled code that nodes
    /// with different processors share.
    Baseline,
}

/// Without SSSE3 the engine panics on modules that permute or count the bits of vectors.
const BASELINE: [CpuFeature; 4] = [
    CpuFeature::SSE2,
    CpuFeature::SSE3,
    CpuFeature::SSSE3,
    CpuFeature::NEON,
];

impl CodeTarget {
    /// What this processor lacks to run all code that is accepted.
    pub(crate) fn lacking(self) -> Option<&'static str> {
        let enough = !cfg!(target_arch = "x86_64")
            || self.target().cpu_features().contains(CpuFeature::SSSE3);
        (!enough).then_some("SSSE3")
    }

    pub(super) fn target(self) -> Target {
        let host = Target::default();
        let allowed = |feature: &CpuFeature| match self {
            Self::Host => true,
            Self::Avx2 => !matches!(
                feature,
                CpuFeature::AVX512F | CpuFeature::AVX512DQ | CpuFeature::AVX512VL
            ),
            Self::Baseline => BASELINE.contains(feature),
        };
        let features = host.cpu_features().iter().filter(allowed).collect();
        Target::new(host.triple().clone(), features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_what_it_may_have_and_no_more() {
        let features = |target: CodeTarget| *target.target().cpu_features();
        let host = features(CodeTarget::Host);
        assert_eq!(host, CpuFeature::for_host());
        assert!(host.is_superset(features(CodeTarget::Avx2)));
        let baseline = features(CodeTarget::Baseline);
        assert!(features(CodeTarget::Avx2).is_superset(baseline));
        assert!(!features(CodeTarget::Avx2).contains(CpuFeature::AVX512F));
        assert!(!baseline.contains(CpuFeature::AVX) && !baseline.contains(CpuFeature::SSE41));
        for target in [CodeTarget::Host, CodeTarget::Avx2, CodeTarget::Baseline] {
            assert_eq!(target.lacking(), None, "{target:?}");
        }
    }
}
