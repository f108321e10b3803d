//! Line breaking: a flat list of pieces to text, in linear time and without recursion.

/// Spaces of one level.
const INDENT: usize = 4;

/// When a break is a line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Never; it is what it is on a line.
    Never,
    /// When its group does not fit on the line.
    Soft,
    /// Always.
    Hard,
}

/// A piece of the layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text of the source, or a word that the formatter adds.
    Text(&'a str),
    /// A place between two texts.
    Break {
        mode: Mode,
        /// What it is on a line.
        space: bool,
        /// An empty line before, when the break is a line end.
        blank: bool,
        /// An empty line of the source is kept here.
        keep_blank: bool,
    },
    /// Begins a group: its soft breaks are all taken or all not.
    Open,
    /// Ends a group.
    Close,
    /// One level to the right, from the next line on.
    Indent,
    /// One level back.
    Dedent,
}

/// Lays pieces out so that groups which fit into `width` columns stay on a line.
pub(super) fn render(pieces: &[Piece<'_>], width: usize) -> String {
    let sizes = group_sizes(pieces);
    let mut out = String::new();
    let mut column = 0usize;
    let mut depth = 0usize;
    let mut broken: Vec<bool> = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => {
                if column == 0 && !text.is_empty() && out.ends_with('\n') {
                    out.extend(std::iter::repeat_n(' ', depth * INDENT));
                    column = depth * INDENT;
                }
                out.push_str(text);
                match text.rfind('\n') {
                    Some(at) => column = text[at + 1..].chars().count(),
                    None => column += text.chars().count(),
                }
            }
            Piece::Break {
                mode, space, blank, ..
            } => {
                let taken = match mode {
                    Mode::Hard => true,
                    Mode::Never => false,
                    Mode::Soft => broken.last().copied().unwrap_or(false),
                };
                if taken {
                    out.truncate(out.trim_end_matches(' ').len());
                    if !out.is_empty() && !out.ends_with('\n') {
                        out.push('\n');
                    }
                    if *blank && !out.is_empty() && !out.ends_with("\n\n") {
                        out.push('\n');
                    }
                    column = 0;
                } else if *space {
                    out.push(' ');
                    column += 1;
                }
            }
            Piece::Open => {
                let start = if column == 0 { depth * INDENT } else { column };
                let fits = sizes
                    .get(index)
                    .copied()
                    .flatten()
                    .is_some_and(|size| start + size <= width);
                broken.push(!fits);
            }
            Piece::Close => {
                broken.pop();
            }
            Piece::Indent => depth += 1,
            Piece::Dedent => depth = depth.saturating_sub(1),
        }
    }
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// For each `Open`, the width of its group and of what follows it up to the next place that
/// may be a line end; none when the group holds a line end.
fn group_sizes(pieces: &[Piece<'_>]) -> Vec<Option<usize>> {
    let mut sizes = vec![None; pieces.len()];
    // Width and number of line ends before each piece.
    let mut before = Vec::with_capacity(pieces.len() + 1);
    let (mut width, mut ends) = (0usize, 0usize);
    for piece in pieces {
        before.push((width, ends));
        match piece {
            Piece::Text(text) => {
                width += text.chars().count();
                ends += usize::from(text.contains('\n'));
            }
            Piece::Break { mode, space, .. } => {
                width += usize::from(*space);
                ends += usize::from(*mode == Mode::Hard);
            }
            _ => {}
        }
    }
    before.push((width, ends));
    // Width up to the next break outside, from behind.
    let mut next_break = width;
    let mut close = Vec::new();
    for (index, piece) in pieces.iter().enumerate().rev() {
        match piece {
            Piece::Break { mode, .. } if *mode != Mode::Never => next_break = before[index].0,
            Piece::Close => close.push((before[index].1, next_break)),
            Piece::Open => {
                if let Some((ends, end)) = close.pop()
                    && ends == before[index].1
                {
                    sizes[index] = Some(end - before[index].0);
                }
            }
            _ => {}
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soft(space: bool) -> Piece<'static> {
        Piece::Break {
            mode: Mode::Soft,
            space,
            blank: false,
            keep_blank: false,
        }
    }

    #[test]
    fn a_group_breaks_as_a_whole() {
        let pieces = [
            Piece::Text("f("),
            Piece::Open,
            Piece::Indent,
            soft(false),
            Piece::Text("one,"),
            soft(true),
            Piece::Text("two"),
            Piece::Dedent,
            soft(false),
            Piece::Close,
            Piece::Text(");"),
        ];
        assert_eq!(render(&pieces, 13), "f(one, two);\n");
        assert_eq!(render(&pieces, 12), "f(one, two);\n");
        assert_eq!(render(&pieces, 11), "f(\n    one,\n    two\n);\n");
    }
}
