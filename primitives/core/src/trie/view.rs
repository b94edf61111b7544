//! The nodes of one trie as the trie code wants to see them: what was written last shadows what was written before, and that
//! shadows the store.

use super::{empty_root, Blake2Hasher, HASHED_NODE_BYTES};
use crate::id::StateRoot;
use alloc::vec::Vec;
use hash_db::{AsHashDB, HashDB, HashDBRef, Prefix, EMPTY_PREFIX};
use sp_core::H256;
use sp_trie::MemoryDB;

/// Where trie nodes and large values are read from, by hash.
pub trait NodeStore: Send + Sync {
	/// The bytes whose blake2-256 is `hash`; `None` if they are not here.
	fn node(&self, hash: &H256) -> Option<Vec<u8>>;
}

/// A store without nodes, for tries that start empty.
impl NodeStore for () {
	fn node(&self, _: &H256) -> Option<Vec<u8>> {
		None
	}
}

impl<N: NodeStore + ?Sized> NodeStore for &N {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		(**self).node(hash)
	}
}

/// For reading.
pub(super) struct View<'a, N> {
	pub store: &'a N,
	pub accepted: &'a MemoryDB<Blake2Hasher>,
	pub fresh: &'a MemoryDB<Blake2Hasher>,
	/// The one node that may be short.
	pub root: StateRoot,
}

/// For computing a new root. New nodes go to `fresh`.
pub(super) struct ViewMut<'a, N> {
	pub store: &'a N,
	pub accepted: &'a MemoryDB<Blake2Hasher>,
	pub fresh: &'a mut MemoryDB<Blake2Hasher>,
	/// The one node that may be short.
	pub root: StateRoot,
}

impl<N: NodeStore> View<'_, N> {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		if *hash == empty_root() {
			return Some(alloc::vec![0]);
		}
		let written = |db: &MemoryDB<Blake2Hasher>| {
			db.raw(hash, EMPTY_PREFIX)
				.filter(|(_, count)| *count > 0)
				.map(|(bytes, _)| bytes.clone())
		};
		let bytes = written(self.fresh)
			.or_else(|| written(self.accepted))
			.or_else(|| self.store.node(hash))?;
		// A short node belongs inside its parent; only a root is looked up by hash whatever its length.
		(bytes.len() >= HASHED_NODE_BYTES || *hash == self.root).then_some(bytes)
	}
}

impl<N: NodeStore> HashDBRef<Blake2Hasher, Vec<u8>> for View<'_, N> {
	fn get(&self, hash: &H256, _: Prefix) -> Option<Vec<u8>> {
		self.node(hash)
	}

	fn contains(&self, hash: &H256, _: Prefix) -> bool {
		self.node(hash).is_some()
	}
}

impl<N: NodeStore> HashDB<Blake2Hasher, Vec<u8>> for ViewMut<'_, N> {
	fn get(&self, hash: &H256, _: Prefix) -> Option<Vec<u8>> {
		View { store: self.store, accepted: self.accepted, fresh: self.fresh, root: self.root }
			.node(hash)
	}

	fn contains(&self, hash: &H256, prefix: Prefix) -> bool {
		HashDB::get(self, hash, prefix).is_some()
	}

	fn insert(&mut self, prefix: Prefix, value: &[u8]) -> H256 {
		HashDB::insert(self.fresh, prefix, value)
	}

	fn emplace(&mut self, hash: H256, prefix: Prefix, value: Vec<u8>) {
		HashDB::emplace(self.fresh, hash, prefix, value)
	}

	fn remove(&mut self, hash: &H256, prefix: Prefix) {
		HashDB::remove(self.fresh, hash, prefix)
	}
}

impl<N: NodeStore> AsHashDB<Blake2Hasher, Vec<u8>> for ViewMut<'_, N> {
	fn as_hash_db(&self) -> &dyn HashDB<Blake2Hasher, Vec<u8>> {
		self
	}

	fn as_hash_db_mut<'a>(&'a mut self) -> &'a mut (dyn HashDB<Blake2Hasher, Vec<u8>> + 'a) {
		self
	}
}
