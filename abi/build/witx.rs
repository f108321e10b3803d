//! Lowering as `witx` does it, for interfaces from before WIT.
//!
//! A function's parameters become core values in order: numbers, enums and handles one each, strings
//! and lists a pointer and a length, records a pointer. `result<T, E>`, `E` an enum whose first
//! case is success, comes back as the case's number; `T` is written through one pointer, or one for
//! each element of a tuple, that follow the parameters. Where `T` is a list of bytes, it goes to a
//! buffer of the guest: its pointer, its capacity, and the pointer for the length.

use std::fmt::Write as _;

use wit_parser::abi::{WasmSignature, WasmType};
use wit_parser::{Function, Type, TypeDefKind};

use crate::names::snake;
use crate::world::World;

/// What a function gives beside the error number.
enum Output {
    /// Nothing.
    Nothing,
    /// One value or several, each through its pointer.
    Values(Vec<Type>),
    /// Bytes, to the guest's buffer.
    Buffer,
}

impl World {
    fn core_of(&self, ty: &Type) -> Result<Vec<WasmType>, String> {
        Ok(match ty {
            Type::Bool | Type::U8 | Type::U16 | Type::U32 | Type::S8 | Type::S16 | Type::S32 => {
                vec![WasmType::I32]
            }
            Type::U64 | Type::S64 => vec![WasmType::I64],
            Type::String => vec![WasmType::Pointer, WasmType::Length],
            ty => match self.kind(ty) {
                Some(TypeDefKind::List(_)) => vec![WasmType::Pointer, WasmType::Length],
                Some(TypeDefKind::Record(_)) => vec![WasmType::Pointer],
                Some(TypeDefKind::Enum(_)) => vec![WasmType::I32],
                _ => return Err("a parameter that witx lowering does not have".into()),
            },
        })
    }

    fn output(&self, function: &Function) -> Result<Option<Output>, String> {
        let Some(result) = &function.result else {
            return Ok(None);
        };
        let Some(TypeDefKind::Result(result)) = self.kind(result) else {
            return Err(format!("{}: no `result`", function.name));
        };
        let error = result.err.as_ref().and_then(|error| self.kind(error));
        let Some(TypeDefKind::Enum(error)) = error else {
            return Err(format!("{}: the error is no enum", function.name));
        };
        if error
            .cases
            .first()
            .is_none_or(|case| case.name != "success")
        {
            return Err(format!("{}: error 0 is not success", function.name));
        }
        Ok(Some(match &result.ok {
            None => Output::Nothing,
            Some(ok) if self.is_byte_list(ok) => Output::Buffer,
            Some(ok) => match self.kind(ok) {
                Some(TypeDefKind::Tuple(tuple)) => Output::Values(tuple.types.clone()),
                _ => Output::Values(vec![*ok]),
            },
        }))
    }

    /// Whether the function's result goes to a buffer; the host then hears its capacity.
    pub fn fills_buffer(&self, function: &Function) -> bool {
        matches!(self.output(function), Ok(Some(Output::Buffer)))
    }

    fn params(&self, function: &Function) -> Result<Vec<WasmType>, String> {
        let mut params = Vec::new();
        for param in &function.params {
            params.extend(self.core_of(&param.ty)?);
        }
        Ok(params)
    }

    pub fn witx_signature(&self, function: &Function) -> Result<WasmSignature, String> {
        let mut params = self.params(function)?;
        let output = self.output(function)?;
        match &output {
            None | Some(Output::Nothing) => {}
            Some(Output::Values(values)) => {
                params.extend(values.iter().map(|_| WasmType::Pointer));
            }
            Some(Output::Buffer) => {
                params.extend([WasmType::Pointer, WasmType::Length, WasmType::Pointer]);
            }
        }
        Ok(WasmSignature {
            params,
            results: output.iter().map(|_| WasmType::I32).collect(),
            indirect_params: false,
            retptr: false,
        })
    }

    pub fn witx_lift_params(&self, function: &Function) -> Result<String, String> {
        let rt = self.paths.runtime;
        let mut out = format!(
            "            let mut cx = {rt}::canonical::Lifter::new(memory, host, FUNC);\n            let cx = &mut cx;\n"
        );
        let mut encode = String::new();
        let mut at = 0;
        for param in &function.params {
            let name = format!("p_{}", snake(&param.name));
            let rust = self.rust_type(&param.ty)?;
            let core = self.core_of(&param.ty)?;
            let (bytes, text) = (self.is_byte_list(&param.ty), self.is_string(&param.ty));
            if matches!(self.kind(&param.ty), Some(TypeDefKind::Record(_))) {
                let (size, align) = (self.size(&param.ty), self.align(&param.ty));
                let _ = writeln!(
                    out,
                    "            let area = cx.area(a{at} as u32, {size}, {align})?;\n            let {name} = <{rust} as {rt}::canonical::Value>::lift(cx, area)?;"
                );
            } else {
                let slots: Vec<String> = core
                    .iter()
                    .enumerate()
                    .map(|(i, ty)| match ty {
                        WasmType::I64 => format!("a{} as u64", at + i),
                        _ => format!("u64::from(a{} as u32)", at + i),
                    })
                    .collect();
                let value = match (bytes, text) {
                    (true, _) => "cx.bytes(&mut flat)?".to_owned(),
                    (_, true) => "cx.text(&mut flat)?".to_owned(),
                    _ => format!("<{rust} as {rt}::canonical::Value>::lift_flat(cx, &mut flat)?"),
                };
                let _ = writeln!(
                    out,
                    "            let slots = [{}];\n            let mut flat = {rt}::canonical::Flat::new(&slots);\n            let {name} = {value};",
                    slots.join(", ")
                );
            }
            at += core.len();
            encode += &match (bytes, text) {
                (true, _) => {
                    format!("                {rt}::canonical::encode_bytes({name}, out);\n")
                }
                (_, true) => format!(
                    "                {rt}::canonical::encode_bytes({name}.as_bytes(), out);\n"
                ),
                _ => format!("                {rt}::canonical::Value::encode(&{name}, out);\n"),
            };
        }
        match self.output(function)? {
            None | Some(Output::Nothing) => {}
            Some(Output::Values(values)) => {
                for (i, ty) in values.iter().enumerate() {
                    out += &self.check_pointer(at + i, ty);
                }
            }
            Some(Output::Buffer) => {
                let _ = writeln!(
                    out,
                    "            let capacity = a{} as u32;\n            cx.area(a{at} as u32, capacity, 1)?;",
                    at + 1
                );
                out += &self.check_pointer(at + 2, &Type::U32);
                encode +=
                    &format!("                {rt}::canonical::Value::encode(&capacity, out);\n");
            }
        }
        let _ = writeln!(
            out,
            "            let _ = &cx;\n            {rt}::canonical::call_frame(host, FUNC, |out| {{\n                let _ = &out;\n{encode}            }});"
        );
        Ok(out)
    }

    fn check_pointer(&self, slot: usize, ty: &Type) -> String {
        format!(
            "            cx.area(a{slot} as u32, {}, {})?;\n",
            self.size(ty),
            self.align(ty)
        )
    }

    /// Writes what the function gives, and ends with the error's number.
    pub fn witx_lower_result(&self, function: &Function) -> Result<String, String> {
        let rt = self.paths.runtime;
        let at = self.params(function)?.len();
        let mut out = String::new();
        match self.output(function)? {
            None | Some(Output::Nothing) => out += "            if let Ok(()) = result {\n",
            Some(Output::Values(values)) => {
                out += "            if let Ok(value) = result {\n";
                let tuple = values.len() > 1;
                for (i, ty) in values.iter().enumerate() {
                    let value = match tuple {
                        true => format!("value.{i}"),
                        false => "value".to_owned(),
                    };
                    out += &self.write_value(at + i, ty, &value);
                }
            }
            Some(Output::Buffer) => {
                out += "            if let Ok(value) = &result {\n";
                let _ = writeln!(
                    out,
                    "                {rt}::canonical::fill_buffer(guest, FUNC, value, a{at} as u32, a{} as u32)?;\n                let value = value.len() as u32;",
                    at + 1
                );
                out += &self.write_value(at + 2, &Type::U32, "value");
            }
        }
        out += "            }\n            Ok(match &result {\n                Ok(_) => 0,\n";
        let _ = writeln!(
            out,
            "                Err(error) => {rt}::canonical::Scalar::to_flat(error) as i32,\n            }})"
        );
        Ok(out)
    }

    fn write_value(&self, slot: usize, ty: &Type, value: &str) -> String {
        let rt = self.paths.runtime;
        format!(
            "                let mut bytes = [0; {}];\n                {rt}::canonical::Value::lower(&{value}, guest, &mut bytes)?;\n                {rt}::canonical::write(guest, a{slot} as u32, &bytes, {}, {rt}::TrapCode::BadPointer)?;\n",
            self.size(ty),
            self.align(ty)
        )
    }
}
