//! Natives of `crypto`.

use super::{
	abort,
	scope::{one, Native, Returned, Scope, Stop},
	standard::hash,
};
use k256::ecdsa::signature::hazmat::PrehashVerifier;
use move_vm_types::values::Value;

/// Module, name, and the function.
pub(super) const NATIVES: &[(&str, &str, Native)] = &[
	("crypto", "blake2b_256", |scope| hash(scope, sp_crypto_hashing::blake2_256)),
	("crypto", "ed25519_verify", |scope| verify(scope, ed25519)),
	("crypto", "sr25519_verify", |scope| verify(scope, sr25519)),
	("crypto", "ecdsa_verify", |scope| verify(scope, ecdsa)),
];

/// Context of all signatures of Substrate by sr25519 keys.
const SR25519_CONTEXT: &[u8] = b"substrate";

/// Checks a signature, given signature, public key and message.
type Check = fn(&[u8; 64], &[u8], &[u8]) -> Result<bool, WrongLength>;

/// A key or a hash does not have the length that it always has.
struct WrongLength;

/// `f(signature: vector<u8>, public_key: vector<u8>, message: vector<u8>): bool`. Aborts with [`abort::BAD_LENGTH`].
fn verify(scope: &mut Scope, check: Check) -> Returned {
	let (message, key, signature): (Vec<u8>, Vec<u8>, Vec<u8>) =
		(scope.pop()?, scope.pop()?, scope.pop()?);
	let meter = scope.meter();
	meter.charge(meter.schedule().signature)?;
	meter.charge_each(meter.schedule().byte_hashed, message.len() as u64)?;
	let wrong = |_| Stop::Abort(abort::BAD_LENGTH);
	let signature = signature.as_slice().try_into().map_err(|_| wrong(WrongLength))?;
	one(Value::bool(check(signature, &key, &message).map_err(wrong)?))
}

fn ed25519(signature: &[u8; 64], key: &[u8], message: &[u8]) -> Result<bool, WrongLength> {
	let key: [u8; 32] = key.try_into().map_err(|_| WrongLength)?;
	let signature = ed25519_zebra::Signature::from(*signature);
	Ok(ed25519_zebra::VerificationKey::try_from(key)
		.is_ok_and(|key| key.verify(&signature, message).is_ok()))
}

fn sr25519(signature: &[u8; 64], key: &[u8], message: &[u8]) -> Result<bool, WrongLength> {
	let key: [u8; 32] = key.try_into().map_err(|_| WrongLength)?;
	let Ok(signature) = schnorrkel::Signature::from_bytes(signature) else { return Ok(false) };
	Ok(schnorrkel::PublicKey::from_bytes(&key)
		.is_ok_and(|key| key.verify_simple(SR25519_CONTEXT, message, &signature).is_ok()))
}

/// The message is its hash. A signature with a large s is the twin of one with a small s and is refused.
fn ecdsa(signature: &[u8; 64], key: &[u8], hash: &[u8]) -> Result<bool, WrongLength> {
	let (key, hash): (&[u8; 33], &[u8; 32]) =
		(key.try_into().map_err(|_| WrongLength)?, hash.try_into().map_err(|_| WrongLength)?);
	// The library reads a third form, too: then one key would have two names.
	if !matches!(key[0], 2 | 3) {
		return Ok(false);
	}
	let Ok(signature) = k256::ecdsa::Signature::from_slice(signature) else { return Ok(false) };
	if signature.normalize_s().is_some() {
		return Ok(false);
	}
	Ok(k256::ecdsa::VerifyingKey::from_sec1_bytes(key)
		.is_ok_and(|key| key.verify_prehash(hash, &signature).is_ok()))
}
