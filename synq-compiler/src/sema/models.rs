//! Model declarations: the declared signature against the file's.

use std::rc::Rc;

use super::symbols::Symbols;
use crate::diagnostics::{Diagnostic, Sink};
use crate::ir::{Model, Tensor, Type};
use crate::source::{SourceLoader, Span};
use crate::syntax::ast;

/// A tensor as the model's file has it.
struct Actual {
    name: String,
    element: &'static str,
    shape: Vec<u32>,
}

fn element_number(ty: &Type) -> Option<(u8, &'static str)> {
    Some(match ty {
        Type::UInt(8) => (0, "UInt8"),
        Type::Int(8) => (1, "Int8"),
        Type::Int(16) => (2, "Int16"),
        Type::Int(32) => (3, "Int32"),
        Type::Int(64) => (4, "Int64"),
        Type::Bool => (6, "Bool"),
        _ => return None,
    })
}

fn element_name(ty: aivm_nn::ElementType) -> &'static str {
    match ty {
        aivm_nn::ElementType::U8 => "UInt8",
        aivm_nn::ElementType::I8 => "Int8",
        aivm_nn::ElementType::I16 => "Int16",
        aivm_nn::ElementType::I32 => "Int32",
        aivm_nn::ElementType::I64 => "Int64",
        aivm_nn::ElementType::F32 => "Float32",
        aivm_nn::ElementType::Bool => "Bool",
        _ => "an unknown type",
    }
}

fn written(element: &str, shape: &[u32]) -> String {
    let dims: String = shape.iter().map(|n| format!("[{n}]")).collect();
    format!("{element}{dims}")
}

impl Symbols<'_> {
    pub(super) fn model(
        &self,
        ast: &ast::Model,
        base: &str,
        loader: &dyn SourceLoader,
        sink: &mut Sink,
    ) -> Model {
        let mut model = Model {
            name: ast.name.name.clone(),
            hash: [0; 32],
            inputs: self.tensors(&ast.inputs, sink),
            outputs: self.tensors(&ast.outputs, sink),
        };
        let declared = ast.hash.as_ref().and_then(|(text, span)| {
            let digits = text.strip_prefix("blake3:").unwrap_or(text);
            let hash = hex::decode(digits)
                .ok()
                .and_then(|b| <[u8; 32]>::try_from(b).ok());
            if hash.is_none() {
                sink.push(
                    Diagnostic::error("E0502", *span, "this is not a model's hash")
                        .label("expected `blake3:` and 64 hex digits"),
                );
            }
            hash.map(|h| (h, *span))
        });
        if let Some((hash, _)) = declared {
            model.hash = hash;
        }
        let Some((path, span)) = &ast.file else {
            if ast.hash.is_none() {
                sink.push(
                    Diagnostic::error(
                        "E0501",
                        ast.name.span,
                        format!("model `{}` names no file and no hash", ast.name.name),
                    )
                    .label("expected `file: \"…\";` or `hash: \"blake3:…\";`"),
                );
            }
            return model;
        };
        let path = super::join(base, path);
        let bytes = match loader.model(&path) {
            Ok(bytes) => bytes,
            Err(why) => {
                sink.push(
                    Diagnostic::error("E0503", *span, format!("cannot read model `{path}`: {why}"))
                        .label("named here"),
                );
                return model;
            }
        };
        let opened = match aivm_nn::Model::from_onnx(&bytes, &aivm_nn::ModelLimits::default()) {
            Ok(opened) => opened,
            Err(why) => {
                sink.push(
                    Diagnostic::error("E0504", *span, format!("`{path}` is not a model: {why}"))
                        .label("named here"),
                );
                return model;
            }
        };
        model.hash = opened.hash();
        if let Some((hash, place)) = declared.filter(|(h, _)| *h != model.hash) {
            sink.push(
                Diagnostic::error("E0505", place, "the file is another model")
                    .label("declared hash")
                    .also(
                        *span,
                        format!("the file's hash is blake3:{}", hex::encode(model.hash)),
                    )
                    .note(format!("declared: blake3:{}", hex::encode(hash))),
            );
        }
        let actual = |list: &[aivm_nn::TensorInfo]| -> Vec<Actual> {
            list.iter()
                .map(|t| Actual {
                    name: t.name.clone(),
                    element: element_name(t.ty),
                    shape: t.shape.clone(),
                })
                .collect()
        };
        let name = ast.name.span;
        compare(
            "input",
            &ast.inputs,
            &mut model.inputs,
            &actual(opened.inputs()),
            name,
            sink,
        );
        compare(
            "output",
            &ast.outputs,
            &mut model.outputs,
            &actual(opened.outputs()),
            name,
            sink,
        );
        model
    }

    fn tensors(&self, fields: &[ast::Field], sink: &mut Sink) -> Vec<Tensor> {
        let mut out = Vec::new();
        for field in fields {
            let ty = self.resolve(None, &field.ty, sink);
            if ty == Type::Error {
                continue;
            }
            let (mut shape, mut inner) = (Vec::new(), ty.clone());
            while let Type::Array(element, n) = &inner {
                shape.push(*n);
                inner = Type::clone(Rc::as_ref(element));
            }
            match element_number(&inner) {
                Some((element, _)) => out.push(Tensor {
                    name: field.name.name.clone(),
                    element,
                    shape,
                    ty,
                }),
                None => sink.push(
                    Diagnostic::error(
                        "E0506",
                        field.ty.span,
                        format!("a tensor cannot be `{}`", self.world.name(&ty)),
                    )
                    .label("expected fixed arrays of UInt8, Int8, Int16, Int32, Int64 or Bool"),
                ),
            }
        }
        out
    }
}

/// Checks one side of a signature and puts it into the model's order.
fn compare(
    side: &str,
    fields: &[ast::Field],
    declared: &mut Vec<Tensor>,
    actual: &[Actual],
    name: Span,
    sink: &mut Sink,
) {
    if fields.len() != declared.len() {
        return;
    }
    if declared.len() != actual.len() {
        let list: Vec<_> = actual
            .iter()
            .map(|a| format!("{side} {}: {};", a.name, written(a.element, &a.shape)))
            .collect();
        sink.push(
            Diagnostic::error(
                "E0507",
                name,
                format!(
                    "the model has {} {side}s, the declaration {}",
                    actual.len(),
                    declared.len()
                ),
            )
            .label("declared here")
            .note(format!("the file says: {}", list.join(" "))),
        );
        return;
    }
    let mut ordered = Vec::with_capacity(declared.len());
    for (index, found) in actual.iter().enumerate() {
        // By name; a single tensor may be called anything.
        let position = declared
            .iter()
            .position(|d| d.name == found.name)
            .or((actual.len() == 1).then_some(index));
        let (Some(position), Some(field)) = (position, position.and_then(|p| fields.get(p))) else {
            let names: Vec<_> = declared.iter().map(|d| d.name.as_str()).collect();
            sink.push(
                Diagnostic::error(
                    "E0508",
                    name,
                    format!("the model's {side} `{}` is not declared", found.name),
                )
                .label("declared here")
                .note(format!("declared {side}s: {}", names.join(", "))),
            );
            return;
        };
        let Some(tensor) = declared.get(position) else {
            return;
        };
        let ours = [
            "UInt8", "Int8", "Int16", "Int32", "Int64", "Float32", "Bool",
        ]
        .get(usize::from(tensor.element))
        .copied()
        .unwrap_or("");
        if ours != found.element || tensor.shape != found.shape {
            let theirs = written(found.element, &found.shape);
            sink.push(
                Diagnostic::error(
                    "E0509",
                    field.ty.span,
                    format!(
                        "{side} `{}` is declared as `{}`, the model has `{theirs}`",
                        tensor.name,
                        written(ours, &tensor.shape)
                    ),
                )
                .label("declared here")
                .suggest(field.ty.span, theirs, "write the model's type"),
            );
        }
        ordered.push(tensor.clone());
    }
    *declared = ordered;
}
