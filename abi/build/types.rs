//! Records, variants, enums and flags with their `Value` implementations.

use std::fmt::Write as _;

use wit_parser::{FlagsRepr, Int, InterfaceId, Type, TypeDef, TypeDefKind, TypeId, TypeOwner};

use crate::names::{docs, pascal, snake};
use crate::world::World;

/// The parts of a `Value` implementation.
struct Impl {
    flat: String,
    lift_flat: String,
    lift: String,
    lower: String,
    list_bytes: String,
    encode: String,
}

impl World {
    /// The named types of an interface.
    pub fn types(&self, interface: InterfaceId) -> Result<String, String> {
        let mut out = String::new();
        for (name, id) in &self.resolve.interfaces[interface].types {
            let def = &self.resolve.types[*id];
            let rust = pascal(name);
            let ty = Type::Id(*id);
            if self.is_word(*id) {
                let _ = writeln!(out, "        pub use {}::Word;", self.paths.runtime);
                continue;
            }
            let (definition, body) = match &def.kind {
                TypeDefKind::Record(_) => self.record(def, &rust)?,
                TypeDefKind::Variant(_) => self.variant(def, &rust)?,
                TypeDefKind::Enum(_) => self.enumeration(def, &rust)?,
                TypeDefKind::Flags(_) => self.flags(def, &rust)?,
                TypeDefKind::Resource => {
                    out += &docs(def.docs.contents.as_deref(), name, "        ");
                    out += &self.resource_type(*id, name, &rust);
                    continue;
                }
                // Aliases and structural types are written out where they are used.
                _ => continue,
            };
            out += &docs(def.docs.contents.as_deref(), name, "        ");
            out += &definition;
            out += &self.value_impl(&rust, self.size(&ty), self.align(&ty), &body);
        }
        Ok(out)
    }

    fn resource_type(&self, id: TypeId, name: &str, rust: &str) -> String {
        let rt = self.paths.runtime;
        let number = self
            .resources
            .iter()
            .position(|resource| *resource == id)
            .unwrap_or_default();
        let interface = self
            .interfaces
            .iter()
            .find(|interface| self.resolve.types[id].owner == TypeOwner::Interface(interface.id));
        let interface = interface.map_or("", |interface| interface.name.as_str());
        format!(
            "        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum {rust} {{}}
        impl {rt}::canonical::Resource for {rust} {{
            const ID: u32 = {number};
            const NAME: &'static str = \"{interface}.{name}\";
        }}
"
        )
    }

    fn value_impl(&self, rust: &str, size: usize, align: usize, body: &Impl) -> String {
        let rt = self.paths.runtime;
        let Impl {
            flat,
            lift_flat,
            lift,
            lower,
            list_bytes,
            encode,
        } = body;
        format!(
            "        impl {rt}::canonical::Value for {rust} {{
            const SIZE: u32 = {size};
            const ALIGN: u32 = {align};
            const FLAT: u32 = {flat};
            fn lift_flat(cx: &mut {rt}::canonical::Lifter<'_, '_>, flat: &mut {rt}::canonical::Flat<'_>) -> ::core::result::Result<Self, {rt}::Exit> {{
{lift_flat}            }}
            fn lift(cx: &mut {rt}::canonical::Lifter<'_, '_>, bytes: &[u8]) -> ::core::result::Result<Self, {rt}::Exit> {{
{lift}            }}
            fn lower<G: {rt}::Guest>(&self, guest: &mut G, out: &mut [u8]) -> ::core::result::Result<(), {rt}::Exit> {{
{lower}            }}
            fn list_bytes(&self) -> u64 {{
{list_bytes}            }}
            fn encode(&self, out: &mut {rt}::Transcript) {{
{encode}            }}
        }}
"
        )
    }

    /// A compile-time check that the run-time library lays `ty` out as `wit-parser` does.
    pub fn layout_check(&self, ty: &Type) -> Result<String, String> {
        let (rt, rust) = (self.paths.runtime, self.rust_type(ty)?);
        let (size, align) = (self.size(ty), self.align(ty));
        Ok(format!(
            "        const _: () = assert!(<{rust} as {rt}::canonical::Value>::SIZE == {size} && <{rust} as {rt}::canonical::Value>::ALIGN == {align});\n"
        ))
    }

    fn record(&self, def: &TypeDef, rust: &str) -> Result<(String, Impl), String> {
        let TypeDefKind::Record(record) = &def.kind else {
            return Err("not a record".into());
        };
        let rt = self.paths.runtime;
        let mut definition =
            format!("        #[derive(Clone, Debug, PartialEq)]\n        pub struct {rust} {{\n");
        let mut checks = String::new();
        let mut body = Impl {
            flat: "0".into(),
            lift_flat: "                Ok(Self {\n".into(),
            lift: "                Ok(Self {\n".into(),
            lower: String::new(),
            list_bytes: "                0u64".into(),
            encode: String::new(),
        };
        let offsets = self
            .sizes
            .field_offsets(record.fields.iter().map(|field| &field.ty));
        for (field, (offset, ty)) in record.fields.iter().zip(offsets) {
            let (name, kind) = (snake(&field.name), self.rust_type(ty)?);
            let (offset, size) = (offset.size_wasm32(), self.size(ty));
            definition += &docs(field.docs.contents.as_deref(), &field.name, "            ");
            let _ = writeln!(definition, "            pub {name}: {kind},");
            let _ = write!(body.flat, " + <{kind} as {rt}::canonical::Value>::FLAT");
            let _ = writeln!(
                body.lift_flat,
                "                    {name}: <{kind} as {rt}::canonical::Value>::lift_flat(cx, flat)?,"
            );
            let _ = writeln!(
                body.lift,
                "                    {name}: <{kind} as {rt}::canonical::Value>::lift(cx, {rt}::canonical::field(bytes, {offset}, {size})?)?,"
            );
            let _ = writeln!(
                body.lower,
                "                {rt}::canonical::Value::lower(&self.{name}, guest, {rt}::canonical::field_mut(out, {offset}, {size})?)?;"
            );
            let _ = write!(
                body.list_bytes,
                ".saturating_add({rt}::canonical::Value::list_bytes(&self.{name}))"
            );
            let _ = writeln!(
                body.encode,
                "                {rt}::canonical::Value::encode(&self.{name}, out);"
            );
            checks += &self.layout_check(ty)?;
        }
        definition += "        }\n";
        definition += &checks;
        body.lift_flat += "                })\n";
        body.lift += "                })\n";
        body.lower += "                Ok(())\n";
        body.list_bytes += "\n";
        Ok((definition, body))
    }

    fn variant(&self, def: &TypeDef, rust: &str) -> Result<(String, Impl), String> {
        let TypeDefKind::Variant(variant) = &def.kind else {
            return Err("not a variant".into());
        };
        let rt = self.paths.runtime;
        let cases = variant.cases.len();
        let offset = self.sizes.payload_offset(
            variant.tag(),
            variant.cases.iter().map(|case| case.ty.as_ref()),
        );
        let offset = offset.size_wasm32();
        let mut definition =
            format!("        #[derive(Clone, Debug, PartialEq)]\n        pub enum {rust} {{\n");
        let mut checks = String::new();
        let mut slots = "0".to_owned();
        for case in &variant.cases {
            if let Some(ty) = &case.ty {
                slots = format!(
                    "{rt}::canonical::max({slots}, <{} as {rt}::canonical::Value>::FLAT)",
                    self.rust_type(ty)?
                );
            }
        }
        let bad = format!("_ => Err({rt}::Exit::Trap({rt}::TrapCode::BadArgument)),");
        let mut body = Impl {
            flat: format!("1 + {slots}"),
            lift_flat: format!(
                "                let case = flat.take_u32();\n                let mut payload = flat.split({slots});\n                let payload = &mut payload;\n                let _ = (&cx, &payload);\n                match case {{\n"
            ),
            lift: format!(
                "                match {rt}::canonical::lift_discriminant(bytes, {cases})? {{\n"
            ),
            lower: "                match self {\n".into(),
            list_bytes: "                match self {\n".into(),
            encode: "                match self {\n".into(),
        };
        for (index, case) in variant.cases.iter().enumerate() {
            let name = pascal(&case.name);
            definition += &docs(case.docs.contents.as_deref(), &case.name, "            ");
            let tag = format!("{rt}::canonical::lower_discriminant(out, {cases}, {index})?;");
            let number = format!("{rt}::canonical::Value::encode(&{index}u32, out);");
            if let Some(ty) = &case.ty {
                let (kind, size) = (self.rust_type(ty)?, self.size(ty));
                let _ = writeln!(definition, "            {name}({kind}),");
                let _ = writeln!(
                    body.lift_flat,
                    "                    {index} => Ok(Self::{name}(<{kind} as {rt}::canonical::Value>::lift_flat(cx, payload)?)),"
                );
                let _ = writeln!(
                    body.lift,
                    "                    {index} => Ok(Self::{name}(<{kind} as {rt}::canonical::Value>::lift(cx, {rt}::canonical::field(bytes, {offset}, {size})?)?)),"
                );
                let _ = writeln!(
                    body.lower,
                    "                    Self::{name}(value) => {{ {tag} {rt}::canonical::Value::lower(value, guest, {rt}::canonical::field_mut(out, {offset}, {size})?)?; }}"
                );
                let _ = writeln!(
                    body.list_bytes,
                    "                    Self::{name}(value) => {rt}::canonical::Value::list_bytes(value),"
                );
                let _ = writeln!(
                    body.encode,
                    "                    Self::{name}(value) => {{ {number} {rt}::canonical::Value::encode(value, out); }}"
                );
                checks += &self.layout_check(ty)?;
            } else {
                let _ = writeln!(definition, "            {name},");
                let _ = writeln!(
                    body.lift_flat,
                    "                    {index} => Ok(Self::{name}),"
                );
                let _ = writeln!(
                    body.lift,
                    "                    {index} => Ok(Self::{name}),"
                );
                let _ = writeln!(
                    body.lower,
                    "                    Self::{name} => {{ {tag} }}"
                );
                let _ = writeln!(body.list_bytes, "                    Self::{name} => 0,");
                let _ = writeln!(
                    body.encode,
                    "                    Self::{name} => {{ {number} }}"
                );
            }
        }
        definition += "        }\n";
        definition += &checks;
        let _ = write!(
            body.lift_flat,
            "                    {bad}\n                }}\n"
        );
        let _ = write!(body.lift, "                    {bad}\n                }}\n");
        body.lower += "                }\n                Ok(())\n";
        body.list_bytes += "                }\n";
        body.encode += "                }\n";
        Ok((definition, body))
    }

    fn enumeration(&self, def: &TypeDef, rust: &str) -> Result<(String, Impl), String> {
        let TypeDefKind::Enum(wit) = &def.kind else {
            return Err("not an enum".into());
        };
        let rt = self.paths.runtime;
        let cases = wit.cases.len();
        let mut definition = format!(
            "        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n        pub enum {rust} {{\n"
        );
        let (mut names, mut matches, mut all) = (String::new(), String::new(), String::new());
        for (index, case) in wit.cases.iter().enumerate() {
            let name = pascal(&case.name);
            definition += &docs(case.docs.contents.as_deref(), &case.name, "            ");
            let _ = writeln!(definition, "            {name} = {index},");
            let _ = writeln!(
                names,
                "                    Self::{name} => {:?},",
                case.name
            );
            let _ = writeln!(
                matches,
                "                    {index} => Some(Self::{name}),"
            );
            let _ = write!(all, "Self::{name}, ");
        }
        let _ = write!(
            definition,
            "        }}
        impl {rust} {{
            /// Every case, in order.
            pub const ALL: &'static [Self] = &[{all}];
            /// Name in WIT.
            pub const fn name(self) -> &'static str {{
                match self {{
{names}                }}
            }}
            /// The case with this index.
            pub const fn from_index(index: u32) -> Option<Self> {{
                match index {{
{matches}                    _ => None,
                }}
            }}
        }}
        impl {rt}::canonical::Scalar for {rust} {{
            fn to_flat(&self) -> u64 {{
                *self as u64
            }}
        }}
"
        );
        let bad = format!("ok_or({rt}::Exit::Trap({rt}::TrapCode::BadArgument))");
        Ok((
            definition,
            Impl {
                flat: "1".into(),
                lift_flat: format!(
                    "                let _ = cx;\n                Self::from_index(flat.take_u32()).{bad}\n"
                ),
                lift: format!(
                    "                let _ = cx;\n                Self::from_index({rt}::canonical::lift_discriminant(bytes, {cases})?).{bad}\n"
                ),
                lower: format!(
                    "                let _ = guest;\n                {rt}::canonical::lower_discriminant(out, {cases}, *self as u32)\n"
                ),
                list_bytes: "                0\n".into(),
                encode: format!(
                    "                {rt}::canonical::Value::encode(&(*self as u32), out);\n"
                ),
            },
        ))
    }

    fn flags(&self, def: &TypeDef, rust: &str) -> Result<(String, Impl), String> {
        let TypeDefKind::Flags(wit) = &def.kind else {
            return Err("not flags".into());
        };
        let rt = self.paths.runtime;
        let repr = match wit.repr() {
            FlagsRepr::U8 => Int::U8,
            FlagsRepr::U16 => Int::U16,
            FlagsRepr::U32(1) => Int::U32,
            FlagsRepr::U32(_) => {
                return Err(format!("flags {rust}: more than 32 are not supported"));
            }
        };
        let repr = match repr {
            Int::U8 => "u8",
            Int::U16 => "u16",
            _ => "u32",
        };
        let mask = (1u64 << wit.flags.len()) - 1;
        let mut definition = format!(
            "        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]\n        pub struct {rust}({repr});\n        impl {rust} {{\n"
        );
        for (index, flag) in wit.flags.iter().enumerate() {
            definition += &docs(flag.docs.contents.as_deref(), &flag.name, "            ");
            let name = snake(&flag.name).to_uppercase();
            let _ = writeln!(
                definition,
                "            pub const {name}: Self = Self(1 << {index});"
            );
        }
        let _ = write!(
            definition,
            "            /// The flags in `bits`; others are dropped, as the canonical ABI has it.
            pub const fn from_bits(bits: {repr}) -> Self {{
                Self(bits & {mask})
            }}
            /// One bit a flag, the first lowest.
            pub const fn bits(self) -> {repr} {{
                self.0
            }}
            /// Whether all of `other` are set.
            pub const fn contains(self, other: Self) -> bool {{
                self.0 & other.0 == other.0
            }}
            /// Both together.
            pub const fn union(self, other: Self) -> Self {{
                Self(self.0 | other.0)
            }}
        }}
        impl {rt}::canonical::Scalar for {rust} {{
            fn to_flat(&self) -> u64 {{
                u64::from(self.0)
            }}
        }}
"
        );
        Ok((
            definition,
            Impl {
                flat: "1".into(),
                lift_flat: format!(
                    "                let _ = cx;\n                Ok(Self::from_bits(flat.take() as {repr}))\n"
                ),
                lift: format!(
                    "                Ok(Self::from_bits(<{repr} as {rt}::canonical::Value>::lift(cx, bytes)?))\n"
                ),
                lower: format!(
                    "                {rt}::canonical::Value::lower(&self.0, guest, out)\n"
                ),
                list_bytes: "                0\n".into(),
                encode: format!("                {rt}::canonical::Value::encode(&self.0, out);\n"),
            },
        ))
    }
}
