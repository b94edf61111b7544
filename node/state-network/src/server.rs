//! Answering requests from a local copy.
//!
//! [`Admission`] decides whether a request is worked on at all: cheap, in the task that receives requests. [`answer`] does the
//! work from a [`Source`]: it reads a database, so it belongs where blocking is allowed.
//!
//! # Properties
//!
//! - A peer has at most [`MAX_IN_FLIGHT_PER_PEER`] requests in work and gets at most [`PEER_BYTES_PER_SECOND`]; all together have
//!   at most [`MAX_IN_FLIGHT`]. A request beyond that is refused at once, never queued.
//! - An answer is never longer than its protocol allows nor than [`Protocol::max_answer_ratio`] times the request.

use crate::{
	peer::Peer,
	wire::{
		CtlRequest, CtlResponse, Protocol, Served, SyncRequest, SyncResponse, TrieCursor, Wire,
		WireError, XferRequest, XferResponse, MAX_HEADS, MAX_RANGE_BYTES, MIN_RANGE_BYTES,
	},
};
use codec::Encode;
use dstp_primitives::{
	batch::BatchEntry,
	head::Head,
	proof::{Proof, Query, RangeProof, TrieRange},
	ObjectId,
};
use std::collections::BTreeMap;

/// Most requests of one peer in work. A follower sends two at a time; the others are for readers.
pub const MAX_IN_FLIGHT_PER_PEER: u32 = 4;

/// Most requests in work: with answers of 2 MiB they take at most 64 MiB.
pub const MAX_IN_FLIGHT: u32 = 32;

/// What a peer gets at most, in bytes of answers per second, after a burst of ten seconds' worth.
pub const PEER_BYTES_PER_SECOND: i64 = 4 * 1024 * 1024;

/// What each request costs at least, so that tiny ones are bounded too: 1,024 a second.
const MIN_REQUEST_COST_BYTES: i64 = 4 * 1024;

const BURST_SECONDS: i64 = 10;

/// After this time any debt is paid and the burst is full again.
const MAX_ELAPSED_MS: i64 = 60_000;

/// Most peers whose rate is remembered. Those without work in hand are forgotten first.
pub const MAX_RATED_PEERS: usize = 512;

/// A local copy of subtrees, for reading. `None` everywhere: it is not here.
///
/// Implementations read from a consistent view and never block for long.
pub trait Source: Send + Sync {
	/// What is served of a subtree.
	fn served(&self, subtree: &ObjectId) -> Option<Served>;

	/// One head.
	fn head(&self, subtree: &ObjectId, epoch: u64, seq: u64) -> Option<Head>;

	/// One head and its batch.
	fn batch(&self, subtree: &ObjectId, epoch: u64, seq: u64) -> Option<(Head, Vec<BatchEntry>)>;

	/// The entries after a cursor, from [`prove_range`](dstp_primitives::proof::prove_range). The trie belongs to the state at
	/// head `seq`, which is a hint only: the root says it all.
	fn range(
		&self,
		subtree: &ObjectId,
		epoch: u64,
		seq: u64,
		cursor: &TrieCursor,
		max_bytes: usize,
	) -> Option<(RangeProof, TrieRange)>;

	/// A proof of the state at a head.
	fn proof(&self, subtree: &ObjectId, epoch: u64, seq: u64, query: Query) -> Option<Proof>;
}

/// Answers a request. Errors: the request is malformed, which costs the sender its score.
pub fn answer<S: Source + ?Sized>(
	source: &S,
	protocol: Protocol,
	request: &[u8],
) -> Result<Vec<u8>, WireError> {
	let limit = request
		.len()
		.saturating_mul(protocol.max_answer_ratio())
		.min(protocol.max_response_bytes());
	let (bytes, refusal) = match protocol {
		Protocol::Ctl => (
			ctl(source, CtlRequest::from_bytes(request)?).to_bytes(),
			CtlResponse::NotServed.to_bytes(),
		),
		Protocol::Sync => (
			sync(source, SyncRequest::from_bytes(request)?).to_bytes(),
			SyncResponse::NotServed.to_bytes(),
		),
		Protocol::Xfer => (
			xfer(source, XferRequest::from_bytes(request)?).to_bytes(),
			XferResponse::NotServed.to_bytes(),
		),
	};
	Ok(if bytes.len() <= limit { bytes } else { refusal })
}

fn ctl<S: Source + ?Sized>(source: &S, request: CtlRequest) -> CtlResponse {
	match request {
		CtlRequest::Status { subtrees } => {
			let served: Vec<_> =
				subtrees.iter().filter_map(|subtree| source.served(subtree)).collect();
			CtlResponse::Status(served.try_into().expect("at most as many as were asked for; qed"))
		},
		CtlRequest::Heads { subtree, epoch, last, count } => {
			if !(1..=MAX_HEADS).contains(&count) || last < u64::from(count) {
				return CtlResponse::NotServed;
			}
			let seqs = (last - u64::from(count) + 1..=last).rev();
			let heads: Option<Vec<_>> = seqs.map(|seq| source.head(&subtree, epoch, seq)).collect();
			heads
				.and_then(|heads| heads.try_into().ok())
				.map_or(CtlResponse::NotServed, CtlResponse::Heads)
		},
	}
}

fn sync<S: Source + ?Sized>(source: &S, request: SyncRequest) -> SyncResponse {
	match request {
		SyncRequest::Batch { subtree, epoch, seq } => {
			source.batch(&subtree, epoch, seq).map_or(SyncResponse::NotServed, |(head, entries)| {
				SyncResponse::Batch(Box::new(head), entries)
			})
		},
		SyncRequest::Ranges { subtree, epoch, seq, max_bytes, tries } => {
			if !(MIN_RANGE_BYTES..=MAX_RANGE_BYTES).contains(&max_bytes) {
				return SyncResponse::NotServed;
			}
			let read =
				|cursor: &TrieCursor, budget| source.range(&subtree, epoch, seq, cursor, budget);
			ranges(&tries, max_bytes as usize, read)
				.map_or(SyncResponse::NotServed, SyncResponse::Ranges)
		},
	}
}

/// Fills an answer as [`SyncRequest::Ranges`] demands. What lacks after the first range ends it with nothing at all, because a
/// shorter answer would look like a refusal to work.
fn ranges(
	tries: &[TrieCursor],
	max_bytes: usize,
	read: impl Fn(&TrieCursor, usize) -> Option<(RangeProof, TrieRange)>,
) -> Option<Vec<RangeProof>> {
	let mut proofs = Vec::with_capacity(tries.len());
	let mut used = 0;
	for cursor in tries {
		if used >= max_bytes {
			break;
		}
		let (proof, range) = read(cursor, max_bytes - used)?;
		used += proof.encoded_size();
		proofs.push(proof);
		if !range.complete {
			break;
		}
	}
	(!proofs.is_empty()).then_some(proofs)
}

fn xfer<S: Source + ?Sized>(source: &S, request: XferRequest) -> XferResponse {
	let XferRequest::Proof { subtree, epoch, seq, query } = request;
	let proof = source.proof(&subtree, epoch, seq, query);
	proof.map_or(XferResponse::NotServed, |proof| XferResponse::Proof(Box::new(proof)))
}

/// Why a request is not worked on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
	/// The request is longer than its protocol allows. Costs the sender its score.
	#[error("the request is longer than its protocol allows")]
	TooLong,
	/// The peer has too many requests in work.
	#[error("the peer has {MAX_IN_FLIGHT_PER_PEER} requests in work already")]
	PeerBusy,
	/// The peer got its share.
	#[error("the peer asked for more than {PEER_BYTES_PER_SECOND} bytes a second")]
	RateExceeded,
	/// The node has too many requests in work.
	#[error("the node has {MAX_IN_FLIGHT} requests in work already")]
	Busy,
}

struct Rate {
	in_flight: u32,
	/// Bytes that the peer may still get; below zero after a large answer.
	credit: i64,
	at_ms: u64,
}

/// Bounds the work for others, per peer and in total.
#[derive(Default)]
pub struct Admission {
	peers: BTreeMap<Peer, Rate>,
	in_flight: u32,
}

impl Admission {
	/// Asks to work on a request of `length` bytes. If granted, [`Self::done`] has to follow.
	pub fn admit(
		&mut self,
		peer: &Peer,
		protocol: Protocol,
		length: usize,
		now_ms: u64,
	) -> Result<(), Refusal> {
		if length > protocol.max_request_bytes() {
			return Err(Refusal::TooLong);
		}
		if self.in_flight >= MAX_IN_FLIGHT {
			return Err(Refusal::Busy);
		}
		self.make_room(peer);
		let full = PEER_BYTES_PER_SECOND * BURST_SECONDS;
		let fresh = Rate { in_flight: 0, credit: full, at_ms: now_ms };
		let rate = self.peers.entry(peer.clone()).or_insert(fresh);
		let elapsed_ms = i64::try_from(now_ms.saturating_sub(rate.at_ms))
			.unwrap_or(i64::MAX)
			.min(MAX_ELAPSED_MS);
		rate.credit = (rate.credit + elapsed_ms * PEER_BYTES_PER_SECOND / 1000).min(full);
		rate.at_ms = now_ms;
		if rate.in_flight >= MAX_IN_FLIGHT_PER_PEER {
			return Err(Refusal::PeerBusy);
		}
		if rate.credit < MIN_REQUEST_COST_BYTES {
			return Err(Refusal::RateExceeded);
		}
		rate.credit -= MIN_REQUEST_COST_BYTES;
		rate.in_flight += 1;
		self.in_flight += 1;
		Ok(())
	}

	/// Notes that a request was answered with `bytes` bytes, or dropped.
	pub fn done(&mut self, peer: &Peer, bytes: usize) {
		self.in_flight = self.in_flight.saturating_sub(1);
		if let Some(rate) = self.peers.get_mut(peer) {
			rate.in_flight = rate.in_flight.saturating_sub(1);
			rate.credit = rate.credit.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
		}
	}

	/// Requests in work.
	pub fn in_flight(&self) -> u32 {
		self.in_flight
	}

	/// Peers whose rate is remembered.
	pub fn rated_peers(&self) -> usize {
		self.peers.len()
	}

	fn make_room(&mut self, peer: &Peer) {
		if self.peers.contains_key(peer) || self.peers.len() < MAX_RATED_PEERS {
			return;
		}
		// At most MAX_IN_FLIGHT of them have work in hand. The one with the most credit loses least by being forgotten.
		let idle = self.peers.iter().filter(|(_, rate)| rate.in_flight == 0);
		let richest = idle.max_by_key(|(_, rate)| rate.credit).map(|(peer, _)| peer.clone());
		richest.and_then(|peer| self.peers.remove(&peer));
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn peer(number: u32) -> Peer {
		Peer::new(number.to_be_bytes()).expect("4 bytes are few; qed")
	}

	#[test]
	fn work_is_bounded_per_peer_and_in_total() {
		let mut admission = Admission::default();
		for _ in 0..MAX_IN_FLIGHT_PER_PEER {
			assert_eq!(admission.admit(&peer(0), Protocol::Sync, 100, 0), Ok(()));
		}
		assert_eq!(admission.admit(&peer(0), Protocol::Sync, 100, 0), Err(Refusal::PeerBusy));
		let others = MAX_IN_FLIGHT - MAX_IN_FLIGHT_PER_PEER;
		assert!(
			(1..=others).all(|number| admission.admit(&peer(number), Protocol::Ctl, 1, 0).is_ok())
		);
		assert_eq!(admission.admit(&peer(1000), Protocol::Ctl, 1, 0), Err(Refusal::Busy));
		admission.done(&peer(0), 0);
		assert_eq!(admission.admit(&peer(1000), Protocol::Ctl, 1, 0), Ok(()));
	}

	#[test]
	fn a_thousand_hostile_peers_leave_memory_flat() {
		let mut admission = Admission::default();
		for round in 0..20u64 {
			for number in 0..1000 {
				if admission.admit(&peer(number), Protocol::Sync, 60, round).is_ok() {
					admission.done(&peer(number), 2 * 1024 * 1024);
				}
			}
		}
		assert!(admission.rated_peers() <= MAX_RATED_PEERS);
		assert_eq!(admission.in_flight(), 0);
	}

	#[test]
	fn a_duplicate_flood_is_cut_off_by_its_bytes() {
		let mut admission = Admission::default();
		let mut served = 0i64;
		for ms in 0..10_000u64 {
			if admission.admit(&peer(1), Protocol::Sync, 60, ms).is_ok() {
				admission.done(&peer(1), 1024 * 1024);
				served += 1024 * 1024;
			}
		}
		assert!(served <= 2 * BURST_SECONDS * PEER_BYTES_PER_SECOND + 1024 * 1024, "{served}");
	}

	#[test]
	fn sixteen_mebibytes_on_ctl_are_refused() {
		let mut admission = Admission::default();
		assert_eq!(admission.admit(&peer(1), Protocol::Ctl, 16 << 20, 0), Err(Refusal::TooLong));
		assert_eq!(admission.rated_peers(), 0);
	}
}
