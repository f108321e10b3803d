//! Linear memories that start from a copy-on-write image of the module's data.
//!
//! Data segments are written once, into an anonymous file, when a module is loaded.
//! Each instance maps that file privately, so that starting one costs the same whatever
//! the size of its data, and a page is copied only when the guest writes to it. Between
//! calls of an instance, the pages that were written are made what they were.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmer::sys::vm::{LinearMemory, Trap, VMMemory, VMMemoryDefinition};
use wasmer::{MemoryError, MemoryStyle, MemoryType, Pages, WASM_PAGE_SIZE};

use super::compile::CompileError;
use super::image::{Data, Image};
use super::images::Images;
use super::mapping::Mapping;
use super::pagemap::PageMap;
use super::written::WrittenPages;

/// Makes the memories of one module.
#[derive(Debug)]
pub(super) struct MemorySource {
    image: Option<Arc<Image>>,
    /// Whether instances are used again, so that it pays to know what each wrote. Pages that are
    /// watched begin closed, and nobody would open them for the engine.
    used_again: bool,
}

impl MemorySource {
    pub fn of_module(
        wasm: &[u8],
        images: &Arc<Images>,
        used_again: bool,
    ) -> Result<Self, CompileError> {
        let (image, runs) = match Image::of_module(wasm, images)? {
            Data::Nothing => (None, true),
            Data::Image(image) => (Some(Arc::new(image)), true),
            Data::OutOfBounds => (None, false),
        };
        Ok(Self {
            image,
            used_again: used_again && runs,
        })
    }

    /// A fresh memory of type `ty`.
    ///
    /// # Safety
    /// `location` must be valid as long as the memory.
    pub unsafe fn memory(
        &self,
        ty: &MemoryType,
        style: &MemoryStyle,
        location: NonNull<VMMemoryDefinition>,
    ) -> Result<VMMemory, MemoryError> {
        let reserve = match style {
            MemoryStyle::Static => MemoryStyle::static_bound().bytes().0,
            MemoryStyle::Dynamic { .. } => ty.maximum.unwrap_or(ty.minimum).bytes().0,
        };
        let guard = usize::try_from(style.offset_guard_size())
            .map_err(|e| MemoryError::Generic(e.to_string()))?;
        let reserve = reserve
            .checked_add(guard)
            .ok_or_else(|| MemoryError::Generic("the reservation is too large".to_owned()))?;
        let minimum = ty.minimum.bytes().0;
        let region = |e: std::io::Error| MemoryError::Region(e.to_string());
        let mut mapping = Mapping::new(reserve, minimum, self.image.as_deref()).map_err(region)?;
        if self.used_again {
            mapping.watch().map_err(region)?;
        }
        let mut definition = location;
        // SAFETY: the caller promises that the location is valid.
        unsafe {
            let definition = definition.as_mut();
            definition.base = mapping.base();
            definition.current_length = minimum;
        }
        Ok(VMMemory(Box::new(InstanceMemory {
            mapping,
            location,
            ty: *ty,
            style: *style,
            size: ty.minimum,
            in_image: AtomicUsize::new(self.image.as_deref().map_or(0, Image::segments)),
            image: self.image.clone(),
            refused: None,
        })))
    }
}

/// The memory of an instance.
#[derive(Debug)]
pub(super) struct InstanceMemory {
    mapping: Mapping,
    image: Option<Arc<Image>>,
    location: NonNull<VMMemoryDefinition>,
    ty: MemoryType,
    style: MemoryStyle,
    size: Pages,
    /// Active segments that the engine has yet to write, and that the image holds.
    in_image: AtomicUsize,
    /// Why the machine refused to let the memory grow, if it did.
    refused: Option<String>,
}

impl InstanceMemory {
    /// Why the machine refused memory that the guest was entitled to. The guest went on as
    /// if its own limit were reached; on a node with more memory it is not, so nothing
    /// that it did since may count.
    pub fn refused(&self) -> Option<&str> {
        match self.written() {
            Some(written) if written.refused() => Some("a page could not be opened for writing"),
            _ => self.refused.as_deref(),
        }
    }

    /// The pages that were written, if that is watched.
    pub fn written(&self) -> Option<&Arc<WrittenPages>> {
        self.mapping.written()
    }

    /// Where compiled code finds base and length.
    pub fn location(&self) -> NonNull<VMMemoryDefinition> {
        self.location
    }

    /// Makes the memory what it was when the instance began.
    pub fn renew(&mut self, pages: Option<&PageMap>) -> std::io::Result<()> {
        let minimum = self.ty.minimum.bytes().0;
        self.mapping.reset(minimum, self.image.as_deref(), pages)?;
        self.size = self.ty.minimum;
        // SAFETY: the location is valid as long as this memory, and no guest code runs.
        unsafe { self.location.as_mut() }.current_length = minimum;
        Ok(())
    }
}

// SAFETY: `location` points into the instance that owns this memory and moves between
// threads with it; the mapping is plain memory.
unsafe impl Send for InstanceMemory {}
// SAFETY: shared access reads sizes and an atomic; guest memory itself is only touched
// by the one thread that runs the instance.
unsafe impl Sync for InstanceMemory {}

impl LinearMemory for InstanceMemory {
    fn ty(&self) -> MemoryType {
        let mut ty = self.ty;
        ty.minimum = self.size;
        ty
    }

    fn size(&self) -> Pages {
        self.size
    }

    fn style(&self) -> MemoryStyle {
        self.style
    }

    fn grow(&mut self, delta: Pages) -> Result<Pages, MemoryError> {
        let old = self.size;
        let refused = MemoryError::CouldNotGrow {
            current: old,
            attempted_delta: delta,
        };
        let Some(new) = old.checked_add(delta) else {
            return Err(refused);
        };
        if self.ty.maximum.is_none_or(|maximum| new > maximum) {
            return Err(refused);
        }
        let length = (new.0 as usize) * WASM_PAGE_SIZE;
        if let Err(error) = self.mapping.make_accessible(length) {
            self.refused = Some(error.to_string());
            return Err(MemoryError::Region(error.to_string()));
        }
        self.size = new;
        // SAFETY: the location is valid as long as this memory, and only the thread
        // that runs the instance reaches it.
        unsafe { self.location.as_mut() }.current_length = length;
        Ok(old)
    }

    fn vmmemory(&self) -> NonNull<VMMemoryDefinition> {
        self.location
    }

    fn try_clone(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        Err(MemoryError::MemoryNotShared)
    }

    fn copy(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        Err(MemoryError::UnsupportedOperation {
            message: "copying a contract's memory".to_owned(),
        })
    }

    unsafe fn initialize_with_data(&self, start: usize, data: &[u8]) -> Result<(), Trap> {
        // The engine writes the active segments first, in order, before any code runs;
        // later calls are `memory.init`.
        let left = self.in_image.load(Ordering::Relaxed);
        if left > 0 {
            self.in_image.store(left - 1, Ordering::Relaxed);
            return Ok(());
        }
        // SAFETY: the caller checked `start + data.len()` against the current length,
        // and base and length describe this mapping.
        unsafe {
            let definition = self.location.as_ref();
            let target = definition.base.add(start);
            std::ptr::copy_nonoverlapping(data.as_ptr(), target, data.len());
        }
        Ok(())
    }
}
