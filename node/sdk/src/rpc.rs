//! RPC methods beside those of Substrate's service (`author`, `chain`, `state`, `system`, ...).

use crate::{
	error::{Error, ExtensionError},
	extension::{Extension, Rpc, StartContext},
	runtime::NodeRuntime,
};
use jsonrpsee::RpcModule;
use sc_rpc::SubscriptionTaskExecutor;

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
