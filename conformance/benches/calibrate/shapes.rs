//! Networks of one operation in shapes that fill no vector: many small products, single columns, taps far apart, single
//! bytes that are moved. What a graph's input is copied for is the contract's to pay, so inputs are small.

use std::sync::Arc;
use std::time::Instant;

use aivm_gas::GasSchedule;
use aivm_nn::{Backend, ElementType, Model, ModelLimits, Tensor, TensorInfo, prepare};

use crate::fit::Item;
use crate::onnx::random::{int, ints};
use crate::onnx::{FLOAT, Graph, I32, I64, Message, U8, node, tensor, value};

const ROUNDS: usize = 9;

fn one(op: &str, inputs: &[&str], attributes: Vec<Message>) -> Vec<Message> {
    let start = node(op, inputs, &["y"]);
    vec![attributes.into_iter().fold(start, |n, a| n.bytes(5, a))]
}

/// Weights: ones, or small numbers.
fn w(name: &str, ty: i64, dims: &[i64]) -> Message {
    let count = dims.iter().product::<i64>() as usize;
    let data: Vec<u8> = match ty {
        FLOAT => 1.0_f32.to_le_bytes().repeat(count),
        I64 => 3_i64.to_le_bytes().repeat(count),
        _ => (0..count).map(|i| (i % 7) as u8).collect(),
    };
    tensor(name, ty, dims, &data)
}

type Case = (&'static str, Graph);

fn c(
    name: &'static str,
    inputs: Vec<Message>,
    nodes: Vec<Message>,
    initializers: Vec<Message>,
) -> Case {
    let outputs = vec![Message::default().bytes(1, "y")];
    let graph = Graph {
        nodes,
        initializers,
        inputs,
        outputs,
    };
    (name, graph)
}

fn cases() -> Vec<Case> {
    vec![
        c(
            "matmul i8 256 const",
            vec![value("x", U8, &[256, 256])],
            one("MatMulInteger", &["x", "w"], vec![]),
            vec![w("w", U8, &[256, 256])],
        ),
        c(
            "matmul i8 256x1024 n=1 const",
            vec![value("x", U8, &[256, 1024])],
            one("MatMulInteger", &["x", "w"], vec![]),
            vec![w("w", U8, &[1024, 1])],
        ),
        c(
            "matmul i8 m=1 n=1 k=65536 const",
            vec![value("x", U8, &[1, 32768])],
            one("MatMulInteger", &["x", "w"], vec![]),
            vec![w("w", U8, &[32768, 1])],
        ),
        c(
            "matmul i8 batch 256 [1,1024]x[1024,1] dyn",
            vec![
                value("x", U8, &[256, 1, 1024]),
                value("w", U8, &[256, 1024, 1]),
            ],
            one("MatMulInteger", &["x", "w"], vec![]),
            vec![],
        ),
        c(
            "matmul i8 1x256x256 dyn",
            vec![value("x", U8, &[1, 1, 256]), value("w", U8, &[1, 256, 256])],
            one("MatMulInteger", &["x", "w"], vec![]),
            vec![],
        ),
        c(
            "matmul i8 batch const 64 [1,256]x[256,256]",
            vec![value("x", U8, &[64, 1, 256])],
            one("MatMulInteger", &["x", "w"], vec![]),
            vec![w("w", U8, &[64, 256, 256])],
        ),
        c(
            "matmul f32 batch 256 [1,1024]x[1024,1] dyn",
            vec![
                value("x", FLOAT, &[256, 1, 1024]),
                value("w", FLOAT, &[256, 1024, 1]),
            ],
            one("MatMul", &["x", "w"], vec![]),
            vec![],
        ),
        c(
            "matmul f32 256x1024 n=1",
            vec![value("x", FLOAT, &[256, 1024])],
            one("MatMul", &["x", "w"], vec![]),
            vec![w("w", FLOAT, &[1024, 1])],
        ),
        c(
            "matmul f32 256",
            vec![value("x", FLOAT, &[256, 256])],
            one("MatMul", &["x", "w"], vec![]),
            vec![w("w", FLOAT, &[256, 256])],
        ),
        c(
            "conv i8 3x3 64ch 28 const",
            vec![value("x", U8, &[1, 64, 28, 28])],
            one("ConvInteger", &["x", "w"], vec![]),
            vec![w("w", U8, &[64, 64, 3, 3])],
        ),
        c(
            "conv i8 3x3 64ch 28 DYN",
            vec![
                value("x", U8, &[1, 64, 28, 28]),
                value("w", U8, &[64, 64, 3, 3]),
            ],
            one("ConvInteger", &["x", "w"], vec![]),
            vec![],
        ),
        c(
            "conv f32 3x3 32ch 28 const",
            vec![value("x", FLOAT, &[1, 32, 28, 28])],
            one("Conv", &["x", "w"], vec![]),
            vec![w("w", FLOAT, &[32, 32, 3, 3])],
        ),
        c(
            "conv f32 3x3 32ch 28 DYN",
            vec![
                value("x", FLOAT, &[1, 32, 28, 28]),
                value("w", FLOAT, &[32, 32, 3, 3]),
            ],
            one("Conv", &["x", "w"], vec![]),
            vec![],
        ),
        c(
            "conv i8 1 out channel 3x3 64ch",
            vec![value("x", U8, &[1, 64, 28, 28])],
            one("ConvInteger", &["x", "w"], vec![]),
            vec![w("w", U8, &[1, 64, 3, 3])],
        ),
        c(
            "maxpool 3x3",
            vec![value("x", U8, &[1, 64, 56, 56])],
            one("MaxPool", &["x"], vec![ints("kernel_shape", &[3, 3])]),
            vec![],
        ),
        c(
            "avgpool 3x3",
            vec![value("x", FLOAT, &[1, 64, 56, 56])],
            one("AveragePool", &["x"], vec![ints("kernel_shape", &[3, 3])]),
            vec![],
        ),
        c(
            "depthwise i8",
            vec![value("x", U8, &[1, 64, 56, 56])],
            one("ConvInteger", &["x", "w"], vec![int("group", 64)]),
            vec![w("w", U8, &[64, 1, 3, 3])],
        ),
        c(
            "depthwise 1x1",
            vec![value("x", U8, &[1, 4096, 1, 1])],
            one("ConvInteger", &["x", "w"], vec![int("group", 4096)]),
            vec![w("w", U8, &[4096, 1, 1, 1])],
        ),
        c(
            "depthwise f32 1x1",
            vec![value("x", FLOAT, &[1, 4096, 1, 1])],
            one("Conv", &["x", "w"], vec![int("group", 4096)]),
            vec![w("w", FLOAT, &[4096, 1, 1, 1])],
        ),
        c(
            "batch conv 4096x1x1",
            vec![value("x", U8, &[4096, 1, 1, 1])],
            one("ConvInteger", &["x", "w"], vec![]),
            vec![w("w", U8, &[1, 1, 1, 1])],
        ),
        c(
            "batch conv f32 4096x1x1",
            vec![value("x", FLOAT, &[4096, 1, 1, 1])],
            one("Conv", &["x", "w"], vec![]),
            vec![w("w", FLOAT, &[1, 1, 1, 1])],
        ),
        c(
            "batch matmul f32 4096x1x1x1 dyn",
            vec![
                value("x", FLOAT, &[4096, 1, 1]),
                value("w", FLOAT, &[4096, 1, 1]),
            ],
            one("MatMul", &["x", "w"], vec![]),
            vec![],
        ),
        c(
            "batch matmul i8 4096x1x1x1 dyn",
            vec![value("x", U8, &[4096, 1, 1]), value("w", U8, &[4096, 1, 1])],
            one("MatMulInteger", &["x", "w"], vec![]),
            vec![],
        ),
        c(
            "transpose u8",
            vec![value("x", U8, &[1000, 100])],
            one("Transpose", &["x"], vec![ints("perm", &[1, 0])]),
            vec![],
        ),
        c(
            "concat 250 x 1",
            vec![value("x", U8, &[1000, 1])],
            one("Concat", &["x"; 250], vec![int("axis", 1)]),
            vec![],
        ),
        c(
            "pad u8",
            vec![value("x", U8, &[1000, 1])],
            one("Pad", &["x", "p"], vec![]),
            vec![tensor(
                "p",
                I64,
                &[4],
                &[0i64, 0, 0, 99]
                    .iter()
                    .flat_map(|v| v.to_le_bytes())
                    .collect::<Vec<u8>>(),
            )],
        ),
        c(
            "expand u8",
            vec![value("x", U8, &[1, 1])],
            one("Expand", &["x", "p"], vec![]),
            vec![tensor(
                "p",
                I64,
                &[2],
                &[1000i64, 100]
                    .iter()
                    .flat_map(|v| v.to_le_bytes())
                    .collect::<Vec<u8>>(),
            )],
        ),
        c(
            "gather u8 rows of 1",
            vec![value("x", U8, &[1000]), value("i", I64, &[100000])],
            one("Gather", &["x", "i"], vec![]),
            vec![],
        ),
        c(
            "gather elements",
            vec![value("x", U8, &[1000, 100]), value("i", I64, &[1000, 100])],
            one("GatherElements", &["x", "i"], vec![]),
            vec![],
        ),
        c(
            "gathernd",
            vec![
                value("x", U8, &[10, 10, 10, 10]),
                value("i", I64, &[10000, 4]),
            ],
            one("GatherND", &["x", "i"], vec![]),
            vec![],
        ),
        c(
            "scatter elements",
            vec![
                value("x", U8, &[1000, 100]),
                value("i", I64, &[1000, 100]),
                value("u", U8, &[1000, 100]),
            ],
            one("ScatterElements", &["x", "i", "u"], vec![]),
            vec![],
        ),
        c(
            "where u8 broadcast",
            vec![value("x", U8, &[1000, 1]), value("z", U8, &[1, 100])],
            vec![
                node("Less", &["x", "z"], &["c"]),
                node("Where", &["c", "x", "z"], &["y"]),
            ],
            vec![],
        ),
        c(
            "where i32 broadcast",
            vec![value("x", I32, &[1000, 1]), value("z", I32, &[1, 100])],
            vec![
                node("Less", &["x", "z"], &["c"]),
                node("Where", &["c", "x", "z"], &["y"]),
            ],
            vec![],
        ),
        c(
            "add f32 broadcast",
            vec![value("x", FLOAT, &[1000, 1]), value("z", FLOAT, &[1, 100])],
            one("Add", &["x", "z"], vec![]),
            vec![],
        ),
        c(
            "add f32 rank8 dims 4",
            vec![
                value("x", FLOAT, &[4, 1, 4, 1, 4, 1, 4, 1]),
                value("z", FLOAT, &[1, 4, 1, 4, 1, 4, 1, 4]),
            ],
            one("Add", &["x", "z"], vec![]),
            vec![],
        ),
        c(
            "div i32",
            vec![value("x", I32, &[100000]), value("z", I32, &[100000])],
            one("Div", &["x", "z"], vec![]),
            vec![],
        ),
        c(
            "pow i32",
            vec![value("x", I32, &[100000]), value("z", I32, &[100000])],
            one("Pow", &["x", "z"], vec![]),
            vec![],
        ),
        c(
            "mod i64 const",
            vec![value("x", I64, &[100000])],
            one("Mod", &["x", "z"], vec![]),
            vec![w("z", I64, &[])],
        ),
        c(
            "sin",
            vec![value("x", FLOAT, &[100000])],
            one("Sin", &["x"], vec![]),
            vec![],
        ),
        c(
            "pow f32",
            vec![value("x", FLOAT, &[100000]), value("z", FLOAT, &[100000])],
            one("Pow", &["x", "z"], vec![]),
            vec![],
        ),
        c(
            "exp",
            vec![value("x", FLOAT, &[100000])],
            one("Exp", &["x"], vec![]),
            vec![],
        ),
        c(
            "fmod f32",
            vec![value("x", FLOAT, &[100000]), value("z", FLOAT, &[100000])],
            one("Mod", &["x", "z"], vec![int("fmod", 1)]),
            vec![],
        ),
        c(
            "topk",
            vec![value("x", FLOAT, &[100, 1000])],
            vec![node("TopK", &["x", "k"], &["y", "i"])],
            vec![tensor("k", I64, &[1], &10i64.to_le_bytes())],
        ),
        c(
            "cumsum",
            vec![value("x", FLOAT, &[100, 1000])],
            one("CumSum", &["x", "a"], vec![]),
            vec![tensor("a", I64, &[], &0i64.to_le_bytes())],
        ),
        c(
            "reduce min axis0",
            vec![value("x", FLOAT, &[1000, 100])],
            one("ReduceMin", &["x"], vec![ints("axes", &[0])]),
            vec![],
        ),
        c(
            "reduce sum i32",
            vec![value("x", I32, &[1000, 100])],
            one("ReduceProd", &["x"], vec![ints("axes", &[0])]),
            vec![],
        ),
        c(
            "argmax axis0",
            vec![value("x", U8, &[1000, 100])],
            one("ArgMax", &["x"], vec![int("axis", 0)]),
            vec![],
        ),
        c(
            "softmax",
            vec![value("x", FLOAT, &[10000, 10])],
            one("Softmax", &["x"], vec![]),
            vec![],
        ),
        c(
            "softmax n=1",
            vec![value("x", FLOAT, &[100000, 1])],
            one("Softmax", &["x"], vec![]),
            vec![],
        ),
        c(
            "quantize per axis last",
            vec![value("x", FLOAT, &[1000, 100])],
            one("QuantizeLinear", &["x", "s"], vec![int("axis", 1)]),
            vec![w("s", FLOAT, &[100])],
        ),
        c(
            "dequantize per axis",
            vec![value("x", U8, &[1000, 100])],
            one("DequantizeLinear", &["x", "s"], vec![int("axis", 1)]),
            vec![w("s", FLOAT, &[100])],
        ),
        c(
            "cast f32 i64",
            vec![value("x", FLOAT, &[100000])],
            one("Cast", &["x"], vec![int("to", 7)]),
            vec![],
        ),
        c(
            "cast u8 i64",
            vec![value("x", U8, &[100000])],
            one("Cast", &["x"], vec![int("to", 7)]),
            vec![],
        ),
        c(
            "einsum",
            vec![
                value("x", FLOAT, &[100, 100]),
                value("z", FLOAT, &[100, 100]),
            ],
            vec![
                node("Einsum", &["x", "z"], &["y"]).bytes(
                    5,
                    Message::default()
                        .bytes(1, "equation")
                        .int(20, 3)
                        .bytes(4, "ij,kj->ik"),
                ),
            ],
            vec![],
        ),
        c(
            "depthwise f32 3x3",
            vec![value("x", FLOAT, &[1, 64, 56, 56])],
            one("Conv", &["x", "w"], vec![int("group", 64)]),
            vec![w("w", FLOAT, &[64, 1, 3, 3])],
        ),
        c(
            "depthwise i8 s2",
            vec![value("x", U8, &[1, 64, 56, 56])],
            one(
                "ConvInteger",
                &["x", "w"],
                vec![int("group", 64), ints("strides", &[2, 2])],
            ),
            vec![w("w", U8, &[64, 1, 3, 3])],
        ),
        c(
            "gemv i8 4096",
            vec![value("x", U8, &[1, 4096])],
            one("MatMulInteger", &["x", "w"], vec![]),
            vec![w("w", U8, &[4096, 4096])],
        ),
        c(
            "gemv f32 2048",
            vec![value("x", FLOAT, &[1, 2048])],
            one("MatMul", &["x", "w"], vec![]),
            vec![w("w", FLOAT, &[2048, 2048])],
        ),
        c(
            "conv i8 1x1 out 2048ch",
            vec![value("x", U8, &[1, 2048, 1, 1])],
            one("ConvInteger", &["x", "w"], vec![]),
            vec![w("w", U8, &[2048, 2048, 1, 1])],
        ),
        c(
            "conv f32 1x1 out 1024ch",
            vec![value("x", FLOAT, &[1, 1024, 1, 1])],
            one("Conv", &["x", "w"], vec![]),
            vec![w("w", FLOAT, &[1024, 1024, 1, 1])],
        ),
        c(
            "conv f32 1 out channel",
            vec![value("x", FLOAT, &[1, 64, 28, 28])],
            one("Conv", &["x", "w"], vec![]),
            vec![w("w", FLOAT, &[1, 64, 3, 3])],
        ),
        c(
            "matmul f32 m=1 dyn",
            vec![value("x", FLOAT, &[1, 512]), value("w", FLOAT, &[512, 512])],
            one("MatMul", &["x", "w"], vec![]),
            vec![],
        ),
        c(
            "matmul f32 m=9 n=1 dyn",
            vec![value("x", FLOAT, &[9, 4096]), value("w", FLOAT, &[4096, 1])],
            one("MatMul", &["x", "w"], vec![]),
            vec![],
        ),
        c(
            "add bias chw",
            vec![value("x", FLOAT, &[1, 64, 40, 40])],
            one("Add", &["x", "w"], vec![]),
            vec![w("w", FLOAT, &[1, 64, 1, 1])],
        ),
        c(
            "reduce mean last",
            vec![value("x", FLOAT, &[100, 1000])],
            one("ReduceMean", &["x"], vec![ints("axes", &[1])]),
            vec![],
        ),
        c(
            "reduce max last i8",
            vec![value("x", U8, &[100, 1000])],
            one("ReduceMax", &["x"], vec![ints("axes", &[1])]),
            vec![],
        ),
        c(
            "concat 2 large",
            vec![value("x", U8, &[100, 1000])],
            one("Concat", &["x"; 2], vec![int("axis", 1)]),
            vec![],
        ),
        c(
            "gather rows of 64 f32",
            vec![value("x", FLOAT, &[1000, 64]), value("i", I64, &[1000])],
            one("Gather", &["x", "i"], vec![]),
            vec![],
        ),
        c(
            "dequantize scalar",
            vec![value("x", U8, &[100000])],
            one("DequantizeLinear", &["x", "s"], vec![]),
            vec![w("s", FLOAT, &[])],
        ),
        c(
            "quantize scalar",
            vec![value("x", FLOAT, &[100000])],
            one("QuantizeLinear", &["x", "s"], vec![]),
            vec![w("s", FLOAT, &[])],
        ),
        c(
            "maxpool dilated 2",
            vec![value("x", U8, &[1, 64, 56, 56])],
            one(
                "MaxPool",
                &["x"],
                vec![ints("kernel_shape", &[3, 3]), ints("dilations", &[2, 2])],
            ),
            vec![],
        ),
    ]
}

/// Fastest nanoseconds, and the gas of the operation.
fn run(graph: &Graph, schedule: &GasSchedule) -> Result<(f64, f64), String> {
    let read = |opset| Model::from_onnx(&graph.model_of(opset), &ModelLimits::default());
    let model = read(12)
        .or_else(|_| read(17))
        .map_err(|error| error.to_string())?;
    let gas = model.quote(&schedule.nn).gas - schedule.nn.infer_base;
    let tensor = |info: &TensorInfo| {
        let count: usize = info.shape.iter().map(|d| *d as usize).product();
        let number = |i: usize| match info.ty {
            ElementType::F32 => (0.5 + (i % 13) as f32).to_le_bytes().to_vec(),
            ty => ((1 + i % 5) as u64).to_le_bytes()[..ty.size()].to_vec(),
        };
        let data = (0..count).flat_map(number).collect();
        Tensor::new(info.ty, info.shape.clone(), data).expect("the right length")
    };
    let inputs: Vec<Tensor> = model.inputs().iter().map(tensor).collect();
    let prepared = prepare(Arc::new(model), Backend::default()).expect("a backend");
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let outputs = std::hint::black_box(prepared.run(&inputs));
        outputs.map_err(|error| error.to_string())?;
        best = best.min(start.elapsed().as_secs_f64() * 1e9);
    }
    Ok((best, gas as f64))
}

pub fn items(schedule: &GasSchedule) -> Vec<Item> {
    let measure = |(name, graph): Case| match run(&graph, schedule) {
        Ok((ns, gas)) => Some(Item {
            name: name.to_owned(),
            price: "nn".to_owned(),
            now: gas,
            units: 1.0,
            ns,
            gas,
            r2: 1.0,
        }),
        Err(why) => {
            eprintln!("{name} is not measured: {why}");
            None
        }
    };
    cases().into_iter().filter_map(measure).collect()
}
