//! The DSTP hub's runtime: the chain that holds the global state tree.
//!
//! - [`configs`]: the parameters of every pallet, with the reason for each value;
//! - [`apis`]: the runtime APIs, through which the node and its clients read the runtime;
//! - [`genesis_config_presets`]: the first state of the `dev` and `local` chains.
//!
//! # Order of pallets
//!
//! Hooks run in the order of the pallet indices. Timestamp stands before Aura, which checks its
//! slot against it. The object tree has the highest index of all pallets with hooks, because the
//! roots that it computes when a block ends must cover everything that the block changed.
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
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod configs;
pub mod genesis_config_presets;
mod offchain;

use alloc::{borrow::Cow, vec::Vec};
use sp_runtime::{
	generic, impl_opaque_keys,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};
use sp_version::{runtime_version, RuntimeVersion};

pub use apis::RuntimeApi;

/// The number of a block, from 0 at genesis.
pub type BlockNumber = u32;
/// A signature of a transaction: sr25519, ed25519 or ecdsa.
pub type Signature = MultiSignature;
/// An account: 32 bytes, for sr25519 and ed25519 the public key itself.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// An amount of money, in the smallest unit ([`UNIT`] of these are one UNIT).
pub type Balance = u128;
/// The number of transactions that an account has sent.
pub type Nonce = u32;
/// A hash of 32 bytes (blake2-256).
pub type Hash = sp_core::H256;
/// How a transaction names an account.
pub type Address = MultiAddress<AccountId, ()>;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block with decoded extrinsics.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// The transaction extensions: Substrate's standard set only, in its standard order.
///
/// Wallets refuse chains whose extensions they do not know, so nothing of DSTP goes here.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckEra<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);

/// A transaction as it travels.
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a signer of a transaction signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// Executes blocks: dispatches calls and runs the pallets' hooks.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

/// Types for the node, which carries extrinsics as bytes and so survives a change of their format.
pub mod opaque {
	use super::{generic, Header};

	/// An extrinsic as bytes.
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

	/// A block whose extrinsics are bytes.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
}

impl_opaque_keys! {
	/// The keys of a validator: Aura (sr25519) to author blocks, GRANDPA (ed25519) to finalise them.
	pub struct SessionKeys {
		/// Signs the blocks that this validator authors.
		pub aura: Aura,
		/// Signs the votes by which blocks become final.
		pub grandpa: Grandpa,
	}
}

/// The version of this runtime.
///
/// `spec_version` rises with every change of behaviour, `transaction_version` with every change
/// of a call's index or arguments. State version 1 is needed by the object tree: with it a child
/// trie's root equals the root that anyone computes off chain from the same pairs.
#[runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: Cow::Borrowed("dstp-hub"),
	impl_name: Cow::Borrowed("dstp-hub"),
	authoring_version: 1,
	spec_version: 1,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 1,
};

/// The time between two blocks, in milliseconds.
///
/// Three seconds: a local network shows a commit on the hub soon after it was made, and two
/// validators on a small machine still have time to build, send and check a block in each slot.
/// It cannot change once a chain runs, because Aura counts slots of this length from 1970.
pub const SLOT_DURATION_MS: u64 = 3_000;

/// One UNIT, the token that users see, in the smallest unit.
pub const UNIT: Balance = 1_000_000_000_000;
/// A thousandth of a [`UNIT`].
pub const MILLI_UNIT: Balance = UNIT / 1_000;
/// An account with less than this is removed, so that abandoned accounts take no state.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_UNIT;

#[frame_support::runtime]
mod runtime {
	/// The hub's runtime.
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

	/// One account that may call anything, for test networks.
	#[runtime::pallet_index(6)]
	pub type Sudo = pallet_sudo;

	/// Several calls in one transaction.
	#[runtime::pallet_index(7)]
	pub type Utility = pallet_utility;

	/// Remote subtrees and their heads.
	#[runtime::pallet_index(20)]
	pub type SubtreeSecurity = pallet_subtree_security;

	/// The global tree. Last, because a change by a later hook would miss the block's root.
	#[runtime::pallet_index(30)]
	pub type ObjectTree = pallet_object_tree;
}

#[cfg(test)]
mod tests {
	use super::*;
	use frame_support::traits::PalletInfoAccess;
	use sp_runtime::BuildStorage;

	#[test]
	fn pallet_indices_are_pinned() {
		let indices = [
			System::index(),
			Timestamp::index(),
			Aura::index(),
			Grandpa::index(),
			Balances::index(),
			TransactionPayment::index(),
			Sudo::index(),
			Utility::index(),
			SubtreeSecurity::index(),
			ObjectTree::index(),
		];
		assert_eq!(indices, [0, 1, 2, 3, 4, 5, 6, 7, 20, 30]);
	}

	#[test]
	fn every_preset_builds_a_genesis_state() {
		for name in genesis_config_presets::preset_names() {
			let mut ext = sp_io::TestExternalities::new_empty();
			let preset = genesis_config_presets::get_preset(&name).expect("a named preset exists");
			ext.execute_with(|| {
				frame_support::genesis_builder_helper::build_state::<RuntimeGenesisConfig>(
					merged_with_defaults(&preset),
				)
				.expect("the preset fits the genesis config");
				assert!(Balances::total_issuance() > 0);
				assert!(!pallet_aura::Authorities::<Runtime>::get().is_empty());
			});
		}
	}

	#[test]
	fn subtrees_of_genesis_stand_below_objects_of_genesis() {
		use codec::Encode;
		use dstp_primitives::{
			mode::{
				poa::{AuthoritySet, PoaParams},
				Poa, SecurityMode,
			},
			ObjectId,
		};
		let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
		let authorities = AuthoritySet::new(vec![alice.clone()], 1).expect("one key is a set");
		let params = PoaParams { authorities, min_interval_blocks: 0, max_silence_blocks: None };
		let mut preset = genesis_config_presets::development();
		let patch = serde_json::json!({
			"objectTree": { "objects": [{ "path": "/geo", "owner": { "account": alice } }] },
			"subtreeSecurity": { "subtrees": [{
				"path": "/geo/DE",
				"owner": alice,
				"mode": Poa::ID,
				"params": sp_core::bytes::to_hex(&params.encode(), false),
			}] },
		});
		merge(&mut preset, patch);
		let preset = serde_json::to_vec(&preset).expect("valid JSON");
		sp_io::TestExternalities::new_empty().execute_with(|| {
			frame_support::genesis_builder_helper::build_state::<RuntimeGenesisConfig>(
				merged_with_defaults(&preset),
			)
			.expect("the preset fits the genesis config");
			let path = "/geo/DE".parse().expect("a path");
			assert!(SubtreeSecurity::subtree_view(ObjectId::ROOT.descendant(&path)).is_some());
		});
	}

	/// A preset is a patch: the node merges it into the default config, as done here.
	fn merged_with_defaults(patch: &[u8]) -> Vec<u8> {
		let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("valid JSON");
		let patch: serde_json::Value = serde_json::from_slice(patch).expect("valid JSON");
		merge(&mut config, patch);
		serde_json::to_vec(&config).expect("valid JSON")
	}

	fn merge(base: &mut serde_json::Value, patch: serde_json::Value) {
		match (base, patch) {
			(serde_json::Value::Object(base), serde_json::Value::Object(patch)) => {
				for (key, value) in patch {
					merge(base.entry(key).or_insert(serde_json::Value::Null), value);
				}
			},
			(base, patch) => *base = patch,
		}
	}

	#[test]
	fn the_default_genesis_config_is_valid() {
		RuntimeGenesisConfig::default().build_storage().expect("defaults build");
	}

	#[test]
	fn state_version_is_one() {
		assert_eq!(VERSION.state_version(), sp_runtime::StateVersion::V1);
	}
}
