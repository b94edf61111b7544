//! The engine that runs Move contracts over the object tree.
//!
//! One engine for every place in which a contract runs: the hub's host functions, the executor of a remote subtree, and a
//! re-execution from the nodes of a proof. What differs is only the [`Storage`](dstp_primitives::Storage) below the tree.
//!
//! | Module | Holds |
//! |---|---|
//! | [`engine`] | [`Engine`]: publish, upgrade, call, view |
//! | [`envelope`] | what bytecode has to fit before the verifier of the virtual machine sees it |
//! | [`gas`] | deterministic metering |
//! | [`machine`] | virtual machines with modules in memory, and when one may serve a call |
//! | [`state`] | what an execution reads of the tree: modules with everything that they need, and resources |
//! | [`guard`] | the stack on which code of the virtual machine runs, and what becomes of its panics |
//! | [`natives`] | the functions of the framework that are written in Rust |
//! | [`framework`] | the modules that every chain has from its first block |
//! | [`error`] | why an execution fails |
//!
//! # What it does
//!
//! - Modules and resources of a contract address stand in the object `account/<address>` of the namespace in which the engine
//!   runs. Addresses are 32 bytes: accounts and object ids alike.
//! - The engine reads the tree and never writes it. It returns an ordered list of
//!   [`ContractChange`](dstp_primitives::contract::ContractChange)s, which the caller applies with
//!   [`ObjectTree::apply_contract`](dstp_primitives::ObjectTree::apply_contract), or drops. A failure has none.
//! - Only the caller of the engine says who signs: a `signer` is never read from the arguments.
//!
//! # Trust model
//!
//! The virtual machine is version 0.3.2 of the crates `mv-*`, published in August 2022 and yanked since. Its bytecode verifier and
//! interpreter have known defects, which [`envelope`] lists with what stops each. Bytecode, type arguments and arguments come from strangers and pass the checks of this crate
//! before the machine sees them; the code in the tree passed them when it was published.
//!
//! A panic inside the machine is caught on the stack on which it happens and becomes an error; the machine that panicked is
//! dropped. A storage that lacks a node gives an error of its own ([`MoveError::Storage`]), never a result.

pub mod engine;
pub mod envelope;
pub mod error;
pub mod framework;
pub mod gas;
pub mod guard;
pub mod machine;
pub mod natives;
pub mod state;

pub use engine::{
	Budget, Call, Context, Engine, Event, Failed, Function, Outcome, Publication, View, ViewOutcome,
};
pub use error::MoveError;
