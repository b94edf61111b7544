//! `subtree call`: changes a remote subtree by a signed call.

use super::{
	args::wait_seconds,
	node::Node,
	place::{self, split_last, Place, Remote},
	signer::Signer,
	text, BytesArg, FieldArg, KeyArg, NodeArgs, Report, SignerArgs, VerbError,
};
use crate::{
	global_tree::{AccountJson, Bytes, ObjectId32},
	output,
	runtime::{BlockHash, BlockNumber},
	subtree::{CallUpdate, ReceiptJson},
};
use codec::Encode;
use dstp_primitives::{
	call::{Call, CallPayload, SignedCall, MAX_CALL_BYTES, MAX_VALIDITY_BLOCKS},
	object::TypeName,
	tree::MAX_BATCH_FIELDS,
	ObjectFlags, ObjectType, Path,
};
use jsonrpsee::{core::client::Subscription, rpc_params};
use serde::Serialize;
use serde_json::{json, Value};
use sp_core::{crypto::Ss58Codec, H256};
use std::time::Duration;

/// Signs a call, hands it to the node that serves the subtree, and prints the receipt.
#[derive(Debug, clap::Args)]
pub struct CallCmd {
	/// What to do.
	#[command(subcommand)]
	pub verb: CallVerb,

	/// Hub blocks for which the signature is valid
	#[arg(long, value_name = "BLOCKS", default_value_t = 300, global = true,
		value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_VALIDITY_BLOCKS)))]
	pub valid_blocks: u32,

	/// Wait until the hub has finalised the head that holds the call
	#[arg(long, global = true)]
	pub wait: bool,

	/// Give up waiting after this many seconds
	#[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = wait_seconds(), global = true)]
	pub timeout: u64,

	/// Who signs.
	#[command(flatten)]
	pub signer: SignerArgs,

	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,
}

/// A change of one object. Paths start at the root of the tree; the subtree is found along the path.
#[derive(Debug, clap::Subcommand)]
pub enum CallVerb {
	/// Create an object
	Create {
		/// Path of the new object
		path: Path,
		/// A label that says what kind of object it is (text, or 0x and hex)
		#[arg(long = "type", value_name = "LABEL")]
		object_type: Option<BytesArg>,
		/// Hash the keys below it, as an object needs that is to be shared
		#[arg(long)]
		hashed_keys: bool,
	},

	/// Set fields
	Set {
		/// Path of the object
		path: Path,
		/// Fields and their values (text, or 0x and hex)
		#[arg(value_name = "KEY=VALUE", required = true)]
		fields: Vec<FieldArg>,
	},

	/// Remove fields
	Unset {
		/// Path of the object
		path: Path,
		/// Fields (text, or 0x and hex)
		#[arg(value_name = "KEY", required = true)]
		keys: Vec<KeyArg>,
	},

	/// Hand an object over to another account
	Transfer {
		/// Path of the object
		path: Path,
		/// The new owner
		to: AccountJson,
	},

	/// Let everybody create objects below an object, for ever
	Share {
		/// Path of the object
		path: Path,
	},

	/// Fix an object for ever
	Freeze {
		/// Path of the object
		path: Path,
	},

	/// Remove an object
	Remove {
		/// Path of the object
		path: Path,
		/// Also what is below it, at most 256 fields and objects per call: repeat it until the object is gone
		#[arg(long)]
		recursive: bool,
	},
}

impl CallVerb {
	fn path(&self) -> &Path {
		match self {
			Self::Create { path, .. }
			| Self::Set { path, .. }
			| Self::Unset { path, .. }
			| Self::Transfer { path, .. }
			| Self::Share { path }
			| Self::Freeze { path }
			| Self::Remove { path, .. } => path,
		}
	}

	/// The call, for an object at `inside` the subtree.
	fn call(self, inside: Path) -> Result<Call, VerbError> {
		let too_many = |_| {
			VerbError::BadParameters(format!(
				"one call names at most {MAX_BATCH_FIELDS} fields; split it"
			))
		};
		Ok(match self {
			Self::Create { object_type, hashed_keys, .. } => {
				let (parent, key) = split_last(&inside).ok_or_else(|| {
					let message = "the root object of a subtree exists from its registration on; name an object below it";
					VerbError::BadParameters(message.into())
				})?;
				let flags =
					if hashed_keys { ObjectFlags::hashed_keys() } else { ObjectFlags::default() };
				Call::Create { parent, key, object_type: label(object_type)?, flags }
			},
			Self::Set { fields, .. } => {
				let fields: Vec<_> =
					fields.into_iter().map(|FieldArg(key, value)| (key, value)).collect();
				Call::SetFields {
					object: inside,
					fields: fields.try_into().map_err(|_| too_many(()))?,
				}
			},
			Self::Unset { keys, .. } => {
				let keys: Vec<_> = keys.into_iter().map(|key| key.0).collect();
				Call::RemoveFields {
					object: inside,
					keys: keys.try_into().map_err(|_| too_many(()))?,
				}
			},
			Self::Transfer { to, .. } => Call::Transfer { object: inside, to: to.0 },
			Self::Share { .. } => Call::Share { object: inside },
			Self::Freeze { .. } => Call::Freeze { object: inside },
			Self::Remove { recursive: false, .. } => Call::Remove { object: inside },
			Self::Remove { recursive: true, .. } => Call::RemoveRecursive { object: inside },
		})
	}
}

fn label(object_type: Option<BytesArg>) -> Result<ObjectType, VerbError> {
	let Some(BytesArg(label)) = object_type else { return Ok(ObjectType::Plain) };
	TypeName::try_from(label).map(ObjectType::Named).map_err(|_| {
		VerbError::BadParameters("the label of an object type has at most 64 bytes".into())
	})
}

pub(super) async fn run(cmd: CallCmd) -> Result<Report, VerbError> {
	let signer = Signer::new(&cmd.signer)?;
	let node = Node::connect(&cmd.node.url).await?;
	let path = cmd.verb.path().clone();
	let remote = match place::find(&node, &path).await? {
		Place::Remote(remote) => remote,
		Place::Hosted => return Err(VerbError::Hosted(path)),
		Place::Absent => return Err(VerbError::NotRegistered(path)),
	};
	let call = cmd.verb.call(remote.inside.clone())?;
	let payload = payload(&node, &signer, &remote, call, cmd.valid_blocks).await?;
	let signature = signer.sign_call(&payload.signing_bytes());
	let signed = SignedCall { payload, signature };
	let bytes = signed.encode();
	if bytes.len() > MAX_CALL_BYTES {
		let message = format!(
			"the call has {} bytes, and {MAX_CALL_BYTES} are allowed; split it",
			bytes.len()
		);
		return Err(VerbError::BadParameters(message));
	}
	let (receipt, end) = if cmd.wait {
		submit_and_wait(&node, bytes, cmd.timeout).await?
	} else {
		(node.ask("subtree_submit", rpc_params![Bytes(bytes)]).await?, Ok(None))
	};
	Ok(report(&path, &remote, &signed.payload, &receipt, end))
}

/// Where the hub has finalised a call.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Final {
	/// The head that holds it.
	head: H256,
	/// A final block in whose state the node saw that head or a later one.
	block_hash: BlockHash,
	block_number: BlockNumber,
}

/// What waiting for a call came to; nothing if it failed, which no block changes.
type Waited = Result<Option<Final>, VerbError>;

/// Hands a call in and waits until it is final. A receipt stays a receipt, whatever becomes of the waiting.
async fn submit_and_wait(
	node: &Node,
	call: Vec<u8>,
	seconds: u64,
) -> Result<(ReceiptJson, Waited), VerbError> {
	let mut updates =
		node.subscribe(METHOD, rpc_params![Bytes(call)], "subtree_unwatchCall").await?;
	let Some(CallUpdate::Executed(receipt)) = next(&mut updates).await? else {
		return Err(bad_update(&"the receipt does not come first"));
	};
	if receipt.status != APPLIED {
		return Ok((receipt, Ok(None)));
	}
	output::progress("executed, and on the disk of the node that serves the subtree");
	let finalised = tokio::time::timeout(Duration::from_secs(seconds), until_final(&mut updates));
	let waited = finalised
		.await
		.unwrap_or_else(|_| Err(VerbError::CallNotFinal(format!("not within {seconds} s"))));
	Ok((receipt, waited.map(Some)))
}

const METHOD: &str = "subtree_submitAndWatch";

/// What a receipt says of a call that changed the state.
const APPLIED: &str = "applied";

fn bad_update(reason: &dyn std::fmt::Display) -> VerbError {
	VerbError::BadAnswer { method: METHOD, reason: reason.to_string() }
}

async fn next(updates: &mut Subscription<Value>) -> Result<Option<CallUpdate>, VerbError> {
	let update = updates.next().await.transpose().map_err(|error| bad_update(&error))?;
	update.map(serde_json::from_value).transpose().map_err(|error| bad_update(&error))
}

async fn until_final(updates: &mut Subscription<Value>) -> Result<Final, VerbError> {
	let mut reached = Final::default();
	while let Some(update) = next(updates).await? {
		match update {
			CallUpdate::Executed(_) => {},
			CallUpdate::Batched { seq, index, head } => {
				reached.head = head;
				output::progress(&format!("sealed as call {index} of head {seq}"));
			},
			CallUpdate::Committed { seq, block_number, .. } => {
				output::progress(&format!("the hub accepted head {seq} by block {block_number}"));
			},
			CallUpdate::Reverted { seq } => {
				output::progress(&format!("the hub lost head {seq}; it is handed in again"));
			},
			CallUpdate::Finalised { block_hash, block_number, .. } => {
				output::progress(&format!("final by block {block_number}"));
				return Ok(Final { block_hash, block_number, ..reached });
			},
			CallUpdate::Ended { reason } => return Err(VerbError::CallNotFinal(reason)),
		}
	}
	Err(VerbError::CallNotFinal("the node ended the connection".into()))
}

async fn payload(
	node: &Node,
	signer: &Signer,
	remote: &Remote,
	call: Call,
	valid_blocks: u32,
) -> Result<CallPayload, VerbError> {
	let account = signer.account();
	let subtree = ObjectId32(remote.subtree);
	let nonce = node.ask("subtree_nextNonce", rpc_params![subtree, account.to_ss58check()]).await?;
	let best = node.header(None).await?.map_or(0, |header| header.number);
	Ok(CallPayload {
		genesis: node.genesis().await?,
		subtree: remote.subtree,
		epoch: remote.epoch,
		signer: account,
		nonce,
		valid_until: best.saturating_add(valid_blocks),
		call,
	})
}

fn report(
	path: &Path,
	remote: &Remote,
	payload: &CallPayload,
	receipt: &ReceiptJson,
	waited: Waited,
) -> Report {
	let failure = (receipt.status != APPLIED).then(|| {
		VerbError::CallFailed(receipt.reason.clone().unwrap_or_else(|| receipt.status.clone()))
	});
	let mut rows = vec![
		("subtree", format!("{}, epoch {}", remote.above, remote.epoch)),
		("genesis", format!("{:?}", payload.genesis)),
		("signer", format!("{}, nonce {}", payload.signer.to_ss58check(), payload.nonce)),
		("valid until", format!("hub block {}", payload.valid_until)),
		("call id", format!("{:?}", receipt.call_id)),
		("status", receipt.status.clone()),
		("place", format!("call {} of head {}", receipt.index, receipt.seq)),
		("root after", text::hash(receipt.post_root)),
	];
	let (finalised, failure) = match waited {
		Ok(finalised) => (finalised, failure),
		Err(error) => (None, failure.or(Some(error))),
	};
	if let Some(Final { block_hash, block_number, .. }) = &finalised {
		rows.push(("final", format!("by hub block {block_number} ({block_hash:?})")));
	}
	let mut report = Report::new(
		text::table(rows),
		json!({
			"path": path.to_string(),
			"subtree": ObjectId32(remote.subtree),
			"subtreePath": remote.above.to_string(),
			"epoch": remote.epoch,
			"genesis": payload.genesis,
			"signer": payload.signer.to_ss58check(),
			"nonce": payload.nonce,
			"validUntil": payload.valid_until,
			"receipt": receipt,
			"final": finalised,
		}),
	);
	report.failure = failure;
	report
}
