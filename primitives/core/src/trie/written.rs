//! Nodes that were written and are not stored yet.

use super::{empty_root, storage::NodeChanges};
use alloc::vec::Vec;
use sp_core::H256;

#[cfg(feature = "std")]
use std::collections::hash_map as map;
#[cfg(feature = "std")]
use std::collections::HashMap as Map;

#[cfg(not(feature = "std"))]
use alloc::collections::{btree_map as map, BTreeMap as Map};

/// Values by the hashes of nodes. Strangers choose what is hashed, so the map has to resist chosen keys: with std it is one with
/// secret seeds, without it a tree.
pub(super) type ByHash<T> = Map<H256, T>;

/// Nodes, each with the number of references that were added to it (or, if negative, dropped; then its bytes may be missing).
///
/// A node whose references add up to nothing is forgotten. The empty node is never stored and is left out.
#[derive(Default)]
pub(super) struct Written(ByHash<(Vec<u8>, i32)>);

impl Written {
	/// The bytes of a node that has more references than before.
	pub fn get(&self, hash: &H256) -> Option<&[u8]> {
		self.0.get(hash).filter(|(_, count)| *count > 0).map(|(bytes, _)| &bytes[..])
	}

	/// Makes room for what `keys` changed keys write: about two nodes of a path are a key's own, and the old ones go.
	pub fn reserve_for(&mut self, keys: usize) {
		// A tree has no room to make.
		#[cfg(feature = "std")]
		self.0.reserve(4 * keys);
		#[cfg(not(feature = "std"))]
		let _ = keys;
	}

	/// Adds a reference.
	pub fn add(&mut self, hash: H256, bytes: Vec<u8>) {
		self.change(hash, bytes, 1);
	}

	/// Drops a reference.
	pub fn remove(&mut self, hash: H256) {
		self.change(hash, Vec::new(), -1);
	}

	/// Adds what was written later.
	pub fn absorb(&mut self, later: Self) {
		if self.0.is_empty() {
			*self = later;
			return;
		}
		for (hash, (bytes, count)) in later.0 {
			self.change(hash, bytes, count);
		}
	}

	/// Everything, in any order. Nothing is left.
	pub fn take(&mut self) -> NodeChanges {
		let nodes = core::mem::take(&mut self.0).into_iter();
		nodes.map(|(hash, (bytes, count))| (hash, bytes, count)).collect()
	}

	fn change(&mut self, hash: H256, bytes: Vec<u8>, change: i32) {
		if hash == empty_root() {
			return;
		}
		match self.0.entry(hash) {
			map::Entry::Vacant(vacant) => {
				vacant.insert((bytes, change));
			},
			map::Entry::Occupied(mut occupied) => {
				let (known, count) = occupied.get_mut();
				*count += change;
				if *count == 0 {
					occupied.remove();
				} else if known.is_empty() {
					*known = bytes;
				}
			},
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const HASH: H256 = H256([1; 32]);

	#[test]
	fn references_that_cancel_out_leave_nothing() {
		let mut nodes = Written::default();
		nodes.add(HASH, vec![1; 40]);
		nodes.remove(HASH);
		assert!(nodes.get(&HASH).is_none() && nodes.take().is_empty());
		nodes.remove(HASH);
		nodes.add(HASH, vec![1; 40]);
		assert!(nodes.get(&HASH).is_none() && nodes.take().is_empty());
	}

	#[test]
	fn a_node_that_is_dropped_and_added_twice_has_its_bytes() {
		let mut nodes = Written::default();
		nodes.remove(HASH);
		assert_eq!(nodes.get(&HASH), None);
		let mut later = Written::default();
		later.add(HASH, vec![1; 40]);
		later.add(HASH, vec![1; 40]);
		nodes.absorb(later);
		assert_eq!(nodes.get(&HASH), Some(&[1; 40][..]));
		assert_eq!(nodes.take(), [(HASH, vec![1; 40], 1)]);
	}

	#[test]
	fn the_empty_node_is_left_out() {
		let mut nodes = Written::default();
		nodes.add(empty_root(), vec![0]);
		nodes.remove(empty_root());
		nodes.remove(empty_root());
		assert!(nodes.take().is_empty());
	}
}
