//! A follower over the network.

use super::{
	failure::to_failure,
	find::{draw, Lookups},
	provider_key, to_peer, to_peer_id, Clock, ProtocolNames, FORGED, LOG,
};
use crate::{
	peer::Peer,
	sync::{
		Action, Counters, Failure, Followed, Follower, Outcome, Phase, RequestId, Target, Usage,
	},
};
use dstp_primitives::head::HeadState;
use futures::{
	channel::oneshot, future::BoxFuture, stream::FuturesUnordered, FutureExt, StreamExt,
};
use sc_network::{
	service::traits::NetworkService, DhtEvent, Event, IfDisconnected, KademliaKey, PeerId,
	ProtocolName, ReputationChange,
};
use std::{sync::Arc, time::Duration};

const TICK: Duration = Duration::from_millis(200);
const BANNED: ReputationChange = ReputationChange::new_fatal("dstp: banned");

/// What the node tells a follower.
#[derive(Clone, Debug)]
pub enum Input {
	/// What the hub knows of the subtree at a finalised block.
	HubHead(u32, HeadState),
	/// Nodes that serve the subtree, by configuration or from elsewhere.
	Providers(Vec<PeerId>),
	/// A connection came up.
	Connected(PeerId),
	/// A connection is gone.
	Disconnected(PeerId),
	/// An announcement, see [`HeadAnnouncement`](crate::wire::HeadAnnouncement).
	Announcement(PeerId, Vec<u8>),
}

/// What a follower tells the node.
#[derive(Clone, Debug)]
pub enum Progress {
	/// See [`Action::Synced`].
	Synced(HeadState),
	/// See [`Action::Halted`].
	Halted(String),
	/// Where it stands; after every tick in which something changed.
	Status {
		/// What it is doing.
		phase: Phase,
		/// Connected providers.
		providers: usize,
		/// Counters since the start.
		counters: Counters,
		/// What it holds in memory.
		usage: Usage,
	},
}

type Answer = (RequestId, Result<Vec<u8>, Failure>);
type Answers = FuturesUnordered<BoxFuture<'static, Answer>>;

/// Runs a follower until `inputs` closes, and gives its target back.
///
/// The target is called within the task: run it where blocking is allowed.
pub async fn follow<T: Target>(
	network: Arc<dyn NetworkService>,
	names: ProtocolNames,
	followed: Followed,
	mut follower: Follower<T>,
	inputs: async_channel::Receiver<Input>,
	progress: impl Fn(Progress),
) -> T {
	let clock = Clock::start();
	let key = provider_key(followed.genesis, &followed.subtree);
	let mut events = network.event_stream("dstp-follow").fuse();
	let mut inputs = inputs.fuse();
	let mut answers = Answers::new();
	let mut ticks = tokio::time::interval(TICK);
	ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
	let mut lookups = Lookups::default();
	let mut last = None;
	loop {
		futures::select! {
			input = inputs.next() => match input {
				Some(input) => take_input(&mut follower, &clock, input),
				None => return follower.into_target(),
			},
			event = events.next() => if let Some(Event::Dht(event)) = event {
				lookups.take(&*network, &event);
				if let Some(others) = others(event, &key, network.local_peer_id()) {
					// Who cannot be reached yet is tried again, and then its address is known.
					lookups.start(&*network, &draw(others.iter().copied()));
					follower.on_providers(clock.now(), &others.iter().map(to_peer).collect::<Vec<_>>());
				}
			},
			answer = answers.select_next_some() => {
				let _: Outcome = match answer {
					(id, Ok(bytes)) => follower.on_response(clock.now(), id, &bytes),
					(id, Err(failure)) => follower.on_failure(clock.now(), id, failure),
				};
			},
			_ = ticks.tick().boxed().fuse() => {
				follower.tick(clock.now());
				let now = (follower.phase(), follower.providers(), follower.counters());
				if last.as_ref() != Some(&now) {
					let (phase, providers, counters) = now.clone();
					progress(Progress::Status { phase, providers, counters, usage: follower.usage() });
					last = Some(now);
				}
			},
		}
		for action in follower.take_actions() {
			carry_out((&*network, &names), &followed, &answers, &progress, action);
		}
	}
}

/// The providers that a lookup found, without this node.
fn others(event: DhtEvent, key: &KademliaKey, local: PeerId) -> Option<Vec<PeerId>> {
	match event {
		DhtEvent::ProvidersFound(of, mut peers) if of == *key => {
			peers.retain(|peer| *peer != local);
			Some(peers)
		},
		_ => None,
	}
}

fn take_input<T: Target>(follower: &mut Follower<T>, clock: &Clock, input: Input) {
	let now = clock.now();
	match input {
		Input::HubHead(number, head) => follower.on_hub_head(now, number, head),
		Input::Providers(peers) => {
			follower.on_providers(now, &peers.iter().map(to_peer).collect::<Vec<_>>())
		},
		Input::Connected(peer) => follower.on_peer_connected(now, &to_peer(&peer)),
		Input::Disconnected(peer) => follower.on_peer_disconnected(now, &to_peer(&peer)),
		Input::Announcement(peer, bytes) => {
			follower.on_announcement(now, &to_peer(&peer), &bytes);
		},
	}
}

fn carry_out(
	(network, names): (&dyn NetworkService, &ProtocolNames),
	followed: &Followed,
	answers: &Answers,
	progress: &impl Fn(Progress),
	action: Action,
) {
	match action {
		Action::Request { id, peer, protocol, payload, connect, timeout_ms } => {
			let limit = Duration::from_millis(timeout_ms);
			let name = names.get(protocol).clone();
			answers.push(request(network, id, &peer, (name, payload), connect, limit));
		},
		Action::FindProviders => {
			network.get_providers(provider_key(followed.genesis, &followed.subtree))
		},
		Action::Report { peer, outcome: Outcome::Invalid, fault } => {
			let reason = fault.map_or_else(String::new, |fault| fault.to_string());
			log::info!(target: LOG, "{peer:?} answered wrongly: {reason}");
			report(network, &peer, FORGED);
		},
		Action::Report { .. } => {},
		Action::Disconnect(peer) => report(network, &peer, BANNED),
		Action::Synced(head) => progress(Progress::Synced(head)),
		Action::Halted(reason) => progress(Progress::Halted(reason)),
	}
}

fn report(network: &dyn NetworkService, peer: &Peer, change: ReputationChange) {
	if let Some(peer) = to_peer_id(peer) {
		network.report_peer(peer, change);
	}
}

fn request(
	network: &dyn NetworkService,
	id: RequestId,
	peer: &Peer,
	(name, payload): (ProtocolName, Vec<u8>),
	connect: bool,
	limit: Duration,
) -> BoxFuture<'static, Answer> {
	let Some(peer) = to_peer_id(peer) else {
		return futures::future::ready((id, Err(Failure::Unreachable))).boxed();
	};
	let dial = if connect { IfDisconnected::TryConnect } else { IfDisconnected::ImmediateError };
	let (sender, receiver) = oneshot::channel();
	network.start_request(peer, name, payload, None, sender, dial);
	async move {
		// The transport may forget a request, so the time limit is kept here too.
		let result = match tokio::time::timeout(limit, receiver).await {
			Err(_) => Err(Failure::TimedOut),
			Ok(Err(_)) => Err(Failure::Unreachable),
			Ok(Ok(Ok((bytes, _)))) => Ok(bytes),
			Ok(Ok(Err(failure))) => {
				log::debug!(target: LOG, "{peer} gave no answer: {failure}");
				Err(to_failure(&failure, connect))
			},
		};
		(id, result)
	}
	.boxed()
}

#[cfg(test)]
mod tests {
	use super::{
		super::fake::{Call, FakeNetwork},
		*,
	};
	use crate::{
		sync::{ApplyError, Resume, TrieEntry, VerifiedRange},
		wire::{CtlResponse, Protocol, Wire},
		Scores,
	};
	use dstp_primitives::{batch::BatchEntry, head::Head, ObjectId, StateRoot};
	use sc_network::{Multiaddr, RequestFailure};
	use sp_core::H256;

	const FOLLOWED: Followed =
		Followed { genesis: H256::repeat_byte(9), subtree: ObjectId([7; 32]) };
	/// Longer than anything takes here.
	const LONG: Duration = Duration::from_secs(60);

	#[derive(Debug, thiserror::Error)]
	#[error("nothing is stored here")]
	struct Nothing;

	/// A copy that stays empty.
	struct Empty;

	impl Target for Empty {
		type Error = Nothing;

		fn head(&self) -> Result<Option<HeadState>, Nothing> {
			Ok(None)
		}

		fn resume(&self) -> Result<Option<Resume>, Nothing> {
			Ok(None)
		}

		fn begin(&mut self, _: &Resume) -> Result<(), Nothing> {
			Err(Nothing)
		}

		fn store(&mut self, _: Vec<VerifiedRange>, _: &Resume) -> Result<(), Nothing> {
			Err(Nothing)
		}

		fn stored_root(&self, _: &ObjectId) -> Result<Option<StateRoot>, Nothing> {
			Ok(None)
		}

		fn get(&self, _: &ObjectId, _: &[u8]) -> Result<Option<Vec<u8>>, Nothing> {
			Ok(None)
		}

		fn scan(&self, _: &ObjectId, _: &[u8], _: usize) -> Result<Vec<TrieEntry>, Nothing> {
			Ok(Vec::new())
		}

		fn finish(&mut self, _: &HeadState) -> Result<(), Nothing> {
			Err(Nothing)
		}

		fn apply(&mut self, _: &Head, _: &[BatchEntry]) -> Result<(), ApplyError<Nothing>> {
			Err(Nothing.into())
		}
	}

	fn names() -> ProtocolNames {
		ProtocolNames::new(ProtocolName::from)
	}

	/// A network with a follower that knows nobody.
	fn start() -> (Arc<FakeNetwork>, async_channel::Sender<Input>, Scores) {
		let (network, scores) = (Arc::new(FakeNetwork::new()), Scores::default());
		let (sender, inputs) = async_channel::unbounded();
		let follower = Follower::new(FOLLOWED, Empty, scores.clone(), 1).unwrap();
		let follow = follow(network.clone(), names(), FOLLOWED, follower, inputs, |_| {});
		tokio::spawn(follow.map(drop));
		(network, sender, scores)
	}

	fn key() -> KademliaKey {
		provider_key(FOLLOWED.genesis, &FOLLOWED.subtree)
	}

	#[tokio::test]
	async fn providers_from_the_dht_are_looked_up_and_asked_but_not_this_node() {
		let (network, _inputs, _) = start();
		network.until_calls(1).await;
		assert_eq!(network.calls(), [Call::FindProviders(key())]);
		let [provider, stranger] = [(); 2].map(|()| PeerId::random());
		let other = KademliaKey::from(vec![1; 32]);
		network.tell(DhtEvent::ProvidersFound(other, vec![stranger]));
		network.tell(DhtEvent::ProvidersFound(key(), vec![network.local(), provider]));
		network.until_calls(3).await;
		let ctl = names().get(Protocol::Ctl).clone();
		let calls = [Call::FindPeer(provider), Call::Request(provider, ctl, true)];
		assert_eq!(network.calls()[1..], calls);
		let address: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
		let closest = vec![(stranger, vec![address.clone()]), (provider, vec![address.clone()])];
		network.tell(DhtEvent::ClosestPeersFound(stranger, closest.clone()));
		network.tell(DhtEvent::ClosestPeersFound(provider, closest));
		network.until_calls(4).await;
		assert_eq!(network.calls()[3..], [Call::Address(provider, address)]);
	}

	#[tokio::test]
	async fn a_wrong_answer_costs_its_sender_with_the_transport_too() {
		let (network, inputs, scores) = start();
		let liar = PeerId::random();
		inputs.try_send(Input::Providers(vec![liar])).unwrap();
		network.until_calls(2).await;
		let reports =
			|| network.calls().into_iter().filter(|call| matches!(call, Call::Report(..)));
		for lies in 1..=2 {
			let mut requests = network.take_requests();
			while requests.is_empty() {
				tokio::time::sleep(Duration::from_millis(10)).await;
				requests = network.take_requests();
			}
			let answer = CtlResponse::Heads(Default::default()).to_bytes();
			let name = names().get(Protocol::Ctl).clone();
			requests.pop().unwrap().1.send(Ok((answer, name))).unwrap();
			while reports().count() < lies {
				tokio::time::sleep(Duration::from_millis(10)).await;
			}
		}
		let expected = [FORGED, FORGED, BANNED].map(|change| Call::Report(liar, change));
		while reports().count() < 3 {
			tokio::time::sleep(Duration::from_millis(10)).await;
		}
		assert_eq!(reports().collect::<Vec<_>>(), expected);
		assert!(scores.lock().is_banned(&to_peer(&liar), Clock::start().now().unix_ms));
	}

	#[tokio::test]
	async fn a_request_that_the_transport_forgets_ends_with_its_own_time_limit() {
		let network = FakeNetwork::new();
		let (name, provider) = (names().get(Protocol::Sync).clone(), PeerId::random());
		let ask = |peer: &Peer, limit| {
			request(&network, RequestId(1), peer, (name.clone(), vec![1]), false, limit)
		};
		let peer = to_peer(&provider);
		let ended = |failure| (RequestId(1), Err(failure));
		assert_eq!(ask(&peer, Duration::from_millis(20)).await, ended(Failure::TimedOut));
		let asked = ask(&peer, LONG);
		network.take_requests();
		assert_eq!(asked.await, ended(Failure::Unreachable), "the sender is dropped");
		let asked = ask(&peer, LONG);
		let (_, sender) = network.take_requests().pop().unwrap();
		sender.send(Err(RequestFailure::NotConnected)).unwrap();
		assert_eq!(asked.await, ended(Failure::NotConnected));
		let asked = ask(&peer, LONG);
		let (payload, sender) = network.take_requests().pop().unwrap();
		sender.send(Ok((vec![2], name.clone()))).unwrap();
		assert_eq!((payload, asked.await), (vec![1], (RequestId(1), Ok(vec![2]))));
		let nobody = Peer::new([1, 2, 3]).unwrap();
		assert_eq!(ask(&nobody, LONG).await, ended(Failure::Unreachable));
		assert_eq!(network.calls(), vec![Call::Request(provider, name.clone(), false); 4]);
	}
}
