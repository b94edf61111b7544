//! What the engines and their driver ask of the hub.

use super::{mailbox, SubtreeApis};
use crate::{
	extension::StartContext,
	runtime::{
		AccountId, ApiOf, BlockHash, BlockNumber, BlockOf, FullClient, NodeRuntime, OffchainStorage,
	},
};
use dstp_primitives::{
	api::SubtreeSecurityApi,
	mailbox::{HubView, Interests, Outbox},
	subtree::{ModeView, SubtreeView},
	ObjectId,
};
use dstp_subtree::HubAccounts;
use parking_lot::Mutex;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use std::{collections::HashSet, sync::Arc};

/// The hub as the driver of served subtrees sees it.
pub(super) trait HubSide {
	/// What the off-chain worker left last.
	fn view(&self) -> Option<HubView>;

	/// Replaces what the off-chain worker submits.
	fn put(&mut self, outbox: &Outbox);

	/// The rule by which the best block judges the heads of a subtree.
	fn mode(&self, subtree: ObjectId) -> Option<ModeView>;

	/// The newest final block.
	fn finalised(&self) -> (BlockHash, BlockNumber);

	/// A subtree in the state of a block.
	fn head_at(&self, block: BlockHash, subtree: ObjectId) -> Option<SubtreeView>;
}

/// The hub of this node: its client, and the mailbox.
pub(super) struct NodeHub<R: NodeRuntime> {
	client: Arc<FullClient<R>>,
	storage: OffchainStorage<R>,
}

impl<R: NodeRuntime> NodeHub<R> {
	/// Tells the worker which subtrees to watch, and empties the outbox: what an earlier run left may belong to subtrees that
	/// another node serves now.
	pub(super) fn new(context: &StartContext<R>, interests: &Interests) -> Self {
		let mut storage = context.offchain_storage.clone();
		mailbox::write(&mut storage, interests);
		mailbox::write(&mut storage, &Outbox::default());
		Self { client: context.client.clone(), storage }
	}
}

impl<R: NodeRuntime> HubSide for NodeHub<R>
where
	ApiOf<R>: SubtreeApis<BlockOf<R>>,
{
	fn view(&self) -> Option<HubView> {
		mailbox::read(&self.storage)
	}

	fn put(&mut self, outbox: &Outbox) {
		mailbox::write(&mut self.storage, outbox);
	}

	fn mode(&self, subtree: ObjectId) -> Option<ModeView> {
		self.client.runtime_api().mode(self.client.info().best_hash, subtree).ok().flatten()
	}

	fn finalised(&self) -> (BlockHash, BlockNumber) {
		let info = self.client.info();
		(info.finalized_hash, info.finalized_number)
	}

	fn head_at(&self, block: BlockHash, subtree: ObjectId) -> Option<SubtreeView> {
		self.client.runtime_api().head(block, subtree).ok().flatten()
	}
}

/// Accounts remembered per block; the memory of a flood of new accounts stays below a few megabytes.
const MAX_KNOWN: usize = 65_536;

/// Whether an account exists, at the best block. What exists is remembered until the next one.
pub(super) struct BestBlockAccounts<R: NodeRuntime> {
	client: Arc<FullClient<R>>,
	known: Mutex<(BlockHash, HashSet<AccountId>)>,
}

impl<R: NodeRuntime> BestBlockAccounts<R> {
	pub(super) fn new(client: Arc<FullClient<R>>) -> Self {
		Self { client, known: Mutex::default() }
	}
}

impl<R: NodeRuntime> HubAccounts for BestBlockAccounts<R>
where
	ApiOf<R>: SubtreeApis<BlockOf<R>>,
{
	fn exists(&self, account: &AccountId) -> bool {
		let best = self.client.info().best_hash;
		if self.remembers(best, account) {
			return true;
		}
		let answer = self.client.runtime_api().account_exists(best, account.clone());
		let exists = answer.unwrap_or_else(|error| {
			log::warn!(target: "dstp", "the hub cannot say whether {account} exists: {error}");
			false
		});
		if exists {
			self.known.lock().1.insert(account.clone());
		}
		exists
	}
}

impl<R: NodeRuntime> BestBlockAccounts<R> {
	/// Whether the account existed at this block already. Forgets everything at a new block.
	fn remembers(&self, best: BlockHash, account: &AccountId) -> bool {
		let mut known = self.known.lock();
		if known.0 != best || known.1.len() >= MAX_KNOWN {
			*known = (best, HashSet::new());
		}
		known.1.contains(account)
	}
}
