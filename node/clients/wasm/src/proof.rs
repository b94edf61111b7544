//! The check of proofs.

use crate::json::{hex, respond, Bytes, Bytes32, Number, Text};
use alloc::{
	format,
	string::{String, ToString},
	vec::Vec,
};
use dstp_primitives::{
	object::{
		ChildEntry, HeadStatus, KeyLayout, Location, Meta, ModeId, ObjectType, Owner,
		RemoteLocation,
	},
	proof::{
		Answer, ObjectAnswer, PageAnswer, PageQuery, Proof, ProofError, Proven, Query, TrustedRoot,
	},
	tree::Page,
	Key, ObjectId, Path,
};
use serde::{Deserialize, Serialize};

/// A proof and what the reader trusts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
	/// SCALE bytes of a `Proof`.
	proof: Bytes,
	/// A StateRoot that the reader trusts.
	root: Bytes32,
	/// The object whose StateRoot it is; the root of the global tree if not given.
	object: Option<Bytes32>,
}

/// What a checked proof says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvenView {
	/// The path asked for.
	path: String,
	/// The steps that the path could go. Those with a remote location name the heads that it leads through.
	hops: Vec<HopView>,
	/// The object at the end of the path; `null`: it does not exist.
	object: Option<ObjectView>,
	/// The shortest part of the path at whose end nothing is; `null` if the object exists.
	absent_path: Option<String>,
}

#[derive(Serialize)]
struct HopView {
	object: String,
	#[serde(flatten)]
	entry: EntryView,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryView {
	state_root: Bytes32,
	location: LocationView,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum LocationView {
	WithParent,
	Remote {
		/// Number of a mode of the runtime, or `address::module` of a contract.
		mode: String,
		epoch: Number,
		era: u32,
		seq: Number,
		status: &'static str,
		/// First block in which a pending head is final.
		pending_until: Option<u32>,
	},
}

#[derive(Serialize)]
struct ObjectView {
	object: String,
	meta: MetaView,
	/// In the order of the question; `value` is `null` where there is no such field.
	fields: Vec<FieldView>,
	/// Likewise.
	children: Vec<ChildView>,
	page: Option<PageView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetaView {
	owner: OwnerView,
	/// The label of its type; `null` if it has none.
	object_type: Option<Text>,
	hashed_keys: bool,
	fields: Number,
	children: Number,
	revision: Number,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum OwnerView {
	System,
	Account { account: Bytes32 },
	Shared,
	Frozen,
}

#[derive(Serialize)]
struct FieldView {
	key: Text,
	value: Option<Text>,
}

#[derive(Serialize)]
struct ChildView {
	key: Text,
	object: String,
	/// `null` where there is no such child.
	entry: Option<EntryView>,
}

/// A page. Nothing between `cursor` and the last entry was left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageView {
	/// Only keys that start with this.
	prefix: Text,
	/// Only keys after this one.
	cursor: Option<Text>,
	limit: u32,
	#[serde(flatten)]
	entries: EntriesView,
	/// Cursor of the next page.
	next: Option<Text>,
	/// Whether nothing follows.
	complete: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "entries")]
enum EntriesView {
	Fields(Vec<FieldView>),
	Children(Vec<ChildView>),
}

/// Answers a [`Request`] with a [`ProvenView`]; errors are those of [`ProofError`].
pub fn check(request: &[u8]) -> String {
	respond(request, |request: Request| {
		let object = request.object.map_or(ObjectId::ROOT, |object| ObjectId(object.0));
		let from = TrustedRoot { object, root: request.root.0.into() };
		let proven = Proof::from_bytes(&request.proof.0)?.check(from)?;
		Ok::<_, ProofError>(ProvenView::from(&proven))
	})
}

impl From<&Proven> for ProvenView {
	fn from(proven: &Proven) -> Self {
		let (query, answer) = (proven.query(), proven.answer());
		Self {
			path: query.path.to_string(),
			hops: answer
				.hops
				.iter()
				.map(|hop| HopView { object: hop.object.to_string(), entry: (&hop.entry).into() })
				.collect(),
			object: answer.object.as_ref().map(|object| object_view(query, object)),
			absent_path: absent_path(query, answer),
		}
	}
}

/// The path up to its first key that is not there; the whole path where it ends at an empty namespace.
fn absent_path(query: &Query, answer: &Answer) -> Option<String> {
	if answer.object.is_some() {
		return None;
	}
	let keys = query.path.keys();
	let known = keys.len().min(answer.hops.len() + 1);
	let path = Path::new(keys[..known].to_vec()).expect("part of a path is a path; qed");
	Some(path.to_string())
}

fn object_view(query: &Query, object: &ObjectAnswer) -> ObjectView {
	let fields = object.fields.iter();
	let children = object.children.iter();
	let page = query.page.as_ref().zip(object.page.as_ref());
	ObjectView {
		object: object.object.to_string(),
		meta: (&object.meta).into(),
		fields: fields
			.map(|(key, value)| field_view(key, value.as_ref().map(|value| &value[..])))
			.collect(),
		children: children
			.map(|(key, entry)| child_view(&object.object, key, entry.as_ref()))
			.collect(),
		page: page.map(|(query, answer)| page_view(&object.object, query, answer)),
	}
}

fn field_view(key: &Key, value: Option<&[u8]>) -> FieldView {
	FieldView { key: key.into(), value: value.map(Text::from) }
}

fn child_view(parent: &ObjectId, key: &Key, entry: Option<&ChildEntry>) -> ChildView {
	ChildView {
		key: key.into(),
		object: parent.child(key).to_string(),
		entry: entry.map(EntryView::from),
	}
}

fn page_view(object: &ObjectId, query: &PageQuery, answer: &PageAnswer) -> PageView {
	let (entries, next) = match answer {
		PageAnswer::Fields(Page { entries, next }) => (
			EntriesView::Fields(
				entries.iter().map(|(key, value)| field_view(key, Some(value))).collect(),
			),
			next,
		),
		PageAnswer::Children(Page { entries, next }) => {
			let children = entries.iter().map(|(key, entry)| child_view(object, key, Some(entry)));
			(EntriesView::Children(children.collect()), next)
		},
	};
	PageView {
		prefix: query.request.prefix.as_slice().into(),
		cursor: query.request.cursor.as_ref().map(Text::from),
		limit: query.request.limit,
		entries,
		next: next.as_ref().map(Text::from),
		complete: next.is_none(),
	}
}

impl From<&ChildEntry> for EntryView {
	fn from(entry: &ChildEntry) -> Self {
		let location = match &entry.location {
			Location::WithParent => LocationView::WithParent,
			Location::Remote(remote) => remote.into(),
		};
		Self { state_root: Bytes32(entry.state_root.0), location }
	}
}

impl From<&RemoteLocation> for LocationView {
	fn from(remote: &RemoteLocation) -> Self {
		let (status, pending_until) = match remote.status {
			HeadStatus::Initial => ("initial", None),
			HeadStatus::Pending { until } => ("pending", Some(until)),
			HeadStatus::Challenged => ("challenged", None),
			HeadStatus::Final => ("final", None),
			HeadStatus::Closed => ("closed", None),
		};
		let mode = match &remote.mode {
			ModeId::Native(number) => number.to_string(),
			ModeId::Contract { address, module } => {
				format!("{}::{}", hex(address), String::from_utf8_lossy(module))
			},
		};
		let (epoch, seq) = (Number(remote.epoch), Number(remote.seq));
		Self::Remote { mode, epoch, era: remote.era, seq, status, pending_until }
	}
}

impl From<&Meta> for MetaView {
	fn from(meta: &Meta) -> Self {
		Self {
			owner: match &meta.owner {
				Owner::System => OwnerView::System,
				Owner::Account(account) => {
					OwnerView::Account { account: Bytes32(*account.as_ref()) }
				},
				Owner::Shared => OwnerView::Shared,
				Owner::Frozen => OwnerView::Frozen,
			},
			object_type: match &meta.object_type {
				ObjectType::Plain => None,
				ObjectType::Named(name) => Some(name.as_slice().into()),
			},
			hashed_keys: meta.flags.key_layout() == KeyLayout::Hashed,
			fields: Number(meta.fields),
			children: Number(meta.children),
			revision: Number(meta.revision),
		}
	}
}
