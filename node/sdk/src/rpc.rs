//! RPC methods beside those of Substrate's service (`author`, `chain`, `state`, `system`, ...).

use crate::{
	error::{Error, ExtensionError},
	extension::{Extension, Rpc, StartContext},
	runtime::NodeRuntime,
};
use jsonrpsee::RpcModule;
use sc_rpc::SubscriptionTaskExecutor;
use sc_service::config::{RpcBatchRequestConfig, RpcConfiguration};

/// `system_accountNextIndex`, `system_dryRun` and `payment_*`.
pub(crate) struct StandardRpc;

impl<R: NodeRuntime> Extension<R> for StandardRpc {
	fn name(&self) -> &'static str {
		"standard-rpc"
	}

	fn start(self: Box<Self>, context: StartContext<R>) -> Result<Rpc, ExtensionError> {
		use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
		use substrate_frame_rpc_system::{System, SystemApiServer};
		let mut module = RpcModule::new(());
		module.merge(
			System::new(context.client.clone(), context.transaction_pool.clone()).into_rpc(),
		)?;
		module.merge(TransactionPayment::new(context.client).into_rpc())?;
		Ok(Rpc::from(module))
	}
}

/// Requests in one batch, where the operator names no other number. Substrate sets no limit, and a body of 15 MiB holds a quarter
/// of a million requests, which one connection makes the node answer before it looks at anything else. As many as a page
/// has entries.
const MAX_BATCH_REQUESTS: u32 = 1_000;

/// Limits what Substrate leaves without a limit: the length of batches.
pub(crate) fn bound(rpc: &mut RpcConfiguration) {
	let endpoints = rpc.addr.iter_mut().flatten().map(|endpoint| &mut endpoint.batch_config);
	for batches in endpoints.chain([&mut rpc.batch_config]) {
		if matches!(batches, RpcBatchRequestConfig::Unlimited) {
			*batches = RpcBatchRequestConfig::Limit(MAX_BATCH_REQUESTS);
		}
	}
}

/// Merges the methods of all extensions.
pub(crate) fn merge(
	methods: &[(&'static str, Rpc)],
	executor: SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, sc_service::Error> {
	let mut all = RpcModule::new(());
	for (name, rpc) in methods {
		let module = rpc.build(executor.clone()).map_err(|source| Error::Start { name, source });
		if let Some(module) = module.map_err(application)? {
			all.merge(module)
				.map_err(|source| application(Error::DuplicateMethod { name, source }))?;
		}
	}
	Ok(all)
}

fn application(error: Error) -> sc_service::Error {
	sc_service::Error::Application(Box::new(error))
}
