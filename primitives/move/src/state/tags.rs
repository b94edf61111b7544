//! Types of resources, as the tree has them.

use dstp_primitives::{contract::TypeTagBytes, object::resource_key};
use move_core_types::language_storage::StructTag;
use std::{cell::RefCell, collections::HashMap, sync::Arc};

/// Most types that are remembered, of at most 2 KiB each.
const MAX_TAGS: usize = 1_024;

/// A type as it stands in the tree.
pub(crate) struct StoredTag {
	/// In BCS.
	pub(crate) bytes: TypeTagBytes,
	/// The key of a resource of this type.
	pub(crate) key: Vec<u8>,
}

/// Remembers how types stand in the tree, which follows from the types alone.
#[derive(Default)]
pub(crate) struct Tags(RefCell<HashMap<StructTag, Arc<StoredTag>>>);

impl Tags {
	/// `None`: the type is too long to be stored.
	pub(crate) fn get(&self, tag: &StructTag) -> Option<Arc<StoredTag>> {
		let mut tags = self.0.borrow_mut();
		if let Some(stored) = tags.get(tag) {
			return Some(stored.clone());
		}
		let bytes: TypeTagBytes = bcs::to_bytes(tag).ok()?.try_into().ok()?;
		let key = resource_key(&bytes);
		let stored = Arc::new(StoredTag { bytes, key });
		if tags.len() >= MAX_TAGS {
			tags.clear();
		}
		tags.insert(tag.clone(), stored.clone());
		Some(stored)
	}
}
