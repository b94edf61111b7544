//! Changes of objects that an execution asked for and that nobody applied yet.

use crate::state::ObjectReads;
use dstp_primitives::{
	tree::{Link, StorageError},
	ObjectId, StateRoot, Storage,
};
use std::collections::BTreeMap;

/// A storage over the tree that keeps what is written to itself.
///
/// It knows the objects that were looked up or created in this execution and no others, whatever index the storage below has: so an
/// execution is the same on the hub, in a subtree and from a witness.
pub(super) struct Overlay<'r> {
	tree: &'r dyn ObjectReads,
	links: BTreeMap<ObjectId, (Link, bool)>,
	written: BTreeMap<ObjectId, BTreeMap<Vec<u8>, Option<Vec<u8>>>>,
}

impl<'r> Overlay<'r> {
	pub(super) fn new(tree: &'r dyn ObjectReads) -> Self {
		Self { tree, links: BTreeMap::new(), written: BTreeMap::new() }
	}

	/// Whether the object was created in this execution, so that nothing of it stands in the tree.
	fn is_new(&self, object: &ObjectId) -> bool {
		self.links.get(object).is_some_and(|(_, new)| *new)
	}
}

impl Storage for Overlay<'_> {
	fn namespace(&self) -> ObjectId {
		self.tree.namespace()
	}

	fn get(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
		match self.written.get(object).and_then(|written| written.get(key)) {
			Some(value) => Ok(value.clone()),
			None if self.is_new(object) => Ok(None),
			None => self.tree.value(object, key),
		}
	}

	fn next_key(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
		let written = self.written.get(object);
		let is_deleted = |key: &[u8]| matches!(written.and_then(|w| w.get(key)), Some(None));
		let mut below = key.to_vec();
		let stored = loop {
			if self.is_new(object) {
				break None;
			}
			match self.tree.next_key(object, &below)? {
				Some(next) if is_deleted(&next) => below = next,
				next => break next,
			}
		};
		let own = written
			.into_iter()
			.flat_map(|written| written.range(key.to_vec()..))
			.find(|(own, value)| own.as_slice() > key && value.is_some())
			.map(|(own, _)| own.clone());
		Ok(match (stored, own) {
			(Some(stored), Some(own)) => Some(stored.min(own)),
			(stored, own) => stored.or(own),
		})
	}

	fn put(&mut self, object: &ObjectId, key: &[u8], value: Vec<u8>) -> Result<(), StorageError> {
		self.written.entry(*object).or_default().insert(key.to_vec(), Some(value));
		Ok(())
	}

	fn delete(&mut self, object: &ObjectId, key: &[u8]) -> Result<(), StorageError> {
		self.written.entry(*object).or_default().insert(key.to_vec(), None);
		Ok(())
	}

	fn link(&self, object: &ObjectId) -> Result<Option<Link>, StorageError> {
		Ok(self.links.get(object).map(|(link, _)| link.clone()))
	}

	fn insert_link(
		&mut self,
		object: &ObjectId,
		link: Link,
		new: bool,
	) -> Result<(), StorageError> {
		if !new && !self.links.contains_key(object) {
			self.tree.note_link(object, link.clone())?;
		}
		self.links.entry(*object).or_insert((link, new));
		Ok(())
	}

	fn remove_link(&mut self, object: &ObjectId) -> Result<(), StorageError> {
		self.links.remove(object);
		Ok(())
	}

	fn mark_dirty(&mut self, _: &ObjectId) -> Result<(), StorageError> {
		Ok(())
	}

	fn take_dirty(&mut self) -> Vec<ObjectId> {
		Vec::new()
	}

	fn root(&mut self, _: &ObjectId) -> Result<StateRoot, StorageError> {
		// Roots are computed when the changes are applied to a tree.
		Ok(StateRoot::zero())
	}
}
