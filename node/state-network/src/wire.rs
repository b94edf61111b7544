//! What nodes say to each other.
//!
//! Four protocols, named `/<genesis hash in hex>/dstp/<name>/1`, with the chain's fork id after the hash if it has one. Small and large messages have protocols of their own, because
//! a transport may set aside the largest size of a protocol for every message. Each message is the byte [`WIRE_VERSION`] and a
//! SCALE value; `tests/vectors.rs` pins the bytes.
//!
//! | Protocol | Request | Response | Time limit |
//! |---|---|---|---|
//! | `ctl` | [`CtlRequest`], 64 KiB | [`CtlResponse`], 64 KiB | 2 s |
//! | `xfer` | [`XferRequest`], 64 KiB | [`XferResponse`], 2.25 MiB | 15 s |
//! | `sync` | [`SyncRequest`], 64 KiB | [`SyncResponse`], 2 MiB | 15 s |
//! | `heads` | notification [`HeadAnnouncement`], 1 KiB | - | - |
//!
//! # Trust model
//!
//! Every message comes from a stranger. [`Wire::from_bytes`] checks the length first, bounds the depth of nesting and the memory
//! that decoding takes, never trusts a declared length, and refuses trailing bytes.

use codec::{Decode, DecodeLimit, DecodeWithMemTracking, Encode, MemTrackingInput};
use dstp_primitives::{
	batch::{BatchEntry, MAX_BATCH_BYTES},
	head::Head,
	proof::{Proof, Query, RangeProof},
	ObjectId, StateRoot,
};
use sp_core::{bounded_vec::BoundedVec, ConstU32, H256};

/// First byte of every message.
pub const WIRE_VERSION: u8 = 1;

/// Most tries that one request asks ranges of. A subtree of many small objects comes with few round trips.
pub const MAX_RANGE_TRIES: u32 = 32;

/// Most bytes that a follower asks for in one request. What a range exceeds it by (one value, and the nodes beside the path to its
/// first and last key) still fits into one response.
pub const MAX_RANGE_BYTES: u32 = 256 * 1024;

/// Least bytes that may be asked for, so that nobody makes a server work for single entries.
pub const MIN_RANGE_BYTES: u32 = 4 * 1024;

/// Most heads in one response: 229 bytes each, together below the limit of `ctl`.
pub const MAX_HEADS: u32 = 256;

/// Most subtrees that one status is about.
pub const MAX_STATUS_SUBTREES: u32 = 64;

/// Longest key of a trie: a prefix, a hash of 16 bytes, 64 bytes of key, and room for Move.
pub const MAX_TRIE_KEY_BYTES: u32 = 128;

/// A key of a trie.
pub type TrieKey = BoundedVec<u8, ConstU32<MAX_TRIE_KEY_BYTES>>;

/// The protocols over which requests go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Protocol {
	/// Questions of a few bytes.
	Ctl,
	/// Proofs for readers.
	Xfer,
	/// Ranges and batches for followers.
	Sync,
}

impl Protocol {
	/// All of them.
	pub const ALL: [Self; 3] = [Self::Ctl, Self::Xfer, Self::Sync];

	/// The end of its name, after genesis hash and fork id.
	pub const fn suffix(self) -> &'static str {
		match self {
			Self::Ctl => "dstp/ctl/1",
			Self::Xfer => "dstp/xfer/1",
			Self::Sync => "dstp/sync/1",
		}
	}

	/// Largest request, in bytes.
	pub const fn max_request_bytes(self) -> usize {
		64 * 1024
	}

	/// Largest response, in bytes.
	pub const fn max_response_bytes(self) -> usize {
		match self {
			Self::Ctl => 64 * 1024,
			// The largest proof, with its query and the lengths of its nodes.
			Self::Xfer => 2304 * 1024,
			Self::Sync => 2 * 1024 * 1024,
		}
	}

	/// How long one who asks waits, in milliseconds.
	pub const fn timeout_ms(self) -> u64 {
		match self {
			Self::Ctl => 2_000,
			Self::Xfer | Self::Sync => 15_000,
		}
	}

	/// Most bytes of response for each byte of request. It bounds what a flood of tiny requests can pull out of a node; the
	/// shortest request of each protocol still gets its largest honest answer.
	pub const fn max_answer_ratio(self) -> usize {
		match self {
			// 54 bytes ask for 256 heads.
			Self::Ctl => 2048,
			Self::Xfer | Self::Sync => 32 * 1024,
		}
	}
}

/// The end of the name of the announcements' protocol, see [`Protocol::suffix`].
pub const ANNOUNCEMENT_SUFFIX: &str = "dstp/heads/1";

/// Longest announcement, in bytes.
pub const MAX_ANNOUNCEMENT_BYTES: usize = 1024;

/// Why bytes are not a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WireError {
	/// Longer than the protocol allows.
	#[error("the message has {found} bytes; at most {limit} are allowed")]
	TooLong {
		/// Its length.
		found: usize,
		/// The limit.
		limit: usize,
	},
	/// Of another version.
	#[error("the message is not of wire version 1")]
	Version,
	/// Not the SCALE encoding of a message, nested too deeply, or with trailing bytes.
	#[error("the message does not decode")]
	Malformed,
}

/// A message with limits.
pub trait Wire: Encode + Decode + DecodeWithMemTracking {
	/// Most encoded bytes, the version included.
	const MAX_BYTES: usize;
	/// Deepest nesting; twice what today's messages need.
	const MAX_DEPTH: u32;
	/// Most bytes of memory for each encoded byte, beside 16 KiB. Honest messages take less than half of it; a list of empty
	/// lists would take 24 times its length and more.
	const MAX_EXPANSION: usize = 6;

	/// With the version in front.
	fn to_bytes(&self) -> Vec<u8> {
		let mut out = Vec::with_capacity(1 + self.size_hint());
		out.push(WIRE_VERSION);
		self.encode_to(&mut out);
		out
	}

	/// From a stranger.
	fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
		if bytes.len() > Self::MAX_BYTES {
			return Err(WireError::TooLong { found: bytes.len(), limit: Self::MAX_BYTES });
		}
		let (version, mut rest) = bytes.split_first().ok_or(WireError::Malformed)?;
		if *version != WIRE_VERSION {
			return Err(WireError::Version);
		}
		let memory = rest.len().saturating_mul(Self::MAX_EXPANSION).saturating_add(16 * 1024);
		let mut input = MemTrackingInput::new(&mut rest, memory);
		let message = Self::decode_with_depth_limit(Self::MAX_DEPTH, &mut input)
			.map_err(|_| WireError::Malformed)?;
		rest.is_empty().then_some(message).ok_or(WireError::Malformed)
	}
}

macro_rules! wire {
	($type:ty, $bytes:expr, $depth:expr) => {
		impl Wire for $type {
			const MAX_BYTES: usize = $bytes;
			const MAX_DEPTH: u32 = $depth;
		}
	};
}

wire!(CtlRequest, Protocol::Ctl.max_request_bytes(), 8);
wire!(CtlResponse, Protocol::Ctl.max_response_bytes(), 8);
wire!(XferRequest, Protocol::Xfer.max_request_bytes(), 16);
wire!(XferResponse, Protocol::Xfer.max_response_bytes(), 16);
wire!(SyncRequest, Protocol::Sync.max_request_bytes(), 8);
wire!(HeadAnnouncement, MAX_ANNOUNCEMENT_BYTES, 4);

impl Wire for SyncResponse {
	const MAX_BYTES: usize = Protocol::Sync.max_response_bytes();
	const MAX_DEPTH: u32 = 24;
	/// A call that sets 256 fields of 3 encoded bytes each takes 48 bytes of memory for each of them.
	const MAX_EXPANSION: usize = 24;
}

const _: () = assert!(MAX_BATCH_BYTES as usize + 64 * 1024 <= Protocol::Sync.max_response_bytes());

/// A small question.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking)]
pub enum CtlRequest {
	/// Which of these subtrees does the node serve? Also the first message to a node that somebody named as a provider.
	#[codec(index = 0)]
	Status {
		/// The subtrees that the asker is interested in.
		subtrees: BoundedVec<ObjectId, ConstU32<MAX_STATUS_SUBTREES>>,
	},
	/// The heads up to one number.
	#[codec(index = 1)]
	Heads {
		/// The subtree.
		subtree: ObjectId,
		/// Its registration.
		epoch: u64,
		/// Number of the last head.
		last: u64,
		/// How many, 1 to [`MAX_HEADS`].
		count: u32,
	},
}

/// A copy of a subtree.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking)]
pub struct Served {
	/// The subtree.
	pub subtree: ObjectId,
	/// Its registration.
	pub epoch: u64,
	/// The newest head whose state the node has completely.
	pub seq: u64,
}

/// Answers to [`CtlRequest`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking)]
pub enum CtlResponse {
	/// The node has not got what was asked for.
	#[codec(index = 0)]
	NotServed,
	/// Those of the subtrees that it serves.
	#[codec(index = 1)]
	Status(BoundedVec<Served, ConstU32<MAX_STATUS_SUBTREES>>),
	/// Exactly as many heads as asked for, newest first.
	#[codec(index = 2)]
	Heads(BoundedVec<Head, ConstU32<MAX_HEADS>>),
	/// The node has too much to do, for this peer or for all. Nobody's fault: ask again in a moment, or another node.
	#[codec(index = 3)]
	Busy,
}

/// Where a range starts.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking)]
pub struct TrieCursor {
	/// The object whose trie it is.
	pub object: ObjectId,
	/// The root of that trie.
	pub root: StateRoot,
	/// The key after which the range starts; `None`: at the beginning.
	pub after: Option<TrieKey>,
}

/// A question of a follower.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking)]
pub enum SyncRequest {
	/// Ranges of one or more tries of one state.
	///
	/// The answer holds ranges in the order of `tries`. All but the last are complete. It ends early only when the range proofs
	/// together reach `max_bytes`: each range is made with what the encoded proofs before it left of `max_bytes`, as the least
	/// bytes of keys and values that an incomplete range holds.
	#[codec(index = 0)]
	Ranges {
		/// The subtree.
		subtree: ObjectId,
		/// Its registration.
		epoch: u64,
		/// The head to whose state the tries belong.
		seq: u64,
		/// From [`MIN_RANGE_BYTES`] to [`MAX_RANGE_BYTES`].
		max_bytes: u32,
		/// The tries, at least one.
		tries: BoundedVec<TrieCursor, ConstU32<MAX_RANGE_TRIES>>,
	},
	/// One batch and its head.
	#[codec(index = 1)]
	Batch {
		/// The subtree.
		subtree: ObjectId,
		/// Its registration.
		epoch: u64,
		/// The number of the head.
		seq: u64,
	},
}

/// Answers to [`SyncRequest`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking)]
pub enum SyncResponse {
	/// The node has not got what was asked for.
	#[codec(index = 0)]
	NotServed,
	/// Range proofs, see [`SyncRequest::Ranges`].
	#[codec(index = 1)]
	Ranges(Vec<RangeProof>),
	/// A head and the entries of its batch.
	#[codec(index = 2)]
	Batch(Box<Head>, Vec<BatchEntry>),
	/// The node has too much to do, for this peer or for all. Nobody's fault: ask again in a moment, or another node.
	#[codec(index = 3)]
	Busy,
}

/// A question of a reader.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking)]
pub enum XferRequest {
	/// A proof of the state at one head.
	#[codec(index = 0)]
	Proof {
		/// The subtree; the query's path starts at its root object.
		subtree: ObjectId,
		/// Its registration.
		epoch: u64,
		/// The head.
		seq: u64,
		/// The question.
		query: Query,
	},
}

/// Answers to [`XferRequest`].
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking)]
pub enum XferResponse {
	/// The node has not got what was asked for, or it does not fit into one proof.
	#[codec(index = 0)]
	NotServed,
	/// The proof.
	#[codec(index = 1)]
	Proof(Box<Proof>),
	/// The node has too much to do, for this peer or for all. Nobody's fault: ask again in a moment, or another node.
	#[codec(index = 2)]
	Busy,
}

/// A node has a new head. Only a hint where to ask: followers act on what the hub finalised.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking)]
pub struct HeadAnnouncement {
	/// What the node serves now.
	pub served: Served,
	/// Hash of the head.
	pub hash: H256,
}
