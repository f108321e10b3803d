//! Addresses, and text that is none.

use aivm_conformance::action::Format;
use aivm_conformance::outcome::Claim;

use super::super::draft::File;
use super::{is_read, read};

/// The Bech32m text of bytes, after BIP 350.
fn bech32m(prefix: &str, data: &[u8], constant: u32) -> String {
    const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let mut fives = Vec::new();
    let (mut held, mut bits) = (0u32, 0);
    for byte in data {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            fives.push((held >> bits & 31) as u8);
        }
    }
    if bits > 0 {
        fives.push((held << (5 - bits) & 31) as u8);
    }
    let mut values: Vec<u8> = prefix.bytes().map(|c| c >> 5).collect();
    values.push(0);
    values.extend(prefix.bytes().map(|c| c & 31));
    values.extend(&fives);
    values.extend([0; 6]);
    let mut check = 1u32;
    for value in values {
        let top = check >> 25;
        check = (check & 0x1ff_ffff) << 5 ^ u32::from(value);
        for (i, generator) in [
            0x3b6a_57b2u32,
            0x2650_8e6d,
            0x1ea1_19fa,
            0x3d42_33dd,
            0x2a14_62b3,
        ]
        .iter()
        .enumerate()
        {
            if top >> i & 1 == 1 {
                check ^= generator;
            }
        }
    }
    check ^= constant;
    fives.extend((0..6).map(|i| (check >> (5 * (5 - i)) & 31) as u8));
    let text: String = fives
        .iter()
        .map(|v| char::from(ALPHABET[usize::from(*v)]))
        .collect();
    format!("{prefix}1{text}")
}

pub fn file() -> File {
    const M: u32 = 0x2bc8_30a3;
    let mut file = File::new(
        "receipts",
        "addresses",
        "The generator has a Bech32m encoder of its own, after BIP 350; a wrong character, length, prefix or checksum follows from the vector's rule.",
    );
    let address = |name: String, rule: &str, text: &[u8], claim: Claim| {
        read(name, rule, Format::Address, text, claim)
    };
    for n in 0..20u8 {
        let bytes: Vec<u8> = (0..20).map(|i| n.wrapping_mul(37) ^ (i * 11)).collect();
        let text = bech32m("syn", &bytes, M);
        file.push(address(
            format!("address {n}"),
            "Twenty bytes and their Bech32m text stand for each other.",
            text.as_bytes(),
            is_read(&bytes),
        ));
        let upper = text.to_uppercase();
        if n < 3 {
            file.push(address(
                format!("address {n} in capitals"),
                "Bech32m may be written in capitals.",
                upper.as_bytes(),
                is_read(&bytes),
            ));
            let mut mistyped = text.clone().into_bytes();
            let at = 6 + usize::from(n) * 7;
            mistyped[at] = if mistyped[at] == b'q' { b'p' } else { b'q' };
            file.push(address(
                format!("address {n}, mistyped"),
                "The checksum finds a mistyped character.",
                &mistyped,
                Claim::refused("checksum"),
            ));
        }
    }
    let bytes = [0xa1; 20];
    for (name, text, code) in [
        (
            "an older checksum",
            bech32m("syn", &bytes, 1),
            "old-checksum",
        ),
        ("another network", bech32m("tst", &bytes, M), "network"),
        ("nineteen bytes", bech32m("syn", &bytes[1..], M), "length"),
        ("twenty-one bytes", bech32m("syn", &[0xa1; 21], M), "length"),
        ("no bytes", bech32m("syn", &[], M), "length"),
        ("nothing", String::new(), "malformed"),
        ("a prefix only", "syn1".into(), "malformed"),
        (
            "mixed case",
            "syn1Q".to_owned() + &bech32m("syn", &bytes, M)[5..],
            "malformed",
        ),
        (
            "a character that is none",
            "syn1b".to_owned() + &bech32m("syn", &bytes, M)[5..],
            "malformed",
        ),
    ] {
        file.push(address(
            name.to_owned(),
            "Text that is no address of this network is refused with its reason.",
            text.as_bytes(),
            Claim::refused(code),
        ));
    }
    file.push(address(
        "bytes that are no text".to_owned(),
        "An address is text.",
        &[0xff, 0xfe],
        Claim::refused("malformed"),
    ));
    file
}
