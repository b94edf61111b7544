//! A node of the test's own: a real network, with either backend, that speaks the protocols of the overlay and has no chain.

mod oversized;

use crate::harness::LIMIT;
use codec::Encode;
use dstp_hub_runtime::opaque::Block;
use dstp_state_network::{
	adapter::{Inbound, ProtocolNames, INBOUND_QUEUE},
	wire::Protocol,
};
use sc_network::{
	config::{
		FullNetworkConfiguration, MultiaddrWithPeerId, NetworkBackendType, NetworkConfiguration,
		NotificationHandshake, Params, ProtocolId, Role,
	},
	service::traits::{NetworkService, NotificationEvent, PeerStore, ValidationResult},
	IfDisconnected, Litep2pNetworkBackend, NetworkBackend, NetworkWorker, NotificationService,
	PeerId, RequestFailure,
};
use sp_core::H256;
use std::{
	future::Future,
	pin::Pin,
	sync::{Arc, Mutex},
	time::Duration,
};
use tokio::task::AbortHandle;

/// The limits of its requests.
#[derive(Clone, Copy)]
enum Limits {
	/// What a hostile node lets itself send, which is more than the protocols allow, and as much time as a test has.
	Hostile,
	/// Those of an honest node.
	Honest,
}

impl Limits {
	/// Most bytes of a request, most bytes of a response, and the time.
	fn of(self, protocol: Protocol) -> (u64, u64, Duration) {
		match self {
			Self::Hostile => (8 * 1024 * 1024, 8 * 1024 * 1024, LIMIT),
			Self::Honest => (
				protocol.max_request_bytes() as u64,
				protocol.max_response_bytes() as u64,
				Duration::from_millis(protocol.timeout_ms()),
			),
		}
	}
}

/// As a full node says it.
const FULL_NODE: u8 = 1;

/// See the module. It ends when it is dropped.
pub struct Stranger {
	pub network: Arc<dyn NetworkService>,
	pub names: ProtocolNames,
	/// Where others reach it.
	pub address: String,
	tasks: Tasks,
}

#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<AbortHandle>>>);

impl Tasks {
	fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
		let task = tokio::spawn(task).abort_handle();
		self.0.lock().unwrap().push(task);
	}
}

impl Drop for Stranger {
	fn drop(&mut self) {
		self.tasks.0.lock().unwrap().iter().for_each(AbortHandle::abort);
	}
}

impl Stranger {
	/// Starts on a free port, knowing these nodes, and gives the queues of inbound requests.
	pub async fn start(
		backend: NetworkBackendType,
		genesis: H256,
		known: &[&str],
	) -> (Self, Vec<Inbound>) {
		Self::start_with(backend, genesis, known, Limits::Hostile).await
	}

	async fn start_with(
		backend: NetworkBackendType,
		genesis: H256,
		known: &[&str],
		limits: Limits,
	) -> (Self, Vec<Inbound>) {
		match backend {
			NetworkBackendType::Litep2p => {
				Self::start_on::<Litep2pNetworkBackend>(genesis, known, limits).await
			},
			NetworkBackendType::Libp2p => {
				Self::start_on::<NetworkWorker<Block, H256>>(genesis, known, limits).await
			},
		}
	}

	async fn start_on<N: NetworkBackend<Block, H256>>(
		genesis: H256,
		known: &[&str],
		limits: Limits,
	) -> (Self, Vec<Inbound>) {
		let tasks = Tasks::default();
		let mut local = NetworkConfiguration::new_local();
		let known = known.iter().map(|address| address.parse::<MultiaddrWithPeerId>().unwrap());
		local.boot_nodes = known.collect();
		let mut config = FullNetworkConfiguration::<Block, H256, N>::new(&local, None);
		let names =
			ProtocolNames::new(|suffix| format!("/{}/{suffix}", hex::encode(genesis)).into());
		let mut inbound = Vec::new();
		for protocol in Protocol::ALL {
			let (sender, queue) = async_channel::bounded(INBOUND_QUEUE);
			let (max_request_bytes, max_response_bytes, time) = limits.of(protocol);
			config.add_request_response_protocol(N::request_response_config(
				names.get(protocol).clone(),
				Vec::new(),
				max_request_bytes,
				max_response_bytes,
				time,
				Some(sender),
			));
			inbound.push((protocol, queue));
		}
		let metrics = N::register_notification_metrics(None);
		// Full nodes open this stream with each other, and only then count as connected.
		let (announces, streams) = N::notification_config(
			format!("/{}/block-announces/1", hex::encode(genesis)).into(),
			Vec::new(),
			1024 * 1024,
			Some(NotificationHandshake::from_bytes((FULL_NODE, 0u32, genesis, genesis).encode())),
			local.default_peers_set.clone(),
			metrics.clone(),
			config.peer_store_handle(),
		);
		tasks.spawn(accept(streams));
		tasks.spawn(config.take_peer_store().run());
		let executor = {
			let tasks = tasks.clone();
			Box::new(move |task: Pin<Box<dyn Future<Output = ()> + Send>>| tasks.spawn(task))
		};
		let backend = N::new(Params {
			role: Role::Full,
			executor,
			network_config: config,
			protocol_id: ProtocolId::from("dstp"),
			genesis_hash: genesis,
			fork_id: None,
			metrics_registry: None,
			block_announce_config: announces,
			ipfs_config: None,
			notification_metrics: metrics,
		});
		let backend = backend.unwrap_or_else(|error| panic!("no network: {error}"));
		let network = backend.network_service();
		tasks.spawn(backend.run());
		let address = listens(&*network).await;
		(Self { network, names, address, tasks }, inbound)
	}

	/// Runs as long as the node.
	pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
		self.tasks.spawn(task);
	}

	/// Makes another node's address known and gives its name.
	pub fn know(&self, address: &str) -> PeerId {
		let address: MultiaddrWithPeerId = address.parse().unwrap();
		self.network.add_known_address(address.peer_id, address.multiaddr);
		address.peer_id
	}

	/// Asks another node.
	pub async fn ask(
		&self,
		peer: PeerId,
		protocol: Protocol,
		request: Vec<u8>,
	) -> Result<Vec<u8>, RequestFailure> {
		let name = self.names.get(protocol).clone();
		let answer =
			self.network.request(peer, name, request, None, IfDisconnected::TryConnect).await;
		answer.map(|(bytes, _)| bytes)
	}
}

/// Waits for the port that the system chose.
async fn listens(network: &dyn NetworkService) -> String {
	let wait = async {
		loop {
			let addresses = network.listen_addresses();
			let tcp = addresses.iter().map(ToString::to_string).find(|address| {
				address.starts_with("/ip4/127.0.0.1/tcp/") && !address.contains("/tcp/0")
			});
			match tcp {
				Some(address) => return address,
				None => tokio::time::sleep(Duration::from_millis(10)).await,
			}
		}
	};
	let address = tokio::time::timeout(LIMIT, wait).await.expect("the network listens in time");
	let address = address.split("/p2p/").next().expect("split gives one part").to_owned();
	format!("{address}/p2p/{}", network.local_peer_id())
}

/// Lets everybody open the stream; what comes over it is of no interest.
async fn accept(mut streams: Box<dyn NotificationService>) {
	while let Some(event) = streams.next_event().await {
		if let NotificationEvent::ValidateInboundSubstream { result_tx, .. } = event {
			let _ = result_tx.send(ValidationResult::Accept);
		}
	}
}
