//! What the hub says of a subtree that is taken back, by its runtime API.

use crate::{
	runtime::{AccountId, Nonce},
	verbs::{node::Node, VerbError},
};
use codec::{DecodeAll, Encode};
use dstp_primitives::{api::StagingView, subtree::SubtreeView, ObjectId};
use jsonrpsee::rpc_params;
use sp_core::{crypto::Ss58Codec, Bytes};

/// Calls a method of a runtime API, at the best block.
async fn call<T: DecodeAll>(
	node: &Node,
	method: &'static str,
	argument: impl Encode,
) -> Result<T, VerbError> {
	let answer: Bytes =
		node.ask("state_call", rpc_params![method, Bytes(argument.encode())]).await?;
	T::decode_all(&mut &answer[..])
		.map_err(|error| VerbError::BadAnswer { method, reason: error.to_string() })
}

/// A subtree with its last head; `None` if no remote subtree is registered.
pub(super) async fn find(node: &Node, subtree: ObjectId) -> Result<Option<SubtreeView>, VerbError> {
	call(node, "SubtreeSecurityApi_head", subtree).await
}

/// The same of one that has to be there.
pub(super) async fn view(node: &Node, subtree: ObjectId) -> Result<SubtreeView, VerbError> {
	find(node, subtree).await?.ok_or(VerbError::UnknownSubtree(subtree))
}

/// How far its content has come back; `None` if nobody takes it back.
pub(super) async fn staging(
	node: &Node,
	subtree: ObjectId,
) -> Result<Option<StagingView>, VerbError> {
	call(node, "ObjectTreeApi_staging", subtree).await
}

/// Whether the hub has nodes of an object, in reach or not.
pub(super) async fn is_kept(node: &Node, object: ObjectId) -> Result<bool, VerbError> {
	let trie: Option<Vec<u8>> = call(node, "ObjectTreeApi_kept_trie", object).await?;
	Ok(trie.is_some())
}

/// Whether transactions of an account wait for a block.
pub(super) async fn has_waiting(node: &Node, account: &AccountId) -> Result<bool, VerbError> {
	let next: Nonce =
		node.ask("system_accountNextIndex", rpc_params![account.to_ss58check()]).await?;
	let now: Nonce = call(node, "AccountNonceApi_account_nonce", account).await?;
	Ok(now < next)
}
