//! The codec and the integers against alloy's.

use aivm_sdk::abi::{AbiType, Malformed, decode, encode};
use aivm_sdk::prelude::*;
use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives as alloy;
use proptest::prelude::*;

/// A value as alloy has it.
trait Peer: AbiType + Clone + PartialEq + std::fmt::Debug {
    fn peer(&self) -> DynSolValue;
}

macro_rules! unsigned {
    ($($ty:ty = $bits:literal),*) => {$(impl Peer for $ty {
        fn peer(&self) -> DynSolValue { DynSolValue::Uint(alloy::U256::from(*self), $bits) }
    })*};
}
unsigned!(u8 = 8, u16 = 16, u32 = 32, u64 = 64, u128 = 128);

macro_rules! signed {
    ($($ty:ty = $bits:literal),*) => {$(impl Peer for $ty {
        fn peer(&self) -> DynSolValue {
            DynSolValue::Int(alloy::I256::try_from(*self).unwrap(), $bits)
        }
    })*};
}
signed!(i8 = 8, i16 = 16, i32 = 32, i64 = 64, i128 = 128);

fn wide(value: U256) -> alloy::U256 {
    alloy::U256::from_be_bytes(value.to_be_bytes())
}

impl Peer for U256 {
    fn peer(&self) -> DynSolValue {
        DynSolValue::Uint(wide(*self), 256)
    }
}

impl Peer for I256 {
    fn peer(&self) -> DynSolValue {
        DynSolValue::Int(alloy::I256::from_raw(wide(self.bits())), 256)
    }
}

impl Peer for bool {
    fn peer(&self) -> DynSolValue {
        DynSolValue::Bool(*self)
    }
}

impl Peer for Address {
    fn peer(&self) -> DynSolValue {
        DynSolValue::Address(self.0.into())
    }
}

impl<const N: usize> Peer for FixedBytes<N> {
    fn peer(&self) -> DynSolValue {
        let mut word = [0; 32];
        word[..N].copy_from_slice(&self.0);
        DynSolValue::FixedBytes(word.into(), N)
    }
}

impl Peer for Bytes {
    fn peer(&self) -> DynSolValue {
        DynSolValue::Bytes(self.0.clone())
    }
}

impl Peer for String {
    fn peer(&self) -> DynSolValue {
        DynSolValue::String(self.clone())
    }
}

impl<T: Peer> Peer for Vec<T> {
    fn peer(&self) -> DynSolValue {
        DynSolValue::Array(self.iter().map(Peer::peer).collect())
    }
}

impl<T: Peer, const N: usize> Peer for [T; N] {
    fn peer(&self) -> DynSolValue {
        DynSolValue::FixedArray(self.iter().map(Peer::peer).collect())
    }
}

macro_rules! tuples {
    ($($($ty:ident $index:tt)*;)*) => {$(impl<$($ty: Peer),*> Peer for ($($ty,)*) {
        fn peer(&self) -> DynSolValue { DynSolValue::Tuple(vec![$(self.$index.peer()),*]) }
    })*};
}
tuples! { A 0 B 1; A 0 B 1 C 2; A 0 B 1 C 2 D 3; A 0 B 1 C 2 D 3 E 4; }

/// A struct: a tuple that is wrapped once more when it is dynamic.
#[derive(AbiType, Clone, Debug, PartialEq)]
struct Order {
    id: u64,
    note: String,
    parts: Vec<(Address, U256)>,
}

impl Peer for Order {
    fn peer(&self) -> DynSolValue {
        DynSolValue::Tuple(vec![self.id.peer(), self.note.peer(), self.parts.peer()])
    }
}

/// Our bytes are alloy's, both ways, and the names agree.
fn same<T: Peer>(value: &T) {
    let peer = value.peer();
    let ours = encode(value);
    let params = match T::TOP == T::HEAD && T::NAME.as_str().starts_with('(') {
        // A struct, or a static tuple, where it makes no difference.
        true => DynSolValue::Tuple(vec![peer.clone()]).abi_encode_params(),
        false => peer.abi_encode_params(),
    };
    assert_eq!(ours, params, "{value:?}");
    assert_eq!(decode::<T>(&ours).as_ref(), Ok(value));
    let ty = DynSolType::parse(T::NAME.as_str()).unwrap();
    assert!(ty.matches(&peer), "{}", T::NAME.as_str());
    // What is cut short is refused, wherever it is cut.
    if !ours.is_empty() {
        for length in [0, ours.len() / 2, ours.len() - 1] {
            let cut = decode::<T>(&ours[..length]);
            assert!(
                cut.is_err() || T::DYNAMIC && length > 0,
                "{value:?} cut to {length}"
            );
        }
    }
}

fn u256() -> impl Strategy<Value = U256> {
    any::<[u64; 4]>().prop_map(U256::from_limbs)
}

/// Numbers of few bits too, where carries and quotients are interesting.
fn uneven() -> impl Strategy<Value = U256> {
    (u256(), 0u32..256).prop_map(|(value, by)| value >> by)
}

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address)
}

type Wide = (
    Vec<Order>,
    [Vec<u8>; 2],
    (bool, Bytes),
    FixedBytes<5>,
    Vec<[(i16, String); 2]>,
);

fn order() -> impl Strategy<Value = Order> {
    let parts = prop::collection::vec((address(), u256()), 0..4);
    (any::<u64>(), ".{0,40}", parts).prop_map(|(id, note, parts)| Order { id, note, parts })
}

fn wide_value() -> impl Strategy<Value = Wide> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..70);
    (
        prop::collection::vec(order(), 0..4),
        [bytes(), bytes()],
        (any::<bool>(), bytes().prop_map(Bytes)),
        any::<[u8; 5]>().prop_map(FixedBytes),
        prop::collection::vec([(any::<i16>(), ".{0,9}"), (any::<i16>(), ".{0,40}")], 0..3),
    )
}

proptest! {
    #[test]
    fn scalars_are_as_alloy_has_them(
        unsigned in any::<(u8, u16, u32, u64, u128)>(),
        signed in any::<(i8, i16, i32, i64, i128)>(),
        wide in (u256(), u256(), address(), any::<bool>()),
        bytes in any::<[u8; 32]>(),
    ) {
        same(&unsigned);
        same(&signed);
        same(&(wide.0, I256::from_bits(wide.1), wide.2, wide.3));
        same(&(FixedBytes([bytes[0]]), FixedBytes(bytes)));
        same(&[[unsigned.0; 64]; 1]);
        same(&unsigned.2);
    }

    #[test]
    fn nested_values_are_as_alloy_has_them(value in wide_value(), one in order()) {
        same(&value);
        same(&one);
        same(&vec![one]);
    }

    /// Hostile data: nothing panics, and what is accepted is accepted by alloy as well.
    #[test]
    fn damaged_data_is_harmless(
        value in wide_value(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut data = encode(&value);
        for (at, byte) in damage {
            let at = at.index(data.len());
            data[at] = byte;
        }
        if let Ok(read) = decode::<Wide>(&data) {
            let ty = DynSolType::parse(Wide::NAME.as_str()).unwrap();
            prop_assert_eq!(ty.abi_decode_params(&data).ok(), Some(read.peer()));
        }
    }

    #[test]
    fn arithmetic_is_alloys(a in uneven(), b in uneven(), by in 0u32..300) {
        let (x, y) = (wide(a), wide(b));
        let ours = |value: Option<U256>| value.map(wide);
        prop_assert_eq!(ours(a.checked_add(b)), x.checked_add(y));
        prop_assert_eq!(ours(a.checked_sub(b)), x.checked_sub(y));
        prop_assert_eq!(ours(a.checked_mul(b)), x.checked_mul(y));
        prop_assert_eq!(ours(a.checked_div(b)), x.checked_div(y));
        prop_assert_eq!(ours(a.checked_rem(b)), x.checked_rem(y));
        prop_assert_eq!(wide(a.wrapping_mul(b)), x.wrapping_mul(y));
        prop_assert_eq!(wide(a.wrapping_pow(b)), x.wrapping_pow(y));
        prop_assert_eq!(wide(a << by), x << (by as usize));
        prop_assert_eq!(wide(a >> by), x >> (by as usize));
        prop_assert_eq!(a.cmp(&b), x.cmp(&y));
        prop_assert_eq!(a.to_string(), x.to_string());
        prop_assert_eq!((wide(a & b), wide(a | b), wide(a ^ b), wide(!a)), (x & y, x | y, x ^ y, !x));
    }

    #[test]
    fn signed_arithmetic_is_alloys(a in u256(), b in u256(), by in 0u32..257, negative in any::<bool>()) {
        let b = I256::from_bits(b >> by);
        let (a, b) = (I256::from_bits(a), if negative { I256::ZERO.checked_sub(b).unwrap_or(b) } else { b });
        let (x, y) = (alloy::I256::from_raw(wide(a.bits())), alloy::I256::from_raw(wide(b.bits())));
        let ours = |value: Option<I256>| value.map(|v| alloy::I256::from_raw(wide(v.bits())));
        prop_assert_eq!(ours(a.checked_add(b)), x.checked_add(y));
        prop_assert_eq!(ours(a.checked_sub(b)), x.checked_sub(y));
        prop_assert_eq!(ours(a.checked_mul(b)), x.checked_mul(y));
        prop_assert_eq!(ours(a.checked_div(b)), x.checked_div(y));
        prop_assert_eq!(ours(a.checked_rem(b)), x.checked_rem(y));
        prop_assert_eq!(a.cmp(&b), x.cmp(&y));
        prop_assert_eq!(a.to_string(), x.to_string());
    }

    #[test]
    fn keccak_is_alloys(data in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert_eq!(aivm_sdk::keccak256(&data), alloy::keccak256(&data).0);
    }
}

#[test]
fn signed_division_has_edges() {
    let number = |n: i64| I256::from(n);
    let (min, minus) = (I256::MIN, number(-1));
    assert_eq!(min.checked_div(minus), None);
    assert_eq!(min.checked_rem(minus), None);
    assert_eq!(min.checked_div(number(1)), Some(min));
    assert_eq!(I256::MAX.checked_div(minus), min.checked_add(number(1)));
    assert_eq!(number(7).checked_div(number(0)), None);
    assert_eq!(number(7).checked_rem(number(0)), None);
    assert_eq!(
        (number(-7) / number(2), number(-7) % number(2)),
        (number(-3), number(-1))
    );
    assert_eq!(
        (number(7) / number(-2), number(7) % number(-2)),
        (number(-3), number(1))
    );
    let mut sum = number(40);
    sum += number(2);
    sum /= number(-5);
    sum %= number(3);
    assert_eq!(sum, number(-2));
    for wrong in [
        || I256::MIN / I256::from(-1),
        || I256::MIN % I256::from(-1),
        || I256::MAX / I256::ZERO,
    ] {
        assert!(std::panic::catch_unwind(wrong).is_err());
    }
}

#[test]
fn what_is_not_of_the_type_is_malformed() {
    let word = |last: &[u8], fill: u8| {
        let mut word = [fill; 32];
        word[32 - last.len()..].copy_from_slice(last);
        word
    };
    assert_eq!(decode::<u8>(&word(&[1, 0], 0)), Err(Malformed));
    assert_eq!(decode::<bool>(&word(&[2], 0)), Err(Malformed));
    assert_eq!(decode::<i8>(&word(&[0x80], 0xff)), Ok(-128));
    assert_eq!(decode::<i8>(&word(&[0x80], 0)), Err(Malformed));
    assert_eq!(decode::<i8>(&word(&[0x7f], 0xff)), Err(Malformed));
    assert_eq!(decode::<Address>(&word(&[1; 21], 0)), Err(Malformed));
    assert_eq!(decode::<FixedBytes<4>>(&word(&[1], 0)), Err(Malformed));
    // An offset that leads away, a length of 2^32 - 1 elements, text that is not UTF-8.
    assert_eq!(decode::<Bytes>(&word(&[64], 0)), Err(Malformed));
    assert_eq!(decode::<Bytes>(&[0xff; 64]), Err(Malformed));
    let long = [word(&[32], 0), word(&[0xff; 4], 0)].concat();
    assert_eq!(decode::<Vec<U256>>(&long), Err(Malformed));
    let text = [word(&[32], 0), word(&[1], 0), [0xff; 32]].concat();
    assert_eq!(decode::<String>(&text), Err(Malformed));
}

/// What alloy reads as one argument of the type.
fn alloys<T: AbiType>(data: &[u8]) -> Option<DynSolValue> {
    let ty = DynSolType::parse(T::NAME.as_str()).unwrap();
    ty.abi_decode(data).ok()
}

/// Offsets may lead to one place, but the words of a fixed array and of a tuple are counted where it begins.
#[test]
fn values_that_share_their_bytes_are_read_as_alloy_reads_them() {
    fn zeros<T: Peer>(words: usize, expected: Option<&T>, head: &[u8]) {
        let data = [head, &vec![0; 32 * words]].concat();
        let read = decode::<(T,)>(&data).ok().map(|(value,)| value);
        assert_eq!(read.as_ref(), expected, "{words} words");
        assert_eq!(alloys::<T>(&data), expected.map(Peer::peer));
    }
    let part = (false, Bytes::default());
    // Each offset is 0: both parts are the array itself.
    let pair = [part.clone(), part.clone()];
    for words in 0..4 {
        zeros::<[(bool, Bytes); 2]>(words, None, &[]);
    }
    zeros(4, Some(&pair), &[]);
    zeros(5, Some(&pair), &[]);
    // The same behind an offset and a length.
    let mut head = [0; 64];
    (head[31], head[63]) = (32, 2);
    for words in 0..4 {
        zeros::<Vec<(bool, Bytes)>>(words, None, &head);
    }
    zeros(4, Some(&pair.to_vec()), &head);
    // A tuple that begins where the data has one word left.
    zeros::<(bool, Bytes)>(1, None, &[]);
    zeros(2, Some(&part), &[]);
    // Nothing is counted for what is not there.
    head[63] = 0;
    zeros(0, Some(&Vec::<(bool, Bytes)>::new()), &head);
}

/// Results and arguments are counted one by one.
#[test]
fn each_argument_is_counted_from_its_own_place() {
    type Two = ([(bool, Bytes); 2], [(bool, Bytes); 2]);
    assert_eq!(decode::<Two>(&[0; 32 * 4]), Err(Malformed));
    let part = (false, Bytes::default());
    let pair = [part.clone(), part];
    assert_eq!(decode::<Two>(&[0; 32 * 5]), Ok((pair.clone(), pair)));
}
