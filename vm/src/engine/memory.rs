//! Linear memories that start from a copy-on-write image of the module's data.
//!
//! Data segments are written once, into an anonymous file, when a module is loaded.
//! Each instance maps that file privately, so that starting one costs the same whatever
//! the size of its data, and a page is copied only when the guest writes to it. A memory
//! that is done with is reset by one `madvise` and kept for the next instance of the
//! same module.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wasmer::sys::vm::{LinearMemory, Trap, VMMemory, VMMemoryDefinition};
use wasmer::{MemoryError, MemoryStyle, MemoryType, Pages, WASM_PAGE_SIZE};

use super::compile::CompileError;
use super::image::Image;
use super::mapping::Mapping;

/// How many idle mappings all modules together may keep. Each reserves gigabytes of
/// address space, of which a process has 2^47 bytes.
#[derive(Debug)]
pub(crate) struct SlotBudget {
    idle: AtomicUsize,
    max: usize,
}

impl SlotBudget {
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            idle: AtomicUsize::new(0),
            max,
        })
    }

    fn take(&self) -> bool {
        self.idle
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |idle| {
                (idle < self.max).then_some(idle + 1)
            })
            .is_ok()
    }

    fn give_back(&self) {
        self.idle.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The memories of one module.
#[derive(Debug)]
pub(super) struct MemoryPool {
    image: Option<Image>,
    idle: Mutex<Vec<Mapping>>,
    budget: Arc<SlotBudget>,
}

impl MemoryPool {
    pub fn for_module(wasm: &[u8], budget: Arc<SlotBudget>) -> Result<Arc<Self>, CompileError> {
        Ok(Arc::new(Self {
            image: Image::of_module(wasm)?,
            idle: Mutex::default(),
            budget,
        }))
    }

    /// A fresh memory of type `ty`.
    ///
    /// # Safety
    /// `location` must be valid as long as the memory.
    pub unsafe fn memory(
        self: &Arc<Self>,
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
        let mapping = match self.pop() {
            Some(mapping) => mapping,
            None => Mapping::new(reserve, minimum, self.image.as_ref())
                .map_err(|e| MemoryError::Region(e.to_string()))?,
        };
        let mut definition = location;
        // SAFETY: the caller promises that the location is valid.
        unsafe {
            let definition = definition.as_mut();
            definition.base = mapping.base();
            definition.current_length = minimum;
        }
        Ok(VMMemory(Box::new(PooledMemory {
            mapping: Some(mapping),
            pool: self.clone(),
            location,
            ty: *ty,
            style: *style,
            size: ty.minimum,
            in_image: AtomicUsize::new(self.image.as_ref().map_or(0, Image::segments)),
        })))
    }

    fn pop(&self) -> Option<Mapping> {
        let mapping = self.lock().pop()?;
        self.budget.give_back();
        Some(mapping)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Mapping>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a mapping for the next instance, when there is room and it can be reset.
    fn recycle(&self, mut mapping: Mapping, minimum: usize) {
        if self.budget.take() {
            if mapping.reset(minimum).is_ok() {
                self.lock().push(mapping);
            } else {
                self.budget.give_back();
            }
        }
    }
}

impl Drop for MemoryPool {
    fn drop(&mut self) {
        for _ in self.lock().iter() {
            self.budget.give_back();
        }
    }
}

/// A memory whose mapping goes back to its pool.
#[derive(Debug)]
struct PooledMemory {
    /// Present until the memory is dropped.
    mapping: Option<Mapping>,
    pool: Arc<MemoryPool>,
    location: NonNull<VMMemoryDefinition>,
    ty: MemoryType,
    style: MemoryStyle,
    size: Pages,
    /// Active segments that the engine has yet to write, and that the image holds.
    in_image: AtomicUsize,
}

// SAFETY: `location` points into the instance that owns this memory and moves between
// threads with it; the mapping is plain memory.
unsafe impl Send for PooledMemory {}
// SAFETY: shared access reads sizes and an atomic; guest memory itself is only touched
// by the one thread that runs the instance.
unsafe impl Sync for PooledMemory {}

impl LinearMemory for PooledMemory {
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
        let Some(mapping) = self.mapping.as_mut() else {
            return Err(refused);
        };
        mapping
            .make_accessible(length)
            .map_err(|e| MemoryError::Region(e.to_string()))?;
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

impl Drop for PooledMemory {
    fn drop(&mut self) {
        if let Some(mapping) = self.mapping.take() {
            self.pool.recycle(mapping, self.ty.minimum.bytes().0);
        }
    }
}
