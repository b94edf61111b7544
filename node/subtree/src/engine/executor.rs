//! The state in memory: the newest head and the calls since.

use crate::{
	identity::SubtreeIdentity,
	store::{Applied, BatchChange, Store, StoredBatch, WriterNodes},
};
use codec::Encode;
use dstp_primitives::{
	batch::{BatchCommitment, BatchEntry, HubPin, MAX_BATCH_BYTES},
	call::{execute, next_nonce, ExecuteError, Execution, SignedCall},
	head::{Head, HEAD_VERSION},
	tree::StorageError,
	trie::Recording,
	AccountId, ObjectTree, StateRoot, TrieStorage,
};
use std::sync::Arc;

/// Most bytes that an entry has beyond its call: time, hub, status, gas, root, no reads.
const MAX_ENTRY_OVERHEAD: u32 = 96;

/// Executes calls on top of the newest head. Made anew after every batch, so its memory is bounded by that of a batch.
pub(super) struct Executor {
	tree: ObjectTree<TrieStorage<WriterNodes>>,
	entries: StoredBatch,
	/// Bytes of the encoded entries.
	bytes: u32,
	/// Time and hub block of the last call, this batch or before.
	time_ms: u64,
	hub: HubPin,
}

impl Executor {
	pub fn new(store: &Arc<Store>, identity: &SubtreeIdentity, applied: &Applied) -> Self {
		let storage = TrieStorage::new(identity.subtree, applied.root, WriterNodes(store.clone()));
		Self {
			tree: ObjectTree::new(storage),
			entries: Vec::new(),
			bytes: 0,
			time_ms: applied.time_ms,
			hub: applied.hub,
		}
	}

	pub fn entries(&self) -> &[BatchEntry] {
		&self.entries
	}

	pub fn bytes(&self) -> u32 {
		self.bytes
	}

	pub fn time_ms(&self) -> u64 {
		self.time_ms
	}

	pub fn hub(&self) -> HubPin {
		self.hub
	}

	pub fn root(&self) -> StateRoot {
		self.tree.storage().namespace_root()
	}

	pub fn next_nonce(&self, account: &AccountId) -> Result<u64, StorageError> {
		next_nonce(&self.tree, account)
	}

	/// Time and hub block for a call that comes now: neither ever falls.
	pub fn clamp(&self, hub: HubPin, time_ms: u64) -> (HubPin, u64) {
		let hub = if hub.number < self.hub.number { self.hub } else { hub };
		(hub, time_ms.max(self.time_ms))
	}

	/// Whether the batch has room for one more call of this size.
	pub fn has_room(&self, call_bytes: usize, max_calls: u32) -> bool {
		let call_bytes = u32::try_from(call_bytes).unwrap_or(u32::MAX);
		let bytes = self.bytes.saturating_add(call_bytes).saturating_add(MAX_ENTRY_OVERHEAD);
		(self.entries.len() as u64) < u64::from(max_calls) && bytes <= MAX_BATCH_BYTES
	}

	/// Executes a checked call; nothing changed after an error.
	pub fn execute(
		&mut self,
		call: SignedCall,
		hub: HubPin,
		time_ms: u64,
	) -> Result<Execution, ExecuteError> {
		let execution = execute(&mut self.tree, &call.payload, Recording::counting())?;
		let (status, post_root) = (execution.status, execution.post_root);
		let entry =
			BatchEntry { call, time_ms, hub, status, gas: 0, post_root, hub_reads: Vec::new() };
		self.bytes =
			self.bytes.saturating_add(u32::try_from(entry.encoded_size()).unwrap_or(u32::MAX));
		(self.time_ms, self.hub) = (time_ms, hub);
		self.entries.push(entry);
		Ok(execution)
	}

	/// The head of the batch so far; `None` if it has no calls.
	pub fn head(&self, identity: &SubtreeIdentity, applied: &Applied) -> Option<Head> {
		let (first, last) = (self.entries.first()?, self.entries.last()?);
		let commitment = BatchCommitment::new(&self.entries)?;
		Some(Head {
			version: HEAD_VERSION,
			genesis: identity.genesis,
			subtree: identity.subtree,
			epoch: identity.epoch,
			era: applied.era,
			seq: applied.seq + 1,
			prev: applied.head_hash,
			pre_root: applied.root,
			state_root: last.post_root,
			batch_root: commitment.root,
			batch_len: commitment.len,
			batch_bytes: commitment.bytes,
			hub_first: first.hub.number,
			hub_last: last.hub.number,
		})
	}

	/// The calls and what they changed. The executor is of no use after it.
	pub fn take(&mut self) -> (StoredBatch, BatchChange) {
		(core::mem::take(&mut self.entries), BatchChange::take(&mut self.tree))
	}
}
