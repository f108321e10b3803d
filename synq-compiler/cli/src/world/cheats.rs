//! Functions that only tests have, and what they do.
//!
//! They are chain extensions as far as the compiler is concerned, see [`profile`]; the VM hands
//! their calls to [`Cheats`] while a test runs.

use std::collections::BTreeMap;

use aivm::testing::{CallEnd, Cheat, Director};
use aivm::{Address, ExtensionCall, ExtensionResult, Hash, Word};
use aivm_abi::calldata::{DynSolValue, RevertReason, decode_revert, format_value};
use alloy_dyn_abi::DynSolType;
use synq_compiler::ChainProfile;

use super::Library;

/// What a call that must fail gives instead: zeros enough for any plain return value.
const NOTHING: usize = 1_024;

/// Every function: its name, its parameters, its result, what it is for.
pub const FUNCTIONS: &[(&str, &[&str], &[&str], &str)] = &[
    (
        "deploy",
        &["String", "Bytes"],
        &["Address"],
        "deploys a contract of the project: its name, abi.encode of the constructor's arguments",
    ),
    (
        "prank",
        &["Address"],
        &[],
        "the next call comes from this account",
    ),
    (
        "startPrank",
        &["Address"],
        &[],
        "all calls come from this account, until stopPrank",
    ),
    ("stopPrank", &[], &[], "calls come from the test again"),
    (
        "deal",
        &["Address", "UInt256"],
        &[],
        "sets a native balance",
    ),
    ("warp", &["UInt256"], &[], "sets block.timestamp"),
    ("roll", &["UInt256"], &[], "sets block.number"),
    ("expectRevert", &[], &[], "the next call must fail"),
    (
        "expectRevertWith",
        &["String"],
        &[],
        "the next call must fail for this reason",
    ),
    (
        "label",
        &["Address", "String"],
        &[],
        "names an address in traces",
    ),
    ("assertEq", &["UInt256", "UInt256"], &[], "both are equal"),
    ("assertEqInt", &["Int256", "Int256"], &[], "both are equal"),
    (
        "assertEqAddress",
        &["Address", "Address"],
        &[],
        "both are equal",
    ),
    (
        "assertEqString",
        &["String", "String"],
        &[],
        "both are equal",
    ),
    ("assertEqBytes", &["Bytes", "Bytes"], &[], "both are equal"),
    ("assertTrue", &["Bool"], &[], "it holds"),
    ("assertFalse", &["Bool"], &[], "it does not hold"),
];

/// The functions, for the compiler.
pub fn profile() -> ChainProfile {
    let list = |types: &[&str]| format!("{types:?}");
    let tables = FUNCTIONS.iter().map(|(name, inputs, outputs, _)| {
        format!(
            "[functions.{name}]\ninputs = {}\noutputs = {}\n",
            list(inputs),
            list(outputs)
        )
    });
    // The table is ours and a test reads it.
    ChainProfile::from_toml(&tables.collect::<String>()).unwrap_or_default()
}

/// Runs the functions of one test.
pub struct Cheats {
    codes: BTreeMap<String, Hash>,
    /// Reason that the next call must give; none for any.
    expected: Option<String>,
    waiting: bool,
    /// Time and number of the block, once set.
    pub time: Option<u64>,
    /// Number of the block, once set.
    pub number: Option<u64>,
    /// Names that were given to addresses.
    pub labels: BTreeMap<Address, String>,
}

impl Cheats {
    /// For a test that may deploy what the library has.
    pub fn new(library: &Library) -> Self {
        let mut codes = BTreeMap::new();
        for code in library.codes() {
            let name = code.artifact.name.clone();
            codes.entry(name).or_insert(code.hash);
        }
        Self {
            codes,
            expected: None,
            waiting: false,
            time: None,
            number: None,
            labels: BTreeMap::new(),
        }
    }

    /// Whether a test ended before the call that it expected to fail.
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    fn deploy(&self, name: &str, input: &[u8]) -> Cheat {
        match self.codes.get(name) {
            Some(code) => Cheat::Deploy {
                code: *code,
                input: input.to_vec(),
                value: Word::ZERO,
            },
            None => {
                let known: Vec<&str> = self.codes.keys().map(String::as_str).collect();
                refuse(format!(
                    "deploy: there is no contract `{name}`; there is {}",
                    known.join(", ")
                ))
            }
        }
    }

    fn expect(&mut self, reason: Option<String>) -> Cheat {
        self.expected = reason;
        self.waiting = true;
        Cheat::Judge
    }
}

impl Director for Cheats {
    fn cheat(&mut self, call: &ExtensionCall<'_>) -> Option<Cheat> {
        let (name, inputs, ..) = FUNCTIONS.iter().find(|f| f.0 == call.name)?;
        let types: Vec<DynSolType> = inputs.iter().filter_map(|ty| solidity(ty)).collect();
        let decoded = DynSolType::Tuple(types).abi_decode_params(call.arguments);
        let Ok(DynSolValue::Tuple(values)) = decoded else {
            return Some(refuse(format!("{name}: the arguments cannot be read")));
        };
        use DynSolValue as V;
        Some(match (*name, values.as_slice()) {
            ("deploy", [V::String(name), V::Bytes(input)]) => self.deploy(name, input),
            ("prank", [V::Address(who)]) => Cheat::Caller {
                who: Address(who.0.0),
                stays: false,
            },
            ("startPrank", [V::Address(who)]) => Cheat::Caller {
                who: Address(who.0.0),
                stays: true,
            },
            ("stopPrank", []) => Cheat::StopCaller,
            ("deal", [V::Address(who), V::Uint(amount, _)]) => {
                Cheat::Balance(Address(who.0.0), Word::from_be_bytes(amount.to_be_bytes()))
            }
            ("warp", [V::Uint(time, _)]) => {
                let time = time.saturating_to();
                self.time = Some(time);
                Cheat::Timestamp(time)
            }
            ("roll", [V::Uint(number, _)]) => {
                let number = number.saturating_to();
                self.number = Some(number);
                Cheat::BlockNumber(number)
            }
            ("expectRevert", []) => self.expect(None),
            ("expectRevertWith", [V::String(reason)]) => self.expect(Some(reason.clone())),
            ("label", [V::Address(who), V::String(name)]) => {
                self.labels.insert(Address(who.0.0), name.clone());
                Cheat::Answer(Ok(Vec::new()))
            }
            ("assertTrue", [V::Bool(true)]) | ("assertFalse", [V::Bool(false)]) => {
                Cheat::Answer(Ok(Vec::new()))
            }
            ("assertTrue" | "assertFalse", [V::Bool(found)]) => {
                refuse(format!("{name}: it is {found}"))
            }
            (_, [left, right]) if left == right => Cheat::Answer(Ok(Vec::new())),
            (_, [left, right]) => refuse(format!(
                "{name}: {} is not {}",
                format_value(left),
                format_value(right)
            )),
            _ => refuse(format!("{name}: the arguments cannot be read")),
        })
    }

    fn judge(&mut self, end: CallEnd<'_>) -> ExtensionResult {
        self.waiting = false;
        let wanted = self.expected.take();
        let found = match end {
            CallEnd::Revert(data) => match decode_revert(None, data) {
                RevertReason::Error(reason) => reason,
                other => other.to_string(),
            },
            CallEnd::Trap(code) => code.name().to_owned(),
            CallEnd::Refused(why) => why.to_owned(),
            _ => {
                return Err(error_data(match wanted {
                    Some(reason) => format!("the call should fail with \"{reason}\", but returns"),
                    None => "the call should fail, but returns".to_owned(),
                }));
            }
        };
        match wanted {
            Some(reason) if reason != found => Err(error_data(format!(
                "the call should fail with \"{reason}\", but fails with \"{found}\""
            ))),
            _ => Ok(vec![0; NOTHING]),
        }
    }
}

fn solidity(ty: &str) -> Option<DynSolType> {
    Some(match ty {
        "UInt256" => DynSolType::Uint(256),
        "Int256" => DynSolType::Int(256),
        "Address" => DynSolType::Address,
        "Bool" => DynSolType::Bool,
        "String" => DynSolType::String,
        "Bytes" => DynSolType::Bytes,
        _ => return None,
    })
}

fn refuse(message: String) -> Cheat {
    Cheat::Answer(Err(error_data(message)))
}

/// Data of `Error(string)`.
fn error_data(message: String) -> Vec<u8> {
    let mut data = vec![0x08, 0xc3, 0x79, 0xa0];
    data.extend(DynSolValue::Tuple(vec![DynSolValue::String(message)]).abi_encode_params());
    data
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_function_is_declared() {
        assert_eq!(super::profile().names().count(), super::FUNCTIONS.len());
    }
}
