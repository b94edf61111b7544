//! The runtime's off-chain workers: code of the runtime that runs at every best block.

use crate::{
	error::ExtensionError,
	extension::{Extension, Rpc, StartContext},
	runtime::NodeRuntime,
};
use futures::FutureExt;
use sc_offchain::OffchainWorkerOptions;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use std::sync::Arc;

/// Runs the off-chain workers. Part of every node unless `--offchain-worker never` is given.
pub(crate) struct OffchainWorkers;

impl<R: NodeRuntime> Extension<R> for OffchainWorkers {
	fn name(&self) -> &'static str {
		"offchain-workers"
	}

	fn start(self: Box<Self>, context: StartContext<R>) -> Result<Rpc, ExtensionError> {
		let workers = sc_offchain::OffchainWorkers::new(OffchainWorkerOptions {
			runtime_api_provider: context.client.clone(),
			keystore: Some(context.keystore),
			offchain_db: Some(context.offchain_storage),
			transaction_pool: Some(OffchainTransactionPoolFactory::new(context.transaction_pool)),
			network_provider: Arc::new(context.network),
			is_validator: context.role.is_authority(),
			// DSTP's workers meet the node in its off-chain storage and need no HTTP, but a
			// team's own pallet may; a request without this would panic.
			enable_http_requests: true,
			custom_extensions: |_| Vec::new(),
		})?;
		let run = workers.run(context.client, context.spawn.clone());
		context.spawn.spawn("offchain-workers-runner", Some("offchain-worker"), run.boxed());
		Ok(Rpc::none())
	}
}
