//! Convolutions and single-precision products, one thread: `cargo bench -p aivm-nn --bench conv [isa]` prints one line
//! for each case, `isa name µs`. The cases are those of `onnxruntime_conv.py`; arguments that are no instruction set pick
//! those whose line contains one of them.

use aivm_nn::kernels::strict::{self, PackedConvF32, PackedF32};
use aivm_nn::kernels::{
    ByteType, Bytes, ConvOutput, ConvShape, Isa, Order, PackedConv, Requantizer, ZeroPoints,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Channels in and out, groups, input, kernel, stride.
type Case = ([usize; 2], usize, [usize; 2], [usize; 2], [usize; 2]);

const CASES: [Case; 10] = [
    ([1, 16], 1, [8, 8], [3, 3], [1, 1]),
    ([16, 32], 1, [8, 8], [3, 3], [1, 1]),
    ([3, 8], 1, [48, 192], [3, 3], [2, 2]),
    ([8, 8], 8, [24, 96], [3, 3], [1, 1]),
    ([16, 48], 1, [12, 96], [1, 1], [1, 1]),
    ([48, 48], 48, [12, 96], [5, 5], [1, 1]),
    ([64, 64], 1, [56, 56], [3, 3], [1, 1]),
    ([96, 24], 1, [1, 1], [1, 1], [1, 1]),
    ([129, 128], 1, [1, 4], [1, 3], [1, 1]),
    ([1, 258], 1, [1, 640], [1, 256], [1, 128]),
];
const PRODUCTS: [[usize; 3]; 4] = [
    [512, 512, 512],
    [1, 128, 512],
    [1, 1024, 1024],
    [511, 64, 64],
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let is_isa = |word: &&String| Isa::available().iter().any(|isa| isa.name() == **word);
    let (isas, cases): (Vec<&String>, Vec<&String>) = wanted.iter().partition(is_isa);
    let show = |line: String, run: &dyn Fn() -> f64| {
        if cases.is_empty() || cases.iter().any(|case| line.contains(*case)) {
            println!("{line} {:.2}", run());
        }
    };
    for isa in Isa::available() {
        if isas.is_empty() && isa == Isa::Scalar
            || !isas.is_empty() && !isas.iter().any(|w| *w == isa.name())
        {
            continue;
        }
        for case in CASES {
            let line = format!("{} int8 {}", isa.name(), name(case));
            show(line, &|| integer(isa, shape(case)));
        }
        for case in CASES {
            let line = format!("{} f32 {}", isa.name(), name(case));
            show(line, &|| single(isa, shape(case)));
        }
        for [m, k, n] in PRODUCTS {
            let line = format!("{} f32 matmul-{m}x{k}x{n}", isa.name());
            show(line, &|| product(isa, m, k, n));
        }
    }
}

fn name(([channels_in, channels_out], groups, [h, w], kernel, stride): Case) -> String {
    format!(
        "conv-{channels_in}-{channels_out}-g{groups}-{h}x{w}-k{}x{}-s{}",
        kernel[0], kernel[1], stride[1]
    )
}

fn shape(([channels_in, channels_out], groups, input, kernel, strides): Case) -> ConvShape {
    let pad = |axis: usize| {
        if kernel[axis] < 8 {
            kernel[axis] / 2
        } else {
            0
        }
    };
    let pads = [pad(0), pad(1), pad(0), pad(1)];
    ConvShape {
        channels_in,
        channels_out,
        groups,
        input,
        kernel,
        strides,
        dilations: [1; 2],
        pads,
    }
}

/// The best of many runs within a third of a second, in µs.
fn best(mut run: impl FnMut()) -> f64 {
    let (start, mut best) = (Instant::now(), Duration::MAX);
    while start.elapsed() < Duration::from_millis(300) {
        let one = Instant::now();
        run();
        best = best.min(one.elapsed());
    }
    best.as_secs_f64() * 1e6
}

fn sizes(shape: &ConvShape) -> (usize, usize, usize) {
    let [height, width] = shape.output().expect("a shape");
    let input = shape.channels_in * shape.input[0] * shape.input[1];
    (
        input,
        shape.channels_out * shape.depth(),
        shape.channels_out * height * width,
    )
}

fn integer(isa: Isa, shape: ConvShape) -> f64 {
    let (input, weights, output) = sizes(&shape);
    let x: Vec<u8> = (0..input).map(|i| (i * 31 % 251) as u8).collect();
    let w: Vec<i8> = (0..weights).map(|i| (i * 17 % 253) as i8).collect();
    let bias = vec![5; shape.channels_out];
    let conv = PackedConv::new(isa, Bytes::I8(&w), ZeroPoints::Same(0), shape).expect("a shape");
    let requantizer = Requantizer::new(&[1.0 / 4096.0], 100, ByteType::U8).expect("a scale");
    let mut out = vec![0; output];
    best(|| {
        let target = ConvOutput::Bytes(&requantizer, black_box(&mut out));
        conv.run(Bytes::U8(black_box(&x)), 3, Some(&bias), 1, target, 1)
            .expect("a shape");
    })
}

fn single(isa: Isa, shape: ConvShape) -> f64 {
    let (input, weights, output) = sizes(&shape);
    let x: Vec<f32> = (0..input).map(|i| (i * 31 % 251) as f32 - 100.0).collect();
    let w: Vec<f32> = (0..weights)
        .map(|i| (i * 17 % 253) as f32 - 100.0)
        .collect();
    let bias = vec![5.0; shape.channels_out];
    let conv = PackedConvF32::new(isa, &w, shape).expect("a shape");
    let mut out = vec![0.0; output];
    best(|| {
        conv.run(black_box(&x), Some(&bias), 1, black_box(&mut out), 1)
            .expect("a shape")
    })
}

fn product(isa: Isa, m: usize, k: usize, n: usize) -> f64 {
    let a: Vec<f32> = (0..m * k).map(|i| (i * 31 % 251) as f32 - 100.0).collect();
    let b: Vec<f32> = (0..k * n).map(|i| (i * 17 % 253) as f32 - 100.0).collect();
    let packed = PackedF32::new(isa, &b, (k, n), Order::RowMajor).expect("a shape");
    let mut c = vec![0.0; m * n];
    best(|| strict::gemm(black_box(&a), m, &packed, None, black_box(&mut c), 1).expect("a shape"))
}
