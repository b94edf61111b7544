//! Starts the example nodes and uses them as a team does.

#![allow(clippy::unwrap_used)]
// The harness starts one program, so each example loads it for its own.
#![allow(clippy::duplicate_mod)]

mod own_chain;
mod own_protocol;
