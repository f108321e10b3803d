//! Expressions: precedence climbing, with a bound on the height of the tree.

use super::{Failed, MAX_DEPTH, Parse, Parser};
use crate::diagnostics::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::TokenKind;

/// Most elements of an array literal or arguments of a call.
const MAX_ELEMENTS: usize = 4096;

/// An expression and the height of its tree.
type Tall = (Expr, u32);

impl Parser<'_> {
    pub(super) fn expression(&mut self, what: &str) -> Parse<Expr> {
        self.tall(what).map(|(e, _)| e)
    }

    fn tall(&mut self, what: &str) -> Parse<Tall> {
        self.nested("this expression", |p| p.assignment(what))
    }

    fn grow(&mut self, height: u32, span: Span) -> Parse<u32> {
        if height >= MAX_DEPTH {
            let message = "this expression has too many parts";
            self.sink.push(
                Diagnostic::error("E0107", span, message)
                    .label(format!("more than {MAX_DEPTH} operators"))
                    .note("compute a part of it in a local variable first"),
            );
            return Err(Failed);
        }
        Ok(height + 1)
    }

    fn assignment(&mut self, what: &str) -> Parse<Tall> {
        let (target, height) = self.ternary(what)?;
        let op = match self.kind() {
            TokenKind::Eq => None,
            TokenKind::PlusEq => Some(BinaryOp::Add),
            TokenKind::MinusEq => Some(BinaryOp::Sub),
            TokenKind::StarEq => Some(BinaryOp::Mul),
            TokenKind::SlashEq => Some(BinaryOp::Div),
            TokenKind::PercentEq => Some(BinaryOp::Rem),
            TokenKind::AmpEq => Some(BinaryOp::BitAnd),
            TokenKind::PipeEq => Some(BinaryOp::BitOr),
            TokenKind::CaretEq => Some(BinaryOp::BitXor),
            TokenKind::ShlEq => Some(BinaryOp::Shl),
            TokenKind::ShrEq => Some(BinaryOp::Shr),
            _ => return Ok((target, height)),
        };
        self.bump();
        let (value, other) = self.tall("the value of an assignment")?;
        let span = target.span.to(value.span);
        let kind = ExprKind::Assign {
            op,
            target: Box::new(target),
            value: Box::new(value),
        };
        let height = self.grow(height.max(other), span)?;
        Ok((Expr { kind, span }, height))
    }

    fn ternary(&mut self, what: &str) -> Parse<Tall> {
        let (condition, h1) = self.binary(what, 1)?;
        if !self.eat(TokenKind::Question) {
            return Ok((condition, h1));
        }
        let (then, h2) = self.tall("a `?:` expression")?;
        self.expect(TokenKind::Colon, ":", "a `?:` expression")?;
        let (otherwise, h3) = self.nested("this expression", |p| p.ternary("a `?:` expression"))?;
        let span = condition.span.to(otherwise.span);
        let kind = ExprKind::Ternary {
            condition: Box::new(condition),
            then: Box::new(then),
            otherwise: Box::new(otherwise),
        };
        let height = self.grow(h1.max(h2).max(h3), span)?;
        Ok((Expr { kind, span }, height))
    }

    fn binary_op(&self) -> Option<BinaryOp> {
        Some(match self.kind() {
            TokenKind::Plus => BinaryOp::Add,
            TokenKind::Minus => BinaryOp::Sub,
            TokenKind::Star => BinaryOp::Mul,
            TokenKind::Slash => BinaryOp::Div,
            TokenKind::Percent => BinaryOp::Rem,
            TokenKind::StarStar => BinaryOp::Pow,
            TokenKind::Shl => BinaryOp::Shl,
            TokenKind::Shr => BinaryOp::Shr,
            TokenKind::Amp => BinaryOp::BitAnd,
            TokenKind::Pipe => BinaryOp::BitOr,
            TokenKind::Caret => BinaryOp::BitXor,
            TokenKind::AmpAmp => BinaryOp::And,
            TokenKind::PipePipe => BinaryOp::Or,
            TokenKind::EqEq => BinaryOp::Eq,
            TokenKind::NotEq => BinaryOp::Ne,
            TokenKind::Lt => BinaryOp::Lt,
            TokenKind::LtEq => BinaryOp::Le,
            TokenKind::Gt => BinaryOp::Gt,
            TokenKind::GtEq => BinaryOp::Ge,
            _ => return None,
        })
    }

    fn binary(&mut self, what: &str, least: u8) -> Parse<Tall> {
        let (mut left, mut height) = self.unary(what)?;
        while let Some(op) = self.binary_op().filter(|op| op.precedence() >= least) {
            let place = self.bump().span;
            let operand = format!("the right side of `{}`", op.text());
            // `**` binds to the right.
            let next = op.precedence() + u8::from(op != BinaryOp::Pow);
            let (right, other) = self.nested("this expression", |p| p.binary(&operand, next))?;
            if matches!(op.precedence(), 3 | 4)
                && matches!(&left.kind, ExprKind::Binary { op: inner, .. }
                    if inner.precedence() == 4 && op.precedence() == 4)
            {
                self.sink.push(
                    Diagnostic::error("E0114", place, "comparisons cannot be chained")
                        .label("compares a Bool")
                        .note("write `a < b && b < c`"),
                );
            }
            let span = left.span.to(right.span);
            height = self.grow(height.max(other), span)?;
            left = Expr {
                kind: ExprKind::Binary {
                    op,
                    left: Box::new(left),
                    right: Box::new(right),
                },
                span,
            };
        }
        Ok((left, height))
    }

    fn unary(&mut self, what: &str) -> Parse<Tall> {
        let start = self.span();
        let op = match self.kind() {
            TokenKind::Minus => Some(UnaryOp::Neg),
            TokenKind::Bang => Some(UnaryOp::Not),
            TokenKind::Tilde => Some(UnaryOp::BitNot),
            TokenKind::PlusPlus | TokenKind::MinusMinus => None,
            _ => return self.postfix(what),
        };
        let decrement = self.is(TokenKind::MinusMinus);
        self.bump();
        let (operand, height) = self.nested("this expression", |p| {
            p.unary("the operand of a unary operator")
        })?;
        let span = self.since(start);
        let operand = Box::new(operand);
        let kind = match op {
            Some(op) => ExprKind::Unary { op, operand },
            None => ExprKind::Increment {
                decrement,
                prefix: true,
                target: operand,
            },
        };
        let height = self.grow(height, span)?;
        Ok((Expr { kind, span }, height))
    }

    fn postfix(&mut self, what: &str) -> Parse<Tall> {
        let start = self.span();
        let (mut expr, mut height) = self.primary(what)?;
        loop {
            let mut other = 0;
            let kind = match self.kind() {
                TokenKind::Dot => {
                    self.bump();
                    let token = self.token();
                    if token.kind != TokenKind::Ident {
                        return self.fail("a member's name", "an expression, behind `.`");
                    }
                    self.bump();
                    ExprKind::Member {
                        object: Box::new(expr),
                        member: Ident {
                            name: self.slice(token.span).to_owned(),
                            span: token.span,
                        },
                    }
                }
                TokenKind::LBracket => {
                    // `T[]` where a value is expected: a type, as in `abi.decode(d, (T[]))`.
                    if self.peek(1).kind == TokenKind::RBracket {
                        let Some(path) = path_of(&expr) else {
                            self.bump();
                            return self.fail("an index", "an expression, behind `[`");
                        };
                        let span = expr.span;
                        let ty = self.array_suffixes(TypeExpr {
                            kind: TypeKind::Named { path, level: None },
                            span,
                        })?;
                        expr = Expr {
                            span: ty.span,
                            kind: ExprKind::Type(ty),
                        };
                        continue;
                    }
                    self.bump();
                    let (index, h) = self.tall("an index")?;
                    other = h;
                    self.expect(TokenKind::RBracket, "]", "an expression, behind an index")?;
                    ExprKind::Index {
                        object: Box::new(expr),
                        index: Box::new(index),
                    }
                }
                TokenKind::LParen => {
                    let (args, braced, h) = self.arguments_tall("a call")?;
                    other = h;
                    ExprKind::Call {
                        callee: Box::new(expr),
                        options: Vec::new(),
                        args,
                        braced,
                    }
                }
                TokenKind::LBrace
                    if matches!(expr.kind, ExprKind::Member { .. })
                        && self.peek(1).kind == TokenKind::Ident
                        && self.peek(2).kind == TokenKind::Colon =>
                {
                    self.bump();
                    let options = self.named_arguments("call options", TokenKind::RBrace, "}")?;
                    let (args, braced, h) = self.arguments_tall("a call")?;
                    other = h;
                    ExprKind::Call {
                        callee: Box::new(expr),
                        options,
                        args,
                        braced,
                    }
                }
                TokenKind::PlusPlus | TokenKind::MinusMinus => {
                    let decrement = self.bump().kind == TokenKind::MinusMinus;
                    ExprKind::Increment {
                        decrement,
                        prefix: false,
                        target: Box::new(expr),
                    }
                }
                _ => return Ok((expr, height)),
            };
            let span = self.since(start);
            height = self.grow(height.max(other), span)?;
            expr = Expr { kind, span };
        }
    }

    /// `(a, b)`, `(x: a)` or `({x: a})`; tells whether there were braces.
    pub(super) fn arguments(&mut self, what: &str) -> Parse<(Vec<Arg>, bool)> {
        self.arguments_tall(what)
            .map(|(args, braced, _)| (args, braced))
    }

    fn arguments_tall(&mut self, what: &str) -> Parse<(Vec<Arg>, bool, u32)> {
        self.expect(TokenKind::LParen, "(", what)?;
        if self.is(TokenKind::LBrace) {
            self.bump();
            let args = self.named_arguments(what, TokenKind::RBrace, "}")?;
            self.expect(TokenKind::RParen, ")", what)?;
            return Ok((args, true, MAX_DEPTH / 2));
        }
        let mut args = Vec::new();
        let mut height = 0;
        let place = format!("the arguments of {what}");
        while !self.eat(TokenKind::RParen) {
            let name = if self.is(TokenKind::Ident) && self.peek(1).kind == TokenKind::Colon {
                let name = self.ident(&place)?;
                self.bump();
                Some(name)
            } else {
                None
            };
            let (value, h) = self.tall(&place)?;
            height = height.max(h);
            args.push(Arg { name, value });
            self.bounded(args.len(), &place)?;
            if !self.eat(TokenKind::Comma) && !self.is(TokenKind::RParen) {
                return self.fail("`,` or `)`", &place);
            }
        }
        Ok((args, false, height))
    }

    fn named_arguments(&mut self, what: &str, close: TokenKind, text: &str) -> Parse<Vec<Arg>> {
        let mut args = Vec::new();
        while !self.eat(close) {
            let name = self.ident(what)?;
            self.expect(TokenKind::Colon, ":", what)?;
            let value = self.expression(what)?;
            args.push(Arg {
                name: Some(name),
                value,
            });
            self.bounded(args.len(), what)?;
            if !self.eat(TokenKind::Comma) && !self.is(close) {
                return self.fail(&format!("`,` or `{text}`"), what);
            }
        }
        Ok(args)
    }

    fn bounded(&mut self, count: usize, what: &str) -> Parse<()> {
        if count <= MAX_ELEMENTS {
            return Ok(());
        }
        let span = self.span();
        self.sink.push(
            Diagnostic::error("E0115", span, format!("too many elements in {what}"))
                .label(format!("more than {MAX_ELEMENTS}")),
        );
        Err(Failed)
    }

    fn primary(&mut self, what: &str) -> Parse<Tall> {
        let start = self.span();
        let kind = match self.kind() {
            TokenKind::Number => {
                self.bump();
                ExprKind::Number(self.slice(start).to_owned())
            }
            TokenKind::String => {
                self.bump();
                ExprKind::String(self.unescape(start))
            }
            TokenKind::Ident => match self.word_at(0) {
                "true" => {
                    self.bump();
                    ExprKind::Bool(true)
                }
                "false" => {
                    self.bump();
                    ExprKind::Bool(false)
                }
                "null" => {
                    self.bump();
                    ExprKind::Null
                }
                "new" => {
                    self.bump();
                    let ty = self.type_expr("a `new` expression")?;
                    let (args, _) = self.arguments("a `new` expression")?;
                    ExprKind::New { ty, args }
                }
                "mapping" => {
                    let ty = self.type_expr(what)?;
                    ExprKind::Type(ty)
                }
                word @ ("if" | "else" | "for" | "while" | "let" | "return" | "function"
                | "emit" | "delete" | "contract" | "struct" | "require_pqc"
                | "with_gas_limit") => {
                    let _ = word;
                    return self.fail("an expression", what);
                }
                word => {
                    // `MLDSAPublicKey<87>`
                    if self.peek(1).kind == TokenKind::Lt
                        && self.peek(2).kind == TokenKind::Number
                        && self.peek(3).kind == TokenKind::Gt
                        && word.starts_with(|c: char| c.is_ascii_uppercase())
                    {
                        ExprKind::Type(self.type_expr(what)?)
                    } else {
                        self.bump();
                        ExprKind::Name(word.to_owned())
                    }
                }
            },
            TokenKind::LParen => return self.parenthesised(),
            TokenKind::LBracket => {
                self.bump();
                let mut elements = Vec::new();
                let mut height = 0;
                while !self.eat(TokenKind::RBracket) {
                    let (element, h) = self.tall("an array literal")?;
                    height = height.max(h);
                    elements.push(element);
                    self.bounded(elements.len(), "an array literal")?;
                    if !self.eat(TokenKind::Comma) && !self.is(TokenKind::RBracket) {
                        return self.fail("`,` or `]`", "an array literal");
                    }
                }
                let span = self.since(start);
                let height = self.grow(height, span)?;
                let kind = ExprKind::Array(elements);
                return Ok((Expr { kind, span }, height));
            }
            _ => return self.fail("an expression", what),
        };
        let span = self.since(start);
        Ok((Expr { kind, span }, 1))
    }

    fn parenthesised(&mut self) -> Parse<Tall> {
        let start = self.bump().span;
        let mut parts = Vec::new();
        let mut height = 0;
        let mut commas = 0usize;
        loop {
            if self.is(TokenKind::RParen) {
                if commas > 0 || parts.is_empty() {
                    parts.push(None);
                }
                break;
            }
            if self.eat(TokenKind::Comma) {
                parts.push(None);
                commas += 1;
                continue;
            }
            let (part, h) = self.tall("an expression in parentheses")?;
            height = height.max(h);
            parts.push(Some(part));
            self.bounded(parts.len(), "a tuple")?;
            if self.eat(TokenKind::Comma) {
                commas += 1;
                continue;
            }
            break;
        }
        self.expect(TokenKind::RParen, ")", "an expression in parentheses")?;
        let span = self.since(start);
        let height = self.grow(height, span)?;
        let kind = if commas == 0 {
            match parts.pop().flatten() {
                Some(inner) => ExprKind::Paren(Box::new(inner)),
                None => ExprKind::Tuple(Vec::new()),
            }
        } else {
            ExprKind::Tuple(parts)
        };
        Ok((Expr { kind, span }, height))
    }
}

/// `A` or `A.B`, as a path.
fn path_of(expr: &Expr) -> Option<Vec<Ident>> {
    match &expr.kind {
        ExprKind::Name(name) => Some(vec![Ident {
            name: name.clone(),
            span: expr.span,
        }]),
        ExprKind::Member { object, member } => {
            let mut path = path_of(object)?;
            path.push(member.clone());
            Some(path)
        }
        _ => None,
    }
}
