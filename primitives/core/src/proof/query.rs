//! Questions about the state, and how they are answered from trie nodes.

use super::TrustedRoot;
use crate::{
	id::{Key, ObjectId, Path},
	object::{ChildEntry, Location, Meta, Value},
	tree::{ObjectTree, Page, PageRequest, StorageError, TreeError},
	trie::{empty_root, NodeStore, Recording, TrieStorage},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::fmt;
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

/// Most fields, and most children, that one question names.
pub const MAX_QUERY_KEYS: u32 = 256;

/// Entries of which kind a page lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum PageKind {
	/// Fields.
	#[codec(index = 0)]
	Fields,
	/// Children.
	#[codec(index = 1)]
	Children,
}

/// A page whose completeness is proven.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct PageQuery {
	/// Fields or children.
	pub kind: PageKind,
	/// Which of them.
	pub request: PageRequest,
}

/// A question about one object.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Query {
	/// From the trusted root's object down to the object.
	pub path: Path,
	/// Fields to read.
	pub fields: BoundedVec<Key, ConstU32<MAX_QUERY_KEYS>>,
	/// Child entries to read.
	pub children: BoundedVec<Key, ConstU32<MAX_QUERY_KEYS>>,
	/// A page to list.
	pub page: Option<PageQuery>,
}

/// One step down a path.
#[derive(Clone, PartialEq, Eq, Debug, Encode, TypeInfo)]
pub struct Hop {
	/// The object stepped onto.
	pub object: ObjectId,
	/// What its parent says of it. A remote location names the mode, the number and the status of the head.
	pub entry: ChildEntry,
}

/// The entries of a page.
#[derive(Clone, PartialEq, Eq, Debug, Encode, TypeInfo)]
pub enum PageAnswer {
	/// Fields.
	Fields(Page<Value>),
	/// Children.
	Children(Page<ChildEntry>),
}

/// What the state says of one object.
#[derive(Clone, PartialEq, Eq, Debug, Encode, TypeInfo)]
pub struct ObjectAnswer {
	/// Its id.
	pub object: ObjectId,
	/// Its facts.
	pub meta: Meta,
	/// The fields asked for, in the order of the question; `None`: there is no such field.
	pub fields: Vec<(Key, Option<Value>)>,
	/// The children asked for, likewise.
	pub children: Vec<(Key, Option<ChildEntry>)>,
	/// The page asked for.
	pub page: Option<PageAnswer>,
}

/// What the state says.
#[derive(Clone, PartialEq, Eq, Debug, Encode, TypeInfo)]
pub struct Answer {
	/// The steps that the path could go.
	pub hops: Vec<Hop>,
	/// The object at its end; `None`: there is no object below the last hop under the path's next key, or the last object is the
	/// root of a namespace that is still empty.
	pub object: Option<ObjectAnswer>,
}

/// Why a question could not be answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadError {
	/// A trie node is missing or not what it should be.
	Storage(StorageError),
	/// The question itself is refused, for example a page of 0 entries.
	Refused(TreeError),
}

impl fmt::Display for ReadError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Storage(error) => fmt::Display::fmt(error, f),
			Self::Refused(error) => fmt::Display::fmt(error, f),
		}
	}
}

impl core::error::Error for ReadError {}

impl From<TreeError> for ReadError {
	fn from(error: TreeError) -> Self {
		match error {
			TreeError::Storage(error) => Self::Storage(error.0),
			refused => Self::Refused(refused),
		}
	}
}

/// Answers `query` from the nodes in `store`, and notes in the recording which were read.
pub fn read<N: NodeStore>(
	from: TrustedRoot,
	store: &N,
	query: &Query,
	recording: Recording,
) -> Result<(Answer, Recording), ReadError> {
	let mut storage = TrieStorage::new(from.object, from.root, store);
	storage.record(recording);
	let mut tree = ObjectTree::new(storage);
	let mut hops = Vec::with_capacity(query.path.keys().len());
	let mut object = from.object;
	for key in query.path.keys() {
		let Some(entry) = child_of(&tree, &object, key)? else {
			return Ok((Answer { hops, object: None }, tree.storage_mut().record(Recording::Off)));
		};
		object = object.child(key);
		tree = step(tree, object, &entry, store);
		hops.push(Hop { object, entry });
	}
	let answer = describe(&tree, object, query)?;
	Ok((Answer { hops, object: answer }, tree.storage_mut().record(Recording::Off)))
}

/// Opens the trie of a child. Reading needs no more of the tree than that, whether the child is hosted or remote.
fn step<'a, N: NodeStore>(
	mut tree: ObjectTree<TrieStorage<&'a N>>,
	object: ObjectId,
	entry: &ChildEntry,
	store: &'a N,
) -> ObjectTree<TrieStorage<&'a N>> {
	let recording = tree.storage_mut().record(Recording::Off);
	let mut storage = TrieStorage::new(object, entry.state_root, store);
	storage.record(recording);
	ObjectTree::new(storage)
}

fn child_of<N: NodeStore>(
	tree: &ObjectTree<TrieStorage<N>>,
	object: &ObjectId,
	key: &Key,
) -> Result<Option<ChildEntry>, ReadError> {
	match tree.child(object, key) {
		// Only the root of an empty namespace exists without facts.
		Err(TreeError::ObjectNotFound) if tree.storage().namespace_root() == empty_root() => {
			Ok(None)
		},
		Err(TreeError::ObjectNotFound) => Err(ReadError::Storage(StorageError::Corrupt)),
		found => Ok(found?),
	}
}

fn describe<N: NodeStore>(
	tree: &ObjectTree<TrieStorage<N>>,
	object: ObjectId,
	query: &Query,
) -> Result<Option<ObjectAnswer>, ReadError> {
	let Some(meta) = tree.meta(&object)? else {
		let empty = tree.storage().namespace_root() == empty_root();
		return empty.then_some(None).ok_or(ReadError::Storage(StorageError::Corrupt));
	};
	let fields = query.fields.iter().map(|key| Ok((key.clone(), tree.field(&object, key)?)));
	let children = query.children.iter().map(|key| Ok((key.clone(), tree.child(&object, key)?)));
	let page = query.page.as_ref().map(|page| match page.kind {
		PageKind::Fields => tree.fields(&object, &page.request).map(PageAnswer::Fields),
		PageKind::Children => tree.children(&object, &page.request).map(PageAnswer::Children),
	});
	Ok(Some(ObjectAnswer {
		object,
		meta,
		fields: fields.collect::<Result<_, TreeError>>()?,
		children: children.collect::<Result<_, TreeError>>()?,
		page: page.transpose()?,
	}))
}

/// The location of the last remote hop, whose status tells how sure the hub is of what was read.
impl Answer {
	/// The heads that the path leads through, outermost first.
	pub fn remote_hops(&self) -> impl Iterator<Item = (&ObjectId, &crate::object::RemoteLocation)> {
		self.hops.iter().filter_map(|hop| match &hop.entry.location {
			Location::Remote(location) => Some((&hop.object, location)),
			Location::WithParent => None,
		})
	}
}
