//! From places in sources to lines, for the section that tools read.

use aivm_abi::LineTable;

use crate::source::{Sources, Span};

/// Where the lines of each file begin.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    paths: Vec<String>,
    starts: Vec<Vec<u32>>,
}

impl Lines {
    pub fn new(sources: &Sources) -> Self {
        let mut lines = Self::default();
        for (path, text) in sources.iter() {
            let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            let starts = breaks.map(|(at, _)| at as u32 + 1);
            lines
                .starts
                .push(std::iter::once(0).chain(starts).collect());
            lines.paths.push(path.to_owned());
        }
        lines
    }

    pub fn table(&self) -> LineTable {
        LineTable::new(self.paths.clone())
    }

    /// File and line, from 1, at which a span begins; none for the span of nothing.
    pub fn place(&self, span: Span) -> Option<(u32, u32)> {
        if span == Span::default() {
            return None;
        }
        let starts = self.starts.get(span.file.0 as usize)?;
        let line = starts.partition_point(|start| *start <= span.start);
        Some((span.file.0, line as u32))
    }
}
