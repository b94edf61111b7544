//! Answering requests from a local copy.
//!
//! [`Admission`] decides whether a request is worked on at all: cheap, in the task that receives requests. [`answer`] does the
//! work from a [`Source`]: it reads a database, so it belongs where blocking is allowed.
//!
//! # Properties
//!
//! - A peer has at most [`MAX_IN_FLIGHT_PER_PEER`] requests, from their start until the transport has sent the answer or given it up,
//!   and gets at most [`PEER_BYTES_PER_SECOND`]. All together have at most [`MAX_WORKING`] in work, and answers of at most
//!   [`MAX_ANSWER_BYTES`], in the making or not sent yet. A request beyond that is refused at once, never queued: [`busy`] says so,
//!   unless the peer does not take even that.
//! - Who lets answers wait until the transport gives them up is refused for a minute, so that a few who never read cannot keep all
//!   others from being answered.
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

/// Most requests of one peer that are not done: in work, or their answers not sent yet. A follower sends two at a time; the others
/// are for readers.
pub const MAX_IN_FLIGHT_PER_PEER: u32 = 4;

/// Most requests in work at a time: so many reads of the database.
pub const MAX_WORKING: u32 = 32;

/// Most bytes of answers in memory: in the making, where the largest possible one counts, or with the transport, which keeps an
/// answer until the peer has taken it.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Most peers' refusals that are not sent yet: a peer that does not read them hears nothing any more.
const MAX_REFUSALS: u32 = 256;

/// The same of one peer.
const MAX_REFUSALS_PER_PEER: u32 = 8;

/// What an answer counts at least, for what is around it.
const MIN_ANSWER_BYTES: usize = 4 * 1024;

/// An answer that was not sent for so long was given up because the peer does not read. One that is lost sooner went with its
/// connection.
const STALLED_MS: u64 = 5_000;

/// What a peer has to pay for letting an answer wait: as much as it gets in a minute.
const STALL_COST_BYTES: i64 = 60 * PEER_BYTES_PER_SECOND;

/// What a peer gets at most, in bytes of answers per second, after a burst of ten seconds' worth.
pub const PEER_BYTES_PER_SECOND: i64 = 4 * 1024 * 1024;

/// What each request costs at least, so that tiny ones are bounded too: 1,024 a second.
const MIN_REQUEST_COST_BYTES: i64 = 4 * 1024;

const BURST_SECONDS: i64 = 10;

/// After this time any debt is paid and the burst is full again.
const MAX_ELAPSED_MS: i64 = 60_000;

/// Most peers whose rate is remembered, apart from those with a request that is not done.
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
	let limit = answer_limit(protocol, request.len());
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

/// The answer to a request that is refused, see [`Admission::refuse`].
pub fn busy(protocol: Protocol) -> Vec<u8> {
	match protocol {
		Protocol::Ctl => CtlResponse::Busy.to_bytes(),
		Protocol::Sync => SyncResponse::Busy.to_bytes(),
		Protocol::Xfer => XferResponse::Busy.to_bytes(),
	}
}

/// Most bytes of an answer to a request of `length` bytes.
fn answer_limit(protocol: Protocol, length: usize) -> usize {
	length.saturating_mul(protocol.max_answer_ratio()).min(protocol.max_response_bytes())
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
	/// The peer has too many requests that are not done.
	#[error("the peer has {MAX_IN_FLIGHT_PER_PEER} requests that are not done")]
	PeerBusy,
	/// The peer got its share.
	#[error("the peer asked for more than {PEER_BYTES_PER_SECOND} bytes a second, or does not take its answers")]
	RateExceeded,
	/// The node has too many requests in work, or too many answers to send.
	#[error("the node has {MAX_WORKING} requests in work or {MAX_ANSWER_BYTES} bytes of answers to send")]
	Busy,
}

/// The right to work on one request, or to refuse it, until the answer is sent. Give it back with [`Admission::release`].
#[must_use = "the peer stays busy until it is given back"]
#[derive(Debug)]
pub struct Permit {
	peer: Peer,
	/// What the answer counts; 0 for a refusal.
	bytes: usize,
	/// When the answer was made.
	answered_ms: Option<u64>,
}

struct Rate {
	in_flight: u32,
	refusals: u32,
	/// Bytes that the peer may still get; below zero after a large answer.
	credit: i64,
	at_ms: u64,
}

/// Bounds the work for others, per peer and in total.
#[derive(Default)]
pub struct Admission {
	peers: BTreeMap<Peer, Rate>,
	working: u32,
	answer_bytes: usize,
	refusals: u32,
}

impl Admission {
	/// Asks to work on a request of `length` bytes.
	pub fn admit(
		&mut self,
		peer: &Peer,
		protocol: Protocol,
		length: usize,
		now_ms: u64,
	) -> Result<Permit, Refusal> {
		if length > protocol.max_request_bytes() {
			return Err(Refusal::TooLong);
		}
		let bytes = answer_limit(protocol, length).max(MIN_ANSWER_BYTES);
		let full_up = self.working >= MAX_WORKING || self.answer_bytes + bytes > MAX_ANSWER_BYTES;
		self.make_room(peer);
		let full = PEER_BYTES_PER_SECOND * BURST_SECONDS;
		let fresh = Rate { in_flight: 0, refusals: 0, credit: full, at_ms: now_ms };
		let rate = self.peers.entry(peer.clone()).or_insert(fresh);
		let elapsed_ms = i64::try_from(now_ms.saturating_sub(rate.at_ms))
			.unwrap_or(i64::MAX)
			.min(MAX_ELAPSED_MS);
		rate.credit = (rate.credit + elapsed_ms * PEER_BYTES_PER_SECOND / 1000).min(full);
		rate.at_ms = now_ms;
		if full_up {
			return Err(Refusal::Busy);
		}
		if rate.in_flight >= MAX_IN_FLIGHT_PER_PEER {
			return Err(Refusal::PeerBusy);
		}
		if rate.credit < MIN_REQUEST_COST_BYTES {
			return Err(Refusal::RateExceeded);
		}
		rate.credit -= MIN_REQUEST_COST_BYTES;
		rate.in_flight += 1;
		self.working += 1;
		self.answer_bytes += bytes;
		Ok(Permit { peer: peer.clone(), bytes, answered_ms: None })
	}

	/// Asks to tell a peer that its request was refused; `None` if too many refusals wait to be sent.
	pub fn refuse(&mut self, peer: &Peer, now_ms: u64) -> Option<Permit> {
		let rate = self.peers.get_mut(peer)?;
		if self.refusals >= MAX_REFUSALS || rate.refusals >= MAX_REFUSALS_PER_PEER {
			return None;
		}
		self.refusals += 1;
		rate.refusals += 1;
		Some(Permit { peer: peer.clone(), bytes: 0, answered_ms: Some(now_ms) })
	}

	/// Notes that the work is done and gave an answer of `bytes` bytes, which goes to the transport now.
	pub fn answered(&mut self, permit: &mut Permit, bytes: usize, now_ms: u64) {
		if permit.answered_ms.replace(now_ms).is_some() {
			return;
		}
		self.working = self.working.saturating_sub(1);
		let counts = bytes.max(MIN_ANSWER_BYTES);
		self.answer_bytes = (self.answer_bytes + counts).saturating_sub(permit.bytes);
		permit.bytes = counts;
		if let Some(rate) = self.peers.get_mut(&permit.peer) {
			rate.credit = rate.credit.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
		}
	}

	/// Ends a request, however: its answer was sent (`taken`) or given up, or there is none.
	pub fn release(&mut self, permit: Permit, taken: bool, now_ms: u64) {
		if permit.answered_ms.is_none() {
			self.working = self.working.saturating_sub(1);
		}
		self.answer_bytes = self.answer_bytes.saturating_sub(permit.bytes);
		let refusal = u32::from(permit.bytes == 0);
		self.refusals = self.refusals.saturating_sub(refusal);
		let Some(rate) = self.peers.get_mut(&permit.peer) else { return };
		rate.refusals = rate.refusals.saturating_sub(refusal);
		rate.in_flight = rate.in_flight.saturating_sub(1 - refusal);
		let waited_ms = permit.answered_ms.map_or(0, |at| now_ms.saturating_sub(at));
		if !taken && waited_ms >= STALLED_MS {
			(rate.credit, rate.at_ms) = (rate.credit.min(-STALL_COST_BYTES), now_ms);
		}
	}

	/// Requests in work.
	pub fn working(&self) -> u32 {
		self.working
	}

	/// Bytes of answers in memory, see [`MAX_ANSWER_BYTES`].
	pub fn answer_bytes(&self) -> usize {
		self.answer_bytes
	}

	/// Peers whose rate is remembered.
	pub fn rated_peers(&self) -> usize {
		self.peers.len()
	}

	fn make_room(&mut self, peer: &Peer) {
		if self.peers.contains_key(peer) || self.peers.len() < MAX_RATED_PEERS {
			return;
		}
		// The one with the most credit loses least by being forgotten.
		let idle = self.peers.iter().filter(|(_, rate)| rate.in_flight == 0 && rate.refusals == 0);
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

	/// A request for a state of the usual length.
	fn ask(admission: &mut Admission, number: u32, ms: u64) -> Result<Permit, Refusal> {
		admission.admit(&peer(number), Protocol::Sync, 100, ms)
	}

	#[test]
	fn work_is_bounded_per_peer_and_in_total() {
		let mut admission = Admission::default();
		let mut permits: Vec<_> =
			(0..MAX_IN_FLIGHT_PER_PEER).map(|_| ask(&mut admission, 0, 0).unwrap()).collect();
		assert_eq!(ask(&mut admission, 0, 0).err(), Some(Refusal::PeerBusy));
		for number in 1..=MAX_WORKING - MAX_IN_FLIGHT_PER_PEER {
			permits.push(admission.admit(&peer(number), Protocol::Ctl, 1, 0).unwrap());
		}
		let more = |admission: &mut Admission| admission.admit(&peer(1000), Protocol::Ctl, 1, 0);
		assert_eq!(more(&mut admission).err(), Some(Refusal::Busy));
		admission.release(permits.pop().unwrap(), false, 0);
		permits.push(more(&mut admission).unwrap());
		for permit in permits {
			admission.release(permit, true, 0);
		}
		assert_eq!((admission.working(), admission.answer_bytes()), (0, 0));
	}

	#[test]
	fn an_answer_counts_until_it_is_sent() {
		let mut admission = Admission::default();
		let mut held = Vec::new();
		for number in 0.. {
			let Ok(mut permit) = ask(&mut admission, number, 0) else { break };
			admission.answered(&mut permit, 1024 * 1024, 0);
			held.push(permit);
		}
		assert_eq!(admission.working(), 0);
		// There is room for one in the making only if that may be the largest.
		assert_eq!(admission.answer_bytes(), MAX_ANSWER_BYTES - 1024 * 1024);
		assert_eq!(ask(&mut admission, 1000, 0).err(), Some(Refusal::Busy));
		let first = held.remove(0);
		admission.release(first, true, 0);
		assert!(ask(&mut admission, 1000, 0).is_ok());
		// A peer's own share counts in the same way.
		let mut admission = Admission::default();
		for _ in 0..MAX_IN_FLIGHT_PER_PEER {
			let mut permit = ask(&mut admission, 0, 0).unwrap();
			admission.answered(&mut permit, 10, 0);
			held.push(permit);
		}
		assert_eq!(ask(&mut admission, 0, 0).err(), Some(Refusal::PeerBusy));
		admission.release(held.pop().unwrap(), true, 0);
		assert!(ask(&mut admission, 0, 0).is_ok());
	}

	#[test]
	fn who_does_not_take_an_answer_is_refused_for_a_minute() {
		for (waited_ms, taken, refused) in
			[(15_000, false, true), (15_000, true, false), (STALLED_MS - 1, false, false)]
		{
			let mut admission = Admission::default();
			let mut permit = ask(&mut admission, 0, 0).unwrap();
			admission.answered(&mut permit, 10, 0);
			admission.release(permit, taken, waited_ms);
			let later = waited_ms + 30_000;
			let asked = ask(&mut admission, 0, later).err();
			assert_eq!(asked, refused.then_some(Refusal::RateExceeded), "{waited_ms} {taken}");
			assert!(ask(&mut admission, 0, later + 60_000).is_ok());
		}
	}

	#[test]
	fn a_peer_that_does_not_take_refusals_hears_nothing_any_more() {
		let mut admission = Admission::default();
		assert!(admission.refuse(&peer(0), 0).is_none(), "it did not ask");
		assert!(ask(&mut admission, 0, 0).is_ok());
		let mut told: Vec<_> = std::iter::from_fn(|| admission.refuse(&peer(0), 0)).collect();
		assert_eq!(told.len() as u32, MAX_REFUSALS_PER_PEER);
		admission.release(told.pop().unwrap(), true, 0);
		told.extend(admission.refuse(&peer(0), 0));
		assert!(admission.refuse(&peer(0), 0).is_none());
		for number in 1..100 {
			assert!(ask(&mut admission, number, 0).is_ok() == (number < MAX_WORKING));
			told.extend(std::iter::from_fn(|| admission.refuse(&peer(number), 0)));
		}
		assert_eq!(told.len() as u32, MAX_REFUSALS);
		for permit in told {
			admission.release(permit, false, STALLED_MS);
		}
		assert!(admission.refuse(&peer(0), 0).is_some());
	}

	#[test]
	fn a_thousand_hostile_peers_leave_memory_flat() {
		let mut admission = Admission::default();
		for round in 0..20u64 {
			for number in 0..1000 {
				if let Ok(mut permit) = ask(&mut admission, number, round) {
					admission.answered(&mut permit, 2 * 1024 * 1024, round);
					admission.release(permit, true, round);
				}
			}
		}
		assert!(admission.rated_peers() <= MAX_RATED_PEERS);
		assert_eq!((admission.working(), admission.answer_bytes()), (0, 0));
	}

	#[test]
	fn a_duplicate_flood_is_cut_off_by_its_bytes() {
		let mut admission = Admission::default();
		let mut served = 0i64;
		for ms in 0..10_000u64 {
			if let Ok(mut permit) = ask(&mut admission, 1, ms) {
				admission.answered(&mut permit, 1024 * 1024, ms);
				admission.release(permit, true, ms);
				served += 1024 * 1024;
			}
		}
		assert!(served <= 2 * BURST_SECONDS * PEER_BYTES_PER_SECOND + 1024 * 1024, "{served}");
	}

	#[test]
	fn sixteen_mebibytes_on_ctl_are_refused() {
		let mut admission = Admission::default();
		let asked = admission.admit(&peer(1), Protocol::Ctl, 16 << 20, 0);
		assert_eq!(asked.err(), Some(Refusal::TooLong));
		assert_eq!(admission.rated_peers(), 0);
	}
}
