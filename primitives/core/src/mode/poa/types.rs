//! What PoA keeps, takes and has signed.

use crate::{
	head::Head,
	id::AccountId,
	mode::{ModeContext, ModeError},
	signature::anybody_signs_for,
	signature::Signature,
};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

/// The PoA mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Poa;

/// First bytes of what authorities sign for a head.
pub const HEAD_TAG: &[u8] = b"dstp/poa-head/v1";

/// First bytes of what authorities sign for another set of authorities.
pub const ROTATION_TAG: &[u8] = b"dstp/poa-rotate/v1";

/// Most keys in a set: bounds what one head costs to verify.
pub const MAX_AUTHORITIES: u32 = 16;

/// Who may sign, and how many have to.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct AuthoritySet {
	/// 1 to 16 accounts, each once, none for which anybody can sign. Their positions are the indices in [`PoaEvidence`].
	pub keys: BoundedVec<AccountId, ConstU32<MAX_AUTHORITIES>>,
	/// Signatures needed: 1 to the number of keys.
	pub threshold: u8,
}

impl AuthoritySet {
	/// Takes keys in their order; errors as [`Self::check`], and [`ModeError::NoAuthority`] beyond 16 keys.
	pub fn new(keys: Vec<AccountId>, threshold: u8) -> Result<Self, ModeError> {
		let keys = BoundedVec::try_from(keys).map_err(|_| ModeError::NoAuthority)?;
		let set = Self { keys, threshold };
		set.check()?;
		Ok(set)
	}

	/// Checks what decoding does not.
	pub fn check(&self) -> Result<(), ModeError> {
		if self.keys.is_empty() || self.keys.iter().any(anybody_signs_for) {
			return Err(ModeError::NoAuthority);
		}
		if self.keys.iter().collect::<BTreeSet<_>>().len() != self.keys.len() {
			return Err(ModeError::DuplicateAuthority);
		}
		let threshold_fits = (1..=self.keys.len()).contains(&usize::from(self.threshold));
		threshold_fits.then_some(()).ok_or(ModeError::BadThreshold)
	}
}

/// What the owner of a PoA subtree fixes at registration.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct PoaParams {
	/// The first set.
	pub authorities: AuthoritySet,
	/// A head accepted in hub block b is followed by the next in block b plus this at the earliest. 0: also in the same block.
	pub min_interval_blocks: u32,
	/// More hub blocks than this without a head or a rotation, and the owner may name another set. Longer than
	/// `min_interval_blocks`. `None`: never.
	pub max_silence_blocks: Option<u32>,
}

/// What changes in the life of a PoA subtree.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct PoaState {
	/// Number of the current set; see [`first_set_id`]. Rises by one with each rotation and replacement.
	pub set_id: u64,
	/// The current set.
	pub authorities: AuthoritySet,
	/// Hub block in which the last head was accepted; `None` before the first.
	pub last_head_block: Option<u32>,
	/// Hub block of the last sign of life (registration, head, or another set), or of the end of a time in which the hub took no heads.
	pub active_block: u32,
}

/// Signatures of a set: over [`head_payload`] or [`rotation_payload`].
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct PoaEvidence {
	/// Number of the set that signed.
	pub set_id: u64,
	/// The signer's index in the set and its signature, strictly ascending by index. All of them have to be valid, and at least the
	/// threshold of them there.
	pub signatures: BoundedVec<(u8, Signature), ConstU32<MAX_AUTHORITIES>>,
}

/// Number of the first set in an era.
///
/// Numbers are not used twice within an epoch, so that no signed rotation comes back when the mode changes and later returns.
pub fn first_set_id(era: u32) -> u64 {
	u64::from(era) << 32
}

/// What authorities sign for a head: `"dstp/poa-head/v1" ++ set_id (u64, little-endian) ++ SCALE(head)`.
///
/// The head binds genesis, subtree, epoch, era and seq.
pub fn head_payload(set_id: u64, head: &Head) -> Vec<u8> {
	let mut bytes = HEAD_TAG.to_vec();
	set_id.encode_to(&mut bytes);
	head.encode_to(&mut bytes);
	bytes
}

/// What the authorities of the set `set_id` sign for the next set:
/// `"dstp/poa-rotate/v1" ++ genesis ++ subtree ++ epoch (u64) ++ set_id (u64) ++ SCALE(next)`, integers little-endian.
pub fn rotation_payload(context: &ModeContext, set_id: u64, next: &AuthoritySet) -> Vec<u8> {
	let mut bytes = ROTATION_TAG.to_vec();
	(context.genesis, context.subtree, context.last.epoch, set_id, next).encode_to(&mut bytes);
	bytes
}
