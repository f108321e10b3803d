//! The commands of docs/quick-start.md, run word for word.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The blocks of the page that are marked `sh`, in order.
fn commands(page: &str) -> Vec<String> {
    let blocks = page.split("```sh\n").skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// A program that was built beside `synqc` since its source was changed.
fn built(name: &str, source: &Path) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_BIN_EXE_synqc")).parent()?;
    let changed = source.metadata().and_then(|data| data.modified()).ok()?;
    let places = [folder.join(name), folder.join("examples").join(name)];
    places.into_iter().find(|path| {
        let made = path.metadata().and_then(|data| data.modified());
        made.is_ok_and(|made| made >= changed)
    })
}

#[test]
fn every_command_of_the_quick_start_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/quick-start.md")).expect("the page");
    let blocks = commands(&page);
    assert!(blocks.len() >= 5, "{} blocks", blocks.len());

    let mut path = vec![
        Path::new(env!("CARGO_BIN_EXE_synqc"))
            .parent()
            .expect("a folder")
            .to_path_buf(),
    ];
    let mut missing = Vec::new();
    for (program, source) in [
        ("aivm", "vm/cli/src/main.rs"),
        ("mini_chain", "vm/examples/mini_chain/main.rs"),
    ] {
        match built(program, &root.join(source)) {
            Some(found) => path.push(found.parent().expect("a folder").to_path_buf()),
            // `cargo test --workspace` builds them; a choice of tests does not.
            None => missing.push(program),
        }
    }
    assert!(
        missing.is_empty() || std::env::var_os("CI").is_none(),
        "not built: {missing:?}"
    );
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));

    // The reader stands in the repository; here it is a folder with its `docs`.
    let home = tempfile::tempdir().expect("a folder");
    let mut script = String::from("set -e\n");
    for block in &blocks {
        for line in block.lines() {
            let program = line.split_whitespace().next().unwrap_or_default();
            if missing.contains(&program) {
                eprintln!("skipped, {program} is not built: {line}");
                continue;
            }
            // `../docs` is seen from the project that the first block makes and enters.
            let docs = root.join("docs");
            script += &line.replace("../docs", &docs.display().to_string());
            script.push('\n');
        }
    }
    let done = Command::new("bash")
        .args(["-c", &script])
        .current_dir(home.path())
        .env("PATH", std::env::join_paths(path).expect("a search path"))
        .output()
        .expect("bash starts");
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{script}\n{out}\n{err}");
    let mut expected = vec![
        "ok: 3 passed, 0 failed",
        "count() = 1",
        "testTheRingCounts",
        "ok: 5 passed, 0 failed",
        "aim(198, 128) = true",
        "aim(128, 128) = false",
        "nn.infer",
        "Darts.wasm",
    ];
    if !missing.contains(&"aivm") {
        expected.push("mat-mul-integer");
    }
    if !missing.contains(&"mini_chain") {
        expected.extend([
            "aim(198, 128): returned true",
            "aim(128, 128): returned false",
            "points(0x0000000000000000000000000000000000000001): returned 0",
            "sent again: nonce 3 was used; the next is 4",
            "another node replayed 2 blocks and agrees on every hash",
        ]);
    }
    for text in expected {
        assert!(out.contains(text), "`{text}` is not in\n{out}\n{err}");
    }
}
