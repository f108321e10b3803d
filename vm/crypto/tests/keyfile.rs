//! Key files: round trip, permissions, and files that are not.
#![cfg(feature = "keys")]

use aivm_abi::host::crypto::Kem;
use aivm_abi::transaction::Level;
use aivm_crypto::keyfile::{Effort, KeyFile, KeyFileError, public_keys};
use aivm_crypto::keys::Account;
use aivm_crypto::seal::OpeningKey;

/// As little as Argon2 allows, so that the tests are quick.
const QUICK: Effort = Effort {
    memory_kib: 8,
    passes: 1,
};

fn keys() -> KeyFile {
    KeyFile {
        account: Account::generate(Level::Basic),
        opening: Some(OpeningKey::generate(&[Kem::Mlkem512, Kem::Mlkem768]).unwrap()),
    }
}

#[test]
fn what_was_written_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alice.json");
    let written = keys();
    written.create(&path, "correct horse", QUICK).unwrap();
    let read = KeyFile::open(&path, "correct horse").unwrap();
    let (mine, account) = (&written.account, &read.account);
    assert_eq!(account.address(), mine.address());
    assert_eq!(account.keys()[0].secret(), mine.keys()[0].secret());
    let (read_key, key) = (read.opening.unwrap(), written.opening.unwrap());
    assert_eq!(read_key.recipient(), key.recipient());
    assert_eq!(read_key.secrets(), key.secrets());
    let public = public_keys(&path).unwrap();
    let names: Vec<&str> = public.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["mldsa65", "mlkem512", "mlkem768"]);

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // A second `create` must not destroy the first keys.
    let refused = keys().create(&path, "other", QUICK).unwrap_err();
    let KeyFileError::Io(error) = refused else {
        panic!("{refused}")
    };
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert!(KeyFile::open(&path, "correct horse").is_ok());
}

#[test]
fn no_secret_stands_in_the_file() {
    let file = keys();
    let text = file.encrypt("passphrase", QUICK).unwrap();
    let key = &file.account.keys()[0];
    // FIPS 204 starts a secret key with the seed that the public key starts with as well.
    for piece in key.secret()[32..].chunks(32) {
        assert!(!text.contains(&hex::encode(piece)));
    }
}

#[test]
fn wrong_passphrases_and_changed_files_are_refused() {
    let text = keys().encrypt("right", QUICK).unwrap();
    let open = |text: &str| KeyFile::decrypt(text, "right").unwrap_err();
    let wrong = KeyFile::decrypt(&text, "wrong").unwrap_err();
    assert!(matches!(wrong, KeyFileError::Passphrase));

    let edit = |change: fn(&mut serde_json::Value)| {
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        change(&mut value);
        value.to_string()
    };
    // Everything readable is authenticated.
    let address = edit(|v| v["address"] = "syn1other".into());
    assert!(matches!(open(&address), KeyFileError::Passphrase));
    let renamed = edit(|v| v["signing"][0]["algorithm"] = "mldsa44".into());
    assert!(matches!(open(&renamed), KeyFileError::Passphrase));
    let dropped = edit(|v| drop(v["opening"].as_array_mut().unwrap().pop()));
    assert!(matches!(open(&dropped), KeyFileError::Passphrase));

    let version = edit(|v| v["format"] = "aivm-keys/9".into());
    assert!(matches!(open(&version), KeyFileError::Version(found) if found == "aivm-keys/9"));
    let nonce = edit(|v| v["nonce"] = "00".into());
    assert!(matches!(open(&nonce), KeyFileError::Field("nonce")));
    let salt = edit(|v| v["salt"] = "zz".into());
    assert!(matches!(open(&salt), KeyFileError::Field("salt")));
    let greedy = edit(|v| v["argon2id"]["memory_kib"] = u32::MAX.into());
    assert!(matches!(open(&greedy), KeyFileError::Effort(_)));
    // The dearest file that is read at all: 512 MiB, 16 passes.
    let pricey = edit(|v| v["argon2id"]["memory_kib"] = (512 * 1024 + 1).into());
    assert!(matches!(open(&pricey), KeyFileError::Effort(_)));
    let endless = edit(|v| v["argon2id"]["passes"] = 17.into());
    assert!(matches!(open(&endless), KeyFileError::Effort(_)));
    let patient = edit(|v| v["argon2id"]["passes"] = 16.into());
    assert!(matches!(open(&patient), KeyFileError::Passphrase));
    let idle = edit(|v| v["argon2id"]["passes"] = 0.into());
    assert!(matches!(open(&idle), KeyFileError::Effort(_)));
    let extra = edit(|v| v["note"] = "hi".into());
    assert!(matches!(open(&extra), KeyFileError::Format(_)));
    assert!(matches!(open(""), KeyFileError::Format(_)));
    let half = &text[..text.len() / 2];
    assert!(matches!(open(half), KeyFileError::Format(_)));
}
