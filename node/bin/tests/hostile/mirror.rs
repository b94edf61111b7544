//! The whole history of a subtree in memory, made by executing its batches.

use crate::subtree::subtree;
use dstp_primitives::{
	batch::BatchEntry,
	call::execute,
	head::Head,
	proof::{prove_range, Proof, Query, RangeProof, TrieRange, TrustedRoot},
	tree::NewObject,
	trie::{empty_root, NodeStore, Recording},
	ObjectId, ObjectTree, Owner, StateRoot, TrieStorage,
};
use dstp_state_network::{
	wire::{Served, TrieCursor},
	Source,
};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::Alice;
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, RwLock},
};

/// Nodes by hash that are never dropped.
#[derive(Clone, Default)]
struct Archive(Arc<Mutex<HashMap<H256, Vec<u8>>>>);

impl NodeStore for Archive {
	fn node(&self, hash: &H256) -> Option<Vec<u8>> {
		self.0.lock().unwrap().get(hash).cloned()
	}
}

impl Archive {
	/// Keeps what a tree made.
	fn take<N: NodeStore>(&self, tree: &mut ObjectTree<TrieStorage<N>>) {
		let made = tree.storage_mut().take_node_changes().into_iter();
		let made = made.filter(|(_, _, count)| *count > 0).map(|(hash, bytes, _)| (hash, bytes));
		self.0.lock().unwrap().extend(made);
	}
}

/// See the module. The subtree is the one that the tests register: Alice's `/x`.
pub struct Mirror {
	epoch: u64,
	archive: Archive,
	/// The root before the first head.
	initial: StateRoot,
	batches: RwLock<Vec<(Head, Vec<BatchEntry>)>>,
}

impl Mirror {
	pub fn new(epoch: u64) -> Self {
		let archive = Archive::default();
		let mut tree = ObjectTree::new(TrieStorage::new(subtree(), empty_root(), archive.clone()));
		let owner = Owner::Account(Alice.to_account_id());
		tree.init_namespace(owner, NewObject::default()).unwrap();
		tree.commit_roots().unwrap();
		tree.storage_mut().accept();
		archive.take(&mut tree);
		let initial = tree.storage().namespace_root();
		Self { epoch, archive, initial, batches: RwLock::default() }
	}

	/// The number of the newest head.
	pub fn newest(&self) -> u64 {
		self.batches.read().unwrap().len() as u64
	}

	/// The root at a head; 0 is before the first.
	pub fn root(&self, seq: u64) -> StateRoot {
		let batches = self.batches.read().unwrap();
		seq.checked_sub(1).map_or(self.initial, |index| batches[index as usize].0.state_root)
	}

	/// Executes the next batch; it has to give the roots that it names.
	pub fn add(&self, head: Head, entries: Vec<BatchEntry>) {
		let last = self.newest();
		assert_eq!((head.seq, head.pre_root), (last + 1, self.root(last)));
		let storage = TrieStorage::new(subtree(), head.pre_root, self.archive.clone());
		let mut tree = ObjectTree::new(storage);
		for entry in &entries {
			let done = execute(&mut tree, &entry.call.payload, Recording::Off).unwrap();
			assert_eq!((done.status, done.post_root), (entry.status, entry.post_root));
		}
		assert_eq!(tree.storage().namespace_root(), head.state_root);
		self.archive.take(&mut tree);
		self.batches.write().unwrap().push((head, entries));
	}

	fn has(&self, subtree_asked: &ObjectId, epoch: u64) -> bool {
		(*subtree_asked, epoch) == (subtree(), self.epoch)
	}
}

impl Source for Mirror {
	fn served(&self, subtree: &ObjectId) -> Option<Served> {
		let seq = self.newest();
		let (subtree, epoch) = (*subtree, self.epoch);
		self.has(&subtree, epoch).then_some(Served { subtree, epoch, seq })
	}

	fn head(&self, subtree: &ObjectId, epoch: u64, seq: u64) -> Option<Head> {
		self.batch(subtree, epoch, seq).map(|(head, _)| head)
	}

	fn batch(&self, subtree: &ObjectId, epoch: u64, seq: u64) -> Option<(Head, Vec<BatchEntry>)> {
		let index = usize::try_from(seq.checked_sub(1)?).ok()?;
		let batches = self.batches.read().unwrap();
		self.has(subtree, epoch).then(|| batches.get(index).cloned()).flatten()
	}

	fn range(
		&self,
		subtree: &ObjectId,
		epoch: u64,
		_: u64,
		cursor: &TrieCursor,
		max_bytes: usize,
	) -> Option<(RangeProof, TrieRange)> {
		let after = cursor.after.as_ref().map(|key| key.as_slice());
		let range = || prove_range(&self.archive, cursor.root, after, max_bytes).ok();
		self.has(subtree, epoch).then(range).flatten()
	}

	fn proof(&self, subtree: &ObjectId, epoch: u64, seq: u64, query: Query) -> Option<Proof> {
		if !self.has(subtree, epoch) || seq > self.newest() {
			return None;
		}
		let from = TrustedRoot { object: *subtree, root: self.root(seq) };
		Proof::make(from, &self.archive, query).ok().map(|(proof, _)| proof)
	}
}
