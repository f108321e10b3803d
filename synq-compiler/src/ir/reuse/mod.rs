//! What a function computes twice at the price of a host call, it computes once: the slot of a
//! mapping's entry, a value in state that nothing has changed in between, the sender and
//! other facts about the call.
//!
//! A value is kept from the first place on where it is computed for sure, so that nothing runs
//! that would not have run; computing it can neither fail nor change anything. Slots and
//! facts hold to the end of their block, values in state to the next statement that may
//! write to state or call something that does.

mod names;

use std::collections::BTreeMap;
use std::fmt::Write;

use self::names::{Name, Names, changed};
use super::tree::{Builtin, Contract, Expr, Kind, Local, Place, PlaceKind, Stmt};
use super::types::Type;
use super::visit::{Around, Visit, walk_expr, walk_place, walk_stmt};
use crate::source::Span;

/// New locals in a function at most; each costs a little at entry.
const MAX_NEW: usize = 48;
/// Values of one kind that one block keeps at most in one round.
const MAX_KEPT: usize = 16;
/// Slots lead to slots: rounds of looking for them.
const ROUNDS: usize = 3;
/// Blocks inside of one another that a block looks into; what lies deeper looks after itself.
/// It keeps the time proportional to the length of the source.
const DEEP: usize = 8;

/// Rewrites all functions.
pub(crate) fn reuse(contract: &mut Contract) {
    let writes: Vec<bool> = contract
        .functions
        .iter()
        .map(|f| f.effects.writes)
        .collect();
    let facts = !asks_the_chain(contract);
    for function in &mut contract.functions {
        let changed = changed(function);
        let mut body = std::mem::take(&mut function.body);
        let mut pass = Pass {
            writes: &writes,
            names: Names { changed, facts },
            limit: function.locals.len() + MAX_NEW,
            locals: &mut function.locals,
        };
        pass.block(&mut body);
        function.body = body;
    }
}

/// A function of the host chain may change what a contract sees of the chain: those of
/// `synqc test` set the time.
fn asks_the_chain(contract: &mut Contract) -> bool {
    struct Asks(bool);
    impl Visit for Asks {
        fn expr(&mut self, e: &mut Expr) {
            self.0 |= matches!(e.kind, Kind::Extension { .. });
            walk_expr(self, e);
        }
    }
    let mut asks = Asks(false);
    let bodies = contract.functions.iter_mut().map(|f| &mut f.body);
    bodies.flatten().for_each(|s| asks.stmt(s));
    asks.0
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Slots of entries, and facts about the call.
    Lasting,
    /// Values in state.
    Loads,
}

/// Something that is computed more than once.
struct Found {
    /// Statement that computes it for sure.
    first: usize,
    count: u32,
    locals: Vec<usize>,
    kept: Kept,
}

enum Kept {
    Slot(Place, Span),
    Value(Expr),
}

struct Count<'n> {
    names: &'n Names,
    what: What,
    around: Vec<Around>,
    index: usize,
    /// Where locals of the block are declared.
    declared: BTreeMap<usize, usize>,
    found: BTreeMap<String, Found>,
    span: Span,
}

impl Count<'_> {
    fn note(&mut self, name: Name, kept: impl FnOnce() -> Kept) {
        let weight = 1 + u32::from(self.around.contains(&Around::Again));
        let sure = !self.around.contains(&Around::Branch);
        match self.found.get_mut(&name.text) {
            Some(found) => found.count += weight,
            None if sure => {
                let found = Found {
                    first: self.index,
                    count: weight,
                    locals: name.locals,
                    kept: kept(),
                };
                self.found.insert(name.text, found);
            }
            None => {}
        }
    }
}

impl Visit for Count<'_> {
    fn expr(&mut self, e: &mut Expr) {
        self.span = e.span;
        if let Some(name) = wanted_value(self.names, self.what, e) {
            self.note(name, || Kept::Value(e.clone()));
        }
        walk_expr(self, e);
    }

    fn place(&mut self, p: &mut Place) {
        if let Some(name) = wanted_slot(self.names, self.what, p) {
            let span = self.span;
            self.note(name, || Kept::Slot(p.clone(), span));
        }
        walk_place(self, p);
    }

    fn stmt(&mut self, s: &mut Stmt) {
        if self.around.len() > DEEP {
            return;
        }
        match s {
            Stmt::Let(id, _) => {
                self.declared.insert(*id, self.index);
            }
            Stmt::LetMany(ids, _) => {
                let ids = ids.iter().flatten();
                self.declared.extend(ids.map(|id| (*id, self.index)));
            }
            _ => {}
        }
        walk_stmt(self, s);
    }

    fn enter(&mut self, around: Around) {
        self.around.push(around);
    }

    fn leave(&mut self, _: Around) {
        self.around.pop();
    }
}

fn wanted_value(names: &Names, what: What, e: &Expr) -> Option<Name> {
    let mut name = Name::default();
    let known = match (&e.kind, what) {
        (Kind::Builtin(builtin, _), What::Lasting) if names.is_fact(*builtin) => {
            let _ = write!(name.text, "{builtin:?};{:?}", e.ty);
            true
        }
        (Kind::Read(p), What::Loads) if p.storage && p.ty.is_value() => {
            name.text.push('=');
            names.place(p, &mut name)
        }
        (Kind::Length(p), What::Loads) if p.storage && matches!(p.ty, Type::List(_)) => {
            name.text.push('#');
            names.place(p, &mut name)
        }
        _ => false,
    };
    known.then_some(name)
}

fn wanted_slot(names: &Names, what: What, p: &Place) -> Option<Name> {
    let mut name = Name::default();
    let known =
        what == What::Lasting && matches!(p.kind, PlaceKind::Key(..)) && names.place(p, &mut name);
    known.then_some(name)
}

/// Puts kept values in the place of computed ones.
struct Replace<'n> {
    names: &'n Names,
    what: What,
    index: usize,
    /// By name: the statement from which on it is kept, and the local.
    kept: &'n BTreeMap<String, (usize, usize)>,
}

impl Replace<'_> {
    fn local(&self, name: Option<Name>) -> Option<usize> {
        let (first, local) = self.kept.get(&name?.text)?;
        (self.index >= *first).then_some(*local)
    }
}

impl Visit for Replace<'_> {
    fn expr(&mut self, e: &mut Expr) {
        if let Some(local) = self.local(wanted_value(self.names, self.what, e)) {
            e.kind = Kind::Read(Place {
                kind: PlaceKind::Local(local),
                ty: e.ty.clone(),
                storage: false,
            });
            return;
        }
        walk_expr(self, e);
    }

    fn place(&mut self, p: &mut Place) {
        if let Some(local) = self.local(wanted_slot(self.names, self.what, p)) {
            p.kind = PlaceKind::Local(local);
            return;
        }
        walk_place(self, p);
    }
}

/// Tells whether something may write to state.
struct Writes<'w> {
    writes: &'w [bool],
    depth: usize,
    found: bool,
}

impl Visit for Writes<'_> {
    fn expr(&mut self, e: &mut Expr) {
        self.found |= match &e.kind {
            Kind::Assign(p, ..) | Kind::Increment(p, ..) | Kind::Push(p, _) | Kind::Pop(p) => {
                p.storage
            }
            Kind::Call(id, _) => self.writes.get(*id).copied().unwrap_or(true),
            Kind::External { readonly, .. } => !readonly,
            Kind::Extension { view, .. } => !view,
            Kind::Builtin(Builtin::CallContract, _) => true,
            _ => false,
        };
        walk_expr(self, e);
    }

    fn stmt(&mut self, s: &mut Stmt) {
        if self.found || self.depth > DEEP {
            self.found = true;
            return;
        }
        self.found |= match s {
            Stmt::Delete(p) => p.storage,
            Stmt::AssignMany(places, _) => places.iter().flatten().any(|p| p.storage),
            Stmt::RequirePqc(..) | Stmt::GasLimit(..) => true,
            _ => false,
        };
        walk_stmt(self, s);
    }

    fn enter(&mut self, _: Around) {
        self.depth += 1;
    }

    fn leave(&mut self, _: Around) {
        self.depth -= 1;
    }
}

struct Pass<'a> {
    writes: &'a [bool],
    names: Names,
    locals: &'a mut Vec<Local>,
    limit: usize,
}

impl Pass<'_> {
    fn block(&mut self, list: &mut Vec<Stmt>) {
        for _ in 0..ROUNDS {
            if !self.keep(list, What::Lasting, 0..list.len()) {
                break;
            }
        }
        let mut start = 0;
        while start < list.len() {
            let end = self.region(list, start);
            let before = list.len();
            self.keep(list, What::Loads, start..end);
            // What was put in lies inside; the statement that ended the region is done.
            start = (end + list.len() - before).max(start + 1);
        }
        for statement in list {
            match statement {
                Stmt::Block(body) | Stmt::Loop { body, .. } => self.block(body),
                Stmt::If(_, a, b) | Stmt::RequirePqc(a, b) => {
                    self.block(a);
                    self.block(b);
                }
                _ => {}
            }
        }
    }

    fn may_write(&self, visit: impl FnOnce(&mut Writes<'_>)) -> bool {
        let mut writes = Writes {
            writes: self.writes,
            depth: 0,
            found: false,
        };
        visit(&mut writes);
        writes.found
    }

    /// End of the statements from `start` on between which state does not change. The last
    /// may be an assignment: its parts are computed before it writes.
    fn region(&self, list: &mut [Stmt], start: usize) -> usize {
        for (index, statement) in list.iter_mut().enumerate().skip(start) {
            if !self.may_write(|w| w.stmt(statement)) {
                continue;
            }
            let parts = match statement {
                Stmt::Expr(Expr {
                    kind: Kind::Assign(place, _, value),
                    ..
                }) => self.may_write(|w| {
                    w.expr(value);
                    w.place(place);
                }),
                _ => true,
            };
            return index + usize::from(!parts);
        }
        list.len()
    }

    /// Keeps what the statements in a range compute more than once. Tells whether there was
    /// anything.
    fn keep(&mut self, list: &mut Vec<Stmt>, what: What, range: std::ops::Range<usize>) -> bool {
        let mut count = Count {
            names: &self.names,
            what,
            around: Vec::new(),
            index: 0,
            declared: BTreeMap::new(),
            found: BTreeMap::new(),
            span: Span::default(),
        };
        for index in range.clone() {
            count.index = index;
            if let Some(statement) = list.get_mut(index) {
                count.stmt(statement);
            }
        }
        let declared = count.declared;
        let mut found: Vec<(String, Found)> = count
            .found
            .into_iter()
            .filter(|(_, f)| f.count > 1)
            .filter(|(_, f)| {
                f.locals
                    .iter()
                    .all(|id| declared.get(id).is_none_or(|at| *at < f.first))
            })
            .collect();
        // The longest first; what only occurs inside of others waits for the next round.
        found.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        found.truncate(4 * MAX_KEPT);
        let mut kept = BTreeMap::new();
        let mut new: Vec<(usize, Stmt)> = Vec::new();
        let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
        for (at, (name, found)) in found.into_iter().enumerate() {
            let inside = names.iter().take(at).any(|longer| longer.contains(&name));
            if inside || kept.len() >= MAX_KEPT || self.locals.len() >= self.limit {
                continue;
            }
            let id = self.locals.len();
            let (local, value) = match found.kept {
                Kept::Slot(place, span) => (
                    (place.ty.clone(), true, span),
                    Expr {
                        ty: place.ty.clone(),
                        kind: Kind::Slot(place),
                        span,
                    },
                ),
                Kept::Value(value) => ((value.ty.clone(), false, value.span), value),
            };
            let (ty, storage, span) = local;
            self.locals.push(Local {
                name: String::new(),
                ty,
                storage,
                mutated: false,
                span,
            });
            kept.insert(name, (found.first, id));
            new.push((found.first, Stmt::Let(id, Some(value))));
        }
        if new.is_empty() {
            return false;
        }
        let mut replace = Replace {
            names: &self.names,
            what,
            index: 0,
            kept: &kept,
        };
        for index in range {
            replace.index = index;
            if let Some(statement) = list.get_mut(index) {
                replace.stmt(statement);
            }
        }
        // From the back, so that indices stay good.
        new.sort_by_key(|(first, _)| std::cmp::Reverse(*first));
        for (first, statement) in new {
            list.insert(first, statement);
        }
        true
    }
}
