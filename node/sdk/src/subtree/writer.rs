//! The one thread that executes calls of a subtree.
//!
//! Calls wait in a bounded queue. Everything that waits is executed as a group and written with one sync, so the rate does not
//! depend on the disk's latency; an answer is given after that sync.
//!
//! **Order.** The RPC server starts a task per message, so calls of one connection reach the queue almost in their order, not
//! exactly. Within a group the calls of one account are put into the order of their nonces, and a call whose predecessor is
//! missing waits a moment for it, if it could enter otherwise.

use super::serve::EngineCell;
use dstp_primitives::{
	batch::HubPin,
	call::{CallRefusal, SignedCall},
	AccountId,
};
use dstp_subtree::{CheckedCall, Engine, Receipt, StopReason, SubmitError};
use parking_lot::RwLock;
use std::{
	collections::{BTreeMap, HashMap},
	io,
	sync::{
		mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender, TrySendError},
		Arc,
	},
	time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Calls that may wait; more are refused. Of the largest calls these are 256 MiB; of usual ones about what is executed in a
/// second.
pub(super) const MAX_WAITING_CALLS: usize = 1024;

/// Calls and bytes of one group: at most what two batches hold, so that few batches are sealed between two looks at them.
const MAX_GROUP_CALLS: usize = 512;
const MAX_GROUP_BYTES: usize = 1024 * 1024;

/// How long a call waits for the one before it: longer than a busy machine leaves a task alone, shorter than a user waits.
const PATIENCE: Duration = Duration::from_millis(500);

/// Calls that may wait for the one before them, so that senders of calls without predecessors cannot fill the memory. Of the largest
/// calls these are 128 MiB.
pub(super) const MAX_HELD_CALLS: usize = 512;

/// Calls of one account among them, so that no account alone takes the places of all others. A client that hands in hundreds at once
/// sees most of them come before the one before them.
const MAX_HELD_PER_ACCOUNT: usize = 256;

/// How long it is remembered that a call was refused, so that those after it are refused at once instead of waiting for it.
const GAP_MEMORY: Duration = Duration::from_secs(1);

/// Refusals that are remembered; more are forgotten all together.
const MAX_GAPS: usize = 1024;

/// Gives milliseconds since 1970.
pub(super) type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What became of a call.
pub(super) type Outcome = Result<Receipt, SubmitError>;

/// Why a call was not even queued.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum QueueError {
	/// As many wait as may.
	Full,
	/// The thread has ended.
	Ended,
}

/// A call that waits.
struct Job {
	call: CheckedCall,
	since: Instant,
	answer: oneshot::Sender<Outcome>,
}

impl Job {
	fn payload(&self) -> (&AccountId, u64) {
		let SignedCall { payload, .. } = self.call.call();
		(&payload.signer, payload.nonce)
	}
}

/// The way to the thread. When it is dropped, the thread executes what waits and ends.
pub(super) struct Writer {
	queue: SyncSender<Job>,
}

impl Writer {
	/// Starts the thread for an engine that serves.
	pub fn spawn(
		engine: Arc<EngineCell>,
		pin: Arc<RwLock<HubPin>>,
		clock: Clock,
	) -> io::Result<Self> {
		let (queue, jobs) = sync_channel(MAX_WAITING_CALLS);
		let (held, gaps) = (Vec::new(), HashMap::new());
		let thread = Thread { engine, pin, clock, jobs, held, ending: false, gaps };
		std::thread::Builder::new().name("subtree-writer".into()).spawn(move || thread.run())?;
		Ok(Self { queue })
	}

	/// Queues a call. What is received is sent once the call is on the disk, or refused; an error of the receiver means that the
	/// node stops.
	pub fn submit(&self, call: CheckedCall) -> Result<oneshot::Receiver<Outcome>, QueueError> {
		let (answer, outcome) = oneshot::channel();
		match self.queue.try_send(Job { call, since: Instant::now(), answer }) {
			Ok(()) => Ok(outcome),
			Err(TrySendError::Full(_)) => Err(QueueError::Full),
			Err(TrySendError::Disconnected(_)) => Err(QueueError::Ended),
		}
	}
}

struct Thread {
	engine: Arc<EngineCell>,
	pin: Arc<RwLock<HubPin>>,
	clock: Clock,
	jobs: Receiver<Job>,
	/// Calls whose predecessor is missing.
	held: Vec<Job>,
	/// Whether nobody can queue a call any more.
	ending: bool,
	/// By account: the nonce of a call that was refused or never came, and when.
	gaps: HashMap<AccountId, (u64, Instant)>,
}

impl Thread {
	fn run(mut self) {
		while let Some(group) = self.next_group() {
			self.execute(group);
		}
	}

	/// Everything that waits, up to a group's limits, the held calls first; `None` at the end.
	fn next_group(&mut self) -> Option<Vec<Job>> {
		let longest = self.held.iter().map(|job| job.since.elapsed()).max();
		let first = match longest {
			None => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
			Some(waited) => self.jobs.recv_timeout(PATIENCE.saturating_sub(waited)),
		};
		self.ending = matches!(first, Err(RecvTimeoutError::Disconnected));
		if self.ending && self.held.is_empty() {
			return None;
		}
		let mut group = std::mem::take(&mut self.held);
		let mut bytes = 0;
		let mut next = first.ok();
		while let Some(job) = next {
			bytes += job.call.bytes();
			group.push(job);
			let room = group.len() < MAX_GROUP_CALLS && bytes < MAX_GROUP_BYTES;
			next = if room { self.jobs.try_recv().ok() } else { None };
		}
		Some(in_nonce_order(group))
	}

	/// Executes a group, writes it, and answers.
	fn execute(&mut self, group: Vec<Job>) {
		let engine = self.engine.clone();
		let mut engine = engine.lock();
		let pin = *self.pin.read();
		let now_ms = (self.clock)();
		let mut executed = BTreeMap::new();
		let mut bytes = 0;
		for job in group {
			if self.waits(&engine, &job) {
				// Places are for calls that will be executed, not for whoever can sign.
				match engine.check_admission(&job.call) {
					Ok(()) => self.held.push(job),
					Err(error) => {
						let _ = job.answer.send(Err(error));
					},
				}
				continue;
			}
			bytes += job.call.bytes();
			if bytes > MAX_GROUP_BYTES {
				// Full batches are taken out before there are too many of them.
				seal(&mut engine, now_ms);
				bytes = job.call.bytes();
			}
			let (account, nonce) = job.payload();
			let account = account.clone();
			let Job { call, answer, since } = job;
			match engine.enqueue(call, pin, now_ms) {
				Ok(position) => {
					executed.insert(position, answer);
				},
				Err(error) => {
					self.note_gap(account, nonce, since.elapsed() >= PATIENCE, &error);
					let _ = answer.send(Err(error));
				},
			}
		}
		let receipts = engine.flush();
		seal(&mut engine, now_ms);
		drop(engine);
		answer(executed, receipts);
	}

	/// Whether a call waits for the one before it.
	fn waits(&self, engine: &Engine, job: &Job) -> bool {
		let hopeless = self.ending || self.held.len() >= MAX_HELD_CALLS;
		if hopeless || job.since.elapsed() >= PATIENCE {
			return false;
		}
		let (account, nonce) = job.payload();
		let held = self.held.iter().filter(|held| held.payload().0 == account).count();
		if held >= MAX_HELD_PER_ACCOUNT {
			return false;
		}
		// What cannot be read is told by the attempt to execute it.
		let Ok(next) = engine.next_nonce(account) else { return false };
		let known = |(gap, at): &(u64, Instant)| *gap == next && at.elapsed() < GAP_MEMORY;
		nonce > next && !self.gaps.get(account).is_some_and(known)
	}

	/// Remembers that the account's next call is missing.
	fn note_gap(&mut self, account: AccountId, nonce: u64, waited: bool, error: &SubmitError) {
		let gap = match error {
			// An old call, which anybody can hand in again, says nothing of those to come; nor does one that found no place to wait.
			SubmitError::Refused(CallRefusal::WrongNonce { expected })
				if nonce < *expected || !waited =>
			{
				return;
			},
			SubmitError::Refused(CallRefusal::WrongNonce { expected }) => *expected,
			_ => nonce,
		};
		if self.gaps.len() >= MAX_GAPS {
			self.gaps.clear();
		}
		self.gaps.insert(account, (gap, Instant::now()));
	}
}

/// Puts each account's calls into the order of their nonces, at the places that the account's calls have.
fn in_nonce_order(group: Vec<Job>) -> Vec<Job> {
	let mut places: HashMap<AccountId, Vec<usize>> = HashMap::new();
	for (place, job) in group.iter().enumerate() {
		places.entry(job.payload().0.clone()).or_default().push(place);
	}
	let mut ordered: Vec<Option<Job>> = group.into_iter().map(Some).collect();
	for places in places.into_values().filter(|places| places.len() > 1) {
		let mut jobs: Vec<_> = places.iter().filter_map(|place| ordered[*place].take()).collect();
		jobs.sort_by_key(|job| job.payload().1);
		for (place, job) in places.into_iter().zip(jobs) {
			ordered[place] = Some(job);
		}
	}
	ordered.into_iter().flatten().collect()
}

/// Hands out the receipts. After a failed write nobody gets one: a call without may be on the disk.
fn answer(
	mut executed: BTreeMap<u64, oneshot::Sender<Outcome>>,
	receipts: Result<Vec<Receipt>, SubmitError>,
) {
	let reason = match receipts {
		Ok(receipts) => {
			for receipt in receipts {
				if let Some(answer) = executed.remove(&receipt.position) {
					// Who asked may have gone.
					let _ = answer.send(Ok(receipt));
				}
			}
			StopReason::WriteFailed("a call has no receipt".into())
		},
		Err(SubmitError::Stopped(reason)) => reason,
		Err(error) => StopReason::WriteFailed(error.to_string()),
	};
	for answer in executed.into_values() {
		let _ = answer.send(Err(SubmitError::OutcomeUnknown(reason.clone())));
	}
}

/// Seals what is due.
pub(super) fn seal(engine: &mut Engine, now_ms: u64) {
	// Said once already when the engine stopped; a subtree that waits for its state seals nothing.
	for batch in engine.seal(now_ms).unwrap_or_default() {
		let (seq, calls) = (batch.head.seq, batch.entries.len());
		log::info!(target: "dstp", "subtree {}: sealed head {seq} of {calls} calls", batch.head.subtree);
	}
}
