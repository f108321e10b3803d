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

const K: i64 = 256;

const PIECES: &[Piece] = &[
    Piece {
        name: "8-bit matrix product, 256 × 256",
        price: "mac_int8_milligas",
        units: (K * K) as f64,
        model: |rows| {
            let weights = tensor("w", I8, &[K, K], &bytes(K * K));
            const I32: i64 = 6;
            graph(
                "MatMulInteger",
                &[("x", U8, &[rows, K])],
                vec![weights],
                &["x", "w"],
                (I32, &[rows, K]),
            )
        },
    },
    Piece {
        name: "8-bit vector by matrix",
        price: "mac_int8_milligas",
        units: 16.0 * 1_024.0,
        model: |columns| {
            let columns = columns * 16;
            let weights = tensor("w", I8, &[1_024, columns], &bytes(1_024 * columns));
            const I32: i64 = 6;
            graph(
                "MatMulInteger",
                &[("x", U8, &[1, 1_024])],
                vec![weights],
                &["x", "w"],
                (I32, &[1, columns]),
            )
        },
    },
    Piece {
        name: "f32 matrix product, 256 × 256",
        price: "mac_f32_milligas",
        units: (K * K) as f64,
        model: |rows| {
            let weights = tensor("w", FLOAT, &[K, K], &floats(K * K));
            graph(
                "MatMul",
                &[("x", FLOAT, &[rows, K])],
                vec![weights],
                &["x", "w"],
                (FLOAT, &[rows, K]),
            )
        },
    },
    Piece {
        name: "f32 vector by matrix",
        price: "mac_f32_milligas",
        units: 16.0 * 1_024.0,
        model: |columns| {
            let columns = columns * 16;
            let weights = tensor("w", FLOAT, &[1_024, columns], &floats(1_024 * columns));
            graph(
                "MatMul",
                &[("x", FLOAT, &[1, 1_024])],
                vec![weights],
                &["x", "w"],
                (FLOAT, &[1, columns]),
            )
        },
    },
    Piece {
        name: "Add, integers",
        price: "element_int_milligas",
        units: 1e3,
        model: |n| binary("Add", I64, n),
    },
    Piece {
        name: "Mul, integers",
        price: "element_int_milligas",
        units: 1e3,
        model: |n| binary("Mul", I64, n),
    },
    Piece {
        name: "Add, f32",
        price: "element_f32_milligas",
        units: 1e3,
        model: |n| binary("Add", FLOAT, n),
    },
    Piece {
        name: "Relu, f32",
        price: "element_f32_milligas",
        units: 1e3,
        model: |n| unary("Relu", n),
    },
    Piece {
        name: "Floor, f32",
        price: "element_f32_milligas",
        units: 1e3,
        model: |n| unary("Floor", n),
    },
    Piece {
        name: "Div, f32",
        price: "divide_f32_milligas",
        units: 1e3,
        model: |n| binary("Div", FLOAT, n),
    },
    Piece {
        name: "Sqrt, f32",
        price: "divide_f32_milligas",
        units: 1e3,
        model: |n| unary("Sqrt", n),
    },
    Piece {
        name: "Exp, f32",
        price: "transcendental_f32_milligas",
        units: 1e3,
        model: |n| unary("Exp", n),
    },
    Piece {
        name: "Log, f32",
        price: "transcendental_f32_milligas",
        units: 1e3,
        model: |n| unary("Log", n),
    },
    Piece {
        name: "Tanh, f32",
        price: "transcendental_f32_milligas",
        units: 1e3,
        model: |n| unary("Tanh", n),
    },
    Piece {
        name: "Erf, f32",
        price: "transcendental_f32_milligas",
        units: 1e3,
        model: |n| unary("Erf", n),
    },
    Piece {
        name: "Sigmoid, f32",
        price: "transcendental_f32_milligas",
        units: 1e3,
        model: |n| unary("Sigmoid", n),
    },
    Piece {
        name: "Pow, f32",
        price: "transcendental_f32_milligas",
        units: 4e3,
        model: |n| binary("Pow", FLOAT, n),
    },
    Piece {
        name: "Sin, f32",
        price: "transcendental_f32_milligas",
        units: 4e3,
        model: |n| unary("Sin", n),
    },
    Piece {
        name: "Softmax, rows of 1,000",
        price: "transcendental_f32_milligas",
        units: 1e3,
        model: |n| unary("Softmax", n),
    },
    Piece {
        name: "Transpose, f32",
        price: "byte_moved_milligas",
        units: 4e3,
        model: |n| {
            graph(
                "Transpose",
                &[("x", FLOAT, &[n, 1_000])],
                Vec::new(),
                &["x"],
                (FLOAT, &[1_000, n]),
            )
        },
    },
    Piece {
        name: "Transpose, bytes",
        price: "byte_moved_milligas",
        units: 1e3,
        model: |n| {
            graph(
                "Transpose",
                &[("x", U8, &[n, 1_000])],
                Vec::new(),
                &["x"],
                (U8, &[1_000, n]),
            )
        },
    },
    Piece {
        name: "QuantizeLinear",
        price: "divide_f32_milligas",
        units: 1e3,
        model: |n| {
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
        },
    },
    Piece {
        name: "QLinearMatMul, 16 columns",
        price: "requantize_milligas",
        units: 16.0,
        model: |rows| {
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
    },
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
