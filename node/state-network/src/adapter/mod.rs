//! The overlay over sc-network, with either of its backends.
//!
//! Thin on purpose: it carries bytes and time between the network and the state machines, and decides nothing. Protocols are
//! registered by the node before the network exists, with the limits of [`Protocol`]; their inbound queues go to
//! [`serve`], the started network to [`follow`] and [`provide`]. Who holds no copy finds those who do with [`find_providers`] and
//! asks them with [`ask_proof`].

mod ask;
mod failure;
#[cfg(test)]
mod fake;
mod find;
mod follow;
mod provide;
mod serve;

pub use ask::{ask_proof, NoProof, Question, ASK_LIMIT, MAX_ASKED};
pub use find::find_providers;
pub use follow::{follow, Input, Progress};
pub use provide::{provide, provider_key, Providing};
pub use serve::{serve, Inbound};

use crate::{peer::Peer, sync::Now, wire::Protocol};
use sc_network::{PeerId, ProtocolName, ReputationChange};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const LOG: &str = "dstp::network";

/// What a provably wrong answer costs with the transport, which forgets it soon; see [`score`](crate::score).
const FORGED: ReputationChange = ReputationChange::new(-(1 << 28), "dstp: forged answer");

/// Requests that may wait in a protocol's inbound queue. The queue only smooths bursts: what waits was not admitted yet.
pub const INBOUND_QUEUE: usize = 64;

/// The full names of the protocols on one chain.
#[derive(Clone, Debug)]
pub struct ProtocolNames([ProtocolName; Protocol::ALL.len()]);

impl ProtocolNames {
	/// Makes each name from its [suffix](Protocol::suffix).
	pub fn new(full: impl Fn(&'static str) -> ProtocolName) -> Self {
		Self(Protocol::ALL.map(|protocol| full(protocol.suffix())))
	}

	/// The name of one protocol.
	pub fn get(&self, protocol: Protocol) -> &ProtocolName {
		let [ctl, xfer, sync] = &self.0;
		match protocol {
			Protocol::Ctl => ctl,
			Protocol::Xfer => xfer,
			Protocol::Sync => sync,
		}
	}
}

/// The overlay's name of a node.
pub fn to_peer(id: &PeerId) -> Peer {
	Peer::new(id.to_bytes()).expect("peer ids have at most 42 bytes; qed")
}

/// The network's name of a node; `None` if the bytes are no peer id.
pub fn to_peer_id(peer: &Peer) -> Option<PeerId> {
	PeerId::from_bytes(peer.as_bytes()).ok()
}

/// Reads the clocks for the state machines.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
	/// Starts at 0.
	pub fn start() -> Self {
		Self(Instant::now())
	}

	/// The time.
	pub fn now(&self) -> Now {
		let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
		Now {
			ms: u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX),
			unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX),
		}
	}
}
