//! The token cursor: emits tokens in order, with the comments before each.

use super::layout::{Mode, Piece};
use crate::source::Span;
use crate::syntax::{Token, TokenKind};

/// A comment and what stands around it.
#[derive(Debug, Clone, Copy)]
struct Comment<'a> {
    text: &'a str,
    line: bool,
    /// Line ends between the token or comment before it and itself.
    newlines: usize,
}

/// Turns a tree and its tokens into pieces.
pub(super) struct Printer<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// Index of the next token; trivia before it are not yet emitted.
    at: usize,
    /// The first `>` of a `>>` was used.
    pub(super) half_closed: bool,
    pieces: Vec<Piece<'a>>,
    /// Comments of tokens that were left out.
    carried: Vec<Comment<'a>>,
    /// Line ends behind the last of the carried comments.
    carried_newlines: usize,
}

impl<'a> Printer<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        Self {
            text,
            tokens,
            at: 0,
            half_closed: false,
            pieces: Vec::new(),
            carried: Vec::new(),
            carried_newlines: 0,
        }
    }

    /// The pieces, with whatever comments are left at the end of the file.
    pub(super) fn finish(mut self) -> Vec<Piece<'a>> {
        while self.next().kind != TokenKind::End {
            self.tok();
        }
        self.separate();
        self.take_last_comments();
        self.pieces
    }

    fn slice(&self, span: Span) -> &'a str {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }

    /// Index of the `n`-th token from here that is not trivia.
    fn index(&self, n: usize) -> usize {
        let mut left = n;
        let mut at = self.at;
        while let Some(token) = self.tokens.get(at) {
            if !token.kind.is_trivia() {
                if left == 0 || token.kind == TokenKind::End {
                    return at;
                }
                left -= 1;
            }
            at += 1;
        }
        at
    }

    pub(super) fn peek(&self, n: usize) -> Token {
        self.tokens.get(self.index(n)).copied().unwrap_or(Token {
            kind: TokenKind::End,
            span: Span::default(),
        })
    }

    pub(super) fn next(&self) -> Token {
        self.peek(0)
    }

    pub(super) fn is(&self, kind: TokenKind) -> bool {
        self.next().kind == kind
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.is(TokenKind::Ident) && self.slice(self.next().span) == word
    }

    /// Comments before the next token, and the line ends behind the last of them.
    fn gather(&mut self) -> (Vec<Comment<'a>>, usize) {
        let mut list = std::mem::take(&mut self.carried);
        let mut newlines = std::mem::take(&mut self.carried_newlines);
        let end = self.index(0);
        for token in &self.tokens[self.at..end] {
            let text = self.slice(token.span);
            match token.kind {
                TokenKind::Space => newlines += text.matches('\n').count(),
                kind => {
                    list.push(Comment {
                        text: text.trim_end(),
                        line: kind != TokenKind::BlockComment,
                        newlines,
                    });
                    newlines = 0;
                }
            }
        }
        self.at = end;
        (list, newlines)
    }

    /// Tells whether comments stand before the next token.
    pub(super) fn has_comments(&self) -> bool {
        !self.carried.is_empty()
            || self.tokens[self.at..self.index(0)]
                .iter()
                .any(|t| t.kind != TokenKind::Space)
    }

    /// Tells whether a comment on a line of its own stands before the next token.
    pub(super) fn has_own_line_comments(&self) -> bool {
        let mut newline = self.at == 0 || self.carried.iter().any(|c| c.newlines > 0);
        self.tokens[self.at..self.index(0)].iter().any(|t| {
            if t.kind == TokenKind::Space {
                newline |= self.slice(t.span).contains('\n');
                return false;
            }
            newline
        }) || self.carried.iter().any(|c| c.newlines > 0)
    }

    /// Emits the comments before the next token.
    pub(super) fn take_comments(&mut self) {
        self.emit_comments(false);
    }

    /// Emits the comments before a closing brace, which goes to a line of its own.
    pub(super) fn take_last_comments(&mut self) {
        self.emit_comments(true);
    }

    fn emit_comments(&mut self, closing: bool) {
        let (list, behind) = self.gather();
        if list.is_empty() {
            if behind > 1 {
                self.keep_blank();
            }
            return;
        }
        let count = list.len();
        let ends: Vec<usize> = list.iter().skip(1).map(|c| c.newlines).collect();
        for (index, comment) in list.into_iter().enumerate() {
            let after = if index + 1 < count {
                ends.get(index).copied().unwrap_or(0)
            } else {
                behind
            };
            let last = index + 1 == count;
            let at_start = !self.pieces.iter().any(|p| matches!(p, Piece::Text(_)));
            let alone = comment.line || after > 0 || (closing && last);
            let blank_after = last && after > 1 && !closing;
            if comment.newlines == 0 && alone && !at_start {
                self.trailing(comment.text);
                self.end_line(blank_after);
            } else if comment.newlines > 0 || at_start {
                if !at_start {
                    self.end_line(comment.newlines > 1);
                }
                self.pieces.push(Piece::Text(comment.text));
                if alone {
                    self.push_hard(blank_after);
                } else {
                    self.space();
                }
            } else {
                if !self.at_gap() {
                    self.space();
                }
                self.pieces.push(Piece::Text(comment.text));
                self.space();
            }
        }
    }

    /// Puts a comment behind the last text, before the breaks that follow it.
    fn trailing(&mut self, text: &'a str) {
        let at = self
            .pieces
            .iter()
            .rposition(|p| matches!(p, Piece::Text(_)))
            .map_or(0, |p| p + 1);
        let gap = Piece::Break {
            mode: Mode::Never,
            space: true,
            blank: false,
            keep_blank: false,
        };
        self.pieces.insert(at, Piece::Text(text));
        self.pieces.insert(at, gap);
    }

    /// The last break since the last text.
    fn pending(&mut self) -> Option<&mut Piece<'a>> {
        self.pieces
            .iter_mut()
            .rev()
            .take_while(|p| !matches!(p, Piece::Text(_)))
            .find(|p| matches!(p, Piece::Break { .. }))
    }

    /// Tells whether what comes next is already set off from the last text.
    fn at_gap(&mut self) -> bool {
        self.pending().is_some()
            || matches!(
                self.pieces.last(),
                Some(Piece::Text("(" | "[" | "{")) | None
            )
    }

    /// Makes the pending break a line end, or adds one.
    fn end_line(&mut self, blank_here: bool) {
        if let Some(Piece::Break {
            mode,
            blank,
            keep_blank,
            ..
        }) = self.pending()
        {
            // A break that never keeps an empty line stands behind an opening brace.
            let may = *keep_blank || *mode != Mode::Hard;
            *mode = Mode::Hard;
            *blank |= blank_here && may;
        } else {
            self.push_hard(blank_here);
        }
    }

    fn keep_blank(&mut self) {
        if let Some(Piece::Break {
            mode: Mode::Hard,
            blank,
            keep_blank: true,
            ..
        }) = self.pending()
        {
            *blank = true;
        }
    }

    /// Emits the next token.
    pub(super) fn tok(&mut self) {
        let token = self.next();
        if token.kind == TokenKind::End {
            return;
        }
        let text = self.slice(token.span);
        self.put(text);
    }

    /// Emits `text` in the place of the next token.
    pub(super) fn put(&mut self, text: &'a str) {
        self.take_comments();
        if self.is(TokenKind::End) {
            return;
        }
        self.at += 1;
        self.pieces.push(Piece::Text(text));
    }

    /// Emits the next token, which is a string, with double quotes where that is no change.
    pub(super) fn string(&mut self) {
        let text = self.slice(self.next().span);
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
        if !text.starts_with('\'') || inner.contains(['"', '\\']) {
            return self.tok();
        }
        self.take_comments();
        self.at += 1;
        self.pieces.push(Piece::Text("\""));
        self.pieces.push(Piece::Text(inner));
        self.pieces.push(Piece::Text("\""));
    }

    /// Emits text that is not in the source.
    pub(super) fn add(&mut self, text: &'static str) {
        self.pieces.push(Piece::Text(text));
    }

    /// Emits the next token if it is of `kind`.
    pub(super) fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.is(kind);
        if found {
            self.tok();
        }
        found
    }

    /// Leaves the next token out if it is of `kind`; its comments go to the one behind it.
    pub(super) fn skip(&mut self, kind: TokenKind) -> bool {
        let found = self.is(kind);
        if found {
            let (list, newlines) = self.gather();
            self.carried = list;
            self.carried_newlines = newlines;
            self.at += 1;
        }
        found
    }

    /// A `;`, whether or not the source has one.
    pub(super) fn semi(&mut self) {
        if self.has_comments() || !self.eat(TokenKind::Semi) {
            self.add(";");
            self.skip(TokenKind::Semi);
        }
    }

    /// Emits tokens that begin before `end`, keeping the spaces between them.
    pub(super) fn verbatim(&mut self, end: u32) {
        let mut first = true;
        while self.next().kind != TokenKind::End && self.next().span.start < end {
            let spaced = self.tokens.get(self.at).is_some_and(|t| t.kind.is_trivia());
            if spaced && !first {
                self.space();
            }
            first = false;
            self.tok();
        }
    }

    pub(super) fn space(&mut self) {
        self.push_break(Mode::Never, true, false);
    }

    /// A line end if the group does not fit, otherwise a space.
    pub(super) fn line(&mut self) {
        self.push_break(Mode::Soft, true, false);
    }

    /// A line end if the group does not fit, otherwise nothing.
    pub(super) fn softline(&mut self) {
        self.push_break(Mode::Soft, false, false);
    }

    /// A line end behind an opening brace or before a closing one.
    pub(super) fn hard(&mut self) {
        self.push_break(Mode::Hard, false, false);
    }

    /// A line end between statements or declarations; an empty line of the source is kept.
    pub(super) fn separate(&mut self) {
        self.push_break(Mode::Hard, false, true);
    }

    /// An empty line, whether or not the source has one.
    pub(super) fn blank(&mut self) {
        self.separate();
        if let Some(Piece::Break { blank, .. }) = self.pieces.last_mut() {
            *blank = true;
        }
    }

    fn push_hard(&mut self, blank: bool) {
        self.pieces.push(Piece::Break {
            mode: Mode::Hard,
            space: false,
            blank,
            keep_blank: true,
        });
    }

    fn push_break(&mut self, mode: Mode, space: bool, keep_blank: bool) {
        self.pieces.push(Piece::Break {
            mode,
            space,
            blank: false,
            keep_blank,
        });
    }

    pub(super) fn open(&mut self) {
        self.pieces.push(Piece::Open);
    }

    pub(super) fn close(&mut self) {
        self.pieces.push(Piece::Close);
    }

    pub(super) fn indent(&mut self) {
        self.pieces.push(Piece::Indent);
    }

    pub(super) fn dedent(&mut self) {
        self.pieces.push(Piece::Dedent);
    }

    /// `open … close` around a list whose items `each` prints; a comma behind the last is dropped.
    pub(super) fn list<T>(
        &mut self,
        items: &[T],
        spaced: bool,
        mut each: impl FnMut(&mut Self, &T),
    ) {
        self.tok();
        if items.is_empty() {
            self.tok();
            return;
        }
        self.open();
        self.indent();
        if spaced {
            self.line()
        } else {
            self.softline()
        }
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.tok();
                self.line();
            }
            each(self, item);
        }
        self.skip(TokenKind::Comma);
        if self.has_own_line_comments() {
            self.hard();
            self.take_comments();
        }
        self.dedent();
        if spaced {
            self.line()
        } else {
            self.softline()
        }
        self.close();
        self.tok();
    }
}
