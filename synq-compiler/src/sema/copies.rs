//! Copies that depend on the whole of a function.

use crate::ir::visit::{Visit, walk_expr};
use crate::ir::*;

/// A text or a key that is made of bytes in memory shares them as long as nothing changes the
/// bytes; it gets a copy where something in the function does.
pub(super) fn own_texts(contract: &mut Contract) {
    struct Pass<'l>(&'l [Local]);
    impl Visit for Pass<'_> {
        fn expr(&mut self, e: &mut Expr) {
            walk_expr(self, e);
            let Kind::Convert(inner) = &mut e.kind else {
                return;
            };
            if inner.ty == Type::Bytes && e.ty.is_bytes() && changes(inner, self.0) {
                let (ty, span) = (Type::Bytes, inner.span);
                let kind = std::mem::replace(&mut inner.kind, Kind::Error);
                let bytes = Expr { kind, ty, span };
                inner.kind = Kind::Copy(Box::new(bytes));
            }
        }
    }
    for function in &mut contract.functions {
        let mut pass = Pass(&function.locals);
        function.body.iter_mut().for_each(|s| pass.stmt(s));
    }
}

/// Tells whether bytes lie in a local that is changed in place.
fn changes(bytes: &Expr, locals: &[Local]) -> bool {
    match &bytes.kind {
        Kind::Read(place) if !place.storage => place
            .root_local()
            .and_then(|id| locals.get(id))
            .is_some_and(|local| local.mutated),
        Kind::Ternary(_, a, b) => changes(a, locals) || changes(b, locals),
        _ => false,
    }
}
