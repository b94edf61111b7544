//! The canonical form of a trie node.
//!
//! The trie code of Substrate reads more than it writes: nodes of layout V0, trailing bytes, inline children or values that
//! belong outside. With those one content has many roots, and removing a value from a branch with one child panics.

use super::{Layout, HASHED_NODE_BYTES, HASHED_VALUE_BYTES};
use crate::object::tag;
use alloc::vec::Vec;
use core::fmt;
use sp_core::H256;
use trie_db::{
	node::{NodeHandlePlan, NodePlan, Value, ValuePlan},
	ChildReference, NodeCodec as _, TrieLayout,
};

type Codec = <Layout as TrieLayout>::Codec;

/// Why bytes are not a canonical trie node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeError {
	/// They do not decode.
	Malformed,
	/// The empty trie needs no node.
	Empty,
	/// Encoding what they mean gives other bytes.
	NotReencodable,
	/// A branch has two children or more, or a value and a child.
	DegenerateBranch,
	/// A value of 33 bytes or more stands outside its node.
	LargeInlineValue,
	/// A child of 32 bytes or more stands outside its parent.
	LargeInlineNode,
}

impl fmt::Display for NodeError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Malformed => "a trie node does not decode",
			Self::Empty => "an empty trie node is superfluous",
			Self::NotReencodable => "a trie node is not encoded in its canonical form",
			Self::DegenerateBranch => "a trie branch has one child and no value",
			Self::LargeInlineValue => "a large value stands inside a trie node",
			Self::LargeInlineNode => "a large trie node stands inside another",
		})
	}
}

impl core::error::Error for NodeError {}

/// Whether bytes under a hash are a value (they start with a tag) rather than a node.
pub fn is_value(bytes: &[u8]) -> bool {
	bytes.first().is_some_and(|first| tag::RANGE.contains(first))
}

/// Checks that `bytes` are exactly what the trie code writes for the node that they mean.
///
/// An inline child is at most 31 bytes long, so the recursion ends after a few levels.
pub fn check_node(bytes: &[u8]) -> Result<(), NodeError> {
	let plan = Codec::decode_plan(bytes).map_err(|_| NodeError::Malformed)?;
	let encoded = match &plan {
		NodePlan::Leaf { partial, value } => {
			let partial = partial.build(bytes);
			Codec::leaf_node(partial.right_iter(), partial.len(), check_value(value, bytes)?)
		},
		NodePlan::NibbledBranch { partial, value, children } => {
			let count = children.iter().flatten().count();
			if count + usize::from(value.is_some()) < 2 {
				return Err(NodeError::DegenerateBranch);
			}
			let value = value.as_ref().map(|value| check_value(value, bytes)).transpose()?;
			let children = children
				.iter()
				.map(|child| child.as_ref().map(|child| check_child(child, bytes)).transpose())
				.collect::<Result<Vec<_>, _>>()?;
			let partial = partial.build(bytes);
			Codec::branch_node_nibbled(
				partial.right_iter(),
				partial.len(),
				children.into_iter(),
				value,
			)
		},
		NodePlan::Empty => return Err(NodeError::Empty),
		NodePlan::Extension { .. } | NodePlan::Branch { .. } => return Err(NodeError::Malformed),
	};
	(encoded == bytes).then_some(()).ok_or(NodeError::NotReencodable)
}

fn check_value<'a>(plan: &'a ValuePlan, bytes: &'a [u8]) -> Result<Value<'a>, NodeError> {
	match plan.build(bytes) {
		Value::Inline(value) if value.len() >= HASHED_VALUE_BYTES => {
			Err(NodeError::LargeInlineValue)
		},
		value => Ok(value),
	}
}

fn check_child(plan: &NodeHandlePlan, bytes: &[u8]) -> Result<ChildReference<H256>, NodeError> {
	match plan {
		NodeHandlePlan::Hash(range) => {
			Ok(ChildReference::Hash(H256::from_slice(&bytes[range.clone()])))
		},
		NodeHandlePlan::Inline(range) => {
			let node = &bytes[range.clone()];
			if node.len() >= HASHED_NODE_BYTES {
				return Err(NodeError::LargeInlineNode);
			}
			check_node(node)?;
			let mut buffer = H256::zero();
			buffer.as_bytes_mut()[..node.len()].copy_from_slice(node);
			Ok(ChildReference::Inline(buffer, node.len()))
		},
	}
}
