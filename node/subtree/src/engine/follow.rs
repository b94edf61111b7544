//! Applying the batches of others.

use super::{executor::Executor, Engine, SealedBatch};
use crate::{error::ApplyError, options::Role};
use dstp_primitives::{
	batch::{BatchCommitment, BatchEntry},
	call::ExecuteError,
	head::{Head, HeadState},
};

impl Engine {
	/// Executes the calls of the next head and stores them if every root is right. After an error nothing has changed.
	///
	/// The caller has `head` from finalised state of the hub; `entries` come from anybody.
	pub fn apply_batch(
		&mut self,
		head: Head,
		entries: Vec<BatchEntry>,
	) -> Result<SealedBatch, ApplyError> {
		if self.role != Role::Follow {
			return Err(ApplyError::NotFollowing);
		}
		self.running()?;
		if !self.applied.ready {
			return Err(ApplyError::NotSynced);
		}
		self.check_head(&head)?;
		let committed =
			BatchCommitment::new(&entries).map(|found| (found.root, found.len, found.bytes));
		if committed != Some((head.batch_root, head.batch_len, head.batch_bytes)) {
			return Err(ApplyError::WrongEntries);
		}
		if let Err(error) = self.execute_batch(&head, entries) {
			self.executor = Executor::new(&self.store, &self.identity, &self.applied);
			return Err(error);
		}
		self.applied.era = head.era;
		let position = self.applied.position;
		self.store_batch(head, position).map_err(|error| self.write_failed(error).into())
	}

	fn check_head(&self, head: &Head) -> Result<(), ApplyError> {
		let applied = &self.applied;
		let last = HeadState {
			epoch: self.identity.epoch,
			era: head.era.max(applied.era),
			seq: applied.seq,
			hash: applied.head_hash,
			state_root: applied.root,
			hub_last: applied.hub.number,
		};
		// The hub checked that the head's blocks do not lie in its future.
		head.check_follows(self.identity.genesis, self.identity.subtree, &last, u32::MAX)
			.map_err(|source| ApplyError::Head { newest: applied.seq, source })
	}

	fn execute_batch(&mut self, head: &Head, entries: Vec<BatchEntry>) -> Result<(), ApplyError> {
		let blocks = entries
			.first()
			.zip(entries.last())
			.map(|(first, last)| (first.hub.number, last.hub.number));
		if blocks != Some((head.hub_first, head.hub_last)) {
			return Err(ApplyError::WrongHubBlocks { first: head.hub_first, last: head.hub_last });
		}
		for (index, entry) in (0u32..).zip(entries) {
			self.execute_entry(index, entry)?;
		}
		let found = self.executor.root();
		if found != head.state_root {
			return Err(ApplyError::WrongStateRoot { root: head.state_root, found });
		}
		Ok(())
	}

	fn execute_entry(&mut self, index: u32, entry: BatchEntry) -> Result<(), ApplyError> {
		if entry.time_ms < self.executor.time_ms() || entry.hub.number < self.executor.hub().number
		{
			return Err(ApplyError::TimeFalls { index });
		}
		if entry.gas != 0 || !entry.hub_reads.is_empty() {
			return Err(ApplyError::Superfluous { index });
		}
		let refused = |source| ApplyError::Refused { index, source };
		entry.call.check(&self.identity.context(entry.hub.number)).map_err(refused)?;
		let execution = match self.executor.execute(entry.call, entry.hub, entry.time_ms) {
			Ok(execution) => execution,
			Err(ExecuteError::Refused(source)) => return Err(refused(source)),
			Err(ExecuteError::Storage(error)) => return Err(self.unreadable(error).into()),
		};
		if (execution.status, execution.post_root) != (entry.status, entry.post_root) {
			return Err(ApplyError::Mismatch {
				index,
				status: Box::new(entry.status),
				root: entry.post_root,
				found_status: Box::new(execution.status),
				found: execution.post_root,
			});
		}
		Ok(())
	}
}
