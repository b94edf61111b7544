//! What a parent knows of a child.

use crate::id::StateRoot;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The version that every [`ChildEntry`] carries.
pub const CHILD_ENTRY_VERSION: u8 = 1;

/// A security mode's name.
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
pub enum ModeId {
	/// A mode that is part of the runtime. Numbers below 1024 belong to this SDK.
	#[codec(index = 0)]
	Native(u32),
	/// A mode that a Move module defines.
	#[codec(index = 1)]
	Contract {
		/// Where the module stands.
		address: [u8; 32],
		/// Its name.
		module: super::TypeName,
	},
}

/// How sure the hub is of a remote subtree's head.
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
pub enum HeadStatus {
	/// Nothing committed yet: the root is the one that the hub computed at registration.
	#[codec(index = 0)]
	Initial,
	/// Accepted, can be disputed until this hub block.
	#[codec(index = 1)]
	Pending {
		/// First block in which the head is final.
		until: u32,
	},
	/// A dispute is open.
	#[codec(index = 2)]
	Challenged,
	/// Cannot be undone by anyone.
	#[codec(index = 3)]
	Final,
	/// The subtree is closed: this head is its last.
	#[codec(index = 4)]
	Closed,
}

/// A remote subtree as its holder sees it.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RemoteLocation {
	/// The rule by which heads are accepted.
	pub mode: ModeId,
	/// Number of this registration, unique on the hub for ever.
	pub epoch: u64,
	/// Rises when heads are voided and when the mode changes.
	pub era: u32,
	/// Number of the last accepted head; 0 before the first.
	pub seq: u64,
	/// How sure the holder is of it.
	pub status: HeadStatus,
}

/// Where an object's trie nodes are, relative to the holder of its parent.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Location {
	/// With its parent.
	#[codec(index = 0)]
	WithParent,
	/// On other nodes. The object is the root of a namespace of its own.
	#[codec(index = 1)]
	Remote(RemoteLocation),
}

/// What a parent's trie says of a child.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ChildEntry {
	/// [`CHILD_ENTRY_VERSION`].
	pub version: u8,
	/// Root of the child's trie when roots were last computed.
	pub state_root: StateRoot,
	/// Where its nodes are.
	pub location: Location,
}

impl ChildEntry {
	/// The entry of a child whose nodes are with its parent.
	pub fn hosted(state_root: StateRoot) -> Self {
		Self { version: CHILD_ENTRY_VERSION, state_root, location: Location::WithParent }
	}
}
