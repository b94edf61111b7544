//! `subtree create`: registers a remote subtree on the hub.

use super::{
	args::wait_seconds,
	node::Node,
	place::{part, split_last},
	signer::Signer,
	text, transaction, HubCall, HubTransactions, NodeArgs, Report, SignerArgs, VerbError,
};
use crate::{
	global_tree::{AccountJson, LocationJson, ObjectId32, ObjectJson, PresenceJson},
	output,
	runtime::{AccountId, BlockHash},
	subtree::{HeadJson, StatusJson},
};
use dstp_primitives::{
	mode::poa::{AuthoritySet, PoaParams},
	ObjectId, Path,
};
use jsonrpsee::rpc_params;
use serde_json::json;
use sp_core::crypto::Ss58Codec;
use std::time::Duration;

/// Registers a remote subtree that belongs to the signer: a new and empty one, or with --hosted an object that the hub hosts.
#[derive(Debug, clap::Args)]
pub struct CreateCmd {
	/// Where: keys from the root of the tree, percent-encoded, such as /geo
	pub path: Path,

	/// An account that may sign heads; repeat it for several. Without it the signer's own account
	#[arg(long = "authority", value_name = "ACCOUNT")]
	pub authorities: Vec<AccountJson>,

	/// Signatures that a head needs
	#[arg(long, value_name = "N", default_value_t = 1)]
	pub threshold: u8,

	/// Least number of hub blocks from one head to the next
	#[arg(long, value_name = "BLOCKS", default_value_t = 0)]
	pub min_interval_blocks: u32,

	/// After more hub blocks than this without a head the owner may name other authorities; without it never
	#[arg(long, value_name = "BLOCKS")]
	pub max_silence_blocks: Option<u32>,

	/// Create the objects above that are missing too, in the same transaction
	#[arg(long)]
	pub parents: bool,

	/// Make the object that the hub hosts there remote, with everything below it; its root stays the same
	#[arg(long, conflicts_with = "parents")]
	pub hosted: bool,

	/// Do not wait until the registration is final
	#[arg(long)]
	pub no_wait: bool,

	/// Give up waiting after this many seconds
	#[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = wait_seconds(), conflicts_with = "no_wait")]
	pub timeout: u64,

	/// Who signs and owns.
	#[command(flatten)]
	pub signer: SignerArgs,

	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,
}

pub(super) async fn run<H: HubTransactions>(cmd: CreateCmd) -> Result<Report, VerbError> {
	if cmd.path.keys().is_empty() {
		return Err(VerbError::Root);
	}
	let signer = Signer::new(&cmd.signer)?;
	let params = params(&cmd, signer.account())?;
	let node = Node::connect(&cmd.node.url).await?;
	let calls = if cmd.hosted {
		vec![hosted_call(&node, &cmd.path, &signer.account(), params.clone()).await?]
	} else {
		refuse_what_exists(&node, &cmd.path).await?;
		calls(&node, &cmd, &signer.account(), params.clone()).await?
	};
	let sent = transaction::sign::<H>(&node, &signer, calls).await?;
	let registered = if cmd.no_wait {
		transaction::submit(&node, &sent, &signer).await?;
		None
	} else {
		output::progress("waiting until the hub has finalised the registration…");
		let limit = Duration::from_secs(cmd.timeout);
		let block = transaction::submit_and_wait::<H>(&node, &sent, &signer, limit).await?;
		Some((block, epoch(&node, &cmd.path, block).await?))
	};
	let served = is_served(&node, &cmd.path).await;
	let next = next_step::<H>(&cmd, served);
	Ok(report(&cmd, &params, &signer.account(), &format!("{:?}", sent.hash), registered, next))
}

fn params(cmd: &CreateCmd, signer: AccountId) -> Result<PoaParams, VerbError> {
	let keys = match cmd.authorities.as_slice() {
		[] => vec![signer],
		named => named.iter().map(|account| account.0.clone()).collect(),
	};
	let authorities = AuthoritySet::new(keys, cmd.threshold)
		.map_err(|error| VerbError::BadParameters(format!("--authority, --threshold: {error}")))?;
	if cmd.max_silence_blocks.is_some_and(|silence| silence <= cmd.min_interval_blocks) {
		let message = "--max-silence-blocks has to be larger than --min-interval-blocks";
		return Err(VerbError::BadParameters(message.into()));
	}
	Ok(PoaParams {
		authorities,
		min_interval_blocks: cmd.min_interval_blocks,
		max_silence_blocks: cmd.max_silence_blocks,
	})
}

async fn refuse_what_exists(node: &Node, path: &Path) -> Result<(), VerbError> {
	let resolved = node.resolve(path).await?;
	match (resolved.presence, resolved.location) {
		(PresenceJson::Absent, _) => Ok(()),
		(PresenceJson::Hosted, _) => Err(VerbError::Exists(path.clone())),
		(PresenceJson::Remote, Some(LocationJson::Remote { epoch, .. })) => {
			Err(VerbError::Registered { path: path.clone(), epoch })
		},
		_ => {
			let inside = resolved.subtree.map(|id| id.0);
			let depth = (0..path.keys().len()).find(|depth| {
				Some(ObjectId::ROOT.descendant(&part(&path.keys()[..*depth]))) == inside
			});
			let subtree = part(&path.keys()[..depth.unwrap_or_default()]);
			Err(VerbError::InsideSubtree { path: path.clone(), subtree })
		},
	}
}

/// The registration of an object that the hub hosts. Whether everything below it may move, the hub knows.
async fn hosted_call(
	node: &Node,
	path: &Path,
	signer: &AccountId,
	params: PoaParams,
) -> Result<HubCall, VerbError> {
	match node.resolve(path).await?.presence {
		PresenceJson::Hosted => {},
		PresenceJson::Absent => return Err(VerbError::Absent(path.clone())),
		_ => refuse_what_exists(node, path).await?,
	}
	let (above, key) = split_last(path).ok_or(VerbError::Root)?;
	let id = ObjectId32(ObjectId::ROOT.descendant(path));
	let object: Option<ObjectJson> = node.ask("dstp_object", rpc_params![id]).await?;
	let owner = object.and_then(|object| object.meta).map(|meta| meta.owner).unwrap_or_default();
	if AccountId::from_ss58check(&owner).as_ref() != Ok(signer) {
		let message = format!(
			"only its owner ({owner}) may make {path} remote, and the signer is {}: sign with the owner's key",
			signer.to_ss58check()
		);
		return Err(VerbError::BadParameters(message));
	}
	Ok(HubCall::RegisterHosted { parent: ObjectId::ROOT.descendant(&above), key, params })
}

/// The registration, after the creation of parents that are missing and wanted.
async fn calls(
	node: &Node,
	cmd: &CreateCmd,
	signer: &AccountId,
	params: PoaParams,
) -> Result<Vec<HubCall>, VerbError> {
	let (mut above, key) = split_last(&cmd.path).ok_or(VerbError::Root)?;
	let parent = ObjectId::ROOT.descendant(&above);
	let mut calls = vec![HubCall::RegisterSubtree { parent, key, params }];
	while node.resolve(&above).await?.presence == PresenceJson::Absent {
		if !cmd.parents {
			return Err(VerbError::NoParent(above));
		}
		let missing = above.clone();
		let Some((next, key)) = split_last(&above) else {
			return Err(VerbError::NoParent(missing));
		};
		let parent = ObjectId::ROOT.descendant(&next);
		let depth = missing.keys().len() as u32;
		calls.push(HubCall::CreateObject { parent, key, depth });
		above = next;
	}
	calls.reverse();
	let id = ObjectId32(ObjectId::ROOT.descendant(&above));
	let object: Option<ObjectJson> = node.ask("dstp_object", rpc_params![id]).await?;
	let owner = object.and_then(|object| object.meta).map(|meta| meta.owner).unwrap_or_default();
	let may = owner == "shared" || AccountId::from_ss58check(&owner).as_ref() == Ok(signer);
	if !may {
		let signer = signer.to_ss58check();
		return Err(VerbError::NotOwner { path: above, owner, signer });
	}
	Ok(calls)
}

async fn epoch(node: &Node, path: &Path, block: BlockHash) -> Result<u64, VerbError> {
	let id = ObjectId::ROOT.descendant(path);
	let head: Option<HeadJson> =
		node.ask("subtree_head", rpc_params![ObjectId32(id), block]).await?;
	match head.map(|head| head.location) {
		Some(LocationJson::Remote { epoch, .. }) => Ok(epoch),
		_ => Err(VerbError::UnknownSubtree(id)),
	}
}

/// Whether the node that was asked serves the subtree; it may have been told to before the registration.
async fn is_served(node: &Node, path: &Path) -> bool {
	let id = ObjectId32(ObjectId::ROOT.descendant(path));
	let status: Result<StatusJson, _> = node.ask("subtree_status", rpc_params![id]).await;
	status.is_ok_and(|status| status.role == "serve")
}

fn next_step<H: HubTransactions>(cmd: &CreateCmd, served: bool) -> String {
	let (program, path) = (H::NAME, &cmd.path);
	let url = if cmd.node.url == super::args::DEFAULT_URL {
		String::new()
	} else {
		format!(" --url {}", cmd.node.url)
	};
	if served {
		format!("{program} subtree call create {path}/hello --suri <SECRET>{url}")
	} else if cmd.no_wait {
		format!("{program} subtree status {path}{url}")
	} else {
		format!("start a node with --serve {path} and an authority's key of type dsub in its keystore ({program} key insert --key-type dsub)")
	}
}

fn report(
	cmd: &CreateCmd,
	params: &PoaParams,
	owner: &AccountId,
	transaction: &str,
	registered: Option<(BlockHash, u64)>,
	next: String,
) -> Report {
	let id = ObjectId::ROOT.descendant(&cmd.path);
	let set = &params.authorities;
	let names: Vec<_> = set.keys.iter().map(|key| key.to_ss58check()).collect();
	let mut rows = vec![("id", id.to_string())];
	match registered {
		Some((block, epoch)) => {
			rows.push(("epoch", epoch.to_string()));
			rows.push(("block", format!("{block:?}, final")));
		},
		None => rows.push(("epoch", "not known before the registration is in a block".into())),
	}
	rows.push(("transaction", transaction.into()));
	rows.push(("owner", owner.to_ss58check()));
	rows.push(("mode", format!("PoA, {} of {}: {}", set.threshold, names.len(), names.join(", "))));
	rows.push(("next", next.clone()));
	let verb = if registered.is_some() { "registered" } else { "sent the registration of" };
	Report::new(
		format!("{verb} the remote subtree {}\n{}", cmd.path, text::table(rows)),
		json!({
			"path": cmd.path.to_string(),
			"subtree": ObjectId32(id),
			"epoch": registered.map(|(_, epoch)| epoch),
			"block": registered.map(|(block, _)| block),
			"transaction": transaction,
			"owner": owner.to_ss58check(),
			"mode": {
				"name": "poa",
				"authorities": names,
				"threshold": set.threshold,
				"minIntervalBlocks": params.min_interval_blocks,
				"maxSilenceBlocks": params.max_silence_blocks,
			},
			"next": next,
		}),
	)
}
