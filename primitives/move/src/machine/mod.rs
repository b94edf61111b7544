//! Virtual machines with modules in memory.
//!
//! A machine keeps every module that it loaded, under its name, for ever. It knows nothing of forks, upgrades, other subtrees or blocks
//! that were discarded. So this is what decides whether a machine may serve a call: the call's closure is read from the tree each time,
//! and a machine serves only if every module of the closure that it has in memory has the very bytes that the tree has. While it
//! serves, it is given modules of that closure and no others. Nothing has to be invalidated, because nothing is trusted.
//!
//! # Properties
//!
//! - The result of a call does not depend on which machine serves it, nor on whether one was at hand.
//! - A machine never sees a publication; those are checked by machines of their own.
//! - A machine that panicked, or found itself in a state that it calls impossible, is dropped.
//! - Memory is bounded: [`MAX_IDLE_MACHINES`] machines of [`MAX_MACHINE_MODULES`] modules and [`MAX_MACHINE_BYTES`],
//!   each dropped after [`MAX_MACHINE_NODES`] nodes of types that it may keep.

mod functions;
mod pool;

pub(crate) use functions::{Callable, Declared, Functions};
pub(crate) use pool::{new_machine, Machine};
pub use pool::{
	Machines, MAX_IDLE_MACHINES, MAX_MACHINE_BYTES, MAX_MACHINE_MODULES, MAX_MACHINE_NODES,
};
