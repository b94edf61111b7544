//! Checks of answers. Pure functions of the answer, the question and what is trusted.

use super::target::{Job, VerifiedRange};
use crate::wire::{Served, TrieKey};
use codec::Encode;
use dstp_primitives::{
	batch::{BatchCommitment, BatchEntry},
	head::{Head, HEAD_VERSION},
	proof::{check_range, Proof, ProofError, Proven, Query, RangeProof, TrustedRoot},
	ObjectId,
};
use sp_core::H256;

/// Why an answer is provably wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
	/// The bytes are not a message of the protocol.
	#[error("the answer does not decode or is too long")]
	Malformed,
	/// The answer is of another kind than the question.
	#[error("the answer is of another kind than the question")]
	WrongKind,
	/// A range does not belong to the root.
	#[error("a range does not belong to the state that was asked for")]
	BadRange,
	/// Less than the protocol demands, though there is more; or more than asked for.
	#[error("the answer has not the length that the protocol demands")]
	BadLength,
	/// The heads do not lead to the one that the hub finalised.
	#[error("the heads do not lead to the one that the hub finalised")]
	BadHead,
	/// The batch is not the one that its head commits to.
	#[error("the batch is not the one that its head commits to")]
	BadBatch,
	/// The proof does not answer the question.
	#[error("the proof does not hold or answers another question")]
	BadProof,
}

/// The subtree that is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Followed {
	/// Hash of the hub's block 0.
	pub genesis: H256,
	/// Root object of the subtree.
	pub subtree: ObjectId,
}

/// Checks the ranges of `jobs` in their order. Nothing of an answer counts unless all of it holds.
pub(super) fn ranges(
	proofs: Vec<RangeProof>,
	jobs: &[Job],
	max_bytes: usize,
) -> Result<Vec<VerifiedRange>, Fault> {
	if proofs.is_empty() || proofs.len() > jobs.len() {
		return Err(Fault::BadLength);
	}
	let count = proofs.len();
	let mut used = 0usize;
	let mut out = Vec::with_capacity(count);
	for (index, (proof, job)) in proofs.into_iter().zip(jobs).enumerate() {
		let size = proof.encoded_size();
		let after = job.cursor.after.as_ref().map(|key| key.as_slice());
		let range = check_range(proof, job.cursor.root, after).map_err(|_| Fault::BadRange)?;
		if range.entries.iter().any(|(key, _)| TrieKey::try_from(key.clone()).is_err()) {
			return Err(Fault::BadRange);
		}
		let (last, all) = (index + 1 == count, count == jobs.len());
		let bytes: usize = range.entries.iter().map(|(key, value)| key.len() + value.len()).sum();
		let enough = used + size >= max_bytes || used + bytes >= max_bytes;
		if used >= max_bytes
			|| !(range.complete || last)
			|| (last && !enough && !(all && range.complete))
		{
			return Err(Fault::BadLength);
		}
		used += size;
		out.push(VerifiedRange {
			object: job.cursor.object,
			link: job.link.clone(),
			root: job.cursor.root,
			from_start: job.cursor.after.is_none(),
			complete: range.complete,
			entries: range.entries,
		});
	}
	Ok(out)
}

fn belongs(head: &Head, followed: Followed, epoch: u64, seq: u64) -> bool {
	head.version == HEAD_VERSION
		&& head.genesis == followed.genesis
		&& head.subtree == followed.subtree
		&& head.epoch == epoch
		&& head.seq == seq
}

/// Checks heads, newest first, of which the first one's hash is trusted. Gives the trusted hash of the head before the oldest.
pub(super) fn heads(
	heads: &[Head],
	followed: Followed,
	epoch: u64,
	(last, count): (u64, u32),
	mut trusted: H256,
	mut each: impl FnMut(u64, H256),
) -> Result<(), Fault> {
	if heads.len() != count as usize {
		return Err(Fault::BadLength);
	}
	for (head, seq) in heads.iter().zip((1..=last).rev()) {
		if head.hash() != trusted || !belongs(head, followed, epoch, seq) {
			return Err(Fault::BadHead);
		}
		trusted = head.prev;
		each(seq - 1, trusted);
	}
	Ok(())
}

/// Checks a batch against the trusted hash of its head.
pub(super) fn batch(
	head: &Head,
	entries: &[BatchEntry],
	followed: Followed,
	epoch: u64,
	seq: u64,
	trusted: H256,
) -> Result<(), Fault> {
	if head.hash() != trusted || !belongs(head, followed, epoch, seq) {
		return Err(Fault::BadHead);
	}
	let committed =
		BatchCommitment { root: head.batch_root, len: head.batch_len, bytes: head.batch_bytes };
	(BatchCommitment::new(entries) == Some(committed)).then_some(()).ok_or(Fault::BadBatch)
}

/// What a node says that it serves of the subtree.
pub(super) fn status(served: &[Served], followed: Followed) -> Result<Option<&Served>, Fault> {
	match served {
		[] => Ok(None),
		[one] if one.subtree == followed.subtree => Ok(Some(one)),
		_ => Err(Fault::WrongKind),
	}
}

/// Checks a proof that a reader got from another node: it answers `query` at the root that the reader trusts.
pub fn check_proof(proof: Proof, query: &Query, from: TrustedRoot) -> Result<Proven, Fault> {
	if proof.query != *query {
		return Err(Fault::BadProof);
	}
	proof.check(from).map_err(|_: ProofError| Fault::BadProof)
}
