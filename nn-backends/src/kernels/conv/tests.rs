use super::*;
use crate::kernels::ByteType;
use proptest::prelude::*;

fn random(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

fn signed(bits: &[u8]) -> Vec<i8> {
    bits.iter().map(|&b| b.cast_signed()).collect()
}

/// Every instruction set, one and three threads, accumulators and bytes, against the definition.
fn check(shape: ConvShape, batch: usize, signs: (bool, bool), zeros: bool, seed: u64) {
    let Ok([height, width]) = shape.output() else {
        return;
    };
    let x = random(
        seed,
        batch * shape.channels_in * shape.input[0] * shape.input[1],
    );
    let w = random(seed ^ 0xabcd, shape.channels_out * shape.depth());
    let (xs, ws) = (signed(&x), signed(&w));
    let x = if signs.0 {
        Bytes::I8(&xs)
    } else {
        Bytes::U8(&x)
    };
    let w = if signs.1 {
        Bytes::I8(&ws)
    } else {
        Bytes::U8(&w)
    };
    let pick = |bits: u8, signed: bool| {
        if signed {
            i32::from(bits.cast_signed())
        } else {
            i32::from(bits)
        }
    };
    let x_zero = pick(random(seed ^ 1, 1)[0], signs.0);
    let w_zeros: Vec<i32> = random(seed ^ 2, shape.channels_out)
        .into_iter()
        .map(|b| pick(b, signs.1))
        .collect();
    let w_zero = if zeros {
        ZeroPoints::Each(&w_zeros)
    } else {
        ZeroPoints::Same(0)
    };
    let bias: Vec<i32> = (0..shape.channels_out)
        .map(|c| c as i32 * 1000 - 3000)
        .collect();
    let mut expected = reference(x, x_zero, w, w_zero, &shape, batch).unwrap();
    for (channel, plane) in expected.chunks_mut(height * width).enumerate() {
        plane
            .iter_mut()
            .for_each(|acc| *acc += bias[channel % shape.channels_out]);
    }
    let scales: Vec<f32> = (0..shape.channels_out)
        .map(|c| 0.001 * (c + 1) as f32)
        .collect();
    let requantizer = Requantizer::new(&scales, 7, ByteType::U8).unwrap();
    let bytes: Vec<u8> = expected
        .chunks(height * width)
        .enumerate()
        .flat_map(|(c, plane)| plane.iter().map(move |&acc| (acc, c % shape.channels_out)))
        .map(|(acc, channel)| requantizer.element(acc, channel) as u8)
        .collect();
    for isa in Isa::available() {
        let conv = PackedConv::new(isa, w, w_zero, shape).unwrap();
        for threads in [1, 3] {
            let mut out = vec![0x5555_5555; expected.len()];
            conv.run(
                x,
                x_zero,
                Some(&bias),
                batch,
                ConvOutput::Accumulators(&mut out),
                threads,
            )
            .unwrap();
            assert!(
                out == expected,
                "{isa:?} {shape:?} batch {batch} {signs:?} zeros {zeros} {threads} threads"
            );
            let mut out = vec![0xaa; expected.len()];
            conv.run(
                x,
                x_zero,
                Some(&bias),
                batch,
                ConvOutput::Bytes(&requantizer, &mut out),
                threads,
            )
            .unwrap();
            assert!(
                out == bytes,
                "{isa:?} {shape:?} batch {batch} {signs:?} zeros {zeros} {threads} threads"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn every_isa_equals_the_definition(
        channels in (1usize..4, 1usize..5), groups in 1usize..4, input in (1usize..12, 1usize..40),
        kernel in (1usize..4, 1usize..6), strides in (1usize..4, 1usize..4), dilations in (1usize..3, 1usize..3),
        pads in (0usize..4, 0usize..4, 0usize..4, 0usize..4),
        batch in 0usize..3, signs: (bool, bool), zeros: bool, seed: u64,
    ) {
        let shape = ConvShape {
            channels_in: channels.0 * groups, channels_out: channels.1 * groups, groups,
            input: input.into(), kernel: kernel.into(), strides: strides.into(), dilations: dilations.into(),
            pads: pads.into(),
        };
        check(shape, batch, signs, zeros, seed);
    }
}

fn square(
    channels: [usize; 2],
    groups: usize,
    size: usize,
    kernel: usize,
    stride: usize,
) -> ConvShape {
    ConvShape {
        channels_in: channels[0],
        channels_out: channels[1],
        groups,
        input: [size; 2],
        kernel: [kernel; 2],
        strides: [stride; 2],
        dilations: [1; 2],
        pads: [kernel / 2; 4],
    }
}

#[test]
fn shapes_of_real_layers() {
    for shape in [
        square([16, 16], 1, 24, 3, 1),
        square([24, 24], 24, 24, 3, 1),
        square([24, 24], 24, 25, 5, 2),
        square([40, 30], 1, 9, 1, 1),
        square([3, 8], 1, 48, 3, 2),
        square([40, 130], 1, 1, 1, 1),
        square([7, 50], 1, 3, 3, 1),
        ConvShape {
            input: [1, 640],
            kernel: [1, 256],
            strides: [1, 128],
            pads: [0; 4],
            ..square([1, 258], 1, 1, 1, 1)
        },
        ConvShape {
            input: [1, 512],
            kernel: [1, 5],
            pads: [0; 4],
            ..square([8, 70], 1, 1, 1, 1)
        },
    ] {
        check(shape, 2, (false, true), false, 5);
        check(shape, 1, (true, false), true, 6);
    }
}

#[test]
fn bad_shapes_are_refused() {
    let good = square([4, 4], 2, 8, 3, 1);
    assert_eq!(good.output(), Ok([8, 8]));
    let output = |change: fn(&mut ConvShape)| {
        let mut shape = good;
        change(&mut shape);
        shape.output().err()
    };
    let geometry = KernelError::Geometry("kernel, stride or dilation");
    assert_eq!(output(|s| s.strides[1] = 0), Some(geometry.clone()));
    assert_eq!(output(|s| s.dilations[0] = 0), Some(geometry.clone()));
    assert_eq!(output(|s| s.kernel[0] = 0), Some(geometry));
    assert_eq!(
        output(|s| s.groups = 3),
        Some(KernelError::Geometry("groups"))
    );
    assert_eq!(
        output(|s| s.groups = 0),
        Some(KernelError::Geometry("channels"))
    );
    assert_eq!(
        output(|s| s.kernel[1] = 11),
        Some(KernelError::Geometry("kernel size"))
    );
    assert_eq!(
        output(|s| s.pads[0] = usize::MAX),
        Some(KernelError::TooLarge("the padded input"))
    );
    let huge = ConvShape {
        pads: [usize::MAX / 4; 4],
        ..good
    };
    let weights = [0i8; 72];
    let packed = PackedConv::new(Isa::best(), Bytes::I8(&weights), ZeroPoints::Same(0), huge);
    assert_eq!(
        packed.err(),
        Some(KernelError::TooLarge("the padded input"))
    );
    let packed = PackedConv::new(
        Isa::best(),
        Bytes::I8(&weights[1..]),
        ZeroPoints::Same(0),
        good,
    );
    assert_eq!(
        packed.err(),
        Some(KernelError::Length {
            what: "weights",
            expected: 72,
            found: 71
        })
    );
    let packed =
        PackedConv::new(Isa::best(), Bytes::I8(&weights), ZeroPoints::Same(0), good).unwrap();
    let (x, mut out) = ([0u8; 256], [0i32; 255]);
    let short = packed.run(
        Bytes::U8(&x),
        0,
        None,
        1,
        ConvOutput::Accumulators(&mut out),
        1,
    );
    assert_eq!(
        short,
        Err(KernelError::Length {
            what: "output",
            expected: 256,
            found: 255
        })
    );
}
