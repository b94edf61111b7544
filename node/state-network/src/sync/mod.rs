//! Following a subtree.
//!
//! ```text
//!            hub's finalised head                     everything stored
//!   Idle ---------------------------> Copying ----------------------------> Following
//!                                       ^  ^                                   |
//!        nobody has the state any more  |__|                                   |
//!                                       |______________________________________|
//!                       too far behind, not an ancestor, nobody has the batches
//! ```
//!
//! A [`Follower`] copies the whole state of a finalised head in ranges, resumes after a restart, and then follows batch by batch.
//! Inputs are methods; each leaves [`Action`]s, which the owner takes with [`Follower::take_actions`] and carries out. Verified
//! data goes to the [`Target`] within the call, so nothing is asked for that the store has no room for.
//!
//! # Properties
//!
//! - Nothing reaches the target that was not checked against a head that the hub finalised.
//! - Every request has a time limit of its own. An answer after it, a second one, or one to no question is ignored.
//! - Only a provably wrong answer counts as [`Outcome::Invalid`].
//! - Memory is bounded, however large the subtree and however many peers: see [`Usage`].

mod batches;
mod follow;
mod peers;
mod ranges;
mod target;
mod verify;

pub use batches::{KEPT_HEADS, MAX_HEAD_GAP};
pub use peers::{MAX_IN_FLIGHT_PER_CLASS, MAX_IN_FLIGHT_PER_PEER, MAX_PEERS};
pub use ranges::MAX_TRIES;
pub use target::{ApplyError, Frame, Job, Resume, Target, TrieEntry, VerifiedRange};
pub use verify::{check_proof, Fault, Followed};

use crate::{
	peer::Peer,
	score::{Scores, Verdict},
	wire::{CtlRequest, HeadAnnouncement, Protocol, Wire},
};
use batches::Batches;
use dstp_primitives::head::HeadState;
use peers::Peers;
use rand::{rngs::StdRng, SeedableRng};
use ranges::Ranges;
use std::collections::BTreeMap;

/// Batches fetched ahead of their turn; at most 1 MiB each.
pub const PREFETCHED_BATCHES: u64 = 4;

/// Most greetings at a time, so that a flood of false providers costs little.
const MAX_GREETINGS: usize = 4;

/// Least time between two connections to a peer.
const RECONNECT_MS: u64 = 250;

/// How long a peer that serves nothing here is left alone.
const NOT_SERVING_MS: u64 = 60_000;

/// With fewer providers than this, more are looked for.
const WANTED_PROVIDERS: usize = 3;
const SEARCH_MS: u64 = 10_000;
const SEARCH_MORE_MS: u64 = 60_000;

/// Pause after the store refused.
const STORAGE_PAUSE_MS: u64 = 5_000;

/// How long a follower that lies further behind than heads are kept looks for a provider that has its batches, or the state that it
/// copies, all the same, before it copies anew: longer than a search for providers takes, so that the first one, which may lie, does
/// not decide alone. A provider that was asked and gave nothing of use for so long is not waited for.
const GONE_MS: u64 = 15_000;

/// After this time without a batch, when no provider helps (they say that they have not got it, or nothing), the state is copied
/// again. Not sooner: a copy throws away what is here, and those who are connected now may be liars. See [`GONE_MS`] for a copy
/// that lies more than [`KEPT_HEADS`] behind.
const STUCK_MS: u64 = 60_000;

/// After this time without a range, when no provider helps (they say that they have not got the state any more, or nothing), a copy
/// that holds something already starts again at the newest head. Long enough for a provider that was lost to come back. See
/// [`GONE_MS`] for a copy of a head that lies more than [`KEPT_HEADS`] behind.
const COPY_STUCK_MS: u64 = 30_000;

/// The time. Both in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
	/// Never falls; starts anywhere.
	pub ms: u64,
	/// Since 1970, for scores that outlive the process.
	pub unix_ms: u64,
}

/// The number of a request, unique within a follower.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct RequestId(pub u64);

/// What an answer was worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
	/// Provably wrong. The only one that leads to a ban.
	Invalid,
	/// It holds and was used.
	Complete,
	/// It neither helps nor proves anything: a refusal, a lost connection, or none in time.
	Ambiguous,
	/// It answers no open question.
	Ignored,
}

/// Why a request ended without an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
	/// The peer refused without a word, or it does not speak the protocol. An answer that is longer than the protocol allows ends so
	/// too: not every transport says why it cuts one off. So it costs as much as a late one.
	Refused,
	/// There was no connection and none was asked for: the transport closes idle ones. Nobody's fault.
	NotConnected,
	/// The connection was lost or never came up.
	Unreachable,
	/// The transport's own time limit.
	TimedOut,
}

/// What the owner has to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
	/// Send a request, and report its end with [`Follower::on_response`] or [`Follower::on_failure`].
	Request {
		/// Its number.
		id: RequestId,
		/// To whom.
		peer: Peer,
		/// Over which protocol.
		protocol: Protocol,
		/// The encoded request.
		payload: Vec<u8>,
		/// The answer is ignored after this time.
		timeout_ms: u64,
		/// Whether to connect first. At most one request to a peer that is not connected is out at a time.
		connect: bool,
	},
	/// Look for providers of the subtree, and report them with [`Follower::on_providers`].
	FindProviders,
	/// An answer was judged; for logs, metrics and the transport's own reputation.
	Report {
		/// Whose.
		peer: Peer,
		/// How it was.
		outcome: Outcome,
		/// What is wrong with it, if it is.
		fault: Option<Fault>,
	},
	/// Close the connection: the peer is banned.
	Disconnect(Peer),
	/// The copy stands on the newest head that the hub finalised. Announce it, and that this node serves the subtree.
	Synced(HeadState),
	/// Nothing goes on until the hub shows another epoch or era: what it finalised cannot be executed here.
	Halted(String),
}

/// Counters since the start, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
	/// Requests sent.
	pub requests: u64,
	/// Bytes of answers that were used.
	pub bytes: u64,
	/// Ranges stored.
	pub ranges: u64,
	/// Tries completed.
	pub objects: u64,
	/// Entries stored.
	pub entries: u64,
	/// Batches applied.
	pub batches: u64,
	/// Calls in them.
	pub calls: u64,
	/// Provably wrong answers.
	pub invalid: u64,
	/// Requests without an answer in time.
	pub timeouts: u64,
	/// Copies begun.
	pub copies: u64,
}

/// What a follower holds in memory, with its bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
	/// At most [`MAX_PEERS`].
	pub peers: usize,
	/// At most [`MAX_IN_FLIGHT_PER_PEER`] per peer.
	pub in_flight: usize,
	/// At most [`MAX_TRIES`].
	pub tries: usize,
	/// At most [`MAX_TRIES`] per level.
	pub frames: usize,
	/// At most [`MAX_HEAD_GAP`] and one.
	pub heads: usize,
	/// At most [`PREFETCHED_BATCHES`] of the largest size.
	pub batch_bytes: usize,
}

/// What a follower is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Phase {
	/// It knows no head.
	Idle,
	/// It copies the state of this head.
	Copying(HeadState),
	/// It follows batch by batch.
	Following,
	/// See [`Action::Halted`].
	Halted(String),
}

enum State {
	Idle,
	Copying(Ranges),
	Following(Batches),
	/// With the epoch and era that cannot be executed.
	Halted(String, u64, u32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
	Status,
	Ranges,
	Heads { last: u64, count: u32 },
	Batch { seq: u64 },
}

struct InFlight {
	peer: Peer,
	kind: Kind,
	sent_ms: u64,
	deadline_ms: u64,
}

/// Follows one subtree. See the [module](self).
pub struct Follower<T> {
	followed: Followed,
	target: T,
	rng: StdRng,
	peers: Peers,
	/// The newest finalised hub block seen, and the head in it.
	hub: Option<(u32, HeadState)>,
	local: Option<HeadState>,
	state: State,
	in_flight: BTreeMap<RequestId, InFlight>,
	next_id: u64,
	actions: Vec<Action>,
	counters: Counters,
	paused_until: u64,
	search_at: u64,
	/// When a batch was applied last, or heads came that lead further back.
	progress_ms: u64,
	/// When a range came last, or the copy began.
	copied_ms: u64,
	announced: Option<HeadState>,
}

impl<T: Target> Follower<T> {
	/// Opens the copy in `target` and goes on where it stands. `seed` decides among equal peers only; take a random one.
	pub fn new(followed: Followed, target: T, scores: Scores, seed: u64) -> Result<Self, T::Error> {
		let local = target.head()?;
		let state = match target.resume()? {
			Some(resume) => State::Copying(Ranges::resume(resume)),
			None if local.is_some() => State::Following(Batches::default()),
			None => State::Idle,
		};
		Ok(Self {
			followed,
			target,
			rng: StdRng::seed_from_u64(seed),
			peers: Peers::new(scores),
			hub: None,
			local,
			state,
			in_flight: BTreeMap::new(),
			next_id: 0,
			actions: Vec::new(),
			counters: Counters::default(),
			paused_until: 0,
			search_at: 0,
			progress_ms: 0,
			copied_ms: 0,
			announced: None,
		})
	}

	/// What the hub knows of the subtree at the finalised block `number`. Older blocks than the newest seen are ignored.
	pub fn on_hub_head(&mut self, now: Now, number: u32, head: HeadState) {
		if self.hub.as_ref().is_some_and(|(seen, _)| *seen >= number) {
			return;
		}
		// The time runs from the first head that is missing: a hub that goes on must not make a follower wait for ever.
		if self.hub.is_none() || self.is_synced() {
			(self.progress_ms, self.copied_ms) = (now.ms, now.ms);
		}
		let freed = matches!(&self.state, State::Halted(_, epoch, era) if (*epoch, *era) != (head.epoch, head.era));
		if freed {
			self.state = State::Idle;
			self.local = None;
		}
		self.hub = Some((number, head));
		self.advance(now);
	}

	/// Somebody named these nodes as providers of the subtree.
	pub fn on_providers(&mut self, now: Now, peers: &[Peer]) {
		// More than the table holds cannot be of use; who sends ten thousand does not get the work done for them.
		for peer in peers.iter().take(MAX_PEERS) {
			self.peers.insert(peer, now.ms, now.unix_ms);
		}
		self.advance(now);
	}

	/// A connection came up, whoever opened it.
	pub fn on_peer_connected(&mut self, now: Now, peer: &Peer) {
		if let Some(state) = self.peers.insert(peer, now.ms, now.unix_ms) {
			state.pause_until = state.pause_until.min(now.ms);
		}
		self.advance(now);
	}

	/// The connection is gone. Requests over it fail at once.
	pub fn on_peer_disconnected(&mut self, now: Now, peer: &Peer) {
		let lost: Vec<_> = self
			.in_flight
			.iter()
			.filter(|(_, sent)| sent.peer == *peer)
			.map(|(id, _)| *id)
			.collect();
		for id in lost {
			self.fail(now, id, Failure::Unreachable);
		}
		match self.peers.get_mut(peer) {
			// Only providers are worth a new connection.
			Some(state) if state.serving.is_none() => self.peers.remove(peer),
			Some(state) => state.connected = false,
			None => {},
		}
		self.advance(now);
	}

	/// A peer says that it has a new head: worth asking it again.
	pub fn on_announcement(&mut self, now: Now, peer: &Peer, bytes: &[u8]) -> Outcome {
		let Ok(announcement) = HeadAnnouncement::from_bytes(bytes) else {
			self.judge(now, peer, Outcome::Invalid, Some(Fault::Malformed));
			return Outcome::Invalid;
		};
		if announcement.served.subtree != self.followed.subtree {
			return Outcome::Ignored;
		}
		if let Some(state) = self.peers.insert(peer, now.ms, now.unix_ms) {
			if state.serving.is_some_and(|seq| seq < announcement.served.seq) {
				state.serving = Some(announcement.served.seq);
				state.forget_lacks();
			}
		}
		self.advance(now);
		Outcome::Complete
	}

	/// A request ended without an answer.
	pub fn on_failure(&mut self, now: Now, id: RequestId, failure: Failure) -> Outcome {
		self.expire(now);
		if !self.in_flight.contains_key(&id) {
			return Outcome::Ignored;
		}
		self.fail(now, id, failure);
		self.advance(now);
		Outcome::Ambiguous
	}

	/// Time passes. Call it at least every few hundred milliseconds.
	pub fn tick(&mut self, now: Now) {
		self.expire(now);
		if self.search_at <= now.ms && self.peers.serving() < WANTED_PROVIDERS {
			let pause = if self.peers.serving() == 0 { SEARCH_MS } else { SEARCH_MORE_MS };
			self.search_at = now.ms + pause;
			self.actions.push(Action::FindProviders);
		}
		self.advance(now);
	}

	/// Takes what is to be done, in order.
	pub fn take_actions(&mut self) -> Vec<Action> {
		std::mem::take(&mut self.actions)
	}

	/// What it is doing.
	pub fn phase(&self) -> Phase {
		match &self.state {
			State::Idle => Phase::Idle,
			State::Copying(ranges) => Phase::Copying(ranges.pivot.clone()),
			State::Following(_) => Phase::Following,
			State::Halted(reason, ..) => Phase::Halted(reason.clone()),
		}
	}

	/// The head that the copy stands on.
	pub fn local(&self) -> Option<&HeadState> {
		self.local.as_ref()
	}

	/// The newest head that the hub finalised.
	pub fn hub(&self) -> Option<&HeadState> {
		self.hub.as_ref().map(|(_, head)| head)
	}

	/// Whether the copy stands on the newest head that the hub finalised.
	pub fn is_synced(&self) -> bool {
		matches!((&self.local, self.hub()), (Some(local), Some(hub)) if follow::same_head(local, hub))
	}

	/// Connected providers.
	pub fn providers(&self) -> usize {
		self.peers.serving()
	}

	/// Counters since the start.
	pub fn counters(&self) -> Counters {
		self.counters
	}

	/// What is in memory.
	pub fn usage(&self) -> Usage {
		let (tries, frames) = match &self.state {
			State::Copying(ranges) => (ranges.tries(), ranges.frames()),
			_ => (0, 0),
		};
		let (heads, batch_bytes) = match &self.state {
			State::Following(batches) => (batches.trusted_len(), batches.ready_bytes()),
			_ => (0, 0),
		};
		Usage {
			peers: self.peers.len(),
			in_flight: self.in_flight.len(),
			tries,
			frames,
			heads,
			batch_bytes,
		}
	}

	/// The local copy.
	pub fn target(&self) -> &T {
		&self.target
	}

	/// The local copy, back.
	pub fn into_target(self) -> T {
		self.target
	}

	fn send(
		&mut self,
		now: Now,
		peer: Peer,
		kind: Kind,
		(protocol, payload): (Protocol, Vec<u8>),
	) -> RequestId {
		let id = RequestId(self.next_id);
		self.next_id += 1;
		let timeout_ms = protocol.timeout_ms();
		let mut connect = true;
		if let Some(state) = self.peers.get_mut(&peer) {
			state.in_flight += 1;
			connect = !state.connected;
		}
		self.counters.requests += 1;
		let deadline_ms = now.ms.saturating_add(timeout_ms);
		self.in_flight
			.insert(id, InFlight { peer: peer.clone(), kind, sent_ms: now.ms, deadline_ms });
		self.actions.push(Action::Request { id, peer, protocol, payload, timeout_ms, connect });
		id
	}

	/// Asks peers what they serve, each once at a time.
	fn greet(&mut self, now: Now) {
		let greetings = self.in_flight.values().filter(|sent| sent.kind == Kind::Status).count();
		for peer in self.peers.to_greet(now.ms, MAX_GREETINGS.saturating_sub(greetings)) {
			let subtrees =
				vec![self.followed.subtree].try_into().expect("one is below the bound; qed");
			let payload = CtlRequest::Status { subtrees }.to_bytes();
			self.send(now, peer, Kind::Status, (Protocol::Ctl, payload));
		}
	}

	fn expire(&mut self, now: Now) {
		let late: Vec<_> = self
			.in_flight
			.iter()
			.filter(|(_, sent)| sent.deadline_ms <= now.ms)
			.map(|(id, _)| *id)
			.collect();
		for id in late {
			self.fail(now, id, Failure::TimedOut);
		}
	}

	/// Ends a request without an answer; what it was about waits again.
	fn fail(&mut self, now: Now, id: RequestId, failure: Failure) {
		let Some(sent) = self.in_flight.remove(&id) else { return };
		self.peers.release(&sent.peer);
		self.release(id);
		if failure != Failure::NotConnected {
			self.peers.note_failure(&sent.peer, now.ms);
		}
		if let (Failure::Unreachable | Failure::NotConnected, Some(state)) =
			(failure, self.peers.get_mut(&sent.peer))
		{
			state.connected = false;
			// A peer that closes again and again must not keep this node busy.
			state.pause_until = state.pause_until.max(now.ms + RECONNECT_MS);
		}
		self.counters.timeouts += u64::from(failure == Failure::TimedOut);
		// A node that serves nothing refuses the question what it serves, which is no fault.
		let refused = failure == Failure::Refused && sent.kind != Kind::Status;
		if failure == Failure::TimedOut || refused {
			self.peers.scores().lock().judge(&sent.peer, Verdict::Slow, now.unix_ms);
		}
		self.actions.push(Action::Report {
			peer: sent.peer,
			outcome: Outcome::Ambiguous,
			fault: None,
		});
	}

	fn release(&mut self, id: RequestId) {
		match &mut self.state {
			State::Copying(ranges) => ranges.give_back(id),
			State::Following(batches) => batches.release(id),
			State::Idle | State::Halted(..) => {},
		}
	}

	fn judge(&mut self, now: Now, peer: &Peer, outcome: Outcome, fault: Option<Fault>) {
		let verdict = match outcome {
			Outcome::Invalid => Verdict::Invalid,
			Outcome::Complete => Verdict::Useful,
			Outcome::Ambiguous | Outcome::Ignored => return,
		};
		let banned = self.peers.scores().lock().judge(peer, verdict, now.unix_ms);
		self.counters.invalid += u64::from(outcome == Outcome::Invalid);
		self.actions.push(Action::Report { peer: peer.clone(), outcome, fault });
		if outcome == Outcome::Invalid {
			self.peers.note_failure(peer, now.ms);
		}
		if banned {
			let open: Vec<_> = self
				.in_flight
				.iter()
				.filter(|(_, sent)| sent.peer == *peer)
				.map(|(id, _)| *id)
				.collect();
			for id in open {
				self.in_flight.remove(&id);
				self.release(id);
			}
			self.peers.remove(peer);
			self.actions.push(Action::Disconnect(peer.clone()));
		}
	}
}
