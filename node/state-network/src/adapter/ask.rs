//! Proofs from other nodes, for a reader that holds no copy.
//!
//! Nobody has to wait for the slow: when a node is silent for a few seconds, the next one is asked too, and the first proof that
//! holds ends the question, whoever gives it. So a row of silent nodes delays a reader, but does not keep it from a good one.

use super::{failure::to_failure, to_peer, Clock, ProtocolNames, FORGED, LOG};
use crate::{
	score::{Scores, Verdict},
	server::busy,
	sync::{check_proof, Failure, Fault},
	wire::{Protocol, Wire, XferRequest, XferResponse},
};
use dstp_primitives::{
	proof::{Proven, Query, TrustedRoot},
	ObjectId, StateRoot,
};
use futures::{future::BoxFuture, stream::FuturesUnordered, FutureExt, StreamExt};
use sc_network::{
	service::traits::NetworkService, IfDisconnected, OutboundFailure, PeerId, ProtocolName,
	RequestFailure,
};
use std::{collections::HashSet, time::Duration};

/// Most nodes that one question goes to, and that one search gives: anybody may put records into the DHT, and whoever fills it with
/// dead nodes must not make a reader knock at thousands of doors. Their answers together have at most 36 MiB.
pub const MAX_ASKED: usize = 16;

/// How long one question may take, however many nodes are asked.
pub const ASK_LIMIT: Duration = Duration::from_secs(60);

/// After this silence the next node is asked too.
const PATIENCE: Duration = Duration::from_secs(3);

// All are asked in time, and the last one has the time that its request may take.
const _: () = assert!(
	PATIENCE.as_millis() as u64 * (MAX_ASKED as u64 - 1) + Protocol::Xfer.timeout_ms()
		<= ASK_LIMIT.as_millis() as u64
);

/// Times of one question.
#[derive(Clone, Copy, Debug)]
struct Limits {
	/// See [`PATIENCE`].
	patience: Duration,
	/// How long one request may take.
	request: Duration,
	/// Pause before a node is asked once more.
	again: Duration,
	/// See [`ASK_LIMIT`].
	total: Duration,
}

impl Limits {
	const OURS: Self = Self {
		patience: PATIENCE,
		// The transport counts the protocol's time from the connection on, which may take 20 seconds to come up; nobody waits for it.
		request: Duration::from_millis(Protocol::Xfer.timeout_ms() + 20_000),
		again: Duration::from_secs(1),
		total: ASK_LIMIT,
	};
}

/// A question about a remote subtree at a head whose root the asker trusts, because it has it from finalised state of the hub.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
	/// The subtree; the query's path starts at its root object.
	pub subtree: ObjectId,
	/// Its registration.
	pub epoch: u64,
	/// The head.
	pub seq: u64,
	/// The root at that head.
	pub root: StateRoot,
	/// What is asked.
	pub query: Query,
}

/// Why there is no proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
	"none of {asked} nodes gave a proof that holds; look for other providers, or ask for a newer head"
)]
pub struct NoProof {
	/// Nodes that were asked; banned ones are not.
	pub asked: usize,
}

/// Asks nodes for a proof until one gives what holds. A forged proof costs its sender the score.
///
/// Asks at most [`MAX_ASKED`] different nodes: the first ones that are not banned, and never this node itself. They are asked in
/// their order, each once the one before has failed or was silent for 3 seconds, while answers of earlier ones still count. A node
/// that was not reached, refused or is busy is asked once more after a second. Each request has the time limit of [`Protocol::Xfer`] from
/// the connection on, and all together take at most [`ASK_LIMIT`].
pub async fn ask_proof(
	network: &dyn NetworkService,
	names: &ProtocolNames,
	scores: &Scores,
	providers: &[PeerId],
	question: &Question,
) -> Result<Proven, NoProof> {
	let Question { subtree, epoch, seq, ref query, .. } = *question;
	let request = XferRequest::Proof { subtree, epoch, seq, query: query.clone() }.to_bytes();
	let asks = OverNetwork { network, name: names.get(Protocol::Xfer), request };
	ask(&asks, Limits::OURS, scores, providers, question).await
}

type Answer = Result<Vec<u8>, RequestFailure>;

/// What asking needs of a network.
trait Asks: Sync {
	/// This node.
	fn local(&self) -> PeerId;
	/// Sends the question.
	fn ask(&self, provider: PeerId) -> BoxFuture<'_, Answer>;
	/// Tells the network of a forged proof.
	fn report(&self, provider: PeerId);
}

struct OverNetwork<'a> {
	network: &'a dyn NetworkService,
	name: &'a ProtocolName,
	request: Vec<u8>,
}

impl Asks for OverNetwork<'_> {
	fn local(&self) -> PeerId {
		self.network.local_peer_id()
	}

	fn ask(&self, provider: PeerId) -> BoxFuture<'_, Answer> {
		let (name, request) = (self.name.clone(), self.request.clone());
		let answer =
			self.network.request(provider, name, request, None, IfDisconnected::TryConnect);
		answer.map(|answer| answer.map(|(bytes, _)| bytes)).boxed()
	}

	fn report(&self, provider: PeerId) {
		self.network.report_peer(provider, FORGED);
	}
}

async fn ask(
	asks: &impl Asks,
	limits: Limits,
	scores: &Scores,
	providers: &[PeerId],
	question: &Question,
) -> Result<Proven, NoProof> {
	let clock = Clock::start();
	let mut waiting = choose(asks.local(), scores, providers, clock.now().unix_ms).into_iter();
	let mut pending = FuturesUnordered::new();
	let mut asked = 0;
	let end = tokio::time::sleep(limits.total);
	tokio::pin!(end);
	loop {
		match waiting.next() {
			Some(provider) => {
				asked += 1;
				pending.push(ask_one(asks, limits, provider));
			},
			None if pending.is_empty() => break,
			None => {},
		}
		tokio::select! {
			Some((provider, answer)) = pending.next() => {
				let proven = take(asks, scores, provider, answer, question, clock.now().unix_ms);
				if let Some(proven) = proven {
					return Ok(proven);
				}
			},
			() = tokio::time::sleep(limits.patience), if waiting.len() > 0 => {},
			() = &mut end => break,
		}
	}
	Err(NoProof { asked })
}

/// Whom to ask, in this order.
fn choose(local: PeerId, scores: &Scores, providers: &[PeerId], unix_ms: u64) -> Vec<PeerId> {
	let scores = scores.lock();
	let mut seen = HashSet::from([local]);
	let able = providers.iter().filter(|provider| {
		!scores.is_banned(&to_peer(provider), unix_ms) && seen.insert(**provider)
	});
	able.take(MAX_ASKED).copied().collect()
}

/// Asks one node, and once more if that may help: it is busy, or not reached. Two nodes that connect with each other at the same time,
/// or a connection that closes under a request, look like a node that is gone.
async fn ask_one(asks: &impl Asks, limits: Limits, provider: PeerId) -> (PeerId, Answer) {
	let answer = request(asks, limits, provider).await;
	let again = match &answer {
		Ok(bytes) => *bytes == busy(Protocol::Xfer),
		Err(failure) => {
			matches!(to_failure(failure, true), Failure::Unreachable | Failure::NotConnected)
		},
	};
	if !again {
		return (provider, answer);
	}
	log::debug!(target: LOG, "{provider} is asked for a proof once more");
	tokio::time::sleep(limits.again).await;
	(provider, request(asks, limits, provider).await)
}

async fn request(asks: &impl Asks, limits: Limits, provider: PeerId) -> Answer {
	// The transport may forget a request, so a time limit is kept here too.
	let answer = tokio::time::timeout(limits.request, asks.ask(provider)).await;
	answer.unwrap_or(Err(RequestFailure::Network(OutboundFailure::Timeout)))
}

/// Makes what is to be made of an answer.
fn take(
	asks: &impl Asks,
	scores: &Scores,
	provider: PeerId,
	answer: Answer,
	question: &Question,
	unix_ms: u64,
) -> Option<Proven> {
	let bytes = match answer {
		Ok(bytes) => bytes,
		Err(failure) => {
			log::debug!(target: LOG, "{provider} gave no proof: {failure}");
			return None;
		},
	};
	match check(&bytes, question) {
		Ok(Some(proven)) => {
			scores.lock().judge(&to_peer(&provider), Verdict::Useful, unix_ms);
			Some(proven)
		},
		Ok(None) => {
			let Question { subtree, seq, .. } = question;
			log::debug!(target: LOG, "{provider} has no proof about {subtree} at head {seq}");
			None
		},
		Err(fault) => {
			log::info!(target: LOG, "{provider} answered wrongly: {fault}");
			scores.lock().judge(&to_peer(&provider), Verdict::Invalid, unix_ms);
			asks.report(provider);
			None
		},
	}
}

/// `None`: the node has not got it.
fn check(bytes: &[u8], question: &Question) -> Result<Option<Proven>, Fault> {
	match XferResponse::from_bytes(bytes).map_err(|_| Fault::Malformed)? {
		XferResponse::NotServed | XferResponse::Busy => Ok(None),
		XferResponse::Proof(proof) => {
			let from = TrustedRoot { object: question.subtree, root: question.root };
			check_proof(*proof, &question.query, from).map(Some)
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dstp_primitives::{
		proof::Proof,
		trie::{empty_root, NodeSet},
		ObjectTree, Owner, TrieStorage,
	};
	use std::{collections::HashMap, sync::Mutex, time::Instant};

	const LIMITS: Limits = Limits {
		patience: Duration::from_millis(20),
		request: Duration::from_millis(2000),
		again: Duration::from_millis(20),
		total: Duration::from_millis(2000),
	};

	/// How a node answers.
	#[derive(Clone, Copy)]
	enum Node {
		HasNothing,
		Silent,
		/// At first only.
		RefusesOnce,
		Refuses,
		/// At first only.
		BusyOnce,
		SendsTooMuch,
		Forges,
		Proves,
		/// After so many times the patience of these tests.
		ProvesLate(u32),
	}

	/// Nodes with their answers, and what they were asked.
	struct Fake {
		local: PeerId,
		nodes: HashMap<PeerId, Node>,
		proof: Vec<u8>,
		asked: Mutex<Vec<PeerId>>,
		reported: Mutex<Vec<PeerId>>,
	}

	impl Asks for Fake {
		fn local(&self) -> PeerId {
			self.local
		}

		fn ask(&self, provider: PeerId) -> BoxFuture<'_, Answer> {
			let mut asked = self.asked.lock().unwrap();
			let first = !asked.contains(&provider);
			asked.push(provider);
			let answer = match self.nodes[&provider] {
				Node::Silent => return futures::future::pending().boxed(),
				Node::BusyOnce if first => Ok(busy(Protocol::Xfer)),
				Node::RefusesOnce if first => Err(RequestFailure::Refused),
				Node::Refuses => Err(RequestFailure::Refused),
				Node::SendsTooMuch => {
					let error = std::io::Error::from(std::io::ErrorKind::InvalidInput);
					Err(RequestFailure::Network(OutboundFailure::Io(error.into())))
				},
				Node::HasNothing => Ok(XferResponse::NotServed.to_bytes()),
				Node::Forges => {
					let mut forged = self.proof.clone();
					*forged.last_mut().unwrap() ^= 1;
					Ok(forged)
				},
				Node::ProvesLate(after) => {
					let proof = self.proof.clone();
					let wait = tokio::time::sleep(after * LIMITS.patience);
					return wait.map(|()| Ok(proof)).boxed();
				},
				Node::BusyOnce | Node::RefusesOnce | Node::Proves => Ok(self.proof.clone()),
			};
			futures::future::ready(answer).boxed()
		}

		fn report(&self, provider: PeerId) {
			self.reported.lock().unwrap().push(provider);
		}
	}

	/// A question about an empty namespace, and the answer that proves it.
	fn question() -> (Question, Vec<u8>) {
		let subtree = ObjectId([7; 32]);
		let mut tree = ObjectTree::new(TrieStorage::new(subtree, empty_root(), ()));
		tree.init_namespace(Owner::System, Default::default()).unwrap();
		tree.commit_roots().unwrap();
		tree.storage_mut().accept();
		let root = tree.storage().namespace_root();
		let nodes = tree.storage_mut().take_node_changes().into_iter().map(|(_, bytes, _)| bytes);
		let nodes = NodeSet::from_trusted(nodes);
		let query = Query::default();
		let from = TrustedRoot { object: subtree, root };
		let (proof, _) = Proof::make(from, &nodes, query.clone()).unwrap();
		let answer = XferResponse::Proof(Box::new(proof)).to_bytes();
		(Question { subtree, epoch: 1, seq: 1, root, query }, answer)
	}

	/// A network of these nodes.
	struct Net {
		fake: Fake,
		question: Question,
		providers: Vec<PeerId>,
		scores: Scores,
	}

	impl Net {
		fn new(nodes: impl IntoIterator<Item = Node>) -> Self {
			let nodes: Vec<_> = nodes.into_iter().map(|node| (PeerId::random(), node)).collect();
			let (question, proof) = question();
			let providers = nodes.iter().map(|(provider, _)| *provider).collect();
			let fake = Fake {
				local: PeerId::random(),
				nodes: nodes.into_iter().collect(),
				proof,
				asked: Mutex::default(),
				reported: Mutex::default(),
			};
			Self { fake, question, providers, scores: Scores::default() }
		}

		async fn ask(&self, limits: Limits) -> Result<Proven, NoProof> {
			ask(&self.fake, limits, &self.scores, &self.providers, &self.question).await
		}

		fn asked(&self) -> Vec<PeerId> {
			self.fake.asked.lock().unwrap().clone()
		}

		fn points(&self, index: usize) -> i32 {
			let now = Clock::start().now().unix_ms;
			self.scores.lock().points(&to_peer(&self.providers[index]), now)
		}
	}

	fn many(node: Node, count: usize) -> impl Iterator<Item = Node> {
		std::iter::repeat_n(node, count)
	}

	#[tokio::test]
	async fn sixteen_different_nodes_are_asked_in_their_order() {
		let mut net = Net::new(many(Node::HasNothing, 40));
		let different = net.providers.clone();
		net.providers = different.iter().flat_map(|provider| [*provider; 2]).collect();
		net.providers.insert(0, net.fake.local);
		assert_eq!(net.ask(LIMITS).await.unwrap_err(), NoProof { asked: MAX_ASKED });
		assert_eq!(net.asked(), different[..MAX_ASKED]);
	}

	#[tokio::test]
	async fn banned_nodes_do_not_count() {
		let net = Net::new(many(Node::Forges, MAX_ASKED).chain([Node::Proves]));
		let now = Clock::start().now().unix_ms;
		for forger in &net.providers[..MAX_ASKED] {
			for _ in 0..2 {
				net.scores.lock().judge(&to_peer(forger), Verdict::Invalid, now);
			}
		}
		net.ask(LIMITS).await.unwrap();
		assert_eq!(net.asked(), net.providers[MAX_ASKED..]);
		assert_eq!(net.points(MAX_ASKED), 1);
	}

	#[tokio::test]
	async fn the_seventeenth_is_not_asked() {
		let net = Net::new(many(Node::HasNothing, MAX_ASKED).chain([Node::Proves]));
		assert_eq!(net.ask(LIMITS).await.unwrap_err(), NoProof { asked: MAX_ASKED });
		assert!(!net.asked().contains(&net.providers[MAX_ASKED]));
	}

	#[tokio::test]
	async fn silence_ends_with_the_time_limit() {
		let net = Net::new(many(Node::Silent, 40));
		let limits = Limits { patience: Duration::from_millis(5), ..LIMITS };
		let limits = Limits { total: Duration::from_millis(500), ..limits };
		let start = Instant::now();
		assert_eq!(net.ask(limits).await.unwrap_err(), NoProof { asked: MAX_ASKED });
		assert!((500..5000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
		assert_eq!((0..40).map(|index| net.points(index)).sum::<i32>(), 0, "slow is no lie");
	}

	#[tokio::test]
	async fn a_request_ends_with_its_own_time_limit() {
		let net = Net::new(many(Node::Silent, 2));
		let limits = Limits { request: Duration::from_millis(50), ..LIMITS };
		let start = Instant::now();
		assert_eq!(net.ask(limits).await.unwrap_err(), NoProof { asked: 2 });
		assert!(start.elapsed() < limits.total);
		assert_eq!(net.asked().len(), 2, "who is too slow is not asked once more");
	}

	#[tokio::test]
	async fn silent_nodes_do_not_hide_a_good_one() {
		let net = Net::new(many(Node::Silent, MAX_ASKED - 1).chain([Node::Proves]));
		// As for real, four of them could use up the whole time.
		let limits = Limits { request: LIMITS.total / 4, ..LIMITS };
		net.ask(limits).await.unwrap();
		assert_eq!((net.asked(), net.points(MAX_ASKED - 1)), (net.providers.clone(), 1));
	}

	#[tokio::test]
	async fn a_late_answer_still_counts_when_others_are_asked() {
		let net = Net::new([Node::ProvesLate(5)].into_iter().chain(many(Node::Silent, 2)));
		net.ask(LIMITS).await.unwrap();
		assert_eq!((net.asked(), net.points(0)), (net.providers.clone(), 1));
	}

	#[tokio::test]
	async fn a_node_that_refuses_is_asked_once_more() {
		for node in [Node::RefusesOnce, Node::BusyOnce] {
			let net = Net::new([node]);
			net.ask(LIMITS).await.unwrap();
			assert_eq!(net.asked(), [net.providers[0]; 2]);
		}

		let net = Net::new([Node::Refuses]);
		assert_eq!(net.ask(LIMITS).await.unwrap_err(), NoProof { asked: 1 });
		assert_eq!((net.asked().len(), net.points(0)), (2, 0), "a refusal is no lie");
	}

	#[tokio::test]
	async fn a_node_that_sends_too_much_is_not_asked_once_more() {
		let net = Net::new([Node::SendsTooMuch, Node::Proves]);
		net.ask(LIMITS).await.unwrap();
		assert_eq!(net.asked(), net.providers);
	}

	#[tokio::test]
	async fn a_forged_proof_costs_its_sender_and_the_next_one_is_asked() {
		let net = Net::new([Node::Forges, Node::Proves]);
		net.ask(LIMITS).await.unwrap();
		assert!(net.points(0) < 0 && net.points(1) > 0);
		assert_eq!(*net.fake.reported.lock().unwrap(), [net.providers[0]]);
	}

	#[tokio::test]
	async fn nobody_to_ask_is_no_proof() {
		let mut net = Net::new([]);
		assert_eq!(net.ask(LIMITS).await.unwrap_err(), NoProof { asked: 0 });
		net.providers = vec![net.fake.local];
		assert_eq!(net.ask(LIMITS).await.unwrap_err(), NoProof { asked: 0 });
	}
}
