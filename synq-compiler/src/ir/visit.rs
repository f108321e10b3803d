//! Going through statements, expressions and places, in the order in which they run.

use super::tree::{Expr, Failure, Kind, Place, PlaceKind, Stmt};

/// What is done on the way. Each method goes on into the parts by default.
pub(crate) trait Visit {
    /// At an expression.
    fn expr(&mut self, e: &mut Expr) {
        walk_expr(self, e);
    }
    /// At a place.
    fn place(&mut self, p: &mut Place) {
        walk_place(self, p);
    }
    /// At a statement.
    fn stmt(&mut self, s: &mut Stmt) {
        walk_stmt(self, s);
    }
    /// What follows, up to [`leave`](Self::leave), may not run, or may run several times.
    fn enter(&mut self, _: Around) {}
    /// The end of what [`enter`](Self::enter) began.
    fn leave(&mut self, _: Around) {}
}

/// What makes code run not exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    /// It may be passed over.
    Branch,
    /// It may run again; the first time it runs for sure.
    Again,
}

fn list<V: Visit + ?Sized>(v: &mut V, list: &mut [Expr]) {
    list.iter_mut().for_each(|e| v.expr(e));
}

fn maybe<V: Visit + ?Sized>(v: &mut V, e: &mut Expr) {
    v.enter(Around::Branch);
    v.expr(e);
    v.leave(Around::Branch);
}

/// The parts of an expression.
pub(crate) fn walk_expr<V: Visit + ?Sized>(v: &mut V, e: &mut Expr) {
    match &mut e.kind {
        Kind::Const(_) | Kind::Number(..) | Kind::Literal(_) | Kind::Error => {}
        Kind::Read(p) | Kind::Slot(p) | Kind::Length(p) | Kind::Pop(p) | Kind::IsNull(p) => {
            v.place(p);
        }
        Kind::Increment(p, ..) => v.place(p),
        Kind::Neg(a, _)
        | Kind::Not(a)
        | Kind::BitNot(a)
        | Kind::Convert(a)
        | Kind::Copy(a)
        | Kind::New(a)
        | Kind::Decode(a) => v.expr(a),
        Kind::Arith(_, a, b, _) | Kind::Compare(_, a, b) => {
            v.expr(a);
            v.expr(b);
        }
        Kind::And(a, b) | Kind::Or(a, b) => {
            v.expr(a);
            maybe(v, b);
        }
        Kind::Ternary(c, a, b) => {
            v.expr(c);
            maybe(v, a);
            maybe(v, b);
        }
        Kind::Call(_, args)
        | Kind::Builtin(_, args)
        | Kind::Aggregate(args)
        | Kind::Tuple(args)
        | Kind::Extension { args, .. }
        | Kind::Infer(_, args) => list(v, args),
        Kind::Assign(place, _, value) => {
            v.expr(value);
            v.place(place);
        }
        Kind::Encode { selector, args, .. } => {
            selector.iter_mut().for_each(|s| v.expr(s));
            list(v, args);
        }
        Kind::External {
            target,
            args,
            value,
            gas,
            ..
        } => {
            v.expr(target);
            value.iter_mut().for_each(|e| v.expr(e));
            gas.iter_mut().for_each(|e| v.expr(e));
            list(v, args);
        }
        Kind::Push(place, value) => {
            value.iter_mut().for_each(|e| v.expr(e));
            v.place(place);
        }
    }
}

/// The parts of a place.
pub(crate) fn walk_place<V: Visit + ?Sized>(v: &mut V, p: &mut Place) {
    match &mut p.kind {
        PlaceKind::Local(_) | PlaceKind::State(_) => {}
        PlaceKind::Temp(e) | PlaceKind::At(e) => v.expr(e),
        PlaceKind::Field(base, _) => v.place(base),
        PlaceKind::Index(base, e) | PlaceKind::Key(base, e) => {
            v.place(base);
            v.expr(e);
        }
    }
}

fn block<V: Visit + ?Sized>(v: &mut V, body: &mut [Stmt]) {
    v.enter(Around::Branch);
    body.iter_mut().for_each(|s| v.stmt(s));
    v.leave(Around::Branch);
}

fn failure<V: Visit + ?Sized>(v: &mut V, f: &mut Failure) {
    v.enter(Around::Branch);
    match f {
        Failure::Computed(e) => v.expr(e),
        Failure::Custom(_, args) => list(v, args),
        Failure::Empty | Failure::Text(_) | Failure::Panic(_) | Failure::Pq => {}
    }
    v.leave(Around::Branch);
}

/// The parts of a statement.
pub(crate) fn walk_stmt<V: Visit + ?Sized>(v: &mut V, s: &mut Stmt) {
    match s {
        Stmt::At(_) | Stmt::Break | Stmt::Continue => {}
        Stmt::Let(_, None) | Stmt::Return(None) => {}
        Stmt::Block(body) => body.iter_mut().for_each(|s| v.stmt(s)),
        Stmt::Expr(e) | Stmt::Let(_, Some(e)) | Stmt::LetMany(_, e) | Stmt::Return(Some(e)) => {
            v.expr(e);
        }
        Stmt::GasLimit(e, ..) => v.expr(e),
        Stmt::AssignMany(places, e) => {
            v.expr(e);
            places.iter_mut().flatten().for_each(|p| v.place(p));
        }
        Stmt::If(c, a, b) => {
            v.expr(c);
            block(v, a);
            block(v, b);
        }
        Stmt::Loop {
            condition,
            late,
            body,
            step,
        } => {
            v.enter(Around::Again);
            if let (Some(c), false) = (&mut *condition, *late) {
                v.expr(c);
            }
            block(v, body);
            block(v, step);
            if let (Some(c), true) = (condition, late) {
                maybe(v, c);
            }
            v.leave(Around::Again);
        }
        Stmt::Emit(_, args) => list(v, args),
        Stmt::Require(c, f) => {
            v.expr(c);
            failure(v, f);
        }
        Stmt::Fail(f) => failure(v, f),
        Stmt::Delete(p) => v.place(p),
        Stmt::RequirePqc(body, otherwise) => {
            block(v, body);
            block(v, otherwise);
        }
    }
}
