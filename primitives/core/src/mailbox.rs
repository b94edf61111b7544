//! What a node and the off-chain worker of the hub's runtime leave for one another.
//!
//! Both meet in the node's persistent off-chain storage (`StorageKind::PERSISTENT`; the node's side of it has the prefix
//! `STORAGE_PREFIX`). Each item has one writer and is replaced as a whole, because workers skip blocks and may run at the same
//! time: a list of changes would lose some. Writing an item again with the same content changes nothing for its reader.
//!
//! | Item | Key | Writer | Reader |
//! |---|---|---|---|
//! | [`Interests`] | `dstp/mailbox/interests` | node | worker |
//! | [`HubView`] | `dstp/mailbox/hub-view` | worker, at each best block | node |
//! | [`Outbox`] | `dstp/mailbox/outbox` | node | worker, which submits what the hub lacks |
//!
//! # Trust model
//!
//! The storage is local, but a runtime of another version or a damaged disk may have written it: items carry a version, are
//! decoded with limits, and one that cannot be read counts as absent.

use crate::{
	head::Head,
	id::{ObjectId, StateRoot},
	mode::MAX_EVIDENCE_BYTES,
	subtree::SubtreeView,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeLimit, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32, H256};

/// First byte of every item. An item of another version is not read.
pub const MAILBOX_VERSION: u8 = 1;

/// Most subtrees that one node serves or follows: bounds what the worker reads and writes at each block.
pub const MAX_INTERESTS: u32 = 256;

/// Most heads that wait for their commit: one per subtree is useful at a time, since each has to follow the last accepted one;
/// more let the worker go on without the node.
pub const MAX_OUTBOX_HEADS: u32 = 256;

/// Deepest nesting of an item; today's need 7.
const MAX_MAILBOX_DEPTH: u32 = 12;

/// Largest encoded item. The outbox with the largest evidence for every head stays below.
const MAX_ITEM_BYTES: usize = 4 * 1024 * 1024;

/// An item of the mailbox.
pub trait MailboxItem: Encode + Decode + DecodeWithMemTracking {
	/// Its key in the off-chain storage.
	const KEY: &'static [u8];

	/// As it is stored: [`MAILBOX_VERSION`], then SCALE.
	fn to_bytes(&self) -> Vec<u8> {
		let mut bytes = Vec::with_capacity(1 + self.size_hint());
		bytes.push(MAILBOX_VERSION);
		self.encode_to(&mut bytes);
		bytes
	}

	/// From the storage; `None` if the bytes are of another version, too many, or not this item.
	fn from_bytes(bytes: &[u8]) -> Option<Self> {
		if bytes.len() > MAX_ITEM_BYTES {
			return None;
		}
		let rest = bytes.strip_prefix(&[MAILBOX_VERSION])?;
		Self::decode_all_with_depth_limit(MAX_MAILBOX_DEPTH, &mut &rest[..]).ok()
	}
}

/// The subtrees that the node serves or follows.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Interests {
	/// Their root objects, each once, at most [`MAX_INTERESTS`].
	pub subtrees: BoundedVec<ObjectId, ConstU32<MAX_INTERESTS>>,
}

impl MailboxItem for Interests {
	const KEY: &'static [u8] = b"dstp/mailbox/interests";
}

/// What the hub knew at a best block of the subtrees in [`Interests`]. The block may not be final, and may be retracted: the next
/// view then has another block of the same number, or of a lower one.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct HubView {
	/// Hash of the block.
	pub block_hash: H256,
	/// Hash of the block before.
	pub parent_hash: H256,
	/// The block's number.
	pub number: u32,
	/// The global root in its header.
	pub global_root: StateRoot,
	/// The subtrees that are registered at this block, in the order of [`Interests`]. One that is missing is not registered.
	pub subtrees: BoundedVec<SubtreeView, ConstU32<MAX_INTERESTS>>,
}

impl MailboxItem for HubView {
	const KEY: &'static [u8] = b"dstp/mailbox/hub-view";
}

/// A head that the node sealed, with what its subtree's mode demands.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct OutboxHead {
	/// The head.
	pub head: Head,
	/// SCALE of the mode's evidence.
	pub evidence: BoundedVec<u8, ConstU32<MAX_EVIDENCE_BYTES>>,
}

/// All heads that the node wants committed. The node removes one when the hub has finalised it, so that a reorganisation of the
/// hub that drops a commit needs no action.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Outbox {
	/// At most [`MAX_OUTBOX_HEADS`], in the order of their numbers within a subtree.
	pub heads: BoundedVec<OutboxHead, ConstU32<MAX_OUTBOX_HEADS>>,
}

impl MailboxItem for Outbox {
	const KEY: &'static [u8] = b"dstp/mailbox/outbox";
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn items_come_back() {
		let interests =
			Interests { subtrees: vec![ObjectId([1; 32]), ObjectId([2; 32])].try_into().unwrap() };
		assert_eq!(Interests::from_bytes(&interests.to_bytes()), Some(interests));
		assert_eq!(Outbox::from_bytes(&Outbox::default().to_bytes()), Some(Outbox::default()));
	}

	#[test]
	fn item_bytes_are_fixed() {
		let interests = Interests { subtrees: vec![ObjectId([1; 32])].try_into().unwrap() };
		assert_eq!(hex::encode(interests.to_bytes()), format!("0104{}", "01".repeat(32)));
		assert_eq!(hex::encode(Outbox::default().to_bytes()), "0100");
	}

	#[test]
	fn the_largest_items_fit() {
		let head = Head::decode(&mut &[0u8; 300][..]).unwrap();
		let evidence = BoundedVec::try_from(vec![0; MAX_EVIDENCE_BYTES as usize]).unwrap();
		let heads = vec![OutboxHead { head, evidence }; MAX_OUTBOX_HEADS as usize];
		let outbox = Outbox { heads: heads.try_into().unwrap() };
		assert!(Outbox::from_bytes(&outbox.to_bytes()).is_some());
		let view = <SubtreeView as codec::MaxEncodedLen>::max_encoded_len();
		assert!(view * (MAX_INTERESTS as usize) < MAX_ITEM_BYTES);
	}

	#[test]
	fn other_versions_and_trailing_bytes_are_refused() {
		let mut bytes = Outbox::default().to_bytes();
		bytes[0] = 2;
		assert_eq!(Outbox::from_bytes(&bytes), None);
		assert_eq!(Outbox::from_bytes(&[1, 0, 0]), None);
		assert_eq!(Outbox::from_bytes(&[]), None);
	}

	proptest! {
		#[test]
		fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
			let _ = Interests::from_bytes(&bytes);
			let _ = HubView::from_bytes(&bytes);
			let _ = Outbox::from_bytes(&bytes);
		}
	}
}
