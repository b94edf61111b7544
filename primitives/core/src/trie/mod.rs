//! Tries as sets of nodes.
//!
//! [`TrieStorage`] is the [`Storage`](crate::Storage) of everything that is not the hub's runtime: it reads trie nodes from a
//! [`NodeStore`] (a database, or the [`NodeSet`] of a proof), keeps changes in memory and computes roots.
//!
//! # Trust model
//!
//! A [`NodeSet`] comes from strangers. Its nodes are in canonical form, so one content has one root and no node makes the trie
//! code panic; that they hang together, and that none is superfluous, shows only when they are read ([`crate::proof`]).

mod canonical;
mod hasher;
mod look_up;
mod node_set;
mod recorder;
mod storage;
#[cfg(test)]
mod tests;
mod view;
mod written;

pub use canonical::{check_node, is_value, NodeError};
pub use hasher::Blake2Hasher;
pub use node_set::{NodeSet, NodeSetError};
pub use recorder::Recording;
pub use storage::{NodeChanges, ObjectChanges, PairChanges, TrieStorage};
pub use view::NodeStore;

/// The layout of every trie: version 1, blake2-256. Values of 33 bytes or more stand outside their node.
pub type Layout = sp_trie::LayoutV1<Blake2Hasher>;

/// Values of this many bytes or more stand outside their node, under their hash.
pub const HASHED_VALUE_BYTES: usize = 33;

/// A node shorter than this stands inside its parent; a longer one under its hash.
pub const HASHED_NODE_BYTES: usize = 32;

/// Blake2-256 of the empty node, the one byte 0. A constant, because every look-up of a node asks for it.
const EMPTY_ROOT: crate::StateRoot = sp_core::H256([
	0x03, 0x17, 0x0a, 0x2e, 0x75, 0x97, 0xb7, 0xb7, 0xe3, 0xd8, 0x4c, 0x05, 0x39, 0x1d, 0x13, 0x9a,
	0x62, 0xb1, 0x57, 0xe7, 0x87, 0x86, 0xd8, 0xc0, 0x82, 0xf2, 0x9d, 0xcf, 0x4c, 0x11, 0x13, 0x14,
]);

/// The root of a trie without entries.
pub const fn empty_root() -> crate::StateRoot {
	EMPTY_ROOT
}

/// A set of nodes in memory without any. (`MemoryDB` has no `Default` without std.)
pub(crate) fn empty_nodes() -> sp_trie::MemoryDB<Blake2Hasher> {
	sp_trie::MemoryDB::new(&[0])
}
