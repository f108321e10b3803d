//! The genesis-JSON form of a schedule.

use serde_json::Value as Json;

use super::{GasSchedule, MAX_PRICE};

/// Why a schedule was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// A name that no schedule has.
    #[error("`{path}` is not part of a gas schedule{}", hint(.suggestion))]
    Unknown {
        /// Path of the name, such as `wasm/lod`.
        path: String,
        /// A name that exists there and looks alike.
        suggestion: Option<String>,
    },
    /// A value that every schedule has is not there.
    #[error("`{path}` is missing")]
    Missing {
        /// Path of the value.
        path: String,
    },
    /// A value has the wrong type.
    #[error("`{path}` must be {expected}, not {found}")]
    Type {
        /// Path of the value.
        path: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A number is too large.
    #[error("`{path}` is {value}, the largest allowed is {max}")]
    TooLarge {
        /// Path of the value.
        path: String,
        /// The number found.
        value: u64,
        /// The largest allowed.
        max: u64,
    },
    /// A number is too small.
    #[error("`{path}` is {value}, the smallest allowed is {min}: {reason}")]
    TooSmall {
        /// Path of the value.
        path: String,
        /// The number found.
        value: u64,
        /// The smallest allowed.
        min: u64,
        /// Why.
        reason: &'static str,
    },
    /// Two schedules are to start at one height, or none at height 0.
    #[error("{0}")]
    Activation(String),
}

fn hint(suggestion: &Option<String>) -> String {
    suggestion
        .as_ref()
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

impl GasSchedule {
    /// Reads the JSON form that [`to_genesis_json`](Self::to_genesis_json) writes. Every
    /// value must be there, and nothing else.
    ///
    /// # Errors
    /// Names the path of the first thing that is unknown, missing, of a wrong type or out
    /// of range.
    pub fn from_genesis_json(text: &str) -> Result<Self, ScheduleError> {
        let json: Json =
            serde_json::from_str(text).map_err(|error| ScheduleError::Syntax(error.to_string()))?;
        check("", &json, &Self::v1().to_json())?;
        let schedule: Self = serde_json::from_value(json)
            .map_err(|error| ScheduleError::Syntax(error.to_string()))?;
        schedule.validate()?;
        Ok(schedule)
    }

    /// The schedule as indented JSON, for a genesis file.
    pub fn to_genesis_json(&self) -> String {
        format!("{:#}\n", self.to_json())
    }

    /// Checks that all values are in a range in which no sum of prices can overflow and in
    /// which code cannot run forever for nothing. [`instrument`](crate::instrument) refuses
    /// a schedule that fails this.
    ///
    /// # Errors
    /// [`ScheduleError::TooLarge`] or [`ScheduleError::TooSmall`] with the path.
    pub fn validate(&self) -> Result<(), ScheduleError> {
        for change in self.numbers("wasm") {
            at_most(&change.0, change.1, MAX_PRICE)?;
        }
        // Without these a loop or a recursion could cost nothing.
        let free = "code could run forever for nothing";
        at_least("wasm/branch", self.wasm.branch, 1, free)?;
        at_least("wasm/branch_table", self.wasm.branch_table, 1, free)?;
        at_least("wasm/call", self.wasm.call, 1, free)?;
        at_least("wasm/call_indirect", self.wasm.call_indirect, 1, free)?;
        at_least("wasm/function_entry", self.wasm.function_entry, 1, free)?;
        let limits = &self.limits;
        at_most("limits/memory_pages", limits.memory_pages.into(), 65_536)?;
        at_most(
            "limits/initial_pages",
            limits.initial_pages.into(),
            limits.memory_pages.into(),
        )?;
        at_most("limits/nesting", limits.nesting.into(), 10_000)?;
        at_most("limits/stack_words", limits.stack_words.into(), 1 << 27)?;
        at_most(
            "limits/frame_words",
            limits.frame_words.into(),
            limits.stack_words.into(),
        )?;
        at_most("limits/body_bytes", limits.body_bytes.into(), 7 << 20)?;
        at_most(
            "limits/instrumented_bytes",
            limits.instrumented_bytes.into(),
            64 << 20,
        )?;
        at_most("limits/locals", limits.locals.into(), 40_000)?;
        Ok(())
    }

    pub(super) fn to_json(&self) -> Json {
        serde_json::to_value(self).unwrap_or(Json::Null)
    }

    /// Paths and numbers under a top-level name.
    fn numbers(&self, section: &str) -> Vec<(String, u64)> {
        let json = self.to_json();
        let fields = json.get(section).and_then(Json::as_object);
        fields
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((format!("{section}/{name}"), value.as_u64()?)))
            .collect()
    }
}

fn at_most(path: &str, value: u64, max: u64) -> Result<(), ScheduleError> {
    if value > max {
        return Err(ScheduleError::TooLarge {
            path: path.to_owned(),
            value,
            max,
        });
    }
    Ok(())
}

fn at_least(path: &str, value: u64, min: u64, reason: &'static str) -> Result<(), ScheduleError> {
    if value < min {
        return Err(ScheduleError::TooSmall {
            path: path.to_owned(),
            value,
            min,
            reason,
        });
    }
    Ok(())
}

/// Compares the shape of `json` with that of `model`, which bounds the recursion.
fn check(path: &str, json: &Json, model: &Json) -> Result<(), ScheduleError> {
    let wrong = |expected| ScheduleError::Type {
        path: if path.is_empty() {
            "/".to_owned()
        } else {
            path.to_owned()
        },
        expected,
        found: describe(json),
    };
    match model {
        Json::Object(expected) => {
            let fields = json.as_object().ok_or_else(|| wrong("an object"))?;
            for name in fields.keys() {
                if !expected.contains_key(name) {
                    return Err(ScheduleError::Unknown {
                        path: join(path, name),
                        suggestion: closest(name, expected.keys()),
                    });
                }
            }
            for (name, model) in expected {
                let path = join(path, name);
                let value = fields
                    .get(name)
                    .ok_or_else(|| ScheduleError::Missing { path: path.clone() })?;
                check(&path, value, model)?;
            }
            Ok(())
        }
        Json::Bool(_) if !json.is_boolean() => Err(wrong("true or false")),
        Json::String(_) if !json.is_string() => Err(wrong("a text")),
        Json::Number(_) => {
            let value = json
                .as_u64()
                .ok_or_else(|| wrong("a whole number of at least 0"))?;
            let narrow =
                path == "version" || path.starts_with("limits/") || (path.starts_with("call/max_"));
            if narrow {
                at_most(path, value, u32::MAX.into())
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}/{name}")
    }
}

fn describe(json: &Json) -> String {
    match json {
        Json::Object(_) => "an object".to_owned(),
        Json::Array(_) => "an array".to_owned(),
        other => other.to_string(),
    }
}

/// The name that needs the fewest edits, if they are few.
fn closest<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> Option<String> {
    names
        .map(|candidate| (edits(name, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate.clone())
}

/// Levenshtein distance; names longer than 64 bytes are not compared.
fn edits(a: &str, b: &str) -> usize {
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut previous = i + 1;
        let mut next = vec![previous];
        for (y, pair) in b.bytes().zip(row.windows(2)) {
            let [diagonal, above] = *pair else { continue };
            previous = (diagonal + usize::from(x != y))
                .min(above + 1)
                .min(previous + 1);
            next.push(previous);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}
