//! What the pallet stores.

use crate::Config;
use alloc::string::String;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use dstp_primitives::{
	head::{Head, HeadState},
	mode::{StoredMode, MAX_EVIDENCE_BYTES, MAX_PARAMS_BYTES, MAX_STATE_BYTES, MAX_UPDATE_BYTES},
	object::{HeadStatus, ModeId},
	subtree::SubtreeStart,
	AccountId, Key, ObjectId,
};
use frame_support::{traits::fungible, BoundedVec};
use scale_info::TypeInfo;
use sp_core::{Bytes, ConstU32};

/// The balance that deposits are counted in.
pub type BalanceOf<T> = <<T as Config>::Currency as fungible::Inspect<AccountId>>::Balance;

/// SCALE of a mode's parameters.
pub type ModeParams = BoundedVec<u8, ConstU32<MAX_PARAMS_BYTES>>;

/// SCALE of a mode's state.
pub type ModeState = BoundedVec<u8, ConstU32<MAX_STATE_BYTES>>;

/// SCALE of a mode's evidence.
pub type Evidence = BoundedVec<u8, ConstU32<MAX_EVIDENCE_BYTES>>;

/// SCALE of a mode's update.
pub type ModeUpdate = BoundedVec<u8, ConstU32<MAX_UPDATE_BYTES>>;

/// Bytes of a record besides parameters and state, for its deposit; rounded up.
pub const RECORD_BYTES: u32 = 700;

/// The version of a record, which is its first byte.
///
/// Between 0x02 and 0x0f, where no trie node's encoding starts: trie caches are keyed by hash alone, and a stored value that
/// starts with bytes of a user's choice could be read as a node.
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
pub enum RecordVersion {
	/// The first.
	#[codec(index = 2)]
	V1,
}

/// A registered subtree.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SubtreeInfo<Balance> {
	/// Version of this record.
	pub version: RecordVersion,
	/// The object above.
	pub parent: ObjectId,
	/// The subtree's key there.
	pub key: Key,
	/// Who registered it.
	pub owner: AccountId,
	/// What is on hold from the owner for this record.
	pub deposit: Balance,
	/// What it held at registration.
	pub start: SubtreeStart,
	/// The rule by which heads are accepted.
	pub mode: ModeId,
	/// Parameters of the mode, fixed at registration.
	pub params: ModeParams,
	/// State of the mode.
	pub state: ModeState,
	/// What the next head has to follow.
	pub head: HeadState,
	/// The last accepted head; `None` before the first.
	pub last: Option<Head>,
	/// How sure the hub is of the last head.
	pub status: HeadStatus,
	/// Block in which the last head was accepted; that of the registration before the first.
	pub committed_at: u32,
	/// Block of the last head whose fee was returned; `None` before the first.
	pub free_at: Option<u32>,
}

impl<Balance> SubtreeInfo<Balance> {
	/// Parameters and state for the mode.
	pub(crate) fn stored_mode(&self) -> StoredMode<'_> {
		StoredMode { params: &self.params, state: &self.state }
	}
}

/// A subtree that exists from block 0.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisSubtree {
	/// Where it stands, for example `/geo`: the last key is the subtree's, what is before leads to its parent.
	pub path: String,
	/// Its owner, who needs the deposits.
	pub owner: AccountId,
	/// Number of a native mode.
	pub mode: u32,
	/// SCALE of the mode's parameters; hex with `0x` in JSON.
	pub params: Bytes,
}
