//! Who makes the evidence for the heads that this node seals.

use codec::{DecodeAll, Encode};
use dstp_primitives::{
	head::Head,
	mode::{
		poa::{head_payload, PoaEvidence, PoaState},
		Poa, SecurityMode,
	},
	object::ModeId,
	signature::Signature,
	subtree::ModeView,
	AccountId,
};
use sp_core::{crypto::KeyTypeId, ecdsa};
use sp_crypto_hashing::blake2_256;
use sp_keystore::Keystore;

/// Type of the keys that sign heads and pay for commits.
pub const KEY_TYPE: KeyTypeId = KeyTypeId(*b"dsub");

/// Makes what a security mode demands for the heads that this node seals.
///
/// The node has a signer for PoA; a team adds one for each mode of its own with
/// [`Subtrees::signer`](super::Subtrees::signer).
pub trait HeadSigner: Send + Sync + 'static {
	/// The mode.
	fn mode(&self) -> ModeId;

	/// SCALE of the mode's evidence for `head`; `None` if the keystore lacks a key that it needs.
	///
	/// `mode` holds the parameters and the state that the subtree's mode has at the best block of the hub. Asked again when
	/// these change, and for a head without evidence at every best block.
	fn evidence(&self, head: &Head, mode: &ModeView, keystore: &dyn Keystore) -> Option<Vec<u8>>;
}

/// Signs with as many keys as the set of authorities demands.
pub(super) struct PoaSigner;

impl HeadSigner for PoaSigner {
	fn mode(&self) -> ModeId {
		ModeId::Native(Poa::ID)
	}

	fn evidence(&self, head: &Head, mode: &ModeView, keystore: &dyn Keystore) -> Option<Vec<u8>> {
		let PoaState { set_id, authorities, .. } =
			PoaState::decode_all(&mut &mode.state[..]).ok()?;
		let payload = head_payload(set_id, head);
		let wanted = usize::from(authorities.threshold);
		let signatures: Vec<_> = (0u8..)
			.zip(&authorities.keys)
			.filter_map(|(index, account)| Some((index, sign(keystore, account, &payload)?)))
			.take(wanted)
			.collect();
		if signatures.len() < wanted {
			return None;
		}
		Some(PoaEvidence { set_id, signatures: signatures.try_into().ok()? }.encode())
	}
}

/// Signs with the key of `account`, of whichever kind it is; `None` if the keystore has no such key of type [`KEY_TYPE`], or one that
/// cannot be read, which is logged.
pub fn sign(keystore: &dyn Keystore, account: &AccountId, message: &[u8]) -> Option<Signature> {
	try_sign(keystore, account, message).unwrap_or_else(|error| {
		log::warn!(
			target: "dstp",
			"the key of {account} in the keystore cannot be used: {error}; insert it again with author_insertKey"
		);
		None
	})
}

fn try_sign(
	keystore: &dyn Keystore,
	account: &AccountId,
	message: &[u8],
) -> Result<Option<Signature>, sp_keystore::Error> {
	let id: &[u8; 32] = account.as_ref();
	if let Some(key) = keystore.sr25519_public_keys(KEY_TYPE).into_iter().find(|key| key.0 == *id) {
		return Ok(keystore.sr25519_sign(KEY_TYPE, &key, message)?.map(Into::into));
	}
	if let Some(key) = keystore.ed25519_public_keys(KEY_TYPE).into_iter().find(|key| key.0 == *id) {
		return Ok(keystore.ed25519_sign(KEY_TYPE, &key, message)?.map(Into::into));
	}
	let is_ours = |key: &ecdsa::Public| blake2_256(&key.0) == *id;
	match keystore.ecdsa_public_keys(KEY_TYPE).into_iter().find(is_ours) {
		Some(key) => Ok(keystore.ecdsa_sign(KEY_TYPE, &key, message)?.map(Into::into)),
		None => Ok(None),
	}
}
