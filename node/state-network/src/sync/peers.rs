//! The nodes that a follower knows, and whom to ask next.

use super::{GONE_MS, STUCK_MS};
use crate::{peer::Peer, score::Scores};
use rand::{rngs::StdRng, Rng};
use std::collections::BTreeMap;

/// Most nodes that one follower remembers.
pub const MAX_PEERS: usize = 64;

/// Most requests to one peer at a time, below what a server accepts from one. Those of several followers in a node together may be
/// more: then the server says that it is busy.
pub const MAX_IN_FLIGHT_PER_PEER: u32 = 2;

/// Most transfers at a time to peers that proved useful and fast, and as many again to all others: slow strangers can take
/// their own places only.
pub const MAX_IN_FLIGHT_PER_CLASS: u32 = 8;

/// How long a peer is not asked again for a state that it said it lacks.
const LACKS_RANGES_MS: u64 = 15_000;

/// The same for batches, which come to a peer that follows the same subtree within seconds.
const LACKS_BATCHES_MS: u64 = 5_000;

/// First pause after an answer that did not come; doubles with each further one, up to 16 seconds: a provider that was away is used
/// again that soon, and a full table of dead ones costs four attempts a second.
const BACKOFF_MS: u64 = 500;
const MAX_BACKOFF_DOUBLINGS: u32 = 5;

/// Pause after a provider said that it is busy. It costs nothing else, so that an honest one is not blamed for having much to do; one
/// that never has time is as good as silent.
const BUSY_MS: u64 = 500;

/// A peer this many times slower than the fastest counts as slow, unless it is faster than [`FAST_MS`].
const SLOW_FACTOR: u64 = 4;
const FAST_MS: u64 = 1_000;

/// What a peer is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Need {
	Ranges,
	Batches,
}

/// What is known of a peer. Times in milliseconds of the follower's clock.
#[derive(Clone, Default, Debug)]
pub(super) struct PeerState {
	/// The newest head that it says it serves; `None` until it says so.
	pub serving: Option<u64>,
	/// Whether it was reached and not lost since.
	pub connected: bool,
	/// Requests without an answer yet.
	pub in_flight: u32,
	/// Answers in a row that did not come.
	failures: u32,
	/// Not asked before.
	pub pause_until: u64,
	lacks_ranges_until: u64,
	lacks_batches_until: u64,
	/// When it said so last.
	denied_ms: Option<u64>,
	/// When it was first asked for something after the last that was of use to the follower, whoever gave that.
	asked_ms: Option<u64>,
	/// Smoothed time of useful answers; 0 before the first.
	answer_ms: u64,
}

impl PeerState {
	/// It has something new.
	pub fn forget_lacks(&mut self) {
		self.lacks_ranges_until = 0;
		self.lacks_batches_until = 0;
	}

	fn lacks(&self, need: Need, now: u64) -> bool {
		let until = match need {
			Need::Ranges => self.lacks_ranges_until,
			Need::Batches => self.lacks_batches_until,
		};
		until > now
	}
}

pub(super) struct Peers {
	known: BTreeMap<Peer, PeerState>,
	scores: Scores,
}

impl Peers {
	pub fn new(scores: Scores) -> Self {
		Self { known: BTreeMap::new(), scores }
	}

	pub fn scores(&self) -> &Scores {
		&self.scores
	}

	pub fn len(&self) -> usize {
		self.known.len()
	}

	pub fn get_mut(&mut self, peer: &Peer) -> Option<&mut PeerState> {
		self.known.get_mut(peer)
	}

	pub fn serving(&self) -> usize {
		self.known.values().filter(|state| state.connected && state.serving.is_some()).count()
	}

	/// Remembers a node unless it is banned or the table is full of better ones.
	pub fn insert(&mut self, peer: &Peer, now: u64, unix_ms: u64) -> Option<&mut PeerState> {
		if self.scores.lock().is_banned(peer, unix_ms) {
			return None;
		}
		if !self.known.contains_key(peer) && self.known.len() >= MAX_PEERS {
			let worst = self.known.iter().filter(|(_, state)| Self::replaceable(state, now));
			let worst = worst
				.max_by_key(|(_, state)| (state.serving.is_none(), state.failures))
				.map(|(peer, _)| peer.clone())?;
			self.known.remove(&worst);
		}
		Some(self.known.entry(peer.clone()).or_default())
	}

	/// Whoever never helped makes room for others once it failed or has nothing.
	fn replaceable(state: &PeerState, now: u64) -> bool {
		let idle = state.in_flight == 0;
		let useless =
			state.serving.is_none() || state.failures > 0 || state.lacks(Need::Ranges, now);
		idle && useless && (state.answer_ms == 0 || state.failures > 4)
	}

	pub fn remove(&mut self, peer: &Peer) {
		self.known.remove(peer);
	}

	/// Peers to ask what they serve.
	pub fn to_greet(&self, now: u64, limit: usize) -> Vec<Peer> {
		let waiting = self.known.iter().filter(|(_, state)| {
			(state.serving.is_none() || !state.connected)
				&& state.in_flight == 0
				&& state.pause_until <= now
		});
		waiting.take(limit).map(|(peer, _)| peer.clone()).collect()
	}

	/// The best peer for a transfer now.
	pub fn pick(&self, need: Need, now: u64, unix_ms: u64, rng: &mut StdRng) -> Option<Peer> {
		let scores = self.scores.lock();
		let fastest = self
			.known
			.values()
			.map(|state| state.answer_ms)
			.filter(|ms| *ms > 0)
			.min()
			.unwrap_or(0);
		let limit = (fastest * SLOW_FACTOR).max(FAST_MS);
		let proven =
			|state: &PeerState| (1..=limit).contains(&state.answer_ms) && state.failures == 0;
		let mut busy = [0u32; 2];
		for state in self.known.values() {
			busy[usize::from(proven(state))] += state.in_flight;
		}
		let able = self.known.iter().filter(|(peer, state)| {
			state.connected
				&& state.serving.is_some()
				&& state.in_flight < MAX_IN_FLIGHT_PER_PEER
				&& state.pause_until <= now
				&& !state.lacks(need, now)
				&& busy[usize::from(proven(state))] < MAX_IN_FLIGHT_PER_CLASS
				&& !scores.is_banned(peer, unix_ms)
		});
		able.min_by_key(|(peer, state)| {
			(
				!proven(state),
				scores.points(peer, unix_ms) < 0,
				state.in_flight,
				state.failures,
				rng.gen::<u32>(),
			)
		})
		.map(|(peer, _)| peer.clone())
	}

	/// Whether there are providers, and every one says that it has not got what is needed.
	pub fn all_lack(&self, need: Need, now: u64) -> bool {
		let mut providers = self
			.known
			.values()
			.filter(|state| state.connected && state.serving.is_some())
			.peekable();
		providers.peek().is_some() && providers.all(|state| state.lacks(need, now))
	}

	/// Whether there is no help: since `since` nothing of use came, one of the providers says that it has not got what is needed, and
	/// each of the others says so too or was asked and gave nothing for [`GONE_MS`]. So neither silence nor announcements keep a
	/// follower waiting, and silence alone, as when the own network is down, proves nothing. Those who were not asked within
	/// [`STUCK_MS`] are not waited for: there may always be new ones.
	pub fn nobody_helps(&self, need: Need, since: u64, now: u64) -> bool {
		let providers =
			self.known.values().filter(|state| state.connected && state.serving.is_some());
		let mut denied = false;
		for state in providers {
			let asked = state.asked_ms.filter(|at| *at >= since).unwrap_or(u64::MAX);
			let silent = asked.min(since.saturating_add(STUCK_MS)).saturating_add(GONE_MS) <= now;
			if !silent && !state.lacks(need, now) {
				return false;
			}
			denied |= state.denied_ms.is_some_and(|at| at >= since);
		}
		denied
	}

	/// A new state is wanted: what peers lacked and left unanswered says nothing of it.
	pub fn forget_lacks(&mut self) {
		for state in self.known.values_mut() {
			state.forget_lacks();
			(state.denied_ms, state.asked_ms) = (None, None);
		}
	}

	/// A peer is asked for something by a follower to which nothing of use came since `since`.
	pub fn note_asked(&mut self, peer: &Peer, since: u64, now: u64) {
		if let Some(state) = self.known.get_mut(peer) {
			state.asked_ms = state.asked_ms.filter(|at| *at >= since).or(Some(now));
		}
	}

	pub fn note_lacks(&mut self, peer: &Peer, need: Need, now: u64) {
		if let Some(state) = self.known.get_mut(peer) {
			state.denied_ms = Some(now);
			match need {
				Need::Ranges => state.lacks_ranges_until = now + LACKS_RANGES_MS,
				Need::Batches => state.lacks_batches_until = now + LACKS_BATCHES_MS,
			}
		}
	}

	pub fn note_useful(&mut self, peer: &Peer, took_ms: u64) {
		if let Some(state) = self.known.get_mut(peer) {
			state.failures = 0;
			let took = took_ms.max(1);
			state.answer_ms =
				if state.answer_ms == 0 { took } else { (3 * state.answer_ms + took).div_ceil(4) };
		}
	}

	pub fn note_failure(&mut self, peer: &Peer, now: u64) {
		if let Some(state) = self.known.get_mut(peer) {
			state.pause_until = now + (BACKOFF_MS << state.failures.min(MAX_BACKOFF_DOUBLINGS));
			state.failures = state.failures.saturating_add(1);
		}
	}

	pub fn note_busy(&mut self, peer: &Peer, now: u64) {
		if let Some(state) = self.known.get_mut(peer) {
			state.pause_until = state.pause_until.max(now + BUSY_MS);
		}
	}

	pub fn release(&mut self, peer: &Peer) {
		if let Some(state) = self.known.get_mut(peer) {
			state.in_flight = state.in_flight.saturating_sub(1);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const SINCE: u64 = 1_000_000;

	fn peer(number: u8) -> Peer {
		Peer::new([number]).expect("one byte is short; qed")
	}

	/// Two connected providers.
	fn two() -> Peers {
		let mut peers = Peers::new(Scores::default());
		for number in 0..2 {
			let state = peers.insert(&peer(number), 0, 0).unwrap();
			(state.connected, state.serving) = (true, Some(9));
		}
		peers
	}

	fn helpless(peers: &Peers, now: u64) -> bool {
		peers.nobody_helps(Need::Batches, SINCE, now)
	}

	#[test]
	fn who_is_silent_is_waited_for_from_the_first_question_on() {
		let mut peers = two();
		peers.note_asked(&peer(1), SINCE, SINCE + 10);
		// Asking again does not give it more time.
		peers.note_asked(&peer(1), SINCE, SINCE + 1000);
		let end = SINCE + 10 + GONE_MS;
		peers.note_lacks(&peer(0), Need::Batches, end - 1);
		assert!(!helpless(&peers, end - 1));
		assert!(helpless(&peers, end));
		// What it was asked before something of use came does not count.
		assert!(!peers.nobody_helps(Need::Batches, SINCE + 20, end));
		peers.note_asked(&peer(1), SINCE + 20, end);
		assert!(!peers.nobody_helps(Need::Batches, SINCE + 20, end + 10));
	}

	#[test]
	fn who_was_not_asked_is_waited_for_but_not_for_ever() {
		let mut peers = two();
		let end = SINCE + STUCK_MS + GONE_MS;
		peers.note_lacks(&peer(0), Need::Batches, end - 1);
		assert!(!helpless(&peers, end - 1));
		assert!(helpless(&peers, end));
	}

	#[test]
	fn silence_and_old_denials_prove_nothing() {
		let mut peers = two();
		peers.note_lacks(&peer(0), Need::Batches, SINCE - 1);
		for number in 0..2 {
			peers.note_asked(&peer(number), SINCE, SINCE);
		}
		assert!(!helpless(&peers, SINCE + 10 * STUCK_MS));
		peers.note_lacks(&peer(0), Need::Batches, SINCE + 1);
		assert!(helpless(&peers, SINCE + 10 * STUCK_MS));
		// The word of one who went away does not count.
		peers.get_mut(&peer(0)).unwrap().connected = false;
		assert!(!helpless(&peers, SINCE + 10 * STUCK_MS));
	}
}
