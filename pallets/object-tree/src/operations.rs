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
use sp_runtime::DispatchError;

/// What a change of an object came across.
struct Touched {
	/// Fields of the object after the change; `None`: it is gone.
	fields: Option<u64>,
	/// Objects that were looked up on the way to the root of the tree.
	looked_up: u32,
	/// Objects that became dirty.
	marked: u32,
}

/// On whose behalf a call runs: the signer, or the system if the origin is the chain's root.
pub(crate) fn actor(payer: &Option<AccountId>) -> Actor {
	payer.clone().map_or(Actor::System, Actor::Account)
}

impl<T: Config> Pallet<T> {
	/// What it costs to set fields while the deposit stays as it is.
	pub(crate) fn set_weight(fields: &[(Key, Value)]) -> Weight {
		let bytes = fields.iter().map(|(_, value)| value.len()).sum::<usize>();
		let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
		let one = T::WeightInfo::set_field;
		match fields.len() {
			0 | 1 => one(bytes),
			// Batches were measured with short values, which say little about the price of a byte.
			count => T::WeightInfo::set_fields(count as u32, bytes)
				.saturating_add(one(bytes).saturating_sub(one(0))),
		}
	}

	/// Runs `change` with the room that users' calls have, and tells what it came across.
	fn change<R>(
		object: &ObjectId,
		change: impl FnOnce(&mut ObjectTree<HubStorage<T>>) -> Result<R, TreeError>,
	) -> Result<(R, Touched), Error<T>> {
		let before = Dirty::<T>::count();
		let mut tree = tree::<T>();
		let result = change(&mut tree)?;
		let fields = tree.meta(object)?.map(|meta| meta.fields);
		// A removal can take more objects from the set than the call added.
		let marked = Dirty::<T>::count().saturating_sub(before);
		Ok((result, Touched { fields, looked_up: tree.storage().look_ups(), marked }))
	}

	/// What a call weighed in the end: its own work, which was measured at the deepest object, less the look-ups that it did not need,
	/// and the roots that nobody before it had to pay for.
	fn spent(own: Weight, fields: u32, touched: &Touched) -> DispatchResultWithPostInfo {
		let walk = |objects: u32| T::WeightInfo::look_up(objects.min(Self::LONGEST_PATH));
		let saved = walk(Self::LONGEST_PATH).saturating_sub(walk(touched.looked_up));
		let weight = own.saturating_sub(saved);
		let actual_weight = Some(weight.saturating_add(Self::roots_weight(fields, touched.marked)));
		Ok(PostDispatchInfo { actual_weight, pays_fee: Pays::Yes })
	}

	/// Brings the deposit of an object that `payer` just changed up to date. Tells whether anything changed.
	fn settle(
		object: &ObjectId,
		payer: &Option<AccountId>,
		touched: &Touched,
		delta: i64,
	) -> Result<bool, DispatchError> {
		let fields = touched.fields.ok_or(Error::<T>::CorruptState)?;
		Self::charge(object, payer.as_ref(), fields, delta)
	}

	pub(crate) fn do_create(
		payer: Option<AccountId>,
		parent: ObjectId,
		key: Key,
		object_type: ObjectType,
		flags: ObjectFlags,
	) -> DispatchResultWithPostInfo {
		let object = parent.child(&key);
		Self::ensure_vacant(&object)?;
		let new = NewObject { object_type, flags };
		let (_, touched) =
			Self::change(&object, |tree| tree.create(&actor(&payer), &parent, &key, new))?;
		Self::settle(&object, &payer, &touched, 0)?;
		Self::deposit_event(Event::ObjectCreated { object, parent, key, owner: payer });
		Self::spent(T::WeightInfo::create(), 0, &touched)
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
		let (count, own) = (fields.len() as u32, Self::set_weight(&fields));
		let (delta, touched) =
			Self::change(&object, |tree| tree.set_fields(&actor(&payer), &object, &fields))?;
		let settled = Self::settle(&object, &payer, &touched, delta)?;
		Self::deposit_event(Event::FieldsSet { object, fields: count });
		let settling = if settled { T::WeightInfo::settle() } else { Weight::zero() };
		Self::spent(own.saturating_add(settling), count, &touched)
	}

	pub(crate) fn do_remove_fields(
		payer: Option<AccountId>,
		object: ObjectId,
		keys: BoundedVec<Key, ConstU32<MAX_BATCH_FIELDS>>,
	) -> DispatchResultWithPostInfo {
		let count = keys.len() as u32;
		let (delta, touched) =
			Self::change(&object, |tree| tree.remove_fields(&actor(&payer), &object, &keys))?;
		Self::settle(&object, &payer, &touched, delta)?;
		Self::deposit_event(Event::FieldsRemoved { object, fields: count });
		Self::spent(T::WeightInfo::remove_fields(count), count, &touched)
	}

	pub(crate) fn do_transfer(
		payer: Option<AccountId>,
		object: ObjectId,
		to: AccountId,
	) -> DispatchResultWithPostInfo {
		let ((), touched) =
			Self::change(&object, |tree| tree.transfer(&actor(&payer), &object, &to))?;
		Self::settle(&object, &payer, &touched, 0)?;
		Self::deposit_event(Event::ObjectTransferred { object, to });
		Self::spent(T::WeightInfo::change_owner(), 0, &touched)
	}

	pub(crate) fn do_share(
		payer: Option<AccountId>,
		object: ObjectId,
	) -> DispatchResultWithPostInfo {
		let ((), touched) = Self::change(&object, |tree| tree.share(&actor(&payer), &object))?;
		Self::settle(&object, &payer, &touched, 0)?;
		Self::deposit_event(Event::ObjectShared { object });
		Self::spent(T::WeightInfo::change_owner(), 0, &touched)
	}

	pub(crate) fn do_freeze(
		payer: Option<AccountId>,
		object: ObjectId,
	) -> DispatchResultWithPostInfo {
		let ((), touched) = Self::change(&object, |tree| tree.freeze(&actor(&payer), &object))?;
		Self::settle(&object, &payer, &touched, 0)?;
		Self::deposit_event(Event::ObjectFrozen { object });
		Self::spent(T::WeightInfo::change_owner(), 0, &touched)
	}

	pub(crate) fn do_remove(
		payer: Option<AccountId>,
		object: ObjectId,
	) -> DispatchResultWithPostInfo {
		let (fields, touched) = Self::change(&object, |tree| {
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
		Self::spent(T::WeightInfo::remove(fields as u32), 0, &touched)
	}
}
