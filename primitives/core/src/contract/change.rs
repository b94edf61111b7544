//! Changes of what contracts keep.

use super::ModuleEntry;
use crate::{
	id::{AccountId, Key, ObjectId},
	object::{decode_value, encode_value, tag, ObjectFlags, ValueError},
};
use alloc::vec::Vec;
use codec::{Compact, Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

/// Largest resource and largest module, in bytes. A call's witness holds several of either.
pub const MAX_CONTRACT_VALUE_BYTES: u32 = 64 * 1024;

/// Longest type of a resource in BCS, in bytes: about thirty names of modules and structs.
pub const MAX_TYPE_TAG_BYTES: u32 = 2 * 1024;

/// The BCS bytes of a resource, or the code of a module.
pub type ContractValue = BoundedVec<u8, ConstU32<MAX_CONTRACT_VALUE_BYTES>>;

/// The BCS bytes of a struct type with its type arguments.
pub type TypeTagBytes = BoundedVec<u8, ConstU32<MAX_TYPE_TAG_BYTES>>;

/// One change that an execution asks for. A list of them is applied in order, as a whole or not at all.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum ContractChange {
	/// Writes a resource, new or not.
	#[codec(index = 0)]
	SetResource {
		/// The address that holds it.
		address: ObjectId,
		/// Its type.
		type_tag: TypeTagBytes,
		/// Its value.
		value: ContractValue,
	},
	/// Removes a resource that exists.
	#[codec(index = 1)]
	RemoveResource {
		/// The address that holds it.
		address: ObjectId,
		/// Its type.
		type_tag: TypeTagBytes,
	},
	/// Publishes a module, or replaces it by its upgrade.
	#[codec(index = 2)]
	SetModule {
		/// The address that it belongs to.
		address: ObjectId,
		/// The module.
		module: ModuleEntry,
	},
	/// Creates an object without a type.
	#[codec(index = 3)]
	CreateObject {
		/// Who signed, and owns it then.
		actor: AccountId,
		/// The object above.
		parent: ObjectId,
		/// Its key there.
		key: Key,
		/// Its switches.
		flags: ObjectFlags,
	},
	/// Writes a field of an object, new or not.
	#[codec(index = 4)]
	SetField {
		/// Who signed.
		actor: AccountId,
		/// The object.
		object: ObjectId,
		/// The field.
		key: Key,
		/// Type of its value.
		type_tag: TypeTagBytes,
		/// Its value.
		value: ContractValue,
	},
	/// Removes a field that exists.
	#[codec(index = 5)]
	RemoveField {
		/// Who signed.
		actor: AccountId,
		/// The object.
		object: ObjectId,
		/// The field.
		key: Key,
	},
	/// Hands an object over.
	#[codec(index = 6)]
	TransferObject {
		/// Who signed.
		actor: AccountId,
		/// The object.
		object: ObjectId,
		/// Who owns it then.
		to: AccountId,
	},
	/// Lets everybody create children below an object.
	#[codec(index = 7)]
	ShareObject {
		/// Who signed.
		actor: AccountId,
		/// The object.
		object: ObjectId,
	},
	/// Fixes an object.
	#[codec(index = 8)]
	FreezeObject {
		/// Who signed.
		actor: AccountId,
		/// The object.
		object: ObjectId,
	},
}

/// A field that contracts keep in an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContractField {
	/// Type of its value, in BCS.
	pub type_tag: TypeTagBytes,
	/// Its value, in BCS.
	pub value: ContractValue,
}

impl ContractField {
	/// As it stands in the trie: `tag ++ SCALE(type, value)`.
	pub fn to_value(&self) -> Vec<u8> {
		encode_value(tag::CONTRACT_FIELD, &(&self.type_tag, &self.value))
	}

	/// From the trie.
	pub fn from_value(bytes: &[u8]) -> Result<Self, ValueError> {
		let (type_tag, value) = decode_value(tag::CONTRACT_FIELD, bytes)?;
		Ok(Self { type_tag, value })
	}
}

/// A resource as it stands in the trie: `tag ++ SCALE(type, value)`.
pub(crate) fn resource_value(type_tag: &TypeTagBytes, value: &ContractValue) -> Vec<u8> {
	encode_value(tag::RESOURCE, &(type_tag, value))
}

/// The BCS bytes of a resource of this type from its value in the trie.
///
/// Errors: [`ValueError`] if the trie holds something else there.
pub fn resource_bytes(type_tag: &[u8], stored: &[u8]) -> Result<Vec<u8>, ValueError> {
	// The type is compared where it is, because an execution reads many resources and has their types already.
	let mut rest = stored.strip_prefix(&[tag::RESOURCE]).ok_or(ValueError)?;
	let length = Compact::<u32>::decode(&mut rest).map_err(|_| ValueError)?.0;
	let (found, mut rest) = rest.split_at_checked(length as usize).ok_or(ValueError)?;
	if found != type_tag {
		return Err(ValueError);
	}
	let value = ContractValue::decode_all(&mut rest).map_err(|_| ValueError)?;
	Ok(value.into_inner())
}
