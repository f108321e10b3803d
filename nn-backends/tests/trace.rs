//! Traces of the digit classifier: roots, files, disputes, tiles.

use aivm_nn::trace::{
    Commitment, Dispute, Place, TILE, TraceError, TraceFile, Tracer, dispute, recompute,
    transaction_root,
};
use aivm_nn::{
    Backend, ElementType, Model, ModelLimits, Prepared, Reference, Tensor, prepare, run,
};
use std::sync::Arc;

mod common;

const DIGITS: &[u8] = include_bytes!("../models/digits.onnx");

fn digits() -> Model {
    Model::from_onnx(DIGITS, &ModelLimits::default()).unwrap()
}

fn image(n: usize) -> Vec<Tensor> {
    let data = include_bytes!("../models/digits-test.bin")[n * 65..n * 65 + 64].to_vec();
    vec![Tensor::new(ElementType::U8, vec![1, 64], data).unwrap()]
}

fn trace(prepared: &Prepared, inputs: &[Tensor], limit: u64) -> (Vec<u8>, [u8; 32]) {
    let mut tracer = Tracer::new(prepared.model(), inputs, limit);
    prepared.run_observed(inputs, &mut tracer).unwrap();
    (tracer.to_file(), tracer.root())
}

fn prepared() -> Prepared {
    prepare(Arc::new(digits()), Backend::default()).unwrap()
}

/// Keeps what every operation gives.
struct Keep(Vec<Vec<Tensor>>);

impl aivm_nn::Observer for Keep {
    fn results(&mut self, _: usize, _: &aivm_nn::Node, results: &[Arc<aivm_nn::Array>]) {
        self.0.push(results.iter().map(|r| r.to_tensor()).collect());
    }
}

fn keyed(key: &str, bytes: &[u8]) -> [u8; 32] {
    let mut padded = [b' '; 32];
    padded[..key.len()].copy_from_slice(key.as_bytes());
    *blake3::keyed_hash(&padded, bytes).as_bytes()
}

/// The definition in the documentation, step by step, for operations with one result each.
fn defined_root(model: &Model, inputs: &[Tensor], committed: &[usize]) -> [u8; 32] {
    let mut keep = Keep(Vec::new());
    run(model, &Reference, inputs, &mut keep).unwrap();
    let leaf = |kind: u8, index: usize, tensor: &Tensor| {
        let mut bytes = vec![kind];
        bytes.extend((index as u32).to_le_bytes());
        bytes.extend([0, 0, tensor.ty.code(), tensor.shape.len() as u8]);
        tensor
            .shape
            .iter()
            .for_each(|d| bytes.extend(d.to_le_bytes()));
        bytes.extend(blake3::hash(&tensor.data).as_bytes());
        keyed("AIVM inference trace v2 leaf", &bytes)
    };
    let mut leaves = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        leaves.extend(leaf(0, index, input));
    }
    for index in committed {
        leaves.extend(leaf(1, *index, &keep.0[*index][0]));
    }
    let mut root = model.hash().to_vec();
    root.extend(keyed("AIVM inference trace v2 list", &leaves));
    keyed("AIVM inference trace v2 root", &root)
}

#[test]
fn the_root_is_what_the_documentation_says() {
    let (model, inputs) = (digits(), image(3));
    let mut commitment = Commitment::new(&model, &inputs);
    run(&model, &Reference, &inputs, &mut commitment).unwrap();
    // Two convolutions and the product, which is the output; not the table and the reshapes.
    assert_eq!(model.graph().nodes().len(), 6);
    let root = defined_root(&model, &inputs, &[2, 3, 5]);
    assert_eq!(commitment.root(), root);

    assert_eq!(transaction_root(&[]), None);
    let both = [root, [7; 32]].concat();
    assert_eq!(
        transaction_root(&[root, [7; 32]]),
        Some(keyed("AIVM inference trace v2 receipt", &both))
    );
}

/// Outputs by the thousand, two thirds of them reshaped inputs and results, whose digests are not computed again.
#[test]
fn a_model_of_many_outputs_has_the_root_of_the_definition() {
    const OUTPUTS: usize = 3_000;
    let bytes = |dims: &[i64]| -> Vec<u8> { dims.iter().flat_map(|d| d.to_le_bytes()).collect() };
    let mut graph = common::Graph {
        initializers: vec![
            common::tensor("turned", common::I64, &[2], &bytes(&[3, 2])),
            common::tensor("flat", common::I64, &[1], &bytes(&[6])),
        ],
        inputs: vec![common::value("x", common::FLOAT, &[2, 3])],
        ..common::Graph::default()
    };
    for i in 0..OUTPUTS {
        let (name, before) = (format!("y{i}"), format!("y{}", i.saturating_sub(1)));
        let (node, dims) = match i % 3 {
            0 => (
                common::node("Reshape", &["x", "turned"], &[name.as_str()]),
                vec![3, 2],
            ),
            1 => (common::node("Relu", &["x"], &[name.as_str()]), vec![2, 3]),
            _ => (
                common::node("Reshape", &[before.as_str(), "flat"], &[name.as_str()]),
                vec![6],
            ),
        };
        graph.nodes.push(node);
        graph
            .outputs
            .push(common::value(&name, common::FLOAT, &dims));
    }
    let mut limits = ModelLimits::default();
    limits.border = 3_000;
    let model = Model::from_onnx(&graph.model(), &limits).unwrap();
    let data = [-1.0f32, 2.0, -3.0, 4.0, -5.0, 6.0];
    let data = data.iter().flat_map(|x| x.to_le_bytes()).collect();
    let inputs = [Tensor::new(ElementType::F32, vec![2, 3], data).unwrap()];
    let (nodes, outputs) = (model.graph().nodes(), model.graph().outputs());
    let committed: Vec<usize> = (0..nodes.len())
        .filter(|i| nodes[*i].outputs.iter().any(|id| outputs.contains(id)))
        .collect();
    assert_eq!(committed.len(), OUTPUTS);
    let expected = defined_root(&model, &inputs, &committed);

    let mut commitment = Commitment::new(&model, &inputs);
    run(&model, &Reference, &inputs, &mut commitment).unwrap();
    assert_eq!(commitment.root(), expected);
    let prepared = prepare(Arc::new(model), Backend::default()).unwrap();
    let (file, root) = trace(&prepared, &inputs, u64::MAX);
    assert_eq!(root, expected);
    let file = TraceFile::parse(&file).unwrap();
    assert_eq!(file.entries().len(), 1 + OUTPUTS);
    file.fits(prepared.model()).unwrap();
}

#[test]
fn every_backend_has_one_root() {
    use aivm_nn::kernels::Isa;
    let model = Arc::new(digits());
    for n in [0, 100, 359] {
        let inputs = image(n);
        let mut expected = Commitment::new(&model, &inputs);
        run(&model, &Reference, &inputs, &mut expected).unwrap();
        for isa in Isa::available() {
            let backend = Backend::CpuWith { isa, threads: 2 };
            let prepared = prepare(model.clone(), backend).unwrap();
            let (_, root) = trace(&prepared, &inputs, u64::MAX);
            assert_eq!(root, expected.root(), "{}", isa.name());
        }
    }
}

#[test]
fn a_file_is_read_back_and_every_tile_is_right_and_proven() {
    let (prepared, inputs) = (prepared(), image(42));
    let model = prepared.model();
    let (bytes, root) = trace(&prepared, &inputs, u64::MAX);
    let file = TraceFile::parse(&bytes).unwrap();
    assert_eq!(file.root, root);
    file.verify().unwrap();
    file.fits(model).unwrap();
    assert_eq!(file.entries().len(), 1 + 3);
    for (index, entry) in file.entries().enumerate() {
        let size = entry.bytes().unwrap() as usize;
        for tile in 0..size.div_ceil(TILE) {
            let proof = file.prove(index, tile).unwrap();
            assert!(proof.holds(&root));
            assert!(!proof.holds(&[0; 32]));
            let mut other = proof.clone();
            other.bytes[0] ^= 1;
            assert!(!other.holds(&root));
            let mut other = proof.clone();
            other.index += 1;
            assert!(!other.holds(&root));
            let mut other = proof.clone();
            other.entry.shape.push(1);
            assert!(!other.holds(&root));
            let mut other = proof.clone();
            other.entries = usize::MAX;
            assert!(!other.holds(&root));
            if let Place::Result { node, output } = entry.place {
                let found = recompute(model, &file, node, output, tile).unwrap();
                assert_eq!(found.bytes, proof.bytes);
            }
        }
        assert_eq!(
            file.prove(index, size.div_ceil(TILE)),
            Err(TraceError::Missing("tile"))
        );
    }
    assert_eq!(file.prove(99, 0), Err(TraceError::Missing("entry")));
    assert_eq!(
        recompute(model, &file, 99, 0, 0),
        Err(TraceError::Missing("operation"))
    );
    for node in [0, 1, 4] {
        let found = recompute(model, &file, node, 0, 0);
        assert_eq!(found, Err(TraceError::NotCommitted(node)));
    }
    assert_eq!(
        recompute(model, &file, 2, 1, 0),
        Err(TraceError::Missing("output"))
    );
    assert_eq!(
        recompute(model, &file, 2, 0, usize::MAX),
        Err(TraceError::Missing("tile"))
    );
}

#[test]
fn a_limit_keeps_digests_only() {
    let (prepared, inputs) = (prepared(), image(42));
    let (whole, root) = trace(&prepared, &inputs, u64::MAX);
    let (short, same) = trace(&prepared, &inputs, 100);
    assert_eq!(root, same);
    let (whole, short) = (
        TraceFile::parse(&whole).unwrap(),
        TraceFile::parse(&short).unwrap(),
    );
    short.verify().unwrap();
    assert!(short.kept() <= 100 && whole.kept() > 500);
    assert_eq!(dispute(&whole, &short), Dispute::Equal);
    assert_eq!(short.prove(1, 0), Err(TraceError::NotKept(1)));
}

/// A chain of products, the results of which are as long as several tiles.
fn chain(length: usize) -> Model {
    use common::{Graph, I8, U8, node, tensor, value};
    let weights: Vec<u8> = (0..64 * 64u32).map(|i| (i * 37 % 251) as u8).collect();
    let mut graph = Graph {
        initializers: vec![
            tensor("w", I8, &[64, 64], &weights),
            common::float("s", 0.02),
            tensor("z", U8, &[], &[128]),
            tensor("wz", I8, &[], &[0]),
        ],
        inputs: vec![value("x0", U8, &[64, 64])],
        outputs: vec![value(&format!("x{length}"), U8, &[64, 64])],
        ..Graph::default()
    };
    for i in 0..length {
        let (from, to) = (format!("x{i}"), format!("x{}", i + 1));
        graph.nodes.push(node(
            "QLinearMatMul",
            &[&from, "s", "z", "w", "s", "wz", "s", "z"],
            &[&to],
        ));
    }
    Model::from_onnx(&graph.model(), &ModelLimits::default()).unwrap()
}

/// `softmax(relu(x · w) + x) · w`, of which a trace has the products alone.
fn attention() -> Model {
    use common::{FLOAT, Graph, node, tensor, value};
    let weights: Vec<u8> = (0..32 * 32)
        .flat_map(|i| ((i * 37 % 251) as f32 / 400.0 - 0.3).to_le_bytes())
        .collect();
    let graph = Graph {
        initializers: vec![tensor("w", FLOAT, &[32, 32], &weights)],
        inputs: vec![value("x", FLOAT, &[40, 32])],
        outputs: vec![value("y", FLOAT, &[40, 32])],
        nodes: vec![
            node("MatMul", &["x", "w"], &["a"]),
            node("Relu", &["a"], &["b"]),
            node("Add", &["b", "x"], &["c"]),
            node("Softmax", &["c"], &["d"]),
            node("MatMul", &["d", "w"], &["y"]),
        ],
    };
    Model::from_onnx(&graph.model(), &ModelLimits::default()).unwrap()
}

#[test]
fn operands_that_a_trace_lacks_follow_from_those_that_it_has() {
    let model = Arc::new(attention());
    let nodes = model.graph().nodes().len();
    let prepared = prepare(model.clone(), Backend::default()).unwrap();
    let x: Vec<u8> = (0..40 * 32)
        .flat_map(|i| ((i * 31 % 97) as f32 / 50.0 - 1.0).to_le_bytes())
        .collect();
    let inputs = [Tensor::new(ElementType::F32, vec![40, 32], x).unwrap()];
    let (honest, root) = trace(&prepared, &inputs, u64::MAX);
    let a = TraceFile::parse(&honest).unwrap();
    a.verify().unwrap();
    a.fits(&model).unwrap();
    assert_eq!(a.entries().len(), 3);
    // A party that computes the function between the products wrongly gives a wrong second product.
    let last = nodes - 1;
    let mut cheat = CheatF32 {
        tracer: Tracer::new(&model, &inputs, u64::MAX),
        node: last,
    };
    prepared.run_observed(&inputs, &mut cheat).unwrap();
    let other = cheat.tracer.to_file();
    let b = TraceFile::parse(&other).unwrap();
    assert_ne!(b.root, root);
    let Dispute::Differs(found) = dispute(&a, &b) else {
        panic!("they differ");
    };
    let place = Place::Result {
        node: last as u32,
        output: 0,
    };
    assert_eq!(found.place(), place);
    let tile = found.tile.unwrap();
    let right = recompute(&model, &b, last as u32, 0, tile.tile).unwrap();
    assert_eq!(right.bytes, tile.a);
    assert_ne!(right.bytes, tile.b);
    // What is not there is not made up.
    let (slim, _) = trace(&prepared, &inputs, 40 * 32 * 4);
    let slim = TraceFile::parse(&slim).unwrap();
    let missing = recompute(&model, &slim, last as u32, 0, 0);
    assert_eq!(missing, Err(TraceError::NotKept(1)));
}

/// Changes one element of what an operation gave.
struct CheatF32 {
    tracer: Tracer,
    node: usize,
}

impl aivm_nn::Observer for CheatF32 {
    fn results(&mut self, index: usize, node: &aivm_nn::Node, results: &[Arc<aivm_nn::Array>]) {
        let mut array = aivm_nn::Array::clone(&results[0]);
        if let (true, aivm_nn::Data::F32(data)) = (index == self.node, &mut array.data) {
            data[300] += 1.0;
        }
        self.tracer.results(index, node, &[Arc::new(array)]);
    }
}

#[test]
fn a_thousand_operations_are_resolved_in_ten_rounds() {
    let model = Arc::new(chain(1000));
    assert_eq!(model.graph().nodes().len(), 1000);
    let prepared = prepare(model.clone(), Backend::default()).unwrap();
    let data = (0..4096u32).map(|i| (i * 31 % 253) as u8).collect();
    let inputs = [Tensor::new(ElementType::U8, vec![64, 64], data).unwrap()];
    let (honest, root) = trace(&prepared, &inputs, u64::MAX);
    let a = TraceFile::parse(&honest).unwrap();
    for (wrong, element) in [(0usize, 4095usize), (499, 0), (777, 2222), (999, 1024)] {
        let mut tracer = Cheat {
            tracer: Tracer::new(&model, &inputs, u64::MAX),
            node: wrong,
            element,
        };
        prepared.run_observed(&inputs, &mut tracer).unwrap();
        let other = tracer.tracer.to_file();
        let b = TraceFile::parse(&other).unwrap();
        b.verify().unwrap();
        assert_ne!(b.root, root);
        let Dispute::Differs(found) = dispute(&a, &b) else {
            panic!("they differ");
        };
        let place = Place::Result {
            node: wrong as u32,
            output: 0,
        };
        assert_eq!(found.place(), place);
        let tile = found.tile.unwrap();
        assert_eq!((tile.tile, tile.element), (element / TILE, element));
        assert!(found.rounds <= 10, "{}", found.rounds);
        assert!(tile.rounds <= 3, "{}", tile.rounds);
        // Who is right: recomputed from what both agree on.
        for trace in [&a, &b] {
            let right = recompute(&model, trace, wrong as u32, 0, tile.tile).unwrap();
            assert_eq!(right.bytes, tile.a);
            assert_ne!(right.bytes, tile.b);
        }
    }
}

/// Changes one element of what an operation gave.
struct Cheat {
    tracer: Tracer,
    node: usize,
    element: usize,
}

impl aivm_nn::Observer for Cheat {
    fn results(&mut self, index: usize, node: &aivm_nn::Node, results: &[Arc<aivm_nn::Array>]) {
        if index != self.node {
            return self.tracer.results(index, node, results);
        }
        let mut array = aivm_nn::Array::clone(&results[0]);
        let aivm_nn::Data::U8(data) = &mut array.data else {
            panic!("bytes are expected");
        };
        data[self.element] ^= 1;
        self.tracer.results(index, node, &[Arc::new(array)]);
    }
}

#[test]
fn traces_that_cannot_be_compared_are_told_apart() {
    let prepared = prepared();
    let (one, _) = trace(&prepared, &image(1), u64::MAX);
    let (two, _) = trace(&prepared, &image(2), u64::MAX);
    let (one, two) = (
        TraceFile::parse(&one).unwrap(),
        TraceFile::parse(&two).unwrap(),
    );
    let Dispute::Differs(found) = dispute(&one, &two) else {
        panic!("they differ");
    };
    assert_eq!(found.place(), Place::Input(0));
    let model = Arc::new(chain(1));
    let other = prepare(model.clone(), Backend::default()).unwrap();
    let inputs = [Tensor::new(ElementType::U8, vec![64, 64], vec![1; 4096]).unwrap()];
    let (bytes, _) = trace(&other, &inputs, u64::MAX);
    let other = TraceFile::parse(&bytes).unwrap();
    assert!(matches!(dispute(&one, &other), Dispute::Models { .. }));
    assert_eq!(one.fits(&model), Err(TraceError::Model));
    assert_eq!(recompute(&model, &one, 0, 0, 0), Err(TraceError::Model));
}

#[test]
fn a_file_cut_or_changed_anywhere_is_a_typed_error_or_another_trace() {
    let (prepared, inputs) = (prepared(), image(7));
    let (bytes, _) = trace(&prepared, &inputs, u64::MAX);
    for len in 0..bytes.len() {
        let error = TraceFile::parse(&bytes[..len]).unwrap_err();
        assert!(!error.to_string().is_empty());
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(TraceFile::parse(&longer), Err(TraceError::Trailing(1)));
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let Ok(file) = TraceFile::parse(&changed) else {
                continue;
            };
            // Nothing that was changed goes unnoticed.
            assert!(file.verify().is_err(), "byte {at}, bit {bit}");
            let _ = file.fits(prepared.model());
            for node in 0..6 {
                let _ = recompute(prepared.model(), &file, node, 0, 0);
            }
        }
    }
}

#[test]
fn hostile_headers_ask_for_no_memory() {
    let (bytes, _) = trace(&prepared(), &image(7), 0);
    assert_eq!(TraceFile::parse(b"AIVM-TRANSCRIPT"), Err(TraceError::Magic));
    let head = b"AIVM-INFERENCE-TRACE".len();
    let mut version = bytes.clone();
    version[head] = 9;
    assert_eq!(TraceFile::parse(&version), Err(TraceError::Version(9)));
    // Four billion entries in a short file.
    let mut many = bytes.clone();
    many[head + 66..head + 70].fill(0xff);
    assert_eq!(
        TraceFile::parse(&many),
        Err(TraceError::Truncated("entries"))
    );
    // A tensor of 2⁶⁴ elements, marked as kept.
    let first = head + 70;
    let mut huge = bytes[..first].to_vec();
    huge.extend([0, 0, 0, 0, 0, 0, 0, 0, 2]);
    huge.extend([0xff; 8]);
    huge.extend([0; 32]);
    huge.push(1);
    huge.extend([0; 300]);
    assert!(matches!(
        TraceFile::parse(&huge),
        Err(TraceError::Entry { entry: 0, .. } | TraceError::Truncated("tensor"))
    ));
    // Nine dimensions.
    huge[first + 8] = 9;
    assert!(matches!(
        TraceFile::parse(&huge),
        Err(TraceError::Entry { entry: 0, .. })
    ));
}
