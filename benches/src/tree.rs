//! The object tree over a database with the columns of the engine's store, without log, heads and batches.

use crate::{
	bare::{count_node, node_column, open_db, NODES},
	data::{self, BATCH_FIELDS, SUBTREE},
	Failure,
};
use dstp_primitives::{
	call::{execute, Call, CallStatus},
	tree::{Actor, NewObject},
	trie::{empty_root, NodeStore, Recording},
	Key, ObjectTree, Owner, Path, StateRoot, TrieStorage, Value,
};
use parity_db::{ColumnOptions, Db, Operation};
use sp_core::H256;
use std::{path, sync::Arc};

const FLAT: u8 = 1;

/// What rows say of a figure of this tree: an engine does more.
pub const ALONE: &str = "ObjectTree alone (flat copy included; no log, heads, batches)";

#[derive(Clone)]
struct Nodes(Arc<Db>);

impl NodeStore for Nodes {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		// The trie code reports a node that it misses.
		self.0.get(NODES, hash.as_bytes()).ok().flatten()
	}

	// As for the engine's writer.
	fn is_slow(&self) -> bool {
		true
	}
}

/// One object with fields.
pub struct Tree {
	db: Arc<Db>,
	tree: ObjectTree<TrieStorage<Nodes>>,
	nonce: u64,
}

impl Tree {
	/// An object with `count` fields in a new database.
	pub fn create(dir: &path::Path, count: usize) -> Result<Self, Failure> {
		let flat = ColumnOptions { btree_index: true, ..Default::default() };
		let db = Arc::new(open_db(dir, vec![node_column(), flat])?);
		let tree = ObjectTree::new(TrieStorage::new(SUBTREE, empty_root(), Nodes(db.clone())));
		let mut tree = Self { db, tree, nonce: 0 };
		tree.tree.init_namespace(Owner::Account(data::account()), NewObject::default())?;
		tree.update(&data::fields(count))?;
		tree.commit()?;
		Ok(tree)
	}

	/// Its root.
	pub fn root(&self) -> StateRoot {
		self.tree.storage().namespace_root()
	}

	/// Sets fields and computes one root.
	pub fn update(&mut self, fields: &[(Key, Value)]) -> Result<(), Failure> {
		let owner = Actor::Account(data::account());
		for part in fields.chunks(BATCH_FIELDS) {
			self.tree.set_fields(&owner, &SUBTREE, part)?;
		}
		self.tree.commit_roots()?;
		self.tree.storage_mut().accept();
		Ok(())
	}

	/// Does what the calls say as one change: nothing signed, no nonces, one root, one change of the database.
	pub fn bulk(&mut self, calls: Vec<Call>) -> Result<(), Failure> {
		let owner = Actor::Account(data::account());
		for call in calls {
			match call {
				Call::Create { parent, key, object_type, flags } => {
					let parent = self.tree.resolve(&parent)?;
					self.tree.create(&owner, &parent, &key, NewObject { object_type, flags })?;
				},
				Call::SetFields { object, fields } => {
					let object = self.tree.resolve(&object)?;
					self.tree.set_fields(&owner, &object, &fields)?;
				},
				_ => return Err("a call of another kind than those of the data set".into()),
			}
		}
		self.tree.commit_roots()?;
		self.tree.storage_mut().accept();
		self.commit()
	}

	/// Sets one field as a call does: with a root and a count of the witness's bytes.
	pub fn call(&mut self, field: (Key, Value)) -> Result<(), Failure> {
		let call: Call = data::set_fields(Path::default(), &[field])?;
		let payload = data::payload(self.nonce, call);
		let execution = execute(&mut self.tree, &payload, Recording::counting())?;
		self.nonce += 1;
		match execution.status {
			CallStatus::Applied => Ok(()),
			CallStatus::Failed(reason) => Err(format!("a call failed: {reason}").into()),
		}
	}

	/// Gives the database what was written: nodes, and the flat copy.
	pub fn commit(&mut self) -> Result<(), Failure> {
		let storage = self.tree.storage_mut();
		let nodes = storage.take_node_changes();
		let mut ops = Vec::with_capacity(nodes.len());
		for (hash, bytes, count) in nodes {
			count_node(&mut ops, hash, bytes, count);
		}
		for (object, changes) in storage.take_pair_changes() {
			ops.extend(changes.into_iter().map(|(key, value)| {
				let key = [&object.0[..], &key].concat();
				match value {
					Some(value) => (FLAT, Operation::Set(key, value)),
					None => (FLAT, Operation::Dereference(key)),
				}
			}));
		}
		let root = self.root();
		self.db.commit_changes(ops)?;
		// As the engine does after every batch: nothing of it stays in memory.
		self.tree = ObjectTree::new(TrieStorage::new(SUBTREE, root, Nodes(self.db.clone())));
		Ok(())
	}
}
