//! What a remote subtree commits to on the hub.

use crate::id::{ObjectId, StateRoot};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

/// The version that every [`Head`] carries.
pub const HEAD_VERSION: u8 = 1;

/// The state of a remote subtree after a batch.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Head {
	/// [`HEAD_VERSION`].
	pub version: u8,
	/// Hash of the hub's block 0.
	pub genesis: H256,
	/// Root object of the subtree.
	pub subtree: ObjectId,
	/// The subtree's registration.
	pub epoch: u64,
	/// Rises when heads are voided and when the mode changes.
	pub era: u32,
	/// Number of this head within the epoch, from 1.
	pub seq: u64,
	/// [`Head::hash`] of the head before; zero for the first of an epoch.
	pub prev: H256,
	/// Root before the batch.
	pub pre_root: StateRoot,
	/// Root after the batch, which is the last entry's `post_root`.
	pub state_root: StateRoot,
	/// Root of the batch's trie.
	pub batch_root: H256,
	/// Entries in the batch. Without it a claim about an index past the end could not be refuted.
	pub batch_len: u32,
	/// Bytes of the batch's encoded entries.
	pub batch_bytes: u32,
	/// Hub block of the batch's first entry.
	pub hub_first: u32,
	/// Hub block of the batch's last entry.
	pub hub_last: u32,
}

impl Head {
	/// blake2-256 of the SCALE encoding.
	pub fn hash(&self) -> H256 {
		H256(blake2_256(&self.encode()))
	}
}

/// What the hub knows before it takes the next head of a subtree.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct HeadState {
	/// The subtree's registration.
	pub epoch: u64,
	/// The era that the next head has to carry.
	pub era: u32,
	/// Number of the last head; 0 before the first.
	pub seq: u64,
	/// Hash of the last head; zero before the first.
	pub hash: H256,
	/// Root after the last head, or the one that the hub computed.
	pub state_root: StateRoot,
	/// Hub block of the last head's last entry; the block of registration before the first.
	pub hub_last: u32,
}

/// Why a head does not follow the last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeadError {
	/// The version is not known.
	UnknownVersion,
	/// The head belongs to a chain with another genesis hash.
	WrongChain,
	/// The head belongs to another subtree.
	WrongSubtree,
	/// The head belongs to another registration.
	WrongEpoch,
	/// The head belongs to another era.
	WrongEra,
	/// This head, or one with this number before the last, was accepted already.
	SeqReplayed,
	/// Another head with this number is the last one.
	HeadForked,
	/// Heads before this one are missing.
	SeqGap,
	/// The head does not name the last one as its predecessor.
	WrongPrev,
	/// The head does not start from the last one's root.
	WrongPreRoot,
	/// The batch has no entry, or more or larger ones than allowed.
	BadBatchSize,
	/// The hub blocks fall, or lie in the future.
	BadHubRange,
}

impl fmt::Display for HeadError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::UnknownVersion => "the head has an unknown version",
			Self::WrongChain => "the head belongs to another chain",
			Self::WrongSubtree => "the head belongs to another subtree",
			Self::WrongEpoch => "the head belongs to another registration of the subtree",
			Self::WrongEra => "the head belongs to another era",
			Self::SeqReplayed => "this head, or a later one, was accepted already",
			Self::HeadForked => "another head with this number is the last one",
			Self::SeqGap => "heads before this one are missing",
			Self::WrongPrev => "the head's predecessor is not the last head",
			Self::WrongPreRoot => "the head does not start from the last head's root",
			Self::BadBatchSize => "the head's batch is empty or too large",
			Self::BadHubRange => "the head's hub blocks fall or lie in the future",
		})
	}
}

impl core::error::Error for HeadError {}

impl Head {
	/// Checks that this head follows `last` on the chain with `genesis`, at hub block `now`.
	pub fn check_follows(
		&self,
		genesis: H256,
		subtree: ObjectId,
		last: &HeadState,
		now: u32,
	) -> Result<(), HeadError> {
		let ensure = |holds: bool, error: HeadError| holds.then_some(()).ok_or(error);
		ensure(self.version == HEAD_VERSION, HeadError::UnknownVersion)?;
		ensure(self.genesis == genesis, HeadError::WrongChain)?;
		ensure(self.subtree == subtree, HeadError::WrongSubtree)?;
		ensure(self.epoch == last.epoch, HeadError::WrongEpoch)?;
		ensure(self.era == last.era, HeadError::WrongEra)?;
		let forked = self.seq == last.seq && self.seq > 0 && self.hash() != last.hash;
		ensure(!forked, HeadError::HeadForked)?;
		ensure(self.seq > last.seq, HeadError::SeqReplayed)?;
		ensure(self.seq - last.seq == 1, HeadError::SeqGap)?;
		ensure(self.prev == last.hash, HeadError::WrongPrev)?;
		ensure(self.pre_root == last.state_root, HeadError::WrongPreRoot)?;
		let sizes_fit = (1..=crate::batch::MAX_BATCH_CALLS).contains(&self.batch_len)
			&& (1..=crate::batch::MAX_BATCH_BYTES).contains(&self.batch_bytes);
		ensure(sizes_fit, HeadError::BadBatchSize)?;
		let ordered = last.hub_last <= self.hub_first
			&& self.hub_first <= self.hub_last
			&& self.hub_last <= now;
		ensure(ordered, HeadError::BadHubRange)
	}

	/// What the hub knows once this head is accepted.
	pub fn next_state(&self) -> HeadState {
		HeadState {
			epoch: self.epoch,
			era: self.era,
			seq: self.seq,
			hash: self.hash(),
			state_root: self.state_root,
			hub_last: self.hub_last,
		}
	}
}
