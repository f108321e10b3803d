//! Statements.

use super::printer::Printer;
use crate::syntax::TokenKind;
use crate::syntax::ast::*;

impl Printer<'_> {
    pub(super) fn block(&mut self, block: &Block) {
        self.braced(&block.statements, Self::stmt);
    }

    /// Braces around items, each on lines of its own.
    pub(super) fn braced<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.tok();
        if items.is_empty() && !self.has_comments() {
            return self.tok();
        }
        self.indent();
        self.hard();
        for (index, one) in items.iter().enumerate() {
            if index > 0 {
                self.separate();
            }
            item(self, one);
        }
        self.end_of_block();
    }

    /// The closing brace, with the comments before it inside.
    pub(super) fn end_of_block(&mut self) {
        if self.has_comments() {
            self.separate();
            self.take_last_comments();
        }
        self.dedent();
        self.hard();
        self.tok();
    }

    fn binding(&mut self, binding: &Binding) {
        let typed = binding
            .ty
            .as_ref()
            .filter(|ty| ty.span.start < binding.name.span.start);
        if let Some(ty) = typed {
            self.type_expr(ty);
            self.space();
            if binding.location.is_some() {
                self.tok();
                self.space();
            }
            self.tok();
            return;
        }
        self.tok();
        if let Some(ty) = &binding.ty {
            self.tok();
            self.space();
            self.type_expr(ty);
        }
        if binding.location.is_some() {
            self.space();
            self.tok();
        }
    }

    /// A declaration or an expression, without its `;`.
    fn simple(&mut self, kind: &StmtKind) {
        match kind {
            StmtKind::Local {
                tuple,
                bindings,
                init,
                ..
            } => {
                if self.is_word("let") {
                    self.tok();
                    self.space();
                    if self.is_word("mut") && self.peek(1).kind == TokenKind::Ident {
                        self.tok();
                        self.space();
                    }
                }
                if *tuple {
                    self.tuple(bindings, Self::binding);
                } else if let Some(Some(binding)) = bindings.first() {
                    self.binding(binding);
                }
                if let Some(init) = init {
                    self.space();
                    self.tok();
                    self.space();
                    self.expr(init);
                }
            }
            StmtKind::Expr(expr) => self.expr(expr),
            _ => {}
        }
    }

    /// What follows `if (…)` or a loop's head.
    fn body(&mut self, body: &Stmt) {
        if let StmtKind::Block(block) = &body.kind {
            self.space();
            return self.block(block);
        }
        self.open();
        self.indent();
        self.line();
        self.stmt(body);
        self.dedent();
        self.close();
    }

    fn condition(&mut self, condition: &Expr) {
        self.space();
        self.tok();
        self.open();
        self.indent();
        self.softline();
        self.expr(condition);
        self.dedent();
        self.softline();
        self.close();
        self.tok();
    }

    pub(super) fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Block(block) => self.block(block),
            StmtKind::Unchecked(block) => {
                self.tok();
                self.space();
                self.block(block);
            }
            kind @ (StmtKind::Local { .. } | StmtKind::Expr(_)) => {
                self.simple(kind);
                self.semi();
            }
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => {
                self.tok();
                self.condition(condition);
                self.body(then);
                if let Some(otherwise) = otherwise {
                    if matches!(then.kind, StmtKind::Block(_)) {
                        self.space();
                    } else {
                        self.hard();
                    }
                    self.tok();
                    if matches!(otherwise.kind, StmtKind::If { .. }) {
                        self.space();
                        self.stmt(otherwise);
                    } else {
                        self.body(otherwise);
                    }
                }
            }
            StmtKind::While { condition, body } => {
                self.tok();
                self.condition(condition);
                self.body(body);
            }
            StmtKind::DoWhile { body, condition } => {
                self.tok();
                self.body(body);
                self.space();
                self.tok();
                self.condition(condition);
                self.semi();
            }
            StmtKind::For {
                init,
                condition,
                step,
                body,
            } => {
                self.for_head(init.as_deref(), condition.as_ref(), step.as_ref());
                self.body(body);
            }
            StmtKind::ForRange {
                name,
                from,
                to,
                body,
            } => {
                self.for_in_head(name, from);
                self.tok();
                self.expr(to);
                self.tok();
                self.body(body);
            }
            StmtKind::ForIn {
                name,
                iterable,
                body,
            } => {
                self.for_in_head(name, iterable);
                self.tok();
                self.body(body);
            }
            StmtKind::Break | StmtKind::Continue => {
                self.tok();
                self.semi();
            }
            StmtKind::Return(value) => {
                self.tok();
                if let Some(value) = value {
                    self.space();
                    self.expr(value);
                }
                self.semi();
            }
            StmtKind::Emit(expr) | StmtKind::Delete(expr) => {
                self.tok();
                self.space();
                self.expr(expr);
                self.semi();
            }
            StmtKind::Revert(value) => {
                self.tok();
                match value {
                    None if self.is(TokenKind::LParen) => {
                        self.tok();
                        self.tok();
                    }
                    None => {}
                    Some(value) => {
                        if !self.is(TokenKind::LParen) {
                            self.space();
                        }
                        self.expr(value);
                    }
                }
                self.semi();
            }
            StmtKind::RequirePqc { body, otherwise } => {
                self.tok();
                self.space();
                self.block(body);
                match otherwise {
                    Some(otherwise) => {
                        self.space();
                        self.tok();
                        self.space();
                        self.stmt(otherwise);
                    }
                    None => {
                        self.skip(TokenKind::Semi);
                    }
                }
            }
            StmtKind::WithGasLimit { limit, body } => {
                self.tok();
                self.tok();
                self.expr(limit);
                self.tok();
                self.space();
                self.block(body);
            }
            StmtKind::Invalid => {}
        }
    }

    fn for_head(&mut self, init: Option<&Stmt>, condition: Option<&Expr>, step: Option<&Expr>) {
        self.tok();
        self.space();
        self.tok();
        self.open();
        self.indent();
        self.softline();
        if let Some(init) = init {
            self.simple(&init.kind);
        }
        self.tok();
        if let Some(condition) = condition {
            self.line();
            self.expr(condition);
        }
        self.tok();
        if let Some(step) = step {
            self.line();
            self.expr(step);
        }
        self.dedent();
        self.softline();
        self.close();
        self.tok();
    }

    /// `for (i in …`, with whatever words stand before the name.
    fn for_in_head(&mut self, name: &Ident, from: &Expr) {
        self.tok();
        self.space();
        self.tok();
        while self.next().span.start < name.span.start && !self.is(TokenKind::End) {
            self.tok();
            self.space();
        }
        self.tok();
        self.space();
        self.tok();
        self.space();
        self.expr(from);
    }
}
