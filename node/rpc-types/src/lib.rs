//! How DSTP's questions and answers stand in JSON.
//!
//! - [`bytes`]: bytes as `0x` and hex digits, ids, accounts, paths, numbers above 2^53;
//! - [`location`]: where an object's state is;
//! - [`proof`]: what a checked proof says;
//! - [`header`]: block headers of the hub and the global root in them;
//! - `tree` (with `std`): the parameters and answers of the node's `dstp_*` methods.
//!
//! The node library serves them, and the Wasm module of the JavaScript client gives the same, so they have one home.
//! `docs/openrpc.json` describes them.
//!
//! # Trust model
//!
//! Everything that is read here is foreign. Lengths and shapes are checked while reading, and the message of a refusal says
//! what is expected.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod bytes;
pub mod header;
pub mod location;
pub mod proof;
#[cfg(feature = "std")]
pub mod tree;
