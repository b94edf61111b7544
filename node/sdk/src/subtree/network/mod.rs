//! Remote subtrees over the network: other nodes get ranges, batches and proofs from this one, and followed subtrees come from
//! others.
//!
//! | Task | Does |
//! |---|---|
//! | `subtree-requests` | answers other nodes from all complete copies |
//! | `subtree-providers` | announces in the DHT who serves what |
//! | `subtree-peers` | says who is connected, and carries announcements of heads |
//! | `subtree-sync` | watches finality, opens followed subtrees, tells their followers |
//! | `subtree-follow` | one per followed subtree: copies it, then applies batches |
//!
//! # Trust model
//!
//! A follower is told of a head only when this node's own client has finalised the block that holds it. What other nodes say is
//! checked against such heads in `dstp-state-network` before the engine stores it.

mod caught_up;
mod follow;
mod peers;
mod scores;
mod source;
mod target;

use super::{serve::Served, SubtreeApis};
use crate::{
	error::ExtensionError,
	extension::{Notifications, RegisterContext, RequestResponse, StartContext},
	runtime::{ApiOf, BlockOf, NodeRuntime},
};
use dstp_state_network::{
	adapter::{self, Inbound, ProtocolNames, INBOUND_QUEUE},
	wire::{Protocol, ANNOUNCEMENT_SUFFIX, MAX_ANNOUNCEMENT_BYTES},
};
use dstp_subtree::EngineOptions;
use peers::{Peers, MAX_INPUTS};
use sc_network::{
	config::{NonReservedPeerMode, SetConfig},
	NotificationService,
};
use scores::ScoreFile;
use source::Copies;
use std::{sync::Arc, time::Duration};

/// Announcements that wait to be sent; more are dropped, since the next one says it all.
const MAX_WAITING_ANNOUNCEMENTS: usize = 64;

/// The protocols of a node that holds subtrees.
pub(super) struct Handles {
	names: ProtocolNames,
	inbound: Vec<Inbound>,
	announcements: Box<dyn NotificationService>,
}

/// Registers the protocols.
pub(super) fn register(context: &mut RegisterContext<'_>) -> Result<Handles, ExtensionError> {
	let names = ProtocolNames::new(|suffix| context.protocol_name(suffix));
	let mut inbound = Vec::new();
	for protocol in Protocol::ALL {
		let queue = context.request_response(RequestResponse {
			name: names.get(protocol).clone(),
			max_request_bytes: protocol.max_request_bytes() as u64,
			max_response_bytes: protocol.max_response_bytes() as u64,
			timeout: Duration::from_millis(protocol.timeout_ms()),
			inbound_queue: INBOUND_QUEUE,
		})?;
		inbound.push((protocol, queue));
	}
	let announcements = context.notifications(Notifications {
		name: context.protocol_name(ANNOUNCEMENT_SUFFIX),
		max_notification_bytes: MAX_ANNOUNCEMENT_BYTES as u64,
		handshake: None,
		// Streams to those with whom blocks are exchanged, and to nobody else.
		peers: SetConfig {
			in_peers: 0,
			out_peers: 0,
			reserved_nodes: Vec::new(),
			non_reserved_mode: NonReservedPeerMode::Deny,
		},
	})?;
	Ok(Handles { names, inbound, announcements })
}

/// Spawns the tasks.
pub(super) fn start<R: NodeRuntime>(
	served: Arc<Served>,
	handles: Handles,
	options: EngineOptions,
	context: &StartContext<R>,
) where
	ApiOf<R>: SubtreeApis<BlockOf<R>>,
{
	let group = Some("dstp");
	let Handles { names, inbound, announcements } = handles;
	let file = ScoreFile::open(context.data_path.join("subtrees").join("scores"));
	let scores = file.scores();
	let copies = Arc::new(Copies(served.clone()));
	let requests = adapter::serve(copies, scores.clone(), inbound);
	context.spawn.spawn("subtree-requests", group, requests);

	let (provided, providing) = async_channel::bounded(MAX_INPUTS);
	let provide = adapter::provide(context.network.clone(), context.genesis_hash, providing);
	context.spawn.spawn("subtree-providers", group, provide);

	let peers = Arc::new(Peers::new(scores, provided.clone()));
	let (announce, announced) = async_channel::bounded(MAX_WAITING_ANNOUNCEMENTS);
	let carry = peers::carry(
		peers.clone(),
		context.network.clone(),
		context.sync.clone(),
		announcements,
		announced,
	);
	context.spawn.spawn("subtree-peers", group, carry);

	let sync =
		follow::Sync::new(served, names, file, peers, options, (provided, announce), context);
	// Engines wait for the disk.
	context.spawn_essential.spawn_blocking("subtree-sync", group, sync.run());
}
