//! `cargo xtask guests`: builds the contracts of `sdk-guest/examples` and writes the fixtures.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use wasm_encoder::{Module, RawSection};
use wasmparser::{Parser, Payload};

use crate::{root, run};

/// Guests that one call of cargo builds.
struct RustGuests {
    /// In the manifest.
    key: &'static str,
    /// Under `sdk-guest/examples`.
    folder: &'static str,
    target: &'static str,
    names: &'static [&'static str],
}

/// Contracts written with the SDK.
const SDK: RustGuests = RustGuests {
    key: "rust",
    folder: "",
    target: "wasm32-unknown-unknown",
    names: &["bridge", "counter", "digits", "multisig", "token"],
};
/// Guests written for other hosts.
const WASI: RustGuests = RustGuests {
    key: "wasi",
    folder: "wasi",
    target: "wasm32-wasip1",
    names: &["classifier", "classifier-wit"],
};
const C: [&str; 1] = ["counter-c"];
const ZIG_FLAGS: [&str; 8] = [
    "-target",
    "wasm32-freestanding",
    "-Oz",
    "-nostdlib",
    "-Wl,--no-entry",
    "-Wl,-z,stack-size=65536",
    "-Wl,--strip-all",
    "-Werror",
];

/// Builds what the installed toolchains can, and says loudly what they cannot.
pub fn guests() -> Result<(), String> {
    let examples = root().join("sdk-guest/examples");
    let fixtures = examples.join("fixtures");
    let before = std::fs::read(fixtures.join("manifest.json"))
        .ok()
        .and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    let mut manifest = before.clone().unwrap_or_else(|| json!({}));
    let mut missing = Vec::new();

    for guests in [&SDK, &WASI] {
        match rust_target(guests.target) {
            Ok(version) => {
                let workspace = Path::new("sdk-guest/examples").join(guests.folder);
                let built = build_rust(&workspace, guests.target)?;
                for name in guests.names {
                    let file = format!("{}.wasm", name.replace('-', "_"));
                    let wasm = read(&built.join(file))?;
                    write(
                        &fixtures.join(format!("{name}.wasm")),
                        &without_custom_sections(&wasm)?,
                    )?;
                }
                manifest[guests.key] = json!({
                    "compiler": version,
                    "target": guests.target,
                    "flags": shown_rust_flags(),
                    "profile": format!("release, as in {}", workspace.join("Cargo.toml").display()),
                    "after": "custom sections removed",
                });
            }
            Err(why) => missing.push((guests.names, why)),
        }
    }
    match zig() {
        Ok((command, version)) => {
            for name in C {
                let source = examples.join("c").join(c_source(name));
                let to = target_folder().join(format!("{name}.wasm"));
                let mut zig = Command::new(&command[0]);
                zig.args(&command[1..])
                    .arg("cc")
                    .args(ZIG_FLAGS)
                    .arg("-o")
                    .arg(&to)
                    .arg(source);
                run(&mut zig)?;
                write(
                    &fixtures.join(format!("{name}.wasm")),
                    &without_custom_sections(&read(&to)?)?,
                )?;
            }
            manifest["c"] = json!({ "compiler": format!("zig cc {version}"), "flags": ZIG_FLAGS });
        }
        Err(why) => missing.push((C.as_slice(), why)),
    }

    let mut guests = Vec::new();
    let names = SDK.names.iter().chain(WASI.names).chain(&C);
    for &name in names {
        let wasm = read(&fixtures.join(format!("{name}.wasm")))?;
        let hash = blake3::hash(&wasm).to_hex();
        println!("{name:14} {:6} bytes  blake3 {hash}", wasm.len());
        let source = match (C.contains(&name), WASI.names.contains(&name)) {
            (true, _) => format!("c/{}", c_source(name)),
            (_, true) => format!("wasi/{name}"),
            _ => name.to_owned(),
        };
        guests.push(json!({
            "name": name,
            "source": source,
            "bytes": wasm.len(),
            "blake3": hash.as_str(),
        }));
    }
    manifest["guests"] = Value::Array(guests);
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| error.to_string())? + "\n";
    write(&fixtures.join("manifest.json"), text.as_bytes())?;

    for (names, why) in &missing {
        eprintln!("NOT REBUILT: {}: {why}", names.join(", "));
    }
    match before.as_ref() == Some(&manifest) {
        true => println!("the fixtures are the same as before"),
        false => println!("the fixtures changed; `cargo test` shows whether receipts did"),
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err("some fixtures are as they were; see above".to_owned()),
    }
}

fn c_source(name: &str) -> String {
    format!("{}.c", name.trim_end_matches("-c"))
}

/// The compiler's version, if it has the target's standard library.
fn rust_target(target: &str) -> Result<String, String> {
    let library =
        said(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))?;
    if !Path::new(library.trim()).is_dir() {
        return Err(format!(
            "rustc has no {target}; `rustup target add {target}` installs it"
        ));
    }
    Ok(said(Command::new("rustc").arg("--version"))?
        .trim()
        .to_owned())
}

/// A link to the repository, under the same name on each machine. Cargo names crates outside of a workspace after
/// where they lie, and the order of the functions follows the names: through the link it is the same everywhere.
const LINK: &str = "/var/tmp/aivm-contracts";

#[cfg(unix)]
fn link() -> Result<PathBuf, String> {
    let link = PathBuf::from(LINK);
    if link.is_symlink() {
        std::fs::remove_file(&link).map_err(|error| format!("{LINK}: {error}"))?;
    }
    std::os::unix::fs::symlink(root(), &link).map_err(|error| format!("{LINK}: {error}"))?;
    Ok(link)
}

#[cfg(not(unix))]
fn link() -> Result<PathBuf, String> {
    eprintln!("this system has no links: the functions of the guests may come in another order");
    Ok(root())
}

fn target_folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| root().join("target"));
    target.join("guests")
}

/// Flags that keep this machine's folders out of the code: folder, and what stands for it.
fn remapped() -> Vec<(PathBuf, &'static str)> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let user = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let mut folders = vec![(PathBuf::from(LINK), "aivm")];
    folders.extend(home.or(user).map(|home| (home, "cargo")));
    folders
}

fn rust_flags(remap: impl Fn(&Path) -> String) -> Vec<String> {
    let mut flags = vec!["-Clink-arg=-zstack-size=65536".to_owned()];
    for (folder, name) in remapped() {
        flags.push(format!("--remap-path-prefix={}={name}", remap(&folder)));
    }
    flags
}

/// As the manifest tells them, the same on each machine.
fn shown_rust_flags() -> Vec<String> {
    rust_flags(|folder| match folder == Path::new(LINK) {
        true => "<repository>".to_owned(),
        false => "<cargo home>".to_owned(),
    })
}

/// Builds the guests of a workspace, given relative to the repository; gives the folder with the Wasm.
fn build_rust(workspace: &Path, triple: &str) -> Result<PathBuf, String> {
    let target = target_folder();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let flags = rust_flags(|folder| folder.display().to_string()).join("\u{1f}");
    let manifest = link()?.join(workspace).join("Cargo.toml");
    run(Command::new(cargo)
        .current_dir(root().join(workspace))
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        // Incremental builds are cut in other pieces, and come out larger.
        .env("CARGO_INCREMENTAL", "0")
        .args(["build", "--release", "--quiet", "--locked"])
        .args(["--target", triple, "--manifest-path"])
        .arg(manifest))?;
    Ok(target.join(triple).join("release"))
}

/// How to start zig, and its version: the program itself or PyPI's package `ziglang`.
fn zig() -> Result<(Vec<String>, String), String> {
    let ways = [vec!["zig"], vec!["python3", "-m", "ziglang"]];
    for way in ways {
        let mut command = Command::new(way[0]);
        if let Ok(version) = said(command.args(&way[1..]).arg("version")) {
            let way = way.into_iter().map(str::to_owned).collect();
            return Ok((way, version.trim().to_owned()));
        }
    }
    Err("there is no zig; `python3 -m pip install ziglang` installs it".to_owned())
}

/// The module without sections that mean nothing to the machine: an upload is paid by the byte.
fn without_custom_sections(wasm: &[u8]) -> Result<Vec<u8>, String> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| error.to_string())?;
        if matches!(payload, Payload::CustomSection(_)) {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            let data = wasm
                .get(range.start as usize..range.end as usize)
                .unwrap_or_default();
            module.section(&RawSection { id, data });
        }
    }
    Ok(module.finish())
}

/// What a program prints.
fn said(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().display().to_string();
    let output = command
        .output()
        .map_err(|error| format!("cannot run `{name}`: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("`{name}` ended with {}", output.status)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}
