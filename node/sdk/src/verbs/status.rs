//! `subtree status`: what the hub and a node know of a subtree.

use super::{node::Node, text, NodeArgs, Report, VerbError};
use crate::{
	global_tree::{LocationJson, ObjectId32},
	subtree::{HeadJson, StatusJson, SubtreeName, SyncJson},
};
use jsonrpsee::rpc_params;
use serde_json::json;

/// Shows the head that the hub accepted, and how the node stands.
#[derive(Debug, clap::Args)]
pub struct StatusCmd {
	/// The subtree: its path (/geo, percent-encoded) or its id (0x and 64 hex digits)
	pub subtree: SubtreeName,

	/// Which node.
	#[command(flatten)]
	pub node: NodeArgs,
}

pub(super) async fn run(cmd: StatusCmd) -> Result<Report, VerbError> {
	let node = Node::connect(&cmd.node.url).await?;
	let id = cmd.subtree.id();
	let head: Option<HeadJson> = node.ask("subtree_head", rpc_params![ObjectId32(id)]).await?;
	let head = head.ok_or(VerbError::UnknownSubtree(id))?;
	// A node without a copy says why, and that is an answer too.
	let copy: Result<StatusJson, String> =
		match node.ask("subtree_status", rpc_params![ObjectId32(id)]).await {
			Err(VerbError::Refused { message, .. }) => Err(message),
			answer => Ok(answer?),
		};
	let mut rows = head_rows(&head);
	match &copy {
		Ok(status) => rows.extend(copy_rows(status)),
		Err(reason) => rows.push(("this node", reason.clone())),
	}
	let json = json!({
		"subtree": ObjectId32(id),
		"head": head,
		"copy": copy.as_ref().ok(),
		"noCopy": copy.as_ref().err(),
	});
	Ok(Report::new(format!("subtree {id}\n{}", text::table(rows)), json))
}

fn head_rows(head: &HeadJson) -> Vec<(&'static str, String)> {
	let mut rows = Vec::new();
	if let LocationJson::Remote { mode, epoch, era, seq, status, pending_until } = &head.location {
		let until = pending_until.map_or(String::new(), |until| format!(" until block {until}"));
		rows.push(("registration", format!("mode {mode}, epoch {epoch}")));
		rows.push(("hub head", format!("{seq} of era {era}, {status}{until}")));
	}
	rows.push(("hub root", text::hash(head.state_root)));
	rows.push((
		"accepted",
		format!("in hub block {}, {} calls", head.committed_at, head.batch_len),
	));
	rows
}

fn copy_rows(status: &StatusJson) -> Vec<(&'static str, String)> {
	let synced = if status.synced { "its state is here" } else { "its state is not here yet" };
	let mut rows = vec![
		("this node", format!("role {}, {synced}", status.role)),
		("local heads", format!("{} to {}", status.oldest_seq, status.local_seq)),
		("local root", text::hash(status.local_root)),
		(
			"calls",
			format!(
				"{} since the newest head, {} not on the hub yet",
				status.open_calls, status.pending_calls
			),
		),
	];
	if status.being_hosted {
		rows.push(("hosting", "the hub takes the content back, and no calls are taken".into()));
	}
	if let Some(sync) = &status.sync {
		rows.push(("sync", sync_text(sync)));
	}
	if let Some(reason) = &status.stopped {
		rows.push(("stopped", reason.clone()));
	}
	rows
}

fn sync_text(sync: &SyncJson) -> String {
	let reason = sync.reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
	format!(
		"{}{reason}, {} peers, {} bytes, {} objects, {} batches, {} wrong answers",
		sync.phase, sync.peers, sync.bytes, sync.objects, sync.batches, sync.invalid
	)
}
