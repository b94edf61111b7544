//! The engine from outside.

#![allow(clippy::unwrap_used)]

mod common;
mod copy;
mod crash;
mod follow;
mod hub;
mod import;
mod property;
mod serve;
mod store;
