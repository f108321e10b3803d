//! Tokens, the syntax tree, and the parser that makes one from the other.

pub mod ast;
mod parser;
mod token;

pub use parser::{MAX_DEPTH, Parsed, parse};
pub use token::{Token, TokenKind, lex};
