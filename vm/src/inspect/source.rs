//! From where a guest stands to the source it was compiled from.

use std::collections::BTreeMap;
use std::ops::Range;

use aivm_abi::{LINES_SECTION, LineTable, SourceLine};
use aivm_gas::{GasSchedule, InstrumentError, OffsetMap, offset_map};
use wasmparser::{FunctionBody, KnownCustom, Name, Parser, Payload, TypeRef};

/// Most function names that are kept of a module.
const MAX_NAMES: usize = 65_536;
/// Most bytes that are kept of a name.
const MAX_NAME: usize = 256;

/// Where a guest's function stands: at an instruction, a call while the callee runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodePlace {
    /// Index of the function, imports included.
    pub function: u32,
    /// Byte of the *instrumented* module, see [`SourceMap`].
    pub offset: u32,
}

/// What a [`CodePlace`] is in the guest's own module and in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located<'a> {
    /// Index of the function, imports included.
    pub function: u32,
    /// Name of the function, if the module has names.
    pub name: Option<&'a str>,
    /// Byte of the guest module, if the place lies in its code.
    pub offset: Option<u64>,
    /// Source line, if the module has lines and this code came from one.
    pub line: Option<SourceLine<'a>>,
}

impl std::fmt::Display for Located<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name {
            Some(name) => f.write_str(name)?,
            None => write!(f, "function {}", self.function)?,
        }
        match (self.line, self.offset) {
            (Some(line), _) => write!(f, " ({line})"),
            (None, Some(offset)) => write!(f, " (byte {offset})"),
            (None, None) => Ok(()),
        }
    }
}

/// A function of a module, as its author wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModuleFunction<'a> {
    /// Its index, imports included.
    pub index: u32,
    /// Its name, if the module has names.
    pub name: Option<&'a str>,
    /// Bytes of its code in the guest module.
    pub bytes: u32,
    /// The first source line that its code came from, if the module has lines.
    pub line: Option<SourceLine<'a>>,
}

/// `name (file:line)`, with the index for what has no name.
impl std::fmt::Display for ModuleFunction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (function, name, line) = (self.index, self.name, self.line);
        let place = Located {
            function,
            name,
            offset: None,
            line,
        };
        place.fmt(f)
    }
}

/// Leads from the instrumented code of one module to functions and source lines.
///
/// Names and lines come from custom sections that anybody may write: they are shown to people
/// and mean nothing else. A section that is malformed is left out, with a note.
#[derive(Clone, Debug)]
pub struct SourceMap {
    offsets: OffsetMap,
    imported: u32,
    /// Code of each function, in bytes from the beginning of the code section's contents.
    bodies: Vec<Range<u32>>,
    names: BTreeMap<u32, String>,
    lines: LineTable,
    notes: Vec<String>,
}

impl SourceMap {
    /// The map of a guest module under a schedule. It instruments the module once more.
    ///
    /// # Errors
    /// When the module is not accepted under the schedule.
    pub fn new(wasm: &[u8], schedule: &GasSchedule) -> Result<Self, InstrumentError> {
        let mut map = Self {
            offsets: offset_map(wasm, schedule)?,
            imported: 0,
            bodies: Vec::new(),
            names: BTreeMap::new(),
            lines: LineTable::default(),
            notes: Vec::new(),
        };
        for payload in Parser::new(0).parse_all(wasm) {
            // The module was accepted, so an end is all that can come.
            let Ok(payload) = payload else { break };
            let section = match payload {
                Payload::CustomSection(section) => section,
                Payload::ImportSection(imports) => {
                    map.imported = imports
                        .into_imports()
                        .flatten()
                        .filter(|import| matches!(import.ty, TypeRef::Func(_)))
                        .fold(0, |sum: u32, _| sum.saturating_add(1));
                    continue;
                }
                Payload::CodeSectionEntry(body) => {
                    map.body(&body);
                    continue;
                }
                _ => continue,
            };
            if section.name() == LINES_SECTION {
                match LineTable::decode(section.data()) {
                    Ok(lines) => map.lines = lines,
                    Err(error) => map.note(LINES_SECTION, &error),
                }
            } else if let KnownCustom::Name(names) = section.as_known()
                && let Err(error) = map.names(names)
            {
                map.note("name", &error);
            }
        }
        Ok(map)
    }

    fn body(&mut self, body: &FunctionBody<'_>) {
        let code = self.offsets.guest_code();
        let offset = |at: u64| u32::try_from(at.saturating_sub(code)).unwrap_or(u32::MAX);
        let range = body.range();
        self.bodies.push(offset(range.start)..offset(range.end));
    }

    fn note(&mut self, section: &str, error: &dyn std::fmt::Display) {
        if self.notes.len() < 8 {
            let note = format!("the section `{section}` is malformed and ignored: {error}");
            self.notes.push(note);
        }
    }

    fn names(&mut self, section: wasmparser::NameSectionReader<'_>) -> wasmparser::Result<()> {
        for part in section {
            let Name::Function(functions) = part? else {
                continue;
            };
            for naming in functions {
                let naming = naming?;
                if self.names.len() >= MAX_NAMES {
                    return Ok(());
                }
                self.names.insert(naming.index, printable(naming.name));
            }
        }
        Ok(())
    }

    /// What a place is.
    pub fn locate(&self, place: CodePlace) -> Located<'_> {
        let offset = self.offsets.guest_offset(place.offset.into());
        let line = offset
            .and_then(|offset| offset.checked_sub(self.offsets.guest_code()))
            .and_then(|offset| self.lines.lookup(u32::try_from(offset).ok()?));
        Located {
            function: place.function,
            name: self.names.get(&place.function).map(String::as_str),
            offset,
            line,
        }
    }

    /// Where a stack stands in the source: its innermost place that has a line.
    pub fn line(&self, stack: &[CodePlace]) -> Option<SourceLine<'_>> {
        stack.iter().find_map(|place| self.locate(*place).line)
    }

    /// Indices of the functions with a name, imports included.
    pub fn functions<'m>(&'m self, name: &'m str) -> impl Iterator<Item = u32> + 'm {
        let named = self.names.iter().filter(move |(_, found)| *found == name);
        named.map(|(index, _)| *index)
    }

    /// The functions of the module that are not imported, in its order.
    pub fn module_functions(&self) -> impl Iterator<Item = ModuleFunction<'_>> {
        self.bodies
            .iter()
            .zip(self.imported..)
            .map(|(body, index)| ModuleFunction {
                index,
                name: self.names.get(&index).map(String::as_str),
                bytes: body.end - body.start,
                line: self.lines.first_in(body.clone()),
            })
    }

    /// Whether the module names source lines.
    pub fn has_lines(&self) -> bool {
        !self.lines.files().is_empty()
    }

    /// What was wrong with the module's sections, for people.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// A name that cannot do anything to a terminal.
fn printable(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if out.len() >= MAX_NAME {
            break;
        }
        out.push(if c.is_control() { '\u{fffd}' } else { c });
    }
    out
}
