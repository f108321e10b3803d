//! Post-quantum cryptography, which has a lane of its own.

use std::time::Instant;

use aivm_abi::host::crypto::{Kem, SignatureScheme};
use aivm_crypto::keys::SigningKey;
use aivm_crypto::pqc;
use aivm_gas::GasSchedule;
use pqcrypto_traits::kem::{Ciphertext as _, SecretKey as _};

use crate::fit::{self, Item};

const ROUNDS: usize = 20;
/// Bytes of message: the second time by far the most, to see what hashing costs.
const MESSAGE: usize = 1_024;
const LONG: usize = 256 << 10;

const SCHEMES: &[(&str, SignatureScheme)] = &[
    ("mldsa44", SignatureScheme::Mldsa44),
    ("mldsa65", SignatureScheme::Mldsa65),
    ("mldsa87", SignatureScheme::Mldsa87),
    ("fndsa512", SignatureScheme::Fndsa512),
    ("fndsa1024", SignatureScheme::Fndsa1024),
    ("slhdsa128s", SignatureScheme::Slhdsa128s),
    ("slhdsa192s", SignatureScheme::Slhdsa192s),
    ("slhdsa256s", SignatureScheme::Slhdsa256s),
];

fn best(mut work: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64() * 1e9);
    }
    best
}

macro_rules! kem {
    ($module:ident, $kem:ident) => {{
        use pqcrypto_mlkem::$module as m;
        let (public, secret) = m::keypair();
        let (_, ciphertext) = m::encapsulate(&public);
        best(|| {
            let secret = pqc::decapsulate(Kem::$kem, secret.as_bytes(), ciphertext.as_bytes());
            assert!(matches!(secret, Ok(Some(_))));
        })
    }};
}

/// The algorithms of the lane; Classic McEliece is behind a feature and not measured.
pub fn items(schedule: &GasSchedule) -> Vec<Item> {
    let item = |name: &str, ns: f64| {
        let price = schedule.pqc.price(name).expect("a price");
        Item {
            name: name.to_owned(),
            price: format!("pqc/algorithms/{name}/compute"),
            now: price.compute as f64,
            units: 1.0,
            ns,
            gas: price.pq_gas(0) as f64,
            r2: 1.0,
        }
    };
    let mut items = Vec::new();
    for (name, scheme) in SCHEMES {
        let key = SigningKey::generate(*scheme);
        let time = |length: usize| {
            let message = vec![7; length];
            let signature = key.sign(&message);
            best(|| assert!(pqc::verify(*scheme, key.public(), &message, &signature)))
        };
        let short = time(MESSAGE);
        items.push(item(name, short));
        if *name == "mldsa44" || *name == "slhdsa128s" {
            let points =
                [MESSAGE, LONG / 2, LONG].map(|length| (length as f64 / 64.0, time(length)));
            let (ns, r2) = fit::slope(&points);
            let now = schedule.pqc.price(name).expect("a price").per_64_bytes as f64;
            items.push(Item {
                name: format!("{name}, 64 bytes of message"),
                price: format!("pqc/algorithms/{name}/per_64_bytes"),
                now,
                units: 1.0,
                ns,
                gas: now,
                r2,
            });
        }
    }
    items.push(item("mlkem512", kem!(mlkem512, Mlkem512)));
    items.push(item("mlkem768", kem!(mlkem768, Mlkem768)));
    items.push(item("mlkem1024", kem!(mlkem1024, Mlkem1024)));
    items
}
