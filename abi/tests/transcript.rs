//! Transcripts: hash, file form, first difference.

use aivm_abi::{
    Bisect, DecodeError, Digest, EntryKind, Exit, FuncId, Transcript, TranscriptFile, TrapCode,
    bisect,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn record(transcript: &mut Transcript, func: u16, argument: &[u8], result: &[u8]) {
    transcript.begin_call(FuncId::new(func));
    transcript.put(argument);
    transcript.end();
    transcript.begin_return(FuncId::new(func));
    transcript.put(result);
    transcript.end();
}

fn transcript(calls: &[(u16, Vec<u8>, Vec<u8>)]) -> Transcript {
    let mut transcript = Transcript::retaining(1 << 20);
    for (func, argument, result) in calls {
        record(&mut transcript, *func, argument, result);
    }
    transcript
}

#[test]
fn hash_is_pinned_and_independent_of_retention() {
    let mut kept = Transcript::retaining(1 << 20);
    let mut plain = Transcript::new();
    for transcript in [&mut kept, &mut plain] {
        record(transcript, 3, &[1, 2], &[3]);
        transcript.exit(FuncId::new(4), &Exit::Trap(TrapCode::OutOfGas));
        transcript.exit(FuncId::new(5), &Exit::Revert(vec![1]));
    }
    assert_eq!(kept.hash(), plain.hash());
    assert_eq!(kept.count(), 4);
    assert_eq!(plain.entries().count(), 0);
    insta::assert_snapshot!(Digest(plain.hash()).to_string());
}

#[test]
fn long_payloads_hash_as_short_ones_do() {
    let payload: Vec<u8> = (0..300_000u32).map(|i| i as u8).collect();
    let mut whole = Transcript::new();
    record(&mut whole, 1, &payload, &[]);
    let mut pieces = Transcript::new();
    pieces.begin_call(FuncId::new(1));
    payload.chunks(1000).for_each(|piece| pieces.put(piece));
    pieces.end();
    pieces.begin_return(FuncId::new(1));
    pieces.end();
    assert_eq!(whole.hash(), pieces.hash());
}

#[test]
fn first_difference_is_found() {
    let a = transcript(&[(1, vec![1], vec![2]), (2, vec![3], vec![4])]);
    let b = transcript(&[
        (1, vec![1], vec![2]),
        (2, vec![3], vec![5]),
        (7, vec![], vec![]),
    ]);
    let (a, b) = (a.to_file(), b.to_file());
    let (a, b) = (
        TranscriptFile::parse(&a).unwrap(),
        TranscriptFile::parse(&b).unwrap(),
    );
    let Bisect::Differs {
        index,
        a: Some(left),
        b: Some(right),
    } = bisect(&a, &b)
    else {
        panic!()
    };
    assert_eq!(
        (index, left.kind, left.func.get()),
        (3, EntryKind::Return, 2)
    );
    assert_eq!((left.payload, right.payload), (&[4u8][..], &[5u8][..]));
    assert_eq!(bisect(&a, &a), Bisect::Equal);
    assert_eq!(a.verify(), Some(true));
}

#[test]
fn an_earlier_end_is_a_difference() {
    let a = transcript(&[(1, vec![1], vec![2])]).to_file();
    let b = transcript(&[(1, vec![1], vec![2]), (2, vec![], vec![])]).to_file();
    let (a, b) = (
        TranscriptFile::parse(&a).unwrap(),
        TranscriptFile::parse(&b).unwrap(),
    );
    assert!(matches!(
        bisect(&a, &b),
        Bisect::Differs {
            index: 2,
            a: None,
            b: Some(_)
        }
    ));
}

#[test]
fn frames_past_the_limit_are_dropped_and_said_so() {
    let mut short = Transcript::retaining(10);
    record(&mut short, 1, &[0; 4], &[1; 4]);
    record(&mut short, 1, &[0; 4], &[1; 4]);
    assert!(short.is_truncated());
    assert_eq!(short.entries().count(), 1);
    let mut long = Transcript::retaining(1 << 10);
    record(&mut long, 1, &[0; 4], &[1; 4]);
    record(&mut long, 1, &[0; 4], &[9; 4]);
    assert!(!long.is_truncated());
    let (short, long) = (short.to_file(), long.to_file());
    let (short, long) = (
        TranscriptFile::parse(&short).unwrap(),
        TranscriptFile::parse(&long).unwrap(),
    );
    assert_eq!(short.verify(), None);
    assert_eq!(bisect(&short, &long), Bisect::BeyondKept { compared: 1 });
}

#[test]
fn entries_print() {
    let mut transcript = Transcript::retaining(1 << 10);
    let id = aivm_abi::import("storage", "load").unwrap().id;
    transcript.begin_call(id);
    transcript.put(&[0xab; 200]);
    transcript.end();
    transcript.exit(id, &Exit::Trap(TrapCode::BadArgument));
    let text: Vec<String> = transcript
        .entries()
        .map(|entry| entry.to_string())
        .collect();
    assert_eq!(
        text[0],
        format!("call storage.load 0x{}… and 72 bytes", "ab".repeat(128))
    );
    assert_eq!(text[1], "trap storage.load bad-argument");
}

#[test]
fn bad_files_are_refused() {
    let file = transcript(&[(1, vec![1], vec![2])]).to_file();
    assert_eq!(
        TranscriptFile::parse(b"AIVM"),
        Err(DecodeError::Magic {
            expected: "a transcript"
        })
    );
    assert!(matches!(
        TranscriptFile::parse(&file[..file.len() - 1]),
        Err(DecodeError::Truncated { .. })
    ));
    let mut forged = file.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(
        TranscriptFile::parse(&forged).unwrap().verify(),
        Some(false)
    );
    // More frames than it says.
    let count = 15 + 2 + 4 + aivm_abi::WIT_PACKAGE.len() + 32;
    let mut forged = file.clone();
    forged[count] = 1;
    assert!(matches!(
        TranscriptFile::parse(&forged),
        Err(DecodeError::TooLong {
            found: 2,
            limit: 1,
            ..
        })
    ));
}

fn calls() -> impl Strategy<Value = Vec<(u16, Vec<u8>, Vec<u8>)>> {
    vec(
        (0u16..50, vec(any::<u8>(), 0..40), vec(any::<u8>(), 0..40)),
        0..12,
    )
}

proptest! {
    #[test]
    fn files_round_trip(calls in calls()) {
        let transcript = transcript(&calls);
        let file = transcript.to_file();
        let parsed = TranscriptFile::parse(&file).unwrap();
        prop_assert_eq!(parsed.entries().to_vec(), transcript.entries().collect::<Vec<_>>());
        prop_assert_eq!(parsed.hash.0, transcript.hash());
        prop_assert_eq!(parsed.verify(), Some(true));
    }

    #[test]
    fn equal_hashes_mean_equal_frames(a in calls(), b in calls()) {
        let (left, right) = (transcript(&a), transcript(&b));
        prop_assert_eq!(left.hash() == right.hash(), a == b);
        let (left, right) = (left.to_file(), right.to_file());
        let found = bisect(&TranscriptFile::parse(&left).unwrap(), &TranscriptFile::parse(&right).unwrap());
        prop_assert_eq!(found == Bisect::Equal, a == b);
    }

    #[test]
    fn garbage_never_panics(tail in vec(any::<u8>(), 0..400)) {
        let mut bytes = b"AIVM-TRANSCRIPT\x01\x00".to_vec();
        bytes.extend(&tail);
        if let Ok(file) = TranscriptFile::parse(&bytes) {
            let _ = file.verify();
            let _ = bisect(&file, &file);
            for entry in file.entries() {
                let _ = entry.to_string();
            }
        }
    }
}
