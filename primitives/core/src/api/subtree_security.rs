//! What the subtree security pallet answers.

// The macro writes items without docs.
#![allow(missing_docs)]

use crate::{
	call::{CallPayload, CallRefusal, SignedCall},
	head::Head,
	id::{AccountId, ObjectId},
	mode::poa::{AuthoritySet, PoaEvidence, PoaParams, PoaState},
	subtree::{ModeView, SubtreePage, SubtreeView},
};
use alloc::vec::Vec;
use sp_core::H256;

sp_api::decl_runtime_apis! {
	/// Remote subtrees and their heads. With calls and their payloads, so that clients find the types in the metadata.
	pub trait SubtreeSecurityApi {
		/// A registered subtree with its last accepted head; `None` if it is not registered. A closed one still is.
		fn head(subtree: ObjectId) -> Option<SubtreeView>;

		/// The security mode of a registered subtree, its parameters and its state.
		fn mode(subtree: ObjectId) -> Option<ModeView>;

		/// A page of subtrees after `cursor` (from the start without one), `limit` at most and never more than 256.
		fn subtrees(cursor: Option<ObjectId>, limit: u32) -> SubtreePage;

		/// Whether the hub knows an account: whether it holds a balance or is needed otherwise.
		fn account_exists(account: AccountId) -> bool;

		/// The bytes that the signer of a call signs, plain or between `<Bytes>` and `</Bytes>`.
		fn call_payload_bytes(payload: CallPayload) -> Vec<u8>;

		/// Checks a signed call against its subtree as it is registered and against the block, everything but the nonce, which
		/// only a copy of the subtree knows. Gives the call's id. A subtree that is not registered: `WrongSubtree`.
		fn check_call(call: SignedCall) -> Result<H256, CallRefusal>;
	}

	/// The types of PoA for clients: what they pass as bytes to calls, and what authorities sign.
	pub trait PoaApi {
		/// Parameters and state of a subtree; `None` if it is not registered or has another mode.
		fn poa(subtree: ObjectId) -> Option<(PoaParams, PoaState)>;

		/// The bytes of parameters as `register` takes them.
		fn poa_params_bytes(params: PoaParams) -> Vec<u8>;

		/// The bytes of a set as `update_mode` and `replace_authorities` take them.
		fn poa_set_bytes(set: AuthoritySet) -> Vec<u8>;

		/// The bytes of evidence as `commit_head` and `update_mode` take them.
		fn poa_evidence_bytes(evidence: PoaEvidence) -> Vec<u8>;

		/// What the authorities of the set `set_id` sign for a head.
		fn poa_head_payload(set_id: u64, head: Head) -> Vec<u8>;

		/// What the present authorities of a subtree sign for the next set; `None` as for `poa`.
		fn poa_rotation_payload(subtree: ObjectId, next: AuthoritySet) -> Option<Vec<u8>>;
	}
}
