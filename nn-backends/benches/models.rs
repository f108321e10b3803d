//! Whole models, one thread: `cargo bench --bench models -- FOLDER [isa]` runs each `FOLDER/NAME/model.onnx` on
//! `input_0.bin`, `input_1.bin`, … beside it (elements, little-endian) and prints lines `isa NAME what number`:
//! `run` in µs, `root` (what the root of a trace adds) in µs, and once for each model `load` (reading, verifying and
//! hashing the file) in ms. `onnxruntime_models.py` makes such a folder. With the argument `profile` each operation's
//! share follows.

use aivm_nn::kernels::Isa;
use aivm_nn::trace::Commitment;
use aivm_nn::{Backend, Model, ModelLimits, Tensor, prepare};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let Some((folder, isas)) = args.split_first() else {
        println!("give a folder of models");
        return;
    };
    let mut models: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("model.onnx").exists())
        .collect();
    models.sort();
    for path in models {
        model(&path, isas);
    }
}

fn model(path: &Path, isas: &[String]) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let bytes = std::fs::read(path.join("model.onnx")).expect("a file");
    let limits = ModelLimits::default();
    let model = match Model::from_onnx(&bytes, &limits) {
        Ok(model) => Arc::new(model),
        Err(error) => {
            println!("# {name}: {error}");
            return;
        }
    };
    let load = best(|| {
        black_box(Model::from_onnx(black_box(&bytes), &limits)).ok();
    });
    println!("any {name} load {:.3}", load / 1e3);
    let inputs: Vec<Tensor> = model
        .inputs()
        .iter()
        .enumerate()
        .map(|(i, info)| {
            let data = std::fs::read(path.join(format!("input_{i}.bin"))).expect("an input");
            Tensor::new(info.ty, info.shape.clone(), data).expect("the input's length")
        })
        .collect();
    for isa in Isa::available() {
        let mut wanted = isas.iter().filter(|word| *word != "profile").peekable();
        if wanted.peek().is_none() && isa == Isa::Scalar
            || wanted.peek().is_some() && !wanted.any(|wanted| wanted == isa.name())
        {
            continue;
        }
        let backend = Backend::CpuWith { isa, threads: 1 };
        let prepared = prepare(model.clone(), backend).expect("an instruction set");
        let run = best(|| {
            black_box(prepared.run(black_box(&inputs))).expect("inputs of the model");
        });
        println!("{} {name} run {run:.2}", isa.name());
        if isas.iter().any(|word| word == "profile") {
            profile(&prepared, &inputs);
        }
        // The root is timed by itself, on what one run gave: a difference of two times would be mostly noise.
        let mut results = Results(Vec::new());
        prepared
            .run_observed(&inputs, &mut results)
            .expect("inputs of the model");
        let root = best(|| {
            let mut commitment = Commitment::new(&model, black_box(&inputs));
            for ((index, node), results) in model.graph().nodes().iter().enumerate().zip(&results.0)
            {
                aivm_nn::Observer::results(&mut commitment, index, node, results);
            }
            black_box(commitment.root());
        });
        println!("{} {name} root {root:.2}", isa.name());
    }
}

/// Prints the best time of each operation, the most expensive ones first.
fn profile(prepared: &aivm_nn::Prepared, inputs: &[Tensor]) {
    let mut times = Times {
        last: Instant::now(),
        best: Vec::new(),
        names: Vec::new(),
    };
    for _ in 0..20 {
        times.last = Instant::now();
        prepared
            .run_observed(inputs, &mut times)
            .expect("inputs of the model");
    }
    let mut lines: Vec<_> = times.best.iter().zip(&times.names).collect();
    lines.sort_by(|a, b| b.cmp(a));
    for (time, name) in lines.into_iter().take(30) {
        println!("# {:9.1} µs {name}", time.as_secs_f64() * 1e6);
    }
}

struct Times {
    last: Instant,
    best: Vec<Duration>,
    names: Vec<String>,
}

impl aivm_nn::Observer for Times {
    fn results(&mut self, index: usize, node: &aivm_nn::Node, results: &[Arc<aivm_nn::Array>]) {
        let time = self.last.elapsed();
        if self.best.len() == index {
            let shape = results.first().map(|x| (x.ty(), x.shape.clone()));
            self.best.push(time);
            self.names.push(format!(
                "{index} {} {shape:?} {}",
                node.op.name(),
                node.name
            ));
        } else if let Some(best) = self.best.get_mut(index) {
            *best = time.min(*best);
        }
        self.last = Instant::now();
    }
}

struct Results(Vec<Vec<Arc<aivm_nn::Array>>>);

impl aivm_nn::Observer for Results {
    fn results(&mut self, _: usize, _: &aivm_nn::Node, results: &[Arc<aivm_nn::Array>]) {
        self.0.push(results.to_vec());
    }
}

/// The best of many runs within half a second, in µs.
fn best(mut run: impl FnMut()) -> f64 {
    let (start, mut best) = (Instant::now(), Duration::MAX);
    while start.elapsed() < Duration::from_millis(500) {
        let one = Instant::now();
        run();
        best = best.min(one.elapsed());
    }
    best.as_secs_f64() * 1e6
}
