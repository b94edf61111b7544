//! The smallest complete runtime with the global tree and remote subtrees: what a team copies and starts from.
//!
//! | To change | Look at |
//! |---|---|
//! | the chain's name and version | [`VERSION`] |
//! | the pallets | [`Runtime`] and [`configs`] |
//! | the security modes of remote subtrees | [`Modes`] |
//! | amounts and times | [`chain`] and [`configs`] |
//! | who is a validator and who owns money at the start | [`genesis_config_presets`] |
//! | what the node and its clients may ask | [`apis`] |
//!
//! The file `README.md` beside this crate says how to make it a chain of your own.
//!
//! # Order of pallets
//!
//! Hooks run in the order of the pallet indices. Timestamp stands before Aura, which checks its slot against
//! it. The object tree has the highest index of all pallets with hooks, because the roots that it computes
//! when a block ends must cover everything that the block changed. Pallets of your own come between.
//!
//! A pallet keeps its index for ever: clients find calls, events and errors by it.

#![cfg_attr(not(feature = "std"), no_std)]
// `impl_runtime_apis!` and the runtime macro recurse once per API method and pallet.
#![recursion_limit = "256"]
// The runtime macro and the Wasm builder generate public items without documentation here.
#![allow(missing_docs)]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

pub mod apis;
pub mod chain;
pub mod configs;
pub mod genesis_config_presets;
mod offchain;

pub use apis::RuntimeApi;
pub use chain::*;

use alloc::{borrow::Cow, vec::Vec};
use sp_version::{runtime_version, RuntimeVersion};

/// The security modes of this chain: at most eight types that implement
/// [`SecurityMode`](dstp_primitives::mode::SecurityMode).
pub type Modes = (dstp_primitives::mode::Poa,);

/// The version of this runtime.
///
/// `spec_version` rises with every change of behaviour, `transaction_version` with every change of a call's
/// index or arguments. `system_version` 1 is needed by the object tree: with it a child trie's root equals
/// the root that anyone computes off chain from the same pairs.
#[runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: Cow::Borrowed("dstp-minimal"),
	impl_name: Cow::Borrowed("dstp-minimal"),
	authoring_version: 1,
	spec_version: 1,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 1,
};

#[frame_support::runtime]
mod runtime {
	/// The list of pallets.
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Runtime;

	/// Accounts, blocks and events.
	#[runtime::pallet_index(0)]
	pub type System = frame_system;

	/// The time of the block, set by its author.
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;

	/// Whose turn it is to author a block.
	#[runtime::pallet_index(2)]
	pub type Aura = pallet_aura;

	/// Who finalises blocks.
	#[runtime::pallet_index(3)]
	pub type Grandpa = pallet_grandpa;

	/// Balances, holds and transfers.
	#[runtime::pallet_index(4)]
	pub type Balances = pallet_balances;

	/// Fees.
	#[runtime::pallet_index(5)]
	pub type TransactionPayment = pallet_transaction_payment;

	/// One account that may call anything: the only way to upgrade this runtime. Replace it by your own rule
	/// before the chain is worth something.
	#[runtime::pallet_index(6)]
	pub type Sudo = pallet_sudo;

	/// Remote subtrees and their heads.
	#[runtime::pallet_index(20)]
	pub type SubtreeSecurity = pallet_subtree_security;

	/// The global tree. Last, because a change by a later hook would miss the block's root.
	#[runtime::pallet_index(30)]
	pub type ObjectTree = pallet_object_tree;
}

#[cfg(test)]
mod tests;
