//! `crypto`: signatures that Substrate's own code made.

use super::with_contracts;
use crate::support::*;
use dstp_move::{natives::abort, MoveError};
use sp_core::{ecdsa, ed25519, sr25519, Pair};
use sp_crypto_hashing::blake2_256;

const CRYPTO: &str = "module author::signatures {
	use dstp::crypto;
	public fun blake(data: vector<u8>): vector<u8> { crypto::blake2b_256(data) }
	public fun ed25519(s: vector<u8>, k: vector<u8>, m: vector<u8>): bool { crypto::ed25519_verify(s, k, m) }
	public fun sr25519(s: vector<u8>, k: vector<u8>, m: vector<u8>): bool { crypto::sr25519_verify(s, k, m) }
	public fun ecdsa(s: vector<u8>, k: vector<u8>, m: vector<u8>): bool { crypto::ecdsa_verify(s, k, m) }
	public entry fun ed25519_for_ever(s: vector<u8>, k: vector<u8>, m: vector<u8>) {
		loop { crypto::ed25519_verify(copy s, copy k, copy m); }
	}
	public entry fun sr25519_for_ever(s: vector<u8>, k: vector<u8>, m: vector<u8>) {
		loop { crypto::sr25519_verify(copy s, copy k, copy m); }
	}
	public entry fun ecdsa_for_ever(s: vector<u8>, k: vector<u8>, m: vector<u8>) {
		loop { crypto::ecdsa_verify(copy s, copy k, copy m); }
	}
	public entry fun blake_for_ever(_s: vector<u8>, _k: vector<u8>, m: vector<u8>) {
		loop { crypto::blake2b_256(copy m); }
	}
}";

const MESSAGE: &[u8] = b"a message";

/// Function, signature, key and what it takes as the message.
type Case = (&'static str, Vec<u8>, Vec<u8>, Vec<u8>);

fn cases() -> [Case; 3] {
	let ed = ed25519::Pair::from_seed(&[1; 32]);
	let sr = sr25519::Pair::from_seed(&[2; 32]);
	let ec = ecdsa::Pair::from_seed(&[3; 32]);
	[
		("ed25519", ed.sign(MESSAGE).0.to_vec(), ed.public().0.to_vec(), MESSAGE.to_vec()),
		("sr25519", sr.sign(MESSAGE).0.to_vec(), sr.public().0.to_vec(), MESSAGE.to_vec()),
		(
			"ecdsa",
			ec.sign(MESSAGE).0[..64].to_vec(),
			ec.public().0.to_vec(),
			blake2_256(MESSAGE).to_vec(),
		),
	]
}

fn verify(tree: &mut Tree, (name, signature, key, message): &Case) -> Result<bool, MoveError> {
	let arguments = vec![bcs(signature), bcs(key), bcs(message)];
	view(tree, &format!("signatures::{name}"), arguments).map(|values| values[0] == [1])
}

#[test]
fn a_signature_is_valid_for_its_key_and_message_only() {
	let mut tree = with_contracts(&[CRYPTO]);
	for case in cases() {
		assert_eq!(verify(&mut tree, &case), Ok(true), "{case:?}");
		for byte in [0, 31, 32, 63] {
			let mut other = case.clone();
			other.1[byte] ^= 1;
			assert_eq!(verify(&mut tree, &other), Ok(false), "{other:?}");
		}
		let mut other = case.clone();
		other.2[7] ^= 1;
		assert_eq!(verify(&mut tree, &other), Ok(false), "{other:?}");
		let mut other = case.clone();
		other.3[0] ^= 1;
		assert_eq!(verify(&mut tree, &other), Ok(false), "{other:?}");
		for filler in [0, 0xff] {
			let garbage = (case.0, vec![filler; 64], vec![filler; case.2.len()], case.3.clone());
			// A key of zeros is a point of small order, which ZIP-215 takes for a key that signs everything.
			let expected = case.0 == "ed25519" && filler == 0;
			assert_eq!(verify(&mut tree, &garbage), Ok(expected), "{garbage:?}");
		}
	}
}

#[test]
fn wrong_lengths_end_the_call() {
	let mut tree = with_contracts(&[CRYPTO]);
	for (name, signature, key, message) in cases() {
		let mut wrong = vec![
			(name, signature[..63].to_vec(), key.clone(), message.clone()),
			(name, [&signature[..], &[0]].concat(), key.clone(), message.clone()),
			(name, vec![], key.clone(), message.clone()),
			(name, signature.clone(), key[1..].to_vec(), message.clone()),
			(name, signature.clone(), [&key[..], &[0]].concat(), message.clone()),
		];
		if name == "ecdsa" {
			wrong.push((name, signature, key, b"no hash".to_vec()));
		}
		for case in wrong {
			let refused = verify(&mut tree, &case);
			assert!(
				matches!(refused, Err(MoveError::Aborted { code: abort::BAD_LENGTH, .. })),
				"{case:?}"
			);
		}
	}
}

#[test]
fn an_ecdsa_signature_has_no_twin() {
	let mut tree = with_contracts(&[CRYPTO]);
	let [_, _, mut case] = cases();
	let signature = k256::ecdsa::Signature::from_slice(&case.1).unwrap();
	let twin = k256::ecdsa::Signature::from_scalars(signature.r(), -signature.s()).unwrap();
	case.1 = twin.to_vec();
	assert_eq!(verify(&mut tree, &case), Ok(false));
}

#[test]
fn an_ecdsa_key_has_one_name() {
	let mut tree = with_contracts(&[CRYPTO]);
	// One of these keys has an even y, which the third form of a key means.
	for secret in 1..20u8 {
		let secret = k256::ecdsa::SigningKey::from_slice(&[secret; 32]).unwrap();
		let key = secret.verifying_key().to_encoded_point(true).as_bytes().to_vec();
		let hash = blake2_256(MESSAGE).to_vec();
		let signature: k256::ecdsa::Signature =
			k256::ecdsa::signature::hazmat::PrehashSigner::sign_prehash(&secret, &hash).unwrap();
		let mut case = ("ecdsa", signature.normalize_s().unwrap_or(signature).to_vec(), key, hash);
		assert_eq!(verify(&mut tree, &case), Ok(true), "{case:?}");
		case.2[0] = 5;
		assert_eq!(verify(&mut tree, &case), Ok(false), "{case:?}");
	}
}

#[test]
fn blake2b_is_that_of_the_chain() {
	let mut tree = with_contracts(&[CRYPTO]);
	let hash = view(&mut tree, "signatures::blake", vec![bcs(MESSAGE.to_vec())]).unwrap();
	assert_eq!(hash, vec![bcs(blake2_256(MESSAGE).to_vec())]);
}

#[test]
fn checks_of_signatures_pay_for_their_time() {
	let mut tree = with_contracts(&[CRYPTO]);
	let [ed, sr, ec] = cases();
	let (gas, long) = (100_000_000, vec![7; 60_000]);
	let blake = ("blake", ed.1.clone(), ed.2.clone(), long.clone());
	for (name, signature, key, message) in [
		ed.clone(),
		(ed.0, ed.1, ed.2, long.clone()),
		sr.clone(),
		(sr.0, sr.1, sr.2, long),
		ec,
		blake,
	] {
		let arguments = vec![bcs(&signature), bcs(&key), bcs(&message)];
		let call = dstp_move::Call {
			signer: ALICE,
			function: function(&format!("signatures::{name}_for_ever"), arguments),
			context: context(),
		};
		// Not the clock, because other tests run meanwhile.
		let start = cpu_time::ThreadTime::now();
		let failed = dstp_move::Engine::new().call(&mut tree, call, &budget(gas)).unwrap_err();
		let nanoseconds = start.elapsed().as_nanos() as u64;
		println!("{name} {}: {nanoseconds} ns for {gas} gas", message.len());
		assert_eq!(failed.gas_used, gas, "{name}: {failed:?}");
		// Thirty times what the schedule means, because machines are slower.
		assert!(nanoseconds < 30 * gas, "{name} took {nanoseconds} ns");
	}
}
