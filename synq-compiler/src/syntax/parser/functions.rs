//! Functions, modifiers and variables, with their parameters and attributes.

use super::{Parse, Parser};
use crate::diagnostics::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::TokenKind;

impl Parser<'_> {
    pub(super) fn params(&mut self, what: &str, event: bool) -> Parse<Vec<Param>> {
        self.expect(TokenKind::LParen, "(", what)?;
        let mut params = Vec::new();
        while !self.eat(TokenKind::RParen) {
            params.push(self.param(what, event)?);
            if !self.eat(TokenKind::Comma) && !self.is(TokenKind::RParen) {
                return self.fail("`,` or `)`", &format!("the parameters of {what}"));
            }
        }
        Ok(params)
    }

    fn param(&mut self, what: &str, event: bool) -> Parse<Param> {
        let start = self.span();
        let what = format!("a parameter of {what}");
        let mut indexed = false;
        let (style, name, ty, location);
        if self.is(TokenKind::Ident) && self.peek(1).kind == TokenKind::Colon {
            style = Style::Synq;
            name = Some(self.ident(&what)?);
            self.bump();
            ty = self.type_expr(&what)?;
            indexed |= event && self.eat_word("indexed");
            location = self.location();
        } else {
            style = Style::Solidity;
            ty = self.type_expr(&what)?;
            indexed |= event && self.eat_word("indexed");
            // `Bytes calldata` alone is a parameter named `calldata`; published contracts have
            // such. Nobody names one after the other two.
            let named = self.word_at(0) == "calldata" && self.peek(1).kind != TokenKind::Ident;
            location = if !named { self.location() } else { None };
            name = if self.is(TokenKind::Ident) {
                Some(self.ident(&what)?)
            } else {
                None
            };
        }
        indexed |= event && self.eat_word("indexed");
        Ok(Param {
            style,
            name,
            ty,
            location,
            indexed,
            span: self.since(start),
        })
    }

    fn attribute(&self) -> Option<Attribute> {
        Some(match self.word_at(0) {
            "public" => Attribute::Public,
            "external" => Attribute::External,
            "internal" => Attribute::Internal,
            "private" => Attribute::Private,
            "view" => Attribute::View,
            "pure" => Attribute::Pure,
            "payable" => Attribute::Payable,
            "constant" => Attribute::Constant,
            "immutable" => Attribute::Immutable,
            _ => return None,
        })
    }

    fn attributes(&mut self, into: &mut Vec<(Attribute, Span)>) {
        while let Some(attribute) = self.attribute() {
            into.push((attribute, self.bump().span));
        }
    }

    pub(super) fn variable(&mut self) -> Parse<Variable> {
        let what = "a state variable";
        let mut attributes = Vec::new();
        let (style, name, ty);
        if self.is(TokenKind::Ident) && self.peek(1).kind == TokenKind::Colon {
            style = Style::Synq;
            name = self.ident(what)?;
            self.bump();
            ty = self.type_expr(what)?;
            self.attributes(&mut attributes);
        } else {
            style = Style::Solidity;
            ty = self.type_expr(what)?;
            self.attributes(&mut attributes);
            name = self.ident(what)?;
        }
        let init = if self.eat(TokenKind::Eq) {
            Some(self.expression("a state variable's first value")?)
        } else {
            None
        };
        if style == Style::Synq {
            // Optional where the next line begins another declaration.
            let starts_item =
                self.is(TokenKind::RBrace) || self.is(TokenKind::At) || self.is(TokenKind::Ident);
            if !self.eat(TokenKind::Semi) && !starts_item {
                return self.fail("`;`", what);
            }
        } else {
            self.semicolon(what)?;
        }
        Ok(Variable {
            style,
            name,
            ty,
            attributes,
            init,
        })
    }

    pub(super) fn modifier(&mut self) -> Parse<Function> {
        let start = self.bump().span;
        let name = self.ident("a modifier")?;
        let params = if self.is(TokenKind::LParen) {
            self.params("a modifier", false)?
        } else {
            Vec::new()
        };
        self.inheritance_words();
        let header = self.since(start);
        if !self.is(TokenKind::LBrace) {
            return self.fail("`{`", "a modifier, before its body");
        }
        Ok(Function {
            name,
            constructor: false,
            params,
            attributes: Vec::new(),
            modifiers: Vec::new(),
            returns: Vec::new(),
            returns_style: Style::Synq,
            body: Some(self.block("a modifier's body")?),
            header,
        })
    }

    /// `virtual` and `override`, which do nothing; tells whether there were any.
    fn inheritance_words(&mut self) -> bool {
        let mut found = false;
        while matches!(self.word_at(0), "virtual" | "override") {
            let token = self.bump();
            self.sink.push(
                Diagnostic::warning(
                    "W0101",
                    token.span,
                    "contracts do not inherit: this word does nothing",
                )
                .label("no effect")
                .suggest(token.span, "", "remove it"),
            );
            found = true;
        }
        found
    }

    pub(super) fn function(&mut self, constructor: bool) -> Parse<Function> {
        let start = self.bump().span;
        let what = if constructor {
            "a constructor"
        } else {
            "a function"
        };
        let name = if constructor {
            Ident {
                name: "constructor".to_owned(),
                span: start,
            }
        } else {
            self.ident(what)?
        };
        let params = self.params(what, false)?;
        let mut function = Function {
            name,
            constructor,
            params,
            attributes: Vec::new(),
            modifiers: Vec::new(),
            returns: Vec::new(),
            returns_style: Style::Synq,
            body: None,
            header: start,
        };
        let mut result: Option<Span> = None;
        loop {
            self.attributes(&mut function.attributes);
            let place = self.span();
            if (self.is(TokenKind::Arrow) || self.is_word("returns"))
                && let Some(first) = result.replace(place)
            {
                self.sink.push(
                    Diagnostic::error("E0116", place, "a function says once what it returns")
                        .label("said again")
                        .also(first, "said here"),
                );
            }
            if self.eat(TokenKind::Arrow) {
                function.returns = if self.is(TokenKind::LParen) {
                    self.params("a function's result", false)?
                } else {
                    let ty = self.type_expr("a function's result")?;
                    vec![Param {
                        style: Style::Synq,
                        name: None,
                        span: ty.span,
                        ty,
                        location: None,
                        indexed: false,
                    }]
                };
            } else if self.is_word("returns") {
                self.bump();
                function.returns_style = Style::Solidity;
                function.returns = self.params("a function's result", false)?;
            } else if self.inheritance_words() {
            } else if self.is(TokenKind::Ident) {
                let name = self.ident("a function's modifier")?;
                let args = if self.is(TokenKind::LParen) {
                    self.arguments("a function's modifier")?.0
                } else {
                    Vec::new()
                };
                function.modifiers.push((name, args));
            } else {
                break;
            }
        }
        function.header = self.since(start);
        if self.is(TokenKind::LBrace) {
            function.body = Some(self.block("a function's body")?);
        } else if !self.eat(TokenKind::Semi) {
            return self.fail("`{`", &format!("{what}, before its body"));
        }
        Ok(function)
    }
}
