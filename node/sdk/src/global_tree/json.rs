//! How questions and answers stand in JSON: bytes as hex, camelCase, numbers as numbers.

use super::GlobalTreeError;
use crate::runtime::{BlockHash, BlockNumber};
use codec::Encode;
use dstp_primitives::{
	api::{ObjectView, Presence, Resolved},
	object::{HeadStatus, KeyLayout, ModeId, RemoteLocation},
	proof::Proof,
	tree::{Page, PageRequest},
	ChildEntry, Key, Location, Meta, ObjectId, ObjectType, Owner, Path, StateRoot, Value,
};
use serde::{Deserialize, Serialize};
use sp_core::{crypto::Ss58Codec, Bytes, H256};

/// Entries of a page if the caller names no limit.
const DEFAULT_PAGE_LIMIT: u32 = 100;

/// The global root of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockRoot {
	/// Hash of the block.
	pub block_hash: BlockHash,
	/// Its number.
	pub block_number: BlockNumber,
	/// StateRoot of the root object at its end.
	pub global_root: StateRoot,
}

/// A path: text such as `/geo/DE/BE` with percent-encoded keys, or a list of hex keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathParam {
	/// As text.
	Text(String),
	/// As keys.
	Keys(Vec<Bytes>),
}

impl TryFrom<PathParam> for Path {
	type Error = GlobalTreeError;

	fn try_from(param: PathParam) -> Result<Self, GlobalTreeError> {
		match param {
			PathParam::Text(text) => Ok(Self::parse(&text)?),
			PathParam::Keys(keys) => {
				Ok(Self::new(keys.into_iter().map(key).collect::<Result<_, _>>()?)?)
			},
		}
	}
}

/// Checks a key.
pub(super) fn key(bytes: Bytes) -> Result<Key, GlobalTreeError> {
	Key::new(bytes.0).map_err(|error| GlobalTreeError::BadRequest(error.to_string()))
}

/// Which entries of an object to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PageParams {
	/// Only keys that start with these bytes.
	#[serde(default)]
	pub prefix: Option<Bytes>,
	/// Only keys after this one.
	#[serde(default)]
	pub cursor: Option<Bytes>,
	/// Most entries, 1 to 1000; 100 if not given.
	#[serde(default)]
	pub limit: Option<u32>,
}

impl TryFrom<PageParams> for PageRequest {
	type Error = GlobalTreeError;

	fn try_from(params: PageParams) -> Result<Self, GlobalTreeError> {
		Ok(Self {
			prefix: params.prefix.map(|bytes| bytes.0).unwrap_or_default(),
			cursor: params.cursor.map(key).transpose()?,
			limit: params.limit.unwrap_or(DEFAULT_PAGE_LIMIT),
		})
	}
}

/// What to prove of one object.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProofParams {
	/// The object, as a path from the root.
	pub object: PathParam,
	/// Fields whose values or absence to prove.
	#[serde(default)]
	pub fields: Vec<Bytes>,
	/// Children whose entries or absence to prove.
	#[serde(default)]
	pub children: Vec<Bytes>,
	/// A page of fields that is proven to be complete.
	#[serde(default)]
	pub field_page: Option<PageParams>,
	/// A page of children that is proven to be complete. Not together with `fieldPage`.
	#[serde(default)]
	pub child_page: Option<PageParams>,
}

/// A proof, and what to check it against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofJson {
	/// The block whose state is proven, and its global root.
	#[serde(flatten)]
	pub block: BlockRoot,
	/// The object.
	pub object: ObjectId32,
	/// Its path from the root, as hex keys.
	pub path: Vec<Bytes>,
	/// The trie nodes, ascending by hash.
	pub nodes: Vec<Bytes>,
	/// The whole proof in SCALE, as `dstp_verifyProof` and the client libraries take it.
	pub proof: Bytes,
}

impl ProofJson {
	pub(super) fn new(block: BlockRoot, proof: Proof) -> Self {
		let encoded = Bytes(proof.encode());
		Self {
			block,
			object: ObjectId32(ObjectId::ROOT.descendant(&proof.query.path)),
			path: proof.query.path.keys().iter().map(hex_key).collect(),
			nodes: proof.nodes.into_iter().map(Bytes).collect(),
			proof: encoded,
		}
	}
}

/// An object's id as 32 bytes of hex; other lengths are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectId32(pub ObjectId);

impl Serialize for ObjectId32 {
	fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		H256(self.0 .0).serialize(serializer)
	}
}

impl<'de> Deserialize<'de> for ObjectId32 {
	fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		H256::deserialize(deserializer).map(|hash| Self(ObjectId(hash.0)))
	}
}

/// Where an object's state is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LocationJson {
	/// With the parent's.
	WithParent,
	/// On other nodes.
	Remote {
		/// Number of a mode of the runtime, or `address::module` of a contract.
		mode: String,
		/// Number of the registration.
		epoch: u64,
		/// Era of the last head.
		era: u32,
		/// Number of the last head.
		seq: u64,
		/// `initial`, `pending`, `challenged`, `final` or `closed`.
		status: String,
		/// First block in which a pending head is final.
		pending_until: Option<u32>,
	},
}

impl From<&RemoteLocation> for LocationJson {
	fn from(location: &RemoteLocation) -> Self {
		let (status, pending_until) = match location.status {
			HeadStatus::Initial => ("initial", None),
			HeadStatus::Pending { until } => ("pending", Some(until)),
			HeadStatus::Challenged => ("challenged", None),
			HeadStatus::Final => ("final", None),
			HeadStatus::Closed => ("closed", None),
		};
		let mode = match &location.mode {
			ModeId::Native(id) => id.to_string(),
			ModeId::Contract { address, module } => {
				format!("0x{}::{}", hex::encode(address), String::from_utf8_lossy(module))
			},
		};
		Self::Remote {
			mode,
			epoch: location.epoch,
			era: location.era,
			seq: location.seq,
			status: status.into(),
			pending_until,
		}
	}
}

impl From<&Location> for LocationJson {
	fn from(location: &Location) -> Self {
		match location {
			Location::WithParent => Self::WithParent,
			Location::Remote(remote) => remote.into(),
		}
	}
}

/// Whether something stands at a path, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PresenceJson {
	/// Nothing does.
	Absent,
	/// The hub holds it.
	Hosted,
	/// It is the root of a remote subtree.
	Remote,
	/// It would be inside a remote subtree, whose nodes know.
	InsideRemote,
}

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedJson {
	/// The id, by derivation alone.
	pub object: ObjectId32,
	/// Whether the object exists.
	pub presence: PresenceJson,
	/// The remote subtree that the path reaches or enters.
	pub subtree: Option<ObjectId32>,
	/// How the hub sees that subtree.
	pub location: Option<LocationJson>,
}

impl From<Resolved> for ResolvedJson {
	fn from(resolved: Resolved) -> Self {
		let (presence, subtree, location) = match &resolved.presence {
			Presence::Absent => (PresenceJson::Absent, None, None),
			Presence::Hosted => (PresenceJson::Hosted, None, Some(LocationJson::WithParent)),
			Presence::Remote(location) => {
				(PresenceJson::Remote, Some(resolved.object), Some(location.into()))
			},
			Presence::InsideRemote { subtree, location } => {
				(PresenceJson::InsideRemote, Some(*subtree), Some(location.into()))
			},
		};
		Self {
			object: ObjectId32(resolved.object),
			presence,
			subtree: subtree.map(ObjectId32),
			location,
		}
	}
}

/// An object as the hub sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectJson {
	/// Its id.
	pub object: ObjectId32,
	/// The object above.
	pub parent: Option<ObjectId32>,
	/// Its key there.
	pub key: Option<Bytes>,
	/// Its facts; not for a remote object, where they stand in the subtree.
	#[serde(flatten)]
	pub meta: Option<MetaJson>,
	/// Root of its trie; of a remote subtree, of the last accepted head.
	pub state_root: StateRoot,
	/// Where its state is.
	pub location: LocationJson,
}

impl ObjectJson {
	pub(crate) fn new(object: ObjectId, view: ObjectView) -> Self {
		Self {
			object: ObjectId32(object),
			parent: view.parent.map(ObjectId32),
			key: view.key.as_ref().map(hex_key),
			meta: view.meta.as_ref().map(Into::into),
			state_root: view.state_root,
			location: (&view.location).into(),
		}
	}
}

/// Facts about an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetaJson {
	/// `system`, `shared`, `frozen`, or the SS58 address of an account.
	pub owner: String,
	/// The name of its type, in hex; `null` if it has none.
	pub object_type: Option<Bytes>,
	/// Whether keys are hashed, so that pages come in the order of hashes.
	pub hashed_keys: bool,
	/// Number of fields.
	pub fields: u64,
	/// Number of children.
	pub children: u64,
	/// Operations that changed the object.
	pub revision: u64,
}

impl From<&Meta> for MetaJson {
	fn from(meta: &Meta) -> Self {
		Self {
			owner: match &meta.owner {
				Owner::System => "system".into(),
				Owner::Account(account) => account.to_ss58check(),
				Owner::Shared => "shared".into(),
				Owner::Frozen => "frozen".into(),
			},
			object_type: match &meta.object_type {
				ObjectType::Plain => None,
				ObjectType::Named(name) => Some(Bytes(name.to_vec())),
			},
			hashed_keys: meta.flags.key_layout() == KeyLayout::Hashed,
			fields: meta.fields,
			children: meta.children,
			revision: meta.revision,
		}
	}
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldJson {
	/// Its key.
	pub key: Bytes,
	/// Its value.
	pub value: Bytes,
}

/// A child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChildJson {
	/// Its key.
	pub key: Bytes,
	/// Its id.
	pub object: ObjectId32,
	/// Root of its trie.
	pub state_root: StateRoot,
	/// Where its state is.
	pub location: LocationJson,
}

/// Entries, and where the next page starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageJson<T> {
	/// In the order of keys, or of their hashes.
	pub entries: Vec<T>,
	/// Cursor of the next page; `null` if nothing follows.
	pub next: Option<Bytes>,
}

impl From<Page<Value>> for PageJson<FieldJson> {
	fn from(page: Page<Value>) -> Self {
		let entry = |(key, value): (Key, Value)| FieldJson {
			key: hex_key(&key),
			value: Bytes(value.into_inner()),
		};
		Self {
			entries: page.entries.into_iter().map(entry).collect(),
			next: page.next.as_ref().map(hex_key),
		}
	}
}

impl PageJson<ChildJson> {
	pub(crate) fn children(parent: &ObjectId, page: Page<ChildEntry>) -> Self {
		let entry = |(key, entry): (Key, ChildEntry)| ChildJson {
			object: ObjectId32(parent.child(&key)),
			key: hex_key(&key),
			state_root: entry.state_root,
			location: (&entry.location).into(),
		};
		Self {
			entries: page.entries.into_iter().map(entry).collect(),
			next: page.next.as_ref().map(hex_key),
		}
	}
}

fn hex_key(key: &Key) -> Bytes {
	Bytes(key.as_slice().to_vec())
}
