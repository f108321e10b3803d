//! Reads digits with the crate `wasi-nn` as it is on crates.io, built for `wasm32-wasip1`.
//!
//! Call data: the 64 pixels. After them may follow `n` and the model's name or content address, or
//! `m` and the model itself; without either the model is the one that the chain calls `digits`.
//! Return data: the ten logits.

use wasi_nn::{Error, ExecutionTarget, Graph, GraphBuilder, GraphEncoding, TensorType};

wit_bindgen::generate!({ path: "../../../../wit", world: "contract" });

struct Classifier;

impl Guest for Classifier {
    fn construct(_: Vec<u8>) -> Result<Vec<u8>, Vec<u8>> {
        Ok(Vec::new())
    }

    fn call(input: Vec<u8>) -> Result<Vec<u8>, Vec<u8>> {
        Self::query(input)
    }

    fn query(input: Vec<u8>) -> Result<Vec<u8>, Vec<u8>> {
        let Some((pixels, which)) = input.split_at_checked(64) else {
            return Err(b"an image has 64 pixels".to_vec());
        };
        classify(pixels, which).map_err(|why| {
            eprintln!("not classified: {why}");
            why.to_string().into_bytes()
        })
    }
}

fn model(which: &[u8]) -> Result<Graph, Error> {
    let builder = GraphBuilder::new(GraphEncoding::Onnx, ExecutionTarget::CPU);
    match which {
        [] => builder.build_from_cache("digits"),
        [b'n', name @ ..] => builder.build_from_cache(&String::from_utf8_lossy(name)),
        [_, onnx @ ..] => builder.build_from_bytes([onnx]),
    }
}

fn classify(pixels: &[u8], which: &[u8]) -> Result<Vec<u8>, Error> {
    let graph = model(which)?;
    let mut context = graph.init_execution_context()?;
    context.set_input(0, TensorType::U8, &[1, 64], pixels)?;
    context.compute()?;
    let mut logits = vec![0u8; 10];
    let bytes = context.get_output(0, &mut logits)?;
    logits.truncate(bytes);
    Ok(logits)
}

export!(Classifier);
