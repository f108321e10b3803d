//! Call data in Rust contracts.

use aivm_abi::calldata::{DynSolType, DynSolValue, Function, decode_output};
use aivm_sdk::abi::{AbiType, decode, encode};
use aivm_sdk::{Address, FixedBytes};

type Wide = (
    Vec<Vec<u16>>,
    String,
    [Vec<(bool, aivm_sdk::Bytes)>; 2],
    i64,
);

/// Arguments that are longer than their place in the head.
type Long = (
    [(FixedBytes<4>, aivm_sdk::Bytes); 2],
    Address,
    (i128, String, [u8; 2]),
    Vec<[(bool, String); 2]>,
);

/// A Rust contract takes for call data what alloy takes, and reads the same there, if all words and texts are of
/// their types (alloy does not look).
pub fn sdk(data: &[u8]) {
    as_alloy::<Wide>(data);
    as_alloy::<Long>(data);
}

fn as_alloy<T: AbiType + PartialEq + std::fmt::Debug>(data: &[u8]) {
    let ty = DynSolType::parse(T::NAME.as_str()).unwrap();
    let peer = decode_output(&gives(&ty), data);
    let bare = decode_output(&gives(&without_meaning(&ty)), data);
    let expected = bare.is_ok_and(|values| fits(&ty, &DynSolValue::Tuple(values)));
    let read = decode::<T>(data);
    assert_eq!(read.is_ok(), expected, "{peer:?}");
    let Ok(read) = read else { return };
    let again = encode(&read);
    assert_eq!(decode::<T>(&again).as_ref(), Ok(&read));
    let canonical = decode_output(&gives(&ty), &again).unwrap();
    assert_eq!(
        DynSolValue::Tuple(canonical.clone()).abi_encode_params(),
        again
    );
    assert_eq!(peer.unwrap(), canonical);
}

/// A function with these results.
fn gives(ty: &DynSolType) -> Function {
    Function::parse(&format!("f() returns {}", ty.sol_type_name())).unwrap()
}

/// A type of the same layout that anything is a value of.
fn without_meaning(ty: &DynSolType) -> DynSolType {
    match ty {
        DynSolType::Bytes | DynSolType::String => DynSolType::Bytes,
        DynSolType::Array(of) => DynSolType::Array(Box::new(without_meaning(of))),
        DynSolType::FixedArray(of, n) => DynSolType::FixedArray(Box::new(without_meaning(of)), *n),
        DynSolType::Tuple(of) => DynSolType::Tuple(of.iter().map(without_meaning).collect()),
        _ => DynSolType::Uint(256),
    }
}

/// Whether a value of the type [`without_meaning`] is one of the type.
fn fits(ty: &DynSolType, bare: &DynSolValue) -> bool {
    use DynSolValue::{Array, Bytes, FixedArray, Tuple, Uint};
    match (ty, bare) {
        (DynSolType::Bool, Uint(word, _)) => word.bit_len() <= 1,
        (DynSolType::Uint(bits), Uint(word, _)) => word.bit_len() <= *bits,
        (DynSolType::Int(bits), Uint(word, _)) => {
            word.bit_len() < *bits || (!*word).bit_len() < *bits
        }
        (DynSolType::Address, Uint(word, _)) => word.bit_len() <= 160,
        (DynSolType::FixedBytes(n), Uint(word, _)) => word.trailing_zeros() >= 256 - 8 * n,
        (DynSolType::Bytes, Bytes(_)) => true,
        (DynSolType::String, Bytes(text)) => std::str::from_utf8(text).is_ok(),
        (DynSolType::Array(of), Array(items))
        | (DynSolType::FixedArray(of, _), FixedArray(items)) => {
            items.iter().all(|item| fits(of, item))
        }
        (DynSolType::Tuple(of), Tuple(items)) => {
            of.iter().zip(items).all(|(of, item)| fits(of, item))
        }
        _ => panic!("{ty:?} and {bare:?}"),
    }
}
