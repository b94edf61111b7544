//! # Subtree security pallet
//!
//! Registers remote subtrees of the global object tree and accepts their heads, each by the security mode that its owner chose.
//!
//! ## Terminology
//!
//! - **Subtree**: everything below one object whose state is on other nodes. Its id is that of its root object.
//! - **Epoch**: the number of a registration. Never used twice on a hub, also not for another subtree.
//! - **Head**: what a subtree commits to after a batch of calls.
//! - **Mode**: the rule by which heads are accepted; a type that implements
//!   [`SecurityMode`](dstp_primitives::mode::SecurityMode). A runtime lists its modes in [`Config::Modes`].
//! - **Evidence**: what a mode demands for a head, for example signatures.
//!
//! ## Properties
//!
//! - Nothing is written to the tree but what [`Verified::by`](dstp_primitives::mode::Verified::by) made of a head: one that
//!   follows the last one (chain, subtree, epoch, era, number, predecessor, root, size, hub blocks) and that the mode accepted.
//! - A final head stays: no call of this pallet undoes it. That is all that `Final` says. What it is worth depends on the mode: a PoA
//!   head is final at once because k authorities vouch for it, and the hub has not checked what is inside; and like everything on
//!   the hub it can still vanish with a block that the hub's own consensus has not finalised.
//! - Anybody submits heads. The evidence authorises, the submitter pays, and gets the fee back when the head is accepted; for one head per
//!   subtree in [`Config::FreeCommitIntervalBlocks`], so that an authority cannot fill blocks for nothing.
//! - A head that is good but finds its block full is put off and takes the subtree's turn without a fee. As long as there is such a turn,
//!   nobody loses a fee to a full block; there is no more than one, or whoever fills the blocks' room for heads could repeat it for ever.
//! - A closed subtree never changes again, and its last head stays readable until its owner removes it. Heads and calls that were signed
//!   for a registration are worth nothing in the next, because it has another epoch.
//! - The owner may take the state back to the hub at its last final head. While the content comes, nothing else changes the subtree but
//!   a rotation that its authorities sign, who must be able to get rid of a stolen key at any time. The owner cannot replace them then:
//!   that they do not commit is no silence. The tree accepts exactly the content that has the head's root, so not even the owner changes a byte on the way.
//! - Every registration holds a deposit for its record ([`HoldReason::Subtree`]); the object's own deposit is the tree's business.
//!
//! ## Off-chain worker
//!
//! At each best block it writes what the hub knows of the subtrees that the node serves or follows into the node's off-chain storage, and
//! submits the heads that the node left there, signed by a key of type `dsub` from the keystore.
//!
//! ## Trust model
//!
//! Every byte of a head, evidence, parameters and updates comes from strangers. [`Config::Tree`] and [`Config::Modes`] are trusted.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod genesis;
#[cfg(test)]
mod mock;
mod offchain;
mod refusal;
mod registry;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
mod views;
pub mod weights;

pub use offchain::crypto;
pub use pallet::*;
pub use types::{
	BalanceOf, Evidence, GenesisSubtree, ModeParams, ModeState, ModeUpdate, SubtreeInfo,
	RECORD_BYTES,
};
pub use weights::WeightInfo;

/// Prepares the tree for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper {
	/// The deepest object below which `owner` may register a subtree.
	fn deepest_parent(owner: &dstp_primitives::AccountId) -> dstp_primitives::ObjectId;

	/// A hosted object of `owner` at the deepest place, where it costs most that an object comes or goes: the object above, below
	/// which `owner` may register a subtree too, and the key.
	fn deepest_object(
		owner: &dstp_primitives::AccountId,
	) -> (dstp_primitives::ObjectId, dstp_primitives::Key);

	/// Brings the root object, with these facts and nothing else, of a subtree that is taken back; or, if not `complete`, less or more.
	fn stage_root(
		owner: &dstp_primitives::AccountId,
		parent: dstp_primitives::ObjectId,
		key: &dstp_primitives::Key,
		meta: dstp_primitives::Meta,
		complete: bool,
	);

	/// Ends the block for the tree, so that what follows finds nothing changed.
	fn close_block();
}

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use dstp_primitives::{
		head::Head,
		hub::{ContentSize, RemoteObjects},
		mode::Modes,
		object::{HeadStatus, ModeId},
		AccountId, Key, ObjectFlags, ObjectId, ObjectType, StateRoot,
	};
	use frame_support::{dispatch::PostDispatchInfo, pallet_prelude::*, traits::fungible};
	use frame_system::{
		offchain::{AppCrypto, CreateSignedTransaction},
		pallet_prelude::*,
	};
	use sp_core::H256;

	/// Version 1 of the storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId = AccountId, Hash = H256, RuntimeEvent: From<Event<Self>>>
		+ CreateSignedTransaction<Call<Self>>
	{
		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// Where deposits are held.
		type Currency: fungible::Mutate<AccountId>
			+ fungible::hold::Mutate<AccountId, Reason = Self::RuntimeHoldReason>;

		/// The global tree. It charges the block itself for the roots that a change of an entry causes.
		type Tree: RemoteObjects<Error: Into<DispatchError>>;

		/// The security modes of this hub: a tuple such as `(Poa,)`. Ids differ.
		type Modes: Modes;

		/// Deposit per byte of a subtree's record.
		#[pallet::constant]
		type DepositPerByte: Get<BalanceOf<Self>>;

		/// Blocks from one head of a subtree whose fee is returned to the next; at least 1. Heads between them pay.
		#[pallet::constant]
		type FreeCommitIntervalBlocks: Get<u32>;

		/// The keys that sign the transactions of the off-chain worker: [`crypto::SubmitterId`].
		type SubmitterId: AppCrypto<Self::Public, Self::Signature>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;

		/// Prepares the tree for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: crate::BenchmarkHelper;
	}

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// For the record of a registered subtree; released when it is removed.
		#[codec(index = 0)]
		Subtree,
	}

	/// Epoch of a hub's first registration.
	#[pallet::type_value]
	pub fn FirstEpoch() -> u64 {
		1
	}

	/// The epoch of the next registration. Only rises.
	#[pallet::storage]
	pub type NextEpoch<T> = StorageValue<_, u64, ValueQuery, FirstEpoch>;

	/// The registered subtrees, open and closed, by the id of their root object.
	#[pallet::storage]
	pub type Subtrees<T: Config> =
		StorageMap<_, Blake2_128Concat, ObjectId, SubtreeInfo<BalanceOf<T>>>;

	/// Subtrees of the genesis config until the tree's objects of genesis exist: path, owner, mode and parameters of each. Empty on a
	/// chain that runs.
	#[pallet::storage]
	#[pallet::unbounded]
	pub type WaitingAtGenesis<T> =
		StorageValue<_, Vec<(Vec<u8>, AccountId, u32, Vec<u8>)>, OptionQuery>;

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Subtrees that exist from block 0, below the root or below objects of genesis that are shared or belong to the subtree's owner.
		pub subtrees: Vec<GenesisSubtree>,
		#[serde(skip)]
		#[doc(hidden)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Pallet::<T>::build_genesis(&self.subtrees);
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A subtree was registered.
		SubtreeRegistered {
			/// Root object of the subtree.
			subtree: ObjectId,
			/// The object above it.
			parent: ObjectId,
			/// Its key there.
			key: Key,
			/// Who registered it.
			owner: AccountId,
			/// The rule by which its heads are accepted.
			mode: ModeId,
			/// The registration.
			epoch: u64,
			/// The root that the first head extends.
			state_root: StateRoot,
		},
		/// A head was accepted.
		HeadAccepted {
			/// Root object of the subtree.
			subtree: ObjectId,
			/// The registration.
			epoch: u64,
			/// The head's era.
			era: u32,
			/// The head's number.
			seq: u64,
			/// blake2-256 of the SCALE of the head.
			hash: H256,
			/// Root of the subtree after it.
			state_root: StateRoot,
			/// How sure the hub is of it.
			status: HeadStatus,
		},
		/// A good head was not accepted, because as many heads as allowed were accepted in this block already. Send it again in a later
		/// block. Its fee was returned.
		HeadPostponed {
			/// Root object of the subtree.
			subtree: ObjectId,
			/// The registration.
			epoch: u64,
			/// The head's number.
			seq: u64,
		},
		/// The state of a subtree's mode was updated by its parties, for example to another set of authorities.
		ModeUpdated {
			/// Root object of the subtree.
			subtree: ObjectId,
			/// The registration.
			epoch: u64,
		},
		/// The subtree's owner replaced silent authorities.
		AuthoritiesReplaced {
			/// Root object of the subtree.
			subtree: ObjectId,
			/// The registration.
			epoch: u64,
		},
		/// A subtree was closed. No head is accepted any more.
		SubtreeClosed {
			/// Root object of the subtree.
			subtree: ObjectId,
			/// The registration.
			epoch: u64,
			/// Number of the last head; 0 if there was none.
			seq: u64,
		},
		/// A subtree without a head went back to the hub, which hosts its state again.
		SubtreeRestored {
			/// Root object of the subtree.
			subtree: ObjectId,
			/// The registration that ended.
			epoch: u64,
		},
		/// The content of a subtree is being taken back to the hub. No head is accepted meanwhile.
		HostingStarted {
			/// Root object of the subtree.
			subtree: ObjectId,
			/// The registration.
			epoch: u64,
		},
		/// The content of a subtree is not taken back. Heads are accepted again.
		HostingCancelled {
			/// Root object of the subtree.
			subtree: ObjectId,
			/// The registration.
			epoch: u64,
		},
		/// The hub hosts the state of a subtree. The registration ended.
		SubtreeHosted {
			/// Root object of the subtree.
			subtree: ObjectId,
			/// The registration that ended.
			epoch: u64,
			/// Number of the last head; 0 if there was none.
			seq: u64,
			/// The root of the subtree, which did not change.
			state_root: StateRoot,
		},
		/// A closed subtree was removed.
		SubtreeRemoved {
			/// Root object of the subtree.
			subtree: ObjectId,
			/// The registration that ended.
			epoch: u64,
		},
	}

	#[pallet::error]
	#[derive(PartialEq)]
	pub enum Error<T> {
		/// No subtree with this id is registered.
		SubtreeNotFound,
		/// A subtree with this id is registered already; a closed one has to be removed first.
		SubtreeExists,
		/// Only the account that registered the subtree may do this.
		NotSubtreeOwner,
		/// The subtree is closed: nothing can change it any more.
		SubtreeClosed,
		/// The subtree is open. Close it first.
		SubtreeNotClosed,
		/// The hub never hosted the subtree's state, or a head was accepted since: nothing can be restored.
		NotRestorable,
		/// The last head can still be undone; the state that it stands for cannot be taken back yet.
		HeadNotFinal,
		/// The content of the subtree is being taken back to the hub, and its authorities cannot commit; finish or cancel that first.
		BeingHosted,
		/// A path in the genesis config is not one, or names the root.
		BadGenesisPath,
		/// A counter would overflow.
		Overflow,

		/// The head's version is not known.
		UnknownVersion,
		/// The head belongs to a chain with another genesis hash.
		WrongChain,
		/// The head belongs to another subtree.
		WrongSubtree,
		/// The head belongs to another registration.
		WrongEpoch,
		/// The head belongs to another era.
		WrongEra,
		/// This head, or one with this number before the last, was accepted already.
		SeqReplayed,
		/// Another head with this number is the last one.
		HeadForked,
		/// Heads before this one are missing.
		SeqGap,
		/// The head does not name the last one as its predecessor.
		WrongPrev,
		/// The head does not start from the last one's root.
		WrongPreRoot,
		/// The head starts from the root before the last one, or from that of the registration: it would roll the subtree back.
		RolledBack,
		/// The head's batch has no entry, or more or larger ones than allowed.
		BadBatchSize,
		/// The head's hub blocks fall, or lie in the future.
		BadHubRange,

		/// This hub has no security mode with that id.
		UnknownMode,
		/// The bytes are not parameters of the mode.
		MalformedParams,
		/// The stored state of the mode cannot be decoded.
		MalformedState,
		/// The bytes are not evidence of the subtree's mode.
		MalformedEvidence,
		/// The bytes are not an update of the subtree's mode.
		MalformedUpdate,
		/// The subtree's mode does not allow this change.
		ChangeNotSupported,
		/// A set of authorities has 1 to 16 keys, and none for which anybody can sign.
		NoAuthority,
		/// A key occurs twice in the set of authorities.
		DuplicateAuthority,
		/// The threshold is at least 1 and at most the number of authorities.
		BadThreshold,
		/// The longest silence is not longer than the shortest interval between heads.
		BadInterval,
		/// The signatures are from a set of authorities that was replaced.
		RotatedSet,
		/// There is no set of authorities with this number yet.
		UnknownSet,
		/// Signatures are not ordered by their signer's index, or a signer occurs twice.
		UnsortedSignatures,
		/// A signer's index is outside the set of authorities.
		UnknownSigner,
		/// Fewer authorities signed than the threshold demands.
		TooFewSignatures,
		/// A signature does not fit its authority and the payload.
		BadSignature,
		/// The shortest interval since the last head has not passed.
		TooEarly,
		/// No longest silence was agreed at registration.
		SilenceNotAgreed,
		/// The authorities have not been silent for longer than agreed.
		NotSilent,
		/// The subtree's mode gave a head a status that only this pallet gives.
		BadStatus,
		/// A mode of this hub's own refused, with this code.
		ModeRefused(u8),
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			Self::check_config();
		}

		fn offchain_worker(_: BlockNumberFor<T>) {
			Self::run_worker();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Registers a new, empty remote subtree below `parent`, which belongs to the caller or is shared.
		///
		/// Its root object gets the given kind and switches and belongs to the caller. Holds a deposit for the record, besides that of the
		/// tree for the object. Errors: those of the tree, of the mode for `params`, and of the caller's balance.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register())]
		pub fn register(
			origin: OriginFor<T>,
			parent: ObjectId,
			key: Key,
			mode: ModeId,
			params: ModeParams,
			object_type: ObjectType,
			flags: ObjectFlags,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_register(who, parent, key, mode, params, object_type, flags).map(drop)
		}

		/// Turns the caller's hosted object `key` below `parent` into a remote subtree that starts from the state it has.
		///
		/// Errors: as [`Self::register`], and those of the tree for objects that cannot move now. Everything below the object belongs to
		/// the caller too: the state moves with the rights over it.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::register_hosted())]
		pub fn register_hosted(
			origin: OriginFor<T>,
			parent: ObjectId,
			key: Key,
			mode: ModeId,
			params: ModeParams,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_register_hosted(who, parent, key, mode, params)
		}

		/// Commits the next head of a subtree. Anybody may submit it; `evidence` is what the subtree's mode demands.
		///
		/// The fee is returned for one head of a subtree in [`Config::FreeCommitIntervalBlocks`]. A good head that finds the block full
		/// takes this turn and is not accepted: the call succeeds with `HeadPostponed`. Without a turn it fails with the tree's error
		/// and pays. Errors: one per rule that the head or its evidence violates; a head that was accepted before gives `SeqReplayed`.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::commit_head(T::Modes::max_signature_checks()))]
		pub fn commit_head(
			origin: OriginFor<T>,
			head: Head,
			evidence: Evidence,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let committed = Self::do_commit_head(head, &evidence)?;
			let actual_weight = Some(T::WeightInfo::commit_head(committed.signature_checks));
			Ok(PostDispatchInfo { actual_weight, pays_fee: committed.pays_fee })
		}

		/// Updates the state of a subtree's mode, for example to another set of authorities. Anybody may submit it; `evidence` is what
		/// the mode demands.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::update_mode(T::Modes::max_signature_checks()))]
		pub fn update_mode(
			origin: OriginFor<T>,
			subtree: ObjectId,
			update: ModeUpdate,
			evidence: Evidence,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let checks = Self::do_update_mode(subtree, &update, &evidence)?;
			Ok(Some(T::WeightInfo::update_mode(checks)).into())
		}

		/// Puts other authorities in the place of those that were silent for longer than agreed at registration. By the subtree's owner.
		///
		/// `update` is an update of the subtree's mode; modes without such a rule refuse. So does the pallet while the subtree's content is
		/// being taken back, because the authorities cannot commit then.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::replace_authorities())]
		pub fn replace_authorities(
			origin: OriginFor<T>,
			subtree: ObjectId,
			update: ModeUpdate,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_replace_authorities(&who, subtree, &update)
		}

		/// Closes a subtree for ever. By its owner. The last head stays readable.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::close())]
		pub fn close(origin: OriginFor<T>, subtree: ObjectId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_close(&who, subtree)
		}

		/// Removes a closed subtree from the tree and returns the deposits. By its owner.
		///
		/// The same id can be registered again, with another epoch.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::remove())]
		pub fn remove(origin: OriginFor<T>, subtree: ObjectId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_remove(&who, subtree)
		}

		/// Takes [`Self::register_hosted`] back, before the first head. By the subtree's owner. Returns the deposits.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::restore())]
		pub fn restore(origin: OriginFor<T>, subtree: ObjectId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_restore(&who, subtree)
		}

		/// Begins to take the content of a subtree back to the hub, at its last head. By the subtree's owner.
		///
		/// Holds the deposits for `size`, the objects and bytes that the content has at most. From now on no head is accepted, and the
		/// caller brings the content to the tree; then [`Self::finish_hosting`] ends the registration. Errors: those of the tree, and
		/// `HeadNotFinal`.
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::start_hosting())]
		pub fn start_hosting(
			origin: OriginFor<T>,
			subtree: ObjectId,
			size: ContentSize,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_start_hosting(&who, subtree, size)
		}

		/// Lets the hub host a subtree whose content is complete. By the subtree's owner. Its root does not change; the registration ends,
		/// and with it its deposit and all that was signed for it.
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::finish_hosting())]
		pub fn finish_hosting(origin: OriginFor<T>, subtree: ObjectId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_finish_hosting(&who, subtree)
		}

		/// Takes [`Self::start_hosting`] back. By the subtree's owner. Heads are accepted again, and the mode counts silence from now on.
		/// What was brought is deleted over the next blocks and its deposits returned; the rest of what was held returns at once.
		#[pallet::call_index(10)]
		// Measured where the root object is the one that is incomplete, which is then found once for both of its shares.
		#[pallet::weight(T::WeightInfo::cancel_hosting().saturating_add(T::DbWeight::get().reads_writes(1, 1)))]
		pub fn cancel_hosting(origin: OriginFor<T>, subtree: ObjectId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_cancel_hosting(&who, subtree)
		}
	}
}
