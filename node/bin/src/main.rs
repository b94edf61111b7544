//! The DSTP hub node: the node SDK with the hub's runtime.

mod transactions;

use dstp_node_sdk::{
	global_tree::GlobalTree,
	subtree::{SubtreeArgs, Subtrees},
	verbs, App, NodeBuilder, NodeRuntime,
};
use std::process::ExitCode;

/// The hub, as the node SDK sees it.
struct Hub;

impl NodeRuntime for Hub {
	const NAME: &'static str = "dstp-node";
	const VERSION: &'static str = env!("CARGO_PKG_VERSION");

	type Block = dstp_hub_runtime::opaque::Block;
	type Header = dstp_hub_runtime::Header;
	type RuntimeApi = dstp_hub_runtime::RuntimeApi;
	type HostFunctions = sp_io::SubstrateHostFunctions;

	fn wasm_binary() -> Option<&'static [u8]> {
		dstp_hub_runtime::WASM_BINARY
	}
}

/// The hub's node: it answers for the global tree, and serves the remote subtrees that the command line names.
fn compose(node: NodeBuilder<Hub>, subtrees: SubtreeArgs) -> NodeBuilder<Hub> {
	node.extension(GlobalTree).extension(Subtrees::from(subtrees))
}

fn main() -> ExitCode {
	App::<Hub>::new()
		.compose(|node, subtrees| Ok(compose(node, subtrees)))
		.verbs(verbs::run::<Hub>)
		.main()
}
