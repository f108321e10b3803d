//! AIVM for hosts that are not written in Rust.
//!
//! | module | holds |
//! |---|---|
//! | [`error`] | codes, and the message of the last failure on a thread |
//! | [`host`] | a chain in memory, or one behind callbacks |
//! | [`callbacks`], [`optional`] | the callbacks that must be there, and those that may |
//! | [`storage`] | listing what contracts have stored |
//! | [`vm`] | uploading, deploying, calling |
//! | [`block`] | PQ-Gas that the transactions of a block share |
//! | [`receipt`] | what a call did |
//!
//! The header is `include/aivm.h`, made from these items. `docs/embedding-c.md` is the guide.
//!
//! # Rules of the interface
//!
//! - A function that can fail gives an [`AivmCode`](error::AivmCode), 0 for success, and leaves its results alone on failure.
//! - Handles are made by one function and freed by another; freeing a null pointer does nothing.
//! - Memory that a function shows belongs to the handle that it was asked of, and lives as long.
//! - No panic leaves the library: it becomes the code `AIVM_PANIC`.
//! - A callback uses neither its host nor anything that needs it; sinks are for the time of the call.
//! - A VM may be shared by threads; a host may be used by one thread at a time.

pub mod block;
pub mod callbacks;
pub mod error;
pub mod host;
pub mod optional;
pub mod receipt;
pub mod storage;
pub mod vm;
