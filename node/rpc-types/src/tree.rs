//! Parameters and answers of the node's `dstp_*` methods: bytes as hex, camelCase, numbers as numbers.

pub use crate::{
	bytes::{Bytes, ObjectId32, PathText},
	location::LocationJson,
};

use crate::bytes::fixed;
use codec::Encode;
use core::fmt;
use dstp_primitives::{
	api::{ObjectView, Presence, Resolved},
	object::KeyLayout,
	proof::{PageKind, PageQuery, Proof, Query, MAX_QUERY_KEYS},
	tree::{Page, PageRequest},
	AccountId, ChildEntry, Key, KeyError, Meta, ObjectId, ObjectType, Owner, StateRoot, Value,
};
use serde::{de::Error as _, Deserialize, Deserializer, Serialize};
use sp_core::{bounded_vec::BoundedVec, crypto::Ss58Codec, ConstU32, H256};

/// Entries of a page if the caller names no limit.
const DEFAULT_PAGE_LIMIT: u32 = 100;

/// The global root of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockRoot {
	/// Hash of the block.
	pub block_hash: H256,
	/// Its number.
	pub block_number: u32,
	/// StateRoot of the root object at its end.
	pub global_root: StateRoot,
}

/// Why a question is refused, although each of its parts can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadQuestion {
	/// A key has a wrong length.
	Key(KeyError),
	/// There are two pages.
	TwoPages,
	/// There are too many keys of a kind.
	TooManyKeys,
}

impl fmt::Display for BadQuestion {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Key(error) => fmt::Display::fmt(error, f),
			Self::TwoPages => f.write_str("a proof holds one page: ask for fieldPage or childPage"),
			Self::TooManyKeys => {
				write!(
					f,
					"a proof names at most {MAX_QUERY_KEYS} keys of a kind; ask for several proofs"
				)
			},
		}
	}
}

impl core::error::Error for BadQuestion {}

/// An account: its SS58 address, or `0x` and 64 hex digits. Written as SS58.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountJson(pub AccountId);

impl Serialize for AccountJson {
	fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&self.0.to_ss58check())
	}
}

impl<'de> Deserialize<'de> for AccountJson {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = String::deserialize(deserializer)?;
		text.parse().map_err(D::Error::custom)
	}
}

impl core::str::FromStr for AccountJson {
	type Err = &'static str;

	fn from_str(text: &str) -> Result<Self, &'static str> {
		let by_hex = || fixed(text).map(AccountId::new);
		AccountId::from_ss58check(text).ok().or_else(by_hex).map(Self).ok_or(
			"an account is an SS58 address such as 5Grw…, with its checksum, or 0x and 64 hex digits; 'key inspect' shows it for a secret",
		)
	}
}

fn key(Bytes(bytes): Bytes) -> Result<Key, BadQuestion> {
	Key::new(bytes).map_err(BadQuestion::Key)
}

fn keys(list: Vec<Bytes>) -> Result<BoundedVec<Key, ConstU32<MAX_QUERY_KEYS>>, BadQuestion> {
	let keys = list.into_iter().map(key).collect::<Result<Vec<_>, _>>()?;
	keys.try_into().map_err(|_| BadQuestion::TooManyKeys)
}

/// Which entries of an object to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl From<&PageRequest> for PageParams {
	fn from(request: &PageRequest) -> Self {
		Self {
			prefix: Some(Bytes(request.prefix.clone())),
			cursor: request.cursor.as_ref().map(Bytes::from),
			limit: Some(request.limit),
		}
	}
}

impl TryFrom<PageParams> for PageRequest {
	type Error = BadQuestion;

	fn try_from(params: PageParams) -> Result<Self, BadQuestion> {
		Ok(Self {
			prefix: params.prefix.map(|bytes| bytes.0).unwrap_or_default(),
			cursor: params.cursor.map(key).transpose()?,
			limit: params.limit.unwrap_or(DEFAULT_PAGE_LIMIT),
		})
	}
}

/// What to prove of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProofParams {
	/// The object, as a path from the root.
	pub object: PathText,
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

impl From<&Query> for ProofParams {
	fn from(query: &Query) -> Self {
		let page = |kind| {
			query.page.as_ref().filter(|page| page.kind == kind).map(|page| (&page.request).into())
		};
		Self {
			object: PathText(query.path.clone()),
			fields: query.fields.iter().map(Bytes::from).collect(),
			children: query.children.iter().map(Bytes::from).collect(),
			field_page: page(PageKind::Fields),
			child_page: page(PageKind::Children),
		}
	}
}

impl TryFrom<ProofParams> for Query {
	type Error = BadQuestion;

	fn try_from(params: ProofParams) -> Result<Self, BadQuestion> {
		let (kind, page) = match (params.field_page, params.child_page) {
			(None, page) => (PageKind::Children, page),
			(page, None) => (PageKind::Fields, page),
			(Some(_), Some(_)) => return Err(BadQuestion::TwoPages),
		};
		let request = page.map(PageRequest::try_from).transpose()?;
		Ok(Self {
			path: params.object.0,
			fields: keys(params.fields)?,
			children: keys(params.children)?,
			page: request.map(|request| PageQuery { kind, request }),
		})
	}
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
	/// The answer for a proof against the global root of `block`.
	pub fn new(block: BlockRoot, proof: Proof) -> Self {
		let encoded = Bytes(proof.encode());
		Self {
			block,
			object: ObjectId32(ObjectId::ROOT.descendant(&proof.query.path)),
			path: proof.query.path.keys().iter().map(Bytes::from).collect(),
			nodes: proof.nodes.into_iter().map(Bytes).collect(),
			proof: encoded,
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
	/// The answer for an object with this id.
	pub fn new(object: ObjectId, view: ObjectView) -> Self {
		Self {
			object: ObjectId32(object),
			parent: view.parent.map(ObjectId32),
			key: view.key.as_ref().map(Bytes::from),
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
			key: (&key).into(),
			value: Bytes(value.into_inner()),
		};
		Self {
			entries: page.entries.into_iter().map(entry).collect(),
			next: page.next.as_ref().map(Bytes::from),
		}
	}
}

impl PageJson<ChildJson> {
	/// The answer for a page of `parent`'s children.
	pub fn children(parent: &ObjectId, page: Page<ChildEntry>) -> Self {
		let entry = |(key, entry): (Key, ChildEntry)| ChildJson {
			object: ObjectId32(parent.child(&key)),
			key: (&key).into(),
			state_root: entry.state_root,
			location: (&entry.location).into(),
		};
		Self {
			entries: page.entries.into_iter().map(entry).collect(),
			next: page.next.as_ref().map(Bytes::from),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn refusal<T: for<'de> Deserialize<'de> + fmt::Debug>(json: &str) -> String {
		serde_json::from_str::<T>(json).expect_err(json).to_string()
	}

	#[test]
	fn a_question_survives_json() {
		let json = r#"{"object":"/geo/a%2Fb","fields":["0x00"],"children":[],"fieldPage":null,
			"childPage":{"prefix":"0x61","cursor":null,"limit":7}}"#;
		let params: ProofParams = serde_json::from_str(json).unwrap();
		let query = Query::try_from(params.clone()).unwrap();
		let page = query.page.as_ref().unwrap();
		assert_eq!((page.kind, page.request.limit), (PageKind::Children, 7));
		let again = ProofParams::from(&query);
		assert_eq!(Query::try_from(again.clone()).unwrap(), query);
		let text = serde_json::to_string(&again).unwrap();
		assert_eq!(serde_json::from_str::<ProofParams>(&text).unwrap(), again);
		let by_keys = json.replace("\"/geo/a%2Fb\"", r#"["0x67656f","0x612f62"]"#);
		assert_eq!(serde_json::from_str::<ProofParams>(&by_keys).unwrap(), params);
	}

	#[test]
	fn a_question_is_refused_with_the_reason() {
		let query = |json: &str| {
			Query::try_from(serde_json::from_str::<ProofParams>(json).unwrap()).unwrap_err()
		};
		let long = format!(r#"{{"object":"/","fields":["0x{}"]}}"#, "00".repeat(65));
		assert_eq!(query(&long), BadQuestion::Key(KeyError::TooLong));
		let many = format!(r#"{{"object":"/","children":[{}"0x00"]}}"#, r#""0x00","#.repeat(256));
		assert_eq!(query(&many), BadQuestion::TooManyKeys);
		let pages = r#"{"object":"/","fieldPage":{},"childPage":{}}"#;
		assert_eq!(query(pages), BadQuestion::TwoPages);
		assert!(refusal::<ProofParams>(r#"{"object":"/","feilds":[]}"#).contains("feilds"));
	}

	#[test]
	fn what_is_no_id_account_or_path_is_refused_with_the_remedy() {
		for json in [r#""0x12""#, r#""/geo""#, "7", r#""""#, "null"] {
			let refusal = refusal::<ObjectId32>(json);
			assert!(refusal.contains("dstp_resolve gives the id of a path"), "{refusal}");
		}
		for json in
			[r#""bob""#, r#""0x12""#, r#""5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQX""#]
		{
			assert!(refusal::<AccountJson>(json).contains("SS58 address"), "{json}");
		}
		for (json, reason) in [
			("7", "a path such as"),
			(r#""geo""#, "starts with '/'"),
			(r#""/%zz""#, "two hex digits"),
			(r#"["geo"]"#, "bytes start with 0x"),
			(r#"["0x"]"#, "a key is empty"),
		] {
			let refusal = refusal::<PathText>(json);
			assert!(refusal.contains(reason), "{refusal}");
		}
	}

	#[test]
	fn an_account_is_read_in_both_forms() {
		let hex = format!("\"0x{}\"", "01".repeat(32));
		let account: AccountJson = serde_json::from_str(&hex).unwrap();
		assert_eq!(account.0, AccountId::new([1; 32]));
		let ss58 = serde_json::to_string(&account).unwrap();
		assert_eq!(serde_json::from_str::<AccountJson>(&ss58).unwrap(), account);
	}
}
