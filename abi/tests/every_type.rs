//! Bindings of a WIT file with every kind of type: values go through memory and flat
//! parameters and come back the same.

mod common;

/// The generated code.
#[allow(clippy::all, unused, missing_docs, unused_qualifications)]
pub mod every_type {
    include!(concat!(env!("OUT_DIR"), "/every_type.rs"));
}

use aivm_abi::canonical::Value;
use aivm_abi::{Exit, Transcript, TrapCode};
use common::TestHost;
use common::memory::{Allocator, MemoryGuest};
use every_type::glue;
use every_type::host::shapes::{self, Colour, Few, Joined, Many, Mixed};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

impl shapes::Host for TestHost {
    fn scalars(
        &mut self,
        a: u8,
        b: i8,
        c: u16,
        d: i16,
        e: u32,
        f: i32,
        g: u64,
        h: i64,
        i: f32,
        j: f64,
        k: char,
        l: bool,
    ) -> Result<f64, Exit> {
        assert_eq!(
            (a, b, c, d, e, f, g, h),
            (255, -1, 65_535, -2, u32::MAX, -3, u64::MAX, -4)
        );
        assert_eq!((i, k, l), (1.5, '🦀', true));
        Ok(j)
    }

    fn narrow(&mut self, a: i8) -> Result<i8, Exit> {
        Ok(a)
    }

    fn single(&mut self, a: f32) -> Result<f32, Exit> {
        Ok(a)
    }

    fn letter(&mut self, a: char) -> Result<char, Exit> {
        Ok(a)
    }

    fn toggle(&mut self, a: Few, b: Many) -> Result<Many, Exit> {
        Ok(if a.contains(Few::C) {
            b.union(Many::F16)
        } else {
            b
        })
    }

    fn mirror(&mut self, a: Mixed) -> Result<Mixed, Exit> {
        Ok(a)
    }

    fn join(&mut self, a: Joined) -> Result<Joined, Exit> {
        Ok(a)
    }

    fn joins(&mut self, a: Vec<Joined>) -> Result<Vec<Joined>, Exit> {
        Ok(a)
    }

    fn pair(&mut self, a: (u8, u64, i16)) -> Result<(u8, u64, i16), Exit> {
        Ok(a)
    }

    fn nested(&mut self, a: Vec<Vec<String>>) -> Result<Option<Vec<Vec<String>>>, Exit> {
        Ok((!a.is_empty()).then_some(a))
    }

    fn fallible(&mut self, a: Result<u32, Colour>) -> Result<Result<Colour, ()>, Exit> {
        Ok(match a {
            Ok(index) => Colour::from_index(index).ok_or(()),
            Err(colour) => Ok(colour),
        })
    }

    fn unit(&mut self, a: Result<(), ()>) -> Result<Result<(), ()>, Exit> {
        Ok(a)
    }

    fn alias(&mut self, a: &[u8], b: &str) -> Result<Vec<u8>, Exit> {
        Ok([a, b.as_bytes()].concat())
    }

    fn wide(&mut self, a: Mixed, b: Mixed, c: Mixed, d: &[u8], e: &str) -> Result<u64, Exit> {
        Ok(a.large + b.large + c.large + d.len() as u64 + e.len() as u64)
    }
}

type Guest = MemoryGuest<TestHost>;

fn guest() -> Guest {
    MemoryGuest::new(TestHost::default())
}

/// Pointer and count of a list that was placed.
fn pair(guest: &Guest, pointer: u32) -> (i32, i32) {
    let at = |offset: usize| {
        let start = pointer as usize + offset;
        i32::from_le_bytes(guest.memory[start..start + 4].try_into().unwrap())
    };
    (at(0), at(4))
}

fn trap<T: std::fmt::Debug>(result: Result<T, Exit>) -> TrapCode {
    match result {
        Err(Exit::Trap(code)) => code,
        other => panic!("expected a trap, got {other:?}"),
    }
}

fn mixed(large: u64, text: &str, tail: Option<u16>) -> Mixed {
    Mixed {
        small: 7,
        large,
        text: text.into(),
        tail,
    }
}

#[test]
fn scalars_keep_their_values() {
    let mut guest = guest();
    let crab = '🦀' as i32;
    let call = |guest: &mut Guest, k: i32, l: i32, j: f64| {
        glue::shapes_scalars(guest, 255, -1, 65_535, -2, -1, -3, -1, -4, 1.5, j, k, l)
    };
    assert_eq!(call(&mut guest, crab, 1, -0.25).unwrap(), -0.25);
    // Upper bits of a narrow integer are not part of it.
    let wide = glue::shapes_narrow(&mut guest, 0x7f80).unwrap();
    assert_eq!(wide, -128);
    assert_eq!(
        trap(call(&mut guest, 0xd800, 1, 0.0)),
        TrapCode::BadArgument
    );
    assert_eq!(
        trap(call(&mut guest, 0x11_0000, 1, 0.0)),
        TrapCode::BadArgument
    );
    assert_eq!(trap(call(&mut guest, crab, 2, 0.0)), TrapCode::BadArgument);
    let odd = f64::from_bits(0x7ff0_0000_0000_0001);
    assert_eq!(
        call(&mut guest, crab, 1, odd).unwrap().to_bits(),
        0x7ff8_0000_0000_0000
    );
    let odd = f32::from_bits(0xffc0_0123);
    assert_eq!(
        glue::shapes_single(&mut guest, odd).unwrap().to_bits(),
        0x7fc0_0000
    );
    assert_eq!(glue::shapes_letter(&mut guest, crab).unwrap(), crab);
}

#[test]
fn flags_drop_unknown_bits() {
    let mut guest = guest();
    let out = glue::shapes_toggle(&mut guest, -4, 1).unwrap();
    assert_eq!(out, (1 << 16) | 1);
    assert_eq!(
        glue::shapes_toggle(&mut guest, 0, -1).unwrap(),
        (1 << 17) - 1
    );
    assert_eq!(Few::from_bits(0xff).bits(), 7);
}

#[test]
fn records_cross_in_flat_form() {
    let mut guest = guest();
    let value = mixed(u64::MAX, "zażółć", Some(9));
    let text = guest.place(&value.text);
    let (pointer, length) = pair(&guest, text);
    glue::shapes_mirror(&mut guest, 7, -1, pointer, length, 1, 9, 8).unwrap();
    assert_eq!(guest.fetch::<Mixed>(8), value);
    let not_utf8 = guest.place(&vec![0xffu8, 0xfe]);
    let (pointer, length) = pair(&guest, not_utf8);
    assert_eq!(
        trap(glue::shapes_mirror(
            &mut guest, 7, -1, pointer, length, 1, 9, 8
        )),
        TrapCode::BadArgument
    );
    assert_eq!(
        trap(glue::shapes_mirror(&mut guest, 7, -1, 0, 0, 2, 9, 8)),
        TrapCode::BadArgument
    );
    assert_eq!(
        trap(glue::shapes_mirror(&mut guest, 7, -1, 0, 0, 0, 0, 9)),
        TrapCode::BadPointer
    );
    assert_eq!(
        trap(glue::shapes_mirror(
            &mut guest,
            7,
            -1,
            0,
            0,
            0,
            0,
            0x1_0000 - 24
        )),
        TrapCode::BadPointer
    );
}

#[test]
fn joined_slots_hold_each_case() {
    let mut guest = guest();
    let bytes = guest.place(&vec![1u8, 2, 3]);
    let (pointer, length) = pair(&guest, bytes);
    let cases = [
        (0, 0, 0, Joined::Nothing),
        // The upper half of a joined slot is not part of a 32-bit case.
        (1, (5 << 32) | 77, 0, Joined::Int(77)),
        (2, i64::from(1.25f32.to_bits()), 0, Joined::Float(1.25)),
        (3, -1, 0, Joined::Long(u64::MAX)),
        (4, 2.5f64.to_bits() as i64, 0, Joined::Double(2.5)),
        (5, i64::from(pointer), length, Joined::Bytes(vec![1, 2, 3])),
    ];
    for (case, slot, extra, expected) in cases {
        glue::shapes_join(&mut guest, case, slot, extra, 512).unwrap();
        assert_eq!(guest.fetch::<Joined>(512), expected);
    }
    assert_eq!(
        trap(glue::shapes_join(&mut guest, 6, 0, 0, 512)),
        TrapCode::BadArgument
    );
    assert_eq!(
        trap(glue::shapes_join(&mut guest, -1, 0, 0, 512)),
        TrapCode::BadArgument
    );
    assert_eq!(
        trap(glue::shapes_join(&mut guest, 5, -1, 8, 512)),
        TrapCode::BadPointer
    );
}

#[test]
fn results_and_enums_are_scalars() {
    let mut guest = guest();
    glue::shapes_fallible(&mut guest, 0, 2, 600).unwrap();
    assert_eq!(guest.fetch::<Result<Colour, ()>>(600), Ok(Colour::Blue));
    glue::shapes_fallible(&mut guest, 0, 3, 600).unwrap();
    assert_eq!(guest.fetch::<Result<Colour, ()>>(600), Err(()));
    glue::shapes_fallible(&mut guest, 1, 1, 600).unwrap();
    assert_eq!(guest.fetch::<Result<Colour, ()>>(600), Ok(Colour::Green));
    assert_eq!(
        trap(glue::shapes_fallible(&mut guest, 1, 3, 600)),
        TrapCode::BadArgument
    );
    assert_eq!(glue::shapes_unit(&mut guest, 1).unwrap(), 1);
    assert_eq!(glue::shapes_unit(&mut guest, 0).unwrap(), 0);
    assert_eq!(
        trap(glue::shapes_unit(&mut guest, 2)),
        TrapCode::BadArgument
    );
    assert_eq!((Colour::ALL.len(), Colour::Red.name()), (3, "red"));
}

#[test]
fn more_than_sixteen_parameters_go_through_memory() {
    let mut guest = guest();
    let value = (
        mixed(1, "a", None),
        mixed(2, "b", Some(1)),
        mixed(3, "", None),
        vec![0u8; 10],
        "five!".to_owned(),
    );
    let pointer = guest.place(&value) as i32;
    assert_eq!(glue::shapes_wide(&mut guest, pointer).unwrap(), 21);
    assert_eq!(
        trap(glue::shapes_wide(&mut guest, pointer + 4)),
        TrapCode::BadPointer
    );
    assert_eq!(
        trap(glue::shapes_wide(&mut guest, 0x1_0000)),
        TrapCode::BadPointer
    );
}

#[test]
fn hostile_allocators_trap() {
    let value = vec![vec!["one".to_owned(), "two".to_owned()], vec![]];
    for (allocator, expected) in [
        (Allocator::Misaligned, TrapCode::BadRealloc),
        (Allocator::PastTheEnd, TrapCode::BadRealloc),
        (Allocator::Wrapping, TrapCode::BadRealloc),
        (Allocator::Trapping, TrapCode::Unreachable),
    ] {
        let mut guest = guest();
        let list = guest.place(&value);
        let (pointer, count) = pair(&guest, list);
        guest.allocator = allocator;
        assert_eq!(
            trap(glue::shapes_nested(&mut guest, pointer, count, 8)),
            expected
        );
    }
    // Overlapping memory is the guest's own loss: nothing outside of it is written.
    let mut guest = guest();
    let list = guest.place(&value);
    let (pointer, count) = pair(&guest, list);
    guest.allocator = Allocator::Overlapping;
    glue::shapes_nested(&mut guest, pointer, count, 8).unwrap();
}

#[test]
fn lists_are_paid_for_before_they_are_copied() {
    let mut guest = guest();
    let list = guest.place(&vec![vec!["abc".to_owned()]]);
    let (pointer, count) = pair(&guest, list);
    guest.host.charged.clear();
    glue::shapes_nested(&mut guest, pointer, count, 8).unwrap();
    let charges: Vec<u64> = guest.host.charged.iter().map(|(_, bytes)| *bytes).collect();
    // Base; one pair, one pair, three bytes; then all of the result at once.
    assert_eq!(charges, [0, 8, 8, 3, 19]);
    for gas in 0..5 {
        let allocations = guest.allocations.len();
        guest.host.gas = gas;
        assert_eq!(
            trap(glue::shapes_nested(&mut guest, pointer, count, 8)),
            TrapCode::OutOfGas
        );
        assert_eq!(
            guest.allocations.len(),
            allocations,
            "nothing is allocated before it is paid for"
        );
    }
}

#[test]
fn many_lists_that_share_bytes_hit_the_limit() {
    let mut guest = guest();
    guest.host.limit = 1 << 20;
    // A thousand lists that all name the same 64 KiB: 64 MiB if they were copied.
    let strings: Vec<(u32, u32)> = vec![(32, 8 << 10); 1_024];
    let list = guest.place(&strings);
    let (pointer, count) = pair(&guest, list);
    let outer = guest.place(&vec![(pointer as u32, count as u32)]);
    let (pointer, count) = pair(&guest, outer);
    assert_eq!(
        trap(glue::shapes_nested(&mut guest, pointer, count, 8)),
        TrapCode::TransferLimit
    );
}

#[test]
fn list_lengths_cannot_overflow() {
    let mut guest = guest();
    assert_eq!(
        trap(glue::shapes_joins(&mut guest, 0, -1, 8)),
        TrapCode::BadPointer
    );
    assert_eq!(
        trap(glue::shapes_joins(&mut guest, 0, 1 << 28, 8)),
        TrapCode::BadPointer
    );
    assert_eq!(
        trap(glue::shapes_joins(&mut guest, 4, 1, 8)),
        TrapCode::BadPointer
    );
    assert_eq!(
        trap(glue::shapes_alias(&mut guest, -1, 1, 0, 0, 8)),
        TrapCode::BadPointer
    );
    assert_eq!(
        trap(glue::shapes_alias(&mut guest, 0, 0, 0x1_0000, 1, 8)),
        TrapCode::BadPointer
    );
    glue::shapes_alias(&mut guest, 0x1_0000, 0, 0x1_0000, 0, 8).unwrap();
    assert_eq!(guest.fetch::<Vec<u8>>(8), Vec::<u8>::new());
}

#[test]
fn every_outcome_is_recorded() {
    let mut guest = guest();
    let _ = glue::shapes_unit(&mut guest, 1);
    let _ = glue::shapes_unit(&mut guest, 2);
    let entries: Vec<String> = guest
        .host
        .transcript
        .entries()
        .map(|entry| format!("{:?} {}", entry.kind, hex::encode(entry.payload)))
        .collect();
    assert_eq!(
        entries,
        ["Call 01000000", "Return 01000000", "Trap 15000000"]
    );
}

fn joined() -> impl Strategy<Value = Joined> {
    prop_oneof![
        Just(Joined::Nothing),
        any::<u32>().prop_map(Joined::Int),
        any::<f32>().prop_map(Joined::Float),
        any::<u64>().prop_map(Joined::Long),
        any::<f64>().prop_map(Joined::Double),
        vec(any::<u8>(), 0..20).prop_map(Joined::Bytes),
    ]
}

fn encoded<T: Value>(value: &T) -> [u8; 32] {
    let mut transcript = Transcript::new();
    value.encode(&mut transcript);
    transcript.hash()
}

proptest! {
    #[test]
    fn lists_of_variants_come_back(items in vec(joined(), 0..12)) {
        let mut guest = guest();
        let list = guest.place(&items);
        let (pointer, count) = pair(&guest, list);
        glue::shapes_joins(&mut guest, pointer, count, 8).unwrap();
        let back: Vec<Joined> = guest.fetch(8);
        // NaN differs from itself; its canonical bytes do not.
        prop_assert_eq!(encoded(&back), encoded(&items));
    }

    #[test]
    fn nested_lists_come_back(items in vec(vec("\\PC{0,5}", 0..4), 0..4)) {
        let mut guest = guest();
        let list = guest.place(&items);
        let (pointer, count) = pair(&guest, list);
        glue::shapes_nested(&mut guest, pointer, count, 8).unwrap();
        let back: Option<Vec<Vec<String>>> = guest.fetch(8);
        prop_assert_eq!(back, (!items.is_empty()).then_some(items));
    }

    #[test]
    fn records_come_back(small: u8, large: u64, text in "\\PC{0,9}", tail in option::of(any::<u16>())) {
        let mut guest = guest();
        let value = Mixed { small, large, text, tail };
        let pointer = guest.place(&value);
        prop_assert_eq!(guest.fetch::<Mixed>(pointer), value);
    }

    #[test]
    fn hostile_memory_never_panics(seed in vec(any::<u8>(), 256..512), args in any::<[i32; 8]>(), long: i64) {
        let mut guest = guest();
        guest.memory[..seed.len()].copy_from_slice(&seed);
        let [a, b, c, d, e, f, g, h] = args.map(|arg| if arg & 1 == 0 { arg & 0x1ff } else { arg });
        let _ = glue::shapes_joins(&mut guest, a, b, c);
        let _ = glue::shapes_nested(&mut guest, d, e, f);
        let _ = glue::shapes_join(&mut guest, g & 7, long, h, a);
        let _ = glue::shapes_wide(&mut guest, b);
        let _ = glue::shapes_alias(&mut guest, a, b, c, d, e);
        let _ = glue::shapes_mirror(&mut guest, a, long, b, c, d, e, f);
    }
}
