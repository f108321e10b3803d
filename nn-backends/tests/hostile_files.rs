//! ONNX's node tests with damaged bytes: whatever operator a file has, the outcome is a model or a typed error, and what
//! is a model runs or gives a typed error. `cargo xtask models` fetches the files.

mod common;

use aivm_nn::{Bindings, Model, ModelError, ModelLimits, Reference, RunError, Tensor, run};

/// A fixed sequence of numbers: the same damage in every run.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % n.max(1)
    }
}

/// One to four damages: a bit, a byte that is extreme, a cut, a piece copied elsewhere.
fn damaged(bytes: &[u8], random: &mut Sequence) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(out.len());
        match random.below(8) {
            0..=3 => out[at] ^= 1 << random.below(8),
            4 | 5 => out[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            6 => {
                let from = random.below(out.len());
                let len = random.below(16).min(out.len() - from).min(out.len() - at);
                out.copy_within(from..from + len, at);
            }
            _ => out.truncate(at.max(1)),
        }
    }
    out
}

#[test]
fn a_damaged_file_of_any_operator_never_panics() {
    let Some(root) = common::cache::models("onnx-node-1.22.0") else {
        return;
    };
    let mut limits = ModelLimits::default();
    limits.elements = 1 << 16;
    limits.memory = 1 << 24;
    limits.folding = 1 << 16;
    limits.weight_bytes = 1 << 22;
    let mut random = Sequence(0x9e37_79b9_7f4a_7c15);
    let (mut models, mut ran, mut refused) = (0, 0, 0);
    let mut dirs: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path().join("model.onnx"))
        .collect();
    dirs.sort();
    for path in dirs {
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        for _ in 0..100 {
            let bytes = damaged(&bytes, &mut random);
            let model = match Model::from_onnx_with(&bytes, &limits, &Bindings::default()) {
                Ok(model) => model,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    // A library that finds its own operands unfit has let something pass.
                    if let ModelError::Nodes(list) = &error {
                        for refusal in list {
                            let text = refusal.to_string();
                            assert!(!text.contains("internal error"), "{path:?}: {text}");
                        }
                    }
                    refused += 1;
                    continue;
                }
            };
            models += 1;
            let inputs: Vec<Tensor> = model
                .inputs()
                .iter()
                .map(|info| {
                    let n = info.shape.iter().product::<u32>() as usize * info.ty.size();
                    let data = (0..n).map(|_| random.below(2) as u8).collect();
                    Tensor::new(info.ty, info.shape.clone(), data).unwrap()
                })
                .collect();
            match run(&model, &Reference, &inputs, &mut ()) {
                Ok(_) => ran += 1,
                Err(RunError::IndexOutOfRange | RunError::DivisionByZero) => {}
                Err(error) => panic!("{path:?}: {error}"),
            }
        }
    }
    println!("{models} models, {ran} ran, {refused} refused");
    assert!(models > 5_000 && ran > 5_000 && refused > 5_000);
}
