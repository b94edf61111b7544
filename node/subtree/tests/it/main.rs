//! The engine from outside.

#![allow(clippy::unwrap_used)]

mod common;
mod copy;
mod crash;
mod follow;
mod fuzz_files;
mod hub;
mod import;
mod migrate;
mod property;
mod serve;
mod store;
mod watch;
