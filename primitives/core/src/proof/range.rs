//! Contiguous pieces of one trie, for the transfer of a whole subtree.

use crate::{
	id::StateRoot,
	tree::StorageError,
	trie::{
		empty_nodes, empty_root, is_value, Blake2Hasher, Layout, NodeSet, NodeStore, Recording,
		TrieStorage,
	},
	ObjectId,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, Input};
use core::fmt;
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};
use sp_trie::{CompactProof, MemoryDB};

/// Most bytes of keys and values in one range; with its proof it fits into one message between nodes.
pub const MAX_RANGE_BYTES: usize = 1024 * 1024;

/// Most bytes of a range's encoded proof, refused before decoding.
const MAX_PROOF_BYTES: usize = 2 * MAX_RANGE_BYTES;

/// Most nodes of a range's proof. An entry brings at most a leaf, a value and a branch, and then takes 35 bytes or more; so the
/// longest range needs about 90,000.
const MAX_PROOF_NODES: usize = 128 * 1024;

/// Most bytes of a range's nodes in full: those entries need about 140 each.
const MAX_EXPANDED_BYTES: usize = 6 * MAX_RANGE_BYTES;

/// Nodes that prove a range, in Substrate's compact encoding (hashes that follow from the nodes themselves are left out).
#[derive(Clone, PartialEq, Eq, Debug, Encode, DecodeWithMemTracking, TypeInfo)]
pub struct RangeProof {
	/// Compact nodes in trie order.
	pub nodes: Vec<Vec<u8>>,
}

impl Decode for RangeProof {
	fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
		// A list of empty nodes would take 24 times its size in memory.
		let nodes = BoundedVec::<Vec<u8>, ConstU32<{ MAX_PROOF_NODES as u32 }>>::decode(input)?;
		Ok(Self { nodes: nodes.into_inner() })
	}
}

/// Entries of one trie in key order, proven to be all from a key on up to the last one listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrieRange {
	/// Keys and values with their tags.
	pub entries: Vec<(Vec<u8>, Vec<u8>)>,
	/// Whether nothing follows.
	pub complete: bool,
}

/// Why a range could not be made or does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RangeError {
	/// The proof is larger than allowed.
	TooLarge,
	/// The nodes do not decode to the trie with this root, are not canonical, or some are superfluous.
	BadProof,
	/// The nodes do not cover what they claim to, or the prover lacks a node.
	Storage(StorageError),
	/// A value has no tag.
	UntaggedValue,
	/// The range has no entry though the trie goes on.
	Empty,
}

impl fmt::Display for RangeError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::TooLarge => f.write_str("the range is larger than allowed"),
			Self::BadProof => {
				f.write_str("the nodes of the range do not belong to the expected root")
			},
			Self::Storage(error) => fmt::Display::fmt(error, f),
			Self::UntaggedValue => f.write_str("the range holds a value without a tag"),
			Self::Empty => f.write_str("the range holds no entry"),
		}
	}
}

impl core::error::Error for RangeError {}

/// Proves the entries after `after` (`None`: from the start) of the trie with `root`, at least one and at most about
/// `max_bytes` of keys and values.
pub fn prove_range<N: NodeStore>(
	store: &N,
	root: StateRoot,
	after: Option<&[u8]>,
	max_bytes: usize,
) -> Result<(RangeProof, TrieRange), RangeError> {
	let budget = max_bytes.min(MAX_RANGE_BYTES);
	let mut storage = TrieStorage::new(ObjectId::ROOT, root, store);
	storage.record(Recording::keeping());
	let range = collect(&storage, after, budget)?;
	let nodes = NodeSet::from_trusted(storage.record(Recording::Off).into_nodes());
	Ok((RangeProof { nodes: compact(nodes, root)? }, range))
}

/// Checks a range and gives its entries. It ends where the proof ends, or at [`MAX_RANGE_BYTES`]; the prover cannot leave out an
/// entry before that. It may hold more entries than the prover listed.
pub fn check_range(
	proof: RangeProof,
	root: StateRoot,
	after: Option<&[u8]>,
) -> Result<TrieRange, RangeError> {
	let bytes = proof.nodes.iter().fold(0usize, |sum, node| sum.saturating_add(node.len()));
	if proof.nodes.len() > MAX_PROOF_NODES || bytes > MAX_PROOF_BYTES {
		return Err(RangeError::TooLarge);
	}
	let nodes = expand(proof, root)?;
	let mut storage = TrieStorage::new(ObjectId::ROOT, root, &nodes);
	storage.record(Recording::counting());
	let range = collect_proven(&storage, after)?;
	let minimal = storage.recorded().0 == nodes.hashes().len();
	minimal.then_some(range).ok_or(RangeError::BadProof)
}

/// Reads entries of `max_bytes` or a little more.
fn collect<N: NodeStore>(
	storage: &TrieStorage<N>,
	after: Option<&[u8]>,
	max_bytes: usize,
) -> Result<TrieRange, RangeError> {
	let mut entries = Vec::new();
	let mut bytes = 0usize;
	let complete = storage.visit_entries(&ObjectId::ROOT, after, |key, value| {
		push(&mut entries, &mut bytes, max_bytes, key, value)
	});
	Ok(TrieRange { complete: complete.map_err(RangeError::Storage)?, entries })
}

/// Reads entries until the proof ends: the first node or value that is not there ends the range.
///
/// Equal nodes and values stand in a proof once, so that a few of them may stand for very many entries. Therefore the range ends
/// where the longest one that a prover may list ends.
fn collect_proven<N: NodeStore>(
	storage: &TrieStorage<N>,
	after: Option<&[u8]>,
) -> Result<TrieRange, RangeError> {
	let mut entries = Vec::new();
	let mut bytes = 0usize;
	let walk = storage.visit_entries(&ObjectId::ROOT, after, |key, value| {
		push(&mut entries, &mut bytes, MAX_RANGE_BYTES, key, value)
	});
	let complete = match walk {
		Ok(complete) => complete,
		Err(StorageError::MissingNode(_)) => false,
		Err(error) => return Err(RangeError::Storage(error)),
	};
	if entries.iter().any(|(_, value)| !is_value(value)) {
		return Err(RangeError::UntaggedValue);
	}
	if entries.is_empty() && !complete {
		return Err(RangeError::Empty);
	}
	Ok(TrieRange { entries, complete })
}

/// Takes an entry unless there are `max_bytes` already, and at least one.
fn push(
	entries: &mut Vec<(Vec<u8>, Vec<u8>)>,
	bytes: &mut usize,
	max_bytes: usize,
	key: Vec<u8>,
	value: Vec<u8>,
) -> bool {
	if !entries.is_empty() && *bytes >= max_bytes {
		return false;
	}
	*bytes = bytes.saturating_add(key.len()).saturating_add(value.len());
	entries.push((key, value));
	true
}

fn compact(nodes: NodeSet, root: StateRoot) -> Result<Vec<Vec<u8>>, RangeError> {
	if root == empty_root() {
		return Ok(Vec::new());
	}
	let db = memory_db(nodes.into_nodes());
	sp_trie::encode_compact::<Layout, _>(&db, &root)
		.map(|proof| proof.encoded_nodes)
		.map_err(|_| RangeError::BadProof)
}

fn expand(proof: RangeProof, root: StateRoot) -> Result<NodeSet, RangeError> {
	if root == empty_root() {
		return proof.nodes.is_empty().then(NodeSet::default).ok_or(RangeError::BadProof);
	}
	let mut db = empty_nodes();
	let proof = CompactProof { encoded_nodes: proof.nodes };
	sp_trie::decode_compact::<Layout, _, _>(&mut db, proof.iter_compact_encoded_nodes(), &root)
		.map_err(|_| RangeError::BadProof)?;
	let mut nodes: Vec<_> = db.drain().into_iter().filter(|(_, (_, count))| *count > 0).collect();
	nodes.sort_unstable_by_key(|(hash, _)| *hash);
	let nodes = nodes
		.into_iter()
		.map(|(_, (bytes, _))| bytes)
		.filter(|bytes| is_value(bytes) || bytes.len() > 1);
	NodeSet::check(nodes.collect(), MAX_PROOF_NODES, MAX_EXPANDED_BYTES)
		.map_err(|_| RangeError::BadProof)
}

fn memory_db(nodes: Vec<Vec<u8>>) -> MemoryDB<Blake2Hasher> {
	let mut db = empty_nodes();
	for node in nodes {
		hash_db::HashDB::insert(&mut db, hash_db::EMPTY_PREFIX, &node);
	}
	db
}
