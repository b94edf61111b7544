//! Remote subtrees in a node: the extension that serves them, commits their heads and answers `subtree_*`.
//!
//! ```text
//!  RPC ── signed call ──► queue ──► Engine ── sealed heads ──► outbox ─┐
//!   ▲                                │  ▲                               ▼   (off-chain storage)
//!   └── subscriptions ◄── Live ◄─────┘  └── heads that the hub has ◄── hub view ◄── off-chain worker ──► transactions
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
mod changes;
mod driver;
mod error;
mod hub;
mod json;
mod live;
mod mailbox;
mod metrics;
mod migrated;
mod names;
mod network;
mod rpc;
mod serve;
mod signer;
mod subscribe;
#[cfg(test)]
mod tests;
mod updates;
mod writer;

pub use args::{KeepHeads, SubtreeArgs};
pub use error::SubtreeRpcError;
pub use json::{HeadJson, ReceiptJson, StatusJson, SubtreeProofJson, SyncJson};
pub use names::SubtreeName;
pub use rpc::{SubtreeApiServer, SubtreeRpc};
pub use signer::{sign, HeadSigner, KEY_TYPE};
pub use updates::{
	CallUpdate, ChangeUpdate, FieldChangeJson, HeadUpdate, LocalHeadJson, ObjectChangeJson,
};

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
use dstp_subtree::{EngineOptions, Role};
use frame_system_rpc_runtime_api::AccountNonceApi;
use serve::Served;
use signer::PoaSigner;
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
	sync::Arc,
	time::{SystemTime, UNIX_EPOCH},
};

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
	signers: Vec<Box<dyn HeadSigner>>,
	keep_heads: KeepHeads,
	network: Option<network::Handles>,
}

impl Subtrees {
	/// Serves these subtrees, at most 256. Each starts as soon as the hub knows it.
	pub fn serving(serve: Vec<SubtreeName>) -> Self {
		Self::new(serve, Vec::new())
	}

	/// Serves some and follows others, at most 256 in all. What is named twice is served.
	pub fn new(serve: Vec<SubtreeName>, follow: Vec<SubtreeName>) -> Self {
		Self { serve, follow, ..Self::default() }
	}

	/// Keeps as many heads of each subtree readable. By default the last 256.
	pub fn keep_heads(mut self, keep_heads: KeepHeads) -> Self {
		self.keep_heads = keep_heads;
		self
	}

	/// Adds a signer for the heads of served subtrees under a security mode of the team's own. One for PoA is there already; a
	/// signer for the same mode takes its place.
	pub fn signer(mut self, signer: impl HeadSigner) -> Self {
		self.signers.push(Box::new(signer));
		self
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

	fn start(mut self: Box<Self>, context: StartContext<R>) -> Result<Rpc, ExtensionError> {
		let roles = self.roles();
		// The last, so that a signer of the team's own for PoA is found first.
		self.signers.push(Box::new(PoaSigner));
		let ids: Vec<_> = roles.keys().copied().collect();
		let interests = Interests {
			subtrees: ids.try_into().map_err(|_| {
				format!("a node holds at most {MAX_INTERESTS} subtrees; start another node")
			})?,
		};
		let KeepHeads(retention) = self.keep_heads;
		let options = EngineOptions { retention, ..Default::default() };
		let folder = folder(&context.data_path);
		let served =
			Arc::new(Served::new(context.genesis_hash, folder, roles, Arc::new(system_now_ms)));
		if let Some(handles) = self.network {
			network::start(served.clone(), handles, options.clone(), &context);
		}
		driver::spawn(served.clone(), interests, self.signers, options, &context);
		let executor = Arc::new(context.spawn.clone());
		Ok(Rpc::from(SubtreeRpc::<R>::new(context.client, served, executor).into_rpc()))
	}
}

/// Where a node that keeps its data in `data_path` keeps all its subtrees.
pub(crate) fn folder(data_path: &Path) -> PathBuf {
	data_path.join("subtrees")
}

/// Milliseconds since 1970.
fn system_now_ms() -> u64 {
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
