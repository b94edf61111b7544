//! Remote subtrees in a node: the extension that serves them, commits their heads and answers `subtree_*`.
//!
//! ```text
//!  RPC ── signed call ──► Engine ── sealed heads ──► outbox ─┐
//!                            ▲                               ▼   (off-chain storage)
//!                            └── heads that the hub has ◄── hub view ◄── off-chain worker ──► transactions
//! ```
//!
//! The engine (`dstp-subtree`) executes calls and seals batches. What the hub knows reaches it only through the mailbox that the
//! off-chain worker of the hub's runtime fills at each best block, and its heads reach the hub only through the worker: with the
//! worker off nothing is committed.
//!
//! # Trust model
//!
//! Calls come from strangers; the engine checks them. The hub's word is that of this node's best block: a reorganisation is
//! noticed at the next one, and heads whose commit was lost go out again.

mod args;
mod authority;
mod error;
mod hub;
mod json;
mod mailbox;
mod metrics;
mod names;
mod network;
mod rpc;
mod serve;

pub use args::SubtreeArgs;
pub use error::SubtreeRpcError;
pub use json::{HeadJson, ReceiptJson, StatusJson, SubtreeProofJson, SyncJson};
pub use names::SubtreeName;
pub use rpc::{SubtreeApiServer, SubtreeRpc};

use crate::{
	error::ExtensionError,
	extension::{Extension, RegisterContext, Rpc, StartContext},
	runtime::{AccountId, ApiOf, BlockOf, NodeRuntime, Nonce},
};
use dstp_primitives::{
	api::{ObjectTreeApi, PoaApi, SubtreeSecurityApi},
	mailbox::{Interests, MAX_INTERESTS},
	ObjectId,
};
use dstp_subtree::Role;
use frame_system_rpc_runtime_api::AccountNonceApi;
use serve::Served;
use std::{collections::BTreeMap, sync::Arc};

/// The runtime APIs of a hub with remote subtrees.
pub trait SubtreeApis<Block: sp_runtime::traits::Block>:
	ObjectTreeApi<Block>
	+ SubtreeSecurityApi<Block>
	+ PoaApi<Block>
	+ AccountNonceApi<Block, AccountId, Nonce>
{
}

impl<Block: sp_runtime::traits::Block, Api> SubtreeApis<Block> for Api where
	Api: ObjectTreeApi<Block>
		+ SubtreeSecurityApi<Block>
		+ PoaApi<Block>
		+ AccountNonceApi<Block, AccountId, Nonce>
{
}

/// Serves and follows remote subtrees, and answers `subtree_*`.
///
/// Heads are signed with the keys of type `dsub` in the keystore; their accounts also pay for the commits, of which
/// one in a few blocks is free for each subtree.
#[derive(Default)]
pub struct Subtrees {
	serve: Vec<SubtreeName>,
	follow: Vec<SubtreeName>,
	network: Option<network::Handles>,
}

impl Subtrees {
	/// Serves these subtrees, at most 256. Each starts as soon as the hub knows it.
	pub fn serving(serve: Vec<SubtreeName>) -> Self {
		Self::new(serve, Vec::new())
	}

	/// Serves some and follows others, at most 256 in all. What is named twice is served.
	pub fn new(serve: Vec<SubtreeName>, follow: Vec<SubtreeName>) -> Self {
		Self { serve, follow, network: None }
	}

	fn roles(&self) -> BTreeMap<ObjectId, Role> {
		let follow = self.follow.iter().map(|name| (name.id(), Role::Follow));
		follow.chain(self.serve.iter().map(|name| (name.id(), Role::Serve))).collect()
	}
}

impl<R: NodeRuntime> Extension<R> for Subtrees
where
	ApiOf<R>: SubtreeApis<BlockOf<R>>,
{
	fn name(&self) -> &'static str {
		"subtrees"
	}

	fn register(&mut self, context: &mut RegisterContext<'_>) -> Result<(), ExtensionError> {
		if !self.roles().is_empty() {
			self.network = Some(network::register(context)?);
		}
		Ok(())
	}

	fn start(self: Box<Self>, context: StartContext<R>) -> Result<Rpc, ExtensionError> {
		let roles = self.roles();
		let ids: Vec<_> = roles.keys().copied().collect();
		let interests = Interests {
			subtrees: ids.try_into().map_err(|_| {
				format!("a node holds at most {MAX_INTERESTS} subtrees; start another node")
			})?,
		};
		let served = Arc::new(Served::new(roles, &context)?);
		if let Some(handles) = self.network {
			network::start(served.clone(), handles, &context);
		}
		serve::spawn(served.clone(), interests, &context);
		Ok(Rpc::from(SubtreeRpc::<R>::new(context.client, served).into_rpc()))
	}
}
