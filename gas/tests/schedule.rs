//! Canonical form, genesis JSON, differences and activation of schedules.

use aivm_gas::{GasSchedule, ScheduleError, ScheduleSet, Value};
use proptest::prelude::*;

#[test]
fn the_first_schedule_is_pinned() {
    // Changing a price of the first schedule forks every chain that runs it. Until there
    // is such a chain, write the new hash here and say in the changelog what changed.
    let hash = blake3::Hash::from(GasSchedule::v1().hash()).to_hex();
    insta::assert_snapshot!("v1_hash", hash.as_str());
    insta::assert_snapshot!("v1_genesis", GasSchedule::v1().to_genesis_json());
}

#[test]
fn genesis_json_reads_back() {
    let schedule = GasSchedule::v1();
    let json = schedule.to_genesis_json();
    let back = GasSchedule::from_genesis_json(&json).expect("its own form");
    assert_eq!(back, schedule);
    assert_eq!(back.hash(), schedule.hash());
    assert!(json.contains("\"max_pqc_gas_per_tx\": 300000"));
}

/// The message for a genesis file in which `from` became `to`.
fn message(from: &str, to: &str) -> String {
    let json = GasSchedule::v1().to_genesis_json();
    let changed = json.replacen(from, to, 1);
    assert_ne!(json, changed, "{from} does not occur");
    GasSchedule::from_genesis_json(&changed)
        .expect_err("refused")
        .to_string()
}

#[test]
fn mistakes_in_genesis_json_are_named() {
    assert_eq!(
        message("\"memory_page\"", "\"memry_page\""),
        "`wasm/memry_page` is not part of a gas schedule; did you mean `memory_page`?"
    );
    assert_eq!(
        message("\"storage.load\"", "\"storage.laod\""),
        "`host/storage.laod` is not part of a gas schedule; did you mean `storage.load`?"
    );
    assert_eq!(
        message("\"divide\":", "\"quite different\":"),
        "`wasm/quite different` is not part of a gas schedule"
    );
    assert_eq!(
        message("\"simd\": true", "\"simd\": 1"),
        "`limits/simd` must be true or false, not 1"
    );
    assert_eq!(
        message("\"version\": 1", "\"version\": -1"),
        "`version` must be a whole number of at least 0, not -1"
    );
    assert_eq!(
        message("\"version\": 1", "\"version\": 5000000000"),
        "`version` is 5000000000, the largest allowed is 4294967295"
    );
    assert_eq!(
        message("\"name\": \"genesis\"", "\"name\": {}"),
        "`name` must be a text, not an object"
    );
    assert!(message("{", "[").starts_with("not JSON: "));
    let mut json: serde_json::Value =
        serde_json::from_str(&GasSchedule::v1().to_genesis_json()).expect("JSON");
    json["storage"]
        .as_object_mut()
        .expect("an object")
        .remove("per_kb");
    let error = GasSchedule::from_genesis_json(&json.to_string()).expect_err("refused");
    assert_eq!(
        error,
        ScheduleError::Missing {
            path: "storage/per_kb".into()
        }
    );
    assert!(matches!(
        GasSchedule::from_genesis_json("[]"),
        Err(ScheduleError::Type {
            expected: "an object",
            ..
        })
    ));
}

#[test]
fn prices_out_of_range() {
    let mut schedule = GasSchedule::v1();
    schedule.wasm.memory_page = (1 << 30) + 1;
    let error = schedule.validate().expect_err("too dear");
    assert_eq!(
        error.to_string(),
        "`wasm/memory_page` is 1073741825, the largest allowed is 1073741824"
    );
    schedule.wasm.memory_page = 1 << 30;
    assert_eq!(schedule.validate(), Ok(()));
    schedule.wasm.call = 0;
    assert!(
        schedule
            .validate()
            .expect_err("free calls")
            .to_string()
            .contains("for nothing")
    );
}

#[test]
fn differences_are_listed_by_path() {
    let before = GasSchedule::v1();
    let mut after = before.clone();
    assert_eq!(before.diff(&after), []);
    after.version = 2;
    after.wasm.divide = 41;
    after.limits.simd = false;
    let storage = after.host.remove("storage.load").expect("a price");
    after.host.insert("storage.read".into(), storage);
    let lines: Vec<String> = before
        .diff(&after)
        .iter()
        .map(ToString::to_string)
        .collect();
    let divide = before.wasm.divide;
    assert_eq!(
        lines,
        [
            "host/storage.load/base: gone, was 800".to_owned(),
            "host/storage.load/per_byte: gone, was 0".to_owned(),
            "host/storage.read/base: new, 800".to_owned(),
            "host/storage.read/per_byte: new, 0".to_owned(),
            "limits/simd: true -> false".to_owned(),
            "version: 1 -> 2".to_owned(),
            format!("wasm/divide: {divide} -> 41"),
        ]
    );
    assert_eq!(before.diff(&after)[5].after, Some(Value::Number(2)));
}

#[test]
fn heights_choose_the_schedule() {
    let version = |version| GasSchedule {
        version,
        ..GasSchedule::v1()
    };
    let mut set = ScheduleSet::new(version(1)).expect("valid");
    set.activate(1000, version(3)).expect("later");
    set.activate(500, version(2)).expect("between");
    for (height, expected) in [
        (0, 1),
        (499, 1),
        (500, 2),
        (999, 2),
        (1000, 3),
        (u64::MAX, 3),
    ] {
        assert_eq!(set.at(height).version, expected, "at {height}");
    }
    assert_eq!(
        set.iter().map(|(height, _)| height).collect::<Vec<_>>(),
        [0, 500, 1000]
    );
    for (height, number) in [(0, 9), (500, 9), (700, 2), (700, 3), (1001, 3)] {
        let error = set.activate(height, version(number)).expect_err("refused");
        assert!(
            matches!(error, ScheduleError::Activation(_)),
            "{height}: {error}"
        );
    }
    let bad = GasSchedule {
        wasm: {
            let mut w = GasSchedule::v1().wasm;
            w.branch = 0;
            w
        },
        ..version(9)
    };
    assert!(matches!(
        set.activate(2000, bad),
        Err(ScheduleError::TooSmall { .. })
    ));
}

proptest! {
    /// Any change of any leaf changes the hash and shows in the difference.
    #[test]
    fn every_leaf_counts(pick in any::<prop::sample::Index>(), value in 1_u64..65_000) {
        let before = GasSchedule::v1();
        let mut json: serde_json::Value = serde_json::from_str(&before.to_genesis_json()).unwrap();
        let mut paths = Vec::new();
        leaves("", &json, &mut paths);
        let path = &paths[pick.index(paths.len())];
        *json.pointer_mut(path).unwrap() = value.into();
        if let Ok(after) = GasSchedule::from_genesis_json(&json.to_string()) {
            let changes = before.diff(&after);
            prop_assert_eq!(changes.is_empty(), before == after);
            prop_assert_eq!(before.hash() == after.hash(), before == after);
            if let [change] = changes.as_slice() {
                prop_assert_eq!(format!("/{}", change.path), path.clone());
                prop_assert_eq!(change.after.clone(), Some(Value::Number(value)));
            } else {
                prop_assert!(changes.is_empty());
            }
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = GasSchedule::from_genesis_json(&text);
    }
}

fn leaves(path: &str, json: &serde_json::Value, paths: &mut Vec<String>) {
    match json.as_object() {
        Some(fields) => {
            for (name, field) in fields {
                leaves(&format!("{path}/{name}"), field, paths);
            }
        }
        None if json.is_number() => paths.push(path.to_owned()),
        None => {}
    }
}
