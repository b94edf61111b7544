//! What a checked proof says. Only a [`Proven`] becomes a view, so unchecked values have none.

use crate::{
	bytes::{Bytes32, Number, Text},
	location::LocationJson,
};
use alloc::{
	string::{String, ToString},
	vec::Vec,
};
use dstp_primitives::{
	object::{ChildEntry, KeyLayout, Meta, ObjectType, Owner},
	proof::{Answer, ObjectAnswer, PageAnswer, PageQuery, Proven, Query},
	tree::Page,
	Key, ObjectId, Path,
};
use serde::Serialize;

/// What a checked proof says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct HopView {
	object: String,
	#[serde(flatten)]
	entry: EntryView,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryView {
	state_root: Bytes32,
	location: LocationJson,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ObjectView {
	object: String,
	meta: MetaView,
	/// In the order of the question; `value` is `null` where there is no such field.
	fields: Vec<FieldView>,
	/// Likewise.
	children: Vec<ChildView>,
	page: Option<PageView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum OwnerView {
	System,
	Account { account: Bytes32 },
	Shared,
	Frozen,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct FieldView {
	key: Text,
	value: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ChildView {
	key: Text,
	object: String,
	/// `null` where there is no such child.
	entry: Option<EntryView>,
}

/// A page. Nothing between `cursor` and the last entry was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "entries")]
enum EntriesView {
	Fields(Vec<FieldView>),
	Children(Vec<ChildView>),
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
		Self { state_root: Bytes32(entry.state_root.0), location: (&entry.location).into() }
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
