//! Values inside an object's trie. Each starts with a tag byte.
//!
//! Trie caches and node stores are keyed by hash alone. An untagged value of 33 bytes or more that equals the encoding of a
//! trie node would be stored under that node's hash and be read as the node. No node encoding starts with a tag.

use super::{ChildEntry, Meta};
use alloc::vec::Vec;
use codec::{DecodeAll, Encode};
use core::fmt;
use sp_core::{bounded::BoundedVec, ConstU32};

/// Largest field value, in bytes, without its tag.
pub const MAX_VALUE_BYTES: u32 = 16 * 1024;

/// The bytes of a field.
pub type Value = BoundedVec<u8, ConstU32<MAX_VALUE_BYTES>>;

/// Tag bytes, one per kind of value; all between 0x02 and 0x0F, where no node encoding starts.
pub mod tag {
	/// A field's bytes.
	pub const FIELD: u8 = 0x02;
	/// A [`ChildEntry`](super::ChildEntry).
	pub const CHILD: u8 = 0x03;
	/// The type and value of a resource.
	pub const RESOURCE: u8 = 0x04;
	/// A [`ModuleEntry`](crate::contract::ModuleEntry).
	pub const MODULE: u8 = 0x05;
	/// The type and value of a contract's field.
	pub const CONTRACT_FIELD: u8 = 0x06;
	/// A [`Meta`](super::Meta).
	pub const META: u8 = 0x07;
	/// An account's nonce.
	pub const NONCE: u8 = 0x08;
	/// An entry of a batch.
	pub const BATCH_ENTRY: u8 = 0x09;
	/// The range that no node encoding starts with.
	pub const RANGE: core::ops::RangeInclusive<u8> = 0x02..=0x0f;
}

/// A stored value does not have the shape that its key demands: the storage is corrupt or the peer lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ValueError;

impl fmt::Display for ValueError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("a stored value has the wrong tag or shape")
	}
}

impl core::error::Error for ValueError {}

/// `tag ++ SCALE(value)`.
pub fn encode_value(tag: u8, value: &impl Encode) -> Vec<u8> {
	let mut out = Vec::with_capacity(1 + value.size_hint());
	out.push(tag);
	value.encode_to(&mut out);
	out
}

/// The opposite of [`encode_value`]; trailing bytes are refused.
pub fn decode_value<T: DecodeAll>(tag: u8, bytes: &[u8]) -> Result<T, ValueError> {
	let rest = bytes.strip_prefix(&[tag]).ok_or(ValueError)?;
	T::decode_all(&mut &rest[..]).map_err(|_| ValueError)
}

/// A field as it stands in the trie: `tag ++ bytes`, without a length.
pub(crate) fn encode_field_value(value: &Value) -> Vec<u8> {
	let mut out = Vec::with_capacity(1 + value.len());
	out.push(tag::FIELD);
	out.extend_from_slice(value);
	out
}

pub(crate) fn decode_field_value(bytes: &[u8]) -> Result<Value, ValueError> {
	let rest = bytes.strip_prefix(&[tag::FIELD]).ok_or(ValueError)?;
	Value::try_from(rest.to_vec()).map_err(|_| ValueError)
}

impl Meta {
	/// As it stands in the trie.
	pub fn to_value(&self) -> Vec<u8> {
		encode_value(tag::META, self)
	}

	/// From the trie.
	pub fn from_value(bytes: &[u8]) -> Result<Self, ValueError> {
		decode_value(tag::META, bytes)
	}
}

impl ChildEntry {
	/// As it stands in the trie.
	pub fn to_value(&self) -> Vec<u8> {
		encode_value(tag::CHILD, self)
	}

	/// From the trie. An unknown version is refused.
	pub fn from_value(bytes: &[u8]) -> Result<Self, ValueError> {
		let entry: Self = decode_value(tag::CHILD, bytes)?;
		if entry.version != super::CHILD_ENTRY_VERSION {
			return Err(ValueError);
		}
		Ok(entry)
	}
}
