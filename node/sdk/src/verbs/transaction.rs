//! Transactions of the hub, without naming its runtime.

use super::{node::Node, signer::Signer, text, VerbError};
use crate::runtime::{AccountId, BlockHash, NodeRuntime, Nonce};
use dstp_primitives::{mode::poa::PoaParams, Key, ObjectId};
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
	let terms = Terms { signer: account, nonce, genesis, spec_version: version.spec_version };
	let bytes = H::transaction(calls, &terms, &|message| signer.sign(message));
	Ok(Sent { hash: H256(blake2_256(&bytes)), bytes: Bytes(bytes) })
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
			if let Some(block) = finalized(&update)? {
				return Ok(block);
			}
		}
		Err(VerbError::TransactionDropped("the node ended the watch".into()))
	};
	let block = tokio::time::timeout(limit, watch).await.map_err(|_| VerbError::NotFinal {
		hash: format!("{:?}", sent.hash),
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

/// What an update of the watch means: the final block, nothing yet, or that there will be none.
fn finalized(update: &Value) -> Result<Option<BlockHash>, VerbError> {
	match update {
		Value::String(state) if matches!(state.as_str(), "dropped" | "invalid") => {
			Err(VerbError::TransactionDropped(state.clone()))
		},
		Value::Object(state) => match state.iter().next() {
			Some((name, block)) if name == "finalized" => {
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
