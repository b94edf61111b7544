//! Who is connected, and announcements of heads.

use dstp_primitives::ObjectId;
use dstp_state_network::{
	adapter::{to_peer, Input, Providing},
	score::Verdict,
	wire::{HeadAnnouncement, Wire},
	Scores,
};
use futures::{FutureExt, Stream, StreamExt};
use parking_lot::Mutex;
use sc_network::{
	multiaddr::{Multiaddr, Protocol},
	service::traits::{NetworkService, NotificationEvent, ValidationResult},
	NotificationService, PeerId, ReputationChange,
};
use sc_network_sync::{SyncEvent, SyncEventStream};
use std::{
	collections::{BTreeMap, BTreeSet, HashSet},
	sync::Arc,
	time::{SystemTime, UNIX_EPOCH},
};

/// What may wait for one follower. Announcements take half of it at most: a flood of them must not displace anything else.
pub(super) const MAX_INPUTS: usize = 512;

const MALFORMED: ReputationChange =
	ReputationChange::new(-(1 << 26), "dstp: malformed announcement");

/// Connected nodes, and the followers that are told of them.
pub(super) struct Peers {
	scores: Scores,
	/// Who announces provider records.
	provide: async_channel::Sender<Providing>,
	inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
	connected: BTreeSet<PeerId>,
	followers: BTreeMap<ObjectId, async_channel::Sender<Input>>,
}

impl Peers {
	pub(super) fn new(scores: Scores, provide: async_channel::Sender<Providing>) -> Self {
		Self { scores, provide, inner: Mutex::default() }
	}

	/// Tells a follower of everybody who is connected or comes later; replaces that of an earlier registration.
	pub(super) fn join(&self, subtree: ObjectId, inputs: async_channel::Sender<Input>) {
		let mut inner = self.inner.lock();
		for peer in &inner.connected {
			// A follower that is new has room for more than a node has connections.
			let _ = inputs.try_send(Input::Connected(*peer));
		}
		inner.followers.insert(subtree, inputs);
	}

	fn connected(&self, peer: PeerId) {
		let mut inner = self.inner.lock();
		inner.connected.insert(peer);
		for inputs in inner.followers.values() {
			// A follower whose queue is full hears of the node by the DHT.
			let _ = inputs.try_send(Input::Connected(peer));
		}
		// It looks at its queue all the time; a connection that it misses is not the last one.
		let _ = self.provide.try_send(Providing::Connected(peer));
	}

	fn disconnected(&self, peer: PeerId) {
		let mut inner = self.inner.lock();
		inner.connected.remove(&peer);
		for inputs in inner.followers.values() {
			// A follower whose queue is full notices it by itself.
			let _ = inputs.try_send(Input::Disconnected(peer));
		}
		let _ = self.provide.try_send(Providing::Disconnected(peer));
	}

	/// Hands an announcement to the follower that it is about; whether it is one at all.
	fn announced(&self, peer: PeerId, bytes: Vec<u8>) -> bool {
		let Ok(announcement) = HeadAnnouncement::from_bytes(&bytes) else {
			let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
			let unix_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
			self.scores.lock().judge(&to_peer(&peer), Verdict::Invalid, unix_ms);
			return false;
		};
		let inner = self.inner.lock();
		let inputs = inner.followers.get(&announcement.served.subtree);
		if let Some(inputs) = inputs.filter(|inputs| inputs.len() < MAX_INPUTS / 2) {
			// It is a hint only.
			let _ = inputs.try_send(Input::Announcement(peer, bytes));
		}
		true
	}
}

/// Watches connections, and carries announcements in both directions, until the network ends.
pub(super) async fn carry(
	peers: Arc<Peers>,
	network: Arc<dyn NetworkService>,
	sync: Arc<impl SyncEventStream + 'static>,
	mut service: Box<dyn NotificationService>,
	announced: async_channel::Receiver<HeadAnnouncement>,
) {
	let mut connections = subscribe(&*sync).fuse();
	let mut announced = announced.fuse();
	let mut streams = HashSet::new();
	loop {
		futures::select! {
			event = connections.next() => match event {
				Some(SyncEvent::PeerConnected { peer_id, .. }) => {
					reserve(&*network, &*service, peer_id);
					peers.connected(peer_id);
				},
				Some(SyncEvent::PeerDisconnected(peer)) => {
					let set = service.protocol().clone();
					// It fails only when the network is going down.
					let _ = network.remove_peers_from_reserved_set(set, vec![peer]);
					peers.disconnected(peer);
				},
				None => return,
			},
			event = service.next_event().fuse() => match event {
				Some(NotificationEvent::ValidateInboundSubstream { result_tx, .. }) => {
					let _ = result_tx.send(ValidationResult::Accept);
				},
				Some(NotificationEvent::NotificationStreamOpened { peer, .. }) => {
					streams.insert(peer);
				},
				Some(NotificationEvent::NotificationStreamClosed { peer }) => {
					streams.remove(&peer);
				},
				Some(NotificationEvent::NotificationReceived { peer, notification }) => {
					if !peers.announced(peer, notification) {
						network.report_peer(peer, MALFORMED);
					}
				},
				None => return,
			},
			announcement = announced.next() => if let Some(announcement) = announcement {
				let bytes = announcement.to_bytes();
				streams.iter().for_each(|peer| service.send_sync_notification(peer, bytes.clone()));
			},
		}
	}
}

fn subscribe(sync: &dyn SyncEventStream) -> impl Stream<Item = SyncEvent> + Send + Unpin {
	sync.event_stream("dstp-subtree-peers")
}

/// Asks the network for a stream to a node with which it is connected already.
fn reserve(network: &dyn NetworkService, service: &dyn NotificationService, peer: PeerId) {
	let address = Multiaddr::empty().with(Protocol::P2p(peer.into()));
	let set = service.protocol().clone();
	if let Err(error) = network.add_peers_to_reserved_set(set, HashSet::from([address])) {
		log::debug!(target: "dstp", "no announcements to {peer}: {error}");
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn followers_and_provider_records_learn_who_comes_and_goes() {
		let (provide, providing) = async_channel::unbounded();
		let peers = Peers::new(Scores::default(), provide);
		let [early, late] = [(); 2].map(|()| PeerId::random());
		peers.connected(early);
		let (inputs, followed) = async_channel::unbounded();
		peers.join(ObjectId([7; 32]), inputs);
		peers.connected(late);
		peers.disconnected(early);
		let told: Vec<_> = std::iter::from_fn(|| followed.try_recv().ok()).collect();
		assert!(matches!(
			told[..],
			[Input::Connected(one), Input::Connected(two), Input::Disconnected(three)]
				if (one, two, three) == (early, late, early)
		));
		let told: Vec<_> = std::iter::from_fn(|| providing.try_recv().ok()).collect();
		let connected = [early, late].map(Providing::Connected);
		assert_eq!(told, [&connected[..], &[Providing::Disconnected(early)]].concat());
	}
}
