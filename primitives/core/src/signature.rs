//! Signatures of accounts over calls and heads.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

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
	use super::Signature;
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
		/// Whether `signer` signed `message`.
		pub fn verify(&self, message: &[u8], signer: &AccountId) -> bool {
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
