//! The nodes of one trie as the trie code wants to see them: what was written last shadows what was written before, and that
//! shadows the store.

use super::{
	empty_root,
	written::{ByHash, Written},
	Blake2Hasher, HASHED_NODE_BYTES,
};
use crate::id::StateRoot;
use alloc::vec::Vec;
use core::cell::RefCell;
use hash_db::{AsHashDB, HashDB, HashDBRef, Hasher, Prefix};
use sp_core::H256;

/// Where trie nodes and large values are read from, by hash.
pub trait NodeStore: Send + Sync {
	/// The bytes whose blake2-256 is `hash`; `None` if they are not here.
	fn node(&self, hash: &H256) -> Option<Vec<u8>>;

	/// Whether a look-up costs so much more than one in memory that nodes are kept after they were read.
	fn is_slow(&self) -> bool {
		false
	}
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

	fn is_slow(&self) -> bool {
		(**self).is_slow()
	}
}

/// Most bytes of nodes that are kept after they were read: the nodes of a batch of calls, which mostly read the same ones.
const MAX_KEPT_BYTES: usize = 16 * 1024 * 1024;

/// Nodes that were read from a slow store. A hash stands for its bytes for ever, so nothing here grows old.
#[derive(Default)]
pub(super) struct Kept {
	nodes: ByHash<Vec<u8>>,
	bytes: usize,
}

impl Kept {
	fn get(&self, hash: &H256) -> Option<&[u8]> {
		self.nodes.get(hash).map(|bytes| &bytes[..])
	}

	/// Keeps a node that is not here yet.
	fn keep(&mut self, hash: &H256, bytes: Vec<u8>) {
		if self.bytes > MAX_KEPT_BYTES {
			*self = Self::default();
		}
		self.bytes += bytes.len();
		self.nodes.insert(*hash, bytes);
	}
}

/// For reading.
pub(super) struct View<'a, N> {
	pub nodes: Nodes<'a, N>,
	/// Where nodes from the store are kept.
	pub kept: &'a RefCell<Kept>,
}

/// For computing a new root. New nodes go to `fresh`; what was read before is kept, what is read now is not.
pub(super) struct ViewMut<'a, N> {
	pub store: &'a N,
	pub accepted: &'a Written,
	pub fresh: &'a mut Written,
	pub kept: &'a Kept,
	/// The one node that may be short.
	pub root: StateRoot,
}

/// Where nodes are looked for.
pub(super) struct Nodes<'a, N> {
	pub store: &'a N,
	pub accepted: &'a Written,
	pub fresh: &'a Written,
	/// The one node that may be short.
	pub root: StateRoot,
}

impl<'a, N> Nodes<'a, N> {
	/// A node that was written and is not stored yet, and the empty node, which never is.
	fn written(&self, hash: &H256) -> Option<&'a [u8]> {
		if *hash == empty_root() {
			return Some(&[0]);
		}
		self.fresh.get(hash).or_else(|| self.accepted.get(hash))
	}

	/// A short node belongs inside its parent; only a root is looked up by hash whatever its length.
	fn may_stand_alone(&self, hash: &H256, bytes: &[u8]) -> bool {
		bytes.len() >= HASHED_NODE_BYTES || *hash == self.root || *hash == empty_root()
	}
}

impl<N: NodeStore> View<'_, N> {
	/// Gives the bytes of a node, where they are, to `read`; `None` if there is no such node.
	pub fn with_node<T>(&self, hash: &H256, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
		let nodes = &self.nodes;
		let read = |bytes: &[u8]| nodes.may_stand_alone(hash, bytes).then(|| read(bytes));
		if let Some(bytes) = nodes.written(hash) {
			return read(bytes);
		}
		if !nodes.store.is_slow() {
			return read(&nodes.store.node(hash)?);
		}
		let mut kept = self.kept.borrow_mut();
		if let Some(bytes) = kept.get(hash) {
			return read(bytes);
		}
		let bytes = nodes.store.node(hash)?;
		let result = read(&bytes);
		kept.keep(hash, bytes);
		result
	}

	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		self.with_node(hash, <[u8]>::to_vec)
	}
}

impl<N: NodeStore> ViewMut<'_, N> {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		let (store, accepted, fresh, root) = (self.store, self.accepted, &*self.fresh, self.root);
		let nodes = Nodes { store, accepted, fresh, root };
		let bytes = match nodes.written(hash).or_else(|| self.kept.get(hash)) {
			Some(bytes) => bytes.to_vec(),
			None => store.node(hash)?,
		};
		nodes.may_stand_alone(hash, &bytes).then_some(bytes)
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
		self.node(hash)
	}

	fn contains(&self, hash: &H256, prefix: Prefix) -> bool {
		HashDB::get(self, hash, prefix).is_some()
	}

	fn insert(&mut self, _: Prefix, value: &[u8]) -> H256 {
		let hash = Blake2Hasher::hash(value);
		self.fresh.add(hash, value.to_vec());
		hash
	}

	fn emplace(&mut self, hash: H256, _: Prefix, value: Vec<u8>) {
		self.fresh.add(hash, value)
	}

	fn remove(&mut self, hash: &H256, _: Prefix) {
		self.fresh.remove(*hash)
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
