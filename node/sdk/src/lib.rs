//! The DSTP node SDK: a complete Substrate node in a few lines, and every part replaceable alone.
//!
//! A node program names its runtime once and adds what it needs:
//!
//! ```no_run
//! use dstp_node_sdk::{App, NodeRuntime};
//!
//! struct Hub;
//!
//! impl NodeRuntime for Hub {
//!     const NAME: &'static str = "dstp-node";
//!     const VERSION: &'static str = env!("CARGO_PKG_VERSION");
//!     type Block = dstp_hub_runtime::opaque::Block;
//!     type Header = dstp_hub_runtime::Header;
//!     type RuntimeApi = dstp_hub_runtime::RuntimeApi;
//!     type HostFunctions = sp_io::SubstrateHostFunctions;
//!
//!     fn wasm_binary() -> Option<&'static [u8]> {
//!         dstp_hub_runtime::WASM_BINARY
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     App::<Hub>::new().main()
//! }
//! ```
//!
//! - [`NodeRuntime`] is what the node knows of a runtime; nothing here names a concrete one.
//! - [`App`] is the whole program: command line, standard subcommands, errors with remedies.
//! - [`NodeBuilder`] starts a node from a configuration, without a command line.
//! - [`Consensus`] chooses Aura and GRANDPA, or sealing for development.
//! - [`verbs`] are subcommands that talk to a running node: `subtree …` and `proof …`.
//! - [`Extension`] adds a protocol, background tasks and RPC methods; see [`extension`].
//!
//! Databases are ParityDB. Both network backends of Substrate work: litep2p (the default) and
//! libp2p (`--network-backend libp2p`).

// The functions that Substrate calls back must return its large error types.
#![allow(clippy::result_large_err)]

mod builder;
mod chain_spec;
pub mod cli;
mod command;
mod consensus;
mod dev;
mod error;
pub mod extension;
pub mod global_tree;
mod offchain;
mod output;
mod panics;
mod rpc;
mod runtime;
mod service;
pub mod subtree;
pub mod verbs;

pub use builder::{Node, NodeBuilder};
pub use command::App;
pub use consensus::{Consensus, Sealing};
pub use error::{Error, ExtensionError};
pub use extension::{Extension, RegisterContext, RequestQueue, Rpc, StartContext};
pub use runtime::{
	AccountId, ApiOf, Balance, BlockHash, BlockNumber, BlockOf, FullBackend, FullClient,
	NodeRuntime, Nonce, OffchainStorage, StandardApis, TransactionPool,
};
pub use sc_network::config::{IncomingRequest, OutgoingResponse};
pub use sp_io::SubstrateHostFunctions;

// The versions that this SDK is built with, so that a node program need not name them again.
pub use jsonrpsee;
pub use sc_network;
pub use sp_keystore;
