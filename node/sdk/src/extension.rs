//! Extensions: protocols, background tasks and RPC methods that are added to a node.
//!
//! Substrate must know all protocols before the network exists, so an extension has two phases.
//! In [`Extension::register`] it says which protocols it speaks and keeps the handles that it
//! gets; in [`Extension::start`] the network exists, and it spawns its tasks and returns its RPC
//! methods. Neither phase knows which network backend runs: the same extension works with
//! litep2p and libp2p.
//!
//! The node's own parts are extensions too: the standard RPC methods, the off-chain workers, block
//! authoring, finality and development sealing.

use crate::{
	error::ExtensionError,
	runtime::{BlockHash, BlockOf, FullBackend, FullClient, NodeRuntime, OffchainStorage},
	TransactionPool,
};
use jsonrpsee::RpcModule;
use sc_network::{
	config::{IncomingRequest, NotificationHandshake, OutgoingResponse, Role, SetConfig},
	peer_store::PeerStoreProvider,
	service::traits::NetworkService,
	NotificationService, PeerId, ProtocolName, MAX_RESPONSE_SIZE,
};
use sc_network_sync::SyncingService;
use sc_rpc::SubscriptionTaskExecutor;
use sc_service::{SpawnEssentialTaskHandle, SpawnTaskHandle};
use sc_telemetry::TelemetryHandle;
use sp_keystore::KeystorePtr;
use std::{collections::HashSet, path::PathBuf, sync::Arc, time::Duration};
use substrate_prometheus_endpoint::Registry;

/// A part that can be added to a node.
///
/// ```
/// use dstp_node_sdk::{
///     extension::{Extension, RegisterContext, RequestResponse, Rpc, StartContext},
///     ExtensionError, NodeRuntime,
/// };
/// use std::time::Duration;
///
/// /// Answers every request with the same bytes.
/// #[derive(Default)]
/// struct Echo {
///     requests: Option<dstp_node_sdk::RequestQueue>,
/// }
///
/// impl<R: NodeRuntime> Extension<R> for Echo {
///     fn name(&self) -> &'static str {
///         "echo"
///     }
///
///     fn register(&mut self, context: &mut RegisterContext<'_>) -> Result<(), ExtensionError> {
///         self.requests = Some(context.request_response(RequestResponse {
///             name: context.protocol_name("echo/1"),
///             max_request_bytes: 1024,
///             max_response_bytes: 1024,
///             timeout: Duration::from_secs(10),
///             inbound_queue: 16,
///         })?);
///         Ok(())
///     }
///
///     fn start(self: Box<Self>, context: StartContext<R>) -> Result<Rpc, ExtensionError> {
///         let requests = self.requests.ok_or("start was called before register")?;
///         context.answer_requests("echo", requests, |_peer, request| Some(request));
///         let mut rpc = jsonrpsee::RpcModule::new(());
///         rpc.register_method("echo_version", |_, _, _| 1)?;
///         Ok(Rpc::from(rpc))
///     }
/// }
/// ```
pub trait Extension<R: NodeRuntime>: Send {
	/// A short name for logs and errors, unique in the node.
	fn name(&self) -> &'static str;

	/// Registers protocols. Called once, before the network exists.
	///
	/// # Errors
	///
	/// Any error ends the start of the node; it is shown to the user with the extension's name.
	fn register(&mut self, _context: &mut RegisterContext<'_>) -> Result<(), ExtensionError> {
		Ok(())
	}

	/// Starts the extension's tasks and returns its RPC methods. Called once, after the network
	/// exists and before the RPC server listens.
	///
	/// # Errors
	///
	/// Any error ends the start of the node; it is shown to the user with the extension's name.
	fn start(self: Box<Self>, context: StartContext<R>) -> Result<Rpc, ExtensionError>;
}

/// Inbound requests of a protocol, in the order of their arrival.
pub type RequestQueue = async_channel::Receiver<IncomingRequest>;

/// A request-response protocol: one request, one answer, each in one message.
#[derive(Debug, Clone)]
pub struct RequestResponse {
	/// The name on the wire; see [`RegisterContext::protocol_name`].
	pub name: ProtocolName,
	/// The longest request that is accepted, in bytes (1 to 16 MiB). litep2p has one limit for requests and answers and takes the
	/// larger, so a request may be as long as an answer: check where it matters.
	pub max_request_bytes: u64,
	/// The longest answer that is accepted, in bytes (1 to 16 MiB).
	pub max_response_bytes: u64,
	/// After this time an own request counts as failed.
	pub timeout: Duration,
	/// How many inbound requests may wait; more are refused at once, so that a flood of requests
	/// costs no memory. At least 1.
	pub inbound_queue: usize,
}

/// A notification protocol: a lasting stream of messages to and from each connected peer.
#[derive(Debug)]
pub struct Notifications {
	/// The name on the wire; see [`RegisterContext::protocol_name`].
	pub name: ProtocolName,
	/// The longest notification that is accepted, in bytes (1 to 16 MiB).
	pub max_notification_bytes: u64,
	/// What is sent when the stream opens, if anything.
	pub handshake: Option<Vec<u8>>,
	/// How many peers, which ones, and whether others are let in.
	pub peers: SetConfig,
}

/// Why a protocol was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProtocolError {
	/// Protocol names start with a slash.
	#[error("the protocol name '{0}' does not start with '/': build it with protocol_name()")]
	InvalidName(String),
	/// Two protocols have one name.
	#[error("another part of the node registered the protocol '{0}' already: choose another name")]
	DuplicateName(String),
	/// A size limit is zero or above the network's maximum.
	#[error("the protocol '{name}' limits messages to {bytes} bytes, but 1 to {max} are possible")]
	InvalidSize {
		/// The protocol.
		name: String,
		/// The limit it asked for, in bytes.
		bytes: u64,
		/// The highest limit, in bytes.
		max: u64,
	},
	/// The inbound queue has no room.
	#[error("the protocol '{0}' has an inbound queue of 0 requests: give it at least 1")]
	NoInboundQueue(String),
}

/// Where protocols go: the configuration of one network backend.
pub(crate) trait Protocols {
	/// Adds a request-response protocol whose inbound requests go to `queue`.
	fn add_request_response(
		&mut self,
		protocol: RequestResponse,
		queue: async_channel::Sender<IncomingRequest>,
	);
	/// Adds a notification protocol.
	fn add_notifications(&mut self, protocol: Notifications) -> Box<dyn NotificationService>;
}

/// What an extension may use while it registers.
pub struct RegisterContext<'a> {
	pub(crate) protocols: &'a mut dyn Protocols,
	pub(crate) names: &'a mut HashSet<ProtocolName>,
	pub(crate) genesis_hash: BlockHash,
	pub(crate) fork_id: Option<&'a str>,
	pub(crate) role: Role,
	pub(crate) peer_store: Arc<dyn PeerStoreProvider>,
}

impl RegisterContext<'_> {
	/// The hash of the chain's first block.
	pub fn genesis_hash(&self) -> BlockHash {
		self.genesis_hash
	}

	/// Whether the node is a validator.
	pub fn role(&self) -> Role {
		self.role
	}

	/// Reputations and addresses of peers.
	pub fn peer_store(&self) -> Arc<dyn PeerStoreProvider> {
		self.peer_store.clone()
	}

	/// The full name of a protocol of this chain: `/<genesis hash>[/<fork id>]/<suffix>`.
	///
	/// With the genesis hash in the name, nodes of different chains never talk by accident. End
	/// the suffix with a version: `subtree/sync/1`.
	pub fn protocol_name(&self, suffix: &str) -> ProtocolName {
		let genesis = hex::encode(self.genesis_hash);
		match self.fork_id {
			Some(fork_id) => format!("/{genesis}/{fork_id}/{suffix}"),
			None => format!("/{genesis}/{suffix}"),
		}
		.into()
	}

	/// Adds a request-response protocol and returns the queue of inbound requests.
	///
	/// Own requests go through `StartContext::network`. A node that only asks drops the queue:
	/// then inbound requests are refused.
	///
	/// # Errors
	///
	/// [`ProtocolError`] if a limit makes no sense or the name is taken.
	pub fn request_response(
		&mut self,
		protocol: RequestResponse,
	) -> Result<RequestQueue, ProtocolError> {
		check_size(&protocol.name, protocol.max_request_bytes)?;
		check_size(&protocol.name, protocol.max_response_bytes)?;
		if protocol.inbound_queue == 0 {
			return Err(ProtocolError::NoInboundQueue(protocol.name.to_string()));
		}
		self.take_name(&protocol.name)?;
		let (sender, receiver) = async_channel::bounded(protocol.inbound_queue);
		self.protocols.add_request_response(protocol, sender);
		Ok(receiver)
	}

	/// Adds a notification protocol and returns its handle.
	///
	/// # Errors
	///
	/// [`ProtocolError`] if a limit makes no sense or the name is taken.
	pub fn notifications(
		&mut self,
		protocol: Notifications,
	) -> Result<Box<dyn NotificationService>, ProtocolError> {
		check_size(&protocol.name, protocol.max_notification_bytes)?;
		self.take_name(&protocol.name)?;
		Ok(self.protocols.add_notifications(protocol))
	}

	fn take_name(&mut self, name: &ProtocolName) -> Result<(), ProtocolError> {
		if !name.starts_with('/') {
			return Err(ProtocolError::InvalidName(name.to_string()));
		}
		if !self.names.insert(name.clone()) {
			return Err(ProtocolError::DuplicateName(name.to_string()));
		}
		Ok(())
	}
}

fn check_size(name: &ProtocolName, bytes: u64) -> Result<(), ProtocolError> {
	if bytes == 0 || bytes > MAX_RESPONSE_SIZE {
		return Err(ProtocolError::InvalidSize {
			name: name.to_string(),
			bytes,
			max: MAX_RESPONSE_SIZE,
		});
	}
	Ok(())
}

/// What an extension may use once it starts. Cheap to clone: it holds handles.
pub struct StartContext<R: NodeRuntime> {
	/// Chain, state, runtime calls, and streams of imported and finalised blocks.
	pub client: Arc<FullClient<R>>,
	/// The database behind the client.
	pub backend: Arc<FullBackend<R>>,
	/// Requests to peers, reputation, the DHT.
	pub network: Arc<dyn NetworkService>,
	/// Whether the node is still catching up, and with whom it synchronises.
	pub sync: Arc<SyncingService<BlockOf<R>>>,
	/// The node's keys.
	pub keystore: KeystorePtr,
	/// The store that the node shares with its off-chain workers.
	pub offchain_storage: OffchainStorage<R>,
	/// Transactions that wait for a block.
	pub transaction_pool: Arc<TransactionPool<R>>,
	/// Spawns tasks that may end.
	pub spawn: SpawnTaskHandle,
	/// Spawns tasks whose end stops the node.
	pub spawn_essential: SpawnEssentialTaskHandle,
	/// Where to register metrics, unless Prometheus is off.
	pub metrics: Option<Registry>,
	/// Where to report events to, unless telemetry is off.
	pub telemetry: Option<TelemetryHandle>,
	/// The hash of the chain's first block.
	pub genesis_hash: BlockHash,
	/// The folder of this chain: an extension keeps its files in a folder of its own below.
	pub data_path: PathBuf,
	/// Whether the node is a validator.
	pub role: Role,
}

impl<R: NodeRuntime> StartContext<R> {
	/// Spawns a task that answers the requests of a protocol one after the other, in the order of their arrival.
	///
	/// `answer` gets the peer and the request, and gives the answer, at most as long as the protocol allows; with `None` the
	/// request is refused. A protocol whose answers take long, or cost a peer its reputation, reads the queue in a task of its own.
	pub fn answer_requests(
		&self,
		task: &'static str,
		requests: RequestQueue,
		mut answer: impl FnMut(PeerId, Vec<u8>) -> Option<Vec<u8>> + Send + 'static,
	) {
		self.spawn.spawn(task, Some(task), async move {
			while let Ok(request) = requests.recv().await {
				let result = answer(request.peer, request.payload).ok_or(());
				let answer = OutgoingResponse {
					result,
					reputation_changes: Vec::new(),
					sent_feedback: None,
				};
				// The peer may have gone: then nobody waits for the answer.
				let _ = request.pending_response.send(answer);
			}
		});
	}
}

impl<R: NodeRuntime> Clone for StartContext<R> {
	fn clone(&self) -> Self {
		Self {
			client: self.client.clone(),
			backend: self.backend.clone(),
			network: self.network.clone(),
			sync: self.sync.clone(),
			keystore: self.keystore.clone(),
			offchain_storage: self.offchain_storage.clone(),
			transaction_pool: self.transaction_pool.clone(),
			spawn: self.spawn.clone(),
			spawn_essential: self.spawn_essential.clone(),
			metrics: self.metrics.clone(),
			telemetry: self.telemetry.clone(),
			genesis_hash: self.genesis_hash,
			data_path: self.data_path.clone(),
			role: self.role,
		}
	}
}

type BuildRpc = dyn Fn(SubscriptionTaskExecutor) -> Result<RpcModule<()>, ExtensionError>;

/// The RPC methods of an extension.
///
/// Made from a finished [`RpcModule`] with `Rpc::from`, or from a function with [`Rpc::new`] if
/// the methods need the executor of the RPC server for their subscriptions.
pub struct Rpc(Option<Box<BuildRpc>>);

impl Rpc {
	/// No methods.
	pub fn none() -> Self {
		Self(None)
	}

	/// Methods that are built when the server starts. The function is called twice: for the server
	/// and for calls from inside the process.
	pub fn new(
		build: impl Fn(SubscriptionTaskExecutor) -> Result<RpcModule<()>, ExtensionError> + 'static,
	) -> Self {
		Self(Some(Box::new(build)))
	}

	pub(crate) fn build(
		&self,
		executor: SubscriptionTaskExecutor,
	) -> Result<Option<RpcModule<()>>, ExtensionError> {
		self.0.as_ref().map(|build| build(executor)).transpose()
	}
}

impl<Context: Send + Sync + 'static> From<RpcModule<Context>> for Rpc {
	fn from(module: RpcModule<Context>) -> Self {
		let module = module.remove_context();
		Self::new(move |_| Ok(module.clone()))
	}
}

/// Writes protocols into the configuration of backend `N`.
pub(crate) struct BackendProtocols<'a, R, N>
where
	R: NodeRuntime,
	N: sc_network::NetworkBackend<BlockOf<R>, BlockHash>,
{
	pub(crate) config:
		&'a mut sc_network::config::FullNetworkConfiguration<BlockOf<R>, BlockHash, N>,
	pub(crate) metrics: sc_network::service::NotificationMetrics,
}

impl<R, N> Protocols for BackendProtocols<'_, R, N>
where
	R: NodeRuntime,
	N: sc_network::NetworkBackend<BlockOf<R>, BlockHash>,
{
	fn add_request_response(
		&mut self,
		protocol: RequestResponse,
		queue: async_channel::Sender<IncomingRequest>,
	) {
		self.config.add_request_response_protocol(N::request_response_config(
			protocol.name,
			Vec::new(),
			protocol.max_request_bytes,
			protocol.max_response_bytes,
			protocol.timeout,
			Some(queue),
		));
	}

	fn add_notifications(&mut self, protocol: Notifications) -> Box<dyn NotificationService> {
		let (config, service) = N::notification_config(
			protocol.name,
			Vec::new(),
			protocol.max_notification_bytes,
			protocol.handshake.map(NotificationHandshake::from_bytes),
			protocol.peers,
			self.metrics.clone(),
			self.config.peer_store_handle(),
		);
		self.config.add_notification_protocol(config);
		service
	}
}
