//! Canonical bytes, hash and difference of schedules.
//!
//! All three work on the same view of a schedule: its leaves, each a path such as
//! `host/storage.load/base` with a value, in the byte order of the paths.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

use super::GasSchedule;

const TAG: &[u8] = b"aivm gas schedule, encoding 1\n";

/// A single value of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A price, limit or version.
    Number(u64),
    /// A switch.
    Flag(bool),
    /// The name.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// One difference between two schedules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Path of the value, such as `wasm/load`.
    pub path: String,
    /// Value before; `None` when the path is new.
    pub before: Option<Value>,
    /// Value after; `None` when the path is gone.
    pub after: Option<Value>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{}: {before} -> {after}", self.path),
            (None, Some(after)) => write!(f, "{}: new, {after}", self.path),
            (Some(before), None) => write!(f, "{}: gone, was {before}", self.path),
            (None, None) => write!(f, "{}", self.path),
        }
    }
}

impl GasSchedule {
    /// Bytes that are the same exactly for equal schedules: a tag, the number of leaves,
    /// and for each leaf its path (length as u32, then UTF-8), a kind byte (0 number,
    /// 1 flag, 2 text) and the value (u64, one byte, or length as u32 and UTF-8). Integers
    /// are little-endian.
    pub fn to_canonical_bytes(&self) -> Vec<u8> {
        let leaves = self.leaves();
        let mut bytes = TAG.to_vec();
        bytes.extend(len(leaves.len()));
        for (path, value) in &leaves {
            bytes.extend(len(path.len()));
            bytes.extend(path.as_bytes());
            match value {
                Value::Number(number) => {
                    bytes.push(0);
                    bytes.extend(number.to_le_bytes());
                }
                Value::Flag(flag) => bytes.extend([1, u8::from(*flag)]),
                Value::Text(text) => {
                    bytes.push(2);
                    bytes.extend(len(text.len()));
                    bytes.extend(text.as_bytes());
                }
            }
        }
        bytes
    }

    /// BLAKE3 of the canonical bytes.
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(&self.to_canonical_bytes()).as_bytes()
    }

    /// What changes from `self` to `other`, in the order of the paths.
    pub fn diff(&self, other: &Self) -> Vec<Change> {
        let mut before = self.leaves();
        let mut changes: Vec<Change> = other
            .leaves()
            .into_iter()
            .filter_map(|(path, after)| {
                let before = before.remove(&path);
                (before.as_ref() != Some(&after)).then_some(Change {
                    path,
                    before,
                    after: Some(after),
                })
            })
            .collect();
        changes.extend(before.into_iter().map(|(path, value)| Change {
            path,
            before: Some(value),
            after: None,
        }));
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes
    }

    fn leaves(&self) -> BTreeMap<String, Value> {
        let mut leaves = BTreeMap::new();
        collect("", &self.to_json(), &mut leaves);
        leaves
    }
}

fn len(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

/// Schedules are three levels deep, so the recursion is bounded.
fn collect(path: &str, json: &Json, leaves: &mut BTreeMap<String, Value>) {
    let value = match json {
        Json::Object(fields) => {
            for (name, field) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}/{name}")
                };
                collect(&path, field, leaves);
            }
            return;
        }
        Json::Bool(flag) => Value::Flag(*flag),
        Json::Number(number) => Value::Number(number.as_u64().unwrap_or_default()),
        other => Value::Text(other.as_str().unwrap_or_default().to_owned()),
    };
    leaves.insert(path.to_owned(), value);
}
