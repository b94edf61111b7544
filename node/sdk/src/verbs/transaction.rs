//! Transactions of the hub, without naming its runtime.

use super::{node::Node, signer::Signer, text, VerbError};
use crate::runtime::{AccountId, BlockHash, NodeRuntime, Nonce};
use dstp_primitives::{
	hub::ContentSize, mode::poa::PoaParams, tree::ObjectEntry, Key, Meta, ObjectId,
};
use futures::future::join_all;
use jsonrpsee::rpc_params;
use serde::Deserialize;
use serde_json::Value;
use sp_core::{crypto::Ss58Codec, Bytes, H256};
use sp_crypto_hashing::{blake2_256, twox_128};
use sp_runtime::MultiSignature;
use std::time::Duration;

/// What verbs ask the hub to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubCall {
	/// Create a hosted object that belongs to the signer.
	CreateObject {
		/// The object above.
		parent: ObjectId,
		/// Its key there.
		key: Key,
		/// How deep it will stand: the number of keys in its path.
		depth: u32,
	},
	/// Register a remote subtree under Proof of Authority.
	RegisterSubtree {
		/// The object above.
		parent: ObjectId,
		/// Its key there.
		key: Key,
		/// Who may sign its heads.
		params: PoaParams,
	},
	/// Turn a hosted object into a remote subtree under Proof of Authority that starts with the content it has.
	RegisterHosted {
		/// The object above.
		parent: ObjectId,
		/// Its key there.
		key: Key,
		/// Who may sign its heads.
		params: PoaParams,
	},
	/// Undo [`Self::RegisterHosted`] before the first head.
	RestoreSubtree {
		/// Its root object.
		subtree: ObjectId,
	},
	/// Begin to take the content of a remote subtree back, and pay the deposits for it.
	StartHosting {
		/// Its root object.
		subtree: ObjectId,
		/// How much comes at most.
		size: ContentSize,
	},
	/// Bring content of a remote subtree that is being taken back.
	Stage {
		/// Its root object.
		subtree: ObjectId,
		/// With an object's first entries: the object above, the key there, and the object's facts.
		object: Option<(ObjectId, Key, Meta)>,
		/// In the order of their trie keys, never more than [`MAX_BATCH_FIELDS`](dstp_primitives::tree::MAX_BATCH_FIELDS).
		entries: Vec<ObjectEntry>,
		/// Whether these are the object's last ones.
		complete: bool,
	},
	/// Let the hub host a subtree whose content is complete.
	FinishHosting {
		/// Its root object.
		subtree: ObjectId,
	},
	/// Undo [`Self::StartHosting`].
	CancelHosting {
		/// Its root object.
		subtree: ObjectId,
	},
}

/// What a transaction has to name beside its calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
	/// Who signs.
	pub signer: AccountId,
	/// Number of the signer's transactions before this one.
	pub nonce: Nonce,
	/// Hash of the hub's block 0.
	pub genesis: H256,
	/// Version of the runtime that will execute it.
	pub spec_version: u32,
}

/// How a hub's runtime takes transactions. A node program implements it for its runtime, with the runtime's own types.
pub trait HubTransactions: NodeRuntime {
	/// `spec_name` of the runtime.
	const SPEC_NAME: &'static str;
	/// `transaction_version` of the runtime: as long as it is the same, transactions mean the same.
	const TRANSACTION_VERSION: u32;

	/// The SCALE bytes of a signed, immortal transaction that does all of `calls` or nothing. `sign` gives the signature of
	/// `terms.signer` over any bytes.
	fn transaction(
		calls: Vec<HubCall>,
		terms: &Terms,
		sign: &dyn Fn(&[u8]) -> MultiSignature,
	) -> Vec<u8>;

	/// Why a block's transaction `index` failed, from the SCALE bytes of the block's `System.Events`; `None` if it did not.
	///
	/// # Errors
	///
	/// [`codec::Error`]: the bytes are not events of this runtime.
	fn failure(events: &[u8], index: u32) -> Result<Option<String>, codec::Error>;
}

/// A transaction that a node has taken.
pub(super) struct Sent {
	/// blake2-256 of its bytes.
	pub hash: H256,
	bytes: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
	spec_name: String,
	spec_version: u32,
	transaction_version: u32,
}

/// Signs a transaction of `calls` with the signer's next nonce.
pub(super) async fn sign<H: HubTransactions>(
	node: &Node,
	signer: &Signer,
	calls: Vec<HubCall>,
) -> Result<Sent, VerbError> {
	let mut terms = terms::<H>(node, signer).await?;
	Ok(sign_with::<H>(signer, &mut terms, calls))
}

/// Signs one transaction for each list of calls, to be executed one after the other.
pub(super) async fn sign_all<H: HubTransactions>(
	node: &Node,
	signer: &Signer,
	transactions: Vec<Vec<HubCall>>,
) -> Result<Vec<Sent>, VerbError> {
	let mut terms = terms::<H>(node, signer).await?;
	let signed = transactions.into_iter().map(|calls| sign_with::<H>(signer, &mut terms, calls));
	Ok(signed.collect())
}

/// Signs with the nonce in `terms`, which is the next one afterwards.
fn sign_with<H: HubTransactions>(signer: &Signer, terms: &mut Terms, calls: Vec<HubCall>) -> Sent {
	let bytes = H::transaction(calls, terms, &|message| signer.sign(message));
	terms.nonce = terms.nonce.saturating_add(1);
	Sent { hash: H256(blake2_256(&bytes)), bytes: Bytes(bytes) }
}

/// The terms of the signer's next transaction.
async fn terms<H: HubTransactions>(node: &Node, signer: &Signer) -> Result<Terms, VerbError> {
	let version: Version = node.ask("state_getRuntimeVersion", rpc_params![]).await?;
	if (version.spec_name.as_str(), version.transaction_version)
		!= (H::SPEC_NAME, H::TRANSACTION_VERSION)
	{
		return Err(VerbError::WrongChain {
			url: node.url().into(),
			found: format!(
				"{} with transactions of version {}",
				version.spec_name, version.transaction_version
			),
			expected: format!("{} with version {}", H::SPEC_NAME, H::TRANSACTION_VERSION),
		});
	}
	let account = signer.account();
	let nonce = node.ask("system_accountNextIndex", rpc_params![account.to_ss58check()]).await?;
	let genesis = node.genesis().await?;
	Ok(Terms { signer: account, nonce, genesis, spec_version: version.spec_version })
}

/// Hands a transaction over without waiting for a block.
pub(super) async fn submit(node: &Node, sent: &Sent, signer: &Signer) -> Result<(), VerbError> {
	let answer: Result<H256, _> =
		node.ask("author_submitExtrinsic", rpc_params![&sent.bytes]).await;
	answer.map(drop).map_err(|error| explain_pool(error, signer))
}

/// Hands a transaction over, waits until the block that holds it is final, and gives that block.
///
/// # Errors
///
/// [`VerbError::TransactionFailed`] if the runtime refused it there.
pub(super) async fn submit_and_wait<H: HubTransactions>(
	node: &Node,
	sent: &Sent,
	signer: &Signer,
	limit: Duration,
) -> Result<BlockHash, VerbError> {
	watch::<H>(node, sent, signer, limit, FINAL).await
}

/// Hands transactions over that follow one another, and waits until each is in a block of the best chain. A reorganisation of the
/// hub may still move them.
///
/// # Errors
///
/// [`VerbError::TransactionFailed`] for the first that the runtime refused.
pub(super) async fn submit_all<H: HubTransactions>(
	node: &Node,
	sent: &[Sent],
	signer: &Signer,
	limit: Duration,
) -> Result<(), VerbError> {
	let watched = sent.iter().map(|sent| watch::<H>(node, sent, signer, limit, IN_BLOCK));
	// The first that failed is the cause; those after it cannot succeed.
	join_all(watched).await.into_iter().try_for_each(|outcome| outcome.map(drop))
}

/// States of a watched transaction: what a block has is not final yet.
const IN_BLOCK: &str = "inBlock";
const FINAL: &str = "finalized";

/// Hands a transaction over, waits until it is in `state`, and gives the block that holds it.
async fn watch<H: HubTransactions>(
	node: &Node,
	sent: &Sent,
	signer: &Signer,
	limit: Duration,
	state: &'static str,
) -> Result<BlockHash, VerbError> {
	let watch = async {
		let mut updates = node
			.subscribe(
				"author_submitAndWatchExtrinsic",
				rpc_params![&sent.bytes],
				"author_unwatchExtrinsic",
			)
			.await
			.map_err(|error| explain_pool(error, signer))?;
		while let Some(update) = updates.next().await {
			let update = update.map_err(|error| bad_update(&error))?;
			if let Some(block) = reached(&update, state)? {
				return Ok(block);
			}
		}
		Err(VerbError::TransactionDropped("the node ended the watch".into()))
	};
	let block = tokio::time::timeout(limit, watch).await.map_err(|_| VerbError::Late {
		hash: format!("{:?}", sent.hash),
		wanted: if state == FINAL { "final" } else { "in a block" },
		seconds: limit.as_secs(),
	})??;
	match failure::<H>(node, block, sent).await? {
		None => Ok(block),
		Some(reason) => Err(VerbError::TransactionFailed {
			hash: format!("{:?}", sent.hash),
			block: format!("{block:?}"),
			reason,
		}),
	}
}

fn bad_update(reason: &dyn std::fmt::Display) -> VerbError {
	VerbError::BadAnswer { method: "author_submitAndWatchExtrinsic", reason: reason.to_string() }
}

/// What an update of the watch means: the block by which the transaction is in the wanted state, nothing yet, or that there will be
/// none.
fn reached(update: &Value, wanted: &str) -> Result<Option<BlockHash>, VerbError> {
	match update {
		Value::String(state) if matches!(state.as_str(), "dropped" | "invalid") => {
			Err(VerbError::TransactionDropped(state.clone()))
		},
		Value::Object(state) => match state.iter().next() {
			Some((name, block)) if name == wanted => {
				serde_json::from_value(block.clone()).map(Some).map_err(|error| bad_update(&error))
			},
			Some((name, _)) if matches!(name.as_str(), "usurped" | "finalityTimeout") => {
				Err(VerbError::TransactionDropped(name.clone()))
			},
			_ => Ok(None),
		},
		_ => Ok(None),
	}
}

/// Looks up what became of the transaction in its block.
async fn failure<H: HubTransactions>(
	node: &Node,
	block: BlockHash,
	sent: &Sent,
) -> Result<Option<String>, VerbError> {
	let method = "chain_getBlock";
	let answer: Value = node.ask(method, rpc_params![block]).await?;
	let extrinsics: Vec<Bytes> = serde_json::from_value(answer["block"]["extrinsics"].clone())
		.map_err(|error| VerbError::BadAnswer { method, reason: error.to_string() })?;
	let index = extrinsics.iter().position(|bytes| *bytes == sent.bytes);
	let index = index.and_then(|index| u32::try_from(index).ok()).ok_or_else(|| {
		VerbError::BadAnswer { method, reason: "the transaction is not in its block".into() }
	})?;
	let method = "state_getStorage";
	let key = Bytes([twox_128(b"System"), twox_128(b"Events")].concat());
	let events: Option<Bytes> = node.ask(method, rpc_params![key, block]).await?;
	H::failure(&events.unwrap_or_else(|| Bytes(vec![0])), index)
		.map_err(|error| VerbError::BadAnswer { method, reason: error.to_string() })
}

/// Adds the remedy where the pool's reason is a common one.
fn explain_pool(error: VerbError, signer: &Signer) -> VerbError {
	let VerbError::Refused { code, message } = error else { return error };
	let account = signer.account().to_ss58check();
	let remedy = if message.contains("pay some fees") {
		format!("; {account} needs money for the fee and the deposits")
	} else if message.contains("outdated") || message.contains("Priority is too low") {
		format!("; another transaction of {account} is on its way: try again")
	} else {
		String::new()
	};
	VerbError::Refused {
		code,
		message: format!(
			"the hub does not take the transaction ({}){remedy}",
			text::lower(&message)
		),
	}
}
