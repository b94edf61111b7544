//! What the object tree pallet answers.
//!
//! A runtime API is called at the hash of a block and answers from the state after that block, so every question can be asked
//! about earlier blocks too, as long as the node keeps their state.

// The macro writes items without docs.
#![allow(missing_docs)]

use crate::{
	hub::ContentSize,
	id::{AccountId, Key, ObjectId, Path, StateRoot},
	object::{ChildEntry, Location, Meta, RemoteLocation, Value},
	tree::{Page, PageRequest, TreeError},
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use core::fmt;
use scale_info::TypeInfo;

/// Where the hub finds what stands at a path.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Presence {
	/// There is no such object.
	#[codec(index = 0)]
	Absent,
	/// The hub holds the object.
	#[codec(index = 1)]
	Hosted,
	/// The object is the root of a remote subtree.
	#[codec(index = 2)]
	Remote(RemoteLocation),
	/// The path leads into a remote subtree. The hub cannot say whether the object exists; the subtree's nodes can.
	#[codec(index = 3)]
	InsideRemote {
		/// Root object of that subtree.
		subtree: ObjectId,
		/// The subtree as the hub sees it.
		location: RemoteLocation,
	},
}

/// What a path stands for.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Resolved {
	/// The id, by derivation alone.
	pub object: ObjectId,
	/// Whether the object exists, and where.
	pub presence: Presence,
}

/// An object as the hub sees it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ObjectView {
	/// The object above; `None` for the root of the global tree.
	pub parent: Option<ObjectId>,
	/// The key below `parent`; `None` for the root of the global tree.
	pub key: Option<Key>,
	/// Facts about the object; `None` if it is remote, where they stand in the subtree.
	pub meta: Option<Meta>,
	/// Root of its trie at the end of the block; of a remote subtree, of its last accepted head.
	pub state_root: StateRoot,
	/// Where its trie is.
	pub location: Location,
}

/// How far the content of a remote subtree has come back to the hub.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct StagingView {
	/// Who pays for the content, and alone may bring it.
	pub payer: AccountId,
	/// The object of which not all entries came yet, and the trie key of the last one that came; empty before the first.
	pub current: Option<(ObjectId, Vec<u8>)>,
	/// Objects that are named and not complete, before the first one 1. With 0 the content is complete.
	pub missing: u64,
	/// How much may still come.
	pub left: ContentSize,
}

/// Why the hub does not answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum QueryError {
	/// The question is not allowed, or the object is not here.
	#[codec(index = 0)]
	Refused(TreeError),
	/// The state of the hub is damaged.
	#[codec(index = 1)]
	CorruptState,
}

impl From<TreeError> for QueryError {
	fn from(error: TreeError) -> Self {
		match error {
			TreeError::Storage(_) => Self::CorruptState,
			refused => Self::Refused(refused),
		}
	}
}

impl fmt::Display for QueryError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Refused(error) => fmt::Display::fmt(error, f),
			Self::CorruptState => {
				f.write_str("the state of the hub is damaged; restore the node's database")
			},
		}
	}
}

impl core::error::Error for QueryError {}

sp_api::decl_runtime_apis! {
	/// Reads the global tree of objects.
	pub trait ObjectTreeApi {
		/// Root of the global tree at the end of the block, as in the block's digest.
		fn global_root() -> StateRoot;

		/// What stands at `path`, from the root of the global tree.
		fn resolve(path: Path) -> Resolved;

		/// The hosted object, or the root object of a remote subtree, with this id; `None` if the hub knows none.
		fn object(object: ObjectId) -> Option<ObjectView>;

		/// A page of a hosted object's fields.
		fn fields(object: ObjectId, page: PageRequest) -> Result<Page<Value>, QueryError>;

		/// A page of a hosted object's children.
		fn children(object: ObjectId, page: PageRequest) -> Result<Page<ChildEntry>, QueryError>;

		/// Storage key of a hosted object's child trie, without the prefix of child tries; `None` if the hub hosts no such object.
		fn child_trie(object: ObjectId) -> Option<Vec<u8>>;

		/// As `child_trie`, also for objects whose content is out of reach: those that became remote and whose nodes the hub keeps
		/// until the first head, and those of a subtree that is being taken back. `None` if the hub has no such nodes.
		fn kept_trie(object: ObjectId) -> Option<Vec<u8>>;

		/// How far the content of a remote subtree has come back; `None` if nobody takes it back.
		fn staging(subtree: ObjectId) -> Option<StagingView>;
	}
}
