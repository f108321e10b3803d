use super::*;

/// The rule of the module's documentation, in 128 bits and with no short cut.
fn exact(acc: i32, scale: f32, zero: i32, ty: ByteType) -> i32 {
    let bits = scale.to_bits();
    let (m, exponent) = match (bits >> 23).cast_signed() {
        0 => (i128::from(bits & 0x7f_ffff), -149),
        e => (i128::from(bits & 0x7f_ffff | 1 << 23), e - 150),
    };
    let product = i128::from(acc) * m;
    let rounded = if exponent >= 0 {
        product << exponent.min(60)
    } else if exponent < -100 {
        0
    } else {
        let divisor = 1i128 << -exponent;
        let (quotient, rest) = (product.div_euclid(divisor), product.rem_euclid(divisor));
        quotient + i128::from(rest * 2 > divisor || rest * 2 == divisor && quotient % 2 != 0)
    };
    let (low, high) = ty.range();
    (rounded + i128::from(zero)).clamp(low.into(), high.into()) as i32
}

fn value(byte: u8, ty: ByteType) -> i32 {
    match ty {
        ByteType::U8 => byte.into(),
        ByteType::I8 => byte.cast_signed().into(),
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Scales over the whole range of the type, most of them where outputs neither vanish nor saturate.
    fn scale(&mut self) -> f32 {
        let r = self.next();
        let exponent = match r % 8 {
            0 => (r >> 8) % 255,
            1 => 127,
            _ => 92 + (r >> 8) % 40,
        };
        let fraction = match (r >> 20) % 4 {
            0 => 0,
            1 => 0x7f_ffff,
            2 => 1 << ((r >> 24) % 23),
            _ => (r >> 32) & 0x7f_ffff,
        };
        f32::from_bits((exponent as u32) << 23 | fraction as u32).max(f32::from_bits(1))
    }

    /// Accumulators of every magnitude, with the extremes and, for `scale`, ties and their neighbours.
    fn acc(&mut self, scale: f32) -> i32 {
        let r = self.next();
        match r % 8 {
            0 => [
                i32::MIN,
                i32::MIN + 1,
                i32::MAX,
                i32::MAX - 1,
                0,
                1,
                -1,
                1 << 30,
            ][(r >> 8) as usize % 8],
            1..=4 => {
                let half = ((r >> 8) % 1024) as f64 - 512.0 + 0.5;
                let near = (half / f64::from(scale)).round() + ((r >> 20) % 3) as f64 - 1.0;
                near as i32
            }
            _ => (r >> 32) as i32 >> ((r >> 8) % 31),
        }
    }
}

#[test]
fn a_million_elements_of_every_isa_equal_the_exact_rule() {
    let mut random = Random(42);
    let (mut seen, mut ties) = (0, 0);
    let mut out = vec![0; 1000];
    while seen < 1_000_000 {
        let ty = if random.next().is_multiple_of(2) {
            ByteType::U8
        } else {
            ByteType::I8
        };
        let (low, high) = ty.range();
        let zero = low + (random.next() % 256) as i32;
        let channels = [1, 3, 10, 64, 100, 257][random.next() as usize % 6];
        let scales: Vec<f32> = (0..channels).map(|_| random.scale()).collect();
        assert!(zero <= high);
        let requantizer = Requantizer::new(&scales, zero, ty).unwrap();
        let acc: Vec<i32> = (0..1000)
            .map(|i| random.acc(scales[i % channels]))
            .collect();
        let expected: Vec<i32> = (0..1000)
            .map(|i| exact(acc[i], scales[i % channels], zero, ty))
            .collect();
        ties += (0..1000)
            .filter(|&i| {
                (f64::from(acc[i]) * f64::from(scales[i % channels]))
                    .fract()
                    .abs()
                    == 0.5
            })
            .count();
        let plane: Vec<i32> = acc
            .iter()
            .map(|&acc| exact(acc, scales[channels - 1], zero, ty))
            .collect();
        for isa in Isa::available() {
            let length = 1000 - random.next() as usize % 40;
            out.fill(0xaa);
            requantizer
                .rows(isa, &acc[..length], &mut out[..length])
                .unwrap();
            for i in 0..length {
                assert_eq!(
                    value(out[i], ty),
                    expected[i],
                    "{isa:?} {} · {}",
                    acc[i],
                    scales[i % channels]
                );
            }
            assert!(out[length..].iter().all(|&byte| byte == 0xaa));
            requantizer
                .plane(isa, channels - 1, &acc[..length], &mut out[..length])
                .unwrap();
            for i in 0..length {
                assert_eq!(
                    value(out[i], ty),
                    plane[i],
                    "{isa:?} {} · {}",
                    acc[i],
                    scales[channels - 1]
                );
            }
        }
        (0..1000).for_each(|i| assert_eq!(requantizer.element(acc[i], i), expected[i]));
        seen += 1000;
    }
    assert!(ties > 10_000, "{ties} ties");
}

#[test]
fn ties_go_to_even() {
    let requantizer = Requantizer::new(&[0.5], 0, ByteType::I8).unwrap();
    for (acc, expected) in [
        (1, 0),
        (3, 2),
        (5, 2),
        (7, 4),
        (-1, 0),
        (-3, -2),
        (-5, -2),
        (255, 127),
        (-257, -128),
    ] {
        assert_eq!(requantizer.element(acc, 0), expected, "{acc} / 2");
    }
}

#[test]
fn bounds_of_a_following_activation() {
    let relu = Requantizer::new(&[1.0], 10, ByteType::U8)
        .unwrap()
        .clamped(10, 40);
    let mut out = [0; 4];
    for isa in Isa::available() {
        relu.rows(isa, &[-100, -3, 5, 100], &mut out).unwrap();
        assert_eq!(out, [10, 10, 15, 40]);
    }
}

#[test]
fn bad_scales_and_zero_points_are_refused() {
    for scale in [0.0, -0.0, -1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(Multiplier::new(scale), Err(KernelError::Scale));
    }
    assert_eq!(
        Requantizer::new(&[], 0, ByteType::U8).err(),
        Some(KernelError::Scale)
    );
    assert_eq!(
        Requantizer::new(&[1.0], -1, ByteType::U8).err(),
        Some(KernelError::ZeroPoint(-1))
    );
    assert_eq!(
        Requantizer::new(&[1.0], 128, ByteType::I8).err(),
        Some(KernelError::ZeroPoint(128))
    );
    let requantizer = Requantizer::new(&[1.0], 0, ByteType::U8).unwrap();
    let wrong = requantizer.rows(Isa::Scalar, &[1, 2], &mut [0; 3]);
    assert_eq!(
        wrong,
        Err(KernelError::Length {
            what: "output",
            expected: 2,
            found: 3
        })
    );
}
