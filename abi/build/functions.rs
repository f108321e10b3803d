//! Host traits and the glue between them and core Wasm.

use std::fmt::Write as _;

use wit_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wit_parser::{Function, Type};

use crate::names::{docs, snake};
use crate::world::{Interface, World};

/// The core type of a slot; 32-bit memories only.
pub fn core_type(ty: WasmType) -> &'static str {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    }
}

/// `storage_load`: the name of a glue function.
pub fn glue_name(interface: &Interface, function: &Function) -> String {
    format!(
        "{}_{}",
        snake(&interface.name),
        crate::names::function(&function.name)
    )
}

/// The function's name in the import section.
pub fn import_name(interface: &Interface, function: &Function) -> String {
    match interface.witx {
        true => function.name.replace('-', "_"),
        false => function.name.clone(),
    }
}

impl World {
    /// The core signature of an import.
    pub fn signature(
        &self,
        interface: &Interface,
        function: &Function,
    ) -> Result<WasmSignature, String> {
        match interface.witx {
            true => self.witx_signature(function),
            false => Ok(self
                .resolve
                .wasm_signature(AbiVariant::GuestImport, function)),
        }
    }

    /// The Rust type of a parameter: byte lists and strings are borrowed from guest memory.
    fn param_type(&self, ty: &Type) -> Result<String, String> {
        if self.is_byte_list(ty) {
            Ok("&[u8]".into())
        } else if self.is_string(ty) {
            Ok("&str".into())
        } else {
            self.rust_type(ty)
        }
    }

    fn result_type(&self, function: &Function) -> Result<String, String> {
        function
            .result
            .as_ref()
            .map_or(Ok("()".into()), |ty| self.rust_type(ty))
    }

    /// The trait of an interface; nothing for one that only has types.
    pub fn host_trait(&self, interface: &Interface) -> Result<String, String> {
        let functions = &self.resolve.interfaces[interface.id].functions;
        if functions.is_empty() {
            return Ok(String::new());
        }
        let rt = self.paths.runtime;
        let mut out = format!(
            "        /// What a host does for the interface `{}`.{}\n",
            interface.name,
            match interface.foreign {
                true => " One that does not serve it traps with `unsupported`.",
                false => "",
            }
        );
        out += "        pub trait Host {\n";
        for function in functions.values() {
            if function.kind.is_async() {
                return Err(format!(
                    "{}.{}: async is not supported",
                    interface.name, function.name
                ));
            }
            let at = |error| format!("{}.{}: {error}", interface.name, function.name);
            out += &docs(
                function.docs.contents.as_deref(),
                &function.name,
                "            ",
            );
            out += "            ///\n            /// # Errors\n            ///\n            /// Whatever ends the guest.\n";
            let _ = write!(
                out,
                "            fn {}(&mut self",
                crate::names::function(&function.name)
            );
            for param in &function.params {
                let _ = write!(
                    out,
                    ", {}: {}",
                    snake(&param.name),
                    self.param_type(&param.ty).map_err(at)?
                );
            }
            if interface.witx && self.fills_buffer(function) {
                out += ", capacity: u32";
            }
            let result = self.result_type(function).map_err(at)?;
            let _ = write!(out, ") -> ::core::result::Result<{result}, {rt}::Exit>");
            out += &match interface.foreign {
                false => ";\n".to_owned(),
                true => {
                    format!(
                        " {{\n                Err({rt}::TrapCode::Unsupported.into())\n            }}\n"
                    )
                }
            };
        }
        out += "        }\n";
        Ok(out)
    }

    /// One trait that stands for all of them.
    pub fn host_functions(&self) -> String {
        let bounds: Vec<String> = self
            .interfaces
            .iter()
            .filter(|interface| !self.resolve.interfaces[interface.id].functions.is_empty())
            .map(|interface| format!("host::{}::Host", snake(&interface.name)))
            .collect();
        let bounds = bounds.join(" + ");
        format!(
            "/// A host that has every interface of the world.\npub trait HostFunctions: {bounds} {{}}\nimpl<T: {bounds}> HostFunctions for T {{}}\n\n"
        )
    }

    /// The glue function of one import.
    pub fn glue(
        &self,
        interface: &Interface,
        function: &Function,
        index: usize,
    ) -> Result<String, String> {
        let (rt, root) = (self.paths.runtime, self.paths.root);
        let signature = self.signature(interface, function)?;
        let host = format!("{root}::host::{}::Host", snake(&interface.name));
        let core: Vec<&str> = signature.params.iter().map(|ty| core_type(*ty)).collect();
        let params: String = core
            .iter()
            .enumerate()
            .map(|(i, ty)| format!(", a{i}: {ty}"))
            .collect();
        let result = signature.results.first().map_or("()", |ty| core_type(*ty));

        let mut out = String::new();
        let _ = writeln!(
            out,
            "    /// `{}.{}`: see [`Host`]({host}).",
            interface.name, function.name
        );
        out += "    ///\n    /// # Errors\n    ///\n    /// Whatever ends the guest.\n";
        out += "    #[inline]\n    #[allow(clippy::too_many_arguments)]\n";
        let _ = writeln!(
            out,
            "    pub fn {}<G: {rt}::Guest>(guest: &mut G{params}) -> ::core::result::Result<{result}, {rt}::Exit>\n    where\n        G::Host: {host},\n    {{",
            glue_name(interface, function)
        );
        let _ = writeln!(
            out,
            "        const FUNC: {rt}::FuncId = {rt}::FuncId::new({index});"
        );
        for ty in function
            .params
            .iter()
            .map(|param| &param.ty)
            .chain(&function.result)
        {
            out += &self.layout_check(ty)?;
        }
        let _ = writeln!(
            out,
            "        let run = |guest: &mut G| -> ::core::result::Result<{result}, {rt}::Exit> {{\n            let (memory, host) = guest.parts()?;\n            {rt}::Meter::charge(host, FUNC)?;"
        );
        out += &match interface.witx {
            true => self.witx_lift_params(function)?,
            false => self.lift_params(function, &signature)?,
        };
        let mut arguments: String = function
            .params
            .iter()
            .map(|param| format!(", p_{}", snake(&param.name)))
            .collect();
        if interface.witx && self.fills_buffer(function) {
            arguments += ", capacity";
        }
        let _ = writeln!(
            out,
            "            let result = {host}::{}(host{arguments})?;",
            crate::names::function(&function.name)
        );
        let _ = writeln!(
            out,
            "            {rt}::canonical::return_frame(host, FUNC, |out| {rt}::canonical::Value::encode(&result, out));"
        );
        out += &match &function.result {
            Some(_) if interface.witx => self.witx_lower_result(function)?,
            None => "            Ok(result)\n".to_owned(),
            Some(ty) if signature.retptr => format!(
                "            {rt}::canonical::lower_result(guest, FUNC, &result, a{} as u32, &mut [0; {}])\n",
                signature.params.len() - 1,
                self.size(ty)
            ),
            Some(ty) if self.is_own(ty) => {
                format!("            Ok({rt}::canonical::lower_handle(host, &result)? as i32)\n")
            }
            Some(_) => {
                let flat = format!("{rt}::canonical::Scalar::to_flat(&result)");
                match result {
                    "f32" => format!("            Ok(f32::from_bits({flat} as u32))\n"),
                    "f64" => format!("            Ok(f64::from_bits({flat}))\n"),
                    "i32" => format!("            Ok({flat} as i32)\n"),
                    _ => format!("            Ok({flat} as i64)\n"),
                }
            }
        };
        let _ = writeln!(
            out,
            "        }};\n        run(guest).map_err(|exit| {rt}::canonical::exit_frame(guest, FUNC, exit))\n    }}"
        );
        Ok(out)
    }

    fn lift_params(
        &self,
        function: &Function,
        signature: &WasmSignature,
    ) -> Result<String, String> {
        let rt = self.paths.runtime;
        let mut out = String::new();
        let mut encode = String::new();
        let types: Vec<&Type> = function.params.iter().map(|param| &param.ty).collect();
        let offsets = self.sizes.field_offsets(types.iter().copied());
        let _ = writeln!(
            out,
            "            let mut cx = {rt}::canonical::Lifter::new(memory, host, FUNC);\n            let cx = &mut cx;"
        );
        if signature.indirect_params {
            let area = self.sizes.params(types.iter().copied());
            let (size, align) = (area.size.size_wasm32(), area.align.align_wasm32());
            let _ = writeln!(
                out,
                "            let area = cx.area(a0 as u32, {size}, {align})?;"
            );
        } else {
            let count = signature.params.len() - usize::from(signature.retptr);
            let slots: Vec<String> = signature.params[..count]
                .iter()
                .enumerate()
                .map(|(i, ty)| match core_type(*ty) {
                    "i32" => format!("u64::from(a{i} as u32)"),
                    "i64" => format!("a{i} as u64"),
                    "f32" => format!("u64::from(a{i}.to_bits())"),
                    _ => format!("a{i}.to_bits()"),
                })
                .collect();
            let flats: String = types
                .iter()
                .map(|ty| {
                    Ok(format!(
                        " + <{} as {rt}::canonical::Value>::FLAT",
                        self.rust_type(ty)?
                    ))
                })
                .collect::<Result<_, String>>()?;
            let _ = writeln!(
                out,
                "            const _: () = assert!(0{flats} == {count});\n            let slots: [u64; {count}] = [{}];\n            let mut flat = {rt}::canonical::Flat::new(&slots);\n            let flat = &mut flat;\n            let _ = &flat;",
                slots.join(", ")
            );
        }
        for (param, (offset, ty)) in function.params.iter().zip(offsets) {
            let name = format!("p_{}", snake(&param.name));
            let (offset, size) = (offset.size_wasm32(), self.size(ty));
            let field = format!("{rt}::canonical::field(area, {offset}, {size})?");
            let rust = self.rust_type(ty)?;
            let (bytes, text) = (self.is_byte_list(ty), self.is_string(ty));
            let value = match (bytes, text, signature.indirect_params) {
                (true, _, false) => "cx.bytes(flat)?".to_owned(),
                (true, _, true) => format!("cx.bytes_at({field})?"),
                (_, true, false) => "cx.text(flat)?".to_owned(),
                (_, true, true) => format!("cx.text_at({field})?"),
                (_, _, false) => {
                    format!("<{rust} as {rt}::canonical::Value>::lift_flat(cx, flat)?")
                }
                (_, _, true) => format!("<{rust} as {rt}::canonical::Value>::lift(cx, {field})?"),
            };
            let _ = writeln!(out, "            let {name} = {value};");
            encode += &if bytes {
                format!("                {rt}::canonical::encode_bytes({name}, out);\n")
            } else if text {
                format!("                {rt}::canonical::encode_bytes({name}.as_bytes(), out);\n")
            } else {
                format!("                {rt}::canonical::Value::encode(&{name}, out);\n")
            };
        }
        if signature.retptr
            && let Some(ty) = &function.result
        {
            let _ = writeln!(
                out,
                "            cx.area(a{} as u32, {}, {})?;",
                signature.params.len() - 1,
                self.size(ty),
                self.align(ty)
            );
        }
        let _ = writeln!(
            out,
            "            let _ = &cx;\n            {rt}::canonical::call_frame(host, FUNC, |out| {{\n                let _ = &out;\n{encode}            }});"
        );
        Ok(out)
    }
}
