//! Which modules' instances can be made as new.

use wasmparser::{Operator, Parser, Payload};

use super::compile::CompileError;

/// Whether all that the module's code can change are memory and globals: no table, and no
/// segment, which once dropped is gone.
pub(super) fn is_renewable(wasm: &[u8]) -> Result<bool, CompileError> {
    let refused = |e: wasmparser::Error| CompileError::Refused(e.to_string());
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CodeSectionEntry(body) = payload.map_err(refused)? else {
            continue;
        };
        for operator in body.get_operators_reader().map_err(refused)? {
            if leaves_traces(&operator.map_err(refused)?) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn leaves_traces(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::DataDrop { .. }
    )
}
