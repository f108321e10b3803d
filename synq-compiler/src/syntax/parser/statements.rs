//! Statements.

use super::{Failed, Parse, Parser};
use crate::diagnostics::Diagnostic;
use crate::syntax::ast::*;
use crate::syntax::token::TokenKind;

impl Parser<'_> {
    pub(super) fn block(&mut self, what: &str) -> Parse<Block> {
        let start = self.expect(TokenKind::LBrace, "{", what)?.span;
        let mut statements = Vec::new();
        loop {
            if self.eat(TokenKind::RBrace) {
                break;
            }
            let lost = self.is_word("function") || self.is_word("contract");
            if self.is(TokenKind::End) || (lost && self.peek(1).kind == TokenKind::Ident) {
                self.not_closed(start, what);
                break;
            }
            let before = self.at;
            match self.statement() {
                Ok(statement) => statements.push(statement),
                Err(Failed) => {
                    let span = self.span();
                    self.recover_statement();
                    statements.push(Stmt {
                        kind: StmtKind::Invalid,
                        span,
                    });
                }
            }
            if self.at == before && !self.is(TokenKind::RBrace) {
                self.bump();
            }
        }
        Ok(Block {
            statements,
            span: self.since(start),
        })
    }

    pub(super) fn statement(&mut self) -> Parse<Stmt> {
        let start = self.span();
        let kind = self.nested("this statement", Self::statement_kind)?;
        Ok(Stmt {
            kind,
            span: self.since(start),
        })
    }

    fn boxed_statement(&mut self) -> Parse<Box<Stmt>> {
        self.statement().map(Box::new)
    }

    fn condition(&mut self, what: &str) -> Parse<Expr> {
        self.expect(TokenKind::LParen, "(", what)?;
        let condition = self.expression(what)?;
        self.expect(TokenKind::RParen, ")", what)?;
        Ok(condition)
    }

    fn statement_kind(&mut self) -> Parse<StmtKind> {
        let next = self.peek(1).kind;
        Ok(match self.word_at(0) {
            _ if self.is(TokenKind::LBrace) => StmtKind::Block(self.block("a block")?),
            "let" => {
                self.bump();
                let kind = self.let_statement()?;
                self.semicolon("a `let` statement")?;
                kind
            }
            "if" => {
                self.bump();
                let condition = self.condition("an `if` statement's condition")?;
                let then = self.boxed_statement()?;
                let otherwise = if self.eat_word("else") {
                    Some(self.boxed_statement()?)
                } else {
                    None
                };
                StmtKind::If {
                    condition,
                    then,
                    otherwise,
                }
            }
            "while" => {
                self.bump();
                let condition = self.condition("a `while` loop's condition")?;
                let body = self.boxed_statement()?;
                StmtKind::While { condition, body }
            }
            "do" => {
                self.bump();
                let body = self.boxed_statement()?;
                if !self.eat_word("while") {
                    return self.fail("`while`", "a `do` loop, behind its body");
                }
                let condition = self.condition("a `do` loop's condition")?;
                self.semicolon("a `do` loop")?;
                StmtKind::DoWhile { body, condition }
            }
            "for" => self.for_statement()?,
            "break" => {
                self.bump();
                self.semicolon("`break`")?;
                StmtKind::Break
            }
            "continue" => {
                self.bump();
                self.semicolon("`continue`")?;
                StmtKind::Continue
            }
            "return" => {
                self.bump();
                let value = if self.is(TokenKind::Semi) || self.is(TokenKind::RBrace) {
                    None
                } else {
                    Some(self.expression("a `return` statement")?)
                };
                self.semicolon("a `return` statement")?;
                StmtKind::Return(value)
            }
            "emit" => {
                self.bump();
                let event = self.expression("an `emit` statement")?;
                self.semicolon("an `emit` statement")?;
                StmtKind::Emit(event)
            }
            "revert" if matches!(next, TokenKind::LParen | TokenKind::Ident | TokenKind::Semi) => {
                let kind = self.revert_statement()?;
                self.semicolon("a `revert` statement")?;
                kind
            }
            "delete" => {
                self.bump();
                let place = self.expression("a `delete` statement")?;
                self.semicolon("a `delete` statement")?;
                StmtKind::Delete(place)
            }
            "unchecked" if next == TokenKind::LBrace => {
                self.bump();
                StmtKind::Unchecked(self.block("an `unchecked` block")?)
            }
            "require_pqc" => {
                self.bump();
                let body = self.block("a `require_pqc` block")?;
                let otherwise = if self.eat_word("or") {
                    Some(self.boxed_statement()?)
                } else {
                    self.eat(TokenKind::Semi);
                    None
                };
                StmtKind::RequirePqc { body, otherwise }
            }
            "with_gas_limit" => {
                self.bump();
                let limit = self.condition("a `with_gas_limit` statement")?;
                let body = self.block("a `with_gas_limit` block")?;
                StmtKind::WithGasLimit { limit, body }
            }
            word @ ("try" | "assembly") if next != TokenKind::Eq && next != TokenKind::LParen => {
                let span = self.span();
                let note = if word == "try" {
                    "`callContract` gives the answer of a call; `with_gas_limit` undoes what runs over its limit"
                } else {
                    "everything a contract may do has a name in the language"
                };
                self.sink.push(
                    Diagnostic::error("E0112", span, format!("SynQ has no `{word}` statement"))
                        .label("not part of the language")
                        .note(note),
                );
                self.recover_statement();
                while self.is_word("catch") {
                    self.recover_statement();
                }
                return Ok(StmtKind::Invalid);
            }
            "else" => {
                let span = self.span();
                self.sink.push(
                    Diagnostic::error("E0113", span, "this `else` belongs to no `if`")
                        .label("no `if` before it"),
                );
                self.bump();
                return Err(Failed);
            }
            _ => {
                let kind = self.simple_statement()?;
                self.semicolon("a statement")?;
                kind
            }
        })
    }

    /// A declaration or an expression, without the `;`.
    fn simple_statement(&mut self) -> Parse<StmtKind> {
        if self.at_typed_local() {
            let binding = self.typed_binding()?;
            let init = if self.eat(TokenKind::Eq) {
                Some(self.expression("a local variable's value")?)
            } else {
                None
            };
            return Ok(StmtKind::Local {
                style: Style::Solidity,
                tuple: false,
                bindings: vec![Some(binding)],
                init,
            });
        }
        if self.at_typed_tuple() {
            return self.tuple_local(Style::Solidity);
        }
        Ok(StmtKind::Expr(self.expression("a statement")?))
    }

    fn let_statement(&mut self) -> Parse<StmtKind> {
        if self.is(TokenKind::LParen) {
            return self.tuple_local(Style::Synq);
        }
        if self.word_at(0) == "mut" && self.peek(1).kind == TokenKind::Ident {
            self.bump();
        }
        let name = self.ident("a `let` statement")?;
        let mut location = None;
        let ty = if self.eat(TokenKind::Colon) {
            let ty = self.type_expr("a `let` statement")?;
            location = self.location();
            Some(ty)
        } else {
            None
        };
        let init = if self.eat(TokenKind::Eq) {
            Some(self.expression("a `let` statement's value")?)
        } else {
            None
        };
        Ok(StmtKind::Local {
            style: Style::Synq,
            tuple: false,
            bindings: vec![Some(Binding { name, ty, location })],
            init,
        })
    }

    fn tuple_local(&mut self, style: Style) -> Parse<StmtKind> {
        let what = "a declaration of several locals";
        self.expect(TokenKind::LParen, "(", what)?;
        let mut bindings = Vec::new();
        loop {
            if self.eat(TokenKind::RParen) {
                break;
            }
            if self.eat(TokenKind::Comma) {
                bindings.push(None);
                if self.is(TokenKind::RParen) {
                    bindings.push(None);
                }
                continue;
            }
            let binding = if self.at_typed_local() {
                self.typed_binding()?
            } else {
                let name = self.ident(what)?;
                let ty = if self.eat(TokenKind::Colon) {
                    Some(self.type_expr(what)?)
                } else {
                    None
                };
                Binding {
                    name,
                    ty,
                    location: self.location(),
                }
            };
            bindings.push(Some(binding));
            if self.eat(TokenKind::Comma) {
                if self.is(TokenKind::RParen) {
                    bindings.push(None);
                }
            } else if !self.is(TokenKind::RParen) {
                return self.fail("`,` or `)`", what);
            }
        }
        self.expect(TokenKind::Eq, "=", what)?;
        let init = self.expression(what)?;
        Ok(StmtKind::Local {
            style,
            tuple: true,
            bindings,
            init: Some(init),
        })
    }

    fn typed_binding(&mut self) -> Parse<Binding> {
        let ty = self.type_expr("a local variable")?;
        let location = if self.peek(1).kind == TokenKind::Ident {
            self.location()
        } else {
            None
        };
        let name = self.ident("a local variable")?;
        Ok(Binding {
            name,
            ty: Some(ty),
            location,
        })
    }

    /// Number of tokens of a type that may begin at token `n`, by shape alone.
    fn type_shape(&self, n: usize) -> Option<usize> {
        let mut at = n;
        if self.peek(at).kind != TokenKind::Ident {
            return None;
        }
        at += 1;
        while self.peek(at).kind == TokenKind::Dot && self.peek(at + 1).kind == TokenKind::Ident {
            at += 2;
        }
        if self.peek(at).kind == TokenKind::Lt
            && self.peek(at + 1).kind == TokenKind::Number
            && self.peek(at + 2).kind == TokenKind::Gt
        {
            at += 3;
        }
        while self.peek(at).kind == TokenKind::LBracket {
            match self.peek(at + 1).kind {
                TokenKind::RBracket => at += 2,
                // A length is a number or the name of a constant, perhaps with an operator;
                // a bound keeps the look-ahead short.
                _ => {
                    let mut end = at + 1;
                    while !matches!(
                        self.peek(end).kind,
                        TokenKind::RBracket
                            | TokenKind::LBracket
                            | TokenKind::LParen
                            | TokenKind::Semi
                            | TokenKind::End
                    ) && end < at + 12
                    {
                        end += 1;
                    }
                    if self.peek(end).kind != TokenKind::RBracket {
                        return None;
                    }
                    at = end + 1;
                }
            }
            if at > n + 64 {
                return None;
            }
        }
        Some(at - n)
    }

    /// A type and then a name: no expression looks like that.
    fn at_typed_local(&self) -> bool {
        if self.is_word("mapping") && self.peek(1).kind == TokenKind::LParen {
            return true;
        }
        self.type_shape(0)
            .is_some_and(|n| self.peek(n).kind == TokenKind::Ident)
    }

    /// `(T a, …` or `(, T a`.
    fn at_typed_tuple(&self) -> bool {
        if !self.is(TokenKind::LParen) {
            return false;
        }
        let mut at = 1;
        while self.peek(at).kind == TokenKind::Comma && at < 32 {
            at += 1;
        }
        self.type_shape(at)
            .is_some_and(|n| self.peek(at + n).kind == TokenKind::Ident)
    }

    /// `revert("…")`, `revert E(…)`, `revert()`, `revert`.
    fn revert_statement(&mut self) -> Parse<StmtKind> {
        self.bump();
        if self.is(TokenKind::Semi) {
            return Ok(StmtKind::Revert(None));
        }
        if self.is(TokenKind::LParen) && self.peek(1).kind == TokenKind::RParen {
            self.bump();
            self.bump();
            return Ok(StmtKind::Revert(None));
        }
        let value = self.expression("a `revert` statement")?;
        Ok(StmtKind::Revert(Some(value)))
    }

    fn for_statement(&mut self) -> Parse<StmtKind> {
        let what = "a `for` loop";
        self.bump();
        self.expect(TokenKind::LParen, "(", what)?;
        // `i in`, `let i in`, `UInt256 i in`
        for skip in 0..3usize {
            let name = self.peek(skip);
            if self.word_at(skip + 1) == "in" && name.kind == TokenKind::Ident {
                for _ in 0..skip {
                    self.bump();
                }
                return self.for_in();
            }
        }
        let start = self.span();
        let init = if self.is(TokenKind::Semi) {
            None
        } else if self.eat_word("let") {
            Some(self.let_statement()?)
        } else {
            Some(self.simple_statement()?)
        };
        let init = init.map(|kind| {
            Box::new(Stmt {
                kind,
                span: self.since(start),
            })
        });
        self.expect(TokenKind::Semi, ";", "a `for` loop, behind its first part")?;
        let condition = if self.is(TokenKind::Semi) {
            None
        } else {
            Some(self.expression("a `for` loop's condition")?)
        };
        self.expect(TokenKind::Semi, ";", "a `for` loop, behind its condition")?;
        let step = if self.is(TokenKind::RParen) {
            None
        } else {
            Some(self.expression("a `for` loop's step")?)
        };
        self.expect(TokenKind::RParen, ")", what)?;
        let body = self.boxed_statement()?;
        Ok(StmtKind::For {
            init,
            condition,
            step,
            body,
        })
    }

    fn for_in(&mut self) -> Parse<StmtKind> {
        let what = "a `for` loop";
        let name = self.ident(what)?;
        self.bump();
        let from = self.expression("a `for` loop's range")?;
        let to = if self.eat(TokenKind::DotDot) {
            Some(self.expression("the end of a `for` loop's range")?)
        } else {
            None
        };
        self.expect(TokenKind::RParen, ")", what)?;
        let body = self.boxed_statement()?;
        Ok(match to {
            Some(to) => StmtKind::ForRange {
                name,
                from,
                to,
                body,
            },
            None => StmtKind::ForIn {
                name,
                iterable: from,
                body,
            },
        })
    }
}
