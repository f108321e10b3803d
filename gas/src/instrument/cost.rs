//! Class and price of each instruction.

use wasmparser::Operator;

use crate::WasmPrices;

/// What an operator's price depends on at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dynamic {
    /// The top operand counts 64 KiB pages.
    MemoryGrow,
    /// The top operand counts bytes.
    Bytes,
    /// The top operand counts table elements.
    Elements,
}

pub(super) fn dynamic(op: &Operator<'_>) -> Option<Dynamic> {
    use Operator as O;
    Some(match op {
        O::MemoryGrow { .. } => Dynamic::MemoryGrow,
        O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. } => Dynamic::Bytes,
        O::TableGrow { .. } | O::TableCopy { .. } | O::TableFill { .. } | O::TableInit { .. } => {
            Dynamic::Elements
        }
        _ => return None,
    })
}

/// Whether the operator changes what an instance has besides memory and globals.
pub(super) fn changes_instance(op: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        op,
        O::TableSet { .. }
            | O::TableGrow { .. }
            | O::TableFill { .. }
            | O::TableCopy { .. }
            | O::TableInit { .. }
            | O::ElemDrop { .. }
            | O::DataDrop { .. }
    )
}

/// Gas for the operand of an operator on bytes or elements, when the operand is known.
pub(super) fn known(op: &Operator<'_>, operand: i32, prices: &WasmPrices) -> u64 {
    let operand = u64::from(operand.cast_unsigned());
    match dynamic(op) {
        Some(Dynamic::Bytes) => prices
            .bulk_per_64_bytes
            .saturating_mul(operand.div_ceil(64)),
        Some(Dynamic::Elements) => prices.table_element.saturating_mul(operand),
        Some(Dynamic::MemoryGrow) => prices.memory_page.saturating_mul(operand),
        None => 0,
    }
}

/// Whether the operator makes a value that a compiler may keep for later, so that it takes
/// room in a frame. Constants are made again instead; calls and locals are counted apart.
pub(super) fn makes_value(op: &Operator<'_>) -> bool {
    use Operator as O;
    !matches!(
        op,
        O::Nop
            | O::Unreachable
            | O::Block { .. }
            | O::Loop { .. }
            | O::If { .. }
            | O::Else
            | O::End
            | O::Br { .. }
            | O::BrIf { .. }
            | O::BrTable { .. }
            | O::Return
            | O::Call { .. }
            | O::CallIndirect { .. }
            | O::Drop
            | O::LocalGet { .. }
            | O::LocalSet { .. }
            | O::LocalTee { .. }
            | O::I32Const { .. }
            | O::I64Const { .. }
            | O::F32Const { .. }
            | O::F64Const { .. }
    )
}

/// Gas for one execution of the operator, besides what depends on its operand. `None` for
/// operators outside of the accepted features.
pub(super) fn price(op: &Operator<'_>, p: &WasmPrices) -> Option<u64> {
    use Operator as O;
    Some(match op {
        O::Nop | O::Unreachable | O::Block { .. } | O::Loop { .. } => p.structure,
        O::Else | O::End | O::Drop => p.structure,
        O::If { .. } | O::Br { .. } | O::BrIf { .. } | O::Return => p.branch,
        O::BrTable { .. } => p.branch_table,
        O::Call { .. } => p.call,
        O::CallIndirect { .. } => p.call_indirect,
        O::Select | O::TypedSelect { .. } => p.select,
        O::LocalGet { .. } | O::LocalSet { .. } | O::LocalTee { .. } => p.local,
        O::GlobalGet { .. } | O::GlobalSet { .. } => p.global,
        O::I32Const { .. } | O::I64Const { .. } | O::F32Const { .. } | O::F64Const { .. } => {
            p.constant
        }
        O::I32Load { .. }
        | O::I64Load { .. }
        | O::F32Load { .. }
        | O::F64Load { .. }
        | O::I32Load8S { .. }
        | O::I32Load8U { .. }
        | O::I32Load16S { .. }
        | O::I32Load16U { .. }
        | O::I64Load8S { .. }
        | O::I64Load8U { .. }
        | O::I64Load16S { .. }
        | O::I64Load16U { .. }
        | O::I64Load32S { .. }
        | O::I64Load32U { .. } => p.load,
        O::I32Store { .. }
        | O::I64Store { .. }
        | O::F32Store { .. }
        | O::F64Store { .. }
        | O::I32Store8 { .. }
        | O::I32Store16 { .. }
        | O::I64Store8 { .. }
        | O::I64Store16 { .. }
        | O::I64Store32 { .. } => p.store,
        O::MemorySize { .. } | O::TableSize { .. } => p.size,
        O::MemoryGrow { .. } => p.memory_grow,
        O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. } => p.bulk,
        O::TableGrow { .. } | O::TableCopy { .. } | O::TableFill { .. } | O::TableInit { .. } => {
            p.table_bulk
        }
        O::TableGet { .. } | O::TableSet { .. } => p.table,
        O::RefNull { .. }
        | O::RefIsNull
        | O::RefFunc { .. }
        | O::ElemDrop { .. }
        | O::DataDrop { .. } => p.reference,
        O::I32Eqz
        | O::I32Eq
        | O::I32Ne
        | O::I32LtS
        | O::I32LtU
        | O::I32GtS
        | O::I32GtU
        | O::I32LeS
        | O::I32LeU
        | O::I32GeS
        | O::I32GeU
        | O::I64Eqz
        | O::I64Eq
        | O::I64Ne
        | O::I64LtS
        | O::I64LtU
        | O::I64GtS
        | O::I64GtU
        | O::I64LeS
        | O::I64LeU
        | O::I64GeS
        | O::I64GeU
        | O::I32Clz
        | O::I32Ctz
        | O::I32Popcnt
        | O::I32Add
        | O::I32Sub
        | O::I32And
        | O::I32Or
        | O::I32Xor
        | O::I32Shl
        | O::I32ShrS
        | O::I32ShrU
        | O::I32Rotl
        | O::I32Rotr
        | O::I64Clz
        | O::I64Ctz
        | O::I64Popcnt
        | O::I64Add
        | O::I64Sub
        | O::I64And
        | O::I64Or
        | O::I64Xor
        | O::I64Shl
        | O::I64ShrS
        | O::I64ShrU
        | O::I64Rotl
        | O::I64Rotr
        | O::I32WrapI64
        | O::I64ExtendI32S
        | O::I64ExtendI32U
        | O::I32Extend8S
        | O::I32Extend16S
        | O::I64Extend8S
        | O::I64Extend16S
        | O::I64Extend32S
        | O::I32ReinterpretF32
        | O::I64ReinterpretF64
        | O::F32ReinterpretI32
        | O::F64ReinterpretI64 => p.integer,
        O::I32Mul | O::I64Mul => p.multiply,
        O::I32DivS
        | O::I32DivU
        | O::I32RemS
        | O::I32RemU
        | O::I64DivS
        | O::I64DivU
        | O::I64RemS
        | O::I64RemU => p.divide,
        O::F32Eq
        | O::F32Ne
        | O::F32Lt
        | O::F32Gt
        | O::F32Le
        | O::F32Ge
        | O::F64Eq
        | O::F64Ne
        | O::F64Lt
        | O::F64Gt
        | O::F64Le
        | O::F64Ge
        | O::F32Abs
        | O::F32Neg
        | O::F32Copysign
        | O::F64Abs
        | O::F64Neg
        | O::F64Copysign
        | O::F32Add
        | O::F32Sub
        | O::F32Mul
        | O::F64Add
        | O::F64Sub
        | O::F64Mul => p.float,
        O::F32Div | O::F64Div => p.float_divide,
        O::F32Sqrt | O::F64Sqrt => p.float_sqrt,
        O::F32Ceil
        | O::F32Floor
        | O::F32Trunc
        | O::F32Nearest
        | O::F32Min
        | O::F32Max
        | O::F64Ceil
        | O::F64Floor
        | O::F64Trunc
        | O::F64Nearest
        | O::F64Min
        | O::F64Max => p.float_round,
        O::I32TruncF32S
        | O::I32TruncF32U
        | O::I32TruncF64S
        | O::I32TruncF64U
        | O::I64TruncF32S
        | O::I64TruncF32U
        | O::I64TruncF64S
        | O::I64TruncF64U
        | O::I32TruncSatF32S
        | O::I32TruncSatF32U
        | O::I32TruncSatF64S
        | O::I32TruncSatF64U
        | O::I64TruncSatF32S
        | O::I64TruncSatF32U
        | O::I64TruncSatF64S
        | O::I64TruncSatF64U
        | O::F32ConvertI32S
        | O::F32ConvertI32U
        | O::F32ConvertI64S
        | O::F32ConvertI64U
        | O::F64ConvertI32S
        | O::F64ConvertI32U
        | O::F64ConvertI64S
        | O::F64ConvertI64U
        | O::F32DemoteF64
        | O::F64PromoteF32 => p.convert,
        _ => return super::simd::price(op, p),
    })
}
