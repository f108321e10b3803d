//! Everything that the build script makes from the WIT files.

#![allow(clippy::all, unused_variables, clippy::pedantic)]

include!(concat!(env!("OUT_DIR"), "/contract.rs"));
