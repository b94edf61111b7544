//! Signatures of this node's keys under heads.

use codec::Encode;
use dstp_primitives::{
	head::Head,
	mode::poa::{head_payload, PoaEvidence, PoaState},
	signature::Signature,
	AccountId,
};
use sp_core::crypto::KeyTypeId;
use sp_crypto_hashing::blake2_256;
use sp_keystore::{Keystore, KeystorePtr};

/// Type of the keys that sign heads and pay for commits.
pub const KEY_TYPE: KeyTypeId = KeyTypeId(*b"dsub");

/// SCALE of the evidence for `head`, with as many signatures as the set demands; `None` if the keystore has not enough keys.
pub(super) fn evidence(keystore: &KeystorePtr, state: &PoaState, head: &Head) -> Option<Vec<u8>> {
	let payload = head_payload(state.set_id, head);
	let wanted = usize::from(state.authorities.threshold);
	let keys = (0u8..).zip(&state.authorities.keys);
	let signatures: Vec<_> = keys
		.filter_map(|(index, account)| Some((index, sign(&**keystore, account, &payload)?)))
		.take(wanted)
		.collect();
	if signatures.len() < wanted {
		return None;
	}
	Some(PoaEvidence { set_id: state.set_id, signatures: signatures.try_into().ok()? }.encode())
}

/// Signs with the key of `account`, of whichever kind it is.
fn sign(keystore: &dyn Keystore, account: &AccountId, message: &[u8]) -> Option<Signature> {
	let id: &[u8; 32] = account.as_ref();
	if let Some(key) = keystore.sr25519_public_keys(KEY_TYPE).into_iter().find(|key| key.0 == *id) {
		return keystore.sr25519_sign(KEY_TYPE, &key, message).ok().flatten().map(Into::into);
	}
	if let Some(key) = keystore.ed25519_public_keys(KEY_TYPE).into_iter().find(|key| key.0 == *id) {
		return keystore.ed25519_sign(KEY_TYPE, &key, message).ok().flatten().map(Into::into);
	}
	let key =
		keystore.ecdsa_public_keys(KEY_TYPE).into_iter().find(|key| blake2_256(&key.0) == *id)?;
	keystore.ecdsa_sign(KEY_TYPE, &key, message).ok().flatten().map(Into::into)
}
