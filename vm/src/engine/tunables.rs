//! Limits, native stack and memories that the engine gives to instances of one module.

use std::ptr::NonNull;
use std::sync::Arc;

use wasmer::sys::vm::{VMConfig, VMMemory, VMMemoryDefinition, VMTable, VMTableDefinition};
use wasmer::sys::{BaseTunables, Tunables};
use wasmer::{MemoryError, MemoryStyle, MemoryType, Pages, TableStyle, TableType};

use super::compile::CompileError;
use super::images::Images;
use super::memory::MemorySource;

/// Tunables of one module.
pub(super) struct ModuleTunables {
    base: BaseTunables,
    config: VMConfig,
    memory_pages: u32,
    memories: MemorySource,
}

impl ModuleTunables {
    pub fn new(
        wasm: &[u8],
        memory_pages: u32,
        native_stack: usize,
        images: &Arc<Images>,
        used_again: bool,
    ) -> Result<Self, CompileError> {
        Ok(Self {
            base: BaseTunables::new(),
            config: VMConfig {
                wasm_stack_size: Some(native_stack),
            },
            memory_pages,
            memories: MemorySource::of_module(wasm, images, used_again)?,
        })
    }

    /// The type with its maximum lowered to the limit.
    fn clamp(&self, ty: &MemoryType) -> Result<MemoryType, MemoryError> {
        let limit = Pages(self.memory_pages);
        if ty.minimum > limit {
            return Err(MemoryError::MinimumMemoryTooLarge {
                min_requested: ty.minimum,
                max_allowed: limit,
            });
        }
        let mut clamped = *ty;
        clamped.maximum = Some(ty.maximum.map_or(limit, |maximum| maximum.min(limit)));
        Ok(clamped)
    }
}

impl Tunables for ModuleTunables {
    fn memory_style(&self, memory: &MemoryType) -> MemoryStyle {
        self.base.memory_style(memory)
    }

    fn table_style(&self, table: &TableType) -> TableStyle {
        self.base.table_style(table)
    }

    fn create_host_memory(
        &self,
        ty: &MemoryType,
        style: &MemoryStyle,
    ) -> Result<VMMemory, MemoryError> {
        self.base.create_host_memory(&self.clamp(ty)?, style)
    }

    unsafe fn create_vm_memory(
        &self,
        ty: &MemoryType,
        style: &MemoryStyle,
        location: NonNull<VMMemoryDefinition>,
    ) -> Result<VMMemory, MemoryError> {
        let ty = self.clamp(ty)?;
        // SAFETY: the caller gives a location that is valid as long as the memory.
        unsafe { self.memories.memory(&ty, style, location) }
    }

    fn create_host_table(&self, ty: &TableType, style: &TableStyle) -> Result<VMTable, String> {
        self.base.create_host_table(ty, style)
    }

    unsafe fn create_vm_table(
        &self,
        ty: &TableType,
        style: &TableStyle,
        location: NonNull<VMTableDefinition>,
    ) -> Result<VMTable, String> {
        // SAFETY: as the caller promised.
        unsafe { self.base.create_vm_table(ty, style, location) }
    }

    fn vmconfig(&self) -> &VMConfig {
        &self.config
    }
}
