//! Where owners change on the way down, counted as it happens.
//!
//! An object moves to other nodes only with what belongs to its owner. To look at everything below it would take as long as
//! the tree is large. So each object knows how many objects below it have another owner than the object right above them: if there
//! is none, all below it belongs to its owner. The number changes with creations, removals and transfers, each of which touches
//! the objects above it at most. To know what a transfer changes right below an object, its children are counted by owner.

use crate::{
	pallet::{ChildOwners, Config, Detached, Objects, Pallet},
	storage::child_info,
	BalanceOf, ObjectInfo,
};
use dstp_primitives::{
	object::{Meta, META_KEY},
	tree::{Link, StorageError},
	ObjectId, Owner,
};
use frame_support::storage::child;

impl<T: Config> Pallet<T> {
	/// What is kept of an object that is hosted, or detached itself.
	pub(crate) fn kept(object: &ObjectId) -> Option<ObjectInfo<BalanceOf<T>>> {
		Objects::<T>::get(object).or_else(|| Detached::<T>::get(object))
	}

	/// The owner of an object that is hosted or detached.
	pub(crate) fn owner_of(object: &ObjectId) -> Result<Owner, StorageError> {
		let info = Self::kept(object).ok_or(StorageError::Corrupt)?;
		let meta = child::get_raw(&child_info(object, info.counter), &META_KEY)
			.ok_or(StorageError::Corrupt)?;
		Ok(Meta::from_value(&meta).map_err(|_| StorageError::Corrupt)?.owner)
	}

	/// Counts an object that got an owner (`before` is `None`), lost it (`after` is `None`), or got another one.
	pub(crate) fn count_owner(
		object: &ObjectId,
		link: Option<&Link>,
		before: Option<&Owner>,
		after: Option<&Owner>,
	) -> Result<(), StorageError> {
		// What comes or goes has no children.
		let below = match (before, after) {
			(Some(before), Some(after)) => {
				let old = i64::from(ChildOwners::<T>::get(object, before));
				old - i64::from(ChildOwners::<T>::get(object, after))
			},
			_ => 0,
		};
		Self::add_foreign(object, below)?;
		let Some(link) = link else { return Ok(()) };
		let owner_above = Self::owner_of(&link.parent)?;
		let mut above = below;
		for (owner, change) in [(before, -1), (after, 1)] {
			let Some(owner) = owner else { continue };
			Self::count_child(&link.parent, owner, change)?;
			above += if *owner == owner_above { 0 } else { change };
		}
		Self::add_foreign_upwards(&link.parent, above)
	}

	/// Counts an object that comes below `parent` with everything below it (`change` is 1), or goes so (-1).
	pub(crate) fn count_moved(
		object: &ObjectId,
		parent: &ObjectId,
		change: i64,
	) -> Result<(), StorageError> {
		let info = Self::kept(object).ok_or(StorageError::Corrupt)?;
		let owner = Self::owner_of(object)?;
		Self::count_child(parent, &owner, change)?;
		let border = i64::from(owner != Self::owner_of(parent)?);
		Self::add_foreign_upwards(parent, change * (i64::from(info.foreign) + border))
	}

	/// Adds `change` to the number of children of `parent` that belong to `owner`.
	pub(crate) fn count_child(
		parent: &ObjectId,
		owner: &Owner,
		change: i64,
	) -> Result<(), StorageError> {
		ChildOwners::<T>::try_mutate_exists(parent, owner, |count| {
			let new = add(count.unwrap_or(0), change)?;
			*count = (new > 0).then_some(new);
			Ok(())
		})
	}

	/// Adds `change` to the count of `object` and of everything above it, up to the root or to what is detached.
	fn add_foreign_upwards(object: &ObjectId, change: i64) -> Result<(), StorageError> {
		let mut next = Some(*object).filter(|_| change != 0);
		while let Some(object) = next {
			let above = Self::add_foreign(&object, change)?;
			next = above.filter(|_| Objects::<T>::contains_key(object)).map(|link| link.parent);
		}
		Ok(())
	}

	/// Adds `change` to the count of one object. Gives where it stands.
	fn add_foreign(object: &ObjectId, change: i64) -> Result<Option<Link>, StorageError> {
		let count = |info: &mut Option<ObjectInfo<_>>| {
			let Some(info) = info else { return Ok(None) };
			info.foreign = add(info.foreign, change)?;
			Ok(Some(info.link.clone()))
		};
		if change == 0 {
			return Ok(None);
		}
		match Objects::<T>::mutate(object, count)? {
			Some(link) => Ok(link),
			None => Detached::<T>::mutate(object, count)?.ok_or(StorageError::Corrupt),
		}
	}
}

fn add(count: u32, change: i64) -> Result<u32, StorageError> {
	u32::try_from(i64::from(count).saturating_add(change)).map_err(|_| StorageError::Corrupt)
}
