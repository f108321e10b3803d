//! Tensors that do not fit a model, models that are none, and indices out of range.

use aivm_conformance::outcome::Claim;

use super::super::draft::*;
use super::super::onnx::{self, F32, I8, I32, I64, Shape, U8, tensor};
use super::{i, inferrer, l, loaded, quoter, request};

pub fn file() -> File {
    let mut file = File::new(
        "nn",
        "failures",
        "docs/host-interface.md numbers the errors of the interface: model-not-found, invalid-model, shape-mismatch, memory-limit.",
    );
    file.share_wat("infer", &inferrer());
    file.share_wat("quote", &quoter());
    let onnx = onnx::one("Add", &[(I32, &[4]), (I32, &[4])], &[], &[], (I32, &[4]));
    let hash = loaded(&onnx).hash();
    let good = || ((I32, &[4i64][..]), i(&[1, 2, 3, 4]));
    let no_charge = |claim: Claim| Claim {
        inference: Some(0),
        ..claim
    };
    for (name, inputs) in [
        ("no tensors", vec![]),
        ("one tensor too few", vec![good()]),
        ("one tensor too many", vec![good(), good(), good()]),
        ("another type", vec![good(), ((F32, &[4]), vec![0; 16])]),
        ("another dimension", vec![good(), ((I32, &[2]), vec![0; 8])]),
        ("another rank", vec![good(), ((I32, &[2, 2]), vec![0; 16])]),
        ("no dimensions", vec![good(), ((I32, &[]), vec![0; 16])]),
        ("too few bytes", vec![good(), ((I32, &[4]), vec![0; 15])]),
        ("too many bytes", vec![good(), ((I32, &[4]), vec![0; 17])]),
        ("no bytes", vec![good(), ((I32, &[4]), vec![])]),
    ] {
        file.push(
            Draft::new(
                name,
                "Tensors that do not fit the model are an error, and cost no inference.",
            )
            .register(onnx.clone(), Claim::accepted())
            .put("infer")
            .call("infer", request(&hash, &inputs), no_charge(reverts([2]))),
        );
    }
    let mut word = hash;
    word.reverse();
    file.push(
        Draft::new(
            "a model that nobody registered",
            "An unknown hash is an error.",
        )
        .put("infer")
        .put("quote")
        .call(
            "infer",
            request(&hash, &[good(), good()]),
            no_charge(reverts([0])),
        )
        .call("quote", word, reverts([0])),
    );
    let limited = chain_with(&[("nn/max_memory", serde_json::json!(20))]);
    file.push(
        Draft::new(
            "a model that needs too much memory",
            "A model whose tensors exceed the schedule's memory is refused when it is registered.",
        )
        .chain(limited)
        .register(onnx.clone(), Claim::refused("invalid-model")),
    );
    let small = chain_with(&[("nn/max_model_bytes", serde_json::json!(onnx.len() - 1))]);
    file.push(
        Draft::new(
            "a model that is too large",
            "A model larger than the schedule allows is refused.",
        )
        .chain(small)
        .register(onnx.clone(), Claim::refused("invalid-model")),
    );
    for length in [0usize, 1, 10, 30, onnx.len() / 2, onnx.len() - 3] {
        file.push(
            Draft::new(
                format!("the first {length} bytes of a model"),
                "A file that is cut short is no model.",
            )
            .register(&onnx[..length], Claim::refused("invalid-model")),
        );
    }
    let operator = |op, inputs: &[Shape<'_>], output| onnx::one(op, inputs, &[], &[], output);
    let far: &[i64] = &[1 << 20, 1 << 20];
    let short = tensor("c0", I32, &[4], &[0; 15]);
    for (name, onnx) in [
        (
            "an unknown operator",
            operator("Frobnicate", &[(I32, &[4])], (I32, &[4])),
        ),
        (
            "an input of another type than the operator takes",
            operator(
                "MatMulInteger",
                &[(F32, &[2, 2]), (F32, &[2, 2])],
                (I32, &[2, 2]),
            ),
        ),
        (
            "shapes that do not fit",
            operator("Add", &[(I32, &[4]), (I32, &[3])], (I32, &[4])),
        ),
        (
            "a negative dimension",
            operator("Relu", &[(F32, &[-4])], (F32, &[-4])),
        ),
        (
            "dimensions beyond all memory",
            operator("Relu", &[(F32, far)], (F32, far)),
        ),
        (
            "a constant with too few bytes",
            onnx::one("Add", &[(I32, &[4])], &[short], &[], (I32, &[4])),
        ),
        (
            "an accumulator that could overflow",
            operator(
                "MatMulInteger",
                &[(U8, &[1, 70_000]), (I8, &[70_000, 1])],
                (I32, &[1, 1]),
            ),
        ),
        (
            "a slice whose places come from an input",
            operator("Reshape", &[(I32, &[4]), (I64, &[1])], (I32, &[4])),
        ),
    ] {
        file.push(
            Draft::new(
                name,
                "What is no valid model is refused when it is registered.",
            )
            .register(onnx, Claim::refused("invalid-model")),
        );
    }
    for (name, index, claim) in [
        ("inside", 2i64, Claim::returns(i(&[30]))),
        ("the last, from behind", -1, Claim::returns(i(&[40]))),
        ("outside", 4, traps(aivm::TrapCode::BadArgument)),
        (
            "outside, from behind",
            -5,
            traps(aivm::TrapCode::BadArgument),
        ),
    ] {
        let onnx = operator("GatherElements", &[(I32, &[4]), (I64, &[1])], (I32, &[1]));
        let hash = loaded(&onnx).hash();
        file.push(
            Draft::new(
                format!("an index {name}"),
                "An index out of range traps, with the code of a bad argument.",
            )
            .register(onnx, Claim::accepted())
            .put("infer")
            .call(
                "infer",
                request(
                    &hash,
                    &[
                        ((I32, &[4]), i(&[10, 20, 30, 40])),
                        ((I64, &[1]), l(&[index])),
                    ],
                ),
                claim,
            ),
        );
    }
    file
}
