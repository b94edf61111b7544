//! Calls into a remote subtree: their payload, id and signed form.

use crate::json::respond;
use alloc::{string::String, vec::Vec};
use codec::{DecodeAll, Encode};
use core::fmt;
use dstp_primitives::{
	call::{Call, CallPayload, SignedCall, MAX_CALL_BYTES},
	id::AccountId,
	object::{TypeName, MAX_VALUE_BYTES},
	signature::Signature,
	tree::MAX_BATCH_FIELDS,
	Key, KeyError, ObjectFlags, ObjectId, ObjectType,
};
use dstp_rpc_types::bytes::{Bytes, Bytes32, Number, PathText};
use serde::{Deserialize, Serialize};

/// What to sign.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PayloadRequest {
	/// Hash of the hub's block 0.
	genesis: Bytes32,
	/// Id of the subtree's root object.
	subtree: Bytes32,
	/// The subtree's registration.
	epoch: Number,
	/// Account of the caller.
	signer: Bytes32,
	/// The account's next nonce in the subtree.
	nonce: Number,
	/// Last hub block at which the call may be executed.
	valid_until: u32,
	/// The operation.
	call: CallJson,
}

/// An operation, as in [`Call`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum CallJson {
	/// Creates an object; `objectType` is the bytes of its label.
	#[serde(rename_all = "camelCase")]
	Create {
		parent: PathText,
		key: Bytes,
		#[serde(default)]
		object_type: Option<Bytes>,
		#[serde(default)]
		hashed_keys: bool,
	},
	SetFields {
		object: PathText,
		fields: Vec<(Bytes, Bytes)>,
	},
	RemoveFields {
		object: PathText,
		keys: Vec<Bytes>,
	},
	Transfer {
		object: PathText,
		to: Bytes32,
	},
	Share {
		object: PathText,
	},
	Freeze {
		object: PathText,
	},
	Remove {
		object: PathText,
	},
	RemoveRecursive {
		object: PathText,
	},
}

/// The payload in the forms that a signer needs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PayloadReply {
	/// SCALE bytes of the `CallPayload`, for [`signed`].
	payload: Bytes,
	/// What is signed: a tag and the payload.
	signing_bytes: Bytes,
	/// The call's id, which does not depend on the signature.
	id: Bytes32,
}

/// A payload and a signature over it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRequest {
	/// From a [`PayloadReply`].
	payload: Bytes,
	/// Kind of the signer's key.
	kind: SignatureKind,
	/// 64 bytes, 65 for ecdsa.
	signature: Bytes,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SignatureKind {
	Ed25519,
	Sr25519,
	Ecdsa,
}

/// A call as `subtree_submit` takes it.
#[derive(Serialize)]
pub struct SignedReply {
	/// SCALE bytes of the `SignedCall`.
	call: Bytes,
	/// The call's id.
	id: Bytes32,
}

/// Why a call cannot be made.
#[derive(Debug)]
enum CallError {
	Key(KeyError),
	TypeName,
	Fields,
	Value,
	TooLarge,
	Payload,
	SignatureLength { expected: usize, found: usize },
}

impl fmt::Display for CallError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Key(error) => fmt::Display::fmt(error, f),
			Self::TypeName => f.write_str("the label of an object type has at most 64 bytes"),
			Self::Fields => write!(f, "one call names 1 to {MAX_BATCH_FIELDS} fields; split it"),
			Self::Value => write!(f, "a field's value has at most {MAX_VALUE_BYTES} bytes"),
			Self::TooLarge => {
				write!(f, "a signed call has at most {MAX_CALL_BYTES} bytes; split it")
			},
			Self::Payload => f.write_str("the bytes are not a SCALE-encoded call payload"),
			Self::SignatureLength { expected, found } => {
				write!(f, "a signature of this kind has {expected} bytes, not {found}")
			},
		}
	}
}

/// Answers a [`PayloadRequest`] with a [`PayloadReply`].
pub fn payload(request: &[u8]) -> String {
	respond(request, |request: PayloadRequest| {
		let payload = CallPayload {
			genesis: request.genesis.0.into(),
			subtree: ObjectId(request.subtree.0),
			epoch: request.epoch.0,
			signer: AccountId::new(request.signer.0),
			nonce: request.nonce.0,
			valid_until: request.valid_until,
			call: request.call.into_call()?,
		};
		let bytes = payload.encode();
		// The largest signature and its kind.
		if bytes.len() + 66 > MAX_CALL_BYTES {
			return Err(CallError::TooLarge);
		}
		Ok(PayloadReply {
			payload: Bytes(bytes),
			signing_bytes: Bytes(payload.signing_bytes()),
			id: Bytes32(payload.id().0),
		})
	})
}

/// Answers a [`SignedRequest`] with a [`SignedReply`]. The signature itself is not verified here; the node does that.
pub fn signed(request: &[u8]) -> String {
	respond(request, |request: SignedRequest| {
		let payload =
			CallPayload::decode_all(&mut &request.payload.0[..]).map_err(|_| CallError::Payload)?;
		let signature = signature(request.kind, &request.signature.0)?;
		let id = Bytes32(payload.id().0);
		let call = SignedCall { payload, signature }.encode();
		SignedCall::from_bytes(&call).map_err(|_| CallError::TooLarge)?;
		Ok::<_, CallError>(SignedReply { call: Bytes(call), id })
	})
}

fn signature(kind: SignatureKind, bytes: &[u8]) -> Result<Signature, CallError> {
	fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], CallError> {
		bytes.try_into().map_err(|_| CallError::SignatureLength { expected: N, found: bytes.len() })
	}
	Ok(match kind {
		SignatureKind::Ed25519 => Signature::Ed25519(fixed(bytes)?),
		SignatureKind::Sr25519 => Signature::Sr25519(fixed(bytes)?),
		SignatureKind::Ecdsa => Signature::Ecdsa(fixed(bytes)?),
	})
}

impl CallJson {
	fn into_call(self) -> Result<Call, CallError> {
		Ok(match self {
			Self::Create { parent, key: name, object_type, hashed_keys } => Call::Create {
				parent: parent.0,
				key: key(name)?,
				object_type: object_type.map_or(Ok(ObjectType::Plain), |Bytes(label)| {
					TypeName::try_from(label)
						.map(ObjectType::Named)
						.map_err(|_| CallError::TypeName)
				})?,
				flags: if hashed_keys {
					ObjectFlags::hashed_keys()
				} else {
					ObjectFlags::default()
				},
			},
			Self::SetFields { object, fields } => {
				let fields = fields.into_iter().map(|(name, Bytes(value))| {
					Ok((key(name)?, value.try_into().map_err(|_| CallError::Value)?))
				});
				let fields = fields.collect::<Result<Vec<_>, CallError>>()?;
				Call::SetFields {
					object: object.0,
					fields: not_empty(fields)?.try_into().map_err(|_| CallError::Fields)?,
				}
			},
			Self::RemoveFields { object, keys } => {
				let keys = keys.into_iter().map(key).collect::<Result<Vec<_>, _>>()?;
				Call::RemoveFields {
					object: object.0,
					keys: not_empty(keys)?.try_into().map_err(|_| CallError::Fields)?,
				}
			},
			Self::Transfer { object, to } => {
				Call::Transfer { object: object.0, to: AccountId::new(to.0) }
			},
			Self::Share { object } => Call::Share { object: object.0 },
			Self::Freeze { object } => Call::Freeze { object: object.0 },
			Self::Remove { object } => Call::Remove { object: object.0 },
			Self::RemoveRecursive { object } => Call::RemoveRecursive { object: object.0 },
		})
	}
}

fn key(Bytes(bytes): Bytes) -> Result<Key, CallError> {
	Key::new(bytes).map_err(CallError::Key)
}

fn not_empty<T>(list: Vec<T>) -> Result<Vec<T>, CallError> {
	(!list.is_empty()).then_some(list).ok_or(CallError::Fields)
}
