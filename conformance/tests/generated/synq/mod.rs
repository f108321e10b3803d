//! The language's rules: arithmetic against big integers, and scripts whose values follow from the
//! contract's text.

mod arithmetic;
mod casts;
mod comparisons;
mod known;
mod numbers;
mod script;
mod wrapping;

use aivm_conformance::Source;
use synq_compiler::{Artifact, compile};

use crate::draft::File;

/// Scripts of the folder `rules`, in the language of [`script`].
const SCRIPTS: [&str; 18] = [
    "calls",
    "chains",
    "declarations",
    "edges",
    "encoding",
    "events",
    "expressions",
    "failures",
    "loops",
    "models",
    "modifiers",
    "moments",
    "post_quantum",
    "references",
    "statements",
    "storage",
    "surroundings",
    "types",
];

pub fn files() -> Vec<File> {
    let mut files = vec![
        arithmetic::file(),
        casts::file(),
        comparisons::file(),
        wrapping::file(),
    ];
    files.extend(SCRIPTS.map(script::file));
    files
}

/// An empty file, made by the part of this folder that has its name.
fn file(name: &'static str, reason: &str) -> File {
    let mut file = File::new("synq", name, reason);
    let part = match SCRIPTS.contains(&name) {
        true => format!("rules/{name}.txt"),
        false => format!("{name}.rs"),
    };
    file.0.generator = Some(format!("conformance/tests/generated/synq/{part}"));
    file
}

/// The contracts of a source.
fn compiled(source: &Source) -> Vec<Artifact> {
    let options = source.options().expect("a profile");
    match compile(Source::FILE, &source.loader(), &options) {
        Ok(output) => output.contracts,
        Err(diagnostics) => panic!("{}\n{}", source.synq, diagnostics.render(false)),
    }
}

/// Shares the code of a contract under a name, and the source that it is compiled from.
fn share(file: &mut File, name: &str, source: Source) {
    let artifacts = compiled(&source);
    let artifact = artifacts.iter().find(|a| a.name == source.contract);
    let artifact =
        artifact.unwrap_or_else(|| panic!("no contract {} in\n{}", source.contract, source.synq));
    file.share(name, artifact.wasm.clone());
    file.0.sources.insert(name.to_owned(), source);
}
