//! The types and numbers of this chain that do not depend on its list of pallets.

use crate::{AllPalletsWithSystem, Aura, Grandpa, Runtime, RuntimeCall};
use alloc::vec::Vec;
use sp_runtime::{
	generic, impl_opaque_keys,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};

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
/// Wallets refuse chains whose extensions they do not know. The check of the metadata's hash is part of the
/// set, because hardware wallets sign for nothing else; it is off until the Wasm is built with that hash.
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

/// The time between two blocks, in milliseconds: long enough for validators on small machines to build, send
/// and check a block. It cannot change once a chain runs, because Aura counts slots of this length from 1970.
pub const SLOT_DURATION_MS: u64 = 3_000;

/// One UNIT, the token that users see, in the smallest unit.
pub const UNIT: Balance = 1_000_000_000_000;
/// A thousandth of a [`UNIT`].
pub const MILLI_UNIT: Balance = UNIT / 1_000;
/// An account with less than this is removed, so that abandoned accounts take no state.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_UNIT;
