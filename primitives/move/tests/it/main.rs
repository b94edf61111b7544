//! The engine from outside: real contracts, compiled from their source, over trees in memory.

#![allow(clippy::unwrap_used)]

mod calls;
mod cost;
mod framework;
mod gas;
mod machines;
mod mutants;
mod publications;
mod support;
mod triggers;
