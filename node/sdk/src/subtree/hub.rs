//! What the engines and their driver ask of the hub.

use super::{mailbox, SubtreeApis};
use crate::{
	extension::StartContext,
	runtime::{
		AccountId, ApiOf, BlockHash, BlockNumber, BlockOf, FullClient, NodeRuntime, OffchainStorage,
	},
};
use dstp_primitives::{
	api::{ObjectTreeApi, SubtreeSecurityApi},
	mailbox::{HubView, Interests, Outbox},
	proof::{prove_range, RangeProof},
	subtree::{ModeView, SubtreeView},
	trie::NodeSet,
	ObjectId, StateRoot,
};
use dstp_subtree::HubAccounts;
use parking_lot::Mutex;
use sc_client_api::{ProofProvider, StorageProvider};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::storage::{ChildInfo, StorageKey};
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

	/// A proven range, of at most about `max_bytes`, of an object that the hub hosted before it became remote. `root` is that of
	/// its trie.
	///
	/// # Errors
	///
	/// A sentence: the hub has given the nodes up, or this node cannot read them.
	fn kept_range(
		&self,
		object: &ObjectId,
		root: StateRoot,
		after: Option<&[u8]>,
		max_bytes: usize,
	) -> Result<RangeProof, String>;
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

	/// From the best block: the nodes stay the same until the first head, and the state of older blocks may be pruned.
	fn kept_range(
		&self,
		object: &ObjectId,
		root: StateRoot,
		after: Option<&[u8]>,
		max_bytes: usize,
	) -> Result<RangeProof, String> {
		let unreadable = |error: &dyn std::fmt::Display| {
			format!("the state of the best block cannot be read: {error}")
		};
		let at = self.client.info().best_hash;
		let trie = self.client.runtime_api().kept_trie(at, *object);
		let trie = trie.map_err(|error| unreadable(&error))?;
		let trie = trie.ok_or_else(|| format!("the hub keeps no nodes of object {object}"))?;
		let nodes = self.nodes(at, &ChildInfo::new_default_from_vec(trie), after, max_bytes);
		let nodes = NodeSet::from_trusted(nodes.map_err(|error| unreadable(&error))?);
		let proven = prove_range(&nodes, root, after, max_bytes);
		let (proof, _) =
			proven.map_err(|error| {
				format!("what the hub keeps of object {object} is not what it was registered with: {error}")
			})?;
		Ok(proof)
	}
}

impl<R: NodeRuntime> NodeHub<R> {
	/// Nodes of a child trie along the keys after `after`, with at most about `max_bytes` of keys and values and the key behind
	/// them, which a range stops at.
	fn nodes(
		&self,
		at: BlockHash,
		trie: &ChildInfo,
		after: Option<&[u8]>,
		max_bytes: usize,
	) -> sp_blockchain::Result<Vec<Vec<u8>>> {
		let start = after.map(|key| StorageKey(key.to_vec()));
		let listed = self.client.child_storage_keys(at, trie.clone(), None, start.as_ref())?;
		let (mut keys, mut bytes) = (Vec::from_iter(start.clone().map(|key| key.0)), 0);
		for key in listed {
			let behind = bytes >= max_bytes;
			if !behind {
				let value = self.client.child_storage(at, trie, &key)?;
				bytes += key.0.len() + value.map_or(0, |value| value.0.len());
			}
			keys.push(key.0);
			if behind {
				break;
			}
		}
		let mut keys = keys.iter().map(Vec::as_slice);
		Ok(self.client.read_child_proof(at, trie, &mut keys)?.into_iter_nodes().collect())
	}
}

/// Whether an account exists, at the best block. The answer is remembered until the next one.
pub(super) struct BestBlockAccounts<R: NodeRuntime> {
	client: Arc<FullClient<R>>,
	known: Mutex<KnownAccounts>,
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
		if let Some(exists) = self.known.lock().get(best, account) {
			return exists;
		}
		match self.client.runtime_api().account_exists(best, account.clone()) {
			Ok(exists) => {
				self.known.lock().insert(best, account, exists);
				exists
			},
			Err(error) => {
				log::warn!(target: "dstp", "the hub cannot say whether {account} exists: {error}");
				false
			},
		}
	}
}

/// Answers remembered per block, of each kind; the memory of a flood of accounts stays below a few megabytes.
const MAX_KNOWN: usize = 65_536;

/// Which accounts exist at one block. Those that do not are kept apart: anybody makes up as many as he likes, and they must not
/// push out the others.
#[derive(Default)]
struct KnownAccounts {
	block: BlockHash,
	existing: HashSet<AccountId>,
	missing: HashSet<AccountId>,
}

impl KnownAccounts {
	/// Whether the account existed at this block, if it was asked for. Forgets everything at a new block.
	fn get(&mut self, block: BlockHash, account: &AccountId) -> Option<bool> {
		if self.block != block {
			*self = Self { block, ..Default::default() };
		}
		match (self.existing.contains(account), self.missing.contains(account)) {
			(false, false) => None,
			(exists, _) => Some(exists),
		}
	}

	fn insert(&mut self, block: BlockHash, account: &AccountId, exists: bool) {
		if self.block != block {
			return;
		}
		let kind = if exists { &mut self.existing } else { &mut self.missing };
		if kind.len() >= MAX_KNOWN {
			kind.clear();
		}
		kind.insert(account.clone());
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn account(number: u32) -> AccountId {
		let mut bytes = [0; 32];
		bytes[..4].copy_from_slice(&number.to_le_bytes());
		AccountId::new(bytes)
	}

	#[test]
	fn both_answers_are_remembered_until_the_next_block() {
		let (one, two) = (BlockHash::repeat_byte(1), BlockHash::repeat_byte(2));
		let mut known = KnownAccounts::default();
		assert_eq!(known.get(one, &account(1)), None);
		known.insert(one, &account(1), true);
		known.insert(one, &account(2), false);
		assert_eq!(known.get(one, &account(1)), Some(true));
		assert_eq!(known.get(one, &account(2)), Some(false));
		assert_eq!(known.get(two, &account(2)), None, "it may exist now");
		known.insert(one, &account(1), true);
		assert_eq!(
			known.get(two, &account(1)),
			None,
			"an answer that comes late is of another block"
		);
	}

	#[test]
	fn made_up_accounts_are_bounded_and_push_out_no_others() {
		let block = BlockHash::repeat_byte(1);
		let mut known = KnownAccounts::default();
		known.get(block, &account(0));
		known.insert(block, &account(0), true);
		for number in 1..=MAX_KNOWN as u32 + 10 {
			known.insert(block, &account(number), false);
			assert!(known.missing.len() <= MAX_KNOWN);
		}
		assert_eq!(known.get(block, &account(0)), Some(true));
	}
}
