//! Names and types in Solidity.

use super::Emitter;
use crate::ir::Type;

/// Words that Solidity reserves, or whose meaning in it a name must not hide.
const RESERVED: [&str; 87] = [
    "abi",
    "abstract",
    "address",
    "after",
    "alias",
    "anonymous",
    "apply",
    "as",
    "assembly",
    "assert",
    "auto",
    "block",
    "bool",
    "break",
    "byte",
    "bytes",
    "calldata",
    "case",
    "catch",
    "constant",
    "constructor",
    "continue",
    "contract",
    "copyof",
    "default",
    "define",
    "delete",
    "do",
    "else",
    "emit",
    "enum",
    "event",
    "external",
    "fallback",
    "false",
    "final",
    "for",
    "function",
    "hex",
    "if",
    "immutable",
    "implements",
    "import",
    "in",
    "indexed",
    "inline",
    "interface",
    "internal",
    "is",
    "let",
    "library",
    "macro",
    "mapping",
    "match",
    "memory",
    "modifier",
    "msg",
    "mutable",
    "new",
    "null",
    "of",
    "override",
    "partial",
    "payable",
    "pragma",
    "private",
    "promise",
    "public",
    "pure",
    "receive",
    "reference",
    "relocatable",
    "return",
    "returns",
    "sealed",
    "sizeof",
    "static",
    "storage",
    "string",
    "struct",
    "super",
    "supports",
    "switch",
    "this",
    "throw",
    "true",
    "tx",
];

/// More reserved words.
const RESERVED_TOO: [&str; 15] = [
    "try",
    "type",
    "typedef",
    "typeof",
    "unchecked",
    "unicode",
    "using",
    "var",
    "view",
    "virtual",
    "while",
    "revert",
    "require",
    "keccak256",
    "selfdestruct",
];

/// `name`, with `_` behind it where Solidity does not take it.
pub(super) fn identifier(name: &str) -> String {
    let sized = ["uint", "int", "bytes", "fixed", "ufixed"].iter().any(|p| {
        name.strip_prefix(p)
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == 'x'))
    });
    if RESERVED.contains(&name) || RESERVED_TOO.contains(&name) || sized {
        format!("{name}_")
    } else {
        name.to_owned()
    }
}

impl Emitter<'_> {
    /// The type without a data location.
    pub(super) fn ty(&mut self, ty: &Type) -> String {
        match ty {
            Type::Bool => "bool".into(),
            Type::UInt(bits) => format!("uint{bits}"),
            Type::Int(bits) => format!("int{bits}"),
            Type::Address | Type::Contract(_) => "address".into(),
            Type::Bytes32 => "bytes32".into(),
            Type::Bytes | Type::Pq(_) => "bytes".into(),
            Type::String => "string".into(),
            Type::Struct(id) => {
                self.types.insert(ty.clone());
                let all: Vec<&str> = self.world.structs.iter().map(|s| s.name.as_str()).collect();
                unique(&all, *id)
            }
            Type::Enum(id) => {
                self.types.insert(ty.clone());
                let all: Vec<&str> = self.world.enums.iter().map(|e| e.name.as_str()).collect();
                unique(&all, *id)
            }
            Type::Array(element, n) => format!("{}[{n}]", self.ty(element)),
            Type::List(element) => format!("{}[]", self.ty(element)),
            Type::Mapping(key, value) => {
                let (key, value) = (self.ty(key), self.ty(value));
                format!("mapping({key} => {value})")
            }
            Type::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|p| self.ty(p)).collect();
                parts.join(", ")
            }
            Type::Number => "uint256".into(),
            Type::Error => "bool".into(),
        }
    }

    /// The type with its data location.
    pub(super) fn located(&mut self, ty: &Type, storage: bool) -> String {
        let text = self.ty(ty);
        if storage {
            format!("{text} storage")
        } else if ty.is_value() || *ty == Type::Number {
            text
        } else {
            format!("{text} memory")
        }
    }

    /// A short name of a type, for the names of helpers.
    pub(super) fn mark(&mut self, ty: &Type) -> String {
        self.ty(ty)
            .chars()
            .filter_map(|c| match c {
                '[' => Some('L'),
                c if c.is_ascii_alphanumeric() || c == '_' => Some(c),
                _ => None,
            })
            .collect()
    }

    pub(super) fn local(&self, id: usize) -> String {
        let name = self.frame.names.get(id).map_or("", String::as_str);
        if name.is_empty() {
            format!("t_{id}")
        } else {
            format!("{name}_{id}")
        }
    }
}

/// The name of a definition; with its number when another has the same.
fn unique(all: &[&str], id: usize) -> String {
    let name = all.get(id).copied().unwrap_or("Unknown");
    if all.iter().filter(|n| **n == name).count() > 1 {
        format!("{name}{id}")
    } else {
        identifier(name)
    }
}
