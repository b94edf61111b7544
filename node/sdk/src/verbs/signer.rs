//! The key that signs, from what the user gave.

use super::{SignerArgs, VerbError};
use crate::runtime::AccountId;
use dstp_primitives::signature::Signature;
use sc_cli::{utils::read_uri, CryptoScheme};
use sp_core::{crypto::SecretStringError, ecdsa, ed25519, sr25519, Pair};
use sp_runtime::{traits::IdentifyAccount, MultiSignature, MultiSigner};
use std::io::BufRead;

/// Holds the secret if `--suri` does not.
const VARIABLE: &str = "DSTP_SURI";

/// A key pair of one of the three kinds.
pub(super) enum Signer {
	Ed25519(Box<ed25519::Pair>),
	Sr25519(Box<sr25519::Pair>),
	Ecdsa(ecdsa::Pair),
}

impl Signer {
	/// Takes the secret from where the flags say.
	pub fn new(args: &SignerArgs) -> Result<Self, VerbError> {
		let suri = secret(args.suri.as_ref())?;
		let refused = |error: SecretStringError| VerbError::BadKey(error.to_string());
		Ok(match args.scheme {
			CryptoScheme::Ed25519 => {
				Self::Ed25519(Box::new(Pair::from_string(&suri, None).map_err(refused)?))
			},
			CryptoScheme::Sr25519 => {
				Self::Sr25519(Box::new(Pair::from_string(&suri, None).map_err(refused)?))
			},
			CryptoScheme::Ecdsa => Self::Ecdsa(Pair::from_string(&suri, None).map_err(refused)?),
		})
	}

	/// The account that the key controls.
	pub fn account(&self) -> AccountId {
		let signer: MultiSigner = match self {
			Self::Ed25519(pair) => pair.public().into(),
			Self::Sr25519(pair) => pair.public().into(),
			Self::Ecdsa(pair) => pair.public().into(),
		};
		signer.into_account()
	}

	/// Signs for a transaction.
	pub fn sign(&self, message: &[u8]) -> MultiSignature {
		match self {
			Self::Ed25519(pair) => pair.sign(message).into(),
			Self::Sr25519(pair) => pair.sign(message).into(),
			Self::Ecdsa(pair) => pair.sign(message).into(),
		}
	}

	/// Signs a call into a subtree.
	pub fn sign_call(&self, message: &[u8]) -> Signature {
		match self {
			Self::Ed25519(pair) => pair.sign(message).into(),
			Self::Sr25519(pair) => pair.sign(message).into(),
			Self::Ecdsa(pair) => pair.sign(message).into(),
		}
	}
}

/// The secret itself. An empty one is refused: Substrate takes it for the development phrase, whose key is public.
fn secret(suri: Option<&String>) -> Result<String, VerbError> {
	let no_key = |reason: &str| VerbError::NoKey(reason.into());
	let variable = std::env::var(VARIABLE).ok().filter(|secret| !secret.is_empty());
	let secret = match suri.or(variable.as_ref()) {
		Some(dash) if dash == "-" => {
			let mut line = String::new();
			std::io::stdin()
				.lock()
				.read_line(&mut line)
				.map_err(|error| no_key(&error.to_string()))?;
			if line.trim().is_empty() {
				return Err(no_key("the standard input is empty"));
			}
			line.trim().into()
		},
		None => read_uri(None).map_err(|_| no_key("there is no terminal to ask at"))?,
		given => read_uri(given).map_err(|error| no_key(&error.to_string()))?,
	};
	if secret.is_empty() {
		return Err(no_key("the one given is empty"));
	}
	Ok(secret)
}

#[cfg(test)]
mod tests {
	use super::*;
	use dstp_primitives::call::{Call, CallContext, CallPayload, SignedCall};

	fn signer(suri: &str, scheme: CryptoScheme) -> Result<Signer, VerbError> {
		Signer::new(&SignerArgs { suri: Some(suri.into()), scheme })
	}

	#[test]
	fn every_kind_of_key_signs_calls() {
		let schemes = [CryptoScheme::Ed25519, CryptoScheme::Sr25519, CryptoScheme::Ecdsa];
		for (scheme, index) in schemes.into_iter().zip(0u8..) {
			let signer = signer("//Alice", scheme).unwrap();
			let payload = CallPayload {
				genesis: Default::default(),
				subtree: Default::default(),
				epoch: 1,
				signer: signer.account(),
				nonce: 0,
				valid_until: 10,
				call: Call::Share { object: Default::default() },
			};
			let signature = signer.sign_call(&payload.signing_bytes());
			let context = CallContext {
				genesis: payload.genesis,
				subtree: payload.subtree,
				epoch: 1,
				hub_number: 0,
			};
			let call = SignedCall { payload, signature };
			assert_eq!(call.check(&context), Ok(()), "kind {index}");
		}
	}

	#[test]
	fn what_is_no_secret_is_refused() {
		assert!(matches!(signer("", CryptoScheme::Sr25519).err(), Some(VerbError::NoKey(_))));
		for suri in ["alice", "0x12", "//", "bottom drive obey"] {
			let refused = signer(suri, CryptoScheme::Sr25519).err();
			assert!(matches!(refused, Some(VerbError::BadKey(_))), "{suri}: {refused:?}");
		}
	}
}
