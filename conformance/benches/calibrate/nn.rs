//! Neural networks: models of one operation, of growing size.

use std::sync::Arc;
use std::time::Instant;

use aivm_gas::GasSchedule;
use aivm_nn::{Backend, ElementType, Model, ModelLimits, Tensor, prepare};

use crate::fit::{self, Item};
use crate::onnx::{FLOAT, Graph, I8, I64, U8, node, tensor, value};

const ROUNDS: usize = 15;
/// Rows, or thousands of elements.
const SIZES: [i64; 4] = [16, 32, 48, 64];

/// A model of a size, for the price that matters most and how often a unit of size pays it.
struct Piece {
    name: &'static str,
    price: &'static str,
    units: f64,
    model: fn(i64) -> Vec<u8>,
}

fn graph(
    op: &str,
    inputs: &[(&str, i64, &[i64])],
    constants: Vec<crate::onnx::Message>,
    names: &[&str],
    output: (i64, &[i64]),
) -> Vec<u8> {
    Graph {
        nodes: vec![node(op, names, &["out"])],
        initializers: constants,
        inputs: inputs
            .iter()
            .map(|(name, ty, dims)| value(name, *ty, dims))
            .collect(),
        outputs: vec![value("out", output.0, output.1)],
    }
    .model()
}

/// Numbers between a half and two.
fn floats(count: i64) -> Vec<u8> {
    (0..count)
        .flat_map(|i| (0.5 + 1.5 * ((i * 7_919) % 1_021) as f32 / 1_021.0).to_le_bytes())
        .collect()
}

fn bytes(count: i64) -> Vec<u8> {
    (0..count).map(|i| (i * 7_919 % 251) as u8).collect()
}

/// One operation on floats.
fn unary(op: &str, thousands: i64) -> Vec<u8> {
    let dims = [thousands, 1_000];
    graph(
        op,
        &[("x", FLOAT, &dims)],
        Vec::new(),
        &["x"],
        (FLOAT, &dims),
    )
}

fn binary(op: &str, ty: i64, thousands: i64) -> Vec<u8> {
    let dims = [thousands, 1_000];
    graph(
        op,
        &[("x", ty, &dims), ("y", ty, &dims)],
        Vec::new(),
        &["x", "y"],
        (ty, &dims),
    )
}

/// A product of a matrix that is given with one that is not: rows, depth and columns.
fn product(ty: i64, [rows, depth, columns]: [i64; 3]) -> Vec<u8> {
    const I32: i64 = 6;
    let count = depth * columns;
    let (op, given, weights, out) = match ty {
        FLOAT => ("MatMul", FLOAT, floats(count), FLOAT),
        _ => ("MatMulInteger", U8, bytes(count), I32),
    };
    graph(
        op,
        &[("x", given, &[rows, depth])],
        vec![tensor("w", ty, &[depth, columns], &weights)],
        &["x", "w"],
        (out, &[rows, columns]),
    )
}

fn transpose(ty: i64, rows: i64) -> Vec<u8> {
    graph(
        "Transpose",
        &[("x", ty, &[rows, 1_000])],
        Vec::new(),
        &["x"],
        (ty, &[1_000, rows]),
    )
}

const K: i64 = 256;

const fn piece(
    name: &'static str,
    price: &'static str,
    units: f64,
    model: fn(i64) -> Vec<u8>,
) -> Piece {
    Piece {
        name,
        price,
        units,
        model,
    }
}

const PIECES: &[Piece] = &[
    piece(
        "8-bit matrix product, 256 × 256",
        "mac_int8_milligas",
        (K * K) as f64,
        |rows| product(I8, [rows, K, K]),
    ),
    piece(
        "8-bit vector by matrix",
        "mac_int8_milligas",
        16.0 * 1_024.0,
        |columns| product(I8, [1, 1_024, 16 * columns]),
    ),
    piece(
        "f32 matrix product, 256 × 256",
        "mac_f32_milligas",
        (K * K) as f64,
        |rows| product(FLOAT, [rows, K, K]),
    ),
    piece(
        "f32 vector by matrix",
        "mac_f32_milligas",
        16.0 * 1_024.0,
        |columns| product(FLOAT, [1, 1_024, 16 * columns]),
    ),
    piece("Add, integers", "element_int_milligas", 1e3, |n| {
        binary("Add", I64, n)
    }),
    piece("Mul, integers", "element_int_milligas", 1e3, |n| {
        binary("Mul", I64, n)
    }),
    piece("Add, f32", "element_f32_milligas", 1e3, |n| {
        binary("Add", FLOAT, n)
    }),
    piece("Relu, f32", "element_f32_milligas", 1e3, |n| {
        unary("Relu", n)
    }),
    piece("Floor, f32", "element_f32_milligas", 1e3, |n| {
        unary("Floor", n)
    }),
    piece("Div, f32", "divide_f32_milligas", 1e3, |n| {
        binary("Div", FLOAT, n)
    }),
    piece("Sqrt, f32", "divide_f32_milligas", 1e3, |n| {
        unary("Sqrt", n)
    }),
    piece("Exp, f32", "transcendental_f32_milligas", 1e3, |n| {
        unary("Exp", n)
    }),
    piece("Log, f32", "transcendental_f32_milligas", 1e3, |n| {
        unary("Log", n)
    }),
    piece("Tanh, f32", "transcendental_f32_milligas", 1e3, |n| {
        unary("Tanh", n)
    }),
    piece("Erf, f32", "transcendental_f32_milligas", 1e3, |n| {
        unary("Erf", n)
    }),
    piece("Sigmoid, f32", "transcendental_f32_milligas", 1e3, |n| {
        unary("Sigmoid", n)
    }),
    piece("Pow, f32", "transcendental_f32_milligas", 4e3, |n| {
        binary("Pow", FLOAT, n)
    }),
    piece("Sin, f32", "transcendental_f32_milligas", 4e3, |n| {
        unary("Sin", n)
    }),
    piece(
        "Softmax, rows of 1,000",
        "transcendental_f32_milligas",
        1e3,
        |n| unary("Softmax", n),
    ),
    piece("Transpose, f32", "byte_moved_milligas", 4e3, |n| {
        transpose(FLOAT, n)
    }),
    piece("Transpose, bytes", "byte_moved_milligas", 1e3, |n| {
        transpose(U8, n)
    }),
    piece("QuantizeLinear", "divide_f32_milligas", 1e3, |n| {
        let dims = [n, 1_000];
        let constants = vec![
            tensor("s", FLOAT, &[], &0.01_f32.to_le_bytes()),
            tensor("z", U8, &[], &[3]),
        ];
        graph(
            "QuantizeLinear",
            &[("x", FLOAT, &dims)],
            constants,
            &["x", "s", "z"],
            (U8, &dims),
        )
    }),
    piece(
        "QLinearMatMul, 16 columns",
        "requantize_milligas",
        16.0,
        |rows| {
            let scale = |name| tensor(name, FLOAT, &[], &0.01_f32.to_le_bytes());
            let constants = vec![
                scale("xs"),
                tensor("xz", U8, &[], &[3]),
                tensor("w", I8, &[16, 16], &bytes(256)),
                scale("ws"),
                tensor("wz", I8, &[], &[0]),
                scale("os"),
                tensor("oz", U8, &[], &[5]),
            ];
            graph(
                "QLinearMatMul",
                &[("x", U8, &[64 * rows, 16])],
                constants,
                &["x", "xs", "xz", "w", "ws", "wz", "os", "oz"],
                (U8, &[64 * rows, 16]),
            )
        },
    ),
];

/// Fastest nanoseconds, and the quote, unless the model is refused.
fn run(bytes_of_model: &[u8], schedule: &GasSchedule) -> Result<(f64, f64), String> {
    let model = Model::from_onnx(bytes_of_model, &ModelLimits::default());
    let model = model.map_err(|error| error.to_string())?;
    let gas = model.quote(&schedule.nn).gas;
    let inputs: Vec<Tensor> = model
        .inputs()
        .iter()
        .map(|info| {
            let count: i64 = info.shape.iter().map(|d| i64::from(*d)).product();
            let data = match info.ty {
                ElementType::F32 => floats(count),
                _ => bytes(count * info.ty.size() as i64),
            };
            Tensor::new(info.ty, info.shape.clone(), data).expect("the right length")
        })
        .collect();
    let prepared = prepare(Arc::new(model), Backend::default()).expect("a backend");
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        std::hint::black_box(prepared.run(&inputs)).expect("it runs");
        best = best.min(start.elapsed().as_secs_f64() * 1e9);
    }
    Ok((best, gas as f64))
}

pub fn items(schedule: &GasSchedule) -> Vec<Item> {
    let prices = serde_json::to_value(&schedule.nn).expect("numbers");
    let measure = |piece: &Piece| {
        let (mut times, mut gases) = (Vec::new(), Vec::new());
        for size in SIZES {
            let (ns, gas) = match run(&(piece.model)(size), schedule) {
                Ok(measured) => measured,
                Err(why) => {
                    eprintln!("{} is not measured: {why}", piece.name);
                    return None;
                }
            };
            times.push((size as f64, ns));
            gases.push((size as f64, gas));
        }
        let (ns, r2) = fit::slope(&times);
        let (gas, _) = fit::slope(&gases);
        Some(Item {
            name: piece.name.to_owned(),
            price: format!("nn/{}", piece.price),
            now: prices[piece.price].as_f64().unwrap_or_default(),
            // Prices are in thousandths of gas.
            units: piece.units / 1e3,
            ns: ns.max(1e-3),
            gas,
            r2,
        })
    };
    PIECES.iter().filter_map(measure).collect()
}
