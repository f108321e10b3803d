//! The checked-in Wasm and its manifest.

use std::path::{Path, PathBuf};

/// All of them, in the manifest's order.
pub const NAMES: [&str; 8] = [
    "bridge",
    "counter",
    "digits",
    "multisig",
    "token",
    "classifier",
    "classifier-wit",
    "counter-c",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/fixtures")
}

pub fn wasm(name: &str) -> Vec<u8> {
    let path = folder().join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn manifest() -> serde_json::Value {
    let text = std::fs::read(folder().join("manifest.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn manifest_tells_what_is_there() {
    let manifest = manifest();
    let guests = manifest["guests"].as_array().unwrap();
    let names: Vec<&str> = guests.iter().map(|g| g["name"].as_str().unwrap()).collect();
    assert_eq!(names, NAMES);
    for guest in guests {
        let name = guest["name"].as_str().unwrap();
        let wasm = wasm(name);
        println!("{name:10} {:6} bytes", wasm.len());
        assert_eq!(guest["bytes"].as_u64(), Some(wasm.len() as u64), "{name}");
        let hash = hex::encode(blake3::hash(&wasm).as_bytes());
        assert_eq!(guest["blake3"].as_str(), Some(hash.as_str()), "{name}");
    }
}

/// An upload is paid by the byte.
#[test]
fn contracts_are_small() {
    for (name, limit) in [
        ("bridge", 20_480),
        ("counter", 8_192),
        ("token", 24_576),
        ("counter-c", 2_048),
        ("classifier", 65_536),
    ] {
        let bytes = wasm(name).len();
        assert!(
            bytes <= limit,
            "{name} has {bytes} bytes; the limit is {limit}"
        );
    }
}

/// Nothing of the machine that built them is in them.
#[test]
fn no_path_of_the_builder_is_in_them() {
    for name in NAMES {
        let wasm = wasm(name);
        for part in ["/home/", "/root/", "/tmp/", "/Users/", ".cargo/registry"] {
            let found = wasm.windows(part.len()).any(|w| w == part.as_bytes());
            assert!(!found, "{name} contains {part}");
        }
    }
}

/// What clients need beside the code; Ethereum's own parser reads it.
#[test]
fn abi_json_is_checked_in() {
    use aivm_sdk::Contract;
    let abis = [
        ("bridge", ::bridge::Bridge::abi()),
        ("counter", ::counter::Counter::abi()),
        ("multisig", ::multisig::Multisig::abi()),
        ("token", ::token::Token::abi()),
    ];
    for (name, abi) in abis {
        let path = folder().join(format!("{name}.abi.json"));
        if std::env::var_os("AIVM_UPDATE_FIXTURES").is_some() {
            std::fs::write(&path, &abi).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            found,
            abi,
            "AIVM_UPDATE_FIXTURES=1 writes {}",
            path.display()
        );
        let parsed: aivm_abi::calldata::JsonAbi = serde_json::from_str(&abi).unwrap();
        assert!(parsed.functions().count() > 2, "{name}");
    }
}

/// The page shows what the bridge does.
#[test]
fn the_bridge_of_the_page_is_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let source = text("sdk-guest/examples/bridge/src/lib.rs");
    let mut lines = source.lines().map(str::trim);
    let page = text("docs/rust-contracts.md");
    let (_, section) = page.split_once("## Messages between chains").unwrap();
    let (_, block) = section.split_once("```rust,ignore\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    for line in block.lines() {
        let there = lines.any(|found| found == line.trim());
        assert!(there, "`{line}` is not in the bridge, or not there");
    }
}

/// The quick start shows the files that are built and tested here.
#[test]
fn quick_start_is_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let page = text("docs/rust-contracts.md");
    for path in [
        "sdk-guest/examples/counter/Cargo.toml",
        "sdk-guest/examples/counter/src/lib.rs",
        "sdk-guest/examples/Cargo.toml",
        "sdk-guest/examples/.cargo/config.toml",
    ] {
        assert!(page.contains(&text(path)), "{path} is not as on the page");
    }
    let test = text("sdk-guest/testing/tests/quick_start.rs");
    let test = test.split_once("\n\n").unwrap().1.replace(
        "../examples/fixtures/counter.wasm",
        "target/wasm32-unknown-unknown/release/counter.wasm",
    );
    // The page's lines may be longer than rustfmt's.
    let bare = |text: &str| {
        text.split_whitespace()
            .collect::<String>()
            .replace(",)", ")")
    };
    assert!(
        bare(&page).contains(&bare(&test)),
        "the test is not as on the page"
    );
    for (name, bytes) in [
        ("bridge", wasm("bridge").len()),
        ("counter", wasm("counter").len()),
        ("token", wasm("token").len()),
    ] {
        let row = format!("| {name} | {},{:03} |", bytes / 1000, bytes % 1000);
        assert!(page.contains(&row), "{row} is not on the page");
    }
}
