//! Models made to do harm: each is a typed error, soon, and in little memory.

mod common;

use aivm_nn::{Model, ModelError, ModelLimits, NodeError, Reference, Tensor, TensorReason, run};
use common::{FLOAT, Graph, I8, I64, Message, U8, float, node, tensor, value};

fn load(graph: &Graph) -> Result<Model, ModelError> {
    Model::from_onnx(&graph.model(), &ModelLimits::default())
}

fn refusal(graph: &Graph) -> ModelError {
    match load(graph) {
        Ok(_) => panic!("the model was accepted"),
        Err(error) => error,
    }
}

fn first_reason(graph: &Graph) -> NodeError {
    match refusal(graph) {
        ModelError::Nodes(list) => list[0].reason.clone(),
        other => panic!("{other}"),
    }
}

/// x: u8[n] → an operation → y.
fn with_node(nodes: Vec<Message>, initializers: Vec<Message>) -> Graph {
    Graph {
        nodes,
        initializers,
        inputs: vec![value("x", U8, &[1, 4])],
        outputs: vec![value("y", U8, &[1, 4])],
    }
}

#[test]
fn a_flipped_bit_never_panics() {
    const DIGITS: &[u8] = include_bytes!("../models/digits.onnx");
    let limits = ModelLimits::default();
    let original = Model::from_onnx(DIGITS, &limits).unwrap();
    let (mut same, mut other, mut refused) = (0, 0, 0);
    for at in 0..DIGITS.len() {
        // One bit of each byte; which one depends on the position.
        let mut bytes = DIGITS.to_vec();
        bytes[at] ^= 1 << (at % 8);
        match Model::from_onnx(&bytes, &limits) {
            Err(_) => refused += 1,
            Ok(model) if model.hash() == original.hash() => same += 1,
            Ok(model) => {
                other += 1;
                let inputs: Vec<Tensor> = model
                    .inputs()
                    .iter()
                    .map(|i| {
                        let n = i.shape.iter().product::<u32>() as usize * i.ty.size();
                        Tensor::new(i.ty, i.shape.clone(), vec![0; n]).unwrap()
                    })
                    .collect();
                let _ = run(&model, &Reference, &inputs, &mut ());
            }
        }
    }
    // Most bytes are weights; names of nodes and comments leave the hash alone.
    assert!(other > 3000, "{other}");
    assert!(same > 0 && refused > 0);
}

#[test]
fn names_must_be_defined_once_and_before_use() {
    let cycle = with_node(
        vec![
            node("Identity", &["b"], &["a"]),
            node("Identity", &["a"], &["b"]),
        ],
        vec![],
    );
    assert!(matches!(refusal(&cycle), ModelError::Undefined { name, .. } if name == "b"));
    let selfish = with_node(vec![node("Identity", &["y"], &["y"])], vec![]);
    assert!(matches!(refusal(&selfish), ModelError::Undefined { .. }));
    let twice = with_node(
        vec![
            node("Identity", &["x"], &["y"]),
            node("Identity", &["x"], &["y"]),
        ],
        vec![],
    );
    assert_eq!(refusal(&twice), ModelError::Redefined("y".into()));
    let missing = with_node(vec![node("Add", &["x", "weight"], &["y"])], vec![]);
    assert!(matches!(refusal(&missing), ModelError::Undefined { name, .. } if name == "weight"));
    let no_output = with_node(vec![], vec![]);
    assert!(matches!(refusal(&no_output), ModelError::Undefined { .. }));
}

#[test]
fn counts_are_limited() {
    let nodes = vec![node("Identity", &["x"], &["y"]); 1_000_000];
    let error = refusal(&with_node(nodes, vec![]));
    assert!(
        matches!(error, ModelError::Limit { what: "nodes", .. }),
        "{error}"
    );

    let empty = vec![Message::default(); 1_000_000];
    let error = refusal(&with_node(empty, vec![]));
    assert!(
        matches!(error, ModelError::Limit { what: "nodes", .. }),
        "{error}"
    );

    let mut graph = with_node(vec![node("Identity", &["x"], &["y"])], vec![]);
    graph.inputs = vec![value("x", U8, &[1; 1000])];
    let error = refusal(&graph);
    assert!(
        matches!(
            error,
            ModelError::Limit {
                what: "dimensions",
                ..
            }
        ),
        "{error}"
    );

    let names: Vec<String> = (0..1000).map(|i| format!("o{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let error = refusal(&with_node(vec![node("Split", &["x"], &names)], vec![]));
    assert!(matches!(error, ModelError::Limit { .. }), "{error}");
}

#[test]
fn shapes_are_checked_before_anything_is_allocated() {
    let mut graph = with_node(vec![node("Identity", &["x"], &["y"])], vec![]);
    for dims in [[i64::from(u32::MAX); 2], [1 << 40, 1], [-1, 4]] {
        graph.inputs = vec![value("x", U8, &dims)];
        assert!(matches!(refusal(&graph), ModelError::Signature { .. }));
    }
    // Expanding four bytes to 2⁴⁰.
    let to = [1i64 << 20, 1 << 18, 4].map(i64::to_le_bytes).concat();
    let graph = with_node(
        vec![node("Expand", &["x", "to"], &["y"])],
        vec![tensor("to", I64, &[3], &to)],
    );
    assert!(matches!(first_reason(&graph), NodeError::Limit(_)));
    // 24 doublings of a constant: folding stops, and so does the size.
    let mut nodes = vec![node("Concat", &["x", "x"], &["n0"])];
    for i in 0..40 {
        let (from, to) = (format!("n{i}"), format!("n{}", i + 1));
        nodes.push(node("Concat", &[&from, &from], &[&to]));
    }
    for node in &mut nodes {
        let axis = Message::default().bytes(1, "axis").int(3, 1).int(20, 2);
        *node = node.clone().bytes(5, axis);
    }
    nodes.push(node("Identity", &["n40"], &["y"]));
    assert!(matches!(
        first_reason(&with_node(nodes, vec![])),
        NodeError::Limit(_)
    ));
}

#[test]
fn tensors_must_be_whole_and_inside_the_file() {
    let reason =
        |t: Message| match refusal(&with_node(vec![node("Add", &["x", "w"], &["y"])], vec![t])) {
            ModelError::Tensor { reason, .. } => reason,
            other => panic!("{other}"),
        };
    assert_eq!(
        reason(tensor("w", U8, &[4], &[0; 4]).int(14, 1)),
        TensorReason::External
    );
    let located = Message::default()
        .bytes(1, "location")
        .bytes(2, "/etc/passwd");
    assert_eq!(
        reason(tensor("w", U8, &[4], &[]).bytes(13, located)),
        TensorReason::External
    );
    assert_eq!(
        reason(tensor("w", U8, &[4], &[0; 3])),
        TensorReason::Length {
            expected: 4,
            found: 3
        }
    );
    assert_eq!(
        reason(tensor("w", U8, &[-4], &[])),
        TensorReason::Dimension(-4)
    );
    assert_eq!(
        reason(tensor("w", 8, &[1], &[])),
        TensorReason::ElementType(8)
    );
    let huge = tensor("w", U8, &[1 << 20, 1 << 20, 1 << 20], &[]);
    let error = refusal(&with_node(
        vec![node("Add", &["x", "w"], &["y"])],
        vec![huge],
    ));
    assert!(matches!(error, ModelError::Limit { .. }), "{error}");
}

#[test]
fn an_accumulator_that_could_overflow_is_refused() {
    let product = |k: i64, zero_points: bool| {
        let mut inputs = vec!["a", "b"];
        if zero_points {
            inputs.extend(["za", "zb"]);
        }
        Graph {
            nodes: vec![node("MatMulInteger", &inputs, &["y"])],
            initializers: vec![],
            inputs: vec![
                value("a", U8, &[1, k]),
                value("b", if zero_points { U8 } else { I8 }, &[k, 1]),
                value("za", U8, &[]),
                value("zb", U8, &[]),
            ],
            outputs: vec![value("y", 6, &[1, 1])],
        }
    };
    // 33,025 · 255 · 255 and 65,793 · 255 · 128 are the last that fit.
    assert!(load(&product(33_025, true)).is_ok());
    assert!(matches!(
        first_reason(&product(33_026, true)),
        NodeError::Accumulator { .. }
    ));
    assert!(load(&product(65_792, false)).is_ok());
    assert!(matches!(
        first_reason(&product(65_794, false)),
        NodeError::Accumulator { .. }
    ));
}

#[test]
fn scales_are_positive_finite_numbers() {
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, f32::from_bits(1)] {
        let graph = Graph {
            nodes: vec![node("QuantizeLinear", &["x", "s"], &["y"])],
            initializers: vec![float("s", scale)],
            inputs: vec![value("x", FLOAT, &[4])],
            outputs: vec![value("y", U8, &[4])],
        };
        assert!(
            matches!(first_reason(&graph), NodeError::Scale(_)),
            "{scale}"
        );
    }
}

#[test]
fn every_unsupported_node_is_named() {
    let graph = with_node(
        vec![
            node("RandomNormalLike", &["x"], &["a"]),
            node("Whatever", &["x"], &["b"]),
            node("Add", &["a", "b"], &["y"]),
        ],
        vec![],
    );
    let ModelError::Nodes(list) = refusal(&graph) else {
        panic!("nodes are expected")
    };
    let list: Vec<_> = list
        .iter()
        .map(|r| (&*r.node, &*r.operator, &r.reason))
        .collect();
    assert_eq!(
        list,
        [
            ("a", "RandomNormalLike", &NodeError::Random),
            ("b", "Whatever", &NodeError::Operator)
        ]
    );
}

#[test]
fn folding_is_bounded_and_its_failures_are_typed() {
    let graph = with_node(
        vec![node("Gather", &["w", "i"], &["y"])],
        vec![
            tensor("w", U8, &[2], &[1, 2]),
            tensor("i", I64, &[1], &7i64.to_le_bytes()),
        ],
    );
    assert!(matches!(first_reason(&graph), NodeError::Fold(_)));
}

/// A node with a graph as its attribute.
fn with_graph(op: &str, inputs: &[&str], attribute: &str, graph: &Message) -> Message {
    let attribute = Message::default().bytes(1, attribute).int(20, 5);
    node(op, inputs, &[]).bytes(5, attribute.bytes(6, graph))
}

/// A body of a loop: it goes on, and does what `nodes` do.
fn body(nodes: Vec<Message>) -> Message {
    let body = Graph {
        nodes,
        initializers: vec![],
        inputs: vec![value("i", I64, &[]), value("c", 9, &[])],
        outputs: vec![value("c", 9, &[])],
    };
    body.graph()
}

fn around(nodes: Vec<Message>) -> Graph {
    let number = |name, n: i64| tensor(name, I64, &[], &n.to_le_bytes());
    Graph {
        nodes: [nodes, vec![node("Identity", &["x"], &["y"])]].concat(),
        initializers: vec![
            number("m", 16_000),
            number("n", 3),
            tensor("t", 9, &[], &[1]),
        ],
        inputs: vec![value("x", FLOAT, &[1])],
        outputs: vec![value("y", FLOAT, &[1])],
    }
}

#[test]
fn loops_in_loops_are_counted_pass_by_pass() {
    let load = |nodes| Model::from_onnx(&around(nodes).model(), &ModelLimits::default());
    let inner = with_graph("Loop", &["n", ""], "body", &body(vec![]));
    assert!(
        load(vec![with_graph(
            "Loop",
            &["n", ""],
            "body",
            &body(vec![inner])
        )])
        .is_ok()
    );
    let inner = with_graph("Loop", &["m", ""], "body", &body(vec![]));
    let found = load(vec![with_graph(
        "Loop",
        &["m", ""],
        "body",
        &body(vec![inner]),
    )]);
    assert!(
        matches!(found, Err(ModelError::Limit { what, .. }) if what.starts_with("nodes")),
        "{found:?}"
    );
}

#[test]
fn graphs_that_are_read_again_are_counted_byte_by_byte() {
    let branch = |junk: usize| {
        let graph = Graph {
            outputs: vec![],
            ..Graph::default()
        }
        .graph();
        // Fields that nobody knows.
        let mut graph = graph;
        for _ in 0..junk {
            graph = graph.int(99, 0);
        }
        graph
    };
    let load = |junk| {
        let inner = with_graph("If", &["t"], "then_branch", &branch(junk));
        let outer = with_graph("Loop", &["m", ""], "body", &body(vec![inner]));
        Model::from_onnx(&around(vec![outer]).model(), &ModelLimits::default())
    };
    assert!(load(10).is_ok());
    let found = load(1 << 20);
    assert!(
        matches!(found, Err(ModelError::Limit { what, .. }) if what.starts_with("bytes of graphs")),
        "{found:?}"
    );
}

#[test]
fn the_work_of_reading_is_counted_and_bounded() {
    let three = |steps| with_graph("Loop", &[steps, ""], "body", &body(vec![]));
    let measured = |nodes: Vec<Message>, work: u64| {
        let mut limits = ModelLimits::default();
        limits.work = work;
        Model::from_onnx_measured(&around(nodes).model(), &limits)
    };
    // The loop, `Identity`, three passes, and the two numbers that each pass begins with.
    let expected = 5 * 800 + 3 * 2;
    let (model, work) = measured(vec![three("n")], u64::MAX);
    assert_eq!((model.is_ok(), work), (true, expected));
    let (model, work) = measured(vec![three("n")], expected);
    assert_eq!((model.is_ok(), work), (true, expected));
    for less in [0, 799, 800, expected - 1] {
        let (model, work) = measured(vec![three("n")], less);
        let error = model.unwrap_err();
        assert!(
            matches!(error, ModelError::Limit { max, .. } if max == less),
            "{error}"
        );
        assert!(work > less && work <= expected, "{work} for {less}");
    }
    // Where it is given up, it ends soon.
    let (model, work) = measured(vec![three("m")], 100_000);
    assert!(model.is_err() && work < 101_000, "{work}");
    // A million elements that an operator makes, and what is folded from them.
    let n = 1i64 << 20;
    let number = |name, n: i64| tensor(name, I64, &[], &n.to_le_bytes());
    let graph = Graph {
        nodes: vec![
            node("Range", &["zero", "n", "one"], &["r"]),
            node("Neg", &["r"], &["s"]),
            node("Gather", &["s", "x"], &["y"]),
        ],
        initializers: vec![number("zero", 0), number("n", n), number("one", 1)],
        inputs: vec![value("x", I64, &[1])],
        outputs: vec![value("y", I64, &[1])],
    };
    let (model, work) = Model::from_onnx_measured(&graph.model(), &ModelLimits::default());
    // Each is made, read, negated and written: eight bytes, twice.
    assert!(work > 10 * n as u64, "{work}");
    // The file is short, and what it comes to is not.
    assert!(model.unwrap().held_bytes() >= 8 * n as u64);
}

#[test]
fn a_border_has_so_many_tensors() {
    let names: Vec<String> = (0..257).map(|i| format!("x{i}")).collect();
    let inputs = |count: usize| Graph {
        nodes: vec![node("Identity", &["x0"], &["y"])],
        initializers: vec![],
        inputs: names[..count]
            .iter()
            .map(|name| value(name, FLOAT, &[1]))
            .collect(),
        outputs: vec![value("y", FLOAT, &[1])],
    };
    assert_eq!(load(&inputs(256)).unwrap().inputs().len(), 256);
    let error = refusal(&inputs(257));
    assert!(
        matches!(
            error,
            ModelError::Limit {
                what: "inputs",
                found: 257,
                max: 256
            }
        ),
        "{error}"
    );
    let outputs = |count: usize| Graph {
        nodes: vec![node("Identity", &["x"], &["y"])],
        initializers: vec![],
        inputs: vec![value("x", FLOAT, &[1])],
        outputs: vec![value("y", FLOAT, &[1]); count],
    };
    assert_eq!(load(&outputs(256)).unwrap().outputs().len(), 256);
    let error = refusal(&outputs(257));
    assert!(
        matches!(
            error,
            ModelError::Limit {
                what: "outputs",
                found: 257,
                max: 256
            }
        ),
        "{error}"
    );
    // Each output is paid for, the same one too.
    let prices = aivm_gas::GasSchedule::v1().nn;
    let quote = |count| load(&outputs(count)).unwrap().quote(&prices);
    let each = 4 * prices.byte_moved_milligas + 256 * prices.element_int_milligas;
    assert_eq!(
        quote(256).border_milligas - quote(1).border_milligas,
        255 * each
    );
}
