use super::*;
use crate::kernels::conv::ConvShape;
use crate::kernels::gemm::Order;
use crate::kernels::{Isa, KernelError};
use proptest::prelude::*;

/// Numbers of many magnitudes, zeros of both signs and, with `wild`, infinities, NaNs and subnormal numbers.
fn random(seed: u64, count: usize, wild: bool) -> Vec<f32> {
    let mut state = seed | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let bits = (state >> 32) as u32;
            match state % 64 {
                0 => 0.0,
                1 => -0.0,
                2 if wild => f32::INFINITY,
                3 if wild => f32::from_bits(bits | 0xff80_0000),
                4 if wild => f32::from_bits(bits & 0x807f_ffff),
                _ => f32::from_bits(bits & 0x83ff_ffff | 0x3c00_0000),
            }
        })
        .collect()
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

fn check_gemm(shape: (usize, usize, usize), wild: bool, seed: u64) {
    let (m, k, n) = shape;
    let (a, b, bias) = (
        random(seed, m * k, wild),
        random(seed ^ 5, k * n, wild),
        random(seed ^ 9, n, wild),
    );
    let transposed: Vec<f32> = (0..n * k).map(|i| b[(i % k) * n + i / k]).collect();
    let expected = bits(&gemm_reference(&a, &b, Some(&bias), shape));
    for isa in Isa::available() {
        for (b, order) in [(&b, Order::RowMajor), (&transposed, Order::ColumnMajor)] {
            let packed = PackedF32::new(isa, b, (k, n), order).unwrap();
            for threads in [1, 3] {
                let mut c = vec![f32::NAN; m * n];
                gemm(&a, m, &packed, Some(&bias), &mut c, threads).unwrap();
                assert!(
                    bits(&c) == expected,
                    "{isa:?} {order:?} {shape:?} {threads} threads"
                );
            }
        }
    }
}

fn check_conv(shape: ConvShape, batch: usize, wild: bool, seed: u64) {
    if shape.output().is_err() {
        return;
    }
    let x = random(
        seed,
        batch * shape.channels_in * shape.input[0] * shape.input[1],
        wild,
    );
    let weights = random(seed ^ 5, shape.channels_out * shape.depth(), wild);
    let bias = random(seed ^ 9, shape.channels_out, wild);
    let expected = bits(&conv_reference(&x, &weights, Some(&bias), &shape, batch).unwrap());
    for isa in Isa::available() {
        let conv = PackedConvF32::new(isa, &weights, shape).unwrap();
        for threads in [1, 3] {
            let mut out = vec![f32::NAN; expected.len()];
            conv.run(&x, Some(&bias), batch, &mut out, threads).unwrap();
            assert!(
                bits(&out) == expected,
                "{isa:?} {shape:?} batch {batch} {threads} threads"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn products_of_every_isa_equal_the_definition(
        shape in (0usize..20, 0usize..60, 1usize..140), wild: bool, seed: u64,
    ) {
        check_gemm(shape, wild, seed);
    }

    #[test]
    fn convolutions_of_every_isa_equal_the_definition(
        channels in (1usize..4, 1usize..8), groups in 1usize..4, input in (1usize..9, 1usize..40),
        kernel in (1usize..4, 1usize..6), strides in (1usize..4, 1usize..4), dilations in (1usize..3, 1usize..3),
        pads in (0usize..4, 0usize..4, 0usize..4, 0usize..4), batch in 0usize..3, wild: bool, seed: u64,
    ) {
        let shape = ConvShape {
            channels_in: channels.0 * groups, channels_out: channels.1 * groups, groups,
            input: input.into(), kernel: kernel.into(), strides: strides.into(), dilations: dilations.into(),
            pads: pads.into(),
        };
        check_conv(shape, batch, wild, seed);
    }
}

#[test]
fn large_products() {
    for shape in [
        (1, 1000, 130),
        (65, 300, 100),
        (13, 129, 64),
        (200, 64, 257),
    ] {
        check_gemm(shape, false, 3);
        check_gemm(shape, true, 4);
    }
}

/// Distance of `y` from the exact value, in units of the last place that a result of that size has.
fn ulps(y: f32, exact: f64) -> f64 {
    if y.is_infinite() && exact.abs() > 3.402_823_6e38 {
        return 0.0;
    }
    let exponent = (exact.abs().max(f64::from(f32::MIN_POSITIVE)).to_bits() >> 52) as i32 - 1023;
    (f64::from(y) - exact).abs() / 2f64.powi(exponent - 23)
}

/// Every `step`th number from −∞ to ∞.
fn numbers(step: usize) -> impl Iterator<Item = f32> {
    (0..=u32::MAX)
        .step_by(step)
        .map(f32::from_bits)
        .filter(|x| !x.is_nan())
}

fn worst(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    for x in numbers(1009) {
        let e = exact(f64::from(x));
        if e.is_nan() {
            assert_eq!(f(x).to_bits(), 0x7fc0_0000, "f({x:e})");
            continue;
        }
        let error = if e.is_infinite() || f(x) == e as f32 {
            f64::from(u8::from(f64::from(f(x)) != e && e.is_infinite())) * 1e9
        } else {
            ulps(f(x), e)
        };
        if error > worst.0 || error.is_nan() {
            worst = (error, x);
        }
    }
    worst
}

#[test]
fn functions_are_within_two_units() {
    for (name, (error, at)) in [
        ("exp", worst(exp, f64::exp)),
        ("log", worst(log, f64::ln)),
        ("tanh", worst(tanh, f64::tanh)),
        ("sigmoid", worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp()))),
        ("erf", worst(erf, exact_erf)),
    ] {
        println!("{name}: {error:.3} ulp at {at:e}");
        assert!(error <= 2.0, "{name}({at:e}) is off by {error} ulp");
    }
}

/// The error function in double precision, from its series and, further out, its continued fraction.
fn exact_erf(x: f64) -> f64 {
    let a = x.abs();
    let y = if a < 3.0 {
        let (mut term, mut sum, mut n) = (a, a, 0.0);
        while term.abs() > 1e-18 * sum.abs() {
            n += 1.0;
            term *= -a * a / n;
            sum += term / (2.0 * n + 1.0);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    } else if a > 10.0 {
        1.0
    } else {
        let fraction = (1..=80)
            .rev()
            .fold(0.0, |fraction, n| f64::from(n) / 2.0 / (a + fraction));
        1.0 - (-a * a).exp() / ((a + fraction) * std::f64::consts::PI.sqrt())
    };
    y.copysign(x)
}

#[test]
fn special_values() {
    for (f, at, expected) in [
        (exp as fn(f32) -> f32, f32::INFINITY, f32::INFINITY),
        (exp, f32::NEG_INFINITY, 0.0),
        (exp, 0.0, 1.0),
        (log, 0.0, f32::NEG_INFINITY),
        (log, 1.0, 0.0),
        (log, f32::INFINITY, f32::INFINITY),
        (tanh, f32::INFINITY, 1.0),
        (tanh, f32::NEG_INFINITY, -1.0),
        (erf, f32::INFINITY, 1.0),
        (sigmoid, f32::NEG_INFINITY, 0.0),
        (sigmoid, f32::INFINITY, 1.0),
        (sigmoid, 0.0, 0.5),
    ] {
        assert_eq!(f(at), expected);
    }
    for f in [exp, log, tanh, erf, sigmoid] {
        assert_eq!(f(f32::from_bits(0xff80_0001)).to_bits(), 0x7fc0_0000);
    }
    assert_eq!(canonical(-0.0).to_bits(), 0);
    assert_eq!(
        canonical(f32::from_bits(0xffc0_1234)).to_bits(),
        0x7fc0_0000
    );
}

#[test]
fn every_isa_gives_the_same_functions() {
    let inputs: Vec<f32> = numbers(70_001).chain(random(3, 1003, true)).collect();
    for f in [exp, log, tanh, erf, sigmoid] {
        let expected: Vec<u32> = inputs.iter().map(|&x| canonical(f(x)).to_bits()).collect();
        for isa in Isa::available() {
            let mut x = inputs.clone();
            map(isa, &mut x, f);
            assert!(bits(&x) == expected, "{isa:?}");
        }
    }
    let other = random(7, inputs.len(), true);
    for f in [
        |x, y| x + y,
        |x, y| x * y,
        |x: f32, y: f32| x / y,
        |x: f32, y: f32| x.sqrt() - y,
    ] {
        let expected: Vec<u32> = inputs
            .iter()
            .zip(&other)
            .map(|(&x, &y)| canonical(f(x, y)).to_bits())
            .collect();
        for isa in Isa::available() {
            let mut x = inputs.clone();
            zip(isa, &mut x, &other, f).unwrap();
            assert!(bits(&x) == expected, "{isa:?}");
        }
    }
    for columns in [1, 5, 16, 100, 1001] {
        let rows = |wild| random(11, columns * 7, wild);
        let run = |isa, wild| {
            let mut x = rows(wild);
            softmax(isa, &mut x, columns).unwrap();
            (bits(&x), sum(isa, &rows(wild)).to_bits())
        };
        for isa in Isa::available() {
            assert_eq!(run(isa, true), run(Isa::Scalar, true), "{isa:?}");
            assert_eq!(run(isa, false), run(Isa::Scalar, false), "{isa:?}");
        }
        let mut x = rows(false);
        softmax(Isa::best(), &mut x, columns).unwrap();
        assert!(
            x.chunks(columns)
                .all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5)
        );
    }
    assert_eq!(
        softmax(Isa::best(), &mut [0.0; 7], 2),
        Err(KernelError::Geometry("row length"))
    );
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_callers_mode_changes_nothing_and_comes_back() {
    use std::arch::asm;
    let set = |mode: u32| {
        // SAFETY: loads the control register from a local variable.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const mode, options(nostack)) };
    };
    let get = || {
        let mut mode = 0u32;
        // SAFETY: stores the control register to a local variable.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut mode, options(nostack)) };
        mode & !0x3f
    };
    let (a, b) = (vec![1.5e-39f32; 40], random(1, 40 * 33, false));
    let run = || {
        let packed = PackedF32::new(Isa::best(), &b, (40, 33), Order::RowMajor).unwrap();
        let mut c = vec![0.0; 33];
        gemm(&a, 1, &packed, None, &mut c, 1).unwrap();
        map(Isa::best(), &mut c, |x| exp(x) / 3.0);
        bits(&c)
    };
    let expected = run();
    // Towards zero, flush to zero, denormals are zero.
    let odd = 0x1f80 | 0x6000 | 0x8000 | 0x40;
    set(odd);
    let (found, mode) = (run(), get());
    set(0x1f80);
    assert_eq!(mode, (odd & !0x3f));
    assert_eq!(found, expected);
}
