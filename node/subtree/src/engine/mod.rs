//! The one writer of a subtree.

mod call;
mod copy;
mod executor;
mod follow;
mod hub;
mod import;
mod open;
mod pending;
mod serve;
mod watch;

pub use call::{CallGate, CheckedCall, Receipt};
pub use copy::{CopiedRange, TrieEntry};
pub use hub::HubOutcome;
pub use import::{ImportProgress, ImportTarget, WantedRange};
pub use watch::{HeadNews, NoWatcher, Watcher};

use crate::{
	error::{NonceError, StopReason},
	identity::SubtreeIdentity,
	log::CallLog,
	options::{EngineOptions, Retention, Role, Step},
	read::Reader,
	store::{next_oldest, Applied, Store},
};
use dstp_primitives::{batch::BatchEntry, head::Head, trie::PairChanges, AccountId, StateRoot};
use executor::Executor;
use import::ImportRun;
use pending::PendingCalls;
use sp_core::H256;
use std::{fmt::Display, sync::Arc};

/// Most commits that prune at one time, each of a few heads: whoever waits for the engine is not kept for long where finality
/// comes back after days, or an operator keeps fewer heads than before.
const MAX_PRUNE_COMMITS: usize = 16;

/// A batch that became a head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedBatch {
	/// The head.
	pub head: Head,
	/// The calls, in their order.
	pub entries: Vec<BatchEntry>,
	/// What it wrote: by object and trie key the value with its tag, as it stands after the batch; `None`: there is none any more.
	pub changed: Arc<PairChanges>,
}

/// Where an engine stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
	/// What it does.
	pub role: Role,
	/// Which subtree it holds.
	pub identity: SubtreeIdentity,
	/// Whether the state is here.
	pub synced: bool,
	/// Newest head; 0: none yet.
	pub seq: u64,
	/// Its hash; zero before the first.
	pub head_hash: H256,
	/// Its root.
	pub root: StateRoot,
	/// Oldest head that is readable.
	pub oldest: u64,
	/// Newest head that the hub accepted, as far as this node knows.
	pub committed: u64,
	/// Whether the hub takes the content back, as [`Engine::set_being_hosted`] said: calls are refused.
	pub being_hosted: bool,
	/// Calls executed since the newest head.
	pub open_calls: u32,
	/// Calls that the hub has not accepted yet, the open ones included.
	pub pending_calls: u32,
	/// Calls executed since the engine was opened. Only where it serves.
	pub calls: u64,
	/// Batches sealed since the engine was opened. Only where it serves.
	pub batches: u64,
	/// Bytes of the log's files.
	pub log_bytes: u64,
	/// The import that is under way.
	pub import: Option<ImportProgress>,
	/// Why nothing more is taken.
	pub stopped: Option<StopReason>,
}

/// Serves or follows one remote subtree. See the [crate] for the picture.
pub struct Engine {
	identity: SubtreeIdentity,
	role: Role,
	options: EngineOptions,
	store: Arc<Store>,
	/// Only where it serves.
	log: Option<CallLog>,
	/// Where the store stands, and what the next commit will say of the hub.
	applied: Applied,
	/// Newest head that is final on the hub, as far as this run was told; where it serves, nothing after it is pruned.
	finalised: u64,
	executor: Executor,
	/// When the first call of the open batch came, by the caller's clock.
	open_since_ms: u64,
	pending: PendingCalls,
	/// Receipts of calls that are executed and not synced.
	unsynced: Vec<Receipt>,
	/// Receipts of calls that are synced.
	synced: Vec<Receipt>,
	/// Batches that were sealed because a call did not fit any more.
	sealed: Vec<SealedBatch>,
	/// Calls executed and batches sealed since the start.
	calls: u64,
	batches: u64,
	import: Option<ImportRun>,
	/// While the hub takes the content back it accepts no heads, and a call that is acknowledged now could be lost.
	being_hosted: bool,
	stopped: Option<StopReason>,
}

impl Engine {
	/// A reader that lives on its own.
	pub fn reader(&self) -> Reader {
		Reader::new(self.store.clone(), self.identity)
	}

	/// Which subtree this is.
	pub fn identity(&self) -> SubtreeIdentity {
		self.identity
	}

	/// The checks that a call passes before [`Self::enqueue`].
	pub fn gate(&self) -> CallGate {
		CallGate::new(self.identity)
	}

	/// The nonce that an account's next call has to carry, after all executed calls. Not known after a write that failed.
	pub fn next_nonce(&self, account: &AccountId) -> Result<u64, NonceError> {
		match &self.stopped {
			Some(reason @ StopReason::WriteFailed(_)) => Err(NonceError::Unknown(reason.clone())),
			_ => self.executor.next_nonce(account).map_err(NonceError::Storage),
		}
	}

	/// Root after the last executed call.
	pub fn open_root(&self) -> StateRoot {
		self.executor.root()
	}

	/// Calls executed since the newest head.
	pub fn open_entries(&self) -> &[BatchEntry] {
		self.executor.entries()
	}

	/// Where the engine stands.
	pub fn status(&self) -> Status {
		let applied = &self.applied;
		Status {
			role: self.role,
			identity: self.identity,
			synced: applied.ready,
			seq: applied.seq,
			head_hash: applied.head_hash,
			root: applied.root,
			oldest: applied.oldest,
			committed: applied.committed,
			being_hosted: self.being_hosted,
			open_calls: self.executor.entries().len() as u32,
			pending_calls: self.pending.total(),
			calls: self.calls,
			batches: self.batches,
			log_bytes: self.log.as_ref().map_or(0, CallLog::bytes),
			import: self.import.as_ref().map(ImportRun::progress),
			stopped: self.stopped.clone(),
		}
	}

	fn running(&self) -> Result<(), StopReason> {
		self.stopped.clone().map_or(Ok(()), Err)
	}

	/// Takes nothing more until the next start.
	fn stop(&mut self, reason: StopReason) -> StopReason {
		log::error!(target: "dstp::subtree", "subtree {}: {reason}", self.identity.subtree);
		self.stopped.get_or_insert(reason).clone()
	}

	fn write_failed(&mut self, error: impl Display) -> StopReason {
		self.stop(StopReason::WriteFailed(error.to_string()))
	}

	fn unreadable(&mut self, error: impl Display) -> StopReason {
		self.stop(StopReason::Unreadable(error.to_string()))
	}

	/// Stores the executor's batch as `head` and starts the next one.
	fn store_batch(&mut self, head: Head, position: u64) -> Result<SealedBatch, parity_db::Error> {
		let (time_ms, hub) = (self.executor.time_ms(), self.executor.hub());
		let (entries, change) = self.executor.take();
		let changed = change.pairs.clone();
		let mut applied = Applied {
			seq: head.seq,
			root: head.state_root,
			head_hash: head.hash(),
			position,
			time_ms,
			hub,
			..self.applied
		};
		if self.role == Role::Follow {
			applied.committed = head.seq;
		}
		let ops = {
			let inner = self.store.read();
			let mut ops = change.into_ops(&inner, &head, &entries)?;
			applied.oldest = next_oldest(&applied, self.prunable(&applied));
			inner.prune(&mut ops, applied.oldest)?;
			ops
		};
		self.store.commit_watched(ops, applied, [Step::DbCommit, Step::DbCommitted])?;
		self.applied = applied;
		self.executor = Executor::new(&self.store, &self.identity, &self.applied);
		let batch = SealedBatch { head, entries, changed };
		self.options.watcher.on_news(HeadNews::Batch(&batch), &self.reader());
		Ok(batch)
	}

	/// The oldest head that has to stay.
	///
	/// Where this node serves, heads that are not final always stay: a reorganisation of the hub can take any of them back, and
	/// they and their calls are nowhere else. What a follower has is final.
	fn prunable(&self, applied: &Applied) -> u64 {
		let Retention::Last(count) = self.options.retention else { return applied.oldest };
		let accepted = applied.seq.min(applied.committed);
		let safe = match self.role {
			Role::Serve => accepted.min(self.finalised),
			Role::Follow => accepted,
		};
		safe.saturating_sub(count.saturating_sub(1))
	}

	/// Prunes as far as the options say, in at most [`MAX_PRUNE_COMMITS`] commits; the next time goes on.
	fn prune(&mut self) -> Result<(), StopReason> {
		for _ in 0..MAX_PRUNE_COMMITS {
			let oldest = next_oldest(&self.applied, self.prunable(&self.applied));
			if oldest == self.applied.oldest {
				break;
			}
			self.prune_to(oldest).map_err(|error| self.write_failed(error))?;
		}
		Ok(())
	}

	fn prune_to(&mut self, oldest: u64) -> Result<(), parity_db::Error> {
		let mut ops = Vec::new();
		self.store.read().prune(&mut ops, oldest)?;
		let applied = Applied { oldest, ..self.applied };
		self.store.commit_watched(ops, applied, [Step::Prune, Step::Pruned])?;
		self.applied = applied;
		Ok(())
	}
}
