//! Where each operation of a prepared model runs.

use std::fmt;

use crate::graph::Node;

/// Where an operation runs, and why not on the GPU if that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placement {
    /// Name of the node in the model file.
    pub node: String,
    /// Short name of the operation.
    pub op: &'static str,
    /// Whether it runs on a GPU.
    pub on_gpu: bool,
    /// Why it runs on the processor although the model was prepared for a GPU.
    pub reason: Option<CpuReason>,
}

impl Placement {
    pub(crate) fn on_processor(node: &Node) -> Self {
        Placement {
            node: node.name.clone(),
            op: node.op.name(),
            on_gpu: false,
            reason: None,
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = if self.on_gpu { "gpu" } else { "cpu" };
        write!(f, "{} `{}`: {device}", self.op, self.node)?;
        match self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

/// Why an operation of a model that was prepared for a GPU runs on the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CpuReason {
    /// It has floating-point operands: their bits are the same everywhere only on the processor.
    StrictFloat,
    /// It computes with integers that 32 signed bits do not hold, and not every device has more.
    Wide,
    /// There is no kernel for it.
    NoKernel,
    /// A parameter is computed, and the kernel wants to know it beforehand.
    Parameter,
    /// It has no elements.
    Empty,
    /// Its shapes are beyond what the kernels address.
    TooLarge,
    /// Its operand is on the processor, and it computes nothing.
    Follows,
}

impl fmt::Display for CpuReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CpuReason::StrictFloat => "floating point is exact on the processor only",
            CpuReason::Wide => "integers of more than 32 signed bits",
            CpuReason::NoKernel => "no kernel",
            CpuReason::Parameter => "a parameter is computed",
            CpuReason::Empty => "no elements",
            CpuReason::TooLarge => "too large",
            CpuReason::Follows => "its operand is there",
        })
    }
}
