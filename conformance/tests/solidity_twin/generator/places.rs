//! What a program may read or assign to.

use std::fmt::Write as _;

use super::{Maker, Ty, Var};

impl Maker {
    /// An entry of a mapping; keys are simple, or they would lead to entries again.
    pub(super) fn entry(&mut self, name: &str, keys: &[Ty]) -> String {
        let mut text = name.to_owned();
        for key in keys {
            let fits = |v: &&Var| v.ty == *key;
            let list: Vec<Var> = self.locals.iter().filter(fits).cloned().collect();
            let key = match list.is_empty() || self.r.one_in(3) {
                true => self.literal(key),
                false => self.r.pick(&list).text.clone(),
            };
            let _ = write!(text, "[{key}]");
        }
        text
    }

    /// Everything that has a place, one step inside aggregates too.
    pub(super) fn places(&mut self) -> Vec<Var> {
        let mut list: Vec<Var> = self.locals.clone();
        list.extend(self.state.clone());
        for (name, keys, value) in self.maps.clone() {
            let text = self.entry(&name, &keys);
            list.push(Var {
                text,
                ty: value,
                open: true,
                state: true,
            });
        }
        let mut inner = Vec::new();
        for var in &list {
            match &var.ty {
                Ty::Struct => {
                    for (field, ty) in &self.fields {
                        inner.push(Var {
                            text: format!("{}.{field}", var.text),
                            ty: ty.clone(),
                            open: true,
                            state: var.state,
                        });
                    }
                }
                Ty::Array(element, n) => {
                    let at = self.r.below(*n);
                    inner.push(Var {
                        text: format!("{}[{at}]", var.text),
                        ty: Ty::clone(element),
                        open: true,
                        state: var.state,
                    });
                }
                Ty::List(element) => {
                    // Mostly inside.
                    let at = match self.r.one_in(12) {
                        true => format!("{}", self.r.below(3)),
                        false => format!("{}.length - 1", var.text),
                    };
                    inner.push(Var {
                        text: format!("{}[{at}]", var.text),
                        ty: Ty::clone(element),
                        open: true,
                        state: var.state,
                    });
                }
                _ => {}
            }
        }
        list.extend(inner);
        list
    }

    pub(super) fn place(&mut self, fits: impl Fn(&Var) -> bool) -> Option<Var> {
        let list: Vec<Var> = self
            .places()
            .into_iter()
            .filter(|v| v.open && fits(v))
            .collect();
        match list.is_empty() {
            true => None,
            false => Some(self.r.pick(&list).clone()),
        }
    }

    pub(super) fn variable(&mut self, ty: &Ty) -> Option<String> {
        let list: Vec<Var> = self.places().into_iter().filter(|v| v.ty == *ty).collect();
        match list.is_empty() {
            true => None,
            false => Some(self.r.pick(&list).text.clone()),
        }
    }
}
