//! What calls do: an operation on the tree, then the deposit, the event and the weight.

use crate::{
	pallet::{Config, Detached, Dirty, Error, Event, Objects, Pallet},
	storage::{tree, HubStorage},
	WeightInfo,
};
use dstp_primitives::{
	id::MAX_DEPTH,
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

/// What a change came across.
struct Touched<T> {
	/// The tree that was changed, which knows what was looked up on the way to its root.
	tree: ObjectTree<HubStorage<T>>,
	/// Objects that became dirty.
	marked: u32,
}

/// On whose behalf a call runs: the signer, or the system if the origin is the chain's root.
pub(crate) fn actor(payer: &Option<AccountId>) -> Actor {
	payer.clone().map_or(Actor::System, Actor::Account)
}

impl<T: Config> Pallet<T> {
	/// The tree for a call that works `below` levels under `object`, and that paid for a depth of `depth_bound`.
	///
	/// Refuses what stands deeper, after one look-up. Then whatever the call does looks up and marks no more objects than stand on
	/// the path that was paid for.
	fn open(
		object: &ObjectId,
		below: u32,
		depth_bound: u32,
	) -> Result<ObjectTree<HubStorage<T>>, Error<T>> {
		let tree = tree::<T>();
		let depth = tree.storage().depth(object).map(|depth| depth.saturating_add(below));
		// The tree itself refuses what would stand deeper than all it holds.
		ensure!(
			depth.is_none_or(|depth| depth.min(MAX_DEPTH) <= depth_bound),
			Error::<T>::DepthBoundTooLow
		);
		Ok(tree)
	}

	/// Runs `change` on an open tree, and tells what it came across.
	fn change<R>(
		mut tree: ObjectTree<HubStorage<T>>,
		change: impl FnOnce(&mut ObjectTree<HubStorage<T>>) -> Result<R, TreeError>,
	) -> Result<(R, Touched<T>), Error<T>> {
		let before = Dirty::<T>::count();
		let result = change(&mut tree)?;
		// A removal can take more objects from the set than the call added.
		let marked = Dirty::<T>::count().saturating_sub(before);
		Ok((result, Touched { tree, marked }))
	}

	/// What a call weighs: its `own` work, which was measured at the deepest object, less the look-ups that it does not need, and
	/// the roots of what it marks.
	fn weight_of(own: Weight, fields: u32, looked_up: u32, marked: u32) -> Weight {
		let walk = |objects: u32| T::WeightInfo::look_up(objects.min(Self::LONGEST_PATH));
		let saved = walk(Self::LONGEST_PATH).saturating_sub(walk(looked_up));
		own.saturating_sub(saved).saturating_add(Self::roots_weight(fields, marked))
	}

	/// What a call declares that changes `fields` of an object at most `depth_bound` levels below the root: that it looks up and marks
	/// the whole path.
	pub(crate) fn declared(own: Weight, fields: u32, depth_bound: u32) -> Weight {
		let path = depth_bound.min(MAX_DEPTH).saturating_add(1);
		Self::weight_of(own, fields, path, path)
	}

	/// What a call weighed in the end: without the look-ups that it did not need, and without roots that others before it paid for.
	fn spent(own: Weight, fields: u32, touched: &Touched<T>) -> DispatchResultWithPostInfo {
		let looked_up = touched.tree.storage().look_ups();
		let actual_weight = Some(Self::weight_of(own, fields, looked_up, touched.marked));
		Ok(PostDispatchInfo { actual_weight, pays_fee: Pays::Yes })
	}

	/// What it costs that a deposit moved.
	fn settling(settled: bool) -> Weight {
		if settled {
			T::WeightInfo::settle()
		} else {
			Weight::zero()
		}
	}

	/// Brings the deposit of an object that `payer` just changed up to date. Tells whether anything changed.
	fn settle(
		object: &ObjectId,
		payer: &Option<AccountId>,
		touched: &Touched<T>,
		delta: i64,
	) -> Result<bool, DispatchError> {
		let meta = touched.tree.meta(object).map_err(Error::<T>::from)?;
		let fields = meta.ok_or(Error::<T>::CorruptState)?.fields;
		Self::charge(object, payer.as_ref(), fields, delta)
	}

	pub(crate) fn do_create(
		payer: Option<AccountId>,
		parent: ObjectId,
		key: Key,
		object_type: ObjectType,
		flags: ObjectFlags,
		depth_bound: u32,
	) -> DispatchResultWithPostInfo {
		let object = parent.child(&key);
		let tree = Self::open(&parent, 1, depth_bound)?;
		Self::ensure_vacant(&object)?;
		let new = NewObject { object_type, flags };
		let (_, touched) =
			Self::change(tree, |tree| tree.create(&actor(&payer), &parent, &key, new))?;
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
		depth_bound: u32,
	) -> DispatchResultWithPostInfo {
		let count = fields.len() as u32;
		let tree = Self::open(&object, 0, depth_bound)?;
		let (delta, touched) =
			Self::change(tree, |tree| tree.set_fields(&actor(&payer), &object, &fields))?;
		let settled = Self::settle(&object, &payer, &touched, delta)?;
		Self::deposit_event(Event::FieldsSet { object, fields: count });
		let new: usize = fields.iter().map(|(key, value)| key.len() + value.len()).sum();
		let own = Self::set_weight(&fields, old_bytes(new, delta));
		Self::spent(own.saturating_add(Self::settling(settled)), count, &touched)
	}

	pub(crate) fn do_remove_fields(
		payer: Option<AccountId>,
		object: ObjectId,
		keys: BoundedVec<Key, ConstU32<MAX_BATCH_FIELDS>>,
		depth_bound: u32,
	) -> DispatchResultWithPostInfo {
		let count = keys.len() as u32;
		let tree = Self::open(&object, 0, depth_bound)?;
		let (delta, touched) =
			Self::change(tree, |tree| tree.remove_fields(&actor(&payer), &object, &keys))?;
		Self::ensure_few_deleted(&object)?;
		let settled = Self::settle(&object, &payer, &touched, delta)?;
		Self::deposit_event(Event::FieldsRemoved { object, fields: count });
		let own = Self::remove_fields_weight(count, old_bytes(0, delta));
		Self::spent(own.saturating_add(Self::settling(settled)), count, &touched)
	}

	pub(crate) fn do_transfer(
		payer: Option<AccountId>,
		object: ObjectId,
		to: AccountId,
		depth_bound: u32,
	) -> DispatchResultWithPostInfo {
		let tree = Self::open(&object, 0, depth_bound)?;
		let ((), touched) = Self::change(tree, |tree| tree.transfer(&actor(&payer), &object, &to))?;
		let settled = Self::settle(&object, &payer, &touched, 0)?;
		Self::deposit_event(Event::ObjectTransferred { object, to });
		let own = T::WeightInfo::change_owner().saturating_add(Self::settling(settled));
		Self::spent(own, 0, &touched)
	}

	pub(crate) fn do_share(
		payer: Option<AccountId>,
		object: ObjectId,
		depth_bound: u32,
	) -> DispatchResultWithPostInfo {
		let tree = Self::open(&object, 0, depth_bound)?;
		let ((), touched) = Self::change(tree, |tree| tree.share(&actor(&payer), &object))?;
		let settled = Self::settle(&object, &payer, &touched, 0)?;
		Self::deposit_event(Event::ObjectShared { object });
		let own = T::WeightInfo::change_owner().saturating_add(Self::settling(settled));
		Self::spent(own, 0, &touched)
	}

	pub(crate) fn do_freeze(
		payer: Option<AccountId>,
		object: ObjectId,
		depth_bound: u32,
	) -> DispatchResultWithPostInfo {
		let tree = Self::open(&object, 0, depth_bound)?;
		let ((), touched) = Self::change(tree, |tree| tree.freeze(&actor(&payer), &object))?;
		let settled = Self::settle(&object, &payer, &touched, 0)?;
		Self::deposit_event(Event::ObjectFrozen { object });
		let own = T::WeightInfo::change_owner().saturating_add(Self::settling(settled));
		Self::spent(own, 0, &touched)
	}

	pub(crate) fn do_remove(
		payer: Option<AccountId>,
		object: ObjectId,
		depth_bound: u32,
	) -> DispatchResultWithPostInfo {
		let tree = Self::open(&object, 0, depth_bound)?;
		let (info, deleted) = (Objects::<T>::get(object), Self::deleted_keys(&object));
		let (fields, touched) = Self::change(tree, |tree| {
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
		let info = info.ok_or(Error::<T>::CorruptState)?;
		if let Some(link) = info.link {
			Self::ensure_few_deleted(&link.parent)?;
		}
		Self::deposit_event(Event::ObjectRemoved { object });
		// The tree removed the object, so it had no more fields than one operation may remove. What others of this block removed was
		// walked over.
		let keys = deleted.max(u32::try_from(fields).unwrap_or(u32::MAX));
		let own = Self::remove_weight(keys, u32::try_from(info.bytes).unwrap_or(u32::MAX));
		let foreign = info.deposit.is_some_and(|paid| Some(paid.who) != payer);
		Self::spent(own.saturating_add(Self::settling(foreign)), 0, &touched)
	}
}

/// Bytes of the fields' keys and values before they changed by `delta` bytes to `new`.
fn old_bytes(new: usize, delta: i64) -> u32 {
	let new = i64::try_from(new).unwrap_or(i64::MAX);
	u32::try_from(new.saturating_sub(delta)).unwrap_or_default()
}
