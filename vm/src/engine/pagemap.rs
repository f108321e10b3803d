//! Which pages of a memory were written, as the kernel knows it.
//!
//! Linux 6.7 and later answer that with one call that changes nothing. Putting back the few
//! pages that a short call wrote is then a matter of copying them. Dropping them instead,
//! which is what older kernels get, interrupts every processor that runs this process, and
//! each page has to be faulted in again.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// `PAGEMAP_SCAN`: `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: libc::c_ulong = 0xC060_6610;

const FILE: u64 = 1 << 2;
const PRESENT: u64 = 1 << 3;
const SWAPPED: u64 = 1 << 4;
const ZERO: u64 = 1 << 5;

/// Most separate runs of pages that one scan reports.
const MAX_RUNS: usize = 32;

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
#[derive(Default)]
struct ScanArguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `struct page_region` of `linux/fs.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct PageRegion {
    start: u64,
    end: u64,
    categories: u64,
}

/// What a scan found.
pub(super) struct Written {
    runs: [PageRegion; MAX_RUNS],
    count: usize,
    /// Address up to which the scan came.
    pub end: usize,
}

impl Written {
    /// Addresses of the first byte of each run and of the first behind it.
    pub fn runs(&self) -> impl Iterator<Item = (usize, usize)> {
        let runs = self.runs.iter().take(self.count);
        runs.map(|run| (run.start as usize, run.end as usize))
    }
}

/// The map of this process's pages.
#[derive(Debug)]
pub(crate) struct PageMap {
    file: File,
    /// A process that was forked off has pages of its own, which the file does not know.
    process: u32,
    page: usize,
}

impl PageMap {
    /// The map; none where the kernel has none or cannot scan it.
    pub fn open() -> Option<Self> {
        // SAFETY: the call has no requirement.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
        let map = Self {
            file: File::open("/proc/self/pagemap").ok()?,
            process: std::process::id(),
            page: page.max(1),
        };
        map.written(0, 0, map.page).ok()?;
        Some(map)
    }

    /// Pages between two addresses that no longer are what was mapped there, until they
    /// are more than `most` bytes.
    ///
    /// # Errors
    /// When the kernel refuses, or this is a fork of the process that opened the map.
    pub fn written(&self, start: usize, end: usize, most: usize) -> io::Result<Written> {
        if std::process::id() != self.process {
            return Err(io::Error::other("the page map is another process's"));
        }
        let mut runs = [PageRegion::default(); MAX_RUNS];
        let mut arguments = ScanArguments {
            size: size_of::<ScanArguments>() as u64,
            start: start as u64,
            end: end as u64,
            vec: runs.as_mut_ptr() as u64,
            vec_len: MAX_RUNS as u64,
            max_pages: (most / self.page).max(1) as u64,
            // A page of the image or the shared page of zeros was only read. What was
            // written is this process's own, in memory or swapped out.
            category_inverted: FILE | ZERO,
            category_mask: FILE | ZERO,
            category_anyof_mask: PRESENT | SWAPPED,
            ..ScanArguments::default()
        };
        // SAFETY: the arguments have the layout that the kernel expects, and `vec` has
        // room for as many regions as it says. Nothing else is written.
        let count = unsafe {
            libc::ioctl(
                self.file.as_raw_fd(),
                PAGEMAP_SCAN,
                std::ptr::from_mut(&mut arguments),
            )
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        Ok(Written {
            runs,
            count,
            end: arguments.walk_end as usize,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_have_the_kernels_layout() {
        assert_eq!(size_of::<ScanArguments>(), 96);
        assert_eq!(size_of::<PageRegion>(), 24);
        // Direction, size of the argument, type and number.
        let code = (3u64 << 30) | (96 << 16) | (u64::from(b'f') << 8) | 16;
        assert_eq!(PAGEMAP_SCAN, code);
    }
}
