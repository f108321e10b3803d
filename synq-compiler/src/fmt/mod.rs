//! The formatter: one canonical layout for every source, comments kept.
//!
//! The printer walks the syntax tree beside the token list, so that no token and no comment
//! can get lost: the tree says where lines may break, the tokens say what is written.

mod expressions;
mod items;
mod layout;
mod printer;
mod statements;

use crate::diagnostics::{Diagnostics, Severity};
use crate::source::Sources;
use crate::syntax::parse;

/// Width at which lines are broken where they can be.
pub const LINE_WIDTH: usize = 100;

/// Formats the text of the file called `name`.
///
/// Formatting twice gives the same text as formatting once, and the result has the same
/// syntax tree as `text`, places aside.
///
/// # Errors
/// A text with syntax errors is not formatted; the diagnostics say why.
pub fn format(name: &str, text: &str) -> Result<String, Diagnostics> {
    let mut sources = Sources::new();
    let id = sources.add(name, text);
    let parsed = parse(id, text);
    if parsed
        .diagnostics
        .iter()
        .any(|d| d.severity == Severity::Error)
    {
        return Err(Diagnostics {
            sources,
            list: parsed.diagnostics,
        });
    }
    let mut printer = printer::Printer::new(text, &parsed.tokens);
    printer.source_file(&parsed.file);
    Ok(layout::render(&printer.finish(), LINE_WIDTH))
}
