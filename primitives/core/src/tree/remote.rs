//! Children whose state is on other nodes. The caller has verified what it writes here.

use super::{Access, Actor, NewObject, ObjectTree, Storage, TreeError};
use crate::{
	id::{Key, ObjectId, StateRoot},
	object::{
		child_key, ChildEntry, Location, Meta, Owner, RemoteLocation, CHILD_ENTRY_VERSION, META_KEY,
	},
	trie::Layout,
};
use sp_trie::TrieConfiguration;

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

	/// Turns `actor`'s own hosted object into a remote one; gives its root, which stays what it was.
	///
	/// The rights over an object move with the state: whoever decides over a remote subtree decides over all that is in it. So the
	/// caller has made sure that nothing below the object is remote or has another owner, and that all roots below it are computed.
	/// It takes the object's tries out of the storage, or they would stay reachable by id.
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
