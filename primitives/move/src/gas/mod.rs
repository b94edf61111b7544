//! Deterministic metering.
//!
//! # What is paid for
//!
//! - **Before the machine runs**: every module of the closure, by its bytes and by the verifier's work on it, both recorded when it was
//!   published. Whether a node has the module in memory changes nothing.
//! - **While it runs**: instructions, frames, types put in for type parameters, bytes copied and compared, resources read.
//! - **Inside native functions**: every step, before it is done ([`NativeMeter`]); what they write and events among it.
//! - **After it**: resources that are written.
//!
//! A call that runs out of gas has no changes.
//!
//! # How large a value is
//!
//! The virtual machine tells its meter the size of some values and hides that of others: a reference is 8 bytes to it, whatever it
//! leads to, when the value behind it is copied or compared; and an empty vector in a vector is nothing. So the meter keeps a bound of
//! its own, [`Meter::bound`]: no value of this execution is larger. Loading, packing and pushing raise it, and copies behind references
//! are paid by it, and comparisons of references or of what may hide parts. It counts at least [`NODE_BYTES`] for everything that has a
//! place of its own in memory. Elements of primitive types stand side by side in a vector and count their bytes; so does a resource
//! whose type has no other vectors.
//!
//! # Memory
//!
//! Whatever takes memory is counted and never given back before the call ends ([`MAX_ALLOCATED_BYTES`]), so what is alive at any time
//! is less.

mod meter;
mod native;

pub use meter::{Meter, MAX_ALLOCATED_BYTES, MAX_CALL_DEPTH, MAX_VALUE_BYTES, NODE_BYTES};
pub use native::NativeMeter;
