//! Operators asked for the impossible or the enormous: each is a typed error, and memory stays bounded.

mod common;

use aivm_nn::{
    ElementType, Model, ModelError, ModelLimits, NodeError, Reference, RunError, Tensor,
    TensorReason, run,
};
use common::random::{int, ints};
use common::{FLOAT, Graph, I64, Message, U8, float, node, tensor, value};

fn integers(name: &str, list: &[i64]) -> Message {
    let raw: Vec<u8> = list.iter().flat_map(|v| v.to_le_bytes()).collect();
    tensor(name, I64, &[list.len() as i64], &raw)
}

fn scalar(name: &str, v: i64) -> Message {
    tensor(name, I64, &[], &v.to_le_bytes())
}

fn text(name: &str, v: &str) -> Message {
    Message::default().bytes(1, name).int(20, 3).bytes(4, v)
}

fn floats(name: &str, list: &[f32]) -> Message {
    let raw: Vec<u8> = list.iter().flat_map(|v| v.to_le_bytes()).collect();
    tensor(name, FLOAT, &[list.len() as i64], &raw)
}

/// x: f32 of `dims` → nodes → y.
fn graph(dims: &[i64], nodes: Vec<Message>, initializers: Vec<Message>) -> Graph {
    Graph {
        nodes,
        initializers,
        inputs: vec![value("x", FLOAT, dims)],
        outputs: vec![value("y", FLOAT, &[])],
    }
}

fn one(op: &str, inputs: &[&str], attributes: Vec<Message>) -> Vec<Message> {
    let start = node(op, inputs, &["y"]);
    vec![attributes.into_iter().fold(start, |n, a| n.bytes(5, a))]
}

fn load(graph: &Graph) -> Result<Model, ModelError> {
    // Attention and bit casts came late.
    Model::from_onnx(&graph.model_of(26), &ModelLimits::default())
}

fn reason(graph: &Graph) -> NodeError {
    match load(graph) {
        Ok(_) => panic!("the model was accepted"),
        Err(ModelError::Nodes(list)) => list[0].reason.clone(),
        Err(other) => panic!("{other}"),
    }
}

/// The most memory this process has had, where the system tells.
fn peak_megabytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024)
}

#[test]
fn enormous_results_are_refused_before_they_are_made() {
    let huge = 1i64 << 31;
    let cases: Vec<(&str, Graph)> = vec![
        (
            "one-hot of 2³¹ classes",
            graph(
                &[4],
                one("OneHot", &["x", "n", "v"], vec![]),
                vec![scalar("n", huge), floats("v", &[0.0, 1.0])],
            ),
        ),
        (
            "a resize to 2³¹",
            graph(
                &[1, 1, 4],
                one("Resize", &["x", "", "", "s"], vec![text("mode", "cubic")]),
                vec![integers("s", &[1, 1, huge])],
            ),
        ),
        (
            "a resize by 10³⁰",
            graph(
                &[1, 1, 4],
                one("Resize", &["x", "", "s"], vec![text("mode", "linear")]),
                vec![floats("s", &[1.0, 1.0, 1e30])],
            ),
        ),
        (
            "an antialiased resize that sums 10⁶ elements",
            graph(
                &[1, 1, 1 << 22],
                one(
                    "Resize",
                    &["x", "", "", "s"],
                    vec![text("mode", "linear"), int("antialias", 1)],
                ),
                vec![integers("s", &[1, 1, 4])],
            ),
        ),
        (
            "a window of 2³¹",
            graph(
                &[1],
                one("HannWindow", &["n"], vec![]),
                vec![scalar("n", huge)],
            ),
        ),
        (
            "a transform of 2³¹",
            graph(
                &[1, 8, 1],
                one("DFT", &["x", "n"], vec![]),
                vec![scalar("n", huge)],
            ),
        ),
        (
            "a range of 2⁶⁰",
            graph(
                &[1],
                one("Range", &["a", "b", "c"], vec![]),
                vec![scalar("a", 0), scalar("b", 1 << 60), scalar("c", 1)],
            ),
        ),
        (
            "the identity of 2⁴⁰",
            graph(&[0], one("EyeLike", &["e"], vec![]), vec![]),
        ),
        (
            "a pad of 2³⁰ on both sides",
            graph(
                &[4, 4],
                one("Pad", &["x", "p"], vec![]),
                vec![integers("p", &[1 << 30, 1 << 30, 1 << 30, 1 << 30])],
            ),
        ),
        (
            "a tile of 2³¹",
            graph(
                &[4],
                one("Tile", &["x", "r"], vec![]),
                vec![integers("r", &[huge])],
            ),
        ),
    ];
    for (what, mut graph) in cases {
        if what.starts_with("the identity") {
            graph.inputs.push(value("e", FLOAT, &[1 << 20, 1 << 20]));
        }
        match load(&graph) {
            Err(ModelError::Nodes(list)) => assert!(
                matches!(list[0].reason, NodeError::Limit(_) | NodeError::Value(_)),
                "{what}: {}",
                list[0]
            ),
            Err(ModelError::Signature { .. } | ModelError::Limit { .. }) => {}
            other => panic!("{what}: {other:?}"),
        }
    }
    // Each alone is within the limits; together they are not.
    let many: Vec<Message> = (0..10_000)
        .flat_map(|i| {
            let name = format!("e{i}");
            vec![node("EyeLike", &["x"], &[&name])]
        })
        .collect();
    let mut graph = graph(&[4000, 4000], many, vec![]);
    graph.outputs = vec![value("e0", FLOAT, &[])];
    assert!(matches!(load(&graph), Err(ModelError::Limit { .. })));
    if let Some(peak) = peak_megabytes() {
        assert!(peak < 1024, "{peak} MB");
    }
}

/// A loop of `passes` passes; its body makes a node and keeps the condition.
fn endless(passes: i64, body: Vec<Message>) -> Graph {
    let mut nodes = vec![node("Identity", &["go"], &["again"])];
    nodes.extend(body);
    nodes.push(node("Add", &["before", "before"], &["after"]));
    let inner = Graph {
        nodes,
        inputs: vec![
            value("i", I64, &[]),
            value("go", 9, &[]),
            value("before", FLOAT, &[4]),
        ],
        outputs: vec![value("again", 9, &[]), value("after", FLOAT, &[4])],
        ..Graph::default()
    };
    let body = Message::default()
        .bytes(1, "body")
        .int(20, 5)
        .bytes(6, inner.graph());
    graph(
        &[4],
        one("Loop", &["n", "c", "x"], vec![body]),
        vec![scalar("n", passes), tensor("c", 9, &[], &[1])],
    )
}

#[test]
fn loops_end() {
    // Three passes: 8·x.
    let model = load(&endless(3, vec![])).unwrap();
    let x = Tensor::new(ElementType::F32, vec![4], 1.0f32.to_le_bytes().repeat(4)).unwrap();
    let y = run(&model, &Reference, &[x], &mut ()).unwrap();
    assert_eq!(y[0].data, 8.0f32.to_le_bytes().repeat(4));
    for passes in [20_000, 1 << 40, i64::MAX] {
        match load(&endless(passes, vec![])) {
            Err(ModelError::Nodes(list)) => {
                assert!(matches!(list[0].reason, NodeError::Limit(_)), "{}", list[0]);
            }
            Err(ModelError::Limit { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(load(&endless(-5, vec![])).is_ok());
    // Each pass brings a constant of a megabyte along.
    let megabyte = Message::default()
        .bytes(1, "value")
        .int(20, 4)
        .bytes(5, tensor("", U8, &[1 << 20], &vec![7; 1 << 20]));
    let constant = node("Constant", &[], &["k"]).bytes(5, megabyte);
    assert!(matches!(
        load(&endless(10_000, vec![constant])),
        Err(ModelError::Limit { .. })
    ));
    if let Some(peak) = peak_megabytes() {
        assert!(peak < 1024, "{peak} MB");
    }
}

#[test]
fn a_condition_that_is_not_known_is_refused() {
    let mut graph = endless(3, vec![]);
    graph.inputs.push(value("n2", I64, &[]));
    graph.nodes = graph
        .nodes
        .iter()
        .map(|n| {
            // The count becomes an input.
            let bytes: Vec<u8> = n.0.clone();
            let at = bytes.windows(3).position(|w| w == [0x0a, 1, b'n']).unwrap();
            let mut out = bytes[..at].to_vec();
            out.extend([0x0a, 2, b'n', b'2']);
            out.extend(&bytes[at + 3..]);
            Message(out)
        })
        .collect();
    assert_eq!(reason(&graph), NodeError::NotConstant(0));
}

#[test]
fn parameters_out_of_range_are_refused() {
    let index = || integers("i", &[0]);
    let cases: Vec<(&str, Graph)> = vec![
        (
            "more elements than there are",
            graph(
                &[4],
                one("TopK", &["x", "k"], vec![]),
                vec![integers("k", &[5])],
            ),
        ),
        (
            "less than nothing",
            graph(
                &[4],
                one("TopK", &["x", "k"], vec![]),
                vec![integers("k", &[-1])],
            ),
        ),
        (
            "an axis beyond the last",
            graph(
                &[4],
                one("CumSum", &["x", "i"], vec![]),
                vec![integers("i", &[7])],
            ),
        ),
        (
            "updates of another shape",
            graph(
                &[4, 4],
                one("ScatterND", &["x", "i", "x"], vec![]),
                vec![tensor("i", I64, &[1, 1], &[0; 8])],
            ),
        ),
        (
            "an unknown reduction",
            graph(
                &[4],
                one(
                    "ScatterElements",
                    &["x", "i", "x"],
                    vec![text("reduction", "xor")],
                ),
                vec![index()],
            ),
        ),
        (
            "indices deeper than the data",
            graph(
                &[4],
                one("GatherND", &["x", "i"], vec![]),
                vec![tensor("i", I64, &[1, 3], &[0; 24])],
            ),
        ),
        (
            "an equation without an operand",
            graph(
                &[4],
                one("Einsum", &["x"], vec![text("equation", "i,j->ij")]),
                vec![],
            ),
        ),
        (
            "an equation with a label too many",
            graph(
                &[4],
                one("Einsum", &["x"], vec![text("equation", "ij->i")]),
                vec![],
            ),
        ),
        (
            "an equation that ends nowhere",
            graph(
                &[4],
                one("Einsum", &["x"], vec![text("equation", "..i->")]),
                vec![],
            ),
        ),
        (
            "a negative scale",
            graph(
                &[1, 1, 4],
                one("Resize", &["x", "", "s"], vec![]),
                vec![floats("s", &[1.0, 1.0, -2.0])],
            ),
        ),
        (
            "a scale that is no number",
            graph(
                &[1, 1, 4],
                one("Resize", &["x", "", "s"], vec![]),
                vec![floats("s", &[1.0, f32::NAN, 2.0])],
            ),
        ),
        (
            "heads that do not divide the width",
            graph(
                &[1, 2, 6],
                one(
                    "Attention",
                    &["x", "x", "x"],
                    vec![int("q_num_heads", 4), int("kv_num_heads", 4)],
                ),
                vec![],
            ),
        ),
        (
            "a cache of rank 1",
            graph(
                &[1, 2, 4, 4],
                one("Attention", &["x", "x", "x", "", "s", "s"], vec![]),
                vec![float("s", 1.0)],
            ),
        ),
        (
            "a permutation that repeats",
            graph(
                &[4, 4],
                one("Transpose", &["x"], vec![ints("perm", &[0, 0])]),
                vec![],
            ),
        ),
        (
            "a cast between sizes",
            graph(&[4], one("BitCast", &["x"], vec![int("to", 7)]), vec![]),
        ),
        (
            "a cast to an unknown type",
            graph(&[4], one("Cast", &["x"], vec![int("to", 99)]), vec![]),
        ),
        (
            "a window larger than its plane",
            graph(
                &[1, 1, 2, 2, 2],
                one("MaxPool", &["x"], vec![ints("kernel_shape", &[3, 3, 3])]),
                vec![],
            ),
        ),
        (
            "a stride of nothing",
            graph(
                &[1, 1, 4, 4],
                one(
                    "LpPool",
                    &["x"],
                    vec![ints("kernel_shape", &[2, 2]), ints("strides", &[0, 1])],
                ),
                vec![],
            ),
        ),
    ];
    for (what, graph) in cases {
        let reason = match load(&graph) {
            Err(ModelError::Nodes(list)) => list[0].reason.clone(),
            other => panic!("{what}: {other:?}"),
        };
        assert!(
            !matches!(reason, NodeError::Operator | NodeError::Random),
            "{what}: {reason}"
        );
    }
}

#[test]
fn ranks_and_dimensions_of_constants_are_limited() {
    let deep = tensor("d", U8, &[1; 1000], &[1]);
    let error = load(&graph(&[1], one("Identity", &["d"], vec![]), vec![deep])).unwrap_err();
    assert!(
        matches!(error, ModelError::Limit { .. } | ModelError::Wire(_)),
        "{error}"
    );
    let to = integers("to", &[1; 1000]);
    let reshape = graph(&[1], one("Reshape", &["x", "to"], vec![]), vec![to]);
    assert!(matches!(reason(&reshape), NodeError::Limit(_)));
    let negative = graph(
        &[4],
        one("Reshape", &["x", "to"], vec![]),
        vec![integers("to", &[-2, 2])],
    );
    assert!(matches!(reason(&negative), NodeError::Value(_)));
    let overflowing = graph(
        &[4],
        one("Reshape", &["x", "to"], vec![]),
        vec![integers("to", &[1 << 31, 1 << 31, 1 << 31, -1])],
    );
    assert!(matches!(reason(&overflowing), NodeError::Shape(_)));
}

#[test]
fn narrow_tensors_must_be_whole() {
    let length = |t: Message| match load(&graph(&[4], one("Identity", &["w"], vec![]), vec![t])) {
        Err(ModelError::Tensor { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let wants = |expected, found| TensorReason::Length { expected, found };
    // Halves take two bytes, four-bit integers half a byte, two-bit ones a quarter.
    assert_eq!(length(tensor("w", 10, &[4], &[0; 7])), wants(8, 7));
    assert_eq!(length(tensor("w", 22, &[5], &[0; 2])), wants(3, 2));
    assert_eq!(length(tensor("w", 25, &[5], &[0; 3])), wants(2, 3));
    assert_eq!(length(tensor("w", 11, &[1], &[0; 4])), wants(8, 4));
    assert!(
        load(&graph(
            &[4],
            one("Identity", &["w"], vec![]),
            vec![tensor("w", 22, &[5], &[0; 3])]
        ))
        .is_ok()
    );
}

#[test]
fn indices_are_checked_when_they_are_known() {
    let index = |v: i64| {
        let data = v.to_le_bytes().to_vec();
        Tensor::new(ElementType::I64, vec![1], data).unwrap()
    };
    let x = Tensor::new(ElementType::F32, vec![4], vec![0; 16]).unwrap();
    for op in ["GatherElements", "ScatterElements", "Gather"] {
        let inputs: &[&str] = if op == "ScatterElements" {
            &["x", "i", "u"]
        } else {
            &["x", "i"]
        };
        let mut graph = graph(&[4], one(op, inputs, vec![]), vec![floats("u", &[1.0])]);
        graph.inputs.push(value("i", I64, &[1]));
        let model = load(&graph).unwrap();
        for wrong in [4, -5, i64::MAX, i64::MIN] {
            assert_eq!(
                run(&model, &Reference, &[x.clone(), index(wrong)], &mut ()),
                Err(RunError::IndexOutOfRange),
                "{op} {wrong}"
            );
        }
        assert!(run(&model, &Reference, &[x.clone(), index(-4)], &mut ()).is_ok());
    }
}

#[test]
fn scales_beyond_the_arithmetic_of_a_sum_are_refused() {
    let model = |first: f32, second: f32| {
        let names = ["x", "a", "z", "x", "b", "z", "c", "z"];
        Graph {
            nodes: vec![node("QLinearAdd", &names, &["y"]).bytes(7, "com.microsoft")],
            initializers: vec![
                float("a", first),
                float("b", second),
                float("c", 1.0),
                tensor("z", U8, &[], &[128]),
            ],
            inputs: vec![value("x", U8, &[4])],
            outputs: vec![value("y", U8, &[])],
        }
    };
    let (limit, below) = (16_777_216.0f32, 16_777_215.0);
    assert!(load(&model(below, below)).is_ok());
    for (first, second) in [(limit, 1.0), (1.0, limit), (1e30, 2e30)] {
        let found = reason(&model(first, second));
        assert!(
            matches!(found, NodeError::Scale(s) if s >= limit),
            "{found:?}"
        );
    }
}
