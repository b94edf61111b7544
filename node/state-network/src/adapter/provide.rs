//! Provider records: who serves a subtree.

use super::LOG;
use dstp_primitives::ObjectId;
use futures::{FutureExt, StreamExt};
use sc_network::{service::traits::NetworkService, DhtEvent, Event, KademliaKey, PeerId};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Until a lookup sees the record, it is announced in this interval: on a small network the first announcements reach nobody.
const RETRY: Duration = Duration::from_secs(20);

/// Afterwards in this one; records live for ten hours.
const REFRESH: Duration = Duration::from_secs(30 * 60);

/// The DHT key of "who serves this subtree": `blake2_256("dstp/provider/v1" ++ genesis ++ subtree)`.
pub fn provider_key(genesis: H256, subtree: &ObjectId) -> KademliaKey {
	let input = [&b"dstp/provider/v1"[..], genesis.as_bytes(), &subtree.0].concat();
	KademliaKey::from(blake2_256(&input).to_vec())
}

/// Announces that `local` serves the subtrees that come in, until the channel closes.
pub async fn provide(
	network: Arc<dyn NetworkService>,
	genesis: H256,
	local: PeerId,
	served: async_channel::Receiver<ObjectId>,
) {
	let mut events = network.event_stream("dstp-provide").fuse();
	let mut served = served.fuse();
	let mut seen: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
	let mut since_refresh = Duration::ZERO;
	let mut ticks = tokio::time::interval(RETRY);
	loop {
		futures::select! {
			subtree = served.next() => match subtree {
				Some(subtree) => {
					let key = provider_key(genesis, &subtree);
					announce(&*network, &key);
					seen.insert(key.to_vec(), false);
				},
				None => return,
			},
			event = events.next() => match event {
				Some(Event::Dht(DhtEvent::ProvidersFound(key, peers))) if peers.contains(&local) =>
					if let Some(seen) = seen.get_mut(&key.to_vec()) {
						*seen = true;
					},
				Some(_) => {},
				None => return,
			},
			_ = ticks.tick().boxed().fuse() => {
				since_refresh += RETRY;
				let refresh = since_refresh >= REFRESH;
				if refresh {
					since_refresh = Duration::ZERO;
				}
				for (key, _) in seen.iter().filter(|(_, seen)| refresh || !**seen) {
					log::debug!(target: LOG, "announcing a provider record again");
					announce(&*network, &KademliaKey::from(key.clone()));
				}
			},
		}
	}
}

fn announce(network: &dyn NetworkService, key: &KademliaKey) {
	network.start_providing(key.clone());
	network.get_providers(key.clone());
}
