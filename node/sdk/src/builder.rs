//! Builds a node from its parts.

use crate::{
	consensus::Consensus,
	error::Error,
	extension::Extension,
	runtime::{BlockHash, BlockOf, FullClient, NodeRuntime, TransactionPool},
	service,
};
use sc_network::{
	config::NetworkBackendType, service::traits::NetworkService, Litep2pNetworkBackend,
	NetworkWorker,
};
use sc_network_sync::SyncingService;
use sc_service::{Configuration, RpcHandlers, TaskManager};
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// Builds a node. Every part has a default and can be replaced alone.
///
/// | Part | Default | Replaced by |
/// |---|---|---|
/// | runtime, chain specs | none: `R` names them | another [`NodeRuntime`] |
/// | consensus | Aura and GRANDPA | [`NodeBuilder::consensus`] |
/// | extensions | none beside the node's own | [`NodeBuilder::extension`] |
/// | ports, paths, keys, database, network backend | the command line | the [`Configuration`] |
pub struct NodeBuilder<R: NodeRuntime> {
	config: Configuration,
	consensus: Consensus,
	extensions: Vec<Box<dyn Extension<R>>>,
}

impl<R: NodeRuntime> NodeBuilder<R> {
	/// A node with this configuration, Aura and GRANDPA, and no extensions.
	pub fn new(config: Configuration) -> Self {
		Self { config, consensus: Consensus::default(), extensions: Vec::new() }
	}

	/// Replaces the consensus.
	pub fn consensus(mut self, consensus: Consensus) -> Self {
		self.consensus = consensus;
		self
	}

	/// Adds an extension. Extensions register and start in the order in which they were added,
	/// after the node's own parts.
	pub fn extension(mut self, extension: impl Extension<R> + 'static) -> Self {
		self.extensions.push(Box::new(extension));
		self
	}

	/// What the node is configured with: ports, paths, role, chain spec.
	pub fn config(&self) -> &Configuration {
		&self.config
	}

	/// Starts the node. Call it inside a Tokio runtime, and keep what it returns: the node stops
	/// when [`Node::task_manager`] is dropped.
	///
	/// # Errors
	///
	/// [`Error`] if a part cannot start; [`Error::remedy`] knows what to do about common causes.
	pub fn start(self) -> Result<Node<R>, Error> {
		let Self { config, consensus, extensions } = self;
		match config.network.network_backend {
			NetworkBackendType::Litep2p => {
				service::start::<R, Litep2pNetworkBackend>(config, consensus, extensions)
			},
			NetworkBackendType::Libp2p => {
				service::start::<R, NetworkWorker<BlockOf<R>, BlockHash>>(
					config, consensus, extensions,
				)
			},
		}
	}
}

/// A running node.
pub struct Node<R: NodeRuntime> {
	/// Chain, state and runtime calls.
	pub client: Arc<FullClient<R>>,
	/// Transactions that wait for a block.
	pub transaction_pool: Arc<TransactionPool<R>>,
	/// The P2P network.
	pub network: Arc<dyn NetworkService>,
	/// Block synchronisation.
	pub sync: Arc<SyncingService<BlockOf<R>>>,
	/// The node's keys.
	pub keystore: KeystorePtr,
	/// RPC calls from inside the process, and the addresses of the RPC server.
	pub rpc: RpcHandlers,
	/// Runs the node's tasks: the node stops when this is dropped.
	pub task_manager: TaskManager,
}
