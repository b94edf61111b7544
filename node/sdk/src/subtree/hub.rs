//! What the engine asks of the hub.

use super::SubtreeApis;
use crate::runtime::{AccountId, ApiOf, BlockHash, BlockOf, FullClient, NodeRuntime};
use dstp_primitives::api::SubtreeSecurityApi;
use dstp_subtree::HubAccounts;
use parking_lot::Mutex;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use std::{collections::HashSet, sync::Arc};

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
