//! Signatures of accounts over calls and heads.

use crate::id::AccountId;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The y coordinates of the points of small order on the curve of ed25519, little-endian: 0, 1, p - 1, those of order 8, and 0 and 1 again
/// as p and p + 1, which the rules for decoding points (ZIP 215) let through.
const SMALL_ORDER: [[u8; 32]; 7] = [
	[0; 32],
	near_p(0x01, 0x00, 0x00),
	near_p(0xec, 0xff, 0x7f),
	[
		0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
		0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
		0xfc, 0x05,
	],
	[
		0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
		0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
		0x03, 0x7a,
	],
	near_p(0xed, 0xff, 0x7f),
	near_p(0xee, 0xff, 0x7f),
];

/// A number by its lowest byte, those in the middle, and the highest.
const fn near_p(low: u8, middle: u8, high: u8) -> [u8; 32] {
	let mut bytes = [middle; 32];
	bytes[0] = low;
	bytes[31] = high;
	bytes
}

/// Whether anybody can make signatures of this account, because as a key it is no secret's: a point of small order of ed25519, or zero,
/// which is the neutral element of sr25519 too. Such an account owns nothing and signs nothing.
pub fn anybody_signs_for(account: &AccountId) -> bool {
	let mut y: [u8; 32] = *account.as_ref();
	// The highest bit is the sign of x.
	y[31] &= 0x7f;
	SMALL_ORDER.contains(&y)
}

/// A signature by a key of one of three kinds. Encodes like Substrate's `MultiSignature`.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Signature {
	/// Ed25519; the account is the public key.
	#[codec(index = 0)]
	Ed25519([u8; 64]),
	/// Sr25519 with the context of Substrate; the account is the public key.
	#[codec(index = 1)]
	Sr25519([u8; 64]),
	/// ECDSA on secp256k1 over blake2-256 of the message, recoverable (r, s, and a recovery id of 0 to 3), low s; the account is blake2-256 of the compressed key.
	#[codec(index = 2)]
	Ecdsa([u8; 65]),
}

#[cfg(feature = "runtime")]
mod verify {
	use super::{anybody_signs_for, Signature};
	use crate::id::AccountId;
	use sp_core::{ecdsa, ed25519, sr25519};
	use sp_crypto_hashing::blake2_256;

	/// Half of the order of secp256k1, big-endian. A signature with a larger s has a twin with a smaller one.
	const SECP256K1_HALF_ORDER: [u8; 32] = [
		0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b,
		0x20, 0xa0,
	];

	impl Signature {
		/// Whether `signer` signed `message`. Never, if anybody can sign for it.
		pub fn verify(&self, message: &[u8], signer: &AccountId) -> bool {
			if anybody_signs_for(signer) {
				return false;
			}
			let key: &[u8; 32] = signer.as_ref();
			match self {
				Self::Ed25519(bytes) => sp_io::crypto::ed25519_verify(
					&ed25519::Signature::from_raw(*bytes),
					message,
					&ed25519::Public::from_raw(*key),
				),
				Self::Sr25519(bytes) => sp_io::crypto::sr25519_verify(
					&sr25519::Signature::from_raw(*bytes),
					message,
					&sr25519::Public::from_raw(*key),
				),
				// A recovery id above 26 means the same as one that is 27 smaller: a second form of the same signature.
				Self::Ecdsa(bytes) => {
					bytes[64] < 4
						&& bytes[32..64] <= SECP256K1_HALF_ORDER[..]
						&& sp_io::crypto::secp256k1_ecdsa_recover_compressed(
							bytes,
							&blake2_256(message),
						)
						.is_ok_and(|public| blake2_256(&public) == *key)
				},
			}
		}

		/// Like [`Self::verify`]; also accepts what wallets sign when they are given raw bytes: `<Bytes>` around the message.
		pub fn verify_wrapped(&self, message: &[u8], signer: &AccountId) -> bool {
			self.verify(message, signer)
				|| self.verify(&[b"<Bytes>", message, b"</Bytes>"].concat(), signer)
		}
	}

	impl From<ed25519::Signature> for Signature {
		fn from(signature: ed25519::Signature) -> Self {
			Self::Ed25519(signature.0)
		}
	}

	impl From<sr25519::Signature> for Signature {
		fn from(signature: sr25519::Signature) -> Self {
			Self::Sr25519(signature.0)
		}
	}

	impl From<ecdsa::Signature> for Signature {
		fn from(signature: ecdsa::Signature) -> Self {
			Self::Ecdsa(signature.0)
		}
	}
}

#[cfg(all(test, feature = "runtime"))]
mod tests {
	use super::*;
	use sp_core::{ed25519, sr25519};

	/// What fits every message and every key of small order.
	fn forged(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
		let mut bytes = [0; 64];
		bytes[..32].copy_from_slice(&r);
		bytes[32..].copy_from_slice(&s);
		bytes
	}

	#[test]
	fn keys_for_which_anybody_signs_sign_nothing() {
		let ed25519 = forged(near_p(1, 0, 0), [0; 32]);
		for y in SMALL_ORDER {
			for sign in [0, 0x80] {
				let mut key = y;
				key[31] |= sign;
				// Without the guard.
				let public = ed25519::Public::from_raw(key);
				let signature = ed25519::Signature::from_raw(ed25519);
				assert!(
					sp_io::crypto::ed25519_verify(&signature, b"anything", &public),
					"{key:x?}"
				);
				let account = AccountId::new(key);
				assert!(anybody_signs_for(&account));
				assert!(!Signature::Ed25519(ed25519).verify(b"anything", &account));
			}
		}
	}

	#[test]
	fn zero_signs_nothing_with_sr25519() {
		// The highest bit marks the form of the signature.
		let sr25519 = forged([0; 32], near_p(0, 0, 0x80));
		let public = sr25519::Public::from_raw([0; 32]);
		let signature = sr25519::Signature::from_raw(sr25519);
		assert!(sp_io::crypto::sr25519_verify(&signature, b"anything", &public));
		assert!(!Signature::Sr25519(sr25519).verify(b"anything", &AccountId::new([0; 32])));
	}

	#[test]
	fn other_keys_are_not_suspected() {
		for byte in 1..=0xff {
			assert!(!anybody_signs_for(&AccountId::new([byte; 32])));
			assert!(!anybody_signs_for(&AccountId::new(near_p(byte, 0, 1))));
		}
	}
}
