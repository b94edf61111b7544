//! What calls do: an operation on the tree, then the deposit, the event and the weight.

use crate::{
	pallet::{Config, Detached, Dirty, Error, Event, Pallet},
	storage::{tree, HubStorage},
	WeightInfo,
};
use dstp_primitives::{
	object::{ObjectFlags, ObjectType, Value, META_KEY},
	tree::{Actor, NewObject, MAX_BATCH_FIELDS},
	AccountId, Key, ObjectId, ObjectTree, Storage, TreeError,
};
use frame_support::{
	dispatch::{DispatchResultWithPostInfo, Pays, PostDispatchInfo},
	ensure,
	traits::ConstU32,
	weights::Weight,
	BoundedVec,
};
use sp_runtime::DispatchResult;

/// On whose behalf a call runs: the signer, or the system if the origin is the chain's root.
pub(crate) fn actor(payer: &Option<AccountId>) -> Actor {
	payer.clone().map_or(Actor::System, Actor::Account)
}

impl<T: Config> Pallet<T> {
	/// How many fields a batch has and how many bytes in their keys and values.
	pub(crate) fn batch_size(fields: &[(Key, Value)]) -> (u32, u32) {
		let bytes = fields.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
		(fields.len() as u32, u32::try_from(bytes).unwrap_or(u32::MAX))
	}

	/// Runs `change` with the room that users' calls have; gives how many objects it made dirty, too.
	fn change<R>(
		change: impl FnOnce(&mut ObjectTree<HubStorage<T>>) -> Result<R, TreeError>,
	) -> Result<(R, u32), Error<T>> {
		let before = Dirty::<T>::count();
		let result = change(&mut tree::<T>())?;
		// A removal can take more objects from the set than the call added.
		Ok((result, Dirty::<T>::count().saturating_sub(before)))
	}

	/// What a call weighed in the end: its own work, and the roots that nobody before it had to pay for.
	fn spent(own: Weight, keys: u32, marked: u32) -> DispatchResultWithPostInfo {
		let actual_weight = Some(own.saturating_add(Self::roots_weight(keys, marked)));
		Ok(PostDispatchInfo { actual_weight, pays_fee: Pays::Yes })
	}

	/// Brings the deposit of an object that `payer` just changed up to date.
	fn settle(object: &ObjectId, payer: &Option<AccountId>, delta: i64) -> DispatchResult {
		let meta = tree::<T>().meta(object).map_err(Error::<T>::from)?;
		let fields = meta.ok_or(Error::<T>::CorruptState)?.fields;
		Self::charge(object, payer.as_ref(), fields, delta)
	}

	pub(crate) fn do_create(
		payer: Option<AccountId>,
		parent: ObjectId,
		key: Key,
		object_type: ObjectType,
		flags: ObjectFlags,
	) -> DispatchResultWithPostInfo {
		Self::ensure_vacant(&parent.child(&key))?;
		let new = NewObject { object_type, flags };
		let (object, marked) =
			Self::change(|tree| tree.create(&actor(&payer), &parent, &key, new))?;
		Self::settle(&object, &payer, 0)?;
		Self::deposit_event(Event::ObjectCreated { object, parent, key, owner: payer });
		Self::spent(T::WeightInfo::create(), 2, marked)
	}

	/// Refuses a place whose last object is still being deleted.
	pub(crate) fn ensure_vacant(object: &ObjectId) -> Result<(), Error<T>> {
		ensure!(!Detached::<T>::contains_key(object), Error::<T>::DeletionPending);
		Ok(())
	}

	pub(crate) fn do_set_fields(
		payer: Option<AccountId>,
		object: ObjectId,
		fields: BoundedVec<(Key, Value), ConstU32<MAX_BATCH_FIELDS>>,
	) -> DispatchResultWithPostInfo {
		let (count, bytes) = Self::batch_size(&fields);
		let (delta, marked) =
			Self::change(|tree| tree.set_fields(&actor(&payer), &object, &fields))?;
		Self::settle(&object, &payer, delta)?;
		Self::deposit_event(Event::FieldsSet { object, fields: count });
		Self::spent(T::WeightInfo::set_fields(count, bytes), count, marked)
	}

	pub(crate) fn do_remove_fields(
		payer: Option<AccountId>,
		object: ObjectId,
		keys: BoundedVec<Key, ConstU32<MAX_BATCH_FIELDS>>,
	) -> DispatchResultWithPostInfo {
		let count = keys.len() as u32;
		let (delta, marked) =
			Self::change(|tree| tree.remove_fields(&actor(&payer), &object, &keys))?;
		Self::settle(&object, &payer, delta)?;
		Self::deposit_event(Event::FieldsRemoved { object, fields: count });
		Self::spent(T::WeightInfo::remove_fields(count), count, marked)
	}

	pub(crate) fn do_transfer(
		payer: Option<AccountId>,
		object: ObjectId,
		to: AccountId,
	) -> DispatchResultWithPostInfo {
		let ((), marked) = Self::change(|tree| tree.transfer(&actor(&payer), &object, &to))?;
		Self::settle(&object, &payer, 0)?;
		Self::deposit_event(Event::ObjectTransferred { object, to });
		Self::spent(T::WeightInfo::change_owner(), 1, marked)
	}

	pub(crate) fn do_share(
		payer: Option<AccountId>,
		object: ObjectId,
	) -> DispatchResultWithPostInfo {
		let ((), marked) = Self::change(|tree| tree.share(&actor(&payer), &object))?;
		Self::settle(&object, &payer, 0)?;
		Self::deposit_event(Event::ObjectShared { object });
		Self::spent(T::WeightInfo::change_owner(), 1, marked)
	}

	pub(crate) fn do_freeze(
		payer: Option<AccountId>,
		object: ObjectId,
	) -> DispatchResultWithPostInfo {
		let ((), marked) = Self::change(|tree| tree.freeze(&actor(&payer), &object))?;
		Self::settle(&object, &payer, 0)?;
		Self::deposit_event(Event::ObjectFrozen { object });
		Self::spent(T::WeightInfo::change_owner(), 1, marked)
	}

	pub(crate) fn do_remove(
		payer: Option<AccountId>,
		object: ObjectId,
	) -> DispatchResultWithPostInfo {
		let (fields, marked) = Self::change(|tree| {
			let fields = match tree.meta(&object)? {
				// Behind the facts stand nonces only, which are not counted.
				Some(_) if tree.storage().next_key(&object, &META_KEY)?.is_some() => {
					u64::from(MAX_BATCH_FIELDS)
				},
				meta => meta.map_or(0, |meta| meta.fields),
			};
			tree.remove(&actor(&payer), &object)?;
			Ok(fields)
		})?;
		Self::deposit_event(Event::ObjectRemoved { object });
		// The tree removed the object, so it had no more fields than one operation may remove.
		Self::spent(T::WeightInfo::remove(fields as u32), 2, marked)
	}
}
