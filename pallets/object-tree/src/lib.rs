//! # Object tree pallet
//!
//! Holds the hosted objects of the global tree and computes its root once per block.
//!
//! ## Overview
//!
//! What an object is and who may do what with it is decided by [`dstp_primitives::ObjectTree`], which runs here over child
//! tries ([`HubStorage`]). The pallet adds origins, deposits, weights, events, and the hooks that turn changes into a root.
//!
//! - Every object has a child trie under a keyspace that is never used again ([`keyspace()`]), so an object that is removed and
//!   created again never sees its old state.
//! - A change marks its object and everything above it as dirty, up to a limit per block. When the block ends, the root of each
//!   dirty object is computed once, deepest first; the root of the root object is the **global root**. It stands in storage, in
//!   a ring of past roots, and in the header as the one digest item with the engine id `DSTP`.
//! - An object without changes costs nothing, however many there are.
//! - Large trees are removed by a queue that works in the idle time of blocks.
//! - Remote subtrees are entries whose heads another pallet verifies; it meets this one through
//!   [`dstp_primitives::hub::RemoteObjects`].
//!
//! ## Properties
//!
//! - A call that fails changes neither state nor root.
//! - Everything that grows with what users store has a deposit: [`Config::DepositPerObject`] for an object and [`Config::DepositPerByte`] for the bytes of
//!   its fields. One account pays for one object: the one that changed it last. So nobody is made to pay for what somebody else
//!   handed to him. The deposit returns when the object goes. That of a frozen or shared object stays for ever, as the object
//!   does. Genesis and the chain's root origin pay nothing. What has none is bounded: the set of dirty objects, the ring of roots, and
//!   the queue of removals.
//! - A remote subtree whose state is taken back is out of reach until its content is complete, and its deposits are paid before it
//!   comes. Nothing comes back but what has the root of its last head.
//! - The deposit of an object follows the prices when the object changes; a removal in somebody's name that frees a part of it only ever
//!   lowers it. A runtime that changes prices does not have to migrate.
//! - No value in this pallet's own storage starts with bytes that a user chose.
//! - This pallet is the last one with hooks in a runtime, or changes by later hooks would miss the block's root.
//!
//! ## Weights
//!
//! What a change costs grows with the depth of its object: everything above is looked up, and its roots are computed. So calls take
//! a `depth_bound`, no less than the depth of the object that they create or change: the number of keys in its path, 0 for the
//! root. They declare the look-ups and the roots of that many objects and of the object itself, and are refused with
//! [`Error::DepthBoundTooLow`] after one look-up if it stands deeper. 8 is always enough, and more is the same as 8. What was not
//! needed, because the object stands higher or because others had marked the same objects before, is given back. A refused call
//! keeps what it declared.
//!
//! Calls declare also that each field had the longest value before, and that somebody else's deposit has to be returned. What the change
//! of bytes and deposits shows was not so is given back. Of one object at most 1024 fields and children are removed in one block by
//! calls, because each later look for what is left of it walks over them until the block ends.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod api;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod deposit;
mod error;
mod genesis;
mod hosting;
mod operations;
mod owners;
mod remote;
mod removal;
mod roots;
mod storage;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "try-runtime"))]
mod try_state;
mod weighing;
pub mod weights;

pub use deposit::{BalanceOf, Deposit};
pub use dstp_primitives::hub::FIELD_OVERHEAD_BYTES;
pub use genesis::{GenesisField, GenesisObject, GenesisOwner};
pub use hosting::{Incomplete, StagedObject, Staging};
pub use pallet::*;
pub use remote::RemoteInfo;
pub use removal::Removal;
pub use storage::{keyspace, HubStorage, ObjectInfo};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use dstp_primitives::{
		hub::{ContentSize, OnTreeGenesis},
		object::{ObjectFlags, ObjectType, Value},
		tree::{ObjectEntry, MAX_BATCH_FIELDS},
		AccountId, Key, ObjectId, Owner, StateRoot,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible::MutateHold, StorageVersion},
	};
	use frame_system::pallet_prelude::*;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What a runtime decides.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId = AccountId, RuntimeEvent: From<Event<Self>>>
	{
		/// Weights of calls and hooks.
		type WeightInfo: WeightInfo;

		/// The runtime's reasons for holds.
		type RuntimeHoldReason: From<HoldReason>;

		/// What deposits are paid in.
		type Currency: MutateHold<AccountId, Reason = Self::RuntimeHoldReason>;

		/// Deposit for an object or for the registration of a remote subtree. It pays for the facts, the entry with the parent,
		/// and the map entries: up to about 400 bytes.
		#[pallet::constant]
		type DepositPerObject: Get<BalanceOf<Self>>;

		/// Deposit per byte of a field's key and value and per [`FIELD_OVERHEAD_BYTES`].
		#[pallet::constant]
		type DepositPerByte: Get<BalanceOf<Self>>;

		/// Most objects whose roots are computed in one block. Bounds the work when a block ends.
		#[pallet::constant]
		type MaxDirtyObjects: Get<u32>;

		/// How many of these only heads of remote subtrees can take; users' calls have the rest. Each has a count of its own, so
		/// neither keeps the other out of a block. A head takes as many as there are objects above its subtree that did not
		/// change before.
		#[pallet::constant]
		type ReservedDirtyObjects: Get<u32>;

		/// For how many blocks the global root is remembered. A change needs a migration that clears what falls out.
		#[pallet::constant]
		type RootRetention: Get<BlockNumberFor<Self>>;

		/// Most recursive removals that wait at once: each waiting one is looked at in every block with idle time.
		#[pallet::constant]
		type MaxRemovals: Get<u32>;

		/// Who registers subtrees at genesis below the objects of genesis.
		type OnGenesis: OnTreeGenesis;

		/// Most objects of a remote subtree whose content is taken back. Whoever brings them pays in advance; this bounds how much
		/// of the state one account reserves by one call.
		#[pallet::constant]
		type MaxStagedObjects: Get<u32>;

		/// Most bytes of such content, counted as in [`ContentSize`].
		#[pallet::constant]
		type MaxStagedBytes: Get<u64>;
	}

	/// Why this pallet holds money.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The deposit for objects and remote subtrees.
		#[codec(index = 0)]
		Object,
	}

	/// Hosted objects: where each stands, its keyspace, and who pays for it.
	///
	/// Ids are blake2-256 hashes (of the root: zeros), so they need no further hashing.
	#[pallet::storage]
	pub type Objects<T: Config> =
		StorageMap<_, Identity, ObjectId, ObjectInfo<BalanceOf<T>>, OptionQuery>;

	/// Hosted children of an object by owner, where there are some.
	#[pallet::storage]
	pub type ChildOwners<T: Config> =
		StorageDoubleMap<_, Identity, ObjectId, Blake2_128Concat, Owner, u32, ValueQuery>;

	/// The counter of the next keyspace. Never falls.
	#[pallet::storage]
	pub type NextKeyspace<T: Config> = StorageValue<_, u64, ValueQuery>;

	/// Objects whose root has to be computed when the block ends, with everything above them, and how many keys of each one's trie the
	/// block deleted. Empty between blocks.
	#[pallet::storage]
	pub type Dirty<T: Config> = CountedStorageMap<_, Identity, ObjectId, u32, OptionQuery>;

	/// How many of [`Dirty`] heads of remote subtrees marked; users' calls marked the others. Empty between blocks.
	#[pallet::storage]
	pub type DirtyByHeads<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Root objects of remote subtrees.
	#[pallet::storage]
	pub type Remotes<T: Config> =
		StorageMap<_, Identity, ObjectId, RemoteInfo<BalanceOf<T>>, OptionQuery>;

	/// Objects that became remote and whose tries are kept: until the first head, or until they are deleted.
	#[pallet::storage]
	pub type Detached<T: Config> =
		CountedStorageMap<_, Identity, ObjectId, ObjectInfo<BalanceOf<T>>, OptionQuery>;

	/// Those of [`Detached`] that are being deleted.
	#[pallet::storage]
	pub type Dropped<T: Config> = StorageMap<_, Identity, ObjectId, (), OptionQuery>;

	/// Remote subtrees whose content is being taken back. It is out of reach until it is complete: the root object, once it is
	/// there, stands in [`Detached`].
	#[pallet::storage]
	pub type Stagings<T: Config> =
		StorageMap<_, Identity, ObjectId, Staging<BalanceOf<T>>, OptionQuery>;

	/// Recursive removals that wait, by the number of the request.
	#[pallet::storage]
	pub type Removals<T: Config> = CountedStorageMap<_, Twox64Concat, u64, Removal, OptionQuery>;

	/// The number of the next recursive removal.
	#[pallet::storage]
	pub type NextRemoval<T: Config> = StorageValue<_, u64, ValueQuery>;

	/// The StateRoot of the root object when roots were computed last: at the end of the last block, or at genesis.
	#[pallet::storage]
	pub type GlobalRoot<T: Config> = StorageValue<_, StateRoot, ValueQuery>;

	/// Global roots of the last [`Config::RootRetention`] blocks, by block number.
	#[pallet::storage]
	pub type PastRoots<T: Config> =
		StorageMap<_, Twox64Concat, BlockNumberFor<T>, StateRoot, OptionQuery>;

	/// Objects that exist from the start.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Hosted objects, each after the one above it. The root and `/account` need not be named.
		pub objects: Vec<GenesisObject>,
		/// Nothing.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Pallet::<T>::build_genesis(&self.objects);
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An object was created.
		ObjectCreated {
			/// Its id.
			object: ObjectId,
			/// The object above.
			parent: ObjectId,
			/// Its key there.
			key: Key,
			/// Its owner; `None`: the system.
			owner: Option<AccountId>,
		},
		/// Fields were set.
		FieldsSet {
			/// The object.
			object: ObjectId,
			/// How many fields the call named.
			fields: u32,
		},
		/// Fields were removed.
		FieldsRemoved {
			/// The object.
			object: ObjectId,
			/// How many fields the call named.
			fields: u32,
		},
		/// An object was handed over.
		ObjectTransferred {
			/// The object.
			object: ObjectId,
			/// Its new owner.
			to: AccountId,
		},
		/// Everybody may create children below this object now.
		ObjectShared {
			/// The object.
			object: ObjectId,
		},
		/// An object was fixed for ever.
		ObjectFrozen {
			/// The object.
			object: ObjectId,
		},
		/// An object was removed.
		ObjectRemoved {
			/// The object.
			object: ObjectId,
		},
		/// A recursive removal waits for idle blocks.
		RemovalQueued {
			/// The object at its top.
			object: ObjectId,
		},
		/// A recursive removal is complete.
		RemovalFinished {
			/// The object at its top.
			object: ObjectId,
		},
		/// A recursive removal ended early. What it removed before stays removed.
		RemovalStopped {
			/// The object at its top.
			object: ObjectId,
			/// The object that could not be removed.
			at: ObjectId,
			/// Why not.
			reason: DispatchError,
		},
		/// A remote subtree was registered.
		RemoteCreated {
			/// Its root object.
			object: ObjectId,
			/// The object above.
			parent: ObjectId,
			/// Its key there.
			key: Key,
		},
		/// A remote subtree was removed.
		RemoteRemoved {
			/// Its root object.
			object: ObjectId,
		},
		/// A hosted object became the root of a remote subtree.
		ObjectDetached {
			/// The object.
			object: ObjectId,
			/// Its root, which did not change.
			state_root: StateRoot,
		},
		/// An object that had become remote is hosted again.
		ObjectRestored {
			/// The object.
			object: ObjectId,
		},
		/// The content of a remote subtree is being taken back.
		StagingStarted {
			/// The root object.
			object: ObjectId,
			/// How much was announced and paid for.
			size: ContentSize,
		},
		/// An object's content is complete, and its root the one that the object above names.
		ObjectStaged {
			/// The root object of the subtree.
			subtree: ObjectId,
			/// The object.
			object: ObjectId,
		},
		/// The content of a remote subtree is not taken back. What was brought of it is deleted.
		StagingCancelled {
			/// The root object.
			object: ObjectId,
		},
		/// A remote subtree is hosted.
		ObjectHosted {
			/// The root object.
			object: ObjectId,
			/// Its root, which did not change.
			state_root: StateRoot,
		},
		/// What the hub still kept of an object that became remote, or of content that was not taken back, is deleted.
		DetachedDropped {
			/// The object.
			object: ObjectId,
		},
		/// What the hub still keeps of such an object could not be deleted. It waits on, with its deposits.
		DropFailed {
			/// The object.
			object: ObjectId,
			/// Why not.
			reason: DispatchError,
		},
	}

	/// Why a call is refused. The first variants are those of [`dstp_primitives::TreeError`].
	#[pallet::error]
	pub enum Error<T> {
		/// There is no such object here.
		ObjectNotFound,
		/// An object with this key stands below this parent already.
		ObjectExists,
		/// Only the object's owner may do this.
		NotOwner,
		/// The object is frozen: its fields, children and owner never change again.
		Frozen,
		/// The object is shared: everybody may create children below it, and nothing else.
		SharedReadOnly,
		/// This key is reserved for the system.
		ReservedKey,
		/// Objects stand at most 8 levels below the root of their namespace.
		TooDeep,
		/// The object has children; remove them first or remove recursively.
		HasChildren,
		/// The object has more fields than one operation may remove; remove recursively.
		HasManyFields,
		/// A key occurs twice in one batch.
		DuplicateKey,
		/// The batch names no field.
		EmptyBatch,
		/// A batch names at most 256 fields.
		BatchTooLong,
		/// The zero account can own nothing; freeze the object instead.
		ZeroOwner,
		/// An object that is to be shared is created with hashed keys.
		SharedNeedsHashedKeys,
		/// The root of a namespace is not created, transferred or removed from inside.
		IsRoot,
		/// The object's state is remote: it changes by heads, not by calls.
		IsRemote,
		/// The object's state is not remote.
		NotRemote,
		/// This object's keys are hashed: it has no pages by prefix.
		PrefixOnHashedKeys,
		/// A page has a limit of 1 to 1000.
		BadPage,
		/// A counter would overflow.
		Overflow,
		/// The call reads more of the state than a proof of it may hold; split it.
		WitnessTooLarge,
		/// As many objects as allowed changed in this block already, or as many fields or children of one object were removed; send the
		/// call again in a later block.
		BlockFull,
		/// A stored value cannot be decoded: the state of the chain is damaged.
		CorruptState,
		/// A removal of this object waits already.
		RemovalQueued,
		/// As many removals as allowed wait already; try again later.
		RemovalQueueFull,
		/// What stood here before is still being deleted; try again later.
		DeletionPending,
		/// The object or something below it changed in this block; try again in the next one.
		RootPending,
		/// A remote subtree stands below the object; it can neither move nor be counted as hosted.
		RemoteBelow,
		/// The hub keeps no nodes of this object, or its root has changed since.
		NothingKept,
		/// Something below the object has another owner, is shared or frozen; who holds it would lose it.
		ForeignBelow,
		/// The content of this subtree is being taken back; finish or cancel that first.
		StagingUnfinished,
		/// Nobody takes the content of this subtree back.
		NotStaging,
		/// The hub keeps this object's nodes since it became remote; restore it instead.
		StillKept,
		/// The content of a subtree that is taken back has at least one object, and at most as many and as many bytes as allowed.
		BadContentSize,
		/// Only the account that pays for the content may bring it.
		NotStagingPayer,
		/// An object was begun and is not complete yet.
		ObjectIncomplete,
		/// No object was begun: the first entries come with the object's place and facts.
		NoObjectBegun,
		/// The object above is not part of the content that was brought.
		NotStagedAbove,
		/// The object above has no entry for this object.
		NotNamedAbove,
		/// This object's content is complete already.
		AlreadyStaged,
		/// Entries come in the order of their keys in the trie, each once.
		UnsortedEntries,
		/// More objects or bytes came than were announced.
		MoreThanAnnounced,
		/// The content of the object does not have the root that the object above names.
		WrongContent,
		/// The object's facts state other numbers of fields or children than it has.
		WrongCounts,
		/// Objects are missing in the content.
		ContentMissing,
		/// More than 256 entries of this object came in this block; complete it in the next one.
		TooManyInBlock,
		/// Contracts keep fields in the object; let them take the fields out first.
		HasContractFields,
		/// The object stands deeper than the call paid for; give the number of keys in its path, or 8, which is always enough.
		DepthBoundTooLow,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			// What every block needs to end. Each changed object pays for its own root.
			T::WeightInfo::finalize_block()
		}

		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			Self::run_deletions(remaining)
		}

		fn on_finalize(number: BlockNumberFor<T>) {
			Self::close_block(number);
		}

		fn on_runtime_upgrade() -> Weight {
			// A chain that gets this pallet by an upgrade has no root object from genesis.
			Self::init_root();
			T::DbWeight::get().reads_writes(1, 0)
		}

		fn integrity_test() {
			Self::check_config();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Creates a child of `parent` under `key`, which belongs to the caller. Takes a deposit.
		///
		/// `object_type` and `flags` stay for ever. From the root origin the object belongs to the system.
		///
		/// `depth_bound`: no less than the depth of the new object, which is one more than its parent's; see "Weights" above.
		#[pallet::call_index(0)]
		#[pallet::weight(Pallet::<T>::declared(T::WeightInfo::create(), 0, *depth_bound))]
		pub fn create(
			origin: OriginFor<T>,
			parent: ObjectId,
			key: Key,
			object_type: ObjectType,
			flags: ObjectFlags,
			#[pallet::compact] depth_bound: u32,
		) -> DispatchResultWithPostInfo {
			let payer = ensure_signed_or_root(origin)?;
			Self::do_create(payer, parent, key, object_type, flags, depth_bound)
		}

		/// Sets fields of an object, each key once. Takes or returns a deposit for the change in bytes.
		///
		/// `depth_bound`: no less than the depth of the object; see "Weights" above.
		#[pallet::call_index(1)]
		#[pallet::weight({
			let count = fields.len() as u32;
			let own = Pallet::<T>::set_weight(fields, Pallet::<T>::most_old_bytes(count));
			Pallet::<T>::declared(own.saturating_add(T::WeightInfo::settle()), count, *depth_bound)
		})]
		pub fn set_fields(
			origin: OriginFor<T>,
			object: ObjectId,
			fields: BoundedVec<(Key, Value), ConstU32<MAX_BATCH_FIELDS>>,
			#[pallet::compact] depth_bound: u32,
		) -> DispatchResultWithPostInfo {
			let payer = ensure_signed_or_root(origin)?;
			Self::do_set_fields(payer, object, fields, depth_bound)
		}

		/// Removes fields of an object; those that do not exist are ignored. Returns the deposit for their bytes.
		///
		/// `depth_bound`: no less than the depth of the object; see "Weights" above.
		#[pallet::call_index(2)]
		#[pallet::weight({
			let count = keys.len() as u32;
			let own = Pallet::<T>::remove_fields_weight(count, Pallet::<T>::most_old_bytes(count));
			Pallet::<T>::declared(own.saturating_add(T::WeightInfo::settle()), count, *depth_bound)
		})]
		pub fn remove_fields(
			origin: OriginFor<T>,
			object: ObjectId,
			keys: BoundedVec<Key, ConstU32<MAX_BATCH_FIELDS>>,
			#[pallet::compact] depth_bound: u32,
		) -> DispatchResultWithPostInfo {
			let payer = ensure_signed_or_root(origin)?;
			Self::do_remove_fields(payer, object, keys, depth_bound)
		}

		/// Hands an object over. Its deposit stays with the caller until the new owner changes the object.
		///
		/// `depth_bound`: no less than the depth of the object; see "Weights" above.
		#[pallet::call_index(3)]
		#[pallet::weight({
			let own = T::WeightInfo::change_owner().saturating_add(T::WeightInfo::settle());
			Pallet::<T>::declared(own, 0, *depth_bound)
		})]
		pub fn transfer(
			origin: OriginFor<T>,
			object: ObjectId,
			to: AccountId,
			#[pallet::compact] depth_bound: u32,
		) -> DispatchResultWithPostInfo {
			let payer = ensure_signed_or_root(origin)?;
			Self::do_transfer(payer, object, to, depth_bound)
		}

		/// Lets everybody create children below an object, for ever. Its deposit never returns.
		///
		/// `depth_bound`: no less than the depth of the object; see "Weights" above.
		#[pallet::call_index(4)]
		#[pallet::weight({
			let own = T::WeightInfo::change_owner().saturating_add(T::WeightInfo::settle());
			Pallet::<T>::declared(own, 0, *depth_bound)
		})]
		pub fn share(
			origin: OriginFor<T>,
			object: ObjectId,
			#[pallet::compact] depth_bound: u32,
		) -> DispatchResultWithPostInfo {
			let payer = ensure_signed_or_root(origin)?;
			Self::do_share(payer, object, depth_bound)
		}

		/// Fixes an object's fields, children and owner for ever. Its deposit never returns.
		///
		/// `depth_bound`: no less than the depth of the object; see "Weights" above.
		#[pallet::call_index(5)]
		#[pallet::weight({
			let own = T::WeightInfo::change_owner().saturating_add(T::WeightInfo::settle());
			Pallet::<T>::declared(own, 0, *depth_bound)
		})]
		pub fn freeze(
			origin: OriginFor<T>,
			object: ObjectId,
			#[pallet::compact] depth_bound: u32,
		) -> DispatchResultWithPostInfo {
			let payer = ensure_signed_or_root(origin)?;
			Self::do_freeze(payer, object, depth_bound)
		}

		/// Removes an object that has no children and at most 256 fields. Returns its deposit.
		///
		/// `depth_bound`: no less than the depth of the object; see "Weights" above.
		#[pallet::call_index(6)]
		#[pallet::weight({
			let bytes = Pallet::<T>::most_old_bytes(MAX_BATCH_FIELDS);
			let own = Pallet::<T>::remove_weight(MAX_BATCH_FIELDS, bytes);
			Pallet::<T>::declared(own.saturating_add(T::WeightInfo::settle()), 0, *depth_bound)
		})]
		pub fn remove(
			origin: OriginFor<T>,
			object: ObjectId,
			#[pallet::compact] depth_bound: u32,
		) -> DispatchResultWithPostInfo {
			let payer = ensure_signed_or_root(origin)?;
			Self::do_remove(payer, object, depth_bound)
		}

		/// Removes an object and everything below it over the next blocks, in the caller's name.
		///
		/// It goes on while blocks have idle time and ends with `RemovalFinished`, or with `RemovalStopped` at the first object
		/// that the caller may not remove.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::remove_recursive())]
		pub fn remove_recursive(origin: OriginFor<T>, object: ObjectId) -> DispatchResult {
			let payer = ensure_signed_or_root(origin)?;
			Self::do_remove_recursive(payer, object)
		}

		/// Brings content of a remote subtree that is being taken back. By the account that paid for it in advance.
		///
		/// Objects come one after the other, each after the one above it: first `object` with its place and facts, then, in this
		/// call and the next ones (without `object`), its `entries` in the order of their keys in the trie. `complete` says that these
		/// were the last: then the object's root is compared with the one that the object above names. If they differ, the
		/// call changes nothing; wrong content of earlier calls stays, and the whole has to be cancelled. An object of which more
		/// than 256 entries came in one block is completed in a later one.
		#[pallet::call_index(8)]
		#[pallet::weight({
			let (count, bytes) = Pallet::<T>::entries_size(entries);
			// Earlier calls of this block may have brought entries that the root is computed from.
			let changed = if *complete { MAX_BATCH_FIELDS } else { count };
			T::WeightInfo::stage(count, bytes).saturating_add(Pallet::<T>::roots_weight(changed, 1))
		})]
		pub fn stage(
			origin: OriginFor<T>,
			subtree: ObjectId,
			object: Option<StagedObject>,
			entries: BoundedVec<ObjectEntry, ConstU32<MAX_BATCH_FIELDS>>,
			complete: bool,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_stage(who, subtree, object, &entries, complete)
		}
	}
}
