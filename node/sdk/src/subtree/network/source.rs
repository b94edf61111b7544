//! Answers for other nodes from this node's copies.

use crate::subtree::serve::{Running, Served};
use dstp_primitives::{
	batch::BatchEntry,
	head::Head,
	proof::{Proof, Query, RangeProof, TrieRange},
	ObjectId,
};
use dstp_state_network::{
	wire::{self, TrieCursor},
	Source,
};
use std::sync::Arc;

/// All copies of a node that are complete.
pub(super) struct Copies(pub(super) Arc<Served>);

impl Copies {
	fn at(&self, subtree: &ObjectId, epoch: u64) -> Option<Arc<Running>> {
		self.0.get(subtree).filter(|running| running.identity.epoch == epoch)
	}
}

/// What a copy has to offer; `None` while its state is not here.
pub(super) fn offer(running: &Running) -> Option<wire::HeadAnnouncement> {
	let head = running.reader.head(None).ok()?;
	let (seq, hash) = head.map_or((0, Default::default()), |head| (head.seq, head.hash()));
	let (subtree, epoch) = (running.identity.subtree, running.identity.epoch);
	Some(wire::HeadAnnouncement { served: wire::Served { subtree, epoch, seq }, hash })
}

impl Source for Copies {
	fn served(&self, subtree: &ObjectId) -> Option<wire::Served> {
		self.0.get(subtree).and_then(|running| offer(&running)).map(|offer| offer.served)
	}

	fn head(&self, subtree: &ObjectId, epoch: u64, seq: u64) -> Option<Head> {
		self.at(subtree, epoch)?.reader.head(Some(seq)).ok().flatten()
	}

	fn batch(&self, subtree: &ObjectId, epoch: u64, seq: u64) -> Option<(Head, Vec<BatchEntry>)> {
		let running = self.at(subtree, epoch)?;
		let entries = running.reader.batch(seq).ok().flatten()?;
		Some((running.reader.head(Some(seq)).ok().flatten()?, entries))
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
		self.at(subtree, epoch)?.reader.range(cursor.root, after, max_bytes).ok()
	}

	fn proof(&self, subtree: &ObjectId, epoch: u64, seq: u64, query: Query) -> Option<Proof> {
		let answer = self.at(subtree, epoch)?.reader.proof(query, Some(seq));
		answer.ok().map(|(_, proof, _)| proof)
	}
}

#[cfg(test)]
mod tests {
	use dstp_state_network::sync::KEPT_HEADS;
	use dstp_subtree::{EngineOptions, Retention};

	#[test]
	fn copies_keep_the_heads_that_followers_count_on() {
		assert_eq!(EngineOptions::default().retention, Retention::Last(KEPT_HEADS));
	}
}
