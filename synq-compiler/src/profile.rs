//! Chain profiles: functions that a host chain adds to the language.

use std::collections::BTreeMap;

use crate::ir::Type;
use crate::sema::symbols::ExtensionDecl;

/// Functions of a host chain, by name.
///
/// ```
/// let profile = synq_compiler::ChainProfile::from_toml(r#"
///     [functions.registryIsActiveValidator]
///     inputs = ["Address", "Address"]
///     outputs = ["Bool"]
///     view = true
/// "#).unwrap();
/// assert_eq!(profile.names().collect::<Vec<_>>(), ["registryIsActiveValidator"]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ChainProfile {
    functions: BTreeMap<String, ExtensionDecl>,
}

/// Why a profile is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Not TOML, or not of the expected form.
    #[error("chain profile: {0}")]
    Form(String),
    /// A type that cannot cross the border.
    #[error("chain profile: function `{function}` has unknown type `{ty}`")]
    Type {
        /// The function.
        function: String,
        /// The type as written.
        ty: String,
    },
}

#[derive(serde::Deserialize)]
struct File {
    #[serde(default)]
    functions: BTreeMap<String, Declared>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    #[serde(default)]
    inputs: Vec<String>,
    #[serde(default)]
    outputs: Vec<String>,
    /// It changes nothing, so that functions that are `view` may call it.
    #[serde(default)]
    view: bool,
}

impl ChainProfile {
    /// Reads a profile.
    ///
    /// # Errors
    /// When the text is not TOML of the form above, or names an unknown type.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        let file: File = toml::from_str(text).map_err(|e| ProfileError::Form(e.to_string()))?;
        let mut functions = BTreeMap::new();
        for (name, declared) in file.functions {
            let list = |types: &[String]| -> Result<Vec<Type>, ProfileError> {
                types
                    .iter()
                    .map(|ty| {
                        let (base, list) = match ty.strip_suffix("[]") {
                            Some(base) => (base, true),
                            None => (ty.as_str(), false),
                        };
                        let base = crate::sema::elementary(base).ok_or(ProfileError::Type {
                            function: name.clone(),
                            ty: ty.clone(),
                        })?;
                        Ok(if list { Type::List(base.into()) } else { base })
                    })
                    .collect()
            };
            let value = ExtensionDecl {
                params: list(&declared.inputs)?,
                returns: list(&declared.outputs)?,
                view: declared.view,
            };
            functions.insert(name, value);
        }
        Ok(Self { functions })
    }

    /// Names of the functions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    /// Adds the functions of another profile whose names are free.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        for (name, function) in &other.functions {
            let entry = self.functions.entry(name.clone());
            entry.or_insert_with(|| function.clone());
        }
        self
    }

    pub(crate) fn declarations(&self) -> BTreeMap<String, ExtensionDecl> {
        self.functions.clone()
    }
}
