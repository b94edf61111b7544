//! From changed objects to the global root.

use crate::{
	pallet::{Config, Dirty, GlobalRoot, Pallet, PastRoots},
	storage::{HubStorage, Room},
	WeightInfo,
};
use codec::Encode;
use dstp_primitives::{
	digest::{self, ENGINE_ID},
	id::MAX_DEPTH,
	ObjectId, ObjectTree, StateRoot,
};
use frame_support::{
	traits::{Defensive, Get},
	weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::storage::StateVersion;
use sp_runtime::{
	traits::{SaturatedConversion, Saturating, Zero},
	DigestItem,
};

impl<T: Config> Pallet<T> {
	/// The objects that one change can make dirty: from the deepest one up to the root.
	pub(crate) const LONGEST_PATH: u32 = MAX_DEPTH + 1;

	/// What it costs to compute the roots of `objects`, in which `fields` changed beside facts and children's entries.
	pub(crate) fn roots_weight(fields: u32, objects: u32) -> Weight {
		let wide = T::WeightInfo::compute_wide_root;
		T::WeightInfo::compute_roots(objects).saturating_add(wide(fields).saturating_sub(wide(0)))
	}

	/// Computes the roots of what changed and notes the global root.
	pub(crate) fn commit_roots() {
		// Nothing but a damaged database makes this fail. Then the root stays, which shows in every header; a panic would stop
		// the chain.
		let roots = ObjectTree::new(HubStorage::<T>::with_room(Room::Unlimited))
			.commit_roots()
			.defensive_proof("child tries hold what the tree wrote there; qed")
			.unwrap_or_default();
		// The root object is the last one, and there only if something changed.
		if let Some((ObjectId::ROOT, root)) = roots.last() {
			GlobalRoot::<T>::put(root);
		}
	}

	/// Computes the global root of the block and writes it into the header and into the ring of past roots.
	pub(crate) fn close_block(number: BlockNumberFor<T>) {
		Self::commit_roots();
		let root = GlobalRoot::<T>::get();
		let item = DigestItem::Consensus(ENGINE_ID, digest::GlobalRoot::new(root).encode());
		frame_system::Pallet::<T>::deposit_log(item);
		Self::remember_root(number, root);
	}

	/// Adds a root to the ring, and drops the one that falls out.
	pub(crate) fn remember_root(number: BlockNumberFor<T>, root: StateRoot) {
		PastRoots::<T>::insert(number, root);
		let retention = T::RootRetention::get();
		if number >= retention {
			PastRoots::<T>::remove(number.saturating_sub(retention));
		}
	}

	/// Runs a `change` of a remote child's entry with the given room; the block pays for the roots, no matter who called.
	pub(crate) fn change_entry<R, E>(
		room: Room,
		change: impl FnOnce(&mut ObjectTree<HubStorage<T>>) -> Result<R, E>,
	) -> Result<R, E> {
		let before = Dirty::<T>::count();
		let result = change(&mut ObjectTree::new(HubStorage::with_room(room)))?;
		let marked = Dirty::<T>::count().saturating_sub(before);
		if marked > 0 {
			frame_system::Pallet::<T>::register_extra_weight_unchecked(
				Self::roots_weight(0, marked),
				frame_support::dispatch::DispatchClass::Mandatory,
			);
		}
		Ok(result)
	}

	/// The roots that heads cause are weighed after the fact, so a block must have place for them beside what normal calls may fill
	/// and what operational ones find free.
	fn check_room_for_roots() {
		use frame_support::dispatch::DispatchClass::{Normal, Operational};
		let weights = T::BlockWeights::get();
		let normal = weights.get(Normal).max_total.unwrap_or(weights.max_block);
		let operational = weights.get(Operational).reserved.unwrap_or(weights.max_block);
		let heads = Self::roots_weight(0, T::ReservedDirtyObjects::get());
		let sum = normal.saturating_add(operational).saturating_add(heads);
		assert!(
			sum.all_lte(weights.max_block),
			"normal calls ({normal:?}), what is reserved for operational ones ({operational:?}) and the roots of \
			ReservedDirtyObjects ({heads:?}) weigh more than a block ({:?}): lower one of the three",
			weights.max_block
		);
	}

	/// Panics if the runtime's parameters cannot work. Runs in the runtime's tests only.
	pub(crate) fn check_config() {
		let version = T::Version::get();
		assert!(
			version.system_version >= 1 && version.state_version() == StateVersion::V1,
			"the object tree needs state version 1: set `system_version: 1` in the runtime's VERSION"
		);
		let (max, reserved) = (T::MaxDirtyObjects::get(), T::ReservedDirtyObjects::get());
		assert!(
			reserved >= Self::LONGEST_PATH && max.saturating_sub(reserved) >= Self::LONGEST_PATH,
			"MaxDirtyObjects and ReservedDirtyObjects leave no room for a path of {} objects to calls and to heads",
			Self::LONGEST_PATH
		);
		assert!(
			!T::RootRetention::get().is_zero(),
			"RootRetention of 0 blocks forgets every root at once"
		);
		assert!(T::MaxRemovals::get() > 0, "MaxRemovals of 0 makes recursive removal impossible");
		let all = Self::roots_weight(0, max);
		let block = T::BlockWeights::get().max_block;
		assert!(
			all.all_lte(block),
			"the roots of MaxDirtyObjects weigh more than a block: {all:?} of {block:?}"
		);
		Self::check_room_for_roots();
		let byte: u128 = T::DepositPerByte::get().saturated_into();
		assert!(byte > 0, "DepositPerByte of 0 gives storage away");
	}
}
