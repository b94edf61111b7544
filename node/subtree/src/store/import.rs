//! How far an import is, in the database.

use super::{decode, delete, set, DbResult, Inner, Ops, COL_IMPORT, COL_META, META_IMPORT};
use codec::{Decode, Encode};
use dstp_primitives::{head::Head, tree::Link, ObjectId, StateRoot};

/// What is being imported.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct ImportHeader {
	/// The head whose state it is; `None`: the state before the first.
	pub head: Option<Head>,
	/// Its root.
	pub root: StateRoot,
	/// Objects that are complete.
	pub objects: u64,
	/// Keys and values so far.
	pub entries: u64,
	/// Their bytes.
	pub bytes: u64,
	/// How far the walk of a caller is, in its own words; empty where the engine walks by itself.
	pub walk: Vec<u8>,
}

/// An object whose ranges are being fetched.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct ActiveObject {
	/// The root that its parent names.
	pub root: StateRoot,
	/// Where it stands; `None` for the root of the subtree.
	pub link: Option<Link>,
	/// The last key that is here.
	pub after: Option<Vec<u8>>,
	/// Root of what is here.
	pub partial: StateRoot,
}

/// A complete object whose children are being visited.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Frame {
	/// Depth of its children.
	pub child_depth: u8,
	/// Trie key of the last child visited.
	pub after: Vec<u8>,
}

const ACTIVE: u8 = b'a';
const FRAME: u8 = b'f';

fn key(kind: u8, object: &ObjectId) -> Vec<u8> {
	[&[kind], &object.0[..]].concat()
}

impl ImportHeader {
	pub fn put(&self, ops: &mut Ops) {
		ops.push(set(COL_META, META_IMPORT, self.encode()));
	}

	pub fn remove(ops: &mut Ops) {
		ops.push(delete(COL_META, META_IMPORT));
	}
}

impl ActiveObject {
	pub fn put(&self, object: &ObjectId, ops: &mut Ops) {
		ops.push(set(COL_IMPORT, &key(ACTIVE, object), self.encode()));
	}

	pub fn remove(object: &ObjectId, ops: &mut Ops) {
		ops.push(delete(COL_IMPORT, &key(ACTIVE, object)));
	}
}

impl Frame {
	pub fn put(&self, object: &ObjectId, ops: &mut Ops) {
		ops.push(set(COL_IMPORT, &key(FRAME, object), self.encode()));
	}

	pub fn remove(object: &ObjectId, ops: &mut Ops) {
		ops.push(delete(COL_IMPORT, &key(FRAME, object)));
	}
}

/// An import that is under way.
pub(crate) type StoredImport =
	(ImportHeader, Vec<(ObjectId, ActiveObject)>, Vec<(ObjectId, Frame)>);

impl Inner {
	pub fn import(&self) -> DbResult<Option<StoredImport>> {
		let Some(header) = decode(self.db()?.get(COL_META, META_IMPORT)?)? else { return Ok(None) };
		let (mut active, mut frames) = (Vec::new(), Vec::new());
		let mut iterator = self.db()?.iter(COL_IMPORT)?;
		iterator.seek_to_first()?;
		while let Some((key, value)) = iterator.next()? {
			let corrupt =
				|| parity_db::Error::Corruption("a record of the import cannot be decoded".into());
			let (kind, id) = key.split_first().ok_or_else(corrupt)?;
			let id = ObjectId(id.try_into().map_err(|_| corrupt())?);
			match *kind {
				ACTIVE => active.push((id, decode(Some(value))?.ok_or_else(corrupt)?)),
				_ => frames.push((id, decode(Some(value))?.ok_or_else(corrupt)?)),
			}
		}
		Ok(Some((header, active, frames)))
	}
}
