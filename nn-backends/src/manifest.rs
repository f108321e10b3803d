//! A model's manifest: who made it, what it takes and gives, what it needs; JSON, with a schema in
//! `docs/model-manifest.schema.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cost::Profile;
use crate::model::{Bindings, Model};
use crate::tensor::{ElementType, Tensor, TensorInfo};

/// Version of the manifest's form.
const FORMAT: u32 = 1;
/// Most bytes of a manifest; far more than any needs.
const MAX_BYTES: usize = 1 << 20;

/// What is said about a model beside its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Where the form is described.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none", default)]
    pub schema: Option<String>,
    /// Version of the form: 1.
    pub format: u32,
    /// Name for programs: lower-case letters, digits, `.`, `_`, `-`.
    pub id: String,
    /// Version of the model, as `major.minor.patch`.
    pub version: String,
    /// Who made it.
    pub author: String,
    /// SPDX licence expression.
    pub licence: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// Content address: 64 hexadecimal digits.
    pub hash: String,
    /// `integer` or `strict-f32`.
    pub profile: String,
    /// Inputs in order.
    pub inputs: Vec<Port>,
    /// Outputs in order.
    pub outputs: Vec<Port>,
    /// What one inference needs.
    pub resources: Resources,
    /// What the file leaves open and the manifest decides.
    #[serde(skip_serializing_if = "Fixed::is_empty", default)]
    pub bindings: Fixed,
}

/// An input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// Name in the model file.
    pub name: String,
    /// Element type, such as `u8` or `f32`.
    #[serde(rename = "type")]
    pub ty: String,
    /// Dimensions, outermost first.
    pub shape: Vec<u32>,
}

/// What one inference needs, on any backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Operations.
    pub operations: u64,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Memory high-water mark in bytes.
    pub memory: u64,
    /// Bytes of weights.
    pub weights: u64,
}

/// [`Bindings`] as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fixed {
    /// Symbolic dimensions by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, u32>,
    /// Whole input shapes by input name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub shapes: BTreeMap<String, Vec<u32>>,
    /// Inputs frozen to a constant, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub constants: BTreeMap<String, Constant>,
}

/// A tensor as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// Element type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Dimensions.
    pub shape: Vec<u32>,
    /// Elements, little-endian, in hexadecimal.
    pub data: String,
}

/// Who made a model and under which name it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// See [`Manifest::id`].
    pub id: String,
    /// See [`Manifest::version`].
    pub version: String,
    /// See [`Manifest::author`].
    pub author: String,
    /// See [`Manifest::licence`].
    pub licence: String,
    /// See [`Manifest::description`].
    pub description: Option<String>,
}

/// What is wrong with a manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It is longer than any manifest needs to be.
    #[error("a manifest has at most {MAX_BYTES} bytes, found {0}")]
    TooLong(usize),
    /// It is not JSON of the right form.
    #[error("not a manifest: {0}")]
    Json(#[from] serde_json::Error),
    /// A field has a value that it cannot have.
    #[error("`{field}`: {reason}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it should be.
        reason: &'static str,
    },
}

/// A field in which a manifest and a model differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The field.
    pub field: &'static str,
    /// What the manifest says.
    pub manifest: String,
    /// What the model has.
    pub model: String,
}

impl Manifest {
    /// The manifest of `model`, which was loaded with `bindings`.
    pub fn of(model: &Model, bindings: &Bindings, about: &About) -> Self {
        Manifest {
            schema: None,
            format: FORMAT,
            id: about.id.clone(),
            version: about.version.clone(),
            author: about.author.clone(),
            licence: about.licence.clone(),
            description: about.description.clone(),
            hash: hex::encode(model.hash()),
            profile: profile(model.profile()).to_owned(),
            inputs: model.inputs().iter().map(port).collect(),
            outputs: model.outputs().iter().map(port).collect(),
            resources: Resources {
                operations: model.graph().nodes().len() as u64,
                macs: model.macs(),
                memory: model.memory(),
                weights: model.weight_bytes(),
            },
            bindings: Fixed::of(bindings),
        }
    }

    /// Reads a manifest and checks each field by itself.
    ///
    /// # Errors
    /// When the bytes are no manifest, or the first field that cannot be what it is.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > MAX_BYTES {
            return Err(ManifestError::TooLong(bytes.len()));
        }
        let manifest: Self = serde_json::from_slice(bytes)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Checks each field by itself.
    ///
    /// # Errors
    /// The first field that cannot be what it is.
    pub fn check(&self) -> Result<(), ManifestError> {
        let field = |ok: bool, field, reason| match ok {
            true => Ok(()),
            false => Err(ManifestError::Field { field, reason }),
        };
        field(self.format == FORMAT, "format", "only 1 is known")?;
        let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        let id = !self.id.is_empty() && self.id.len() <= 64 && self.id.chars().all(name);
        field(
            id && !self.id.starts_with(['.', '_', '-']),
            "id",
            "1 to 64 lower-case letters, digits, `.`, `_` or `-`, a letter or digit first",
        )?;
        let mut parts = self.version.split('.');
        let number = |part: Option<&str>| {
            part.is_some_and(|p| {
                !p.is_empty()
                    && p.len() < 10
                    && p.bytes().all(|b| b.is_ascii_digit())
                    && (p == "0" || !p.starts_with('0'))
            })
        };
        let three = [(); 3].map(|()| number(parts.next()));
        field(
            three == [true; 3] && parts.next().is_none(),
            "version",
            "three numbers, such as 1.0.0",
        )?;
        let text = |s: &str| !s.trim().is_empty() && s.len() <= 256;
        field(text(&self.author), "author", "1 to 256 bytes of text")?;
        field(text(&self.licence), "licence", "an SPDX expression")?;
        field(
            self.hash.len() == 64
                && self
                    .hash
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
            "hash",
            "64 hexadecimal digits in lower case",
        )?;
        field(
            matches!(&*self.profile, "integer" | "strict-f32"),
            "profile",
            "`integer` or `strict-f32`",
        )?;
        for (name, ports) in [("inputs", &self.inputs), ("outputs", &self.outputs)] {
            let types = ports
                .iter()
                .all(|port| ElementType::from_name(&port.ty).is_some());
            field(types, name, "an unknown element type")?;
        }
        self.bindings.to_bindings().map(|_| ())
    }

    /// What the manifest decides about its file.
    ///
    /// # Errors
    /// When a constant contradicts itself.
    pub fn to_bindings(&self) -> Result<Bindings, ManifestError> {
        self.bindings.to_bindings()
    }

    /// The fields in which the manifest says something else than the model; none if it is the model's.
    pub fn compare(&self, model: &Model) -> Vec<Mismatch> {
        let own = Manifest::of(model, &Bindings::default(), &About::default());
        let mut found = Vec::new();
        let mut field = |field, manifest: String, model: String| {
            if manifest != model {
                found.push(Mismatch {
                    field,
                    manifest,
                    model,
                });
            }
        };
        let ports = |ports: &[Port]| {
            let ports = ports
                .iter()
                .map(|p| format!("{}: {}{:?}", p.name, p.ty, p.shape));
            ports.collect::<Vec<_>>().join(", ")
        };
        field("hash", self.hash.clone(), own.hash);
        field("profile", self.profile.clone(), own.profile);
        field("inputs", ports(&self.inputs), ports(&own.inputs));
        field("outputs", ports(&self.outputs), ports(&own.outputs));
        for (name, mine, models) in [
            (
                "resources.operations",
                self.resources.operations,
                own.resources.operations,
            ),
            ("resources.macs", self.resources.macs, own.resources.macs),
            (
                "resources.memory",
                self.resources.memory,
                own.resources.memory,
            ),
            (
                "resources.weights",
                self.resources.weights,
                own.resources.weights,
            ),
        ] {
            field(name, mine.to_string(), models.to_string());
        }
        found
    }
}

/// The profile's name.
fn profile(profile: Profile) -> &'static str {
    match profile {
        Profile::Integer => "integer",
        Profile::StrictF32 => "strict-f32",
    }
}

fn port(info: &TensorInfo) -> Port {
    Port {
        name: info.name.clone(),
        ty: info.ty.to_string(),
        shape: info.shape.clone(),
    }
}

impl Fixed {
    fn of(bindings: &Bindings) -> Self {
        let constants = bindings.constants.iter().map(|(name, tensor)| {
            let constant = Constant {
                ty: tensor.ty.to_string(),
                shape: tensor.shape.clone(),
                data: hex::encode(&tensor.data),
            };
            (name.clone(), constant)
        });
        Fixed {
            dimensions: bindings.dimensions.clone(),
            shapes: bindings.shapes.clone(),
            constants: constants.collect(),
        }
    }

    fn is_empty(&self) -> bool {
        *self == Fixed::default()
    }

    fn to_bindings(&self) -> Result<Bindings, ManifestError> {
        let mut constants = BTreeMap::new();
        for (name, constant) in &self.constants {
            let tensor = ElementType::from_name(&constant.ty)
                .zip(hex::decode(&constant.data).ok())
                .and_then(|(ty, data)| Tensor::new(ty, constant.shape.clone(), data).ok());
            let tensor = tensor.ok_or(ManifestError::Field {
                field: "bindings.constants",
                reason: "type, shape and hexadecimal data do not fit each other",
            })?;
            constants.insert(name.clone(), tensor);
        }
        Ok(Bindings {
            dimensions: self.dimensions.clone(),
            shapes: self.shapes.clone(),
            constants,
        })
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(profile(*self))
    }
}
