//! Messages of the subscriptions of `subtree_*` in JSON. Each has an `event` that says which one it is.

use super::{
	changes::{ObjectChange, StateNews},
	live::{HubHead, Progress},
	ReceiptJson,
};
use crate::{
	global_tree::ObjectId32,
	runtime::{BlockHash, BlockNumber},
};
use dstp_primitives::{head::Head, ObjectId, StateRoot};
use serde::{Deserialize, Serialize};
use sp_core::{Bytes, H256};

/// A message of `subtree_subscribeHeads`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HeadUpdate {
	/// A new head of the local copy; or the newest one again, because the hub accepted or finalised more, or less.
	Head(LocalHeadJson),
	/// The last message: nothing more will come.
	Ended {
		/// Why, and what to do.
		reason: String,
	},
}

/// A head of the local copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalHeadJson {
	/// Root object of the subtree.
	pub subtree: ObjectId32,
	/// The registration.
	pub epoch: u64,
	/// Its era.
	pub era: u32,
	/// Its number.
	pub seq: u64,
	/// blake2-256 of its SCALE encoding.
	pub hash: H256,
	/// Hash of the head before; zero before the first.
	pub prev: H256,
	/// Root of the subtree after it.
	pub state_root: StateRoot,
	/// Root of its batch.
	pub batch_root: H256,
	/// Calls in its batch.
	pub batch_len: u32,
	/// `sealed`, `committed` (the hub accepted it) or `finalised` (in a final block), as far as this node knows.
	pub status: String,
	/// Newest head that the hub accepted; 0: none.
	pub committed_seq: u64,
	/// Newest head that the hub finalised; 0: none. A follower's copy holds nothing else.
	pub finalised_seq: u64,
}

impl LocalHeadJson {
	pub(super) fn new(head: &Head, progress: &Progress) -> Self {
		let (committed_seq, finalised_seq) = progress.on_hub();
		let status = match head.seq {
			seq if seq <= finalised_seq => "finalised",
			seq if seq <= committed_seq => "committed",
			_ => "sealed",
		};
		Self {
			subtree: ObjectId32(head.subtree),
			epoch: head.epoch,
			era: head.era,
			seq: head.seq,
			hash: head.hash(),
			prev: head.prev,
			state_root: head.state_root,
			batch_root: head.batch_root,
			batch_len: head.batch_len,
			status: status.into(),
			committed_seq,
			finalised_seq,
		}
	}
}

/// A message of `subtree_subscribeChanges`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ChangeUpdate {
	/// Anything may differ from what the subscriber knows: read it at head `seq`, then apply what follows. The first message,
	/// and after a follower copied a whole state, and where a batch changed more than can be listed.
	Everything {
		/// Root object of the subtree.
		subtree: ObjectId32,
		/// The head.
		seq: u64,
		/// Root of the subtree after it.
		state_root: StateRoot,
	},
	/// What one head changed. Heads that changed nothing that was asked for are left out.
	Changed {
		/// Root object of the subtree.
		subtree: ObjectId32,
		/// The head.
		seq: u64,
		/// Root of the subtree after it.
		state_root: StateRoot,
		/// The objects, each once.
		objects: Vec<ObjectChangeJson>,
	},
	/// The last message: nothing more will come.
	Ended {
		/// Why, and what to do.
		reason: String,
	},
}

/// What changed of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectChangeJson {
	/// The object.
	pub object: ObjectId32,
	/// Its path from the subtree's root object, which is `/`.
	pub path: String,
	/// Whether it exists after the head.
	pub exists: bool,
	/// Fields that were written. Empty where only the object's facts changed: its owner, its children.
	pub fields: Vec<FieldChangeJson>,
}

/// One written field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChangeJson {
	/// Its key.
	pub key: Bytes,
	/// Its value after the head; `null`: it was removed.
	pub value: Option<Bytes>,
}

/// Which changes a subscriber wants.
#[derive(Clone, Debug)]
pub(super) struct ChangeFilter {
	/// The object.
	pub object: ObjectId,
	/// `None`: the object and everything below it. Otherwise only the object's own fields whose keys start with these bytes.
	pub prefix: Option<Vec<u8>>,
}

impl ChangeFilter {
	/// The message for these news; `None` if they are nothing to the subscriber.
	pub(super) fn apply(&self, subtree: ObjectId, news: &StateNews) -> Option<ChangeUpdate> {
		let subtree = ObjectId32(subtree);
		match news {
			StateNews::Everything { seq, root } => {
				Some(ChangeUpdate::Everything { subtree, seq: *seq, state_root: *root })
			},
			StateNews::Changed { seq, root, objects } => {
				let objects: Vec<_> =
					objects.iter().filter_map(|change| self.apply_to_object(change)).collect();
				let (seq, state_root) = (*seq, *root);
				(!objects.is_empty()).then_some(ChangeUpdate::Changed {
					subtree,
					seq,
					state_root,
					objects,
				})
			},
		}
	}

	fn apply_to_object(&self, change: &ObjectChange) -> Option<ObjectChangeJson> {
		let object = *change.line.last()?;
		let fields = change.fields.iter();
		let fields: Vec<_> = match &self.prefix {
			None if change.line.contains(&self.object) => fields.collect(),
			Some(prefix) if object == self.object => {
				fields.filter(|(key, _)| key.as_slice().starts_with(prefix)).collect()
			},
			_ => return None,
		};
		if self.prefix.is_some() && fields.is_empty() && change.exists {
			return None;
		}
		let fields = fields.into_iter().map(|(key, value)| FieldChangeJson {
			key: Bytes(key.as_slice().to_vec()),
			value: value.clone().map(Bytes),
		});
		Some(ObjectChangeJson {
			object: ObjectId32(object),
			path: change.path.to_string(),
			exists: change.exists,
			fields: fields.collect(),
		})
	}
}

/// A message of `subtree_submitAndWatch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CallUpdate {
	/// The call was executed and is on the node's disk. The first message.
	Executed(ReceiptJson),
	/// The head that commits to it is sealed.
	Batched {
		/// Number of the head.
		seq: u64,
		/// The call's index in its batch.
		index: u32,
		/// Hash of the head.
		head: H256,
	},
	/// The hub accepted that head.
	Committed {
		/// Number of the head.
		seq: u64,
		/// The first hub block in whose state this node saw it, or a later head. It is not final.
		block_hash: BlockHash,
		/// Its number.
		block_number: BlockNumber,
	},
	/// A reorganisation of the hub removed the head; it is handed in again.
	Reverted {
		/// Number of the head.
		seq: u64,
	},
	/// The hub finalised that head. The last message.
	Finalised {
		/// Number of the head.
		seq: u64,
		/// The first final hub block in whose state this node saw it, or a later head.
		block_hash: BlockHash,
		/// Its number.
		block_number: BlockNumber,
	},
	/// The last message: nothing more will come, although the call is not final.
	Ended {
		/// Why, and what to do.
		reason: String,
	},
}

impl CallUpdate {
	pub(super) fn committed(seq: u64, on_hub: &HubHead) -> Self {
		let (block_hash, block_number) = (on_hub.block, on_hub.number);
		Self::Committed { seq, block_hash, block_number }
	}

	pub(super) fn finalised(seq: u64, on_hub: &HubHead) -> Self {
		let (block_hash, block_number) = (on_hub.block, on_hub.number);
		Self::Finalised { seq, block_hash, block_number }
	}
}

/// A message that may be the last one.
pub(super) trait Update: Serialize + Send + 'static {
	/// The last message of a subscription that ends early.
	fn ended(reason: String) -> Self;
}

impl Update for HeadUpdate {
	fn ended(reason: String) -> Self {
		Self::Ended { reason }
	}
}

impl Update for ChangeUpdate {
	fn ended(reason: String) -> Self {
		Self::Ended { reason }
	}
}

impl Update for CallUpdate {
	fn ended(reason: String) -> Self {
		Self::Ended { reason }
	}
}
