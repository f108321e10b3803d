//! A recursive-descent parser that goes on after an error and never nests deeper than
//! [`MAX_DEPTH`].

mod expressions;
mod functions;
mod items;
mod statements;
mod types;

use super::ast::{Ident, SourceFile};
use super::token::{Token, TokenKind, lex};
use crate::diagnostics::{Diagnostic, Severity, Sink};
use crate::source::{FileId, Span};

/// Deepest nesting of statements and expressions. Bounds the stack of everything that
/// walks the tree.
pub const MAX_DEPTH: u32 = 128;

/// What the parser makes of a file.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The tree; complete when there are no diagnostics.
    pub file: SourceFile,
    /// All tokens, trivia too.
    pub tokens: Vec<Token>,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses a file. Never fails: what is not understood is left out of the tree and reported.
pub fn parse(file: FileId, text: &str) -> Parsed {
    let tokens = lex(file, text);
    let mut parser = Parser::new(text, &tokens);
    let source = parser.source_file();
    let stopped = parser.stopped;
    let mut diagnostics = parser.sink.finish();
    if let Some(place) = stopped {
        // What was open where parsing stopped is no mistake of its own.
        diagnostics.retain(|d| d.span.start <= place || d.severity == Severity::Warning);
    }
    Parsed {
        file: source,
        tokens,
        diagnostics,
    }
}

/// Reported; the caller finds a place to go on.
pub(super) struct Failed;
pub(super) type Parse<T> = Result<T, Failed>;

pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// Index of the current token; never of trivia.
    at: usize,
    /// End of the last token consumed.
    last: Span,
    depth: u32,
    /// The first `>` of the current `>>` has been used.
    half_closed: bool,
    /// Index of the token behind characters that were refused: that it does not fit is no
    /// mistake of its own.
    behind_noise: Option<usize>,
    /// Where parsing was given up.
    stopped: Option<u32>,
    pub(super) sink: Sink,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        let mut parser = Self {
            text,
            tokens,
            at: 0,
            last: Span::default(),
            depth: 0,
            half_closed: false,
            behind_noise: None,
            stopped: None,
            sink: Sink::new(),
        };
        if let Some(first) = tokens.first() {
            parser.last = Span::new(first.span.file, 0, 0);
        }
        parser.skip_trivia();
        parser
    }

    fn skip_trivia(&mut self) {
        let mut noise = false;
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                TokenKind::Unknown => {
                    noise = true;
                    let word = self.slice(token.span);
                    let word: String = word.chars().take(20).collect();
                    self.sink.push(
                        Diagnostic::error(
                            "E0101",
                            token.span,
                            format!("`{word}` is not part of the language"),
                        )
                        .label("these characters begin no token")
                        .note("names are made of ASCII letters, digits, `_` and `$`"),
                    );
                }
                TokenKind::BlockComment if !self.slice(token.span).ends_with("*/") => {
                    let span = Span {
                        end: token.span.start + 2,
                        ..token.span
                    };
                    self.sink.push(
                        Diagnostic::error("E0102", span, "this comment has no end")
                            .label("begins here")
                            .suggest(token.span.after(), "*/", "close it"),
                    );
                }
                kind if kind.is_trivia() => {}
                _ => break,
            }
            self.at += 1;
        }
        if noise {
            self.behind_noise = Some(self.at);
        }
    }

    pub(super) fn slice(&self, span: Span) -> &'a str {
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }

    pub(super) fn token(&self) -> Token {
        let end = || Token {
            kind: TokenKind::End,
            span: self.last.after(),
        };
        self.tokens.get(self.at).copied().unwrap_or_else(end)
    }

    pub(super) fn kind(&self) -> TokenKind {
        self.token().kind
    }

    pub(super) fn span(&self) -> Span {
        self.token().span
    }

    /// The `n`-th token from here that is not trivia; 0 is the current one.
    pub(super) fn peek(&self, n: usize) -> Token {
        let mut left = n;
        for token in self.tokens.get(self.at..).unwrap_or(&[]) {
            if token.kind.is_trivia() || token.kind == TokenKind::Unknown {
                continue;
            }
            if left == 0 {
                return *token;
            }
            left -= 1;
        }
        Token {
            kind: TokenKind::End,
            span: self.last.after(),
        }
    }

    pub(super) fn bump(&mut self) -> Token {
        let token = self.token();
        if token.kind != TokenKind::End {
            self.at += 1;
            self.last = token.span;
            self.skip_trivia();
        }
        token
    }

    /// Everything from `start` to the last token consumed.
    pub(super) fn since(&self, start: Span) -> Span {
        if self.last.end < start.start {
            Span {
                end: start.start,
                ..start
            }
        } else {
            start.to(self.last)
        }
    }

    pub(super) fn is(&self, kind: TokenKind) -> bool {
        self.kind() == kind
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        let token = self.token();
        token.kind == TokenKind::Ident && self.slice(token.span) == word
    }

    pub(super) fn word_at(&self, n: usize) -> &'a str {
        let token = self.peek(n);
        if token.kind == TokenKind::Ident {
            self.slice(token.span)
        } else {
            ""
        }
    }

    pub(super) fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.is(kind);
        if found {
            self.bump();
        }
        found
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.bump();
        }
        found
    }

    /// Reports that `expected` is missing while parsing `what`.
    pub(super) fn fail<T>(&mut self, expected: &str, what: &str) -> Parse<T> {
        if self.behind_noise == Some(self.at) {
            return Err(Failed);
        }
        let token = self.token();
        let found = match token.kind {
            TokenKind::End => "the end of the file".to_owned(),
            TokenKind::OpenString => {
                self.sink.push(
                    Diagnostic::error("E0103", token.span, "this string has no end")
                        .label("begins here")
                        .note("a string ends on the line on which it begins"),
                );
                return Err(Failed);
            }
            _ => {
                let text: String = self.slice(token.span).chars().take(40).collect();
                format!("`{text}`")
            }
        };
        self.sink.push(
            Diagnostic::error(
                "E0104",
                token.span,
                format!("expected {expected} in {what}, found {found}"),
            )
            .label(format!("expected {expected}")),
        );
        Err(Failed)
    }

    pub(super) fn expect(&mut self, kind: TokenKind, text: &str, what: &str) -> Parse<Token> {
        if self.is(kind) {
            Ok(self.bump())
        } else {
            self.fail(&format!("`{text}`"), what)
        }
    }

    /// A `;`. When it is missing at the end of a line, the fix is shown there and parsing goes on.
    pub(super) fn semicolon(&mut self, what: &str) -> Parse<()> {
        if self.eat(TokenKind::Semi) {
            return Ok(());
        }
        let between = Span {
            start: self.last.end,
            end: self.span().start,
            ..self.last
        };
        let line_ended = self.slice(between).contains('\n') || self.is(TokenKind::RBrace);
        if line_ended {
            let place = self.last.after();
            self.sink.push(
                Diagnostic::error("E0105", place, format!("expected `;` behind {what}"))
                    .label("`;` is missing here")
                    .suggest(place, ";", "add it"),
            );
            return Ok(());
        }
        self.fail("`;`", what)
    }

    pub(super) fn ident(&mut self, what: &str) -> Parse<Ident> {
        let token = self.token();
        if token.kind != TokenKind::Ident {
            return self.fail("a name", what);
        }
        let name = self.slice(token.span);
        if is_reserved(name) {
            self.sink.push(
                Diagnostic::error(
                    "E0106",
                    token.span,
                    format!("`{name}` is a word of the language and cannot be a name in {what}"),
                )
                .label("reserved")
                .suggest(token.span, format!("{name}_"), "use another name"),
            );
        }
        self.bump();
        Ok(Ident {
            name: name.to_owned(),
            span: token.span,
        })
    }

    /// Runs `f` one level deeper, or reports that the nesting is too deep.
    pub(super) fn nested<T>(
        &mut self,
        what: &str,
        f: impl FnOnce(&mut Self) -> Parse<T>,
    ) -> Parse<T> {
        if self.depth >= MAX_DEPTH {
            let span = self.span();
            self.sink.push(
                Diagnostic::error("E0107", span, format!("{what} is nested too deeply"))
                    .label(format!("more than {MAX_DEPTH} levels"))
                    .suggest(span, "", "move a part of it into a function of its own"),
            );
            // Nothing behind this place can be told apart: stop here.
            self.stopped = Some(span.start);
            self.at = self.tokens.len().saturating_sub(1);
            return Err(Failed);
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    /// Says that the brace at `start`, of something named by `what`, is not closed here.
    pub(super) fn not_closed(&mut self, start: Span, what: &str) {
        let end = self.span();
        self.sink.push(
            Diagnostic::error("E0111", end, format!("expected `}}` at the end of {what}"))
                .label("`}` is missing")
                .also(start, "this brace is not closed"),
        );
    }

    /// Passes over tokens up to a `;` (consumed) or a `}` (left), stepping over braces.
    pub(super) fn recover_statement(&mut self) {
        let mut depth = 0u32;
        loop {
            match self.kind() {
                TokenKind::End => return,
                TokenKind::Semi if depth == 0 => {
                    self.bump();
                    return;
                }
                TokenKind::LBrace => depth += 1,
                TokenKind::RBrace => {
                    if depth == 0 {
                        return;
                    }
                    depth -= 1;
                    if depth == 0 {
                        self.bump();
                        return;
                    }
                }
                _ => {}
            }
            self.bump();
        }
    }
}

/// Words that begin a construct wherever they stand, and so name nothing.
fn is_reserved(word: &str) -> bool {
    matches!(
        word,
        "contract"
            | "interface"
            | "struct"
            | "enum"
            | "function"
            | "constructor"
            | "mapping"
            | "let"
            | "if"
            | "else"
            | "for"
            | "while"
            | "do"
            | "break"
            | "continue"
            | "return"
            | "emit"
            | "delete"
            | "new"
            | "true"
            | "false"
            | "null"
            | "require_pqc"
            | "with_gas_limit"
            | "import"
            | "pragma"
    )
}
