//! Inbound requests.

use super::{to_peer, Clock, LOG};
use crate::{
	peer::Peer,
	score::{Scores, Verdict},
	server::{answer, busy, Admission, Permit, Refusal, Source},
	wire::{Protocol, WireError},
};
use futures::{
	channel::oneshot, future::BoxFuture, stream::FuturesUnordered, stream::SelectAll, FutureExt,
	StreamExt,
};
use sc_network::{
	config::{IncomingRequest, OutgoingResponse},
	ReputationChange,
};
use std::{sync::Arc, time::Duration};

/// A protocol and the queue of its inbound requests.
pub type Inbound = (Protocol, async_channel::Receiver<IncomingRequest>);

const MALFORMED: ReputationChange = ReputationChange::new(-(1 << 26), "dstp: malformed request");

/// Both transports give an answer up after the protocol's time limit. One that forgot it must not keep a peer busy for ever.
const GIVEN_UP: Duration = Duration::from_secs(5);

/// Answers requests of all protocols until their queues close, within the bounds of [`Admission`]. Reads happen on blocking threads.
pub async fn serve<S: Source + 'static>(source: Arc<S>, scores: Scores, inbound: Vec<Inbound>) {
	let queues = inbound
		.into_iter()
		.map(|(protocol, queue)| queue.map(move |request| (protocol, request)).boxed());
	let mut requests: SelectAll<_> = queues.collect();
	let mut server = Server {
		source,
		scores,
		clock: Clock::start(),
		admission: Admission::default(),
		steps: FuturesUnordered::new(),
	};
	loop {
		futures::select! {
			request = requests.next() => match request {
				Some((protocol, request)) => server.begin(protocol, request),
				None => return,
			},
			step = server.steps.select_next_some() => server.go_on(step),
		}
	}
}

/// How far a request came.
enum Step {
	/// The answer is made, or the request is no message. `None`: the work failed.
	Worked(Permit, Protocol, IncomingRequest, Option<Result<Vec<u8>, WireError>>),
	/// The transport has sent the answer, or not.
	Ended(Permit, bool),
}

struct Server<S> {
	source: Arc<S>,
	scores: Scores,
	clock: Clock,
	admission: Admission,
	/// One for each permit.
	steps: FuturesUnordered<BoxFuture<'static, Step>>,
}

impl<S: Source + 'static> Server<S> {
	/// Starts to work on a request, unless its sender is banned. If there is no room, it is refused and not queued.
	fn begin(&mut self, protocol: Protocol, mut request: IncomingRequest) {
		let (peer, now) = (to_peer(&request.peer), self.clock.now());
		if self.scores.lock().is_banned(&peer, now.unix_ms) {
			return;
		}
		match self.admission.admit(&peer, protocol, request.payload.len(), now.ms) {
			Ok(permit) => {
				let (source, payload) = (self.source.clone(), std::mem::take(&mut request.payload));
				let work =
					tokio::task::spawn_blocking(move || answer(&*source, protocol, &payload));
				let step = work.map(move |done| Step::Worked(permit, protocol, request, done.ok()));
				self.steps.push(step.boxed());
			},
			Err(Refusal::TooLong) => self.punish(&peer, request),
			Err(refusal) => {
				log::debug!(target: LOG, "refused {peer:?}: {refusal}");
				if let Some(permit) = self.admission.refuse(&peer, now.ms) {
					self.send(permit, protocol, request, busy(protocol));
				}
			},
		}
	}

	fn go_on(&mut self, step: Step) {
		let now = self.clock.now();
		match step {
			Step::Worked(mut permit, protocol, request, Some(Ok(bytes))) => {
				self.admission.answered(&mut permit, bytes.len(), now.ms);
				self.send(permit, protocol, request, bytes);
			},
			Step::Worked(permit, _, request, failed) => {
				if failed.is_some() {
					self.punish(&to_peer(&request.peer), request);
				}
				self.admission.release(permit, false, now.ms);
			},
			Step::Ended(permit, taken) => self.admission.release(permit, taken, now.ms),
		}
	}

	fn send(&self, permit: Permit, protocol: Protocol, request: IncomingRequest, bytes: Vec<u8>) {
		let limit = Duration::from_millis(protocol.timeout_ms()) + GIVEN_UP;
		let sent = tokio::time::timeout(limit, respond(request, Ok(bytes), Vec::new()));
		let step = sent.map(|sent| Step::Ended(permit, matches!(sent, Ok(Ok(())))));
		self.steps.push(step.boxed());
	}

	fn punish(&self, peer: &Peer, request: IncomingRequest) {
		self.scores.lock().judge(peer, Verdict::Invalid, self.clock.now().unix_ms);
		drop(respond(request, Err(()), vec![MALFORMED]));
	}
}

/// Hands an answer to the transport, which tells when it is sent; it drops the sender if it gives the answer up.
fn respond(
	request: IncomingRequest,
	result: Result<Vec<u8>, ()>,
	reputation_changes: Vec<ReputationChange>,
) -> oneshot::Receiver<()> {
	let (sender, sent) = oneshot::channel();
	// If the peer has gone, nobody waits for the answer, and the sender is dropped.
	let _ = request.pending_response.send(OutgoingResponse {
		result,
		reputation_changes,
		sent_feedback: Some(sender),
	});
	sent
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		server::{MAX_ANSWER_BYTES, MAX_IN_FLIGHT_PER_PEER, MAX_WORKING},
		wire::{CtlRequest, CtlResponse, Served, SyncRequest, TrieCursor, Wire, MAX_RANGE_BYTES},
	};
	use dstp_primitives::{
		batch::BatchEntry,
		head::Head,
		proof::{Proof, Query, RangeProof, TrieRange},
		ObjectId,
	};
	use sc_network::PeerId;
	use std::sync::{Condvar, Mutex};

	const SUBTREE: ObjectId = ObjectId([7; 32]);
	/// What the largest answer of [`Slow`] has, without the few bytes around it.
	const LARGE: usize = 1900 * 1024;
	/// Nothing more comes when nothing came for so long.
	const QUIET: Duration = Duration::from_millis(200);

	/// A copy that answers when the gate opens, and counts the reads that wait for it.
	#[derive(Default)]
	struct Slow {
		gate: Mutex<(bool, u32)>,
		changed: Condvar,
	}

	impl Slow {
		fn open() -> Arc<Self> {
			let source = Arc::new(Self::default());
			source.set_open();
			source
		}

		fn set_open(&self) {
			self.gate.lock().unwrap().0 = true;
			self.changed.notify_all();
		}

		fn reads(&self) -> u32 {
			self.gate.lock().unwrap().1
		}

		fn wait(&self) {
			let mut gate = self.gate.lock().unwrap();
			gate.1 += 1;
			drop(self.changed.wait_while(gate, |(open, _)| !*open).unwrap());
		}
	}

	impl Source for Slow {
		fn served(&self, subtree: &ObjectId) -> Option<Served> {
			self.wait();
			Some(Served { subtree: *subtree, epoch: 1, seq: 2 })
		}

		fn head(&self, _: &ObjectId, _: u64, _: u64) -> Option<Head> {
			None
		}

		fn batch(&self, _: &ObjectId, _: u64, _: u64) -> Option<(Head, Vec<BatchEntry>)> {
			None
		}

		fn range(
			&self,
			_: &ObjectId,
			_: u64,
			_: u64,
			_: &TrieCursor,
			_: usize,
		) -> Option<(RangeProof, TrieRange)> {
			self.wait();
			let range = TrieRange { entries: Vec::new(), complete: true };
			Some((RangeProof { nodes: vec![vec![0; LARGE]] }, range))
		}

		fn proof(&self, _: &ObjectId, _: u64, _: u64, _: Query) -> Option<Proof> {
			None
		}
	}

	/// A server, and a transport that does what the test says.
	struct Net {
		source: Arc<Slow>,
		scores: Scores,
		queues: Vec<async_channel::Sender<IncomingRequest>>,
		task: tokio::task::JoinHandle<()>,
	}

	type Response = oneshot::Receiver<OutgoingResponse>;

	impl Net {
		fn new(source: Arc<Slow>) -> Self {
			let (queues, inbound) = Protocol::ALL
				.map(|protocol| {
					let (sender, receiver) = async_channel::unbounded();
					(sender, (protocol, receiver))
				})
				.into_iter()
				.unzip();
			let scores = Scores::default();
			let task = tokio::spawn(serve(source.clone(), scores.clone(), inbound));
			Self { source, scores, queues, task }
		}

		fn ask(&self, peer: PeerId, protocol: Protocol, payload: Vec<u8>) -> Response {
			let (pending_response, response) = oneshot::channel();
			let at = Protocol::ALL.iter().position(|one| *one == protocol).unwrap();
			let request = IncomingRequest { peer, payload, pending_response };
			self.queues[at].try_send(request).unwrap();
			response
		}

		fn ask_status(&self, peer: PeerId) -> Response {
			self.ask(peer, Protocol::Ctl, status())
		}

		fn ask_range(&self, peer: PeerId) -> Response {
			let cursor = TrieCursor { object: SUBTREE, root: Default::default(), after: None };
			let request = SyncRequest::Ranges {
				subtree: SUBTREE,
				epoch: 1,
				seq: 2,
				max_bytes: MAX_RANGE_BYTES,
				tries: vec![cursor].try_into().unwrap(),
			};
			self.ask(peer, Protocol::Sync, request.to_bytes())
		}

		/// Until so many reads have begun, and no more begin.
		async fn reads(&self, expected: u32) {
			while self.source.reads() < expected {
				tokio::time::sleep(Duration::from_millis(1)).await;
			}
			tokio::time::sleep(QUIET).await;
			assert_eq!(self.source.reads(), expected);
		}
	}

	impl Drop for Net {
		/// A runtime ends only when its blocking threads do.
		fn drop(&mut self) {
			self.source.set_open();
		}
	}

	fn status() -> Vec<u8> {
		CtlRequest::Status { subtrees: vec![SUBTREE].try_into().unwrap() }.to_bytes()
	}

	/// The answer and the sender that says that it is sent; `None` if there is no answer, or a refusal, which is sent.
	async fn answered(response: Response) -> Option<(Vec<u8>, oneshot::Sender<()>)> {
		let response = response.await.ok()?;
		let (bytes, sent) = (response.result.ok()?, response.sent_feedback.unwrap());
		if Protocol::ALL.map(busy).contains(&bytes) {
			sent.send(()).unwrap();
			return None;
		}
		Some((bytes, sent))
	}

	#[tokio::test]
	async fn a_request_is_answered_from_the_copy() {
		let mut net = Net::new(Slow::open());
		let (bytes, _sent) = answered(net.ask_status(PeerId::random())).await.unwrap();
		let served = Served { subtree: SUBTREE, epoch: 1, seq: 2 };
		let expected = CtlResponse::Status(vec![served].try_into().unwrap());
		assert_eq!(CtlResponse::from_bytes(&bytes), Ok(expected));
		net.queues.iter().for_each(|queue| assert!(queue.close()));
		(&mut net.task).await.unwrap();
	}

	#[tokio::test]
	async fn a_flood_of_one_peer_gets_its_share_until_answers_are_sent() {
		let net = Net::new(Arc::default());
		let (flooder, other) = (PeerId::random(), PeerId::random());
		let flood: Vec<_> = (0..40).map(|_| net.ask_status(flooder)).collect();
		net.reads(MAX_IN_FLIGHT_PER_PEER).await;
		let others = net.ask_status(other);
		net.reads(MAX_IN_FLIGHT_PER_PEER + 1).await;
		net.source.set_open();
		assert!(answered(others).await.is_some());
		let mut held = Vec::new();
		for response in flood {
			held.extend(answered(response).await);
		}
		assert_eq!(held.len() as u32, MAX_IN_FLIGHT_PER_PEER);
		// All are answered, but none is sent.
		assert!(answered(net.ask_status(flooder)).await.is_none());
		let (_, sent) = held.pop().unwrap();
		sent.send(()).unwrap();
		tokio::time::sleep(QUIET).await;
		assert!(answered(net.ask_status(flooder)).await.is_some());
		// An answer that the transport gave up counts no more either.
		drop(held);
		tokio::time::sleep(QUIET).await;
		assert!(answered(net.ask_status(flooder)).await.is_some());
	}

	#[tokio::test]
	async fn a_flood_hears_that_the_node_is_busy_as_long_as_it_listens() {
		let net = Net::new(Arc::default());
		let flooder = PeerId::random();
		let flood: Vec<_> = (0..40).map(|_| net.ask_status(flooder)).collect();
		net.reads(MAX_IN_FLIGHT_PER_PEER).await;
		let mut refusals = Vec::new();
		for response in flood.into_iter().skip(MAX_IN_FLIGHT_PER_PEER as usize) {
			refusals.extend(response.await.ok());
		}
		// The others get no answer at all.
		assert_eq!(refusals.len(), 8);
		assert!(refusals.iter().all(|refusal| refusal.result == Ok(busy(Protocol::Ctl))));
		refusals.into_iter().for_each(|refusal| refusal.sent_feedback.unwrap().send(()).unwrap());
		tokio::time::sleep(QUIET).await;
		assert_eq!(net.ask_range(flooder).await.unwrap().result, Ok(busy(Protocol::Sync)));
	}

	#[tokio::test]
	async fn a_flood_of_many_peers_is_bounded_in_total() {
		let net = Net::new(Arc::default());
		let flood: Vec<_> = (0..100).map(|_| net.ask_status(PeerId::random())).collect();
		net.reads(MAX_WORKING).await;
		net.source.set_open();
		let answers = futures::future::join_all(flood.into_iter().map(answered)).await;
		assert_eq!(answers.into_iter().flatten().count() as u32, MAX_WORKING);
	}

	#[tokio::test]
	async fn answers_that_nobody_takes_are_bounded_in_total() {
		let net = Net::new(Slow::open());
		let mut held = Vec::new();
		for _ in 0..100 {
			held.extend(answered(net.ask_range(PeerId::random())).await);
		}
		let bytes: usize = held.iter().map(|(bytes, _)| bytes.len()).sum();
		assert!(bytes <= MAX_ANSWER_BYTES, "{bytes}");
		assert!(held.len() > 30 && held[0].0.len() > LARGE);
		held.clear();
		tokio::time::sleep(QUIET).await;
		assert!(answered(net.ask_range(PeerId::random())).await.is_some());
	}

	#[tokio::test]
	async fn a_banned_peer_is_not_answered() {
		let net = Net::new(Slow::open());
		let liar = PeerId::random();
		let now = Clock::start().now().unix_ms;
		for _ in 0..2 {
			net.scores.lock().judge(&to_peer(&liar), Verdict::Invalid, now);
		}
		assert!(answered(net.ask_status(liar)).await.is_none());
		assert!(answered(net.ask_status(PeerId::random())).await.is_some());
		net.reads(1).await;
	}

	#[tokio::test]
	async fn what_is_no_message_costs_its_sender_and_two_lead_to_a_ban() {
		for payload in [vec![9; 10], vec![1; Protocol::Ctl.max_request_bytes() + 1]] {
			let net = Net::new(Slow::open());
			let sender = PeerId::random();
			for _ in 0..2 {
				let response = net.ask(sender, Protocol::Ctl, payload.clone()).await.unwrap();
				assert_eq!(response.result, Err(()));
				assert_eq!(response.reputation_changes, [MALFORMED]);
			}
			let now = Clock::start().now().unix_ms;
			assert!(net.scores.lock().is_banned(&to_peer(&sender), now));
			assert!(answered(net.ask_status(sender)).await.is_none());
		}
	}
}
