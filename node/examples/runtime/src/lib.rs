//! The minimal runtime with two additions of a team: a pallet ([`guestbook`]) and a security mode ([`metered`]).
//!
//! A team copies the files of `runtime/minimal` and edits the copies. Here they are taken from there unchanged,
//! so that this crate shows nothing but the difference: a line in [`Modes`], a pallet in [`Runtime`], and its
//! configuration.

#![cfg_attr(not(feature = "std"), no_std)]
// `impl_runtime_apis!` and the runtime macro recurse once per API method and pallet.
#![recursion_limit = "256"]
// The runtime macro and the Wasm builder generate public items without documentation here.
#![allow(missing_docs)]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

#[path = "../../../../runtime/minimal/src/apis.rs"]
pub mod apis;
#[path = "../../../../runtime/minimal/src/chain.rs"]
pub mod chain;
#[path = "../../../../runtime/minimal/src/configs.rs"]
pub mod configs;
#[path = "../../../../runtime/minimal/src/genesis_config_presets.rs"]
pub mod genesis_config_presets;
pub mod guestbook;
pub mod metered;
#[path = "../../../../runtime/minimal/src/offchain.rs"]
mod offchain;

pub use apis::RuntimeApi;
pub use chain::*;

use alloc::{borrow::Cow, vec::Vec};
use sp_version::{runtime_version, RuntimeVersion};

/// The security modes of this chain: PoA, and the team's own.
pub type Modes = (dstp_primitives::mode::Poa, metered::Metered);

impl guestbook::Config for Runtime {
	type Currency = Balances;
	type Deposit = frame_support::traits::ConstU128<UNIT>;
}

/// The version of this runtime; see the minimal runtime for what its parts mean.
#[runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: Cow::Borrowed("dstp-example"),
	impl_name: Cow::Borrowed("dstp-example"),
	authoring_version: 1,
	spec_version: 1,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 1,
};

#[frame_support::runtime]
mod runtime {
	/// The list of pallets: that of the minimal runtime, and the team's own.
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

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(2)]
	pub type Aura = pallet_aura;
	#[runtime::pallet_index(3)]
	pub type Grandpa = pallet_grandpa;
	#[runtime::pallet_index(4)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(5)]
	pub type TransactionPayment = pallet_transaction_payment;
	#[runtime::pallet_index(6)]
	pub type Sudo = pallet_sudo;
	/// The team's own.
	#[runtime::pallet_index(10)]
	pub type Guestbook = crate::guestbook;
	#[runtime::pallet_index(20)]
	pub type SubtreeSecurity = pallet_subtree_security;
	#[runtime::pallet_index(30)]
	pub type ObjectTree = pallet_object_tree;
}
