//! State of checking one contract, and the conversions that happen by themselves.

use std::collections::BTreeMap;
use std::rc::Rc;

use alloy_primitives::{U256, aliases::U512};

use super::modifiers::{Around, Layer};
use super::symbols::{Scope, Symbols};
use crate::diagnostics::{Diagnostic, Sink};
use crate::ir::*;
use crate::source::Span;

pub(crate) struct Checker<'s, 'a> {
    pub sy: &'s Symbols<'a>,
    pub sink: &'s mut Sink,
    /// The contract being checked.
    pub scope: Scope,
    pub out: Contract,
    /// Number of each function in `out`, by `(free, index of declaration)`.
    pub numbers: BTreeMap<(bool, usize), usize>,
    /// Functions by name, as in `numbers`.
    pub names: BTreeMap<&'s str, Vec<(bool, usize)>>,
    pub state: State,
    pub in_constructor: bool,
}

/// State of checking one function.
#[derive(Default)]
pub(crate) struct State {
    pub locals: Vec<Local>,
    /// Names in reach; true for what cannot be assigned to.
    pub scopes: Vec<BTreeMap<String, (usize, bool)>>,
    pub returns: Vec<Type>,
    /// The result is a reference to state.
    pub returns_storage: bool,
    pub named_returns: Option<Vec<usize>>,
    pub loops: u32,
    pub pqc: u32,
    pub outlined: u32,
    pub unchecked: bool,
    pub effects: Effects,
    pub calls: Vec<usize>,
    /// Depth of constants being expanded.
    pub constants: u32,
    /// Modifiers around the function, and which of them is being checked.
    pub around: Option<Rc<Around>>,
    pub layer: Option<Layer>,
}

pub(crate) fn broken(span: Span) -> Expr {
    Expr {
        kind: Kind::Error,
        ty: Type::Error,
        span,
    }
}

pub(crate) fn constant(value: U256, ty: Type, span: Span) -> Expr {
    Expr {
        kind: Kind::Const(value),
        ty,
        span,
    }
}

/// Two's complement of a literal.
fn signed(negative: bool, magnitude: U256) -> U256 {
    if negative {
        magnitude.wrapping_neg()
    } else {
        magnitude
    }
}

/// Tells whether a literal is one of the type's numbers.
pub(crate) fn fits(negative: bool, magnitude: U512, ty: &Type) -> bool {
    match ty {
        Type::UInt(bits) => {
            (!negative || magnitude.is_zero()) && magnitude.bit_len() <= usize::from(*bits)
        }
        Type::Int(bits) => {
            let half = U512::from(1) << (usize::from(*bits) - 1);
            magnitude < half || (negative && magnitude == half)
        }
        _ => false,
    }
}

impl Checker<'_, '_> {
    pub fn name(&self, ty: &Type) -> String {
        self.sy.world.name(ty)
    }

    pub fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) {
        self.sink
            .push(Diagnostic::error(code, span, message).label(label));
    }

    pub fn declare(&mut self, name: &str, ty: Type, storage: bool, span: Span) -> usize {
        let id = self.state.locals.len();
        if let Some(scope) = self.state.scopes.last_mut()
            && !name.is_empty()
            && let Some((old, _)) = scope.insert(name.to_owned(), (id, false))
            && let Some(old) = self.state.locals.get(old)
        {
            let place = old.span;
            self.sink.push(
                Diagnostic::error("E0202", span, format!("`{name}` is declared twice"))
                    .label("second declaration")
                    .also(place, "first declaration"),
            );
        }
        self.state.locals.push(Local {
            name: name.to_owned(),
            ty,
            storage,
            mutated: false,
            span,
        });
        id
    }

    /// A local without a name.
    pub fn temporary(&mut self, ty: Type, span: Span) -> usize {
        self.declare("", ty, false, span)
    }

    pub fn freeze(&mut self, name: &str) {
        if let Some(entry) = self.state.scopes.last_mut().and_then(|s| s.get_mut(name)) {
            entry.1 = true;
        }
    }

    pub fn local(&self, name: &str) -> Option<(usize, bool)> {
        self.state
            .scopes
            .iter()
            .rev()
            .find_map(|s| s.get(name).copied())
    }

    pub fn read_local(&self, id: usize, span: Span) -> Expr {
        let (ty, storage) = self
            .state
            .locals
            .get(id)
            .map_or((Type::Error, false), |l| (l.ty.clone(), l.storage));
        Expr {
            ty: ty.clone(),
            kind: Kind::Read(Place {
                kind: PlaceKind::Local(id),
                ty,
                storage,
            }),
            span,
        }
    }

    /// Gives a literal without a type the one it has by itself.
    pub fn settle(&mut self, expr: Expr) -> Expr {
        match &expr.kind {
            Kind::Number(negative, _) => {
                let ty = if *negative {
                    Type::Int(256)
                } else {
                    Type::U256
                };
                self.coerce(expr, &ty)
            }
            Kind::Ternary(..) if expr.ty == Type::Number => self.coerce(expr, &Type::U256),
            _ => expr,
        }
    }

    /// Tells whether a value of one type becomes the other by itself.
    pub fn converts(&self, expr: &Expr, to: &Type) -> bool {
        match (&expr.ty, to) {
            (Type::Error, _) | (_, Type::Error) => true,
            (from, to) if from == to => true,
            (Type::Number, to) => match &expr.kind {
                Kind::Number(negative, magnitude) => fits(*negative, *magnitude, to),
                Kind::Ternary(_, a, b) => self.converts(a, to) && self.converts(b, to),
                _ => false,
            },
            (Type::UInt(a), Type::UInt(b)) | (Type::Int(a), Type::Int(b)) => a < b,
            (Type::Contract(_), Type::Address) => true,
            (Type::Pq(_), Type::Bytes) => true,
            (Type::String, Type::Bytes) => matches!(expr.kind, Kind::Literal(_)),
            (Type::String | Type::Bytes, Type::Bytes32) => {
                matches!(&expr.kind, Kind::Literal(b) if b.len() <= 32)
            }
            (Type::Array(e, n), Type::Array(f, m)) => {
                n == m
                    && matches!(&expr.kind, Kind::Aggregate(list)
                    if e != f && list.iter().all(|x| self.converts(x, f)))
            }
            (Type::Array(_, _), Type::List(f)) => {
                matches!(&expr.kind, Kind::Aggregate(list) if list.iter().all(|x| self.converts(x, f)))
            }
            (Type::Tuple(_), Type::Tuple(b)) => match &expr.kind {
                Kind::Tuple(parts) => {
                    parts.len() == b.len() && parts.iter().zip(b).all(|(p, t)| self.converts(p, t))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Converts a value to a type where the language does that by itself; otherwise reports.
    pub fn coerce(&mut self, expr: Expr, to: &Type) -> Expr {
        if matches!(to, Type::Error) || expr.ty == Type::Error || expr.ty == *to {
            return expr;
        }
        if !self.converts(&expr, to) {
            self.mismatch(&expr, to);
            return broken(expr.span);
        }
        let span = expr.span;
        let ty = to.clone();
        match (expr.kind, to) {
            (Kind::Number(negative, magnitude), _) => {
                constant(signed(negative, U256::saturating_from(magnitude)), ty, span)
            }
            (Kind::Ternary(c, a, b), _) if expr.ty == Type::Number => {
                let a = self.coerce(*a, to);
                let b = self.coerce(*b, to);
                Expr {
                    kind: Kind::Ternary(c, Box::new(a), Box::new(b)),
                    ty,
                    span,
                }
            }
            (Kind::Literal(bytes), Type::Bytes32) => {
                let mut word = [0; 32];
                for (to, from) in word.iter_mut().zip(&bytes) {
                    *to = *from;
                }
                constant(U256::from_be_bytes(word), ty, span)
            }
            (kind @ Kind::Literal(_), _) => Expr { kind, ty, span },
            (Kind::Aggregate(list), Type::Array(element, _) | Type::List(element)) => {
                let element = Type::clone(element);
                let list = list.into_iter().map(|e| self.coerce(e, &element)).collect();
                Expr {
                    kind: Kind::Aggregate(list),
                    ty,
                    span,
                }
            }
            (Kind::Tuple(list), Type::Tuple(types)) => {
                let list = list
                    .into_iter()
                    .zip(types)
                    .map(|(e, t)| self.coerce(e, t))
                    .collect();
                Expr {
                    kind: Kind::Tuple(list),
                    ty,
                    span,
                }
            }
            (kind, _) => Expr {
                kind: Kind::Convert(Box::new(Expr {
                    kind,
                    ty: expr.ty,
                    span,
                })),
                ty,
                span,
            },
        }
    }

    fn mismatch(&mut self, expr: &Expr, to: &Type) {
        let want = self.name(to);
        if let Kind::Number(negative, magnitude) = &expr.kind
            && to.is_integer()
        {
            let sign = if *negative { "-" } else { "" };
            self.error(
                "E0302",
                expr.span,
                format!("{sign}{magnitude} does not fit `{want}`"),
                "out of range",
            );
            return;
        }
        let found = self.name(&expr.ty);
        let mut diagnostic = Diagnostic::error(
            "E0301",
            expr.span,
            format!("expected a value of type `{want}`, found `{found}`"),
        )
        .label(format!("this is `{found}`"));
        let castable = (expr.ty.is_integer() && to.is_integer())
            || matches!(
                (&expr.ty, to),
                (
                    Type::String | Type::Bytes,
                    Type::Bytes | Type::String | Type::Pq(_)
                ) | (Type::Address, Type::Contract(_))
                    | (Type::Number, Type::Address)
                    | (Type::UInt(256), Type::Bytes32)
                    | (Type::Bytes32, Type::UInt(256))
            );
        if castable {
            diagnostic = diagnostic.note(format!("a conversion is written `{want}(…)`"));
        }
        match (&expr.ty, to) {
            (Type::Pq(a), Type::Pq(b)) if a.algorithm == b.algorithm && a.role == b.role => {
                diagnostic = diagnostic.note("keys and signatures of different levels do not mix");
            }
            (Type::Mapping(..), _) => {
                diagnostic = diagnostic.note("a mapping is no value: name one of its entries");
            }
            (Type::Tuple(parts), _) if parts.is_empty() => {
                diagnostic = diagnostic.note("the call returns nothing");
            }
            (_, Type::Bool) if expr.ty.is_integer() || expr.ty == Type::Number => {
                diagnostic = diagnostic.note("compare it: `x != 0`");
            }
            _ => {}
        }
        self.sink.push(diagnostic);
    }

    /// A value of its own: what is read from another place in memory is copied.
    pub fn own(&self, expr: Expr) -> Expr {
        if self.shared(&expr) {
            Expr {
                ty: expr.ty.clone(),
                span: expr.span,
                kind: Kind::Copy(Box::new(expr)),
            }
        } else {
            expr
        }
    }

    fn shared(&self, expr: &Expr) -> bool {
        if !matches!(
            expr.ty,
            Type::Bytes | Type::List(_) | Type::Array(..) | Type::Struct(_)
        ) {
            return false;
        }
        match &expr.kind {
            Kind::Read(place) => !place.storage && !matches!(place.kind, PlaceKind::Temp(_)),
            Kind::Literal(_) => true,
            Kind::Convert(inner) => inner.ty.is_bytes(),
            Kind::Ternary(_, a, b) => self.shared(a) || self.shared(b),
            _ => false,
        }
    }

    /// Notes that a place in memory is written to.
    pub fn mutate(&mut self, place: &Place) {
        if place.storage {
            self.state.effects.reads = true;
            self.state.effects.writes = true;
        } else if !matches!(place.kind, PlaceKind::Local(_))
            && let Some(local) = place
                .root_local()
                .and_then(|id| self.state.locals.get_mut(id))
        {
            local.mutated = true;
        }
    }
}
