//! The check of proofs.

use crate::json::respond;
use alloc::string::String;
use dstp_primitives::{
	proof::{Proof, ProofError, TrustedRoot},
	ObjectId,
};
use dstp_rpc_types::{
	bytes::{Bytes, Bytes32},
	proof::ProvenView,
};
use serde::Deserialize;

/// A proof and what the reader trusts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
	/// SCALE bytes of a `Proof`.
	proof: Bytes,
	/// A StateRoot that the reader trusts.
	root: Bytes32,
	/// The object whose StateRoot it is; the root of the global tree if not given.
	object: Option<Bytes32>,
}

/// Answers a [`Request`] with a [`ProvenView`]; errors are those of [`ProofError`].
pub fn check(request: &[u8]) -> String {
	respond(request, |request: Request| {
		let object = request.object.map_or(ObjectId::ROOT, |object| ObjectId(object.0));
		let from = TrustedRoot { object, root: request.root.0.into() };
		let proven = Proof::from_bytes(&request.proof.0)?.check(from)?;
		Ok::<_, ProofError>(ProvenView::from(&proven))
	})
}
