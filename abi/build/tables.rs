//! The import and export tables, and the macro that lists the imports.

use std::fmt::Write as _;

use wit_parser::abi::{AbiVariant, WasmSignature};
use wit_parser::{Function, Handle, Type, TypeDefKind, WorldItem};

use crate::functions::{core_type, glue_name, import_name};
use crate::world::World;

/// Escapes nothing but what a Rust string literal needs.
fn literal(text: &str) -> String {
    format!("{text:?}")
}

fn core_list(types: &[wit_parser::abi::WasmType]) -> String {
    let items: Vec<String> = types
        .iter()
        .map(|ty| format!("crate::CoreType::{}", core_type(*ty).to_uppercase()))
        .collect();
    format!("&[{}]", items.join(", "))
}

impl World {
    pub fn tables(&self) -> Result<String, String> {
        let package = self.package_name();
        let mut out = format!(
            "/// The WIT package that the bindings come from.\npub const WIT_PACKAGE: &str = {package:?};\n\npub(crate) const TRANSCRIPT_DOMAIN: &str = \"AIVM host-call transcript v1 {package}\";\n\n"
        );
        out += &self.imports()?;
        out += &self.exports()?;
        out += &self.for_each_import()?;
        Ok(out)
    }

    fn area(&self, ty: &Type) -> String {
        format!(
            "Some(crate::Area {{ size: {}, align: {} }})",
            self.size(ty),
            self.align(ty)
        )
    }

    fn return_area(&self, function: &Function, signature: &WasmSignature) -> String {
        match &function.result {
            Some(ty) if signature.retptr => self.area(ty),
            _ => "None".into(),
        }
    }

    fn imports(&self) -> Result<String, String> {
        let mut out = "/// Every host function, sorted by interface and name.\npub const IMPORTS: &[crate::Import] = &[\n".to_owned();
        for (index, (interface, function)) in self.functions().enumerate() {
            let signature = self.signature(interface, function)?;
            let params_area = if signature.indirect_params {
                let area = self
                    .sizes
                    .params(function.params.iter().map(|param| &param.ty));
                let (size, align) = (area.size.size_wasm32(), area.align.align_wasm32());
                format!("Some(crate::Area {{ size: {size}, align: {align} }})")
            } else {
                "None".into()
            };
            let _ = writeln!(
                out,
                "    crate::Import {{ id: crate::FuncId::new({index}), interface: {:?}, function: {:?}, key: {:?}, module: {:?}, {}, params_area: {params_area}, {} }},",
                interface.name,
                import_name(interface, function),
                format!("{}.{}", interface.name, import_name(interface, function)),
                interface.module,
                self.border(function, &signature),
                self.described(function),
            );
        }
        out += "];\n\n";
        Ok(out)
    }

    /// The fields that say what crosses the border.
    fn border(&self, function: &Function, signature: &WasmSignature) -> String {
        format!(
            "params: {}, results: {}, return_area: {}",
            core_list(&signature.params),
            core_list(&signature.results),
            self.return_area(function, signature)
        )
    }

    /// The fields for readers.
    fn described(&self, function: &Function) -> String {
        let docs = function.docs.contents.as_deref().unwrap_or_default();
        format!(
            "wit: {}, docs: {}",
            literal(&self.wit_function(function)),
            literal(docs.trim())
        )
    }

    fn exports(&self) -> Result<String, String> {
        let mut out =
            "/// Every function that a contract exports, in the order of the WIT.\npub const EXPORTS: &[crate::Export] = &[\n"
                .to_owned();
        for item in self.resolve.worlds[self.id].exports.values() {
            let WorldItem::Function(function) = item else {
                return Err("the world exports something that is not a function".into());
            };
            let signature = self
                .resolve
                .wasm_signature(AbiVariant::GuestExport, function);
            let post = if function
                .result
                .as_ref()
                .is_some_and(|ty| self.has_lists(ty))
            {
                format!("Some({:?})", format!("cabi_post_{}", function.name))
            } else {
                "None".into()
            };
            let _ = writeln!(
                out,
                "    crate::Export {{ name: {:?}, {}, post_return: {post}, {} }},",
                function.name,
                self.border(function, &signature),
                self.described(function),
            );
        }
        out += "];\n\n";
        Ok(out)
    }

    fn for_each_import(&self) -> Result<String, String> {
        let mut out = r#"/// Calls a macro with the list of every host function.
///
/// An engine registers typed functions with it; no table is kept by hand. The callback gets a
/// braced group with whatever followed its name, and then, for each function, module and name
/// of the import, its [`FuncId`](crate::FuncId), the path of the glue function, the core
/// parameters and the core result (`()` for none):
///
/// ```
/// macro_rules! names {
///     ({ $($extra:tt)* } $(($module:literal, $name:literal, $id:expr, $glue:path,
///         ($($arg:ident: $ty:ty),*), $result:ty))*) => {
///         vec![$(($module, $name)),*]
///     };
/// }
/// let names = aivm_abi::for_each_import!(names);
/// assert!(names.contains(&("synergy:aivm/storage@0.1.0", "load")));
/// ```
///
/// With wasmi, where `Caller` is wrapped in a type that implements [`Guest`](crate::Guest):
///
/// ```ignore
/// macro_rules! link {
///     ({ $linker:ident } $(($module:literal, $name:literal, $id:expr, $glue:path,
///         ($($arg:ident: $ty:ty),*), $result:ty))*) => {
///         $($linker.func_wrap($module, $name,
///             |caller: Caller<'_, State>, $($arg: $ty),*| -> Result<$result, Error> {
///                 $glue(&mut MyGuest::new(caller), $($arg),*).map_err(to_engine_error)
///             })?;)*
///     };
/// }
/// aivm_abi::for_each_import!(link, linker);
/// ```
#[macro_export]
macro_rules! for_each_import {
    ($callback:ident $(, $($extra:tt)*)?) => {
        $callback! { { $($($extra)*)? }
"#
        .to_owned();
        for (index, (interface, function)) in self.functions().enumerate() {
            let signature = self.signature(interface, function)?;
            let params: Vec<String> = signature
                .params
                .iter()
                .enumerate()
                .map(|(i, ty)| format!("a{i}: {}", core_type(*ty)))
                .collect();
            let _ = writeln!(
                out,
                "            ({:?}, {:?}, $crate::FuncId::new({index}), $crate::glue::{}, ({}), {})",
                interface.module,
                import_name(interface, function),
                glue_name(interface, function),
                params.join(", "),
                signature.results.first().map_or("()", |ty| core_type(*ty)),
            );
        }
        out += "        }\n    };\n}\n";
        Ok(out)
    }

    fn has_lists(&self, ty: &Type) -> bool {
        if self.is_string(ty) {
            return true;
        }
        let any = |mut types: &mut dyn Iterator<Item = &Type>| {
            Iterator::any(&mut types, |ty| self.has_lists(ty))
        };
        match self.kind(ty) {
            Some(TypeDefKind::List(_)) => true,
            Some(TypeDefKind::Option(ty)) => self.has_lists(ty),
            Some(TypeDefKind::Result(result)) => any(&mut result.ok.iter().chain(&result.err)),
            Some(TypeDefKind::Tuple(tuple)) => any(&mut tuple.types.iter()),
            Some(TypeDefKind::Record(record)) => {
                any(&mut record.fields.iter().map(|field| &field.ty))
            }
            Some(TypeDefKind::Variant(variant)) => {
                any(&mut variant.cases.iter().filter_map(|case| case.ty.as_ref()))
            }
            _ => false,
        }
    }

    /// `load: func(key: word) -> word`.
    fn wit_function(&self, function: &Function) -> String {
        let params: Vec<String> = function
            .params
            .iter()
            .map(|param| format!("{}: {}", param.name, self.wit_type(&param.ty)))
            .collect();
        let result = function
            .result
            .as_ref()
            .map_or(String::new(), |ty| format!(" -> {}", self.wit_type(ty)));
        format!("{}: func({}){result}", function.name, params.join(", "))
    }

    fn wit_type(&self, ty: &Type) -> String {
        let Type::Id(id) = ty else {
            return match ty {
                Type::Bool => "bool".into(),
                Type::Char => "char".into(),
                Type::String => "string".into(),
                other => format!("{other:?}").to_lowercase(),
            };
        };
        let def = &self.resolve.types[*id];
        if let Some(name) = &def.name {
            return name.clone();
        }
        let payload =
            |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), |ty| self.wit_type(ty));
        match &def.kind {
            TypeDefKind::List(ty) => format!("list<{}>", self.wit_type(ty)),
            TypeDefKind::Option(ty) => format!("option<{}>", self.wit_type(ty)),
            TypeDefKind::Result(result) => match (&result.ok, &result.err) {
                (None, None) => "result".into(),
                (ok, None) => format!("result<{}>", payload(ok)),
                (ok, err) => format!("result<{}, {}>", payload(ok), payload(err)),
            },
            TypeDefKind::Tuple(tuple) => {
                let items: Vec<String> = tuple.types.iter().map(|ty| self.wit_type(ty)).collect();
                format!("tuple<{}>", items.join(", "))
            }
            TypeDefKind::Type(ty) => self.wit_type(ty),
            TypeDefKind::Handle(Handle::Own(id)) => {
                format!("own<{}>", self.wit_type(&Type::Id(*id)))
            }
            TypeDefKind::Handle(Handle::Borrow(id)) => {
                format!("borrow<{}>", self.wit_type(&Type::Id(*id)))
            }
            other => other.as_str().into(),
        }
    }
}
