//! The shape of the generated import and export tables.

use std::fmt;

/// A host function: its position in [`IMPORTS`](crate::IMPORTS).
///
/// The table is sorted by interface and function name, so a number means one function for as
/// long as the WIT package keeps its functions. Adding a function moves the numbers behind
/// it; whatever stores numbers (a transcript) therefore names [`WIT_PACKAGE`](crate::WIT_PACKAGE)
/// beside them, and gas schedules use the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FuncId(u16);

impl FuncId {
    /// The function at `index`.
    #[inline]
    pub const fn new(index: u16) -> Self {
        Self(index)
    }

    /// Position in the table.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The number itself.
    #[inline]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Entry in the table; none for a number past its end.
    pub fn import(self) -> Option<&'static Import> {
        crate::IMPORTS.get(self.index())
    }

    /// The name that schedules and reports use, such as `storage.load`.
    pub fn key(self) -> &'static str {
        self.import().map_or("unknown", |import| import.key)
    }
}

/// A core Wasm value type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoreType {
    /// `i32`; also pointers and lengths.
    I32,
    /// `i64`.
    I64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
}

impl fmt::Display for CoreType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

/// A block of guest memory: size and alignment in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Area {
    /// Bytes.
    pub size: u32,
    /// A power of two.
    pub align: u32,
}

/// A host function as a guest imports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Import {
    /// Position in the table.
    pub id: FuncId,
    /// Interface name, such as `storage`.
    pub interface: &'static str,
    /// Function name in WIT, such as `load`.
    pub function: &'static str,
    /// `interface.function`: the name that gas schedules use.
    pub key: &'static str,
    /// Module name in the import section, such as `synergy:aivm/storage@0.1.0`.
    pub module: &'static str,
    /// Core parameters, the return pointer last where there is one.
    pub params: &'static [CoreType],
    /// Core results: none or one.
    pub results: &'static [CoreType],
    /// What the return pointer points at; none where results come back flat.
    pub return_area: Option<Area>,
    /// What the single pointer points at when there are too many flat parameters.
    pub params_area: Option<Area>,
    /// The function as WIT states it.
    pub wit: &'static str,
    /// What the WIT file says about it.
    pub docs: &'static str,
}

/// A function that a guest exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// Export name.
    pub name: &'static str,
    /// Core parameters.
    pub params: &'static [CoreType],
    /// Core results: none or one.
    pub results: &'static [CoreType],
    /// What the returned pointer points at; none where results come back flat.
    pub return_area: Option<Area>,
    /// Export that frees the result once it was read. A guest may leave it out; its
    /// parameters are `results`.
    pub post_return: Option<&'static str>,
    /// The function as WIT states it.
    pub wit: &'static str,
    /// What the WIT file says about it.
    pub docs: &'static str,
}

/// The import `interface.function`, such as `("storage", "load")`.
pub fn import(interface: &str, function: &str) -> Option<&'static Import> {
    crate::IMPORTS
        .iter()
        .find(|import| import.interface == interface && import.function == function)
}

/// The import with these names in a module's import section.
pub fn import_by_module(module: &str, name: &str) -> Option<&'static Import> {
    crate::IMPORTS
        .iter()
        .find(|import| import.module == module && import.function == name)
}

/// The export of this name.
pub fn export(name: &str) -> Option<&'static Export> {
    crate::EXPORTS.iter().find(|export| export.name == name)
}
