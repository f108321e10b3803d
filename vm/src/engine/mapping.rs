//! A reserved range of address space, the start of which is accessible.

use std::io;

use super::image::Image;

/// Address space for one linear memory and its guard.
#[derive(Debug)]
pub(super) struct Mapping {
    base: *mut libc::c_void,
    reserved: usize,
    accessible: usize,
}

// SAFETY: the mapping owns its range of address space, which no thread is tied to.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Reserves `reserve` bytes, the first `accessible` of them readable and writable
    /// and filled from `image`.
    pub fn new(reserve: usize, accessible: usize, image: Option<&Image>) -> io::Result<Self> {
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches
        // nothing that exists.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                reserve,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mut mapping = Self {
            base,
            reserved: reserve,
            accessible: 0,
        };
        mapping.make_accessible(accessible)?;
        if let Some(image) = image {
            mapping.place(image)?;
        }
        Ok(mapping)
    }

    fn place(&mut self, image: &Image) -> io::Result<()> {
        if image.len() > self.accessible {
            return Err(io::Error::other("the image is larger than the memory"));
        }
        // SAFETY: the fixed mapping replaces pages of our own range only, as just
        // checked; the file descriptor is open as long as the image.
        let placed = unsafe {
            libc::mmap(
                self.base,
                image.len(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_FIXED,
                image.descriptor(),
                0,
            )
        };
        if placed == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    pub fn base(&self) -> *mut u8 {
        self.base.cast()
    }

    /// Makes the first `length` bytes readable and writable.
    pub fn make_accessible(&mut self, length: usize) -> io::Result<()> {
        if length <= self.accessible {
            return Ok(());
        }
        self.protect(self.accessible, length, libc::PROT_READ | libc::PROT_WRITE)?;
        self.accessible = length;
        Ok(())
    }

    /// Gives every page its first contents back and makes only `length` bytes accessible.
    pub fn reset(&mut self, length: usize) -> io::Result<()> {
        // SAFETY: the range is ours. Dropping private pages brings back zeros, or what
        // the image's file holds.
        let result = unsafe { libc::madvise(self.base, self.accessible, libc::MADV_DONTNEED) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        if length < self.accessible {
            self.protect(length, self.accessible, libc::PROT_NONE)?;
            self.accessible = length;
        }
        Ok(())
    }

    fn protect(&self, from: usize, to: usize, protection: i32) -> io::Result<()> {
        if from > to || to > self.reserved {
            return Err(io::Error::other("outside the reserved range"));
        }
        // SAFETY: the range lies inside our own mapping, as just checked.
        let result = unsafe {
            let start = self.base.cast::<u8>().add(from);
            libc::mprotect(start.cast(), to - from, protection)
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is ours and nothing refers to it any more.
        unsafe { libc::munmap(self.base, self.reserved) };
    }
}
