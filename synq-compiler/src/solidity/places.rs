//! Places: variables, fields, elements, entries.

use super::{Emitter, state_name};
use crate::ir::{Expr, Place, PlaceKind, Type};

impl Emitter<'_> {
    /// The place as something that can stand on either side of an assignment; an element of
    /// bytes is a `bytes1`.
    pub(super) fn place(&mut self, place: &Place) -> String {
        match &place.kind {
            PlaceKind::Local(id) => self.local(*id),
            PlaceKind::State(slot) => match self.variables.get(slot) {
                Some((name, _)) => state_name(*slot, name),
                None => state_name(*slot, "unknown"),
            },
            PlaceKind::At(expr) | PlaceKind::Temp(expr) => {
                let text = self.expr(expr);
                format!("({text})")
            }
            PlaceKind::Field(base, field) => {
                let name = match &base.ty {
                    Type::Struct(id) => self
                        .world
                        .structs
                        .get(*id)
                        .and_then(|s| s.fields.get(*field))
                        .map_or(String::new(), |(n, _)| super::identifier(n)),
                    _ => String::new(),
                };
                format!("{}.{name}", self.place(base))
            }
            PlaceKind::Index(base, index) => {
                let index = self.expr(index);
                let text = self.place(base);
                if base.ty == Type::String {
                    format!("bytes({text})[{index}]")
                } else {
                    format!("{text}[{index}]")
                }
            }
            PlaceKind::Key(base, key) => {
                let key = self.expr(key);
                format!("{}[{key}]", self.place(base))
            }
        }
    }

    /// Tells whether the place is a `bytes1` in Solidity and a number here.
    pub(super) fn is_byte(place: &Place) -> bool {
        matches!(&place.kind, PlaceKind::Index(base, _)
            if matches!(base.ty, Type::Bytes | Type::String | Type::Bytes32 | Type::Pq(_)))
    }

    /// The value at a place; what lies in state is copied to memory.
    pub(super) fn read(&mut self, place: &Place) -> String {
        let text = self.place(place);
        if Self::is_byte(place) {
            return format!("uint8({text})");
        }
        if place.storage && !place.ty.is_value() && !matches!(place.ty, Type::Mapping(..)) {
            let helper = self.load_helper(&place.ty);
            return format!("{helper}({text})");
        }
        text
    }

    /// `.length` as a number.
    pub(super) fn length(&mut self, place: &Place) -> String {
        let text = self.place(place);
        if place.ty == Type::String {
            format!("bytes({text}).length")
        } else {
            format!("{text}.length")
        }
    }

    /// A list of values, with commas.
    pub(super) fn list(&mut self, values: &[Expr]) -> String {
        let list: Vec<String> = values.iter().map(|v| self.expr(v)).collect();
        list.join(", ")
    }
}
