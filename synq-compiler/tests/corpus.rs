//! The corpus in `contracts/` compiles, without warnings and the same each time.

use std::path::Path;

use synq_compiler::{FolderLoader, Options, compile};

#[test]
fn every_contract_compiles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts");
    let files = FolderLoader::new(&folder);
    let mut found: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|e| {
            e.expect("the entry can be read")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .filter(|name| name.ends_with(".synq"))
        .collect();
    found.sort();
    assert_eq!(found.len(), 13);
    let (mut refused, mut contracts) = (String::new(), 0);
    for file in found {
        match compile(&file, &files, &Options::default()) {
            Ok(output) => {
                refused += &output.diagnostics.to_string();
                let again = compile(&file, &files, &Options::default()).expect("it did before");
                for (one, two) in output.contracts.iter().zip(&again.contracts) {
                    assert_eq!(one.wasm, two.wasm, "{file}");
                    println!("{file} {}: {} bytes", one.name, one.wasm.len());
                    contracts += 1;
                }
            }
            Err(diagnostics) => refused += &diagnostics.to_string(),
        }
    }
    assert_eq!(refused, "", "\n{refused}");
    assert_eq!(contracts, 15);
}
