//! Deletions that take more than one block.
//!
//! Two kinds wait for idle time: recursive removals, which an account asked for and which run with its rights, and what the hub
//! kept of objects that became remote, which nobody can reach any more.
//!
//! The database sees what a block deletes only when the block ends, so a look for the first key that is left walks over everything
//! that was deleted before it in the block. [`Run`] remembers how far each look came: whatever the block deleted, all pieces
//! of it together walk over each such key once.

use crate::{
	operations::actor,
	pallet::{Config, Detached, Dropped, Error, Event, NextRemoval, Objects, Pallet, Removals},
	storage::{child_info, next_key, tree},
	weighing::MAX_FIELD_BYTES,
	WeightInfo,
};
use alloc::{collections::VecDeque, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use dstp_primitives::{
	object::{raw_key, Meta, META_KEY, PREFIX_CHILD},
	tree::{RemovalProgress, Trail, MAX_REMOVAL_BYTES},
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

/// The deletions of one block. Calls run before them, so nothing comes or goes but by them.
#[derive(Default)]
struct Run {
	/// How far objects are deleted.
	trail: Trail,
	/// The removals that waited when the first one was due, in their order.
	removals: Option<VecDeque<(u64, Removal)>>,
	/// The last dropped tree that is done with in this block: gone, or damaged.
	last_drop: Option<ObjectId>,
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
		// The last value is read before it is known to be too much.
		let most_bytes = u32::try_from(MAX_REMOVAL_BYTES).unwrap_or(u32::MAX);
		let old_values = Self::old_values_weight(most_bytes.saturating_add(MAX_FIELD_BYTES));
		T::WeightInfo::deletion_piece()
			.saturating_add(old_values)
			.saturating_add(Self::roots_weight(0, roots))
	}

	/// Deletes in pieces until nothing waits or `limit` is used up. Gives the weight used.
	pub(crate) fn run_deletions(limit: Weight) -> Weight {
		let mut used = T::WeightInfo::deletion_check();
		if used.any_gt(limit) {
			return Weight::zero();
		}
		let piece = Self::piece_weight();
		let mut run = Run::default();
		while used.saturating_add(piece).all_lte(limit) {
			let waiting = Removals::<T>::count() > 0 || Detached::<T>::count() > 0;
			if !waiting || matches!(Self::run_piece(&mut run), Outcome::Rest) {
				break;
			}
			used.saturating_accrue(piece);
		}
		used
	}

	fn run_piece(run: &mut Run) -> Outcome {
		let mut dropped = match run.last_drop {
			Some(last) => Dropped::<T>::iter_keys_from_key(last),
			None => Dropped::<T>::iter_keys(),
		};
		if let Some(object) = dropped.next() {
			return Self::run_drop(object, run);
		}
		let waiting = run.removals.get_or_insert_with(|| {
			let mut waiting: Vec<_> = Removals::<T>::iter().collect();
			waiting.sort_by_key(|(index, _)| *index);
			waiting.into()
		});
		match waiting.pop_front() {
			Some((index, removal)) => Self::run_removal(index, removal, run),
			None => Outcome::Rest,
		}
	}

	fn run_removal(index: u64, removal: Removal, run: &mut Run) -> Outcome {
		let Removal { who, object, counter } = removal.clone();
		let mut trail = run.trail.clone();
		let result = with_storage_layer(|| {
			let same = Objects::<T>::get(object).is_some_and(|info| info.counter == counter);
			ensure!(same, DispatchError::from(Error::<T>::ObjectNotFound));
			let progress = tree::<T>()
				.remove_recursive_on(&mut trail, &actor(&who), &object, STEPS_PER_PIECE)
				.map_err(Error::<T>::from)?;
			Self::settle_removal(&progress)?;
			Ok(progress)
		});
		// What an error undid is still there.
		if result.is_ok() {
			run.trail = trail;
		}
		let end = match result {
			Ok(RemovalProgress { done: true, .. }) => Event::RemovalFinished { object },
			Ok(RemovalProgress { stopped: Some((at, reason)), .. }) => {
				Event::RemovalStopped { object, at, reason: Error::<T>::from(reason).into() }
			},
			Ok(_) => {
				if let Some(waiting) = &mut run.removals {
					waiting.push_front((index, removal));
				}
				return Outcome::Continue;
			},
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

	fn run_drop(object: ObjectId, run: &mut Run) -> Outcome {
		let mut trail = run.trail.clone();
		let result = with_storage_layer(|| Self::drop_piece(object, &mut trail));
		if result.is_ok() {
			run.trail = trail;
		}
		match result {
			Ok(false) => return Outcome::Continue,
			Ok(true) => Self::deposit_event(Event::DetachedDropped { object }),
			// Damaged. It must not keep others from being deleted, but it stays in the queue: there are deposits in it, and its
			// place is taken, until somebody repairs it.
			Err(reason) => Self::deposit_event(Event::DropFailed { object, reason }),
		}
		run.last_drop = Some(object);
		Outcome::Continue
	}

	/// Deletes up to [`STEPS_PER_PIECE`] entries of a detached tree, lowest object first; `true` when nothing is left.
	fn drop_piece(top: ObjectId, trail: &mut Trail) -> Result<bool, DispatchError> {
		let corrupt = || DispatchError::from(Error::<T>::CorruptState);
		let mut steps = 0;
		while steps < STEPS_PER_PIECE {
			let (object, entry) = match Self::next_doomed(top, trail).ok_or_else(corrupt)? {
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
			let (cleared, empty) = clear_entries(&object, &trie, STEPS_PER_PIECE - steps, trail);
			steps = steps.saturating_add(cleared).saturating_add(1);
			if !empty || steps > STEPS_PER_PIECE {
				break;
			}
			if let (Some(link), Some(_)) = (&info.link, &entry) {
				let owner = Self::owner_of(&object).map_err(Error::<T>::from)?;
				Self::count_child(&link.parent, &owner, -1).map_err(Error::<T>::from)?;
			}
			child::kill(&trie, &META_KEY);
			trail.forget(&object);
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
	fn next_doomed(top: ObjectId, trail: &mut Trail) -> Option<Doomed> {
		let (mut object, mut entry) = (top, None);
		loop {
			let trie = child_info(&object, Self::kept(&object)?.counter);
			let Some(trie_key) = next_child_key(&object, &trie, trail) else {
				return Some(Doomed::Object(object, entry));
			};
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

/// The trie key of an object's first child that is left.
fn next_child_key(object: &ObjectId, trie: &ChildInfo, trail: &mut Trail) -> Option<Vec<u8>> {
	let from = trail.children(object).max(&[PREFIX_CHILD]).to_vec();
	if from[0] > PREFIX_CHILD {
		return None;
	}
	// No child has the key of the prefix alone, with which the first look starts.
	let found = match child::exists(trie, &from) {
		true => Some(from),
		false => next_key(trie, &from).filter(|key| key[0] == PREFIX_CHILD),
	};
	trail.set_children(object, found.clone().unwrap_or(alloc::vec![PREFIX_CHILD + 1]));
	found
}

/// Deletes up to `limit` entries of an object without children but its facts, in key order; gives how many, and whether nothing but the
/// facts is left.
fn clear_entries(
	object: &ObjectId,
	trie: &ChildInfo,
	limit: u32,
	trail: &mut Trail,
) -> (u32, bool) {
	let mut cleared = 0;
	// No key is empty, so the first look finds the first one.
	let mut at = trail.entries(object).to_vec();
	let mut empty = true;
	while let Some(key) = next_key(trie, &at) {
		if key != META_KEY {
			if cleared == limit {
				empty = false;
				break;
			}
			child::kill(trie, &key);
			cleared += 1;
		}
		at = key;
	}
	trail.set_entries(object, at);
	(cleared, empty)
}
