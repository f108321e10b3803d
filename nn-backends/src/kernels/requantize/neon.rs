use super::{Job, scalar};
use std::arch::aarch64::*;

/// # Safety
/// `acc` and `out` have one length; the table has a multiplier for each element or, with `ONE`, at least one.
#[target_feature(enable = "neon")]
pub(super) unsafe fn run<const ONE: bool>(run: Job<'_>) {
    let whole = run.acc.len() / 8 * 8;
    let load = |list: &[i32], i: usize| {
        if ONE {
            vdupq_n_s32(list[0])
        } else {
            // SAFETY: the list has an element for each of the four.
            unsafe { vld1q_s32(list.as_ptr().add(i)) }
        }
    };
    let four = |i: usize| {
        // SAFETY: four elements from `i` on are inside `acc`.
        let x = unsafe { vld1q_s32(run.acc.as_ptr().add(i)) };
        let x = vmaxq_s32(x, load(run.table.low, i));
        let x = vminq_s32(x, load(run.table.high, i));
        let (m, shift) = (load(run.table.m, i), load(run.table.shift, i));
        let low = half(vget_low_s32(x), vget_low_s32(m), vget_low_s32(shift));
        let high = half(vget_high_s32(x), vget_high_s32(m), vget_high_s32(shift));
        let y = vaddq_s32(
            vcombine_s32(vmovn_s64(low), vmovn_s64(high)),
            vdupq_n_s32(run.zero),
        );
        vminq_s32(vmaxq_s32(y, vdupq_n_s32(run.low)), vdupq_n_s32(run.high))
    };
    let mut i = 0;
    while i < whole {
        let y = vcombine_s16(vmovn_s32(four(i)), vmovn_s32(four(i + 4)));
        // SAFETY: eight elements from `i` on are inside `out`.
        unsafe { vst1_s8(run.out.as_mut_ptr().add(i).cast(), vmovn_s16(y)) };
        i += 8;
    }
    scalar::<ONE>(run, whole);
}

/// Two rounded products.
#[target_feature(enable = "neon")]
fn half(x: int32x2_t, m: int32x2_t, shift: int32x2_t) -> int64x2_t {
    let one = vdupq_n_s64(1);
    let (left, right) = (vmovl_s32(shift), vmovl_s32(vneg_s32(shift)));
    let product = vmull_s32(x, m);
    let below_half = vsubq_s64(vshrq_n_s64::<1>(vshlq_s64(one, left)), one);
    let odd = vandq_s64(vshlq_s64(product, right), one);
    vshlq_s64(vaddq_s64(vaddq_s64(product, below_half), odd), right)
}
