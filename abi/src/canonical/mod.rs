//! The canonical ABI for core modules: lifting values out of guest memory, lowering them
//! into it, and their canonical bytes in the transcript.
//!
//! The generated code is made of these pieces; sizes, alignments and flat counts are checked
//! at compile time against what `wit-parser` computes.

mod compound;
mod layout;
mod lifter;
mod lower;
mod resource;
mod scalar;
mod value;

pub use layout::{align_to, discriminant_size, field, field_mut, max};
pub use lifter::{Flat, Lifter};
pub use lower::{
    call_frame, exit_frame, fill_buffer, lower_bytes, lower_result, return_frame, write,
};
pub use resource::{Borrow, Handles, Own, Resource, lower_handle};
pub use scalar::{canonical_f32, canonical_f64, lift_discriminant, lower_discriminant};
pub use value::{Scalar, Value, encode_bytes};
