//! What [`ObjectTree`](super::ObjectTree) needs from the place where tries are kept.

use crate::{
	id::{Key, ObjectId, StateRoot},
	object::Owner,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_core::H256;

/// Why a storage could not answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StorageError {
	/// The node with this hash is not there: outside the witness, pruned, or not synchronised yet.
	MissingNode(H256),
	/// What is stored cannot be decoded. The database is damaged, or the proof was made by a liar.
	Corrupt,
	/// No more objects can change before the next computation of roots.
	TooManyDirty,
	/// The running call has read more than its recording may hold.
	ReadLimit,
}

impl fmt::Display for StorageError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::MissingNode(hash) => write!(f, "the trie node {hash:?} is not here"),
			Self::Corrupt => f.write_str("a stored trie node or value cannot be decoded"),
			Self::TooManyDirty => {
				f.write_str("too many objects changed since roots were computed last")
			},
			Self::ReadLimit => {
				f.write_str("the call reads more of the state than a proof of it may hold")
			},
		}
	}
}

impl core::error::Error for StorageError {}

/// Where an object stands in its namespace. Not part of any root: it follows from the tree.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Link {
	/// The object above.
	pub parent: ObjectId,
	/// This object's key in it.
	pub key: Key,
	/// Objects between this one and the root of the namespace, plus one; at least 1.
	pub depth: u8,
}

/// The tries of one namespace: the hub's hosted objects, or one remote subtree.
pub trait Storage {
	/// The root object of the namespace. It has no link.
	fn namespace(&self) -> ObjectId;

	/// The value, with its tag, at `key` of the object's trie. An object that was never created has an empty trie.
	fn get(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError>;

	/// The first key of the object's trie after `key`, and never `key` itself.
	fn next_key(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError>;

	/// Writes a value. The caller has marked the object dirty.
	fn put(&mut self, object: &ObjectId, key: &[u8], value: Vec<u8>) -> Result<(), StorageError>;

	/// Deletes a value if there is one. The caller has marked the object dirty.
	fn delete(&mut self, object: &ObjectId, key: &[u8]) -> Result<(), StorageError>;

	/// Where a hosted object stands; `None` for the namespace's root and for what is not known to exist.
	fn link(&self, object: &ObjectId) -> Result<Option<Link>, StorageError>;

	/// Makes an object known, with an empty trie under a key space that was never used. Also called for objects that exist,
	/// when a path was resolved: a storage with an index of its own ignores that.
	fn insert_link(&mut self, object: &ObjectId, link: Link, new: bool)
		-> Result<(), StorageError>;

	/// Forgets an object whose trie is empty.
	fn remove_link(&mut self, object: &ObjectId) -> Result<(), StorageError>;

	/// Notes that an object that has a link got another owner: `before` is `None` for a new object, `after` for one that goes.
	/// Nothing but a storage that counts owners does something here.
	fn note_owner(
		&mut self,
		_object: &ObjectId,
		_before: Option<&Owner>,
		_after: Option<&Owner>,
	) -> Result<(), StorageError> {
		Ok(())
	}

	/// Notes that the object's root has to be computed again. Idempotent.
	fn mark_dirty(&mut self, object: &ObjectId) -> Result<(), StorageError>;

	/// Takes all objects that are dirty, in any order.
	fn take_dirty(&mut self) -> Vec<ObjectId>;

	/// The root of the object's trie with all changes. Expensive: asked once per dirty object.
	fn root(&mut self, object: &ObjectId) -> Result<StateRoot, StorageError>;
}
