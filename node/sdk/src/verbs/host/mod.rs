//! `subtree host`: takes a remote subtree back to the hub.
//!
//! ```text
//!  the copy is quiet ─► start_hosting ─► stage, object by object ─► finish_hosting
//!        ▲                   │                 │
//!        └── cancel, if calls came in between  └── interrupted: the next run goes on from what the hub has
//! ```
//!
//! From `start_hosting` on the hub accepts no heads. A call that a node acknowledged and that is in no accepted head then would be
//! lost with `finish_hosting`. So the verb starts only when the node that serves has no such call, looks again when that node has
//! seen the start and refuses calls, and cancels if one came in between.

mod bar;
mod content;
mod hub;
mod staging;

use super::{
	args::wait_seconds, node::Node, signer::Signer, text, transaction, HubCall, HubTransactions,
	NodeArgs, Report, SignerArgs, VerbError,
};
use crate::{
	global_tree::{ObjectId32, ObjectJson},
	output,
	runtime::BlockHash,
	subtree::{StatusJson, SubtreeName},
};
use bar::Bar;
use content::Walk;
use dstp_primitives::{
	api::StagingView,
	hub::ContentSize,
	object::HeadStatus,
	proof::RangeError,
	subtree::{SubtreeStart, SubtreeView},
	AccountId, Key, Meta, ObjectId, StateRoot,
};
use jsonrpsee::rpc_params;
use serde_json::json;
use sp_core::crypto::Ss58Codec;
use std::time::{Duration, Instant};

/// How often a start is cancelled because calls came in between.
const MAX_STARTS: u32 = 3;

/// How long to wait before a node is asked again: a fraction of a block.
const PAUSE: Duration = Duration::from_millis(300);

/// Takes the content of a remote subtree back to the hub, which hosts it from then on. Its root stays the same.
///
/// Whoever registered the subtree signs, and pays the deposits for the content. An interrupted run goes on where it was when the
/// same command is given again.
#[derive(Debug, clap::Args)]
pub struct HostCmd {
	/// The subtree: its path (/geo, percent-encoded) or its id (0x and 64 hex digits)
	pub subtree: SubtreeName,

	/// Give up instead: the subtree stays remote, and its heads are accepted again
	#[arg(long)]
	pub cancel: bool,

	/// Start although the node follows, or has acknowledged calls that the hub has not accepted: such calls are lost
	#[arg(long, conflicts_with = "cancel")]
	pub discard_calls: bool,

	/// Give up after this many seconds of waiting for one step
	#[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = wait_seconds())]
	pub timeout: u64,

	/// Who signs and pays.
	#[command(flatten)]
	pub signer: SignerArgs,

	/// A node that serves the subtree, or has a copy of it.
	#[command(flatten)]
	pub node: NodeArgs,
}

/// Why a subtree is not taken back.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
	/// Somebody else registered it.
	#[error(
		"only {owner} may take this subtree back, who registered it, and the signer is {signer}"
	)]
	NotOwner {
		/// Who registered it.
		owner: String,
		/// Who signs.
		signer: String,
	},
	/// It is closed.
	#[error("the subtree is closed: nothing changes it any more; its content stays readable from its nodes' copies")]
	Closed,
	/// Its last head can be undone.
	#[error("the hub's last head of the subtree can still be undone; try again when 'subtree status' says that it is final")]
	NotFinal,
	/// Nothing to cancel.
	#[error("nobody takes this subtree back; there is nothing to cancel")]
	NotBeingHosted,
	/// The node has not the state.
	#[error("the node has not the state of head {0}, which the hub accepted last; ask one that has it, with --url")]
	NoCopy(u64),
	/// A follower cannot know what the serving node acknowledged.
	#[error(
		"the node at --url follows the subtree, and only the node that serves it knows whether all calls are committed: name that one \
		 with --url, or add --discard-calls"
	)]
	Follows,
	/// Calls wait.
	#[error(
		"{calls} acknowledged calls are in no head that the hub accepted, after {seconds} s; stop those who submit calls, see that the \
		 heads are committed, and try again; or lose the calls with --discard-calls"
	)]
	CallsWait {
		/// How many.
		calls: u32,
		/// How long it was waited.
		seconds: u64,
	},
	/// An interrupted run started while calls waited.
	#[error(
		"{0} acknowledged calls are in no head that the hub accepted before the take-back began: give up with --cancel and try again, \
		 which commits them first; or lose them with --discard-calls"
	)]
	LateCalls(u32),
	/// Calls came again and again.
	#[error("calls came in while the hub was told, {0} times; the subtree is as before: stop those who submit calls, and try again")]
	Busy(u32),
	/// The hub still deletes.
	#[error("the hub still deletes what it kept of the subtree's former content, after {0} s; try again later")]
	StillDeleting(u64),
	/// Transactions of the signer wait.
	#[error("transactions of the signer are in no block after {0} s; look whether the hub makes blocks, and try again")]
	TransactionsWait(u64),
	/// It is hosted, perhaps not for good.
	#[error("the hub hosts the object at its best block, which is not final after {0} s; look whether the hub finalises blocks, and try again")]
	HostedNotFinal(u64),
	/// The node does not see what the hub did.
	#[error("the node has not seen the start in the hub's state after {0} s: its off-chain worker may be off; --cancel takes the start back")]
	NodeUnaware(u64),
	/// A range is not what it should be.
	#[error("the node's content of object {object} does not hold: {source}; ask another node with --url, which goes on from here")]
	Range {
		/// Which object.
		object: ObjectId,
		/// Why.
		source: RangeError,
	},
	/// The content cannot be hosted.
	#[error("object {object} cannot be taken back: {reason}")]
	Unfit {
		/// Which object.
		object: ObjectId,
		/// Why.
		reason: String,
	},
	/// Another account brings the content.
	#[error("{0} brings the content of this subtree; sign with its key, or cancel with --cancel")]
	OtherPayer(String),
	/// The hub has another root afterwards.
	#[error("the hub hosts the object, but with root {found:?} instead of {expected:?}: another transaction changed it already")]
	OtherRoot {
		/// That of the last head.
		expected: StateRoot,
		/// The hub's.
		found: StateRoot,
	},
}

/// Where an object of the content stands, the key there, and its facts.
pub(super) type Place = (ObjectId, Key, Meta);

/// What all steps need.
struct Context<'a> {
	node: &'a Node,
	signer: &'a Signer,
	subtree: ObjectId,
	limit: Duration,
	discard_calls: bool,
}

impl Context<'_> {
	fn seconds(&self) -> u64 {
		self.limit.as_secs()
	}

	async fn status(&self) -> Result<StatusJson, VerbError> {
		self.node.ask("subtree_status", rpc_params![ObjectId32(self.subtree)]).await
	}

	/// One transaction of one call, until it is final.
	async fn transact<H: HubTransactions>(&self, call: HubCall) -> Result<BlockHash, VerbError> {
		let sent = transaction::sign::<H>(self.node, self.signer, vec![call]).await?;
		transaction::submit_and_wait::<H>(self.node, &sent, self.signer, self.limit).await
	}
}

pub(super) async fn run<H: HubTransactions>(cmd: HostCmd) -> Result<Report, VerbError> {
	let signer = Signer::new(&cmd.signer)?;
	let node = Node::connect(&cmd.node.url).await?;
	let (subtree, limit) = (cmd.subtree.id(), Duration::from_secs(cmd.timeout));
	let discard_calls = cmd.discard_calls;
	let context = Context { node: &node, signer: &signer, subtree, limit, discard_calls };
	until_settled(&context).await?;
	let Some(mut view) = hub::find(&node, subtree).await? else {
		return hosted_already(&context, cmd.cancel).await;
	};
	ensure_may(&view, &signer.account())?;
	if cmd.cancel {
		return cancel::<H>(&context, &view).await;
	}
	if view.being_hosted {
		let calls = late_calls(&context).await?;
		if calls > 0 {
			return Err(HostError::LateCalls(calls).into());
		}
	} else {
		until_quiet(&context, Instant::now() + limit).await?;
		view = hub::view(&node, subtree).await?;
	}
	if let (None, SubtreeStart::Hosted(root)) = (&view.last, &view.start) {
		return restore::<H>(&context, *root).await;
	}
	if !view.being_hosted {
		start::<H>(&context).await?;
	}
	let (staging, head) = begun(&context).await?;
	let (walk, mut bar) = (Walk::start(&node, &head), Bar::new("staging", staging.left));
	let transactions = staging::bring::<H>(&context, walk, &staging, &mut bar).await?;
	bar.end();
	output::progress("the content is complete; waiting until the hub's last step is final");
	let block = context.transact::<H>(HubCall::FinishHosting { subtree }).await?;
	report(&context, &head, block, transactions).await
}

fn ensure_may(view: &SubtreeView, signer: &AccountId) -> Result<(), HostError> {
	if view.owner != *signer {
		let (owner, signer) = (view.owner.to_ss58check(), signer.to_ss58check());
		return Err(HostError::NotOwner { owner, signer });
	}
	match view.status {
		HeadStatus::Closed => Err(HostError::Closed),
		HeadStatus::Pending { .. } | HeadStatus::Challenged => Err(HostError::NotFinal),
		HeadStatus::Initial | HeadStatus::Final => Ok(()),
	}
}

/// Until nothing of what an interrupted run has sent is on its way.
async fn until_settled(context: &Context<'_>) -> Result<(), VerbError> {
	let deadline = Instant::now() + context.limit;
	while hub::has_waiting(context.node, &context.signer.account()).await? {
		if Instant::now() >= deadline {
			return Err(HostError::TransactionsWait(context.seconds()).into());
		}
		tokio::time::sleep(PAUSE).await;
	}
	Ok(())
}

/// What to say if no remote subtree is registered: a run that was interrupted after its last transaction has done all that there
/// is to do.
async fn hosted_already(context: &Context<'_>, cancel: bool) -> Result<Report, VerbError> {
	let id = ObjectId32(context.subtree);
	let at = async |block: Option<BlockHash>| -> Result<Option<ObjectJson>, VerbError> {
		let object: Option<ObjectJson> =
			context.node.ask("dstp_object", rpc_params![id, block]).await?;
		Ok(object.filter(|object| object.meta.is_some()))
	};
	if at(None).await?.is_none() {
		return Err(VerbError::UnknownSubtree(context.subtree));
	}
	if cancel {
		return Err(HostError::NotBeingHosted.into());
	}
	let deadline = Instant::now() + context.limit;
	loop {
		let block = context.node.finalized().await?;
		if let Some(object) = at(Some(block)).await? {
			let rows = [
				("id", context.subtree.to_string()),
				("root", text::hash(object.state_root)),
				("block", format!("{block:?}, final")),
			];
			return Ok(Report::new(
				format!("the hub hosts the object already\n{}", text::table(rows)),
				json!({
					"subtree": id,
					"outcome": "hosted",
					"epoch": null,
					"seq": null,
					"stateRoot": object.state_root,
					"transactions": 0,
					"block": block,
				}),
			));
		}
		if Instant::now() >= deadline {
			return Err(HostError::HostedNotFinal(context.seconds()).into());
		}
		tokio::time::sleep(PAUSE).await;
	}
}

/// The hub's word on what comes back, and the head that it belongs to.
async fn begun(context: &Context<'_>) -> Result<(StagingView, SubtreeView), VerbError> {
	let staging = hub::staging(context.node, context.subtree).await?;
	let staging = staging.ok_or(HostError::NotBeingHosted)?;
	if staging.payer != context.signer.account() {
		return Err(HostError::OtherPayer(staging.payer.to_ss58check()).into());
	}
	// It cannot change any more.
	Ok((staging, hub::view(context.node, context.subtree).await?))
}

async fn cancel<H: HubTransactions>(
	context: &Context<'_>,
	view: &SubtreeView,
) -> Result<Report, VerbError> {
	if !view.being_hosted {
		return Err(HostError::NotBeingHosted.into());
	}
	let subtree = context.subtree;
	let block = context.transact::<H>(HubCall::CancelHosting { subtree }).await?;
	let rows = [("id", subtree.to_string()), ("block", format!("{block:?}, final"))];
	Ok(Report::new(
		format!(
			"the subtree stays remote, and its heads are accepted again\n{}",
			text::table(rows)
		),
		json!({ "subtree": ObjectId32(subtree), "outcome": "cancelled", "block": block }),
	))
}

/// Before the first head the hub has the content still, so nothing has to be brought.
async fn restore<H: HubTransactions>(
	context: &Context<'_>,
	root: StateRoot,
) -> Result<Report, VerbError> {
	let subtree = context.subtree;
	let block = context.transact::<H>(HubCall::RestoreSubtree { subtree }).await?;
	let rows = [
		("id", subtree.to_string()),
		("root", text::hash(root)),
		("block", format!("{block:?}, final")),
	];
	Ok(Report::new(
		format!(
			"the hub hosts the subtree again, with the content that it had kept\n{}",
			text::table(rows)
		),
		json!({ "subtree": ObjectId32(subtree), "outcome": "restored", "stateRoot": root, "block": block }),
	))
}

/// Announces the content and pays for it, at a head after which no call was acknowledged.
async fn start<H: HubTransactions>(context: &Context<'_>) -> Result<(), VerbError> {
	let subtree = context.subtree;
	for _ in 0..MAX_STARTS {
		let deadline = Instant::now() + context.limit;
		until_quiet(context, deadline).await?;
		while hub::is_kept(context.node, subtree).await? {
			if Instant::now() >= deadline {
				return Err(HostError::StillDeleting(context.seconds()).into());
			}
			tokio::time::sleep(PAUSE).await;
		}
		let before = hub::view(context.node, subtree).await?;
		let size = measure(context, &before).await?;
		output::progress(&format!(
			"{} objects and {} bytes are to come; waiting until the start is final",
			size.objects, size.bytes
		));
		context.transact::<H>(HubCall::StartHosting { subtree, size }).await?;
		let same = hub::view(context.node, subtree).await?.head == before.head;
		if same && late_calls(context).await? == 0 {
			return Ok(());
		}
		output::progress(
			"calls came in between; cancelling, to start again when they are committed",
		);
		context.transact::<H>(HubCall::CancelHosting { subtree }).await?;
	}
	Err(HostError::Busy(MAX_STARTS).into())
}

/// Until the hub has every call that the node acknowledged.
async fn until_quiet(context: &Context<'_>, deadline: Instant) -> Result<(), VerbError> {
	if context.discard_calls {
		return Ok(());
	}
	let mut told = None;
	loop {
		let status = context.status().await?;
		if status.role != "serve" {
			return Err(HostError::Follows.into());
		}
		if status.pending_calls == 0 {
			return Ok(());
		}
		if Instant::now() >= deadline {
			let (calls, seconds) = (status.pending_calls, context.seconds());
			return Err(HostError::CallsWait { calls, seconds }.into());
		}
		if told.replace(status.pending_calls) != Some(status.pending_calls) {
			output::progress(&format!("waiting until the hub has {} calls", status.pending_calls));
		}
		tokio::time::sleep(PAUSE).await;
	}
}

/// How many calls the node that serves has acknowledged that the hub will not accept any more. It refuses calls from when it has
/// seen the start.
async fn late_calls(context: &Context<'_>) -> Result<u32, VerbError> {
	if context.discard_calls {
		return Ok(0);
	}
	let deadline = Instant::now() + context.limit;
	loop {
		let status = context.status().await?;
		if status.role != "serve" {
			return Err(HostError::Follows.into());
		}
		if status.being_hosted {
			return Ok(status.pending_calls);
		}
		if Instant::now() >= deadline {
			return Err(HostError::NodeUnaware(context.seconds()).into());
		}
		tokio::time::sleep(PAUSE).await;
	}
}

/// How much content there is at the hub's last head.
async fn measure(context: &Context<'_>, head: &SubtreeView) -> Result<ContentSize, VerbError> {
	let status = context.status().await?;
	if !status.synced || status.local_seq < head.head.seq {
		return Err(HostError::NoCopy(head.head.seq).into());
	}
	let mut walk = Walk::start(context.node, head);
	let mut size = ContentSize::default();
	while let Some(piece) = walk.next().await? {
		size.objects = size.objects.saturating_add(u32::from(piece.first));
		piece.entries.iter().for_each(|(_, entry)| size.add(entry));
	}
	Ok(size)
}

async fn report(
	context: &Context<'_>,
	head: &SubtreeView,
	block: BlockHash,
	transactions: usize,
) -> Result<Report, VerbError> {
	let (id, expected) = (ObjectId32(context.subtree), head.head.state_root);
	let object: Option<ObjectJson> =
		context.node.ask("dstp_object", rpc_params![id, block]).await?;
	let found = object.map(|object| object.state_root).unwrap_or_default();
	if found != expected {
		return Err(HostError::OtherRoot { expected, found }.into());
	}
	let rows = [
		("id", context.subtree.to_string()),
		("registration", format!("epoch {} ended at head {}", head.head.epoch, head.head.seq)),
		("root", format!("{}, unchanged", text::hash(found))),
		("transactions", transactions.to_string()),
		("block", format!("{block:?}, final")),
	];
	Ok(Report::new(
		format!("the hub hosts the subtree\n{}", text::table(rows)),
		json!({
			"subtree": id,
			"outcome": "hosted",
			"epoch": head.head.epoch,
			"seq": head.head.seq,
			"stateRoot": found,
			"transactions": transactions,
			"block": block,
		}),
	))
}
