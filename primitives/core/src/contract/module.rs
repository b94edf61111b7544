//! Modules as they stand in the tree.

use super::ContractValue;
use crate::{
	id::ObjectId,
	object::{decode_value, encode_value, tag, TypeName, ValueError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

/// The version that every [`ModuleEntry`] carries.
pub const MODULE_ENTRY_VERSION: u8 = 1;

/// Most modules that one module names, as dependencies and friends.
pub const MAX_MODULE_LINKS: u32 = 32;

/// The name of a module, at most 64 bytes.
pub type ModuleName = TypeName;

/// Names a module.
#[derive(
	Clone,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct ModuleLink {
	/// The address that it belongs to.
	pub address: ObjectId,
	/// Its name there.
	pub name: ModuleName,
}

/// How the owner of a module may replace it.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum UpgradePolicy {
	/// Never.
	#[codec(index = 0)]
	Immutable,
	/// By a module with the same structs and at least the same public and entry functions. The policy may become
	/// [`Self::Immutable`] on the way, never the other way round.
	#[codec(index = 1)]
	Compatible,
}

/// A published module.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ModuleEntry {
	/// [`MODULE_ENTRY_VERSION`].
	pub version: u8,
	/// Its name.
	pub name: ModuleName,
	/// How it may be replaced.
	pub policy: UpgradePolicy,
	/// The modules that have to be loaded with it, its own not among them: dependencies and friends, in ascending order. Recorded at
	/// publication, so that the cost of loading follows from the state and not from what a node has in memory.
	pub links: BoundedVec<ModuleLink, ConstU32<MAX_MODULE_LINKS>>,
	/// Units of work that its verification takes, as counted at publication.
	pub work: u32,
	/// Its bytecode.
	pub code: ContractValue,
}

impl ModuleEntry {
	/// As it stands in the trie.
	pub fn to_value(&self) -> Vec<u8> {
		encode_value(tag::MODULE, self)
	}

	/// From the trie. An unknown version is refused.
	pub fn from_value(bytes: &[u8]) -> Result<Self, ValueError> {
		let entry: Self = decode_value(tag::MODULE, bytes)?;
		(entry.version == MODULE_ENTRY_VERSION).then_some(entry).ok_or(ValueError)
	}
}
