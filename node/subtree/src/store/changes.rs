//! What a head changes in the database, and what goes when it is pruned.

use super::{
	decode, delete, flat_key, seq_key, set, Applied, DbResult, Inner, Ops, StoredLink, COL_FLAT,
	COL_HEADS, COL_LINKS, COL_NODES,
};
use codec::{Decode, Encode};
use dstp_primitives::{
	batch::BatchEntry,
	head::Head,
	object::META_KEY,
	tree::{Link, Storage},
	trie::{NodeChanges, NodeStore, ObjectChanges, PairChanges},
	ObjectId, ObjectTree, TrieStorage,
};
use parity_db::Operation;
use sp_core::H256;
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::Arc,
};

/// Most heads that one commit prunes, so that no commit is much larger than a batch.
const MAX_PRUNED_PER_COMMIT: u64 = 16;

/// A batch as it is stored; its head stands beside it, because a new era changes the head only.
pub(crate) type StoredBatch = Vec<BatchEntry>;

/// What a head let go of.
#[derive(Default, Encode, Decode)]
struct Released {
	/// Nodes and how many of their places.
	nodes: Vec<(H256, u32)>,
	/// Objects that were removed.
	objects: Vec<ObjectId>,
}

/// Everything that one batch changes.
pub(crate) struct BatchChange {
	pub nodes: NodeChanges,
	/// Shared with those who watch the engine.
	pub pairs: Arc<PairChanges>,
	/// Objects that are new or stand again.
	pub links: Vec<(ObjectId, Link)>,
}

impl BatchChange {
	/// Takes the accepted changes out of a tree.
	pub fn take<N: NodeStore>(tree: &mut ObjectTree<TrieStorage<N>>) -> Self {
		let storage = tree.storage_mut();
		let (nodes, pairs) = (storage.take_node_changes(), storage.take_pair_changes());
		let standing = pairs.iter().filter(|(_, changes)| matches!(facts(changes), Some(Some(_))));
		let links = standing
			.filter_map(|(object, _)| Some((*object, storage.link(object).ok()??)))
			.collect();
		Self { nodes, pairs: Arc::new(pairs), links }
	}

	/// The changes of a batch that became head `seq`.
	pub fn into_ops(self, inner: &Inner, head: &Head, entries: &StoredBatch) -> DbResult<Ops> {
		let mut ops = Ops::with_capacity(self.nodes.len() + count(&self.pairs) + 8);
		let mut released = Released::default();
		for (hash, bytes, count) in self.nodes {
			match count {
				0.. => add_node(&mut ops, hash, bytes, count as u32),
				_ => released.nodes.push((hash, count.unsigned_abs())),
			}
		}
		for (object, link) in self.links {
			let stored = StoredLink { link, removed: 0 };
			if inner.link(&object)?.as_ref() != Some(&stored) {
				ops.push(set(COL_LINKS, &object.0, stored.encode()));
			}
		}
		for (object, changes) in &*self.pairs {
			if let Some(None) = facts(changes) {
				if let Some(stored) = inner.link(object)? {
					released.objects.push(*object);
					ops.push(set(
						COL_LINKS,
						&object.0,
						StoredLink { removed: head.seq, ..stored }.encode(),
					));
				}
			}
			ops.extend(changes.iter().map(|(key, value)| flat_op(object, key, value.clone())));
		}
		ops.push(set(COL_HEADS, &seq_key(b'h', head.seq), head.encode()));
		ops.push(set(COL_HEADS, &seq_key(b'b', head.seq), entries.encode()));
		ops.push(set(COL_HEADS, &seq_key(b'j', head.seq), released.encode()));
		Ok(ops)
	}

	/// The changes of a state that has no history: what it let go of, nobody can read.
	pub fn into_ops_without_history(self) -> Ops {
		let mut ops = Ops::with_capacity(self.nodes.len() + count(&self.pairs));
		let mut dropped = Vec::new();
		for (hash, bytes, count) in self.nodes {
			match count {
				0.. => add_node(&mut ops, hash, bytes, count as u32),
				_ => dropped.push((hash, count.unsigned_abs())),
			}
		}
		drop_nodes(&mut ops, dropped);
		ops.extend(self.links.into_iter().map(|(object, link)| {
			set(COL_LINKS, &object.0, StoredLink { link, removed: 0 }.encode())
		}));
		for (object, changes) in Arc::unwrap_or_clone(self.pairs) {
			ops.extend(changes.into_iter().map(|(key, value)| flat_op(&object, &key, value)));
		}
		ops
	}
}

/// What an object's facts became, if they changed: `Some(None)` if the object is gone.
fn facts(changes: &ObjectChanges) -> Option<Option<&[u8]>> {
	changes.get(&META_KEY[..]).map(Option::as_deref)
}

fn count(pairs: &PairChanges) -> usize {
	pairs.values().map(ObjectChanges::len).sum()
}

fn flat_op(
	object: &ObjectId,
	key: &[u8],
	value: Option<Vec<u8>>,
) -> (u8, Operation<Vec<u8>, Vec<u8>>) {
	let key = flat_key(object, key);
	match value {
		Some(value) => (COL_FLAT, Operation::Set(key, value)),
		None => (COL_FLAT, Operation::Dereference(key)),
	}
}

fn add_node(ops: &mut Ops, hash: H256, bytes: Vec<u8>, count: u32) {
	let key = hash.as_bytes();
	ops.extend((1..count).map(|_| set(COL_NODES, key, bytes.clone())));
	ops.push(set(COL_NODES, key, bytes));
}

fn drop_nodes(ops: &mut Ops, nodes: Vec<(H256, u32)>) {
	for (hash, count) in nodes {
		ops.extend((0..count).map(|_| delete(COL_NODES, hash.as_bytes())));
	}
}

/// The oldest head that stays if only heads up to `prunable` may go, and at most [`MAX_PRUNED_PER_COMMIT`] at once.
pub(crate) fn next_oldest(applied: &Applied, prunable: u64) -> u64 {
	prunable.clamp(applied.oldest, applied.oldest + MAX_PRUNED_PER_COMMIT)
}

impl Inner {
	/// Adds to `ops`, which may hold the changes of a new head, what makes `oldest` the oldest kept head.
	///
	pub fn prune(&self, ops: &mut Ops, oldest: u64) -> DbResult<()> {
		let mut gone = BTreeMap::new();
		for seq in self.applied.oldest..oldest {
			ops.push(delete(COL_HEADS, &seq_key(b'h', seq)));
			ops.push(delete(COL_HEADS, &seq_key(b'b', seq)));
			let released = self.released(ops, seq + 1)?;
			ops.push(delete(COL_HEADS, &seq_key(b'j', seq + 1)));
			drop_nodes(ops, released.nodes);
			gone.extend(released.objects.into_iter().map(|object| (object, seq + 1)));
		}
		let links = ops.iter().filter(|(column, _)| *column == COL_LINKS);
		let touched: BTreeSet<Vec<u8>> = links.map(|(_, op)| op.key().clone()).collect();
		for (object, removed) in gone {
			let in_this_commit = removed > self.applied.seq;
			let still_gone = self.link(&object)?.is_some_and(|stored| stored.removed == removed);
			if in_this_commit || still_gone && !touched.contains(&object.0[..]) {
				ops.push(delete(COL_LINKS, &object.0));
			}
		}
		Ok(())
	}

	/// What head `seq` let go of; that of a head in this very commit stands in `ops`.
	fn released(&self, ops: &Ops, seq: u64) -> DbResult<Released> {
		let key = seq_key(b'j', seq);
		let stored = if seq > self.applied.seq {
			ops.iter().rev().find_map(|(column, op)| match op {
				Operation::Set(found, value) if *column == COL_HEADS && found[..] == key => {
					Some(value.clone())
				},
				_ => None,
			})
		} else {
			self.db()?.get(COL_HEADS, &key)?
		};
		Ok(decode(stored)?.unwrap_or_default())
	}
}
