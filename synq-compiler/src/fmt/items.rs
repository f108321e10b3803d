//! Declarations.

use super::printer::Printer;
use crate::syntax::TokenKind;
use crate::syntax::ast::*;

impl Printer<'_> {
    pub(super) fn source_file(&mut self, file: &SourceFile) {
        self.items(&file.items);
    }

    fn items(&mut self, items: &[Item]) {
        let mut last: Option<&Item> = None;
        for item in items {
            // The parser passes over a `;` that ends nothing.
            while self.skip(TokenKind::Semi) {}
            if let Some(last) = last {
                if is_large(last) || is_large(item) {
                    self.blank();
                } else {
                    self.separate();
                }
            }
            self.item(item);
            last = Some(item);
        }
        while self.skip(TokenKind::Semi) {}
    }

    fn item(&mut self, item: &Item) {
        // `@public function …` on a line; annotations that say more get lines of their own.
        let short = item.annotations.iter().all(|a| a.args.is_none());
        for annotation in &item.annotations {
            self.tok();
            self.tok();
            if let Some(args) = &annotation.args {
                self.args(args, false);
            }
            if short { self.space() } else { self.hard() }
        }
        match &item.kind {
            ItemKind::Pragma(pragma) => {
                self.tok();
                self.space();
                self.tok();
                self.space();
                self.verbatim(pragma.requirement_span.end);
                self.semi();
            }
            ItemKind::Import(_) => {
                self.tok();
                self.space();
                self.string();
                self.semi();
            }
            ItemKind::Contract(contract) | ItemKind::Interface(contract) => {
                self.tok();
                self.space();
                self.tok();
                self.space();
                self.tok();
                while self.skip(TokenKind::Semi) {}
                if contract.items.is_empty() && !self.has_comments() {
                    return self.tok();
                }
                self.indent();
                self.hard();
                self.items(&contract.items);
                self.end_of_block();
            }
            ItemKind::Struct(structure) => self.structure(structure),
            ItemKind::Enum(enumeration) => {
                self.tok();
                self.space();
                self.tok();
                self.space();
                self.list(&enumeration.members, true, |p, _| p.tok());
            }
            ItemKind::Event(event) => {
                self.tok();
                self.space();
                self.tok();
                self.params(&event.params);
                self.semi();
            }
            ItemKind::Error(error) => {
                self.tok();
                self.space();
                self.tok();
                self.params(&error.params);
                self.semi();
            }
            ItemKind::Model(model) => self.model(model),
            ItemKind::Variable(variable) => self.variable(variable),
            ItemKind::Function(function) => self.function(function),
            ItemKind::Modifier(modifier) => self.modifier(modifier),
        }
    }

    fn structure(&mut self, structure: &Struct) {
        self.tok();
        self.space();
        self.tok();
        self.space();
        self.braced(&structure.fields, |this, field| {
            this.field(field);
            this.field_end();
        });
    }

    /// `;`, also where the source has `,` or nothing.
    fn field_end(&mut self) {
        if self.is(TokenKind::Comma) && !self.has_comments() {
            self.put(";");
        } else if self.is(TokenKind::Comma) {
            self.add(";");
            self.skip(TokenKind::Comma);
        } else {
            self.semi();
        }
    }

    fn field(&mut self, field: &Field) {
        match field.style {
            Style::Synq => {
                self.tok();
                self.tok();
                self.space();
                self.type_expr(&field.ty);
            }
            Style::Solidity => {
                self.type_expr(&field.ty);
                self.space();
                self.tok();
            }
        }
    }

    fn model(&mut self, model: &Model) {
        self.tok();
        self.space();
        self.tok();
        self.space();
        self.tok();
        self.indent();
        self.hard();
        let mut inputs = model.inputs.iter();
        let mut outputs = model.outputs.iter();
        let mut first = true;
        while !self.is(TokenKind::RBrace) && !self.is(TokenKind::End) {
            if !first {
                self.separate();
            }
            first = false;
            if self.is_word("input") || self.is_word("output") {
                let field = if self.is_word("input") {
                    inputs.next()
                } else {
                    outputs.next()
                };
                self.tok();
                self.space();
                match field {
                    Some(field) => self.field(field),
                    None => self.tok(),
                }
            } else {
                self.tok();
                self.tok();
                self.space();
                self.string();
            }
            self.field_end();
        }
        self.end_of_block();
    }

    pub(super) fn params(&mut self, params: &[Param]) {
        self.list(params, false, Self::param);
    }

    /// Words behind the type, in whatever order they were written.
    fn param(&mut self, param: &Param) {
        if param.style == Style::Synq && param.name.is_some() {
            self.tok();
            self.tok();
            self.space();
        }
        self.type_expr(&param.ty);
        while self.is(TokenKind::Ident) && self.next().span.start < param.span.end {
            self.space();
            self.tok();
        }
    }

    fn variable(&mut self, variable: &Variable) {
        if variable.style == Style::Synq {
            self.tok();
            self.tok();
            self.space();
        }
        self.type_expr(&variable.ty);
        for _ in &variable.attributes {
            self.space();
            self.tok();
        }
        if variable.style == Style::Solidity {
            self.space();
            self.tok();
        }
        if let Some(init) = &variable.init {
            self.space();
            self.tok();
            self.space();
            self.expr(init);
        }
        self.semi();
    }

    fn modifier(&mut self, modifier: &Function) {
        self.tok();
        self.space();
        self.tok();
        if self.is(TokenKind::LParen) {
            self.params(&modifier.params);
        }
        while self.is(TokenKind::Ident) {
            self.space();
            self.tok();
        }
        if let Some(body) = &modifier.body {
            self.space();
            self.block(body);
        }
    }

    fn function(&mut self, function: &Function) {
        self.tok();
        if !function.constructor {
            self.space();
            self.tok();
        }
        self.params(&function.params);
        let mut modifiers = function.modifiers.iter().peekable();
        loop {
            if self.is(TokenKind::Arrow) || self.is_word("returns") {
                self.space();
                self.tok();
                self.space();
                if self.is(TokenKind::LParen) {
                    self.params(&function.returns);
                } else if let Some(result) = function.returns.first() {
                    self.type_expr(&result.ty);
                }
            } else if self.is(TokenKind::Ident) {
                let start = self.next().span.start;
                self.space();
                self.tok();
                if let Some((_, args)) = modifiers.next_if(|(name, _)| name.span.start == start)
                    && self.is(TokenKind::LParen)
                {
                    self.args(args, false);
                }
            } else {
                break;
            }
        }
        match &function.body {
            Some(body) => {
                self.space();
                self.block(body);
            }
            None => self.semi(),
        }
    }
}

/// Declarations that stand between empty lines.
fn is_large(item: &Item) -> bool {
    match &item.kind {
        ItemKind::Contract(_)
        | ItemKind::Interface(_)
        | ItemKind::Struct(_)
        | ItemKind::Model(_) => true,
        ItemKind::Function(function) | ItemKind::Modifier(function) => function.body.is_some(),
        _ => false,
    }
}
