use crate::kernels::error::{KernelError, elements, expect_len};

/// The shape of a convolution over `[batch, channels, height, width]`; one dimension less is a height of 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Channels of the input.
    pub channels_in: usize,
    /// Channels of the output.
    pub channels_out: usize,
    /// Groups; each sees its share of both kinds of channels.
    pub groups: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps between outputs.
    pub strides: [usize; 2],
    /// Steps between the taps of the kernel.
    pub dilations: [usize; 2],
    /// Rows and columns added at the top, left, bottom and right.
    pub pads: [usize; 4],
}

impl ConvShape {
    /// Height and width of the output.
    ///
    /// # Errors
    /// When a field is zero that must not be, the groups do not divide the channels, the kernel is larger than the
    /// padded input, or a size leaves the address space.
    pub fn output(&self) -> Result<[usize; 2], KernelError> {
        let Self {
            channels_in,
            channels_out,
            groups,
            ..
        } = *self;
        if groups == 0 || channels_in == 0 || channels_out == 0 {
            return Err(KernelError::Geometry("channels"));
        }
        if !channels_in.is_multiple_of(groups) || !channels_out.is_multiple_of(groups) {
            return Err(KernelError::Geometry("groups"));
        }
        let mut output = [0; 2];
        for (axis, output) in output.iter_mut().enumerate() {
            let (kernel, stride, dilation) =
                (self.kernel[axis], self.strides[axis], self.dilations[axis]);
            if kernel == 0 || stride == 0 || dilation == 0 {
                return Err(KernelError::Geometry("kernel, stride or dilation"));
            }
            let padded = self.input[axis]
                .checked_add(self.pads[axis])
                .and_then(|n| n.checked_add(self.pads[axis + 2]));
            let reach = (kernel - 1).checked_mul(dilation);
            let (Some(padded), Some(reach)) = (padded, reach) else {
                return Err(KernelError::TooLarge("the padded input"));
            };
            let steps = padded
                .checked_sub(reach)
                .filter(|&n| n > 0)
                .ok_or(KernelError::Geometry("kernel size"))?;
            *output = (steps - 1) / stride + 1;
        }
        Ok(output)
    }

    /// `Ok` when there are as many weights as an [`output`](Self::output) has been found to need.
    pub(crate) fn expect_weights(&self, found: usize) -> Result<(), KernelError> {
        let dims = [
            self.channels_in / self.groups,
            self.kernel[0],
            self.kernel[1],
            self.channels_out,
        ];
        expect_len("weights", found, elements("the weights", &dims)?)
    }

    /// Whether taps lie so far apart, over so few outputs, that planes of the input and the flat positions on them are
    /// many times what there is to compute.
    pub(crate) fn is_sparse(&self) -> bool {
        let Ok(output) = self.output() else {
            return false;
        };
        let extent = [0, 1].map(|axis| {
            let reach = (self.kernel[axis] - 1) * self.dilations[axis] / self.strides[axis];
            let phases = self.kernel[axis].min(self.strides[axis]);
            (reach.saturating_add(output[axis]), phases)
        });
        let [(height, phases_y), (width, phases_x)] = extent;
        let product = |list: &[usize]| list.iter().fold(1usize, |n, m| n.saturating_mul(*m));
        let outputs = product(&output);
        let plane = product(&[height, width, phases_y, phases_x]);
        let rows = self.channels_out / self.groups;
        let used = product(&[outputs, self.kernel[0], self.kernel[1], rows]);
        let positions = product(&[output[0] - 1, width]).saturating_add(output[1]);
        plane > used.saturating_mul(8) || positions > outputs.saturating_mul(64)
    }

    /// Multiply-accumulates of one output: the length of a row of weights.
    pub fn depth(&self) -> usize {
        self.channels_in / self.groups.max(1) * self.kernel[0] * self.kernel[1]
    }
}
