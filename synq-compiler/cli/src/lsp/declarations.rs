//! What is declared in a file and in what it imports, and what a name stands for.

use synq_compiler::syntax::ast::{
    Binding, Contract, Field, Function, Ident, Item, ItemKind, Param, SourceFile, Stmt, StmtKind,
    TypeExpr, TypeKind,
};
use synq_compiler::syntax::parse;
use synq_compiler::{FileId, SourceLoader, Sources, Span};

/// Most files that are followed through imports.
const MAX_FILES: usize = 64;

/// A declaration.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// The declaration as one line, without a body.
    pub text: String,
    /// Its `///` lines.
    pub docs: Vec<String>,
    /// Kind of the item in completion lists, as the protocol numbers it.
    pub kind: u32,
    /// Where the name can be used; none is everywhere.
    pub scope: Option<Span>,
    /// A local of a function.
    local: bool,
    /// The type, or what it belongs to: `members` lists by it.
    owner: Option<String>,
    /// Name of the type that a value has, as written.
    ty: Option<String>,
}

impl Declaration {
    /// The contract or type that it belongs to.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// Whether it is a local whose type is not written.
    pub fn is_untyped(&self) -> bool {
        self.local && self.ty.is_none()
    }
}

/// All declarations that a file can see.
#[derive(Debug, Default)]
pub struct Index {
    /// The files; the first is the one asked about.
    pub sources: Sources,
    list: Vec<Declaration>,
}

impl Index {
    /// Reads a file and its imports. Files that cannot be read are left out.
    pub fn new(name: &str, loader: &dyn SourceLoader) -> Self {
        let mut index = Self::default();
        let mut todo = vec![name.to_owned()];
        while let Some(path) = todo.pop() {
            if index.sources.find(&path).is_some() || index.sources.iter().count() >= MAX_FILES {
                continue;
            }
            let Ok(text) = loader.source(&path) else {
                continue;
            };
            let id = index.sources.add(path.clone(), text);
            let parsed = parse(id, index.sources.text(id));
            for item in &parsed.file.items {
                if let ItemKind::Import(import) = &item.kind {
                    todo.push(join(&path, &import.path));
                }
            }
            index.file(id, &parsed.file);
        }
        index
    }

    /// What `name` stands for at `offset` of the first file: the innermost declaration.
    pub fn find(&self, name: &str, offset: u32) -> Option<&Declaration> {
        let named = || self.list.iter().filter(|d| d.name == name);
        let reached = |d: &&Declaration| reaches(d, offset);
        named()
            .filter(|d| d.local && reached(d) && d.span.start <= offset)
            .max_by_key(|d| d.span.start)
            .or_else(|| named().find(|d| !d.local && d.scope.is_some() && reached(d)))
            .or_else(|| named().find(|d| !d.local && d.scope.is_none()))
            // A member of something else, as in `token.transfer`.
            .or_else(|| named().find(|d| !d.local))
    }

    /// Everything that can be named at `offset` of the first file.
    pub fn visible(&self, offset: u32) -> impl Iterator<Item = &Declaration> {
        self.list
            .iter()
            .filter(move |d| reaches(d, offset) && d.kind != FIELD)
    }

    /// What can stand behind `object.`: names and how they are declared.
    pub fn members(&self, object: &str, offset: u32) -> Vec<(String, String)> {
        let fixed: &[(&str, &str)] = match object {
            "msg" => &[
                ("sender", "Address"),
                ("value", "UInt256"),
                ("data", "Bytes"),
            ],
            "block" => &[
                ("number", "UInt256"),
                ("timestamp", "UInt256"),
                ("chainid", "UInt256"),
            ],
            "abi" => &[
                ("encode", ""),
                ("encodePacked", ""),
                ("encodeWithSelector", ""),
                ("encodeWithSignature", ""),
                ("decode", ""),
            ],
            _ => &[],
        };
        let mut list: Vec<(String, String)> = fixed
            .iter()
            .map(|(n, t)| ((*n).to_owned(), (*t).to_owned()))
            .collect();
        let declared = self.find(object, offset);
        let ty = declared.and_then(|d| d.ty.as_deref()).unwrap_or(object);
        for member in self.list.iter().filter(|d| d.owner.as_deref() == Some(ty)) {
            list.push((member.name.clone(), member.text.clone()));
        }
        if list.is_empty() {
            list.extend(
                ["length", "push", "pop", "balance", "transfer"]
                    .map(|n| (n.to_owned(), String::new())),
            );
        }
        list
    }

    fn line(&self, span: Span) -> String {
        let text = self.sources.text(span.file);
        let text = text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn add(&mut self, name: &Ident, text: String, kind: u32) -> &mut Declaration {
        let index = self.list.len();
        self.list.push(Declaration {
            name: name.name.clone(),
            span: name.span,
            text,
            docs: Vec::new(),
            kind,
            scope: None,
            local: false,
            owner: None,
            ty: None,
        });
        &mut self.list[index]
    }

    fn file(&mut self, _id: FileId, file: &SourceFile) {
        for item in &file.items {
            self.item(item, None);
        }
    }

    fn item(&mut self, item: &Item, contract: Option<&Contract>) {
        let scope = contract.map(|c| c.body_span);
        let owner = contract.map(|c| c.name.name.clone());
        let start = self.list.len();
        match &item.kind {
            ItemKind::Contract(c) | ItemKind::Interface(c) => {
                let word = if matches!(item.kind, ItemKind::Contract(_)) {
                    "contract"
                } else {
                    "interface"
                };
                self.add(&c.name, format!("{word} {}", c.name.name), 7).docs = item.docs.clone();
                for inner in &c.items {
                    self.item(inner, Some(c));
                }
                return;
            }
            ItemKind::Struct(s) => {
                let text = self.line(item.span);
                self.add(&s.name, text, 22);
                for field in &s.fields {
                    self.field(field, &s.name.name);
                }
            }
            ItemKind::Enum(e) => {
                let text = self.line(item.span);
                self.add(&e.name, text, 13);
                for member in &e.members {
                    let text = format!("{}.{}", e.name.name, member.name);
                    let added = self.add(member, text, FIELD);
                    added.owner = Some(e.name.name.clone());
                }
            }
            ItemKind::Event(e) => {
                let text = self.line(item.span);
                self.add(&e.name, text, 23);
            }
            ItemKind::Error(e) => {
                let text = self.line(item.span);
                self.add(&e.name, text, 23);
            }
            ItemKind::Model(m) => {
                let text = self.line(item.span);
                self.add(&m.name, text, 9);
                for (member, text) in [("infer", ""), ("gas", "UInt256"), ("hash", "Bytes32")] {
                    let ident = Ident {
                        name: member.to_owned(),
                        span: m.name.span,
                    };
                    self.add(&ident, text.to_owned(), FIELD).owner = Some(m.name.name.clone());
                }
            }
            ItemKind::Variable(v) => {
                let text = self.line(item.span);
                let added = self.add(&v.name, text, 6);
                added.owner = owner;
                added.ty = type_name(&v.ty);
            }
            ItemKind::Function(f) => self.function(f, item, owner),
            ItemKind::Modifier(m) => {
                let text = self.line(m.header);
                self.add(&m.name, text, 3).owner = owner;
            }
            ItemKind::Pragma(_) | ItemKind::Import(_) => return,
        }
        for added in self.list.iter_mut().skip(start).filter(|d| !d.local) {
            added.scope = scope;
        }
        if let Some(first) = self.list.get_mut(start) {
            first.docs = item.docs.clone();
        }
    }

    fn field(&mut self, field: &Field, owner: &str) {
        let text = self.line(field.span);
        let added = self.add(&field.name, text, FIELD);
        added.owner = Some(owner.to_owned());
        added.ty = type_name(&field.ty);
    }

    fn function(&mut self, function: &Function, item: &Item, owner: Option<String>) {
        let text = self.line(function.header);
        self.add(&function.name, text, 3).owner = owner;
        for param in function.params.iter().chain(&function.returns) {
            self.param(param, item.span);
        }
        for statement in function.body.iter().flat_map(|b| &b.statements) {
            self.statement(statement, item.span);
        }
    }

    fn local(&mut self, name: &Ident, text: String, ty: Option<&TypeExpr>, scope: Span) {
        let added = self.add(name, text, 6);
        added.local = true;
        added.scope = Some(scope);
        added.ty = ty.and_then(type_name);
    }

    fn param(&mut self, param: &Param, scope: Span) {
        if let Some(name) = &param.name {
            let text = self.line(param.span);
            self.local(name, text, Some(&param.ty), scope);
        }
    }

    fn binding(&mut self, binding: &Binding, statement: Span, scope: Span) {
        let text = match &binding.ty {
            Some(ty) => format!("{}: {}", binding.name.name, self.line(ty.span)),
            None => self.line(statement),
        };
        self.local(&binding.name, text, binding.ty.as_ref(), scope);
    }

    /// Recursion is bounded by the parser's depth.
    fn statement(&mut self, statement: &Stmt, scope: Span) {
        match &statement.kind {
            StmtKind::Block(b) | StmtKind::Unchecked(b) => {
                for inner in &b.statements {
                    self.statement(inner, scope);
                }
            }
            StmtKind::WithGasLimit { body, .. } => {
                for inner in &body.statements {
                    self.statement(inner, scope);
                }
            }
            StmtKind::RequirePqc { body, otherwise } => {
                for inner in &body.statements {
                    self.statement(inner, scope);
                }
                if let Some(otherwise) = otherwise {
                    self.statement(otherwise, scope);
                }
            }
            StmtKind::Local { bindings, .. } => {
                for binding in bindings.iter().flatten() {
                    self.binding(binding, statement.span, scope);
                }
            }
            StmtKind::If {
                then, otherwise, ..
            } => {
                self.statement(then, scope);
                if let Some(otherwise) = otherwise {
                    self.statement(otherwise, scope);
                }
            }
            StmtKind::While { body, .. } | StmtKind::DoWhile { body, .. } => {
                self.statement(body, scope);
            }
            StmtKind::For { init, body, .. } => {
                if let Some(init) = init {
                    self.statement(init, scope);
                }
                self.statement(body, scope);
            }
            StmtKind::ForRange {
                name,
                from,
                to,
                body,
            } => {
                let text = format!(
                    "{} in {}..{}",
                    name.name,
                    self.line(from.span),
                    self.line(to.span)
                );
                self.local(name, text, None, statement.span);
                self.statement(body, scope);
            }
            StmtKind::ForIn {
                name,
                iterable,
                body,
            } => {
                let text = format!("{} in {}", name.name, self.line(iterable.span));
                self.local(name, text, None, statement.span);
                self.statement(body, scope);
            }
            _ => {}
        }
    }
}

/// Kind of fields and members in completion lists.
const FIELD: u32 = 5;

fn reaches(declaration: &Declaration, offset: u32) -> bool {
    match declaration.scope {
        None => true,
        Some(scope) => scope.file == FileId(0) && scope.contains(offset),
    }
}

/// The name of a type that may have members.
fn type_name(ty: &TypeExpr) -> Option<String> {
    match &ty.kind {
        TypeKind::Named { path, .. } => path.last().map(|p| p.name.clone()),
        _ => None,
    }
}

/// `path` as seen from the file at `base`.
fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
