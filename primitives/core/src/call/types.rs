//! What a signed call consists of.

use crate::{
	id::{AccountId, Key, ObjectId, Path},
	object::{ObjectFlags, ObjectType, Value},
	signature::{anybody_signs_for, Signature},
	tree::{TreeError, MAX_BATCH_FIELDS},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeLimit, DecodeWithMemTracking, Encode};
use core::fmt;
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32, H256};
use sp_crypto_hashing::blake2_256;

/// First bytes of what a caller signs.
pub const CALL_TAG: &[u8] = b"dstp/call/v1";

/// Largest encoded call. 256 values of 512 bytes fit; larger values take fewer per call.
pub const MAX_CALL_BYTES: usize = 256 * 1024;

/// Furthest that a call's last block may lie ahead, so that a node never has to remember a call for longer.
pub const MAX_VALIDITY_BLOCKS: u32 = 14_400;

/// Deepest nesting of an encoded call; today's calls need 4.
const MAX_CALL_DEPTH: u32 = 8;

/// An operation on a subtree. Paths start at the subtree's root, which is the empty path.
///
/// Objects are named by path, not by id, because the absence of a path can be proven.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Call {
	/// Creates an object that belongs to the signer.
	#[codec(index = 0)]
	Create {
		/// The object above.
		parent: Path,
		/// Its key there.
		key: Key,
		/// Its kind.
		object_type: ObjectType,
		/// Its switches.
		flags: ObjectFlags,
	},
	/// Sets 1 to 256 fields.
	#[codec(index = 1)]
	SetFields {
		/// The object.
		object: Path,
		/// Keys, each once, and values.
		fields: BoundedVec<(Key, Value), ConstU32<MAX_BATCH_FIELDS>>,
	},
	/// Removes 1 to 256 fields.
	#[codec(index = 2)]
	RemoveFields {
		/// The object.
		object: Path,
		/// Keys, each once.
		keys: BoundedVec<Key, ConstU32<MAX_BATCH_FIELDS>>,
	},
	/// Hands an object over.
	#[codec(index = 3)]
	Transfer {
		/// The object.
		object: Path,
		/// Its new owner.
		to: AccountId,
	},
	/// Lets everybody create children below an object.
	#[codec(index = 4)]
	Share {
		/// The object.
		object: Path,
	},
	/// Fixes an object for ever.
	#[codec(index = 5)]
	Freeze {
		/// The object.
		object: Path,
	},
	/// Removes an object that has no children.
	#[codec(index = 6)]
	Remove {
		/// The object.
		object: Path,
	},
	/// Removes an object and what is below it, up to a limit of steps per call; repeated calls go on.
	#[codec(index = 7)]
	RemoveRecursive {
		/// The object.
		object: Path,
	},
}

/// What a caller signs.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct CallPayload {
	/// Hash of the hub's block 0.
	pub genesis: H256,
	/// Root object of the subtree.
	pub subtree: ObjectId,
	/// The subtree's registration.
	pub epoch: u64,
	/// Who calls.
	pub signer: AccountId,
	/// Number of this account's calls into this subtree before this one.
	pub nonce: u64,
	/// Last hub block at which the call may be executed.
	pub valid_until: u32,
	/// The operation.
	pub call: Call,
}

impl CallPayload {
	/// The bytes to sign: the tag and the payload.
	pub fn signing_bytes(&self) -> Vec<u8> {
		let mut bytes = CALL_TAG.to_vec();
		self.encode_to(&mut bytes);
		bytes
	}

	/// The id of the call: blake2-256 of [`Self::signing_bytes`]. It does not depend on the signature.
	pub fn id(&self) -> H256 {
		H256(blake2_256(&self.signing_bytes()))
	}
}

/// A call and the signature that authorises it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SignedCall {
	/// What was signed.
	pub payload: CallPayload,
	/// By `payload.signer`, over [`CallPayload::signing_bytes`], plain or in the `<Bytes>` wrapping of wallets.
	pub signature: Signature,
}

/// What a call has to fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallContext {
	/// Hash of the hub's block 0.
	pub genesis: H256,
	/// Root object of the subtree.
	pub subtree: ObjectId,
	/// The subtree's registration.
	pub epoch: u64,
	/// The hub block at which the call is executed.
	pub hub_number: u32,
}

/// Why a call does not enter a batch. Its nonce is not consumed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum CallRefusal {
	/// The bytes are not a signed call, or more than [`MAX_CALL_BYTES`].
	Malformed,
	/// The call was signed for another chain.
	WrongChain,
	/// The call was signed for another subtree.
	WrongSubtree,
	/// The call was signed for another registration of this subtree.
	WrongEpoch,
	/// The last block of the call has passed.
	Expired,
	/// The last block of the call lies too far ahead.
	ValidTooLong,
	/// The signature is not the signer's.
	BadSignature,
	/// The nonce is not the account's next one.
	WrongNonce {
		/// The one that is.
		expected: u64,
	},
	/// Anybody can sign for the signer's account.
	WeakSigner,
}

impl fmt::Display for CallRefusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Malformed => write!(f, "the bytes are not a SCALE-encoded signed call of at most {MAX_CALL_BYTES} bytes"),
			Self::WrongChain => f.write_str("the call was signed for a chain with another genesis hash"),
			Self::WrongSubtree => f.write_str("the call was signed for another subtree"),
			Self::WrongEpoch => f.write_str("the call was signed for another registration of this subtree; sign it with the current epoch"),
			Self::Expired => f.write_str("the call's last hub block has passed; sign it again with a later valid_until"),
			Self::ValidTooLong => write!(f, "a call is valid for at most {MAX_VALIDITY_BLOCKS} hub blocks; sign it again with an earlier valid_until"),
			Self::BadSignature => f.write_str("the signature does not fit the signer and the payload"),
			Self::WeakSigner => f.write_str("anybody can sign for the signer's account; sign with another key"),
			Self::WrongNonce { expected } => write!(f, "the account's next nonce in this subtree is {expected}"),
		}
	}
}

impl core::error::Error for CallRefusal {}

/// What became of a call that entered a batch. Its nonce is consumed either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum CallStatus {
	/// It changed the subtree.
	#[codec(index = 0)]
	Applied,
	/// It changed nothing but the nonce.
	#[codec(index = 1)]
	Failed(TreeError),
}

impl SignedCall {
	/// Reads a call from untrusted bytes.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, CallRefusal> {
		if bytes.len() > MAX_CALL_BYTES {
			return Err(CallRefusal::Malformed);
		}
		Self::decode_all_with_depth_limit(MAX_CALL_DEPTH, &mut &bytes[..])
			.map_err(|_| CallRefusal::Malformed)
	}

	/// Checks everything but nonce and signature.
	pub fn check_context(&self, context: &CallContext) -> Result<(), CallRefusal> {
		let payload = &self.payload;
		if payload.genesis != context.genesis {
			return Err(CallRefusal::WrongChain);
		}
		if payload.subtree != context.subtree {
			return Err(CallRefusal::WrongSubtree);
		}
		if payload.epoch != context.epoch {
			return Err(CallRefusal::WrongEpoch);
		}
		if anybody_signs_for(&payload.signer) {
			return Err(CallRefusal::WeakSigner);
		}
		if payload.valid_until < context.hub_number {
			return Err(CallRefusal::Expired);
		}
		if payload.valid_until - context.hub_number > MAX_VALIDITY_BLOCKS {
			return Err(CallRefusal::ValidTooLong);
		}
		Ok(())
	}

	/// Checks everything but the nonce.
	#[cfg(feature = "runtime")]
	pub fn check(&self, context: &CallContext) -> Result<(), CallRefusal> {
		self.check_context(context)?;
		let payload = &self.payload;
		let signed = self.signature.verify_wrapped(&payload.signing_bytes(), &payload.signer);
		signed.then_some(()).ok_or(CallRefusal::BadSignature)
	}
}
