//! A reserved range of address space, the start of which is accessible.

use std::io;
use std::sync::Arc;

use aivm_gas::CallPrices;

use super::image::Image;
use super::pagemap::PageMap;
use super::written::WrittenPages;

/// Bytes of written pages that an idle memory keeps: those that the price of an instance covers.
const KEPT: usize = (CallPrices::INSTANCE_PAGES as usize) << 16;

/// Address space for one linear memory and its guard.
#[derive(Debug)]
pub(super) struct Mapping {
    base: *mut libc::c_void,
    reserved: usize,
    accessible: usize,
    /// Set when the first pages are closed until they are written.
    written: Option<Arc<WrittenPages>>,
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
            written: None,
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
                image.offset(),
            )
        };
        if placed == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Closes all pages until they are written; `reset` then puts back only those that were.
    pub fn watch(&mut self) -> io::Result<()> {
        self.protect(0, self.accessible, libc::PROT_READ)?;
        // SAFETY: the range is part of our own mapping, and the start of a memory stays
        // accessible.
        let written = unsafe { WrittenPages::new(self.base as usize, self.accessible) };
        self.written = Some(Arc::new(written?));
        Ok(())
    }

    /// The pages that were written, if that is watched.
    pub fn written(&self) -> Option<&Arc<WrittenPages>> {
        self.written.as_ref()
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

    /// Gives every page its first contents back and makes only `length` bytes accessible,
    /// as many as at the start. Pages that were written stay in memory, as far as [`KEPT`]
    /// goes, when they were watched or there is a map of pages to find them.
    pub fn reset(
        &mut self,
        length: usize,
        image: Option<&Image>,
        pages: Option<&PageMap>,
    ) -> io::Result<()> {
        let kept = length.min(self.accessible);
        if !self.rewrite_watched(kept, image)? {
            let dropped_from = match pages.map(|pages| self.rewrite(kept, image, pages)) {
                Some(Ok(end)) => end,
                // Without a map every page goes.
                Some(Err(_)) | None => 0,
            };
            self.drop_pages(dropped_from, kept)?;
        }
        if kept < self.accessible {
            self.drop_pages(kept, self.accessible)?;
            self.protect(kept, self.accessible, libc::PROT_NONE)?;
            self.accessible = kept;
        }
        Ok(())
    }

    /// Writes their first contents over the pages that were open for writing; false when
    /// that is not known.
    fn rewrite_watched(&self, length: usize, image: Option<&Image>) -> io::Result<bool> {
        let Some(pages) = self.written.as_ref().and_then(|written| written.pages()) else {
            return Ok(false);
        };
        let (offsets, page) = pages;
        for start in offsets {
            self.rewrite_run(start, start + page, length, image)?;
        }
        Ok(true)
    }

    /// Writes their first contents over the pages that differ; gives the offset up to
    /// which that is done.
    fn rewrite(&self, length: usize, image: Option<&Image>, pages: &PageMap) -> io::Result<usize> {
        let base = self.base as usize;
        let written = pages.written(base, base + length, KEPT)?;
        for (start, end) in written.runs() {
            let (Some(start), Some(end)) = (start.checked_sub(base), end.checked_sub(base)) else {
                return Err(io::Error::other("the kernel reports pages elsewhere"));
            };
            self.rewrite_run(start, end, length, image)?;
        }
        Ok(written.end.saturating_sub(base).min(length))
    }

    /// Writes their first contents over the bytes from `start` to `end`, which must be open
    /// for writing and lie below `length`.
    fn rewrite_run(
        &self,
        start: usize,
        end: usize,
        length: usize,
        image: Option<&Image>,
    ) -> io::Result<()> {
        if start > end || end > length {
            return Err(io::Error::other("pages outside the memory"));
        }
        let bytes = image.map_or(&[][..], Image::bytes);
        // SAFETY: the range lies in the accessible part of our own mapping, and no
        // guest runs.
        let run = unsafe {
            std::slice::from_raw_parts_mut(self.base.cast::<u8>().add(start), end - start)
        };
        let first = bytes.get(start..end.min(bytes.len())).unwrap_or_default();
        let (head, tail) = run.split_at_mut(first.len());
        head.copy_from_slice(first);
        tail.fill(0);
        Ok(())
    }

    /// Drops private pages, which brings back zeros, or what the image's file holds.
    fn drop_pages(&self, from: usize, to: usize) -> io::Result<()> {
        if from >= to {
            return Ok(());
        }
        // SAFETY: the range lies inside our own mapping.
        let result = unsafe {
            let start = self.base.cast::<u8>().add(from);
            libc::madvise(start.cast(), to - from, libc::MADV_DONTNEED)
        };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn protect(&self, from: usize, to: usize, protection: i32) -> io::Result<()> {
        if from > to || to > self.reserved {
            return Err(io::Error::other("outside the reserved range"));
        }
        // qemu-user refuses to protect nothing.
        if from == to {
            return Ok(());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::image::Data;

    const PAGE: usize = wasmer::WASM_PAGE_SIZE;

    /// A module with one page of memory and some data.
    fn image() -> Image {
        let text =
            r#"(module (memory 4) (data (i32.const 10) "abc") (data (i32.const 70000) "xyz"))"#;
        match Image::of_module(&wat::parse_str(text).unwrap(), &Arc::default()) {
            Ok(Data::Image(image)) => image,
            other => panic!("{other:?}"),
        }
    }

    fn bytes(mapping: &mut Mapping) -> &mut [u8] {
        // SAFETY: that many bytes are accessible, and nobody else has the mapping.
        unsafe { std::slice::from_raw_parts_mut(mapping.base(), mapping.accessible) }
    }

    #[test]
    fn a_reset_brings_back_what_was_mapped_whatever_was_written() {
        let (image, pages) = (image(), PageMap::open());
        for map in [None, pages.as_ref()] {
            let mut mapping = Mapping::new(16 * PAGE, 4 * PAGE, Some(&image)).unwrap();
            let first = bytes(&mut mapping).to_vec();
            assert_eq!(
                (&first[10..13], &first[70_000..70_003]),
                (&b"abc"[..], &b"xyz"[..])
            );
            // One byte, a run over the image's end, every other page, everything.
            type Write<'a> = &'a dyn Fn(&mut [u8]);
            let writes: [Write<'_>; 5] = [
                &|_| {},
                &|memory| memory[11] = 1,
                &|memory| memory[2 * PAGE - 9..2 * PAGE + 9].fill(2),
                &|memory| memory.chunks_mut(8_192).for_each(|page| page[0] = 3),
                &|memory| memory.fill(4),
            ];
            for (n, write) in writes.iter().enumerate() {
                for _ in 0..3 {
                    mapping.make_accessible((4 + n) * PAGE).unwrap();
                    write(bytes(&mut mapping));
                    mapping.reset(4 * PAGE, Some(&image), map).unwrap();
                    assert!(bytes(&mut mapping) == first.as_slice(), "{n}");
                }
            }
        }
    }

    /// As a guest writes: each page faults until it is open.
    fn write_watched(mapping: &mut Mapping, offset: usize, bytes: &[u8]) {
        let watch = mapping.written().cloned();
        if let Some(written) = watch {
            written.open(offset, bytes.len()).unwrap();
        }
        // SAFETY: the bytes are accessible and open, and nobody else has the mapping.
        let target = unsafe {
            assert!(offset + bytes.len() <= mapping.accessible);
            std::slice::from_raw_parts_mut(mapping.base().add(offset), bytes.len())
        };
        target.copy_from_slice(bytes);
    }

    #[test]
    fn a_watched_memory_is_reset_whether_few_pages_were_written_or_many() {
        let (image, pages) = (image(), PageMap::open());
        for map in [None, pages.as_ref()] {
            let mut mapping = Mapping::new(16 * PAGE, 4 * PAGE, Some(&image)).unwrap();
            mapping.watch().unwrap();
            let read = |mapping: &Mapping| {
                // SAFETY: that many bytes are accessible, and nobody writes now.
                unsafe { std::slice::from_raw_parts(mapping.base(), mapping.accessible) }.to_vec()
            };
            let first = read(&mapping);
            let writes: [&[(usize, usize)]; 6] = [
                &[],
                &[(11, 1)],
                &[(69_990, 30), (2 * PAGE - 9, 18)],
                // Those of the calls before stay open, and are put back all the same.
                &[(3 * PAGE, 1)],
                &[(0, 4 * PAGE)],
                &[(70_001, 1)],
            ];
            for (n, write) in writes.iter().enumerate() {
                for _ in 0..3 {
                    for (offset, length) in *write {
                        write_watched(&mut mapping, *offset, &vec![9; *length]);
                    }
                    mapping.make_accessible((4 + n) * PAGE).unwrap();
                    if n > 0 {
                        write_watched(&mut mapping, 4 * PAGE, &[3; PAGE]);
                    }
                    mapping.reset(4 * PAGE, Some(&image), map).unwrap();
                    assert!(read(&mapping) == first, "{n}");
                }
            }
        }
    }

    #[test]
    fn few_written_pages_stay_and_of_many_only_so_many() {
        let Some(pages) = PageMap::open() else { return };
        let mut mapping = Mapping::new(32 * PAGE, 16 * PAGE, None).unwrap();
        let kept = |mapping: &Mapping| {
            let base = mapping.base as usize;
            let written = pages
                .written(base, base + mapping.accessible, 1 << 30)
                .unwrap();
            assert_eq!(written.end, base + mapping.accessible);
            written
                .runs()
                .map(|(start, end)| end - start)
                .sum::<usize>()
        };
        assert_eq!(kept(&mapping), 0);
        bytes(&mut mapping)[100_000] = 1;
        let one = kept(&mapping);
        assert!(one > 0);
        mapping.reset(16 * PAGE, None, Some(&pages)).unwrap();
        assert_eq!(kept(&mapping), one);
        bytes(&mut mapping).fill(1);
        mapping.reset(16 * PAGE, None, Some(&pages)).unwrap();
        assert!((one..=KEPT).contains(&kept(&mapping)));
        mapping.reset(16 * PAGE, None, None).unwrap();
        assert_eq!(kept(&mapping), 0);
    }

    #[test]
    fn pages_that_grew_are_zero_when_they_come_again() {
        let pages = PageMap::open();
        let mut mapping = Mapping::new(16 * PAGE, PAGE, None).unwrap();
        for _ in 0..3 {
            mapping.make_accessible(3 * PAGE).unwrap();
            assert!(bytes(&mut mapping).iter().all(|byte| *byte == 0));
            bytes(&mut mapping).fill(9);
            mapping.reset(PAGE, None, pages.as_ref()).unwrap();
            assert_eq!(mapping.accessible, PAGE);
        }
        assert!(mapping.make_accessible(17 * PAGE).is_err());
    }
}
