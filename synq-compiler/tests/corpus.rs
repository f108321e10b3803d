//! The corpus in `contracts/` is accepted as it stands.

use synq_compiler::FileId;
use synq_compiler::syntax::parse;

fn sources(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "synq") {
            found.push(path);
        }
    }
}

#[test]
fn every_contract_parses() {
    let mut found = Vec::new();
    sources(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts"),
        &mut found,
    );
    found.sort();
    assert!(
        found.len() >= 14,
        "the corpus has thirteen sets and an interface"
    );
    let mut refused = String::new();
    for path in found {
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        for d in parse(FileId(0), &text).diagnostics {
            let line = text[..d.span.start as usize].lines().count();
            refused += &format!("{}:{line}: {} {}\n", path.display(), d.code, d.message);
        }
    }
    assert_eq!(refused, "");
}
