//! The anonymous file that holds the images of all modules of a VM.
//!
//! It is one file for all, because a process may have only so many open: with one for each, a
//! node that holds a thousand modules could open nothing else.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The file and which parts of it are taken.
#[derive(Debug, Default)]
pub(super) struct Images(Mutex<Parts>);

#[derive(Debug, Default)]
struct Parts {
    /// Made when a module first has data.
    file: Option<Arc<File>>,
    end: u64,
    /// Offset and length of what is free before the end. It is all zero.
    free: BTreeMap<u64, u64>,
}

/// A part of the file, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Part {
    images: Arc<Images>,
    file: Arc<File>,
    offset: u64,
    len: u64,
}

impl Images {
    fn lock(&self) -> MutexGuard<'_, Parts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part of `len` bytes, a multiple of the page size, that are zero.
    ///
    /// # Errors
    /// When the machine has no memory or no open file left.
    pub fn part(images: &Arc<Self>, len: u64) -> io::Result<Part> {
        let mut parts = images.lock();
        let file = parts.file()?;
        let offset = parts.take(&file, len)?;
        drop(parts);
        let images = images.clone();
        Ok(Part {
            images,
            file,
            offset,
            len,
        })
    }
}

impl Parts {
    fn file(&mut self) -> io::Result<Arc<File>> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        // SAFETY: the name is a C string; the call has no other requirement.
        let descriptor = unsafe { libc::memfd_create(c"aivm".as_ptr(), libc::MFD_CLOEXEC) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is open and nobody else owns it.
        let file = Arc::new(unsafe { File::from_raw_fd(descriptor) });
        self.file = Some(file.clone());
        Ok(file)
    }

    /// The first free range that is long enough, or one more at the end.
    fn take(&mut self, file: &File, len: u64) -> io::Result<u64> {
        let found = self.free.iter().find(|(_, free)| **free >= len);
        if let Some((offset, free)) = found.map(|(offset, free)| (*offset, *free)) {
            self.free.remove(&offset);
            if free > len {
                self.free.insert(offset + len, free - len);
            }
            return Ok(offset);
        }
        let offset = self.end;
        let end = offset
            .checked_add(len)
            .ok_or_else(|| io::Error::other("the file of images is full"))?;
        file.set_len(end)?;
        self.end = end;
        Ok(offset)
    }

    /// Takes a range back, whose bytes are zero.
    fn give_back(&mut self, mut offset: u64, mut len: u64) {
        if let Some(next) = self.free.remove(&(offset + len)) {
            len += next;
        }
        let before = self.free.range(..offset).next_back();
        if let Some((start, free)) = before.map(|(start, free)| (*start, *free))
            && start + free == offset
        {
            (offset, len) = (start, free + len);
        }
        self.free.insert(offset, len);
    }
}

impl Part {
    /// Writes bytes at an offset in the part.
    ///
    /// # Errors
    /// When they do not fit, or the machine has no memory.
    pub fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let end = at.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > self.len) {
            return Err(io::Error::other("outside the image"));
        }
        self.file.write_all_at(bytes, self.offset + at)
    }

    /// The file.
    pub fn descriptor(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// Where in the file the part begins.
    pub fn offset(&self) -> libc::off_t {
        self.offset.cast_signed()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Gives the memory back; what is read there from now on is zero.
        // SAFETY: the file is open; nobody maps the part any more.
        let emptied = unsafe {
            libc::fallocate(
                self.file.as_raw_fd(),
                libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE,
                self.offset(),
                self.len.cast_signed(),
            )
        };
        // What could not be emptied is never used again.
        if emptied == 0 {
            self.images.lock().give_back(self.offset, self.len);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = 64 << 10;

    fn bytes(part: &Part) -> Vec<u8> {
        let mut bytes = vec![1; part.len as usize];
        part.file.read_exact_at(&mut bytes, part.offset).unwrap();
        bytes
    }

    fn free(images: &Images) -> Vec<(u64, u64)> {
        let parts = images.lock();
        parts.free.iter().map(|(at, len)| (*at, *len)).collect()
    }

    #[test]
    fn parts_are_zero_apart_and_used_again() {
        let images = Arc::new(Images::default());
        let part = |pages: u64| {
            let part = Images::part(&images, pages * PAGE).unwrap();
            assert!(bytes(&part).iter().all(|byte| *byte == 0));
            part.write(&vec![0xff; part.len as usize], 0).unwrap();
            part
        };
        let (a, b, c) = (part(1), part(3), part(2));
        assert_eq!((a.offset, b.offset, c.offset), (0, PAGE, 4 * PAGE));
        assert_eq!(a.descriptor(), c.descriptor());
        drop(b);
        assert_eq!(free(&images), [(PAGE, 3 * PAGE)]);
        // The first range that fits, and what is left of it.
        let d = part(2);
        assert_eq!(d.offset, PAGE);
        assert_eq!(free(&images), [(3 * PAGE, PAGE)]);
        let e = part(2);
        assert_eq!(e.offset, 6 * PAGE);
        // Neighbours become one again.
        drop(d);
        assert_eq!(free(&images), [(PAGE, 3 * PAGE)]);
        drop(a);
        assert_eq!(free(&images), [(0, 4 * PAGE)]);
        drop(e);
        drop(c);
        assert_eq!(free(&images), [(0, 8 * PAGE)]);
        assert_eq!(part(8).offset, 0);
    }

    #[test]
    fn writes_stay_in_their_part() {
        let images = Arc::new(Images::default());
        let (a, b) = (
            Images::part(&images, PAGE).unwrap(),
            Images::part(&images, PAGE).unwrap(),
        );
        a.write(b"end", PAGE - 3).unwrap();
        for (bytes, at) in [(&b"over"[..], PAGE - 3), (b"x", PAGE), (b"x", u64::MAX)] {
            assert!(a.write(bytes, at).is_err());
        }
        assert!(bytes(&b).iter().all(|byte| *byte == 0));
        assert!(bytes(&a).ends_with(b"end"));
        assert!(Images::part(&images, u64::MAX).is_err());
        assert!(Images::part(&images, PAGE).is_ok());
    }

    #[test]
    fn threads_share_the_file() {
        let images = Arc::new(Images::default());
        std::thread::scope(|scope| {
            for n in 1..=4u8 {
                let images = images.clone();
                scope.spawn(move || {
                    for round in 0..200 {
                        let part = Images::part(&images, (1 + round % 3) * PAGE).unwrap();
                        part.write(&[n; 100], 5).unwrap();
                        let seen = bytes(&part);
                        assert!(seen[5..105].iter().all(|byte| *byte == n));
                        assert!(seen[105..].iter().all(|byte| *byte == 0));
                    }
                });
            }
        });
        let end = images.lock().end;
        assert_eq!(free(&images), [(0, end)]);
    }
}
