//! The generator of the vectors, and the proof that the files are what it makes.
//!
//! Each vector is built with a claim for its steps, which comes from an oracle that is not the VM:
//! prices summed by hand, the official test suite, published values, the Solidity ABI of another
//! library, arithmetic on big integers. An outcome that contradicts its claim is never written. Each
//! vector then runs on the second implementation too, which must agree to the bit.
//!
//! `AIVM_UPDATE_VECTORS=1` writes the files; `AIVM_VECTORS_ONLY=nn` makes one suite only.

mod abi;
mod calls;
mod crypto;
mod draft;
mod guest;
mod hostile;
mod lane;
mod limits;
mod messages;
mod metering;
mod mistakes;
mod nn;
mod onnx;
mod random;
mod receipts;
mod script;
mod synq;
mod wasi;
mod wasm;
mod wycheproof;

use std::path::Path;

use aivm_conformance::{Adapter, Interpreter, Machine, bless, suite};
use draft::File;

/// The files of a suite.
type Files = fn() -> Vec<File>;

/// All generated files.
fn files() -> Vec<File> {
    let suites: [(&str, Files); 17] = [
        ("abi", abi::files),
        ("calls", calls::files),
        ("calls", messages::files),
        ("crypto", crypto::files),
        ("crypto", lane::files),
        ("crypto", wycheproof::files),
        ("hostile", hostile::files),
        ("hostile", mistakes::files),
        ("hostile", wasi::hostile),
        ("limits", limits::files),
        ("metering", metering::files),
        ("metering", wasi::metering),
        ("nn", nn::files),
        ("nn", wasi::nn),
        ("receipts", receipts::files),
        ("synq", synq::files),
        ("wasm", wasm::files),
    ];
    let only = std::env::var("AIVM_VECTORS_ONLY").ok();
    let chosen = |name: &str| only.as_deref().is_none_or(|only| only == name);
    suites
        .into_iter()
        .filter(|(name, _)| chosen(name))
        .flat_map(|(_, files)| files())
        .collect()
}

/// The file's text, after both implementations ran it and no claim was contradicted.
fn made(file: File, folder: &Path) -> Result<String, Vec<String>> {
    let (mut machine, mut interpreter) = (Machine::new().unwrap(), Interpreter::default());
    let mut file = file.0;
    let mut wrong = Vec::new();
    let mut vectors = Vec::with_capacity(file.vectors.len());
    for vector in &file.vectors {
        let place = format!("{} / {}", file.suite, vector.name);
        let case = suite::case(&file, vector, folder).expect("its code is there");
        let results = match machine.run(&case) {
            Ok(results) => results,
            Err(error) => {
                wrong.push(format!("{place}: {error}"));
                continue;
            }
        };
        match bless::bless(vector, &results) {
            Ok(mut blessed) => {
                for step in &mut blessed.steps {
                    step.claim = None;
                }
                vectors.push(blessed);
            }
            Err(contradiction) => wrong.push(format!("{}: {contradiction}", file.suite)),
        }
        match interpreter.run(&case) {
            Ok(second) if second == results => {}
            Ok(second) => {
                let outcomes = results.outcomes.iter().zip(&second.outcomes);
                let first = outcomes.enumerate().find(|(_, (a, b))| a != b);
                wrong.push(format!("{place}: the implementations differ: {first:?}"));
            }
            Err(error) => wrong.push(format!("{place} on wasmi: {error}")),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    file.vectors = vectors;
    Ok(suite::text(&file).expect("it is JSON"))
}

#[test]
fn the_vectors_are_what_their_generator_makes() {
    let update = std::env::var_os("AIVM_UPDATE_VECTORS").is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let next = std::sync::Mutex::new(files().into_iter());
    let wrong = std::sync::Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some((file, name)) = next.lock().unwrap().next().map(|f| (f.0, f.1)) else {
                return;
            };
            let folder = root.join(&file.suite);
            let path = folder.join(format!("{name}.json"));
            let count = file.vectors.len();
            let start = std::time::Instant::now();
            match made(File(file, name), &folder) {
                Ok(text) if update => {
                    std::fs::create_dir_all(&folder).unwrap();
                    std::fs::write(&path, &text).unwrap();
                }
                Ok(text) => {
                    if std::fs::read_to_string(&path).unwrap_or_default() != text {
                        let why = format!("{} is not what its generator makes", path.display());
                        wrong.lock().unwrap().push(why);
                    }
                }
                Err(list) => wrong.lock().unwrap().extend(list),
            }
            let name = path.strip_prefix(&root).unwrap().display();
            println!(
                "{name}: {count} vectors, {:.1} s",
                start.elapsed().as_secs_f32()
            );
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let builder = std::thread::Builder::new().stack_size(256 << 20);
            builder.spawn_scoped(scope, work).unwrap();
        }
    });
    let wrong = wrong.into_inner().unwrap();
    let shown: Vec<&str> = wrong
        .iter()
        .take(40)
        .map(|text| &text[..text.len().min(900)])
        .collect();
    assert!(
        wrong.is_empty(),
        "{} wrong; `cargo xtask vectors` writes what is new:\n{}",
        wrong.len(),
        shown.join("\n")
    );
}

/// Makes the keys and signatures of the `crypto` suite anew, which no test needs: signing draws on
/// random numbers, so they are kept.
#[test]
#[ignore = "writes new signatures"]
fn signatures() {
    use aivm_abi::host::crypto::SignatureScheme;
    use aivm_crypto::keys::SigningKey;
    let mut text = String::new();
    for scheme in (0..).map_while(SignatureScheme::from_index) {
        let key = SigningKey::generate(scheme);
        let message = format!("a message for {}, thirty bytes and more", scheme.name());
        let case = serde_json::json!({
            "scheme": scheme.name(),
            "key": hex::encode(key.public()),
            "message": hex::encode(&message),
            "signature": hex::encode(key.sign(message.as_bytes())),
        });
        text += &format!("{case}\n");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generated");
    std::fs::write(folder.join("signatures.jsonl"), text).unwrap();
}
