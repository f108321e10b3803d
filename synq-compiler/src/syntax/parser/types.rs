//! Types as written.

use super::{Parse, Parser};
use crate::syntax::ast::{Location, TypeExpr, TypeKind};
use crate::syntax::token::TokenKind;

impl Parser<'_> {
    pub(super) fn type_expr(&mut self, what: &str) -> Parse<TypeExpr> {
        self.nested("this type", |p| p.type_inner(what))
    }

    fn type_inner(&mut self, what: &str) -> Parse<TypeExpr> {
        let start = self.span();
        let base = if self.eat_word("mapping") {
            let (close, text) = if self.eat(TokenKind::Lt) {
                (TokenKind::Gt, ">")
            } else {
                self.expect(TokenKind::LParen, "(", "a mapping type")?;
                (TokenKind::RParen, ")")
            };
            let key = self.type_expr("the key of a mapping type")?;
            // Solidity lets a key and a value have names.
            if self.is(TokenKind::Ident) {
                self.bump();
            }
            let separated = self.eat(TokenKind::FatArrow)
                || (close == TokenKind::Gt && self.eat(TokenKind::Comma));
            if !separated {
                let expected = if close == TokenKind::Gt {
                    "`,`"
                } else {
                    "`=>`"
                };
                return self.fail(expected, "a mapping type");
            }
            let value = self.type_expr("the value of a mapping type")?;
            if self.is(TokenKind::Ident) {
                self.bump();
            }
            self.close_mapping(close, text)?;
            TypeKind::Mapping {
                key: Box::new(key),
                value: Box::new(value),
            }
        } else {
            if !self.is(TokenKind::Ident) {
                return self.fail("a type", what);
            }
            let mut path = vec![self.ident(what)?];
            while self.is(TokenKind::Dot) {
                self.bump();
                path.push(self.ident("a type's name")?);
            }
            let mut level = None;
            if self.is(TokenKind::Lt) && self.peek(1).kind == TokenKind::Number {
                self.bump();
                let number = self.bump();
                let value = self
                    .slice(number.span)
                    .replace('_', "")
                    .parse()
                    .unwrap_or(0);
                level = Some((value, number.span));
                self.expect(TokenKind::Gt, ">", "the level of a type")?;
            }
            TypeKind::Named { path, level }
        };
        let span = self.since(start);
        self.array_suffixes(TypeExpr { kind: base, span })
    }

    /// `mapping<A, mapping<B, C>>` ends in one `>>` token; it is split by position.
    fn close_mapping(&mut self, close: TokenKind, text: &str) -> Parse<()> {
        if close == TokenKind::Gt && self.is(TokenKind::Shr) {
            // The first half closes this mapping; the token stays for the outer one.
            if self.half_closed {
                self.half_closed = false;
                self.bump();
            } else {
                self.half_closed = true;
            }
            return Ok(());
        }
        self.expect(close, text, "a mapping type").map(drop)
    }

    /// Dimensions read from left to right, the outermost first.
    pub(super) fn array_suffixes(&mut self, base: TypeExpr) -> Parse<TypeExpr> {
        let mut lengths = Vec::new();
        while self.is(TokenKind::LBracket) {
            self.bump();
            let length = if self.is(TokenKind::RBracket) {
                None
            } else {
                Some(self.expression("the length of an array type")?)
            };
            self.expect(TokenKind::RBracket, "]", "an array type")?;
            if lengths.len() >= 16 {
                return self.fail("at most 16 dimensions", "an array type");
            }
            lengths.push(length);
        }
        let span = self.since(base.span);
        Ok(lengths
            .into_iter()
            .rev()
            .fold(base, |element, length| TypeExpr {
                kind: TypeKind::Array {
                    element: Box::new(element),
                    length: length.map(Box::new),
                },
                span,
            }))
    }

    /// `storage`, `memory` or `calldata`, when a name follows it.
    pub(super) fn location(&mut self) -> Option<Location> {
        let location = match self.word_at(0) {
            "storage" => Location::Storage,
            "memory" => Location::Memory,
            "calldata" => Location::Calldata,
            _ => return None,
        };
        self.bump();
        Some(location)
    }
}
