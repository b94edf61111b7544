//! Children whose state is on other nodes. The caller has verified what it writes here.

use super::{
	page::KeyScan, Access, Actor, Link, NewObject, ObjectTree, PageRequest, Storage, StorageError,
	TreeError,
};
use crate::{
	id::{Key, ObjectId, StateRoot},
	object::{
		child_key, ChildEntry, Location, Meta, Owner, RemoteLocation, CHILD_ENTRY_VERSION,
		META_KEY, PREFIX_CHILD,
	},
	trie::Layout,
};
use alloc::vec;
use sp_trie::TrieConfiguration;

/// Most objects that may stand below one that becomes remote. Each is looked at, which bounds the work of the call.
pub const MAX_MOVED_OBJECTS: u32 = 256;

/// What stands below an object, as seen by whoever owns the object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Below {
	/// Nothing, or objects of the same owner.
	Own,
	/// This one, which is remote, has another owner, is shared or frozen.
	Foreign(ObjectId),
	/// More than was allowed to be looked at.
	TooMany,
}

/// The root of a namespace that holds nothing but its root object's facts.
///
/// The hub computes it at registration and the engine starts from it; so the first head extends a root that both know.
pub fn namespace_root(owner: Owner, new: NewObject) -> StateRoot {
	let meta = Meta::new(owner, new.object_type, new.flags);
	Layout::trie_root([(META_KEY, meta.to_value())])
}

impl<S: Storage> ObjectTree<S> {
	/// Registers a remote child: the root of a new namespace, which starts from `root`.
	pub fn create_remote(
		&mut self,
		actor: &Actor,
		parent: &ObjectId,
		key: &Key,
		root: StateRoot,
		location: RemoteLocation,
	) -> Result<ObjectId, TreeError> {
		self.check_vacant(actor, parent, key)?;
		self.put_new_entry(parent, key, &remote_entry(root, location))?;
		Ok(parent.child(key))
	}

	/// Writes a verified head, or another status, of a remote child. The parent's facts do not change.
	pub fn set_remote(
		&mut self,
		parent: &ObjectId,
		key: &Key,
		root: StateRoot,
		location: RemoteLocation,
	) -> Result<(), TreeError> {
		let old = self.child(parent, key)?.ok_or(TreeError::ObjectNotFound)?;
		if old.location == Location::WithParent {
			return Err(TreeError::NotRemote);
		}
		let new = remote_entry(root, location);
		if old == new {
			return Ok(());
		}
		self.put_entry(parent, key, &new)
	}

	/// Whether everything below an object has the object's owner. Looks at `limit` objects at most.
	///
	/// The rights over an object move with the state: whoever decides over a remote subtree decides over all that is in it. So
	/// an object moves only with what belongs to its owner anyway.
	pub fn owners_below(&mut self, object: &ObjectId, limit: u32) -> Result<Below, TreeError> {
		let owner = self.existing(object)?.owner;
		let mut seen = 0;
		let mut waiting = vec![*object];
		while let Some(above) = waiting.pop() {
			let layout = self.existing(&above)?.flags.key_layout();
			let depth = self.storage().link(&above)?.map_or(0, |link| link.depth).saturating_add(1);
			let mut scan = KeyScan::new(&above, layout, PREFIX_CHILD, &PageRequest::default());
			while let Some((key, trie_key)) = scan.next(self.storage())? {
				if seen == limit {
					return Ok(Below::TooMany);
				}
				seen += 1;
				let child = above.child(&key);
				let bytes = self.storage().get(&above, &trie_key)?.ok_or(StorageError::Corrupt)?;
				if ChildEntry::from_value(&bytes)?.location != Location::WithParent {
					return Ok(Below::Foreign(child));
				}
				self.storage_mut().insert_link(
					&child,
					Link { parent: above, key, depth },
					false,
				)?;
				if self.existing(&child)?.owner != owner {
					return Ok(Below::Foreign(child));
				}
				waiting.push(child);
			}
		}
		Ok(Below::Own)
	}

	/// Turns `actor`'s own hosted object into a remote one; gives its root, which stays what it was.
	///
	/// The caller has made sure that the roots of the object and of what is below it are computed and that nothing below it is
	/// remote or somebody else's ([`Self::owners_below`]). It takes the object's tries out of the storage, or they would stay reachable by id.
	pub fn hosted_to_remote(
		&mut self,
		actor: &Actor,
		parent: &ObjectId,
		key: &Key,
		location: RemoteLocation,
	) -> Result<StateRoot, TreeError> {
		let entry = self.child(parent, key)?.ok_or(TreeError::ObjectNotFound)?;
		if entry.location != Location::WithParent {
			return Err(TreeError::IsRemote);
		}
		self.check_disposable(actor, &parent.child(key))?;
		self.put_entry(parent, key, &remote_entry(entry.state_root, location))?;
		Ok(entry.state_root)
	}

	/// Turns a remote child into a hosted one; gives its root, which stays what it was.
	///
	/// The caller has put tries with that root into the storage.
	pub fn remote_to_hosted(
		&mut self,
		parent: &ObjectId,
		key: &Key,
	) -> Result<StateRoot, TreeError> {
		let entry = self.child(parent, key)?.ok_or(TreeError::ObjectNotFound)?;
		if entry.location == Location::WithParent {
			return Err(TreeError::NotRemote);
		}
		self.put_entry(parent, key, &ChildEntry::hosted(entry.state_root))?;
		Ok(entry.state_root)
	}

	fn put_entry(
		&mut self,
		parent: &ObjectId,
		key: &Key,
		entry: &ChildEntry,
	) -> Result<(), TreeError> {
		let layout = self.existing(parent)?.flags.key_layout();
		self.storage_mut().mark_dirty(parent)?;
		Ok(self.storage_mut().put(parent, &child_key(layout, key), entry.to_value())?)
	}

	/// Removes a remote child and with it the last trace of its state in this tree.
	///
	/// The caller checks that the subtree is closed and that `actor` owned it.
	pub fn remove_remote(
		&mut self,
		actor: &Actor,
		parent: &ObjectId,
		key: &Key,
	) -> Result<(), TreeError> {
		let entry = self.child(parent, key)?.ok_or(TreeError::ObjectNotFound)?;
		if entry.location == Location::WithParent {
			return Err(TreeError::NotRemote);
		}
		Access::DropChild.check(&self.existing(parent)?.owner, actor)?;
		self.drop_entry(parent, key)
	}
}

fn remote_entry(state_root: StateRoot, location: RemoteLocation) -> ChildEntry {
	ChildEntry { version: CHILD_ENTRY_VERSION, state_root, location: Location::Remote(location) }
}
