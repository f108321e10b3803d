//! Names for what is computed: two things have one name when they are equal wherever both
//! can be computed.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::ir::tree::{Builtin, Expr, Function, Kind, Place, PlaceKind, Stmt};
use crate::ir::types::Type;
use crate::ir::visit::{Visit, walk_expr, walk_stmt};

/// Locals that do not keep one value from their declaration on.
pub(super) fn changed(function: &mut Function) -> BTreeSet<usize> {
    struct Changes {
        declared: BTreeSet<usize>,
        changed: BTreeSet<usize>,
    }
    impl Changes {
        fn target(&mut self, p: &Place) {
            if (!p.storage || matches!(p.kind, PlaceKind::Local(_)))
                && let Some(id) = p.root_local()
            {
                self.changed.insert(id);
            }
        }
        fn declare(&mut self, id: usize) {
            if !self.declared.insert(id) {
                self.changed.insert(id);
            }
        }
    }
    impl Visit for Changes {
        fn expr(&mut self, e: &mut Expr) {
            match &e.kind {
                Kind::Assign(p, ..) | Kind::Increment(p, ..) | Kind::Push(p, _) | Kind::Pop(p) => {
                    self.target(p)
                }
                _ => {}
            }
            walk_expr(self, e);
        }
        fn stmt(&mut self, s: &mut Stmt) {
            match s {
                Stmt::Let(id, _) => self.declare(*id),
                Stmt::LetMany(ids, _) => ids.iter().flatten().for_each(|id| self.declare(*id)),
                Stmt::AssignMany(places, _) => {
                    places.iter().flatten().for_each(|p| self.target(p));
                }
                Stmt::Delete(p) => self.target(p),
                Stmt::GasLimit(_, _, captured) => self.changed.extend(captured.iter()),
                _ => {}
            }
            walk_stmt(self, s);
        }
    }
    let all = function.locals.iter().enumerate();
    let mut changes = Changes {
        declared: (0..function.params).collect(),
        changed: all.filter(|(_, l)| l.mutated).map(|(id, _)| id).collect(),
    };
    let mut body = std::mem::take(&mut function.body);
    body.iter_mut().for_each(|s| changes.stmt(s));
    function.body = body;
    changes.changed
}

/// Gives equal names to places and values that are equal wherever they are computed.
pub(super) struct Names {
    pub changed: BTreeSet<usize>,
    /// Facts about the call stay what they are.
    pub facts: bool,
}

/// A name, and the locals that it depends on.
#[derive(Default)]
pub(super) struct Name {
    pub text: String,
    pub locals: Vec<usize>,
}

impl Names {
    fn keeps(&self, id: usize, name: &mut Name) -> bool {
        name.locals.push(id);
        !self.changed.contains(&id)
    }

    pub fn place(&self, p: &Place, name: &mut Name) -> bool {
        match &p.kind {
            PlaceKind::Local(id) => {
                let _ = write!(name.text, "r{id};");
                p.storage && self.keeps(*id, name)
            }
            PlaceKind::State(slot) => {
                let _ = write!(name.text, "s{slot};");
                true
            }
            PlaceKind::Field(base, field) => {
                let known = self.place(base, name);
                let _ = write!(name.text, ".{field};");
                known
            }
            PlaceKind::Key(base, key) => {
                let known = self.place(base, name) && {
                    name.text.push('[');
                    self.value(key, name)
                };
                name.text.push(']');
                known
            }
            PlaceKind::Index(..) | PlaceKind::Temp(_) | PlaceKind::At(_) => false,
        }
    }

    fn value(&self, e: &Expr, name: &mut Name) -> bool {
        match &e.kind {
            Kind::Const(value) => {
                let _ = write!(name.text, "c{value:x};");
                true
            }
            Kind::Literal(bytes) => {
                let _ = write!(name.text, "t{};", hex::encode(bytes));
                true
            }
            Kind::Read(Place {
                kind: PlaceKind::Local(id),
                storage: false,
                ..
            }) => {
                let _ = write!(name.text, "v{id};");
                self.keeps(*id, name)
            }
            Kind::Builtin(builtin, _) if self.is_fact(*builtin) => {
                let _ = write!(name.text, "{builtin:?};");
                true
            }
            // To an enumeration it may fail.
            Kind::Convert(inner) if !matches!(e.ty, Type::Enum(_)) => {
                let known = self.value(inner, name);
                let _ = write!(name.text, "{:?};", e.ty);
                known
            }
            _ => false,
        }
    }

    /// Facts about the call, each a host call to ask.
    pub fn is_fact(&self, builtin: Builtin) -> bool {
        self.facts
            && matches!(
                builtin,
                Builtin::Sender
                    | Builtin::Value
                    | Builtin::Origin
                    | Builtin::This
                    | Builtin::BlockNumber
                    | Builtin::Timestamp
                    | Builtin::ChainId
            )
    }
}
