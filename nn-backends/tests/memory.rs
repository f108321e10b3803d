//! The memory quote bounds what is really allocated, on every backend of the machine; the quote is the same on all.
//!
//! `AIVM_MODELS` may name a folder of `NAME/model.onnx` to be measured as well, as `benches/onnxruntime_models.py` makes
//! one.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aivm_nn::kernels::Isa;
use aivm_nn::{Backend, Model, ModelLimits, Tensor, prepare};
use common::{FLOAT, Graph, I8, I64, Message, U8, node, tensor, value};

/// Counts bytes; this file holds one test, so that nothing else is counted.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes at the worst moment of preparing and running, weights included.
fn peak(model: &Arc<Model>, backend: Backend) -> u64 {
    let inputs: Vec<Tensor> = model
        .inputs()
        .iter()
        .map(|info| {
            let elements: u32 = info.shape.iter().product();
            let data = vec![1; elements as usize * info.ty.size()];
            Tensor::new(info.ty, info.shape.clone(), data).unwrap()
        })
        .collect();
    let model = model.clone();
    // A thread of its own, whose scratch memory starts empty.
    let grown = std::thread::spawn(move || {
        let before = NOW.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let prepared = prepare(model, backend).unwrap();
        let outputs = prepared.run(&inputs);
        let grown = PEAK.load(Ordering::Relaxed) - before;
        drop(outputs);
        grown as u64
    });
    grown.join().unwrap()
}

fn ints(name: &str, list: &[i64]) -> Message {
    let mut message = Message::default().bytes(1, name).int(20, 7);
    for i in list {
        message = message.int(8, *i);
    }
    message
}

fn floats(name: &str, dims: &[i64]) -> Message {
    let n: i64 = dims.iter().product();
    let raw: Vec<u8> = (0..n)
        .flat_map(|i| (i as f32 * 0.01).to_le_bytes())
        .collect();
    tensor(name, FLOAT, dims, &raw)
}

/// Convolutions, pooling, products and element-wise operations in single precision.
fn singles() -> Vec<u8> {
    let shape: Vec<u8> = [1i64, 4608].iter().flat_map(|d| d.to_le_bytes()).collect();
    let pads: Vec<u8> = [0i64, 0, 1, 1, 0, 0, 1, 1]
        .iter()
        .flat_map(|d| d.to_le_bytes())
        .collect();
    Graph {
        nodes: vec![
            node("Conv", &["x", "w"], &["a"]).bytes(5, ints("pads", &[1, 1, 1, 1])),
            node("Relu", &["a"], &["b"]),
            node("MaxPool", &["b"], &["c"])
                .bytes(5, ints("kernel_shape", &[2, 2]))
                .bytes(5, ints("strides", &[2, 2])),
            node("Pad", &["c", "p"], &["d"]),
            node("Conv", &["d", "v"], &["e"]).bytes(5, ints("strides", &[2, 1])),
            node("Transpose", &["c"], &["t"]).bytes(5, ints("perm", &[0, 2, 3, 1])),
            node("Reshape", &["t", "s"], &["f"]),
            node("MatMul", &["f", "m"], &["g"]),
            node("Softmax", &["g"], &["h"]),
            node("ReduceMean", &["e"], &["i"]).bytes(5, ints("axes", &[2])),
        ],
        initializers: vec![
            floats("w", &[32, 3, 3, 3]),
            floats("v", &[7, 32, 5, 3]),
            floats("m", &[4608, 33]),
            tensor("s", I64, &[2], &shape),
            tensor("p", I64, &[8], &pads),
        ],
        inputs: vec![value("x", FLOAT, &[1, 3, 24, 24])],
        outputs: vec![
            value("h", FLOAT, &[1, 33]),
            value("i", FLOAT, &[1, 7, 1, 12]),
        ],
    }
    .model()
}

/// Integer products with weights and without.
fn integers() -> Vec<u8> {
    let weights: Vec<u8> = (0..200 * 300u32).map(|i| (i * 37 % 251) as u8).collect();
    Graph {
        nodes: vec![
            node(
                "QLinearMatMul",
                &["x", "s", "z", "w", "s", "wz", "s", "z"],
                &["a"],
            ),
            node("Transpose", &["a"], &["b"]).bytes(5, ints("perm", &[1, 0])),
            node("MatMulInteger", &["a", "b", "z", "z"], &["c"]),
            node("ConvInteger", &["i", "k", "z"], &["d"])
                .bytes(5, Message::default().bytes(1, "group").int(3, 2).int(20, 2)),
        ],
        initializers: vec![
            tensor("w", I8, &[200, 300], &weights),
            tensor("k", I8, &[10, 6, 5, 5], &weights[..1500]),
            common::float("s", 0.02),
            tensor("z", U8, &[], &[128]),
            tensor("wz", I8, &[], &[0]),
        ],
        inputs: vec![value("x", U8, &[50, 200]), value("i", U8, &[1, 12, 40, 30])],
        outputs: vec![value("c", 6, &[50, 50]), value("d", 6, &[1, 10, 36, 26])],
    }
    .model()
}

/// Sixty-four products with one weight of 64 KB.
fn repeated() -> Vec<u8> {
    let weights: Vec<u8> = (0..256 * 256u32).map(|i| (i * 37 % 251) as u8).collect();
    let mut graph = Graph {
        initializers: vec![
            tensor("w", I8, &[256, 256], &weights),
            common::float("s", 0.02),
            tensor("z", U8, &[], &[128]),
            tensor("wz", I8, &[], &[0]),
        ],
        inputs: vec![value("x0", U8, &[1, 256])],
        outputs: vec![value("x64", U8, &[1, 256])],
        ..Graph::default()
    };
    for i in 0..64 {
        let (from, to) = (format!("x{i}"), format!("x{}", i + 1));
        let operands = [&from, "s", "z", "w", "s", "wz", "s", "z"];
        graph.nodes.push(node("QLinearMatMul", &operands, &[&to]));
    }
    graph.model()
}

#[test]
fn the_quote_bounds_what_is_allocated_on_every_backend() {
    let mut models = vec![
        (
            "digits".to_owned(),
            include_bytes!("../models/digits.onnx").to_vec(),
        ),
        ("singles".to_owned(), singles()),
        ("integers".to_owned(), integers()),
    ];
    if let Some(folder) = std::env::var_os("AIVM_MODELS") {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path().join("model.onnx");
            if let Ok(bytes) = std::fs::read(&path) {
                models.push((path.display().to_string(), bytes));
            }
        }
    }
    for (name, bytes) in models {
        let model = match Model::from_onnx(&bytes, &ModelLimits::default()) {
            Ok(model) => Arc::new(model),
            Err(error) if name.contains('/') => {
                println!("{name}: {error}");
                continue;
            }
            Err(error) => panic!("{name}: {error}"),
        };
        let quote = model.memory();
        let mut backends = vec![Backend::Reference];
        backends.extend(
            Isa::available()
                .into_iter()
                .map(|isa| Backend::CpuWith { isa, threads: 1 }),
        );
        let mut most = 0;
        for backend in backends {
            let used = model.weight_bytes() + peak(&model, backend);
            println!("{name}: {backend:?} {used} of {quote}");
            assert!(used <= quote, "{name} on {backend:?}: {used} of {quote}");
            most = most.max(used);
        }
        // A bound that is far off would keep models out that have room.
        assert!(
            quote <= 40 * most + (1 << 20),
            "{name}: {quote}, used {most}"
        );
    }
    // A weight that many nodes use is packed once.
    let model = Model::from_onnx(&repeated(), &ModelLimits::default()).unwrap();
    let backend = Backend::CpuWith {
        isa: Isa::best(),
        threads: 1,
    };
    let used = peak(&Arc::new(model), backend);
    assert!(used < 1 << 20, "{used}");
}
