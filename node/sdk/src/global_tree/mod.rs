//! The global tree over RPC: the `dstp_*` methods.
//!
//! Everything here is read from the state of a block that this node has, through the runtime API; proofs are made from the
//! node's own database. A client that does not trust the node takes a header that it trusts and checks the proof itself.

mod error;
mod prove;
mod rpc;

pub use dstp_rpc_types::tree::{
	AccountJson, BadQuestion, BlockRoot, Bytes, ChildJson, FieldJson, LocationJson, MetaJson,
	ObjectId32, ObjectJson, PageJson, PageParams, PathText, PresenceJson, ProofJson, ProofParams,
	ResolvedJson,
};
pub use error::GlobalTreeError;
pub(crate) use prove::hub_nodes;
pub(crate) use rpc::block_or_best;
pub use rpc::{GlobalTreeApiServer, GlobalTreeRpc};

use crate::{
	error::ExtensionError,
	extension::{Extension, Rpc, StartContext},
	runtime::{ApiOf, BlockOf, NodeRuntime},
};
use dstp_primitives::api::ObjectTreeApi;

/// Serves the `dstp_*` methods. For every node whose runtime has the object tree pallet.
pub struct GlobalTree;

impl<R: NodeRuntime> Extension<R> for GlobalTree
where
	ApiOf<R>: ObjectTreeApi<BlockOf<R>>,
{
	fn name(&self) -> &'static str {
		"global-tree"
	}

	fn start(self: Box<Self>, context: StartContext<R>) -> Result<Rpc, ExtensionError> {
		Ok(Rpc::from(GlobalTreeRpc::<R>::new(context.client).into_rpc()))
	}
}
