//! Reads digits through `wasi:nn`, with the bindings that `wit-bindgen` makes of its WIT.
//!
//! Call data and return data are those of `classifier`.

use wasi::nn::errors::Error;
use wasi::nn::graph::{ExecutionTarget, Graph, GraphEncoding, load, load_by_name};
use wasi::nn::tensor::{Tensor, TensorType};

wit_bindgen::generate!({
    inline: "
        package classifier:guest;

        world classifier {
            include synergy:aivm/contract@0.1.0;
            import wasi:nn/tensor@0.2.0-rc-2024-10-28;
            import wasi:nn/graph@0.2.0-rc-2024-10-28;
            import wasi:nn/inference@0.2.0-rc-2024-10-28;
            import wasi:nn/errors@0.2.0-rc-2024-10-28;
        }
    ",
    path: "../../../../wit",
    world: "classifier:guest/classifier",
    generate_all,
});

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
        classify(pixels, which)
            .map_err(|why| format!("{:?}: {}", why.code(), why.data()).into_bytes())
    }
}

fn model(which: &[u8]) -> Result<Graph, Error> {
    match which {
        [] => load_by_name("digits"),
        [b'n', name @ ..] => load_by_name(&String::from_utf8_lossy(name)),
        [_, onnx @ ..] => load(&[onnx.to_vec()], GraphEncoding::Onnx, ExecutionTarget::Cpu),
    }
}

fn classify(pixels: &[u8], which: &[u8]) -> Result<Vec<u8>, Error> {
    let context = model(which)?.init_execution_context()?;
    let image = Tensor::new(&[1, 64], TensorType::U8, pixels);
    let outputs = context.compute(vec![("image".to_owned(), image)])?;
    Ok(outputs.first().map(|(_, logits)| logits.data()).unwrap_or_default())
}

export!(Classifier);
