//! The lexer. Nothing is thrown away: trivia (spaces, comments) are tokens too.

use crate::source::{FileId, Span};
use logos::Logos;

/// Kind of a token. Keywords are [`TokenKind::Ident`]: nearly all of them are words that
/// contracts also use as names.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each name is its spelling
pub enum TokenKind {
    /// Spaces, tabs and line ends.
    #[regex(r"[ \t\r\n\u{FEFF}]+")]
    Space,
    /// `// …` to the end of the line.
    #[regex(r"//[^\n]*", priority = 5, allow_greedy = true)]
    LineComment,
    /// `/// …`: describes the declaration behind it.
    #[regex(r"///[^\n]*", priority = 10, allow_greedy = true)]
    DocComment,
    /// `/* … */`; does not nest.
    #[token("/*", block_comment)]
    BlockComment,
    /// A word.
    #[regex(r"[A-Za-z_$][A-Za-z0-9_$]*")]
    Ident,
    /// A number: decimal with `_` and exponent, or `0x…`.
    #[regex(r"[0-9][0-9_]*([eE][0-9]+)?", priority = 4)]
    #[regex(r"0[xX][0-9a-fA-F_]*", priority = 6)]
    #[regex(r"[0-9][0-9_]*\.[0-9][0-9_]*([eE][0-9]+)?")]
    Number,
    /// A string in double or single quotes.
    #[regex(r#""([^"\\\n]|\\[^\n])*""#)]
    #[regex(r#"'([^'\\\n]|\\[^\n])*'"#)]
    String,
    /// A string without its end.
    #[regex(r#""([^"\\\n]|\\[^\n])*"#)]
    #[regex(r#"'([^'\\\n]|\\[^\n])*"#)]
    OpenString,
    #[token("(")]
    LParen,
    #[token(")")]
    RParen,
    #[token("{")]
    LBrace,
    #[token("}")]
    RBrace,
    #[token("[")]
    LBracket,
    #[token("]")]
    RBracket,
    #[token(";")]
    Semi,
    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token(".")]
    Dot,
    #[token("..")]
    DotDot,
    #[token("@")]
    At,
    #[token("?")]
    Question,
    #[token("->")]
    Arrow,
    #[token("=>")]
    FatArrow,
    #[token("=")]
    Eq,
    #[token("==")]
    EqEq,
    #[token("!=")]
    NotEq,
    #[token("<")]
    Lt,
    #[token("<=")]
    LtEq,
    #[token(">")]
    Gt,
    #[token(">=")]
    GtEq,
    #[token("+")]
    Plus,
    #[token("++")]
    PlusPlus,
    #[token("+=")]
    PlusEq,
    #[token("-")]
    Minus,
    #[token("--")]
    MinusMinus,
    #[token("-=")]
    MinusEq,
    #[token("*")]
    Star,
    #[token("**")]
    StarStar,
    #[token("*=")]
    StarEq,
    #[token("/")]
    Slash,
    #[token("/=")]
    SlashEq,
    #[token("%")]
    Percent,
    #[token("%=")]
    PercentEq,
    #[token("&")]
    Amp,
    #[token("&&")]
    AmpAmp,
    #[token("&=")]
    AmpEq,
    #[token("|")]
    Pipe,
    #[token("||")]
    PipePipe,
    #[token("|=")]
    PipeEq,
    #[token("^")]
    Caret,
    #[token("^=")]
    CaretEq,
    #[token("~")]
    Tilde,
    #[token("!")]
    Bang,
    #[token("<<")]
    Shl,
    #[token("<<=")]
    ShlEq,
    #[token(">>")]
    Shr,
    #[token(">>=")]
    ShrEq,
    /// Characters that begin no token.
    Unknown,
    /// End of the file.
    End,
}

fn block_comment(lexer: &mut logos::Lexer<'_, TokenKind>) {
    let rest = lexer.remainder();
    let end = rest.find("*/").map_or(rest.len(), |p| p + 2);
    lexer.bump(end);
}

impl TokenKind {
    /// Tells whether the parser passes over it.
    pub fn is_trivia(self) -> bool {
        matches!(
            self,
            Self::Space | Self::LineComment | Self::DocComment | Self::BlockComment
        )
    }
}

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Span,
}

/// Splits a text into tokens that cover it without a gap, with [`TokenKind::End`] last.
/// A text past 4 GiB is cut there.
pub fn lex(file: FileId, text: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    let mut lexer = TokenKind::lexer(text);
    while let Some(kind) = lexer.next() {
        let range = lexer.span();
        let (Ok(start), Ok(end)) = (u32::try_from(range.start), u32::try_from(range.end)) else {
            break;
        };
        let kind = kind.unwrap_or(TokenKind::Unknown);
        // Runs of foreign characters are one token, so that they are one error.
        if let Some(last) = tokens.last_mut().filter(|t: &&mut Token| {
            kind == TokenKind::Unknown && t.kind == kind && t.span.end == start
        }) {
            last.span.end = end;
            continue;
        }
        tokens.push(Token {
            kind,
            span: Span::new(file, start, end),
        });
    }
    let end = tokens.last().map_or(0, |t| t.span.end);
    tokens.push(Token {
        kind: TokenKind::End,
        span: Span::new(file, end, end),
    });
    tokens
}
