//! Proofs from other nodes, for a reader that holds no copy.

use super::{provider_key, to_peer, Clock, ProtocolNames, LOG};
use crate::{
	score::{Scores, Verdict},
	sync::{check_proof, Fault},
	wire::{Protocol, Wire, XferRequest, XferResponse},
};
use dstp_primitives::{
	proof::{Proven, Query, TrustedRoot},
	ObjectId, StateRoot,
};
use futures::StreamExt;
use rand::seq::SliceRandom;
use sc_network::{
	service::traits::NetworkService, DhtEvent, Event, IfDisconnected, PeerId, ReputationChange,
};
use sp_core::H256;
use std::time::Duration;

const FORGED: ReputationChange = ReputationChange::new(-(1 << 28), "dstp: forged proof");

/// How often a lookup is repeated: on a small network the first one may reach nobody.
const LOOKUP: Duration = Duration::from_secs(5);

/// Most nodes that one question goes to, and that one search gives: anybody may put records into the DHT, and whoever fills it with
/// dead nodes must not make a reader knock at thousands of doors.
pub const MAX_ASKED: usize = 16;

/// How long one question may take, however many nodes are asked: four of them may use up their time.
pub const ASK_LIMIT: Duration = Duration::from_secs(60);

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

/// Asks nodes for a proof, one after the other, until one gives what holds. A forged proof costs its sender the score.
///
/// Asks at most [`MAX_ASKED`] nodes, the first ones that are not banned. Takes at most the time limit of [`Protocol::Xfer`] per node,
/// and [`ASK_LIMIT`] in all.
pub async fn ask_proof(
	network: &dyn NetworkService,
	names: &ProtocolNames,
	scores: &Scores,
	providers: &[PeerId],
	question: &Question,
) -> Result<Proven, NoProof> {
	let clock = Clock::start();
	let end = tokio::time::Instant::now() + ASK_LIMIT;
	let mut asked = 0;
	for provider in providers {
		let peer = to_peer(provider);
		if scores.lock().is_banned(&peer, clock.now().unix_ms) {
			continue;
		}
		if asked == MAX_ASKED {
			break;
		}
		asked += 1;
		let answer = request(network, names, *provider, question);
		let Ok(answer) = tokio::time::timeout_at(end, answer).await else { break };
		let Some(bytes) = answer else { continue };
		match check(&bytes, question) {
			Ok(Some(proven)) => {
				scores.lock().judge(&peer, Verdict::Useful, clock.now().unix_ms);
				return Ok(proven);
			},
			Ok(None) => {},
			Err(fault) => {
				log::info!(target: LOG, "{peer:?} answered wrongly: {fault}");
				scores.lock().judge(&peer, Verdict::Invalid, clock.now().unix_ms);
				network.report_peer(*provider, FORGED);
			},
		}
	}
	Err(NoProof { asked })
}

async fn request(
	network: &dyn NetworkService,
	names: &ProtocolNames,
	provider: PeerId,
	question: &Question,
) -> Option<Vec<u8>> {
	let Question { subtree, epoch, seq, ref query, .. } = *question;
	let request = XferRequest::Proof { subtree, epoch, seq, query: query.clone() }.to_bytes();
	let name = names.get(Protocol::Xfer).clone();
	let answer = network.request(provider, name, request, None, IfDisconnected::TryConnect);
	// The transport may forget a request, so the time limit is kept here too.
	let limit = Duration::from_millis(Protocol::Xfer.timeout_ms());
	tokio::time::timeout(limit, answer).await.ok()?.ok().map(|(bytes, _)| bytes)
}

/// `None`: the node has not got it.
fn check(bytes: &[u8], question: &Question) -> Result<Option<Proven>, Fault> {
	match XferResponse::from_bytes(bytes).map_err(|_| Fault::Malformed)? {
		XferResponse::NotServed => Ok(None),
		XferResponse::Proof(proof) => {
			let from = TrustedRoot { object: question.subtree, root: question.root };
			check_proof(*proof, &question.query, from).map(Some)
		},
	}
}

/// Looks in the DHT for nodes that serve a subtree, until it finds some or the time is over; then there are none. Gives at most
/// [`MAX_ASKED`], drawn by lot: if more say that they serve it, those who came first in the answer must not decide alone.
pub async fn find_providers(
	network: &dyn NetworkService,
	genesis: H256,
	subtree: &ObjectId,
	limit: Duration,
) -> Vec<PeerId> {
	let key = provider_key(genesis, subtree);
	let mut events = network.event_stream("dstp-find-providers");
	let search = async {
		loop {
			network.get_providers(key.clone());
			let found = async {
				loop {
					match events.next().await? {
						Event::Dht(DhtEvent::ProvidersFound(found, peers))
							if found == key && !peers.is_empty() =>
						{
							return Some(peers)
						},
						_ => {},
					}
				}
			};
			// The stream ends with the network.
			if let Ok(found) = tokio::time::timeout(LOOKUP, found).await {
				return found.unwrap_or_default();
			}
		}
	};
	let mut found = tokio::time::timeout(limit, search).await.unwrap_or_default();
	found.shuffle(&mut rand::thread_rng());
	found.truncate(MAX_ASKED);
	found
}
