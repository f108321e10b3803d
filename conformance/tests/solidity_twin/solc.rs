//! The Solidity compiler, as an npm package.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// A contract as solc sees it.
pub struct Compiled {
    /// Creation code.
    pub creation: Vec<u8>,
    /// The ABI as JSON.
    pub abi: Value,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("solc")
}

/// Tells whether solc is installed, and says so when it is not. In continuous integration it
/// must be.
pub fn installed(test: &str) -> bool {
    if folder().join("node_modules/solc").is_dir() {
        return true;
    }
    let help = "solc is missing: install Node.js and run `npm ci` in conformance/solc";
    assert!(std::env::var_os("CI").is_none(), "{help}");
    eprintln!("{test}: SKIPPED, {help}");
    false
}

/// How hard solc tries.
#[derive(Clone, Copy)]
pub enum Effort {
    /// As contracts are published.
    Full,
    /// What keeps variables within reach of the stack, and no more, in two thirds of the time.
    Least,
}

impl Effort {
    fn settings(self) -> Value {
        match self {
            Self::Full => json!({ "enabled": true, "runs": 200 }),
            Self::Least => json!({
                "enabled": false,
                "details": {
                    "yul": true,
                    "yulDetails": { "stackAllocation": true, "optimizerSteps": "u:" },
                },
            }),
        }
    }
}

/// Compiles files, each a name and a text; gives the contracts of all, by name.
///
/// Always with the pipeline over Yul, as the twins ask for: it takes functions with many locals.
pub fn compile(files: &[(String, String)]) -> Result<BTreeMap<String, Compiled>, String> {
    let contracts = compile_files(files, Effort::Full)?;
    Ok(contracts.into_values().flatten().collect())
}

/// The same, by file and name.
pub fn compile_files(
    files: &[(String, String)],
    effort: Effort,
) -> Result<BTreeMap<String, BTreeMap<String, Compiled>>, String> {
    let sources: serde_json::Map<String, Value> = files
        .iter()
        .map(|(name, text)| (name.clone(), json!({ "content": text })))
        .collect();
    let request = json!({
        "language": "Solidity",
        "sources": sources,
        "settings": {
            "viaIR": true,
            "optimizer": effort.settings(),
            "evmVersion": "cancun",
            "outputSelection": { "*": { "*": ["abi", "evm.bytecode.object"] } },
        },
    });
    let request = request.to_string();
    let answer = match kept(&request) {
        Some(answer) => answer,
        None => {
            let answer = ask(&request)?;
            keep(&request, &answer);
            answer
        }
    };
    let answer: Value = serde_json::from_str(&answer).map_err(|e| e.to_string())?;
    let errors: Vec<&str> = answer["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|e| e["severity"] == "error")
        .filter_map(|e| e["formattedMessage"].as_str())
        .collect();
    if !errors.is_empty() {
        return Err(errors.join("\n"));
    }
    let mut out = BTreeMap::new();
    for (file, _) in files {
        let mut of_file = BTreeMap::new();
        let contracts = answer["contracts"][file]
            .as_object()
            .ok_or("no contracts")?;
        for (name, parts) in contracts {
            let code = parts["evm"]["bytecode"]["object"]
                .as_str()
                .ok_or("no code")?;
            let compiled = Compiled {
                creation: hex::decode(code).map_err(|e| e.to_string())?,
                abi: parts["abi"].clone(),
            };
            of_file.insert(name.clone(), compiled);
        }
        out.insert(file.clone(), of_file);
    }
    Ok(out)
}

/// Where the answer to a request is kept: solc takes a while, and the twins seldom change.
fn kept_at(request: &str) -> PathBuf {
    let version = std::fs::read(folder().join("package-lock.json")).unwrap_or_default();
    let hash = blake3::hash(&[version.as_slice(), request.as_bytes()].concat());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("solc-{hash}.json"))
}

fn kept(request: &str) -> Option<String> {
    std::fs::read_to_string(kept_at(request)).ok()
}

/// Failing to keep it costs time alone. Another test may write the same at the same time, so
/// the file appears whole.
fn keep(request: &str, answer: &str) {
    let at = kept_at(request);
    let draft = at.with_extension(std::process::id().to_string());
    if std::fs::write(&draft, answer).is_ok() {
        let _ = std::fs::rename(draft, at);
    }
}

fn ask(request: &str) -> Result<String, String> {
    let mut child = Command::new("node")
        .arg(folder().join("compile.js"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("`node` does not start: {e}"))?;
    let mut stdin = child.stdin.take().ok_or("node has no input")?;
    stdin
        .write_all(request.as_bytes())
        .map_err(|e| e.to_string())?;
    drop(stdin);
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err("node failed".into());
    }
    String::from_utf8(output.stdout).map_err(|e| e.to_string())
}
