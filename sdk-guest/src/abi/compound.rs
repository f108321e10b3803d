//! Strings, arrays and tuples.

use alloc::string::String;
use alloc::vec::Vec;

use super::{AbiType, Decoder, Encoder};
use crate::Bytes;
use crate::name::Name;

impl AbiType for Bytes {
    const NAME: Name = Name::new("bytes");
    const DYNAMIC: bool = true;
    fn encode(&self, to: &mut Encoder) {
        to.dynamic(|to| to.bytes(self));
    }
    fn decode(from: &mut Decoder<'_>) -> Self {
        from.dynamic(|from| Self(from.bytes().to_vec()))
    }
}

/// Bytes that are not UTF-8 are malformed.
impl AbiType for String {
    const NAME: Name = Name::new("string");
    const DYNAMIC: bool = true;
    fn encode(&self, to: &mut Encoder) {
        to.dynamic(|to| to.bytes(self.as_bytes()));
    }
    fn decode(from: &mut Decoder<'_>) -> Self {
        from.dynamic(|from| match core::str::from_utf8(from.bytes()) {
            Ok(text) => Self::from(text),
            Err(_) => {
                from.fail();
                Self::new()
            }
        })
    }
}

impl<T: AbiType> AbiType for Vec<T> {
    const NAME: Name = T::NAME.with("[]");
    const DYNAMIC: bool = true;
    fn encode(&self, to: &mut Encoder) {
        to.dynamic(|to| {
            to.length(self.len());
            to.frame(self.len() * T::HEAD);
            self.iter().for_each(|item| item.encode(to));
        });
    }
    fn decode(from: &mut Decoder<'_>) -> Self {
        const { assert!(T::HEAD > 0, "an array of nothing has no length limit") };
        from.dynamic(|from| {
            let length = from.length(T::MIN);
            let mut items = Self::with_capacity(length);
            for _ in 0..length {
                items.push(T::decode(from));
            }
            items
        })
    }
    #[cfg(not(target_arch = "wasm32"))]
    fn describe() -> crate::describe::Type {
        T::describe().array("[]")
    }
    const DEPTH: usize = 2 + T::DEPTH;
}

impl<T: AbiType, const N: usize> AbiType for [T; N] {
    const NAME: Name = {
        assert!(N > 0, "the ABI has no arrays of length 0");
        T::NAME.with("[").with_number(N).with("]")
    };
    const DYNAMIC: bool = T::DYNAMIC;
    const HEAD: usize = if T::DYNAMIC { 32 } else { N * T::HEAD };
    fn encode(&self, to: &mut Encoder) {
        to.tuple(T::DYNAMIC, N * T::HEAD, |to| {
            self.iter().for_each(|item| item.encode(to));
        });
    }
    fn decode(from: &mut Decoder<'_>) -> Self {
        let items = |from: &mut Decoder<'_>| core::array::from_fn(|_| T::decode(from));
        match T::DYNAMIC {
            true => from.dynamic(items),
            false => items(from),
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    fn describe() -> crate::describe::Type {
        T::describe().array(Name::new("[").with_number(N).with("]").as_str())
    }
    const MIN: usize = N * T::MIN;
    const DEPTH: usize = 1 + T::DEPTH;
}

/// Nothing: no arguments, no results.
impl AbiType for () {
    const NAME: Name = Name::new("()");
    const HEAD: usize = 0;
    fn encode(&self, _to: &mut Encoder) {}
    fn decode(_from: &mut Decoder<'_>) -> Self {}
    #[cfg(not(target_arch = "wasm32"))]
    fn describe() -> crate::describe::Type {
        crate::describe::Type::tuple(&[])
    }
    const DEPTH: usize = 1;
}

macro_rules! tuples {
    ($($first:ident $($ty:ident)*;)*) => {$(
        #[allow(non_snake_case, reason = "one name for the type and its value")]
        impl<$first: AbiType, $($ty: AbiType),*> AbiType for ($first, $($ty,)*) {
            const NAME: Name = Name::new("(").and(&$first::NAME)$(.with(",").and(&$ty::NAME))*.with(")");
            const DYNAMIC: bool = $first::DYNAMIC $(|| $ty::DYNAMIC)*;
            const HEAD: usize = if Self::DYNAMIC { 32 } else { Self::TOP };
            const TOP: usize = $first::HEAD $(+ $ty::HEAD)*;
            fn encode(&self, to: &mut Encoder) {
                to.tuple(Self::DYNAMIC, Self::TOP, |to| self.encode_top(to));
            }
            fn decode(from: &mut Decoder<'_>) -> Self {
                let parts = |from: &mut Decoder<'_>| ($first::decode(from), $($ty::decode(from),)*);
                match Self::DYNAMIC {
                    true => from.dynamic(parts),
                    false => parts(from),
                }
            }
            fn encode_top(&self, to: &mut Encoder) {
                let ($first, $($ty,)*) = self;
                $first.encode(to);
                $($ty.encode(to);)*
            }
            fn decode_top(from: &mut Decoder<'_>) -> Self {
                (from.parameter::<$first>(), $(from.parameter::<$ty>(),)*)
            }
            #[cfg(not(target_arch = "wasm32"))]
            fn describe() -> crate::describe::Type {
                crate::describe::Type::tuple(&[("", $first::describe()) $(, ("", $ty::describe()))*])
            }
            const MIN: usize = $first::MIN $(+ $ty::MIN)*;
            const DEPTH: usize = 1 + super::deepest(&[$first::DEPTH $(, $ty::DEPTH)*]);
        }
    )*};
}
tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
}
