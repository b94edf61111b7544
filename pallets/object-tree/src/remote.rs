//! Remote subtrees as the object tree sees them: entries with a deposit. Heads are verified elsewhere.

use crate::{
	deposit::{BalanceOf, Deposit},
	operations::actor,
	pallet::{Config, Detached, Dirty, Dropped, Error, Event, Objects, Pallet, Remotes, Stagings},
	storage::{child_info, child_root, tree, Room},
	ObjectInfo,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use dstp_primitives::{
	hub::{ContentSize, RemoteObjects},
	object::{HeadStatus, Location, RemoteLocation},
	AccountId, Key, ObjectId, StateRoot,
};
use frame_support::{ensure, storage::with_storage_layer};
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, DispatchResult};

/// What the hub keeps of a remote subtree beside its entry in the parent's trie.
///
/// The deposit comes first: like a link, its encoding starts with 0 or 1 and cannot look like a trie node.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RemoteInfo<Balance> {
	/// Who paid for the registration.
	pub deposit: Option<Deposit<Balance>>,
	/// The object above.
	pub parent: ObjectId,
	/// The key there.
	pub key: Key,
}

impl<T: Config> Pallet<T> {
	/// Adds `change` to the count of remote subtrees of `object` and of everything above it.
	fn count_remotes(object: &ObjectId, change: i32) -> DispatchResult {
		let mut next = Some(*object);
		while let Some(object) = next {
			next = Objects::<T>::try_mutate(object, |info| {
				let info = info.as_mut().ok_or(Error::<T>::CorruptState)?;
				info.remotes =
					info.remotes.checked_add_signed(change).ok_or(Error::<T>::Overflow)?;
				Ok::<_, Error<T>>(info.link.as_ref().map(|link| link.parent))
			})?;
		}
		Ok(())
	}

	/// Takes the deposit for a new remote subtree and notes where it stands.
	fn register_remote(who: &AccountId, parent: &ObjectId, key: &Key) -> DispatchResult {
		let deposit = Deposit { who: who.clone(), amount: Self::deposit_for(0, 0) };
		Self::move_deposit(None, Some(&deposit))?;
		let info = RemoteInfo::<BalanceOf<T>> {
			deposit: Some(deposit),
			parent: *parent,
			key: key.clone(),
		};
		Remotes::<T>::insert(parent.child(key), info);
		Self::count_remotes(parent, 1)
	}

	/// The opposite of [`Self::register_remote`].
	fn unregister_remote(parent: &ObjectId, key: &Key) -> DispatchResult {
		let info = Remotes::<T>::take(parent.child(key)).ok_or(Error::<T>::CorruptState)?;
		Self::move_deposit(info.deposit, None)?;
		Self::count_remotes(parent, -1)
	}

	fn do_create_remote(
		who: &AccountId,
		parent: &ObjectId,
		key: &Key,
		root: StateRoot,
		location: RemoteLocation,
	) -> Result<ObjectId, DispatchError> {
		Self::ensure_vacant(&parent.child(key))?;
		let actor = actor(&Some(who.clone()));
		let object = Self::change_entry(Room::Calls, |tree| {
			tree.create_remote(&actor, parent, key, root, location).map_err(Error::<T>::from)
		})?;
		Self::register_remote(who, parent, key)?;
		Self::deposit_event(Event::RemoteCreated { object, parent: *parent, key: key.clone() });
		Ok(object)
	}

	fn do_close_remote(parent: &ObjectId, key: &Key) -> DispatchResult {
		Self::ensure_not_staging(&parent.child(key))?;
		let (root, mut location) =
			<Self as RemoteObjects>::remote(parent, key).ok_or(Error::<T>::NotRemote)?;
		location.status = HeadStatus::Closed;
		Self::change_entry(Room::Calls, |tree| {
			tree.set_remote(parent, key, root, location).map_err(Error::<T>::from)
		})?;
		Ok(())
	}

	fn do_remove_remote(who: &AccountId, parent: &ObjectId, key: &Key) -> DispatchResult {
		Self::ensure_not_staging(&parent.child(key))?;
		let actor = actor(&Some(who.clone()));
		Self::change_entry(Room::Calls, |tree| {
			tree.remove_remote(&actor, parent, key).map_err(Error::<T>::from)
		})?;
		Self::ensure_few_deleted(parent)?;
		Self::unregister_remote(parent, key)?;
		Self::do_drop_hosted(parent, key);
		Self::deposit_event(Event::RemoteRemoved { object: parent.child(key) });
		Ok(())
	}

	fn do_detach(
		who: &AccountId,
		parent: &ObjectId,
		key: &Key,
		location: RemoteLocation,
	) -> Result<StateRoot, DispatchError> {
		let object = parent.child(key);
		let actor = actor(&Some(who.clone()));
		// Below the call's own changes, so that the object's root is that of the end of the last block.
		let pending = Dirty::<T>::contains_key(object);
		let root = Self::change_entry(Room::Calls, |tree| {
			// The rights come first: whoever has none learns nothing else.
			tree.hosted_to_remote(&actor, parent, key, location).map_err(Error::<T>::from)
		})?;
		ensure!(!pending, Error::<T>::RootPending);
		Self::count_moved(&object, parent, -1).map_err(Error::<T>::from)?;
		let info = Objects::<T>::take(object).ok_or(Error::<T>::CorruptState)?;
		ensure!(info.remotes == 0, Error::<T>::RemoteBelow);
		ensure!(info.foreign == 0, Error::<T>::ForeignBelow);
		Detached::<T>::insert(object, info);
		Self::register_remote(who, parent, key)?;
		Self::deposit_event(Event::ObjectDetached { object, state_root: root });
		Ok(root)
	}

	pub(crate) fn do_drop_hosted(parent: &ObjectId, key: &Key) {
		let object = parent.child(key);
		if Detached::<T>::contains_key(object) {
			Dropped::<T>::insert(object, ());
		}
	}

	fn do_restore(parent: &ObjectId, key: &Key) -> Result<StateRoot, DispatchError> {
		let object = parent.child(key);
		Self::ensure_not_staging(&object)?;
		ensure!(!Dropped::<T>::contains_key(object), Error::<T>::NothingKept);
		let info = Detached::<T>::take(object).ok_or(Error::<T>::NothingKept)?;
		let kept = child_root(&child_info(&object, info.counter)).map_err(Error::<T>::from)?;
		let root = Self::attach(parent, key, info)?;
		ensure!(root == kept, Error::<T>::NothingKept);
		Self::deposit_event(Event::ObjectRestored { object });
		Ok(root)
	}

	/// Puts an object whose tries are here in the place of its registration. Gives the root in its entry, which stays.
	pub(crate) fn attach(
		parent: &ObjectId,
		key: &Key,
		info: ObjectInfo<BalanceOf<T>>,
	) -> Result<StateRoot, DispatchError> {
		let object = parent.child(key);
		Objects::<T>::insert(object, info);
		Self::count_moved(&object, parent, 1).map_err(Error::<T>::from)?;
		let root = Self::change_entry(Room::Calls, |tree| {
			tree.remote_to_hosted(parent, key).map_err(Error::<T>::from)
		})?;
		Self::unregister_remote(parent, key)?;
		Ok(root)
	}

	/// Where a remote subtree stands, if `object` is the root of one.
	pub(crate) fn remote_link(object: &ObjectId) -> Option<(ObjectId, Key)> {
		Remotes::<T>::get(object).map(|info| (info.parent, info.key))
	}
}

/// Every method runs in a storage layer of its own: what is refused leaves nothing behind.
impl<T: Config> RemoteObjects for Pallet<T> {
	type Error = DispatchError;

	fn is_built() -> bool {
		Objects::<T>::contains_key(ObjectId::ROOT)
	}

	fn create_remote(
		who: &AccountId,
		parent: &ObjectId,
		key: &Key,
		root: StateRoot,
		location: RemoteLocation,
	) -> Result<ObjectId, DispatchError> {
		with_storage_layer(|| Self::do_create_remote(who, parent, key, root, location))
	}

	fn set_remote(
		parent: &ObjectId,
		key: &Key,
		root: StateRoot,
		location: RemoteLocation,
	) -> DispatchResult {
		with_storage_layer(|| {
			// The content that comes belongs to the root that stands there.
			Self::ensure_not_staging(&parent.child(key))?;
			Self::change_entry(Room::Heads, |tree| {
				tree.set_remote(parent, key, root, location)
					.map_err(|error| Error::<T>::from(error).into())
			})
		})
	}

	fn is_block_full(error: &DispatchError) -> bool {
		*error == Error::<T>::BlockFull.into()
	}

	fn close_remote(parent: &ObjectId, key: &Key) -> DispatchResult {
		with_storage_layer(|| Self::do_close_remote(parent, key))
	}

	fn remote(parent: &ObjectId, key: &Key) -> Option<(StateRoot, RemoteLocation)> {
		let entry = tree::<T>().child(parent, key).ok()??;
		match entry.location {
			Location::Remote(location) => Some((entry.state_root, location)),
			Location::WithParent => None,
		}
	}

	fn remove_remote(who: &AccountId, parent: &ObjectId, key: &Key) -> DispatchResult {
		with_storage_layer(|| Self::do_remove_remote(who, parent, key))
	}

	fn hosted_to_remote(
		who: &AccountId,
		parent: &ObjectId,
		key: &Key,
		location: RemoteLocation,
	) -> Result<StateRoot, DispatchError> {
		with_storage_layer(|| Self::do_detach(who, parent, key, location))
	}

	fn drop_hosted(parent: &ObjectId, key: &Key) -> DispatchResult {
		Self::do_drop_hosted(parent, key);
		Ok(())
	}

	fn restore_hosted(parent: &ObjectId, key: &Key) -> Result<StateRoot, DispatchError> {
		with_storage_layer(|| Self::do_restore(parent, key))
	}

	fn start_hosting(
		who: &AccountId,
		parent: &ObjectId,
		key: &Key,
		size: ContentSize,
	) -> DispatchResult {
		with_storage_layer(|| Self::do_start_hosting(who, parent, key, size))
	}

	fn is_being_hosted(parent: &ObjectId, key: &Key) -> bool {
		Stagings::<T>::contains_key(parent.child(key))
	}

	fn finish_hosting(parent: &ObjectId, key: &Key) -> Result<StateRoot, DispatchError> {
		with_storage_layer(|| Self::do_finish_hosting(parent, key))
	}

	fn cancel_hosting(parent: &ObjectId, key: &Key) -> DispatchResult {
		with_storage_layer(|| Self::do_cancel_hosting(parent, key))
	}
}
