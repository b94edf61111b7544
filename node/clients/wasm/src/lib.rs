//! What a JavaScript client has to know of DSTP, compiled from `dstp-primitives` to a Wasm module without imports.
//!
//! Each function takes a JSON text and gives one: `{"ok": …}` or `{"error": "a sentence"}`. So the clients need no SCALE codec
//! and repeat no format: ids, paths, proofs, calls and headers are read and written here alone.
//!
//! In JSON, bytes are `0x` and hex digits in both directions. Bytes of an application (keys, values, labels) come out as
//! `{ "hex": "0x…", "text": "…" }`, where `text` is `null` if they are not UTF-8. Numbers above 2^53 - 1 come out as decimal
//! text, and every number may go in as such.
//!
//! # Trust model
//!
//! Every request is foreign: it is decoded with the limits of `dstp-primitives`. The module has no imports, so it can reach
//! nothing but its own memory. A proof is checked against the root in the request, and that the caller has to have from a
//! header that it trusts; [`header::read`] computes the hash by which it recognises one.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod abi;
pub mod call;
pub mod header;
pub mod json;
pub mod path;
pub mod proof;
