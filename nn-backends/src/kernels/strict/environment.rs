//! The floating-point environment: rounding mode and treatment of subnormal numbers.

/// Runs `work` with rounding to nearest and gradual underflow, and restores the caller's mode.
///
/// Rust assumes this mode everywhere, but an embedder may have changed it: a thread that computes audio or graphics
/// often flushes subnormal numbers to zero.
pub fn with_default_environment<R>(work: impl FnOnce() -> R) -> R {
    let _restore = Environment::set_default();
    // Not inlined, so that no arithmetic of `work` can move before the mode is set.
    outline(work)
}

#[inline(never)]
fn outline<R>(work: impl FnOnce() -> R) -> R {
    std::hint::black_box(work)()
}

/// The mode to restore, also when a panic passes.
struct Environment {
    #[cfg(target_arch = "x86_64")]
    mode: u32,
    #[cfg(target_arch = "aarch64")]
    mode: u64,
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.restore();
    }
}

#[cfg(target_arch = "x86_64")]
impl Environment {
    /// All exceptions masked, round to nearest, no flush-to-zero, no denormals-are-zero.
    const DEFAULT: u32 = 0x1f80;

    fn set_default() -> Self {
        let mut mode = 0u32;
        // SAFETY: stores the register to a local variable.
        unsafe {
            std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mode, options(nostack, preserves_flags))
        };
        load(Self::DEFAULT);
        Self { mode }
    }

    fn restore(&self) {
        load(self.mode);
    }
}

#[cfg(target_arch = "x86_64")]
fn load(mode: u32) {
    // SAFETY: loads the register from a local variable that holds either the mode Rust assumes, or what the register
    // held before.
    unsafe {
        std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mode, options(nostack, preserves_flags))
    };
}

#[cfg(target_arch = "aarch64")]
impl Environment {
    fn set_default() -> Self {
        let mode: u64;
        // SAFETY: reads the register, then sets the mode that Rust assumes.
        unsafe {
            std::arch::asm!("mrs {}, fpcr", out(reg) mode, options(nostack, preserves_flags));
            std::arch::asm!("msr fpcr, {}", in(reg) 0u64, options(nostack, preserves_flags));
        }
        Self { mode }
    }

    fn restore(&self) {
        // SAFETY: puts back what the register held.
        unsafe {
            std::arch::asm!("msr fpcr, {}", in(reg) self.mode, options(nostack, preserves_flags))
        };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
impl Environment {
    fn set_default() -> Self {
        Self {}
    }

    fn restore(&self) {}
}
