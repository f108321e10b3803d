//! Call data that is not what the ABI allows: it reverts without data.

use super::super::draft::{Draft, File, reverts};
use super::call_data;
use super::values::{echoes, value};

pub fn file() -> File {
    let reason = "As Solidity 0.8 does, but that it gives Panic(0x41) for lengths of more than 64 bits: call data that is too short, values with bits set that their types do not have, and offsets or lengths that lead outside revert without data.";
    let mut file = File::new("abi", "malformed", reason);
    for (name, types) in echoes(&mut file) {
        for (i, (_, ty, values)) in types.iter().enumerate() {
            let signature = format!("f{i}({ty})");
            let text = values.last().unwrap();
            let good = call_data(&signature, &[value(ty, text)]);
            let mut add = |what: &str, rule: &str, data: Vec<u8>| {
                file.push(Draft::new(format!("{ty}: {what}"), rule).put(&name).call(
                    &name,
                    data,
                    reverts([]),
                ));
            };
            add(
                "no arguments",
                "Missing arguments revert.",
                good[..4].to_vec(),
            );
            add(
                "cut by a word",
                "Missing bytes revert.",
                good[..good.len() - 32].to_vec(),
            );
            add(
                "a byte of the first word",
                "Missing bytes revert.",
                good[..5].to_vec(),
            );
            let dirty = |at: usize, byte: u8| {
                let mut data = good.clone();
                data[at] = byte;
                data
            };
            match *ty {
                "uint8" | "uint16" | "uint32" | "uint64" | "uint128" | "address" => {
                    add(
                        "the highest bit set",
                        "Bits above those of the type revert.",
                        dirty(4, 0x80),
                    );
                }
                "int8" | "int16" | "int32" | "int64" | "int128" => {
                    add(
                        "not sign-extended",
                        "A negative number is sign-extended.",
                        dirty(4, 0x7f),
                    );
                }
                "bool" => {
                    add("two", "A bool is 0 or 1.", dirty(35, 2));
                    add("256", "A bool is 0 or 1.", dirty(34, 1));
                }
                "bytes" | "string" | "uint256[]" | "uint8[]" | "uint256[][]" | "bytes[]"
                | "address[]" => {
                    add(
                        "a huge offset",
                        "An offset beyond the data reverts.",
                        dirty(4, 0xff),
                    );
                    let filled = |from: usize, to: usize| {
                        let mut data = good.clone();
                        data[from..to].fill(0xff);
                        data
                    };
                    add(
                        "an offset that wraps",
                        "An offset beyond the data reverts.",
                        filled(4, 36),
                    );
                    add(
                        "a huge length",
                        "A length beyond the data reverts.",
                        filled(36, 68),
                    );
                    add(
                        "a length of one more",
                        "A length beyond the data reverts.",
                        dirty(67, 200),
                    );
                }
                _ => {}
            }
        }
        for (what, data) in [
            ("no selector", vec![]),
            ("three bytes", vec![1, 2, 3]),
            ("an unknown selector", vec![1, 2, 3, 4]),
        ] {
            file.push(
                Draft::new(
                    format!("{name}: {what}"),
                    "A call that names no function reverts.",
                )
                .put(&name)
                .call(&name, data, reverts([])),
            );
        }
    }
    file
}
