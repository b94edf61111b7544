//! The nodes of a proof.

use super::{check_node, is_value, NodeError, NodeStore, HASHED_VALUE_BYTES};
use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

/// Why bytes are not the nodes of a proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeSetError {
	/// More nodes than the reader accepts.
	TooManyNodes,
	/// More bytes than the reader accepts.
	TooManyBytes,
	/// The nodes do not ascend strictly by hash.
	NotAscending,
	/// A value that belongs inside its node stands outside.
	SmallValue,
	/// One of the nodes is not canonical.
	Node(NodeError),
}

impl fmt::Display for NodeSetError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::TooManyNodes => f.write_str("the proof has too many nodes"),
			Self::TooManyBytes => f.write_str("the proof has too many bytes"),
			Self::NotAscending => {
				f.write_str("the nodes of the proof do not ascend strictly by hash")
			},
			Self::SmallValue => f.write_str("the proof holds a small value outside its node"),
			Self::Node(error) => fmt::Display::fmt(error, f),
		}
	}
}

impl core::error::Error for NodeSetError {}

/// Trie nodes and large values under their hashes, all in canonical form.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct NodeSet(BTreeMap<H256, Vec<u8>>);

impl NodeSet {
	/// Checks nodes that came from a stranger: the limits first, then the order, then each node.
	pub fn check(
		nodes: Vec<Vec<u8>>,
		max_nodes: usize,
		max_bytes: usize,
	) -> Result<Self, NodeSetError> {
		if nodes.len() > max_nodes {
			return Err(NodeSetError::TooManyNodes);
		}
		let bytes = nodes.iter().fold(0usize, |sum, node| sum.saturating_add(node.len()));
		if bytes > max_bytes {
			return Err(NodeSetError::TooManyBytes);
		}
		let mut set = BTreeMap::new();
		for node in nodes {
			check_entry(&node)?;
			let hash = H256(blake2_256(&node));
			if set.last_key_value().is_some_and(|(last, _)| *last >= hash) {
				return Err(NodeSetError::NotAscending);
			}
			set.insert(hash, node);
		}
		Ok(Self(set))
	}

	/// Takes nodes that were read from a trusted database.
	pub fn from_trusted(nodes: impl IntoIterator<Item = Vec<u8>>) -> Self {
		Self(nodes.into_iter().map(|node| (H256(blake2_256(&node)), node)).collect())
	}

	/// The nodes, ascending by hash.
	pub fn into_nodes(self) -> Vec<Vec<u8>> {
		self.0.into_values().collect()
	}

	/// Hashes of all nodes, ascending.
	pub fn hashes(&self) -> impl ExactSizeIterator<Item = &H256> {
		self.0.keys()
	}
}

fn check_entry(bytes: &[u8]) -> Result<(), NodeSetError> {
	if !is_value(bytes) {
		return check_node(bytes).map_err(NodeSetError::Node);
	}
	(bytes.len() >= HASHED_VALUE_BYTES).then_some(()).ok_or(NodeSetError::SmallValue)
}

impl NodeStore for NodeSet {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		self.0.get(hash).cloned()
	}
}
