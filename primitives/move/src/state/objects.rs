//! The objects of the tree as contracts see them.

use super::TreeReader;
use crate::error::MoveError;
use dstp_primitives::{
	tree::{Link, StorageError},
	ObjectId, Storage,
};

/// Reads objects whatever the storage below the tree.
pub(crate) trait ObjectReads {
	/// The root object of the namespace.
	fn namespace(&self) -> ObjectId;

	/// The value at a key of an object's trie.
	fn value(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError>;

	/// The first key of an object's trie after `key`.
	fn next_key(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError>;

	/// Makes an object known that stands in the tree, so that changes of it can be applied.
	fn note_link(&self, object: &ObjectId, link: Link) -> Result<(), StorageError>;

	/// Remembers why the machine is given a failure.
	fn fail(&self, error: MoveError);
}

impl<S: Storage> ObjectReads for TreeReader<'_, S> {
	fn namespace(&self) -> ObjectId {
		self.with_tree(|tree| tree.namespace())
	}

	fn value(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
		self.with_tree(|tree| tree.storage().get(object, key))
	}

	fn next_key(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
		self.with_tree(|tree| tree.storage().next_key(object, key))
	}

	fn note_link(&self, object: &ObjectId, link: Link) -> Result<(), StorageError> {
		self.with_tree(|tree| tree.storage_mut().insert_link(object, link, false))
	}

	fn fail(&self, error: MoveError) {
		self.remember(error);
	}
}
