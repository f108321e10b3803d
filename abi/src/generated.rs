//! Everything that the build script makes from the WIT files.

// It repeats full paths, and binds names that a short signature does not use.
#![allow(clippy::all, unused_qualifications, unused_variables)]

include!(concat!(env!("OUT_DIR"), "/contract.rs"));
