//! Where a removal goes on.

use crate::id::ObjectId;
use alloc::{collections::BTreeMap, vec::Vec};

/// Where to look for what is left in the tries of objects that are being removed, one after the other.
///
/// Until the block ends, the database still has all that the block removed, and whoever looks for the first key that is left walks over
/// it: with every object again, if each time the look starts at the first key. So removals remember where the look before ended.
///
/// A trail holds as long as nothing but removals that use it writes to its objects, and none of them is undone. Otherwise start with a
/// new one. It has an entry for each object that lost something and is still there: those between what is removed and what goes
/// next, so no more than objects stand above one another, and those where a removal was refused.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Trail {
	left: BTreeMap<ObjectId, Left>,
}

/// The first trie keys where something can be left. Empty: from the start.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Left {
	children: Vec<u8>,
	entries: Vec<u8>,
}

impl Trail {
	/// The trie key from which on an object can have children.
	pub fn children(&self, object: &ObjectId) -> &[u8] {
		self.left.get(object).map_or(&[], |left| &left.children)
	}

	/// Notes that an object has no children before this trie key.
	pub fn set_children(&mut self, object: &ObjectId, from: Vec<u8>) {
		self.left.entry(*object).or_default().children = from;
	}

	/// The trie key from which on an object can have entries that are no children.
	pub fn entries(&self, object: &ObjectId) -> &[u8] {
		self.left.get(object).map_or(&[], |left| &left.entries)
	}

	/// Notes that an object has nothing before this trie key but children and facts.
	pub fn set_entries(&mut self, object: &ObjectId, from: Vec<u8>) {
		self.left.entry(*object).or_default().entries = from;
	}

	/// Forgets an object that is gone: another one may come under its id.
	pub fn forget(&mut self, object: &ObjectId) {
		self.left.remove(object);
	}
}
