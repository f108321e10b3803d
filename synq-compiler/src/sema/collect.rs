//! The first passes: what is declared, under which names.

mod members;

use std::collections::BTreeMap;

use members::{clash, function, members};

use super::symbols::*;
use crate::diagnostics::{Diagnostic, Sink};
use crate::ir::*;
use crate::source::{SourceLoader, Span};
use crate::syntax::ast::{self, Attribute, Item, ItemKind};

/// Leaves of the largest structure, nested ones counted out.
const MAX_LEAVES: u64 = 4096;
/// Functions at file level times contracts, in one run.
const MAX_COPIES: usize = 1 << 20;

fn duplicate(sink: &mut Sink, name: &str, first: Span, second: Span) {
    sink.push(
        Diagnostic::error("E0202", second, format!("`{name}` is declared twice"))
            .label("second declaration")
            .also(first, "first declaration"),
    );
}

impl Symbols<'_> {
    fn add_type(&mut self, scope: Scope, name: &ast::Ident, ty: Type, sink: &mut Sink) {
        if super::types::elementary(&name.name).is_some()
            || super::types::pq_type(&name.name).is_some()
        {
            sink.push(
                Diagnostic::error(
                    "E0224",
                    name.span,
                    format!("`{}` is a type of the language", name.name),
                )
                .label("choose another name"),
            );
            return;
        }
        let key = (scope, name.name.clone());
        if let Some((_, first)) = self.types.get(&key) {
            duplicate(sink, &name.name, *first, name.span);
            return;
        }
        self.types.insert(key, (ty, name.span));
    }
}

/// Gathers all declarations of all files. Each file comes with its path.
pub(crate) fn collect<'a>(
    files: &'a [(String, ast::SourceFile)],
    loader: &dyn SourceLoader,
    extensions: BTreeMap<String, ExtensionDecl>,
    sink: &mut Sink,
) -> Symbols<'a> {
    let mut sy = Symbols {
        extensions,
        ..Symbols::default()
    };
    builtin_types(&mut sy);
    // Names of types.
    let mut structs: Vec<(Scope, usize, &'a ast::Struct)> = Vec::new();
    for (_, file) in files {
        for item in &file.items {
            if let ItemKind::Contract(c) | ItemKind::Interface(c) = &item.kind {
                let id = sy.contracts.len();
                sy.world.contracts.push(ContractDef {
                    name: c.name.name.clone(),
                });
                sy.add_type(None, &c.name, Type::Contract(id), sink);
                sy.contracts.push(ContractDecl {
                    ast: c,
                    interface: matches!(item.kind, ItemKind::Interface(_)),
                    variables: Vec::new(),
                    by_name: BTreeMap::new(),
                    immutables: BTreeMap::new(),
                    functions: Vec::new(),
                    modifiers: Vec::new(),
                });
                for inner in &c.items {
                    type_names(&mut sy, Some(id), inner, &mut structs, sink);
                }
            } else {
                type_names(&mut sy, None, item, &mut structs, sink);
            }
        }
    }
    // File-level constants may be lengths of arrays.
    for (_, file) in files {
        for item in &file.items {
            if let ItemKind::Variable(v) = &item.kind {
                constant_item(&mut sy, v, sink);
            }
        }
    }
    fields(&mut sy, &structs, sink);
    for name in sy.constants.keys().cloned().collect::<Vec<_>>() {
        let ty = sy
            .constants
            .get(&name)
            .map(|v| sy.resolve(None, &v.ast.ty, sink));
        if let (Some(ty), Some(constant)) = (ty, sy.constants.get_mut(&name)) {
            constant.ty = ty;
        }
    }
    // Everything with types in it.
    let mut id = 0;
    for (path, file) in files {
        for item in &file.items {
            match &item.kind {
                ItemKind::Contract(c) | ItemKind::Interface(c) => {
                    members(&mut sy, id, c, path, loader, sink);
                    id += 1;
                }
                ItemKind::Function(f) => {
                    let decl = function(&sy, None, f, item, false, sink);
                    clash(&sy.functions, &decl, sink);
                    sy.functions.push(decl);
                }
                ItemKind::Modifier(m) => sink.push(
                    Diagnostic::error("E0239", m.name.span, "a modifier belongs to a contract")
                        .label("at file level"),
                ),
                _ => other(&mut sy, None, item, path, loader, sink),
            }
        }
    }
    // Each contract has the functions at file level to itself.
    let copies = sy.contracts.len().saturating_mul(sy.functions.len());
    if let (true, Some(last)) = (copies > MAX_COPIES, sy.functions.last()) {
        let text = format!(
            "{} contracts with {} functions at file level are too many",
            sy.contracts.len(),
            sy.functions.len()
        );
        sink.push(Diagnostic::error("E0248", last.span, text).label("the last of them"));
        sy.contracts.clear();
    }
    sy
}

fn builtin_types(sy: &mut Symbols<'_>) {
    let key = |algorithm: Algorithm| {
        Type::Pq(Pq {
            algorithm,
            role: Role::PublicKey,
            level: algorithm.levels().first().copied().unwrap_or(0),
        })
    };
    let id = sy.world.structs.len();
    sy.world.structs.push(StructDef {
        name: "PQAuth".into(),
        fields: vec![
            ("mldsa_key".into(), key(Algorithm::MlDsa)),
            ("fndsa_key".into(), key(Algorithm::FnDsa)),
            ("backup_key".into(), key(Algorithm::SlhDsa)),
        ],
    });
    sy.types
        .insert((None, "PQAuth".into()), (Type::Struct(id), Span::default()));
}

fn type_names<'a>(
    sy: &mut Symbols<'a>,
    scope: Scope,
    item: &'a Item,
    structs: &mut Vec<(Scope, usize, &'a ast::Struct)>,
    sink: &mut Sink,
) {
    match &item.kind {
        ItemKind::Struct(s) => {
            let id = sy.world.structs.len();
            sy.world.structs.push(StructDef {
                name: s.name.name.clone(),
                fields: Vec::new(),
            });
            sy.add_type(scope, &s.name, Type::Struct(id), sink);
            structs.push((scope, id, s));
        }
        ItemKind::Enum(e) => {
            let id = sy.world.enums.len();
            let mut members: Vec<String> = Vec::new();
            for member in &e.members {
                if members.contains(&member.name) {
                    sink.push(
                        Diagnostic::error(
                            "E0202",
                            member.span,
                            format!("`{}` is declared twice", member.name),
                        )
                        .label("second member of this name"),
                    );
                }
                members.push(member.name.clone());
            }
            if members.is_empty() || members.len() > 256 {
                sink.push(
                    Diagnostic::error("E0225", e.name.span, "an enum has 1 to 256 members")
                        .label(format!("this one has {}", members.len())),
                );
            }
            sy.world.enums.push(EnumDef {
                name: e.name.name.clone(),
                members,
            });
            sy.add_type(scope, &e.name, Type::Enum(id), sink);
        }
        _ => {}
    }
}

fn constant_item<'a>(sy: &mut Symbols<'a>, v: &'a ast::Variable, sink: &mut Sink) {
    if !v.attributes.iter().any(|(a, _)| *a == Attribute::Constant) || v.init.is_none() {
        sink.push(
            Diagnostic::error(
                "E0226",
                v.name.span,
                "a variable at file level must be a constant",
            )
            .label("expected `constant` and a value")
            .note("state variables belong in a contract"),
        );
        return;
    }
    if let Some(first) = sy.constants.get(&v.name.name) {
        duplicate(sink, &v.name.name, first.ast.name.span, v.name.span);
        return;
    }
    sy.constants.insert(
        v.name.name.clone(),
        VariableDecl {
            ast: v,
            ty: Type::Error,
            public: false,
            constant: true,
            slot: 0,
        },
    );
}

/// Field types, in an order in which what is nested comes first; a structure that holds itself
/// is refused, other than through a mapping.
fn fields(sy: &mut Symbols<'_>, structs: &[(Scope, usize, &ast::Struct)], sink: &mut Sink) {
    // Resolved without sizes first: fields of later structures are still empty.
    let mut resolved: BTreeMap<usize, Vec<(String, Type)>> = BTreeMap::new();
    for (scope, id, s) in structs {
        let mut list: Vec<(String, Type)> = Vec::new();
        for field in &s.fields {
            if let Some(position) = list.iter().position(|(n, _)| *n == field.name.name)
                && let Some(first) = s.fields.get(position)
            {
                duplicate(sink, &field.name.name, first.name.span, field.name.span);
                continue;
            }
            list.push((field.name.name.clone(), sy.resolve(*scope, &field.ty, sink)));
        }
        if list.is_empty() {
            sink.push(
                Diagnostic::error("E0227", s.name.span, "a struct needs at least one field")
                    .label("has none"),
            );
        }
        resolved.insert(*id, list);
    }
    let mut leaves: BTreeMap<usize, Option<u64>> = BTreeMap::new();
    for (_, id, s) in structs {
        if count(*id, &resolved, &mut leaves, 0).is_none() {
            sink.push(
                Diagnostic::error(
                    "E0228",
                    s.name.span,
                    format!("`{}` holds itself or is too large", s.name.name),
                )
                .label("would have no end")
                .note("a mapping may hold a struct of any kind"),
            );
            resolved.insert(*id, vec![("broken".into(), Type::Error)]);
        }
    }
    for (id, list) in resolved {
        if let Some(definition) = sy.world.structs.get_mut(id) {
            definition.fields = list;
        }
    }
}

/// Leaves of a structure; none when it holds itself or has too many.
fn count(
    id: usize,
    all: &BTreeMap<usize, Vec<(String, Type)>>,
    known: &mut BTreeMap<usize, Option<u64>>,
    depth: u32,
) -> Option<u64> {
    if let Some(done) = known.get(&id) {
        return *done;
    }
    if depth > 32 {
        return None;
    }
    // Met again before it is done: it holds itself.
    known.insert(id, None);
    let mut sum = 0u64;
    for (_, ty) in all.get(&id).map(Vec::as_slice).unwrap_or(&[]) {
        let mut inner = ty;
        while let Type::Array(e, _) | Type::List(e) = inner {
            inner = e;
        }
        sum = sum.saturating_add(match inner {
            Type::Struct(other) => count(*other, all, known, depth + 1)?,
            _ => 1,
        });
    }
    let result = (sum <= MAX_LEAVES).then_some(sum);
    known.insert(id, result);
    result
}

fn other(
    sy: &mut Symbols<'_>,
    scope: Scope,
    item: &Item,
    path: &str,
    loader: &dyn SourceLoader,
    sink: &mut Sink,
) {
    match &item.kind {
        ItemKind::Event(e) => {
            if let Some(declared) = event(sy, scope, &e.name, &e.params, true, sink) {
                let list = sy.events.entry((scope, e.name.name.clone())).or_default();
                if let Some(first) = list.iter().find(|d| d.hash == declared.hash) {
                    duplicate(sink, &e.name.name, first.span, e.name.span);
                    return;
                }
                list.push(declared);
            }
        }
        ItemKind::Error(e) => {
            if let Some(declared) = event(sy, scope, &e.name, &e.params, false, sink) {
                if let Some(first) = sy.errors.get(&(scope, e.name.name.clone())) {
                    duplicate(sink, &e.name.name, first.span, e.name.span);
                    return;
                }
                sy.errors.insert((scope, e.name.name.clone()), declared);
            }
        }
        ItemKind::Model(m) => {
            if sy.models.contains_key(&m.name.name) {
                sink.push(
                    Diagnostic::error(
                        "E0202",
                        m.name.span,
                        format!("`{}` is declared twice", m.name.name),
                    )
                    .label("second model of this name"),
                );
                return;
            }
            let model = sy.model(m, path, loader, sink);
            sy.models.insert(m.name.name.clone(), sy.model_defs.len());
            sy.model_defs.push(model);
        }
        _ => {}
    }
}

fn event(
    sy: &Symbols<'_>,
    scope: Scope,
    name: &ast::Ident,
    params: &[ast::Param],
    is_event: bool,
    sink: &mut Sink,
) -> Option<EventDecl> {
    let mut list = Vec::new();
    let mut types = Vec::new();
    let mut good = true;
    for param in params {
        let ty = sy.resolve(scope, &param.ty, sink);
        match sy.world.abi_name(&ty) {
            Some(text) => types.push(text),
            None => {
                good = false;
                if ty != Type::Error {
                    let text = sy.world.name(&ty);
                    sink.push(
                        Diagnostic::error(
                            "E0322",
                            param.ty.span,
                            format!("`{text}` has no ABI encoding"),
                        )
                        .label("cannot leave the contract"),
                    );
                }
            }
        }
        list.push(EventParam {
            name: param
                .name
                .as_ref()
                .map_or(String::new(), |n| n.name.clone()),
            ty,
            indexed: param.indexed,
        });
    }
    if is_event && list.iter().filter(|p| p.indexed).count() > 3 {
        sink.push(
            Diagnostic::error(
                "E0229",
                name.span,
                "an event has at most 3 indexed parameters",
            )
            .label("has more"),
        );
        good = false;
    }
    let hash = alloy_primitives::keccak256(format!("{}({})", name.name, types.join(","))).0;
    good.then(|| EventDecl {
        name: name.name.clone(),
        params: list,
        hash,
        span: name.span,
    })
}
