//! Putting a module together: only what is reached, numbered, in a fixed order.

use std::collections::BTreeMap;

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction, MemorySection,
    MemoryType, Module, NameMap, NameSection, TypeSection, ValType,
};

use super::lines::Lines;
use super::runtime::{Body, Broken, Runtime, Signature};
use crate::source::Span;

/// Everything that goes into a module.
pub(crate) struct Parts<'r> {
    pub runtime: &'r Runtime,
    /// Numbered behind the runtime's own.
    pub generated: Vec<Body>,
    pub exports: Vec<(&'static str, u32)>,
    pub data: Vec<u8>,
    pub data_base: u32,
    pub customs: Vec<(String, Vec<u8>)>,
    /// Where source lines are looked up; none leaves them and the names out.
    pub debug: Option<&'r Lines>,
}

/// Bytes of a number in LEB128.
fn leb_length(value: usize) -> usize {
    let bits = (usize::BITS - value.leading_zeros()).max(1);
    bits.div_ceil(7) as usize
}

fn core_type(ty: aivm_abi::CoreType) -> ValType {
    match ty {
        aivm_abi::CoreType::I32 => ValType::I32,
        aivm_abi::CoreType::I64 => ValType::I64,
        aivm_abi::CoreType::F32 => ValType::F32,
        aivm_abi::CoreType::F64 => ValType::F64,
    }
}

pub(crate) fn link(parts: &Parts<'_>) -> Result<Vec<u8>, Broken> {
    let imports = parts.runtime.imports.len();
    let own = imports + parts.runtime.bodies.len();
    let body = |id: u32| -> Option<&Body> {
        let id = id as usize;
        if id < own {
            parts.runtime.bodies.get(id.checked_sub(imports)?)
        } else {
            parts.generated.get(id - own)
        }
    };
    // What is reached from the exports, in order of first use.
    let mut order: Vec<u32> = Vec::new();
    let mut used: BTreeMap<u32, u32> = BTreeMap::new();
    let mut todo: Vec<u32> = parts.exports.iter().rev().map(|(_, id)| *id).collect();
    while let Some(id) = todo.pop() {
        if used.insert(id, 0).is_some() {
            continue;
        }
        if let Some(body) = body(id) {
            order.push(id);
            for instruction in body.code.iter().rev() {
                if let Instruction::Call(callee) = instruction
                    && !used.contains_key(callee)
                {
                    todo.push(*callee);
                }
            }
        }
    }
    let mut types: Vec<Signature> = Vec::new();
    let mut type_of = |signature: &Signature| -> u32 {
        if let Some(known) = types.iter().position(|t| t == signature) {
            return known as u32;
        }
        types.push(signature.clone());
        types.len() as u32 - 1
    };
    let mut import_section = ImportSection::new();
    let mut names = NameMap::new();
    let mut next = 0u32;
    for (index, (interface, function, signature)) in parts.runtime.imports.iter().enumerate() {
        let Some(number) = used.get_mut(&(index as u32)) else {
            continue;
        };
        let import = aivm_abi::import(interface, function)
            .ok_or_else(|| format!("the host has no `{interface}.{function}`"))?;
        let declared: Signature = (
            import.params.iter().map(|t| core_type(*t)).collect(),
            import.results.iter().map(|t| core_type(*t)).collect(),
        );
        if declared != *signature {
            return Err(format!("`{interface}.{function}` has another signature").into());
        }
        import_section.import(
            import.module,
            import.function,
            EntityType::Function(type_of(&declared)),
        );
        names.append(next, &format!("{interface}.{function}"));
        *number = next;
        next += 1;
    }
    for id in &order {
        if let (Some(number), Some(body)) = (used.get_mut(id), body(*id)) {
            *number = next;
            names.append(next, &body.name);
            next += 1;
        }
    }
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    let mut table = parts.debug.map(Lines::table);
    for id in &order {
        let Some(body) = body(*id) else { continue };
        functions.function(type_of(&body.signature));
        let mut function = Function::new_with_locals_types(body.locals.iter().copied());
        let mut places = body.places.iter().peekable();
        let mut found: Vec<(usize, Span)> = vec![(0, Span::default())];
        for (index, instruction) in body.code.iter().enumerate() {
            if let Some((_, span)) = places.next_if(|(at, _)| *at <= index) {
                found.push((function.byte_len(), *span));
            }
            match instruction {
                Instruction::Call(callee) => {
                    let number = used.get(callee).copied().ok_or("a call to nowhere")?;
                    function.instruction(&Instruction::Call(number));
                }
                other => {
                    function.instruction(other);
                }
            }
        }
        code.function(&function);
        if let (Some(table), Some(lines)) = (&mut table, parts.debug) {
            // The function's bytes are the last of the section; its count comes first.
            let end = leb_length(order.len()) + code.byte_len();
            let start = end - function.byte_len();
            for (at, span) in found {
                table.push((start + at) as u32, lines.place(span));
            }
        }
    }
    let mut type_section = TypeSection::new();
    for (params, results) in &types {
        type_section
            .ty()
            .function(params.iter().copied(), results.iter().copied());
    }
    let end = parts.data_base + parts.data.len() as u32;
    let mut memory = MemorySection::new();
    memory.memory(MemoryType {
        minimum: u64::from(end.div_ceil(65536).max(1)),
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut globals = GlobalSection::new();
    for value in [(end + 7) & !7, 0, 0] {
        globals.global(
            GlobalType {
                val_type: ValType::I32,
                mutable: true,
                shared: false,
            },
            &ConstExpr::i32_const(value as i32),
        );
    }
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    for (name, id) in &parts.exports {
        exports.export(name, ExportKind::Func, used.get(id).copied().unwrap_or(0));
    }
    let mut module = Module::new();
    module
        .section(&type_section)
        .section(&import_section)
        .section(&functions)
        .section(&memory)
        .section(&globals)
        .section(&exports)
        .section(&code);
    if !parts.data.is_empty() {
        let mut data = DataSection::new();
        data.active(
            0,
            &ConstExpr::i32_const(parts.data_base as i32),
            parts.data.iter().copied(),
        );
        module.section(&data);
    }
    for (name, bytes) in &parts.customs {
        module.section(&wasm_encoder::CustomSection {
            name: name.as_str().into(),
            data: bytes.as_slice().into(),
        });
    }
    if let Some(table) = table {
        module.section(&wasm_encoder::CustomSection {
            name: aivm_abi::LINES_SECTION.into(),
            data: table.encode().into(),
        });
        let mut name_section = NameSection::new();
        name_section.functions(&names);
        module.section(&name_section);
    }
    Ok(module.finish())
}
