//! Work is split over outputs only, so the thread count never changes a bit.

/// Runs `work(0) … work(parts - 1)`, on up to `threads` threads where the crate is built with them.
pub(crate) fn for_each(threads: usize, parts: usize, work: impl Fn(usize) + Sync) {
    #[cfg(feature = "cpu")]
    if threads > 1 && parts > 1 {
        use rayon::prelude::*;
        let workers = threads.min(parts);
        (0..workers)
            .into_par_iter()
            .with_max_len(1)
            .for_each(|worker| {
                for part in (worker * parts / workers)..((worker + 1) * parts / workers) {
                    work(part);
                }
            });
        return;
    }
    let _ = threads;
    for part in 0..parts {
        work(part);
    }
}

/// A pointer that several threads may hold, each writing elements that no other touches.
pub(crate) struct Shared<T>(*mut T);

impl<T> Shared<T> {
    pub(crate) fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr())
    }

    pub(crate) fn get(&self) -> *mut T {
        self.0
    }
}

// SAFETY: the pointer itself is only a number; each use is an unsafe block that argues that its elements are its own.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}
