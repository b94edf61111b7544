//! The content of a remote subtree at one head, read from a node's copy.
//!
//! Each object comes after the one above it, its entries in the order of their trie keys, and children in the order of their
//! keys: the same order every time. No more than a few ranges are in memory.
//!
//! # Trust model
//!
//! Ranges come from any node. Each is proven against the root that the object above names, and that of the subtree's root object
//! is the hub's. The hub checks the same once more.

use super::HostError;
use crate::{
	global_tree::ObjectId32,
	verbs::{node::Node, VerbError},
};
use codec::DecodeAll;
use dstp_primitives::{
	object::{META_KEY, PREFIX_CHILD},
	proof::{check_range, RangeProof, TrieRange},
	subtree::SubtreeView,
	tree::{ObjectEntry, TreeError},
	Key, Meta, ObjectId, StateRoot,
};
use jsonrpsee::rpc_params;
use sp_core::Bytes;
use std::{collections::VecDeque, sync::Arc};

/// A key behind all those that stand before an object's facts, and before the facts themselves.
fn before_facts() -> Vec<u8> {
	let mut key = vec![0xff; 96];
	key[0] = META_KEY[0] - 1;
	key
}

/// An object of the content.
pub(super) struct Part {
	pub object: ObjectId,
	/// The object above.
	pub parent: ObjectId,
	/// The key there.
	pub key: Key,
	pub meta: Meta,
	root: StateRoot,
}

/// Some entries of an object.
pub(super) struct Piece {
	pub part: Arc<Part>,
	/// With their trie keys. Without the object's facts.
	pub entries: Vec<(Vec<u8>, ObjectEntry)>,
	/// Whether these are its first ones.
	pub first: bool,
	/// Whether nothing follows.
	pub last: bool,
}

/// Where the walk is at one object.
enum Phase {
	/// Entries after this key come next; `None`: the first ones.
	Entries(Option<Vec<u8>>),
	/// Its children are visited.
	Children {
		/// Trie key of the last one that was read.
		after: Vec<u8>,
		waiting: VecDeque<(Key, StateRoot)>,
		/// Whether more have to be read.
		more: bool,
	},
}

/// An object that is not known yet.
struct Next {
	parent: ObjectId,
	key: Key,
	root: StateRoot,
}

/// Goes through the content.
pub(super) struct Walk<'a> {
	node: &'a Node,
	subtree: ObjectId,
	next: Option<Next>,
	stack: Vec<(Arc<Part>, Phase)>,
}

impl<'a> Walk<'a> {
	/// From the root object, at the hub's last head.
	pub fn start(node: &'a Node, head: &SubtreeView) -> Self {
		let next = Next { parent: head.parent, key: head.key.clone(), root: head.head.state_root };
		Self { node, subtree: head.subtree, next: Some(next), stack: Vec::new() }
	}

	/// The next piece; `None` at the end.
	pub async fn next(&mut self) -> Result<Option<Piece>, VerbError> {
		loop {
			if let Some(next) = self.next.take() {
				return self.open(next).await.map(Some);
			}
			let Some((part, phase)) = self.stack.pop() else { return Ok(None) };
			match phase {
				Phase::Entries(after) => return self.entries(part, after).await.map(Some),
				Phase::Children { after, waiting, more } => {
					self.visit(part, after, waiting, more).await?
				},
			}
		}
	}

	/// The first entries of an object.
	async fn open(&mut self, next: Next) -> Result<Piece, VerbError> {
		let Next { parent, key, root } = next;
		let object = parent.child(&key);
		let range = self.range(object, root, None, None).await?;
		let facts = range.entries.iter().find(|(key, _)| *key == META_KEY);
		let facts = match facts {
			Some((_, value)) => Some(value.clone()),
			None => {
				let range = self.range(object, root, Some(before_facts()), Some(1)).await?;
				let first = range.entries.into_iter().next();
				first.filter(|(key, _)| *key == META_KEY).map(|(_, value)| value)
			},
		};
		let facts = facts.ok_or_else(|| unfit(object, "it has no facts"))?;
		let meta =
			Meta::from_value(&facts).map_err(|_| unfit(object, "its facts cannot be decoded"))?;
		let part = Arc::new(Part { object, parent, key, meta, root });
		Ok(self.piece(part, range, true)?)
	}

	async fn entries(
		&mut self,
		part: Arc<Part>,
		after: Option<Vec<u8>>,
	) -> Result<Piece, VerbError> {
		let range = self.range(part.object, part.root, after, None).await?;
		Ok(self.piece(part, range, false)?)
	}

	/// Makes a piece of a range, and notes what comes after it.
	fn piece(
		&mut self,
		part: Arc<Part>,
		range: TrieRange,
		first: bool,
	) -> Result<Piece, HostError> {
		let (last, after) = (range.complete, range.entries.last().map(|(key, _)| key.clone()));
		let entries = entries(&part, range)?;
		let phase = match (last, first) {
			(false, _) => Phase::Entries(after),
			(true, true) => {
				let waiting = entries.iter().filter_map(|(_, entry)| child(entry)).collect();
				Phase::Children { after: Vec::new(), waiting, more: false }
			},
			(true, false) => Phase::Children {
				after: vec![PREFIX_CHILD],
				waiting: VecDeque::new(),
				more: part.meta.children > 0,
			},
		};
		self.stack.push((part.clone(), phase));
		Ok(Piece { part, entries, first, last })
	}

	/// Goes on to the next child, or up again.
	async fn visit(
		&mut self,
		part: Arc<Part>,
		mut after: Vec<u8>,
		mut waiting: VecDeque<(Key, StateRoot)>,
		mut more: bool,
	) -> Result<(), VerbError> {
		if waiting.is_empty() && more {
			let range = self.range(part.object, part.root, Some(after.clone()), None).await?;
			let behind = range.entries.last().is_none_or(|(key, _)| key[0] != PREFIX_CHILD);
			more = !range.complete && !behind;
			let entries = entries(&part, range)?;
			for (key, entry) in &entries {
				if let Some(found) = child(entry) {
					after.clone_from(key);
					waiting.push_back(found);
				}
			}
		}
		if let Some((key, root)) = waiting.pop_front() {
			self.next = Some(Next { parent: part.object, key, root });
			self.stack.push((part, Phase::Children { after, waiting, more }));
		}
		Ok(())
	}

	async fn range(
		&self,
		object: ObjectId,
		root: StateRoot,
		after: Option<Vec<u8>>,
		max_bytes: Option<u32>,
	) -> Result<TrieRange, VerbError> {
		let method = "subtree_range";
		let params =
			rpc_params![ObjectId32(self.subtree), root, after.clone().map(Bytes), max_bytes];
		let proof: Bytes = self.node.ask(method, params).await?;
		let proof = RangeProof::decode_all(&mut &proof[..])
			.map_err(|error| VerbError::BadAnswer { method, reason: error.to_string() })?;
		check_range(proof, root, after.as_deref())
			.map_err(|source| HostError::Range { object, source }.into())
	}
}

fn unfit(object: ObjectId, reason: impl Into<String>) -> HostError {
	HostError::Unfit { object, reason: reason.into() }
}

fn entries(part: &Part, range: TrieRange) -> Result<Vec<(Vec<u8>, ObjectEntry)>, HostError> {
	let layout = part.meta.flags.key_layout();
	let pairs = range.entries.into_iter().filter(|(key, _)| *key != META_KEY);
	let entry =
		|(key, value): (Vec<u8>, Vec<u8>)| match ObjectEntry::from_pair(layout, &key, &value) {
			Ok(entry) => Ok((key, entry)),
			Err(TreeError::IsRemote) => Err(unfit(
				part.object,
				"a remote subtree stands below it; take that one back first, or remove it",
			)),
			Err(error) => Err(unfit(part.object, error.to_string())),
		};
	pairs.map(entry).collect()
}

fn child(entry: &ObjectEntry) -> Option<(Key, StateRoot)> {
	match entry {
		ObjectEntry::Child(key, root) => Some((key.clone(), *root)),
		ObjectEntry::Field(..) | ObjectEntry::Nonce(..) => None,
	}
}
