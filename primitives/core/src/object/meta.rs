//! Facts about an object itself.

use super::KeyLayout;
use crate::id::AccountId;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

/// Who may change an object; `docs/object-tree.md` has the table of rights.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Owner {
	/// The system: only the engine and the chain's root origin.
	#[codec(index = 0)]
	System,
	/// One account.
	#[codec(index = 1)]
	Account(AccountId),
	/// Everybody may create children; nobody may write fields, hand over or remove. Terminal.
	#[codec(index = 2)]
	Shared,
	/// Nobody may change fields, the set of children or the owner. Descendants still change. Terminal.
	#[codec(index = 3)]
	Frozen,
}

/// A label of at most 64 bytes that an application gives to a kind of object.
pub type TypeName = BoundedVec<u8, ConstU32<64>>;

/// The kind of an object. Index 2 belongs to Move types.
#[derive(
	Clone,
	Default,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ObjectType {
	/// No type.
	#[default]
	#[codec(index = 0)]
	Plain,
	/// A type with a name that means something to an application only.
	#[codec(index = 1)]
	Named(TypeName),
}

/// Switches of an object, as one byte of bits. Unknown bits are refused when decoding.
#[derive(
	Clone,
	Copy,
	Default,
	PartialEq,
	Eq,
	Debug,
	Encode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct ObjectFlags(u8);

impl ObjectFlags {
	const HASHED_KEYS: u8 = 1;

	/// Keys stand in the trie as `blake2_128(key) ++ key`; needed where strangers choose keys.
	pub const fn hashed_keys() -> Self {
		Self(Self::HASHED_KEYS)
	}

	/// How keys stand in this object's trie.
	pub fn key_layout(self) -> KeyLayout {
		if self.0 & Self::HASHED_KEYS != 0 {
			KeyLayout::Hashed
		} else {
			KeyLayout::Raw
		}
	}
}

impl Decode for ObjectFlags {
	fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
		match u8::decode(input)? {
			bits if bits & !Self::HASHED_KEYS == 0 => Ok(Self(bits)),
			_ => Err("an unknown object flag is set".into()),
		}
	}
}

/// Facts about an object itself. Changes on direct operations only, never because a descendant's root moved.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Meta {
	/// Who may change the object.
	pub owner: Owner,
	/// Its kind.
	pub object_type: ObjectType,
	/// Switches, fixed at creation.
	pub flags: ObjectFlags,
	/// Number of fields.
	pub fields: u64,
	/// Number of children.
	pub children: u64,
	/// Counts the operations that changed this object, from 0.
	pub revision: u64,
}

impl Meta {
	/// The facts of an object without fields and children.
	pub fn new(owner: Owner, object_type: ObjectType, flags: ObjectFlags) -> Self {
		Self { owner, object_type, flags, fields: 0, children: 0, revision: 0 }
	}
}
