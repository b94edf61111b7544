//! The search for one key.
//!
//! The trie code copies every node on its way and builds all its children. A call mostly searches keys, so this reads nodes where
//! they are. It finds what [`TrieDB`](sp_trie::TrieDB) finds and notes the same nodes: a test compares them.

use super::{view::View, Blake2Hasher, Layout, NodeStore};
use crate::{id::StateRoot, tree::StorageError};
use alloc::vec::Vec;
use sp_core::H256;
use trie_db::{
	node::{decode_hash, NodeHandlePlan, NodePlan, Value},
	NibbleSlice, NodeCodec, TrieLayout,
};

type Codec = <Layout as TrieLayout>::Codec;

/// Where the search goes on.
enum Step {
	/// Nowhere: there is no such key.
	Absent,
	/// At the node with this hash.
	Node(H256),
	/// It ends at a value inside a node.
	Value(Vec<u8>),
	/// It ends at a value with this hash.
	HashedValue(H256),
}

/// The value at `key` of the trie with this root. Gives `note` each stored node, and the stored value, that it reads.
///
/// Errors: [`StorageError::MissingNode`] and [`StorageError::Corrupt`].
pub(super) fn look_up<N: NodeStore>(
	view: &View<'_, N>,
	root: &StateRoot,
	key: &[u8],
	mut note: impl FnMut(&H256, &[u8]),
) -> Result<Option<Vec<u8>>, StorageError> {
	let mut rest = NibbleSlice::new(key);
	let mut hash = *root;
	// Every step to another node takes at least one nibble off the key, so that this ends.
	loop {
		let step = view.with_node(&hash, |node| {
			note(&hash, node);
			follow(node, &mut rest)
		});
		match step.ok_or(StorageError::MissingNode(hash))?? {
			Step::Absent => return Ok(None),
			Step::Node(next) => hash = next,
			Step::Value(value) => return Ok(Some(value)),
			Step::HashedValue(hash) => {
				let value = view.with_node(&hash, |value| {
					note(&hash, value);
					value.to_vec()
				});
				return value.map(Some).ok_or(StorageError::MissingNode(hash));
			},
		}
	}
}

/// Follows the key through a stored node and those that stand inside it.
fn follow(mut node: &[u8], rest: &mut NibbleSlice<'_>) -> Result<Step, StorageError> {
	loop {
		let child = match plain_child(node, rest) {
			Some(child) => child,
			None => match Codec::decode_plan(node).map_err(|_| StorageError::Corrupt)? {
				NodePlan::Empty => None,
				NodePlan::Leaf { partial, value } => {
					let found = partial.build(node) == *rest;
					return if found { end(value.build(node)) } else { Ok(Step::Absent) };
				},
				NodePlan::NibbledBranch { partial, value, children } => {
					let partial = partial.build(node);
					if !rest.starts_with(&partial) {
						return Ok(Step::Absent);
					}
					rest.advance(partial.len());
					if rest.is_empty() {
						let value = value.map(|value| end(value.build(node)));
						return value.unwrap_or(Ok(Step::Absent));
					}
					let child = children[usize::from(rest.at(0))].as_ref();
					child.map(|(NodeHandlePlan::Hash(at) | NodeHandlePlan::Inline(at))| {
						&node[at.clone()]
					})
				},
				// The layout has no such nodes.
				NodePlan::Extension { .. } | NodePlan::Branch { .. } => {
					return Err(StorageError::Corrupt);
				},
			},
		};
		match child {
			None => return Ok(Step::Absent),
			Some(child) => {
				rest.advance(1);
				match decode_hash::<Blake2Hasher>(child) {
					Some(hash) => return Ok(Step::Node(hash)),
					None => node = child,
				}
			},
		}
	}
}

/// What a branch without a value and without nibbles of its own starts with.
const PLAIN_BRANCH: u8 = 0b1000_0000;

/// The child of a plain branch (a hash, or a node), where the key goes on; `None` if the node is another one.
///
/// The upper nodes of a large trie are plain branches. The codec would decode all sixteen children.
fn plain_child<'a>(node: &'a [u8], rest: &NibbleSlice<'_>) -> Option<Option<&'a [u8]>> {
	let (bitmap, mut children) = node.strip_prefix(&[PLAIN_BRANCH])?.split_first_chunk()?;
	if rest.is_empty() {
		return Some(None);
	}
	let (bitmap, bit) = (u16::from_le_bytes(*bitmap), 1 << rest.at(0));
	if bitmap & bit == 0 {
		return Some(None);
	}
	for _ in 0..(bitmap & (bit - 1)).count_ones() {
		(_, children) = split_child(children)?;
	}
	split_child(children).map(|(child, _)| Some(child))
}

/// The first child of a list, whose length stands before it as a compact number, and the rest.
fn split_child(children: &[u8]) -> Option<(&[u8], &[u8])> {
	let (length, rest) = children.split_first()?;
	// One byte is enough for all lengths below 64, and a child has at most those of a hash.
	(length & 0b11 == 0).then(|| rest.split_at_checked(usize::from(length >> 2)))?
}

fn end(value: Value<'_>) -> Result<Step, StorageError> {
	match value {
		Value::Inline(value) => Ok(Step::Value(value.to_vec())),
		Value::Node(hash) => {
			decode_hash::<Blake2Hasher>(hash).map(Step::HashedValue).ok_or(StorageError::Corrupt)
		},
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::{
		object::tag,
		tree::Storage,
		trie::{empty_root, NodeSet, Recording, TrieStorage},
		ObjectId,
	};
	use hash_db::{HashDB, EMPTY_PREFIX};
	use proptest::prelude::*;
	use sp_trie::{MemoryDB, TrieDBBuilder};
	use trie_db::{Trie, TrieError};

	const OBJECT: ObjectId = ObjectId::ROOT;

	/// Keys that share beginnings and stand on the way to one another.
	fn key() -> impl Strategy<Value = Vec<u8>> {
		prop::collection::vec(prop::sample::select(vec![0x00, 0x01, 0x10, 0x7f, 0xff]), 0..6)
	}

	/// Values that stand inside a node inside its parent, inside a node, and outside.
	fn value() -> impl Strategy<Value = Vec<u8>> {
		let length = prop::sample::select(vec![0usize, 3, 31, 32, 70]);
		(length, any::<u8>()).prop_map(|(length, byte)| {
			let mut value = vec![tag::FIELD];
			value.resize(1 + length, byte);
			value
		})
	}

	fn stored(pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> (Vec<Vec<u8>>, StateRoot) {
		let mut storage = TrieStorage::new(OBJECT, empty_root(), ());
		for (key, value) in pairs {
			storage.put(&OBJECT, &key, value).unwrap();
		}
		let root = storage.root(&OBJECT).unwrap();
		storage.accept();
		(storage.take_node_changes().into_iter().map(|(_, bytes, _)| bytes).collect(), root)
	}

	type Found = Result<Option<Vec<u8>>, StorageError>;

	/// What `TrieDB` finds, and what it records.
	fn by_trie_db(nodes: &[Vec<u8>], root: &StateRoot, key: &[u8]) -> (Found, Vec<Vec<u8>>) {
		let mut db = MemoryDB::<Blake2Hasher>::new(&[0]);
		for node in nodes {
			db.insert(EMPTY_PREFIX, node);
		}
		let mut recording = Recording::keeping();
		let found = TrieDBBuilder::<Layout>::new(&db, root)
			.with_recorder(&mut recording)
			.build()
			.get(key)
			.map_err(|error| match *error {
				TrieError::IncompleteDatabase(hash) | TrieError::InvalidStateRoot(hash) => {
					StorageError::MissingNode(hash)
				},
				_ => StorageError::Corrupt,
			});
		(found, recording.into_nodes())
	}

	proptest! {
		#[test]
		fn it_finds_and_notes_what_the_trie_code_does(
			pairs in prop::collection::btree_map(key(), value(), 0..60),
			keys in prop::collection::vec(key(), 1..20),
			lost in any::<prop::sample::Index>(),
		) {
			let (mut nodes, root) = stored(pairs.clone());
			for lossy in [false, true] {
				if lossy && !nodes.is_empty() {
					nodes.remove(lost.index(nodes.len()));
				}
				let set = NodeSet::from_trusted(nodes.clone());
				for key in keys.iter().chain(pairs.keys()) {
					let mut storage = TrieStorage::new(OBJECT, root, &set);
					storage.record(Recording::keeping());
					let found = storage.get(&OBJECT, key);
					let seen = storage.record(Recording::Off).into_nodes();
					let (expected, noted) = by_trie_db(&nodes, &root, key);
					prop_assert_eq!(&found, &expected);
					prop_assert_eq!(seen, noted);
					prop_assert!(lossy || found == Ok(pairs.get(key).cloned()));
				}
			}
		}

		#[test]
		fn damaged_nodes_are_found_out_or_read_without_a_panic(
			start in prop::sample::select(vec![0u8, 0x10, 0x20, 0x41, 0x80, 0x81, 0xc0, 0xff]),
			rest in prop::collection::vec(any::<u8>(), 0..80),
			key in key(),
		) {
			let node = [&[start][..], &rest].concat();
			let mut position = NibbleSlice::new(&key);
			let _ = follow(&node, &mut position);
		}

		#[test]
		fn a_plain_branch_has_the_children_that_the_codec_sees(
			pairs in prop::collection::btree_map(key(), value(), 0..60),
		) {
			for node in stored(pairs).0 {
				let Ok(NodePlan::NibbledBranch { children, .. }) = Codec::decode_plan(&node) else {
					continue;
				};
				for (nibble, child) in (0u8..).zip(&children) {
					let key = [nibble << 4];
					let Some(found) = plain_child(&node, &NibbleSlice::new(&key)) else { break };
					let child = child.as_ref().map(|child| match child {
						NodeHandlePlan::Hash(at) | NodeHandlePlan::Inline(at) => &node[at.clone()],
					});
					prop_assert_eq!(found, child);
				}
			}
		}
	}
}
