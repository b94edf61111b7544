//! Proofs of state: made from any copy, checked against a root that the reader trusts.
//!
//! A [`Proof`] is a [`Query`] and the trie nodes that answering it reads. Prover and verifier run the same function, [`read`]:
//! the prover over its database, noting the nodes; the verifier over the nodes alone. So a proof is complete exactly if the
//! reading succeeds and minimal exactly if every node was read. A path may lead through several namespaces, from the global
//! root through the head of a remote subtree into its inside.
//!
//! # Trust model
//!
//! The reader trusts the root and its position (the object whose root it is), nothing else. Only [`Proof::check`] makes a
//! [`Proven`], and only that gives access to values.

mod query;
mod range;
#[cfg(test)]
mod tests;

pub use query::{
	read, Answer, Hop, ObjectAnswer, PageAnswer, PageKind, PageQuery, Query, ReadError,
	MAX_QUERY_KEYS,
};
pub use range::{check_range, prove_range, RangeError, RangeProof, TrieRange, MAX_RANGE_BYTES};

use crate::{
	id::{ObjectId, StateRoot},
	trie::{NodeSet, NodeSetError, NodeStore, Recording},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeLimit, DecodeWithMemTracking, Encode, Input};
use core::fmt;
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

/// The version that every [`Proof`] carries.
pub const PROOF_VERSION: u8 = 1;

/// Most nodes in a proof: a page of 1000 entries whose values stand outside their nodes needs about 2300, and 256 such fields far
/// apart as many again.
pub const MAX_PROOF_NODES: usize = 8192;

/// Most bytes of nodes in a proof, which keeps it within one message between nodes.
pub const MAX_PROOF_BYTES: usize = 2 * 1024 * 1024;

/// Deepest nesting of an encoded proof; today's need 6.
const MAX_PROOF_DEPTH: u32 = 12;

/// A root that the reader trusts and the object that it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct TrustedRoot {
	/// The object where paths start.
	pub object: ObjectId,
	/// Its StateRoot.
	pub root: StateRoot,
}

impl TrustedRoot {
	/// The global root, from a header that the reader trusts.
	pub fn global(root: StateRoot) -> Self {
		Self { object: ObjectId::ROOT, root }
	}
}

/// A question about the state and the trie nodes that answer it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, DecodeWithMemTracking, TypeInfo)]
pub struct Proof {
	/// [`PROOF_VERSION`].
	pub version: u8,
	/// The question.
	pub query: Query,
	/// The nodes and large values that [`read`] visits, strictly ascending by blake2-256, all canonical.
	pub nodes: Vec<Vec<u8>>,
}

impl Decode for Proof {
	fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
		let (version, query) = Decode::decode(input)?;
		// A list of empty nodes would take 24 times its size in memory.
		let nodes = BoundedVec::<Vec<u8>, ConstU32<{ MAX_PROOF_NODES as u32 }>>::decode(input)?;
		Ok(Self { version, query, nodes: nodes.into_inner() })
	}
}

/// What a checked proof says. There is no other way to make one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
	query: Query,
	answer: Answer,
}

impl Proven {
	/// The question.
	pub fn query(&self) -> &Query {
		&self.query
	}

	/// The answer.
	pub fn answer(&self) -> &Answer {
		&self.answer
	}
}

/// Why a proof could not be made or does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProofError {
	/// The bytes are not a SCALE-encoded proof of this version.
	Malformed,
	/// The nodes are too many, out of order, or not canonical.
	Nodes(NodeSetError),
	/// Some of the nodes are superfluous.
	UnusedNodes,
	/// The proof answers another question than the reader's.
	OtherQuestion,
	/// The nodes do not answer the question, or the question is not allowed.
	Read(ReadError),
	/// The answer does not fit into one proof. Ask for fewer fields or a shorter page.
	TooLarge,
}

impl fmt::Display for ProofError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Malformed => f.write_str("the bytes are not a SCALE-encoded proof of version 1"),
			Self::Nodes(error) => fmt::Display::fmt(error, f),
			Self::UnusedNodes => f.write_str("the proof has superfluous nodes"),
			Self::OtherQuestion => f.write_str(
				"the proof answers another question than the one asked: other path, keys or page",
			),
			Self::Read(error) => fmt::Display::fmt(error, f),
			Self::TooLarge => f.write_str(
				"the answer does not fit into one proof; ask for fewer fields or a shorter page",
			),
		}
	}
}

impl core::error::Error for ProofError {}

impl Proof {
	/// Answers `query` from `store` and collects the nodes that prove it.
	pub fn make<N: NodeStore>(
		from: TrustedRoot,
		store: &N,
		query: Query,
	) -> Result<(Self, Answer), ProofError> {
		let (answer, recording) =
			read(from, store, &query, Recording::keeping()).map_err(ProofError::Read)?;
		let (count, bytes) = recording.size();
		if count > MAX_PROOF_NODES || bytes > MAX_PROOF_BYTES as u64 {
			return Err(ProofError::TooLarge);
		}
		Ok((Self { version: PROOF_VERSION, query, nodes: recording.into_nodes() }, answer))
	}

	/// Reads a proof from untrusted bytes.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
		// The nodes, their lengths, and a query of the largest size.
		const MAX_ENCODED: usize = MAX_PROOF_BYTES + 4 * MAX_PROOF_NODES + 64 * 1024;
		if bytes.len() > MAX_ENCODED {
			return Err(ProofError::TooLarge);
		}
		let proof = Self::decode_all_with_depth_limit(MAX_PROOF_DEPTH, &mut &bytes[..]);
		proof.ok().filter(|proof| proof.version == PROOF_VERSION).ok_or(ProofError::Malformed)
	}

	/// Checks that the proof answers `question` and no other, and then as [`Self::check`].
	///
	/// For a reader who asked: the prover chooses what a proof answers, and a true answer to another question misleads.
	///
	/// # Errors
	///
	/// [`ProofError::OtherQuestion`], and those of [`Self::check`].
	pub fn check_answers(self, question: &Query, from: TrustedRoot) -> Result<Proven, ProofError> {
		if self.query != *question {
			return Err(ProofError::OtherQuestion);
		}
		self.check(from)
	}

	/// Checks the proof against a root that the reader trusts. What it answers stands in [`Proven::query`]; a reader who has a
	/// question of his own takes [`Self::check_answers`].
	pub fn check(self, from: TrustedRoot) -> Result<Proven, ProofError> {
		if self.version != PROOF_VERSION {
			return Err(ProofError::Malformed);
		}
		let nodes = NodeSet::check(self.nodes, MAX_PROOF_NODES, MAX_PROOF_BYTES)
			.map_err(ProofError::Nodes)?;
		let (answer, seen) =
			read(from, &nodes, &self.query, Recording::counting()).map_err(ProofError::Read)?;
		if seen.size().0 != nodes.hashes().len() {
			return Err(ProofError::UnusedNodes);
		}
		Ok(Proven { query: self.query, answer })
	}
}
