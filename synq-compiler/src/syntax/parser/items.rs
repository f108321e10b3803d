//! Declarations.

use super::{Failed, Parse, Parser};
use crate::diagnostics::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::token::TokenKind;

const TOP: [&str; 11] = [
    "pragma",
    "import",
    "contract",
    "interface",
    "struct",
    "enum",
    "event",
    "error",
    "model",
    "function",
    "constructor",
];

impl Parser<'_> {
    pub(super) fn source_file(&mut self) -> SourceFile {
        let mut items = Vec::new();
        while !self.is(TokenKind::End) {
            let before = self.at;
            match self.item(false) {
                Ok(item) => items.push(item),
                Err(Failed) => self.recover_item(),
            }
            if self.at == before {
                self.bump();
            }
        }
        SourceFile { items }
    }

    /// Passes over tokens up to the next word that begins a declaration, or the end of a block.
    fn recover_item(&mut self) {
        let mut depth = 0u32;
        loop {
            match self.kind() {
                TokenKind::End => return,
                TokenKind::LBrace => depth += 1,
                TokenKind::RBrace if depth == 0 => return,
                TokenKind::RBrace => {
                    depth -= 1;
                    if depth == 0 {
                        self.bump();
                        return;
                    }
                }
                TokenKind::Semi if depth == 0 => {
                    self.bump();
                    return;
                }
                TokenKind::At if depth == 0 => return,
                TokenKind::Ident if depth == 0 && TOP.contains(&self.word_at(0)) => return,
                _ => {}
            }
            self.bump();
        }
    }

    /// The `///` lines directly before the current token.
    fn docs(&self) -> Vec<String> {
        let mut docs = Vec::new();
        for token in self.tokens[..self.at.min(self.tokens.len())].iter().rev() {
            match token.kind {
                TokenKind::DocComment => {
                    let line = self.slice(token.span).trim_start_matches('/');
                    docs.push(line.trim().to_owned());
                }
                TokenKind::Space | TokenKind::LineComment => {}
                _ => break,
            }
        }
        docs.reverse();
        docs
    }

    fn item(&mut self, in_contract: bool) -> Parse<Item> {
        let docs = self.docs();
        let start = self.span();
        let mut annotations = Vec::new();
        while self.is(TokenKind::At) {
            annotations.push(self.annotation()?);
        }
        let kind = self.item_kind(in_contract)?;
        Ok(Item {
            docs,
            annotations,
            kind,
            span: self.since(start),
        })
    }

    fn annotation(&mut self) -> Parse<Annotation> {
        let start = self.bump().span;
        let name = self.ident("an annotation")?;
        let args = if self.is(TokenKind::LParen) {
            Some(self.arguments("an annotation")?.0)
        } else {
            None
        };
        Ok(Annotation {
            name,
            args,
            span: self.since(start),
        })
    }

    fn item_kind(&mut self, in_contract: bool) -> Parse<ItemKind> {
        let word = self.word_at(0);
        let next = self.peek(1).kind;
        let named = next == TokenKind::Ident;
        match word {
            "pragma" if named => self.pragma(),
            "import" => self.import(),
            "contract" if named => self
                .nested("this contract", |p| p.contract("a contract"))
                .map(ItemKind::Contract),
            "abstract" | "library" if named => self.unsupported_item(word),
            "interface" if named => self
                .nested("this interface", |p| p.contract("an interface"))
                .map(ItemKind::Interface),
            "struct" if named => self.braced(Self::structure),
            "enum" if named => self.braced(Self::enumeration),
            "event" if named => self.event(),
            "error" if named && self.peek(2).kind == TokenKind::LParen => self.error(),
            "model" if named && self.peek(2).kind == TokenKind::LBrace => self.braced(Self::model),
            "function" => Ok(ItemKind::Function(Box::new(self.function(false)?))),
            "constructor" => Ok(ItemKind::Function(Box::new(self.function(true)?))),
            "modifier" if named => Ok(ItemKind::Modifier(Box::new(self.modifier()?))),
            "using" | "receive" | "fallback" if named || next == TokenKind::LParen => {
                self.unsupported_item(word)
            }
            _ if self.is(TokenKind::Ident) => Ok(ItemKind::Variable(Box::new(self.variable()?))),
            _ if in_contract => self.fail(
                "a state variable, `function`, `event` or another member",
                "a contract",
            ),
            _ => self.fail(
                "`contract`, `interface`, `struct`, `model` or another declaration",
                "a file",
            ),
        }
    }

    fn unsupported_item(&mut self, word: &str) -> Parse<ItemKind> {
        let span = self.span();
        let mut diagnostic =
            Diagnostic::error("E0108", span, format!("SynQ has no `{word}` declarations"))
                .label("not part of the language");
        diagnostic = match word {
            "library" => {
                diagnostic.note("write internal functions, or a contract with an interface")
            }
            "using" => diagnostic.note("call the function with the value as its first argument"),
            "abstract" => diagnostic.note("contracts do not inherit; write an `interface`"),
            _ => diagnostic.note("write a public function with a name"),
        };
        self.sink.push(diagnostic);
        self.bump();
        self.recover_statement();
        Err(Failed)
    }

    fn pragma(&mut self) -> Parse<ItemKind> {
        self.bump();
        let name = self.ident("a pragma")?;
        let start = self.span();
        while !matches!(
            self.kind(),
            TokenKind::Semi | TokenKind::End | TokenKind::LBrace | TokenKind::RBrace
        ) && !TOP.contains(&self.word_at(0))
        {
            self.bump();
        }
        let requirement_span = self.since(start);
        let requirement = self.slice(requirement_span).trim().to_owned();
        self.semicolon("a pragma")?;
        Ok(ItemKind::Pragma(Pragma {
            name,
            requirement,
            requirement_span,
        }))
    }

    fn import(&mut self) -> Parse<ItemKind> {
        self.bump();
        let (path, path_span) = self.string("an import")?;
        self.semicolon("an import")?;
        Ok(ItemKind::Import(Import { path, path_span }))
    }

    pub(super) fn string(&mut self, what: &str) -> Parse<(String, Span)> {
        if !self.is(TokenKind::String) {
            return self.fail("a string", what);
        }
        let token = self.bump();
        Ok((self.unescape(token.span), token.span))
    }

    /// Text of a string token, without quotes and with escapes resolved.
    pub(super) fn unescape(&mut self, span: Span) -> String {
        let raw = self.slice(span);
        let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
        let mut out = String::with_capacity(inner.len());
        let mut chars = inner.char_indices();
        while let Some((at, c)) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            let escape = chars.next().map_or(' ', |(_, e)| e);
            match escape {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                '0' => out.push('\0'),
                '\\' | '"' | '\'' => out.push(escape),
                'u' | 'x' => {
                    let digits = if escape == 'u' { 4 } else { 2 };
                    let hex = inner.get(at + 2..at + 2 + digits).unwrap_or("");
                    let value = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
                    match value.filter(|v| escape == 'u' || v.is_ascii()) {
                        Some(value) => {
                            out.push(value);
                            for _ in 0..digits {
                                chars.next();
                            }
                        }
                        None => self.bad_escape(span, at, escape),
                    }
                }
                _ => self.bad_escape(span, at, escape),
            }
        }
        out
    }

    fn bad_escape(&mut self, span: Span, at: usize, escape: char) {
        let start = span.start + 1 + at as u32;
        let place = Span {
            start,
            end: start + 1 + escape.len_utf8() as u32,
            ..span
        };
        self.sink.push(
            Diagnostic::error(
                "E0109",
                place,
                format!("unknown escape `\\{escape}` in a string"),
            )
            .label("not an escape")
            .note(r#"escapes are \n \t \r \0 \\ \" \' \xNN (up to 7f) and \uNNNN"#),
        );
    }

    fn contract(&mut self, what: &str) -> Parse<Contract> {
        self.bump();
        let name = self.ident(what)?;
        if self.is_word("is") {
            let span = self.span();
            self.sink.push(
                Diagnostic::error("E0110", span, "contracts do not inherit")
                    .label("`is` is not part of the language")
                    .note("call other contracts through an `interface`"),
            );
            while !matches!(self.kind(), TokenKind::LBrace | TokenKind::End) {
                self.bump();
            }
        }
        let start = self.expect(TokenKind::LBrace, "{", what)?.span;
        let mut items = Vec::new();
        loop {
            if self.eat(TokenKind::RBrace) {
                break;
            }
            if self.eat(TokenKind::Semi) {
                continue;
            }
            if self.is(TokenKind::End) || (self.at_top_level_word() && !items.is_empty()) {
                self.not_closed(start, what);
                break;
            }
            let before = self.at;
            match self.item(true) {
                Ok(item) => items.push(item),
                Err(Failed) => self.recover_item(),
            }
            if self.at == before {
                self.bump();
            }
        }
        Ok(Contract {
            name,
            items,
            body_span: self.since(start),
        })
    }

    /// `contract X {`, `interface X {`, `pragma x` never begin a member.
    fn at_top_level_word(&self) -> bool {
        matches!(
            self.word_at(0),
            "contract" | "interface" | "pragma" | "import"
        ) && matches!(self.peek(1).kind, TokenKind::Ident | TokenKind::String)
    }

    /// A declaration that ends with its braces; a mistake in it does not reach past them.
    fn braced(&mut self, f: impl FnOnce(&mut Self) -> Parse<ItemKind>) -> Parse<ItemKind> {
        let result = f(self);
        if result.is_err() {
            while !matches!(self.kind(), TokenKind::RBrace | TokenKind::End) {
                self.bump();
            }
            self.eat(TokenKind::RBrace);
        }
        result
    }

    fn structure(&mut self) -> Parse<ItemKind> {
        self.bump();
        let name = self.ident("a struct")?;
        self.expect(TokenKind::LBrace, "{", "a struct")?;
        let mut fields = Vec::new();
        while !self.eat(TokenKind::RBrace) {
            let field = self.field("a struct's field")?;
            fields.push(field);
            if !self.eat(TokenKind::Semi)
                && !self.eat(TokenKind::Comma)
                && !self.is(TokenKind::RBrace)
            {
                return self.fail("`;`, `,` or `}`", "a struct");
            }
        }
        Ok(ItemKind::Struct(Struct { name, fields }))
    }

    fn field(&mut self, what: &str) -> Parse<Field> {
        let start = self.span();
        let (style, name, ty) =
            if self.is(TokenKind::Ident) && self.peek(1).kind == TokenKind::Colon {
                let name = self.ident(what)?;
                self.bump();
                (Style::Synq, name, self.type_expr(what)?)
            } else {
                let ty = self.type_expr(what)?;
                (Style::Solidity, self.ident(what)?, ty)
            };
        Ok(Field {
            style,
            name,
            ty,
            span: self.since(start),
        })
    }

    fn enumeration(&mut self) -> Parse<ItemKind> {
        self.bump();
        let name = self.ident("an enum")?;
        self.expect(TokenKind::LBrace, "{", "an enum")?;
        let mut members = Vec::new();
        while !self.eat(TokenKind::RBrace) {
            members.push(self.ident("an enum")?);
            if !self.eat(TokenKind::Comma) && !self.is(TokenKind::RBrace) {
                return self.fail("`,` or `}`", "an enum");
            }
        }
        Ok(ItemKind::Enum(Enum { name, members }))
    }

    fn event(&mut self) -> Parse<ItemKind> {
        self.bump();
        let name = self.ident("an event")?;
        let params = self.params("an event", true)?;
        let place = self.span();
        if self.eat_word("anonymous") {
            self.sink.push(
                Diagnostic::error("E0117", place, "SynQ has no anonymous events")
                    .label("not part of the language")
                    .note("the first topic of an event is the hash of its signature"),
            );
        }
        self.eat(TokenKind::Semi);
        Ok(ItemKind::Event(Event { name, params }))
    }

    fn error(&mut self) -> Parse<ItemKind> {
        self.bump();
        let name = self.ident("an error")?;
        let params = self.params("an error", false)?;
        self.eat(TokenKind::Semi);
        Ok(ItemKind::Error(ErrorDecl { name, params }))
    }

    fn model(&mut self) -> Parse<ItemKind> {
        self.bump();
        let mut model = Model {
            name: self.ident("a model")?,
            file: None,
            hash: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        self.expect(TokenKind::LBrace, "{", "a model")?;
        while !self.eat(TokenKind::RBrace) {
            match self.word_at(0) {
                key @ ("file" | "hash") => {
                    self.bump();
                    self.expect(TokenKind::Colon, ":", "a model")?;
                    let value = self.string("a model")?;
                    if key == "file" {
                        model.file = Some(value);
                    } else {
                        model.hash = Some(value);
                    }
                }
                key @ ("input" | "output") => {
                    self.bump();
                    let field = self.field("a model's tensor")?;
                    if key == "input" {
                        model.inputs.push(field);
                    } else {
                        model.outputs.push(field);
                    }
                }
                _ => return self.fail("`file`, `hash`, `input` or `output`", "a model"),
            }
            if !self.eat(TokenKind::Comma) && !self.is(TokenKind::RBrace) {
                self.semicolon("a model's line")?;
            }
        }
        Ok(ItemKind::Model(model))
    }
}
