//! Which nodes an execution read.

use super::empty_root;
use alloc::{
	collections::{btree_map::Entry, BTreeMap, BTreeSet},
	vec::Vec,
};
use core::cell::Cell;
use sp_core::H256;
use trie_db::{RecordedForKey, TrieAccess, TrieRecorder};

/// What is noted of the nodes that are read.
///
/// Each distinct node counts once, whether it came from a cache or not: prover and verifier count the same.
#[derive(Clone, Default, Debug)]
pub enum Recording {
	/// Nothing.
	#[default]
	Off,
	/// Hashes and the sum of sizes.
	Counting {
		/// Hashes of the nodes read.
		seen: BTreeSet<H256>,
		/// Their bytes.
		bytes: u64,
	},
	/// Everything.
	Keeping {
		/// The nodes read, by hash.
		nodes: BTreeMap<H256, Vec<u8>>,
		/// Their bytes.
		bytes: u64,
	},
}

impl Recording {
	/// Starts to count.
	pub fn counting() -> Self {
		Self::Counting { seen: BTreeSet::new(), bytes: 0 }
	}

	/// Starts to keep.
	pub fn keeping() -> Self {
		Self::Keeping { nodes: BTreeMap::new(), bytes: 0 }
	}

	/// Whether anything is noted.
	pub(super) fn is_on(&self) -> bool {
		!matches!(self, Self::Off)
	}

	/// Distinct nodes so far, and their bytes.
	pub fn size(&self) -> (usize, u64) {
		match self {
			Self::Off => (0, 0),
			Self::Counting { seen, bytes } => (seen.len(), *bytes),
			Self::Keeping { nodes, bytes } => (nodes.len(), *bytes),
		}
	}

	/// Whether the node with this hash was read.
	pub fn contains(&self, hash: &H256) -> bool {
		match self {
			Self::Off => false,
			Self::Counting { seen, .. } => seen.contains(hash),
			Self::Keeping { nodes, .. } => nodes.contains_key(hash),
		}
	}

	/// The nodes that were kept, ascending by hash.
	pub fn into_nodes(self) -> Vec<Vec<u8>> {
		match self {
			Self::Off | Self::Counting { .. } => Vec::new(),
			Self::Keeping { nodes, .. } => nodes.into_values().collect(),
		}
	}

	/// Notes that a node, or a value that stands outside its node, was read.
	pub(super) fn note(&mut self, hash: H256, node: &[u8]) {
		match self {
			Self::Off => {},
			_ if hash == empty_root() => {},
			Self::Counting { seen, bytes } => {
				if seen.insert(hash) {
					*bytes = bytes.saturating_add(node.len() as u64);
				}
			},
			Self::Keeping { nodes, bytes } => {
				if let Entry::Vacant(vacant) = nodes.entry(hash) {
					vacant.insert(node.to_vec());
					*bytes = bytes.saturating_add(node.len() as u64);
				}
			},
		}
	}
}

impl TrieRecorder<H256> for Recording {
	fn record(&mut self, access: TrieAccess<'_, H256>) {
		match access {
			TrieAccess::EncodedNode { hash, encoded_node } => self.note(hash, &encoded_node),
			TrieAccess::Value { hash, value, .. } => self.note(hash, &value),
			// Reported only by a node cache, which is not in use, or without bytes of their own.
			TrieAccess::NodeOwned { .. }
			| TrieAccess::InlineValue { .. }
			| TrieAccess::Hash { .. }
			| TrieAccess::NonExisting { .. } => {},
		}
	}

	fn trie_nodes_recorded_for_key(&self, _key: &[u8]) -> RecordedForKey {
		RecordedForKey::None
	}
}

/// A recording whose size can be watched while the trie code holds it.
pub(super) struct Metered<'a> {
	pub recording: &'a mut Recording,
	/// Bytes recorded so far.
	pub bytes: &'a Cell<u64>,
}

impl TrieRecorder<H256> for Metered<'_> {
	fn record(&mut self, access: TrieAccess<'_, H256>) {
		self.recording.record(access);
		self.bytes.set(self.recording.size().1);
	}

	fn trie_nodes_recorded_for_key(&self, _key: &[u8]) -> RecordedForKey {
		RecordedForKey::None
	}
}
