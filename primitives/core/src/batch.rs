//! What a subtree executed between two heads.

use crate::{
	call::{CallStatus, SignedCall, MAX_CALL_BYTES},
	id::StateRoot,
	object::{encode_value, tag},
	proof::Proof,
	trie::Layout,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeLimit, DecodeWithMemTracking, Encode, Input};
use core::fmt;
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32, H256};
use sp_trie::TrieConfiguration;

/// Most calls in a batch.
pub const MAX_BATCH_CALLS: u32 = 1024;

/// Most bytes of encoded entries in a batch: one batch fits into one message between nodes, and one of the largest calls fits.
pub const MAX_BATCH_BYTES: u32 = 1024 * 1024;

/// Most proofs of hub state in one entry.
pub const MAX_HUB_READS: u32 = 16;

/// Deepest nesting of an encoded entry: a proof in a list, in an entry.
const MAX_ENTRY_DEPTH: u32 = 16;

/// The hub as an execution saw it.
#[derive(
	Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo,
)]
pub struct HubPin {
	/// Block number.
	pub number: u32,
	/// Global root in that block's header.
	pub global_root: H256,
}

/// One executed call with everything that its execution depended on.
#[derive(Clone, PartialEq, Eq, Debug, Encode, DecodeWithMemTracking, TypeInfo)]
pub struct BatchEntry {
	/// The call.
	pub call: SignedCall,
	/// When it was executed, in milliseconds since 1970; never falls within a subtree.
	pub time_ms: u64,
	/// The hub block at which it was executed; never falls within a subtree.
	pub hub: HubPin,
	/// What became of it.
	pub status: CallStatus,
	/// Gas used; 0 for operations on objects.
	pub gas: u64,
	/// Root of the subtree after it.
	pub post_root: StateRoot,
	/// Proofs of what it read from the hub, at most [`MAX_HUB_READS`].
	pub hub_reads: Vec<Proof>,
}

/// Why bytes are not an entry of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MalformedEntry;

impl fmt::Display for MalformedEntry {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(
			f,
			"the bytes are not a SCALE-encoded batch entry of at most {MAX_BATCH_BYTES} bytes"
		)
	}
}

impl core::error::Error for MalformedEntry {}

impl Decode for BatchEntry {
	fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
		let (call, time_ms, hub, status, gas, post_root) = Decode::decode(input)?;
		let hub_reads = BoundedVec::<Proof, ConstU32<MAX_HUB_READS>>::decode(input)?.into_inner();
		Ok(Self { call, time_ms, hub, status, gas, post_root, hub_reads })
	}
}

impl BatchEntry {
	/// Reads an entry from untrusted bytes. Refuses trailing bytes, deep nesting and a call of more than
	/// [`MAX_CALL_BYTES`].
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, MalformedEntry> {
		if bytes.len() > MAX_BATCH_BYTES as usize {
			return Err(MalformedEntry);
		}
		let entry = Self::decode_all_with_depth_limit(MAX_ENTRY_DEPTH, &mut &bytes[..]);
		entry.ok().filter(|entry| entry.call.encoded_size() <= MAX_CALL_BYTES).ok_or(MalformedEntry)
	}
}

/// The root and the size of a batch, as a head commits to them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchCommitment {
	/// Root of the trie from index (u32, big-endian) to entry.
	pub root: H256,
	/// Number of entries.
	pub len: u32,
	/// Sum of the sizes of the encoded entries, in bytes.
	pub bytes: u32,
}

impl BatchCommitment {
	/// Commits to entries in their order; `None` beyond [`MAX_BATCH_CALLS`] or [`MAX_BATCH_BYTES`].
	pub fn new(entries: &[BatchEntry]) -> Option<Self> {
		let len = u32::try_from(entries.len()).ok().filter(|len| *len <= MAX_BATCH_CALLS)?;
		let pairs: Vec<_> = (0u32..)
			.zip(entries)
			.map(|(index, entry)| (index.to_be_bytes(), entry_value(entry)))
			.collect();
		let bytes = pairs.iter().try_fold(0u32, |sum, (_, value)| {
			sum.checked_add(u32::try_from(value.len() - 1).ok()?)
		})?;
		(bytes <= MAX_BATCH_BYTES).then(|| Self { root: Layout::trie_root(pairs), len, bytes })
	}
}

/// An entry as it stands in the batch's trie.
pub fn entry_value(entry: &BatchEntry) -> Vec<u8> {
	encode_value(tag::BATCH_ENTRY, entry)
}
