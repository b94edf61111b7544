//! The global tree over RPC: the `dstp_*` methods.
//!
//! Everything here is read from the state of a block that this node has, through the runtime API; proofs are made from the
//! node's own database. A client that does not trust the node takes a header that it trusts and checks the proof itself.

mod error;
mod json;
mod prove;
mod rpc;

pub use error::GlobalTreeError;
pub use json::{
	BlockRoot, ChildJson, FieldJson, LocationJson, MetaJson, ObjectId32, ObjectJson, PageJson,
	PageParams, PathParam, PresenceJson, ProofJson, ProofParams, ResolvedJson,
};
pub(crate) use prove::hub_nodes;
pub(crate) use rpc::to_query;
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
