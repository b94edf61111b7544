//! Provider records: who serves a subtree.
//!
//! Neither transport tells whether a record arrived anywhere: one says so without a single peer, the other wants more of them than a
//! small network has, and both answer a lookup with the record that they keep themselves. So a record is announced only to somebody,
//! again when somebody new may not have it, and again after ever longer pauses until a lookup finds other providers, which shows that
//! the DHT answers.
//!
//! Both transports announce it again by themselves every few hours, well within the time that a record lives. With litep2p each
//! announcement adds one that repeats itself for ever, therefore their number must stay small: the pauses grow without an end.

use super::LOG;
use dstp_primitives::ObjectId;
use futures::{FutureExt, StreamExt};
use sc_network::{service::traits::NetworkService, DhtEvent, Event, KademliaKey, PeerId};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::Arc,
	time::Duration,
};
use tokio::time::Instant;

/// Pause after the first announcement of a record; each further one is half as long again. In a year there are 34.
const FIRST_PAUSE: Duration = Duration::from_secs(20);

/// How often it is looked whether there is something to announce. A peer takes part in the DHT only a moment after its connection
/// came up.
const TICK: Duration = Duration::from_secs(2);

/// The DHT key of "who serves this subtree": `blake2_256("dstp/provider/v1" ++ genesis ++ subtree)`.
pub fn provider_key(genesis: H256, subtree: &ObjectId) -> KademliaKey {
	let input = [&b"dstp/provider/v1"[..], genesis.as_bytes(), &subtree.0].concat();
	KademliaKey::from(blake2_256(&input).to_vec())
}

/// What the node tells [`provide`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Providing {
	/// This node serves the subtree from now on.
	Subtree(ObjectId),
	/// A connection came up.
	Connected(PeerId),
	/// A connection is gone.
	Disconnected(PeerId),
}

/// Announces that this node serves the subtrees that come in, until the channel closes.
pub async fn provide(
	network: Arc<dyn NetworkService>,
	genesis: H256,
	inputs: async_channel::Receiver<Providing>,
) {
	provide_with(network, genesis, inputs, (TICK, FIRST_PAUSE)).await
}

async fn provide_with(
	network: Arc<dyn NetworkService>,
	genesis: H256,
	inputs: async_channel::Receiver<Providing>,
	(tick, pause): (Duration, Duration),
) {
	let local = network.local_peer_id();
	let mut events = network.event_stream("dstp-provide").fuse();
	let mut inputs = inputs.fuse();
	let mut records = Records::new(pause);
	let mut ticks = tokio::time::interval(tick);
	ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
	loop {
		futures::select! {
			input = inputs.next() => match input {
				Some(Providing::Subtree(subtree)) => records.add(&provider_key(genesis, &subtree)),
				Some(Providing::Connected(peer)) => records.connected(peer),
				Some(Providing::Disconnected(peer)) => records.disconnected(&peer),
				None => return,
			},
			event = events.next() => match event {
				Some(Event::Dht(DhtEvent::ProvidersFound(key, peers))) =>
					records.found(&key, &peers, local),
				Some(_) => {},
				None => return,
			},
			_ = ticks.tick().boxed().fuse() => for key in records.due(Instant::now()) {
				log::debug!(target: LOG, "announcing a provider record");
				network.start_providing(key.clone());
				network.get_providers(key);
			},
		}
	}
}

/// The records of this node, and which of them are to be announced when.
struct Records {
	first_pause: Duration,
	/// As many as the node has connections.
	connected: BTreeSet<PeerId>,
	/// By key.
	records: BTreeMap<Vec<u8>, Record>,
}

#[derive(Default)]
struct Record {
	/// Somebody came since the last announcement.
	wanted: bool,
	/// A lookup found other providers since then.
	seen: bool,
	/// Not announced before; `None` before the first time.
	next: Option<Instant>,
	/// Pause after the last announcement.
	pause: Duration,
}

impl Records {
	fn new(first_pause: Duration) -> Self {
		Self { first_pause, connected: BTreeSet::new(), records: BTreeMap::new() }
	}

	fn add(&mut self, key: &KademliaKey) {
		self.records.entry(key.to_vec()).or_default();
	}

	fn connected(&mut self, peer: PeerId) {
		// Who comes back may have forgotten what it knew.
		if self.connected.insert(peer) {
			self.records.values_mut().for_each(|record| record.wanted = true);
		}
	}

	fn disconnected(&mut self, peer: &PeerId) {
		self.connected.remove(peer);
	}

	/// A lookup found these providers; the own record proves nothing.
	fn found(&mut self, key: &KademliaKey, peers: &[PeerId], local: PeerId) {
		if self.connected.is_empty() || peers.iter().all(|peer| *peer == local) {
			return;
		}
		if let Some(record) = self.records.get_mut(&key.to_vec()) {
			record.seen = record.next.is_some();
		}
	}

	/// What is to be announced now.
	fn due(&mut self, now: Instant) -> Vec<KademliaKey> {
		if self.connected.is_empty() {
			return Vec::new();
		}
		let mut due = Vec::new();
		for (key, record) in &mut self.records {
			if record.next.is_some_and(|next| now < next || record.seen && !record.wanted) {
				continue;
			}
			record.pause = match record.next {
				None => self.first_pause,
				Some(_) => record.pause.saturating_add(record.pause / 2),
			};
			(record.wanted, record.seen) = (false, false);
			record.next = Some(now.checked_add(record.pause).unwrap_or(now));
			due.push(KademliaKey::from(key.clone()));
		}
		due
	}
}

#[cfg(test)]
mod tests {
	use super::{
		super::fake::{Call, FakeNetwork},
		*,
	};

	const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

	fn key(byte: u8) -> KademliaKey {
		provider_key(H256::zero(), &ObjectId([byte; 32]))
	}

	/// Times of announcements within `length`, by a tick a second for a minute and one each minute after that.
	fn announced(records: &mut Records, start: Instant, length: Duration) -> Vec<Duration> {
		let mut times = Vec::new();
		let mut at = Duration::ZERO;
		while at < length {
			let due = records.due(start + at);
			times.extend(due.iter().map(|_| at));
			at += Duration::from_secs(if at.as_secs() < 60 { 1 } else { 60 });
		}
		times
	}

	#[test]
	fn nothing_is_announced_to_nobody() {
		let start = Instant::now();
		let mut records = Records::new(FIRST_PAUSE);
		records.add(&key(1));
		assert_eq!(records.due(start), []);
		let peer = PeerId::random();
		records.connected(peer);
		records.disconnected(&peer);
		assert_eq!(records.due(start), []);
		records.connected(peer);
		assert_eq!(records.due(start), [key(1)]);
		records.add(&key(2));
		records.add(&key(1));
		assert_eq!(records.due(start), [key(2)]);
	}

	#[test]
	fn a_lonely_provider_announces_with_growing_pauses() {
		let mut records = Records::new(FIRST_PAUSE);
		records.add(&key(1));
		records.connected(PeerId::random());
		let times = announced(&mut records, Instant::now(), YEAR);
		assert_eq!(times[..3].iter().map(Duration::as_secs).collect::<Vec<_>>(), [0, 20, 50]);
		assert!((30..40).contains(&times.len()), "{}", times.len());
	}

	#[test]
	fn the_own_record_proves_nothing_and_another_ones_that_the_dht_answers() {
		let (start, local) = (Instant::now(), PeerId::random());
		let mut records = Records::new(FIRST_PAUSE);
		records.add(&key(1));
		// Before somebody is connected, what is found is the own store's.
		records.found(&key(1), &[PeerId::random()], local);
		records.connected(PeerId::random());
		records.found(&key(1), &[PeerId::random()], local);
		assert_eq!(records.due(start), [key(1)]);
		records.found(&key(1), &[local], local);
		records.found(&key(2), &[PeerId::random()], local);
		let mut at = start + FIRST_PAUSE;
		assert_eq!(records.due(at), [key(1)]);
		records.found(&key(1), &[local, PeerId::random()], local);
		at += YEAR;
		assert_eq!(records.due(at), []);
	}

	#[test]
	fn each_new_peer_is_announced_to_but_not_one_by_one_for_ever() {
		let (start, local) = (Instant::now(), PeerId::random());
		let mut records = Records::new(FIRST_PAUSE);
		records.add(&key(1));
		records.connected(PeerId::random());
		assert_eq!(records.due(start), [key(1)]);
		records.found(&key(1), &[PeerId::random()], local);
		let new = PeerId::random();
		records.connected(new);
		assert_eq!(records.due(start + FIRST_PAUSE / 2), []);
		assert_eq!(records.due(start + FIRST_PAUSE), [key(1)]);
		records.found(&key(1), &[PeerId::random()], local);
		// The same connection is no news; one that comes back is.
		records.connected(new);
		assert_eq!(records.due(start + 10 * FIRST_PAUSE), []);
		records.disconnected(&new);
		records.connected(new);
		assert_eq!(records.due(start + 10 * FIRST_PAUSE), [key(1)]);
		// A year with a new peer a minute.
		let mut count = 0;
		for minute in 0..365 * 24 * 60 {
			records.connected(PeerId::random());
			records.connected.clear();
			records.connected.insert(new);
			let at = start + 20 * FIRST_PAUSE + Duration::from_secs(60 * minute);
			count += records.due(at).len();
			records.found(&key(1), &[PeerId::random()], local);
		}
		assert!((20..40).contains(&count), "{count}");
	}

	#[tokio::test]
	async fn records_are_announced_and_looked_up_over_the_network() {
		let network = Arc::new(FakeNetwork::new());
		let (sender, inputs) = async_channel::unbounded();
		// The second is longer than a busy machine leaves a task alone.
		let times = (Duration::from_millis(10), Duration::from_secs(1));
		let task = tokio::spawn(provide_with(network.clone(), H256::zero(), inputs, times));
		sender.try_send(Providing::Subtree(ObjectId([1; 32]))).unwrap();
		tokio::time::sleep(Duration::from_millis(100)).await;
		assert_eq!(network.calls(), [], "nobody is there");
		// As a lookup of somebody else in this node would find.
		network.tell(DhtEvent::ProvidersFound(key(1), vec![network.local()]));
		sender.try_send(Providing::Connected(PeerId::random())).unwrap();
		let expected = [Call::Provide(key(1)), Call::FindProviders(key(1))];
		network.until_calls(2).await;
		assert_eq!(network.calls(), expected);
		network.tell(DhtEvent::ProvidersFound(key(1), vec![network.local()]));
		network.until_calls(4).await;
		assert_eq!(network.calls()[2..], expected);
		network.tell(DhtEvent::ProvidersFound(key(1), vec![network.local(), PeerId::random()]));
		tokio::time::sleep(Duration::from_secs(3)).await;
		assert_eq!(network.calls().len(), 4);
		sender.close();
		task.await.unwrap();
	}
}
