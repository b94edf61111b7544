//! A node for a runtime with a team's own pallet and security mode.
//!
//! The pallet needs nothing from the node: clients find its calls in the runtime's metadata. The mode needs one
//! thing, if this node is to serve subtrees under it: somebody who makes the evidence for their heads.
//!
//! ```text
//! own-chain --dev --serve /x
//! ```

use codec::{DecodeAll, Encode};
use dstp_example_runtime::metered::{head_payload, Metered, Params};
use dstp_node_sdk::{
	global_tree::GlobalTree,
	sp_keystore::Keystore,
	subtree::{sign, HeadSigner, SubtreeArgs, Subtrees},
	App, NodeRuntime, SubstrateHostFunctions,
};
use dstp_primitives::{head::Head, mode::SecurityMode, object::ModeId, subtree::ModeView};
use std::process::ExitCode;

/// The team's chain, as the node sees it.
struct OwnChain;

impl NodeRuntime for OwnChain {
	const NAME: &'static str = "own-chain";
	const VERSION: &'static str = env!("CARGO_PKG_VERSION");

	type Block = dstp_example_runtime::opaque::Block;
	type Header = dstp_example_runtime::Header;
	type RuntimeApi = dstp_example_runtime::RuntimeApi;
	type HostFunctions = SubstrateHostFunctions;

	fn wasm_binary() -> Option<&'static [u8]> {
		dstp_example_runtime::WASM_BINARY
	}
}

/// Signs the heads of metered subtrees with the key that their owner agreed to.
struct MeteredSigner;

impl HeadSigner for MeteredSigner {
	fn mode(&self) -> ModeId {
		ModeId::Native(Metered::ID)
	}

	fn evidence(&self, head: &Head, mode: &ModeView, keystore: &dyn Keystore) -> Option<Vec<u8>> {
		let params = Params::decode_all(&mut &mode.params[..]).ok()?;
		sign(keystore, &params.key, &head_payload(head)).map(|signature| signature.encode())
	}
}

fn main() -> ExitCode {
	App::<OwnChain>::new()
		.compose(|node, flags: SubtreeArgs| {
			let subtrees = Subtrees::from(flags).signer(MeteredSigner);
			Ok(node.extension(GlobalTree).extension(subtrees))
		})
		.main()
}
