//! The first contents of a module's memory, in an anonymous file.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

use wasmparser::{DataKind, Operator, Parser, Payload};

use super::compile::CompileError;
use super::images::{Images, Part};

/// The data that instances start with.
#[derive(Debug)]
pub(super) struct Image {
    part: Part,
    /// The part's contents, mapped for reading.
    view: *const u8,
    len: usize,
    segments: usize,
}

// SAFETY: the view is memory that nobody writes, and no thread owns it.
unsafe impl Send for Image {}
// SAFETY: as above.
unsafe impl Sync for Image {}

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: the view is ours, and whoever borrowed it is gone.
        unsafe { libc::munmap(self.view.cast_mut().cast(), self.len) };
    }
}

/// One active data segment at a constant offset.
struct Segment<'a> {
    start: u64,
    data: &'a [u8],
}

/// What instances of a module start with.
#[derive(Debug)]
pub(super) enum Data {
    /// Zeros.
    Nothing,
    /// The image.
    Image(Image),
    /// Some of it lies out of bounds. The engine writes what comes before that itself, and the
    /// instance never runs.
    OutOfBounds,
}

impl Image {
    /// The data of a module; its image is a part of `images`.
    pub fn of_module(wasm: &[u8], images: &Arc<Images>) -> Result<Data, CompileError> {
        let (segments, memory) = segments(wasm)?;
        let end = segments
            .iter()
            .map(|s| s.start.saturating_add(s.data.len() as u64))
            .max();
        // Segments without a byte write nothing, wherever they are in bounds.
        let Some(end) = end.filter(|end| *end > 0) else {
            return Ok(Data::Nothing);
        };
        if end > memory {
            return Ok(Data::OutOfBounds);
        }
        let image = Self::write(&segments, end, images);
        image
            .map(Data::Image)
            .map_err(|e| CompileError::Artifact(format!("the memory image failed: {e}")))
    }

    fn write(segments: &[Segment<'_>], end: u64, images: &Arc<Images>) -> io::Result<Self> {
        // Wasm pages are a multiple of every host page size in use.
        let len = end.next_multiple_of(wasmer::WASM_PAGE_SIZE as u64);
        let part = Images::part(images, len)?;
        for segment in segments {
            part.write(segment.data, segment.start)?;
        }
        let len = usize::try_from(len).map_err(io::Error::other)?;
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that
        // exists; the file is open and has `len` bytes there.
        let view = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ,
                libc::MAP_SHARED,
                part.descriptor(),
                part.offset(),
            )
        };
        if view == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            part,
            view: view.cast_const().cast(),
            len,
            segments: segments.len(),
        })
    }

    /// The image itself.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the view is as long as that, and nobody writes it: memories map the file
        // privately.
        unsafe { std::slice::from_raw_parts(self.view, self.len) }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn segments(&self) -> usize {
        self.segments
    }

    /// The file that it is part of.
    pub fn descriptor(&self) -> RawFd {
        self.part.descriptor()
    }

    /// Where in the file it begins.
    pub fn offset(&self) -> libc::off_t {
        self.part.offset()
    }
}

/// Active segments in order, and the bytes of memory at the start.
fn segments(wasm: &[u8]) -> Result<(Vec<Segment<'_>>, u64), CompileError> {
    let refused = |e: wasmparser::BinaryReaderError| CompileError::Refused(e.to_string());
    let (mut found, mut memory) = (Vec::new(), 0);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(refused)? {
            Payload::MemorySection(section) => {
                for ty in section {
                    let pages = ty.map_err(refused)?.initial;
                    memory = pages.saturating_mul(wasmer::WASM_PAGE_SIZE as u64);
                }
            }
            Payload::DataSection(section) => {
                for segment in section {
                    let segment = segment.map_err(refused)?;
                    let DataKind::Active { offset_expr, .. } = segment.kind else {
                        continue;
                    };
                    let mut operators = offset_expr.get_operators_reader();
                    let Operator::I32Const { value } = operators.read().map_err(refused)? else {
                        return Err(CompileError::Refused(
                            "a data segment has no constant offset".to_owned(),
                        ));
                    };
                    found.push(Segment {
                        // The offset is unsigned.
                        start: u64::from(value as u32),
                        data: segment.data,
                    });
                }
            }
            _ => {}
        }
    }
    Ok((found, memory))
}
