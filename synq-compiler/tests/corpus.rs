//! The corpus in `contracts/` compiles, without warnings and the same each time.

use std::path::{Path, PathBuf};

use synq_compiler::{Options, SourceLoader, compile};

struct Files(PathBuf);

impl SourceLoader for Files {
    fn source(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(self.0.join(path)).map_err(|e| e.to_string())
    }
    fn model(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(path)).map_err(|e| e.to_string())
    }
}

#[test]
fn every_contract_compiles() {
    let files = Files(Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts"));
    let mut found: Vec<String> = std::fs::read_dir(&files.0)
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
