//! Packs the crates that others link, and checks what is in the packages.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{root, run};

/// The registry takes no larger package.
const MAX_BYTES: u64 = 10 << 20;

/// A crate that is published.
struct Published {
    name: String,
    version: String,
    folder: PathBuf,
    manifest: Value,
}

/// `cargo xtask package`; with `build`, each package is unpacked and compiled.
pub fn package(build: bool) -> Result<(), String> {
    let (crates, target) = published()?;
    let mut wrong = Vec::new();
    for one in &crates {
        wrong.extend(
            fields(one)
                .into_iter()
                .map(|w| format!("{}: {w}", one.name)),
        );
        wrong.extend(
            contents(one)?
                .into_iter()
                .map(|w| format!("{}: {w}", one.name)),
        );
    }
    let mut command = cargo();
    command.args(["package", "--allow-dirty"]);
    if !build {
        command.arg("--no-verify");
    }
    for one in &crates {
        command.args(["-p", &one.name]);
    }
    run(&mut command)?;
    for one in &crates {
        let file = target.join(format!("package/{}-{}.crate", one.name, one.version));
        let bytes = std::fs::metadata(&file)
            .map_err(|error| format!("{}: {error}", file.display()))?
            .len();
        println!("{:>9} bytes  {}", bytes, file.display());
        if bytes > MAX_BYTES {
            wrong.push(format!("{}: larger than {MAX_BYTES} bytes", one.name));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "the packages are not ready:\n  {}",
            wrong.join("\n  ")
        )),
    }
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().display().to_string();
    let output = command
        .output()
        .map_err(|error| format!("cannot run `{name}`: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

/// The crates of the workspace that may be published, and the target folder.
fn published() -> Result<(Vec<Published>, PathBuf), String> {
    let text = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let json: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut crates = Vec::new();
    for manifest in json["packages"].as_array().into_iter().flatten() {
        // `publish = false` is an empty list of registries.
        if manifest["publish"].as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        let path = PathBuf::from(text(&manifest["manifest_path"]));
        crates.push(Published {
            name: text(&manifest["name"]),
            version: text(&manifest["version"]),
            folder: path.parent().unwrap_or(Path::new("")).to_path_buf(),
            manifest: manifest.clone(),
        });
    }
    Ok((crates, PathBuf::from(text(&json["target_directory"]))))
}

/// What the manifest lacks.
fn fields(one: &Published) -> Vec<String> {
    let mut wrong = Vec::new();
    for field in ["description", "license", "readme", "rust_version"] {
        if !one.manifest[field].is_string() {
            wrong.push(format!("`{field}` is missing"));
        }
    }
    for (field, most) in [("keywords", 5), ("categories", 5)] {
        let count = one.manifest[field].as_array().map_or(0, Vec::len);
        if !(1..=most).contains(&count) {
            wrong.push(format!(
                "`{field}` has {count} entries; 1 to {most} are wanted"
            ));
        }
    }
    for dependency in one.manifest["dependencies"]
        .as_array()
        .into_iter()
        .flatten()
    {
        if dependency["req"] == "*" && dependency["kind"] != "dev" {
            wrong.push(format!(
                "the dependency {} has no version",
                dependency["name"]
            ));
        }
    }
    wrong
}

/// What the package lacks: files that its sources read when they are compiled.
fn contents(one: &Published) -> Result<Vec<String>, String> {
    let list = output(cargo().args(["package", "--list", "--allow-dirty", "-p", &one.name]))?;
    let files: BTreeSet<PathBuf> = list.lines().map(PathBuf::from).collect();
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| file.starts_with("src")) {
        if file.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(one.folder.join(file))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        for read in included(&text) {
            let path = plain(&file.parent().unwrap_or(Path::new("")).join(&read));
            if !path.is_some_and(|path| files.contains(&path)) {
                wrong.push(format!(
                    "{} reads {read}, which is not in it",
                    file.display()
                ));
            }
        }
    }
    // What build scripts and macros read.
    for file in below(&one.folder, Path::new("wit"))? {
        if !files.contains(&file) {
            wrong.push(format!("{} is not in it", file.display()));
        }
    }
    Ok(wrong)
}

/// Files in a folder of a crate and in the folders in it; none if there is no such folder.
fn below(root: &Path, folder: &Path) -> Result<Vec<PathBuf>, String> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        let path = root.join(&folder);
        if !path.is_dir() {
            continue;
        }
        let failed = |error| format!("{}: {error}", path.display());
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let inside = folder.join(entry.map_err(failed)?.file_name());
            match root.join(&inside).is_dir() {
                true => open.push(inside),
                false => found.push(inside),
            }
        }
    }
    Ok(found)
}

/// Paths that a source includes, but for documentation tests, which stay at home.
fn included(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in source
        .lines()
        .filter(|line| !line.trim_start().starts_with("#[doc"))
    {
        for name in ["include_str!(\"", "include_bytes!(\""] {
            let parts = line.split(name).skip(1);
            found.extend(parts.filter_map(|part| Some(part.split_once('"')?.0.to_owned())));
        }
    }
    found
}

/// The path without `.` and `..`, if it stays inside.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if !plain.pop() => return None,
            Component::Normal(part) => plain.push(part),
            _ => {}
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_are_found_and_documentation_is_not() {
        let source = "const A: &str = include_str!(\"a/b.wgsl\");\n\
                      let b = [include_bytes!(\"../c\"), include_bytes!(\"d\")];\n\
                      #[doc = include_str!(\"../../README.md\")]\n";
        assert_eq!(included(source), ["a/b.wgsl", "../c", "d"]);
    }

    #[test]
    fn paths_that_leave_the_package_are_none() {
        assert_eq!(
            plain(Path::new("src/gpu/../../models/x")),
            Some("models/x".into())
        );
        assert_eq!(plain(Path::new("src/../../README.md")), None);
    }

    #[test]
    fn files_of_folders_in_folders_are_found() {
        let mut found = below(&root(), Path::new("wit")).unwrap();
        found.sort();
        assert!(found.contains(&PathBuf::from("wit/world.wit")), "{found:?}");
        assert!(
            found.iter().any(|path| path.starts_with("wit/deps")),
            "{found:?}"
        );
        assert_eq!(below(&root(), Path::new("no such folder")), Ok(Vec::new()));
    }

    #[test]
    fn a_manifest_that_lacks_something_is_told() {
        let manifest = serde_json::json!({
            "description": "d", "license": "MIT", "readme": null, "rust_version": "1.95",
            "keywords": ["1", "2", "3", "4", "5", "6"], "categories": ["wasm"],
            "dependencies": [
                { "name": "a", "req": "*", "kind": null },
                { "name": "b", "req": "*", "kind": "dev" },
                { "name": "c", "req": "^1", "kind": null },
            ],
        });
        let one = Published {
            name: "x".into(),
            version: "1.0.0".into(),
            folder: PathBuf::new(),
            manifest,
        };
        assert_eq!(
            fields(&one),
            [
                "`readme` is missing",
                "`keywords` has 6 entries; 1 to 5 are wanted",
                "the dependency \"a\" has no version",
            ]
        );
    }
}
