//! The state of the newest head, read without its tries.

use super::{database::Entries, flat_key, Inner, COL_FLAT};
use dstp_primitives::{
	tree::{Link, Storage, StorageError},
	ObjectId, StateRoot,
};
use std::cell::RefCell;

/// The flat copy as the storage of an `ObjectTree`, for its reading operations. Writing is refused.
pub(crate) struct FlatView<'a> {
	inner: &'a Inner,
	namespace: ObjectId,
	/// Where the last step stands: pages go from key to key.
	cursor: RefCell<Option<Cursor<'a>>>,
}

struct Cursor<'a> {
	iterator: Entries<'a>,
	/// Key and value that the iterator gave last.
	key: Vec<u8>,
	value: Vec<u8>,
}

impl<'a> FlatView<'a> {
	pub fn new(inner: &'a Inner, namespace: ObjectId) -> Self {
		Self { inner, namespace, cursor: RefCell::new(None) }
	}

	fn step(&self, from: &[u8]) -> parity_db::Result<Option<Cursor<'a>>> {
		let mut iterator = match self.cursor.borrow_mut().take() {
			Some(cursor) if cursor.key == from => cursor.iterator,
			_ => {
				let mut iterator = self.inner.db()?.iter(COL_FLAT)?;
				iterator.seek(from)?;
				iterator
			},
		};
		let mut found = iterator.next()?;
		if found.as_ref().is_some_and(|(key, _)| key == from) {
			found = iterator.next()?;
		}
		Ok(found.map(|(key, value)| Cursor { iterator, key, value }))
	}
}

fn unreadable(error: parity_db::Error) -> StorageError {
	log::error!(target: "dstp::subtree", "the flat copy of the state cannot be read: {error}");
	StorageError::Corrupt
}

impl Storage for FlatView<'_> {
	fn namespace(&self) -> ObjectId {
		self.namespace
	}

	fn get(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
		let key = flat_key(object, key);
		if let Some(cursor) = self.cursor.borrow().as_ref().filter(|cursor| cursor.key == key) {
			return Ok(Some(cursor.value.clone()));
		}
		self.inner.db().and_then(|db| db.get(COL_FLAT, &key)).map_err(unreadable)
	}

	fn next_key(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
		let cursor = self.step(&flat_key(object, key)).map_err(unreadable)?;
		let next = cursor
			.as_ref()
			.and_then(|cursor| cursor.key.strip_prefix(&object.0))
			.map(<[u8]>::to_vec);
		*self.cursor.borrow_mut() = cursor;
		Ok(next)
	}

	fn link(&self, object: &ObjectId) -> Result<Option<Link>, StorageError> {
		let stored = self.inner.link(object).map_err(unreadable)?;
		Ok(stored.filter(|stored| stored.removed == 0).map(|stored| stored.link))
	}

	fn put(&mut self, _: &ObjectId, _: &[u8], _: Vec<u8>) -> Result<(), StorageError> {
		Err(StorageError::Corrupt)
	}

	fn delete(&mut self, _: &ObjectId, _: &[u8]) -> Result<(), StorageError> {
		Err(StorageError::Corrupt)
	}

	fn insert_link(&mut self, _: &ObjectId, _: Link, new: bool) -> Result<(), StorageError> {
		(!new).then_some(()).ok_or(StorageError::Corrupt)
	}

	fn remove_link(&mut self, _: &ObjectId) -> Result<(), StorageError> {
		Err(StorageError::Corrupt)
	}

	fn mark_dirty(&mut self, _: &ObjectId) -> Result<(), StorageError> {
		Err(StorageError::Corrupt)
	}

	fn take_dirty(&mut self) -> Vec<ObjectId> {
		Vec::new()
	}

	fn root(&mut self, _: &ObjectId) -> Result<StateRoot, StorageError> {
		Err(StorageError::Corrupt)
	}
}
