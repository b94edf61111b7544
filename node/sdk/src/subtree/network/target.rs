//! Where a follower puts what it verified: the engine.

use crate::subtree::serve::Running;
use dstp_primitives::{
	batch::BatchEntry,
	head::{Head, HeadState},
	proof::TrieRange,
	ObjectId, StateRoot,
};
use dstp_state_network::sync::{self, Resume, Target, TrieEntry, VerifiedRange};
use dstp_subtree::{ApplyError, CopiedRange, ImportError, ImportTarget, ReadError, StopReason};
use parking_lot::Mutex;
use sp_core::H256;
use std::{collections::VecDeque, sync::Arc};

/// Heads of which the whole is remembered: a copy starts at the newest one that the follower was told of, and it is told of
/// more only while it is busy.
const MAX_HEADS: usize = 16;

/// The last heads that the hub finalised, in full. A follower knows them by their hash only.
#[derive(Default)]
pub(super) struct FinalisedHeads(Mutex<VecDeque<Head>>);

impl FinalisedHeads {
	pub(super) fn insert(&self, head: Head) {
		let mut heads = self.0.lock();
		if heads.back() == Some(&head) {
			return;
		}
		if heads.len() >= MAX_HEADS {
			heads.pop_front();
		}
		heads.push_back(head);
	}

	fn get(&self, hash: H256) -> Option<Head> {
		self.0.lock().iter().rev().find(|head| head.hash() == hash).cloned()
	}
}

/// Why the engine does not take something now.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
	#[error(transparent)]
	Import(#[from] ImportError),
	#[error(transparent)]
	Apply(#[from] ApplyError),
	#[error(transparent)]
	Stopped(#[from] StopReason),
	#[error(transparent)]
	Read(#[from] ReadError),
	#[error(
		"head {0} is older than the last ones that this node knows in full; the next one will do"
	)]
	UnknownHead(u64),
}

/// The engine of a followed subtree.
pub(super) struct EngineTarget {
	running: Arc<Running>,
	heads: Arc<FinalisedHeads>,
	/// Whether the state before the first head counts as nothing: the hub has heads already, so that their state is copied
	/// instead of all calls executed since the registration.
	copy_first: bool,
}

impl EngineTarget {
	pub(super) fn new(running: Arc<Running>, heads: Arc<FinalisedHeads>, copy_first: bool) -> Self {
		Self { running, heads, copy_first }
	}
}

impl Target for EngineTarget {
	type Error = TargetError;

	fn head(&self) -> Result<Option<HeadState>, TargetError> {
		let status = self.running.engine.lock().status();
		if !status.synced {
			return Ok(None);
		}
		if let Some(head) = self.running.reader.head(None)? {
			return Ok(Some(head.next_state()));
		}
		Ok((!self.copy_first).then_some(HeadState {
			epoch: status.identity.epoch,
			era: 0,
			seq: 0,
			hash: H256::zero(),
			state_root: status.root,
			hub_last: 0,
		}))
	}

	fn resume(&self) -> Result<Option<Resume>, TargetError> {
		Ok(self.running.engine.lock().copy_walk().and_then(Resume::from_bytes))
	}

	fn begin(&mut self, resume: &Resume) -> Result<(), TargetError> {
		let HeadState { seq, hash, .. } = resume.pivot;
		let target = match seq {
			0 => ImportTarget::Initial,
			_ => ImportTarget::Head(self.heads.get(hash).ok_or(TargetError::UnknownHead(seq))?),
		};
		Ok(self.running.engine.lock().begin_copy(target, resume.to_bytes())?)
	}

	fn store(&mut self, ranges: Vec<VerifiedRange>, resume: &Resume) -> Result<(), TargetError> {
		let ranges = ranges.into_iter().map(|range| CopiedRange {
			object: *range.object(),
			link: range.link().cloned(),
			root: range.root(),
			from_start: range.from_start(),
			range: TrieRange { complete: range.complete(), entries: range.into_entries() },
		});
		Ok(self.running.engine.lock().copy_ranges(ranges.collect(), resume.to_bytes())?)
	}

	fn stored_root(&self, _: &ObjectId) -> Result<Option<StateRoot>, TargetError> {
		// A copy starts with an empty store, and within one copy the follower asks for no object twice.
		Ok(None)
	}

	fn get(&self, object: &ObjectId, key: &[u8]) -> Result<Option<Vec<u8>>, TargetError> {
		Ok(self.running.engine.lock().copied_value(object, key)?)
	}

	fn scan(
		&self,
		object: &ObjectId,
		after: &[u8],
		limit: usize,
	) -> Result<Vec<TrieEntry>, TargetError> {
		Ok(self.running.engine.lock().copied_entries(object, after, limit)?)
	}

	fn finish(&mut self, _: &HeadState) -> Result<(), TargetError> {
		Ok(self.running.engine.lock().finish_import()?)
	}

	fn apply(
		&mut self,
		head: &Head,
		entries: &[BatchEntry],
	) -> Result<(), sync::ApplyError<TargetError>> {
		let applied = self.running.engine.lock().apply_batch(head.clone(), entries.to_vec());
		applied.map(drop).map_err(|error| apply_error(head, error))
	}
}

/// What an error of the engine means for the follower. The head is one that the hub finalised, and the entries were compared with
/// it: where the two do not fit nobody else can help, and trying again gives the same.
fn apply_error(head: &Head, error: ApplyError) -> sync::ApplyError<TargetError> {
	let index = match &error {
		ApplyError::Refused { index, .. }
		| ApplyError::TimeFalls { index }
		| ApplyError::Mismatch { index, .. }
		| ApplyError::Superfluous { index } => *index,
		ApplyError::WrongStateRoot { .. } | ApplyError::WrongHubBlocks { .. } => {
			head.batch_len.saturating_sub(1)
		},
		ApplyError::Head { .. } | ApplyError::WrongEntries => 0,
		ApplyError::NotFollowing | ApplyError::NotSynced | ApplyError::Stopped(_) => {
			return sync::ApplyError::Storage(error.into())
		},
	};
	sync::ApplyError::Diverged { index, reason: error.to_string() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::subtree::tests::{execute, set, World};
	use dstp_subtree::{EngineOptions, Role};

	#[test]
	fn a_head_that_its_calls_do_not_give_halts_the_follower() {
		let serving = World::new(Role::Serve);
		let served = serving.open(EngineOptions::default());
		execute(&served, 0, set("field", b"value"));
		let sealed = served.engine.lock().seal_now().unwrap().remove(0);
		let following = World::new(Role::Follow);
		let running = following.open(EngineOptions::default());
		let mut target = EngineTarget::new(running, Arc::default(), false);
		for lie in [
			|head: &mut Head| head.hub_last += 1,
			|head: &mut Head| head.state_root = H256::zero(),
			|head: &mut Head| head.pre_root = H256::zero(),
			|head: &mut Head| head.batch_len += 1,
		] {
			let mut head = sealed.head.clone();
			lie(&mut head);
			let error = target.apply(&head, &sealed.entries).unwrap_err();
			assert!(matches!(error, sync::ApplyError::Diverged { .. }), "{error}");
		}
		target.apply(&sealed.head, &sealed.entries).unwrap();
	}
}
