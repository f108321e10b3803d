//! A WIT world, ready to be written out.

use std::fmt::Write as _;
use std::path::Path;

use wit_parser::{
    Docs, Function, FunctionKind, Handle, InterfaceId, PackageId, Param, Resolve, SizeAlign, Span,
    Stability, Type, TypeDef, TypeDefKind, TypeId, TypeOwner, WorldId, WorldItem,
};

use crate::names::{pascal, snake};

/// Where the generated code finds what it uses.
#[derive(Clone, Copy)]
pub struct Paths {
    /// Path of the crate that has `canonical`, `Guest` and so on.
    pub runtime: &'static str,
    /// Path of the module that includes the generated file.
    pub root: &'static str,
    /// Whether to write the import and export tables and the macro.
    pub tables: bool,
}

/// An imported interface.
pub struct Interface {
    pub id: InterfaceId,
    /// `storage`, or `wasi:nn.tensor` for one of another package, or its module for one of `witx`.
    pub name: String,
    /// Module name in the import section.
    pub module: String,
    /// Of another package: hosts need not serve it.
    pub foreign: bool,
    /// Lowered as `witx` does it.
    pub witx: bool,
}

/// A parsed world.
pub struct World {
    pub resolve: Resolve,
    pub sizes: SizeAlign,
    pub id: WorldId,
    pub package: PackageId,
    pub paths: Paths,
    /// Imported interfaces, sorted by name.
    pub interfaces: Vec<Interface>,
    /// Resource types, in the order of their numbers.
    pub resources: Vec<TypeId>,
}

impl World {
    pub fn read(path: &str, world: &str, paths: Paths) -> Result<Self, String> {
        let mut resolve = Resolve::default();
        let (package, sources) = resolve
            .push_path(Path::new(path))
            .map_err(|error| resolve.render_error(&error))?;
        println!("cargo::rerun-if-changed={path}");
        for source in sources.paths() {
            println!("cargo::rerun-if-changed={}", source.display());
        }
        let id = resolve
            .select_world(&[package], Some(world))
            .map_err(|error| format!("{error:#}"))?;
        let mut this = Self {
            resolve,
            sizes: SizeAlign::default(),
            id,
            package,
            paths,
            interfaces: Vec::new(),
            resources: Vec::new(),
        };
        for (key, item) in &this.resolve.worlds[id].imports {
            match item {
                WorldItem::Interface { id, .. } => {
                    let name = this.interface_name(*id)?;
                    let witx = this.is_witx(*id);
                    this.interfaces.push(Interface {
                        id: *id,
                        module: match witx {
                            true => name.clone(),
                            false => this.resolve.name_world_key(key),
                        },
                        foreign: this.resolve.interfaces[*id].package != Some(this.package),
                        name,
                        witx,
                    });
                }
                WorldItem::Type { .. } => {}
                WorldItem::Function(function) => {
                    return Err(format!(
                        "function `{}` is imported outside of an interface",
                        function.name
                    ));
                }
            }
        }
        this.interfaces.sort_by(|a, b| a.name.cmp(&b.name));
        this.add_drops();
        this.sizes
            .fill(&this.resolve)
            .map_err(|error| format!("{error:#}"))?;
        Ok(this)
    }

    /// Each resource has one more function, which is not in the WIT: the guest drops it.
    fn add_drops(&mut self) {
        for interface in &self.interfaces {
            let types = self.resolve.interfaces[interface.id].types.clone();
            for (name, id) in types {
                if !matches!(self.resolve.types[id].kind, TypeDefKind::Resource) {
                    continue;
                }
                self.resources.push(id);
                let own = self.resolve.types.alloc(TypeDef {
                    name: None,
                    kind: TypeDefKind::Handle(Handle::Own(id)),
                    owner: TypeOwner::None,
                    docs: Docs::default(),
                    stability: Stability::default(),
                    span: Span::default(),
                    external_id: None,
                });
                let function = Function {
                    name: format!("[resource-drop]{name}"),
                    kind: FunctionKind::Freestanding,
                    params: vec![Param {
                        name: "handle".into(),
                        ty: Type::Id(own),
                        span: Span::default(),
                    }],
                    result: None,
                    docs: Docs {
                        contents: Some(format!("Ends a `{name}` that the guest owns.")),
                    },
                    stability: Stability::default(),
                    span: Span::default(),
                    external_id: None,
                };
                self.resolve.interfaces[interface.id]
                    .functions
                    .insert(function.name.clone(), function);
            }
        }
    }

    /// A resource type, behind aliases.
    fn resource(&self, id: TypeId) -> Result<TypeId, String> {
        match &self.resolve.types[id].kind {
            TypeDefKind::Resource => Ok(id),
            TypeDefKind::Type(Type::Id(id)) => self.resource(*id),
            other => Err(format!(
                "a handle of a `{}`, which is no resource",
                other.as_str()
            )),
        }
    }

    pub fn is_own(&self, ty: &Type) -> bool {
        matches!(self.kind(ty), Some(TypeDefKind::Handle(Handle::Own(_))))
    }

    /// All of the generated code.
    pub fn generate(&self) -> Result<String, String> {
        let mut out = String::from("// Generated from WIT at build time.\n");
        out += "/// The interfaces that a host implements: one trait each, and their types.\npub mod host {\n";
        for interface in &self.interfaces {
            let wit = &self.resolve.interfaces[interface.id];
            out += &crate::names::docs(wit.docs.contents.as_deref(), &interface.name, "    ");
            let _ = writeln!(out, "    pub mod {} {{", snake(&interface.name));
            out += &self.types(interface.id)?;
            out += &self.host_trait(interface)?;
            out += "    }\n";
        }
        out += "}\n\n";
        out += &self.host_functions();
        out += "/// One function per host function: lift the arguments, call the host, lower the result.\n";
        out += "pub mod glue {\n";
        for (index, (interface, function)) in self.functions().enumerate() {
            out += &self.glue(interface, function, index)?;
        }
        out += "}\n\n";
        if self.paths.tables {
            out += &self.tables()?;
        }
        Ok(out)
    }

    /// Every imported function, sorted by interface and name: the order of the table.
    pub fn functions(&self) -> impl Iterator<Item = (&Interface, &Function)> {
        self.interfaces.iter().flat_map(|interface| {
            let mut functions: Vec<_> = self.resolve.interfaces[interface.id]
                .functions
                .values()
                .collect();
            functions.sort_by(|a, b| a.name.cmp(&b.name));
            functions
                .into_iter()
                .map(move |function| (interface, function))
        })
    }

    /// `synergy:aivm@0.1.0`.
    pub fn package_name(&self) -> String {
        self.resolve.packages[self.package].name.to_string()
    }

    fn interface_name(&self, id: InterfaceId) -> Result<String, String> {
        let interface = &self.resolve.interfaces[id];
        let name = interface
            .name
            .clone()
            .ok_or("an interface without a name is imported")?;
        Ok(match interface.package {
            _ if self.is_witx(id) => snake(&name),
            Some(package) if package != self.package => {
                let package = &self.resolve.packages[package].name;
                // A slash would look like a path in schedules.
                format!("{}:{}.{name}", package.namespace, package.name)
            }
            _ => name,
        })
    }

    /// Whether an interface is from before WIT.
    fn is_witx(&self, id: InterfaceId) -> bool {
        let package = self.resolve.interfaces[id].package;
        package.is_some_and(|package| self.resolve.packages[package].name.namespace == "witx")
    }

    /// The Rust type of a value that is owned.
    pub fn rust_type(&self, ty: &Type) -> Result<String, String> {
        Ok(match ty {
            Type::Bool => "bool".into(),
            Type::U8 => "u8".into(),
            Type::U16 => "u16".into(),
            Type::U32 => "u32".into(),
            Type::U64 => "u64".into(),
            Type::S8 => "i8".into(),
            Type::S16 => "i16".into(),
            Type::S32 => "i32".into(),
            Type::S64 => "i64".into(),
            Type::F32 => "f32".into(),
            Type::F64 => "f64".into(),
            Type::Char => "char".into(),
            Type::String => "::std::string::String".into(),
            Type::ErrorContext => return Err("`error-context` is not supported".into()),
            Type::Id(id) => self.rust_named(*id)?,
        })
    }

    fn rust_named(&self, id: TypeId) -> Result<String, String> {
        let def = &self.resolve.types[id];
        let payload =
            |ty: &Option<Type>| ty.as_ref().map_or(Ok("()".into()), |ty| self.rust_type(ty));
        Ok(match &def.kind {
            TypeDefKind::Type(ty) => self.rust_type(ty)?,
            TypeDefKind::List(ty) => format!("::std::vec::Vec<{}>", self.rust_type(ty)?),
            TypeDefKind::Option(ty) => format!("::core::option::Option<{}>", self.rust_type(ty)?),
            TypeDefKind::Result(result) => {
                format!(
                    "::core::result::Result<{}, {}>",
                    payload(&result.ok)?,
                    payload(&result.err)?
                )
            }
            TypeDefKind::Tuple(tuple) if (1..=6).contains(&tuple.types.len()) => {
                let items = tuple
                    .types
                    .iter()
                    .map(|ty| self.rust_type(ty))
                    .collect::<Result<Vec<_>, _>>()?;
                format!("({},)", items.join(", "))
            }
            TypeDefKind::Handle(handle) => {
                let (name, id) = match handle {
                    Handle::Own(id) => ("Own", id),
                    Handle::Borrow(id) => ("Borrow", id),
                };
                let resource = self.rust_named(self.resource(*id)?)?;
                format!("{}::canonical::{name}<{resource}>", self.paths.runtime)
            }
            TypeDefKind::Resource
            | TypeDefKind::Record(_)
            | TypeDefKind::Variant(_)
            | TypeDefKind::Enum(_)
            | TypeDefKind::Flags(_) => {
                if self.is_word(id) {
                    return Ok(format!("{}::Word", self.paths.runtime));
                }
                let (TypeOwner::Interface(owner), Some(name)) = (def.owner, &def.name) else {
                    return Err(format!("type {:?} belongs to no interface", def.name));
                };
                let module = snake(&self.interface_name(owner)?);
                format!("{}::host::{module}::{}", self.paths.root, pascal(name))
            }
            other => {
                return Err(format!(
                    "type {:?}: `{}` is not supported",
                    def.name,
                    other.as_str()
                ));
            }
        })
    }

    /// `types.word` has a hand-written Rust type.
    pub fn is_word(&self, id: TypeId) -> bool {
        let def = &self.resolve.types[id];
        let TypeOwner::Interface(owner) = def.owner else {
            return false;
        };
        let TypeDefKind::Record(record) = &def.kind else {
            return false;
        };
        def.name.as_deref() == Some("word")
            && self.resolve.interfaces[owner].name.as_deref() == Some("types")
            && record.fields.len() == 4
            && record.fields.iter().all(|field| field.ty == Type::U64)
    }

    /// Follows aliases.
    pub fn kind(&self, ty: &Type) -> Option<&TypeDefKind> {
        let Type::Id(id) = ty else { return None };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Type(ty) => self.kind(ty),
            kind => Some(kind),
        }
    }

    pub fn is_byte_list(&self, ty: &Type) -> bool {
        matches!(self.kind(ty), Some(TypeDefKind::List(Type::U8)))
    }

    pub fn is_string(&self, ty: &Type) -> bool {
        match ty {
            Type::String => true,
            Type::Id(id) => {
                matches!(&self.resolve.types[*id].kind, TypeDefKind::Type(ty) if self.is_string(ty))
            }
            _ => false,
        }
    }

    pub fn size(&self, ty: &Type) -> usize {
        self.sizes.size(ty).size_wasm32()
    }

    pub fn align(&self, ty: &Type) -> usize {
        self.sizes.align(ty).align_wasm32()
    }
}
