//! The content of an object as a list, for taking it to another storage.

use super::{ObjectTree, Storage, StorageError, TreeError};
use crate::{
	id::{AccountId, Key, ObjectId, StateRoot},
	object::{
		account_key, child_key, decode_field_value, decode_value, encode_field_value, encode_value,
		field_key, raw_key, tag, ChildEntry, KeyLayout, Location, Value, META_KEY, PREFIX_ACCOUNT,
		PREFIX_CHILD, PREFIX_FIELD,
	},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// Bytes of a trie key with the longest key behind its hash.
pub const MAX_TRIE_KEY_BYTES: u32 = 1 + 16 + crate::id::MAX_KEY_BYTES;

/// One entry of an object's trie beside its facts.
///
/// There is no form for what cannot stand in a hosted object: children that are remote, and Move values, which stay in their
/// namespace.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum ObjectEntry {
	/// A field.
	#[codec(index = 0)]
	Field(Key, Value),
	/// A hosted child and its root.
	#[codec(index = 1)]
	Child(Key, StateRoot),
	/// An account and its nonce, in an object that is or was the root of a namespace.
	#[codec(index = 2)]
	Nonce(AccountId, u64),
}

impl ObjectEntry {
	/// Key and value as they stand in the trie of an object with this layout.
	pub fn to_pair(&self, layout: KeyLayout) -> (Vec<u8>, Vec<u8>) {
		match self {
			Self::Field(key, value) => (field_key(layout, key), encode_field_value(value)),
			Self::Child(key, root) => {
				(child_key(layout, key), ChildEntry::hosted(*root).to_value())
			},
			Self::Nonce(account, nonce) => {
				(account_key(layout, account), encode_value(tag::NONCE, nonce))
			},
		}
	}

	/// The opposite of [`Self::to_pair`].
	///
	/// Errors: [`TreeError::IsRemote`] for a child whose state is on other nodes; a storage error for a pair that stands for
	/// nothing, or not in the one way that it should.
	pub fn from_pair(layout: KeyLayout, key: &[u8], value: &[u8]) -> Result<Self, TreeError> {
		let raw = |prefix| raw_key(layout, prefix, key).ok_or(StorageError::Corrupt);
		let entry = match key.first() {
			Some(&PREFIX_FIELD) => Self::Field(raw(PREFIX_FIELD)?, decode_field_value(value)?),
			Some(&PREFIX_CHILD) => {
				let child = ChildEntry::from_value(value)?;
				if child.location != Location::WithParent {
					return Err(TreeError::IsRemote);
				}
				Self::Child(raw(PREFIX_CHILD)?, child.state_root)
			},
			Some(&PREFIX_ACCOUNT) => {
				let account = <[u8; 32]>::try_from(raw(PREFIX_ACCOUNT)?.as_slice())
					.map_err(|_| StorageError::Corrupt)?;
				Self::Nonce(account.into(), decode_value(tag::NONCE, value)?)
			},
			_ => return Err(StorageError::Corrupt.into()),
		};
		let canonical = entry.to_pair(layout) == (key.to_vec(), value.to_vec());
		canonical.then_some(entry).ok_or(StorageError::Corrupt.into())
	}
}

impl<S: Storage> ObjectTree<S> {
	/// The first entry of an object after the trie key `after` (empty: the first of all), with its trie key. The object's facts are
	/// left out. Errors: [`TreeError::ObjectNotFound`], and those of [`ObjectEntry::from_pair`].
	pub fn next_entry(
		&self,
		object: &ObjectId,
		after: &[u8],
	) -> Result<Option<(Vec<u8>, ObjectEntry)>, TreeError> {
		let layout = self.existing(object)?.flags.key_layout();
		let mut next = self.storage().next_key(object, after)?;
		if next.as_deref() == Some(&META_KEY) {
			next = self.storage().next_key(object, &META_KEY)?;
		}
		let Some(key) = next else { return Ok(None) };
		let value = self.storage().get(object, &key)?.ok_or(StorageError::Corrupt)?;
		let entry = ObjectEntry::from_pair(layout, &key, &value)?;
		Ok(Some((key, entry)))
	}
}
