//! What the hub tells about a remote subtree.

use crate::{
	head::{Head, HeadState},
	id::{AccountId, Key, ObjectId, StateRoot},
	object::{HeadStatus, ModeId, ObjectFlags, ObjectType, Owner},
	tree::{namespace_root, NewObject},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What a remote subtree held when it was registered.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum SubtreeStart {
	/// Nothing but its root object, which belongs to the subtree's owner.
	#[codec(index = 0)]
	New {
		/// The root object's kind.
		object_type: ObjectType,
		/// The root object's switches.
		flags: ObjectFlags,
	},
	/// The state that the hub hosted before, with this root.
	#[codec(index = 1)]
	Hosted(StateRoot),
}

impl SubtreeStart {
	/// The root that the first head extends. Who serves or follows the subtree starts from it.
	pub fn root(&self, owner: &AccountId) -> StateRoot {
		match self {
			Self::New { object_type, flags } => {
				let new = NewObject { object_type: object_type.clone(), flags: *flags };
				namespace_root(Owner::Account(owner.clone()), new)
			},
			Self::Hosted(root) => *root,
		}
	}
}

/// A remote subtree as the hub knows it at some block.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SubtreeView {
	/// Root object of the subtree.
	pub subtree: ObjectId,
	/// The object above it.
	pub parent: ObjectId,
	/// Its key there.
	pub key: Key,
	/// Who registered it, and may close it.
	pub owner: AccountId,
	/// What it held at registration.
	pub start: SubtreeStart,
	/// The rule by which its heads are accepted.
	pub mode: ModeId,
	/// What the next head has to follow; carries epoch, era, seq and the present StateRoot.
	pub head: HeadState,
	/// The last accepted head; `None` before the first.
	pub last: Option<Head>,
	/// How sure the hub is of the last head.
	pub status: HeadStatus,
	/// Hub block in which the last head was accepted; that of the registration before the first.
	pub committed_at: u32,
	/// Whether the hub takes the content back: no head is accepted before that ends, so nodes take no calls.
	pub being_hosted: bool,
}

/// The security mode of a remote subtree with everything that a reader needs to judge it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ModeView {
	/// The mode.
	pub mode: ModeId,
	/// Its name in UTF-8, for example `poa`.
	pub name: Vec<u8>,
	/// SCALE of the mode's parameters ([`PoaParams`](crate::mode::poa::PoaParams) for PoA).
	pub params: Vec<u8>,
	/// SCALE of the mode's state ([`PoaState`](crate::mode::poa::PoaState) for PoA).
	pub state: Vec<u8>,
}

/// Most subtrees in one [`SubtreePage`].
pub const MAX_SUBTREE_PAGE: u32 = 256;

/// Some of the remote subtrees, in an order that does not change while none is added or removed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct SubtreePage {
	/// At most as many as were asked for, and at most [`MAX_SUBTREE_PAGE`].
	pub entries: Vec<SubtreeView>,
	/// Cursor of the next page; `None`: nothing follows. It stays valid when that subtree is removed.
	pub next: Option<ObjectId>,
}
