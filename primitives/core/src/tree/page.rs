//! Pages of fields and children in key order.

use super::{ObjectTree, Storage, TreeError};
use crate::{
	id::{Key, ObjectId, MAX_KEY_BYTES},
	object::{
		child_key, field_key, raw_key, ChildEntry, KeyLayout, Value, PREFIX_CHILD, PREFIX_FIELD,
	},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// Most entries in a page.
pub const MAX_PAGE_LIMIT: u32 = 1000;

/// Bytes of keys and values as stored after which a page ends, whatever its limit: half of a proof, so that a proven page
/// fits into one, and an answer stays below the size of a message between nodes.
pub const MAX_PAGE_BYTES: usize = 1024 * 1024;

/// Which entries of an object a reader wants.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct PageRequest {
	/// Only keys that start with these bytes (at most 64). Empty: all. Not possible where keys are hashed.
	pub prefix: Vec<u8>,
	/// Only keys after this one, in the object's order. The key need not exist any more.
	pub cursor: Option<Key>,
	/// Most entries, 1 to [`MAX_PAGE_LIMIT`]. A page of large values ends earlier, at [`MAX_PAGE_BYTES`].
	pub limit: u32,
}

/// Entries in the object's order: that of the raw keys, or of their hashes where keys are hashed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Page<T> {
	/// Keys and what stands there.
	pub entries: Vec<(Key, T)>,
	/// Cursor of the next page; `None`: nothing follows.
	pub next: Option<Key>,
}

impl<S: Storage> ObjectTree<S> {
	/// A page of fields.
	pub fn fields(
		&self,
		object: &ObjectId,
		request: &PageRequest,
	) -> Result<Page<Value>, TreeError> {
		self.page(object, request, PREFIX_FIELD, |bytes| {
			Ok(crate::object::decode_field_value(bytes)?)
		})
	}

	/// A page of children.
	pub fn children(
		&self,
		object: &ObjectId,
		request: &PageRequest,
	) -> Result<Page<ChildEntry>, TreeError> {
		self.page(object, request, PREFIX_CHILD, |bytes| Ok(ChildEntry::from_value(bytes)?))
	}

	fn page<T>(
		&self,
		object: &ObjectId,
		request: &PageRequest,
		kind: u8,
		decode: impl Fn(&[u8]) -> Result<T, TreeError>,
	) -> Result<Page<T>, TreeError> {
		let limited = (1..=MAX_PAGE_LIMIT).contains(&request.limit);
		if !limited || request.prefix.len() > MAX_KEY_BYTES as usize {
			return Err(TreeError::BadPage);
		}
		let layout = self.meta(object)?.ok_or(TreeError::ObjectNotFound)?.flags.key_layout();
		if layout == KeyLayout::Hashed && !request.prefix.is_empty() {
			return Err(TreeError::PrefixOnHashedKeys);
		}
		let mut entries = Vec::new();
		let mut size = 0usize;
		let mut scan = KeyScan::new(object, layout, kind, request);
		while let Some((key, trie_key)) = scan.next(self.storage())? {
			if entries.len() == request.limit as usize || size >= MAX_PAGE_BYTES {
				let next = entries.last().map(|(key, _): &(Key, T)| key.clone());
				return Ok(Page { entries, next });
			}
			let bytes =
				self.storage().get(object, &trie_key)?.ok_or(super::StorageError::Corrupt)?;
			size = size.saturating_add(trie_key.len()).saturating_add(bytes.len());
			entries.push((key, decode(&bytes)?));
		}
		Ok(Page { entries, next: None })
	}
}

/// Walks over the keys of one kind in an object's trie.
pub(crate) struct KeyScan<'a> {
	object: &'a ObjectId,
	layout: KeyLayout,
	kind: u8,
	prefix: Vec<u8>,
	/// The last trie key seen, or where to start.
	at: Vec<u8>,
	/// Whether `at` itself is a candidate.
	inclusive: bool,
}

impl<'a> KeyScan<'a> {
	pub(crate) fn new(
		object: &'a ObjectId,
		layout: KeyLayout,
		kind: u8,
		request: &PageRequest,
	) -> Self {
		let mut prefix = Vec::with_capacity(1 + request.prefix.len());
		prefix.push(kind);
		prefix.extend_from_slice(&request.prefix);
		let after = request.cursor.as_ref().map(|cursor| match kind {
			PREFIX_FIELD => field_key(layout, cursor),
			_ => child_key(layout, cursor),
		});
		// A cursor before the prefix would walk over keys that do not belong to the page.
		let (at, inclusive) = match after {
			Some(after) if after >= prefix => (after, false),
			_ => (prefix.clone(), true),
		};
		Self { object, layout, kind, prefix, at, inclusive }
	}

	/// All keys of this kind that do not stand before the trie key `from`.
	pub(crate) fn starting(object: &'a ObjectId, layout: KeyLayout, kind: u8, from: &[u8]) -> Self {
		let prefix = alloc::vec![kind];
		let at = from.max(&prefix).to_vec();
		Self { object, layout, kind, prefix, at, inclusive: true }
	}

	/// The next key, raw and as in the trie.
	pub(crate) fn next<S: Storage>(
		&mut self,
		storage: &S,
	) -> Result<Option<(Key, Vec<u8>)>, TreeError> {
		if self.at.first() > Some(&self.kind) {
			return Ok(None);
		}
		let found = if self.inclusive && storage.get(self.object, &self.at)?.is_some() {
			Some(self.at.clone())
		} else {
			storage.next_key(self.object, &self.at)?
		};
		self.inclusive = false;
		let Some(trie_key) = found.filter(|key| key.starts_with(&self.prefix)) else {
			return Ok(None);
		};
		let key = raw_key(self.layout, self.kind, &trie_key).ok_or(super::StorageError::Corrupt)?;
		self.at.clone_from(&trie_key);
		Ok(Some((key, trie_key)))
	}
}
