//! What the hub accepted.

use super::{Engine, HeadNews};
use crate::{
	error::{HubError, StopReason},
	log::Record,
	options::Role,
	store::{seq_key, set, Applied, COL_HEADS},
};
use codec::Encode;
use dstp_primitives::head::{Head, HeadState};
use sp_core::H256;

/// What the hub's word meant for this node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HubOutcome {
	/// Nothing new.
	Unchanged,
	/// The hub accepted heads up to this one.
	Committed {
		/// Newest accepted head.
		seq: u64,
	},
	/// A reorganisation of the hub removed commits: heads after `seq` are to be committed again.
	Reverted {
		/// Newest head that is still accepted.
		seq: u64,
	},
	/// Heads that the hub has not accepted got another era; they are other heads now.
	Resealed {
		/// First of them.
		first: u64,
	},
	/// The hub is ahead; fetch what is missing. Only where this node follows.
	Behind {
		/// The hub's newest head.
		seq: u64,
	},
}

impl Engine {
	/// Heads that the hub has not accepted, oldest first, at most `limit`.
	pub fn uncommitted_heads(&self, limit: usize) -> Result<Vec<Head>, StopReason> {
		let inner = self.store.read();
		let first = self.applied.oldest.max(self.applied.committed + 1);
		let wanted = (first..=self.applied.seq).take(limit);
		let heads =
			wanted.filter_map(|seq| inner.head(seq).transpose()).collect::<Result<Vec<_>, _>>();
		heads.map_err(|error| StopReason::Unreadable(error.to_string()))
	}

	/// Notes that the hub accepted head `seq` with this hash, and nothing after it.
	pub fn mark_committed(&mut self, seq: u64, hash: H256) -> Result<HubOutcome, HubError> {
		self.running()?;
		self.note_hub(seq, hash)
	}

	/// Takes in what the hub knows of this subtree at its best block. Heads that a reorganisation removed are handed out
	/// again by [`Self::uncommitted_heads`].
	///
	/// Where the hub holds another head under a number of ours the engine stops, and the error says why.
	pub fn on_hub_head(&mut self, state: &HeadState) -> Result<HubOutcome, HubError> {
		self.running()?;
		if state.epoch != self.identity.epoch {
			let reason = StopReason::OtherEpoch { hub: state.epoch, ours: self.identity.epoch };
			return Err(self.stop(reason).into());
		}
		if state.seq == 0 && state.state_root != self.store.initial_root() {
			let hub = state.state_root;
			return Err(self.stop(StopReason::Diverged { seq: 0, hub, ours: None }).into());
		}
		let outcome = self.note_hub(state.seq, state.hash)?;
		if state.era == self.applied.era || matches!(outcome, HubOutcome::Behind { .. }) {
			return Ok(outcome);
		}
		self.applied.era = state.era;
		let first = self.applied.committed + 1;
		if self.role == Role::Follow || first > self.applied.seq {
			return Ok(outcome);
		}
		self.reseal(first)?;
		Ok(HubOutcome::Resealed { first })
	}

	/// Notes whether the hub takes the content back. From then on, and until it is taken back, calls are refused; those that were
	/// acknowledged before wait, and are committed if the hub gives up. Not kept over a restart: say it again.
	pub fn set_being_hosted(&mut self, being_hosted: bool) {
		self.being_hosted = being_hosted;
	}

	fn note_hub(&mut self, seq: u64, hash: H256) -> Result<HubOutcome, HubError> {
		if seq > self.applied.seq || !self.applied.ready {
			if self.role == Role::Follow || !self.applied.ready {
				return Ok(HubOutcome::Behind { seq });
			}
			return Err(self.stop(StopReason::Diverged { seq, hub: hash, ours: None }).into());
		}
		// Heads that are pruned here could not be committed again. Where a node serves they were final.
		if seq + 1 < self.applied.oldest {
			let oldest = self.applied.oldest;
			return Err(self.stop(StopReason::Rewound { hub: seq, oldest }).into());
		}
		if seq >= self.applied.oldest {
			let ours = self.hash_of(seq)?;
			if ours != Some(hash) {
				return Err(self.stop(StopReason::Diverged { seq, hub: hash, ours }).into());
			}
		}
		let before = self.applied.committed;
		self.applied.committed = seq;
		if seq < before {
			self.recount(seq, before)?;
			return Ok(HubOutcome::Reverted { seq });
		}
		if seq == before {
			return Ok(HubOutcome::Unchanged);
		}
		self.pending.committed(seq);
		self.prune()?;
		Ok(HubOutcome::Committed { seq })
	}

	/// Notes that the heads up to `seq` are final on the hub: only these may be pruned. The caller compared the hash of that head
	/// with ours. Not kept over a restart: until it is said again, nothing more is pruned.
	pub fn mark_final(&mut self, seq: u64) -> Result<(), StopReason> {
		self.running()?;
		self.finalised = self.finalised.max(seq.min(self.applied.seq));
		self.prune()
	}

	/// Hash of our head `seq`; zero before the first.
	fn hash_of(&mut self, seq: u64) -> Result<Option<H256>, StopReason> {
		if seq == 0 {
			return Ok(Some(H256::zero()));
		}
		let head = self.store.read().head(seq);
		head.map(|head| head.map(|head| head.hash())).map_err(|error| self.unreadable(error))
	}

	/// Counts the calls of heads that the hub no longer accepts.
	fn recount(&mut self, committed: u64, before: u64) -> Result<(), StopReason> {
		for seq in committed + 1..=before {
			let batch = self.store.read().batch(seq);
			match batch {
				Ok(entries) => self.pending.add_batch(seq, &entries.unwrap_or_default()),
				Err(error) => return Err(self.unreadable(error)),
			}
		}
		Ok(())
	}

	/// Gives all heads from `first` on the current era. Their batches stay.
	fn reseal(&mut self, first: u64) -> Result<(), StopReason> {
		let mut prev = self.hash_of(first - 1)?.unwrap_or_default();
		let mut heads = Vec::new();
		for seq in first..=self.applied.seq {
			let head = self.store.read().head(seq);
			let head = match head {
				Ok(Some(head)) => Head { era: self.applied.era, prev, ..head },
				Ok(None) => return Err(self.unreadable("a head is missing")),
				Err(error) => return Err(self.unreadable(error)),
			};
			prev = head.hash();
			heads.push(head);
		}
		// The seals stand behind the open calls in the log, and the database must not claim to have those: it keeps its
		// position, and a restart reads the seals again.
		let log = self.log.as_mut().expect("an engine that serves has a log; qed");
		for head in &heads {
			log.append(&Record::Reseal(head.clone()));
		}
		if let Err(error) = log.flush() {
			return Err(self.write_failed(error));
		}
		self.synced.append(&mut self.unsynced);
		self.store_reseal(heads).map_err(|error| self.write_failed(error))?;
		self.options.watcher.on_news(HeadNews::Resealed { first }, &self.reader());
		Ok(())
	}

	pub(super) fn store_reseal(&mut self, heads: Vec<Head>) -> Result<(), parity_db::Error> {
		let Some(last) = heads.last() else { return Ok(()) };
		let head_hash =
			if last.seq == self.applied.seq { last.hash() } else { self.applied.head_hash };
		let applied = Applied { head_hash, ..self.applied };
		let kept = heads.iter().filter(|head| head.seq >= applied.oldest);
		let ops =
			kept.map(|head| set(COL_HEADS, &seq_key(b'h', head.seq), head.encode())).collect();
		self.store.commit(ops, applied)?;
		self.applied = applied;
		Ok(())
	}
}
