//! Puts the parts of a node together.

use crate::{
	builder::Node,
	consensus::{Consensus, Engine},
	error::Error,
	extension::{BackendProtocols, Extension, RegisterContext, Rpc, StartContext},
	offchain::OffchainWorkers,
	rpc::{self, StandardRpc},
	runtime::{
		BlockHash, BlockOf, FullBackend, FullClient, NodeRuntime, SelectChain, TransactionPool,
	},
};
use sc_client_api::Backend as _;
use sc_network::{config::FullNetworkConfiguration, NetworkBackend};
use sc_service::{BuildNetworkParams, Configuration, KeystoreContainer, SpawnTasksParams};
use sc_service::{TaskManager, WarpSyncConfig};
use sc_telemetry::{Telemetry, TelemetryHandle, TelemetryWorker};
use sp_blockchain::HeaderBackend;
use std::{collections::HashSet, sync::Arc};

/// Telemetry messages that may wait to be sent; more are dropped.
const TELEMETRY_QUEUE: usize = 16;

/// The parts of a node that exist before its network.
pub(crate) struct Parts<R: NodeRuntime> {
	pub(crate) client: Arc<FullClient<R>>,
	pub(crate) backend: Arc<FullBackend<R>>,
	pub(crate) keystore: KeystoreContainer,
	pub(crate) task_manager: TaskManager,
	pub(crate) select_chain: SelectChain<R>,
	pub(crate) transaction_pool: Arc<TransactionPool<R>>,
	pub(crate) telemetry: Option<Telemetry>,
}

impl<R: NodeRuntime> Parts<R> {
	/// Opens the database, and writes the genesis block if it is new.
	pub(crate) fn new(config: &Configuration) -> Result<Self, Error> {
		let telemetry = telemetry(config)?;
		let handle = telemetry.as_ref().map(|(_, telemetry)| telemetry.handle());
		let executor = sc_service::new_wasm_executor::<R::HostFunctions>(&config.executor);
		let (client, backend, keystore, task_manager) = sc_service::new_full_parts::<
			R::Block,
			R::RuntimeApi,
			_,
		>(config, handle, executor, Vec::new())?;
		let client = Arc::new(client);
		let telemetry = telemetry.map(|(worker, telemetry)| {
			task_manager.spawn_handle().spawn("telemetry", None, worker.run());
			telemetry
		});
		let transaction_pool = sc_transaction_pool::Builder::new(
			task_manager.spawn_essential_handle(),
			client.clone(),
			config.role.is_authority().into(),
		)
		.with_options(config.transaction_pool.clone())
		.with_prometheus(config.prometheus_registry())
		.build();
		Ok(Self {
			select_chain: SelectChain::<R>::new(backend.clone()),
			transaction_pool: Arc::new(transaction_pool),
			client,
			backend,
			keystore,
			task_manager,
			telemetry,
		})
	}

	pub(crate) fn telemetry_handle(&self) -> Option<TelemetryHandle> {
		self.telemetry.as_ref().map(|telemetry| telemetry.handle())
	}

	/// Puts the keys of a development validator (`--alice` and so on) into the keystore.
	///
	/// GRANDPA looks for its key once, when it starts, so they must be there before.
	fn insert_development_keys(&self, config: &Configuration) -> Result<(), Error> {
		sp_session::generate_initial_session_keys(
			self.client.clone(),
			self.client.info().best_hash,
			config.dev_key_seed.clone().map(|seed| vec![seed]).unwrap_or_default(),
			self.keystore.keystore(),
		)
		.map_err(|error| sc_service::Error::Application(Box::new(error)).into())
	}

	fn start_context(
		&self,
		config: &Configuration,
		network: Arc<dyn sc_network::service::traits::NetworkService>,
		sync: Arc<sc_network_sync::SyncingService<BlockOf<R>>>,
	) -> StartContext<R> {
		StartContext {
			client: self.client.clone(),
			backend: self.backend.clone(),
			network,
			sync,
			keystore: self.keystore.keystore(),
			offchain_storage: self
				.backend
				.offchain_storage()
				.expect("the client database always has an off-chain storage; qed"),
			transaction_pool: self.transaction_pool.clone(),
			spawn: self.task_manager.spawn_handle(),
			spawn_essential: self.task_manager.spawn_essential_handle(),
			metrics: config.prometheus_registry().cloned(),
			telemetry: self.telemetry_handle(),
			genesis_hash: self.client.info().genesis_hash,
			data_path: config.data_path.clone(),
			role: config.role,
		}
	}
}

fn telemetry(config: &Configuration) -> Result<Option<(TelemetryWorker, Telemetry)>, Error> {
	let Some(endpoints) = config.telemetry_endpoints.clone().filter(|list| !list.is_empty()) else {
		return Ok(None);
	};
	let worker = TelemetryWorker::new(TELEMETRY_QUEUE).map_err(sc_service::Error::from)?;
	let telemetry = worker.handle().new_telemetry(endpoints);
	Ok(Some((worker, telemetry)))
}

/// Starts a node on network backend `N`.
pub(crate) fn start<R, N>(
	config: Configuration,
	consensus: Consensus,
	custom: Vec<Box<dyn Extension<R>>>,
) -> Result<Node<R>, Error>
where
	R: NodeRuntime,
	N: NetworkBackend<BlockOf<R>, BlockHash>,
{
	let mut parts = Parts::<R>::new(&config)?;
	parts.insert_development_keys(&config)?;
	let Engine { import_queue, warp_sync, extensions } = consensus.engine(&config, &parts)?;

	let mut extensions: Vec<Box<dyn Extension<R>>> =
		[Box::new(StandardRpc) as Box<dyn Extension<R>>].into_iter().chain(extensions).collect();
	if config.offchain_worker.enabled {
		extensions.push(Box::new(OffchainWorkers));
	}
	extensions.extend(custom);

	let net_config = register::<R, N>(&config, &parts, &mut extensions)?;
	let network = build_network(&config, &parts, net_config, import_queue, warp_sync)?;
	let context = parts.start_context(&config, network.service.clone(), network.sync.clone());
	let methods = start_extensions(extensions, context)?;

	let rpc = sc_service::spawn_tasks(SpawnTasksParams {
		config,
		client: parts.client.clone(),
		backend: parts.backend.clone(),
		task_manager: &mut parts.task_manager,
		keystore: parts.keystore.keystore(),
		transaction_pool: parts.transaction_pool.clone(),
		rpc_builder: Box::new(move |executor| rpc::merge(&methods, executor)),
		network: network.service.clone(),
		system_rpc_tx: network.system_rpc_tx,
		tx_handler_controller: network.transactions,
		sync_service: network.sync.clone(),
		telemetry: parts.telemetry.as_mut(),
		tracing_execute_block: None,
	})?;
	Ok(Node {
		client: parts.client,
		transaction_pool: parts.transaction_pool,
		network: network.service,
		sync: network.sync,
		keystore: parts.keystore.keystore(),
		rpc,
		task_manager: parts.task_manager,
	})
}

type NetworkConfig<R, N> = FullNetworkConfiguration<BlockOf<R>, BlockHash, N>;

/// The first phase: collects the protocols of all extensions.
fn register<R, N>(
	config: &Configuration,
	parts: &Parts<R>,
	extensions: &mut [Box<dyn Extension<R>>],
) -> Result<(NetworkConfig<R, N>, sc_network::service::NotificationMetrics), Error>
where
	R: NodeRuntime,
	N: NetworkBackend<BlockOf<R>, BlockHash>,
{
	let registry = config.prometheus_registry();
	let metrics = N::register_notification_metrics(registry);
	let mut net_config = NetworkConfig::<R, N>::new(&config.network, registry.cloned());
	let peer_store = net_config.peer_store_handle();
	let mut names = HashSet::new();
	let mut protocols =
		BackendProtocols::<R, N> { config: &mut net_config, metrics: metrics.clone() };
	for extension in extensions {
		let mut context = RegisterContext {
			protocols: &mut protocols,
			names: &mut names,
			genesis_hash: parts.client.info().genesis_hash,
			fork_id: config.chain_spec.fork_id(),
			role: config.role,
			peer_store: peer_store.clone(),
		};
		extension
			.register(&mut context)
			.map_err(|source| Error::Register { name: extension.name(), source })?;
	}
	Ok((net_config, metrics))
}

/// The network, and what the RPC server needs of it.
struct Network<R: NodeRuntime> {
	service: Arc<dyn sc_network::service::traits::NetworkService>,
	sync: Arc<sc_network_sync::SyncingService<BlockOf<R>>>,
	system_rpc_tx: sc_utils::mpsc::TracingUnboundedSender<sc_rpc::system::Request<BlockOf<R>>>,
	transactions: sc_network_transactions::TransactionsHandlerController<BlockHash>,
}

fn build_network<R, N>(
	config: &Configuration,
	parts: &Parts<R>,
	(net_config, metrics): (NetworkConfig<R, N>, sc_network::service::NotificationMetrics),
	import_queue: sc_consensus::DefaultImportQueue<BlockOf<R>>,
	warp_sync_config: Option<WarpSyncConfig<BlockOf<R>>>,
) -> Result<Network<R>, Error>
where
	R: NodeRuntime,
	N: NetworkBackend<BlockOf<R>, BlockHash>,
{
	let (service, system_rpc_tx, transactions, sync, _bitswap) =
		sc_service::build_network(BuildNetworkParams {
			config,
			net_config,
			client: parts.client.clone(),
			transaction_pool: parts.transaction_pool.clone(),
			spawn_handle: parts.task_manager.spawn_handle(),
			spawn_essential_handle: parts.task_manager.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config,
			block_relay: None,
			metrics,
			gap_sync_body_policy: None,
		})?;
	Ok(Network { service, sync, system_rpc_tx, transactions })
}

/// The second phase: starts all extensions and collects their RPC methods.
fn start_extensions<R: NodeRuntime>(
	extensions: Vec<Box<dyn Extension<R>>>,
	context: StartContext<R>,
) -> Result<Vec<(&'static str, Rpc)>, Error> {
	extensions
		.into_iter()
		.map(|extension| {
			let name = extension.name();
			let rpc =
				extension.start(context.clone()).map_err(|source| Error::Start { name, source })?;
			Ok((name, rpc))
		})
		.collect()
}
