//! Deletions that take more than one block.
//!
//! Two kinds wait for idle time: recursive removals, which an account asked for and which run with its rights, and what the hub
//! kept of objects that became remote, which nobody can reach any more.

use crate::{
	operations::actor,
	pallet::{Config, Detached, Dropped, Error, Event, NextRemoval, Objects, Pallet, Removals},
	storage::{child_info, next_key, tree},
	WeightInfo,
};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use dstp_primitives::{
	object::{raw_key, Meta, META_KEY, PREFIX_CHILD},
	tree::RemovalProgress,
	AccountId, ObjectId,
};
use frame_support::{
	ensure,
	storage::{child, with_storage_layer},
	traits::Get,
	weights::Weight,
};
use scale_info::TypeInfo;
use sp_core::storage::ChildInfo;
use sp_runtime::{DispatchError, DispatchResult};

/// Fields and objects, together, that are deleted at a time. A piece fits into the idle time of every block that is not full.
pub(crate) const STEPS_PER_PIECE: u32 = 32;

/// A recursive removal that waits.
///
/// The account stands behind its option, so the value does not start with bytes that a user chose.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Removal {
	/// In whose name; `None`: the system's.
	pub who: Option<AccountId>,
	/// The object at the top.
	pub object: ObjectId,
	/// The counter of its keyspace: an object that was created later under the same id is not meant.
	pub counter: u64,
}

/// The trie that an object's entry stands in, and the key there.
type EntryPlace = (ChildInfo, Vec<u8>);

/// What goes next of a detached tree.
enum Doomed {
	/// An object without children, and where its entry stands.
	Object(ObjectId, Option<EntryPlace>),
	/// The entry of an object whose content was never brought.
	Entry(EntryPlace),
}

/// What a piece of work leads to.
enum Outcome {
	/// There may be more to do in this block.
	Continue,
	/// Nothing waits, or nothing more fits into this block.
	Rest,
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_remove_recursive(who: Option<AccountId>, object: ObjectId) -> DispatchResult {
		// Without a budget it only checks the rights.
		tree::<T>().remove_recursive(&actor(&who), &object, 0).map_err(Error::<T>::from)?;
		let counter = Objects::<T>::get(object).ok_or(Error::<T>::CorruptState)?.counter;
		ensure!(Removals::<T>::count() < T::MaxRemovals::get(), Error::<T>::RemovalQueueFull);
		let queued = Removals::<T>::iter_values().any(|removal| removal.object == object);
		ensure!(!queued, Error::<T>::RemovalQueued);
		let index = NextRemoval::<T>::get();
		NextRemoval::<T>::put(index.checked_add(1).ok_or(Error::<T>::Overflow)?);
		Removals::<T>::insert(index, Removal { who, object, counter });
		Self::deposit_event(Event::RemovalQueued { object });
		Ok(())
	}

	/// What one piece of deletion weighs at most, with the roots of the objects that it changes.
	pub(crate) fn piece_weight() -> Weight {
		let roots = Self::LONGEST_PATH.saturating_add(STEPS_PER_PIECE);
		T::WeightInfo::deletion_piece().saturating_add(Self::roots_weight(0, roots))
	}

	/// Deletes in pieces until nothing waits or `limit` is used up. Gives the weight used.
	pub(crate) fn run_deletions(limit: Weight) -> Weight {
		let mut used = T::WeightInfo::deletion_check();
		if used.any_gt(limit) {
			return Weight::zero();
		}
		let piece = Self::piece_weight();
		let mut failed = BTreeSet::new();
		while used.saturating_add(piece).all_lte(limit) {
			let waiting = Removals::<T>::count() > 0 || Detached::<T>::count() > 0;
			if !waiting || matches!(Self::run_piece(&mut failed), Outcome::Rest) {
				break;
			}
			used.saturating_accrue(piece);
		}
		used
	}

	/// `failed`: what could not be deleted in this block, and is not tried again in it.
	fn run_piece(failed: &mut BTreeSet<ObjectId>) -> Outcome {
		if let Some(object) = Dropped::<T>::iter_keys().find(|object| !failed.contains(object)) {
			return Self::run_drop(object, failed);
		}
		match Removals::<T>::iter().min_by_key(|(index, _)| *index) {
			Some((index, removal)) => Self::run_removal(index, removal),
			None => Outcome::Rest,
		}
	}

	fn run_removal(index: u64, removal: Removal) -> Outcome {
		let Removal { who, object, counter } = removal;
		let result = with_storage_layer(|| {
			let same = Objects::<T>::get(object).is_some_and(|info| info.counter == counter);
			ensure!(same, DispatchError::from(Error::<T>::ObjectNotFound));
			let progress = tree::<T>()
				.remove_recursive(&actor(&who), &object, STEPS_PER_PIECE)
				.map_err(Error::<T>::from)?;
			Self::settle_removal(&progress)?;
			Ok(progress)
		});
		let end = match result {
			Ok(RemovalProgress { done: true, .. }) => Event::RemovalFinished { object },
			Ok(RemovalProgress { stopped: Some((at, reason)), .. }) => {
				Event::RemovalStopped { object, at, reason: Error::<T>::from(reason).into() }
			},
			Ok(_) => return Outcome::Continue,
			Err(error) if error == Error::<T>::BlockFull.into() => return Outcome::Rest,
			Err(reason) => Event::RemovalStopped { object, at: object, reason },
		};
		Removals::<T>::remove(index);
		Self::deposit_event(end);
		Outcome::Continue
	}

	/// Gives back what was paid for the fields that went. Deposits of whole objects went with them.
	fn settle_removal(progress: &RemovalProgress) -> DispatchResult {
		for (object, bytes) in &progress.freed {
			let meta = tree::<T>().meta(object).map_err(Error::<T>::from)?;
			Self::refund(object, meta.ok_or(Error::<T>::CorruptState)?.fields, *bytes)?;
		}
		for object in &progress.removed {
			Self::deposit_event(Event::ObjectRemoved { object: *object });
		}
		Ok(())
	}

	fn run_drop(object: ObjectId, failed: &mut BTreeSet<ObjectId>) -> Outcome {
		let result = with_storage_layer(|| Self::drop_piece(object));
		match result {
			Ok(false) => Outcome::Continue,
			Ok(true) => {
				Self::deposit_event(Event::DetachedDropped { object });
				Outcome::Continue
			},
			// Damaged. It must not keep others from being deleted, but it stays in the queue: there are deposits in it, and its
			// place is taken, until somebody repairs it.
			Err(reason) => {
				failed.insert(object);
				Self::deposit_event(Event::DropFailed { object, reason });
				Outcome::Continue
			},
		}
	}

	/// Deletes up to [`STEPS_PER_PIECE`] entries of a detached tree, lowest object first; `true` when nothing is left.
	fn drop_piece(top: ObjectId) -> Result<bool, DispatchError> {
		let corrupt = || DispatchError::from(Error::<T>::CorruptState);
		let mut steps = 0;
		while steps < STEPS_PER_PIECE {
			let (object, entry) = match Self::next_doomed(top).ok_or_else(corrupt)? {
				Doomed::Object(object, entry) => (object, entry),
				Doomed::Entry((trie, key)) => {
					child::kill(&trie, &key);
					steps = steps.saturating_add(1);
					continue;
				},
			};
			let info = Self::kept(&object).ok_or_else(corrupt)?;
			let trie = child_info(&object, info.counter);
			// The object itself, with its facts, is a step too.
			let (cleared, empty) = clear_entries(&trie, STEPS_PER_PIECE - steps);
			steps = steps.saturating_add(cleared).saturating_add(1);
			if !empty || steps > STEPS_PER_PIECE {
				break;
			}
			if let (Some(link), Some(_)) = (&info.link, &entry) {
				let owner = Self::owner_of(&object).map_err(Error::<T>::from)?;
				Self::count_child(&link.parent, &owner, -1).map_err(Error::<T>::from)?;
			}
			child::kill(&trie, &META_KEY);
			Self::move_deposit(info.deposit, None)?;
			if object == top {
				Detached::<T>::remove(top);
				Dropped::<T>::remove(top);
				return Ok(true);
			}
			Objects::<T>::remove(object);
			if let Some((above, key)) = entry {
				child::kill(&above, &key);
			}
		}
		Ok(false)
	}

	/// What goes next, on the way down from `top`.
	fn next_doomed(top: ObjectId) -> Option<Doomed> {
		let (mut object, mut entry) = (top, None);
		loop {
			let trie = child_info(&object, Self::kept(&object)?.counter);
			let found = next_key(&trie, &[PREFIX_CHILD]).filter(|key| key[0] == PREFIX_CHILD);
			let Some(trie_key) = found else { return Some(Doomed::Object(object, entry)) };
			let meta = Meta::from_value(&child::get_raw(&trie, &META_KEY)?).ok()?;
			let key = raw_key(meta.flags.key_layout(), PREFIX_CHILD, &trie_key)?;
			object = object.child(&key);
			if Self::kept(&object).is_none() {
				return Some(Doomed::Entry((trie, trie_key)));
			}
			entry = Some((trie, trie_key));
		}
	}
}

/// Deletes up to `limit` entries but the facts, in key order; gives how many, and whether nothing but the facts is left.
fn clear_entries(trie: &ChildInfo, limit: u32) -> (u32, bool) {
	let mut cleared = 0;
	// No key is empty, so this finds the first one. From there it goes on behind the last key: from the start each step would look
	// at everything that was deleted before in this block.
	let mut at = Vec::new();
	while let Some(key) = next_key(trie, &at) {
		if key != META_KEY {
			if cleared == limit {
				return (cleared, false);
			}
			child::kill(trie, &key);
			cleared += 1;
		}
		at = key;
	}
	(cleared, true)
}
