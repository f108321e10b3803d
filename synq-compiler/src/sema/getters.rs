//! Functions that read public state variables.

use alloy_primitives::U256;

use super::symbols::Symbols;
use crate::ir::*;
use crate::source::Span;
use crate::syntax::ast::BinaryOp;

/// Parameters and results of the getter of a variable.
pub(crate) fn signature(sy: &Symbols<'_>, ty: &Type) -> (Vec<Type>, Vec<Type>) {
    let mut params = Vec::new();
    let mut inner = ty.clone();
    loop {
        inner = match inner {
            Type::Mapping(key, value) => {
                params.push(Type::clone(&key));
                Type::clone(&value)
            }
            Type::Array(element, _) | Type::List(element) => {
                params.push(Type::U256);
                Type::clone(&element)
            }
            other => break (params, results(sy, &other)),
        };
    }
}

/// A structure comes back as its fields, without arrays and mappings, as Solidity does it.
fn results(sy: &Symbols<'_>, ty: &Type) -> Vec<Type> {
    match ty {
        Type::Struct(id) => fields(sy, *id).into_iter().map(|(_, t)| t).collect(),
        other => vec![other.clone()],
    }
}

fn fields(sy: &Symbols<'_>, id: usize) -> Vec<(usize, Type)> {
    sy.world
        .structs
        .get(id)
        .map(|s| {
            s.fields
                .iter()
                .enumerate()
                .filter(|(_, (_, t))| {
                    !matches!(t, Type::Mapping(..) | Type::Array(..) | Type::List(_))
                })
                .map(|(i, (_, t))| (i, t.clone()))
                .collect()
        })
        .unwrap_or_default()
}

/// Names of the results: those of the fields.
pub(crate) fn result_names(sy: &Symbols<'_>, ty: &Type) -> Vec<String> {
    let mut inner = ty.clone();
    loop {
        inner = match inner {
            Type::Mapping(_, value) => Type::clone(&value),
            Type::Array(element, _) | Type::List(element) => Type::clone(&element),
            Type::Struct(id) => {
                let names = sy.world.structs.get(id).map(|s| s.fields.clone());
                let names = names.unwrap_or_default();
                break fields(sy, id)
                    .into_iter()
                    .filter_map(|(i, _)| names.get(i).map(|(n, _)| n.clone()))
                    .collect();
            }
            _ => break vec![String::new()],
        };
    }
}

/// The getter of the variable at `slot`.
pub(crate) fn function(sy: &Symbols<'_>, name: &str, ty: &Type, slot: u64, span: Span) -> Function {
    let (params, returns) = signature(sy, ty);
    let mut place = Place {
        kind: PlaceKind::State(slot),
        ty: ty.clone(),
        storage: true,
    };
    let mut locals = Vec::new();
    let mut body = Vec::new();
    for (index, param) in params.iter().enumerate() {
        let key = Expr {
            kind: Kind::Read(Place {
                kind: PlaceKind::Local(index),
                ty: param.clone(),
                storage: false,
            }),
            ty: param.clone(),
            span,
        };
        locals.push(Local {
            name: String::new(),
            ty: param.clone(),
            storage: false,
            mutated: false,
            span,
        });
        // Past the end a getter reverts without data, where an index in code is a panic.
        let length = match &place.ty {
            Type::List(_) => Some(Kind::Length(place.clone())),
            Type::Array(_, n) => Some(Kind::Const(U256::from(*n))),
            _ => None,
        };
        if let Some(length) = length {
            let length = Expr {
                kind: length,
                ty: Type::U256,
                span,
            };
            let inside = Expr {
                kind: Kind::Compare(BinaryOp::Lt, Box::new(key.clone()), Box::new(length)),
                ty: Type::Bool,
                span,
            };
            body.push(Stmt::Require(inside, Failure::Empty));
        }
        place = match place.ty.clone() {
            Type::Mapping(_, value) => Place {
                kind: PlaceKind::Key(Box::new(place), Box::new(key)),
                ty: Type::clone(&value),
                storage: true,
            },
            Type::Array(element, _) | Type::List(element) => Place {
                kind: PlaceKind::Index(Box::new(place), Box::new(key)),
                ty: Type::clone(&element),
                storage: true,
            },
            _ => place,
        };
    }
    let read = |place: Place| Expr {
        ty: place.ty.clone(),
        kind: Kind::Read(place),
        span,
    };
    let value = match place.ty {
        Type::Struct(id) => {
            // The slot is found once.
            let alias = locals.len();
            locals.push(Local {
                name: String::new(),
                ty: place.ty.clone(),
                storage: true,
                mutated: false,
                span,
            });
            let ty = place.ty.clone();
            body.push(Stmt::Let(
                alias,
                Some(Expr {
                    kind: Kind::Slot(place),
                    ty: ty.clone(),
                    span,
                }),
            ));
            let base = Place {
                kind: PlaceKind::Local(alias),
                ty,
                storage: true,
            };
            let mut values: Vec<Expr> = fields(sy, id)
                .into_iter()
                .map(|(i, ty)| {
                    read(Place {
                        kind: PlaceKind::Field(Box::new(base.clone()), i),
                        ty,
                        storage: true,
                    })
                })
                .collect();
            if values.len() == 1 {
                values.pop()
            } else {
                Some(Expr {
                    ty: Type::Tuple(values.iter().map(|v| v.ty.clone()).collect()),
                    kind: Kind::Tuple(values),
                    span,
                })
            }
        }
        _ => Some(read(place)),
    };
    body.push(Stmt::Return(value));
    Function {
        name: name.to_owned(),
        params: params.len(),
        locals,
        returns,
        body,
        effects: Effects {
            reads: true,
            ..Effects::default()
        },
        ..Function::default()
    }
}
