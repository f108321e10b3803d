//! Which pages of a memory were written, as their protection tells.
//!
//! A memory begins with pages that can only be read. The first write to one of them is a fault, upon
//! which the page is noted and opened for writing. It stays open when the instance is used
//! again, so that the same call faults no more, and putting back what it wrote is a matter
//! of copying a few pages, without asking the kernel for anything. Once a memory turns out
//! to write many pages it is opened as a whole, and the kernel is asked after each call.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use wasmer::sys::vm::TrapHandlerFn;

/// Most pages that are told apart. All of them are put back after every call.
const MOST: usize = 8;

/// Stands for all pages in [`WrittenPages::count`].
const ALL: usize = MOST + 1;

/// The open pages of one memory.
///
/// A fault interrupts the thread that runs the instance, in guest code or in the copying of a
/// host function; neither looks at this value, so what the two sides see is consistent.
/// Atomics are for the compiler's sake.
#[derive(Debug)]
pub(super) struct WrittenPages {
    base: usize,
    length: usize,
    page: usize,
    offsets: [AtomicUsize; MOST],
    count: AtomicUsize,
    refused: AtomicBool,
}

impl WrittenPages {
    /// For the `length` bytes at `base`, which can only be read now.
    ///
    /// # Safety
    /// The range must be a private mapping of its own as long as this value is used, and
    /// fit for writing whenever this says so.
    pub unsafe fn new(base: usize, length: usize) -> io::Result<Self> {
        // SAFETY: the call has no requirement.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let page = usize::try_from(page).map_err(io::Error::other)?;
        if !page.is_power_of_two() {
            return Err(io::Error::other("the page size is no power of two"));
        }
        Ok(Self {
            base,
            length,
            page,
            offsets: [const { AtomicUsize::new(0) }; MOST],
            count: AtomicUsize::new(0),
            refused: AtomicBool::new(false),
        })
    }

    /// Offsets of the pages that are open, and the length of each; none when all are.
    pub fn pages(&self) -> Option<(impl Iterator<Item = usize>, usize)> {
        let count = self.count.load(Ordering::Relaxed);
        let offsets = self.offsets.iter().take(count);
        let offsets = offsets.map(|offset| offset.load(Ordering::Relaxed));
        (count != ALL).then_some((offsets, self.page))
    }

    fn is_open(&self, offset: usize) -> bool {
        match self.pages() {
            Some((mut offsets, _)) => offsets.any(|open| open == offset),
            None => true,
        }
    }

    /// Opens the pages that `length` bytes at `start` lie in.
    ///
    /// # Errors
    /// When the machine has no memory for them.
    #[inline]
    pub fn open(&self, start: usize, length: usize) -> io::Result<()> {
        let end = start.saturating_add(length).min(self.length);
        let mut offset = start & !(self.page - 1);
        while offset < end {
            if !self.is_open(offset) {
                self.open_page(offset)?;
            }
            offset += self.page;
        }
        Ok(())
    }

    /// Opens a page that is closed, or all when there are many.
    #[cold]
    fn open_page(&self, offset: usize) -> io::Result<()> {
        let count = self.count.load(Ordering::Relaxed);
        if let Some(place) = self.offsets.get(count)
            && self.unprotect(offset, self.page).is_ok()
        {
            place.store(offset, Ordering::Relaxed);
            self.count.store(count + 1, Ordering::Relaxed);
            return Ok(());
        }
        // Pages of their own are also mappings of their own, of which a process may have
        // only so many; one that is open as a whole needs fewer.
        let opened = self.unprotect(0, self.length);
        match &opened {
            Ok(()) => self.count.store(ALL, Ordering::Relaxed),
            Err(_) => self.refused.store(true, Ordering::Relaxed),
        }
        opened
    }

    fn unprotect(&self, offset: usize, length: usize) -> io::Result<()> {
        let address = (self.base + offset) as *mut libc::c_void;
        // SAFETY: callers stay within `length`, and the range is ours as promised to `new`.
        let result = unsafe { libc::mprotect(address, length, libc::PROT_READ | libc::PROT_WRITE) };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Whether a fault at `address` was the first write to a page, which now is open.
    fn fault(&self, address: usize) -> bool {
        let offset = address.checked_sub(self.base);
        let Some(offset) = offset.filter(|offset| *offset < self.length) else {
            return false;
        };
        let page = offset & !(self.page - 1);
        // A fault in an open page has another reason.
        !self.is_open(page) && self.open_page(page).is_ok()
    }

    /// Whether the machine refused to open a page.
    pub fn refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

/// What the engine asks about faults while an instance runs.
pub(super) struct FaultHandler(Box<TrapHandlerFn<'static>>);

impl FaultHandler {
    pub fn new(pages: Arc<WrittenPages>) -> Self {
        // Runs in a signal handler: no allocation, no lock.
        Self(Box::new(move |signal, info, _| {
            if signal != libc::SIGSEGV || info.is_null() {
                return false;
            }
            // SAFETY: the kernel's description of a SIGSEGV has an address.
            let address = unsafe { (*info).si_addr() };
            pages.fault(address as usize)
        }))
    }

    /// Valid as long as `self`.
    pub fn pointer(&self) -> *const TrapHandlerFn<'static> {
        &raw const *self.0
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    /// Pages that can only be read, and what watches them.
    fn watched(pages: usize) -> (*mut u8, usize, WrittenPages) {
        // SAFETY: the call has no requirement.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                pages * page,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(base, libc::MAP_FAILED);
        // SAFETY: the mapping is never undone.
        let written = unsafe { WrittenPages::new(base as usize, pages * page) }.unwrap();
        (base.cast(), page, written)
    }

    fn open(written: &WrittenPages) -> Option<Vec<usize>> {
        written.pages().map(|(offsets, _)| offsets.collect())
    }

    #[test]
    fn a_fault_opens_its_page_and_no_other_and_only_once() {
        let (base, page, written) = watched(4);
        assert_eq!(open(&written), Some(vec![]));
        assert!(written.fault(base as usize + 2 * page + 17));
        assert_eq!(open(&written), Some(vec![2 * page]));
        // SAFETY: the page lies in the mapping and was opened.
        unsafe { base.add(2 * page).write(1) };
        assert!(!written.fault(base as usize + 2 * page));
        for elsewhere in [base as usize - 1, base as usize + 4 * page, 0, usize::MAX] {
            assert!(!written.fault(elsewhere));
        }
        assert_eq!(open(&written), Some(vec![2 * page]));
        assert!(!written.refused());
    }

    #[test]
    fn a_range_opens_every_page_that_it_touches() {
        let (base, page, written) = watched(4);
        written.open(page - 1, 0).unwrap();
        assert_eq!(open(&written), Some(vec![0]));
        written.open(page - 1, 2).unwrap();
        assert_eq!(open(&written), Some(vec![0, page]));
        // Beyond the end there is nothing to open.
        written.open(4 * page, 100).unwrap();
        written.open(usize::MAX, 2).unwrap();
        written.open(3 * page, usize::MAX).unwrap();
        assert_eq!(open(&written), Some(vec![0, page, 3 * page]));
        // SAFETY: the bytes lie in the mapping and were opened.
        unsafe { std::slice::from_raw_parts_mut(base, 2 * page) }.fill(7);
    }

    #[test]
    fn many_pages_open_all() {
        let (base, page, written) = watched(MOST + 4);
        for n in 0..MOST {
            assert!(written.fault(base as usize + n * page));
        }
        assert_eq!(open(&written).map(|pages| pages.len()), Some(MOST));
        assert!(written.fault(base as usize + (MOST + 2) * page));
        assert_eq!(open(&written), None);
        // SAFETY: the whole mapping was opened.
        unsafe { std::slice::from_raw_parts_mut(base, (MOST + 4) * page) }.fill(7);
        // Now every fault has another reason.
        assert!(!written.fault(base as usize + (MOST + 3) * page));
    }

    #[test]
    fn a_machine_that_refuses_is_remembered() {
        // A file that was opened for reading cannot be written through a shared mapping.
        let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
        let length = 1 << 16;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        assert_ne!(base, libc::MAP_FAILED);
        // SAFETY: the mapping is never undone, and nothing is written to it.
        let written = unsafe { WrittenPages::new(base as usize, length) }.unwrap();
        assert!(!written.fault(base as usize));
        assert!(written.refused());
        assert!(written.open(0, 1).is_err());
    }
}
