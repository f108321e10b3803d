//! Networks of one operation in shapes that fill no vector: many small products, single columns, taps far apart, single bytes
//! that are moved. What a graph's input is copied for is the contract's to pay, so inputs are small.

use std::sync::Arc;
use std::time::Instant;

use aivm_gas::GasSchedule;
use aivm_nn::{Backend, ElementType, Model, ModelLimits, Tensor, TensorInfo, prepare};

use crate::fit::Item;
use crate::onnx::random::{int, ints};
use crate::onnx::{FLOAT, Graph, I32, I64, Message, U8, node, tensor, value};

const ROUNDS: usize = 9;

/// Name; operation; inputs; constants, either of a shape or behind `=` a list (a number, where it has one); attributes.
const CASES: &str = "bytes, 256³ | MatMulInteger | u8 256,256 | u8 256,256 |
bytes, one column | MatMulInteger | u8 256,1024 | u8 1024,1 |
bytes, one row and column | MatMulInteger | u8 1,32768 | u8 32768,1 |
bytes, 256 rows with a column each | MatMulInteger | u8 256,1,1024; u8 256,1024,1 | |
bytes, one row, computed weights | MatMulInteger | u8 1,1,256; u8 1,256,256 | |
bytes, 64 rows with weights each | MatMulInteger | u8 64,1,256 | u8 64,256,256 |
bytes, one row, 16 MiB of weights | MatMulInteger | u8 1,4096 | u8 4096,4096 |
bytes, 4096 products of two numbers | MatMulInteger | u8 4096,1,1; u8 4096,1,1 | |
f32, 256³ | MatMul | f32 256,256 | f32 256,256 |
f32, one column | MatMul | f32 256,1024 | f32 1024,1 |
f32, 256 rows with a column each | MatMul | f32 256,1,1024; f32 256,1024,1 | |
f32, nine rows, one column | MatMul | f32 9,4096; f32 4096,1 | |
f32, one row, computed weights | MatMul | f32 1,512; f32 512,512 | |
f32, one row, 16 MiB of weights | MatMul | f32 1,2048 | f32 2048,2048 |
f32, 4096 products of two numbers | MatMul | f32 4096,1,1; f32 4096,1,1 | |
convolution of bytes | ConvInteger | u8 1,64,28,28 | u8 64,64,3,3 |
convolution of bytes, computed weights | ConvInteger | u8 1,64,28,28; u8 64,64,3,3 | |
convolution of bytes, one channel | ConvInteger | u8 1,64,28,28 | u8 1,64,3,3 |
convolution of bytes, one position | ConvInteger | u8 1,2048,1,1 | u8 2048,2048,1,1 |
convolution of bytes, depthwise | ConvInteger | u8 1,64,56,56 | u8 64,1,3,3 | group=64
convolution of bytes, depthwise, stride 2 | ConvInteger | u8 1,64,56,56 | u8 64,1,3,3 | group=64 strides=2,2
convolution of bytes, 4096 groups of one | ConvInteger | u8 1,4096,1,1 | u8 4096,1,1,1 | group=4096
convolution of bytes, 4096 batches of one | ConvInteger | u8 4096,1,1,1 | u8 1,1,1,1 |
convolution of bytes, taps far apart | ConvInteger | u8 1,1,200,1001 | u8 64,1,1,2 | dilations=1,1000
convolution of f32 | Conv | f32 1,32,28,28 | f32 32,32,3,3 |
convolution of f32, computed weights | Conv | f32 1,32,28,28; f32 32,32,3,3 | |
convolution of f32, one channel | Conv | f32 1,64,28,28 | f32 1,64,3,3 |
convolution of f32, one position | Conv | f32 1,1024,1,1 | f32 1024,1024,1,1 |
convolution of f32, depthwise | Conv | f32 1,64,56,56 | f32 64,1,3,3 | group=64
convolution of f32, 4096 groups of one | Conv | f32 1,4096,1,1 | f32 4096,1,1,1 | group=4096
convolution of f32, 4096 batches of one | Conv | f32 4096,1,1,1 | f32 1,1,1,1 |
convolution of f32, taps far apart | Conv | f32 1,1,200,1001 | f32 64,1,1,2 | dilations=1,1000
greatest of 3×3 bytes | MaxPool | u8 1,64,56,56 | | kernel_shape=3,3
greatest of 3×3 bytes, dilated | MaxPool | u8 1,64,56,56 | | kernel_shape=3,3 dilations=2,2
mean of 3×3 | AveragePool | f32 1,64,56,56 | | kernel_shape=3,3
transposed bytes | Transpose | u8 1000,100 | | perm=1,0
expanded byte | Expand | u8 1,1 | i64 =1000,100 |
padded columns | Pad | u8 1000,1 | i64 =0,0,0,99 |
two joined | Concat | u8 100,1000; u8 100,1000 | | axis=1
looked-up bytes | Gather | u8 1000; i64 100000 | |
looked-up rows | Gather | f32 1000,64; i64 1000 | |
looked-up elements | GatherElements | u8 1000,100; i64 1000,100 | |
looked-up places | GatherND | u8 10,10,10,10; i64 10000,4 | |
scattered elements | ScatterElements | u8 1000,100; i64 1000,100; u8 1000,100 | |
compared integers, broadcast | Less | i32 1000,1; i32 1,100 | |
chosen integers, broadcast | Where | bool 1000,100; i32 1000,1; i32 1,100 | |
sums, broadcast | Add | f32 1000,1; f32 1,100 | |
sums, broadcast in eight dimensions | Add | f32 4,1,4,1,4,1,4,1; f32 1,4,1,4,1,4,1,4 | |
sums, a bias for each channel | Add | f32 1,64,40,40 | f32 1,64,1,1 |
quotients of integers | Div | i32 100000; i32 100000 | |
powers of integers | Pow | i32 100000; i32 100000 | |
remainders of 64 bits | Mod | i64 100000 | i64 =3 |
powers | Pow | f32 100000; f32 100000 | |
remainders | Mod | f32 100000; f32 100000 | | fmod=1
running sums | CumSum | f32 100,1000 | i64 =0 |
least along the first axis | ReduceMin | f32 1000,100 | | axes=0
product along the first axis | ReduceProd | i32 1000,100 | | axes=0
mean along the last axis | ReduceMean | f32 100,1000 | | axes=1
greatest byte along the last axis | ReduceMax | u8 100,1000 | | axes=1
place of the greatest | ArgMax | u8 1000,100 | | axis=0
softmax of ten | Softmax | f32 10000,10 | | axis=1
softmax of one | Softmax | f32 100000,1 | | axis=1
quantised by column | QuantizeLinear | f32 1000,100 | f32 100 | axis=1
quantised | QuantizeLinear | f32 100000 | f32 =1 |
back from bytes by column | DequantizeLinear | u8 1000,100 | f32 100 | axis=1
back from bytes | DequantizeLinear | u8 100000 | f32 =1 |
to 64-bit integers | Cast | f32 100000 | | to=7
bytes to 64-bit integers | Cast | u8 100000 | | to=7
the ten greatest | TopK | f32 100,1000 | i64 =10 |
";

const BOOL: i64 = 9;

fn numbers(text: &str) -> Vec<i64> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts.map(|n| n.parse().expect("a number")).collect()
}

/// `u8 1,2; f32 3`, with names.
fn operands(text: &str, names: &[&'static str]) -> Vec<(&'static str, i64, String)> {
    let parts = text
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let read = |(part, name): (&str, &&'static str)| {
        let (ty, rest) = part.split_once(' ').expect("a type");
        let ty = match ty {
            "f32" => FLOAT,
            "i32" => I32,
            "i64" => I64,
            "bool" => BOOL,
            _ => U8,
        };
        (*name, ty, rest.to_owned())
    };
    parts.zip(names).map(read).collect()
}

fn constant((name, ty, text): &(&str, i64, String)) -> Message {
    let (dims, list) = match text.strip_prefix('=') {
        None => (numbers(text), None),
        Some(list) => {
            let list = numbers(list);
            let dims = if list.len() == 1 {
                vec![]
            } else {
                vec![list.len() as i64]
            };
            (dims, Some(list))
        }
    };
    let count = dims.iter().product::<i64>();
    let list = list.unwrap_or_else(|| (0..count).map(|i| 1 + i % 7).collect());
    let data = list.iter().flat_map(|n| match *ty {
        FLOAT => (*n as f32).to_le_bytes().to_vec(),
        I64 => n.to_le_bytes().to_vec(),
        _ => vec![*n as u8],
    });
    tensor(name, *ty, &dims, &data.collect::<Vec<u8>>())
}

fn graph(op: &str, inputs: &str, constants: &str, attributes: &str) -> Graph {
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    let inputs = operands(inputs, &NAMES);
    let constants = operands(constants, &NAMES[inputs.len()..]);
    let names: Vec<&str> = inputs.iter().chain(&constants).map(|o| o.0).collect();
    let outputs: &[&str] = if op == "TopK" { &["y", "z"] } else { &["y"] };
    let attributes = attributes
        .split(' ')
        .filter_map(|text| text.split_once('='));
    let node = attributes.fold(node(op, &names, outputs), |node, (name, value)| {
        let list = numbers(value);
        let one = ["group", "axis", "fmod", "to"].contains(&name);
        node.bytes(
            5,
            if one {
                int(name, list[0])
            } else {
                ints(name, &list)
            },
        )
    });
    Graph {
        nodes: vec![node],
        initializers: constants.iter().map(constant).collect(),
        inputs: inputs
            .iter()
            .map(|(name, ty, dims)| value(name, *ty, &numbers(dims)))
            .collect(),
        outputs: vec![Message::default().bytes(1, "y")],
    }
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
            ElementType::Bool => vec![(i % 2) as u8],
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
    let measure = |line: &str| {
        let mut cells = line.split('|').map(str::trim);
        let mut cell = || cells.next().unwrap_or_default();
        let name = cell();
        match run(&graph(cell(), cell(), cell(), cell()), schedule) {
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
        }
    };
    CASES.lines().filter_map(measure).collect()
}
