//! The peer: `sp-trie` over the same database, and nothing else.

use crate::Failure;
use dstp_primitives::trie::{empty_root, Layout};
use hash_db::{AsHashDB, HashDB, HashDBRef, Prefix, EMPTY_PREFIX};
use parity_db::{ColumnOptions, Db, Operation, Options};
use sp_core::{Blake2Hasher, H256};
use sp_trie::{MemoryDB, TrieDBMutBuilder};
use std::path::Path;
use trie_db::TrieMut;

/// Nodes are counted, as they are in the engine's store.
pub fn node_column() -> ColumnOptions {
	ColumnOptions { preimage: true, ref_counted: true, ..Default::default() }
}

/// Opens a new database with these columns.
pub fn open_db(dir: &Path, columns: Vec<ColumnOptions>) -> Result<Db, Failure> {
	let mut options = Options::with_columns(dir, columns.len() as u8);
	options.stats = false;
	options.columns = columns;
	Ok(Db::open_or_create(&options)?)
}

/// The column of the nodes, in the databases of both contenders.
pub const NODES: u8 = 0;

/// Changes of a database.
pub type Ops = Vec<(u8, Operation<Vec<u8>, Vec<u8>>)>;

/// Adds to the changes that a node got so many references (or, if negative, lost them).
pub fn count_node(ops: &mut Ops, hash: H256, bytes: Vec<u8>, count: i32) {
	let key = || hash.as_bytes().to_vec();
	ops.extend((1..count).map(|_| (NODES, Operation::Set(key(), bytes.clone()))));
	ops.extend((count..0).map(|_| (NODES, Operation::Dereference(key()))));
	if count > 0 {
		ops.push((NODES, Operation::Set(key(), bytes)));
	}
}

/// One trie.
pub struct BareTrie {
	nodes: Nodes,
	root: H256,
}

/// Its nodes: those written since the last commit shadow the database.
struct Nodes {
	db: Db,
	written: MemoryDB<Blake2Hasher>,
}

impl BareTrie {
	/// An empty one in a new database.
	pub fn create(dir: &Path) -> Result<Self, Failure> {
		let db = open_db(dir, vec![node_column()])?;
		Ok(Self { nodes: Nodes { db, written: MemoryDB::new(&[0]) }, root: empty_root() })
	}

	/// Its root.
	pub fn root(&self) -> H256 {
		self.root
	}

	/// Sets values and computes one root.
	pub fn insert<'a>(
		&mut self,
		entries: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
	) -> Result<(), Failure> {
		let mut trie =
			TrieDBMutBuilder::<Layout>::from_existing(&mut self.nodes, &mut self.root).build();
		for (key, value) in entries {
			trie.insert(key, value)?;
		}
		trie.commit();
		Ok(())
	}

	/// Gives the database what was written.
	pub fn commit(&mut self) -> Result<(), Failure> {
		let written = std::mem::replace(&mut self.nodes.written, MemoryDB::new(&[0])).drain();
		let mut ops = Vec::with_capacity(written.len());
		for (hash, (bytes, count)) in written {
			count_node(&mut ops, hash, bytes, count);
		}
		Ok(self.nodes.db.commit_changes(ops)?)
	}

	/// The nodes that prove the value at a key.
	pub fn prove(&self, key: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
		Ok(sp_trie::generate_trie_proof::<Layout, _, _, _>(&self.nodes, self.root, [&key])?)
	}
}

/// Whether the nodes prove this value under this root.
pub fn check(root: &H256, proof: &[Vec<u8>], key: &[u8], value: &[u8]) -> bool {
	let items = [(key, Some(value))];
	sp_trie::verify_trie_proof::<Layout, _, _, _>(root, proof, &items).is_ok()
}

impl Nodes {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		if *hash == empty_root() {
			return Some(vec![0]);
		}
		let written = self.written.raw(hash, EMPTY_PREFIX).filter(|(_, count)| *count > 0);
		match written {
			Some((bytes, _)) => Some(bytes.clone()),
			// The trie code reports a node that it misses.
			None => self.db.get(NODES, hash.as_bytes()).ok().flatten(),
		}
	}
}

impl HashDBRef<Blake2Hasher, Vec<u8>> for Nodes {
	fn get(&self, hash: &H256, _: Prefix) -> Option<Vec<u8>> {
		self.node(hash)
	}

	fn contains(&self, hash: &H256, _: Prefix) -> bool {
		self.node(hash).is_some()
	}
}

impl HashDB<Blake2Hasher, Vec<u8>> for Nodes {
	fn get(&self, hash: &H256, _: Prefix) -> Option<Vec<u8>> {
		self.node(hash)
	}

	fn contains(&self, hash: &H256, _: Prefix) -> bool {
		self.node(hash).is_some()
	}

	fn insert(&mut self, _: Prefix, value: &[u8]) -> H256 {
		self.written.insert(EMPTY_PREFIX, value)
	}

	fn emplace(&mut self, hash: H256, _: Prefix, value: Vec<u8>) {
		self.written.emplace(hash, EMPTY_PREFIX, value)
	}

	fn remove(&mut self, hash: &H256, _: Prefix) {
		self.written.remove(hash, EMPTY_PREFIX)
	}
}

impl AsHashDB<Blake2Hasher, Vec<u8>> for Nodes {
	fn as_hash_db(&self) -> &dyn HashDB<Blake2Hasher, Vec<u8>> {
		self
	}

	fn as_hash_db_mut<'a>(&'a mut self) -> &'a mut (dyn HashDB<Blake2Hasher, Vec<u8>> + 'a) {
		self
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_committed_trie_proves_its_values() {
		let dir = tempfile::tempdir().expect("a folder");
		let mut trie = BareTrie::create(dir.path()).expect("a new database");
		let entries: Vec<_> = (0..500u32).map(|n| (n.to_be_bytes(), [n as u8; 20])).collect();
		for part in entries.chunks(100) {
			trie.insert(part.iter().map(|(key, value)| (&key[..], &value[..]))).expect("it grows");
			trie.commit().expect("the database takes it");
		}
		let proof = trie.prove(&7u32.to_be_bytes()).expect("all nodes are there");
		assert!(check(&trie.root(), &proof, &7u32.to_be_bytes(), &[7; 20]));
		assert!(!check(&trie.root(), &proof, &7u32.to_be_bytes(), &[8; 20]));
	}
}
