//! The hub's child tries as a [`Storage`] of the tree.

use crate::{
	deposit::{BalanceOf, Deposit},
	pallet::{Config, Detached, Dirty, DirtyByHeads, NextKeyspace, Objects, Pallet},
};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{
	cell::{Cell, RefCell},
	marker::PhantomData,
};
use dstp_primitives::{
	tree::{Link, StorageError},
	ObjectId, ObjectTree, Owner, StateRoot, Storage,
};
use frame_support::{storage::child, traits::Get};
use scale_info::TypeInfo;
use sp_core::storage::{ChildInfo, StateVersion};
use sp_crypto_hashing::blake2_256;

const KEYSPACE_TAG: &[u8] = b"dstp/keyspace/v1";

/// The key of an object's child trie: `blake2_256("dstp/keyspace/v1" ++ id ++ counter)`, the counter as u64 in little-endian.
///
/// All keyspaces have the same length, so none is a prefix of another; no counter is used twice.
pub fn keyspace(object: &ObjectId, counter: u64) -> [u8; 32] {
	let mut input = [0u8; KEYSPACE_TAG.len() + 32 + 8];
	let (tag, rest) = input.split_at_mut(KEYSPACE_TAG.len());
	tag.copy_from_slice(KEYSPACE_TAG);
	rest[..32].copy_from_slice(&object.0);
	rest[32..].copy_from_slice(&counter.to_le_bytes());
	blake2_256(&input)
}

/// What the hub keeps of a hosted object beside its trie.
///
/// The link comes first: its encoding starts with 0 or 1, with which the encoding of no trie node of this size starts. So no
/// user can make this value look like a node.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ObjectInfo<Balance> {
	/// Where it stands; `None` for the root of the tree.
	pub link: Option<Link>,
	/// The counter of its [`keyspace`].
	pub counter: u64,
	/// Bytes of its fields' keys and values, and [`NONCE_BYTES`](dstp_primitives::tree::NONCE_BYTES) for each nonce in it.
	pub bytes: u64,
	/// Remote subtrees below it, at any depth.
	pub remotes: u32,
	/// Objects below it, at any depth, whose owner is not that of the object right above them.
	pub foreign: u32,
	/// Who paid for it; `None`: it belongs to genesis or to the system.
	pub deposit: Option<Deposit<Balance>>,
}

/// The two shares of the objects that may become dirty in one block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
	/// That of everything that users ask for.
	Calls,
	/// That of accepted heads.
	Heads,
	/// No limit: genesis, which no block has to fit, and the computation of roots, which marks nothing.
	Unlimited,
}

/// What is needed of an object again and again during one operation.
#[derive(Clone)]
struct Known {
	link: Option<Link>,
	trie: ChildInfo,
	/// Whether what stands above it was looked at, and is hosted too.
	attached: bool,
}

/// The tree in this chain's storage.
pub struct HubStorage<T> {
	/// Where room for objects that become dirty is taken from.
	room: Room,
	known: RefCell<BTreeMap<ObjectId, Known>>,
	/// How many objects were looked up.
	look_ups: Cell<u32>,
	_config: PhantomData<T>,
}

impl<T: Config> HubStorage<T> {
	/// With the room that the operation has.
	pub(crate) fn with_room(room: Room) -> Self {
		Self { room, known: RefCell::default(), look_ups: Cell::default(), _config: PhantomData }
	}

	/// Takes room for one more dirty object.
	///
	/// An object that a head marked and that is removed in the same block gives its place to calls, not to heads: together they
	/// never have more than all.
	fn take_room(&self) -> Result<(), StorageError> {
		let (all, reserved) = (T::MaxDirtyObjects::get(), T::ReservedDirtyObjects::get());
		let by_heads = DirtyByHeads::<T>::get();
		let fits = match self.room {
			Room::Calls => {
				Dirty::<T>::count().saturating_sub(by_heads) < all.saturating_sub(reserved)
			},
			Room::Heads => by_heads < reserved,
			Room::Unlimited => true,
		};
		if !fits {
			return Err(StorageError::TooManyDirty);
		}
		if self.room == Room::Heads {
			DirtyByHeads::<T>::put(by_heads.saturating_add(1));
		}
		Ok(())
	}

	/// How many objects were looked up, each once: of a deeper object more.
	pub(crate) fn look_ups(&self) -> u32 {
		self.look_ups.get()
	}

	/// How many objects stand above this one; `None` if it is not in the map. One look-up, however deep it stands.
	pub(crate) fn depth(&self, object: &ObjectId) -> Option<u32> {
		let known = self.look_up(object)?;
		Some(known.link.map_or(0, |link| link.depth.into()))
	}

	/// The object's child trie; `None` if it is not hosted.
	pub(crate) fn child_trie(&self, object: &ObjectId) -> Option<ChildInfo> {
		self.known(object).map(|known| known.trie)
	}

	/// What the map holds of an object, hosted or not. Asked again it costs nothing.
	fn look_up(&self, object: &ObjectId) -> Option<Known> {
		if let Some(known) = self.known.borrow().get(object) {
			return Some(known.clone());
		}
		self.look_ups.set(self.look_ups.get().saturating_add(1));
		let info = Objects::<T>::get(object)?;
		let trie = child_info(object, info.counter);
		let known = Known { link: info.link, trie, attached: false };
		self.known.borrow_mut().insert(*object, known.clone());
		Some(known)
	}

	fn known(&self, object: &ObjectId) -> Option<Known> {
		let known = self.look_up(object)?;
		if known.attached {
			return Some(known);
		}
		// What stands below a detached object is still in the map until it is deleted.
		let attached = Detached::<T>::count() == 0
			|| known.link.as_ref().is_none_or(|link| self.known(&link.parent).is_some());
		if !attached {
			return None;
		}
		let known = Known { attached, ..known };
		self.known.borrow_mut().insert(*object, known.clone());
		Some(known)
	}

	fn existing_trie(&self, object: &ObjectId) -> Result<ChildInfo, StorageError> {
		self.child_trie(object).ok_or(StorageError::Corrupt)
	}
}

/// The child trie of an object.
pub(crate) fn child_info(object: &ObjectId, counter: u64) -> ChildInfo {
	ChildInfo::new_default(&keyspace(object, counter))
}

/// The first key of a child trie after `key`.
pub(crate) fn next_key(trie: &ChildInfo, key: &[u8]) -> Option<Vec<u8>> {
	sp_io::default_child_storage::next_key(trie.storage_key(), key)
}

/// The root of a child trie with all changes, in the layout that every copy of the tree uses.
pub(crate) fn child_root(trie: &ChildInfo) -> Result<StateRoot, StorageError> {
	let root = child::root(trie, StateVersion::V1);
	<[u8; 32]>::try_from(root).map(StateRoot::from).map_err(|_| StorageError::Corrupt)
}

impl<T: Config> Storage for HubStorage<T> {
	fn namespace(&self) -> ObjectId {
		ObjectId::ROOT
	}

	fn get(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
		Ok(child::get_raw(&self.existing_trie(object)?, key))
	}

	fn next_key(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
		Ok(next_key(&self.existing_trie(object)?, key))
	}

	fn put(&mut self, object: &ObjectId, key: &[u8], value: Vec<u8>) -> Result<(), StorageError> {
		child::put_raw(&self.existing_trie(object)?, key, &value);
		Ok(())
	}

	fn delete(&mut self, object: &ObjectId, key: &[u8]) -> Result<(), StorageError> {
		child::kill(&self.existing_trie(object)?, key);
		if let Some(deleted) = Dirty::<T>::get(object) {
			Dirty::<T>::insert(object, deleted.saturating_add(1));
		}
		Ok(())
	}

	fn link(&self, object: &ObjectId) -> Result<Option<Link>, StorageError> {
		Ok(self.known(object).and_then(|known| known.link))
	}

	fn insert_link(
		&mut self,
		object: &ObjectId,
		link: Link,
		new: bool,
	) -> Result<(), StorageError> {
		if !new {
			return Ok(());
		}
		if Objects::<T>::contains_key(object) {
			return Err(StorageError::Corrupt);
		}
		insert_object::<T>(object, Some(link)).map(drop)
	}

	fn remove_link(&mut self, object: &ObjectId) -> Result<(), StorageError> {
		let info = Objects::<T>::take(object).ok_or(StorageError::Corrupt)?;
		self.known.borrow_mut().remove(object);
		// Its root is not needed any more, which leaves room for another object.
		Dirty::<T>::remove(object);
		Pallet::<T>::move_deposit(info.deposit, None).map_err(|_| StorageError::Corrupt)
	}

	fn note_owner(
		&mut self,
		object: &ObjectId,
		before: Option<&Owner>,
		after: Option<&Owner>,
	) -> Result<(), StorageError> {
		let link = self.link(object)?;
		Pallet::<T>::count_owner(object, link.as_ref(), before, after)
	}

	/// Marks everything above the object too: their roots move with its root, and are counted with it.
	fn mark_dirty(&mut self, object: &ObjectId) -> Result<(), StorageError> {
		let mut next = Some(*object);
		while let Some(object) = next.filter(|object| !Dirty::<T>::contains_key(object)) {
			self.take_room()?;
			let known = self.known(&object).ok_or(StorageError::Corrupt)?;
			Dirty::<T>::insert(object, 0);
			next = known.link.map(|link| link.parent);
		}
		Ok(())
	}

	fn take_dirty(&mut self) -> Vec<ObjectId> {
		DirtyByHeads::<T>::kill();
		Dirty::<T>::drain().map(|(object, _)| object).collect()
	}

	fn root(&mut self, object: &ObjectId) -> Result<StateRoot, StorageError> {
		child_root(&self.existing_trie(object)?)
	}
}

/// Makes an object known under a keyspace of its own.
pub(crate) fn insert_object<T: Config>(
	object: &ObjectId,
	link: Option<Link>,
) -> Result<u64, StorageError> {
	let counter = NextKeyspace::<T>::get();
	NextKeyspace::<T>::put(counter.checked_add(1).ok_or(StorageError::Corrupt)?);
	let info = ObjectInfo::<BalanceOf<T>> {
		link,
		counter,
		bytes: 0,
		remotes: 0,
		foreign: 0,
		deposit: None,
	};
	Objects::<T>::insert(object, info);
	Ok(counter)
}

/// The tree as calls of users see it.
pub(crate) fn tree<T: Config>() -> ObjectTree<HubStorage<T>> {
	ObjectTree::new(HubStorage::with_room(Room::Calls))
}
