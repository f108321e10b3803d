//! Statements: what runs, in which order, how often.

use super::{Maker, Ty, Var};

impl Maker {
    pub(super) fn give_back(&mut self) {
        let results = self.results.clone();
        let values: Vec<String> = results.iter().map(|t| self.expr(t, 2)).collect();
        match values.as_slice() {
            [] => {}
            [one] => self.line(&format!("return {one};")),
            many => self.line(&format!("return ({});", many.join(", "))),
        }
    }

    pub(super) fn statements(&mut self, count: usize) {
        let known = self.locals.len();
        for _ in 0..count {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            self.statement();
        }
        self.locals.truncate(known);
    }

    pub(super) fn block(&mut self, head: &str) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
        let count = 1 + self.r.below(3);
        self.statements(count);
        self.depth -= 1;
    }

    pub(super) fn statement(&mut self) {
        match self.r.below(22) {
            0..=3 => self.declare(),
            4..=9 => self.assign(),
            10 | 11 => {
                let condition = self.expr(&Ty::Bool, 2);
                self.block(&format!("if ({condition})"));
                if self.r.one_in(2) {
                    self.block("} else");
                }
                self.line("}");
            }
            12 | 13 if self.loops < 2 => self.looped(),
            14 => {
                let condition = self.expr(&Ty::Bool, 2);
                // Most must pass.
                let safe = format!("{condition} || {}", self.expr(&Ty::Bool, 1));
                match self.r.below(4) {
                    0 if self.error.is_empty() => {
                        self.line(&format!("if (!({safe})) revert Odd();"));
                    }
                    0 => {
                        let types = self.error.clone();
                        let list: Vec<String> = types.iter().map(|t| self.expr(t, 1)).collect();
                        self.line(&format!("if (!({safe})) revert Odd({});", list.join(", ")));
                    }
                    1 => self.line(&format!("require({safe}, \"it does not hold\");")),
                    _ => {}
                }
            }
            15 => {
                let event = self.r.below(self.events.len());
                let types = self.events[event].clone();
                let list: Vec<String> = types.iter().map(|t| self.expr(t, 2)).collect();
                self.line(&format!("emit E{event}({});", list.join(", ")));
            }
            16 | 17 => self.lists(),
            18 => {
                if let Some(place) = self.place(|_| true) {
                    self.line(&format!("delete {};", place.text));
                }
            }
            19 => {
                let known = self.locals.len();
                self.line("unchecked {");
                self.depth += 1;
                self.assign();
                self.assign();
                self.depth -= 1;
                self.line("}");
                self.locals.truncate(known);
            }
            20 if self.loops > 0 && self.r.one_in(2) => {
                let word = *self.r.pick(&["break", "continue"]);
                let condition = self.expr(&Ty::Bool, 1);
                self.line(&format!("if ({condition}) {word};"));
            }
            21 if self.r.one_in(2) => {
                let condition = self.expr(&Ty::Bool, 2);
                self.line(&format!("if ({condition}) {{"));
                self.depth += 1;
                match self.results.is_empty() {
                    true => self.line("return;"),
                    false => self.give_back(),
                }
                self.depth -= 1;
                self.line("}");
            }
            _ => self.assign(),
        }
    }

    pub(super) fn declare(&mut self) {
        // A reference to a structure in state, now and then.
        if self.r.one_in(5) {
            let all: Vec<String> = self
                .maps
                .clone()
                .into_iter()
                .filter(|m| m.2 == Ty::Struct)
                .map(|(name, keys, _)| self.entry(&name, &keys))
                .collect();
            if !all.is_empty() {
                let place = self.r.pick(&all).clone();
                let name = self.fresh("r");
                self.line(&format!("Item storage {name} = {place};"));
                self.locals.push(Var {
                    text: name,
                    ty: Ty::Struct,
                    open: false,
                    state: true,
                });
                return;
            }
        }
        let ty = self.any_type();
        let value = self.expr(&ty, 3);
        let name = self.fresh("v");
        self.line(&format!("let {name}: {} = {value};", ty.name()));
        self.locals.push(Var {
            text: name,
            ty,
            open: true,
            state: false,
        });
    }

    pub(super) fn assign(&mut self) {
        if self.r.one_in(3)
            && let Some(place) = self.place(|v| v.ty.is_number())
        {
            match self.r.below(4) {
                0 => {
                    let op = *self.r.pick(&["++", "--"]);
                    self.line(&format!("{}{op};", place.text));
                }
                _ => {
                    let op = *self
                        .r
                        .pick(&["+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="]);
                    let value = match op {
                        "/=" | "%=" => self.divisor(&place.ty, 1),
                        _ => self.expr(&place.ty, 2),
                    };
                    self.line(&format!("{} {op} {value};", place.text));
                }
            }
            return;
        }
        let values_only = !self.r.one_in(3);
        if let Some(place) = self.place(|v| !values_only || v.ty.is_value()) {
            let value = self.expr(&place.ty, 3);
            self.line(&format!("{} = {value};", place.text));
        }
    }

    pub(super) fn lists(&mut self) {
        let Some(place) = self.place(|v| matches!(v.ty, Ty::List(_)) && v.state) else {
            return self.assign();
        };
        let Ty::List(element) = &place.ty else { return };
        if self.r.one_in(3) {
            self.line(&format!("if ({0}.length > 1) {0}.pop();", place.text));
        } else if self.r.one_in(12) {
            self.line(&format!("{}.pop();", place.text));
        } else {
            let value = self.expr(element, 2);
            self.line(&format!("{}.push({value});", place.text));
        }
    }

    pub(super) fn looped(&mut self) {
        self.loops += 1;
        let known = self.locals.len();
        let name = self.fresh("i");
        let end = 1 + self.r.below(5);
        let mut counter = Var {
            text: name.clone(),
            ty: Ty::UInt(256),
            open: false,
            state: false,
        };
        match self.r.below(4) {
            0 => {
                self.locals.push(counter);
                self.block(&format!("for ({name} in 0..{end})"));
            }
            1 => {
                let places = self.places();
                let lists = places.into_iter().filter(|v| match &v.ty {
                    Ty::List(t) | Ty::Array(t, _) => t.is_value(),
                    _ => false,
                });
                let lists: Vec<Var> = lists.collect();
                if lists.is_empty() {
                    self.loops -= 1;
                    return;
                }
                let list = self.r.pick(&lists).clone();
                if let Ty::List(t) | Ty::Array(t, _) = list.ty {
                    counter.ty = *t;
                }
                self.locals.push(counter);
                // The list may not grow for ever inside.
                self.block(&format!("for ({name} in {})", list.text));
            }
            2 => {
                counter.ty = Ty::UInt(64);
                self.locals.push(counter);
                self.block(&format!(
                    "for (UInt64 {name} = 0; {name} < {end}; {name}++)"
                ));
            }
            _ => {
                self.line(&format!("let {name}: UInt256 = 0;"));
                self.locals.push(counter);
                self.line(&format!("while ({name} < {end}) {{"));
                self.depth += 1;
                self.line(&format!("{name} += 1;"));
                let count = 1 + self.r.below(3);
                self.statements(count);
                self.depth -= 1;
            }
        }
        self.line("}");
        self.locals.truncate(known);
        self.loops -= 1;
    }
}
