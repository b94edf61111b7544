//! Tests of the crate from outside: vectors, a model, attacks, fuzzing, costs.
//!
//! `DSTP_LONG=1` runs the long form of the random tests, `DSTP_SEED=<64 hex digits>` repeats one, `DSTP_UPDATE_VECTORS=1`
//! rewrites the files in `vectors/` (a change of format).

#![allow(clippy::unwrap_used)]

mod access_table;
mod allocation;
mod attacks;
mod contracts;
mod cost;
mod decoding;
mod heads;
mod model;
mod model_tests;
mod mutations;
mod nodes;
mod proofs;
mod ranges;
mod support;
mod trees;
mod vectors;
