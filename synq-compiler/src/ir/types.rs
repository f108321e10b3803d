//! Types, and how their values are held.

use std::rc::Rc;

/// Families of post-quantum algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// ML-DSA (FIPS 204).
    MlDsa,
    /// FN-DSA (Falcon).
    FnDsa,
    /// SLH-DSA (FIPS 205).
    SlhDsa,
    /// ML-KEM (FIPS 203).
    MlKem,
    /// Classic McEliece.
    McEliece,
    /// HQC.
    Hqc,
}

/// What a post-quantum value is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A public key.
    PublicKey,
    /// A key pair; on a chain only its public half makes sense.
    KeyPair,
    /// A signature.
    Signature,
    /// A ciphertext.
    Ciphertext,
}

/// A post-quantum type: bytes that mean one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pq {
    /// The family.
    pub algorithm: Algorithm,
    /// What it is for.
    pub role: Role,
    /// Security level, in the family's own numbers.
    pub level: u32,
}

impl Algorithm {
    /// Name in type names.
    pub fn name(self) -> &'static str {
        match self {
            Self::MlDsa => "MLDSA",
            Self::FnDsa => "FNDSA",
            Self::SlhDsa => "SLHDSA",
            Self::MlKem => "MLKEM",
            Self::McEliece => "McEliece",
            Self::Hqc => "HQC",
        }
    }

    /// Levels, the default first.
    pub fn levels(self) -> &'static [u32] {
        match self {
            Self::MlDsa => &[65, 44, 87],
            Self::FnDsa => &[512, 1024],
            Self::SlhDsa => &[128, 192, 256],
            Self::MlKem => &[768, 512, 1024],
            Self::McEliece => &[348_864],
            Self::Hqc => &[128, 192, 256],
        }
    }
}

impl Role {
    /// Name in type names.
    pub fn name(self) -> &'static str {
        match self {
            Self::PublicKey => "PublicKey",
            Self::KeyPair => "KeyPair",
            Self::Signature => "Signature",
            Self::Ciphertext => "Ciphertext",
        }
    }
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// `Bool`
    Bool,
    /// `UInt8` … `UInt256`
    UInt(u16),
    /// `Int8` … `Int256`
    Int(u16),
    /// `Address`
    Address,
    /// `Bytes32`
    Bytes32,
    /// `Bytes`
    Bytes,
    /// `String`
    String,
    /// A post-quantum key, signature or ciphertext.
    Pq(Pq),
    /// An enumeration, by number in [`World::enums`].
    Enum(usize),
    /// A structure, by number in [`World::structs`].
    Struct(usize),
    /// A contract or interface, by number in [`World::contracts`]: an address.
    Contract(usize),
    /// `T[N]`
    Array(Rc<Type>, u32),
    /// `T[]`
    List(Rc<Type>),
    /// `mapping(K => V)`
    Mapping(Rc<Type>, Rc<Type>),
    /// Several values; none for a call without a result.
    Tuple(Vec<Type>),
    /// A number literal that has no type yet.
    Number,
    /// An error was reported; fits everything.
    Error,
}

/// How a value is held in Wasm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repr {
    /// One i32: a Bool, or the address of an aggregate.
    I32,
    /// One i64.
    I64,
    /// Four i64, least significant first.
    Word,
}

/// A structure's definition.
#[derive(Debug, Clone)]
pub struct StructDef {
    /// Its name.
    pub name: String,
    /// Fields in order.
    pub fields: Vec<(String, Type)>,
}

/// An enumeration's definition.
#[derive(Debug, Clone)]
pub struct EnumDef {
    /// Its name.
    pub name: String,
    /// Members in order.
    pub members: Vec<String>,
}

/// A contract's or interface's name.
#[derive(Debug, Clone)]
pub struct ContractDef {
    /// Its name.
    pub name: String,
}

/// Definitions that types refer to by number.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Structures.
    pub structs: Vec<StructDef>,
    /// Enumerations.
    pub enums: Vec<EnumDef>,
    /// Contracts and interfaces.
    pub contracts: Vec<ContractDef>,
}

impl Type {
    /// A result of nothing.
    pub const VOID: Self = Self::Tuple(Vec::new());
    /// `UInt256`
    pub const U256: Self = Self::UInt(256);

    /// Tells whether it is one word or less: no memory of its own.
    pub fn is_value(&self) -> bool {
        matches!(
            self,
            Self::Bool
                | Self::UInt(_)
                | Self::Int(_)
                | Self::Address
                | Self::Bytes32
                | Self::Enum(_)
                | Self::Contract(_)
        )
    }

    /// Tells whether it is a string of bytes behind a block pointer.
    pub fn is_bytes(&self) -> bool {
        matches!(self, Self::Bytes | Self::String | Self::Pq(_))
    }

    /// Tells whether it is an integer type.
    pub fn is_integer(&self) -> bool {
        matches!(self, Self::UInt(_) | Self::Int(_))
    }

    /// Tells whether its numbers have a sign.
    pub fn is_signed(&self) -> bool {
        matches!(self, Self::Int(_))
    }

    /// How a value of it is held.
    pub fn repr(&self) -> Repr {
        match self {
            Self::UInt(bits) | Self::Int(bits) if *bits <= 64 => Repr::I64,
            Self::Enum(_) => Repr::I64,
            Self::UInt(_) | Self::Int(_) | Self::Address | Self::Bytes32 | Self::Contract(_) => {
                Repr::Word
            }
            _ => Repr::I32,
        }
    }
}

impl World {
    /// The type as an author writes it.
    pub fn name(&self, ty: &Type) -> String {
        match ty {
            Type::Bool => "Bool".into(),
            Type::UInt(bits) => format!("UInt{bits}"),
            Type::Int(bits) => format!("Int{bits}"),
            Type::Address => "Address".into(),
            Type::Bytes32 => "Bytes32".into(),
            Type::Bytes => "Bytes".into(),
            Type::String => "String".into(),
            Type::Pq(pq) => {
                let level = if pq.algorithm.levels().first() == Some(&pq.level) {
                    String::new()
                } else {
                    format!("<{}>", pq.level)
                };
                format!("{}{}{level}", pq.algorithm.name(), pq.role.name())
            }
            Type::Enum(id) => self.enums.get(*id).map_or("?".into(), |e| e.name.clone()),
            Type::Struct(id) => self.structs.get(*id).map_or("?".into(), |s| s.name.clone()),
            Type::Contract(id) => self
                .contracts
                .get(*id)
                .map_or("?".into(), |c| c.name.clone()),
            Type::Array(..) | Type::List(_) => {
                // The outermost dimension is written first.
                let (mut inner, mut dims) = (ty, String::new());
                loop {
                    match inner {
                        Type::Array(element, n) => {
                            dims.push_str(&format!("[{n}]"));
                            inner = element;
                        }
                        Type::List(element) => {
                            dims.push_str("[]");
                            inner = element;
                        }
                        _ => return self.name(inner) + &dims,
                    }
                }
            }
            Type::Mapping(k, v) => format!("mapping({} => {})", self.name(k), self.name(v)),
            Type::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(|t| self.name(t)).collect();
                format!("({})", parts.join(", "))
            }
            Type::Number => "a number".into(),

            Type::Error => "?".into(),
        }
    }

    /// The canonical Solidity ABI name; none for what cannot cross the border.
    pub fn abi_name(&self, ty: &Type) -> Option<String> {
        Some(match ty {
            Type::Bool => "bool".into(),
            Type::UInt(bits) => format!("uint{bits}"),
            Type::Int(bits) => format!("int{bits}"),
            Type::Address | Type::Contract(_) => "address".into(),
            Type::Bytes32 => "bytes32".into(),
            Type::Bytes | Type::Pq(_) => "bytes".into(),
            Type::String => "string".into(),
            Type::Enum(_) => "uint8".into(),
            Type::Struct(id) => {
                let fields = &self.structs.get(*id)?.fields;
                let parts: Option<Vec<_>> = fields.iter().map(|(_, t)| self.abi_name(t)).collect();
                format!("({})", parts?.join(","))
            }
            // Solidity writes the innermost dimension first.
            Type::Array(element, n) => format!("{}[{n}]", self.abi_name(element)?),
            Type::List(element) => format!("{}[]", self.abi_name(element)?),
            _ => return None,
        })
    }

    /// Tells whether the ABI encoding has a tail.
    pub fn is_dynamic(&self, ty: &Type) -> bool {
        match ty {
            Type::Bytes | Type::String | Type::Pq(_) | Type::List(_) => true,
            Type::Array(element, _) => self.is_dynamic(element),
            Type::Struct(id) => self
                .structs
                .get(*id)
                .is_some_and(|s| s.fields.iter().any(|(_, t)| self.is_dynamic(t))),
            _ => false,
        }
    }

    /// Bytes that the type takes in the head of an ABI encoding.
    pub fn head_size(&self, ty: &Type) -> u32 {
        if self.is_dynamic(ty) {
            return 32;
        }
        self.body_size(ty)
    }

    /// Bytes of the heads of the type's parts, wherever they lie.
    pub fn body_size(&self, ty: &Type) -> u32 {
        match ty {
            Type::Array(element, n) => self.head_size(element).saturating_mul(*n),
            Type::Struct(id) => self.structs.get(*id).map_or(0, |s| {
                s.fields
                    .iter()
                    .fold(0u32, |sum, (_, t)| sum.saturating_add(self.head_size(t)))
            }),
            _ => 32,
        }
    }

    /// Bytes that a value takes inside an aggregate in memory.
    pub fn size(&self, ty: &Type) -> u32 {
        match ty {
            Type::Bool | Type::Enum(_) => 1,
            Type::UInt(bits) | Type::Int(bits) => u32::from(*bits) / 8,
            Type::Array(element, n) => self.size(element).saturating_mul(*n),
            Type::Struct(id) => self.structs.get(*id).map_or(0, |s| {
                s.fields
                    .iter()
                    .fold(0u32, |sum, (_, t)| sum.saturating_add(self.size(t)))
            }),
            Type::Bytes | Type::String | Type::Pq(_) | Type::List(_) => 4,
            Type::Mapping(..) => 0,
            _ => 32,
        }
    }

    /// Offset of a field in memory.
    pub fn field_offset(&self, id: usize, field: usize) -> u32 {
        self.structs.get(id).map_or(0, |s| {
            s.fields
                .iter()
                .take(field)
                .fold(0u32, |sum, (_, t)| sum.saturating_add(self.size(t)))
        })
    }

    /// Tells whether a value in memory holds pointers to blocks.
    pub fn has_pointers(&self, ty: &Type) -> bool {
        match ty {
            Type::Bytes | Type::String | Type::Pq(_) | Type::List(_) => true,
            Type::Array(element, _) => self.has_pointers(element),
            Type::Struct(id) => self
                .structs
                .get(*id)
                .is_some_and(|s| s.fields.iter().any(|(_, t)| self.has_pointers(t))),
            _ => false,
        }
    }

    /// Slots that a value takes in storage.
    pub fn slots(&self, ty: &Type) -> u64 {
        match ty {
            Type::Array(element, n) => self.slots(element).saturating_mul(u64::from(*n)),
            Type::Struct(id) => self.structs.get(*id).map_or(1, |s| {
                s.fields
                    .iter()
                    .fold(0u64, |sum, (_, t)| sum.saturating_add(self.slots(t)))
                    .max(1)
            }),
            _ => 1,
        }
    }

    /// Slot of a field, counted from the structure's.
    pub fn field_slot(&self, id: usize, field: usize) -> u64 {
        self.structs.get(id).map_or(0, |s| {
            s.fields
                .iter()
                .take(field)
                .fold(0u64, |sum, (_, t)| sum.saturating_add(self.slots(t)))
        })
    }

    /// Tells whether the type can be written into memory, calldata or an event.
    pub fn has_mapping(&self, ty: &Type) -> bool {
        match ty {
            Type::Mapping(..) => true,
            Type::Array(element, _) | Type::List(element) => self.has_mapping(element),
            Type::Struct(id) => self
                .structs
                .get(*id)
                .is_some_and(|s| s.fields.iter().any(|(_, t)| self.has_mapping(t))),
            _ => false,
        }
    }
}
