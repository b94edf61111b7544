//! Following head by head: which heads and batches are missing.

use super::{RequestId, PREFETCHED_BATCHES};
use crate::wire::MAX_HEADS;
use dstp_primitives::{
	batch::BatchEntry,
	head::{Head, HeadState},
};
use sp_core::H256;
use std::collections::BTreeMap;

/// Furthest that a copy may lie behind to catch up head by head; beyond that the newest state is copied. At 32 bytes per head
/// the chain of hashes takes 128 KiB.
pub const MAX_HEAD_GAP: u64 = 4096;

/// Heads whose batches every node keeps behind its newest one. Further back they may be gone, and nobody is to be blamed.
pub const KEPT_HEADS: u64 = 256;

/// What to ask for next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
	/// Heads up to `last`, so many.
	Heads { last: u64, count: u32 },
	/// One batch.
	Batch { seq: u64, hash: H256 },
}

/// Heads and batches between the copy and the hub.
#[derive(Default)]
pub(super) struct Batches {
	/// Hashes of heads, all linked to one that the hub finalised.
	trusted: BTreeMap<u64, H256>,
	heads: Option<RequestId>,
	asked: BTreeMap<u64, RequestId>,
	ready: BTreeMap<u64, (Head, Vec<BatchEntry>)>,
}

impl Batches {
	/// Notes a trusted hash. One that differs from what was trusted before voids everything before it.
	pub fn trust(&mut self, seq: u64, hash: H256) {
		if self.trusted.get(&seq).is_some_and(|old| *old != hash) {
			self.trusted.clear();
			self.ready.clear();
		}
		self.trusted.insert(seq, hash);
	}

	/// The trusted hash of a head.
	pub fn hash(&self, seq: u64) -> Option<H256> {
		self.trusted.get(&seq).copied()
	}

	/// The oldest head with a trusted hash.
	pub fn oldest(&self) -> Option<u64> {
		self.trusted.keys().next().copied()
	}

	/// What is missing between `local` and `hub` and not asked for.
	pub fn wanted(&self, local: u64, hub: u64) -> Option<Wanted> {
		let known =
			(local + 1..=hub).rev().take_while(|seq| self.trusted.contains_key(seq)).last()?;
		if known > local + 1 {
			// The oldest head's predecessor is asked for with its batch, so `known` itself is part of the question.
			let count = u32::try_from(known - local - 1).unwrap_or(u32::MAX).min(MAX_HEADS);
			return self.heads.is_none().then_some(Wanted::Heads { last: known, count });
		}
		let window = local + 1..=hub.min(local + PREFETCHED_BATCHES);
		window
			.filter(|seq| !self.asked.contains_key(seq) && !self.ready.contains_key(seq))
			.find_map(|seq| Some(Wanted::Batch { seq, hash: self.hash(seq)? }))
	}

	pub fn note_asked(&mut self, wanted: Wanted, id: RequestId) {
		match wanted {
			Wanted::Heads { .. } => self.heads = Some(id),
			Wanted::Batch { seq, .. } => {
				self.asked.insert(seq, id);
			},
		}
	}

	/// A request ended, however.
	pub fn release(&mut self, id: RequestId) {
		self.heads = self.heads.filter(|heads| *heads != id);
		self.asked.retain(|_, asked| *asked != id);
	}

	/// Keeps a verified batch until its turn.
	pub fn keep(&mut self, head: Head, entries: Vec<BatchEntry>) {
		self.ready.insert(head.seq, (head, entries));
	}

	/// The batch after `local`.
	pub fn next(&self, local: &HeadState) -> Option<&(Head, Vec<BatchEntry>)> {
		self.ready.get(&local.seq.checked_add(1)?)
	}

	/// Forgets everything up to a head that was applied.
	pub fn applied(&mut self, seq: u64) {
		self.trusted.retain(|known, _| *known > seq);
		self.ready.retain(|known, _| *known > seq);
	}

	/// Bytes of prefetched batches as encoded.
	pub fn ready_bytes(&self) -> usize {
		self.ready.values().map(|(head, _)| head.batch_bytes as usize).sum()
	}

	/// Hashes remembered.
	pub fn trusted_len(&self) -> usize {
		self.trusted.len()
	}
}
