//! Who serves a subtree, and where they are, from the DHT.
//!
//! A provider record names a node, and often not where it is: a libp2p node announces only addresses that others have confirmed,
//! and on small networks nobody has. So the DHT is asked for the addresses too.

use super::{ask::MAX_ASKED, provider_key};
use dstp_primitives::ObjectId;
use futures::{
	stream::{Fuse, FusedStream},
	Stream, StreamExt,
};
use rand::seq::SliceRandom;
use sc_network::{
	service::traits::NetworkService, DhtEvent, Event, KademliaKey, Multiaddr, PeerId,
};
use sp_core::H256;
use std::{
	collections::{BTreeMap, BTreeSet},
	time::Duration,
};
use tokio::time::Instant;

/// How long a lookup may find nothing before it is begun anew: on a small network the first one may reach nobody.
const LOOKUP: Duration = Duration::from_secs(5);

/// Pause after a lookup that ended without a provider.
const PAUSE: Duration = Duration::from_secs(1);

/// How long more providers are waited for after the first: with libp2p each asked node's records come by themselves, and the node
/// that answers first must not decide alone.
const MORE: Duration = Duration::from_secs(2);

/// Most providers that one lookup gathers: honest records of one subtree are far fewer.
const MAX_GATHERED: usize = 1024;

/// How long addresses are looked up. Who is not found by then may still be reached by the address in its record.
const LOCATE: Duration = Duration::from_secs(5);

/// Most addresses that are taken of one node: it has few, and whoever lists hundreds wants others to dial for it.
const MAX_ADDRESSES: usize = 16;

/// A node's addresses are not looked up again within this time, and at most [`MAX_ASKED`] nodes are within it: everybody may put
/// records of nodes that do not exist into the DHT, and each lookup asks many.
const LOCATE_AGAIN: Duration = Duration::from_secs(30);

/// Nobody waits longer for providers, and the clock cannot count for ever.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Looks in the DHT for nodes that serve a subtree, until it finds some or the time is over; then there are none. Gives at most
/// [`MAX_ASKED`], and never this node itself, drawn by lot: if more say that they serve it, those who came first in the answer must
/// not decide alone.
///
/// Afterwards it looks up where they are, which takes up to 5 seconds, and never longer than `limit`, of
/// which at most a day counts.
pub async fn find_providers(
	network: &dyn NetworkService,
	genesis: H256,
	subtree: &ObjectId,
	limit: Duration,
) -> Vec<PeerId> {
	let end = Instant::now() + limit.min(LONGEST);
	let key = provider_key(genesis, subtree);
	let mut events = network.event_stream("dstp-find-providers").fuse();
	let mut found = BTreeSet::new();
	// The stream ends with the network.
	while found.is_empty() && Instant::now() < end && !events.is_terminated() {
		network.get_providers(key.clone());
		found = gather(&mut events, &key, network.local_peer_id(), end, MORE).await;
		if found.is_empty() {
			tokio::time::sleep_until(end.min(Instant::now() + PAUSE)).await;
		}
	}
	let drawn = draw(found);
	let mut lookups = Lookups::default();
	lookups.start(network, &drawn);
	let end = end.min(Instant::now() + LOCATE);
	while !lookups.are_done() {
		let Ok(Some(event)) = tokio::time::timeout_at(end, events.next()).await else { break };
		if let Event::Dht(event) = event {
			lookups.take(network, &event);
		}
	}
	drawn
}

/// What a lookup finds until it ends.
async fn gather(
	events: &mut Fuse<impl Stream<Item = Event> + Unpin>,
	key: &KademliaKey,
	local: PeerId,
	end: Instant,
	more: Duration,
) -> BTreeSet<PeerId> {
	let mut found = BTreeSet::new();
	let mut end_of_lookup = end.min(Instant::now() + LOOKUP);
	while let Ok(Some(event)) = tokio::time::timeout_at(end_of_lookup, events.next()).await {
		match event {
			Event::Dht(DhtEvent::ProvidersFound(of, peers)) if of == *key => {
				let first = found.is_empty();
				let room = MAX_GATHERED - found.len();
				found.extend(peers.into_iter().filter(|peer| *peer != local).take(room));
				if first && !found.is_empty() {
					end_of_lookup = end.min(Instant::now() + more);
				}
			},
			Event::Dht(DhtEvent::NoMoreProviders(of) | DhtEvent::ProvidersNotFound(of))
				if of == *key =>
			{
				break
			},
			_ => {},
		}
	}
	found
}

/// As many as are asked, by lot.
pub(super) fn draw(found: impl IntoIterator<Item = PeerId>) -> Vec<PeerId> {
	let mut drawn: Vec<_> = found.into_iter().collect();
	drawn.shuffle(&mut rand::thread_rng());
	drawn.truncate(MAX_ASKED);
	drawn
}

/// Lookups of nodes' addresses, at most [`MAX_ASKED`].
#[derive(Default)]
pub(super) struct Lookups(BTreeMap<PeerId, Lookup>);

struct Lookup {
	begun: Instant,
	ended: bool,
}

impl Lookups {
	/// Looks up those that were not looked up just now.
	pub(super) fn start(&mut self, network: &dyn NetworkService, peers: &[PeerId]) {
		for peer in self.begin(peers, Instant::now()) {
			network.find_closest_peers(peer);
		}
	}

	/// Makes the addresses known that a lookup found.
	pub(super) fn take(&mut self, network: &dyn NetworkService, event: &DhtEvent) {
		let Some((peer, addresses)) = self.found(event) else { return };
		for address in addresses {
			network.add_known_address(peer, address);
		}
	}

	fn begin(&mut self, peers: &[PeerId], now: Instant) -> Vec<PeerId> {
		self.0.retain(|_, lookup| now.duration_since(lookup.begun) < LOCATE_AGAIN);
		let new: BTreeSet<_> =
			peers.iter().copied().filter(|peer| !self.0.contains_key(peer)).collect();
		let new: Vec<_> = new.into_iter().take(MAX_ASKED - self.0.len()).collect();
		self.0.extend(new.iter().map(|peer| (*peer, Lookup { begun: now, ended: false })));
		new
	}

	/// The addresses, if the event ends a lookup and tells them.
	fn found(&mut self, event: &DhtEvent) -> Option<(PeerId, Vec<Multiaddr>)> {
		let (target, closest) = match event {
			DhtEvent::ClosestPeersFound(target, closest) => (target, &closest[..]),
			DhtEvent::ClosestPeersNotFound(target) => (target, &[][..]),
			_ => return None,
		};
		let lookup = self.0.get_mut(target)?;
		lookup.ended = true;
		let (peer, addresses) = closest.iter().find(|(peer, _)| peer == target)?;
		Some((*peer, addresses.iter().take(MAX_ADDRESSES).cloned().collect()))
	}

	/// Whether all have ended.
	fn are_done(&self) -> bool {
		self.0.values().all(|lookup| lookup.ended)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use futures::stream;

	fn peers(count: usize) -> Vec<PeerId> {
		(0..count).map(|_| PeerId::random()).collect()
	}

	fn key(byte: u8) -> KademliaKey {
		KademliaKey::from(vec![byte; 32])
	}

	/// What is found in these events, after which nothing happens; and whether the lookup ended before its time limit.
	async fn gathered(
		events: impl IntoIterator<Item = DhtEvent>,
		local: PeerId,
		limit: Duration,
	) -> (BTreeSet<PeerId>, bool) {
		let events = stream::iter(events.into_iter().map(Event::Dht)).chain(stream::pending());
		let end = Instant::now() + limit;
		let found = gather(&mut events.fuse(), &key(1), local, end, SHORT).await;
		(found, Instant::now() < end)
	}

	const LONG: Duration = Duration::from_secs(60);
	const SHORT: Duration = Duration::from_millis(50);

	#[tokio::test]
	async fn providers_are_gathered_until_there_are_no_more() {
		let all = peers(4);
		let events = [
			DhtEvent::ProvidersFound(key(2), vec![PeerId::random()]),
			DhtEvent::NoMoreProviders(key(2)),
			DhtEvent::ProvidersFound(key(1), vec![]),
			DhtEvent::ProvidersFound(key(1), vec![all[0], all[1]]),
			DhtEvent::ProvidersFound(key(1), vec![all[1], all[2]]),
			DhtEvent::NoMoreProviders(key(1)),
			DhtEvent::ProvidersFound(key(1), vec![all[3]]),
		];
		let found = gathered(events, PeerId::random(), LONG).await;
		assert_eq!(found, (all[..3].iter().copied().collect(), true));
	}

	#[tokio::test]
	async fn a_lookup_that_does_not_end_is_not_waited_for() {
		let all = peers(2);
		let events = all.iter().map(|peer| DhtEvent::ProvidersFound(key(1), vec![*peer]));
		let found = gathered(events, PeerId::random(), LONG).await;
		assert_eq!(found, (all.iter().copied().collect(), true));
	}

	#[tokio::test]
	async fn this_node_is_not_found() {
		let local = PeerId::random();
		let own = DhtEvent::ProvidersFound(key(1), vec![local]);
		let found = gathered([own, DhtEvent::ProvidersNotFound(key(1))], local, LONG).await;
		assert_eq!(found, (BTreeSet::new(), true));
	}

	#[tokio::test]
	async fn a_crowd_of_providers_is_bounded_and_sixteen_are_drawn() {
		let local = PeerId::random();
		let mut crowd = peers(2 * MAX_GATHERED);
		crowd.push(local);
		let events = [DhtEvent::ProvidersFound(key(1), crowd)];
		let (found, _) = gathered(events, local, LONG).await;
		assert_eq!((found.len(), found.contains(&local)), (MAX_GATHERED, false));
		let drawn: BTreeSet<_> = draw(found.iter().copied().take(100)).into_iter().collect();
		assert_eq!(drawn.len(), MAX_ASKED);
		assert!(drawn.is_subset(&found));
	}

	#[test]
	fn the_addresses_of_those_who_are_looked_up_are_taken() {
		let [asked, other, absent] = [(); 3].map(|()| PeerId::random());
		let now = Instant::now();
		let mut lookups = Lookups::default();
		assert!(lookups.are_done());
		assert_eq!(lookups.begin(&[asked], now), [asked]);
		assert_eq!(lookups.begin(&[asked, absent], now), [absent]);
		let address =
			|port: u16| format!("/ip4/127.0.0.1/tcp/{port}").parse::<Multiaddr>().unwrap();
		let all: Vec<_> = (0..40).map(address).collect();
		let closest = vec![(other, vec![address(99)]), (asked, all.clone())];
		assert_eq!(lookups.found(&DhtEvent::ClosestPeersFound(other, closest.clone())), None);
		let found = lookups.found(&DhtEvent::ClosestPeersFound(asked, closest.clone()));
		assert_eq!(found, Some((asked, all[..MAX_ADDRESSES].to_vec())));
		assert!(!lookups.are_done());
		assert_eq!(lookups.found(&DhtEvent::ClosestPeersFound(absent, closest)), None);
		assert!(lookups.are_done());
		assert_eq!(lookups.begin(&[asked], now + LOCATE_AGAIN), [asked]);
		assert!(!lookups.are_done());
		assert_eq!(lookups.found(&DhtEvent::ClosestPeersNotFound(asked)), None);
		assert!(lookups.are_done());
	}

	#[test]
	fn lookups_are_bounded_however_many_are_found() {
		let now = Instant::now();
		let mut lookups = Lookups::default();
		assert_eq!(lookups.begin(&peers(100), now).len(), MAX_ASKED);
		assert_eq!(lookups.begin(&peers(100), now), []);
		assert_eq!(lookups.begin(&peers(100), now + LOCATE_AGAIN).len(), MAX_ASKED);
	}
}
