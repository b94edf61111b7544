//! The way of a remote subtree back to the hub.
//!
//! Its content comes from outside, object by object and each object's in several calls. It is stored like that of objects that
//! became remote: out of reach, the root object in [`Detached`]. An object is complete once its root is the one that the object
//! above names; the root object's is in its parent's entry, where a head wrote it. When all are complete, the root object
//! takes its place, and no root has changed. When it is cancelled, what came is deleted as a dropped tree is.
//!
//! # Trust model
//!
//! Every byte comes from strangers, and so does the root: the security mode's parties may have committed to anything. So beside roots,
//! what every operation on hosted objects relies on is checked: depth, counts, the form of entries (which the type
//! [`ObjectEntry`] gives), and the rules for owners. Owners, fields and nonces come back as they are.

use crate::{
	deposit::{BalanceOf, Deposit},
	pallet::{Config, Detached, Dropped, Error, Event, Objects, Pallet, Stagings},
	storage::{child_info, child_root, insert_object},
	ObjectInfo,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use dstp_primitives::{
	hub::{ContentSize, RemoteObjects},
	id::MAX_DEPTH,
	object::{child_key, ChildEntry, KeyLayout, Meta, Owner, META_KEY},
	signature::anybody_signs_for,
	tree::{Link, ObjectEntry, MAX_BATCH_FIELDS, MAX_TRIE_KEY_BYTES},
	AccountId, Key, ObjectId, StateRoot,
};
use frame_support::{ensure, storage::child, traits::Get, BoundedVec};
use scale_info::TypeInfo;
use sp_core::{storage::ChildInfo, ConstU32};
use sp_runtime::{
	traits::{SaturatedConversion, Saturating, Zero},
	DispatchError, DispatchResult,
};

/// Highest revision of an object that comes back. No object has been changed so often, and as many changes are left for it.
const MAX_STAGED_REVISION: u64 = 1 << 63;

/// Place and facts of an object whose content comes.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct StagedObject {
	/// The object above. Of the subtree's root object: the one that it is registered below.
	pub parent: ObjectId,
	/// The key there.
	pub key: Key,
	/// Its facts.
	pub meta: Meta,
}

/// An object of which not all entries came yet.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Incomplete {
	/// The object.
	pub object: ObjectId,
	/// Fields that came.
	pub fields: u64,
	/// Children that came.
	pub children: u64,
	/// Bytes of fields' keys and values and of nonces that came.
	pub bytes: u64,
	/// The block of the last call that brought entries.
	pub block: u64,
	/// How many entries came in that block.
	pub in_block: u32,
	/// The trie key of the last entry; empty before the first.
	pub last: BoundedVec<u8, ConstU32<MAX_TRIE_KEY_BYTES>>,
}

/// How far the content of a subtree came.
///
/// The object comes first: its encoding starts with 0 or 1 and cannot look like a trie node.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Staging<Balance> {
	/// The object that is being brought.
	pub current: Option<Incomplete>,
	/// Objects that are named and not complete, before the first one 1.
	pub missing: u64,
	/// How much may still come.
	pub left: ContentSize,
	/// Who pays, and what of it no complete object has taken yet.
	pub prepaid: Deposit<Balance>,
}

/// What is needed of the object that is being brought.
struct Open {
	trie: ChildInfo,
	meta: Meta,
	depth: u8,
}

impl<T: Config> Pallet<T> {
	/// How many entries there are and how many bytes in their keys and values, for weights.
	pub(crate) fn entries_size(entries: &[ObjectEntry]) -> (u32, u32) {
		let bytes = entries.iter().map(|entry| match entry {
			ObjectEntry::Field(key, value) => key.len() + value.len(),
			ObjectEntry::Child(key, _) => key.len() + 32,
			ObjectEntry::Nonce(..) => 40,
		});
		(entries.len() as u32, u32::try_from(bytes.sum::<usize>()).unwrap_or(u32::MAX))
	}

	fn deposit_for_size(size: ContentSize) -> BalanceOf<T> {
		let per_byte = T::DepositPerByte::get();
		T::DepositPerObject::get()
			.saturating_mul(size.objects.into())
			.saturating_add(per_byte.saturating_mul(size.bytes.saturated_into()))
	}

	pub(crate) fn do_start_hosting(
		who: &AccountId,
		parent: &ObjectId,
		key: &Key,
		size: ContentSize,
	) -> DispatchResult {
		let object = parent.child(key);
		ensure!(<Self as RemoteObjects>::remote(parent, key).is_some(), Error::<T>::NotRemote);
		Self::ensure_not_staging(&object)?;
		let kept = Detached::<T>::contains_key(object) && !Dropped::<T>::contains_key(object);
		ensure!(!kept, Error::<T>::StillKept);
		Self::ensure_vacant(&object)?;
		let allowed = (1..=T::MaxStagedObjects::get()).contains(&size.objects)
			&& size.bytes <= T::MaxStagedBytes::get();
		ensure!(allowed, Error::<T>::BadContentSize);
		let prepaid = Deposit { who: who.clone(), amount: Self::deposit_for_size(size) };
		Self::move_deposit(None, Some(&prepaid))?;
		let staging = Staging { current: None, missing: 1, left: size, prepaid };
		Stagings::<T>::insert(object, staging);
		Self::deposit_event(Event::StagingStarted { object, size });
		Ok(())
	}

	/// Refuses a subtree whose content is being taken back.
	pub(crate) fn ensure_not_staging(object: &ObjectId) -> Result<(), Error<T>> {
		ensure!(!Stagings::<T>::contains_key(object), Error::<T>::StagingUnfinished);
		Ok(())
	}

	pub(crate) fn do_stage(
		who: AccountId,
		subtree: ObjectId,
		object: Option<StagedObject>,
		entries: &[ObjectEntry],
		complete: bool,
	) -> DispatchResult {
		let mut staging = Stagings::<T>::get(subtree).ok_or(Error::<T>::NotStaging)?;
		ensure!(staging.prepaid.who == who, Error::<T>::NotStagingPayer);
		let mut current = match (staging.current.take(), object) {
			(None, Some(object)) => Self::begin_object(&subtree, &mut staging, object)?,
			(Some(current), None) => current,
			(Some(_), Some(_)) => return Err(Error::<T>::ObjectIncomplete.into()),
			(None, None) => return Err(Error::<T>::NoObjectBegun.into()),
		};
		let open = Self::open_object(&current.object)?;
		Self::add_entries(&mut staging, &mut current, &open, entries)?;
		if complete {
			// Each entry that was written in this block is hashed for the root, and the call's weight covers so many.
			ensure!(current.in_block <= MAX_BATCH_FIELDS, Error::<T>::TooManyInBlock);
			Self::complete_object(&subtree, &mut staging, &current, &open)?;
			Self::deposit_event(Event::ObjectStaged { subtree, object: current.object });
		} else {
			staging.current = Some(current);
		}
		Stagings::<T>::insert(subtree, staging);
		Ok(())
	}

	fn begin_object(
		subtree: &ObjectId,
		staging: &mut Staging<BalanceOf<T>>,
		new: StagedObject,
	) -> Result<Incomplete, Error<T>> {
		let StagedObject { parent, key, meta } = new;
		let object = parent.child(&key);
		let is_top = object == *subtree;
		ensure!(Self::kept(&object).is_none(), Error::<T>::AlreadyStaged);
		if !is_top {
			Self::ensure_staged(subtree, &parent)?;
			ensure!(Self::named_root(&parent, &key)?.is_some(), Error::<T>::NotNamedAbove);
		}
		let used = ContentSize { objects: 1, bytes: 0 };
		staging.left = staging.left.checked_sub(used).ok_or(Error::<T>::MoreThanAnnounced)?;
		let weak = matches!(&meta.owner, Owner::Account(account) if anybody_signs_for(account));
		ensure!(!weak, Error::<T>::ZeroOwner);
		// A count that cannot rise would stop every change of the object.
		ensure!(meta.revision <= MAX_STAGED_REVISION, Error::<T>::Overflow);
		let shareable = meta.flags.key_layout() == KeyLayout::Hashed;
		ensure!(meta.owner != Owner::Shared || shareable, Error::<T>::SharedNeedsHashedKeys);

		let depth = Self::depth_of(&parent)?.saturating_add(1);
		ensure!(u32::from(depth) <= MAX_DEPTH, Error::<T>::TooDeep);
		let link = Link { parent, key, depth };
		let counter = insert_object::<T>(&object, Some(link.clone()))?;
		child::put_raw(&child_info(&object, counter), &META_KEY, &meta.to_value());
		if is_top {
			let info = Objects::<T>::take(object).ok_or(Error::<T>::CorruptState)?;
			Detached::<T>::insert(object, info);
		} else {
			Self::count_owner(&object, Some(&link), None, Some(&meta.owner))?;
		}
		let (block, in_block, last) = (0, 0, BoundedVec::new());
		Ok(Incomplete { object, fields: 0, children: 0, bytes: 0, block, in_block, last })
	}

	/// Refuses an object that is not part of the content of `subtree`.
	fn ensure_staged(subtree: &ObjectId, object: &ObjectId) -> Result<(), Error<T>> {
		let mut at = *object;
		while at != *subtree {
			let link = Objects::<T>::get(at).and_then(|info| info.link);
			at = link.ok_or(Error::<T>::NotStagedAbove)?.parent;
		}
		ensure!(Detached::<T>::contains_key(at), Error::<T>::NotStagedAbove);
		Ok(())
	}

	fn depth_of(object: &ObjectId) -> Result<u8, Error<T>> {
		let info = Self::kept(object).ok_or(Error::<T>::ObjectNotFound)?;
		Ok(info.link.map_or(0, |link| link.depth))
	}

	/// The root that a complete object names for the child under `key`.
	fn named_root(parent: &ObjectId, key: &Key) -> Result<Option<StateRoot>, Error<T>> {
		let Open { trie, meta, .. } = Self::open_object(parent)?;
		let Some(bytes) = child::get_raw(&trie, &child_key(meta.flags.key_layout(), key)) else {
			return Ok(None);
		};
		let entry = ChildEntry::from_value(&bytes).map_err(|_| Error::<T>::CorruptState)?;
		Ok(Some(entry.state_root))
	}

	fn open_object(object: &ObjectId) -> Result<Open, Error<T>> {
		let info = Self::kept(object).ok_or(Error::<T>::CorruptState)?;
		let trie = child_info(object, info.counter);
		let meta = child::get_raw(&trie, &META_KEY)
			.and_then(|bytes| Meta::from_value(&bytes).ok())
			.ok_or(Error::<T>::CorruptState)?;
		Ok(Open { trie, meta, depth: info.link.map_or(0, |link| link.depth) })
	}

	fn add_entries(
		staging: &mut Staging<BalanceOf<T>>,
		current: &mut Incomplete,
		open: &Open,
		entries: &[ObjectEntry],
	) -> DispatchResult {
		let layout = open.meta.flags.key_layout();
		let mut used = ContentSize::default();
		for entry in entries {
			used.add(entry);
			let (key, value) = entry.to_pair(layout);
			ensure!(key.as_slice() > current.last.as_slice(), Error::<T>::UnsortedEntries);
			match entry {
				ObjectEntry::Field(key, value) => {
					current.fields = current.fields.saturating_add(1);
					let bytes = (key.len() + value.len()) as u64;
					current.bytes = current.bytes.saturating_add(bytes);
				},
				ObjectEntry::Child(..) => {
					ensure!(u32::from(open.depth) < MAX_DEPTH, Error::<T>::TooDeep);
					current.children = current.children.saturating_add(1);
					staging.missing = staging.missing.saturating_add(1);
				},
				ObjectEntry::Nonce(..) => {
					current.bytes =
						current.bytes.saturating_add(dstp_primitives::tree::NONCE_BYTES);
				},
			}
			child::put_raw(&open.trie, &key, &value);
			current.last = key.try_into().map_err(|_| Error::<T>::CorruptState)?;
		}
		let now = frame_system::Pallet::<T>::block_number().saturated_into();
		if current.block != now {
			(current.block, current.in_block) = (now, 0);
		}
		current.in_block = current.in_block.saturating_add(entries.len() as u32);
		staging.left = staging.left.checked_sub(used).ok_or(Error::<T>::MoreThanAnnounced)?;
		// An entry of a child costs nothing itself: the child pays, so no more may be named than may come. One of the missing
		// objects is this one.
		let named = staging.missing.saturating_sub(1);
		ensure!(named <= u64::from(staging.left.objects), Error::<T>::MoreThanAnnounced);
		Ok(())
	}

	fn complete_object(
		subtree: &ObjectId,
		staging: &mut Staging<BalanceOf<T>>,
		current: &Incomplete,
		open: &Open,
	) -> DispatchResult {
		let object = current.object;
		let root = child_root(&open.trie).map_err(Error::<T>::from)?;
		ensure!(Some(root) == Self::expected_root(subtree, &object)?, Error::<T>::WrongContent);
		let counts = (current.fields, current.children);
		ensure!(counts == (open.meta.fields, open.meta.children), Error::<T>::WrongCounts);
		staging.missing = staging.missing.checked_sub(1).ok_or(Error::<T>::CorruptState)?;

		let amount = Self::deposit_for(current.fields, current.bytes);
		// Prices may have risen since it was paid.
		ensure!(staging.prepaid.amount >= amount, Error::<T>::MoreThanAnnounced);
		Self::pay_from_prepaid(subtree, &object, staging, amount, current.bytes)
	}

	/// Moves `amount`, or what is left, from what was paid in advance to an object of the content, in which `bytes` more came.
	fn pay_from_prepaid(
		subtree: &ObjectId,
		object: &ObjectId,
		staging: &mut Staging<BalanceOf<T>>,
		amount: BalanceOf<T>,
		bytes: u64,
	) -> DispatchResult {
		let Deposit { who, amount: left } = &mut staging.prepaid;
		let amount = amount.min(*left);
		*left = left.saturating_sub(amount);
		let pay = |info: &mut Option<ObjectInfo<BalanceOf<T>>>| {
			let info = info.as_mut().ok_or(Error::<T>::CorruptState)?;
			let before = info.deposit.take().map_or(Zero::zero(), |paid| paid.amount);
			info.deposit =
				Some(Deposit { who: who.clone(), amount: amount.saturating_add(before) });
			info.bytes = info.bytes.saturating_add(bytes);
			Ok::<_, DispatchError>(())
		};
		if object == subtree {
			Detached::<T>::try_mutate(object, pay)
		} else {
			Objects::<T>::try_mutate(object, pay)
		}
	}

	/// Lets what came and belongs to no complete object be paid for until it is deleted: the object that is being brought, and the entries
	/// of children that did not come. The latter are a matter of the root object, which goes last.
	fn pay_for_rest(subtree: &ObjectId, staging: &mut Staging<BalanceOf<T>>) -> DispatchResult {
		if !Detached::<T>::contains_key(subtree) {
			return Ok(());
		}
		let mut named = staging.missing;
		if let Some(current) = staging.current.take() {
			named = named.saturating_sub(1);
			let amount = Self::deposit_for(current.fields, current.bytes);
			Self::pay_from_prepaid(subtree, &current.object, staging, amount, current.bytes)?;
		}
		let amount = T::DepositPerObject::get().saturating_mul(named.saturated_into());
		Self::pay_from_prepaid(subtree, subtree, staging, amount, 0)
	}

	/// The root that stands above an object of the content.
	pub(crate) fn expected_root(
		subtree: &ObjectId,
		object: &ObjectId,
	) -> Result<Option<StateRoot>, Error<T>> {
		if object == subtree {
			let (parent, key) = Self::remote_link(subtree).ok_or(Error::<T>::CorruptState)?;
			return Ok(<Self as RemoteObjects>::remote(&parent, &key).map(|(root, _)| root));
		}
		let link = Objects::<T>::get(object).and_then(|info| info.link);
		let link = link.ok_or(Error::<T>::CorruptState)?;
		Self::named_root(&link.parent, &link.key)
	}

	pub(crate) fn do_finish_hosting(
		parent: &ObjectId,
		key: &Key,
	) -> Result<StateRoot, DispatchError> {
		let object = parent.child(key);
		let staging = Stagings::<T>::take(object).ok_or(Error::<T>::NotStaging)?;
		ensure!(staging.missing == 0, Error::<T>::ContentMissing);
		Self::move_deposit(Some(staging.prepaid), None)?;
		let info = Detached::<T>::take(object).ok_or(Error::<T>::CorruptState)?;
		let state_root = Self::attach(parent, key, info)?;
		Self::deposit_event(Event::ObjectHosted { object, state_root });
		Ok(state_root)
	}

	pub(crate) fn do_cancel_hosting(parent: &ObjectId, key: &Key) -> DispatchResult {
		let object = parent.child(key);
		let mut staging = Stagings::<T>::take(object).ok_or(Error::<T>::NotStaging)?;
		Self::pay_for_rest(&object, &mut staging)?;
		Self::move_deposit(Some(staging.prepaid), None)?;
		Self::do_drop_hosted(parent, key);
		Self::deposit_event(Event::StagingCancelled { object });
		Ok(())
	}
}
