//! Neural networks whose types the compiler has checked.

use alloc::vec::Vec;
use core::marker::PhantomData;

use crate::nn::{self, Error, InferenceQuote};
use crate::{U256, Word};

pub use nn::{Tensor as RawTensor, TensorType};

/// A model that takes an `I` and gives an `O`: arrays as the model has them, or tuples of arrays
/// when it has several inputs or outputs. `model!` makes it.
#[derive(Debug)]
pub struct Model<I, O> {
    hash: [u8; 32],
    of: PhantomData<fn(I) -> O>,
}

impl<I, O> Model<I, O> {
    /// The model with this content address. `model!` finds it and its types.
    pub const fn from_hash(hash: [u8; 32]) -> Self {
        Self {
            hash,
            of: PhantomData,
        }
    }

    /// The content address that the model must be registered under.
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }

    fn word(&self) -> Word {
        U256::from_be_bytes(self.hash).into()
    }

    /// What an inference costs.
    ///
    /// # Errors
    /// When the chain does not have the model, or it needs too much memory.
    pub fn quote(&self) -> Result<InferenceQuote, Error> {
        nn::quote(self.word())
    }
}

impl<I: Tensors, O: Tensors> Model<I, O> {
    /// Runs the model.
    ///
    /// # Errors
    /// When the chain does not have the model, or it needs too much memory.
    pub fn try_infer(&self, input: &I) -> Result<O, Error> {
        let mut inputs = Vec::new();
        input.write(&mut inputs);
        let outputs = nn::infer(self.word(), &inputs)?;
        O::read(&mut outputs.iter()).ok_or(Error::ShapeMismatch)
    }

    /// Runs the model; what would be an error of [`try_infer`](Self::try_infer) is a panic.
    #[track_caller]
    pub fn infer(&self, input: &I) -> O {
        match self.try_infer(input) {
            Ok(output) => output,
            Err(Error::ModelNotFound) => panic!("the model is not on this chain"),
            Err(_) => panic!("the inference was refused"),
        }
    }
}

/// An array that is a tensor.
pub trait Tensor: Sized {
    /// Type of the elements.
    const TYPE: TensorType;
    /// Size in bytes.
    const BYTES: usize;
    /// Adds its dimensions.
    fn dimensions(to: &mut Vec<u32>);
    /// Adds its elements, row-major and little-endian.
    fn write(&self, to: &mut Vec<u8>);
    /// Takes its elements from the front; zeros where there are none.
    fn read(from: &mut &[u8]) -> Self;
}

macro_rules! elements {
    ($($ty:ty = $case:ident),*) => {$(
        impl Tensor for $ty {
            const TYPE: TensorType = TensorType::$case;
            const BYTES: usize = size_of::<$ty>();
            fn dimensions(_to: &mut Vec<u32>) {}
            fn write(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&self.to_le_bytes());
            }
            fn read(from: &mut &[u8]) -> Self {
                let Some((bytes, rest)) = from.split_first_chunk() else {
                    return Self::default();
                };
                *from = rest;
                Self::from_le_bytes(*bytes)
            }
        }
    )*};
}
elements!(
    u8 = U8,
    i8 = I8,
    i16 = I16,
    i32 = I32,
    i64 = I64,
    f32 = Fp32
);

impl Tensor for bool {
    const TYPE: TensorType = TensorType::Bool;
    const BYTES: usize = 1;
    fn dimensions(_to: &mut Vec<u32>) {}
    fn write(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }
    fn read(from: &mut &[u8]) -> Self {
        <u8 as Tensor>::read(from) != 0
    }
}

impl<T: Tensor, const N: usize> Tensor for [T; N] {
    const TYPE: TensorType = T::TYPE;
    const BYTES: usize = N * T::BYTES;
    fn dimensions(to: &mut Vec<u32>) {
        to.push(N as u32);
        T::dimensions(to);
    }
    fn write(&self, to: &mut Vec<u8>) {
        self.iter().for_each(|item| item.write(to));
    }
    fn read(from: &mut &[u8]) -> Self {
        core::array::from_fn(|_| T::read(from))
    }
}

/// The inputs or outputs of a model: an array, or a tuple of arrays.
pub trait Tensors: Sized {
    /// Adds them in order.
    fn write(&self, to: &mut Vec<RawTensor>);
    /// Takes them in order, if their types and shapes fit.
    fn read<'a>(from: &mut impl Iterator<Item = &'a RawTensor>) -> Option<Self>;
}

macro_rules! tensors {
    ($(($($generic:ident, $count:ident)?) $ty:ty;)*) => {$(
        impl$(<$generic: Tensor, const $count: usize>)? Tensors for $ty {
            fn write(&self, to: &mut Vec<RawTensor>) {
                let (mut dimensions, mut data) = (Vec::new(), Vec::new());
                Self::dimensions(&mut dimensions);
                Tensor::write(self, &mut data);
                to.push(RawTensor { ty: Self::TYPE, dimensions, data });
            }
            fn read<'a>(from: &mut impl Iterator<Item = &'a RawTensor>) -> Option<Self> {
                let tensor = from.next()?;
                let mut dimensions = Vec::new();
                Self::dimensions(&mut dimensions);
                let fits = tensor.ty == Self::TYPE
                    && tensor.dimensions == dimensions
                    && tensor.data.len() == Self::BYTES;
                fits.then(|| Tensor::read(&mut tensor.data.as_slice()))
            }
        }
    )*};
}
tensors! {
    (T, N) [T; N];
    () u8;
    () i8;
    () i16;
    () i32;
    () i64;
    () f32;
    () bool;
}

macro_rules! tuples {
    ($($($ty:ident)*;)*) => {$(
        #[allow(non_snake_case, reason = "one name for the type and its value")]
        impl<$($ty: Tensors),*> Tensors for ($($ty,)*) {
            fn write(&self, to: &mut Vec<RawTensor>) {
                let ($($ty,)*) = self;
                $($ty.write(to);)*
            }
            fn read<'a>(from: &mut impl Iterator<Item = &'a RawTensor>) -> Option<Self> {
                Some(($($ty::read(from)?,)*))
            }
        }
    )*};
}
tuples! {
    A B;
    A B C;
    A B C D;
}

/// Index of the greatest element, the first of several; 0 of none.
pub fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if values.get(best).is_some_and(|b| value > b) {
            best = i;
        }
    }
    best
}
