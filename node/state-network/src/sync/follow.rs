//! What a follower does next, and what it makes of answers.

use super::{
	batches::{Batches, Wanted, KEPT_HEADS, MAX_HEAD_GAP},
	peers::Need,
	ranges::{CopyError, Ranges},
	target::{ApplyError, Target},
	verify, Action, Fault, Follower, InFlight, Kind, Now, Outcome, RequestId, State, COPY_STUCK_MS,
	GONE_MS, NOT_SERVING_MS, STORAGE_PAUSE_MS, STUCK_MS,
};
use crate::wire::{
	CtlRequest, CtlResponse, Protocol, SyncRequest, SyncResponse, Wire, MAX_RANGE_BYTES,
};
use dstp_primitives::head::HeadState;

const LOG: &str = "dstp::sync";

/// Whether two states are the same head. Seq 0 has no hash, therefore the root counts too.
pub(super) fn same_head(one: &HeadState, other: &HeadState) -> bool {
	(one.epoch, one.seq, one.hash, one.state_root)
		== (other.epoch, other.seq, other.hash, other.state_root)
}

/// What a step leads to.
enum Step {
	/// It waits.
	Rest(State),
	/// There may be more to do at once.
	Again(State),
}

impl<T: Target> Follower<T> {
	/// Does whatever can be done now.
	pub(super) fn advance(&mut self, now: Now) {
		self.greet(now);
		if self.paused_until > now.ms {
			return;
		}
		loop {
			let step = match std::mem::replace(&mut self.state, State::Idle) {
				State::Idle => self.start(now),
				State::Copying(ranges) => self.advance_copy(now, ranges),
				State::Following(batches) => self.advance_follow(now, batches),
				halted @ State::Halted(..) => Step::Rest(halted),
			};
			match step {
				Step::Again(state) => self.state = state,
				Step::Rest(state) => {
					self.state = state;
					return;
				},
			}
		}
	}

	fn start(&mut self, now: Now) -> Step {
		match self.hub().cloned() {
			Some(head) => self.begin_copy(now, head, State::Idle),
			None => Step::Rest(State::Idle),
		}
	}

	/// Starts to copy the state of `pivot`; if the store refuses, everything stays as it was.
	fn begin_copy(&mut self, now: Now, pivot: HeadState, old: State) -> Step {
		let begun = Ranges::new(pivot, self.followed.subtree, &self.target)
			.and_then(|ranges| self.target.begin(&ranges.to_resume()).map(|()| ranges));
		match begun {
			Ok(ranges) => {
				log::info!(target: LOG, "copying {} at head {}", self.followed.subtree, ranges.pivot.seq);
				self.local = None;
				self.counters.copies += 1;
				self.copied_ms = now.ms;
				self.cancel_transfers();
				self.peers.forget_lacks();
				Step::Again(State::Copying(ranges))
			},
			Err(error) => self.pause(now, &error, old),
		}
	}

	/// Forgets requests whose answers are of no use any more; late ones are ignored.
	fn cancel_transfers(&mut self) {
		let peers = &mut self.peers;
		self.in_flight.retain(|_, sent| {
			let keep = sent.kind == Kind::Status;
			if !keep {
				peers.release(&sent.peer);
			}
			keep
		});
	}

	fn pause(&mut self, now: Now, error: &T::Error, state: State) -> Step {
		log::warn!(target: LOG, "the store of {} refuses, trying again later: {error}", self.followed.subtree);
		self.paused_until = now.ms + STORAGE_PAUSE_MS;
		Step::Rest(state)
	}

	fn halt(&mut self, reason: String) -> Step {
		let (epoch, era) = self.hub().map_or((0, 0), |hub| (hub.epoch, hub.era));
		log::error!(target: LOG, "following {} ends: {reason}", self.followed.subtree);
		self.cancel_transfers();
		self.actions.push(Action::Halted(reason.clone()));
		Step::Rest(State::Halted(reason, epoch, era))
	}

	fn advance_copy(&mut self, now: Now, mut ranges: Ranges) -> Step {
		let Some(hub) = self.hub().cloned() else { return Step::Rest(State::Copying(ranges)) };
		if hub.epoch != ranges.pivot.epoch || hub.seq < ranges.pivot.seq {
			return self.begin_copy(now, hub, State::Copying(ranges));
		}
		match ranges.fill(&self.target) {
			Ok(()) => {},
			Err(CopyError::Storage(error)) => {
				return self.pause(now, &error, State::Copying(ranges))
			},
			Err(broken) => return self.halt(broken.to_string()),
		}
		if ranges.is_done() {
			return self.finish_copy(now, ranges);
		}
		while ranges.has_waiting() {
			let Some(peer) = self.peers.pick(Need::Ranges, now.ms, now.unix_ms, &mut self.rng)
			else {
				break;
			};
			let id = RequestId(self.next_id);
			let tries: Vec<_> = ranges.take(id).into_iter().map(|job| job.cursor).collect();
			let request = SyncRequest::Ranges {
				subtree: self.followed.subtree,
				epoch: ranges.pivot.epoch,
				seq: ranges.pivot.seq,
				max_bytes: MAX_RANGE_BYTES,
				tries: tries.try_into().expect("a request takes at most that many; qed"),
			};
			self.peers.note_asked(&peer, self.copied_ms, now.ms);
			self.send(now, peer, Kind::Ranges, (Protocol::Sync, request.to_bytes()));
		}
		let waited = now.ms.saturating_sub(self.copied_ms);
		let gone = hub.seq - ranges.pivot.seq > KEPT_HEADS && waited >= GONE_MS;
		let idle = ranges.has_waiting() && ranges.is_idle();
		let useless = ranges.has_nothing() && idle && self.peers.all_lack(Need::Ranges, now.ms)
			|| (gone || waited >= COPY_STUCK_MS)
				&& self.peers.nobody_helps(Need::Ranges, self.copied_ms, now.ms);
		if useless && !same_head(&hub, &ranges.pivot) {
			return self.begin_copy(now, hub, State::Copying(ranges));
		}
		Step::Rest(State::Copying(ranges))
	}

	fn finish_copy(&mut self, now: Now, ranges: Ranges) -> Step {
		match self.target.finish(&ranges.pivot) {
			Ok(()) => {
				self.local = Some(ranges.pivot);
				self.progress_ms = now.ms;
				self.peers.forget_lacks();
				Step::Again(State::Following(Batches::default()))
			},
			Err(error) => self.pause(now, &error, State::Copying(ranges)),
		}
	}

	fn advance_follow(&mut self, now: Now, mut batches: Batches) -> Step {
		let (Some(local), Some(hub)) = (self.local.clone(), self.hub().cloned()) else {
			return Step::Rest(State::Following(batches));
		};
		if same_head(&local, &hub) {
			if self.announced.as_ref().is_none_or(|last| !same_head(last, &hub)) {
				self.announced = Some(hub.clone());
				self.actions.push(Action::Synced(hub));
			}
			return Step::Rest(State::Following(batches));
		}
		let ahead =
			hub.epoch == local.epoch && hub.seq > local.seq && hub.seq - local.seq <= MAX_HEAD_GAP;
		if !ahead {
			return self.begin_copy(now, hub, State::Following(batches));
		}
		batches.trust(hub.seq, hub.hash);
		if batches.next(&local).is_some() {
			return self.apply(now, batches, &local, hub);
		}
		self.request_batches(now, &mut batches, local.seq, hub.seq);
		let waited = now.ms.saturating_sub(self.progress_ms);
		let gone = hub.seq - local.seq > KEPT_HEADS && waited >= GONE_MS;
		if (gone || waited >= STUCK_MS)
			&& self.peers.nobody_helps(Need::Batches, self.progress_ms, now.ms)
		{
			return self.begin_copy(now, hub, State::Following(batches));
		}
		Step::Rest(State::Following(batches))
	}

	fn apply(&mut self, now: Now, mut batches: Batches, local: &HeadState, hub: HeadState) -> Step {
		let Some((head, entries)) = batches.next(local) else {
			return Step::Rest(State::Following(batches));
		};
		if head.prev != local.hash || head.pre_root != local.state_root {
			// The hub went another way than this copy: heads were voided.
			return self.begin_copy(now, hub, State::Following(batches));
		}
		match self.target.apply(head, entries) {
			Ok(()) => {
				self.counters.batches += 1;
				self.counters.calls += entries.len() as u64;
				self.progress_ms = now.ms;
				let next = head.next_state();
				batches.applied(next.seq);
				self.local = Some(next);
				Step::Again(State::Following(batches))
			},
			Err(ApplyError::Storage(error)) => self.pause(now, &error, State::Following(batches)),
			Err(diverged) => self.halt(diverged.to_string()),
		}
	}

	fn request_batches(&mut self, now: Now, batches: &mut Batches, local: u64, hub: u64) {
		let (subtree, epoch) = (self.followed.subtree, self.hub().map_or(0, |hub| hub.epoch));
		while let Some(wanted) = batches.wanted(local, hub) {
			let Some(peer) = self.peers.pick(Need::Batches, now.ms, now.unix_ms, &mut self.rng)
			else {
				return;
			};
			let (kind, request) = match wanted {
				Wanted::Heads { last, count } => (
					Kind::Heads { last, count },
					(Protocol::Ctl, CtlRequest::Heads { subtree, epoch, last, count }.to_bytes()),
				),
				Wanted::Batch { seq, .. } => (
					Kind::Batch { seq },
					(Protocol::Sync, SyncRequest::Batch { subtree, epoch, seq }.to_bytes()),
				),
			};
			self.peers.note_asked(&peer, self.progress_ms, now.ms);
			let id = self.send(now, peer, kind, request);
			batches.note_asked(wanted, id);
		}
	}

	/// An answer came.
	pub fn on_response(&mut self, now: Now, id: RequestId, bytes: &[u8]) -> Outcome {
		self.expire(now);
		let Some(sent) = self.in_flight.remove(&id) else { return Outcome::Ignored };
		self.peers.release(&sent.peer);
		let result = match sent.kind {
			Kind::Status => self.on_status(now, &sent, bytes),
			Kind::Ranges => self.on_ranges(now, &sent, id, bytes),
			Kind::Heads { last, count } => self.on_heads(now, &sent, (last, count), bytes),
			Kind::Batch { seq } => self.on_batch(now, &sent, seq, bytes),
		};
		self.release(id);
		let (outcome, fault) = match result {
			Ok(outcome) => (outcome, None),
			Err(fault) => (Outcome::Invalid, Some(fault)),
		};
		if outcome == Outcome::Complete && sent.kind != Kind::Status {
			self.counters.bytes += bytes.len() as u64;
			self.peers.note_useful(&sent.peer, now.ms.saturating_sub(sent.sent_ms));
		}
		// To say what one serves proves nothing, so it earns nothing.
		if sent.kind != Kind::Status || fault.is_some() {
			self.judge(now, &sent.peer, outcome, fault);
		}
		self.advance(now);
		outcome
	}

	fn on_status(&mut self, now: Now, sent: &InFlight, bytes: &[u8]) -> Result<Outcome, Fault> {
		let epoch = self.hub().map(|hub| hub.epoch);
		let response = CtlResponse::from_bytes(bytes).map_err(|_| Fault::Malformed)?;
		let serving = match &response {
			CtlResponse::Status(served) => verify::status(served, self.followed)?,
			CtlResponse::NotServed => None,
			CtlResponse::Busy => return Ok(self.on_busy(now, sent)),
			CtlResponse::Heads(_) => return Err(Fault::WrongKind),
		};
		let serving = serving
			.filter(|served| epoch.is_none_or(|epoch| served.epoch == epoch))
			.map(|served| served.seq);
		if let Some(state) = self.peers.get_mut(&sent.peer) {
			state.connected = true;
			state.serving = serving;
			if serving.is_none() {
				state.pause_until = now.ms + NOT_SERVING_MS;
			}
		}
		Ok(Outcome::Complete)
	}

	/// It was reached, and is asked again soon.
	fn on_busy(&mut self, now: Now, sent: &InFlight) -> Outcome {
		self.peers.note_busy(&sent.peer, now.ms);
		Outcome::Ambiguous
	}

	fn on_ranges(
		&mut self,
		now: Now,
		sent: &InFlight,
		id: RequestId,
		bytes: &[u8],
	) -> Result<Outcome, Fault> {
		let State::Copying(ranges) = &mut self.state else { return Ok(Outcome::Ignored) };
		let proofs = match SyncResponse::from_bytes(bytes).map_err(|_| Fault::Malformed)? {
			SyncResponse::Ranges(proofs) => proofs,
			SyncResponse::NotServed => {
				self.peers.note_lacks(&sent.peer, Need::Ranges, now.ms);
				return Ok(Outcome::Ambiguous);
			},
			SyncResponse::Busy => return Ok(self.on_busy(now, sent)),
			SyncResponse::Batch(..) => return Err(Fault::WrongKind),
		};
		let verified = verify::ranges(proofs, ranges.asked(id), MAX_RANGE_BYTES as usize)?;
		let count = verified.len() as u64;
		let objects = verified.iter().filter(|range| range.complete).count() as u64;
		let entries = verified.iter().map(|range| range.entries.len() as u64).sum::<u64>();
		match ranges.store(&mut self.target, id, verified) {
			Ok(()) => {
				self.counters.ranges += count;
				self.counters.objects += objects;
				self.counters.entries += entries;
			},
			Err(error) => {
				log::warn!(target: LOG, "the store of {} refuses a range: {error}", self.followed.subtree);
				self.paused_until = now.ms + STORAGE_PAUSE_MS;
			},
		}
		self.copied_ms = now.ms;
		Ok(Outcome::Complete)
	}

	fn on_heads(
		&mut self,
		now: Now,
		sent: &InFlight,
		asked: (u64, u32),
		bytes: &[u8],
	) -> Result<Outcome, Fault> {
		let heads = match CtlResponse::from_bytes(bytes).map_err(|_| Fault::Malformed)? {
			CtlResponse::Heads(heads) => heads,
			CtlResponse::NotServed => {
				self.peers.note_lacks(&sent.peer, Need::Batches, now.ms);
				return Ok(Outcome::Ambiguous);
			},
			CtlResponse::Busy => return Ok(self.on_busy(now, sent)),
			CtlResponse::Status(_) => return Err(Fault::WrongKind),
		};
		let epoch = self.hub().map_or(0, |hub| hub.epoch);
		let State::Following(batches) = &mut self.state else { return Ok(Outcome::Ignored) };
		let Some(trusted) = batches.hash(asked.0) else { return Ok(Outcome::Ignored) };
		let mut hashes = Vec::with_capacity(heads.len());
		verify::heads(&heads, self.followed, epoch, asked, trusted, |seq, hash| {
			hashes.push((seq, hash))
		})?;
		let oldest = batches.oldest();
		for (seq, hash) in hashes {
			batches.trust(seq, hash);
		}
		if batches.oldest() < oldest {
			self.progress_ms = now.ms;
		}
		Ok(Outcome::Complete)
	}

	fn on_batch(
		&mut self,
		now: Now,
		sent: &InFlight,
		seq: u64,
		bytes: &[u8],
	) -> Result<Outcome, Fault> {
		let (head, entries) = match SyncResponse::from_bytes(bytes).map_err(|_| Fault::Malformed)? {
			SyncResponse::Batch(head, entries) => (*head, entries),
			SyncResponse::NotServed => {
				self.peers.note_lacks(&sent.peer, Need::Batches, now.ms);
				return Ok(Outcome::Ambiguous);
			},
			SyncResponse::Busy => return Ok(self.on_busy(now, sent)),
			SyncResponse::Ranges(_) => return Err(Fault::WrongKind),
		};
		let epoch = self.hub().map_or(0, |hub| hub.epoch);
		let State::Following(batches) = &mut self.state else { return Ok(Outcome::Ignored) };
		let Some(trusted) = batches.hash(seq) else { return Ok(Outcome::Ignored) };
		verify::batch(&head, &entries, self.followed, epoch, seq, trusted)?;
		batches.keep(head, entries);
		Ok(Outcome::Complete)
	}
}
