//! A follower over the network.

use super::{
	failure::to_failure,
	find::{draw, Lookups},
	provider_key, to_peer, to_peer_id, Clock, ProtocolNames, LOG,
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
const INVALID: ReputationChange = ReputationChange::new(-(1 << 28), "dstp: forged answer");
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
			report(network, &peer, INVALID);
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
