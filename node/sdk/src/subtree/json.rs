//! Answers of `subtree_*` in JSON.

use crate::{
	global_tree::{BlockRoot, LocationJson, ObjectId32},
	runtime::BlockNumber,
};
use dstp_primitives::{
	call::CallStatus,
	object::{ModeId, RemoteLocation},
	subtree::SubtreeView,
	StateRoot,
};
use dstp_subtree::{Receipt, Role, Status};
use serde::{Deserialize, Serialize};
use sp_core::{Bytes, H256};

/// What the hub knows of a subtree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeadJson {
	/// Root object of the subtree.
	pub subtree: ObjectId32,
	/// Mode, epoch, era, number and status of the last accepted head.
	pub location: LocationJson,
	/// Hash of the last head; zero before the first.
	pub hash: H256,
	/// Root after it.
	pub state_root: StateRoot,
	/// Hub block in which it was accepted, or of the registration.
	pub committed_at: BlockNumber,
	/// Calls in its batch; 0 before the first.
	pub batch_len: u32,
}

impl From<SubtreeView> for HeadJson {
	fn from(view: SubtreeView) -> Self {
		let mode: ModeId = view.mode;
		let location = RemoteLocation {
			mode,
			epoch: view.head.epoch,
			era: view.head.era,
			seq: view.head.seq,
			status: view.status,
		};
		Self {
			subtree: ObjectId32(view.subtree),
			location: (&location).into(),
			hash: view.head.hash,
			state_root: view.head.state_root,
			committed_at: view.committed_at,
			batch_len: view.last.map_or(0, |head| head.batch_len),
		}
	}
}

/// What became of a call. It is on the node's disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptJson {
	/// Id of the call.
	pub call_id: H256,
	/// `applied` or `failed`.
	pub status: String,
	/// Why it failed.
	pub reason: Option<String>,
	/// Number of the head that will commit to it.
	pub seq: u64,
	/// Its index in that head's batch.
	pub index: u32,
	/// Root of the subtree after it.
	pub post_root: StateRoot,
}

impl From<Receipt> for ReceiptJson {
	fn from(receipt: Receipt) -> Self {
		let (status, reason) = match receipt.status {
			CallStatus::Applied => ("applied", None),
			CallStatus::Failed(error) => ("failed", Some(error.to_string())),
		};
		Self {
			call_id: receipt.call_id,
			status: status.into(),
			reason,
			seq: receipt.seq,
			index: receipt.index,
			post_root: receipt.post_root,
		}
	}
}

/// How the synchronisation of a followed subtree stands. Counters are since the start of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncJson {
	/// Newest head that the hub finalised, as this node sees it.
	pub hub_seq: u64,
	/// `idle` (no head is known), `copying` (the whole state in ranges), `following` (batch by batch) or `halted`; empty before
	/// the first.
	pub phase: String,
	/// Why it halted.
	pub reason: Option<String>,
	/// Connected nodes that serve the subtree.
	pub peers: u32,
	/// Bytes of useful answers.
	pub bytes: u64,
	/// Objects that were copied.
	pub objects: u64,
	/// Keys and values that were copied.
	pub entries: u64,
	/// Batches that were executed again.
	pub batches: u64,
	/// Calls in them.
	pub calls: u64,
	/// Answers that were provably wrong.
	pub invalid: u64,
}

/// How this node stands with a subtree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusJson {
	/// Root object of the subtree.
	pub subtree: ObjectId32,
	/// `serve` or `follow`.
	pub role: String,
	/// The registration.
	pub epoch: u64,
	/// Whether the state is here.
	pub synced: bool,
	/// Newest local head; 0: none yet.
	pub local_seq: u64,
	/// Its root.
	pub local_root: StateRoot,
	/// Newest head that the hub accepted, as this node sees it.
	pub hub_seq: u64,
	/// Oldest head that can be read.
	pub oldest_seq: u64,
	/// Whether the hub takes the content back: it accepts no heads, and the node no calls.
	pub being_hosted: bool,
	/// Calls executed since the newest head.
	pub open_calls: u32,
	/// Calls that the hub has not accepted yet.
	pub pending_calls: u32,
	/// Why the node takes nothing more for this subtree, if so.
	pub stopped: Option<String>,
	/// How the synchronisation stands; `null` where the node serves.
	pub sync: Option<SyncJson>,
}

impl StatusJson {
	/// With the state of the synchronisation, which also knows better what the hub has.
	pub(super) fn with_sync(self, sync: SyncJson) -> Self {
		Self { hub_seq: self.hub_seq.max(sync.hub_seq), sync: Some(sync), ..self }
	}
}

impl From<Status> for StatusJson {
	fn from(status: Status) -> Self {
		Self {
			subtree: ObjectId32(status.identity.subtree),
			role: match status.role {
				Role::Serve => "serve".into(),
				Role::Follow => "follow".into(),
			},
			epoch: status.identity.epoch,
			synced: status.synced,
			local_seq: status.seq,
			local_root: status.root,
			hub_seq: status.committed,
			oldest_seq: status.oldest,
			being_hosted: status.being_hosted,
			open_calls: status.open_calls,
			pending_calls: status.pending_calls,
			stopped: status.stopped.map(|reason| reason.to_string()),
			sync: None,
		}
	}
}

/// A proof from a copy of a subtree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubtreeProofJson {
	/// The subtree that the path enters.
	pub subtree: ObjectId32,
	/// The head whose state is proven.
	pub seq: u64,
	/// The finalised hub block against whose global root the proof holds; `null` if it was asked for a head by number.
	pub block: Option<BlockRoot>,
	/// The object where the proof's path starts: the root of the tree, or that of the subtree.
	pub from: ObjectId32,
	/// Root of that object, to be checked against a header or a head.
	pub root: StateRoot,
	/// The proof in SCALE.
	pub proof: Bytes,
}
