//! What the compiler has to say about a source: one type, three forms (value, text, JSON).

use std::collections::BTreeSet;

use crate::source::{FileId, Sources, Span};
use ariadne::{Config, IndexType, Label as Mark, Report, ReportKind};

/// Errors after which a run stops reporting.
pub const MAX_ERRORS: usize = 20;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The source is not a contract.
    Error,
    /// It compiles, but probably does not do what was meant.
    Warning,
}

/// A second place that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What about it.
    pub message: String,
}

/// A change to the source that would fix the problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The text to replace; empty for an insertion.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
    /// What the change does, for a person.
    pub message: String,
}

/// One thing to tell the author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable code, such as `E0301`.
    pub code: &'static str,
    /// The problem in one sentence.
    pub message: String,
    /// Where it is.
    pub span: Span,
    /// What to write under the place; may be empty.
    pub label: String,
    /// Other places that matter.
    pub labels: Vec<Label>,
    /// Background, one sentence each.
    pub notes: Vec<String>,
    /// A fix, when one is known.
    pub suggestion: Option<Suggestion>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span,
            label: String::new(),
            labels: Vec::new(),
            notes: Vec::new(),
            suggestion: None,
        }
    }

    /// A warning.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// Sets the text under the place itself.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn also(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            message: message.into(),
        });
        self
    }

    /// Adds a sentence of background.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Sets the fix.
    #[must_use]
    pub fn suggest(
        mut self,
        span: Span,
        replacement: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        self.suggestion = Some(Suggestion {
            span,
            replacement: replacement.into(),
            message: message.into(),
        });
        self
    }

    /// The diagnostic as text for a terminal.
    pub fn render(&self, sources: &Sources, color: bool) -> String {
        let kind = match self.severity {
            Severity::Error => ReportKind::Error,
            Severity::Warning => ReportKind::Warning,
        };
        let place = |s: Span| (s.file, clip(sources, s));
        let config = Config::default()
            .with_color(color)
            .with_index_type(IndexType::Byte);
        let mut report = Report::build(kind, place(self.span))
            .with_config(config)
            .with_code(self.code)
            .with_message(&self.message);
        let primary = if self.label.is_empty() {
            "here"
        } else {
            &self.label
        };
        report = report.with_label(Mark::new(place(self.span)).with_message(primary));
        for label in &self.labels {
            report = report.with_label(Mark::new(place(label.span)).with_message(&label.message));
        }
        for note in &self.notes {
            report = report.with_note(note);
        }
        if let Some(fix) = &self.suggestion {
            report = report.with_help(if fix.replacement.is_empty() {
                fix.message.clone()
            } else {
                format!("{}: `{}`", fix.message, fix.replacement)
            });
        }
        let mut out = Vec::new();
        // Writing into a vector fails only when a source is missing from the cache.
        if report
            .finish()
            .write(Cache::new(sources), &mut out)
            .is_err()
        {
            return format!("{}: {}\n", self.code, self.message);
        }
        String::from_utf8_lossy(&out)
            .lines()
            .map(|l| format!("{}\n", l.trim_end()))
            .collect()
    }

    /// The diagnostic as a JSON object.
    pub fn to_json(&self, sources: &Sources) -> serde_json::Value {
        let place = |s: Span| {
            let (line, column) = sources.line_column(s.file, s.start);
            let (end_line, end_column) = sources.line_column(s.file, s.end);
            serde_json::json!({
                "file": sources.path(s.file), "start": s.start, "end": s.end,
                "line": line, "column": column, "endLine": end_line, "endColumn": end_column,
            })
        };
        serde_json::json!({
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "label": self.label,
            "place": place(self.span),
            "labels": self.labels.iter().map(|l| serde_json::json!({
                "place": place(l.span), "message": l.message,
            })).collect::<Vec<_>>(),
            "notes": self.notes,
            "suggestion": self.suggestion.as_ref().map(|s| serde_json::json!({
                "place": place(s.span), "replacement": s.replacement, "message": s.message,
            })),
        })
    }
}

/// ariadne slices sources at the ends of a span, so the ends must lie on characters.
fn clip(sources: &Sources, span: Span) -> std::ops::Range<usize> {
    let text = sources.text(span.file);
    let snap = |offset: u32| {
        let mut at = (offset as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (snap(span.start), snap(span.end));
    start..end.max(start)
}

struct Cache<'a> {
    names: Vec<&'a str>,
    files: Vec<ariadne::Source<&'a str>>,
}

impl<'a> Cache<'a> {
    fn new(sources: &'a Sources) -> Self {
        Self {
            names: sources.iter().map(|(p, _)| p).collect(),
            files: sources
                .iter()
                .map(|(_, t)| ariadne::Source::from(t))
                .collect(),
        }
    }
}

impl<'a> ariadne::Cache<FileId> for Cache<'a> {
    type Storage = &'a str;

    fn fetch(&mut self, id: &FileId) -> Result<&ariadne::Source<&'a str>, impl std::fmt::Debug> {
        self.files.get(id.0 as usize).ok_or("unknown file")
    }

    fn display<'b>(&self, id: &'b FileId) -> Option<impl std::fmt::Display + 'b> {
        self.names.get(id.0 as usize).map(|n| (*n).to_owned())
    }
}

/// All that one run has to say, with the sources it speaks of.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    /// The files.
    pub sources: Sources,
    /// What was found, in source order.
    pub list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Tells whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// All of them as text for a terminal.
    pub fn render(&self, color: bool) -> String {
        let mut out = String::new();
        for diagnostic in &self.list {
            out.push_str(&diagnostic.render(&self.sources, color));
            out.push('\n');
        }
        out
    }

    /// All of them as a JSON array.
    pub fn to_json(&self) -> serde_json::Value {
        self.list.iter().map(|d| d.to_json(&self.sources)).collect()
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// Collects diagnostics: at most [`MAX_ERRORS`] errors, one a place.
#[derive(Debug, Default)]
pub struct Sink {
    list: Vec<Diagnostic>,
    places: BTreeSet<Span>,
    errors: usize,
}

impl Sink {
    /// An empty collection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a diagnostic, unless there are enough errors or one at the same place.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if diagnostic.severity == Severity::Error {
            if self.errors >= MAX_ERRORS || !self.places.insert(diagnostic.span) {
                return;
            }
            self.errors += 1;
        }
        self.list.push(diagnostic);
    }

    /// Adds many.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }

    /// Number of errors so far.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Everything, in source order.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|d| (d.span.file, d.span.start));
        self.list
    }
}
