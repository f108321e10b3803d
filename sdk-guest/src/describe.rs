//! ABI JSON, as Ethereum's tools read it. Off chain only.

use std::fmt::Write;

/// A type of the ABI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Name, with `tuple` for tuples.
    name: String,
    components: Vec<Parameter>,
}

/// A named value: an argument, a result, a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    name: String,
    ty: Type,
    /// For fields of events.
    indexed: Option<bool>,
}

impl Type {
    /// A type without parts.
    pub fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            components: Vec::new(),
        }
    }

    /// A tuple of named parts.
    pub fn tuple(parts: &[(&str, Self)]) -> Self {
        Self {
            name: "tuple".to_owned(),
            components: parts
                .iter()
                .map(|(name, ty)| Parameter::new(name, ty.clone()))
                .collect(),
        }
    }

    /// An array of it; `suffix` is `[]` or `[n]`.
    pub fn array(mut self, suffix: &str) -> Self {
        self.name.push_str(suffix);
        self
    }
}

impl Parameter {
    /// A value with a name, which may be empty.
    pub fn new(name: &str, ty: Type) -> Self {
        Self {
            name: name.to_owned(),
            ty,
            indexed: None,
        }
    }

    /// A field of an event.
    pub fn field(name: &str, ty: Type, indexed: bool) -> Self {
        Self {
            indexed: Some(indexed),
            ..Self::new(name, ty)
        }
    }

    fn write(&self, out: &mut String) {
        let _ = write!(
            out,
            "{{\"name\":\"{}\",\"type\":\"{}\"",
            self.name, self.ty.name
        );
        if !self.ty.components.is_empty() {
            out.push_str(",\"components\":");
            list(&self.ty.components, out);
        }
        if let Some(indexed) = self.indexed {
            let _ = write!(out, ",\"indexed\":{indexed}");
        }
        out.push('}');
    }
}

fn list(parameters: &[Parameter], out: &mut String) {
    out.push('[');
    for (i, parameter) in parameters.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        parameter.write(out);
    }
    out.push(']');
}

/// Results of a function: none for `()`, several for a tuple, else one.
pub fn outputs(ty: Type, several: bool) -> Vec<Parameter> {
    match several {
        true => ty.components,
        false => vec![Parameter::new("", ty)],
    }
}

/// An entry of ABI JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The constructor.
    Constructor {
        /// Arguments.
        inputs: Vec<Parameter>,
        /// Whether it takes native value.
        payable: bool,
    },
    /// A function.
    Function {
        /// Name in the ABI.
        name: String,
        /// Arguments.
        inputs: Vec<Parameter>,
        /// Results.
        outputs: Vec<Parameter>,
        /// `view`, `nonpayable` or `payable`.
        mutability: &'static str,
    },
    /// An event.
    Event {
        /// Name.
        name: String,
        /// Fields.
        inputs: Vec<Parameter>,
    },
    /// A custom error.
    Error {
        /// Name.
        name: String,
        /// Fields.
        inputs: Vec<Parameter>,
    },
}

/// The entries as a JSON array, an entry a line.
pub fn json(entries: &[Entry]) -> String {
    let mut out = String::from("[\n");
    for (i, entry) in entries.iter().enumerate() {
        if i > 0 {
            out.push_str(",\n");
        }
        match entry {
            Entry::Constructor { inputs, payable } => {
                let mutability = if *payable { "payable" } else { "nonpayable" };
                out.push_str("  {\"type\":\"constructor\",\"inputs\":");
                list(inputs, &mut out);
                let _ = write!(out, ",\"stateMutability\":\"{mutability}\"}}");
            }
            Entry::Function {
                name,
                inputs,
                outputs,
                mutability,
            } => {
                let _ = write!(
                    out,
                    "  {{\"type\":\"function\",\"name\":\"{name}\",\"inputs\":"
                );
                list(inputs, &mut out);
                out.push_str(",\"outputs\":");
                list(outputs, &mut out);
                let _ = write!(out, ",\"stateMutability\":\"{mutability}\"}}");
            }
            Entry::Event { name, inputs } => {
                let _ = write!(
                    out,
                    "  {{\"type\":\"event\",\"name\":\"{name}\",\"inputs\":"
                );
                list(inputs, &mut out);
                out.push_str(",\"anonymous\":false}");
            }
            Entry::Error { name, inputs } => {
                let _ = write!(
                    out,
                    "  {{\"type\":\"error\",\"name\":\"{name}\",\"inputs\":"
                );
                list(inputs, &mut out);
                out.push('}');
            }
        }
    }
    out.push_str("\n]\n");
    out
}
